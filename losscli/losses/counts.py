"""Losses of counts and of positive amounts against their mean: likelihoods and deviances."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import COUNT, NON_NEGATIVE_NUMBER, POSITIVE_NUMBER, REAL, Choice, Flag, Interval, Number
from losscli.loss import Decided, Slice, Traits
from losscli.losses._stable.deviance import relative_entropy, unit_deviance
from losscli.losses._stable.elementary import entropy_term, mean_over_outputs
from losscli.losses._stable.factorial import least_poisson_nll
from losscli.losses._stable.slopes import with_slopes
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

MEAN = replace(
    POSITIVE_NUMBER, name="mean", phrase="a mean, above 0", hint="is this a logarithm? Take its exponential first."
)
RATES = {
    "log-rate": replace(REAL, name="log-rate", phrase="the logarithm of a rate (any real number)"),
    "rate": replace(
        NON_NEGATIVE_NUMBER,
        name="rate",
        phrase="a rate, at least 0",
        hint="are these log-rates? Leave out --input rate.",
    ),
}
AMOUNT = replace(
    POSITIVE_NUMBER,
    name="amount",
    phrase="an amount, above 0",
    hint="tweedie-deviance with a power below 2 takes zeros.",
)
# e^-700 is still a normal number.
LEAST_LOG_RATE = -700.0


# --- what they are drawn against --------------------------------------------------------------------------------------


def _of_no(pred: Tensor) -> dict[str, Tensor]:
    return {"pred": pred, "target": torch.zeros_like(pred)}


def _of_one(pred: Tensor) -> dict[str, Tensor]:
    return {"pred": pred, "target": torch.ones_like(pred)}


def _of_five(pred: Tensor) -> dict[str, Tensor]:
    return {"pred": pred, "target": torch.full_like(pred, 5.0)}


_COUNTS = {"count 0": _of_no, "count 1": _of_one, "count 5": _of_five}
_RATE = Slice("predicted rate λ", (0.0, 10.0), _COUNTS, variable="λ", allowed=Interval(low=0), notable=(1.0, 5.0))
_LOG_RATE = Slice("predicted log-rate z = ln λ", (-2.0, 3.0), _COUNTS, variable="z", notable=(0.0, 1.6094379124341003))
BY_MEAN = Slice(
    "predicted mean μ",
    (0.5, 10.0),
    {"true value 1": _of_one, "true value 5": _of_five},
    variable="μ",
    allowed=Interval(low=0),
    notable=(1.0, 5.0),
)


def _by_input(input: str, **_: object) -> Slice:
    return _RATE if input == "rate" else _LOG_RATE


# --- the losses -------------------------------------------------------------------------------------------------------


@loss(
    family="counts",
    pred=RATES,
    target=COUNT,
    where={"input": Choice(tuple(RATES)), "full": Flag()},
    aliases=["poisson", "poisson-loss"],
    formula=r"\lambda - y \ln \lambda \; (+\, \ln y!),\quad \lambda = e^{z} \text{ unless rates are given}",
    gradient=r"e^{z} - y,\quad \text{of given rates } 1 - \frac{y}{\lambda}",
    unit="nats",
    range="(-inf, inf)",
    curve=_by_input,
    traits=Traits(
        punishes="A rate below the count in proportion to the count, and far above it in proportion to the rate.",
        convex="Convex in the rate and in its logarithm.",
        differentiable="Differentiable everywhere, but for a rate of 0 with a count above 0.",
        bounded="Unbounded above; least where the rate is the count. Without the constants it may be negative.",
        robust="Not robust: a log-rate that is too large costs exponentially, and a large count pulls in proportion.",
    ),
    convention="Natural logarithm; the term ln y! is left out unless full=true, which shifts the cost of all "
    "predictions alike. Nothing is added to the rate.",
    differs=[
        "torch.nn.PoissonNLLLoss adds 1e-8 to a rate that is not given as its logarithm: the rate 0 for the count 1 "
        "costs 18.42 there, and infinity here.",
        "Its full=True puts Stirling's formula for ln y!, and 0 for counts up to 1: the rate and the count 2 cost "
        "1.266 there and 1.307 here, the rate and the count .5 cost .847 there and .726 here.",
        "keras.losses.Poisson takes rates and adds 1e-7: 16.12 for the rate 0 and the count 1.",
    ],
    same_as={
        "torch": "torch.nn.functional.poisson_nll_loss(pred, target, log_input=True, full=False, reduction='none')",
    },
    cites=["poisson1837", "mccullagh1989", "loader2000"],
)
def poisson_nll(pred: Tensor, target: Tensor, *, input: str = "log-rate", full: bool = False) -> Tensor:
    """Minus the logarithm of a count's Poisson probability: the loss of predicted rates.

    For counts of events that happen independently at some rate: calls an hour, goals, defects. The variance of such a
    count is its mean, so an error of 3 is large for a rate of 2 and small for a rate of 200; the loss knows that, where
    the squared error does not. Where counts vary more than that, ``negative-binomial-nll`` has a parameter for it.

    A network predicts the logarithm of the rate most easily, which may be any number; that is the default. With
    ``input=rate`` the prediction is the rate itself. The value without constants says little by itself; ``full=true``
    makes it a likelihood that can be compared between models of different kinds, and ``poisson-deviance`` measures it
    from the best possible prediction.

    Args:
        pred: The predicted rates or their logarithms, as ``input`` says, shape (n) or (n, ...).
        target: The counts, at least 0, of the same shape. They need not be whole.
        input: Whether the prediction is a rate or its natural logarithm.
        full: Whether the term ln y! is included, which does not depend on the prediction.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> poisson_nll(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 3.0]))
        tensor([ 1.0000, -0.2817])
        >>> poisson_nll(torch.tensor([1.0, 3.0]), torch.tensor([0.0, 3.0]), input="rate", full=True)
        tensor([1.0000, 1.4959])
    """
    if full:
        value, slopes = (_full_of_rate, _OF_RATE) if input == "rate" else (_full_of_log_rate, _OF_LOG_RATE)
        return mean_over_outputs(with_slopes(value, slopes, pred, target))
    if input == "rate":
        return mean_over_outputs(pred + entropy_term(target, pred))
    return mean_over_outputs(torch.exp(pred) - target * pred)


def _full_of_rate(rate: Tensor, count: Tensor) -> Tensor:
    return least_poisson_nll(count) + relative_entropy(count, rate)


def _full_of_log_rate(log_rate: Tensor, count: Tensor) -> Tensor:
    # Below, the rate has lost its digits, and no count is so small that anything cancels.
    tiny = log_rate < LEAST_LOG_RATE
    rate = torch.exp(log_rate)
    logarithm = torch.log(torch.where(count == 0, 1.0, count)) - log_rate
    from_tiny = torch.where(count == 0, 0.0, count * logarithm - count) + rate
    return least_poisson_nll(count) + torch.where(tiny, from_tiny, relative_entropy(count, rate))


_OF_RATE = (
    lambda rate, count: torch.where(count == 0, 1.0, (rate - count) / rate),
    lambda rate, count: torch.digamma(count + 1) - torch.log(rate),
)
_OF_LOG_RATE = (
    lambda log_rate, count: torch.exp(log_rate) - count,
    lambda log_rate, count: torch.digamma(count + 1) - log_rate,
)


@loss(
    family="counts",
    pred=MEAN,
    target=COUNT,
    aliases=["mean-poisson-deviance"],
    formula=r"2 \left(y \ln(y / \mu) - y + \mu\right)",
    gradient=r"2 \left(1 - \frac{y}{\mu}\right)",
    unit="target",
    range="[0, inf)",
    curve=BY_MEAN,
    traits=Traits(
        punishes="An error by its square over the mean where it is small; a mean far too low by much more than that.",
        convex="Convex in the mean, strictly for a count above 0.",
        differentiable="Differentiable wherever the mean is above 0.",
        bounded="Unbounded; zero only where the mean is the count.",
        robust="Not robust: the best constant prediction is the mean of the counts.",
    ),
    convention="Twice the Poisson log-likelihood ratio, with 0 ln 0 = 0; not halved.",
    differs=[
        "sklearn._loss.HalfPoissonLoss takes the logarithm of the mean and leaves out what does not depend on it: "
        "exp(raw) - y raw, which is -.079 for the mean 2 and the count 3, where half of this loss is .216.",
        "LightGBM and CatBoost minimise it from the logarithm of the mean, as poisson-nll does.",
    ],
    same_as={"sklearn": "sklearn.metrics.mean_poisson_deviance(target, pred)"},
    cites=["nelder1972", "mccullagh1989", "loader2000"],
)
def poisson_deviance(pred: Tensor, target: Tensor) -> Tensor:
    """How much less likely a count is than if its mean had been predicted exactly, as Poisson counts go.

    It is twice the difference of two log-likelihoods: with the count itself as the mean, and with the predicted mean.
    So it orders predictions as the Poisson likelihood does, and its zero is a perfect prediction. For the data of a
    model that fits, it is about 1 a datum where counts are not small.

    Use it for counts, and for rates and frequencies with their exposure as the weight. Beside the squared error it
    forgives large errors of large counts. For positive amounts whose error grows in proportion to them, take
    ``gamma-deviance``; between the two lies ``tweedie-deviance``.

    Args:
        pred: The predicted means, above 0, shape (n) or (n, ...).
        target: The counts, at least 0, of the same shape. They need not be whole.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> poisson_deviance(torch.tensor([2.0, 2.0, 2.0]), torch.tensor([0.0, 2.0, 4.0]))
        tensor([4.0000, 0.0000, 1.5452])
    """
    return mean_over_outputs(2 * relative_entropy(target, pred))


@loss(
    family="counts",
    pred=MEAN,
    target=AMOUNT,
    aliases=["mean-gamma-deviance"],
    formula=r"2 \left(\ln(\mu / y) + \frac{y}{\mu} - 1\right)",
    gradient=r"\frac{2}{\mu} \left(1 - \frac{y}{\mu}\right)",
    unit="1",
    range="[0, inf)",
    curve=BY_MEAN,
    traits=Traits(
        punishes="The ratio of amount and mean: a mean that is half the amount costs .61, one that is twice it .39.",
        convex="Convex in the mean below twice the amount, concave beyond; convex in the mean's logarithm.",
        differentiable="Differentiable wherever the mean is above 0.",
        bounded="Unbounded, but it grows only as a logarithm in means that are too large.",
        robust="Not robust against large amounts, which count in proportion to their ratio to the mean.",
    ),
    convention="Twice the gamma log-likelihood ratio with a shape of 1; not halved.",
    differs=[
        "sklearn._loss.HalfGammaLoss takes the logarithm of the mean and leaves out what does not depend on it: for "
        "the mean 4 and the amount 2 it is raw + y exp(-raw) = 1.886, where half of this loss is .193.",
        "LightGBM's metric gamma_deviance is the sum over the data, and its metric gamma another function.",
    ],
    same_as={"sklearn": "sklearn.metrics.mean_gamma_deviance(target, pred)"},
    cites=["nelder1972", "mccullagh1989"],
)
def gamma_deviance(pred: Tensor, target: Tensor) -> Tensor:
    """How far a positive amount is from its predicted mean, by their ratio alone.

    For amounts that vary in proportion to their size, such as costs of claims, durations or rainfall on wet days:
    a prediction of 1 for 2 costs the same as one of 1000 for 2000. It is the log-likelihood of a gamma distribution,
    measured from the best possible prediction.

    An amount of exactly zero has no ratio to anything and is refused. Where zeros occur among amounts, as in insurance
    data with one row a policy, take ``tweedie-deviance``.

    Args:
        pred: The predicted means, above 0, shape (n) or (n, ...).
        target: The amounts, above 0, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> gamma_deviance(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2.0, 2.0, 2.0]))
        tensor([0.6137, 0.0000, 0.3863])
    """
    return mean_over_outputs(unit_deviance(target, pred, 2.0))


def _means(power: float) -> str:
    return "power = 0" if power == 0 else "other powers"


def _amounts(power: float) -> str:
    return "power <= 0" if power <= 0 else "1 <= power < 2" if power < 2 else "power >= 2"


@loss(
    family="counts",
    pred=Decided(("power",), _means, {"other powers": MEAN, "power = 0": REAL}),
    target=Decided(
        ("power",), _amounts, {"1 <= power < 2": NON_NEGATIVE_NUMBER, "power >= 2": AMOUNT, "power <= 0": REAL}
    ),
    where={"power": Number(Interval(gap=(0.0, 1.0)))},
    aliases=["mean-tweedie-deviance"],
    formula=r"2 \left(\frac{\max(y, 0)^{2-p}}{(1-p)(2-p)} - \frac{y\, \mu^{1-p}}{1-p} + \frac{\mu^{2-p}}{2-p}\right)",
    gradient=r"2\, \mu^{-p} (\mu - y)",
    unit="target^(2-p)",
    range="[0, inf)",
    curve=BY_MEAN,
    traits=Traits(
        punishes="An error by its square over mean^power where it is small: the larger the power, the more large means "
        "forgive.",
        convex="Convex in the mean for the powers 0 and 1; for larger ones below p y/(p - 1) only.",
        differentiable="Differentiable wherever the mean is above 0.",
        bounded="Unbounded in the amount; for powers above 2 a mean that is too large costs a limited amount only.",
        robust="Not robust: for every power the best constant prediction is the mean.",
    ),
    convention="Twice the log-likelihood ratio with a dispersion of 1; not halved. There is no such distribution for "
    "powers between 0 and 1.",
    differs=[
        "sklearn.metrics.mean_tweedie_deviance has the default power 0, which is the squared error.",
        "sklearn._loss.HalfTweedieLoss, xgboost and LightGBM take the logarithm of the mean and leave out the first "
        "term: -y exp((1-p) raw)/(1-p) + exp((2-p) raw)/(2-p), 5.657 for the mean 2, the amount 2 and the power 1.5, "
        "where this loss is 0.",
    ],
    same_as={"sklearn": "sklearn.metrics.mean_tweedie_deviance(target, pred, power=power)"},
    cites=["tweedie1984", "jorgensen1987", "dunn2005"],
)
def tweedie_deviance(pred: Tensor, target: Tensor, *, power: float = 1.5) -> Tensor:
    """The deviance of a distribution whose variance is a power of its mean, from normal to Poisson, gamma and beyond.

    Powers between 1 and 2 describe sums of a random number of amounts: what all claims of a policy cost in a year, or
    how much rain falls in a day. Most are exactly zero, the others spread over orders of magnitude, and one model may
    predict their mean without asking first whether anything happens.

    The power says how the spread grows with the mean. 0 is the squared error, 1 the Poisson deviance, 2 the gamma
    deviance, 3 that of the inverse Gaussian distribution; for insurance 1.5 to 1.7 is common. Costs of different powers
    are in different units and cannot be compared: choose the power by likelihood, or by what the errors are worth.

    Args:
        pred: The predicted means, above 0 (any number for the power 0), shape (n) or (n, ...).
        target: The amounts, of the same shape: at least 0, above 0 for powers from 2 on, any number for powers up to 0.
        power: The exponent p of the mean in the variance; none between 0 and 1 exists.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> tweedie_deviance(torch.tensor([1.0, 4.0]), torch.tensor([0.0, 9.0]))
        tensor([4., 2.])
        >>> tweedie_deviance(torch.tensor([1.0, 4.0]), torch.tensor([0.0, 9.0]), power=1.0)
        tensor([2.0000, 4.5967])
    """
    return mean_over_outputs(unit_deviance(target, pred, power))
