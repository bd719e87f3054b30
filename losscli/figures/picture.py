"""What a picture shows, as numbers and words: no ink, no matplotlib.

All texts are plain; only ``Picture.formula`` is TeX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from losscli._lazy import numpy
from losscli.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[numpy.float64]

# The series of a line that all losses of the picture have in common.
SHARED = -1


@dataclass(frozen=True, eq=False)
class Line:
    """One curve of a panel.

    Attributes:
        label: its entry in the legend.
        x: shape (k,), increasing.
        y: shape (k,). NaN breaks the line, as at a jump. Where it is infinite, the line leaves the panel.
        series: which loss it belongs to.
        case: which label or kind of pair it belongs to.
    """

    label: str
    x: Array
    y: Array
    series: int = 0
    case: int = 0


@dataclass(frozen=True)
class Margin:
    """A vertical line at a parameter's value."""

    x: float
    label: str


@dataclass(frozen=True, eq=False)
class Heat:
    """Values over a plane.

    Attributes:
        x: shape (k,), increasing.
        y: shape (m,), increasing.
        values: shape (m, k).
        limits: the values at the two ends of the colour scale.
        label: what the values are.
        boundary: where the loss becomes zero, or None where it does so nowhere in the plane.
    """

    x: Array
    y: Array
    values: Array
    limits: tuple[float, float]
    label: str
    boundary: Line | None


@dataclass(frozen=True, eq=False)
class Histogram:
    """The user's own data under the curves: ``edges`` has shape (k + 1,), ``counts`` (k,)."""

    edges: Array
    counts: Array
    label: str


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes with what is drawn between them: lines, or a map."""

    x_label: str
    y_label: str
    x_limits: tuple[float, float]
    y_limits: tuple[float, float]
    lines: tuple[Line, ...] = ()
    margins: tuple[Margin, ...] = ()
    heat: Heat | None = None
    histogram: Histogram | None = None
    heading: str = ""
    is_slope: bool = False


@dataclass(frozen=True, eq=False)
class Picture:
    """Panels in rows, under a title and, where one loss is drawn, its formula in TeX."""

    rows: tuple[tuple[Panel, ...], ...]
    title: str
    formula: str | None = None

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, row by row."""
        return tuple(panel for row in self.rows for panel in row)


def with_data(
    picture: Picture,
    histogram_edges: Sequence[float] | Array,
    counts: Sequence[float] | Array,
    label: str = "your data",
) -> Picture:
    """The picture with a histogram of the user's own data under its curves.

    Args:
        picture: as ``curves`` made it.
        histogram_edges: shape (k + 1,), increasing, in the unit of the horizontal axis.
        counts: shape (k,), at least 0: how many data lie in each bin.
        label: what the legend calls them.

    Returns:
        A new picture. Its legend counts the data, and those outside the axis too: none is left out silently.

    Raises:
        UsageError: the picture is a map, which has no single axis to lay data on.
    """
    if any(panel.heat is not None for panel in picture.panels):
        raise UsageError("data can be laid under curves, not under a map")
    edges = numpy.asarray(histogram_edges, dtype=float)
    heights = numpy.asarray(counts, dtype=float)
    if edges.shape != (heights.size + 1,) or not (numpy.diff(edges) > 0).all() or (heights < 0).any():
        raise ValueError("a histogram needs increasing edges, one more than its counts, and counts of at least 0")

    def laid_under(panel: Panel) -> Panel:
        if panel.is_slope:
            return panel
        low, high = panel.x_limits
        seen = (edges[1:] > low) & (edges[:-1] < high)
        outside = heights[~seen].sum()
        text = f"{label} (n = {heights.sum():,.0f}" + (f", {outside:,.0f} outside)" if outside else ")")
        return replace(panel, histogram=Histogram(edges, heights, text))

    return replace(picture, rows=tuple(tuple(laid_under(panel) for panel in row) for row in picture.rows))
