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


def log_sum_exp(values: Sequence[mpf]) -> mpf:
    """ln of the sum of e^v, with the largest exponential taken out of the sum, which changes nothing."""
    largest = max(values)
    return largest + mpmath.log(mpmath.fsum(mpmath.exp(v - largest) for v in values))


def complements(probabilities_: Sequence[mpf]) -> list[mpf]:
    """1 - p of each class as the sum of the other classes' probabilities: of a softmax, 1 - p may round to 0."""
    return [mpmath.fsum(p for k, p in enumerate(probabilities_) if k != c) for c in range(len(probabilities_))]


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
    ignore_index: int | None = None,
) -> mpf:
    """Lin 2017, equation 5, of the true class's probability; of labels that are shared out, each class's part."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
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


@true_loss
def poly_1(
    pred: Numbers,
    target: float | Numbers,
    epsilon: float = 2.0,
    input: str = "logits",
    label_smoothing: float = 0.0,
    class_weight: Numbers | None = None,
    ignore_index: int | None = None,
) -> mpf:
    """Leng 2022, Poly-1: CE + epsilon (1 - P_t); of labels that are shared out, sum q_c (1 - p_c) as in its code.

    Class weights weigh both parts as they do the cross entropy.
    """
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    p = class_probabilities(pred, input)
    others = complements(p) if input == "logits" else [1 - v for v in p]
    weights = per_class(class_weight, len(pred))
    q = [share * w for share, w in zip(shares(target, len(pred), label_smoothing), weights, strict=True)]
    of_target = mpmath.fsum(share * w for share, w in zip(shares(target, len(pred), 0.0), weights, strict=True))
    total = mpf(1) if class_weight is None else of_target
    wrong = mpmath.fsum(share * other for share, other in zip(q, others, strict=True)) / total if total else mpf(0)
    return cross_entropy(pred, target, input, label_smoothing, class_weight) + mpf(epsilon) * wrong


@true_loss
def generalized_cross_entropy(
    pred: Numbers, target: float | Numbers, q: float = 0.7, input: str = "logits", ignore_index: int | None = None
) -> mpf:
    """Zhang 2018, the loss L_q: (1 - f_j(x)^q) / q, weighted by how much each class is true."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    p = class_probabilities(pred, input)
    terms = zip(shares(target, len(pred), 0.0), p, strict=True)
    return mpmath.fsum(share * (1 - v ** mpf(q)) / mpf(q) for share, v in terms if share)


@true_loss
def symmetric_cross_entropy(
    pred: Numbers,
    target: float | Numbers,
    alpha: float = 0.1,
    beta: float = 1.0,
    log_zero: float = -4.0,
    input: str = "logits",
    ignore_index: int | None = None,
) -> mpf:
    """Wang 2019, section 4: alpha H(q, p) + beta H(p, q), where ln 0 in H(p, q) is a constant A < 0."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    p = class_probabilities(pred, input)
    q = shares(target, len(pred), 0.0)
    reverse = -mpmath.fsum(v * (mpmath.log(share) if share else mpf(log_zero)) for v, share in zip(p, q, strict=True))
    forward = cross_entropy(pred, target, input) if alpha else mpf(0)
    return mpf(alpha) * forward + mpf(beta) * reverse


@true_loss
def multiclass_brier(
    pred: Numbers, target: float | Numbers, input: str = "probs", ignore_index: int | None = None
) -> mpf:
    """Brier 1950, the score P of one occasion: the sum over the classes of (f_j - E_j)^2."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    p = class_probabilities(pred, input)
    return mpmath.fsum((v - share) ** 2 for v, share in zip(p, shares(target, len(pred), 0.0), strict=True))


@true_loss
def linear_cross_entropy(
    features: Numbers,
    matrix: Sequence[Numbers],
    target: float | Numbers,
    bias: Numbers | None = None,
    label_smoothing: float = 0.0,
    class_weight: Numbers | None = None,
    ignore_index: int | None = None,
) -> mpf:
    """The cross entropy of the scores W x + b, one row of W a class: multinomial logistic regression."""
    offsets = [0.0] * len(matrix) if bias is None else bias
    scores = [
        mpmath.fsum(mpf(w) * mpf(x) for w, x in zip(row, features, strict=True)) + mpf(b)
        for row, b in zip(matrix, offsets, strict=True)
    ]
    return cross_entropy(scores, target, "logits", label_smoothing, class_weight, ignore_index)
