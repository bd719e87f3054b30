"""How far one distribution is from another: q is the target, p the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss, x_ln
from tests.oracle.multiclass import log_sum_exp


def logarithms(values: Numbers, kind: str) -> list[mpf]:
    """ln p of each class of what is given: of scores, those of their softmax."""
    given = [mpf(v) for v in values]
    if kind == "probs":
        return [x_ln(mpf(1), v) for v in given]
    if kind == "log-probs":
        return given
    total = log_sum_exp(given)
    return [v - total for v in given]


def kl_divergence_terms(
    pred: Numbers, target: Numbers, input: str = "log-probs", log_target: bool = False
) -> list[mpf]:
    """Kullback and Leibler 1951, section 2, in pieces: q ln q and -q ln p of each class with q > 0."""
    terms = []
    for log_p, given in zip(logarithms(pred, input), target, strict=True):
        q = mpmath.exp(mpf(given)) if log_target else mpf(given)
        if q:
            terms += [q * mpmath.log(q), -q * log_p]
    return terms


@true_loss
def kl_divergence(pred: Numbers, target: Numbers, input: str = "log-probs", log_target: bool = False) -> mpf:
    return mpmath.fsum(kl_divergence_terms(pred, target, input, log_target))


def pairs(pred: Numbers, target: Numbers) -> list[tuple[mpf, mpf]]:
    """q and p of each class."""
    return [(mpf(q), mpf(p)) for p, q in zip(pred, target, strict=True)]


def relative_entropy(q: Sequence[mpf], p: Sequence[mpf]) -> mpf:
    """Sum q ln(q/p), with 0 ln 0 = 0."""
    return mpmath.fsum(x_ln(a, a) - x_ln(a, b) for a, b in zip(q, p, strict=True))


@true_loss
def generalized_kl(pred: Numbers, target: Numbers) -> mpf:
    """Lee and Seung 2001, equation 3: sum (q ln(q/p) - q + p)."""
    q, p = zip(*pairs(pred, target), strict=True)
    return relative_entropy(q, p) - mpmath.fsum(q) + mpmath.fsum(p)


@true_loss
def js_divergence(pred: Numbers, target: Numbers) -> mpf:
    """Lin 1991, with both weights 1/2: (KL(q|m) + KL(p|m))/2 for m = (q + p)/2, in nats."""
    q, p = zip(*pairs(pred, target), strict=True)
    m = [(a + b) / 2 for a, b in zip(q, p, strict=True)]
    return (relative_entropy(q, m) + relative_entropy(p, m)) / 2


@true_loss
def hellinger(pred: Numbers, target: Numbers) -> mpf:
    """Le Cam and Yang 2000: sqrt(sum (sqrt q - sqrt p)^2 / 2)."""
    squares = [(mpmath.sqrt(q) - mpmath.sqrt(p)) ** 2 for q, p in pairs(pred, target)]
    return mpmath.sqrt(mpmath.fsum(squares) / 2)


@true_loss
def total_variation(pred: Numbers, target: Numbers) -> mpf:
    """Half the sum of |q - p|, the largest difference of an event's probabilities."""
    return mpmath.fsum(abs(q - p) for q, p in pairs(pred, target)) / 2


@true_loss
def wasserstein_1d(pred: Numbers, target: Numbers) -> mpf:
    """Vallender 1974: the integral of |F - G|, of classes that are one unit apart.

    Beyond the last class both distribution functions are 1, so that nothing is added there.
    """
    between = list(accumulate(q - p for q, p in pairs(pred, target)))[:-1]
    return mpmath.fsum(abs(difference) for difference in between)


@true_loss
def itakura_saito(pred: Numbers, target: Numbers) -> mpf:
    """Itakura and Saito 1968: sum (q/p - ln(q/p) - 1)."""
    return mpmath.fsum(q / p - mpmath.log(q / p) - 1 for q, p in pairs(pred, target))
