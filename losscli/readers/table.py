"""What all readers share: conditions, the making of batches from columns, errors that name row and column."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from losscli._lazy import numpy
from losscli.errors import DataError
from losscli.readers.conversion import Conversion, Fault, carried
from losscli.readers.interchange import arrow_of
from losscli.readers.source import CHUNK_ROWS, Batch, Field, ReadOptions, Source

if TYPE_CHECKING:
    from losscli.readers.condition import Condition
    from losscli.readers.conversion import Cells


class Table(Source):
    """A source that can give its columns in parts.

    A subclass sets the attributes of ``Source`` and gives ``batches``; most make these with a ``BatchMaker``.
    """

    options: ReadOptions

    def read(
        self,
        fields: Sequence[Field],
        carry: Sequence[str] = (),
        *,
        where: str | None = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> Iterator[Batch]:
        """See ``Source.read``."""
        condition = None
        if where is not None:
            from losscli.readers.condition import Condition

            condition = Condition(where, self)
        return self.batches(BatchMaker(self, fields, carry, self.options, condition), chunk_rows)

    @abstractmethod
    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """The batches that ``maker`` makes. The good rows before a bad one are given before the error is raised."""


class BatchMaker:
    """Makes batches of the fields asked for from the cells of the columns.

    Args:
        source: names the columns in errors.
        fields: what to convert to numbers.
        carry: keys of the columns to hand through.
        options: what text means.
        condition: which rows to take; None for all.
    """

    def __init__(
        self,
        source: Source,
        fields: Sequence[Field],
        carry: Sequence[str],
        options: ReadOptions,
        condition: Condition | None = None,
    ) -> None:
        self._source = source
        self.fields = tuple(dict.fromkeys(fields))
        self.carry = tuple(dict.fromkeys(carry))
        self.condition = condition
        self._options = options
        order = {column.key: position for position, column in enumerate(source.columns)}
        wanted = {(key, field.words) for field in self.fields for key in field.columns}
        self._conversions = {
            (key, words): Conversion(source.column(key), options, words)
            for key, words in sorted(wanted, key=lambda pair: order[pair[0]])
        }

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that are needed at all."""
        return tuple(dict.fromkeys((*self.number_keys, *self.text_keys)))

    @property
    def number_keys(self) -> tuple[str, ...]:
        """The columns of which a text reader may hand over numbers."""
        wanted = [
            key for (key, words), conversion in self._conversions.items() if words is None and not conversion.boolean
        ]
        return tuple(dict.fromkeys((*wanted, *(self.condition.number_keys if self.condition else ()))))

    @property
    def text_keys(self) -> tuple[str, ...]:
        """The columns of which a text reader has to hand over the text."""
        wanted = [
            key for (key, words), conversion in self._conversions.items() if words is not None or conversion.boolean
        ]
        return tuple(dict.fromkeys((*wanted, *self.carry, *(self.condition.text_keys if self.condition else ()))))

    def make(
        self, columns: Mapping[str, Cells], first_row: int, count: int, kept: Mapping[str, Cells] | None = None
    ) -> tuple[Batch, DataError | None]:
        """A batch of the rows before the first bad one, and the error for that one.

        Args:
            columns: the cells of each column, ``count`` of them.
            first_row: the number of the first row.
            count: how many rows these are.
            kept: the cells as they are written, for columns whose cells in ``columns`` are numbers already.
        """
        kept = columns if kept is None else kept
        rows: range | numpy.ndarray = range(first_row, first_row + count)
        error: DataError | None = None
        if self.condition is not None:
            chosen, fault = self.condition.select(columns, count)
            if fault is not None:
                error = self._error(fault, fault.key, int(rows[fault.index]))
            rows, count = first_row + chosen, len(chosen)
            columns = {key: taken(cells, chosen) for key, cells in columns.items()}
            kept = {key: taken(cells, chosen) for key, cells in kept.items()}
        values: dict[tuple[str, tuple[str, ...] | None], numpy.ndarray] = {}
        for (key, words), conversion in self._conversions.items():
            cells = kept[key][:count] if words is not None and key in kept else columns[key][:count]
            try:
                values[key, words] = conversion.values(cells)
            except Fault as fault:
                # A later column's fault can only end the batch sooner.
                error, count = self._error(fault, key, int(rows[fault.index])), fault.index
                if count == 0:
                    return Batch(rows[:0], {}, {}), error
                values[key, words] = conversion.values(cells[:count])
        arrays = {field: self._assembled(field, values, count) for field in self.fields}
        handed = {key: carried(kept[key][:count], self._options) for key in self.carry}
        return Batch(rows[:count], arrays, handed), error

    def _assembled(
        self, field: Field, values: Mapping[tuple[str, tuple[str, ...] | None], numpy.ndarray], count: int
    ) -> numpy.ndarray:
        parts = [values[key, field.words][:count] for key in field.columns]
        if len(parts) == 1 and (not field.matrix or parts[0].ndim > 1):
            return parts[0]
        kind = numpy.result_type(*parts)
        matrix = numpy.empty((count, len(parts), *parts[0].shape[1:]), dtype=kind)
        for position, part in enumerate(parts):
            if part.shape != parts[0].shape:
                raise self._error(
                    Fault(0, "its data have another shape than the other columns'"), field.columns[position], None
                )
            matrix[:, position] = part
        return matrix

    def _error(self, fault: Fault, key: str, row: int | None) -> DataError:
        column = self._source.column(key)
        line = self._source.line(row) if row is not None else None
        return DataError(fault.problem, file=column.file, row=row, line=line, column=column.name, hint=fault.hint)


def taken(cells: Cells, chosen: numpy.ndarray) -> Cells:
    """The cells at these positions."""
    if isinstance(cells, list):
        return [cells[index] for index in chosen.tolist()]
    return cells[chosen] if isinstance(cells, numpy.ndarray) else cells.take(arrow_of(chosen))


def delivered(batch: Batch, error: DataError | None) -> Iterator[Batch]:
    """The batch, if it holds rows, and then the error, if there is one."""
    if len(batch.rows):
        yield batch
    if error is not None:
        raise error
