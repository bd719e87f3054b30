"""Scores of two things, and of lists of items."""

from __future__ import annotations

import random

import mpmath
import torch
from mpmath import mpf

from losscli.loss import BoundLoss

Datum = dict[str, object]


def two_scores() -> list[Datum]:
    rng = random.Random(41)
    edges = [
        (0, 0), (1, 1), (1, 0.7), (1, 1.3), (0.3, 0.1 + 0.2), (1, 1 + 2**-52), (1e300, -1e300), (1e-300, 0),
        (1e16, 1e16 - 2), (0.5, 0.2), (-0.5, -0.2), (5e-324, 0),
    ]  # fmt: skip
    given = edges + [(rng.gauss(0, 2), rng.gauss(0, 2)) for _ in range(30)]
    return [{"first": float(a), "second": float(b), "order": s} for a, b in given for s in (1.0, -1.0)]


EDGES: list[tuple[list[float], list[float]]] = [
    ([3], [1]), ([3], [0]), ([0, 0], [0, 1]), ([1, 1 + 2**-52], [1, 0]), ([40, 0], [1, 0]), ([40, 0], [0, 1]),
    ([700, 0], [1, 0]), ([700, 0], [0, 1]), ([-700, 700, 0], [0, 1, 2]), ([1e-300, -1e-300], [1, 0]),
    ([5, 5, 5], [2, 1, 2]), ([-1000, -1001, -1002], [2, 1, 0]), ([20.5, -20.5, 0], [3, 0, 1]), ([2, 1], [1, 1]),
    ([1e300, -1e300], [0, 1]),
]  # fmt: skip


def lists(seed: int) -> list[Datum]:
    rng = random.Random(seed)
    made: list[Datum] = []
    for length, scale in ((1, 2), (2, 2), (4, 1), (6, 5), (5, 60)):
        for k in range(8):
            target = [float(rng.randrange(4)) if k % 3 else rng.random() for _ in range(length)]
            made.append({"pred": [rng.gauss(0, scale) for _ in range(length)], "target": target})
    return made + [{"pred": [float(s) for s in pred], "target": [float(y) for y in target]} for pred, target in EDGES]


def lists_with_gain(seed: int) -> list[Datum]:
    """Without gain the best order is worth nothing, and NDCG is 0/0."""
    return [datum for datum in lists(seed) if any(datum["target"])]


def clear_orders() -> list[Datum]:
    """The scores have the right order, so clearly that almost nothing is lost."""
    rng = random.Random(44)
    made: list[Datum] = []
    for gap in (0.1, 0.5, 1.0, 2.0, 5.0, 40.0):
        for length in (2, 3, 5):
            target = sorted((float(rng.randrange(5)) for _ in range(length - 1)), reverse=True)
            pred = [gap * (length - k) + rng.uniform(0, gap / 10) for k in range(length)]
            made.append({"pred": pred, "target": [5.0, *target]})
    return made


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "two scores": (two_scores(), ["margin-ranking", "margin-ranking:margin=0.3", "margin-ranking:margin=2"]),
    "lists": (lists(42), ["ranking-softmax", "ranknet", "list-mle"]),
    "lists with gain": (lists_with_gain(43), ["approx-ndcg:temperature=1", "approx-ndcg"]),
    "lists in a clear order": (clear_orders(), ["approx-ndcg", "list-mle", "ranknet"]),
}


def largest_move(pred: list[float], target: list[float], temperature: float) -> mpf:
    """The most that an item loses or gains against its place in the best order.

    Where two are almost equally relevant and in the wrong order, the one loses nearly what the other gains.
    """
    scores = [mpf(s) / mpf(temperature) for s in pred]
    gains = [mpf(2) ** mpf(y) - 1 for y in target]
    ranks = [mpf("0.5") + mpmath.fsum(1 / (1 + mpmath.exp(s - t)) for t in scores) for s in scores]
    order = sorted(range(len(pred)), key=lambda i: (target[i], pred[i]), reverse=True)
    best = mpmath.fsum(gains[i] / mpmath.log(1 + k) for k, i in enumerate(order, start=1))
    moves = [gains[i] * (1 / mpmath.log(1 + k) - 1 / mpmath.log(1 + ranks[i])) for k, i in enumerate(order, start=1)]
    return max(map(abs, moves)) / best


SCALES = {"approx-ndcg": largest_move}


def samples(bound: BoundLoss, form: tuple[str, ...], n: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Lists of six items, or with a query items of three lists. No two items are equally relevant."""
    shape = (n,) if "query" in form else (n, 6)
    roles = {
        "pred": 2 * torch.randn(shape, generator=generator, dtype=torch.float64),
        "target": 3 * torch.rand(shape, generator=generator, dtype=torch.float64),
        "query": torch.randint(3, (n,), generator=generator).double(),
    }
    return {role: roles[role] for role in form}


# The shape of scores and grades depends on whether there is a query.
SAMPLES = dict.fromkeys(("ranking-softmax", "ranknet", "list-mle", "approx-ndcg"), samples)
