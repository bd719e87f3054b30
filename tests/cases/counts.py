"""Counts and rates: close to each other, far apart, zero, tiny and large.

A negative log-likelihood may be a small difference of large terms: ``SCALES`` gives the largest of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import torch
from mpmath import mpf
from torch import Tensor

from losscli.loss import BoundLoss
from tests.cases.regression import Cases, Datum
from tests.oracle.counts import poisson_nll_terms


def largest(terms: Callable[..., list[mpf]]) -> Callable[..., mpf]:
    """Of a loss's terms the largest, of several outputs over all of them."""

    def of_datum(**given: object) -> mpf:
        several = [value for value in given.values() if isinstance(value, list)]
        outputs = [
            {name: value[k] if isinstance(value, list) else value for name, value in given.items()}
            for k in range(len(several[0]) if several else 1)
        ]
        return max(abs(term) for output in outputs for term in terms(**output))

    return of_datum


def rates_and_counts() -> list[Datum]:
    """A rate and a count: whole and not, zero, tiny, large."""
    rng = random.Random(71)
    edges = [(rate, y) for rate in (1e-300, 1e-8, 0.3, 1.0, 2.5, 1e6, 1e100) for y in (0.0, 0.5, 1.0, 2.0, 1e5)]
    made = [(rng.expovariate(0.2), float(rng.randrange(12))) for _ in range(40)]
    made += [(10 ** rng.uniform(-20, 20), 10 ** rng.uniform(-20, 12)) for _ in range(25)]
    made += [(y * (1 + rng.gauss(0, 0.1)), y) for y in (float(rng.randrange(1, 10**k)) for k in (1, 2, 3, 5, 7) * 4)]
    return [{"pred": rate, "target": y} for rate, y in edges + made]


def log_rates_and_counts() -> list[Datum]:
    rng = random.Random(72)
    edges = [(z, y) for z in (-700.0, -40.0, -1e-17, 0.0, 0.7, 30.1, 700.0, 709.5) for y in (0.0, 0.5, 1.0, 7.0, 1e5)]
    made = [(rng.gauss(1, 1.5), float(rng.randrange(12))) for _ in range(40)]
    made += [(rng.uniform(-700, 700), 10 ** rng.uniform(-20, 12)) for _ in range(25)]
    return [{"pred": z, "target": y} for z, y in edges + made]


def near(smallest: float = -300, largest: float = 150) -> list[Datum]:
    """A mean and an amount: equal, from next to each other to far apart, and of every size."""
    rng = random.Random(73)
    edges = [
        (1, 1), (3.7, 3.7), (1, 1 + 2**-52), (1, 1 - 2**-53), (2, 1), (1, 2), (1e-300, 1e-300), (10**largest, 3),
        (3, 10**largest), (10**smallest, 3), (3, 10**smallest), (1, 1.86), (1.86, 1), (0.5377, 1), (7, 13), (13, 7),
    ]  # fmt: skip
    made = [(y * (1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-15, -0.3)), y) for y in range(1, 40)]
    made += [(10 ** rng.uniform(smallest, largest), 10 ** rng.uniform(smallest, largest)) for _ in range(25)]
    made += [(rng.expovariate(0.2), rng.expovariate(0.2)) for _ in range(40)]
    return [{"pred": float(mu), "target": float(y)} for mu, y in edges + made]


def with_zeros(smallest: float = -300, largest: float = 150) -> list[Datum]:
    return near(smallest, largest) + [{"pred": mu, "target": 0.0} for mu in (10.0**smallest, 0.3, 1.0, 7.5, 1e100)]


def of_either_sign() -> list[Datum]:
    """Amounts that are negative too, for powers below 0."""
    return near(-30, 30) + [{"pred": mu, "target": y} for mu in (1e-3, 0.4, 2.0, 50.0) for y in (-1e5, -2.0, -0.1, 0.0)]


def successes() -> list[Datum]:
    rng = random.Random(74)
    edges = [
        (p, n, k)
        for p in (1e-300, 1e-17, 0.1, 0.5, 1 - 2**-53)
        for n, k in ((0, 0), (1, 0), (1, 1), (10, 0), (10, 3), (10, 10), (1000, 500))
    ]
    edges += [(0.0, 5, 0), (1.0, 5, 5), (0.0, 5, 1), (1.0, 5, 4)]
    made = []
    for _ in range(70):
        n = rng.choice([1, 2, 5, 20, 100, 10**4, 10**6])
        made.append((rng.random() ** rng.choice([1, 5]), n, rng.randrange(n + 1)))
    return [{"pred": p, "trials": float(n), "target": float(k)} for p, n, k in edges + made]


def several_counts() -> list[Datum]:
    rng = random.Random(75)
    made: list[Datum] = []
    for outputs in (1, 2, 5, 9):
        for _ in range(15):
            target = [float(rng.randrange(1, 9)) for _ in range(outputs)]
            made.append({"pred": [y * rng.uniform(0.3, 3) for y in target], "target": target})
    return made


CASES: Cases = {
    "rates": (rates_and_counts(), ["poisson-nll:input=rate", "poisson-nll:input=rate:full=true"]),
    "log-rates": (log_rates_and_counts(), ["poisson-nll", "poisson-nll:full=true"]),
    "means and counts": (with_zeros(), ["poisson-deviance", "tweedie-deviance:power=1"]),
    "means and amounts": (near(-150), ["gamma-deviance", "tweedie-deviance:power=2"]),
    "means and amounts of powers": (near(-60, 60), ["tweedie-deviance:power=3", "tweedie-deviance:power=0"]),
    "means of compound counts": (
        with_zeros(-100, 100), ["tweedie-deviance", "tweedie-deviance:power=1.1", "tweedie-deviance:power=1.9"],
    ),
    "means of steep amounts": (
        near(-60, 60), ["tweedie-deviance:power=2.5", "tweedie-deviance:power=3.5", "tweedie-deviance:power=2.001"],
    ),
    "means of amounts of either sign": (
        of_either_sign(), ["tweedie-deviance:power=-1", "tweedie-deviance:power=-0.5", "tweedie-deviance:power=-2"],
    ),
    "means of dispersed counts": (
        [datum for datum in rates_and_counts() if datum["target"] < 1e6],  # type: ignore[operator]
        [
            "negative-binomial-nll", "negative-binomial-nll:dispersion=0.1", "negative-binomial-nll:dispersion=5",
            "negative-binomial-nll:dispersion=0.001",
        ],
    ),
    "successes": (successes(), ["binomial-nll"]),
    "several means": (
        several_counts(),
        ["poisson-deviance", "gamma-deviance", "poisson-nll:input=rate:full=true", "negative-binomial-nll"],
    ),
}  # fmt: skip


def samples(bound: BoundLoss, form: tuple[str, ...], n: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Trials with no more successes than that."""
    trials = torch.randint(1, 30, (n,), generator=generator).double()
    share = torch.rand(n, generator=generator, dtype=torch.float64)
    pred = torch.sigmoid(torch.randn(n, generator=generator, dtype=torch.float64))
    return {"pred": pred, "trials": trials, "target": (share * (trials + 1)).floor()}


SAMPLES = {"binomial-nll": samples}
# The exact forms of general powers multiply a few numbers that are each an ULP off, and something cancels between them.
BOUNDS = {
    "tweedie-deviance": 5.0,
    **{f"tweedie-deviance:power={power:g}": 10.0 for power in (1.1, 1.9, 2.5, 3.5, 2.001, -1, -0.5, -2)},
}


def poisson_scale(input: str, full: bool, **given: object) -> mpf:
    """With its constants, the loss of a rate has no terms that cancel; the exponential of a log-rate is rounded."""
    return mpf(0) if full and input == "rate" else largest(poisson_nll_terms)(input=input, full=full, **given)


def negative_binomial_scale(target: float | list[float], **_: object) -> mpf:
    """A fraction of a count, which no count is, has an absolute error: that of one."""
    counts = target if isinstance(target, list) else [target]
    return mpf(0) if all(count.is_integer() for count in counts) else mpf(1)


SCALES = {"poisson-nll": poisson_scale, "negative-binomial-nll": negative_binomial_scale}
