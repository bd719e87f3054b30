"""The continuous ranked probability score of predicted distributions: absolute errors for forecasts with a spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import EMBEDDING, REAL, SCALAR, SCALE, Flag
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import mean_over_outputs, row_sum
from losscli.losses._stable.slopes import with_slopes
from losscli.losses.scale import errors_of_scales
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

MEMBERS = replace(EMBEDDING, name="members", phrase="the members of an ensemble, one number each", shapes=("n M",))
ROOT_OF_TWO_OVER_PI = math.sqrt(2 / math.pi)
# The score in units of the scale where the error is zero: the root of 2/pi less that of 1/pi.
LEAST = 0.23369497725510907


@loss(
    family="scale",
    pred=REAL,
    scale=SCALE,
    target=REAL,
    formula=r"s \left(z\, (2 \Phi(z) - 1) + 2 \varphi(z) - \frac{1}{\sqrt{\pi}}\right),\quad z = \frac{y - \hat{y}}{s}",
    gradient=r"1 - 2 \Phi(z),\quad \frac{\partial}{\partial s} = 2 \varphi(z) - \frac{1}{\sqrt{\pi}}",
    unit="target",
    range="[0, inf)",
    curve=errors_of_scales(),
    traits=Traits(
        punishes="An error in proportion to its size once it is beyond the spread, and a spread that is wider than "
        "needed.",
        convex="Convex in the prediction, and in prediction and scale together.",
        differentiable="Differentiable wherever the scale is above 0.",
        bounded="Unbounded, but it grows only in proportion to the error; always above .2337 times the scale.",
        robust="More robust than gaussian-nll: no error pulls harder than with a slope of 1.",
    ),
    convention="In the unit of the target, and lower is better; the integral of the squared difference of the two "
    "distribution functions, not halved.",
    differs=["Gneiting and Raftery (2007) turn the sign, so that higher is better; in 2005 it is as here."],
    same_as={
        "properscoring": "properscoring.crps_gaussian(target, mu=pred, sig=scale)",
        "torch": "(target - pred) * (2 * torch.distributions.Normal(pred, scale).cdf(target) - 1) + 2 * scale**2 * "
        "torch.exp(torch.distributions.Normal(pred, scale).log_prob(target)) - scale / torch.pi**0.5",
    },
    cites=["matheson1976", "gneiting2005", "gneiting2007"],
)
def crps_gaussian(pred: Tensor, scale: Tensor, target: Tensor) -> Tensor:
    """The continuous ranked probability score of a normal distribution: the absolute error of a forecast with a spread.

    Of a forecast without spread it is the absolute error, so that forecasts with and without one can be compared in the
    unit of the target. It is least for the true mean and the true spread together, as the likelihood is, but it takes a
    surprise calmly: an error of ten standard deviations costs about ten, where ``gaussian-nll`` makes fifty of it.

    Args:
        pred: The predicted means, shape (n) or (n, ...), in the target's unit.
        scale: The predicted standard deviations, above 0, of the same shape.
        target: The true values, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> crps_gaussian(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 1.0]), torch.tensor([0.0, 3.0]))
        tensor([0.2337, 2.4366])
    """
    slopes = (_by_error, _by_scale)
    return mean_over_outputs(with_slopes(_score, slopes, pred - target, scale))


def _score(error: Tensor, scale: Tensor) -> Tensor:
    z = error.abs() / scale
    # |e| erf(z/root 2) and s (root(2/pi) (e^(-z^2/2) - 1) + LEAST): finite for every z, and little cancels.
    return error.abs() * torch.erf(z / math.sqrt(2)) + scale * (ROOT_OF_TWO_OVER_PI * torch.expm1(-0.5 * z * z) + LEAST)


def _by_error(error: Tensor, scale: Tensor) -> Tensor:
    return torch.erf(error / scale / math.sqrt(2))


def _by_scale(error: Tensor, scale: Tensor) -> Tensor:
    z = error / scale
    return ROOT_OF_TWO_OVER_PI * torch.expm1(-0.5 * z * z) + LEAST


def _ensemble(*members: float) -> Callable[[Tensor], Mapping[str, Tensor]]:
    def roles(target: Tensor) -> dict[str, Tensor]:
        pred = torch.tensor([members], dtype=target.dtype).expand(len(target), len(members))
        return {"pred": pred, "target": target}

    return roles


@loss(
    family="scale",
    pred=MEMBERS,
    target=SCALAR,
    where={"fair": Flag()},
    aliases=["crps"],
    formula=r"\frac{1}{M} \sum_i |x_i - y| - \frac{1}{2} M^{-2} \sum_{i, j} |x_i - x_j|",
    gradient=r"\frac{1}{M} \mathrm{sign}(x_i - y) - M^{-2} \sum_j \mathrm{sign}(x_i - x_j)",
    unit="target",
    range="[0, inf)",
    curve=Slice(
        "true value y",
        (-1.0, 5.0),
        {"members 1, 2, 3": _ensemble(1.0, 2.0, 3.0), "members 2, 2, 2": _ensemble(2.0, 2.0, 2.0)},
        variable="y",
        notable=(1.0, 2.0, 3.0),
    ),
    traits=Traits(
        punishes="Members that are far from what happened, less what they differ among themselves.",
        convex="Convex in the true value; not in the members.",
        differentiable="Differentiable except where a member is the true value or two members are the same.",
        bounded="Unbounded, but it grows only in proportion to the error.",
        robust="Robust as the absolute error is: a datum pulls with a slope of 1 at most.",
    ),
    convention="All M^2 pairs of members count, as the score of the distribution that has its mass on them. With "
    "fair=true the M (M - 1) pairs of different members do, as the score of what the members were drawn from.",
    differs=[
        "Libraries differ in which of the two they call CRPS: the members 0 and 1 and the true value .5 score .25, and "
        "0 with fair=true.",
        "Forecasts that are quantiles are often scored by the mean of their quantile losses, twice which comes close.",
    ],
    same_as={
        "properscoring": "properscoring.crps_ensemble(target, pred)",
        "torch": "(pred - target.unsqueeze(1)).abs().mean(1) - "
        "(pred.unsqueeze(2) - pred.unsqueeze(1)).abs().mean((1, 2)) / 2",
    },
    cites=["matheson1976", "hersbach2000", "gneiting2007", "ferro2014"],
)
def crps_ensemble(pred: Tensor, target: Tensor, *, fair: bool = False) -> Tensor:
    """The continuous ranked probability score of an ensemble: of samples that together are the forecast.

    For weather ensembles, bootstrap predictions and draws from a generative model. Members on either side of the truth
    score better than members that all agree on a wrong value, and worse than members that all agree on the right one.
    A single member scores its absolute error.

    Members that were drawn at random spread less than what they were drawn from, so the plain score prefers more of
    them. To compare ensembles of different sizes, or to train with a few draws, use ``fair=true``, which needs at
    least two.

    Args:
        pred: The members of each ensemble in any order, shape (n, M), in the target's unit.
        target: The true values, shape (n).
        fair: Whether only pairs of different members count in how much the members differ.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> crps_ensemble(torch.tensor([[1.0, 2.0, 3.0], [2.0, 2.0, 2.0]]), torch.tensor([2.0, 4.0]))
        tensor([0.2222, 2.0000])
        >>> crps_ensemble(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([2.0]), fair=True)
        tensor([0.])
    """
    members = pred.shape[1]
    result = _ensemble_score(pred.detach(), target.detach(), fair)
    if not (pred.requires_grad or target.requires_grad):
        return result
    # What is added is zero, and carries the slopes: those of sorted members would tell equal ones apart.
    beside = target.unsqueeze(1).expand_as(pred)
    pairs = members * (members - 1) if fair else members**2

    def by_member(x: Tensor, y: Tensor) -> Tensor:
        ordered = x.sort(dim=1).values
        fewer = torch.searchsorted(ordered, x.contiguous())
        up_to = torch.searchsorted(ordered, x.contiguous(), right=True)
        return torch.sign(x - y) / members - (fewer - (members - up_to)).to(x.dtype) / pairs

    slopes = (by_member, lambda x, y: -torch.sign(x - y) / members)
    return result + row_sum(with_slopes(lambda x, y: torch.zeros_like(x), slopes, pred, beside))


def _ensemble_score(pred: Tensor, target: Tensor, fair: bool) -> Tensor:
    members = pred.shape[1]
    ordered = pred.sort(dim=1).values
    value = target.unsqueeze(1)
    # The integral of the squared difference of two step functions: gaps between neighbours, each times a share squared.
    # Below the true value i of M members are passed, above it M - i are still to come. No term is negative.
    below = torch.cat((torch.minimum(ordered, value), value), 1).diff(dim=1)
    above = torch.cat((value, torch.maximum(ordered, value)), 1).diff(dim=1)
    passed = torch.arange(1, members + 1, dtype=pred.dtype, device=pred.device)
    if fair:
        # Not defined for a single member: 0/0.
        share = passed * (passed - 1) / (members * torch.tensor(members - 1, dtype=pred.dtype, device=pred.device))
    else:
        share = (passed / members) ** 2
    return row_sum(below * share + above * share.flip(0))
