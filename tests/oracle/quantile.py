"""Losses of quantiles, expectiles, tubes and intervals."""

from __future__ import annotations

from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss
from tests.oracle.regression import of_errors, over_outputs


@true_loss
def quantile(pred: float | Numbers, target: float | Numbers, tau: float = 0.5) -> mpf:
    """Koenker and Bassett 1978: tau u for u = y - pred >= 0, (tau - 1) u for u < 0."""
    return over_outputs(lambda p, y: (mpf(tau) if y >= p else mpf(tau) - 1) * (y - p), pred, target)


@true_loss
def expectile(pred: float | Numbers, target: float | Numbers, tau: float = 0.5) -> mpf:
    """Newey and Powell 1987: |tau - 1(u < 0)| u^2 for u = y - pred."""
    return over_outputs(lambda p, y: abs(mpf(tau) - (1 if y < p else 0)) * (y - p) ** 2, pred, target)


def beyond(e: mpf, epsilon: float) -> mpf:
    """Vapnik 1995: |e|_epsilon, 0 inside the tube and |e| - epsilon outside."""
    return abs(e) - mpf(epsilon) if abs(e) > mpf(epsilon) else mpf(0)


@true_loss
def epsilon_insensitive(pred: float | Numbers, target: float | Numbers, epsilon: float = 0.1) -> mpf:
    return of_errors(lambda e: beyond(e, epsilon), pred, target)


@true_loss
def squared_epsilon_insensitive(pred: float | Numbers, target: float | Numbers, epsilon: float = 0.1) -> mpf:
    return of_errors(lambda e: beyond(e, epsilon) ** 2, pred, target)


@true_loss
def interval_score(low: float | Numbers, high: float | Numbers, target: float | Numbers, alpha: float = 0.05) -> mpf:
    """Gneiting and Raftery 2007, equation 43: (u - l) + 2/alpha (l - x) 1(x < l) + 2/alpha (x - u) 1(x > u).

    Both fines are due where the ends are in the wrong order and the target lies between them.
    """

    def score(lower: mpf, upper: mpf, x: mpf) -> mpf:
        too_low = lower - x if x < lower else mpf(0)
        too_high = x - upper if x > upper else mpf(0)
        return (upper - lower) + 2 / mpf(alpha) * too_low + 2 / mpf(alpha) * too_high

    return over_outputs(score, low, high, target)
