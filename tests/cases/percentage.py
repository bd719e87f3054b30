"""Errors relative to the target, which may be tiny or zero, and numbers above -1 for logarithms of 1 + y."""

from __future__ import annotations

import random

from tests.cases.regression import Cases, Datum, errors, huge, number, several_outputs, tiny


def ratios() -> list[Datum]:
    """Targets of every size, also zero: then the ratio is infinite, or undefined where there is no error either."""
    rng = random.Random(21)
    edges = [
        (0, 0), (1, 0), (-1e-300, 0), (0, 1), (0, 5e-324), (5e-324, 1.5e-323), (1e150, 1e-300), (1e-300, 1e150),
        (2, -2), (1e300, 1e300), (-1e300, 1e-5), (1.5e307, 1e307), (1, 3), (7, 10),
    ]  # fmt: skip
    pairs = [(number(rng), number(rng)) for _ in range(50)]
    return [{"pred": float(p), "target": float(t)} for p, t in edges + pairs]


def above_minus_one() -> list[Datum]:
    """Numbers close to -1, close to 0, close to each other, and large."""
    rng = random.Random(22)
    ends = [-1 + 2**-53, -1 + 3 * 2**-53, -1 + 1e-9, -0.999, -0.5, -1e-10, 0.0, 1e-300, 1e-17, 1.0, 1e8, 1e150, 1e290]
    made = [(p, t) for p in ends for t in (-1 + 2**-53, -0.3, 0.0, 2e-17, 3.0, 1e290)]
    for _ in range(60):
        y = rng.choice([rng.expovariate(0.3), rng.uniform(-1, 0), 10 ** rng.uniform(-20, 100)])
        made.append((y + (1 + y) * rng.gauss(0, 1) ** 2 * 10 ** rng.uniform(-15, 0), y))
    return [{"pred": p, "target": t} for p, t in made]


def positive_outputs() -> list[Datum]:
    rng = random.Random(23)
    made: list[Datum] = []
    for outputs in (1, 2, 5, 9):
        for _ in range(15):
            target = [rng.expovariate(0.3) for _ in range(outputs)]
            made.append({"pred": [rng.uniform(0.5, 1.5) * t for t in target], "target": target})
    return made


CASES: Cases = {
    "ratios": (ratios() + errors(24, 30), ["mape", "smape"]),
    "ratios that are pooled": (ratios() + errors(24, 30), ["wmape"]),
    "ratios of the smallest and largest": (tiny() + [d for d in huge() if abs(d["pred"]) < 1e306], ["smape"]),
    "ratios of several outputs": (several_outputs(), ["smape"]),
    "logarithms": (above_minus_one(), ["msle"]),
    "roots of logarithms": ([d for d in above_minus_one() if abs(d["pred"] - d["target"]) > 1e-100], ["rmsle"]),
    "several positive outputs": (positive_outputs(), ["mape", "smape", "msle"]),
    "several positive outputs of roots": (positive_outputs(), ["rmsle"]),
    "several positive outputs that are pooled": (positive_outputs(), ["wmape"]),
}
