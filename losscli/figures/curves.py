"""The numbers of a picture: each loss, called at many positions along its axis."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import numpy
from losscli.domain import number_text
from losscli.errors import UsageError
from losscli.figures import words
from losscli.figures.axes import Axis, axis_of, kind_in_words, span_within
from losscli.figures.maps import maps
from losscli.figures.picture import SHARED, Line, Margin, Panel, Picture
from losscli.figures.sampling import Function, grid, limits, sample, slope
from losscli.loss import BoundLoss

if TYPE_CHECKING:
    from losscli.figures.picture import Array

    Sampler = Callable[[Function, Array], tuple[Array, Array]]

MOST_LOSSES = 12
MOST_LINES_IN_A_PANEL = 4
# The share of label 1 for which a loss that balances the classes is drawn.
RARE = Fraction(1, 10)
# A loss that is infinite at one end of its axis may leave the panel on the last hundredth; its slope grows faster.
LOSS_CUT, SLOPE_CUT = 0.01, 0.05
# Positions of a loss that is called for one position at a time.
COSTLY_POINTS = 81


def curves(
    losses: Sequence[BoundLoss],
    *,
    range: tuple[float, float] | None = None,
    at: Sequence[float] = (),
    gradient: bool = False,
    points: int = 601,
) -> Picture:
    """The picture of one loss, of one loss with several parameters, or of several losses of one kind.

    Args:
        losses: at least one, at most 12.
        range: the ends of the horizontal axis (of both axes, for a map); None chooses them by the parameters.
        at: true values, for losses of an error: the horizontal axis is then the prediction.
        gradient: adds the derivative beside the loss, by autograd.
        points: how many points a curve has at least; each side of a map has half as many.

    Raises:
        UsageError: losses that share no axis, or a range in which they are not defined.

    Example:
        >>> from losscli.registry import parse_specs
        >>> panel = curves(parse_specs("mae"), range=(-2, 2)).panels[0]
        >>> panel.x_label, float(panel.lines[0].y.max())
        ('error e = prediction − target', 2.0)
    """
    if not losses:
        raise UsageError("a picture needs at least one loss")
    if len(losses) > MOST_LOSSES:
        raise UsageError(f"a picture holds at most {MOST_LOSSES} losses, not {len(losses)}")
    _check_kinds(losses)
    losses = [_with_weights(bound) for bound in losses]
    if losses[0].loss.curve == "distances":
        if at:
            axis_of(losses[0], at)
        return maps(losses, span=range, gradient=gradient, points=points // 2)
    axes = [axis_of(bound, at) for bound in losses]
    _check_names(losses, axes)
    low, high = span_within(range, axes[0].allowed, losses[0].name) if range else _common_span(axes)
    formula = losses[0].loss.formula if all(bound.loss is losses[0].loss for bound in losses) else None
    rows = _rows(losses, axes, low, high, gradient, points)
    return Picture(rows, words.title(losses), formula)


def _with_weights(bound: BoundLoss) -> BoundLoss:
    """Weights that are left to the data, as rare positives give them: a picture has no data; its title says them."""
    if bound.loss.fit is None:
        return bound
    fitted = bound.loss.fit(Fraction(1), RARE)
    return bound.bind(**{name: value for name, value in fitted.items() if bound.params[name] is None})


def _check_kinds(losses: Sequence[BoundLoss]) -> None:
    kinds = [kind_in_words(bound) for bound in losses]
    if len(set(kinds)) > 1:
        _refuse(losses, kinds)


def _check_names(losses: Sequence[BoundLoss], axes: Sequence[Axis]) -> None:
    if len({axis.name for axis in axes}) > 1:
        _refuse(losses, [f"the {axis.name}" for axis in axes])


def _refuse(losses: Sequence[BoundLoss], axes: Sequence[str]) -> None:
    odd = next(position for position, axis in enumerate(axes) if axis != axes[0])
    together: dict[str, list[str]] = {}
    for bound, axis in zip(losses, axes):
        together.setdefault(axis, []).append(bound.spec)
    groups = "; ".join(", ".join(specs) for specs in together.values())
    raise UsageError(
        f"{losses[0].spec} and {losses[odd].spec} cannot share a picture: {losses[0].spec} is drawn against {axes[0]}, "
        f"{losses[odd].spec} against {axes[odd]}",
        hint=f"draw one picture for each of: {groups}.",
    )


def _common_span(axes: Sequence[Axis]) -> tuple[float, float]:
    return min(axis.span[0] for axis in axes), max(axis.span[1] for axis in axes)


@dataclass(frozen=True)
class _Case:
    """The lines of one label or kind of pair: one for each loss, or a single one where they are all alike."""

    label: str
    lines: tuple[Line, ...]

    @property
    def shared(self) -> bool:
        return self.lines[0].series < 0


def _rows(
    losses: Sequence[BoundLoss], axes: Sequence[Axis], low: float, high: float, gradient: bool, points: int
) -> tuple[tuple[Panel, ...], ...]:
    costly = any(axis.costly for axis in axes)
    points = min(points, COSTLY_POINTS) if costly else points
    x = grid(low, high, points, [value for axis in axes for value in axis.notable])
    labels = words.series_labels(losses) if len(losses) > 1 else [""]
    same_loss = all(bound.loss is losses[0].loss for bound in losses)
    slope_label = f"derivative d loss / d {axes[0].variable}"
    rows = [
        _row(
            _cases(axes, labels, x, same_loss, lambda function, x: sample(function, x, jumps=not costly)),
            axes,
            (low, high),
            words.loss_label(losses, weighted=any(axis.weighted for axis in axes)),
            LOSS_CUT,
        )
    ]
    if gradient:
        derivatives = _cases(
            axes, labels, x, same_loss, lambda function, x: sample(slope(function), x, jumps=not costly)
        )
        row = _row(derivatives, axes, (low, high), slope_label, SLOPE_CUT)
        rows.append(tuple(replace(panel, is_slope=True) for panel in row))
    # Two single panels stand beside each other; two rows of several stand one under the other.
    return (rows[0] + rows[-1],) if gradient and len(rows[0]) == 1 else tuple(rows)


def _cases(axes: Sequence[Axis], labels: Sequence[str], x: Array, same_loss: bool, sampled: Sampler) -> list[_Case]:
    case_labels = list(dict.fromkeys(case.label for axis in axes for case in axis.cases))
    cases = []
    for position, case_label in enumerate(case_labels):
        lines = [
            Line(_label(labels[series], case_label, same_loss), *sampled(case.function, x), series, position)
            for series, axis in enumerate(axes)
            for case in axis.cases
            if case.label == case_label
        ]
        # A parameter that does not change a case, as contrastive's margin its similar pairs, gives one line, not many.
        alike = all(numpy.array_equal(lines[0].y, line.y, equal_nan=True) for line in lines)
        if alike and same_loss and len(case_labels) > 1 and len(lines) > 1:
            lines = [replace(lines[0], label=case_label, series=SHARED)]
        cases.append(_Case(case_label, tuple(lines)))
    return cases


def _label(series: str, case: str, same_loss: bool) -> str:
    """What differs most comes first: the loss, or else the case."""
    return ", ".join(filter(None, (case, series) if same_loss else (series, case)))


def _row(
    cases: Sequence[_Case], axes: Sequence[Axis], span: tuple[float, float], y_label: str, cut: float
) -> tuple[Panel, ...]:
    lines = [line for case in cases for line in case.lines]
    y_limits = limits(lines, *span, cut=cut)
    margins = sorted({axis.margin for axis in axes if axis.margin is not None and span[0] < axis.margin < span[1]})
    label = "margin" if len(margins) != 1 else f"margin = {number_text(margins[0])}"
    whole = Panel(
        x_label=axes[0].name,
        y_label=y_label,
        x_limits=span,
        y_limits=y_limits,
        lines=tuple(lines),
        margins=tuple(Margin(x, label) for x in margins),
    )
    several = [case for case in cases if not case.shared]
    if len(axes) == 1 or len(several) < 2 or len(lines) <= MOST_LINES_IN_A_PANEL:
        return (whole,)

    def of_case(case: _Case) -> Panel:
        own = tuple(
            replace(line, label=line.label.removesuffix(f", {case.label}").removeprefix(f"{case.label}, "), case=0)
            for line in case.lines
        )
        return replace(whole, lines=own, heading=case.label)

    return tuple(of_case(case) for case in cases)
