"""A page drawn on a terminal, and the same page as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from losscli.errors import escape
from losscli.report import drawing
from losscli.report.formula import unicode_formula
from losscli.report.page import Code, Facts, Formula, Grid, Items, Page, Part, Prose, code_parts
from losscli.report.text import markdown

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

# Longer lines are hard to read, however wide the terminal is.
WIDEST = 100
INDENT = 2


def terminal(page: Page, *, width: int | None, color: bool) -> str:
    """The page for a terminal, headings in bold."""
    width = min(width or WIDEST, WIDEST)
    parts: list[RenderableType] = [_heading(page), _prose(page.summary)]
    for section in page.sections:
        parts += ["", drawing.words(section.title, "bold")]
        for position, part in enumerate(section.parts):
            if position:
                parts.append("")
            parts += [_indented(drawn) for drawn in _draw(part, width - INDENT)]
    return drawing.draw(parts, width=width, color=color)


def _heading(page: Page) -> Text:
    heading = drawing.words(page.name, "bold")
    if page.aliases:
        heading.append(f"  also {', '.join(page.aliases)}", "dim not bold")
    heading.append(f"  ({page.family})", "dim not bold")
    return heading


def _indented(part: RenderableType) -> RenderableType:
    from rich.padding import Padding

    return "" if part == "" else Padding(part, (0, 0, 0, INDENT), expand=False)


def _draw(part: Part, width: int) -> list[RenderableType]:
    if isinstance(part, Prose):
        paragraphs = [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", part.text.strip())]
        spaced: list[RenderableType] = []
        for paragraph in paragraphs:
            spaced += ["", _prose(paragraph)]
        return spaced[1:]
    if isinstance(part, Formula):
        return [_line(line, "cyan") for line in unicode_formula(part.tex).split("\n")]
    if isinstance(part, Items):
        return [_row("-", text, gap=1) for text in part.texts]
    if isinstance(part, Facts):
        wide = max(len(name) for name, _ in part.rows)
        return [_row(name.ljust(wide), text) for name, text in part.rows]
    if isinstance(part, Code):
        return [_line(line, "green") for line in part.lines]
    return [_grid(part, width)]


def _grid(grid: Grid, width: int) -> RenderableType:
    columns = []
    for position, heading in enumerate(grid.headings):
        cells = tuple(_plain(row[position]) for row in grid.rows)
        # A name is easier to copy in one piece; a long call may be folded like prose.
        whole = position in grid.code and max(map(len, cells)) <= drawing.LONGEST_WORD
        columns.append(drawing.Column(heading, cells, whole=whole))
    return drawing.table(columns, width=width)


def _line(text: str, style: str) -> RenderableType:
    return drawing.words(text, style) if text else ""


def _row(name: str, text: str, *, gap: int = 2) -> RenderableType:
    from rich.table import Table

    row = Table.grid(padding=(0, gap, 0, 0))
    row.add_column(no_wrap=True, style="dim")
    row.add_column(overflow="fold")
    row.add_row(drawing.words(name), _prose(text))
    return row


def _prose(text: str) -> Text:
    drawn = drawing.words("")
    for piece, code in code_parts(text):
        drawn.append(escape(piece), "green" if code else "")
    return drawn


def _plain(text: str) -> str:
    return "".join(piece for piece, _ in code_parts(text))


# --- Markdown ---------------------------------------------------------------------------------------------------------


def markdown_page(page: Page) -> str:
    """The page for the documentation, in ``docs/losses/NAME.md``; its picture is ``docs/images/NAME.svg``."""
    lines = [f"# {page.name}", "", _inline(page.summary), ""]
    if page.aliases:
        lines += [f"Also known as {', '.join(f'`{alias}`' for alias in page.aliases)}. Family: {page.family}.", ""]
    else:
        lines += [f"Family: {page.family}.", ""]
    lines += [f"![The curve of {page.name}](../images/{page.name}.svg)", ""]
    for section in page.sections:
        lines += [f"## {section.title}", ""]
        for part in section.parts:
            lines += [*_markdown(part), ""]
    return "\n".join(lines[:-1]) + "\n"


def _markdown(part: Part) -> list[str]:
    if isinstance(part, Prose):
        return [_inline(line.strip()) for line in part.text.strip().split("\n")]
    if isinstance(part, Formula):
        return ["$$", part.tex, "$$"]
    if isinstance(part, Items):
        return [f"- {_inline(text)}" for text in part.texts]
    if isinstance(part, Facts):
        return [f"- **{name}**: {_inline(text)}" for name, text in part.rows]
    if isinstance(part, Code):
        return [f"```{part.language}", *part.lines, "```"]
    rows = [list(map(markdown, part.headings)), ["---"] * len(part.headings)]
    rows += [
        [f"`{cell}`" if cell and position in part.code else _inline(cell) for position, cell in enumerate(row)]
        for row in part.rows
    ]
    return [f"| {' | '.join(row)} |" for row in rows]


def _inline(text: str) -> str:
    """Prose with its code marked. Addresses stay as they are, so that they become links."""
    pieces = []
    for piece, code in code_parts(text):
        if code:
            pieces.append(f"`{piece}`")
        else:
            words = re.split(r"(https?://\S+)", piece)
            pieces += [f"<{word}>" if position % 2 else markdown(word) for position, word in enumerate(words) if word]
    return "".join(pieces)
