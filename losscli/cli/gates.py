"""Gates: a cost that is too large or too small ends the command with exit code 1, after its result is printed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from losscli.domain import number_text
from losscli.errors import GateFailed, UsageError
from losscli.result import Record


def check(over: float | None, under: float | None) -> None:
    """Refuses bounds that are not numbers.

    Raises:
        UsageError: a bound is nan.
    """
    for name, bound in (("--fail-over", over), ("--fail-under", under)):
        if bound is not None and math.isnan(bound):
            raise UsageError(f"{name} nan is not a number")


def failures(records: Sequence[Record], over: float | None, under: float | None) -> dict[int, str]:
    """For each record that a gate stops, by its position, the reason. Unrounded; equal passes; not finite fails."""
    found = {}
    for position, record in enumerate(records):
        reason = _reason(record, over, under)
        if reason is not None:
            found[position] = reason
    return found


def judge(records: Sequence[Record], over: float | None, under: float | None) -> None:
    """Ends the command where a gate stops a record.

    Raises:
        GateFailed: names every such record and its bound.
    """
    stopped = failures(records, over, under)
    if stopped:
        raise GateFailed("; ".join(f"{_title(records[position])} {reason}" for position, reason in stopped.items()))


def _reason(record: Record, over: float | None, under: float | None) -> str | None:
    if over is None and under is None:
        return None
    if not math.isfinite(record.value):
        return f"is {record.value}, which no gate lets pass"
    if over is not None and record.value > over:
        return f"is {record.value!r}, over {number_text(over)}"
    if under is not None and record.value < under:
        return f"is {record.value!r}, under {number_text(under)}"
    return None


def _title(record: Record) -> str:
    parts = [
        record.loss,
        *([f"of {record.pred}"] if record.pred else []),
        *([f"in {record.file}"] if record.file else []),
    ]
    return " ".join((*parts, *(f"{name}={value}" for name, value in record.group.items())))
