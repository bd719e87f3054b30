"""Losses of the probabilities of several classes."""

from __future__ import annotations

from collections.abc import Sequence

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss, x_ln


def class_probabilities(pred: Numbers, kind: str) -> list[mpf]:
    """The softmax of Bridle 1990; exponentials are taken from the largest score on, which changes nothing."""
    values = [mpf(v) for v in pred]
    if kind == "probs":
        return values
    if kind == "log-probs":
        return [mpmath.exp(v) for v in values]
    largest = max(values)
    exponentials = [mpmath.exp(v - largest) for v in values]
    total = mpmath.fsum(exponentials)
    return [e / total for e in exponentials]


def shares(target: float | Numbers, classes: int, label_smoothing: float) -> list[mpf]:
    if isinstance(target, (list, tuple)):
        q = [mpf(t) for t in target]
    else:
        q = [mpf(1) if c == int(target) else mpf(0) for c in range(classes)]
    return [share * (1 - mpf(label_smoothing)) + mpf(label_smoothing) / classes for share in q]


def per_class(numbers: Numbers | None, classes: int) -> list[mpf]:
    if numbers is None:
        return [mpf(1)] * classes
    return [mpf(v) for v in (list(numbers) * classes if len(numbers) == 1 else numbers)]


def minus_logs(pred: Numbers, kind: str, probabilities_: Sequence[mpf]) -> list[mpf]:
    """-ln p of each class; a probability too small for mpmath's digits keeps its score."""
    if kind == "log-probs":
        return [-mpf(v) for v in pred]
    if kind == "probs":
        return [-x_ln(mpf(1), p) for p in probabilities_]
    largest = max(mpf(v) for v in pred)
    log_of_sum = mpmath.log(mpmath.fsum(mpmath.exp(mpf(v) - largest) for v in pred))
    return [largest - mpf(v) + log_of_sum for v in pred]


@true_loss
def cross_entropy(
    pred: Numbers,
    target: float | Numbers,
    input: str = "logits",
    label_smoothing: float = 0.0,
    class_weight: Numbers | None = None,
    ignore_index: int | None = None,
) -> mpf:
    """The numerator of torch's weighted cost for one datum, over the datum's own part of the denominator."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    classes = len(pred)
    logs = minus_logs(pred, input, class_probabilities(pred, input))
    weights = per_class(class_weight, classes)
    terms = zip(shares(target, classes, label_smoothing), weights, logs, strict=True)
    numerator = mpmath.fsum(q * w * log for q, w, log in terms if q * w)
    if class_weight is None:
        return numerator
    denominator = mpmath.fsum(q * w for q, w in zip(shares(target, classes, 0.0), weights, strict=True))
    return numerator / denominator if denominator else mpf(0)


@true_loss
def categorical_focal(
    pred: Numbers,
    target: float | Numbers,
    gamma: float = 2.0,
    alpha: Numbers | None = None,
    input: str = "logits",
    label_smoothing: float = 0.0,
) -> mpf:
    classes = len(pred)
    p = class_probabilities(pred, input)
    logs = minus_logs(pred, input, p)
    total = mpf(0)
    for c, (q, a) in enumerate(zip(shares(target, classes, label_smoothing), per_class(alpha, classes), strict=True)):
        if q * a:
            # For scores the other classes' probability is summed, as 1 - p may round to 0.
            others = mpmath.fsum(v for k, v in enumerate(p) if k != c) if input == "logits" else 1 - p[c]
            total += q * a * (mpf(1) if gamma == 0 else others ** mpf(gamma)) * logs[c]
    return total
