"""Boxes, and where they should be."""

from __future__ import annotations

import random

import torch

from losscli.loss import BoundLoss

Datum = dict[str, object]
Corners = list[float]

SPECS = ["iou", "giou", "diou", "ciou"]


def box(rng: random.Random, width: float = 5.0) -> Corners:
    x, y = rng.uniform(-5, 5), rng.uniform(-5, 5)
    return [x, y, x + rng.uniform(0.1, width), y + rng.uniform(0.1, width)]


def boxes() -> list[Datum]:
    rng = random.Random(61)
    made = [(box(rng), box(rng)) for _ in range(40)]
    made += [(box(rng, 0.5), box(rng, 9)) for _ in range(15)]
    made += [
        # Equal, one inside the other, side by side, corner to corner, far apart, and crossing.
        ([0, 0, 2, 3], [0, 0, 2, 3]), ([1, 1, 2, 2], [0, 0, 3, 3]), ([0, 0, 1, 1], [1, 0, 2, 1]),
        ([0, 0, 1, 1], [1, 1, 2, 2]), ([0, 0, 1, 1], [1e6, 1e6, 1e6 + 1, 1e6 + 1]), ([0, 1, 3, 2], [1, 0, 2, 3]),
        # Without area, and very thin.
        ([0, 0, 0, 2], [0, 0, 1, 2]), ([0, 0, 3, 0], [0, -1, 3, 1]), ([0, 0, 1e-9, 2], [0, 0, 1, 2]),
        # Far from the origin, where the differences of the corners have few digits.
        ([1e8, 1e8, 1e8 + 1, 1e8 + 2], [1e8 + 0.5, 1e8, 1e8 + 2, 1e8 + 1]),
    ]  # fmt: skip
    return data(made)


def other_sizes() -> list[Datum]:
    rng = random.Random(62)
    pairs = [(box(rng), box(rng)) for _ in range(8)]
    return data([([v * s for v in a], [v * s for v in b]) for a, b in pairs for s in (1e-70, 1e-30, 1e30, 1e70)])


def nearly_equal() -> list[Datum]:
    """One corner is off by little, so that almost nothing is lost."""
    rng = random.Random(63)
    made = []
    for k in range(1, 13):
        for corner in range(4):
            a = box(rng)
            b = list(a)
            b[corner] += 10.0**-k
            made.append((a, b))
    return data(made)


def data(pairs: list[tuple[Corners, Corners]]) -> list[Datum]:
    return [{"pred": [float(v) for v in a], "target": [float(v) for v in b]} for a, b in pairs]


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "boxes": (boxes(), SPECS),
    "tiny and huge boxes": (other_sizes(), SPECS),
    "boxes that are nearly equal": (nearly_equal(), SPECS),
}


def samples(bound: BoundLoss, form: tuple[str, ...], n: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Boxes around the origin, most of which meet."""
    roles = {}
    for role in form:
        corner = torch.randn(n, 2, generator=generator, dtype=torch.float64)
        size = 0.2 + 3 * torch.rand(n, 2, generator=generator, dtype=torch.float64)
        roles[role] = torch.cat((corner, corner + size), 1)
    return roles


# The second corner does not lie before the first.
SAMPLES = dict.fromkeys(SPECS, samples)
