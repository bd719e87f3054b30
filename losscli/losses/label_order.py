"""Losses of the order in which a datum's labels come by their scores: counts, for judging rather than for training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import SCORES
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import row_sum
from losscli.losses._stable.labels import flat, sum_over_pairs
from losscli.losses.multilabel import HARD_LABELS, beside_others
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

ONE_SCORE = Slice(
    "score of a true label, beside one with 1 and two false ones with 0 and -1",
    (-3.0, 3.0),
    {"": beside_others},
    variable="score",
    notable=(-1.0, 0.0, 1.0),
)


@loss(
    family="labels",
    pred=SCORES,
    target=HARD_LABELS,
    aliases=["ranking-loss", "label-ranking-loss"],
    formula=r"\frac{1}{|Y|\, |\bar{Y}|} \left|\{(j, i):\ j \in Y,\ i \notin Y,\ f_j \leq f_i\}\right|",
    gradient=r"0 \text{ wherever it exists}",
    unit="1",
    range="[0, 1]",
    curve=ONE_SCORE,
    traits=Traits(
        punishes="Every pair of a true and a false label in the wrong order, or equal, alike.",
        convex="Not convex.",
        differentiable="No gradient to follow: it is 0 wherever there is one. Train with multilabel-margin.",
        bounded="Bounded: 1 where every pair is in the wrong order.",
        robust="Robust: a pair costs the same, however far its scores are apart.",
    ),
    convention="Equal scores are in the wrong order. A datum without true labels, or without false ones, costs 0.",
    differs=["sklearn.metrics.label_ranking_loss is the same, ties and empty rows included."],
    same_as={"sklearn": "sklearn.metrics.label_ranking_loss(target, pred)"},
    cites=["schapire2000", "tsoumakas2010"],
)
def label_ranking(pred: Tensor, target: Tensor) -> Tensor:
    """The share of pairs of a true and a false label that are in the wrong order.

    It judges a ranking of labels as a whole: 0 where all true ones come first, .5 for random scores. It is 1 less the
    area under the ROC curve within the datum, but for ties, which count as wrong here.

    All pairs count alike, also those far down a list that nobody reads. Where it matters how far one has to read,
    coverage-error says that.

    Args:
        pred: One score for each label, shape (n, C).
        target: 1 for each label that is true and 0 for the others, shape (n, C).

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> label_ranking(torch.tensor([[0.75, 0.5, 1.0], [1.0, 0.2, 0.1]]), torch.tensor([[1, 0, 0], [0, 0, 1]]))
        tensor([0.5000, 1.0000])
    """
    true = target > 0
    wrong = sum_over_pairs(pred.detach(), true, lambda ahead, behind: (ahead <= behind).to(pred.dtype))
    positive = row_sum(true.to(pred.dtype))
    pairs = positive * (pred.shape[1] - positive)
    share = torch.where(pairs > 0, wrong / torch.where(pairs > 0, pairs, 1.0), 0.0)
    return flat(share, row_sum(0 * pred), row_sum(0 * target))


@loss(
    family="labels",
    pred=SCORES,
    target=HARD_LABELS,
    aliases=["coverage"],
    formula=r"\max_{j \in Y}\, \left|\{i:\ f_i \geq f_j\}\right|",
    gradient=r"0 \text{ wherever it exists}",
    unit="labels",
    range="[0, inf)",
    curve=ONE_SCORE,
    traits=Traits(
        punishes="How far down the list of labels the last true one stands.",
        convex="Not convex.",
        differentiable="No gradient to follow: it is 0 wherever there is one. Train with multilabel-margin.",
        bounded="Bounded by the number of labels.",
        robust="Robust against far scores, as only the order counts; one true label at the end decides it.",
    ),
    convention="Counted from 1, so that the best is the number of true labels, not 0. Equal scores get the largest of "
    "their ranks. A datum without true labels costs 0.",
    differs=[
        "Schapire and Singer, and Tsoumakas and others, count from 0: one less than here.",
        "sklearn.metrics.coverage_error is the same, ties and empty rows included.",
    ],
    same_as={"sklearn": "sklearn.metrics.coverage_error(target, pred)"},
    cites=["schapire2000", "tsoumakas2010"],
)
def coverage_error(pred: Tensor, target: Tensor) -> Tensor:
    """How many labels one has to look at, from the best score down, to have seen all true ones.

    It answers a practical question: how long must the list be that is shown to somebody? Compare it with the mean
    number of true labels, which is the best that can be had.

    Only the worst true label counts. For the order of all of them, take label-ranking.

    Args:
        pred: One score for each label, shape (n, C).
        target: 1 for each label that is true and 0 for the others, shape (n, C).

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> coverage_error(torch.tensor([[0.75, 0.5, 1.0], [1.0, 0.2, 0.1]]), torch.tensor([[1, 0, 0], [0, 0, 1]]))
        tensor([2., 3.])
    """
    lowest = torch.where(target > 0, pred.detach(), math.inf).amin(1, keepdim=True)
    return flat((pred >= lowest).sum(1), row_sum(0 * pred), row_sum(0 * target))
