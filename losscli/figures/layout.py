"""Where title, formula and legend stand, so that none of them covers a line or another."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from losscli._lazy import matplotlib
from losscli.errors import escape
from losscli.figures.formula import lines, mathtext

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.text import Text
    from matplotlib.transforms import Bbox

PLACES = ("upper center", "upper right", "upper left", "lower right", "lower left", "lower center")
GAP = 0.05  # inches between the blocks
SMALLEST_FORMULA = 6.0  # points
MOST_TITLE_LINES = 3
# A picture is for its curves: words that would take more than this share of its height are left out.
MOST_HEAD = 0.4


@dataclass(frozen=True)
class Block:
    """What stands above the panels: a plain title and a formula in TeX."""

    title: str
    formula: str | None


def arrange(figure: Figure, head: Block, entries: Mapping[str, Artist], free: Sequence[Axes]) -> None:
    """Sets the title, the formula and the legend of a figure whose panels are drawn.

    Args:
        figure: with constrained layout.
        head: what stands above the panels.
        entries: the legend's artists by their labels.
        free: the axes in which the legend may stand where it covers nothing.
    """
    height = float(figure.get_figheight())
    top = 1 - _head(figure, head) / height
    _leave(figure, 0, top)
    _wrap_names(figure)
    if not entries:
        return
    figure.draw_without_rendering()
    if not any(_inside(axes, entries) for axes in free):
        legend = _below(figure, entries)
        _leave(figure, _inches(figure, legend) / height, top)
        _wrap_names(figure)


def _leave(figure: Figure, bottom: float, top: float) -> None:
    """The panels take what is between, in shares of the figure's height."""
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, bottom, 1, max(top - bottom, 0.1)))


def _wrap_names(figure: Figure) -> None:
    """Breaks the names of axes that are shorter than their names; that moves the axes, so it may take two rounds."""
    for _ in range(2):
        figure.draw_without_rendering()
        if not _wrap_once(figure):
            break


def _wrap_once(figure: Figure) -> bool:
    wrapped = False
    for axes in figure.axes:
        # Beside a horizontal axis there is some room, up to the edge of the figure; above a vertical one there is none.
        middle = (axes.bbox.x0 + axes.bbox.x1) / 2
        across = min(1.25 * axes.bbox.width, 2 * middle, 2 * (figure.bbox.x1 - middle))
        for name, room in ((axes.xaxis.label, across), (axes.yaxis.label, 1.05 * axes.bbox.height)):
            length = max(_box(figure, name).width, _box(figure, name).height)
            if not name.get_text() or length <= room:
                continue
            words = name.get_text().replace("\n", " ")
            name.set_text(words)
            length = max(_box(figure, name).width, _box(figure, name).height)
            name.set_text("\n".join(_lines(words, math.ceil(length / room))))
            wrapped = True
    return wrapped


def _lines(words: str, count: int) -> list[str]:
    """Words in at most so many lines, where single words allow it, of lengths as equal as possible."""
    for letters in range(math.ceil(len(words) / count), len(words)):
        found = textwrap.wrap(words, letters, break_long_words=False, break_on_hyphens=False)
        if len(found) <= count:
            return found
    return [words]


def _box(figure: Figure, artist: Text | Legend) -> Bbox:
    return artist.get_window_extent(figure.canvas.get_renderer())  # type: ignore[attr-defined]


def _inches(figure: Figure, artist: Text | Legend) -> float:
    return float(_box(figure, artist).height) / figure.dpi + GAP


def _width_left(figure: Figure, artist: Text) -> float:
    """How many times the text would fit into the figure's width."""
    return 0.96 * figure.bbox.width / max(float(_box(figure, artist).width), 1.0)


def _head(figure: Figure, head: Block) -> float:
    """Draws title and formula; how many inches they take."""
    height = float(figure.get_figheight())
    used = GAP if head.title or head.formula else 0.0
    if head.title:
        size = matplotlib.rcParams["figure.titlesize"]
        title = figure.text(0.5, 1 - used / height, "", ha="center", va="top", fontsize=size, parse_math=False)
        _fill(figure, title, head.title)
        used += _inches(figure, title)
    formula = mathtext(head.formula) if head.formula else None
    for text in _fitting(figure, formula) if formula else []:
        text.set_position((0.5, 1 - used / height))
        used += _inches(figure, text)
        if used > MOST_HEAD * height:
            used -= _inches(figure, text)
            text.remove()
    return used


def _fill(figure: Figure, text: Text, words: str) -> None:
    """Breaks a title into lines that fit, and ends it with an ellipsis where they are too many."""
    text.set_text(words)
    share = _width_left(figure, text)
    if share < 1:
        letters = max(8, int(share * len(words) * 0.95))
        wrapped = textwrap.wrap(words, letters, max_lines=MOST_TITLE_LINES, placeholder=" …", break_on_hyphens=False)
        text.set_text("\n".join(wrapped))


def _fitting(figure: Figure, formula: str) -> list[Text]:
    """The formula on one line where that is legible, else broken at its wide spaces; nothing where that fails too."""
    start = float(matplotlib.rcParams["font.size"])
    for pieces in ([formula], lines(formula)):
        texts = [figure.text(0.5, 0.5, piece, ha="center", va="top", fontsize=start) for piece in pieces]
        size = start * min(1.0, *(_width_left(figure, text) for text in texts), 1.0)
        if size >= SMALLEST_FORMULA:
            for text in texts:
                text.set_fontsize(size)
            return texts
        for text in texts:
            text.remove()
    return []


def _legend(owner: Figure | Axes, entries: Mapping[str, Artist], **place: Any) -> Legend:
    # Matplotlib leaves out entries whose label starts with an underscore, so the true texts are set afterwards.
    legend = owner.legend(list(entries.values()), ["?"] * len(entries), **place)
    for text, label in zip(legend.get_texts(), entries):
        text.set_parse_math(False)
        text.set_text(escape(label))
    return legend


def _inside(axes: Axes, entries: Mapping[str, Artist]) -> bool:
    """Sets the legend in a corner of the axes where it covers no line, if there is one."""
    figure: Any = axes.get_figure(root=True)
    paths = [line.get_transform().transform_path(line.get_path()).cleaned(remove_nans=True) for line in axes.lines]
    for twin in axes.get_shared_x_axes().get_siblings(axes):
        if twin is not axes:
            paths += [patch.get_transform().transform_path(patch.get_path()) for patch in twin.patches]
    for place in PLACES:
        legend = _legend(axes, entries, loc=place)
        box = _box(figure, legend).padded(2)
        outside = box.x0 < axes.bbox.x0 or box.x1 > axes.bbox.x1 or box.y0 < axes.bbox.y0 or box.y1 > axes.bbox.y1
        if not outside and not any(path.intersects_bbox(box, filled=False) for path in paths):
            return True
        legend.remove()
    return False


def _below(figure: Figure, entries: Mapping[str, Artist]) -> Legend:
    """Sets the legend under the panels, in as many columns as fit."""
    for columns in range(len(entries), 0, -1):
        legend = _legend(figure, entries, loc="lower center", ncols=columns, columnspacing=1.2)
        if columns == 1 or _box(figure, legend).width <= 0.98 * figure.bbox.width:
            break
        legend.remove()
    too_wide = _box(figure, legend).width / (0.98 * figure.bbox.width)
    for text in legend.get_texts() if too_wide > 1 else ():
        words = text.get_text()
        # The sample of the line takes a part of the width too.
        text.set_text(
            textwrap.fill(words, max(12, int(0.8 * max(map(len, entries)) / too_wide)), break_on_hyphens=False)
        )
    legend.set_in_layout(False)
    return legend
