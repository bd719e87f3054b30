"""The list of losses, by family."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from losscli.errors import UsageError, shown
from losscli.loss import Loss
from losscli.report import drawing
from losscli.report.costs import markdown_table
from losscli.report.text import delimited, json_text

if TYPE_CHECKING:
    from rich.console import RenderableType

NOTHING: Mapping[str, str] = {}
SCHEMA = 1
HEADINGS = ("name", "aliases", "family", "summary", "params", "roles")


def catalogue(
    losses: Sequence[Loss],
    format: str = "table",
    *,
    offered: Mapping[str, str] = NOTHING,
    width: int | None = None,
    color: bool = False,
) -> str:
    """The losses as text that ends with a line end.

    Args:
        losses: in the order to show them.
        format: ``table`` by family for a terminal, ``md``, ``plain`` (names only), ``json``, ``csv`` or ``tsv``.
        offered: what installed packages have beside them, with the package of each; for the table.
        width: columns of the terminal; None folds nothing.
        color: whether the table has colours.

    Raises:
        UsageError: another format.
    """
    if format == "table":
        return _table(losses, offered, width, color)
    if format == "md":
        return _markdown(losses)
    if format == "plain":
        return "".join(f"{loss.name}\n" for loss in losses)
    if format == "json":
        entries = [dict(zip(HEADINGS, _entry(loss))) for loss in losses]
        return json_text({"schema": SCHEMA, "losses": entries}, indent=2) + "\n"
    if format in ("csv", "tsv"):
        delimiter = "," if format == "csv" else "\t"
        rows = [HEADINGS, *(tuple(_joined(cell) for cell in _entry(loss)) for loss in losses)]
        return "".join(delimiter.join(delimited(cell, delimiter) for cell in row) + "\n" for row in rows)
    raise UsageError(f"the list of losses cannot be printed as {shown(format)}")


def _markdown(losses: Sequence[Loss]) -> str:
    texts = {
        "name": [loss.name for loss in losses],
        "also": [", ".join(loss.aliases) for loss in losses],
        "family": [loss.family for loss in losses],
        "what it is": [_sentence(loss.summary) for loss in losses],
    }
    return markdown_table([drawing.Column(heading, tuple(cells)) for heading, cells in texts.items()])


def _entry(loss: Loss) -> tuple[str | list[str], ...]:
    params = [param.option for param in loss.params]
    return (loss.name, list(loss.aliases), loss.family, _sentence(loss.summary), params, list(loss.roles))


def _joined(cell: str | list[str]) -> str:
    return cell if isinstance(cell, str) else ",".join(cell)


def _sentence(text: str) -> str:
    return text.replace("``", "")


def _meaning(loss: Loss) -> str:
    return f"{_sentence(loss.summary)} Also {', '.join(loss.aliases)}." if loss.aliases else _sentence(loss.summary)


def _table(losses: Sequence[Loss], offered: Mapping[str, str], width: int | None, color: bool) -> str:
    columns = [
        drawing.Column("", tuple(loss.name for loss in losses), whole=True, style="bold"),
        drawing.Column("", tuple(_meaning(loss) for loss in losses)),
    ]
    parts: list[RenderableType] = []
    for family in dict.fromkeys(loss.family for loss in losses):
        chosen = [position for position, loss in enumerate(losses) if loss.family == family]
        heading = family[:1].upper() + family[1:]
        parts += [drawing.words(heading, "bold underline"), _family(columns, chosen, width), ""]
    if offered:
        names = tuple(offered)
        packages = tuple(f"from the package {package}" for package in offered.values())
        table = [drawing.Column("", names, whole=True, style="bold"), drawing.Column("", packages)]
        parts += [drawing.words("Installed", "bold underline"), drawing.table(table, width=width, headings=False), ""]
    count = "1 loss" if len(losses) == 1 else f"{len(losses)} losses"
    parts.append(drawing.words(f"{count}. losscli show NAME says all about one.", "dim"))
    return drawing.draw(parts, width=width, color=color)


def _family(columns: Sequence[drawing.Column], chosen: Sequence[int], width: int | None) -> RenderableType:
    own = [
        drawing.Column(column.heading, tuple(column.cells[i] for i in chosen), whole=column.whole, style=column.style)
        for column in columns
    ]
    return drawing.table(own, width=width, like=columns, headings=False)
