"""What every reader gives: columns to choose from, and aligned batches of the fields that were chosen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from losscli._lazy import numpy, pyarrow, torch
from losscli.readers.cells import Kind

if TYPE_CHECKING:
    from torch import Tensor

CHUNK_ROWS = 131_072
# Formats of arrays that are in memory, or mapped into it.
IN_MEMORY = ("npy", "npz", "memory", "arrays")


@dataclass(frozen=True)
class ReadOptions:
    """How the user says that files are to be read. None leaves a choice to the file."""

    format: str | None = None
    delimiter: str | None = None
    header: bool = True
    missing: tuple[str, ...] = ("", "nan")
    encoding: str = "utf-8"
    decimal: str = "."


@dataclass(frozen=True)
class Column:
    """A column of a table, a key of an archive or an array.

    Attributes:
        key: how a ``Field`` names it; unique within a source.
        name: how the user knows it.
        file: the file that it comes from, as messages show it.
        kind: what the first values are. ``vector`` has several numbers in a datum, ``nested`` values by name or by key.
        shape: the shape of one datum, () for a scalar.
        sample: the first values (at most 1,000): numbers, words, booleans, or None where missing.
        side: whether it comes from the predictions' file or from the file of ``--truth``.
    """

    key: str
    name: str
    file: str
    kind: Kind
    shape: tuple[int, ...] = ()
    sample: tuple[object, ...] = ()
    side: Literal["data", "truth"] = "data"


@dataclass(frozen=True)
class Field:
    """What one role reads: a column, or several columns side by side as a matrix (n, C).

    Attributes:
        columns: keys of the source's columns.
        matrix: the result has an axis of columns, even where there is only one.
        words: the classes' names, where the column holds words: a word becomes its position here.
    """

    columns: tuple[str, ...]
    matrix: bool = False
    words: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Batch:
    """Some consecutive data of a source.

    Attributes:
        rows: the 1-based data rows, n of them, increasing: a range, or where some are left out int64.
        values: each field's numbers, first axis n; NaN where missing. Float64, or float32 where the file holds that.
            Arrays, or tensors on a device.
        carried: the columns asked for as they are (ids, groups, kept columns), as Arrow arrays of their own type.
        ready: the CUDA event after which the tensors can be used; None where they can be at once.
    """

    rows: range | numpy.ndarray
    values: Mapping[Field, numpy.ndarray | Tensor]
    carried: Mapping[str, pyarrow.Array] = field(default_factory=dict)
    ready: torch.cuda.Event | None = None


def row_numbers(rows: range | numpy.ndarray) -> numpy.ndarray:
    """The rows as an array, shape (n,), int64."""
    return numpy.arange(rows.start, rows.stop, dtype=numpy.int64) if isinstance(rows, range) else rows


def concatenated(batches: Sequence[Batch]) -> Batch:
    """Consecutive batches, at least one, as a single one."""
    if len(batches) == 1:
        return batches[0]
    carried = {
        key: pyarrow.chunked_array([batch.carried[key] for batch in batches]).unify_dictionaries().combine_chunks()
        for key in batches[0].carried
    }
    values = {field: _joined([batch.values[field] for batch in batches]) for field in batches[0].values}
    return Batch(numpy.concatenate([row_numbers(batch.rows) for batch in batches]), values, carried)


def _joined(parts: Sequence[Any]) -> numpy.ndarray | Tensor:
    joined: numpy.ndarray | Tensor = (
        numpy.concatenate(parts) if isinstance(parts[0], numpy.ndarray) else torch.cat(list(parts))
    )
    return joined


@dataclass(frozen=True)
class Consumed:
    """How far reading has come.

    Attributes:
        rows: have been read.
        bytes: that they take.
        size: how many bytes there are.
    """

    rows: int
    bytes: int
    size: int

    def share(self, row: int) -> float:
        """Which part of the bytes goes up to a row."""
        return min(1.0, self.bytes / self.size * row / self.rows) if self.size and self.rows else 0.0


class Source(ABC):
    """One input of aligned data: a file, a pair of joined files, or arrays in memory.

    Attributes:
        name: what messages call it.
        format: ``csv``, ``tsv``, ``jsonl``, ``parquet``, ``arrow``, ``npy``, ``npz``, ``memory``, or
            ``arrays`` for several arrays together.
        columns: what it holds, in order.
        rows: how many data it holds, where that is known without reading it.
        resident: the device on which the data are already; None for the processor's memory and files.
        notes: what the user should be told about how it was read; complete after reading.
    """

    name: str
    format: str
    columns: tuple[Column, ...]
    rows: int | None = None
    resident: str | None = None
    notes: list[str]

    @abstractmethod
    def read(
        self,
        fields: Sequence[Field],
        carry: Sequence[str] = (),
        *,
        where: str | None = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> Iterator[Batch]:
        """The data in order, at most ``chunk_rows`` at a time. Can be called again for another pass.

        Args:
            fields: what to read as numbers.
            carry: keys of columns to hand through as they are.
            where: a condition in SQL on the columns; only the rows that meet it are given.
            chunk_rows: the most rows of a batch.

        Raises:
            DataError: a cell that is not what its field needs, with its row and column; a damaged file.
            UsageError: a condition that cannot be understood, or one on data that are not a table.
        """

    def consumed(self) -> Consumed | None:
        """How far the present pass has come, which may be ahead of what was given; None where that is not known."""
        return None

    def line(self, row: int) -> int | None:
        """The physical line of a data row, for files of lines; None for others. May read the file again."""
        return None

    def column(self, key: str) -> Column:
        """The column of that key."""
        return next(column for column in self.columns if column.key == key)
