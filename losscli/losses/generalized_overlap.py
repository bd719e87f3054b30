"""The overlap of the masks of several classes as one loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import CLASS, CLASS_LOGITS, CLASS_PROBABILITIES, NON_NEGATIVE, Choice, Interval
from losscli.loss import Slice, Traits
from losscli.losses._stable.classes import softmax
from losscli.losses._stable.elementary import row_sum
from losscli.losses._stable.masks import lost_share
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

PRED = {"probs": CLASS_PROBABILITIES, "logits": CLASS_LOGITS}


def _probabilities(pred: Tensor, input: str) -> tuple[Tensor, Tensor]:
    """The probabilities of all classes and their complements, shape (n, C, positions).

    What softmax leaves of 1 for the most probable class is the sum of the others: the difference has lost its digits.
    """
    columns = pred.reshape(*pred.shape[:2], math.prod(pred.shape[2:]))
    if input == "probs":
        return columns, 1 - columns
    p = softmax(columns.movedim(1, 2).flatten(0, 1))
    largest = p.argmax(1, keepdim=True)
    others = row_sum(p.scatter(1, largest, 0.0)).unsqueeze(1)
    shape = (columns.shape[0], columns.shape[2], columns.shape[1])
    complement = (1 - p).scatter(1, largest, others)
    return p.reshape(shape).movedim(2, 1), complement.reshape(shape).movedim(2, 1)


def _masks(target: Tensor, like: Tensor) -> Tensor:
    """A mask for each class, shape (n, C, positions), of class indices or of masks; NaN where a class is missing."""
    if target.ndim == like.ndim:
        return target.reshape(*target.shape[:2], math.prod(target.shape[2:]))
    index = target.reshape(target.shape[0], 1, math.prod(target.shape[1:]))
    place = torch.nan_to_num(index, nan=0.0).long() if index.is_floating_point() else index.long()
    masks = like.new_zeros(index.shape[0], like.shape[1], index.shape[2]).scatter(1, place, 1.0)
    return masks + 0 * index


def _of_small_and_large(class_: int) -> Callable[[Tensor], dict[str, Tensor]]:
    """Twenty positions, two of them of the small class 1; those of one class are predicted to be the other by x."""

    def roles(share: Tensor) -> dict[str, Tensor]:
        target = torch.tensor([0.0] * 18 + [1.0] * 2, dtype=share.dtype)
        wrong = torch.where(target == class_, share.unsqueeze(1), 0.0)
        of_one = torch.where(target == 1, 1 - wrong, wrong)
        return {"pred": torch.stack([1 - of_one, of_one], dim=1), "target": target.expand(len(share), 20)}

    return roles


@loss(
    family="overlap",
    pred=PRED,
    target=CLASS,
    where={"input": Choice(tuple(PRED)), "smooth": NON_NEGATIVE},
    class_axis=True,
    aliases=["generalised-dice", "gdl"],
    formula=r"1 - \frac{2 \sum_k w_k I_k + s}{\sum_k w_k (P_k + T_k) + s},\quad w_k = \frac{1}{T_k^2},\quad "
    r"I_k = \sum_i p_{ik} t_{ik},\ P_k = \sum_i p_{ik},\ T_k = \sum_i t_{ik} \text{ of class } k",
    gradient=r"\frac{\partial}{\partial p_{ij}} = w_j \frac{2 \sum_k w_k I_k + s - 2 t_{ij} N}{N^2},"
    r"\quad N \text{ the denominator}",
    unit="1",
    range="[0, 1]",
    curve=Slice(
        "share of the positions of one class that is given to the other",
        (0.0, 1.0),
        {"of the small class": _of_small_and_large(1), "of the large class": _of_small_and_large(0)},
        variable="share",
        allowed=Interval(0, 1),
    ),
    traits=Traits(
        punishes="What is missing from the overlap of every class, a class of few positions as much as one of many.",
        convex="Not convex.",
        differentiable="Differentiable everywhere but where nothing is predicted and nothing true.",
        bounded="At most 1, which masks without any overlap cost.",
        robust="The smallest class has the largest weight: a few wrong labels in it move the loss far.",
    ),
    convention="One ratio of sums over the classes for each datum, and the mean of it over the data. A class that is "
    "not in the target has the weight of the smallest one that is.",
    differs=[
        "MONAI's GeneralizedDiceLoss has the same weights and adds 1e-5 above and below.",
        "optax.losses.multiclass_generalized_dice_loss is the mean of the classes' Dice losses, each times a weight "
        "1/T² of the whole batch, and not a ratio of weighted sums; its smooth of 1 is 2 here.",
        "Sudre's paper leaves open what weighs a class without positions, whose 1/T² is infinite.",
    ],
    same_as={"MONAI": "monai.losses.GeneralizedDiceLoss(smooth_nr=0, smooth_dr=0, reduction='none')(pred, masks)"},
    cites=["crum2006", "sudre2017"],
)
def generalized_dice(pred: Tensor, target: Tensor, *, input: str = "probs", smooth: float = 0.0) -> Tensor:
    """The Dice loss of several classes in one ratio, in which every class has the same say.

    Each class's overlap and sizes are divided by the square of its true size. A lesion of ten positions then weighs as
    much as a background of a hundred thousand, without a weight that has to be chosen.

    Classes that a datum hardly has make the loss jumpy: their weight is large, and a false alarm of them costs much.
    Where that hurts, take ``dice`` of each class, or a cross entropy with class weights.

    Args:
        pred: Probabilities or logits, one for each class, shape (n, C, ...): one image a datum.
        target: The true classes, shape (n, ...), or a mask for each class, of the prediction's shape.
        input: Whether the prediction holds probabilities or logits.
        smooth: What is added above and below; beside weights of 1/T² even a small one counts.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> pred = torch.tensor([[[0.9, 0.8, 0.6, 0.3], [0.1, 0.2, 0.4, 0.7]]])
        >>> generalized_dice(pred, torch.tensor([[0, 0, 0, 1]]))
        tensor([0.3676])
    """
    p, complement = _probabilities(pred, input)
    mask = _masks(target, pred)
    classes = p.shape[:2]
    hits, false_alarms, misses, size = (
        row_sum(part.flatten(0, 1)).reshape(classes) for part in (p * mask, p * (1 - mask), complement * mask, mask)
    )
    # All weights are divided by the largest, that of the smallest class, which the classes without positions share.
    present = size > 0
    smallest = torch.where(present, size, math.inf).amin(1, keepdim=True)
    smallest = torch.where(torch.isinf(smallest), 1.0, smallest)
    share = torch.where(present, smallest / torch.where(present, size, 1.0), 1.0)
    weight = share * share
    lost, doubled = row_sum(weight * (false_alarms + misses)), row_sum(weight * (2 * hits))
    added = smooth * (smallest * smallest).squeeze(1)
    return lost_share(lost, doubled + added, doubled + lost == 0)
