"""Losses that carry the Jaccard index of hard masks over to scores, by its Lovász extension."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import CLASS_PROBABILITIES, REAL, SIGN
from losscli.loss import Slice, Traits
from losscli.losses._stable.classes import TRUE_CLASS
from losscli.losses._stable.elementary import row_sum
from losscli.losses._stable.masks import POSITIONS
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


def _extension(errors: Tensor, of_object: Tensor) -> Tensor:
    """The Lovász extension of the Jaccard loss at the errors of each row, shape (n,).

    The positions are taken to be wrong one after the other, the largest error first. Each error counts as much as the
    Jaccard loss rises at its position. With i positions of the object left and u in the union, that is 1/u for one of
    the object and i / (u (u - 1)) for another, which enlarges the union to u.

    Args:
        errors: at least 0, shape (n, k).
        of_object: which positions belong to the object, likewise.
    """
    errors, order = torch.sort(errors, dim=1, descending=True, stable=True)
    of_object = of_object.gather(1, order).long()
    size = of_object.sum(1, keepdim=True)
    left = size - of_object.cumsum(1)
    union = (size + (1 - of_object).cumsum(1)).to(errors.dtype)
    # The first mistake where there is no object makes everything wrong.
    smaller = torch.where(union == 1, 1.0, union - 1)
    rise = torch.where(of_object == 1, 1 / union, torch.where((size == 0) & (union == 1), 1, left) / (union * smaller))
    return row_sum(errors * rise)


def _in_object_of(size: int, others: float) -> Callable[[Tensor], dict[str, Tensor]]:
    """Eight positions, one of them of the object with a score that varies; the rest of the object have this score."""

    def roles(score: Tensor) -> dict[str, Tensor]:
        fixed = score.new_tensor([others] * (size - 1) + [-2.0] * (8 - size)).expand(len(score), 7)
        target = score.new_tensor([1.0] * size + [0.0] * (8 - size)).expand(len(score), 8)
        return {"pred": torch.cat([score.unsqueeze(1), fixed], 1), "target": target}

    return roles


@loss(
    family="overlap",
    pred=replace(REAL, phrase="a score (any real number): positive for the object", shapes=POSITIONS),
    target=replace(SIGN, phrase="a mask of 1 and 0, or of 1 and -1", shapes=POSITIONS),
    aliases=["lovasz"],
    formula=r"\sum_k e_k (\Delta_k - \Delta_{k-1}),\quad e_1 \geq e_2 \geq \ldots,\quad e = \max(0, 1 - s f),\quad "
    r"\Delta_k = \mathrm{jaccard}(1 \ldots k \text{ wrong})",
    gradient=r"\frac{\partial}{\partial f_k} = -s_k (\Delta_k - \Delta_{k-1}) \text{ where } e_k > 0",
    unit="1",
    range="[0, inf)",
    curve=Slice(
        "score of one position of the object",
        (-3.0, 3.0),
        {
            "it is the whole object": _in_object_of(1, 2.0),
            "three others are right": _in_object_of(4, 2.0),
            "three others are at -1": _in_object_of(4, -1.0),
        },
        variable="score",
        notable=(-1.0, 1.0),
    ),
    traits=Traits(
        punishes="Scores that are not clearly right, by how much the Jaccard index loses as they go wrong in turn.",
        convex="Convex in the scores.",
        differentiable="Differentiable except where two errors are equal or a score is just clear.",
        bounded="Unbounded, but it grows only in proportion to the scores.",
        robust="Small objects count as much as large ones; single far scores pull with a slope of 1 at most.",
    ),
    convention="The errors are hinge losses with the margin 1, from the largest to the smallest; one mask a "
    "datum, so that the cost is the mean over images. Where the true mask is empty, the largest error alone counts.",
    differs=[
        "segmentation_models_pytorch's LovaszLoss takes the images of a batch together unless told per_image=True.",
        "Some code puts elu(e) + 1 in the place of max(0, e), which pulls at scores that are right, too.",
    ],
    same_as={
        "segmentation_models_pytorch": "segmentation_models_pytorch.losses.LovaszLoss('binary', per_image=True)"
        "(pred, target)"
    },
    cites=["lovasz1983", "yu2015", "berman2018"],
)
def lovasz_hinge(pred: Tensor, target: Tensor) -> Tensor:
    """A convex loss of scores that is the Jaccard loss where every score is -1 or 1, up to a factor of 2.

    The Jaccard index is a function of which positions are wrong. Its Lovász extension makes it a function of how wrong
    they are: piecewise linear, convex, and with the index itself at the corners. So it minimises what segmentations are
    judged by, where ``jaccard`` of soft masks minimises a relative of it.

    Scores are free numbers and need no sigmoid. It learns slowly from the start, when everything is wrong, and is often
    used to finish a training that a cross entropy began. Its time is that of sorting the positions.

    Args:
        pred: The scores, positive for the object, shape (n, ...): one mask a datum.
        target: The true masks, 1 and 0 or 1 and -1, of the same shape.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> lovasz_hinge(torch.tensor([[2.0, 0.5, -1.0, -3.0]]), torch.tensor([[1.0, 1.0, 1.0, 0.0]]))
        tensor([0.8333])
    """
    of_object = target > 0
    errors = torch.relu(1 - torch.where(of_object, pred, -pred))
    # A missing label is neither of the two.
    errors = torch.where(target == target, errors, math.nan)
    return _extension(errors.flatten(1), of_object.flatten(1))


def _in_class_of(size: int, others: float) -> Callable[[Tensor], dict[str, Tensor]]:
    """Eight positions of two classes, as in the picture of the hinge."""

    def roles(p: Tensor) -> dict[str, Tensor]:
        fixed = p.new_tensor([others] * (size - 1) + [0.0] * (8 - size)).expand(len(p), 7)
        of_one = torch.cat([p.unsqueeze(1), fixed], 1)
        target = p.new_tensor([1.0] * size + [0.0] * (8 - size)).expand(len(p), 8)
        return {"pred": torch.stack([1 - of_one, of_one], 1), "target": target}

    return roles


@loss(
    family="overlap",
    pred=CLASS_PROBABILITIES,
    target=TRUE_CLASS,
    class_axis=True,
    formula=r"\frac{1}{C} \sum_c \sum_k e_k (\Delta_k - \Delta_{k-1}),\quad e_1 \geq e_2 \geq \ldots,\quad "
    r"e = |[y = c] - p_c|,\quad \Delta_k = \mathrm{jaccard}(1 \ldots k \text{ wrong})",
    gradient=r"\frac{\partial}{\partial p} = \mp \frac{1}{C} (\Delta_k - \Delta_{k-1}) \text{ at the } k"
    r"\text{th position}",
    unit="1",
    range="[0, 1]",
    curve=Slice(
        "probability of the true class at one of eight positions",
        (0.0, 1.0),
        {
            "it is the only one of its class": _in_class_of(1, 1.0),
            "three others are right": _in_class_of(4, 1.0),
            "three others are at .3": _in_class_of(4, 0.3),
        },
        variable="probability",
        notable=(0.3,),
        allowed=CLASS_PROBABILITIES.interval,
    ),
    traits=Traits(
        punishes="Errors of the probabilities of each class, by how much its Jaccard index loses as they grow.",
        convex="Convex in the probabilities.",
        differentiable="Differentiable except where two errors are equal.",
        bounded="At most 1, where every class is missed everywhere.",
        robust="Bounded; every class has the same say, a class of one position as much as the background.",
    ),
    convention="The mean over all classes, also over those that a datum's target lacks, whose largest false "
    "probability counts; one image a datum, and the mean over images.",
    differs=[
        "Berman's code takes the images of a batch together and the mean over the classes that they have, unless told "
        "per_image=True and classes='all', which this is.",
        "segmentation_models_pytorch's LovaszLoss has the mean over the classes that are present, and takes logits.",
    ],
    cites=["lovasz1983", "berman2018"],
)
def lovasz_softmax(pred: Tensor, target: Tensor) -> Tensor:
    """The mean over classes of the Jaccard loss, carried over to probabilities: mIoU as a loss.

    For each class the errors of its probabilities are sorted, and each counts by what it costs the class's index.
    Where every probability is 0 or 1, it is one minus the mean intersection over union itself.

    Since all classes count alike, it helps small ones more than a cross entropy does. A class that an image lacks is
    still asked for: a single false position costs it 1, as it costs the index.

    Args:
        pred: The probabilities, one for each class, shape (n, C, ...): one image a datum.
        target: The true classes, shape (n, ...).

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> pred = torch.tensor([[[0.9, 0.8, 0.6, 0.3], [0.1, 0.2, 0.4, 0.7]]])
        >>> lovasz_softmax(pred, torch.tensor([[0, 0, 0, 1]]))
        tensor([0.3042])
    """
    classes = torch.arange(pred.shape[1], device=pred.device).reshape(-1, *[1] * (target.ndim - 1))
    of_class = target.unsqueeze(1) == classes
    # A missing class is none of them.
    errors = torch.where(of_class, 1 - pred, pred) + 0 * target.unsqueeze(1)
    positions = math.prod(pred.shape[2:])
    rows = (values.reshape(pred.shape[0] * pred.shape[1], positions) for values in (errors, of_class))
    return row_sum(_extension(*rows).reshape(pred.shape[:2])) / pred.shape[1]
