"""Errors of every size for losses that level off, and Barron's family at and between its named members."""

from __future__ import annotations

from tests.cases.regression import Cases, Datum, errors, huge, kinks, several_outputs, tiny


def of_size(data: list[Datum], largest: float) -> list[Datum]:
    return [datum for datum in data if abs(datum["pred"] - datum["target"]) <= largest]  # type: ignore[operator]


def barron(alpha: float | str) -> str:
    return f"general-robust:alpha={alpha}"


EVERY_SIZE = errors(51, 80)
BOUNDED = (-1e-9, -0.5, -1, -8, -1e10)
GROWING = (0.5, 1e-9, 1.5, 1.9, 1.99, 1.999999, 2.01, 3, 4)
ORDINARY = kinks(0.01, 0.5, 1.0, 2.0) + errors(52, 60, smallest=-20, largest=0)

CASES: Cases = {
    "errors of losses that level off": (
        EVERY_SIZE,
        [
            "cauchy", "cauchy:c=0.01", "cauchy:c=2.385", "charbonnier", "charbonnier:c=0.01", "charbonnier:c=3",
            "geman-mcclure", "geman-mcclure:c=0.01", "geman-mcclure:c=3", "welsch", "welsch:c=2.985",
        ],
    ),
    "ordinary errors of losses that level off": (
        ORDINARY, ["welsch:c=0.5", "welsch:c=0.05", "cauchy:c=0.3", "charbonnier:c=0.3", "geman-mcclure:c=0.3"],
    ),
    "errors up to where nothing is added": (
        kinks(4.685, 1.0, 0.3) + errors(53, 40), ["tukey", "tukey:c=1", "tukey:c=0.3", "tukey:c=1000"],
    ),
    "tiny errors of losses that level off": (tiny(), ["cauchy", "charbonnier", "geman-mcclure", "welsch", "tukey:c=1"]),
    "errors of Barron's named members": (
        EVERY_SIZE,
        [
            "general-robust", "general-robust:alpha=2", "general-robust:alpha=0", "general-robust:alpha=-2",
            "general-robust:alpha=-inf", "general-robust:alpha=1:c=3", "general-robust:alpha=-2:c=0.01",
            "general-robust:alpha=0:c=3", "general-robust:alpha=2:c=0.3",
        ],
    ),
    "errors whose squares are beyond float64": (
        # With ordinary ones, since not every loss has a slope left out there.
        huge() + ORDINARY[:20],
        ["cauchy", "charbonnier", "geman-mcclure", "welsch", "tukey", "cauchy:c=3", barron(0.5), barron(-0.5)],
    ),
    "errors where Barron's family is bounded": (EVERY_SIZE + ORDINARY, [barron(alpha) for alpha in BOUNDED]),
    "errors where Barron's family grows": (EVERY_SIZE + ORDINARY, [barron(alpha) for alpha in GROWING]),
    "errors where Barron's family grows fast": (of_size(EVERY_SIZE + ORDINARY, 1e30), [barron(10)]),
    "errors where Barron's family is an exponential": (
        EVERY_SIZE + ORDINARY, [barron("inf"), "general-robust:alpha=inf:c=3"],
    ),
    "tiny errors of Barron's family": (tiny(), [barron(alpha) for alpha in (1, 0.5, -0.5, 1.9, -1e10)]),
    "several outputs of losses that level off": (
        several_outputs(),
        ["cauchy", "charbonnier", "geman-mcclure", "welsch", "tukey", "general-robust", "general-robust:alpha=-2"],
    ),
}  # fmt: skip
# A power of 1 + x^2/b makes what that has lost as many times larger as alpha/2 says.
BOUNDS = {**{barron(alpha): 6.0 for alpha in GROWING}, barron(10): 12.0}
# The slope's exponent, -x^2/2 with x = e/c, takes the rounding of x with it: x^2 units in the last place, x up to 50.
GRADIENT_BOUNDS = {"welsch": 6e-13}
