"""Errors on both sides of the point where a robust loss turns from a square to a line, or from a logarithm to one."""

from __future__ import annotations

from tests.cases.regression import Cases, errors, huge, kinks, several_outputs, tiny

CASES: Cases = {
    "errors where a square meets a line": (
        kinks(1.0, 2.5, 1e-3) + errors(41) + huge(),
        ["smooth-l1", "huber", "huber:delta=2.5", "smooth-l1:beta=0", "smooth-l1:beta=0.001", "smooth-l1:beta=2.5"],
    ),
    "tiny errors where a square meets a line": (tiny(), ["huber", "smooth-l1", "smooth-l1:beta=2.5"]),
    "errors of a square that becomes a line": (
        errors(42, 90),
        ["pseudo-huber", "pseudo-huber:delta=0.01", "pseudo-huber:delta=100", "fair", "fair:c=1.3998", "fair:c=0.01"],
    ),
    "tiny errors of a square that becomes a line": (tiny(), ["pseudo-huber", "fair"]),
    "errors where a logarithm meets a line": (
        kinks(10.0, 5.0, 1.0) + errors(43) + huge(),
        ["wing", "wing:width=5:epsilon=0.5", "wing:width=1:epsilon=100", "wing:width=10:epsilon=1e-06"],
    ),
    "several outputs of robust losses": (
        several_outputs(), ["huber", "smooth-l1", "pseudo-huber", "fair", "wing"],
    ),
}  # fmt: skip
