"""Losses of vectors that should lie close together or far apart."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss


def squared_euclidean(a: Numbers, b: Numbers) -> mpf:
    return mpmath.fsum((mpf(x) - mpf(y)) ** 2 for x, y in zip(a, b, strict=True))


def euclidean(a: Numbers, b: Numbers) -> mpf:
    return mpmath.sqrt(squared_euclidean(a, b))


def cosine(a: Numbers, b: Numbers) -> mpf:
    dot = mpmath.fsum(mpf(x) * mpf(y) for x, y in zip(a, b, strict=True))
    lengths = mpmath.sqrt(mpmath.fsum(mpf(x) ** 2 for x in a) * mpmath.fsum(mpf(y) ** 2 for y in b))
    return 1 - dot / lengths


DISTANCES = {"squared-euclidean": squared_euclidean, "euclidean": euclidean, "cosine": cosine}


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
