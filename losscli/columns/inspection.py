"""What a file holds: its columns with their extremes, which would serve which role and why, which losses suit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from losscli._lazy import numpy
from losscli.columns.assigner import Assigner
from losscli.columns.evidence import Evidence, exponentials_sum_to_one, sums_to_one
from losscli.domain import Choice, Domain, number_text
from losscli.errors import DataError, LosscliError
from losscli.loss import BoundLoss
from losscli.readers.source import Batch, Column, Field, Source
from losscli.registry import losses as catalogue

if TYPE_CHECKING:
    import pyarrow

EXAMPLES = 3
LONGEST_EXAMPLE = 8


@dataclass(frozen=True)
class ColumnFacts:
    """What one column holds.

    Attributes:
        name: how the user knows it.
        file: where it comes from.
        kind: ``number``, ``text``, ``boolean``, ``date``, ``vector`` or ``other``.
        shape: the shape of one datum, () for a scalar.
        missing: how many data have no value, or a vector with a gap.
        min: the smallest number; None where there are none.
        max: the largest.
        examples: the first different values; long vectors are cut.
        looks: what the column looks like, such as "an id" or "numbers in [0, 1]".
        problem: why it cannot be read as its first values promise; None where it can.
    """

    name: str
    file: str
    kind: str
    shape: tuple[int, ...]
    missing: int
    min: float | None
    max: float | None
    examples: tuple[object, ...]
    looks: str
    problem: str | None = None


@dataclass(frozen=True)
class Inspection:
    """What one file holds, and what it is good for.

    Attributes:
        file: as the user named it.
        format: such as ``csv`` or ``npz``.
        rows: how many data; None where only the first ones were looked at and the file does not say.
        columns: in the order of the file.
        roles: for each role, its columns; None where none is clear.
        why: for each role, why these columns, or why none.
        losses: specs of the losses that the file has every role for.
    """

    file: str
    format: str
    rows: int | None
    columns: tuple[ColumnFacts, ...]
    roles: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    losses: tuple[str, ...] = ()

    def roles_of(self, column: str) -> tuple[str, ...]:
        """The roles that a column would serve."""
        return tuple(role for role, names in self.roles.items() if names is not None and column in names)


def inspect(source: Source, losses: Sequence[BoundLoss] | None = None, *, full: bool = True) -> Inspection:
    """Looks at a file.

    Args:
        source: the opened file.
        losses: whose roles are to be found, and which are asked whether they suit, with each kind of input that they
            take; None takes the roles of the first loss of the catalogue that suits, or where none does, prediction and
            target.
        full: goes through all rows for missing values and extremes, in one pass; else only the first rows count.

    Raises:
        DataError: the file is damaged, or a row has too few or too many fields.
    """
    evidence = [Evidence(column) for column in source.columns]
    extremes = _Extremes(source.columns)
    rows = source.rows
    if full:
        rows = extremes.read(source)
    else:
        extremes.of_samples()
    suitable = [each for each in _candidates(losses) if _suits(source, evidence, each)]
    asked = list(losses) if losses is not None else suitable[:1] or _supervised()
    roles: dict[str, tuple[str, ...] | None] = {}
    why: dict[str, str] = {}
    for each in asked:
        found, reasons = _clear_roles(source, evidence, each)
        # The first loss that has a clear column for a role names it; where none has, the first says why.
        for role, columns in found.items():
            if role not in roles or (roles[role] is None and columns is not None):
                # Without a loss asked for, what is missing is missing for all of them.
                reason = reasons[role] if losses is not None else reasons[role].replace(f" of {each.name};", ";")
                roles[role], why[role] = columns, reason
    return Inspection(
        file=source.name,
        format=source.format,
        rows=rows,
        columns=tuple(extremes.facts(each) for each in evidence),
        roles=roles,
        why=why,
        losses=tuple(each.spec for each in suitable),
    )


def as_json(inspections: Sequence[Inspection]) -> dict[str, object]:
    """The document that ``-f json`` prints: plain values only, null for what is not finite."""
    return {"schema": 1, "files": [_document(inspection) for inspection in inspections]}


def _document(inspection: Inspection) -> dict[str, object]:
    columns = [
        {
            "name": column.name,
            "kind": column.kind,
            "shape": list(column.shape),
            "missing": column.missing,
            "min": _finite(column.min),
            "max": _finite(column.max),
            "examples": [_plain(value) for value in column.examples],
            "looks": column.looks,
            "problem": column.problem,
        }
        for column in inspection.columns
    ]
    return {
        "file": inspection.file,
        "format": inspection.format,
        "rows": inspection.rows,
        "columns": columns,
        "roles": {role: None if names is None else list(names) for role, names in inspection.roles.items()},
        "why": dict(inspection.why),
        "losses": list(inspection.losses),
    }


# --- missing values and extremes --------------------------------------------------------------------------------------


class _Extremes:
    """The missing values, the smallest and the largest number of each column."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._problems: dict[str, str] = {}
        self._reset()

    def _reset(self) -> None:
        self._missing = dict.fromkeys((column.key for column in self._columns), 0)
        self._low: dict[str, float] = {}
        self._high: dict[str, float] = {}

    def read(self, source: Source) -> int:
        """One pass over the rows; another one, without the column, where one is not what its first values promise."""
        while True:
            self._reset()
            numbers = {column.key: Field((column.key,)) for column in self._columns if self._has_numbers(column)}
            words = [column.key for column in self._columns if column.key not in numbers]
            try:
                return sum(self._add(batch, numbers) for batch in source.read(list(numbers.values()), words))
            except DataError as error:
                wrong = [c.key for c in self._columns if c.name == error.column and c.key in numbers]
                if not wrong:
                    raise
                self._problems.update(dict.fromkeys(wrong, str(error)))

    def of_samples(self) -> None:
        """The same for the first rows only."""
        for column in self._columns:
            evidence = Evidence(column)
            self._missing[column.key] = len(column.sample) - len(evidence.present)
            flat = [value for row in evidence.present if isinstance(row, tuple) for value in row]
            numbers = evidence.numbers or [float(value) for value in flat if isinstance(value, (int, float))]
            if numbers and column.kind != "text":
                self._low[column.key], self._high[column.key] = min(numbers), max(numbers)

    def facts(self, evidence: Evidence) -> ColumnFacts:
        """All about one column."""
        column = evidence.column
        different = list(dict.fromkeys(value for value in evidence.present))[:EXAMPLES]
        return ColumnFacts(
            name=column.name,
            file=column.file,
            kind=column.kind,
            shape=column.shape,
            missing=self._missing[column.key],
            min=self._low.get(column.key),
            max=self._high.get(column.key),
            examples=tuple(value[:LONGEST_EXAMPLE] if isinstance(value, tuple) else value for value in different),
            looks=evidence.looks,
            problem=self._problems.get(column.key),
        )

    def _has_numbers(self, column: Column) -> bool:
        return column.kind in ("number", "boolean", "vector") and column.key not in self._problems

    def _add(self, batch: Batch, numbers: Mapping[str, Field]) -> int:
        for key, read in numbers.items():
            self._add_numbers(key, numpy.asarray(batch.values[read]))
        for key, cells in batch.carried.items():
            self._missing[key] += _null_count(cells)
        return len(batch.rows)

    def _add_numbers(self, key: str, values: numpy.ndarray) -> None:
        gaps = numpy.isnan(values)
        if gaps.any():
            self._missing[key] += int(gaps.reshape(len(values), -1).any(axis=1).sum())
            values = values[~gaps]
        if values.size:
            self._low[key] = min(self._low.get(key, math.inf), float(values.min()))
            self._high[key] = max(self._high.get(key, -math.inf), float(values.max()))


def _null_count(cells: pyarrow.Array) -> int:
    return int(cells.null_count)


# --- which losses suit ------------------------------------------------------------------------------------------------


def _variants() -> list[BoundLoss]:
    """Every loss, once for each kind of input that it takes."""
    found: list[BoundLoss] = []
    for loss in catalogue().values():
        kinds = next((param.range for param in loss.params if param.name == "input"), None)
        if isinstance(kinds, Choice):
            found += [loss.bind(input=word) for word in kinds.words]
        else:
            found.append(loss.bind())
    return found


def _candidates(asked: Sequence[BoundLoss] | None) -> list[BoundLoss]:
    """The losses that may suit: all of them, or those asked for, as they are and with their other kinds of input."""
    if asked is None:
        return _variants()
    names = {each.name for each in asked}
    found = [*asked, *(each for each in _variants() if each.name in names)]
    return list({each.spec: each for each in reversed(found)}.values())[::-1]


def _clear_roles(
    source: Source, evidence: Sequence[Evidence], loss: BoundLoss
) -> tuple[dict[str, tuple[str, ...] | None], dict[str, str]]:
    """The roles that are clear: a column whose values the loss does not allow serves none."""
    found, why = Assigner(source, evidence, loss, {}, None).clear_roles()
    for role, names in found.items():
        interval = loss.domain(role).interval
        for each in (each for each in evidence if each.column.name in (names or ())):
            finite = filter(math.isfinite, each.numbers)
            outside = next((number for number in finite if number not in interval), None)
            if outside is not None:
                found[role] = None
                why[role] = f"{each.quoted} holds {number_text(outside)}, which is outside {interval}."
    return found, why


def _supervised() -> list[BoundLoss]:
    """The losses of a prediction and a target: what most files are for."""
    return [each for each in _variants() if {"pred", "target"} == set(each.loss.roles)]


def _suits(source: Source, evidence: Sequence[Evidence], loss: BoundLoss) -> bool:
    """Whether every role has its columns, with values that the loss allows as far as the sample shows."""
    try:
        calls = Assigner(source, evidence, loss, {}, None).fields()
    except LosscliError:
        return False
    by_key = {each.key: each for each in evidence}
    return all(
        _allowed([by_key[key] for key in read.columns], read, loss.domain(role))
        for fields, _ in calls
        for role, read in fields.items()
    )


def _allowed(columns: Sequence[Evidence], read: Field, domain: Domain) -> bool:
    if read.words is not None or any(each.vector for each in columns):
        return True
    numbers = [number for each in columns for number in each.numbers]
    if not all(number in domain.interval for number in numbers):
        return False
    if domain.codes:
        return any(set(numbers) <= set(code) for code in domain.codes)
    if domain.classes and len(columns) == 1:
        return all(number >= 0 and number.is_integer() for number in numbers)
    if domain.simplex:
        return sums_to_one(columns)
    return exponentials_sum_to_one(columns) if domain.log_simplex else True


# --- plain values -----------------------------------------------------------------------------------------------------


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (bool, int, float, str)) else str(value)


__all__ = ["ColumnFacts", "Inspection", "as_json", "inspect"]
