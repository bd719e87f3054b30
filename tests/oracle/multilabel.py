"""Losses of several labels that may be true together, for one datum."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.binary import probabilities
from tests.oracle.definition import Numbers, mean, true_loss, x_ln
from tests.oracle.multiclass import per_class


def positive_and_negative(pred: Numbers, target: Numbers) -> tuple[list[mpf], list[mpf]]:
    """The scores of the labels that are true, and of those that are not."""
    scored = [(mpf(f), y) for f, y in zip(pred, target, strict=True)]
    return [f for f, y in scored if y > 0], [f for f, y in scored if not y > 0]


@true_loss
def multilabel_soft_margin(pred: Numbers, target: Numbers, class_weight: Numbers | None = None) -> mpf:
    """-(1/C) sum w (y ln p + (1-y) ln(1-p)): the mean over the labels of the binary cross entropy of each logit."""
    values = []
    for z, y, w in zip(pred, target, per_class(class_weight, len(pred)), strict=True):
        p, q = probabilities(z, "logits")
        values.append(-w * (x_ln(mpf(y), p) + x_ln(1 - mpf(y), q)))
    return mean(values)


@true_loss
def multilabel_margin(pred: Numbers, target: Numbers, target_form: str = "columns") -> mpf:
    """The slacks of all pairs of a true and a false label over C. Indices end at the first that is negative."""
    if target_form == "indices":
        end = next((k for k, index in enumerate(target) if index < 0), len(target))
        true = {int(index) for index in target[:end]}
        target = [1.0 if c in true else 0.0 for c in range(len(pred))]
    positive, negative = positive_and_negative(pred, target)
    return mpmath.fsum(max(mpf(0), 1 - f + g) for f in positive for g in negative) / len(pred)


@true_loss
def asymmetric(
    pred: Numbers,
    target: Numbers,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    clip: float = 0.05,
    input: str = "logits",
) -> mpf:
    """Ridnik 2021, section 2: (1-p)^g+ ln p for a true label, p_m^g- ln(1-p_m) else, p_m = max(p - m, 0)."""

    def power(base: mpf, exponent: float) -> mpf:
        return base ** mpf(exponent) if exponent else mpf(1)

    total = mpf(0)
    for z, target_ in zip(pred, target, strict=True):
        p, complement = probabilities(z, input)
        y = mpf(target_)
        # Of a shifted probability the complement is 1 - p + m; without a shift it keeps the digits of 1 - p.
        shifted = max(p - mpf(clip), mpf(0))
        complement_of_shifted = complement + mpf(clip) if shifted else mpf(1)
        total -= x_ln(y * power(complement, gamma_pos), p)
        total -= x_ln((1 - y) * power(shifted, gamma_neg), complement_of_shifted)
    return total


@true_loss
def label_ranking(pred: Numbers, target: Numbers) -> mpf:
    """Tsoumakas 2010, "ranking loss": the share of pairs in the wrong order; a tie is wrong. Without pairs 0."""
    positive, negative = positive_and_negative(pred, target)
    if not positive or not negative:
        return mpf(0)
    wrong = sum(1 for f in positive for g in negative if f <= g)
    return mpf(wrong) / (len(positive) * len(negative))


@true_loss
def coverage_error(pred: Numbers, target: Numbers) -> mpf:
    """Tsoumakas 2010, "coverage", counted from 1: how far down the true labels reach. Ties get the largest rank."""
    positive, _ = positive_and_negative(pred, target)
    return mpf(max((sum(1 for g in pred if mpf(g) >= f) for f in positive), default=0))
