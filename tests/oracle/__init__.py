"""Every loss once more, for one datum, in mpmath: written from the papers' definitions, not from our code.

The working precision exceeds the span of float64's exponents, so that the textbook forms lose nothing: at 60 digits
ln(1 - 1e-300) would already be 0. ``ORACLE`` maps a loss's name to its function; each takes a datum's roles as floats
or lists of floats and the loss's parameters, and gives an mpf. A module a family, as in the package.
"""

from __future__ import annotations

import functools
import importlib
import math
import pkgutil
import struct
from collections.abc import Mapping
from fractions import Fraction

import mpmath
from mpmath import mpf

from losscli.loss import CLASS_AXIS, BoundLoss
from losscli.registry import parse_spec
from tests.oracle.definition import ORACLE, PRECISION

for _module in pkgutil.iter_modules(__path__, "tests.oracle."):
    importlib.import_module(_module.name)


def value(name: str, **arguments: object) -> mpf:
    """The true loss of one datum."""
    with mpmath.workprec(PRECISION):
        return ORACLE[name](**arguments)


def own_params(bound: BoundLoss) -> dict[str, object]:
    """The parameters of a loss that the oracle takes: it always has the classes second."""
    return {name: value for name, value in bound.params.items() if name != CLASS_AXIS}


def value_of(spec: str, datum: Mapping[str, object]) -> mpf:
    """The true loss of one datum, by the loss's spec."""
    bound = parse_spec(spec)
    return value(bound.name, **{**own_params(bound), **datum})


def cost(name: str, **arguments: object) -> mpf:
    """The true loss of one datum, or of a whole batch the weighted mean of its data."""
    found = ORACLE[name](**arguments)
    if not isinstance(found, list):
        return found
    total = mpmath.fsum(weight for _, weight in found)
    return mpmath.fsum(weight * value for value, weight in found if weight) / total


def slope(name: str, role: str, position: tuple[int, ...] | int | None, **arguments: object) -> mpf:
    """The derivative of the true loss by one number of one role, as a central difference far below float64's digits."""
    left, right = slopes(name, role, position, **arguments)
    with mpmath.workprec(PRECISION):
        return (left + right) / 2


def slopes(name: str, role: str, position: tuple[int, ...] | int | None, **arguments: object) -> tuple[mpf, mpf]:
    """The derivatives to the left and to the right: they differ where the loss has a kink."""
    place = () if position is None else (position,) if isinstance(position, int) else position
    # A step of 2^-700 of a number of 1e-300 still has digits after a square.
    with mpmath.workprec(2 * PRECISION):
        given = arguments[role]
        middle = mpf(functools.reduce(lambda values, k: values[k], place, given))
        step = max(abs(middle), mpf(2) ** -1074) * mpf(2) ** -700

        def moved(by: mpf) -> mpf:
            return cost(name, **{**arguments, role: replaced(given, place, middle + by)})

        here = moved(mpf(0))
        return (here - moved(-step)) / step, (moved(step) - here) / step


def replaced(values: object, place: tuple[int, ...], new: mpf) -> object:
    """The nested lists with one number changed."""
    if not place:
        return new
    return [replaced(value, place[1:], new) if k == place[0] else value for k, value in enumerate(values)]


def ulps(got: float, true: mpf, *, single: bool = False, scale: mpf | None = None) -> float:
    """How far a result is from the true value, in units in the last place of the true value. No absolute tolerance.

    Args:
        got: the result.
        true: the true value.
        single: measures in units of float32.
        scale: the size whose last place is the unit, where the true value is a difference of larger ones.
    """
    if mpmath.isinf(true) or mpmath.isnan(true):
        return 0.0 if str(float(true)) == str(got) else math.inf
    largest = 3.4028234663852886e38 if single else 1.7976931348623157e308
    with mpmath.workprec(PRECISION):
        if abs(true) > mpf(largest) * (1 + mpf(2) ** -25):
            return 0.0 if math.isinf(got) and (got > 0) == (true > 0) else math.inf
        if not math.isfinite(got):
            return math.inf
        size = float(true if scale is None else max(abs(true), abs(scale)))
        unit = single_ulp(size) if single else math.ulp(size)
        return float(abs(mpf(got) - true) / mpf(unit))


def single_ulp(x: float) -> float:
    """The unit in the last place of float32."""
    rounded = abs(struct.unpack("f", struct.pack("f", x))[0])
    bits = struct.unpack("I", struct.pack("f", rounded))[0]
    return float(Fraction(struct.unpack("f", struct.pack("I", bits + 1))[0]) - Fraction(rounded))
