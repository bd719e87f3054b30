"""Predictions with a variance or a scale of every size, and ensembles around, beside and far from what happened.

The terms of negative log-likelihoods may cancel; ``SCALES`` gives the largest.
"""

from __future__ import annotations

import random

from tests.cases.counts import largest
from tests.cases.regression import Cases, Datum, number
from tests.oracle.scale import gaussian_nll_terms, laplace_nll_terms, student_t_nll_terms


def spread(name: str, smallest: float, largest: float) -> list[Datum]:
    """A prediction, a target, and a spread under the role's name; (e/spread)^2 stays within float64's range."""
    rng = random.Random(81)
    sizes = [10.0**smallest, 10.0**largest, 1e-9, 1e-3, 0.5, 1.0, 1 + 2**-52, 1 - 2**-53, 2.0, 1e6]
    edges = [(e, s) for s in sizes for e in (0.0, 1e-10, 1.0, -3.0)]
    made: list[Datum] = [{"pred": e, name: s, "target": 0.0} for e, s in edges]
    for _ in range(50):
        made.append({"pred": rng.gauss(0, 3), name: rng.expovariate(0.5) + 1e-3, "target": rng.gauss(0, 3)})
    for _ in range(25):
        size = 10 ** rng.uniform(smallest, largest)
        made.append({"pred": number(rng, -50, 50), name: size, "target": number(rng, -50, 50)})
    return made


def standardised() -> list[Datum]:
    """Targets from the middle of a normal distribution to far outside, where the score becomes the absolute error."""
    rng = random.Random(82)
    steps = [0.0, 1e-300, 1e-17, 1e-8, 1e-3, 0.1, 0.5, 1.0, 2.0, 5.0, 8.3, 12.0, 27.0, 38.6, 100.0, 1e10, 1e150]
    made: list[Datum] = [{"pred": 0.0, "scale": 1.0, "target": sign * z} for z in steps for sign in (1, -1)]
    for _ in range(60):
        made.append({"pred": rng.gauss(0, 3), "scale": rng.expovariate(0.5) + 1e-3, "target": rng.gauss(0, 3)})
    for _ in range(20):
        scale = 10 ** rng.uniform(-100, 100)
        made.append({"pred": 0.0, "scale": scale, "target": scale * rng.gauss(0, 3)})
    return made


def ensembles() -> list[Datum]:
    rng = random.Random(83)
    made: list[Datum] = []
    for members in (1, 2, 3, 5, 11):
        for _ in range(14):
            target = rng.gauss(0, 3)
            made.append({"pred": [rng.gauss(0, 3) for _ in range(members)], "target": target})
        made.append({"pred": [2.5] * members, "target": 2.5})
        made.append({"pred": [2.5] * members, "target": -1.0})
        made.append({"pred": [1e10 + rng.gauss(0, 1) for _ in range(members)], "target": 1e10})
        made.append({"pred": [rng.gauss(0, 1e-8) for _ in range(members)], "target": 1e8})
        made.append({"pred": [rng.gauss(0, 1) * 1e200 for _ in range(members)], "target": 0.0})
        made.append({"pred": [rng.gauss(0, 1) * 1e-290 for _ in range(members)], "target": 1e-290})
        made.append({"pred": [float(k) for k in range(members)], "target": 0.0})
    return made


def several_spreads(name: str) -> list[Datum]:
    rng = random.Random(84)
    made: list[Datum] = []
    for outputs in (1, 2, 5, 9):
        for _ in range(15):
            made.append({
                "pred": [rng.gauss(0, 3) for _ in range(outputs)],
                name: [rng.uniform(1, 4) for _ in range(outputs)],
                "target": [rng.gauss(0, 3) for _ in range(outputs)],
            })  # fmt: skip
    return made


CASES: Cases = {
    "variances": (spread("var", -100, 100), ["gaussian-nll", "gaussian-nll:full=true"]),
    "scales": (spread("scale", -140, 140), ["laplace-nll"]),
    "scales of heavy tails": (
        spread("scale", -80, 80),
        ["student-t-nll", "student-t-nll:df=1", "student-t-nll:df=2.5", "student-t-nll:df=30"],
    ),
    "several variances": (several_spreads("var"), ["gaussian-nll", "gaussian-nll:full=true"]),
    "several scales": (several_spreads("scale"), ["laplace-nll", "gaussian-nll", "student-t-nll", "crps-gaussian"]),
    "standardised errors": (standardised(), ["crps-gaussian"]),
    "ensembles": (ensembles(), ["crps-ensemble"]),
    "ensembles of fair scores": (
        [datum for datum in ensembles() if len(datum["pred"]) > 1],  # type: ignore[arg-type]
        ["crps-ensemble:fair=true"],
    ),
}
SCALES = {
    "gaussian-nll": largest(gaussian_nll_terms),
    "laplace-nll": largest(laplace_nll_terms),
    "student-t-nll": largest(student_t_nll_terms),
}
