"""Losses of vectors that should lie close together or far apart."""

from __future__ import annotations

from collections.abc import Sequence

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss
from tests.oracle.multiclass import log_sum_exp


def squared_euclidean(a: Numbers, b: Numbers) -> mpf:
    return mpmath.fsum((mpf(x) - mpf(y)) ** 2 for x, y in zip(a, b, strict=True))


def euclidean(a: Numbers, b: Numbers) -> mpf:
    return mpmath.sqrt(squared_euclidean(a, b))


def cosine_similarity(a: Numbers, b: Numbers) -> mpf:
    dot = mpmath.fsum(mpf(x) * mpf(y) for x, y in zip(a, b, strict=True))
    lengths = mpmath.sqrt(mpmath.fsum(mpf(x) ** 2 for x in a) * mpmath.fsum(mpf(y) ** 2 for y in b))
    return dot / lengths


def cosine(a: Numbers, b: Numbers) -> mpf:
    return 1 - cosine_similarity(a, b)


def manhattan(a: Numbers, b: Numbers) -> mpf:
    return mpmath.fsum(abs(mpf(x) - mpf(y)) for x, y in zip(a, b, strict=True))


def chebyshev(a: Numbers, b: Numbers) -> mpf:
    return max(abs(mpf(x) - mpf(y)) for x, y in zip(a, b, strict=True))


DISTANCES = {
    "squared-euclidean": squared_euclidean,
    "euclidean": euclidean,
    "cosine": cosine,
    "manhattan": manhattan,
    "chebyshev": chebyshev,
}


@true_loss
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


@true_loss
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


@true_loss
def cosine_embedding(first: Numbers, second: Numbers, similar: float, margin: float = 0.0) -> mpf:
    """1 - cos for a similar pair, max(0, cos - m) for a dissimilar one."""
    cos = cosine_similarity(first, second)
    return 1 - cos if similar > 0 else max(mpf(0), cos - mpf(margin))


@true_loss
def hinge_embedding(distance: float, similar: float, margin: float = 1.0) -> mpf:
    """x for a similar pair, max(0, m - x) for a dissimilar one."""
    return mpf(distance) if similar > 0 else max(mpf(0), mpf(margin) - mpf(distance))


def cosines_to_classes(embedding: Numbers, matrix: Sequence[Numbers], label: float) -> tuple[mpf, list[mpf]]:
    """The cosine to the weights of the own class, and those to the others'."""
    cosines = [cosine_similarity(embedding, row) for row in matrix]
    return cosines.pop(int(label)), cosines


@true_loss
def arcface(
    embedding: Numbers, matrix: Sequence[Numbers], label: float, margin: float = 0.5, scale: float = 64.0
) -> mpf:
    """Deng 2019, equation 3: the cross entropy of s cos(theta_j), with s cos(theta_y + m) for the own class."""
    own, others = cosines_to_classes(embedding, matrix, label)
    # Rounding may put the cosine of parallel vectors beyond 1, where the angle would be complex.
    angle = mpmath.acos(max(mpf(-1), min(mpf(1), own)))
    score = mpf(scale) * mpmath.cos(angle + mpf(margin))
    return log_sum_exp([score, *(mpf(scale) * cos for cos in others)]) - score


@true_loss
def cosface(
    embedding: Numbers, matrix: Sequence[Numbers], label: float, margin: float = 0.35, scale: float = 64.0
) -> mpf:
    """Wang 2018, equation 4: the cross entropy of s cos(theta_j), with s (cos(theta_y) - m) for the own class."""
    own, others = cosines_to_classes(embedding, matrix, label)
    score = mpf(scale) * (own - mpf(margin))
    return log_sum_exp([score, *(mpf(scale) * cos for cos in others)]) - score
