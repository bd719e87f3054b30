"""The loss of each datum on a terminal: the first rows, a summary of all, and how to get the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from losscli._lazy import numpy
from losscli.readers.interchange import python_of
from losscli.report import drawing
from losscli.report.rows import RowWriter, _is_number, rounded
from losscli.report.text import significant
from losscli.result import Record

if TYPE_CHECKING:
    import pyarrow


class _Range:
    """How many losses there were, the smallest, the largest and the sum."""

    def __init__(self) -> None:
        self.n, self.missing, self.total = 0, 0, 0.0
        self.low, self.high = numpy.inf, -numpy.inf

    def add(self, column: pyarrow.Array) -> None:
        values = column.to_numpy(zero_copy_only=False)
        values = values[~numpy.isnan(values)]
        self.missing += len(column) - len(values)
        if len(values):
            self.n += len(values)
            self.total += float(values.sum())
            self.low, self.high = min(self.low, float(values.min())), max(self.high, float(values.max()))


class TableWriter(RowWriter):
    """Keeps the first rows and a summary, and draws them at the end."""

    def __init__(
        self,
        file: BinaryIO,
        schema: pyarrow.Schema,
        losses: int,
        digits: int,
        *,
        width: int | None,
        color: bool,
        shown_rows: int | None,
    ) -> None:
        super().__init__(file, schema, losses, digits)
        self._width, self._color, self._limit = width, color, shown_rows
        self._first: list[tuple[object, ...]] = []
        self._rows = 0
        self._ranges = [_Range() for _ in range(losses)]

    def write(self, batch: pyarrow.RecordBatch) -> None:
        room = batch.num_rows if self._limit is None else max(0, self._limit - len(self._first))
        head = batch.slice(0, room)
        self._first += zip(*(python_of(column) for column in head.columns))
        self._rows += batch.num_rows
        for column, found in zip(batch.columns[len(batch.columns) - self.losses :], self._ranges):
            found.add(column)

    def close(self, records: Sequence[Record] = ()) -> None:
        parts: list[object] = [drawing.table(self._columns(), width=self._width), ""]
        if self._rows > len(self._first):
            hidden = (
                f"The first {len(self._first):,} of {self._rows:,} rows. -o FILE.csv writes all, -f tsv prints them."
            )
            parts += [drawing.words(hidden, "dim"), ""]
        parts.append(drawing.table(self._summary(records), width=self._width))
        self.file.write(drawing.draw(parts, width=self._width, color=self._color).encode())  # type: ignore[arg-type]

    def _columns(self) -> list[drawing.Column]:
        cells = list(zip(*self._first)) or [()] * len(self.schema.names)
        return [
            drawing.Column(name, tuple(rounded(value, self.digits) for value in column), number=_is_number(kind))
            for name, kind, column in zip(self.schema.names, self.schema.types, cells)
        ]

    def _summary(self, records: Sequence[Record]) -> list[drawing.Column]:
        names = self.schema.names[len(self.schema.names) - self.losses :]
        if len(records) == self.losses:
            rows = [(record.n, record.value, record.min, record.max) for record in records]
        else:
            rows = [(r.n, r.total / r.n if r.n else numpy.nan, r.low, r.high) for r in self._ranges]
        reductions = {record.reduction for record in records} if len(records) == self.losses else {"mean"}
        headings = (next(iter(reductions)) if len(reductions) == 1 else "value", "min", "max")
        columns = [drawing.Column("loss", tuple(names))]
        columns.append(drawing.Column("n", tuple(f"{row[0]:,}" for row in rows), number=True))
        for position, heading in enumerate(headings, 1):
            cells = tuple(significant(float(row[position]), self.digits) for row in rows)
            columns.append(drawing.Column(heading, cells, number=True))
        return columns
