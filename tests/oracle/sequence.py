"""Losses of a sequence of labels without an alignment."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss

# So many paths can be added one by one.
FEW_PATHS = 300


def collapsed(path: Sequence[int], blank: int) -> list[int]:
    """Graves 2006, the map B: repeated labels become one, then blanks are removed."""
    return [label for label, _ in itertools.groupby(path) if label != blank]


def over_all_paths(probabilities: Sequence[Sequence[mpf]], labels: Sequence[int], blank: int) -> mpf:
    """Graves 2006, equations 2 and 3: the probabilities of all paths that the map B turns into the labels."""
    classes = range(len(probabilities[0]))
    return mpmath.fsum(
        mpmath.fprod(step[label] for step, label in zip(probabilities, path, strict=True))
        for path in itertools.product(classes, repeat=len(probabilities))
        if collapsed(path, blank) == list(labels)
    )


def by_forward_variables(probabilities: Sequence[Sequence[mpf]], labels: Sequence[int], blank: int) -> mpf:
    """Graves 2006, equations 5 to 8: alpha_t(s) over the labels with a blank before, between and after them."""
    extended = [blank]
    for label in labels:
        extended += [label, blank]
    alpha = [step if k < 2 else mpf(0) for k, step in enumerate(probabilities[0][label] for label in extended)]
    for step in probabilities[1:]:
        before = alpha
        alpha = []
        for s, label in enumerate(extended):
            total = before[s] + (before[s - 1] if s >= 1 else 0)
            if s >= 2 and label != blank and label != extended[s - 2]:
                total += before[s - 2]
            alpha.append(total * step[label])
    return mpmath.fsum(alpha[-2:])


@true_loss
def ctc(
    pred: Sequence[Numbers],
    target: Numbers,
    pred_length: float | None = None,
    target_length: float | None = None,
    blank: int = 0,
    zero_infinity: bool = False,
) -> mpf:
    """Graves 2006: minus the logarithm of the probability of the labels, whatever their alignment.

    Of short sequences all paths are added; longer ones need the forward variables.
    """
    steps = len(pred) if pred_length is None else int(pred_length)
    labels = [int(label) for label in target][: None if target_length is None else int(target_length)]
    probabilities = [[mpmath.exp(mpf(v)) for v in step] for step in pred[:steps]]
    few = len(pred[0]) ** steps <= FEW_PATHS
    total = (over_all_paths if few else by_forward_variables)(probabilities, labels, int(blank))
    if total == 0:
        return mpf(0) if zero_infinity else mpf("inf")
    return -mpmath.log(total)
