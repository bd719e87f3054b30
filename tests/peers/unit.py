"""One loss of another library: how that library itself is called, and the data on which we are compared with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy

Roles = Mapping[str, numpy.ndarray]
Params = Mapping[str, object]
Call = Callable[[str, Roles, Params], "numpy.ndarray | float"]


@dataclass(frozen=True)
class Case:
    """Data and parameters for one comparison.

    Attributes:
        roles: arrays by the names of our roles, float64; classes and labels are float64 too. The weights of the data,
            where there are any, are called ``weight``.
        params: parameters by the library's own names; one number a class is a tuple.
        absolute: how far the library's own rounding may lead it from its formula, where it adds or subtracts numbers
            that are larger than the result; 0 where it does not.
    """

    roles: Roles
    params: Params = field(default_factory=dict)
    absolute: float = 0.0


@dataclass(frozen=True)
class Unit:
    """A loss under the library's own dotted name.

    Attributes:
        name: the dotted name, such as ``torch.nn.HuberLoss``.
        call: runs the library itself in float64: with ``none`` it gives the loss of each datum, with ``mean`` and
            ``sum`` the library's own number.
        reductions: those of ``none``, ``mean`` and ``sum`` that the library has.
        cases: random data from fixed seeds, and the edges where the library clamps or adds.
        tolerance_ulps: how far ours may be from the library's number, in units in its last place.
        why: why the tolerance is wider than usual, or why a case has an absolute one.
    """

    name: str
    call: Call
    reductions: tuple[str, ...]
    cases: Sequence[Case]
    tolerance_ulps: float = 64
    why: str = ""
