"""The losses in sklearn._loss, which boosting and the generalised linear models of scikit-learn minimise.

The prediction is their ``raw_prediction``: on the scale of the link, such as the logarithm of a rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import NON_NEGATIVE_NUMBER, POSITIVE, POSITIVE_NUMBER, REAL, Interval, Number
from losscli.loss import Decided
from losscli.losses._stable.deviance import unit_deviance
from losscli.losses._stable.elementary import mean_over_outputs
from losscli.losses.robust import huber
from losscli.peers.declare import alias, peer

if TYPE_CHECKING:
    from torch import Tensor

OPEN_UNIT = Number(Interval(0, 1, open_low=True, open_high=True))
HALF = "It is half of ours"

alias("sklearn._loss.HalfSquaredError", of="mse", note=f"{HALF}.", scale=0.5)
alias("sklearn._loss.AbsoluteError", of="mae", note="It is the same.")
alias("sklearn._loss.PinballLoss", of="quantile", note="tau is called quantile.", params={"quantile": "tau"})
alias(
    "sklearn._loss.HalfPoissonLoss",
    of="poisson-nll",
    note="The prediction is the logarithm of the rate, and the terms without it are left out.",
    fixed={"input": "log-rate", "full": False},
)
alias("sklearn._loss.HalfBinomialLoss", of="binary-cross-entropy", note="It takes logits.", fixed={"input": "logits"})
alias("sklearn._loss.HalfMultinomialLoss", of="cross-entropy", note="It takes logits.", fixed={"input": "logits"})
alias("sklearn._loss.ExponentialLoss", of="exponential", note="It is the same.")


@peer("sklearn._loss.HuberLoss", of="huber", where={"quantile": OPEN_UNIT, "delta": POSITIVE})
def huber_loss(pred: Tensor, target: Tensor, *, quantile: float = 0.9, delta: float = 0.5) -> Tensor:
    """delta is 0.5 where it is not given; boosting sets it to a quantile of the absolute errors as it goes.

    Args:
        quantile: Which quantile boosting would take; it has no part in the loss of given data.
    """
    return huber(pred, target, delta=delta)


@peer("sklearn._loss.HalfGammaLoss", of="gamma-deviance", pred=REAL, target=POSITIVE_NUMBER)
def half_gamma(pred: Tensor, target: Tensor) -> Tensor:
    """Half the deviance with the logarithm of the mean as prediction, without the terms -ln y - 1."""
    return mean_over_outputs(pred + target * torch.exp(-pred))


def _amounts(power: float) -> str:
    return "power <= 0" if power <= 0 else "0 < power < 2" if power < 2 else "power >= 2"


def _means(power: float) -> str:
    return "power = 0" if power == 0 else "other powers"


AMOUNTS = Decided(
    ("power",), _amounts, {"0 < power < 2": NON_NEGATIVE_NUMBER, "power >= 2": POSITIVE_NUMBER, "power <= 0": REAL}
)
MEANS = Decided(("power",), _means, {"other powers": POSITIVE_NUMBER, "power = 0": REAL})


@peer("sklearn._loss.HalfTweedieLoss", of="tweedie-deviance", where={"power": Number()}, pred=REAL, target=AMOUNTS)
def half_tweedie(pred: Tensor, target: Tensor, *, power: float = 1.5) -> Tensor:
    """Half the deviance with the logarithm of the mean as prediction, without the terms of y alone.

    Args:
        power: The exponent of the mean in the variance.
    """
    if power == 0:
        error = torch.exp(pred) - target
        value = 0.5 * error * error
    elif power == 1:
        value = torch.exp(pred) - target * pred
    elif power == 2:
        value = pred + target * torch.exp(-pred)
    else:
        value = torch.exp((2 - power) * pred) / (2 - power) - target * torch.exp((1 - power) * pred) / (1 - power)
    return mean_over_outputs(value)


@peer(
    "sklearn._loss.HalfTweedieLossIdentity",
    of="tweedie-deviance",
    where={"power": Number()},
    pred=MEANS,
    target=AMOUNTS,
)
def half_tweedie_of_mean(pred: Tensor, target: Tensor, *, power: float = 1.5) -> Tensor:
    """It is half of ours, for powers between 0 and 1, too.

    Args:
        power: The exponent of the mean in the variance.
    """
    return mean_over_outputs(0.5 * unit_deviance(target, pred, power))
