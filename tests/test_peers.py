"""Each loss under another library's name against the library itself: every case, every reduction."""

from __future__ import annotations

import math

import numpy
import pytest

import losscli
from losscli.registry import peers
from tests.peers import UNITS, Case, Unit

# The first case of each loss in every run, the others in the slow one: two minutes of other libraries.
COMPARISONS = [
    pytest.param(
        *(unit, case, reduction),
        id=f"{unit.name}-{number}-{reduction}",
        marks=[pytest.mark.slow] if number else [],
    )
    for unit in UNITS.values()
    for number, case in enumerate(unit.cases)
    for reduction in unit.reductions
]


def ours(unit: Unit, case: Case, reduction: str) -> numpy.ndarray:
    """Our number, or one a datum: the user's call."""
    loss = losscli.loss(unit.name, **case.params)
    found = losscli.compute(loss, reduction=reduction, allow_inf=True, **case.roles)
    return numpy.atleast_1d(found[loss.spec].to_numpy() if reduction == "none" else found.value)


def excess(got: float, wanted: float, absolute: float) -> float:
    """How far a number is from the library's beyond the absolute tolerance, in units in its last place."""
    if math.isnan(wanted) or math.isinf(wanted):
        return 0.0 if got == wanted or (math.isnan(wanted) and math.isnan(got)) else math.inf
    if not math.isfinite(got):
        return math.inf
    return max(0.0, abs(got - wanted) - absolute) / math.ulp(wanted)


@pytest.mark.parametrize(("unit", "case", "reduction"), COMPARISONS)
def test_ours_is_the_number_of_the_library(unit: Unit, case: Case, reduction: str) -> None:
    wanted = numpy.atleast_1d(unit.call(reduction, case.roles, case.params))
    got = ours(unit, case, reduction)
    assert got.shape == wanted.shape
    off = [excess(*pair, case.absolute) for pair in zip(got.tolist(), wanted.tolist(), strict=True)]
    worst = int(numpy.argmax(off))
    assert off[worst] <= unit.tolerance_ulps, (
        f"{unit.name} {dict(case.params)}: {got[worst]!r} where the library gives {wanted[worst]!r} at {worst}"
    )


def test_every_loss_of_another_library_is_compared_with_it() -> None:
    assert set(UNITS) == set(peers())


def test_every_unit_of_the_libraries_is_there() -> None:
    counted: dict[str, int] = {}
    for name in UNITS:
        library = name.rpartition(".")[0]
        counted[library] = counted.get(library, 0) + 1
    assert counted == {
        "torch.nn": 22,
        "optax": 27,
        "keras.losses": 22,
        "sklearn.metrics": 19,
        "sklearn._loss": 11,
        "sgd": 9,
    }


@pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))
def test_a_wide_tolerance_has_a_reason(unit: Unit) -> None:
    assert unit.why or (unit.tolerance_ulps <= 64 and not any(case.absolute for case in unit.cases))


@pytest.mark.parametrize("unit", UNITS.values(), ids=list(UNITS))
def test_every_parameter_is_compared(unit: Unit) -> None:
    compared = {name for case in unit.cases for name in case.params}
    assert compared == {param.name for param in peers()[unit.name].params}


def test_another_number_would_be_seen() -> None:
    assert excess(1.0 + 1e-12, 1.0, 0.0) > 64
    assert excess(1e-300, 0.0, 0.0) > 64
    assert excess(math.inf, 1.0, 0.0) > 64
    assert excess(1.0, math.nan, 0.0) > 64
