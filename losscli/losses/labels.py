"""Losses of labels against labels: they are equal or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import LABEL, Interval
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import max_over_outputs, mean_over_outputs
from losscli.losses._stable.labels import flat
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

TEN = 10


def _with_wrong_ones(count: Tensor) -> dict[str, Tensor]:
    # The nearest whole number of them; there is no slope.
    wrong = torch.arange(TEN) + 0.5 < count.detach().unsqueeze(1)
    return {"pred": 0 * count.unsqueeze(1) + wrong, "target": torch.zeros(len(count), TEN, dtype=count.dtype)}


WRONG_OF_TEN = Slice(
    "wrong labels, of 10 of a datum",
    (0.0, float(TEN)),
    {"": _with_wrong_ones},
    variable="labels",
    allowed=Interval(0, TEN),
)


@loss(
    family="labels",
    pred=LABEL,
    target=LABEL,
    aliases=["misclassification", "error-rate", "0-1"],
    formula=r"1 \text{ if } \hat{y} \neq y,\quad 0 \text{ otherwise}",
    gradient=r"0 \text{ wherever it exists}",
    unit="1",
    range="[0, 1]",
    curve=WRONG_OF_TEN,
    traits=Traits(
        punishes="Every mistake alike, whichever labels are confused and however close it was.",
        convex="Not convex.",
        differentiable="No gradient to follow: it is 0 wherever there is one. Train with a hinge loss.",
        bounded="Bounded: a datum costs 1 at most.",
        robust="Robust: a wrong label costs 1, whatever the prediction.",
    ),
    convention="Of several labels all must be right. The cost is the share of wrong data, 1 less the accuracy.",
    differs=[
        "sklearn.metrics.zero_one_loss has the same cost; with normalize=False it is the number of mistakes.",
        "hamming counts the wrong labels of a row: 1 of 10 costs .1 there and 1 here.",
    ],
    same_as={"sklearn": "sklearn.metrics.zero_one_loss(target, pred)"},
    cites=["wald1939"],
)
def zero_one(pred: Tensor, target: Tensor) -> Tensor:
    """Right or wrong: the share of data that got a wrong label.

    It is what people mean by an error rate. It looks at decisions only, not at how sure they were, so that it cannot
    tell a model that knows its doubts from one that does not; and where one class is rare, never finding it looks
    good. Look at the cross entropy beside it.

    Labels may be numbers or words. They are right where they are the same.

    Args:
        pred: The predicted labels, shape (n), or several for each datum, (n, L).
        target: The true labels, of the same shape.

    Returns:
        The loss of each datum, shape (n): 0 or 1.

    Example:
        >>> import torch
        >>> zero_one(torch.tensor([2.0, 0.0, 1.0]), torch.tensor([2.0, 1.0, 1.0]))
        tensor([0., 1., 0.])
        >>> zero_one(torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([[1.0, 1.0, 1.0]]))
        tensor([1.])
    """
    return max_over_outputs(flat(pred != target, pred, target))


@loss(
    family="labels",
    pred=LABEL,
    target=LABEL,
    aliases=["hamming-loss"],
    formula=r"\frac{1}{L} \sum_l [\hat{y}_l \neq y_l]",
    gradient=r"0 \text{ wherever it exists}",
    unit="1",
    range="[0, 1]",
    curve=WRONG_OF_TEN,
    traits=Traits(
        punishes="Every wrong label alike.",
        convex="Not convex.",
        differentiable="No gradient to follow: it is 0 wherever there is one. Train with multilabel-soft-margin.",
        bounded="Bounded: a datum costs 1 at most.",
        robust="Robust: a wrong label costs 1/L, whatever the prediction.",
    ),
    convention="Divided by the number of labels of a datum. Of one label it is the zero-one loss.",
    differs=[
        "sklearn.metrics.hamming_loss has the same cost.",
        "scipy.spatial.distance.hamming is the loss of one datum; the Hamming distance of codes is not divided by L.",
    ],
    same_as={"sklearn": "sklearn.metrics.hamming_loss(target, pred)"},
    cites=["hamming1950", "tsoumakas2010"],
)
def hamming(pred: Tensor, target: Tensor) -> Tensor:
    """The share of labels that are wrong.

    For data with several labels, such as the tags of a picture, it is kinder than the zero-one loss, for which one
    wrong tag spoils the row. Where few of many labels are true, most are rightly 0 without any effort: predicting none
    gives a small loss, and a cost of .03 says little until it is compared with that.

    Args:
        pred: The predicted labels, shape (n), or several for each datum, (n, L).
        target: The true labels, of the same shape.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> hamming(torch.tensor([[1.0, 0.0, 1.0, 0.0]]), torch.tensor([[1.0, 1.0, 1.0, 0.0]]))
        tensor([0.2500])
    """
    return mean_over_outputs(flat(pred != target, pred, target))
