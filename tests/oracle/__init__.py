"""Every loss once more, for one datum, in mpmath: written from the papers' definitions, not from our code.

The working precision exceeds the span of float64's exponents, so that the textbook forms lose nothing: at 60 digits
ln(1 - 1e-300) would already be 0. ``ORACLE`` maps a loss's name to its function; each takes a datum's roles as floats
or lists of floats and the loss's parameters, and gives an mpf. A module a family, as in the package.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
import struct
from fractions import Fraction

import mpmath
from mpmath import mpf

from tests.oracle.definition import ORACLE, PRECISION

for _module in pkgutil.iter_modules(__path__, "tests.oracle."):
    importlib.import_module(_module.name)


def value(name: str, **arguments: object) -> mpf:
    """The true loss of one datum."""
    with mpmath.workprec(PRECISION):
        return ORACLE[name](**arguments)


def slope(name: str, role: str, position: int | None, **arguments: object) -> mpf:
    """The derivative of the true loss by one number of one role, as a central difference far below float64's digits."""
    with mpmath.workprec(PRECISION):
        given = arguments[role]
        middle = mpf(given if position is None else given[position])
        step = max(abs(middle), mpf(2) ** -1074) * mpf(2) ** -700

        def moved(by: mpf) -> mpf:
            new = middle + by
            if position is None:
                return ORACLE[name](**{**arguments, role: new})
            vector = [mpf(v) for v in given]
            vector[position] = new
            return ORACLE[name](**{**arguments, role: vector})

        return (moved(step) - moved(-step)) / (2 * step)


def ulps(got: float, true: mpf, *, single: bool = False) -> float:
    """How far a result is from the true value, in units in the last place of the true value. No absolute tolerance."""
    if mpmath.isinf(true) or mpmath.isnan(true):
        return 0.0 if str(float(true)) == str(got) else math.inf
    largest = 3.4028234663852886e38 if single else 1.7976931348623157e308
    with mpmath.workprec(PRECISION):
        if abs(true) > mpf(largest) * (1 + mpf(2) ** -25):
            return 0.0 if math.isinf(got) and (got > 0) == (true > 0) else math.inf
        if not math.isfinite(got):
            return math.inf
        unit = single_ulp(float(true)) if single else math.ulp(float(true))
        return float(abs(mpf(got) - true) / mpf(unit))


def single_ulp(x: float) -> float:
    """The unit in the last place of float32."""
    rounded = abs(struct.unpack("f", struct.pack("f", x))[0])
    bits = struct.unpack("I", struct.pack("f", rounded))[0]
    return float(Fraction(struct.unpack("f", struct.pack("I", bits + 1))[0]) - Fraction(rounded))
