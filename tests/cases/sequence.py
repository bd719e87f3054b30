"""Log-probabilities of labels at each step, and the labels without their places."""

from __future__ import annotations

import math
import random

import torch

Datum = dict[str, object]


def log_softmax(scores: list[float]) -> list[float]:
    largest = max(scores)
    total = math.log(math.fsum(math.exp(s - largest) for s in scores))
    return [(s - largest) - total for s in scores]


def steps(rng: random.Random, count: int, classes: int, spread: float) -> list[list[float]]:
    return [log_softmax([rng.gauss(0, spread) for _ in range(classes)]) for _ in range(count)]


def sequence(pred: list[list[float]], target: list[int], pred_length: int, target_length: int) -> Datum:
    return {
        "pred": pred,
        "target": [float(c) for c in target],
        "pred_length": float(pred_length),
        "target_length": float(target_length),
    }


def sequences(blank: int, classes: int) -> list[Datum]:
    """Short ones, whose paths can be counted; longer ones; and ones with steps and labels beyond their lengths."""
    rng = random.Random(91 + blank)
    labels = [c for c in range(classes) if c != blank]
    made = []
    for length, wanted in ((1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (9, 4), (14, 5)):
        for spread in (0.5, 2.0, 8.0):
            for _ in range(2):
                target = [rng.choice(labels) for _ in range(wanted)]
                made.append(sequence(steps(rng, length, classes, spread), target, length, wanted))
    for _ in range(8):
        target = [rng.choice(labels) for _ in range(3)]
        made.append(sequence(steps(rng, 7, classes, 2.0), target, rng.choice((5, 6)), rng.choice((0, 1, 2))))
    same = labels[0]
    made += [
        # A repeated label needs a blank between: impossible in two steps, one path in three.
        sequence(steps(rng, 2, classes, 1.0), [same, same], 2, 2),
        sequence(steps(rng, 3, classes, 1.0), [same, same], 3, 2),
        sequence(steps(rng, 1, classes, 1.0), [same, same], 1, 2),
        sequence(steps(rng, 12, classes, 300.0), [same, labels[-1]], 12, 2),
    ]
    # Steps that are certain, with the logarithm of 0 for all else.
    sure = [[0.0 if c == wanted else -math.inf for c in range(classes)] for wanted in (same, blank, labels[-1])]
    made += [sequence(sure, [same, labels[-1]], 3, 2), sequence(sure, [labels[-1], labels[-1]], 3, 2)]
    return made


def confident() -> list[Datum]:
    """One alignment has almost all the probability."""
    rng = random.Random(95)
    made = []
    for lead in (5.0, 10.0, 20.0, 30.0):
        for _ in range(3):
            path = [1, 0, 2, 2, 0]
            pred = [log_softmax([lead * (c == wanted) + rng.random() for c in range(3)]) for wanted in path]
            made.append(sequence(pred, [1, 2], 5, 2))
    return made


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "sequences": (sequences(blank=0, classes=3), ["ctc", "ctc:zero-infinity=true"]),
    "sequences with the blank last": (sequences(blank=3, classes=4), ["ctc:blank=3"]),
    "sequences with a clear alignment": (confident(), ["ctc"]),
}


def samples(bound: object, form: tuple[str, ...], n: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Eight steps of five classes and up to three labels, so that every sequence is possible."""
    normal = torch.randn(n, 8, 5, generator=generator, dtype=torch.float64)
    roles = {
        "pred": normal.log_softmax(2),
        "target": torch.randint(2, 5, (n, 3), generator=generator).double(),
        "pred_length": torch.randint(6, 9, (n,), generator=generator).double(),
        "target_length": torch.randint(1, 4, (n,), generator=generator).double(),
    }
    return {role: roles[role] for role in form}


# Lengths lie within the shapes, and no label is the blank (0 or 1).
SAMPLES = {"ctc": samples}
