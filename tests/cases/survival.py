"""Risks and times of a group under observation; one datum here is a whole group."""

from __future__ import annotations

import random

Datum = dict[str, object]


def group(pred: list[float], time: list[float], event: list[float]) -> Datum:
    return {"pred": [float(s) for s in pred], "time": [float(t) for t in time], "event": [float(d) for d in event]}


def groups() -> list[Datum]:
    rng = random.Random(101)
    made = []
    for size in (1, 2, 4, 8, 12):
        for k in range(9):
            # Times are all different, or whole numbers of which several are equal.
            time = [rng.expovariate(1) if k % 3 else float(rng.randrange(1, 4)) for _ in range(size)]
            event = [1.0] + [float(rng.random() < 0.6) for _ in range(size - 1)]
            made.append(group([rng.gauss(0, (0.5, 2, 20)[k % 3]) for _ in range(size)], time, event))
    made += [
        group([0, 0, 0], [1, 2, 3], [1, 1, 1]),
        group([0, 0, 0], [1, 1, 1], [1, 1, 1]),
        group([1, 2, 3], [1, 1, 1], [1, 0, 1]),
        group([1, 2, 3], [3, 2, 1], [0, 0, 1]),
        group([40, 0, 0], [1, 2, 3], [1, 1, 1]),
        group([-40, 0, 40], [1, 2, 3], [1, 1, 1]),
        group([700, 0, -700], [1, 2, 3], [1, 1, 1]),
        group([-700, 0, 700], [1, 1, 1], [1, 1, 0]),
        group([700, 700, 699], [1, 1, 2], [1, 1, 1]),
        group([800, 801], [2, 1], [1, 1]),
        group([1e-300, -1e-300], [1, 2], [1, 1]),
        group([1, 2, 3, 4], [0, 0, 1e300, 1e-300], [1, 1, 1, 1]),
    ]
    return made


CASES: dict[str, tuple[list[Datum], list[str]]] = {"groups under observation": (groups(), ["cox", "cox:ties=efron"])}
