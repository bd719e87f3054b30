"""Data on which losses are compared with the true values: ordinary ones, and the edges where formulas lose digits."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy
import torch

from losscli.registry import parse_spec

Datum = dict[str, object]


def number(rng: random.Random) -> float:
    """Mostly of ordinary size, sometimes anywhere in the range of the exponents."""
    if rng.random() < 0.3:
        return rng.choice([-1, 1]) * 10 ** rng.uniform(-300, 150)
    return rng.gauss(0, 3)


def errors() -> list[Datum]:
    rng = random.Random(1)
    edges = [
        (1, 1),
        (2, 1),
        (1, 1 + 2**-52),
        (1e154, -1e154),
        (1e300, 0),
        (0.1 + 0.2, 0.3),
        (3, 2.5),
        (-1, -3),
        (0, -0.0),
    ]
    pairs = [(number(rng), number(rng)) for _ in range(120)]
    return [{"pred": float(p), "target": float(t)} for p, t in edges + pairs]


def probabilities() -> list[Datum]:
    rng = random.Random(2)
    edges = [0.0, 5e-324, 1e-310, 1e-300, 1e-17, 1e-8, 0.1, 0.5, 0.75, 1 - 2**-30, 1 - 2**-53, 1.0]
    preds = edges + [rng.random() for _ in range(15)] + [10 ** rng.uniform(-320, 0) for _ in range(10)]
    return [{"pred": p, "target": t} for p in preds for t in (0.0, 1.0, 0.3, 1e-20)]


def logits() -> list[Datum]:
    rng = random.Random(3)
    edges = [0.0, 1e-300, 1e-17, 0.5, 1.0, 20.5, 36.7, 40.0, 700.0, 744.4, 745.0, 750.0, 1e300, 1.5e308]
    preds = [sign * z for z in edges for sign in (1, -1)]
    preds += [rng.gauss(0, 5) for _ in range(20)] + [rng.uniform(-745, 745) for _ in range(10)]
    return [{"pred": z, "target": t} for z in preds for t in (0.0, 1.0, 0.3, 1e-20)]


def rows(count: int = 12) -> list[list[float]]:
    """Rows of logits: ordinary, confident, far apart, all negative, tied, and at the ends of the exponents."""
    rng = random.Random(4)
    made = [
        [rng.gauss(0, scale) for _ in range(classes)]
        for classes, scale in ((2, 5), (3, 1), (3, 30), (7, 10), (5, 200))
        for _ in range(count)
    ]
    made += [
        [30, 0], [0, -720], [-300, -720], [700, 0], [700, -40], [30.1, 0.3, 0.3], [1e300, -1e300], [1e300, 1e300],
        [-700, -701], [0, 0, 0], [1e-300, -1e-300], [600.5, 0.1, 0.2], [-0.1, -30.3], [500, 500, 499],
        [800, 799.5, 10], [-1e5, -1e5 - 0.3], [709, 709, 1], [1, 1 - 2**-50], [0.1, -744.3], [5.0],
    ]  # fmt: skip
    return made


def class_indices() -> list[Datum]:
    made: list[Datum] = []
    for row in rows():
        largest = max(range(len(row)), key=row.__getitem__)
        made += [{"pred": row, "target": float(c)} for c in sorted({largest, 0, len(row) - 1})]
    return made


def soft_targets() -> list[Datum]:
    rng = random.Random(5)
    made: list[Datum] = []
    for row in rows(6):
        weights = [rng.random() for _ in row]
        one = rng.randrange(len(row))
        made.append({"pred": row, "target": [w / math.fsum(weights) for w in weights]})
        made.append({"pred": row, "target": [float(c == one) for c in range(len(row))]})
    return made


def class_probabilities(of_log: bool) -> list[Datum]:
    rng = random.Random(6)
    made: list[Datum] = []
    for classes in (2, 3, 6):
        for _ in range(25):
            weights = [10 ** rng.uniform(-30, 0) for _ in range(classes)]
            p = [w / math.fsum(weights) for w in weights]
            if of_log:
                p = [math.log(v) for v in p]
            made += [{"pred": p, "target": float(c)} for c in (0, classes - 1)]
    edges = [[1.0, 0.0], [0.5, 0.5], [1 - 2**-53, 2**-53], [5e-324, 1.0]]
    if of_log:
        edges = [[0.0, -math.inf], [-1e-300, -690.0], [-0.5, -0.9]]
    return made + [{"pred": p, "target": float(c)} for p in edges for c in (0, 1)]


def distances() -> list[Datum]:
    rng = random.Random(7)
    given = [0.0, 1.0, 1 - 2**-53, 1 + 2**-52, 0.5, 1e-300, 1e-160, 1e150, 2.0] + [
        rng.expovariate(1) for _ in range(60)
    ]
    return [{"distance": d, "similar": s} for d in given for s in (0.0, 1.0)]


CASES = {
    "errors": (errors(), ["mse", "mae", "huber", "huber:delta=0.001", "huber:delta=2.5", "huber:delta=1e+100"]),
    "probabilities": (
        probabilities(),
        [
            "binary-cross-entropy", "binary-cross-entropy:label-smoothing=0.1", "binary-cross-entropy:pos-weight=3",
            "balanced-cross-entropy:pos-weight=3:neg-weight=0.7", "focal", "focal:gamma=0:alpha=none",
            "focal:gamma=0.3", "focal:gamma=1", "focal:gamma=2.5", "focal:gamma=5", "focal:label-smoothing=0.1",
        ],
    ),
    "logits": (
        logits(),
        [
            "binary-cross-entropy:input=logits", "binary-cross-entropy:input=logits:label-smoothing=0.1",
            "binary-cross-entropy:input=logits:pos-weight=3",
            "balanced-cross-entropy:pos-weight=3:neg-weight=0.7:input=logits", "focal:input=logits",
            "focal:gamma=0:input=logits", "focal:gamma=0.3:input=logits", "focal:gamma=1:input=logits",
            "focal:gamma=3:input=logits", "focal:gamma=5:input=logits",
        ],
    ),
    "class indices": (
        class_indices(), ["cross-entropy", "cross-entropy:label-smoothing=0.1", "categorical-focal:gamma=0"],
    ),
    "soft targets": (soft_targets(), ["cross-entropy", "cross-entropy:label-smoothing=0.1"]),
    "class probabilities": (
        class_probabilities(of_log=False),
        [
            "cross-entropy:input=probs", "cross-entropy:input=probs:label-smoothing=0.1",
            "categorical-focal:input=probs", "categorical-focal:gamma=0.5:input=probs",
        ],
    ),
    "log-probabilities": (
        class_probabilities(of_log=True),
        ["cross-entropy:input=log-probs", "categorical-focal:input=log-probs"],
    ),
    "distances": (distances(), ["contrastive", "contrastive:margin=0.3"]),
}  # fmt: skip


def evaluate(spec: str, data: Sequence[Datum], dtype: torch.dtype = torch.float64, device: str = "cpu") -> list[float]:
    """The loss of each datum, in batches of data of one shape and of the same shared roles."""
    bound = parse_spec(spec)
    shared = bound.loss.shared
    alike: dict[object, list[int]] = {}
    for k, datum in enumerate(data):
        shape = tuple(str(v) if role in shared else (role, numpy.shape(v)) for role, v in datum.items())
        alike.setdefault(shape, []).append(k)
    results = [math.nan] * len(data)
    for members in alike.values():
        roles = {
            role: torch.tensor(
                value if role in shared else [data[k][role] for k in members], dtype=dtype, device=device
            )
            for role, value in data[members[0]].items()
        }
        for k, result in zip(members, bound.per_datum(bound(**roles)).tolist(), strict=True):
            results[k] = result
    return results


def evaluate_batch(spec: str, batch: Datum) -> list[tuple[float, float]]:
    """For a loss that sees all data at once: the loss and the weight of each datum of a batch."""
    bound = parse_spec(spec)
    roles = {role: torch.tensor(values, dtype=torch.float64) for role, values in batch.items()}
    values, weights = bound(**roles), bound.weights(roles)
    weights = torch.ones_like(values) if weights is None else weights
    return list(zip(values.tolist(), weights.tolist(), strict=True))
