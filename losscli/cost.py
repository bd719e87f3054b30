"""From exact sums to a cost: the one rounding at the end, by the statistic that the loss declares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from losscli._lazy import numpy, torch
from losscli.errors import ResourceError, UsageError
from losscli.loss import BoundLoss
from losscli.statistic import Maximum, Median, Pooled, Root, Totals
from losscli.summary import ExactSum, Summary, rounded, rounded_root

if TYPE_CHECKING:
    from torch import Tensor

Reduction = Literal["mean", "sum"]
# What a loss that needs all data at once may take of memory.
GATHER_LIMIT = 2 * 2**30
# Enough for a root to be rounded once.
DIGITS = 60


@dataclass(frozen=True)
class Cost:
    """A cost with its uncertainty.

    Attributes:
        value: the cost.
        reduction: what it is: ``mean``, ``sum``, ``root-mean``, ``root-sum``, ``max``, ``median`` or ``pooled``.
        std_error: its standard error; None where there is none to be had.
        low: the lower end of the normal interval.
        high: the upper end.
    """

    value: float
    reduction: str
    std_error: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass
class Gathered:
    """The losses of all data of a pass, for statistics that need them at once.

    Attributes:
        values: for each block, the losses.
        weights: likewise; None for 1 each.
        codes: likewise, the group of each datum; None without groups.
        size: bytes so far.
    """

    values: list[numpy.ndarray] = field(default_factory=list)
    weights: list[numpy.ndarray | None] = field(default_factory=list)
    codes: list[numpy.ndarray | None] = field(default_factory=list)
    size: int = 0

    def add(self, values: Tensor, weights: Tensor | None, codes: Tensor | None, spec: str) -> None:
        """Keeps the losses of a block.

        Raises:
            ResourceError: they take more memory than is allowed.
        """
        parts = (values, *(part for part in (weights, codes) if part is not None))
        self.size += sum(part.numel() * part.element_size() for part in parts)
        check_memory(self.size, spec)
        self.values.append(values.detach().cpu().numpy())
        self.weights.append(None if weights is None else weights.detach().cpu().numpy())
        self.codes.append(None if codes is None else codes.cpu().numpy())

    def median(self, group: int, shares: tuple[float, ...] | None = None) -> float:
        """The median of a group: for an even number the mean of the two in the middle.

        Of weighted data, the value at which half of the weight is reached; where it is reached exactly, the mean of
        that value and the next. Of several outputs, the average of their medians.

        Args:
            group: the group's number.
            shares: of each output in the average; None for equal ones.
        """
        chosen = [slice(None) if codes is None else codes == group for codes in self.codes]
        values = numpy.concatenate([part[mask] for part, mask in zip(self.values, chosen)])
        if not len(values) or numpy.isnan(values).any():
            return math.nan
        outputs = [values] if values.ndim == 1 else list(values.T)
        if self.weights[0] is None:
            medians = [float(numpy.median(output)) for output in outputs]
        else:
            weights = numpy.concatenate([part[mask] for part, mask in zip(self.weights, chosen) if part is not None])
            counted = weights > 0
            medians = [_weighted_median(output[counted], weights[counted]) for output in outputs]
        return medians[0] if len(medians) == 1 else float(numpy.average(medians, weights=shares))


def _weighted_median(values: numpy.ndarray, weights: numpy.ndarray) -> float:
    if not len(values):
        return math.nan
    order = numpy.argsort(values, kind="stable")
    values, weights = values[order], numpy.ascontiguousarray(weights[order], dtype=numpy.float64)
    exact = torch.from_numpy(weights)

    def up_to(position: int) -> Fraction:
        return ExactSum.of(exact[: position + 1]).fraction()

    half = up_to(len(values) - 1) / 2
    # Rounded running sums find the place, exact ones confirm it.
    position = int(numpy.searchsorted(numpy.cumsum(weights), float(half)))
    position = min(position, len(values) - 1)
    while position > 0 and up_to(position - 1) >= half:
        position -= 1
    while position < len(values) - 1 and up_to(position) < half:
        position += 1
    middle = float(values[position])
    if up_to(position) == half and position + 1 < len(values):
        return 0.5 * middle + 0.5 * float(values[position + 1])
    return middle


def check_memory(size: int, spec: str) -> None:
    """Refuses to hold more than the limit.

    Raises:
        ResourceError: it would.
    """
    if size > GATHER_LIMIT:
        raise ResourceError(
            f"{spec} needs all data at once, and they take more than {GATHER_LIMIT // 2**30} GiB",
            hint="take fewer rows with --where.",
        )


def check_reduction(loss: BoundLoss, reduction: Reduction) -> None:
    """Refuses a sum of what has none.

    Raises:
        UsageError: the loss's cost is a maximum, a median, or a ratio of sums.
    """
    statistic = loss.statistic
    no_sum = isinstance(statistic, (Maximum, Median)) or (isinstance(statistic, Pooled) and statistic.summed is None)
    if reduction == "sum" and no_sum:
        raise UsageError(
            f"the cost of {loss.spec} is no mean over the data, so it has no sum", hint="leave --reduction out."
        )


def cost_of(
    loss: BoundLoss,
    reduction: Reduction,
    summaries: Sequence[Summary],
    gathered: Gathered | None,
    group: int,
    level: float | None,
) -> Cost:
    """The cost of one group.

    Args:
        loss: says which statistic.
        reduction: whether the mean or the sum is asked for.
        summaries: of the losses, or for a pooled cost one for each term.
        gathered: the losses themselves, where the statistic needs them.
        group: the group's number.
        level: of the normal interval; None for none.
    """
    statistic, losses = loss.statistic, summaries[0]
    if isinstance(statistic, Maximum):
        return Cost(losses.maximum, "max")
    if isinstance(statistic, Median):
        return Cost(gathered.median(group, statistic.shares) if gathered is not None else math.nan, "median")
    if isinstance(statistic, Pooled):
        return _pooled(statistic, reduction, summaries)
    mean = _mean(loss, reduction, losses, level)
    return _root(statistic.order, mean, loss, losses) if isinstance(statistic, Root) else mean


def _mean(loss: BoundLoss, reduction: Reduction, summary: Summary, level: float | None) -> Cost:
    error = summary.std_error()
    if reduction == "sum":
        value = summary.total()
        error = None if error is None else error * summary.weight_sum
    elif loss.loss.mean_over == "data":
        value = summary.losses.over(ExactSum.of_whole(summary.n))
        error = None if error is None else error * summary.weight_sum / summary.n
    else:
        value = summary.mean()
    if error is None or level is None:
        return Cost(value, reduction, error)
    reach = NormalDist().inv_cdf(0.5 + level / 2) * error
    return Cost(value, reduction, error, value - reach, value + reach)


def root(value: float, order: float) -> float:
    """The root of a number of at least 0, rounded once; what is not finite is left as it is.

    Example:
        >>> root(8.0, 3), root(2.0, 2) == math.sqrt(2)
        (2.0, True)
    """
    if not math.isfinite(value) or value <= 0:
        return value if math.isnan(value) else max(value, 0.0)
    return _root_of_ratio(*value.as_integer_ratio(), order)


def _root_of_ratio(above: int, below: int, order: float) -> float:
    if order == 2:
        return rounded_root(above, below)
    with localcontext(prec=DIGITS):
        return float((Decimal(above) / Decimal(below)) ** (1 / Decimal(order)))


def _root(order: float, mean: Cost, loss: BoundLoss, summary: Summary) -> Cost:
    """The root of a mean or sum, and its error by the root's slope; the interval's ends are the roots of its ends."""
    value = root(mean.value, order)
    if summary.losses.is_finite and summary.weights.is_finite:
        above = summary.losses.integer
        below = ExactSum.of_whole(1).integer if mean.reduction == "sum" else summary.weights.integer
        value = _root_of_ratio(above, below, order) if below else math.nan
    error = None
    if mean.std_error is not None and value > 0:
        error = mean.std_error / (order * value ** (order - 1))
    low, high = (None if end is None else root(end, order) for end in (mean.low, mean.high))
    return Cost(value, f"root-{mean.reduction}", error, low, high)


def _pooled(statistic: Pooled, reduction: Reduction, summaries: Sequence[Summary]) -> Cost:
    if reduction == "sum" and statistic.summed is not None:
        return Cost(summaries[statistic.summed].total(), "sum")
    if not all(summary.losses.is_finite and summary.weights.is_finite for summary in summaries):
        return Cost(math.nan, "pooled")
    totals = Totals(
        sums=tuple(summary.losses.fraction() for summary in summaries),
        lows=tuple(summary.minimum for summary in summaries),
        highs=tuple(summary.maximum for summary in summaries),
        weight=summaries[0].weights.fraction(),
        n=summaries[0].n,
    )
    value = statistic.combine(totals)
    if value is None or (statistic.root and value < 0):
        return Cost(math.nan, "pooled")
    if statistic.root:
        return Cost(rounded_root(value.numerator, value.denominator), "pooled")
    return Cost(rounded(value.numerator, value.denominator), "pooled")
