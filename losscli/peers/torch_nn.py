"""The loss modules of torch.nn, with their parameters, defaults, clamps, epsilons and denominators.

torch's ``reduction`` is ``--reduction`` here. With ``none`` a datum is one number: the mean over its elements, as
torch's mean is the mean over all elements. torch's ``weight`` is a parameter of the loss: one number a class or output.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import (
    BIAS,
    CLASS,
    DISTRIBUTION,
    MATRIX,
    NON_NEGATIVE_NUMBER,
    POSITIVE,
    REAL,
    UNIT,
    Flag,
    Interval,
    Value,
    Vector,
    Whole,
)
from losscli.errors import UsageError
from losscli.loss import Depends
from losscli.losses._stable.elementary import LogSigmoids, mean_over_outputs
from losscli.losses.linear import scores
from losscli.losses.sequence import ctc
from losscli.peers._entropy import Entropies, Numbers, entropies
from losscli.peers.declare import alias, peer
from losscli.registry import find
from losscli.statistic import Pooled, ratio

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

WEIGHT = Vector(Interval(low=0))
SAME = "It is the same."
# BCELoss lets no logarithm of a probability fall below this.
LOWEST_LOGARITHM = -100.0


def _every_output(name: str) -> Callable[..., Tensor]:
    """What torch's sum adds for a datum: all its outputs, where the function gives their mean."""

    def total(*roles: Tensor, **params: Value) -> Tensor:
        value = find(name).function(*roles, **params)
        return value * math.prod(roles[-1].shape[1:])

    return total


def _per_output(values: Tensor, weight: tuple[float, ...] | None, option: str) -> Tensor:
    """The values times one number for each output, along the last axis."""
    if weight is None:
        return values
    outputs = values.shape[-1] if values.ndim > 1 else 1
    if len(weight) not in (1, outputs):
        raise UsageError(f"--{option} has {len(weight)} numbers, but there are {outputs} outputs")
    return values * torch.tensor(weight, dtype=values.dtype, device=values.device)


# --- numbers ----------------------------------------------------------------------------------------------------------

alias("torch.nn.L1Loss", of="mae", note=SAME, total=_every_output("mae"))
alias("torch.nn.MSELoss", of="mse", note=SAME, total=_every_output("mse"))
alias("torch.nn.HuberLoss", of="huber", note=SAME, params={"delta": "delta"}, total=_every_output("huber"))
alias("torch.nn.SmoothL1Loss", of="smooth-l1", note=SAME, params={"beta": "beta"}, total=_every_output("smooth-l1"))


@dataclass(frozen=True)
class LogInput(Flag):
    """True for the logarithm of a rate, false for a rate: our words for these are understood, too."""

    def parse(self, text: str) -> Value:
        return super().parse({"log-rate": "true", "rate": "false"}.get(text.lower(), text))


@peer(
    "torch.nn.PoissonNLLLoss",
    of="poisson-nll",
    where={"log_input": LogInput(), "full": Flag(), "eps": POSITIVE},
    names={"input": "log_input"},
    total=_every_output("torch.nn.PoissonNLLLoss"),
    pred=Depends("log_input", {True: REAL, False: NON_NEGATIVE_NUMBER}),
)
def poisson_nll(
    pred: Tensor, target: Tensor, *, log_input: bool = True, full: bool = False, eps: float = 1e-8
) -> Tensor:
    """Stirling's approximation stands for ln y! where y > 1, and eps is added to a rate before its logarithm.

    Args:
        log_input: Whether the prediction is the logarithm of the rate.
        full: Adds Stirling's approximation of ln y! for counts above 1.
        eps: Added to the rate where it is given itself.
    """
    value = torch.exp(pred) - target * pred if log_input else pred - target * torch.log(pred + eps)
    if full:
        above = target > 1
        count = torch.where(above, target, 1.0)
        stirling = count * torch.log(count) - count + 0.5 * torch.log(2 * math.pi * count)
        value = value + torch.where(above, stirling, 0.0)
    return mean_over_outputs(value)


@peer(
    "torch.nn.GaussianNLLLoss",
    of="gaussian-nll",
    where={"full": Flag(), "eps": POSITIVE},
    total=_every_output("torch.nn.GaussianNLLLoss"),
    var=replace(NON_NEGATIVE_NUMBER, name="variance", phrase="a variance, at least 0", shapes=("n ...", "n", "n 1")),
)
def gaussian_nll(pred: Tensor, var: Tensor, target: Tensor, *, full: bool = False, eps: float = 1e-6) -> Tensor:
    """A variance below eps counts as eps.

    Args:
        full: Adds the constant ln(2 pi) / 2.
        eps: The smallest variance.
    """
    if var.ndim < pred.ndim:
        var = var.unsqueeze(-1)
    variance = torch.clamp(var, min=eps)
    error = pred - target
    value = 0.5 * (torch.log(variance) + error * error / variance)
    return mean_over_outputs(value + 0.5 * math.log(2 * math.pi) if full else value)


# --- probabilities and labels -----------------------------------------------------------------------------------------


def _bounded_logarithm(of: Callable[[Tensor], Tensor], argument: Tensor, zero: float) -> Tensor:
    """A logarithm of a probability, at least -100; its slope is left out where the bound holds."""
    below = of(argument.detach()) < LOWEST_LOGARITHM
    return torch.where(below, LOWEST_LOGARITHM, of(torch.where(below, zero, argument)))


@peer(
    "torch.nn.BCELoss",
    of="binary-cross-entropy",
    where={"weight": WEIGHT},
    total=_every_output("torch.nn.BCELoss"),
    mean_over="data",
)
def bce(pred: Tensor, target: Tensor, *, weight: tuple[float, ...] | None = None) -> Tensor:
    """No logarithm falls below -100, so that a certain and wrong prediction costs 100; a mean divides by n.

    Args:
        weight: One factor for each output of a datum.
    """
    of_true = _bounded_logarithm(torch.log, pred, 1.0)
    of_false = _bounded_logarithm(lambda p: torch.log1p(-p), pred, 0.0)
    return mean_over_outputs(_per_output((target - 1) * of_false - target * of_true, weight, "weight"))


@peer(
    "torch.nn.BCEWithLogitsLoss",
    of="binary-cross-entropy",
    when={"input": "logits"},
    where={"weight": WEIGHT, "pos_weight": WEIGHT},
    total=_every_output("torch.nn.BCEWithLogitsLoss"),
    mean_over="data",
)
def bce_with_logits(
    pred: Tensor,
    target: Tensor,
    *,
    weight: tuple[float, ...] | None = None,
    pos_weight: tuple[float, ...] | None = None,
) -> Tensor:
    """Each output may have its own weight for positive labels; a mean divides by n.

    Args:
        weight: One factor for each output of a datum.
        pos_weight: One factor for the positive labels of each output.
    """
    logs = LogSigmoids.of(pred)
    of_true = _per_output(target * logs.minus_log, pos_weight, "pos-weight")
    return mean_over_outputs(_per_output(of_true + (1 - target) * logs.minus_log_of_complement, weight, "weight"))


alias("torch.nn.SoftMarginLoss", of="soft-margin", note=SAME, total=_every_output("soft-margin"))
alias(
    "torch.nn.MultiMarginLoss",
    of="multi-margin",
    note=SAME,
    params={"p": "p", "margin": "margin", "weight": "class_weight"},
)
alias("torch.nn.MultiLabelSoftMarginLoss", of="multilabel-soft-margin", note=SAME, params={"weight": "class_weight"})
alias(
    "torch.nn.MultiLabelMarginLoss",
    of="multilabel-margin",
    note="The target is a list of classes, ended by -1.",
    fixed={"target_form": "indices"},
)


LOG_DISTRIBUTION = replace(
    DISTRIBUTION,
    name="log-probabilities",
    phrase="one log-probability for each outcome",
    interval=Interval(high=0),
    simplex=False,
    log_simplex=True,
)


@peer(
    "torch.nn.KLDivLoss",
    of="kl-divergence",
    when={"input": "log-probs"},
    where={"log_target": Flag()},
    total=_every_output("torch.nn.KLDivLoss"),
    target=Depends("log_target", {False: DISTRIBUTION, True: LOG_DISTRIBUTION}),
)
def kl_divergence(pred: Tensor, target: Tensor, *, log_target: bool = False) -> Tensor:
    """A mean divides by n C, the number of all probabilities; reduction="batchmean" is our kl-divergence."""
    if log_target:
        return mean_over_outputs(torch.exp(target) * (target - pred))
    logarithm = torch.log(torch.where(target == 0, 1.0, target))
    return mean_over_outputs(target * logarithm - target * torch.where(target == 0, 0.0, pred))


# --- classes ----------------------------------------------------------------------------------------------------------


def _mean_over_weights(function: Callable[..., Entropies]) -> Pooled:
    """torch's mean: the sum of the weighted losses over the sum of the weights of the true classes."""
    return Pooled(
        terms=lambda *roles, **params: function(*roles, **params).terms,
        combine=ratio,
        summed=0,
        undefined="no position counts",
    )


@peer(
    "torch.nn.CrossEntropyLoss",
    of="cross-entropy",
    when={"input": "logits"},
    where={"weight": WEIGHT, "ignore_index": Whole(), "label_smoothing": UNIT},
    names={"class_weight": "weight"},
    statistic=_mean_over_weights(entropies),
)
def cross_entropy(
    pred: Tensor,
    target: Tensor,
    *,
    weight: Numbers = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:
    """A mean divides by the weights of the true classes; with soft targets by the number of positions."""
    return entropies(pred, target, weight=weight, ignore_index=ignore_index, label_smoothing=label_smoothing).mean


def _of_log_probabilities(pred: Tensor, target: Tensor, *, weight: Numbers, ignore_index: int) -> Entropies:
    return entropies(pred, target, weight=weight, ignore_index=ignore_index, input="log-probs")


@peer(
    "torch.nn.NLLLoss",
    of="cross-entropy",
    when={"input": "log-probs"},
    where={"weight": WEIGHT, "ignore_index": Whole()},
    names={"class_weight": "weight"},
    statistic=_mean_over_weights(_of_log_probabilities),
)
def nll(pred: Tensor, target: Tensor, *, weight: Numbers = None, ignore_index: int = -100) -> Tensor:
    """A mean divides by the weights of the true classes."""
    return _of_log_probabilities(pred, target, weight=weight, ignore_index=ignore_index).mean


def _linear(
    features: Tensor,
    matrix: Tensor,
    target: Tensor,
    bias: Tensor | None = None,
    *,
    weight: Numbers,
    ignore_index: int,
    label_smoothing: float,
) -> Entropies:
    classes, *positions, width = matrix.shape
    flat = scores(features, matrix.reshape(-1, width), None if bias is None else bias.reshape(-1))
    return entropies(
        flat.reshape(-1, classes, *positions),
        target,
        weight=weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
    )


@peer(
    "torch.nn.LinearCrossEntropyLoss",
    of="linear-cross-entropy",
    where={"weight": WEIGHT, "ignore_index": Whole(), "label_smoothing": UNIT},
    names={"class_weight": "weight"},
    statistic=_mean_over_weights(_linear),
    matrix=replace(MATRIX, shapes=("C D", "C X D", "C X Y D")),
    target=replace(CLASS, shapes=("n", "n C", "n X", "n X Y", "n C X", "n C X Y")),
    bias=replace(BIAS, shapes=("C", "C X", "C X Y")),
)
def linear_cross_entropy(
    features: Tensor,
    matrix: Tensor,
    target: Tensor,
    bias: Tensor | None = None,
    *,
    weight: Numbers = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Tensor:
    """A mean divides by the weights of the true classes; the matrix may have further axes, as out_features makes."""
    return _linear(
        features,
        matrix,
        target,
        bias,
        weight=weight,
        ignore_index=ignore_index,
        label_smoothing=label_smoothing,
    ).mean


# --- sequences --------------------------------------------------------------------------------------------------------


def _length_of_target(
    pred: Tensor,
    target: Tensor,
    pred_length: Tensor | None = None,
    target_length: Tensor | None = None,
    **_: Value,
) -> Tensor:
    """What torch's mean divides each loss by: an empty target counts as one label."""
    if target_length is None:
        return torch.full_like(target[:, 0], max(1, target.shape[1]))
    return torch.clamp(target_length, min=1)


@peer(
    "torch.nn.CTCLoss",
    of="ctc",
    where={"blank": Whole(Interval(low=0)), "zero_infinity": Flag()},
    weigh=lambda *roles, **params: 1 / _length_of_target(*roles, **params),
    total=lambda *roles, **params: ctc(*roles, **params) * _length_of_target(*roles, **params),
    mean_over="data",
)
def ctc_loss(
    pred: Tensor,
    target: Tensor,
    pred_length: Tensor | None = None,
    target_length: Tensor | None = None,
    *,
    blank: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """A mean divides each loss by the length of its target, and the sum of these by n."""
    return ctc(pred, target, pred_length, target_length, blank=blank, zero_infinity=zero_infinity)
