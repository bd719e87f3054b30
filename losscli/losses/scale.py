"""Losses of a number predicted together with how uncertain it is: likelihoods of a location and a scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import POSITIVE, REAL, SCALE, VARIANCE, Flag
from losscli.loss import Derived, Slice, Traits
from losscli.losses._stable.elementary import mean_over_outputs
from losscli.losses._stable.factorial import rest_of_half_step
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

# Beyond, 1 + x is x, and x itself may soon be infinite.
FAR = 1e200


# --- what they are drawn against --------------------------------------------------------------------------------------


def errors_of_scales(role: str = "scale", power: float = 1.0) -> Slice:
    """The error, for three scales.

    Args:
        role: the one that says how uncertain the prediction is.
        power: what the role is of the scale: 2 for a variance.
    """

    def of_scale(scale: float) -> Callable[[Tensor], Mapping[str, Tensor]]:
        return lambda error: {
            "pred": error,
            role: torch.full_like(error, scale**power),
            "target": torch.zeros_like(error),
        }

    cases = {f"scale {text}": of_scale(float(text)) for text in ("0.5", "1", "2")}
    return Slice("error e = prediction − target", (-4.0, 4.0), cases, notable=(0.0,))


# --- the losses -------------------------------------------------------------------------------------------------------


def _square(scale: Tensor) -> Tensor:
    return scale * scale


@loss(
    family="scale",
    pred=REAL,
    var=VARIANCE,
    target=REAL,
    where={"full": Flag()},
    derived={"var": Derived(_square, {"scale": SCALE})},
    aliases=["normal-nll"],
    formula=r"\frac{1}{2} \left(\ln v + \frac{e^2}{v}\right) \; \left(+ \frac{1}{2} \ln 2\pi\right),"
    r"\quad e = \hat{y} - y",
    gradient=r"\frac{e}{v},\quad \frac{\partial}{\partial v} = \frac{1}{2} \left(\frac{1}{v} - \frac{e^2}{v^2}\right)",
    unit="nats",
    range="(-inf, inf)",
    curve=errors_of_scales("var", power=2.0),
    traits=Traits(
        punishes="An error by its square in units of the predicted variance, and a large variance by its logarithm.",
        convex="Convex in the prediction; in the variance only up to twice the squared error.",
        differentiable="Differentiable wherever the variance is above 0.",
        bounded="Unbounded on both sides: where an error is zero, a variance close to 0 gains without end.",
        robust="Not robust against errors far beyond the predicted spread; student-t-nll is.",
    ),
    convention="Natural logarithm; the constant ln(2 pi)/2 is left out unless full=true. Nothing bounds the "
    "variance from below.",
    differs=[
        "torch.nn.GaussianNLLLoss raises variances below 1e-6 to that: an error of 1 with the variance 1e-9 costs "
        "499993.09 there, and 499999989.64 here. Its arguments are in the order prediction, target, variance.",
        "CatBoost's RMSEWithUncertainty predicts the logarithm of the standard deviation.",
    ],
    same_as={
        "torch": "torch.nn.functional.gaussian_nll_loss(pred, target, var, full=full, reduction='none')",
    },
    cites=["gauss1809", "nix1994"],
)
def gaussian_nll(pred: Tensor, var: Tensor, target: Tensor, *, full: bool = False) -> Tensor:
    """Minus the logarithm of a normal density with a mean and a variance that are both predicted.

    It teaches a model to say how sure it is. The error counts in units of the predicted variance, and the logarithm
    keeps that variance from growing: the two are in balance where the variance is the mean squared error of such data.
    With one variance for all data it orders predictions as ``mse`` does.

    Training from scratch is delicate, because data that fit badly are first explained by a large variance and then
    hardly pull; start with a fixed variance, or compare with ``crps-gaussian``, which is gentler to wrong spreads. A
    variance that comes close to 0 gains without end, so let the model bound it.

    Args:
        pred: The predicted means, shape (n) or (n, ...).
        var: The predicted variances, above 0, of the same shape; computed from the scale where that is given instead.
        target: The true values, of the same shape.
        scale: The predicted standard deviations, above 0, of the same shape.
        full: Whether the constant ln(2 pi)/2 is included, as in a likelihood.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> gaussian_nll(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 4.0]), torch.tensor([3.0, 3.0]))
        tensor([2.0000, 1.1931])
    """
    error = pred - target
    constant = 0.5 * math.log(2 * math.pi) if full else 0.0
    return mean_over_outputs(0.5 * (torch.log(var) + error * (error / var)) + constant)


@loss(
    family="scale",
    pred=REAL,
    scale=SCALE,
    target=REAL,
    formula=r"\ln(2 b) + \frac{|e|}{b},\quad e = \hat{y} - y",
    gradient=r"\frac{\mathrm{sign}(e)}{b},\quad \frac{\partial}{\partial b} = \frac{1}{b} - "
    r"\frac{|e|}{b^2}",
    unit="nats",
    range="(-inf, inf)",
    curve=errors_of_scales(),
    traits=Traits(
        punishes="An error by its size in units of the predicted scale, and a large scale by its logarithm.",
        convex="Convex in the prediction; in the scale only up to twice the absolute error.",
        differentiable="Differentiable except where the error is zero.",
        bounded="Unbounded on both sides: where an error is zero, a scale close to 0 gains without end.",
        robust="Robust against outliers of the target: the best prediction is a median.",
    ),
    convention="Natural logarithm, with the constant ln 2. The scale b is the mean absolute error of such data and "
    "not their standard deviation, which is 1.414 b.",
    same_as={"torch": "-torch.distributions.Laplace(pred, scale).log_prob(target)"},
    cites=["laplace1774"],
)
def laplace_nll(pred: Tensor, scale: Tensor, target: Tensor) -> Tensor:
    """Minus the logarithm of a Laplace density with a location and a scale that are both predicted.

    It is to the absolute error what ``gaussian-nll`` is to the squared one: the prediction is a median, and the scale
    is the mean absolute error to expect. Choose it where some data are far off and must not decide how wide the others
    are thought to be. Where tails are heavier still, ``student-t-nll`` has a parameter for them.

    Args:
        pred: The predicted locations, shape (n) or (n, ...).
        scale: The predicted scales b, above 0, of the same shape.
        target: The true values, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> laplace_nll(torch.tensor([1.0, 1.0]), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 3.0]))
        tensor([0.6931, 2.3863])
    """
    return mean_over_outputs(torch.log(2 * scale) + (pred - target).abs() / scale)


@loss(
    family="scale",
    pred=REAL,
    scale=SCALE,
    target=REAL,
    where={"df": POSITIVE},
    aliases=["student-nll"],
    formula=r"\frac{\nu + 1}{2} \ln\left(1 + \frac{(e/s)^2}{\nu}\right) + \ln s + \ln\left(\frac{\sqrt{\nu \pi}\, "
    r"\Gamma(\nu/2)}{\Gamma((\nu + 1)/2)}\right),\quad e = \hat{y} - y",
    gradient=r"\frac{(\nu + 1)\, e}{\nu s^2 + e^2}",
    unit="nats",
    range="(-inf, inf)",
    curve=errors_of_scales(),
    traits=Traits(
        punishes="Small errors by their square, large ones by the logarithm of their size, both in units of the scale.",
        convex="Not convex: beyond an error of s times the root of nu the slope falls again.",
        differentiable="Differentiable wherever the scale is above 0.",
        bounded="Unbounded, but it grows only as a logarithm of the error.",
        robust="Robust: an error that is large enough hardly pulls at all.",
    ),
    convention="Natural logarithm, with all constants. The scale s is not the standard deviation, which is "
    "s times the root of nu/(nu - 2) above nu = 2 and infinite up to it.",
    differs=["cauchy is this loss for nu = 1 but for constants, with c = .707 s."],
    same_as={"torch": "-torch.distributions.StudentT(df, pred, scale).log_prob(target)"},
    cites=["student1908", "lange1989"],
)
def student_t_nll(pred: Tensor, scale: Tensor, target: Tensor, *, df: float = 4.0) -> Tensor:
    """Minus the logarithm of Student's t density: a normal one for most data, which expects the others to be far off.

    For measurements with occasional mistakes and for returns of prices: where errors beyond three standard deviations
    come far more often than the normal distribution allows. Large errors then say little about location and scale.

    The degrees of freedom set how heavy the tails are. 1 is Cauchy's distribution, which has not even a mean; 3 to 5
    are common, and beyond 30 it is hardly different from the normal distribution, whose ``gaussian-nll`` with
    ``full=true`` is the limit.

    Args:
        pred: The predicted locations, shape (n) or (n, ...).
        scale: The predicted scales s, above 0, of the same shape.
        target: The true values, of the same shape.
        df: The degrees of freedom, nu.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> student_t_nll(torch.tensor([0.0, 0.0]), torch.tensor([1.0, 1.0]), torch.tensor([0.0, 10.0]))
        tensor([0.9808, 9.1261])
    """
    size = (pred - target).abs()
    ratio = size / scale
    square = ratio * (ratio / df)
    far = square > FAR
    near_ratio = torch.where(far, 1.0, ratio)
    near = torch.log1p(near_ratio * (near_ratio / df))
    beyond = 2 * (torch.log(torch.where(far, size, 1.0)) - torch.log(torch.where(far, scale, 1.0))) - math.log(df)
    constant = 0.5 * math.log(2 * math.pi) + rest_of_half_step(0.5 * df)
    return mean_over_outputs((0.5 * df + 0.5) * torch.where(far, beyond, near) + torch.log(scale) + constant)
