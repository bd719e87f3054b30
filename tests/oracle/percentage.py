"""Losses of a number against a number, relative to their size."""

from __future__ import annotations

from collections.abc import Sequence

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, as_list, true_loss
from tests.oracle.regression import of_errors, over_outputs


def quotient(above: mpf, below: mpf) -> mpf:
    """Above over below for non-negative numbers: infinite over 0, and NaN where both are 0."""
    if below == 0:
        return mpf("inf") if above > 0 else mpf("nan")
    return above / below


@true_loss
def mape(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Hyndman and Koehler 2006, section 2.2, without the factor 100."""
    return over_outputs(lambda p, y: quotient(abs(p - y), abs(y)), pred, target)


@true_loss
def smape(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Makridakis 2020, the M4 competition: 2|e|/(|y| + |pred|), with 0 where both are 0."""
    return over_outputs(lambda p, y: 2 * abs(p - y) / (abs(y) + abs(p)) if y or p else mpf(0), pred, target)


@true_loss
def msle(pred: float | Numbers, target: float | Numbers) -> mpf:
    """The squared error of ln(1 + .) of both."""
    return of_errors(lambda e: e**2, *([mpmath.log(1 + v) for v in as_list(side)] for side in (pred, target)))


@true_loss
def rmsle(pred: float | Numbers, target: float | Numbers) -> mpf:
    """The root mean squared logarithmic error of the datum alone."""
    return mpmath.sqrt(msle(pred, target))


@true_loss
def wmape(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Kolassa and Schütz 2007, the ratio MAD/mean, of the datum alone; several outputs are pooled as data are."""
    return quotient(of_errors(abs, pred, target), over_outputs(abs, target))


Weights = Sequence[float] | None


def weighted_mean(values: Sequence[mpf], weights: Weights) -> mpf:
    """Sum w x over sum w; the plain mean without weights."""
    w = [mpf(1)] * len(values) if weights is None else [mpf(weight) for weight in weights]
    return mpmath.fsum(a * b for a, b in zip(w, values, strict=True)) / mpmath.fsum(w)


@true_loss
def rse(pred: Sequence[float], target: Sequence[float], weights: Weights = None) -> mpf:
    """Breiman 1984, chapter 8, the relative mean squared error. Of a whole data set, as one datum has none."""
    y = as_list(target)
    middle = weighted_mean(y, weights)
    errors = [(p - t) ** 2 for p, t in zip(as_list(pred), y, strict=True)]
    return quotient(weighted_mean(errors, weights), weighted_mean([(t - middle) ** 2 for t in y], weights))


@true_loss
def nrmse(pred: Sequence[float], target: Sequence[float], scale: str = "mean", weights: Weights = None) -> mpf:
    """The root mean squared error over a size of the target. Of a whole data set, as one datum has none."""
    y = as_list(target)
    middle = weighted_mean(y, weights)
    counted = [t for t, w in zip(y, weights or [1.0] * len(y), strict=True) if w > 0]
    size = {
        "mean": abs(middle),
        "std": mpmath.sqrt(weighted_mean([(t - middle) ** 2 for t in y], weights)),
        "range": max(counted) - min(counted),
    }[scale]
    errors = [(p - t) ** 2 for p, t in zip(as_list(pred), y, strict=True)]
    return quotient(mpmath.sqrt(weighted_mean(errors, weights)), size)
