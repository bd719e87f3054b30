"""A function of one variable as points that can be joined: breaks at its jumps, and a limit where it is infinite."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch

if TYPE_CHECKING:
    from torch import Tensor

    from losscli.figures.picture import Array, Line

Function = Callable[["Tensor"], "Tensor"]

# A jump is what stays after so many halvings of the interval; every continuous function has become flat by then.
HALVINGS = 60
FLAT = 0.25
# Steps smaller than this share of the panel's height are not worth a look: they cannot be seen as a slope.
VISIBLE = 0.01
# A line may leave the panel only where the ends of the axis add more than this share to the panel's height.
SINGULAR = 0.3


def slope(function: Function) -> Function:
    """The derivative of an elementwise function, by autograd; not a number where there is none."""

    def derivative(x: Tensor) -> Tensor:
        x = x.detach().clone().requires_grad_()
        values = function(x)
        if not values.requires_grad:
            return torch.zeros_like(x)
        (gradient,) = torch.autograd.grad(values.sum(), x)
        return gradient

    return derivative


def grid(low: float, high: float, points: int, notable: Iterable[float]) -> Array:
    """Where a curve is sampled: evenly, at the notable points, and ever closer to both ends, where logarithms grow.

    Example:
        >>> -1.0 in grid(-3, 3, 100, [-1.0]), 0.25 in grid(-3, 3, 100, [0.25, 7.0]), 7.0 in grid(-3, 3, 100, [7.0])
        (True, True, False)
    """
    towards_the_ends = (high - low) * 10.0 ** -numpy.arange(3, 10)
    inside = [value for value in notable if low < value < high]
    return numpy.unique(
        numpy.concatenate(
            [numpy.linspace(low, high, points), low + towards_the_ends, high - towards_the_ends, numpy.array(inside)]
        )
    )


def sample(function: Function, x: Array, *, jumps: bool = True) -> tuple[Array, Array]:
    """The points (x, y) of a function, with a break at each jump.

    Args:
        function: maps shape (k,) to shape (k,), elementwise.
        x: shape (k,), increasing.
        jumps: whether to look for them, which calls the function often.

    Returns:
        ``x`` with two points and a NaN between them added at each jump, and the values there.
    """
    y = _values(function, x)
    if not jumps:
        return x, y
    left, right = _jumps(function, x, y)
    if left.size:
        # The halving may end on neighbouring numbers: only the order left, break, right then keeps them apart.
        kept = ~numpy.isin(x, numpy.concatenate([left, right]))
        x = numpy.concatenate([x[kept], left, (left + right) / 2, right])
        breaks = numpy.full(left.size, numpy.nan)
        y = numpy.concatenate([y[kept], _values(function, left), breaks, _values(function, right)])
        order = numpy.argsort(x, kind="stable")
        x, y = x[order], y[order]
    return x, y


def _values(function: Function, x: Array) -> Array:
    values = function(torch.from_numpy(numpy.ascontiguousarray(x)))
    return numpy.asarray(values.detach().numpy(), dtype=float)


def _jumps(function: Function, x: Array, y: Array) -> tuple[Array, Array]:
    """The intervals, halved as far as possible, over which the function still jumps."""
    with numpy.errstate(invalid="ignore"):
        step = numpy.abs(numpy.diff(y))
    finite = y[numpy.isfinite(y)]
    if finite.size < 2:
        return x[:0], x[:0]
    low, high = numpy.percentile(finite, [5, 95])
    height = (high - low) or (finite.max() - finite.min())
    suspects = numpy.isfinite(step) & (step > VISIBLE * height) & (step > 0)
    left, right = x[:-1][suspects], x[1:][suspects]
    at_left, at_right = y[:-1][suspects], y[1:][suspects]
    first_step = step[suspects]
    for _ in range(HALVINGS):
        stays = numpy.abs(at_right - at_left) > FLAT * first_step
        left, right, at_left, at_right, first_step = (
            kept[stays] for kept in (left, right, at_left, at_right, first_step)
        )
        if not left.size:
            break
        middle = left + (right - left) / 2
        at_middle = _values(function, middle)
        with numpy.errstate(invalid="ignore"):
            in_left_half = numpy.abs(at_middle - at_left) >= numpy.abs(at_right - at_middle)
        left, at_left = numpy.where(in_left_half, left, middle), numpy.where(in_left_half, at_left, at_middle)
        right, at_right = numpy.where(in_left_half, middle, right), numpy.where(in_left_half, at_middle, at_right)
    return left, right


def limits(lines: Iterable[Line], low: float, high: float, *, cut: float) -> tuple[float, float]:
    """The vertical limits of a panel: all of its lines, or, where one goes to infinity, what is not close to that.

    Args:
        lines: what the panel shows.
        low: the left end of its horizontal axis.
        high: the right end.
        cut: the share of the axis at each end on which a line that grows without bound may leave the panel.
    """
    edge = cut * (high - low)
    all_values, inner_values = [], []
    for line in lines:
        finite = numpy.isfinite(line.y)
        inner = finite & (line.x >= low + edge) & (line.x <= high - edge)
        all_values.append(line.y[finite])
        inner_values.append(line.y[inner])
    values = numpy.concatenate(all_values)
    within = numpy.concatenate(inner_values)
    if not values.size:
        return 0.0, 1.0
    bottom, top = float(values.min()), float(values.max())
    if within.size:
        inner_bottom, inner_top = float(within.min()), float(within.max())
        excess = SINGULAR * (inner_top - inner_bottom)
        top = inner_top if top - inner_top > excess > 0 else top
        bottom = inner_bottom if inner_bottom - bottom > excess > 0 else bottom
    if bottom == top:
        bottom, top = (0.0, 2 * top) if top > 0 else (bottom - 1, top + 1)
    return bottom, top
