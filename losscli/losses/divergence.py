"""Divergences: how much worse a predicted distribution, or positive amounts, describe the data than the target does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import (
    CLASS_LOG_PROBABILITIES,
    CLASS_LOGITS,
    DISTRIBUTION,
    NON_NEGATIVE_NUMBER,
    POSITIVE_NUMBER,
    Choice,
    Flag,
    Interval,
)
from losscli.loss import Depends, Slice, Traits
from losscli.losses._stable.deviance import divergence_term, jensen_shannon_term, relative_entropy, unit_deviance
from losscli.losses._stable.elementary import rest_of_softmax, row_sum
from losscli.losses._stable.twofold import Twofold
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

    Form = Callable[[Tensor], Tensor]

LOG_DISTRIBUTION = replace(
    CLASS_LOG_PROBABILITIES,
    phrase="one log-probability for each outcome, whose exponentials sum to 1",
    shapes=("n C",),
    hint="are these probabilities? Add --input probs.",
)
PRED = {
    "log-probs": LOG_DISTRIBUTION,
    "probs": replace(DISTRIBUTION, hint="are these logits or logarithms? --input says which."),
    "logits": replace(CLASS_LOGITS, phrase="one logit for each outcome", shapes=("n C",)),
}
TARGET = Depends(
    "log_target",
    {
        False: replace(DISTRIBUTION, hint="are these logarithms? Add --log-target."),
        True: replace(LOG_DISTRIBUTION, hint="are these probabilities? Leave out --log-target."),
    },
)
AMOUNTS = replace(NON_NEGATIVE_NUMBER, name="amounts", phrase="amounts of at least 0", shapes=("n C",))
POSITIVE_AMOUNTS = replace(
    POSITIVE_NUMBER,
    name="positive amounts",
    phrase="amounts above 0",
    shapes=("n C",),
    hint="generalized-kl takes zeros.",
)


# --- what they are drawn against --------------------------------------------------------------------------------------


def _as_it_is(probabilities: Tensor) -> Tensor:
    return probabilities


def _logarithm(probabilities: Tensor) -> Tensor:
    return torch.log(probabilities)


def two_outcomes(pred_form: Form = _as_it_is, target_form: Form = _as_it_is) -> Slice:
    """The predicted probability of the first of two outcomes, against targets of .5 and .9 for it."""

    def against(share: float) -> Callable[[Tensor], Mapping[str, Tensor]]:
        def roles(p: Tensor) -> dict[str, Tensor]:
            target = torch.tensor([[share, 1 - share]], dtype=p.dtype).expand(len(p), 2)
            return {"pred": pred_form(torch.stack([p, 1 - p], 1)), "target": target_form(target)}

        return roles

    return Slice(
        "predicted probability p of the first of two outcomes",
        (0.0, 1.0),
        {"true probability 0.5": against(0.5), "true probability 0.9": against(0.9)},
        variable="p",
        allowed=Interval(0, 1),
        notable=(0.5, 0.9),
    )


def _of_form(input: str, log_target: bool) -> Slice:
    # Softmax of logarithms is the identity.
    return two_outcomes(_as_it_is if input == "probs" else _logarithm, _logarithm if log_target else _as_it_is)


def _of_one(pred: Tensor) -> dict[str, Tensor]:
    return {"pred": pred.unsqueeze(1), "target": torch.ones_like(pred).unsqueeze(1)}


def _of_five(pred: Tensor) -> dict[str, Tensor]:
    return {"pred": pred.unsqueeze(1), "target": torch.full_like(pred, 5.0).unsqueeze(1)}


_ONE_AMOUNT = Slice(
    "predicted amount p",
    (0.5, 10.0),
    {"true amount 1": _of_one, "true amount 5": _of_five},
    variable="p",
    allowed=Interval(low=0),
    notable=(1.0, 5.0),
)


# --- the losses -------------------------------------------------------------------------------------------------------


@loss(
    family="divergences",
    pred=PRED,
    target=TARGET,
    where={"input": Choice(tuple(PRED)), "log_target": Flag()},
    aliases=["kl", "relative-entropy"],
    formula=r"\sum_c q_c \left(\ln q_c - \ln p_c\right),\quad q = y",
    gradient=r"-\frac{q_c}{p_c} \text{ for probabilities}",
    unit="nats",
    range="[0, inf)",
    curve=_of_form,
    traits=Traits(
        punishes="Outcomes that happen more often than predicted; without bound those that were held to be impossible.",
        convex="Convex in the predicted probabilities, in their logits, and in both distributions together.",
        differentiable="Differentiable wherever the predicted probabilities are above 0.",
        bounded="Unbounded; zero only where the two distributions are the same.",
        robust="Not robust: one outcome with a predicted probability near 0 decides the cost.",
    ),
    convention="Natural logarithm, 0 ln 0 = 0. The target comes first in KL(q || p): it is what the outcomes follow. "
    "The sum over the outcomes is the loss of a datum, so that a mean is over the data.",
    differs=[
        "torch.nn.KLDivLoss with its default reduction='mean' divides by the number of outcomes too: .184 for the "
        "prediction (.5, .5) and the target (.9, .1), which costs .368 here; its reduction='batchmean' does not.",
        "It takes logarithms and does not look: the probabilities themselves give -.825 for that datum, where this "
        "loss refuses them.",
        "torchmetrics.KLDivergence has the target as its first argument, and keras clips both sides to [1e-7, 1].",
    ],
    same_as={
        "torch": "torch.nn.functional.kl_div(pred, target, reduction='none').sum(1)",
        "keras": "keras.losses.KLDivergence()(target, pred), for input=probs",
        "optax": "optax.losses.kl_divergence(pred, target)",
    },
    cites=["kullback1951", "loader2000"],
)
def kl_divergence(pred: Tensor, target: Tensor, *, input: str = "log-probs", log_target: bool = False) -> Tensor:
    """The Kullback-Leibler divergence from a predicted distribution to the target's: what the wrong one costs in code.

    Outcomes that follow q, coded for p, need that many nats more than they must. It is the cross entropy less the
    entropy of the target, so as a training criterion the two have the same gradient; only the divergence is 0 for a
    perfect prediction. Use it for soft targets: the answers of a larger model, shares of votes, label distributions.

    It is not symmetric. With the target in front, a prediction must not miss what happens, and may well allow what does
    not. Where neither side is the truth, take ``js-divergence``; where sums are not 1, ``generalized-kl``.

    Logarithms of probabilities have lost what tells two close distributions apart: for a divergence below 1e-10 give
    probabilities, with ``input=probs``.

    Args:
        pred: The predicted distributions in the form that ``input`` says, shape (n, C).
        target: The true distributions, of the same shape; their logarithms with ``log_target``.
        input: Whether the prediction is log-probabilities, probabilities or logits.
        log_target: Whether the target is log-probabilities.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> pred, target = torch.tensor([[0.5, 0.5], [0.9, 0.1]]), torch.tensor([[0.9, 0.1], [0.9, 0.1]])
        >>> kl_divergence(pred, target, input="probs")
        tensor([0.3681, 0.0000])
        >>> kl_divergence(torch.log(pred), target)
        tensor([0.3681, 0.0000])
    """
    if input == "probs" and not log_target:
        # The terms q ln(q/p) - q + p are never negative. What is added to them sums up to nothing but rounding.
        return row_sum(divergence_term(target, pred)) + _surplus(target, pred)
    log_p = _log_probabilities(pred, input)
    q = torch.exp(target) if log_target else target
    log_q = target if log_target else torch.log(torch.where(q == 0, 1.0, q))
    impossible = q == 0
    log_q = torch.where(impossible, 0.0, log_q)
    # A prediction of -inf must not meet a share of 0. What is missing stays so.
    log_p = torch.where(impossible & torch.isinf(log_p), 0.0, log_p)
    return row_sum(q * (log_q - log_p))


def _log_probabilities(pred: Tensor, input: str) -> Tensor:
    if input == "log-probs":
        return pred
    if input == "probs":
        return torch.log(pred)
    largest, top, rest = rest_of_softmax(pred)
    return -((top - pred).scatter(1, largest, 0.0) + torch.log1p(rest).unsqueeze(1))


def _surplus(first: Tensor, second: Tensor) -> Tensor:
    """By how much the sum of each row exceeds that of the second's, to twice the digits; a constant."""
    return (Twofold.of(first.detach()) - Twofold.of(second.detach())).sum().rounded().squeeze(1)


@loss(
    family="divergences",
    pred=AMOUNTS,
    target=AMOUNTS,
    aliases=["i-divergence", "generalized-kl-divergence"],
    formula=r"\sum_c \left(q_c \ln(q_c / p_c) - q_c + p_c\right),\quad q = y",
    gradient=r"1 - \frac{q_c}{p_c}",
    unit="target",
    range="[0, inf)",
    curve=_ONE_AMOUNT,
    traits=Traits(
        punishes="Each amount by itself: by its squared error over the prediction where that is small.",
        convex="Convex in the predicted amounts, and in both sides together.",
        differentiable="Differentiable wherever the predicted amounts are above 0.",
        bounded="Unbounded; zero only where all amounts are the same.",
        robust="Not robust: an amount that was predicted to be almost 0 costs as much as one likes.",
    ),
    convention="Natural logarithm, 0 ln 0 = 0; the sum over the amounts of a datum, not their mean, and not doubled.",
    differs=[
        "It is half of poisson-deviance, which takes the mean over the outputs of a datum where this is the sum.",
        "scipy.special.kl_div gives its terms, not plain relative entropy, and torch.nn.functional.kl_div the other.",
    ],
    same_as={
        "optax": "optax.losses.generalized_kl_divergence(jax.numpy.log(pred), target)",
        "scipy": "scipy.special.kl_div(target, pred).sum(1)",
        "torch": "torch.special.xlogy(target, target / pred).sum(1) - target.sum(1) + pred.sum(1)",
    },
    cites=["csiszar1991", "lee2001", "loader2000"],
)
def generalized_kl(pred: Tensor, target: Tensor) -> Tensor:
    """The Kullback-Leibler divergence of amounts that need not sum to one: histograms, spectra, counts of words.

    Plain relative entropy may be negative where sums differ. With the two sums set against each other every term is
    positive, so that it measures a distance again: from the shares as well as from the totals. Of distributions it is
    the same as ``kl-divergence``. As the objective of a factorisation of non-negative matrices it is the usual choice
    beside the squared error; for counts it is the likelihood of Poisson's distribution.

    Args:
        pred: The predicted amounts, at least 0, shape (n, C).
        target: The true amounts, at least 0, of the same shape.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> generalized_kl(torch.tensor([[2.0, 2.0], [3.0, 1.0]]), torch.tensor([[3.0, 0.0], [3.0, 1.0]]))
        tensor([2.2164, 0.0000])
    """
    return row_sum(relative_entropy(target, pred))


@loss(
    family="divergences",
    pred=DISTRIBUTION,
    target=DISTRIBUTION,
    aliases=["js", "jensen-shannon"],
    formula=r"\frac{1}{2} \sum_c \left(q_c \ln(q_c / m_c) + p_c \ln(p_c / m_c)\right),"
    r"\quad m = \frac{q + p}{2},\quad q = y",
    gradient=r"\frac{1}{2} \ln(p_c / m_c)",
    unit="nats",
    range="[0, 0.6931472]",
    curve=two_outcomes(),
    traits=Traits(
        punishes="Shares of probability that the two distributions do not have in common.",
        convex="Convex in the predicted probabilities, and in both distributions together.",
        differentiable="Differentiable wherever the predicted probabilities are above 0.",
        bounded="At most ln 2 = .693, which two distributions without a common outcome cost.",
        robust="Robust: an outcome that was held to be impossible costs a limited amount.",
    ),
    convention="Natural logarithm, so that the largest value is ln 2 and not 1; the divergence, not its square root, "
    "with the same weight for both sides.",
    differs=[
        "scipy.spatial.distance.jensenshannon is the square root of it, which is a metric: .319 for the prediction "
        "(.5, .5) and the target (.9, .1), which costs .102 here. With base=2 it is .383.",
    ],
    same_as={
        "scipy": "scipy.spatial.distance.jensenshannon(pred, target, axis=1)**2",
        "torch": "torch.special.xlogy(target, 2 * target / (pred + target)).sum(1) / 2 + "
        "torch.special.xlogy(pred, 2 * pred / (pred + target)).sum(1) / 2",
    },
    cites=["lin1991"],
)
def js_divergence(pred: Tensor, target: Tensor) -> Tensor:
    """The Jensen-Shannon divergence: how far two distributions are from the one in the middle between them.

    Unlike the Kullback-Leibler divergence it treats both sides alike, and it is finite where one of them excludes what
    the other allows. So it suits comparing two models, two groups or two periods, neither of which is the truth. In a
    fair guess which of the two an outcome came from, it is the information that the outcome gives.

    As a training criterion it teaches little where the two have almost nothing in common, since it is then at its
    upper bound; ``kl-divergence`` keeps its slope there.

    Args:
        pred: The predicted distributions, shape (n, C).
        target: The true distributions, of the same shape.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> js_divergence(torch.tensor([[0.5, 0.5], [1.0, 0.0]]), torch.tensor([[0.9, 0.1], [0.0, 1.0]]))
        tensor([0.1017, 0.6931])
    """
    return row_sum(jensen_shannon_term(target, pred))


@loss(
    family="divergences",
    pred=POSITIVE_AMOUNTS,
    target=POSITIVE_AMOUNTS,
    aliases=["is-divergence"],
    formula=r"\sum_c \left(\frac{q_c}{p_c} - \ln(q_c / p_c) - 1\right),\quad q = y",
    gradient=r"\frac{1}{p_c} \left(1 - \frac{q_c}{p_c}\right)",
    unit="1",
    range="[0, inf)",
    curve=_ONE_AMOUNT,
    traits=Traits(
        punishes="The ratio of each amount to its prediction: too low a prediction more than one too high.",
        convex="Convex in a predicted amount below twice the true one, concave beyond.",
        differentiable="Differentiable wherever the amounts are above 0.",
        bounded="Unbounded, but it grows only as a logarithm in predictions that are too large.",
        robust="Not robust against predictions that are far too small.",
    ),
    convention="The target over the prediction; the sum over the amounts of a datum, not their mean, and not halved.",
    differs=[
        "It is half of gamma-deviance, which takes the mean over the outputs of a datum where this is the sum.",
        "In speech coding the mean over the frequencies is usual, and prediction and target are sometimes exchanged: "
        "the prediction 1 for 2 costs .307, and 2 for 1 costs .193.",
    ],
    same_as={"torch": "(target / pred - torch.log(target / pred) - 1).sum(1)"},
    cites=["itakura1968", "fevotte2009"],
)
def itakura_saito(pred: Tensor, target: Tensor) -> Tensor:
    """The Itakura-Saito divergence of two power spectra: each frequency counts by its ratio, however faint it is.

    A change of loudness changes nothing, and a quiet overtone that is off by half costs as much as a loud one. That
    fits hearing, and it is the likelihood of a spectrum whose powers are exponentially distributed around the
    prediction. For the same reason it is no measure where small amounts are noise: there ``generalized-kl`` or ``mse``
    say more. Amounts of zero are refused.

    Args:
        pred: The predicted powers, above 0, shape (n, C).
        target: The true powers, above 0, of the same shape.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> itakura_saito(torch.tensor([[1.0, 10.0], [2.0, 5.0]]), torch.tensor([[2.0, 20.0], [2.0, 5.0]]))
        tensor([0.6137, 0.0000])
    """
    return row_sum(0.5 * unit_deviance(target, pred, 2.0))
