"""Results: one record for each file, prediction, loss and group, the same from the command line and from Python."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from losscli._lazy import pandas
from losscli.domain import Value


@dataclass(frozen=True)
class Record:
    """One cost and how it came about.

    Attributes:
        file: the input as the user named it; None for data in memory.
        pred: the prediction column, where there is one.
        loss: the canonical spec.
        params: all parameters, the defaults and those fitted to the data included.
        reduction: ``mean`` or ``sum``.
        group: the value of each ``--by`` column; empty without groups.
        n: how many data were used.
        n_skipped: how many were left out because a value was missing.
        weight_sum: the sum of the weights (n without weights).
        value: the cost.
        std_error: the standard error of the cost; None for fewer than two data.
        ci_low: lower end of the normal interval.
        ci_high: upper end.
        min: the smallest loss of a datum.
        max: the largest.
        status: ``ok``, ``infinite`` or ``nan``.
        signature: loss, reduction, weights, missing values, precision, conventions and version, as one word.
    """

    file: str | None
    pred: str | None
    loss: str
    params: Mapping[str, Value]
    reduction: str
    group: Mapping[str, object]
    n: int
    n_skipped: int
    weight_sum: float
    value: float
    std_error: float | None
    ci_low: float | None
    ci_high: float | None
    min: float
    max: float
    status: str
    signature: str

    @property
    def ci(self) -> tuple[float | None, float | None]:
        """Both ends of the interval."""
        return (self.ci_low, self.ci_high)


class Result:
    """The records of a computation. With one record, its fields are attributes of the result: ``value``, ``ci``."""

    def __init__(self, records: tuple[Record, ...]) -> None:
        self.records = records

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, index: int) -> Record:
        return self.records[index]

    def __getattr__(self, name: str) -> Any:
        if name not in {"ci", *(field.name for field in fields(Record))}:
            raise AttributeError(f"a result has no attribute {name!r}")
        if len(self.records) != 1:
            raise AttributeError(f"there are {len(self.records)} records: take one, as in result[0].{name}")
        return getattr(self.records[0], name)

    def to_pandas(self) -> pandas.DataFrame:
        """The records as a DataFrame, a row each, the groups as columns of their own."""
        return pandas.DataFrame([_flat(record) for record in self.records])

    def __repr__(self) -> str:
        return "\n".join(_line(record) for record in self.records)

    def _repr_html_(self) -> str:
        frame = self.to_pandas()
        shown = [name for name in frame.columns if name not in HIDDEN_IN_NOTEBOOKS and frame[name].notna().any()]
        return str(frame[shown].to_html(index=False, float_format=lambda value: f"{value:.6g}"))


HIDDEN_IN_NOTEBOOKS = {"params", "reduction", "weight_sum", "signature", "status", "n_skipped"}


def _flat(record: Record) -> dict[str, object]:
    row = asdict(record)
    group = row.pop("group")
    # A group called n or file must not hide the field of that name.
    return {**row, **{f"group:{name}" if name in row else name: value for name, value in group.items()}}


def _line(record: Record) -> str:
    group = "".join(f" {name}={value}" for name, value in record.group.items())
    pred = f" {record.pred}" if record.pred else ""
    return f"{record.loss}{pred}{group}: {record.value!r} (n={record.n})"
