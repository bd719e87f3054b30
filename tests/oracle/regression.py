"""Losses of a number against a number."""

from __future__ import annotations

from mpmath import mpf

from tests.oracle.definition import Numbers, as_list, mean, true_loss


@true_loss
def mse(pred: float | Numbers, target: float | Numbers) -> mpf:
    return mean([(p - t) ** 2 for p, t in zip(as_list(pred), as_list(target), strict=True)])


@true_loss
def mae(pred: float | Numbers, target: float | Numbers) -> mpf:
    return mean([abs(p - t) for p, t in zip(as_list(pred), as_list(target), strict=True)])


@true_loss
def huber(pred: float | Numbers, target: float | Numbers, delta: float = 1.0) -> mpf:
    """Huber 1964, equation for rho: t^2/2 for |t| < k, k|t| - k^2/2 for |t| >= k."""

    def rho(t: mpf) -> mpf:
        k = mpf(delta)
        return t**2 / 2 if abs(t) < k else k * abs(t) - k**2 / 2

    return mean([rho(p - t) for p, t in zip(as_list(pred), as_list(target), strict=True)])
