"""Batches of vectors with labels; one datum here is a whole batch."""

from __future__ import annotations

import random

Datum = dict[str, object]


def vector(rng: random.Random, dimensions: int) -> list[float]:
    return [rng.gauss(0, 1) for _ in range(dimensions)]


def batches() -> list[Datum]:
    """Each has a datum with another of its label and one of another label; some have data without."""
    rng = random.Random(81)
    made: list[Datum] = []
    for size, dimensions in ((3, 2), (4, 3), (6, 3), (7, 4)):
        for _ in range(3):
            label = [0.0, 0.0, 1.0] + [float(rng.randrange(3)) for _ in range(size - 3)]
            rng.shuffle(label)
            made.append({"embedding": [vector(rng, dimensions) for _ in range(size)], "label": label})
    # Clusters, as after training: near its own, far from the others.
    centres = [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, -3.0]]
    for spread in (0.5, 0.05):
        embedding = [[c + rng.gauss(0, spread) for c in centres[k % 3]] for k in range(6)]
        made.append({"embedding": embedding, "label": [float(k % 3) for k in range(6)]})
    a, b, c = (vector(rng, 3) for _ in range(3))
    made += [
        {"embedding": [a, a, b, b], "label": [0.0, 0.0, 1.0, 1.0]},
        {"embedding": [a, [-v for v in a], a, b], "label": [5.0, 5.0, 7.0, 7.0]},
        {"embedding": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.0]], "label": [1.0, 1.0, 2.0, 2.0]},
        {"embedding": [[v * 1e-150 for v in a], [v * 1e150 for v in b], c], "label": [1.0, 1.0, 0.0]},
    ]
    return made


def one_label() -> list[Datum]:
    rng = random.Random(82)
    return [
        {"embedding": [vector(rng, 3) for _ in range(size)], "label": [1.0] * size}
        for size in (2, 3, 5)
        for _ in range(2)
    ]


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "batches": (
        batches(),
        [
            "nt-xent", "nt-xent:temperature=0.5", "supcon", "supcon:temperature=0.5", "circle",
            "circle:gamma=10:margin=0.25", "multi-similarity", "multi-similarity:alpha=1:beta=10:base=0.2",
            "lifted-structure", "lifted-structure:margin=0.5", "n-pairs", "angular", "angular:alpha=30",
        ],
    ),
    "batches of one label": (one_label(), ["nt-xent", "supcon"]),
}  # fmt: skip
# A distance, a logarithm and the margin may cancel, and the square doubles what their roundings leave.
BOUNDS = {"lifted-structure": 8.0, "lifted-structure:margin=0.5": 8.0}
