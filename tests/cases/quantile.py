"""Errors of either sign, at the ends of tubes, and intervals that hold the target or miss it."""

from __future__ import annotations

import math
import random

from tests.cases.regression import Cases, Datum, errors, kinks, several_outputs, tiny


def intervals() -> list[Datum]:
    """The target inside, at an end, just beyond it and far out; intervals of every width, also none, and crossed."""
    rng = random.Random(31)
    made: list[tuple[float, float, float]] = []
    for low, high in ((-1.0, 2.0), (0.0, 0.0), (1e-300, 1e-290), (-1e150, 1e150), (0.1, 0.3), (1e10, 1e10 + 1e-5)):
        middle = low + (high - low) / 2
        outside = [math.nextafter(low, -math.inf), math.nextafter(high, math.inf), low - 1, high + 0.1, 1e200, -1e200]
        made += [(low, high, target) for target in (low, middle, high, *outside)]
    for _ in range(60):
        low = rng.gauss(0, 3)
        made.append((low, low + rng.expovariate(1), rng.gauss(0, 3)))
        made.append((low, low - rng.expovariate(1), low + rng.gauss(0, 1)))
    return [{"low": low, "high": high, "target": target} for low, high, target in made]


TUBES = kinks(0.1, 2.5, 1e-9, 1e6) + errors(32, 40)

CASES: Cases = {
    "errors of either sign": (
        errors(33, 80) + tiny(),
        ["quantile", "quantile:tau=0.9", "quantile:tau=0.05", "quantile:tau=0", "quantile:tau=1"],
    ),
    "squared errors of either sign": (
        errors(34, 80) + tiny(),
        ["expectile", "expectile:tau=0.9", "expectile:tau=0.05", "expectile:tau=0", "expectile:tau=1"],
    ),
    "tubes": (
        TUBES,
        [
            "epsilon-insensitive", "epsilon-insensitive:epsilon=0", "epsilon-insensitive:epsilon=2.5",
            "epsilon-insensitive:epsilon=1e-09", "squared-epsilon-insensitive",
            "squared-epsilon-insensitive:epsilon=0", "squared-epsilon-insensitive:epsilon=2.5",
        ],
    ),
    "intervals": (intervals(), ["interval-score", "interval-score:alpha=0.2", "interval-score:alpha=0.5"]),
    "several outputs of quantiles": (
        several_outputs(),
        ["quantile:tau=0.9", "expectile:tau=0.9", "epsilon-insensitive", "squared-epsilon-insensitive"],
    ),
}  # fmt: skip
