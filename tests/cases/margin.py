"""Scores on both sides of every margin, confident and wrong, with labels coded 0 and 1 or -1 and 1."""

from __future__ import annotations

import random

from tests.cases.regression import Cases, Datum, around


def scores(largest: float, labels: tuple[float, ...]) -> list[Datum]:
    rng = random.Random(61)
    edges = [0.0, 5e-324, 1e-300, 1e-17, 1e-8, 0.5, 20.5, 36.7, 40.0, 700.0, 745.0, 1e5]
    edges += [kink for kinks in (1.0, 0.3, 0.1 + 0.2, 2.0) for kink in around(kinks)]
    edges += [1e150, 1e300] if largest > 1000 else []
    made = [sign * f for f in edges if f <= largest for sign in (1, -1)]
    made += [rng.gauss(0, 2) for _ in range(12)] + [rng.uniform(-1, 1) * min(largest, 700) for _ in range(6)]
    return [{"pred": float(f), "target": y} for f in made for y in labels]


def several() -> list[Datum]:
    rng = random.Random(62)
    made: list[Datum] = []
    for outputs in (1, 2, 5, 9):
        for _ in range(16):
            labels = [float(rng.random() < 0.5) for _ in range(outputs)]
            made.append({"pred": [rng.gauss(0, 2) for _ in range(outputs)], "target": labels})
    return made


CODED_01 = (0.0, 1.0)
CODED_SIGNS = (-1.0, 1.0)
MARGINS = [
    "hinge", "hinge:margin=0.3", "hinge:margin=0", "perceptron", "modified-huber", "soft-margin", "binary-sparsemax",
]  # fmt: skip
SQUARES = ["squared-hinge", "squared-hinge:margin=0.3", "squared-hinge:margin=2"]

CASES: Cases = {
    "scores": (scores(1e300, CODED_01), MARGINS),
    "scores of signs": (scores(1e300, CODED_SIGNS)[::2], ["hinge", "perceptron", "modified-huber", "soft-margin"]),
    "scores whose squares exist": (scores(1e5, CODED_01), SQUARES),
    "scores of signs whose squares exist": (scores(1e5, CODED_SIGNS)[::2], ["squared-hinge", "binary-sparsemax"]),
    "scores whose exponentials exist": (scores(745, CODED_01), ["exponential"]),
    "scores of shares": (scores(745, (0.3, 1e-20))[::2], ["exponential"]),
    "several scores": (several(), [*MARGINS, *SQUARES, "exponential"]),
}
