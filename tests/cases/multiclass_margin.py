"""Scores of several classes, with margins between them."""

from __future__ import annotations

import random

from tests.cases.multiclass import EDGES, Datum, rows, shares, with_classes

# The true class is ahead by the margin exactly, by a little less and by a little more.
KINKS: list[list[float]] = [
    [1, 0], [0, 1], [2, 1], [2, 1 + 2**-52], [2, 1 - 2**-53], [3.5, 1], [0.3, 0.1 + 0.2], [1.1, 0.1], [1.7, 0.7, 0.7],
    [1, 0.3, 0.3], [1e16, 1e16 - 2], [0.1, -0.9, -0.9], [-5, -6, -7], [-3, -5, -6], [2.5, 0, 1e-17], [1e-300, 0],
]  # fmt: skip
HUGE: list[list[float]] = [[1e300, -1e300], [1e300, 1e300], [-1e300, -1e300, 0], [1e150, -1e150, 1]]


def three_classes() -> list[Datum]:
    rng = random.Random(22)
    scores = [[rng.gauss(0, 2) for _ in range(3)] for _ in range(30)]
    return with_classes(scores + [row for row in KINKS + EDGES if len(row) == 3])


def near_zero() -> list[Datum]:
    """The true class is ahead by a little less than 1, where the loss is about the square of what is missing."""
    made: list[Datum] = []
    for k in range(1, 27):
        ahead = 1 - 2.0 ** (-2 * k)
        made += [{"pred": [ahead, 0.0], "target": 0.0}, {"pred": [-1.0, ahead - 1, -1.0], "target": 1.0}]
    return made


def with_shares() -> list[Datum]:
    rng = random.Random(23)
    return [{"pred": row, "target": shares(rng, len(row))} for row in rows(24, 10)]


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "margins between classes": (
        with_classes(rows(21, 8) + EDGES + KINKS + HUGE),
        [
            "multiclass-hinge", "multiclass-hinge:margin=0", "multiclass-hinge:margin=2.5", "multi-margin",
            "multi-margin:margin=0.7", "multiclass-perceptron", "multiclass-sparsemax",
        ],
    ),
    "squares of margins between classes": (
        with_classes(rows(21, 8) + EDGES + KINKS), ["multi-margin:p=2", "multi-margin:p=2:margin=0.7"],
    ),
    "margins between three classes": (
        three_classes(), ["multi-margin:class-weight=0.5/2/0.25", "multi-margin:p=2:class-weight=0.5/2/0.25"],
    ),
    "true classes that are almost far enough ahead": (near_zero(), ["multiclass-sparsemax", "multiclass-hinge"]),
    "margins between classes that are shared out": (with_shares(), ["multiclass-sparsemax"]),
}  # fmt: skip
