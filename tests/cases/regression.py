"""Errors of every size, powers of them, several outputs, and vectors.

In every family ``CASES`` maps a name to data and the losses that are compared on them. ``BOUNDS`` has the losses that
cannot be within the usual few ULP, by name or with parameters, and ``SCALES`` what the error of a loss is measured by
where that is not the loss itself.
"""

from __future__ import annotations

import math
import random

Datum = dict[str, object]
Cases = dict[str, tuple[list[Datum], list[str]]]


def number(rng: random.Random, smallest: float = -300, largest: float = 150) -> float:
    """Mostly of ordinary size, sometimes anywhere between two powers of ten."""
    if rng.random() < 0.3:
        return rng.choice([-1, 1]) * 10 ** rng.uniform(smallest, largest)
    return rng.gauss(0, 3)


def around(value: float) -> list[float]:
    """A number and its neighbours."""
    return [math.nextafter(value, -math.inf), value, math.nextafter(value, math.inf)]


def kinks(*errors: float) -> list[Datum]:
    """Data whose error is at, next to and near each of these, with either sign, and once from a rounded difference."""
    made: list[Datum] = []
    for error in errors:
        made += [{"pred": sign * e, "target": 0.0} for e in around(error) for sign in (1, -1)]
        made += [{"pred": 2.0 + error, "target": 2.0}, {"pred": 1e3, "target": 1e3 + error}]
    return made


def errors(seed: int, count: int = 60, smallest: float = -300, largest: float = 150) -> list[Datum]:
    """No errors, errors of a rounded difference, errors of every size between two powers of ten."""
    rng = random.Random(seed)
    edges = [
        (1, 1), (2, 1), (1, 1 + 2**-52), (0.1 + 0.2, 0.3), (3, 2.5), (-1, -3), (0, -0.0), (1e16, 1e16 + 2), (1e10, 0.3),
        (10**largest, 0), (0, 10**largest), (10**largest, -(10**largest)), (10**smallest, 0), (1, 10**smallest),
        (1e-8, 0), (3e-5, 0), (0, 0.01), (20, 0), (0, 40), (1e4, 0), (-1e8, 1e8), (1e17, 1),
    ]  # fmt: skip
    pairs = [(number(rng, smallest, largest), number(rng, smallest, largest)) for _ in range(count)]
    pairs += [(t + t * 10 ** rng.uniform(-15, -1), t) for t in (rng.gauss(0, 3) for _ in range(count // 4))]
    return [{"pred": float(p), "target": float(t)} for p, t in edges + pairs]


def tiny() -> list[Datum]:
    """Errors whose squares are subnormal numbers, or none at all, and subnormal errors."""
    made = [1e-154, 1.5e-154, 3e-155, 1e-158, 1e-160, 7e-162, 1e-170, 1e-300, 2e-308, 1e-310, 5e-324]
    return [{"pred": sign * e, "target": 0.0} for e in made for sign in (1, -1)]


def huge() -> list[Datum]:
    """Errors whose squares are beyond float64."""
    rng = random.Random(11)
    made = [1e155, 1e200, 1e300, 1.7e308] + [10 ** rng.uniform(155, 305) for _ in range(10)]
    return [{"pred": sign * e, "target": rng.gauss(0, 3)} for e in made for sign in (1, -1)]


def several_outputs() -> list[Datum]:
    rng = random.Random(12)
    made: list[Datum] = []
    for outputs in (1, 2, 5, 9):
        for _ in range(14):
            target = [rng.gauss(0, 3) for _ in range(outputs)]
            near = 10 ** rng.uniform(-12, 1)
            made.append({"pred": [t + rng.gauss(0, near) for t in target], "target": target})
        made.append({"pred": [2.5] * outputs, "target": [2.5] * outputs})
        made.append({"pred": [10.0 ** (k - 4) for k in range(outputs)], "target": [0.0] * outputs})
    return made


def vectors(smallest: int = -7) -> list[Datum]:
    """Vectors at every angle down to a power of ten, of every length, parallel, orthogonal and opposite."""
    rng = random.Random(13)
    made: list[Datum] = []
    for dimensions in (2, 3, 16):
        for k in range(0, smallest - 1, -1):
            for stretch in (1.0, 10 ** rng.uniform(-120, 120)):
                a = [rng.gauss(0, 1) for _ in range(dimensions)]
                b = [stretch * (v + rng.gauss(0, 10.0**k)) for v in a]
                made.append({"pred": a, "target": b})
        made.append({"pred": [1.0, *[0.0] * (dimensions - 1)], "target": [*[0.0] * (dimensions - 1), 3.0]})
        made.append({"pred": a, "target": [-2.0 * v for v in a]})
        made.append({"pred": [v * 1e200 for v in a], "target": [rng.gauss(0, 1e200) for _ in a]})
        made.append({"pred": [v * 1e-200 for v in a], "target": [rng.gauss(0, 1e-200) for _ in a]})
    return made


def ordinary_errors(seed: int) -> list[Datum]:
    """Errors within three powers of ten on either side of 1."""
    return [d for d in errors(seed, 90, -3, 3) if 1e-3 <= abs(d["pred"] - d["target"]) <= 1e3]  # type: ignore[operator]


CASES: Cases = {
    "errors of every size": (
        errors(14, largest=300) + tiny() + huge(), ["log-cosh", "max-error", "median-absolute-error", "lq:q=1"],
    ),
    "powers of errors": (errors(15) + tiny(), ["lq", "lq:q=2", "lq:q=3"]),
    "general powers of errors": (ordinary_errors(17), ["lq:q=1.2", "lq:q=2.7", "lq:q=4.5"]),
    "roots of powers": (errors(16, 80, smallest=-100, largest=100), ["rmse", "minkowski:p=1", "minkowski:p=2"]),
    "roots of other powers": (ordinary_errors(18), ["minkowski", "minkowski:p=1.5", "minkowski:p=2.7"]),
    "several outputs": (
        several_outputs(), ["mse", "mae", "max-error", "median-absolute-error", "log-cosh", "lq"],
    ),
    "roots of several outputs": (several_outputs(), ["rmse", "minkowski:p=1", "minkowski:p=2", "minkowski"]),
    "angles": (vectors(), ["cosine-distance"]),
}  # fmt: skip
