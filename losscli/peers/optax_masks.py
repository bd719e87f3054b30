"""The losses of optax that compare masks. The classes are the last axis, and the mean over them is taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli.domain import (
    CLASS_LOGITS,
    CLASS_PROBABILITIES,
    LOGIT,
    MASK,
    NON_NEGATIVE,
    PROBABILITY,
    Choice,
    Flag,
    Interval,
    Vector,
)
from losscli.errors import UsageError
from losscli.loss import Depends
from losscli.losses._stable.classes import per_class, softmax
from losscli.losses._stable.elementary import mean_over_outputs, row_sum
from losscli.peers.declare import peer
from losscli.peers.ranges import AXES, HOLDS_LOGITS
from losscli.peers.rows import each_row, sigmoid
from losscli.statistic import Pooled, Totals

if TYPE_CHECKING:
    from torch import Tensor

# What optax adds to the square of a class's frequency.
EPSILON = 1e-7
CLASSES_OR_PROBABILITIES = Depends(
    "apply_softmax", {True: CLASS_LOGITS, False: replace(CLASS_PROBABILITIES, hint="are these logits?")}
)
CLASS_MASKS = replace(MASK, shapes=("n C ...",))


def _dice(
    pred: Tensor,
    target: Tensor,
    *,
    smooth: float,
    apply_softmax: bool,
    alpha: float = 0.5,
    beta: float = 0.5,
    axis: tuple[float, ...] | None = None,
) -> Tensor:
    """The loss of each class, (n, C, ...), over those axes or all but that of the classes."""
    if apply_softmax:
        pred = sigmoid(pred) if pred.shape[1] == 1 else each_row(softmax, pred)
    axes = _axes(axis, pred.ndim)
    overlap, found, there = (_sum(values, axes) for values in (pred * target, pred, target))
    rest = alpha * (found - overlap) + beta * (there - overlap)
    return 1 - (overlap + smooth) / (overlap + rest + smooth)


def _axes(axis: tuple[float, ...] | None, axes: int) -> list[int]:
    """Where the axes to sum over are once the classes are the second axis, not the last."""
    if axis is None:
        return list(range(2, axes))
    places = [int(each) % axes for each in axis]
    if not all(0 < each < axes - 1 for each in places):
        raise UsageError("--axis takes axes between the first and the last")
    return [each + 1 for each in places]


def _sum(values: Tensor, axes: Sequence[int]) -> Tensor:
    kept = [each for each in range(values.ndim) if each not in axes]
    shape = [values.shape[each] for each in kept]
    return row_sum(values.permute(*kept, *axes).reshape(math.prod(shape), -1)).reshape(shape)


@peer(
    "optax.dice_loss",
    of="dice",
    classes_at=-1,
    where={
        "class_weights": Vector(Interval(low=0)),
        "smooth": NON_NEGATIVE,
        "alpha": NON_NEGATIVE,
        "beta": NON_NEGATIVE,
        "apply_softmax": HOLDS_LOGITS,
        "reduction": Choice(("mean", "sum", "none")),
        "ignore_background": Flag(),
        "axis": AXES,
    },
    pred=CLASSES_OR_PROBABILITIES,
    target=CLASS_MASKS,
)
def _dice_loss(
    pred: Tensor,
    target: Tensor,
    *,
    class_weights: tuple[float, ...] | None = None,
    smooth: float = 1.0,
    alpha: float = 0.5,
    beta: float = 0.5,
    apply_softmax: bool = True,
    reduction: str = "mean",
    ignore_background: bool = False,
    axis: tuple[float, ...] | None = None,
) -> Tensor:
    """Of logits, with a mean over the classes; smooth is 1, and added to halves of what the catalogue adds it to.

    Args:
        class_weights: A factor for each class.
        smooth: What is added to the overlap and to half of the sum of both masks.
        alpha: The weight of what the prediction adds.
        beta: The weight of what it misses.
        apply_softmax: Whether the prediction holds logits.
        reduction: Whether a datum's classes are averaged or added up; with none they are averaged too.
        ignore_background: Leaves out class 0.
        axis: The axes to sum over, such as 1/2; none for all but the first and the last.
    """
    values = _dice(pred, target, smooth=smooth, apply_softmax=apply_softmax, alpha=alpha, beta=beta, axis=axis)
    factors = per_class(class_weights, pred.shape[1], pred, "class-weights")
    if factors is not None:
        values = values * factors.reshape(-1, *[1] * (values.ndim - 2))
    if ignore_background and values.shape[1] > 1:
        values = values[:, 1:]
    return mean_over_outputs(values) * (values.shape[1] if reduction == "sum" else 1)


@peer(
    "optax.binary_dice_loss",
    of="dice",
    # Of the two, this one takes no notice of classes, as the catalogue's.
    when={"over": "datum"},
    names={"input": "apply_sigmoid"},
    where={"smooth": NON_NEGATIVE, "apply_sigmoid": HOLDS_LOGITS},
    pred=Depends("apply_sigmoid", {True: LOGIT, False: replace(PROBABILITY, hint=None)}),
    target=replace(MASK, shapes=("n ...",)),
)
def _binary_dice_loss(pred: Tensor, target: Tensor, *, smooth: float = 1.0, apply_sigmoid: bool = True) -> Tensor:
    """Of logits; smooth is 1, and added to halves of what the catalogue adds it to.

    Args:
        smooth: What is added to the overlap and to half of the sum of both masks.
        apply_sigmoid: Whether the prediction holds logits. optax itself takes no other probabilities than 1.
    """
    pred, target = (values.reshape(len(values), 1, -1) for values in (pred, target))
    return _dice(pred, target, smooth=smooth, apply_softmax=apply_sigmoid).squeeze(1)


def _generalized_terms(
    pred: Tensor, target: Tensor, *, smooth: float, apply_softmax: bool, ignore_background: bool
) -> tuple[Tensor, ...]:
    """For each class the loss of the datum, then for each how much of it is there."""
    values = _dice(pred, target, smooth=smooth, apply_softmax=apply_softmax)
    return (*values.unbind(1), *_sum(target, list(range(2, target.ndim))).unbind(1))


def _weighted(losses: Sequence[Fraction], frequencies: Sequence[Fraction], first: int) -> Fraction:
    """The mean over the classes from ``first`` on, each weighted by one over its squared frequency."""
    weights = [1 / (each * each + Fraction(EPSILON)) for each in frequencies]
    scale = len(weights) / sum(weights, Fraction(0))
    used = [weight * scale * loss for weight, loss in zip(weights[first:], losses[first:])]
    return sum(used, Fraction(0)) / len(used)


def _generalized_statistic(*, ignore_background: bool, **_: object) -> Pooled:
    def combine(totals: Totals) -> Fraction | None:
        classes = len(totals.sums) // 2
        losses = [each / totals.weight for each in totals.sums[:classes]]
        return _weighted(losses, totals.sums[classes:], 1 if ignore_background and classes > 1 else 0)

    return Pooled(_generalized_terms, combine)


@peer(
    "optax.multiclass_generalized_dice_loss",
    of="generalized-dice",
    classes_at=-1,
    where={"smooth": NON_NEGATIVE, "apply_softmax": HOLDS_LOGITS, "ignore_background": Flag()},
    statistic=_generalized_statistic,
    pred=CLASSES_OR_PROBABILITIES,
    target=CLASS_MASKS,
)
def _multiclass_generalized_dice_loss(
    pred: Tensor, target: Tensor, *, smooth: float = 1.0, apply_softmax: bool = True, ignore_background: bool = False
) -> Tensor:
    """A mean over classes and data, each class weighted by one over its squared frequency in all data.

    Args:
        smooth: What is added to the overlap and to half of the sum of both masks.
        apply_softmax: Whether the prediction holds logits.
        ignore_background: Leaves out class 0.
    """
    # The loss of a datum is what it would be alone.
    values = _dice(pred, target, smooth=smooth, apply_softmax=apply_softmax)
    frequencies = _sum(target, list(range(2, target.ndim)))
    weights = 1 / (frequencies * frequencies + EPSILON)
    weights = weights / row_sum(weights).unsqueeze(1) * weights.shape[1]
    first = 1 if ignore_background and values.shape[1] > 1 else 0
    return mean_over_outputs((weights * values)[:, first:])
