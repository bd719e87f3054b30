"""What a file holds: its columns, which of them would serve which role and why, and which losses suit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from losscli.errors import UsageError, escape, shown
from losscli.readers import STDIN_SHOWN
from losscli.report import drawing
from losscli.report.text import full, json_text, significant

if TYPE_CHECKING:
    from rich.console import RenderableType

    from losscli.columns.inspection import ColumnFacts, Inspection

LONGEST_EXAMPLE = 20
EXAMPLE_DIGITS = 4


def inspection(
    files: Sequence[Inspection], format: str = "table", *, width: int | None = None, color: bool = False
) -> str:
    """What files hold, as text that ends with a line end.

    Args:
        files: what was found in each.
        format: ``table`` for a terminal or ``json`` for programs.
        width: columns of the terminal; None folds nothing.
        color: whether the terminal's text has colours.

    Raises:
        UsageError: another format.
    """
    if format == "json":
        from losscli.columns.inspection import as_json

        return json_text(as_json(files), indent=2) + "\n"
    if format != "table":
        raise UsageError(f"what a file holds cannot be printed as {shown(format)}", hint="use table or json.")
    parts: list[RenderableType] = []
    for found in files:
        parts += ["", *_file(found, width)]
    return drawing.draw(parts[1:], width=width, color=color)


def _file(found: Inspection, width: int | None) -> list[RenderableType]:
    heading = drawing.words(found.file, "bold")
    heading.append(f"  {_size(found)}", "not bold")
    marked = [position for position, column in enumerate(found.columns) if column.problem]
    parts: list[RenderableType] = [heading]
    if found.columns:
        parts += ["", drawing.table(_columns(found), width=width, marked=marked)]
    parts += [drawing.words(column.problem, "red") for column in found.columns if column.problem]
    if found.roles:
        parts += ["", drawing.words("Roles", "bold"), drawing.table(_roles(found), width=width, headings=False)]
    parts += ["", drawing.words("Losses that suit", "bold")]
    if found.losses:
        parts.append(drawing.words(", ".join(found.losses)))
        parts.append(drawing.words(f"Next: losscli compute {found.losses[0]} {_argument(found.file)}", "dim"))
    else:
        parts.append(drawing.words("None has every role. losscli show LOSS says what a loss needs."))
    return parts


def _size(found: Inspection) -> str:
    rows = "an unknown number of rows" if found.rows is None else _counted(found.rows, "row")
    return f"{found.format}, {rows}, {_counted(len(found.columns), 'column')}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _columns(found: Inspection) -> list[drawing.Column]:
    facts = found.columns
    columns = [
        drawing.Column("column", tuple(column.name for column in facts), style="bold"),
        drawing.Column("kind", tuple(map(_kind, facts))),
        drawing.Column("missing", tuple(f"{column.missing:,}" for column in facts), number=True),
        drawing.Column("min", tuple(significant(column.min) for column in facts), number=True),
        drawing.Column("max", tuple(significant(column.max) for column in facts), number=True),
        drawing.Column(
            "first values", tuple(", ".join(_example(v) for v in column.examples if v is not None) for column in facts)
        ),
        drawing.Column("looks like", tuple(column.looks for column in facts)),
        drawing.Column("role", tuple(", ".join(found.roles_of(column.name)) for column in facts)),
    ]
    return [column for column in columns if any(column.cells)]


def _kind(column: ColumnFacts) -> str:
    return f"{column.kind} ({', '.join(map(str, column.shape))})" if column.shape else column.kind


def _example(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_example, value))})"
    text = escape(significant(value, EXAMPLE_DIGITS) if isinstance(value, float) else full(value))
    return f"{text[:LONGEST_EXAMPLE]}..." if len(text) > LONGEST_EXAMPLE else text


def _roles(found: Inspection) -> list[drawing.Column]:
    texts = [(role, ", ".join(names) if names else "?", found.why.get(role, "")) for role, names in found.roles.items()]
    roles, names, why = zip(*texts)
    # The headings are not drawn, and must not make a column wider.
    return [drawing.Column("", roles, whole=True), drawing.Column("", names, style="bold"), drawing.Column("", why)]


def _argument(file: str) -> str:
    """A file's name as a shell takes it."""
    import shlex

    return "-" if file == STDIN_SHOWN else shlex.quote(file)
