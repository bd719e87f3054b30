"""Losses of the scores of several classes that look at margins instead of probabilities."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss
from tests.oracle.multiclass import per_class, shares


def true_and_others(pred: Numbers, target: float) -> tuple[mpf, list[mpf]]:
    """The score of the true class, and those of the others."""
    scores = [mpf(v) for v in pred]
    return scores.pop(int(target)), scores


@true_loss
def multiclass_hinge(pred: Numbers, target: float, margin: float = 1.0, ignore_index: int | None = None) -> mpf:
    """Crammer 2001, section 3: max_r {M_r x + 1 - delta_{y,r}} - M_y x; the maximum at r = y gives 0."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    of_true, others = true_and_others(pred, target)
    return max([mpf(0), *(mpf(margin) + f - of_true for f in others)])


@true_loss
def multi_margin(
    pred: Numbers,
    target: float,
    p: float = 1.0,
    margin: float = 1.0,
    class_weight: Numbers | None = None,
    ignore_index: int | None = None,
) -> mpf:
    """Weston 1999: the sum of the slacks of all wrong classes; over C, with a power and a weight as torch has them."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    of_true, others = true_and_others(pred, target)
    weight = per_class(class_weight, len(pred))[int(target)]
    slacks = [max(mpf(0), mpf(margin) - of_true + f) for f in others]
    return weight * mpmath.fsum(slack ** int(p) for slack in slacks) / len(pred)


@true_loss
def multiclass_perceptron(pred: Numbers, target: float, ignore_index: int | None = None) -> mpf:
    """Collins 2002: the score of the best class minus that of the true one."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    return max(mpf(v) for v in pred) - mpf(pred[int(target)])


@true_loss
def multiclass_sparsemax(pred: Numbers, target: float | Numbers, ignore_index: int | None = None) -> mpf:
    """Martins 2016, section 3: -q z + (1/2) sum_S (z_j^2 - tau^2) + |q|^2 / 2, with tau from its algorithm 1."""
    if ignore_index is not None and target == ignore_index:
        return mpf(0)
    z = [mpf(v) for v in pred]
    q = shares(target, len(pred), 0.0)
    descending = sorted(z, reverse=True)
    support = max(k for k in range(1, len(z) + 1) if 1 + k * descending[k - 1] > mpmath.fsum(descending[:k]))
    threshold = (mpmath.fsum(descending[:support]) - 1) / support
    conjugate = mpmath.fsum(v**2 - threshold**2 for v in z if v > threshold) / 2
    of_target = mpmath.fsum(share**2 for share in q) / 2
    return conjugate + of_target - mpmath.fsum(share * v for share, v in zip(q, z, strict=True))
