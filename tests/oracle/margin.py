"""Losses of a score by its margin m = s f, where s is +1 for a label above 0 and -1 otherwise."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss
from tests.oracle.regression import over_outputs


def of_margins(loss: Callable[[mpf], mpf], pred: float | Numbers, target: float | Numbers) -> mpf:
    return over_outputs(lambda f, y: loss(f if y > 0 else -f), pred, target)


@true_loss
def hinge(pred: float | Numbers, target: float | Numbers, margin: float = 1.0) -> mpf:
    """Cortes and Vapnik 1995, section 3: the slack variable of the soft margin."""
    return of_margins(lambda m: max(mpf(0), mpf(margin) - m), pred, target)


@true_loss
def squared_hinge(pred: float | Numbers, target: float | Numbers, margin: float = 1.0) -> mpf:
    """Cortes and Vapnik 1995, section 3, with the slack squared."""
    return of_margins(lambda m: max(mpf(0), mpf(margin) - m) ** 2, pred, target)


@true_loss
def perceptron(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Rosenblatt 1958, whose rule descends max(0, -m)."""
    return of_margins(lambda m: max(mpf(0), -m), pred, target)


@true_loss
def modified_huber(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Zhang 2004: max(0, 1 - m)^2 for m >= -1, -4m otherwise."""
    return of_margins(lambda m: max(mpf(0), 1 - m) ** 2 if m >= -1 else -4 * m, pred, target)


@true_loss
def soft_margin(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Cox 1958, the logistic loss: ln(1 + e^-m)."""
    return of_margins(lambda m: mpmath.log(1 + mpmath.exp(-m)), pred, target)


@true_loss
def exponential(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Freund and Schapire 1997: e^-m; a label y between 0 and 1 is that much of either class."""

    def of_both(f: mpf, y: mpf) -> mpf:
        share = max(y, mpf(0))
        return share * mpmath.exp(-f) + (1 - share) * mpmath.exp(f)

    return over_outputs(of_both, pred, target)


@true_loss
def binary_sparsemax(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Martins and Astudillo 2016, section 3, two classes: 0 for m >= 1, (1 - m)^2/4 for |m| < 1, -m for m <= -1."""

    def loss(m: mpf) -> mpf:
        if m >= 1:
            return mpf(0)
        return (1 - m) ** 2 / 4 if m > -1 else -m

    return of_margins(loss, pred, target)
