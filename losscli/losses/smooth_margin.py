"""Losses of a score by its margin, without corners: logistic, exponential and sparsemax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import BINARY, SCORE, SIGN
from losscli.loss import Traits
from losscli.losses._stable.elementary import LogSigmoids, mean_over_outputs
from losscli.losses.margin import ALONG_THE_MARGIN, margin_of
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    family="margin",
    pred=SCORE,
    target=SIGN,
    aliases=["logistic", "logistic-loss"],
    formula=r"\ln(1 + e^{-s\, f}),\quad s = \pm 1",
    gradient=r"\frac{-s}{1 + e^{s\, f}}",
    unit="nats",
    range="(0, inf)",
    curve=ALONG_THE_MARGIN,
    traits=Traits(
        punishes="Every score, those on the wrong side almost in proportion, clearly right ones hardly.",
        convex="Convex in the score, strictly.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, but it grows only in proportion to how wrong the score is.",
        robust="More robust than squares and exponentials: no datum pulls harder than with a slope of 1.",
    ),
    convention="Natural logarithm: a score of 0 costs ln 2 = .693. Labels are coded 1 and 0, or 1 and -1.",
    differs=[
        "torch.nn.SoftMarginLoss overflows: the score -1000 for label 1 costs infinity there, 1000 here. It takes "
        "labels 1 and -1 only; the label 0 costs ln 2 there, whatever the score.",
        "Some texts divide by ln 2, so that a score of 0 costs 1.",
    ],
    same_as={
        "torch": "torch.nn.functional.soft_margin_loss(pred, torch.where(target > 0, 1.0, -1.0), reduction='none')",
        "optax": "optax.sigmoid_binary_cross_entropy(pred, target)",
    },
    cites=["cox1958", "friedman2000"],
)
def soft_margin(pred: Tensor, target: Tensor) -> Tensor:
    """The logistic loss: a hinge loss without a corner, whose scores are logits.

    It is the binary cross entropy of a logit, written for labels of either code: what logistic regression minimises.
    Scores that minimise it are log-odds, so 1 / (1 + e^-f) is the probability of label 1, which no hinge loss gives.

    There is no score at which a datum counts nothing, so that data that can be separated drive the scores to infinity;
    a penalty or an early stop keeps them down.

    Args:
        pred: The scores, positive for label 1, shape (n) or (n, ...).
        target: The labels, 1 and 0 or 1 and -1, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> soft_margin(torch.tensor([2.0, 0.0, -1.0]), torch.tensor([1.0, 1.0, 1.0]))
        tensor([0.1269, 0.6931, 1.3133])
    """
    return mean_over_outputs(LogSigmoids.of(margin_of(pred, target)).minus_log)


@loss(
    family="margin",
    pred=SCORE,
    target=BINARY,
    aliases=["exponential-loss", "adaboost"],
    formula=r"y\, e^{-f} + (1 - y)\, e^{f}",
    gradient=r"(1 - y)\, e^{f} - y\, e^{-f}",
    unit="1",
    range="(0, inf)",
    curve=ALONG_THE_MARGIN,
    traits=Traits(
        punishes="Scores on the wrong side, with a cost that grows exponentially.",
        convex="Convex in the score, strictly.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, and nothing grows faster: a score of -10 costs 22026.",
        robust="Not robust at all: one wrong label with a confident score can outweigh all other data.",
    ),
    convention="The label is 0 or 1, or a share of either between them; for labels 1 and -1 it is e^(-s f).",
    differs=[
        "The best score is half the log-odds of label 1, so that its probability is 1 / (1 + e^(-2f)).",
        "The papers on AdaBoost write e^(-s f) with labels 1 and -1, which is the same for these labels.",
    ],
    same_as={
        "sklearn": "sklearn._loss.loss.ExponentialLoss().loss(y_true=target.numpy(), raw_prediction=pred.numpy())"
    },
    cites=["freund1997", "friedman2000"],
)
def exponential(pred: Tensor, target: Tensor) -> Tensor:
    """The exponential loss: what AdaBoost goes down, step by step.

    Each of its trees is fitted to data that are weighted by this loss of the score so far, so that what is still wrong
    gets the attention. It bounds the share of wrong predictions from above, and for clean data that is a fast way to a
    good border.

    It forgives nothing. Where labels may be wrong, the logistic loss, which grows in proportion only, is the safer one
    and has the same aim.

    Args:
        pred: The scores, positive for label 1, shape (n) or (n, ...).
        target: The labels 0 and 1, or probabilities between them, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> exponential(torch.tensor([2.0, 0.0, -1.0]), torch.tensor([1.0, 1.0, 1.0]))
        tensor([0.1353, 1.0000, 2.7183])
    """
    other = 1 - target
    # What counts nothing must not be infinite, as nothing times infinity is not a number.
    of_positive = target * torch.exp(-torch.where(target == 0, 0.0, pred))
    of_negative = other * torch.exp(torch.where(other == 0, 0.0, pred))
    return mean_over_outputs(of_positive + of_negative)


@loss(
    family="margin",
    pred=SCORE,
    target=SIGN,
    aliases=["sparsemax"],
    formula=r"0 \text{ if } m \geq 1,\quad (1 - m)^2 / 4 \text{ if } |m| < 1,\quad "
    r"-m \text{ otherwise},\quad m = s\, f",
    gradient=r"-s\, (1 - m) / 2 \text{ if } |m| < 1,\quad -s \text{ if } m \leq -1",
    unit="1",
    range="[0, inf)",
    curve=ALONG_THE_MARGIN,
    traits=Traits(
        punishes="Scores on the wrong side in proportion, those within the margin by a quarter of a square.",
        convex="Convex in the score, not strictly.",
        differentiable="Differentiable everywhere, once.",
        bounded="Unbounded, but it grows only in proportion to how wrong the score is.",
        robust="More robust than squares and exponentials: no datum pulls harder than with a slope of 1.",
    ),
    convention="The score is the difference of the two classes' scores. It is the modified Huber loss over 4.",
    differs=[
        "optax.losses.sparsemax_loss takes labels 0 and 1 only.",
        "The sparsemax of a network's last layer is a projection, not a loss; this is the loss that goes with it.",
    ],
    same_as={"optax": "optax.losses.sparsemax_loss(pred, target)"},
    cites=["martins2016", "blondel2020"],
)
def binary_sparsemax(pred: Tensor, target: Tensor) -> Tensor:
    """The sparsemax loss of two classes: a logistic loss that knows certainty.

    Sparsemax makes probabilities of scores by projection instead of exponentials: (f + 1) / 2, cut off at 0 and 1. So a
    score of 1 or more means certainty, and a right one costs nothing, which softmax never says. The loss is to this
    map what the logistic loss is to the sigmoid: its gradient is the probability less the label.

    Args:
        pred: The scores, positive for label 1, shape (n) or (n, ...).
        target: The labels, 1 and 0 or 1 and -1, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> binary_sparsemax(torch.tensor([2.0, 0.0, -1.0, -3.0]), torch.tensor([1.0, 1.0, 1.0, 1.0]))
        tensor([0.0000, 0.2500, 1.0000, 3.0000])
    """
    margin = margin_of(pred, target)
    near = margin > -1
    short = torch.relu(1 - torch.where(near, margin, 0.0))
    return mean_over_outputs(torch.where(near, 0.25 * (short * short), -margin))
