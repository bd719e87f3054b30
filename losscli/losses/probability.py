"""Losses of the probability of one event that are no logarithms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli.domain import BINARY, LOGIT, PROBABILITY, Choice
from losscli.loss import Traits
from losscli.losses._stable.elementary import LogSigmoids, mean_over_outputs
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

PRED = {"probs": PROBABILITY, "logits": LOGIT}


@loss(
    family="binary",
    pred=PRED,
    target=BINARY,
    where={"input": Choice(tuple(PRED))},
    aliases=["brier-score", "quadratic-score"],
    formula=r"(p - y)^2",
    gradient=r"\frac{\partial}{\partial p} = 2 (p - y),\quad \frac{\partial}{\partial z} = 2 (p - y)\, p\, (1 - p)",
    unit="1",
    range="[0, 1]",
    curve="probability",
    traits=Traits(
        punishes="The square of how far the probability is from what happened, at most 1.",
        convex="Convex in the probability, strictly; not in the logit.",
        differentiable="Differentiable everywhere.",
        bounded="Bounded: a mistake held to be certain costs 1.",
        robust="More robust than logarithmic scores: no datum costs more than 1. Its gradient by the logit vanishes "
        "for confident mistakes, so that a wrong label pulls little and an early mistake is unlearned slowly.",
    ),
    convention="One term, that of label 1. Brier's own score adds that of label 0 and is twice this one.",
    differs=[
        "multiclass-brier sums over both classes: p = .8 for an event that does not happen costs .64 here, 1.28 there.",
        "sklearn.metrics.brier_score_loss is this loss; its scale_by_half decides which of the two it is.",
    ],
    same_as={
        "torch": "torch.nn.functional.mse_loss(pred, target, reduction='none')",
        "sklearn": "sklearn.metrics.brier_score_loss(target, pred)",
    },
    cites=["brier1950", "murphy1973"],
)
def brier(pred: Tensor, target: Tensor, *, input: str = "probs") -> Tensor:
    """The squared error of a probability: a score for forecasts that cannot become infinite.

    On average nobody does better than by stating the probability that is true, so it rewards honest forecasts as the
    cross entropy does, but a forecaster who was wrong while certain loses 1 point and not everything. Always saying .5
    costs .25; the share of the event itself, as a constant, costs its variance.

    It hardly tells rare events apart: for one in ten thousand, .001 and .0001 differ by less than a millionth. There
    the cross entropy, which looks at ratios, is the better judge.

    Args:
        pred: The probability of label 1, or its logit, shape (n) or (n, ...).
        target: The labels 0 and 1, or probabilities between them, of the same shape.
        input: Whether the prediction is a probability or a logit.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> brier(torch.tensor([0.9, 0.9, 0.5]), torch.tensor([1.0, 0.0, 1.0]))
        tensor([0.0100, 0.8100, 0.2500])
    """
    if input == "probs":
        error = pred - target
        return mean_over_outputs(error * error)
    logs = LogSigmoids.of(pred)
    # p - y, with 1 - p kept where it is small.
    error = (1 - target) * logs.power(1) - target * logs.power_of_complement(1)
    return mean_over_outputs(error * error)
