"""Pairs of vectors, distances, and vectors against the directions of classes."""

from __future__ import annotations

import math
import random

Datum = dict[str, object]


def vector(rng: random.Random, dimensions: int, near: list[float] | None = None, spread: float = 1.0) -> list[float]:
    return [(near[k] if near else 0.0) + rng.gauss(0, spread) for k in range(dimensions)]


def directions(dissimilar: float) -> list[Datum]:
    rng = random.Random(71)
    pairs = [(vector(rng, n), vector(rng, n)) for n in (1, 2, 3, 8) for _ in range(6)]
    for n in (2, 3, 8):
        for k in range(0, 9, 2):
            a = vector(rng, n)
            pairs.append((a, vector(rng, n, a, 10.0**-k)))
    a, b = vector(rng, 3), vector(rng, 3)
    pairs += [
        (a, a), (a, [-v for v in a]), (a, [2 * v for v in a]), ([1.0, 0.0], [0.0, 1.0]), ([1.0, 1.0], [1.0, -1.0]),
        ([v * 1e-200 for v in a], b), ([v * 1e200 for v in a], [v * 1e-200 for v in b]), ([3.0, 4.0], [4.0, 3.0]),
        ([5e-324, 0.0], [1.0, 1.0]), ([1e308, 1e308], [1.0, 0.0]),
    ]  # fmt: skip
    return [{"first": x, "second": y, "similar": s} for x, y in pairs for s in (1.0, dissimilar)]


def distances() -> list[Datum]:
    rng = random.Random(72)
    edges = [0.0, 5e-324, 1e-300, 0.3, 0.5, 1 - 2**-53, 1.0, 1 + 2**-52, 2.0, 2.5, 1e150]
    given = edges + [rng.expovariate(1) for _ in range(30)]
    return [{"distance": d, "similar": s} for d in given for s in (1.0, 0.0)]


# The first two are almost parallel, the last two exactly opposite.
MATRIX = [[1.0, 0.5, -0.25], [1.0, 0.5, -0.2501], [0.0, 2.0, 1.0], [0.0, -4.0, -2.0]]


def angle(a: list[float], b: list[float]) -> float:
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    return math.acos(max(-1.0, min(1.0, dot / math.hypot(*a) / math.hypot(*b))))


def class_directions() -> list[Datum]:
    """Beyond pi minus the margin a larger angle would cost less, and implementations go different ways."""
    rng = random.Random(73)
    given = [vector(rng, 3) for _ in range(20)] + [vector(rng, 3, row, 0.1) for row in MATRIX for _ in range(3)]
    given += [list(row) for row in MATRIX]
    given += [[v * 1e-150 for v in given[0]], [v * 1e150 for v in given[1]]]
    made: list[Datum] = []
    for x in given:
        angles = [angle(x, row) for row in MATRIX]
        made += [
            {"embedding": x, "matrix": MATRIX, "label": float(c)}
            for c in range(len(MATRIX))
            if angles[c] < math.pi - 0.6 and (c % 2 or angles[c] < 0.5)
        ]
    return made


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "directions": (directions(0.0), ["cosine-embedding", "cosine-embedding:margin=0.3"]),
    "directions with labels of 1 and -1": (directions(-1.0), ["cosine-embedding"]),
    "distances of pairs": (distances(), ["hinge-embedding", "hinge-embedding:margin=0.3", "hinge-embedding:margin=2"]),
    # Scores are the scale times a cosine: what rounding them does to the loss depends on the scale.
    "directions of classes": (
        class_directions(), ["arcface", "arcface:margin=0.1:scale=10", "cosface", "cosface:margin=0:scale=10"],
    ),
}  # fmt: skip
