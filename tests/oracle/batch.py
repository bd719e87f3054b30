"""Losses of a whole batch of vectors with labels: a list of (value, weight), one a datum.

The cost is the weighted mean. A datum that has no part in it, mostly for want of another with its label, has weight 0.
Vectors are compared by their directions: each is first divided by its length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, mean, true_loss

Weighted = list[tuple[mpf, mpf]]
Matrix = list[list[mpf]]

NOTHING = (mpf(0), mpf(0))


def unit(vector: Numbers) -> list[mpf]:
    length = mpmath.sqrt(mpmath.fsum(mpf(x) ** 2 for x in vector))
    return [mpf(x) / length for x in vector]


def dot(a: Sequence[mpf], b: Sequence[mpf]) -> mpf:
    return mpmath.fsum(x * y for x, y in zip(a, b, strict=True))


def of_pairs(embedding: Sequence[Numbers], measure: Callable[[mpf], mpf]) -> Matrix:
    """A function of the cosine similarity of each two data."""
    units = [unit(vector) for vector in embedding]
    size = range(len(units))
    upper = {(i, j): measure(dot(units[i], units[j])) for i in size for j in size if i < j}
    return [[upper[min(i, j), max(i, j)] if i != j else mpf("nan") for j in size] for i in size]


def like(label: Numbers, i: int) -> list[int]:
    """The positives of datum i: the others with its label."""
    return [j for j, other in enumerate(label) if j != i and other == label[i]]


def unlike(label: Numbers, i: int) -> list[int]:
    """The negatives of datum i."""
    return [j for j, other in enumerate(label) if other != label[i]]


def over_positives(label: Numbers, value: Callable[[int, int], mpf]) -> Weighted:
    """For a cost that is a mean over all positive pairs: each datum's mean over its pairs, weighted by their number."""
    result = []
    for i in range(len(label)):
        values = [value(i, j) for j in like(label, i)]
        result.append((mean(values), mpf(len(values))) if values else NOTHING)
    return result


@true_loss
def nt_xent(embedding: Sequence[Numbers], label: Numbers, temperature: float = 0.07) -> Weighted:
    """Chen 2020, equation 1: -ln(e^{s_ij/t} / (e^{s_ij/t} + sum over the negatives of i)), over all positive pairs."""
    e = of_pairs(embedding, lambda s: mpmath.exp(s / mpf(temperature)))

    def value(i: int, j: int) -> mpf:
        return -mpmath.log(e[i][j] / (e[i][j] + mpmath.fsum(e[i][k] for k in unlike(label, i))))

    return over_positives(label, value)


@true_loss
def supcon(embedding: Sequence[Numbers], label: Numbers, temperature: float = 0.07) -> Weighted:
    """Khosla 2020, equation 2: the mean over an anchor's positives of -ln(e^{s_ip/t} / sum over all others)."""
    e = of_pairs(embedding, lambda s: mpmath.exp(s / mpf(temperature)))

    def value(i: int, p: int) -> mpf:
        return -mpmath.log(e[i][p] / mpmath.fsum(e[i][a] for a in range(len(label)) if a != i))

    return [(loss, mpf(weight > 0)) for loss, weight in over_positives(label, value)]


@true_loss
def circle(embedding: Sequence[Numbers], label: Numbers, gamma: float = 80.0, margin: float = 0.4) -> Weighted:
    """Sun 2020, section 3: ln(1 + sum e^{g a_n (s_n - m)} sum e^{-g a_p (s_p - 1 + m)}) of each anchor."""
    g, m = mpf(gamma), mpf(margin)
    of_negative = of_pairs(embedding, lambda s: mpmath.exp(g * max(mpf(0), s + m) * (s - m)))
    of_positive = of_pairs(embedding, lambda s: mpmath.exp(-g * max(mpf(0), 1 + m - s) * (s - (1 - m))))
    result = []
    for i in range(len(label)):
        if like(label, i) and unlike(label, i):
            negatives = mpmath.fsum(of_negative[i][j] for j in unlike(label, i))
            positives = mpmath.fsum(of_positive[i][j] for j in like(label, i))
            result.append((mpmath.log(1 + negatives * positives), mpf(1)))
        else:
            result.append(NOTHING)
    return result


@true_loss
def multi_similarity(
    embedding: Sequence[Numbers], label: Numbers, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5
) -> Weighted:
    """Wang 2019, equation 15, over all pairs: ln(1 + sum e^{-a (s_p - l)}) / a + ln(1 + sum e^{b (s_n - l)}) / b."""
    a, b, shift = mpf(alpha), mpf(beta), mpf(base)
    of_positive = of_pairs(embedding, lambda s: mpmath.exp(-a * (s - shift)))
    of_negative = of_pairs(embedding, lambda s: mpmath.exp(b * (s - shift)))
    return [
        (
            mpmath.log(1 + mpmath.fsum(of_positive[i][j] for j in like(label, i))) / a
            + mpmath.log(1 + mpmath.fsum(of_negative[i][j] for j in unlike(label, i))) / b,
            mpf(1),
        )
        for i in range(len(label))
    ]


@true_loss
def lifted_structure(embedding: Sequence[Numbers], label: Numbers, margin: float = 1.0) -> Weighted:
    """Oh Song 2016, equation 4: max(0, ln(sum e^{m - D_ik} + sum e^{m - D_jl}) + D_ij)^2 / 2 of each positive pair."""
    distances = of_pairs(embedding, lambda s: mpmath.sqrt(max(mpf(0), 2 - 2 * s)))
    e = of_pairs(embedding, lambda s: mpmath.exp(mpf(margin) - mpmath.sqrt(max(mpf(0), 2 - 2 * s))))

    def value(i: int, j: int) -> mpf:
        total = mpmath.fsum([e[i][k] for k in unlike(label, i)] + [e[j][k] for k in unlike(label, j)])
        return max(mpf(0), mpmath.log(total) + distances[i][j]) ** 2 / 2 if total else mpf(0)

    return over_positives(label, value)


@true_loss
def n_pairs(embedding: Sequence[Numbers], label: Numbers) -> Weighted:
    """Sohn 2016, N-pair-mc: ln(1 + sum_{j != i} e^{f_i f_j+ - f_i f_i+}), one pair a label: its first two data."""
    pairs = {}
    for i in range(len(label)):
        if label[i] not in pairs and like(label, i):
            pairs[label[i]] = (i, like(label, i)[0])
    units = [unit(vector) for vector in embedding]
    result = [NOTHING] * len(label)
    for anchor, positive in pairs.values():
        scores = [dot(units[anchor], units[other]) for _, other in pairs.values() if other != positive]
        own = dot(units[anchor], units[positive])
        result[anchor] = (mpmath.log(1 + mpmath.fsum(mpmath.exp(s - own) for s in scores)), mpf(1))
    return result


@true_loss
def angular(embedding: Sequence[Numbers], label: Numbers, alpha: float = 45.0) -> Weighted:
    """Wang 2017, section 3: ln(1 + sum_n e^f), f = 4 tan^2(a) (x_a + x_p) x_n - 2 (1 + tan^2(a)) x_a x_p."""
    square = mpmath.tan(mpf(alpha) * mpmath.pi / 180) ** 2
    s = of_pairs(embedding, lambda similarity: similarity)

    def value(i: int, j: int) -> mpf:
        own = 2 * (1 + square) * s[i][j]
        exponents = [4 * square * (s[i][k] + s[j][k]) - own for k in unlike(label, i)]
        return mpmath.log(1 + mpmath.fsum(mpmath.exp(f) for f in exponents))

    return over_positives(label, value)
