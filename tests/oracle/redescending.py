"""Losses of a number against a number whose slope falls again for large errors; x = e/c throughout."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss
from tests.oracle.regression import of_errors


def of_scaled_errors(rho: Callable[[mpf], mpf], pred: float | Numbers, target: float | Numbers, c: float) -> mpf:
    return of_errors(lambda e: rho(e / mpf(c)), pred, target)


@true_loss
def cauchy(pred: float | Numbers, target: float | Numbers, c: float = 1.0) -> mpf:
    """Barron 2019, section 1: ln(x^2/2 + 1)."""
    return of_scaled_errors(lambda x: mpmath.log(x**2 / 2 + 1), pred, target, c)


@true_loss
def charbonnier(pred: float | Numbers, target: float | Numbers, c: float = 1.0) -> mpf:
    """Charbonnier 1994, as in Barron 2019, section 1: sqrt(x^2 + 1) - 1."""
    return of_scaled_errors(lambda x: mpmath.sqrt(x**2 + 1) - 1, pred, target, c)


@true_loss
def geman_mcclure(pred: float | Numbers, target: float | Numbers, c: float = 1.0) -> mpf:
    """Geman and McClure 1985, as in Barron 2019, section 1: 2x^2/(x^2 + 4)."""
    return of_scaled_errors(lambda x: 2 * x**2 / (x**2 + 4), pred, target, c)


@true_loss
def welsch(pred: float | Numbers, target: float | Numbers, c: float = 1.0) -> mpf:
    """Dennis and Welsch 1978, as in Barron 2019, section 1: 1 - exp(-x^2/2)."""
    return of_scaled_errors(lambda x: 1 - mpmath.exp(-(x**2) / 2), pred, target, c)


@true_loss
def tukey(pred: float | Numbers, target: float | Numbers, c: float = 4.685) -> mpf:
    """Beaton and Tukey 1974: c^2/6 (1 - (1 - x^2)^3) for |x| <= 1, c^2/6 otherwise."""
    height = mpf(c) ** 2 / 6
    return of_scaled_errors(lambda x: height * (1 - (1 - x**2) ** 3) if abs(x) <= 1 else height, pred, target, c)


@true_loss
def general_robust(pred: float | Numbers, target: float | Numbers, alpha: float = 1.0, c: float = 1.0) -> mpf:
    """Barron 2019, equation 8, and exp(x^2/2) - 1, the limit for alpha = inf."""
    a = mpf(alpha)

    def rho(x: mpf) -> mpf:
        if a == 2:
            return x**2 / 2
        if a == 0:
            return mpmath.log(x**2 / 2 + 1)
        if a == mpf("-inf"):
            return 1 - mpmath.exp(-(x**2) / 2)
        if a == mpf("inf"):
            return mpmath.exp(x**2 / 2) - 1
        b = abs(a - 2)
        return b / a * ((x**2 / b + 1) ** (a / 2) - 1)

    return of_scaled_errors(rho, pred, target, c)
