"""Probabilities, logits and labels, also several a datum."""

from __future__ import annotations

import random

from tests.cases.regression import Cases, Datum


def probabilities() -> list[Datum]:
    rng = random.Random(91)
    edges = [0.0, 5e-324, 1e-300, 1e-17, 1e-8, 0.1 + 0.2, 0.5, 0.75, 1 - 2**-30, 1 - 2**-53, 1.0]
    preds = edges + [rng.random() for _ in range(20)] + [10 ** rng.uniform(-320, 0) for _ in range(10)]
    return [{"pred": p, "target": t} for p in preds for t in (0.0, 1.0, 0.3)]


def logits() -> list[Datum]:
    rng = random.Random(92)
    edges = [0.0, 1e-300, 1e-17, 0.5, 20.5, 36.7, 40.0, 300.0, 355.0, 372.0, 700.0, 745.0, 1e300]
    preds = [sign * z for z in edges for sign in (1, -1)]
    preds += [rng.gauss(0, 5) for _ in range(20)] + [rng.uniform(-370, 370) for _ in range(12)]
    return [{"pred": z, "target": t} for z in preds for t in (0.0, 1.0)]


def several(of_logits: bool) -> list[Datum]:
    rng = random.Random(93)
    made: list[Datum] = []
    for outputs in (1, 2, 5, 9):
        for _ in range(15):
            pred = [rng.gauss(0, 5) if of_logits else rng.random() for _ in range(outputs)]
            made.append({"pred": pred, "target": [float(rng.random() < 0.5) for _ in range(outputs)]})
    return made


def labels() -> list[Datum]:
    classes = (0.0, 1.0, 2.0, 7.0, 1e6)
    return [{"pred": p, "target": t} for p in classes for t in classes]


def rows_of_labels() -> list[Datum]:
    rng = random.Random(94)
    made: list[Datum] = []
    for count in (1, 2, 3, 7, 10):
        for share in (0.0, 0.2, 0.5, 1.0) * 3:
            target = [float(rng.randrange(2)) for _ in range(count)]
            made.append({"pred": [1 - t if rng.random() < share else t for t in target], "target": target})
    return made


CASES: Cases = {
    "squares of probabilities": (probabilities(), ["brier"]),
    "squares of logits": (logits(), ["brier:input=logits"]),
    "several squares of probabilities": (several(of_logits=False), ["brier"]),
    "several squares of logits": (several(of_logits=True), ["brier:input=logits"]),
    "labels": (labels(), ["zero-one", "hamming"]),
    "rows of labels": (rows_of_labels(), ["zero-one", "hamming"]),
}
