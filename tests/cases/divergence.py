"""Distributions that are equal, almost equal, different and without common support, and positive spectra.

Logarithms of probabilities have lost what tells two close distributions apart: ``SCALES`` has what is left to go by.
"""

from __future__ import annotations

import math
import random

from mpmath import mpf

from tests.cases.regression import Cases, Datum
from tests.oracle.divergence import kl_divergence_terms

CLASSES = (2, 3, 7)
UNIT = 2**53


def dyadic(rng: random.Random, classes: int, decades: float) -> list[float]:
    """A distribution of multiples of 2^-53, whose sum is exactly 1."""
    weights = [10 ** rng.uniform(-decades, 0) for _ in range(classes)]
    counts = [int(w / math.fsum(weights) * UNIT) for w in weights]
    counts[counts.index(max(counts))] += UNIT - sum(counts)
    return [count / UNIT for count in counts]


def moved(rng: random.Random, p: list[float], by: float) -> list[float]:
    """A distribution near another, also of multiples of 2^-53."""
    counts = [int(v * UNIT) for v in p]
    most = counts.index(max(counts))
    for k, count in enumerate(counts):
        if k != most:
            change = int(count * by * rng.uniform(-1, 1))
            counts[k] += change
            counts[most] -= change
    return [count / UNIT for count in counts]


def distributions() -> list[Datum]:
    """Of sums that are exactly 1: from equal through nearly equal to quite different ones."""
    rng = random.Random(101)
    made: list[Datum] = []
    for classes in CLASSES:
        for k in range(14):
            p = dyadic(rng, classes, 2)
            made.append({"pred": p, "target": moved(rng, p, 10.0 ** -(k + 1))})
        for decades in (0.3, 1, 3, 9) * 3:
            made.append({"pred": dyadic(rng, classes, decades), "target": dyadic(rng, classes, decades)})
        made.append({"pred": p, "target": p})
    made += [
        {"pred": p, "target": q}
        for p, q in (
            ([0.5, 0.5], [1.0, 0.0]), ([1.0, 0.0], [1.0, 0.0]), ([0.25, 0.75], [0.0, 1.0]), ([0.5, 0.5], [0.5, 0.5]),
            ([2**-53, 1 - 2**-53], [1.0, 0.0]), ([2**-53, 1 - 2**-53], [0.0, 1.0]),
            ([0.5, 0.25, 0.25], [0.0, 0.0, 1.0]),
        )
    ]  # fmt: skip
    return made


def without_common_support() -> list[Datum]:
    """Where the target has what the prediction excludes."""
    pairs = [([1.0, 0.0], [0.0, 1.0]), ([1.0, 0.0], [0.5, 0.5]), ([0.0, 0.5, 0.5], [1.0, 0.0, 0.0])]
    return [{"pred": p, "target": q} for p, q in pairs]


def rounded(*powers: float) -> list[Datum]:
    """Of sums that are 1 but for rounding, with probabilities down to these powers of ten."""
    rng = random.Random(102)
    made: list[Datum] = []
    for classes in CLASSES:
        for decades in powers * 5:
            sides = []
            for _ in range(2):
                weights = [10 ** rng.uniform(-decades, 0) for _ in range(classes)]
                sides.append([w / math.fsum(weights) for w in weights])
            made.append({"pred": sides[0], "target": sides[1]})
    return made


def amounts(smallest: float, largest: float) -> list[Datum]:
    """Positive numbers of any sum: near, equal and far."""
    rng = random.Random(103)
    made: list[Datum] = []
    for classes in CLASSES:
        for k in range(14):
            p = [rng.expovariate(0.2) + 1e-3 for _ in range(classes)]
            made.append({"pred": p, "target": [v * (1 + 10.0**-k * rng.uniform(-1, 1)) for v in p]})
        for _ in range(12):
            sides = [[10 ** rng.uniform(smallest, largest) for _ in range(classes)] for _ in range(2)]
            made.append({"pred": sides[0], "target": sides[1]})
        made.append({"pred": p, "target": p})
    return made


def logarithms(log_target: bool) -> list[Datum]:
    """Log-probabilities against probabilities or their logarithms, also of what is certain."""
    made: list[Datum] = []
    for datum in distributions() + rounded(1, 5, 30, 300):
        p, q = datum["pred"], datum["target"]
        logs = [[math.log(v) if v else -math.inf for v in side] for side in (p, q)]  # type: ignore[union-attr]
        made.append({"pred": logs[0], "target": logs[1] if log_target else q})
    return made


def scores() -> list[Datum]:
    rng = random.Random(104)
    made: list[Datum] = []
    for classes in CLASSES:
        for size in (0.1, 1, 5, 40, 300) * 5:
            one = rng.randrange(classes)
            soft = dyadic(rng, classes, 2)
            row = [rng.gauss(0, size) for _ in range(classes)]
            made += [{"pred": row, "target": q} for q in (soft, [float(c == one) for c in range(classes)])]
    made.append({"pred": [40.0, 0.0], "target": [1.0, 0.0]})
    made.append({"pred": [700.0, -700.0], "target": [0.0, 1.0]})
    return made


def largest_of_logarithms(pred: list[float], target: list[float], input: str, log_target: bool) -> mpf:
    """The largest of q ln q and -q ln p over the classes; nothing where both sides are probabilities."""
    if input == "probs" and not log_target:
        return mpf(0)
    return max(abs(term) for term in kl_divergence_terms(pred, target, input, log_target))


OF_DISTRIBUTIONS = ["kl-divergence:input=probs", "generalized-kl", "js-divergence", "hellinger", "total-variation"]

CASES: Cases = {
    "distributions": (without_common_support() + distributions(), [*OF_DISTRIBUTIONS, "wasserstein-1d"]),
    # Not the Wasserstein distance: where the sums differ, what lies beyond the last class is a matter of definition.
    "rounded distributions": (rounded(1, 5, 30, 300), OF_DISTRIBUTIONS[1:]),
    # The divergence has no terms p - q that make up for what rounding has taken from the sums, so it must be larger.
    "rounded distributions of ordinary shares": (rounded(0.3, 1, 2, 5), OF_DISTRIBUTIONS),
    "amounts": (amounts(-100, 100), ["generalized-kl", "itakura-saito"]),
    "log-probabilities of distributions": (logarithms(False), ["kl-divergence"]),
    "log-probabilities of both": (logarithms(True), ["kl-divergence:log-target=true"]),
    "scores against distributions": (scores(), ["kl-divergence:input=logits"]),
}
SCALES = {"kl-divergence": largest_of_logarithms}
