"""Losses of a number against a number, relative to their size: percentage errors, without the factor 100."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import REAL
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import mean_over_outputs
from losscli.losses._stable.slopes import with_slopes
from losscli.registry import loss
from losscli.statistic import Pooled, ratio

if TYPE_CHECKING:
    from torch import Tensor


def _predictions_of_one(pred: Tensor) -> dict[str, Tensor]:
    return {"pred": pred, "target": torch.ones_like(pred)}


def _predictions_of_three(pred: Tensor) -> dict[str, Tensor]:
    return {"pred": pred, "target": torch.full_like(pred, 3.0)}


# Against the error alone these losses are not to be seen: what an error costs depends on the true value.
PREDICTIONS = Slice(
    "prediction ŷ",
    (0.0, 6.0),
    {"true value 1": _predictions_of_one, "true value 3": _predictions_of_three},
    notable=(1.0, 3.0),
)


def _in_range(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Both, or a quarter of both where their sum would be infinite: a ratio of the two stays as it is."""
    large = torch.isinf(pred.abs() + target.abs())
    if not bool(large.any()):
        return pred, target
    return torch.where(large, pred / 4, pred), torch.where(large, target / 4, target)


@loss(
    family="percentage",
    pred=REAL,
    target=REAL,
    aliases=["mean-absolute-percentage-error"],
    formula=r"\frac{|e|}{|y|},\quad e = \hat{y} - y",
    gradient=r"\frac{\mathrm{sign}(e)}{|y|}",
    unit="1",
    range="[0, inf)",
    curve=PREDICTIONS,
    traits=Traits(
        punishes="An error in proportion to the true value: one tenth too much costs 0.1, whatever the size.",
        convex="Convex in the prediction, not strictly.",
        differentiable="Differentiable except where the error is zero.",
        bounded="Unbounded for predictions that are too high; between 0 and the true value it is 1 at most.",
        robust="Not robust against small true values: one that is almost zero decides the cost.",
    ),
    convention="A share, not multiplied by 100, with nothing added to the denominator: a true value of 0 costs "
    "infinity, and is not defined where the prediction is 0 too.",
    differs=[
        "keras.losses.MeanAbsolutePercentageError multiplies by 100 and divides by at least 1e-7: a prediction of 1 "
        "for 0 costs 1e9 there.",
        "sklearn.metrics.mean_absolute_percentage_error divides by at least 2.2e-16, which gives 4.5e15 for it, and "
        "torchmetrics by at least 1.17e-6, which gives 854701.",
        "LightGBM and CatBoost divide by at least 1: a prediction of .25 for .5 costs .25 there and .5 here.",
    ],
    same_as={"sklearn": "sklearn.metrics.mean_absolute_percentage_error(target, pred)"},
    cites=["hyndman2006", "demyttenaere2016"],
)
def mape(pred: Tensor, target: Tensor) -> Tensor:
    """The absolute percentage error as a share: how large the error is beside the true value.

    It has no unit, so that it compares forecasts of things of different sizes and is easy to tell: a cost of 0.2 says
    that predictions are off by a fifth. That makes sense only for quantities with a true zero, such as sales or
    weights, and not for temperatures.

    It prefers predictions that are too low. Those cost 1 at most, those that are too high cost any amount, so the best
    constant prediction lies below the median. Where true values are zero or nearly so, use ``wmape``, which pools
    them, or ``mae``.

    Args:
        pred: The predictions, shape (n) or (n, ...).
        target: The true values, of the same shape, other than zero.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> mape(torch.tensor([90.0, 3.0, 5.0]), torch.tensor([100.0, 2.0, 5.0]))
        tensor([0.1000, 0.5000, 0.0000])
    """
    pred, target = _in_range(pred, target)
    return mean_over_outputs((pred - target).abs() / target.abs())


def _sum_of_sizes(pred: Tensor, target: Tensor) -> Tensor:
    size = pred.abs() + target.abs()
    return torch.where(size == 0, 1.0, size)


def _symmetric(pred: Tensor, target: Tensor) -> Tensor:
    pred, target = _in_range(pred, target)
    return 2 * ((pred - target).abs() / _sum_of_sizes(pred, target))


def _slope_by_first(first: Tensor, second: Tensor) -> Tensor:
    """Zero where the signs differ: there the loss is 2, whatever the sizes."""
    size = _sum_of_sizes(first, second)
    slope = torch.sign(first - second) * (4 * (second.abs() / size) / size)
    return torch.where(torch.sign(first) == torch.sign(second), slope, 0.0)


@loss(
    family="percentage",
    pred=REAL,
    target=REAL,
    aliases=["symmetric-mape"],
    formula=r"\frac{2 |e|}{|y| + |\hat{y}|},\quad e = \hat{y} - y",
    gradient=r"\mathrm{sign}(e)\, 4 |y| / (|y| + |\hat{y}|)^2 \text{ if } y \hat{y} > 0,\quad 0 \text{ otherwise}",
    unit="1",
    range="[0, 2]",
    curve=PREDICTIONS,
    traits=Traits(
        punishes="An error in proportion to the mean of the prediction and the true value.",
        convex="Not convex: far above the true value it levels off.",
        differentiable="Differentiable except where the error or the prediction is zero.",
        bounded="At most 2, which every prediction of the wrong sign costs, and every prediction other than 0 of 0.",
        robust="No datum costs more than 2.",
    ),
    convention="Twice the error over the sum of the sizes, as a share and not in per cent; 0 where both are 0.",
    differs=[
        "The competition M4 multiplies by 100: 0 to 200 %.",
        "Some leave out the factor 2, so that 1 is the largest value: a prediction of 3 for 1 costs .5 there, 1 here.",
        "Makridakis' first form divides by (y + ŷ)/2 without the absolute values, which can be negative.",
        "torchmetrics divides by at least 1.17e-6, which changes what tiny values cost.",
    ],
    same_as={"torchmetrics": "torchmetrics.functional.symmetric_mean_absolute_percentage_error(pred, target)"},
    cites=["makridakis1993", "makridakis2020", "hyndman2006"],
)
def smape(pred: Tensor, target: Tensor) -> Tensor:
    """The symmetric percentage error: the error beside the mean size of the prediction and the true value.

    It mends what makes ``mape`` infinite: a true value of zero costs 2 at most. It is the measure of forecasting
    competitions, where series of many sizes, some with zeros, are put into one number.

    It is symmetric when prediction and true value change places, not between too high and too low: for a true value of
    100, predictions of 50 and of 150 cost 0.667 and 0.4. And it takes two zeros to be a perfect forecast but any other
    prediction of a zero to be as wrong as can be, so that it says little of series with many zeros.

    Args:
        pred: The predictions, shape (n) or (n, ...).
        target: The true values, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> smape(torch.tensor([50.0, 150.0, 1.0, 0.0]), torch.tensor([100.0, 100.0, 0.0, 0.0]))
        tensor([0.6667, 0.4000, 2.0000, 0.0000])
    """
    slopes = (_slope_by_first, lambda p, t: _slope_by_first(t, p))
    return mean_over_outputs(with_slopes(_symmetric, slopes, pred, target))


def _sizes(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    return mean_over_outputs((pred - target).abs()), mean_over_outputs(target.abs())


@loss(
    family="percentage",
    pred=REAL,
    target=REAL,
    aliases=["wape", "weighted-mape"],
    statistic=Pooled(_sizes, ratio, undefined="the true values are all 0"),
    formula=r"\frac{|e|}{|y|},\quad e = \hat{y} - y,\quad \text{cost } \frac{\sum |e|}{\sum |y|}",
    gradient=r"\frac{\mathrm{sign}(e)}{|y|}",
    unit="1",
    range="[0, inf)",
    curve=PREDICTIONS,
    traits=Traits(
        punishes="Every unit of error alike, whatever the true value that it belongs to.",
        convex="Convex in the predictions, not strictly.",
        differentiable="Differentiable except where an error is zero.",
        bounded="Unbounded.",
        robust="Robust against small true values, also zeros; as the mean absolute error against outliers.",
    ),
    convention="One ratio of two sums over all data, not a mean of ratios; a share, not multiplied by 100. Weights of "
    "data multiply both sums.",
    differs=[
        "torchmetrics divides by at least 1.17e-6: for true values of 0 only it gives a number, 2.56e6 for errors of "
        "1 and 2, where this cost is not defined.",
        "A mean of the ratios of batches is another number: 1/1 and 1/3 give .667, where both together are 2/4.",
    ],
    same_as={"torchmetrics": "torchmetrics.functional.weighted_mean_absolute_percentage_error(pred, target)"},
    cites=["kolassa2007"],
)
def wmape(pred: Tensor, target: Tensor) -> Tensor:
    """The weighted percentage error: the sum of all errors over the sum of all true values.

    It is the mean absolute error, expressed as a share of the mean true value: the percentage error in which each datum
    counts by its true value. So a shop's total error is set beside its total sales, and items that sell nothing do no
    harm, which they do in ``mape``.

    It orders predictions of one data set exactly as ``mae`` does, and its purpose is to compare data sets. The loss of
    a single datum, which ``--per-datum`` shows, is its own ratio; the cost is not the mean of these.

    Args:
        pred: The predictions, shape (n) or (n, ...).
        target: The true values, of the same shape, not all of them zero.

    Returns:
        The ratio of each datum, shape (n), infinite for a true value of zero; several outputs are pooled as data are.

    Example:
        >>> import losscli
        >>> losscli.compute("wmape", pred=[1.0, 9.0, 20.0], target=[0.0, 10.0, 30.0]).value
        0.3
    """
    pred, target = _in_range(pred, target)
    error, size = _sizes(pred, target)
    return error / size
