"""Drawing for people: tables and texts as strings, as wide as the terminal, through Rich."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from losscli.errors import escape

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

# Without a terminal nothing is folded.
UNBOUNDED = 10_000
LEAST_TEXT = 8
LONGEST_WORD = 30
GAP = 2


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: its name.
        cells: a text for each row.
        number: whether they are numbers, which stand on the right.
        whole: whether they are never folded, as numbers never are.
        style: Rich's name of a style.
    """

    heading: str
    cells: tuple[str, ...]
    number: bool = False
    whole: bool = False
    style: str = ""

    @property
    def least(self) -> int:
        """How narrow it may be drawn."""
        return self.width if self.number or self.whole else min(self.width, LEAST_TEXT)

    @property
    def longest_word(self) -> int:
        """How wide it must be so that no word is broken. A path is no word: it may be broken anywhere."""
        from rich.cells import cell_len

        words = (word for text in (self.heading, *self.cells) for word in escape(text).split())
        return min(max(map(cell_len, words), default=0), LONGEST_WORD)

    @property
    def heading_width(self) -> int:
        """How wide its heading is."""
        from rich.cells import cell_len

        return cell_len(escape(self.heading))

    @property
    def width(self) -> int:
        """How wide it is when nothing folds."""
        from rich.cells import cell_len

        return max((self.heading_width, *(cell_len(escape(text)) for text in self.cells)))


def draw(parts: Sequence[RenderableType], *, width: int | None, color: bool) -> str:
    """The parts one below the other, each line without blanks at its end."""
    import io

    from rich.console import Console

    console = Console(
        file=io.StringIO(),
        width=width or UNBOUNDED,
        color_system="standard" if color else None,
        force_terminal=color,
        no_color=not color,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def table(
    columns: Sequence[Column],
    *,
    width: int | None,
    marked: Sequence[int] = (),
    like: Sequence[Column] | None = None,
    headings: bool = True,
) -> RenderableType:
    """A table in which nothing is ever cut: texts fold, and where even that needs more room, each row is a block.

    Args:
        columns: all of the same length.
        width: what there is; None for as much as it takes.
        marked: positions of rows to draw in red.
        like: the columns whose widths this table has, so that several tables stand in line.
        headings: whether to draw them.
    """
    widths = _widths(like or columns, width)
    if widths is None:
        return _blocks(columns, width or UNBOUNDED, marked)
    return _grid(columns, widths, marked, headings)


def _widths(columns: Sequence[Column], width: int | None) -> list[int] | None:
    """How wide each column is drawn, or None where there is no room: numbers stay whole, texts share the rest."""
    natural = [column.width for column in columns]
    if width is None:
        return natural
    found = [column.least for column in columns]
    room = width - sum(found) - GAP * (len(columns) - 1)
    if room < 0:
        return None
    for wanted in ([max(size, column.longest_word) for size, column in zip(found, columns)], natural):
        while room > 0 and any(size < most for size, most in zip(found, wanted)):
            # Cell by cell, the narrowest of those that still fold grows.
            grown = min((size, i) for i, size in enumerate(found) if size < wanted[i])[1]
            found[grown] += 1
            room -= 1
    return found


def words(text: str, style: str = "") -> Text:
    """Text that is shown as it is typed, without markup and with control characters as escapes."""
    from rich.text import Text

    return Text(escape(text), style=style, overflow="fold")


def _grid(columns: Sequence[Column], widths: Sequence[int], marked: Sequence[int], headings: bool) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    drawn = Table(
        box=SIMPLE_HEAD,
        show_header=headings,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for column, size in zip(columns, widths):
        side: Literal["left", "right"] = "right" if column.number else "left"
        # Rich's own choice of widths would cut a column where it finds no other way.
        drawn.add_column(words(column.heading), justify=side, overflow="fold", width=size, style=column.style)
    for position, row in enumerate(zip(*(column.cells for column in columns))):
        drawn.add_row(*(words(cell) for cell in row), style="red" if position in marked else "")
    return drawn


def _blocks(columns: Sequence[Column], width: int, marked: Sequence[int]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table

    # A heading may be a column's name from a file, of any length.
    left = min(max(column.heading_width for column in columns), max(LEAST_TEXT, width // 2))
    right = max(1, width - left - GAP)
    blocks: list[RenderableType] = []
    for position, row in enumerate(zip(*(column.cells for column in columns))):
        if position:
            blocks.append("")
        block = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
        block.add_column(style="bold", overflow="fold", width=left)
        block.add_column(overflow="fold", max_width=right)
        for column, cell in zip(columns, row):
            if cell:
                block.add_row(words(column.heading), words(cell), style="red" if position in marked else "")
        blocks.append(block)
    return Group(*blocks)
