"""Errors of every size to powers that are no small whole numbers, and roots of them."""

from __future__ import annotations

from tests.cases.regression import Cases, errors, several_outputs

CASES: Cases = {
    "powers of errors of every size": (
        errors(17, 90),
        ["lq:q=1.2", "lq:q=2.7", "lq:q=3.5", "lq:q=4", "lq:q=4.5", "lq:q=10", "lq:q=50"],
    ),
    "roots of powers of errors of every size": (
        errors(18, 90, smallest=-100, largest=100),
        ["minkowski", "minkowski:p=1.5", "minkowski:p=2.7", "minkowski:p=1.01"],
    ),
    "roots of powers of several outputs": (several_outputs(), ["minkowski", "minkowski:p=1.5", "minkowski:p=2.7"]),
}
# The logarithm of an error is known to 2^-54; the power makes that as many times larger as the exponent says.
BOUNDS = {"lq:q=10": 8.0, "lq:q=50": 30.0}
