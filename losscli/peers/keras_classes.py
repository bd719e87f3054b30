"""The classes of ``keras.losses`` of the probabilities of several classes. The classes are the last axis there."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from losscli._lazy import torch
from losscli.domain import (
    CLASS,
    CLASS_LOGITS,
    CLASS_PROBABILITIES,
    DISTRIBUTION,
    NON_NEGATIVE,
    UNIT,
    Interval,
    Number,
    Vector,
    Whole,
)
from losscli.loss import Depends
from losscli.losses._stable.classes import softmax
from losscli.losses._stable.elementary import mean_over_outputs, row_sum
from losscli.losses.multiclass import categorical_focal, cross_entropy
from losscli.losses.robust_classes import generalized_cross_entropy
from losscli.peers.keras_declare import EPSILON, PROBABILITIES, clipped, keras, of_positions
from losscli.peers.ranges import HOLDS_LOGITS
from losscli.peers.rows import class_rows, each_row, mean_over_positions, shares
from losscli.statistic import MEAN, Pooled, Totals

if TYPE_CHECKING:
    from torch import Tensor

OF_CLASSES = Depends("from_logits", {False: PROBABILITIES, True: CLASS_LOGITS})
SHARES = replace(DISTRIBUTION, shapes=("n C ...",))
CLASS_INDEX = replace(CLASS, phrase="a class index 0 .. C-1", shapes=("n ...",))


def _probabilities(pred: Tensor) -> Tensor:
    """Divided by their sum and clipped."""
    return clipped(each_row(lambda rows: rows / row_sum(rows).unsqueeze(1), pred))


@keras(
    "CategoricalCrossentropy",
    of="cross-entropy",
    left=of_positions,
    classes_at="axis",
    # Where nothing is ignored, this is the counterpart: it takes classes and shares.
    when={"ignore_index": None},
    names={"input": "from_logits"},
    where={"from_logits": HOLDS_LOGITS, "label_smoothing": UNIT},
    pred=OF_CLASSES,
)
def _categorical_crossentropy(
    pred: Tensor, target: Tensor, *, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """Probabilities are divided by their sum and clipped to 1e-7 and 1 - 1e-7.

    Args:
        from_logits: Whether the prediction holds logits.
    """
    pred, input = (pred, "logits") if from_logits else (_probabilities(pred), "probs")
    return cross_entropy(pred, target, input=input, label_smoothing=label_smoothing)


@keras(
    "CategoricalFocalCrossentropy",
    of="categorical-focal",
    left=of_positions,
    classes_at="axis",
    where={
        "alpha": Vector(Interval(low=0), none=None),
        "gamma": NON_NEGATIVE,
        "from_logits": HOLDS_LOGITS,
        "label_smoothing": UNIT,
    },
    names={"input": "from_logits"},
    pred=OF_CLASSES,
)
def _categorical_focal_crossentropy(
    pred: Tensor,
    target: Tensor,
    *,
    alpha: tuple[float, ...] = (0.25,),
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
) -> Tensor:
    """alpha is .25 for every class; probabilities, from logits too, are clipped to 1e-7 and 1 - 1e-7.

    Args:
        from_logits: Whether the prediction holds logits.
    """
    pred = clipped(each_row(softmax, pred)) if from_logits else _probabilities(pred)
    return categorical_focal(pred, target, gamma=gamma, alpha=alpha, input="probs", label_smoothing=label_smoothing)


def _sparse_terms(pred: Tensor, target: Tensor, **params: Any) -> tuple[Tensor, Tensor]:
    """The sum over a datum's positions that count, and how many they are."""
    ignored = params["ignore_class"]
    share = mean_over_outputs((target == target if ignored is None else target != ignored).to(pred.dtype))
    count = share * of_positions(pred)
    return _sparse_categorical_crossentropy(pred, target, **params) * count, count


def _over_valid(totals: Totals) -> Fraction | None:
    """The mean over the positions that count. keras takes weights or some positions of a datum, not both."""
    losses, count = totals.sums
    return losses * totals.weight / (count * totals.n) if count else None


_OVER_VALID = Pooled(_sparse_terms, _over_valid, summed=0, undefined="no position counts")


@keras(
    "SparseCategoricalCrossentropy",
    of="cross-entropy",
    classes_at="axis",
    names={"input": "from_logits", "ignore_index": "ignore_class"},
    where={"from_logits": HOLDS_LOGITS, "ignore_class": Whole(none="none")},
    statistic=lambda ignore_class, **_: MEAN if ignore_class is None else _OVER_VALID,
    total=lambda *roles, **params: _sparse_terms(*roles, **params)[0],
    pred=OF_CLASSES,
    target=CLASS_INDEX,
)
def _sparse_categorical_crossentropy(
    pred: Tensor, target: Tensor, *, from_logits: bool = False, ignore_class: int | None = None
) -> Tensor:
    """Probabilities are divided by their sum and clipped to 1e-7 and 1 - 1e-7.

    Args:
        from_logits: Whether the prediction holds logits.
    """
    pred, input = (pred, "logits") if from_logits else (_probabilities(pred), "probs")
    return cross_entropy(pred, target, input=input, ignore_index=ignore_class)


@keras(
    "CategoricalGeneralizedCrossEntropy",
    of="generalized-cross-entropy",
    left=of_positions,
    classes_at=-1,
    when={"input": "probs"},
    where={"q": Number(Interval(0, 1, open_low=True, open_high=True))},
    pred=replace(CLASS_PROBABILITIES, hint=None),
    target=CLASS_INDEX,
)
def _categorical_generalized_cross_entropy(pred: Tensor, target: Tensor, *, q: float = 0.5) -> Tensor:
    """The default of q is .5."""
    return generalized_cross_entropy(pred, target, q=q, input="probs")


@keras("CategoricalHinge", of="multiclass-hinge", left=of_positions, classes_at=-1, target=CLASS)
def _categorical_hinge(pred: Tensor, target: Tensor) -> Tensor:
    """The best other score is at least 0, for the true class takes part in it as 0."""
    rows, share = class_rows(pred), shares(target, pred)
    best_other = ((1 - share) * rows).amax(1)
    return mean_over_positions(torch.relu(best_other - row_sum(share * rows) + 1), len(pred))


@keras(
    "KLDivergence",
    of="kl-divergence",
    left=of_positions,
    classes_at=-1,
    when={"input": "probs"},
    pred=SHARES,
    target=SHARES,
)
def _kl_divergence(pred: Tensor, target: Tensor) -> Tensor:
    """Probabilities of both sides are clipped to 1e-7 and 1."""
    first, second = (class_rows(values).clamp(EPSILON, 1) for values in (target, pred))
    return mean_over_positions(row_sum(first * torch.log(first / second)), len(pred))
