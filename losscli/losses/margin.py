"""Losses of a score by its margin, with a corner: what the sign of the score says counts, and how clearly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import NON_NEGATIVE, SCORE, SIGN
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import mean_over_outputs
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


def margin_of(pred: Tensor, target: Tensor) -> Tensor:
    """The score, with its sign turned where the label is 0 or -1; NaN where the label is missing."""
    return pred * torch.where(target > 0, 1.0, torch.where(target <= 0, -1.0, math.nan))


def _of_positive(margin: Tensor) -> dict[str, Tensor]:
    return {"pred": margin, "target": torch.ones_like(margin)}


ALONG_THE_MARGIN = Slice(
    "margin m = s f: the score, positive where it is right",
    (-3.0, 3.0),
    {"": _of_positive},
    variable="m",
    notable=(-1.0, 0.0, 1.0),
)


@loss(
    family="margin",
    pred=SCORE,
    target=SIGN,
    where={"margin": NON_NEGATIVE},
    aliases=["hinge-loss"],
    formula=r"\max(0, \mu - s\, f),\quad s = \pm 1",
    gradient=r"-s \text{ if } s\, f < \mu,\quad 0 \text{ otherwise}",
    unit="score",
    range="[0, inf)",
    curve=ALONG_THE_MARGIN,
    traits=Traits(
        punishes="Scores on the wrong side, and right ones that are not clear by the margin, in proportion.",
        convex="Convex in the score, not strictly.",
        differentiable="Differentiable except where s f is the margin; there the gradient is taken to be zero.",
        bounded="Unbounded, but it grows only in proportion to how wrong the score is.",
        robust="More robust than squares and exponentials: no datum pulls harder than with a slope of 1.",
    ),
    convention="Labels are coded 1 and 0, or 1 and -1; which of the two is decided once for all data.",
    differs=[
        "optax.losses.hinge_loss takes labels 1 and -1 only: the label 0 costs 1 there, whatever the score.",
        "keras.losses.Hinge decides by each batch whether labels are 0 and 1.",
        "sklearn.metrics.hinge_loss looks at which labels are there: of two data with label 1 and the scores 0 and 2 "
        "it makes 2, where this loss is .5.",
    ],
    same_as={
        "keras": "keras.losses.Hinge()(target, pred)",
        "optax": "optax.losses.hinge_loss(pred, 2 * target - 1)",
        "sklearn": "sklearn.metrics.hinge_loss(target, pred)",
    },
    cites=["cortes1995"],
)
def hinge(pred: Tensor, target: Tensor, *, margin: float = 1.0) -> Tensor:
    """The hinge loss: nothing for a score that is clearly right, and the distance to clearly right otherwise.

    It is the loss of the support vector machine. Only data that are wrong or close to the border cost anything; all
    others could be moved without changing the solution, which is why it rests on a few support vectors.

    A score is no probability, and the hinge loss does not make it one: beyond the margin it does not tell 2 from 200.
    Where probabilities are wanted, the soft margin loss is the one to take.

    Args:
        pred: The scores, positive for label 1, shape (n) or (n, ...).
        target: The labels, 1 and 0 or 1 and -1, of the same shape.
        margin: The μ of the formula: how far on its side of 0 a score must be to cost nothing.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> hinge(torch.tensor([2.0, 0.25, -1.0]), torch.tensor([1.0, 1.0, 1.0]))
        tensor([0.0000, 0.7500, 2.0000])
    """
    return mean_over_outputs(torch.relu(margin - margin_of(pred, target)))


@loss(
    family="margin",
    pred=SCORE,
    target=SIGN,
    where={"margin": NON_NEGATIVE},
    aliases=["hinge-squared"],
    formula=r"\max(0, \mu - s\, f)^2,\quad s = \pm 1",
    gradient=r"-2 s \max(0, \mu - s\, f)",
    unit="score^2",
    range="[0, inf)",
    curve=ALONG_THE_MARGIN,
    traits=Traits(
        punishes="Scores on the wrong side by the square of how far they are from clearly right.",
        convex="Convex in the score, not strictly.",
        differentiable="Differentiable everywhere, once.",
        bounded="Unbounded.",
        robust="Not robust: a wrong label with a confident score counts by its square.",
    ),
    convention="The plain square, without a factor 1/2; labels are coded 1 and 0, or 1 and -1.",
    differs=[
        "LIBLINEAR and sklearn.svm.LinearSVC multiply it by their parameter C, and the penalty, not the loss, by 1/2.",
        "keras.losses.SquaredHinge decides by each batch whether labels are 0 and 1.",
    ],
    same_as={"keras": "keras.losses.SquaredHinge()(target, pred)"},
    cites=["cortes1995"],
)
def squared_hinge(pred: Tensor, target: Tensor, *, margin: float = 1.0) -> Tensor:
    """The square of the hinge loss: as forgiving beyond the margin, smoother at it, and harsher far from it.

    The square takes the corner out of the hinge loss, so that its gradient does not jump and second-order methods
    work. The price is that a few confident mistakes, often wrong labels, weigh far more; the modified Huber loss keeps
    the smooth end and grows only in proportion.

    Args:
        pred: The scores, positive for label 1, shape (n) or (n, ...).
        target: The labels, 1 and 0 or 1 and -1, of the same shape.
        margin: The μ of the formula: how far on its side of 0 a score must be to cost nothing.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> squared_hinge(torch.tensor([2.0, 0.25, -1.0]), torch.tensor([1.0, 1.0, 1.0]))
        tensor([0.0000, 0.5625, 4.0000])
    """
    short = torch.relu(margin - margin_of(pred, target))
    return mean_over_outputs(short * short)


@loss(
    family="margin",
    pred=SCORE,
    target=SIGN,
    aliases=["perceptron-loss"],
    formula=r"\max(0, -s\, f),\quad s = \pm 1",
    gradient=r"-s \text{ if } s\, f < 0,\quad 0 \text{ otherwise}",
    unit="score",
    range="[0, inf)",
    curve=ALONG_THE_MARGIN,
    traits=Traits(
        punishes="Scores on the wrong side of 0 only, in proportion.",
        convex="Convex in the score, not strictly.",
        differentiable="Differentiable except at a score of 0; there the gradient is taken to be zero.",
        bounded="Unbounded, but it grows only in proportion to how wrong the score is.",
        robust="More robust than squares and exponentials: no datum pulls harder than with a slope of 1.",
    ),
    convention="The hinge loss with a margin of 0; labels are coded 1 and 0, or 1 and -1.",
    differs=[
        "Rosenblatt's rule corrects a score of exactly 0 as a mistake; the loss is 0 there.",
        "optax.losses.perceptron_loss takes labels 1 and -1 only: the label 0 costs nothing there, whatever the score.",
    ],
    same_as={"optax": "optax.losses.perceptron_loss(pred, 2 * target - 1)"},
    cites=["rosenblatt1958"],
)
def perceptron(pred: Tensor, target: Tensor) -> Tensor:
    """The perceptron loss: a score on the right side costs nothing, however close to 0 it is.

    Going down its gradient, datum by datum, is the perceptron's rule. It stops at the first border that separates the
    classes, which may pass as close to the data as it likes, and scores of 0 for everything cost nothing at all: it
    suits updates while data come in better than the comparison of models.

    Args:
        pred: The scores, positive for label 1, shape (n) or (n, ...).
        target: The labels, 1 and 0 or 1 and -1, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> perceptron(torch.tensor([2.0, 0.25, -1.0]), torch.tensor([1.0, 1.0, 1.0]))
        tensor([0., 0., 1.])
    """
    return mean_over_outputs(torch.relu(0.0 - margin_of(pred, target)))


@loss(
    family="margin",
    pred=SCORE,
    target=SIGN,
    formula=r"\max(0, 1 - m)^2 \text{ if } m \geq -1,\quad -4 m \text{ otherwise},\quad m = s\, f",
    gradient=r"-2 s \max(0, 1 - m) \text{ if } m \geq -1,\quad -4 s \text{ otherwise}",
    unit="1",
    range="[0, inf)",
    curve=ALONG_THE_MARGIN,
    traits=Traits(
        punishes="Scores short of the margin by their square, far mistakes in proportion.",
        convex="Convex in the score, not strictly.",
        differentiable="Differentiable everywhere, once.",
        bounded="Unbounded, but it grows only in proportion far out; its slope stays within 4.",
        robust="More robust than the squared hinge loss: no datum pulls harder than with a slope of 4.",
    ),
    convention="Four times the height of a Huber loss on the wrong side: the slopes meet at m = -1, where it is 4.",
    differs=[
        "The Huber loss of regression has no flat side and half the square: it is .5 for an error of 1, where this "
        "loss is 1 for a score of 0.",
    ],
    same_as={
        "torch": "2 * torch.nn.functional.huber_loss(torch.where(target > 0, pred, -pred).clamp(max=1), "
        "torch.ones_like(pred), delta=2.0, reduction='none')",
    },
    cites=["zhang2004"],
)
def modified_huber(pred: Tensor, target: Tensor) -> Tensor:
    """The squared hinge loss near the border and a straight line beyond it: a Huber loss for classification.

    It is smooth at the margin as the squared hinge loss is, and yet a wrong label with a confident score does not
    outweigh everything else. Scores that minimise it lie between -1 and 1 and say a probability, (f + 1) / 2; that is
    how scikit-learn's SGDClassifier gives probabilities with it.

    Args:
        pred: The scores, positive for label 1, shape (n) or (n, ...).
        target: The labels, 1 and 0 or 1 and -1, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> modified_huber(torch.tensor([2.0, 0.0, -1.0, -3.0]), torch.tensor([1.0, 1.0, 1.0, 1.0]))
        tensor([ 0.,  1.,  4., 12.])
    """
    margin = margin_of(pred, target)
    near = margin >= -1
    short = torch.relu(1 - torch.where(near, margin, 0.0))
    return mean_over_outputs(torch.where(near, short * short, -4 * margin))
