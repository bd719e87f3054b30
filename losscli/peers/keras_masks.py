"""The classes of ``keras.losses`` of masks. Without a word about axes, the masks of all data are one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli.domain import MASK, NON_NEGATIVE, PROBABILITY
from losscli.errors import UsageError
from losscli.losses._stable.elementary import mean_over_outputs, row_sum
from losscli.peers.keras_declare import EPSILON, keras
from losscli.peers.ranges import AXES
from losscli.statistic import MEAN, Pooled, Statistic, Totals

if TYPE_CHECKING:
    from torch import Tensor

MASKS = {"pred": replace(PROBABILITY, hint=None), "target": replace(MASK, shapes=("n ...",))}


def _over(values: Tensor, axis: tuple[float, ...] | None) -> Tensor:
    """The sums of each datum over these axes, (n, one for each place on the other axes)."""
    others = range(1, values.ndim)
    axes = [int(each) % values.ndim for each in axis] if axis is not None else list(others)
    if not set(axes) <= set(others):
        raise UsageError("--axis takes axes after the first", hint="none is over all data.")
    rest = [each for each in others if each not in axes]
    return row_sum(
        values.permute(0, *rest, *axes).reshape(math.prod(values.shape[each] for each in (0, *rest)), -1)
    ).reshape(len(values), -1)


def _masks_left(pred: Tensor, *, axis: tuple[float, ...] | None, **_: object) -> float:
    return _over(pred[:1], axis).shape[1]


def _dice_terms(pred: Tensor, target: Tensor, axis: tuple[float, ...] | None = None) -> tuple[Tensor, Tensor]:
    return _over(pred * target, axis), _over(pred, axis) + _over(target, axis)


def _dice_of_all(totals: Totals) -> Fraction:
    overlap, both = totals.sums
    return 1 - 2 * overlap / (both + Fraction(EPSILON))


def _of_all(terms: Callable[..., tuple[Tensor, ...]], combine: Callable[[Totals], Fraction | None]) -> Pooled:
    def flat(pred: Tensor, target: Tensor, **_: object) -> tuple[Tensor, ...]:
        return tuple(term.squeeze(1) for term in terms(pred, target))

    return Pooled(flat, combine)


@keras(
    "Dice",
    of="dice",
    left=_masks_left,
    where={"axis": AXES},
    statistic=lambda axis: _of_all(_dice_terms, _dice_of_all) if axis is None else MEAN,
    **MASKS,
)
def _dice(pred: Tensor, target: Tensor, *, axis: tuple[float, ...] | None = None) -> Tensor:
    """The masks of all data are one, unless axes are named; the denominator is 1e-7 larger, so empty masks cost 1.

    Args:
        axis: The axes to sum over, such as 1/2; none for all data together.
    """
    overlap, both = _dice_terms(pred, target, axis)
    return mean_over_outputs(1 - 2 * overlap / (both + EPSILON))


def _tversky_terms(pred: Tensor, target: Tensor, axis: tuple[float, ...] | None = None) -> tuple[Tensor, ...]:
    """What is in both, in the target only, and in the prediction only."""
    return _over(pred * target, axis), _over((1 - pred) * target, axis), _over(pred * (1 - target), axis)


def _tversky_statistic(*, alpha: float, beta: float, axis: tuple[float, ...] | None) -> Statistic:
    def combine(totals: Totals) -> Fraction:
        overlap, missed, added = totals.sums
        return 1 - overlap / (overlap + missed * Fraction(alpha) + added * Fraction(beta) + Fraction(EPSILON))

    return _of_all(_tversky_terms, combine) if axis is None else MEAN


@keras(
    "Tversky",
    of="tversky",
    left=_masks_left,
    where={"alpha": NON_NEGATIVE, "beta": NON_NEGATIVE, "axis": AXES},
    statistic=_tversky_statistic,
    **MASKS,
)
def _tversky(
    pred: Tensor, target: Tensor, *, alpha: float = 0.5, beta: float = 0.5, axis: tuple[float, ...] | None = None
) -> Tensor:
    """alpha and beta have changed places, and the denominator is 1e-7 larger; over all data unless axes are named.

    Args:
        alpha: The weight of what the prediction misses.
        beta: The weight of what it adds.
        axis: The axes to sum over, such as 1/2; none for all data together.
    """
    overlap, missed, added = _tversky_terms(pred, target, axis)
    return mean_over_outputs(1 - overlap / (overlap + missed * alpha + added * beta + EPSILON))
