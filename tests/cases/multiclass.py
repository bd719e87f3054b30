"""Scores and probabilities of several classes."""

from __future__ import annotations

import math
import random

Datum = dict[str, object]

# Confident, all negative, tied, nearly tied, and at the ends of the exponents.
EDGES: list[list[float]] = [
    [40, 0], [0, -40], [700, 0], [-700, 700, 0], [0, -720], [-700, -701], [20.5, -20.5], [30.1, 0.3, 0.3],
    [0, 0, 0], [1e-300, -1e-300], [1, 1 - 2**-52], [500, 500, 499], [36.7, 0, -36.7], [-0.1, -30.3], [745, 0, 1],
]  # fmt: skip


def rows(seed: int, count: int) -> list[list[float]]:
    """Ordinary scores, and ones that are far apart."""
    rng = random.Random(seed)
    sizes = ((2, 1), (3, 4), (5, 2), (4, 30))
    return [[rng.gauss(0, scale) for _ in range(classes)] for classes, scale in sizes for _ in range(count)]


def with_classes(given: list[list[float]]) -> list[Datum]:
    """Each row with its best class, and with its last one."""
    made: list[Datum] = []
    for row in given:
        best = max(range(len(row)), key=row.__getitem__)
        made += [{"pred": [float(v) for v in row], "target": float(c)} for c in sorted({best, len(row) - 1})]
    return made


def shares(rng: random.Random, classes: int) -> list[float]:
    """Parts of sixteen, so that they sum to 1 exactly."""
    cuts = sorted(rng.randrange(17) for _ in range(classes - 1))
    return [(b - a) / 16 for a, b in zip([0, *cuts], [*cuts, 16], strict=True)]


def with_shares(given: list[list[float]], seed: int) -> list[Datum]:
    rng = random.Random(seed)
    return [{"pred": [float(v) for v in row], "target": shares(rng, len(row))} for row in given]


def probabilities(seed: int, *, of_log: bool) -> list[Datum]:
    rng = random.Random(seed)
    made: list[Datum] = []
    for classes, least in ((2, -1), (3, -2), (5, -30)):
        for _ in range(8):
            weights = [10 ** rng.uniform(least, 0) for _ in range(classes)]
            p = [w / math.fsum(weights) for w in weights]
            p = [math.log(v) for v in p] if of_log else p
            made += [{"pred": p, "target": float(c)} for c in (0, classes - 1)]
    edges = [[1.0, 0.0], [0.5, 0.5], [1 - 2**-53, 2**-53], [5e-324, 1.0], [0.0, 1.0, 0.0], [1e-300, 0.25, 0.75]]
    if of_log:
        edges = [[0.0, -math.inf], [-1e-300, -690.0], [-1e-17, -40.0], [-0.5, -0.932752129567152], [-2e-9, -20.0]]
    return made + [{"pred": p, "target": float(c)} for p in edges for c in (0, 1)]


def near_shares() -> list[Datum]:
    """Probabilities close to the shares that they should have."""
    rng = random.Random(14)
    made: list[Datum] = []
    for k in range(20):
        q = shares(rng, 4)
        moved = 16.0 ** -(k % 10 + 1)
        p = list(q)
        low, high = min(range(4), key=q.__getitem__), max(range(4), key=q.__getitem__)
        p[low], p[high] = p[low] + moved, p[high] - moved
        made.append({"pred": p, "target": q})
    return made


MATRIX = [[0.5, -1.25, 2.0], [1.0, 0.375, -0.5], [-2.0, 1.0, 0.125], [0.0, 0.75, 1.5]]
BIAS = [0.25, -0.5, 0.0, 1.0]


def features(*, exact: bool) -> list[Datum]:
    """Features of which the scores are computed: in eighths without any rounding, else with."""
    rng = random.Random(15)
    made: list[Datum] = []
    for k in range(40):
        scale = (1, 1, 10, 100)[k % 4]
        x = [rng.gauss(0, scale) for _ in range(3)]
        x = [round(8 * v) / 8 for v in x] if exact else x
        made.append({"features": x, "matrix": MATRIX, "bias": BIAS, "target": float(k % 4)})
    made += [{"features": [0.0, 0.0, 0.0], "matrix": MATRIX, "bias": BIAS, "target": float(c)} for c in range(4)]
    return made


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "scores of classes": (
        with_classes(rows(11, 7) + EDGES),
        [
            "poly-1", "poly-1:epsilon=0.5", "poly-1:epsilon=-1", "poly-1:epsilon=-0.6", "poly-1:label-smoothing=0.1",
            "poly-1:ignore-index=1", "generalized-cross-entropy",
            "generalized-cross-entropy:q=0.2", "generalized-cross-entropy:q=1", "symmetric-cross-entropy",
            "symmetric-cross-entropy:alpha=1:beta=0.5:log-zero=-6", "multiclass-brier:input=logits",
        ],
    ),
    "scores of classes that are shared out": (
        with_shares(rows(12, 8) + EDGES, 13),
        [
            "poly-1", "poly-1:epsilon=0.5", "poly-1:epsilon=-1", "symmetric-cross-entropy",
            "multiclass-brier:input=logits",
        ],
    ),
    "scores of three classes": (
        [datum for datum in with_classes(rows(18, 10) + EDGES) if len(datum["pred"]) == 3],  # type: ignore[arg-type]
        ["poly-1:class-weight=0.5/2/0.25", "poly-1:label-smoothing=0.1:class-weight=0.5/2/0.25"],
    ),
    "probabilities of classes": (
        probabilities(16, of_log=False),
        [
            "poly-1:input=probs", "generalized-cross-entropy:input=probs",
            "generalized-cross-entropy:q=0.2:input=probs", "symmetric-cross-entropy:input=probs", "multiclass-brier",
        ],
    ),
    "log-probabilities of classes": (
        probabilities(17, of_log=True),
        [
            "poly-1:input=log-probs", "generalized-cross-entropy:input=log-probs",
            "symmetric-cross-entropy:input=log-probs", "multiclass-brier:input=log-probs",
        ],
    ),
    "probabilities close to their shares": (near_shares(), ["multiclass-brier"]),
    "features with exact scores": (
        features(exact=True),
        [
            "linear-cross-entropy", "linear-cross-entropy:label-smoothing=0.1",
            "linear-cross-entropy:class-weight=0.5/2/0.25/1", "linear-cross-entropy:ignore-index=2",
        ],
    ),
    # The scores are rounded here: what that does to the loss depends on their size, not on the loss's.
    "features with rounded scores": (features(exact=False), ["linear-cross-entropy"]),
}  # fmt: skip


def size_of_scores(features: list[float], matrix: list[list[float]], **_: object) -> float:
    """The largest sum of the sizes of products: what a score that is rounded is exact to."""
    return max(math.fsum(abs(w * x) for w, x in zip(row, features, strict=True)) for row in matrix)


# Of the scores (745, 0, 1) the loss is a few of the smallest numbers there are, each of which is rounded to one. And
# without its first term poly-1 is half a square of the cross entropy to begin with; a square has twice the error.
BOUNDS = {
    "poly-1": 6.0,
    "symmetric-cross-entropy:alpha=1:beta=0.5:log-zero=-6": 5.0,
    "multiclass-brier:input=logits": 6.0,
}
# A score is a sum of products that are rounded, and the loss of large scores changes by as much as they do.
SCALES = {"linear-cross-entropy": size_of_scores}
# The slope has the factor p^q = e^(-qL), and the rounding of qL = 490 is worth that many digits of it.
GRADIENT_BOUNDS = {"generalized-cross-entropy": 2e-13}
