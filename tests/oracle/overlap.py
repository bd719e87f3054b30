"""Losses of how well two masks overlap. The positions of a datum are a list, nested or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath
from mpmath import mpf

from tests.oracle.binary import probabilities
from tests.oracle.definition import mean, true_loss
from tests.oracle.multiclass import class_probabilities

Nested = Sequence[Any]


def flat(values: float | Nested) -> Iterator[float]:
    if isinstance(values, (list, tuple)):
        for value in values:
            yield from flat(value)
    else:
        yield values


def masks(pred: Nested, target: Nested, kind: str) -> tuple[list[mpf], list[mpf], list[mpf]]:
    """The prediction, its complement and the target at each position."""
    both = [probabilities(p, kind) for p in flat(pred)]
    return [p for p, _ in both], [q for _, q in both], [mpf(t) for t in flat(target)]


def counts(pred: Nested, target: Nested, kind: str) -> tuple[mpf, mpf, mpf]:
    """True positives, false positives and false negatives, each the sum of a product."""
    p, q, t = masks(pred, target, kind)
    return (
        mpmath.fsum(a * c for a, c in zip(p, t, strict=True)),
        mpmath.fsum(a * (1 - c) for a, c in zip(p, t, strict=True)),
        mpmath.fsum(b * c for b, c in zip(q, t, strict=True)),
    )


def one_minus_ratio(numerator: mpf, denominator: mpf, *, empty: bool) -> mpf:
    """1 - a/b. Two empty masks agree: 0; else 0/0 has no value."""
    if denominator == 0:
        return mpf(0) if empty else mpf("nan")
    return 1 - numerator / denominator


def tversky_loss(pred: Nested, target: Nested, alpha: float, beta: float, smooth: float, kind: str) -> mpf:
    hits, false_positives, false_negatives = counts(pred, target, kind)
    s = mpf(smooth)
    return one_minus_ratio(
        hits + s,
        hits + mpf(alpha) * false_positives + mpf(beta) * false_negatives + s,
        empty=not (hits or false_positives or false_negatives),
    )


def of_each_class(loss: Callable[..., mpf], pred: Nested, target: Nested, **params: object) -> mpf:
    """The mean over the classes of what each of them costs."""
    each = [loss(p, t, **params) for p, t in zip(pred, target, strict=True)]  # type: ignore[arg-type]
    return mpmath.fsum(each) / len(each)


@true_loss
def dice(pred: Nested, target: Nested, smooth: float = 0.0, over: str = "datum", input: str = "probs") -> mpf:
    """Dice 1945, Sørensen 1948, with sums of products (Milletari 2016): 1 - 2 |A and B| / (|A| + |B|)."""
    if over == "classes":
        return of_each_class(dice, pred, target, smooth=smooth, input=input)
    p, _, t = masks(pred, target, input)
    both = mpmath.fsum(a * b for a, b in zip(p, t, strict=True))
    sizes = mpmath.fsum(p) + mpmath.fsum(t)
    return one_minus_ratio(2 * both + mpf(smooth), sizes + mpf(smooth), empty=sizes == 0)


@true_loss
def jaccard(pred: Nested, target: Nested, smooth: float = 0.0, over: str = "datum", input: str = "probs") -> mpf:
    """Jaccard 1901, with sums of products (Rahman 2016): 1 - |A and B| / |A or B|."""
    if over == "classes":
        return of_each_class(jaccard, pred, target, smooth=smooth, input=input)
    p, _, t = masks(pred, target, input)
    both = mpmath.fsum(a * b for a, b in zip(p, t, strict=True))
    either = mpmath.fsum(a + b - a * b for a, b in zip(p, t, strict=True))
    return one_minus_ratio(both + mpf(smooth), either + mpf(smooth), empty=either == 0)


@true_loss
def tversky(
    pred: Nested,
    target: Nested,
    alpha: float = 0.5,
    beta: float = 0.5,
    smooth: float = 0.0,
    over: str = "datum",
    input: str = "probs",
) -> mpf:
    """Salehi 2017: 1 - TP / (TP + alpha FP + beta FN)."""
    if over == "classes":
        return of_each_class(tversky, pred, target, alpha=alpha, beta=beta, smooth=smooth, input=input)
    return tversky_loss(pred, target, alpha, beta, smooth, input)


@true_loss
def focal_tversky(
    pred: Nested,
    target: Nested,
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float = 0.75,
    smooth: float = 0.0,
    over: str = "datum",
    input: str = "probs",
) -> mpf:
    """Abraham 2019: (1 - TI)^(1/gamma), here with the exponent itself as gamma."""
    if over == "classes":
        return of_each_class(
            focal_tversky, pred, target, alpha=alpha, beta=beta, gamma=gamma, smooth=smooth, input=input
        )
    base = tversky_loss(pred, target, alpha, beta, smooth, input)
    return base ** mpf(gamma) if base else mpf(0)


# --- several classes --------------------------------------------------------------------------------------------------


def of_classes(pred: Nested, target: Nested, kind: str) -> tuple[list[list[mpf]], list[list[mpf]]]:
    """The prediction and the target as one list of positions a class; the target may be a list of class indices."""
    columns = [list(flat(positions)) for positions in pred]
    given = list(flat(target))
    size = len(columns[0])
    if len(given) == size * len(columns):
        t = [[mpf(v) for v in given[c * size : (c + 1) * size]] for c in range(len(columns))]
    else:
        t = [[mpf(int(index) == c) for index in given] for c in range(len(columns))]
    by_position = [class_probabilities(position, kind) for position in zip(*columns, strict=True)]
    return [list(positions) for positions in zip(*by_position, strict=True)], t


@true_loss
def generalized_dice(pred: Nested, target: Nested, input: str = "probs", smooth: float = 0.0) -> mpf:
    """Sudre 2017: 1 - 2 sum_l w_l I_l / sum_l w_l (P_l + T_l), w_l = 1 / T_l^2; no class's weight is infinite."""
    p, t = of_classes(pred, target, input)
    volumes = [mpmath.fsum(positions) for positions in t]
    largest = max((1 / volume**2 for volume in volumes if volume), default=mpf(0))
    weights = [1 / volume**2 if volume else largest for volume in volumes]
    both = [mpmath.fsum(a * b for a, b in zip(x, y, strict=True)) for x, y in zip(p, t, strict=True)]
    sizes = [mpmath.fsum(x) + volume for x, volume in zip(p, volumes, strict=True)]
    return one_minus_ratio(
        2 * mpmath.fsum(w * i for w, i in zip(weights, both, strict=True)) + mpf(smooth),
        mpmath.fsum(w * size for w, size in zip(weights, sizes, strict=True)) + mpf(smooth),
        empty=not any(sizes),
    )


def lovasz_extension(errors: Sequence[mpf], is_true: Sequence[bool]) -> mpf:
    """Berman 2018, definition 2, of the set function D(M) = |M| / |{y = c} or M| of the mispredictions M."""

    def lost(mispredicted: Sequence[int]) -> mpf:
        union = {i for i, true in enumerate(is_true) if true} | set(mispredicted)
        return mpf(len(mispredicted)) / len(union) if mispredicted else mpf(0)

    order = sorted(range(len(errors)), key=lambda i: -errors[i])
    return mpmath.fsum(errors[i] * (lost(order[: k + 1]) - lost(order[:k])) for k, i in enumerate(order))


@true_loss
def lovasz_hinge(pred: Nested, target: Nested) -> mpf:
    """Berman 2018, section 3.1: the extension at the hinge losses max(1 - F_i y_i, 0)."""
    is_true = [t > 0 for t in flat(target)]
    errors = [max(mpf(0), 1 - (mpf(f) if true else -mpf(f))) for f, true in zip(flat(pred), is_true, strict=True)]
    return lovasz_extension(errors, is_true)


@true_loss
def lovasz_softmax(pred: Nested, target: Nested) -> mpf:
    """Berman 2018, section 3.2: the mean over all classes of the extension at 1 - p_i(c) where y_i = c, else p_i(c)."""
    values = []
    for c, positions in enumerate(pred):
        is_true = [int(index) == c for index in flat(target)]
        errors = [1 - mpf(p) if true else mpf(p) for p, true in zip(flat(positions), is_true, strict=True)]
        values.append(lovasz_extension(errors, is_true))
    return mean(values)
