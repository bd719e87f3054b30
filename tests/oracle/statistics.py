"""The costs that are not the mean of the losses of the data, of whole data sets.

``pred`` and ``target`` are lists with a number or a list of outputs for each datum; ``weights`` are non-negative and 1
where they are not given. A datum of weight 0 is as good as absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers
from tests.oracle.percentage import msle, nrmse, quotient, rse, weighted_mean
from tests.oracle.regression import lq, mae, max_error, mse, over_outputs

Data = Sequence[float | Numbers]
Weights = Sequence[float] | None


def each(loss: Callable[..., mpf], pred: Data, target: Data) -> list[mpf]:
    return [loss(p, t) for p, t in zip(pred, target, strict=True)]


def counted(values: Sequence[mpf], weights: Weights) -> list[tuple[mpf, mpf]]:
    """The values that have a weight, with it."""
    weights = [1.0] * len(values) if weights is None else weights
    return [(value, mpf(weight)) for value, weight in zip(values, weights, strict=True) if weight > 0]


def cost_rmse(pred: Data, target: Data, weights: Weights = None) -> mpf:
    """The root of the mean squared error."""
    return mpmath.sqrt(weighted_mean(each(mse, pred, target), weights))


def cost_rmsle(pred: Data, target: Data, weights: Weights = None) -> mpf:
    """The root of the mean squared logarithmic error."""
    return mpmath.sqrt(weighted_mean(each(msle, pred, target), weights))


def cost_minkowski(pred: Data, target: Data, weights: Weights = None, p: float = 3.0) -> mpf:
    """The mean of |e|^p, to the power 1/p."""
    return weighted_mean([lq(a, b, q=p) for a, b in zip(pred, target, strict=True)], weights) ** (1 / mpf(p))


def cost_max_error(pred: Data, target: Data, weights: Weights = None) -> mpf:
    """The largest |e|."""
    return max(value for value, _ in counted(each(max_error, pred, target), weights))


def cost_median_absolute_error(pred: Data, target: Data, weights: Weights = None) -> mpf:
    """The median of |e|: Hyndman and Fan 1996, definition 2, with weights in place of counts.

    The least value up to which half of the weight or more lies; where it is exactly half, the mean of that value and of
    the next. With equal weights that is the middle value, or the mean of the two in the middle.
    """
    ordered = sorted(counted(each(mae, pred, target), weights))
    half = mpmath.fsum(weight for _, weight in ordered) / 2
    below = mpf(0)
    for k, (value, weight) in enumerate(ordered):
        below += weight
        if below == half:
            return (value + ordered[k + 1][0]) / 2
        if below > half:
            return value
    raise ValueError("no datum has a weight")


def cost_wmape(pred: Data, target: Data, weights: Weights = None) -> mpf:
    """The sum of |e| over the sum of |y|."""
    sizes = [over_outputs(abs, y) for y in target]
    return quotient(weighted_mean(each(mae, pred, target), weights), weighted_mean(sizes, weights))


def cost_rse(pred: Sequence[float], target: Sequence[float], weights: Weights = None) -> mpf:
    """The sum of e^2 over that of (y - mean y)^2, of one number a datum."""
    return rse(pred, target, weights=weights)


def cost_nrmse(pred: Sequence[float], target: Sequence[float], weights: Weights = None, scale: str = "mean") -> mpf:
    """The root mean squared error over |mean y|, the standard deviation of y or its range, of one number a datum."""
    return nrmse(pred, target, scale=scale, weights=weights)
