"""Likelihoods of counts with a parameter or a role more than Poisson's: how much they scatter, and out of how many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import COUNT, POSITIVE, PROBABILITY, Interval
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import mean_over_outputs
from losscli.losses._stable.factorial import minus_log_binomial, minus_log_negative_binomial
from losscli.losses._stable.slopes import with_slopes
from losscli.losses.counts import BY_MEAN, MEAN
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

CHANCE = replace(PROBABILITY, hint="are these logits? Take their sigmoid first.")
TRIALS = replace(COUNT, name="trials", phrase="a number of trials")


@loss(
    family="counts",
    pred=MEAN,
    target=COUNT,
    where={"dispersion": POSITIVE},
    aliases=["nb2-nll"],
    formula=r"-\ln\left(\frac{\Gamma(y + r)}{\Gamma(r)\, y!}\right) - r \ln\left(\frac{r}{r + \mu}\right) - y "
    r"\ln\left(\frac{\mu}{r + \mu}\right),\quad r = 1 / \alpha",
    gradient=r"\frac{\mu - y}{\mu (1 + \alpha \mu)}",
    unit="nats",
    range="[0, inf)",
    curve=BY_MEAN,
    traits=Traits(
        punishes="An error in units of a spread that grows with the mean itself, not only with its root.",
        convex="Convex in the logarithm of the mean; in the mean only up to somewhat beyond the count.",
        differentiable="Differentiable wherever the mean is above 0.",
        bounded="Unbounded, but it grows only as a logarithm in means that are too large.",
        robust="Less moved by single large counts than poisson-nll, the less so the larger the dispersion.",
    ),
    convention="All constants are included, so that it is minus the logarithm of a probability. With the dispersion "
    "alpha the variance is mu + alpha mu^2 (the model NB2).",
    differs=[
        "scipy.stats.nbinom and torch.distributions.NegativeBinomial take the number r = 1/alpha and a probability: "
        "r/(r + mu) in the first, mu/(r + mu) in the second.",
        "R calls r the size or theta. In the model NB1 the variance is mu + alpha mu.",
    ],
    same_as={
        "torch": "-torch.distributions.NegativeBinomial(1 / dispersion, logits=torch.log(dispersion * pred))"
        ".log_prob(target)",
        "scipy": "-scipy.stats.nbinom.logpmf(target, 1 / dispersion, 1 / (1 + dispersion * pred))",
    },
    cites=["cameron1998", "loader2000"],
)
def negative_binomial_nll(pred: Tensor, target: Tensor, *, dispersion: float = 1.0) -> Tensor:
    """Minus the logarithm of a count's negative binomial probability: Poisson's for counts that scatter more.

    Real counts mostly do: visits, accidents, reads of a gene. Each has a rate of its own, of which the prediction is
    only the mean, so that the variance exceeds the mean. If that is ignored, the few large counts decide a fit.

    The dispersion says how much the rates differ: its root is their standard deviation in units of the mean. 1 means
    that they are exponentially distributed, close to 0 is Poisson's distribution. Estimate it from the data: the mean
    of ((y - mu)^2 - y)/mu^2 over them comes close.

    Args:
        pred: The predicted means, above 0, shape (n) or (n, ...).
        target: The counts, at least 0, of the same shape. They need not be whole, but fractions far below 1 keep fewer
            digits.
        dispersion: alpha, the variance beyond that of Poisson's distribution in units of the squared mean.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> negative_binomial_nll(torch.tensor([1.0, 1.0, 4.0]), torch.tensor([0.0, 1.0, 4.0]))
        tensor([0.6931, 1.3863, 2.5020])
    """
    return mean_over_outputs(
        with_slopes(
            lambda mean, y: minus_log_negative_binomial(mean, y, dispersion),
            (
                lambda mean, y: (mean - y) / mean / (1 + dispersion * mean),
                lambda mean, y: (
                    torch.digamma(y + 1) - torch.digamma(y + 1 / dispersion) + torch.log1p(1 / (dispersion * mean))
                ),
            ),
            pred,
            target,
        )
    )


def _of_four(successes: float) -> Callable[[Tensor], Mapping[str, Tensor]]:
    return lambda p: {"pred": p, "trials": torch.full_like(p, 4.0), "target": torch.full_like(p, successes)}


@loss(
    family="counts",
    pred=CHANCE,
    trials=TRIALS,
    target=COUNT,
    formula=r"-\ln\left(\frac{n!}{k!\, (n - k)!}\right) - k \ln p - (n - k) \ln(1 - p)",
    gradient=r"\frac{n p - k}{p (1 - p)}",
    unit="nats",
    range="[0, inf)",
    curve=Slice(
        "predicted probability p of a success",
        (0.0, 1.0),
        {"0 of 4": _of_four(0.0), "2 of 4": _of_four(2.0), "4 of 4": _of_four(4.0)},
        variable="p",
        allowed=Interval(0, 1),
        notable=(0.5,),
    ),
    traits=Traits(
        punishes="A share of successes that is unlikely for the predicted probability; many trials more than few.",
        convex="Convex in the probability and in its logit.",
        differentiable="Differentiable within (0, 1).",
        bounded="Unbounded: infinite for a probability of 0 with a success, or of 1 with a failure.",
        robust="Not robust: a datum of many trials counts for as much as all of them.",
    ),
    convention="All constants are included, so that it is minus the logarithm of a probability; for one trial it is "
    "binary-cross-entropy.",
    differs=[
        "binary-cross-entropy of the share of successes, with the trials as weights, leaves out the number of ways to "
        "arrange them: for 2 of 4 and p = .5 it is 2.773, where this loss is .981.",
        "torch.distributions.Binomial keeps probabilities away from 0 and 1 by an epsilon.",
    ],
    same_as={
        "torch": "-torch.distributions.Binomial(trials, pred).log_prob(target)",
        "scipy": "-scipy.stats.binom.logpmf(target, trials, pred)",
    },
    cites=["bernoulli1713", "loader2000"],
)
def binomial_nll(pred: Tensor, trials: Tensor, target: Tensor) -> Tensor:
    """Minus the logarithm of the probability of so many successes in so many trials.

    For rates that are known from counts: conversions among visits, defects among parts, correct answers among
    questions. A share of 1 in 2 says little, one of 500 in 1000 much, and the loss weighs them by that. It takes the
    successes to be independent of each other; where they come in clusters, it is too sure of large counts.

    Args:
        pred: The predicted probability of a success, shape (n) or (n, ...).
        trials: How often it was tried, a whole number of at least 0, of the same shape.
        target: How often it succeeded, at most as often as it was tried, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> binomial_nll(torch.tensor([0.5, 0.5]), torch.tensor([4.0, 1.0]), torch.tensor([2.0, 1.0]))
        tensor([0.9808, 0.6931])
    """
    return mean_over_outputs(
        with_slopes(minus_log_binomial, (_by_chance, _by_trials, _by_successes), pred, trials, target)
    )


def _by_chance(p: Tensor, n: Tensor, k: Tensor) -> Tensor:
    # At an end that the outcomes do not exclude, the factor of the other part is left.
    inside = (n * p - k) / (p * (1 - p))
    return torch.where(k == 0, n / (1 - p), torch.where(k == n, -n / p, inside))


def _by_trials(p: Tensor, n: Tensor, k: Tensor) -> Tensor:
    return torch.digamma(n - k + 1) - torch.digamma(n + 1) - torch.log1p(-p)


def _by_successes(p: Tensor, n: Tensor, k: Tensor) -> Tensor:
    return torch.digamma(k + 1) - torch.digamma(n - k + 1) + torch.log1p(-p) - torch.log(p)
