"""Losses of the probability of one event."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, as_list, mean, true_loss, x_ln
from tests.oracle.regression import over_outputs


def probabilities(pred: float, kind: str) -> tuple[mpf, mpf]:
    """The probabilities of label 1 and of label 0."""
    p = mpf(pred)
    if kind == "probs":
        return p, 1 - p
    return 1 / (1 + mpmath.exp(-p)), 1 / (1 + mpmath.exp(p))


def smoothed(target: float, label_smoothing: float) -> mpf:
    """Szegedy 2016: (1 - eps) q + eps u with the even distribution u."""
    return mpf(target) * (1 - mpf(label_smoothing)) + mpf(label_smoothing) / 2


@true_loss
def binary_cross_entropy(
    pred: float | Numbers,
    target: float | Numbers,
    input: str = "probs",
    label_smoothing: float = 0.0,
    pos_weight: float | None = None,
) -> mpf:
    values = []
    for p_given, t in zip(as_list(pred), as_list(target), strict=True):
        y = smoothed(t, label_smoothing)
        p, q = probabilities(p_given, input)
        weight = mpf(1) if pos_weight is None else mpf(pos_weight)
        values.append(-(weight * x_ln(y, p)) - x_ln(1 - y, q))
    return mean(values)


@true_loss
def balanced_cross_entropy(
    pred: float, target: float, pos_weight: float = 1.0, neg_weight: float = 1.0, input: str = "probs"
) -> mpf:
    p, q = probabilities(pred, input)
    y = mpf(target)
    return -mpf(pos_weight) * x_ln(y, p) - mpf(neg_weight) * x_ln(1 - y, q)


@true_loss
def focal(
    pred: float,
    target: float,
    gamma: float = 2.0,
    alpha: float | None = 0.25,
    input: str = "probs",
    label_smoothing: float = 0.0,
) -> mpf:
    """Lin 2017, equation 5: FL(p_t) = -alpha_t (1 - p_t)^gamma log(p_t), weighted by how much each label is true."""
    p, q = probabilities(pred, input)
    y = smoothed(target, label_smoothing)
    alpha_1, alpha_0 = (mpf(1), mpf(1)) if alpha is None else (mpf(alpha), 1 - mpf(alpha))
    total = mpf(0)
    for share, alpha_t, p_t, other in ((y, alpha_1, p, q), (1 - y, alpha_0, q, p)):
        if share and alpha_t:
            total -= share * alpha_t * (mpf(1) if gamma == 0 else other ** mpf(gamma)) * x_ln(mpf(1), p_t)
    return total


@true_loss
def brier(pred: float | Numbers, target: float | Numbers, input: str = "probs") -> mpf:
    """Brier 1950, of one of the two classes: (p - y)^2."""
    return over_outputs(lambda given, y: (probabilities(given, input)[0] - y) ** 2, pred, target)


@true_loss
def zero_one(pred: float | Numbers, target: float | Numbers) -> mpf:
    """1 where any of the datum's labels is wrong."""
    return mpf(0) if as_list(pred) == as_list(target) else mpf(1)


@true_loss
def hamming(pred: float | Numbers, target: float | Numbers) -> mpf:
    """Hamming 1950, over the number of labels: the share of labels that differ."""
    return over_outputs(lambda p, y: mpf(0) if p == y else mpf(1), pred, target)
