"""Losses of a number against a number."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, as_list, mean, true_loss
from tests.oracle.embedding import cosine


def over_outputs(loss: Callable[..., mpf], *roles: float | Numbers) -> mpf:
    """The mean of a loss of numbers over the outputs of a datum."""
    return mean([loss(*values) for values in zip(*map(as_list, roles), strict=True)])


def of_errors(rho: Callable[[mpf], mpf], pred: float | Numbers, target: float | Numbers) -> mpf:
    """The mean over the outputs of a function of the error alone."""
    return over_outputs(lambda p, t: rho(p - t), pred, target)


@true_loss
def mse(pred: float | Numbers, target: float | Numbers) -> mpf:
    return of_errors(lambda e: e**2, pred, target)


@true_loss
def mae(pred: float | Numbers, target: float | Numbers) -> mpf:
    return of_errors(abs, pred, target)


@true_loss
def rmse(pred: float | Numbers, target: float | Numbers) -> mpf:
    """The root mean squared error of the datum alone."""
    return mpmath.sqrt(mse(pred, target))


@true_loss
def max_error(pred: float | Numbers, target: float | Numbers) -> mpf:
    return max(abs(p - t) for p, t in zip(as_list(pred), as_list(target), strict=True))


@true_loss
def median_absolute_error(pred: float | Numbers, target: float | Numbers) -> mpf:
    """What the median is taken of: the absolute error, of several outputs their mean."""
    return mae(pred, target)


@true_loss
def log_cosh(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Green 1990, the penalty ln cosh."""
    return of_errors(lambda e: mpmath.log(mpmath.cosh(e)), pred, target)


@true_loss
def lq(pred: float | Numbers, target: float | Numbers, q: float = 1.5) -> mpf:
    """Gonin and Money 1989: |e|^q."""
    return of_errors(lambda e: abs(e) ** mpf(q), pred, target)


@true_loss
def minkowski(pred: float | Numbers, target: float | Numbers, p: float = 3.0) -> mpf:
    """Minkowski 1896: the distance of order p of the datum alone, over the mean of its outputs."""
    return lq(pred, target, q=p) ** (1 / mpf(p))


@true_loss
def cosine_distance(pred: Numbers, target: Numbers) -> mpf:
    """Salton 1975: one minus the cosine of the angle between the two vectors."""
    return cosine(pred, target)
