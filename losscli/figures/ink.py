"""The ink of a picture: a matplotlib figure by its object interface, and its file.

Texts of pictures are set as they are, never as mathtext; only the formula is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from losscli._lazy import matplotlib, numpy
from losscli.errors import UsageError, escape
from losscli.figures import backend
from losscli.figures.layout import Block, arrange
from losscli.figures.picture import SHARED, Heat, Histogram, Line, Panel, Picture

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
# Without these the bytes would hold the time at which they were written.
TIMELESS: dict[str, dict[str, None]] = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
NARROW = 4.5  # inches: below this a picture is for one column of a paper, and its letters are a size smaller
SMALLEST, LARGEST = (2.0, 1.5), (60.0, 60.0)
LEAST_PANEL, LEAST_MAP = (1.4, 1.3), (2.0, 1.5)  # inches that a panel needs, with its share of the words
MOST_PIXELS = 100_000_000
DECADES = 6
PAD = 0.04  # of the height, so that a line at the limit is not cut
QUIET = "#6b6b6b"


def draw(
    picture: Picture,
    *,
    size: tuple[float, float] | None = None,
    dpi: float = 150,
    style: str | None = None,
    title: str | None = None,
    log_y: bool = False,
) -> Figure:
    """The picture as a matplotlib figure.

    Args:
        picture: as ``curves`` made it.
        size: width and height in inches; None chooses by the number of panels, 6 x 4 for one.
        dpi: dots an inch, for pictures made of dots.
        style: a matplotlib style by name, or the path of a ``.mplstyle`` file.
        title: stands above the picture as it is, instead of the losses' names; an empty text leaves the title out.
        log_y: a logarithmic vertical axis for the losses (not for their derivatives).

    Raises:
        UsageError: a size that cannot be drawn, an unknown style, or ``log_y`` for a map or where no loss is positive.
    """
    size = size or _natural_size(picture)
    _check_size(size, dpi)
    panel_rows = _fitting_rows(picture, size)
    if log_y:
        _check_log(picture)
    letters = 8.0 if size[0] < NARROW else 9.0
    with backend.settings(style, font_size=letters, figure_dpi=dpi, **_letter_sizes(letters)):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        engine: Any = figure.get_layout_engine()
        engine.set(w_pad=0.06, h_pad=0.05)
        grid = figure.subplots(len(panel_rows), max(map(len, panel_rows)), squeeze=False)
        entries: dict[str, Artist] = {}
        for row, axes_row in zip(panel_rows, grid):
            for axes in axes_row[len(row) :]:
                axes.remove()
            for panel, axes in zip(row, axes_row):
                entries.update(_panel(axes, panel, log_y=log_y and not panel.is_slope))
            _one_heading(row, axes_row)
        text = escape(picture.title if title is None else title)
        drawn = [(panel, axes) for row, axes_row in zip(panel_rows, grid) for panel, axes in zip(row, axes_row)]
        free = [axes for panel, axes in drawn if panel.heat is None]
        arrange(figure, Block(text, picture.formula), entries, free)
    return figure


def save(figure: Figure, target: str | PathLike[str] | BinaryIO, format: str, dpi: float = 150) -> None:
    """Writes a figure. The same picture gives the same bytes.

    Args:
        figure: as ``draw`` made it.
        target: a path, or a file open for writing bytes.
        format: ``png``, ``svg`` or ``pdf``.
        dpi: dots an inch, for PNG and for the maps inside of the others.

    Raises:
        UsageError: another format, or more than 100 million dots.
    """
    if format not in FORMATS:
        raise UsageError(f'"{escape(format)}" is not a format of pictures', hint=f"it is one of {', '.join(FORMATS)}.")
    _check_size((float(figure.get_figwidth()), float(figure.get_figheight())), dpi)
    with backend.settings():
        figure.savefig(target, format=format, dpi=dpi, metadata=TIMELESS[format])


def _letter_sizes(letters: float) -> dict[str, float]:
    return {"axes_titlesize": letters, "legend_fontsize": letters - 0.5, "figure_titlesize": letters + 1}


def _check_size(size: tuple[float, float], dpi: float) -> None:
    width, height = size
    fits = SMALLEST[0] <= width <= LARGEST[0] and SMALLEST[1] <= height <= LARGEST[1]
    if not fits:
        raise UsageError(
            f"a picture of {width:g} x {height:g} inches cannot be drawn",
            hint=f"it takes from {SMALLEST[0]:g} x {SMALLEST[1]:g} to {LARGEST[0]:g} x {LARGEST[1]:g}.",
        )
    if not (math.isfinite(dpi) and dpi >= 10 and width * height * dpi**2 <= MOST_PIXELS):
        raise UsageError(
            f"{dpi:g} dots an inch cannot be drawn at {width:g} x {height:g} inches",
            hint=f"it takes from 10 dots an inch to {MOST_PIXELS:,} dots in all.",
        )


def _natural_size(picture: Picture) -> tuple[float, float]:
    rows, columns = len(picture.rows), max(len(row) for row in picture.rows)
    # A map is square; beside it is room for its scale only.
    alone = 4.8 if picture.panels[0].heat is not None else 6.0
    return (alone if columns == 1 else 4.0 * columns, 4.0 if rows == 1 else 3.2 * rows)


def _fitting_rows(picture: Picture, size: tuple[float, float]) -> list[tuple[Panel, ...]]:
    """The rows of a picture, broken where a panel would be too narrow to be read.

    Raises:
        UsageError: the picture is too small for its panels however they are arranged.
    """
    least_width, least_height = LEAST_MAP if picture.panels[0].heat is not None else LEAST_PANEL
    most = max(1, int(size[0] / least_width))
    rows = [row[start : start + most] for row in picture.rows for start in range(0, len(row), most)]
    if len(rows) * least_height > size[1]:
        raise UsageError(
            f"{len(picture.panels)} panels do not fit into {size[0]:g} x {size[1]:g} inches",
            hint=f"at this width they need a height of {len(rows) * least_height:g}.",
        )
    return rows


def _check_log(picture: Picture) -> None:
    losses = [panel for panel in picture.panels if not panel.is_slope]
    if any(panel.heat is not None for panel in losses):
        raise UsageError("--log-y does not suit a map", hint="it is for losses that are drawn as curves.")
    if not any((line.y > 0).any() for panel in losses for line in panel.lines):
        raise UsageError("--log-y needs a loss that is positive somewhere in the range")


def _one_heading(row: Sequence[Panel], axes_row: Sequence[Axes]) -> None:
    """Panels that share their vertical axis show its numbers and its name once."""
    for panel, axes in zip(row[1:], axes_row[1:]):
        if panel.heat is None and (panel.y_label, panel.y_limits) == (row[0].y_label, row[0].y_limits):
            axes.set_ylabel("")
            axes.tick_params(labelleft=False)


# --- one panel --------------------------------------------------------------------------------------------------------


def _panel(axes: Axes, panel: Panel, *, log_y: bool) -> dict[str, Artist]:
    """Draws a panel; the entries of its legend by their labels."""
    axes.set_xlabel(panel.x_label, parse_math=False)
    axes.set_ylabel(panel.y_label, parse_math=False)
    axes.set_xlim(*panel.x_limits)
    bottom, top = panel.y_limits
    pad = 0 if panel.heat is not None else PAD * (top - bottom)
    axes.set_ylim(bottom - pad, top + pad)
    if panel.heading:
        axes.set_title(escape(panel.heading), parse_math=False)
    if panel.heat is not None:
        return _heat(axes, panel.heat, is_slope=panel.is_slope)
    if log_y:
        _log_axis(axes, panel)
    entries: dict[str, Artist] = {}
    for line, (colour, dashes) in zip(panel.lines, _strokes(panel.lines)):
        # Values far outside would make coordinates that no renderer can hold; an infinite one leaves the panel too.
        reach = top - bottom
        y = numpy.clip(line.y, bottom - reach, top + reach) if not log_y else numpy.where(line.y > 0, line.y, numpy.nan)
        (artist,) = axes.plot(line.x, y, color=colour, linestyle=dashes, solid_capstyle="butt")
        if line.label:
            entries[line.label] = artist
    for margin in panel.margins:
        entries[margin.label] = axes.axvline(margin.x, color=QUIET, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1.5)
    if panel.histogram is not None:
        entries[panel.histogram.label] = _histogram(axes, panel.histogram, panel.x_limits)
    return entries


def _strokes(lines: Sequence[Line]) -> list[tuple[str, Any]]:
    """Colour and dashes of each line: colour tells losses apart and dashes cases, or both tell apart what differs."""
    colours = [entry["color"] for entry in matplotlib.rcParams["axes.prop_cycle"] if "color" in entry] or ["C0"]
    own = [line for line in lines if line.series != SHARED]
    both_differ = len({line.series for line in own}) > 1 and len({line.case for line in own}) > 1
    strokes: list[tuple[str, Any]] = []
    for line in lines:
        if line.series == SHARED:
            strokes.append((matplotlib.rcParams["text.color"], "solid"))
            continue
        varies = line.series if len({other.series for other in own}) > 1 else line.case
        colour, dashes = (line.series, line.case) if both_differ else (varies, varies)
        strokes.append((colours[colour % len(colours)], backend.DASHES[dashes % len(backend.DASHES)]))
    return strokes


def _log_axis(axes: Axes, panel: Panel) -> None:
    top = panel.y_limits[1]
    positive = numpy.concatenate([line.y[line.y > 0] for line in panel.lines])
    if not positive.size:
        return
    # Near a zero the logarithm goes down without end.
    bottom = max(float(positive.min()), top * 10.0**-DECADES)
    axes.set_yscale("log")
    axes.set_ylim(bottom, top)


def _histogram(axes: Axes, histogram: Histogram, x_limits: tuple[float, float]) -> Artist:
    """Bars in the lower third of the panel, with their own numbers on its right side."""
    seen = (histogram.edges[1:] > x_limits[0]) & (histogram.edges[:-1] < x_limits[1])
    tallest = float(histogram.counts[seen].max(initial=0)) or 1.0
    counts = axes.twinx()
    counts.set_ylim(0, 3 * tallest)
    counts.set_xlim(*x_limits)
    counts.set_yticks([0, tallest], ["0", f"{tallest:,.0f}"], color=QUIET)
    counts.set_ylabel("data in a bin", color=QUIET, loc="bottom")
    counts.grid(visible=False)
    counts.tick_params(right=True, color=QUIET)
    bars = counts.stairs(histogram.counts, histogram.edges, fill=True, color=QUIET, alpha=0.3, linewidth=0)
    # The curves lie above the bars, although their axes were made first.
    axes.set_zorder(counts.get_zorder() + 1)
    axes.patch.set_visible(False)
    return bars


def _heat(axes: Axes, heat: Heat, *, is_slope: bool) -> dict[str, Artist]:
    from matplotlib.ticker import MaxNLocator

    extent = (float(heat.x[0]), float(heat.x[-1]), float(heat.y[0]), float(heat.y[-1]))
    axes.grid(visible=False)
    axes.set_aspect("equal")
    image = axes.imshow(
        heat.values,
        origin="lower",
        extent=extent,
        vmin=heat.limits[0],
        vmax=heat.limits[1],
        cmap="PuOr_r" if is_slope else "Blues",
        interpolation="bilinear",
    )
    bar = axes.figure.colorbar(image, ax=axes, pad=0.02, fraction=0.05)
    bar.set_label(heat.label, parse_math=False)
    bar.outline.set_linewidth(0.6)
    entries: dict[str, Artist] = {}
    if not is_slope:
        levels = [
            level for level in MaxNLocator(6).tick_values(*heat.limits) if heat.limits[0] < level < heat.limits[1]
        ]
        contours = axes.contour(heat.x, heat.y, heat.values, levels=levels, colors="#08306b", linewidths=0.5, alpha=0.5)
        bar.add_lines(contours)
    if heat.boundary is not None:
        boundary = heat.boundary
        (entries[boundary.label],) = axes.plot(boundary.x, boundary.y, color=backend.COLOURS[1], linewidth=1.8)
    return entries
