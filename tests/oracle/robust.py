"""Losses of a number against a number that grow no faster than the error itself far out."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss
from tests.oracle.regression import of_errors


@true_loss
def huber(pred: float | Numbers, target: float | Numbers, delta: float = 1.0) -> mpf:
    """Huber 1964, equation for rho: t^2/2 for |t| < k, k|t| - k^2/2 for |t| >= k."""
    k = mpf(delta)
    return of_errors(lambda t: t**2 / 2 if abs(t) < k else k * abs(t) - k**2 / 2, pred, target)


@true_loss
def smooth_l1(pred: float | Numbers, target: float | Numbers, beta: float = 1.0) -> mpf:
    """Girshick 2015, equation 3, which has beta = 1: x^2/2 for |x| < 1, |x| - 1/2 otherwise; beta times that of e/beta.

    For beta = 0, |e|, the limit.
    """
    b = mpf(beta)

    def loss(e: mpf) -> mpf:
        if b == 0:
            return abs(e)
        x = e / b
        return b * (x**2 / 2 if abs(x) < 1 else abs(x) - mpf(1) / 2)

    return of_errors(loss, pred, target)


@true_loss
def pseudo_huber(pred: float | Numbers, target: float | Numbers, delta: float = 1.0) -> mpf:
    """Hartley and Zisserman 2004, appendix 6.8: delta^2 (sqrt(1 + (e/delta)^2) - 1)."""
    d = mpf(delta)
    return of_errors(lambda e: d**2 * (mpmath.sqrt(1 + (e / d) ** 2) - 1), pred, target)


@true_loss
def fair(pred: float | Numbers, target: float | Numbers, c: float = 1.0) -> mpf:
    """Fair 1974, as in Holland and Welsch 1977: c^2 (|e/c| - ln(1 + |e/c|))."""

    def rho(e: mpf) -> mpf:
        x = abs(e / mpf(c))
        return mpf(c) ** 2 * (x - mpmath.log(1 + x))

    return of_errors(rho, pred, target)


@true_loss
def wing(pred: float | Numbers, target: float | Numbers, width: float = 10.0, epsilon: float = 2.0) -> mpf:
    """Feng 2018, equation 5: w ln(1 + |x|/epsilon) for |x| < w, |x| - C otherwise, C = w - w ln(1 + w/epsilon)."""
    w, eps = mpf(width), mpf(epsilon)
    c = w - w * mpmath.log(1 + w / eps)
    return of_errors(lambda x: w * mpmath.log(1 + abs(x) / eps) if abs(x) < w else abs(x) - c, pred, target)
