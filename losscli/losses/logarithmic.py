"""Losses of a number against a number that compare their logarithms: relative errors that treat both sides alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import ABOVE_MINUS_ONE, Interval
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import mean_over_outputs, two_difference, two_product
from losscli.losses._stable.slopes import with_slopes
from losscli.losses.percentage import PREDICTIONS
from losscli.registry import loss
from losscli.statistic import ROOT

if TYPE_CHECKING:
    from torch import Tensor

_PREDICTIONS = Slice(
    PREDICTIONS.axis, PREDICTIONS.span, PREDICTIONS.cases, allowed=Interval(-1, open_low=True), notable=(1.0, 3.0)
)


def _log_ratio(pred: Tensor, target: Tensor) -> Tensor:
    """|ln(1 + pred) - ln(1 + target)|."""
    return with_slopes(
        _size_of_log_ratio,
        (lambda p, t: torch.sign(p - t) / (1 + p), lambda p, t: torch.sign(t - p) / (1 + t)),
        pred,
        target,
    )


def _size_of_log_ratio(pred: Tensor, target: Tensor) -> Tensor:
    """ln(1 + |pred - target| / (1 + the smaller of the two)): nothing cancels where they are close. Not differentiable.

    A square doubles every rounding, so that of the quotient and its parts is undone.
    """
    lower = torch.minimum(pred, target)
    difference, lost = two_difference(torch.maximum(pred, target), lower)
    base, lost_of_base = two_difference(lower, lower.new_tensor(-1.0))
    growth = difference / base
    product, lost_of_product = two_product(growth, base)
    rest = (((difference - product) - lost_of_product) + (lost - growth * lost_of_base)) / base
    near = torch.log1p(growth + torch.where(torch.isfinite(rest), rest, 0.0))
    return torch.where(torch.isinf(growth), (torch.log1p(pred) - torch.log1p(target)).abs(), near)


@loss(
    family="percentage",
    pred=ABOVE_MINUS_ONE,
    target=ABOVE_MINUS_ONE,
    aliases=["mean-squared-logarithmic-error", "mean-squared-log-error"],
    formula=r"\left(\ln(1 + \hat{y}) - \ln(1 + y)\right)^2",
    gradient=r"2\, \frac{\ln(1 + \hat{y}) - \ln(1 + y)}{1 + \hat{y}}",
    unit="1",
    range="[0, inf)",
    curve=_PREDICTIONS,
    traits=Traits(
        punishes="A factor between prediction and true value: twice as much costs the same as half as much.",
        convex="Not convex: its slope falls again where 1 + ŷ is more than 2.718 times 1 + y.",
        differentiable="Differentiable everywhere.",
        bounded="Unbounded, but above the true value it grows only as the square of a logarithm.",
        robust="Fairly robust against large true values; a prediction close to -1 can cost any amount.",
    ),
    convention="Natural logarithms of 1 plus the number, so that zero is allowed; no factor 1/2.",
    differs=[
        "keras.losses.MeanSquaredLogarithmicError raises inputs below 1e-7 to that: a prediction of -.5 for 3 costs "
        "1.92 there and 4.32 here.",
        "xgboost's reg:squaredlogerror is half of this loss.",
        "Some take logarithms of the numbers themselves, which excludes zero and treats all sizes alike.",
    ],
    same_as={
        "sklearn": "sklearn.metrics.mean_squared_log_error(target, pred)",
        "keras": "keras.losses.MeanSquaredLogarithmicError()(target, pred), for numbers of at least 1e-7",
    },
    cites=["tornqvist1985", "tofallis2015"],
)
def msle(pred: Tensor, target: Tensor) -> Tensor:
    """The squared difference of logarithms: the squared error on a scale where factors are distances.

    It suits amounts that grow by factors and range over several sizes, such as prices, incomes, visitors or durations:
    100 for 50 is about as wrong as 10 000 for 5 000. The best constant prediction is about the geometric mean.

    The 1 that is added matters for small numbers: well below 1 the loss is almost the squared error, well above 1 the
    squared relative error. So the unit counts, euros or cents, unlike in ``mape``. Where too little and too much must
    cost the same amount in absolute terms, it is the wrong loss: for a true value of 100, 50 costs 0.467 and 150 costs
    0.162.

    Args:
        pred: The predictions, shape (n) or (n, ...), above -1.
        target: The true values, of the same shape, above -1.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> msle(torch.tensor([50.0, 150.0, 0.0]), torch.tensor([100.0, 100.0, 0.0]))
        tensor([0.4669, 0.1617, 0.0000])
    """
    ratio = _log_ratio(pred, target)
    return mean_over_outputs(ratio * ratio)


@loss(
    family="percentage",
    pred=ABOVE_MINUS_ONE,
    target=ABOVE_MINUS_ONE,
    aliases=["root-mean-squared-log-error"],
    statistic=ROOT,
    formula=(r"l^2,\quad l = \ln(1 + \hat{y}) - \ln(1 + y),\quad \text{cost } \sqrt{\frac{1}{n} \sum l^2}"),
    gradient=r"2\, \frac{\ln(1 + \hat{y}) - \ln(1 + y)}{1 + \hat{y}}",
    unit="1",
    range="[0, inf)",
    curve=_PREDICTIONS,
    traits=Traits(
        punishes="A factor between prediction and true value; the largest factors decide.",
        convex="Not convex in the predictions.",
        differentiable="Differentiable except where all predictions are right.",
        bounded="Unbounded, but above the true value it grows only as a logarithm.",
        robust="Fairly robust against large true values; a prediction close to -1 can cost any amount.",
    ),
    convention="The root of the weighted mean of all squares, taken once at the end; it is no mean over the data.",
    differs=[
        "sklearn.metrics.root_mean_squared_log_error of several outputs averages the roots of the columns, where this "
        "is the root of the mean over all of them.",
        "xgboost's metric rmsle is the same, its objective reg:squaredlogerror half the squares.",
    ],
    same_as={"sklearn": "sklearn.metrics.root_mean_squared_log_error(target, pred)"},
    cites=["tornqvist1985", "tofallis2015"],
)
def rmsle(pred: Tensor, target: Tensor) -> Tensor:
    """The root mean squared logarithmic error: by what factor predictions are typically off.

    Read it as a growth rate: 0.1 is about ten per cent, 0.69 a factor of two, 2.3 a factor of ten. It orders
    predictions as ``msle`` does, and what is said there of the added 1 holds here too.

    The root is taken of the cost of all data. So costs of parts do not average to the cost of the whole, and as a
    training criterion the function gives the squares: minimising them is the same.

    Args:
        pred: The predictions, shape (n) or (n, ...), above -1.
        target: The true values, of the same shape, above -1.

    Returns:
        The squared difference of logarithms of each datum, shape (n), of which the cost is the root of the mean.

    Example:
        >>> import losscli
        >>> round(losscli.compute("rmsle", pred=[49.0, 99.0], target=[99.0, 49.0]).value, 4)
        0.6931
    """
    ratio = _log_ratio(pred, target)
    return mean_over_outputs(ratio * ratio)
