"""A picture in a terminal: curves in braille dots, maps in shades."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from losscli._lazy import numpy
from losscli.errors import escape
from losscli.figures.picture import Heat, Line, Panel, Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from losscli.figures.picture import Array

# A braille character is two dots wide and four high; Unicode numbers the dots in this order.
DOTS_ACROSS, DOTS_UP = 2, 4
DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BRAILLE = 0x2800
SHADES = " ░▒▓█"
LEAST_WIDTH, LEAST_HEIGHT = 30, 5
KEYS = "123456789abcdefghijklmnopqrstuvwxyz"


def preview(picture: Picture, width: int = 72, height: int = 20) -> str:
    """The picture in plain characters, panels one under the other.

    Args:
        picture: as ``curves`` made it.
        width: columns of the terminal; at least 30 are used.
        height: lines for all panels together, without the words around them; a panel has at least 5.

    Returns:
        Lines without colours or control characters, none wider than ``width``.
    """
    width = max(width, LEAST_WIDTH)
    each = max(height // len(picture.panels), LEAST_HEIGHT)
    blocks = [textwrap.fill(escape(picture.title), width)] if picture.title else []
    blocks += [_panel(panel, width, each) for panel in picture.panels]
    return "\n".join(blocks)


def _panel(panel: Panel, width: int, height: int) -> str:
    low, high = (f"{end:.4g}" for end in panel.y_limits)
    left, right = (f"{end:.4g}" for end in panel.x_limits)
    margin = max(len(low), len(high))
    columns = width - margin - 2
    rows = _shades(panel.heat, columns, height) if panel.heat is not None else _curves(panel, columns, height)
    ends = [high, *[""] * (height - 2), low]
    name = escape(panel.x_label)[: max(columns - len(left) - len(right) - 2, 0)]
    gap = columns + 1 - len(left) - len(right)
    heading = ": ".join(filter(None, (escape(panel.heading), escape(panel.y_label))))
    body = [f"{end:>{margin}} │{row}".rstrip() for end, row in zip(ends, rows)]
    axis = " " * margin + " └" + "─" * columns
    scale = " " * (margin + 1) + left + name.center(gap) + right
    words = [textwrap.shorten(heading, width, placeholder="…"), *body, axis, scale]
    return "\n".join([*words, *_key(panel, width)])


def _key(panel: Panel, width: int) -> list[str]:
    if panel.heat is not None:
        low, high = panel.heat.limits
        steps = " ".join(f"{shade or ' '}" for shade in SHADES[1:])
        return [textwrap.shorten(f"{escape(panel.heat.label)}: {low:.4g} {steps} {high:.4g}", width, placeholder="…")]
    named = [(key, line.label) for key, line in zip(KEYS, panel.lines) if line.label]
    # Words that belong together stay on one line.
    entries = [f"{key} {escape(label)}".replace(" ", "\xa0") for key, label in named]
    entries += [f"┊ {escape(label)}".replace(" ", "\xa0") for label in dict.fromkeys(m.label for m in panel.margins)]
    return [line.replace("\xa0", " ") for line in textwrap.wrap("   ".join(entries), width)]


def _curves(panel: Panel, columns: int, rows: int) -> list[str]:
    dots = numpy.zeros((rows * DOTS_UP, columns * DOTS_ACROSS), dtype=bool)
    places = []
    for position, line in enumerate(panel.lines):
        across, down = _positions(line, panel, dots.shape)
        _join(dots, across, down)
        places.append(_key_place(across, down, dots.shape, (position + 1) / (len(panel.lines) + 1)))
    bits = numpy.array(DOT_BITS)
    cells = dots.reshape(rows, DOTS_UP, columns, DOTS_ACROSS)
    codes = (cells * bits[:, None, :]).sum(axis=(1, 3))
    characters = [[chr(BRAILLE + code) if code else " " for code in row] for row in codes]
    low, high = panel.x_limits
    for margin in panel.margins:
        column = min(int((margin.x - low) / (high - low) * columns), columns - 1)
        for row in characters:
            row[column] = "┊" if row[column] == " " else row[column]
    for key, line, place in zip(KEYS, panel.lines, places):
        if line.label and place is not None:
            characters[place[0]][place[1]] = key
    return ["".join(row) for row in characters]


def _positions(line: Line, panel: Panel, shape: tuple[int, int]) -> tuple[Array, Array]:
    """The points of a line in dots, from the left and from the top; NaN where there is none in the panel."""
    (left, right), (bottom, top) = panel.x_limits, panel.y_limits
    across = (line.x - left) / (right - left) * (shape[1] - 1)
    down = (top - line.y) / (top - bottom) * (shape[0] - 1)
    # One dot outside is enough to show where a line leaves.
    return across, numpy.clip(down, -1, shape[0])


def _join(dots: NDArray[numpy.bool_], across: Array, down: Array) -> None:
    for x, start, end in zip(across[1:], down[:-1], down[1:]):
        if numpy.isnan(start) or numpy.isnan(end) or start == end == -1 or start == end == len(dots):
            continue
        first, last = sorted((round(float(start)), round(float(end))))
        dots[max(first, 0) : max(last + 1, 0), round(float(x))] = True


def _key_place(across: Array, down: Array, shape: tuple[int, int], share: float) -> tuple[int, int] | None:
    """The cell of the point that is closest to this share of the axis, among those in the panel."""
    inside = numpy.flatnonzero((down >= 0) & (down <= shape[0] - 1))
    if not inside.size:
        return None
    nearest = inside[numpy.argmin(numpy.abs(across[inside] - share * (shape[1] - 1)))]
    return int(round(float(down[nearest])) // DOTS_UP), int(round(float(across[nearest])) // DOTS_ACROSS)


def _shades(heat: Heat, columns: int, rows: int) -> list[str]:
    low, high = heat.limits
    across = numpy.linspace(0, len(heat.x) - 1, columns).round().astype(int)
    up = numpy.linspace(len(heat.y) - 1, 0, rows).round().astype(int)
    shares = (heat.values[numpy.ix_(up, across)] - low) / ((high - low) or 1.0)
    # Any loss above zero has a shade: blank means none.
    steps = numpy.ceil(numpy.nan_to_num(shares).clip(0, 1) * (len(SHADES) - 1)).astype(int)
    return ["".join(SHADES[step] for step in row) for row in steps]
