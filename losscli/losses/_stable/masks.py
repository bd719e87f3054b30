"""What losses of masks are made of: hits, false alarms and misses, and costs that are one ratio of all of them.

One minus a ratio of overlap loses its digits where two masks agree. What is missing from the overlap is therefore
summed up itself: positions that are predicted and not true, and positions that are true and not predicted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import LOGIT, MASK, PROBABILITY, Choice
from losscli.loss import Slice
from losscli.losses._stable.elementary import row_sum
from losscli.losses._stable.slopes import with_slopes
from losscli.statistic import MEAN, Mean, Pooled, Totals

if TYPE_CHECKING:
    from torch import Tensor

POSITIONS = MASK.shapes
PRED = {"probs": replace(PROBABILITY, shapes=POSITIONS), "logits": replace(LOGIT, shapes=POSITIONS)}
INPUT = Choice(tuple(PRED))
OVER = Choice(("datum", "classes", "all"))


def sigmoid_and_complement(logit: Tensor) -> tuple[Tensor, Tensor]:
    """``p = 1 / (1 + e^-z)`` and ``1 - p``, each with all its digits, of any shape."""
    low = logit < 0
    small = torch.exp(torch.where(low, logit, -logit))
    large = 1 / (1 + small)
    small = small * large
    return torch.where(low, small, large), torch.where(low, large, small)


def counts(pred: Tensor, target: Tensor, input: str, over: str = "datum") -> tuple[Tensor, Tensor, Tensor]:
    """Hits, false alarms and misses: sums of products over all positions of a datum, or of each of its classes.

    Args:
        pred: probabilities or logits, shape (n, ...), or of classes (n, C, ...).
        target: 0 or 1 or what lies between, of the same shape.
        input: ``probs`` or ``logits``.
        over: ``classes`` for each class by itself.

    Returns:
        Three tensors of shape (n,), or (n, C) for classes.
    """
    p, complement = (pred, 1 - pred) if input == "probs" else sigmoid_and_complement(pred)
    parts = (p * target, p * (1 - target), complement * target)
    axes = 2 if over == "classes" else 1
    masks, positions = pred.shape[:axes], pred.shape[axes:].numel()
    hits, false_alarms, misses = (row_sum(part.reshape(masks.numel(), positions)).reshape(masks) for part in parts)
    return hits, false_alarms, misses


def lost_share(lost: Tensor, kept: Tensor, empty: Tensor) -> Tensor:
    """``lost / (lost + kept)``, and 0 where there is nothing in either mask: they agree.

    The slopes of a quotient cancel where almost nothing is kept, so they are given in another form.
    """

    def whole(lost: Tensor, kept: Tensor) -> Tensor:
        return torch.where(empty, 1.0, lost + kept)

    slopes = (
        lambda lost, kept: kept / whole(lost, kept) / whole(lost, kept),
        lambda lost, kept: -lost / whole(lost, kept) / whole(lost, kept),
    )
    return with_slopes(lambda lost, kept: lost / whole(lost, kept), slopes, lost, kept)


def statistic(
    over: str,
    smooth: float,
    *,
    hit: float = 1.0,
    false_alarm: float = 1.0,
    miss: float = 1.0,
    finish: Callable[[Fraction], Fraction] = Fraction,
) -> Mean | Pooled:
    """How the cost comes from the data: as the mean over them, or as one ratio of what all of them hold.

    Args:
        over: ``datum``, ``classes`` or ``all``.
        smooth: what is added to the ratio's denominator.
        hit: how much a hit counts in it.
        false_alarm: how much a false alarm counts in both parts of it.
        miss: likewise a miss.
        finish: what is made of the ratio.
    """
    if over != "all":
        return MEAN

    def combine(totals: Totals) -> Fraction | None:
        hits, false_alarms, misses = totals.sums
        lost = Fraction(false_alarm) * false_alarms + Fraction(miss) * misses
        whole = Fraction(hit) * hits + lost + Fraction(smooth)
        if not any(totals.sums):
            return Fraction(0)
        return finish(lost / whole) if whole else None

    return Pooled(_terms, combine)


def _terms(pred: Tensor, target: Tensor, *, input: str, **_: object) -> tuple[Tensor, ...]:
    return counts(pred, target, input)


def _growing(hit: float) -> Callable[[Tensor], dict[str, Tensor]]:
    """A prediction of a growing area, of which a share lies on the object until that is full, and the rest beside it.

    The object fills one of the two positions; the other is as large as four of it.
    """

    def roles(area: Tensor) -> dict[str, Tensor]:
        on = torch.minimum(hit * area, torch.ones_like(area))
        pred = torch.stack([on, *[(area - on) / 4] * 4], dim=1)
        return {"pred": pred, "target": torch.eye(5, dtype=area.dtype)[:1].expand_as(pred)}

    return roles


# Nothing found, all of it, and far too much: what a loss makes of the two kinds of mistake.
AREAS = Slice(
    "predicted area as a share of the true one",
    (0.0, 3.0),
    {"on the object first": _growing(1.0), "half of it beside the object": _growing(0.5)},
    variable="area",
    notable=(1.0, 2.0),
)
