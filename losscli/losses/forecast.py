"""Costs that set the squared errors of all data beside a size of the true values: whole data sets, not single data."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from losscli.domain import SCALAR, Choice
from losscli.loss import Traits
from losscli.losses._stable.elementary import two_product
from losscli.registry import loss
from losscli.statistic import Pooled, Totals

if TYPE_CHECKING:
    from torch import Tensor


def _squared_error(pred: Tensor, target: Tensor) -> Tensor:
    error = pred - target
    return error * error


def _terms(pred: Tensor, target: Tensor, **_: object) -> tuple[Tensor, ...]:
    """Squared errors, true values, and their squares as rounded and as what rounding has lost.

    The variance is a small difference of large sums. These are exact, so it is too, whatever the mean is, as long as
    squares are ordinary numbers: sizes between 1e-146 and 1e154.
    """
    square, lost = two_product(target, target)
    return _squared_error(pred, target), target, square, lost


def _mean_square(totals: Totals) -> Fraction:
    return totals.sums[0] / totals.weight


def _square_of_mean(totals: Totals) -> Fraction:
    return (totals.sums[1] / totals.weight) ** 2


def _variance(totals: Totals) -> Fraction:
    return (totals.sums[2] + totals.sums[3]) / totals.weight - _square_of_mean(totals)


def _square_of_range(totals: Totals) -> Fraction:
    return (Fraction(totals.highs[1]) - Fraction(totals.lows[1])) ** 2


_SIZES = {"mean": "mean", "std": "variance", "range": "range"}
_SQUARED_SIZES = {"mean": _square_of_mean, "std": _variance, "range": _square_of_range}


def _pooled(scale: str, *, root: bool) -> Pooled:
    """The mean squared error over the square of a size of the true values; not defined where that is zero."""

    def combine(totals: Totals) -> Fraction | None:
        size = _SQUARED_SIZES[scale](totals) if totals.weight else Fraction(0)
        return _mean_square(totals) / size if size else None

    return Pooled(_terms, combine, root=root, undefined=f"the {_SIZES[scale]} of the true values is 0")


_NORMALIZED = {scale: _pooled(scale, root=True) for scale in _SQUARED_SIZES}


@loss(
    family="percentage",
    pred=SCALAR,
    target=SCALAR,
    aliases=["relative-squared-error"],
    statistic=_pooled("std", root=False),
    formula=r"e^2,\quad e = \hat{y} - y,\quad \text{cost } \frac{\sum e^2}{\sum (y - \bar{y})^2}",
    gradient=r"2 e",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Squared errors, beside those that the mean of the true values would make.",
        convex="Convex in the predictions, strictly.",
        differentiable="Differentiable everywhere.",
        bounded="Unbounded; 1 is what the mean as the prediction costs.",
        robust="Not robust: an outlier among the true values makes everything else look good.",
    ),
    convention="One ratio of two sums over all data. The mean is that of the true values given, with their weights.",
    differs=[
        "sklearn.metrics.r2_score is 1 minus this cost; where all true values are equal, it is 1 or 0 and this cost is "
        "not defined.",
        "torchmetrics divides by at least 1.17e-6 and, with squared=False, takes the root.",
        "The relative absolute error has absolute values in both sums.",
    ],
    same_as={"sklearn": "1 - sklearn.metrics.r2_score(target, pred)"},
    cites=["breiman1984"],
)
def rse(pred: Tensor, target: Tensor) -> Tensor:
    """The relative squared error: the squared errors beside those of the best constant prediction.

    Below 1 the predictions are better than the mean of the true values, at 0 they are perfect, above 1 the mean would
    have been better. It is 1 minus the coefficient of determination, R^2: the share of the variance that is left
    unexplained.

    It has no unit and compares models on data of different sizes. But it depends on how much the true values vary:
    among data that are nearly equal an excellent model looks poor. All true values equal give no cost at all.

    The sums of all data are exact, so the variance keeps its digits also where it is small beside the mean. The loss of
    a single datum is its squared error.

    Args:
        pred: The predictions, shape (n).
        target: The true values, shape (n), not all equal.

    Returns:
        The squared error of each datum, shape (n).

    Example:
        >>> import losscli
        >>> losscli.compute("rse", pred=[2.0, 2.0, 3.0, 5.0], target=[1.0, 2.0, 3.0, 6.0]).value
        0.14285714285714285
    """
    return _squared_error(pred, target)


@loss(
    family="percentage",
    pred=SCALAR,
    target=SCALAR,
    where={"scale": Choice(("mean", "std", "range"))},
    aliases=["normalized-rmse"],
    statistic=lambda scale: _NORMALIZED[scale],
    formula=r"e^2,\quad e = \hat{y} - y,\quad \text{cost } \frac{1}{s} \sqrt{\frac{1}{n} \sum e^2},\quad "
    r"s = |\bar{y}|,\ \sigma_y \text{ or } \max y - \min y",
    gradient=r"2 e",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="An error twice as large counts four times as much under the root.",
        convex="Convex in the predictions: it is a norm of the errors.",
        differentiable="Differentiable except where all errors are zero.",
        bounded="Unbounded.",
        robust="Not robust against large errors; with the range, one extreme true value makes the cost small.",
    ),
    convention="The root mean squared error over the size of the mean of the true values, over their standard "
    "deviation with divisor n, or over largest minus smallest.",
    differs=[
        "torchmetrics divides by the mean with its sign, so that the cost is negative for negative true values: -.54 "
        "for predictions -1, -2 of -3, -3.5, where this one is .54.",
        "With the standard deviation of divisor n - 1 four data give .196 where this cost is .227, in the example.",
        "Forecasters also divide by the quartile range or by the errors of a naive forecast (RMSSE).",
    ],
    same_as={
        "torchmetrics": "torchmetrics.functional.normalized_root_mean_squared_error(pred, target, "
        "normalization=scale), for a positive mean"
    },
    cites=["farmer1987"],
)
def nrmse(pred: Tensor, target: Tensor, *, scale: str = "mean") -> Tensor:
    """The normalised root mean squared error: ``rmse`` as a share of the size of the true values.

    It makes errors of quantities with different units or sizes comparable. By what to divide depends on the question:
    the mean for amounts with a true zero, the standard deviation to compare with the mean as the prediction (the
    square of the cost is then ``rse``), the range for quantities that move between two known ends. State which, since
    the numbers differ by factors.

    Like ``rmse`` it is a root of a mean of all data, so that costs of parts do not average to the cost of the whole.
    The loss of a single datum is its squared error. Where the size is zero, there is no cost.

    Args:
        pred: The predictions, shape (n).
        target: The true values, shape (n).
        scale: What the root mean squared error is divided by: the mean, the standard deviation or the range.

    Returns:
        The squared error of each datum, shape (n).

    Example:
        >>> import losscli
        >>> data = {"pred": [2.5, 0.0, 2.0, 8.0], "target": [3.0, -0.5, 2.0, 7.0]}
        >>> [round(losscli.compute(f"nrmse:scale={size}", **data).value, 3) for size in ("mean", "std", "range")]
        [0.213, 0.227, 0.082]
    """
    return _squared_error(pred, target)
