"""The columns that the user's words mean: names, positions such as ``#3``, globs such as ``p_*``."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from losscli.errors import DataError, UsageError, did_you_mean, escape, shown
from losscli.names import words
from losscli.readers.source import Column, Source

LISTED = 12


def select(source: Source, selector: str, *, side: str = "data") -> tuple[Column, ...]:
    """The columns that a name, a position such as ``#3`` or a glob such as ``p_*`` means.

    A name is compared exactly first, then by its words alone where that is unambiguous.

    Args:
        source: the columns.
        selector: as the user typed it.
        side: which of two joined files to look in first, ``data`` or ``truth``.

    Raises:
        UsageError: no column has that name; the message lists those that there are.
        DataError: several columns of one file have it.
    """
    near = [column for column in source.columns if column.side == side] or list(source.columns)
    far = [column for column in source.columns if column not in near]
    if selector.startswith("#") and selector[1:].isdecimal():
        position = int(selector[1:])
        if 1 <= position <= len(near):
            return (near[position - 1],)
        hint = f"it has {len(near)} columns, #1 to #{len(near)}."
        raise UsageError(f"{source.name} has no column {selector}", hint=hint)
    for columns in (near, far):
        found = _named(columns, selector)
        if found:
            return found
    raise _unknown(source, selector)


def _named(columns: Sequence[Column], selector: str) -> tuple[Column, ...]:
    role = [column for column in columns if column.key == selector and column.name != selector]
    if role:
        return tuple(role)
    exact = [column for column in columns if column.name == selector]
    if len(exact) > 1 and len({column.file for column in exact}) == 1:
        raise repeated(exact, columns)
    if exact:
        return tuple(column for column in exact if column.key == selector) or tuple(exact[:1])
    if any(character in selector for character in "*?"):
        return tuple(column for column in columns if fnmatchcase(column.name, selector))
    loose = [column for column in columns if words(column.name) == words(selector)] if words(selector) else []
    return tuple(loose) if len(loose) == 1 else ()


def repeated(same: Sequence[Column], columns: Sequence[Column]) -> DataError:
    """Several columns of a file have one name."""
    positions = " or ".join(f"#{columns.index(column) + 1}" for column in same)
    return DataError(
        f'{len(same)} columns are called "{escape(same[0].name)}"',
        file=same[0].file,
        hint=f"select one by its position: {positions}.",
    )


def _unknown(source: Source, selector: str) -> UsageError:
    names = [column.name for column in source.columns]
    listed = ", ".join(f'"{escape(name)}"' for name in names[:LISTED])
    more = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    what = "no column like" if any(character in selector for character in "*?") else "no column"
    problem = f"{source.name} has {what} {shown(selector)}; it has {listed}{more}"
    return UsageError(problem, hint=did_you_mean(selector, names))
