"""What the true losses are written with: mpmath at a precision beyond the span of float64's exponents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import mpmath
from mpmath import mpf

# From 2^1024, the end of float64's range, to 2^-1074, its smallest number, and some digits.
PRECISION = 2300

Numbers = Sequence[float]
Function = TypeVar("Function", bound=Callable[..., Any])

ORACLE: dict[str, Callable[..., mpf]] = {}


def true_loss(function: Function) -> Function:
    """Enters a function as the true loss of its name: roles and parameters of one datum in, an mpf out."""
    name = function.__name__.replace("_", "-")
    if name in ORACLE:
        raise TypeError(f"the oracle has {name} twice")
    ORACLE[name] = function
    return function


def mean(values: Sequence[mpf]) -> mpf:
    return mpmath.fsum(values) / len(values)


def as_list(value: float | Numbers) -> list[mpf]:
    return [mpf(v) for v in value] if isinstance(value, (list, tuple)) else [mpf(value)]


def x_ln(weight: mpf, probability: mpf) -> mpf:
    """w ln p with 0 ln 0 = 0, the limit that information theory uses."""
    if weight == 0:
        return mpf(0)
    return weight * mpmath.log(probability) if probability > 0 else mpf("-inf")
