"""Every loss once more, for one datum, in mpmath: written from the papers' definitions, not from our code.

The working precision exceeds the span of float64's exponents, so that the textbook forms lose nothing: at 60 digits
ln(1 - 1e-300) would already be 0. ``ORACLE`` maps a loss's name to its function; each takes a datum's roles as floats
or lists of floats and the loss's parameters, and gives an mpf.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction

import mpmath
from mpmath import mpf

# From 2^1024, the end of float64's range, to 2^-1074, its smallest number, and some digits.
PRECISION = 2300

Numbers = Sequence[float]


def mean(values: Sequence[mpf]) -> mpf:
    return mpmath.fsum(values) / len(values)


def as_list(value: float | Numbers) -> list[mpf]:
    return [mpf(v) for v in value] if isinstance(value, (list, tuple)) else [mpf(value)]


def x_ln(weight: mpf, probability: mpf) -> mpf:
    """w ln p with 0 ln 0 = 0, the limit that information theory uses."""
    if weight == 0:
        return mpf(0)
    return weight * mpmath.log(probability) if probability > 0 else mpf("-inf")


# --- regression -------------------------------------------------------------------------------------------------------


def mse(pred: float | Numbers, target: float | Numbers) -> mpf:
    return mean([(p - t) ** 2 for p, t in zip(as_list(pred), as_list(target), strict=True)])


def mae(pred: float | Numbers, target: float | Numbers) -> mpf:
    return mean([abs(p - t) for p, t in zip(as_list(pred), as_list(target), strict=True)])


def huber(pred: float | Numbers, target: float | Numbers, delta: float = 1.0) -> mpf:
    """Huber 1964, equation for rho: t^2/2 for |t| < k, k|t| - k^2/2 for |t| >= k."""

    def rho(t: mpf) -> mpf:
        k = mpf(delta)
        return t**2 / 2 if abs(t) < k else k * abs(t) - k**2 / 2

    return mean([rho(p - t) for p, t in zip(as_list(pred), as_list(target), strict=True)])


# --- one event --------------------------------------------------------------------------------------------------------


def probabilities(pred: float, kind: str) -> tuple[mpf, mpf]:
    """The probabilities of label 1 and of label 0."""
    p = mpf(pred)
    if kind == "probs":
        return p, 1 - p
    return 1 / (1 + mpmath.exp(-p)), 1 / (1 + mpmath.exp(p))


def smoothed(target: float, label_smoothing: float) -> mpf:
    """Szegedy 2016: (1 - eps) q + eps u with the even distribution u."""
    return mpf(target) * (1 - mpf(label_smoothing)) + mpf(label_smoothing) / 2


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


def balanced_cross_entropy(
    pred: float, target: float, pos_weight: float = 1.0, neg_weight: float = 1.0, input: str = "probs"
) -> mpf:
    p, q = probabilities(pred, input)
    y = mpf(target)
    return -mpf(pos_weight) * x_ln(y, p) - mpf(neg_weight) * x_ln(1 - y, q)


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


# --- several classes --------------------------------------------------------------------------------------------------


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


# --- vectors ----------------------------------------------------------------------------------------------------------


def squared_euclidean(a: Numbers, b: Numbers) -> mpf:
    return mpmath.fsum((mpf(x) - mpf(y)) ** 2 for x, y in zip(a, b, strict=True))


def euclidean(a: Numbers, b: Numbers) -> mpf:
    return mpmath.sqrt(squared_euclidean(a, b))


def cosine(a: Numbers, b: Numbers) -> mpf:
    dot = mpmath.fsum(mpf(x) * mpf(y) for x, y in zip(a, b, strict=True))
    lengths = mpmath.sqrt(mpmath.fsum(mpf(x) ** 2 for x in a) * mpmath.fsum(mpf(y) ** 2 for y in b))
    return 1 - dot / lengths


DISTANCES = {"squared-euclidean": squared_euclidean, "euclidean": euclidean, "cosine": cosine}


def contrastive(
    distance: float | None = None,
    similar: float = 1.0,
    margin: float = 1.0,
    first: Numbers = (),
    second: Numbers = (),
) -> mpf:
    """Hadsell 2006, equation 4, with similar = 1 - Y."""
    d = euclidean(first, second) if distance is None else mpf(distance)
    y = 0 if similar == 1 else 1
    return (1 - y) * d**2 / 2 + y * max(mpf(0), mpf(margin) - d) ** 2 / 2


def triplet(
    anchor: Numbers,
    positive: Numbers,
    negative: Numbers,
    margin: float = 1.0,
    distance: str = "squared-euclidean",
    swap: bool = False,
) -> mpf:
    """Schroff 2015, equation 3; with swap, Balntas 2016, section 3.1."""
    d = DISTANCES[distance]
    to_negative = min(d(anchor, negative), d(positive, negative)) if swap else d(anchor, negative)
    return max(mpf(0), d(anchor, positive) - to_negative + mpf(margin))


ORACLE: dict[str, Callable[..., mpf]] = {
    "mse": mse,
    "mae": mae,
    "huber": huber,
    "binary-cross-entropy": binary_cross_entropy,
    "balanced-cross-entropy": balanced_cross_entropy,
    "focal": focal,
    "cross-entropy": cross_entropy,
    "categorical-focal": categorical_focal,
    "contrastive": contrastive,
    "triplet": triplet,
}


# --- comparing --------------------------------------------------------------------------------------------------------


def value(name: str, **arguments: object) -> mpf:
    """The true loss of one datum."""
    with mpmath.workprec(PRECISION):
        return ORACLE[name](**arguments)


def slope(name: str, role: str, position: int | None, **arguments: object) -> mpf:
    """The derivative of the true loss by one number of one role, as a central difference far below float64's digits."""
    with mpmath.workprec(PRECISION):
        given = arguments[role]
        middle = mpf(given if position is None else given[position])
        step = max(abs(middle), mpf(2) ** -1074) * mpf(2) ** -700

        def moved(by: mpf) -> mpf:
            new = middle + by
            if position is None:
                return ORACLE[name](**{**arguments, role: new})
            vector = [mpf(v) for v in given]
            vector[position] = new
            return ORACLE[name](**{**arguments, role: vector})

        return (moved(step) - moved(-step)) / (2 * step)


def ulps(got: float, true: mpf, *, single: bool = False) -> float:
    """How far a result is from the true value, in units in the last place of the true value. No absolute tolerance."""
    if mpmath.isinf(true) or mpmath.isnan(true):
        return 0.0 if str(float(true)) == str(got) else math.inf
    largest = 3.4028234663852886e38 if single else 1.7976931348623157e308
    with mpmath.workprec(PRECISION):
        if abs(true) > mpf(largest) * (1 + mpf(2) ** -25):
            return 0.0 if math.isinf(got) and (got > 0) == (true > 0) else math.inf
        if not math.isfinite(got):
            return math.inf
        unit = single_ulp(float(true)) if single else math.ulp(float(true))
        return float(abs(mpf(got) - true) / mpf(unit))


def single_ulp(x: float) -> float:
    """The unit in the last place of float32."""
    rounded = abs(struct.unpack("f", struct.pack("f", x))[0])
    bits = struct.unpack("I", struct.pack("f", rounded))[0]
    return float(Fraction(struct.unpack("f", struct.pack("I", bits + 1))[0]) - Fraction(rounded))
