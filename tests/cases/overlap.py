"""Masks, and how they should be."""

from __future__ import annotations

import math
import random

Datum = dict[str, object]

MASK_SPECS = [
    "dice", "dice:smooth=1", "jaccard", "jaccard:smooth=1", "tversky", "tversky:alpha=0.3:beta=0.8", "tversky:smooth=1",
    "focal-tversky", "focal-tversky:alpha=0.3:beta=0.7:gamma=2", "focal-tversky:gamma=1.3",
]  # fmt: skip
LOGIT_SPECS = [f"{spec}:input=logits" for spec in MASK_SPECS]


def truth(rng: random.Random, count: int) -> list[float]:
    return [float(rng.random() < 0.5) for _ in range(count)]


def masks() -> list[Datum]:
    rng = random.Random(51)
    made: list[Datum] = []
    for size in (1, 4, 9, 40):
        for _ in range(9):
            made.append({"pred": [rng.random() for _ in range(size)], "target": truth(rng, size)})
    for _ in range(6):
        # Labels that are themselves uncertain, and a mask of two axes.
        made.append({"pred": [rng.random() for _ in range(6)], "target": [rng.random() for _ in range(6)]})
        grid = [[rng.random() for _ in range(3)] for _ in range(2)]
        made.append({"pred": grid, "target": [truth(rng, 3) for _ in range(2)]})
    edges = [
        ([0, 0, 0], [0, 0, 0]), ([1, 1, 0], [1, 1, 0]), ([0, 0, 0], [1, 0, 0]), ([1, 0, 0], [0, 0, 0]),
        ([1, 1, 1], [1, 1, 1]), ([1, 0, 0], [0, 1, 1]), ([1e-300, 0, 0], [0, 0, 0]), ([1e-300, 0, 0], [1, 0, 0]),
        ([1 - 2**-53, 1, 0], [1, 1, 0]), ([1 - 2**-53, 1 - 2**-53, 0], [1, 1, 0]), ([1, 1, 1e-17], [1, 1, 0]),
        ([1 - 2**-30, 1, 2**-30], [1, 1, 0]), ([0.5, 0.5, 0.5], [1, 0, 1]), ([0.25, 0.5, 1], [0.25, 0.5, 1]),
        ([5e-324, 0, 0], [1, 1, 1]), ([1, 1e-160, 1e-160], [0, 1, 1]),
    ]  # fmt: skip
    return made + [{"pred": [float(p) for p in pred], "target": [float(t) for t in target]} for pred, target in edges]


def mask_logits(confident: bool) -> list[Datum]:
    rng = random.Random(52)
    made: list[Datum] = []
    if not confident:
        for size in (1, 4, 9):
            for _ in range(8):
                made.append({"pred": [rng.gauss(0, 3) for _ in range(size)], "target": truth(rng, size)})
        return made
    edges = [
        ([40, -40, 40], [1, 0, 1]), ([40, 40, 40], [1, 1, 1]), ([-40, -40, -40], [0, 0, 0]), ([-40, 40, 0], [1, 0, 1]),
        ([700, -700, 700], [1, 0, 1]), ([-700, -700, -700], [0, 0, 0]), ([-700, 700, 0], [1, 0, 1]),
        ([-700, -700, -700], [1, 0, 0]), ([20.5, -20.5, 36.7], [1, 0, 1]), ([-745, 0, 745], [0, 0, 1]),
    ]  # fmt: skip
    made += [{"pred": [float(z) for z in pred], "target": [float(t) for t in target]} for pred, target in edges]
    for _ in range(20):
        target = truth(rng, 4)
        made.append({"pred": [(2 * t - 1) * rng.uniform(15, 60) for t in target], "target": target})
    return made


# --- several classes --------------------------------------------------------------------------------------------------


def softmaxes(rng: random.Random, classes: int, size: int, spread: float) -> list[list[float]]:
    """Probabilities as one list of positions a class."""
    by_position = []
    for _ in range(size):
        weights = [math.exp(rng.gauss(0, spread)) for _ in range(classes)]
        by_position.append([w / math.fsum(weights) for w in weights])
    return [list(positions) for positions in zip(*by_position, strict=True)]


def class_masks(*, present: bool, logits: bool = False) -> list[Datum]:
    """With every class somewhere in the target, or with one class that is nowhere."""
    rng = random.Random(53 + present)
    made: list[Datum] = []
    for k in range(32):
        classes, size = rng.choice(((2, 4), (3, 5), (4, 9)))
        known = classes if present else classes - 1
        index = [float(c) for c in range(known)] + [float(rng.randrange(known)) for _ in range(size - known)]
        rng.shuffle(index)
        pred = softmaxes(rng, classes, size, (0.5, 2, 6)[k % 3])
        if logits:
            pred = [[rng.gauss(0, (1, 4, 20)[k % 3]) for _ in range(size)] for _ in range(classes)]
        elif k % 8 == 7:
            pred = [[float(index[i] == c) for i in range(size)] for c in range(classes)]
        made.append({"pred": pred, "target": index})
    return made


def one_hot() -> list[Datum]:
    """A mask a class as the target, of 0 and 1 or of shares."""
    made: list[Datum] = []
    for datum in class_masks(present=True)[:16] + class_masks(present=False)[:8]:
        pred, index = datum["pred"], datum["target"]
        target = [[float(c == k) for c in index] for k in range(len(pred))]
        made.append({"pred": pred, "target": target})
    rng = random.Random(55)
    made += [{"pred": softmaxes(rng, 3, 5, 1), "target": softmaxes(rng, 3, 5, 1)} for _ in range(8)]
    return made


def mask_scores() -> list[Datum]:
    rng = random.Random(56)
    made: list[Datum] = []
    for size in (1, 3, 6, 12):
        for _ in range(10):
            made.append({"pred": [rng.gauss(0, 2) for _ in range(size)], "target": truth(rng, size)})
    edges = [
        ([1, -1, 1], [1, 0, 1]), ([2, -2, 2], [1, 0, 1]), ([0, 0, 0], [1, 0, 0]), ([0, 0, 0], [0, 0, 0]),
        ([1 - 2**-53, -1, 5], [1, 0, 1]), ([1 + 2**-52, -1, 5], [1, 0, 1]), ([0.5, 0.5, 0.5], [1, 1, 1]),
        ([-3, -3, -3], [1, 0, 0]), ([700, -700, 0], [0, 1, 1]), ([1e150, -1e150, 1], [0, 1, 1]), ([-1, -1], [0, 0]),
        ([-0.5, -1.5, 0.25], [0, 0, 0]), ([1e-300, -1e-300, 0], [1, 0, 1]), ([0.1, 0.1, 0.1, 0.1], [1, 0, 1, 0]),
    ]  # fmt: skip
    return made + [{"pred": [float(p) for p in pred], "target": [float(t) for t in target]} for pred, target in edges]


CLASS_SPECS = [f"{spec}:over=classes" for spec in ("dice", "jaccard", "tversky", "focal-tversky", "dice:smooth=1")]


def masks_of_classes() -> list[Datum]:
    """Several classes of one or more positions each, some of them empty."""
    rng = random.Random(57)
    made: list[Datum] = []
    for classes, positions in ((1, 4), (2, 1), (3, 5), (5, 9)):
        for _ in range(8):
            pred = [[rng.random() for _ in range(positions)] for _ in range(classes)]
            made.append({"pred": pred, "target": [truth(rng, positions) for _ in range(classes)]})
    empty = [[[0.0, 0.0], [1.0, 0.5]], [[0.0, 0.0], [0.0, 0.0]], [[1.0, 1.0], [0.0, 0.0]]]
    return made + [{"pred": pred, "target": [[0.0, 0.0], [1.0, 1.0]]} for pred in empty]


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "masks": (masks(), MASK_SPECS),
    "logits of masks": (mask_logits(confident=False), LOGIT_SPECS),
    "confident logits of masks": (mask_logits(confident=True), LOGIT_SPECS),
    "several masks a datum": (masks_of_classes(), CLASS_SPECS),
    "masks of classes": (
        class_masks(present=True),
        ["generalized-dice", "generalized-dice:smooth=1", "lovasz-softmax"],
    ),
    "masks with a class that is absent": (class_masks(present=False), ["generalized-dice", "lovasz-softmax"]),
    "masks against masks of classes": (one_hot(), ["generalized-dice", "generalized-dice:smooth=1"]),
    "logits of masks of classes": (class_masks(present=True, logits=True), ["generalized-dice:input=logits"]),
    "scores of masks": (mask_scores(), ["lovasz-hinge"]),
}
