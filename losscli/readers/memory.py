"""Columns in memory: arrays, tensors, Series and lists by name, or a DataFrame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from losscli._lazy import numpy, pyarrow
from losscli.errors import DataError, shown
from losscli.readers.arrays import REFUSED, describe_array
from losscli.readers.columnar import describe_arrow
from losscli.readers.source import Batch, Column, ReadOptions
from losscli.readers.table import BatchMaker, Table, delivered

if TYPE_CHECKING:
    from losscli.readers.conversion import Cells

NAME = "data"


class MemorySource(Table):
    """Columns of one length in memory; nothing is copied that need not be.

    Args:
        columns: a mapping of names to columns, or a DataFrame.

    Raises:
        DataError: the lengths differ, or a column holds no numbers, words or truth values.
    """

    def __init__(self, columns: Any) -> None:
        self.name = NAME
        self.format = "memory"
        self.options = ReadOptions()
        self.notes: list[str] = []
        self._cells: dict[str, Cells] = {}
        described: list[Column] = []
        for position, (name, values) in enumerate(_named(columns), 1):
            key = name if name and name not in self._cells else f"#{position}"
            cells = _cells(values, name)
            self._cells[key] = cells
            if isinstance(cells, numpy.ndarray):
                described.append(describe_array(key, name, NAME, cells))
            else:
                described.append(describe_arrow(key, name, NAME, cells))
        self.columns = tuple(described)
        self._check_lengths()

    def _check_lengths(self) -> None:
        if not self.columns:
            raise DataError("there are no columns", file=NAME)
        first = self.columns[0]
        self.rows = len(self._cells[first.key])
        for column in self.columns:
            rows = len(self._cells[column.key])
            if rows != self.rows:
                raise DataError(f"{shown(first.name)} has {self.rows:,} rows, but {shown(column.name)} has {rows:,}")
        if self.rows == 0:
            raise DataError("0 rows", file=NAME)

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``."""
        for start in range(0, self.rows or 0, chunk_rows):
            stop = min(start + chunk_rows, self.rows or 0)
            cells = {key: self._cells[key][start:stop] for key in maker.keys}
            yield from delivered(*maker.make(cells, start + 1, stop - start))


def _named(columns: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(columns, Mapping):
        for name, values in columns.items():
            yield str(name), values
    elif hasattr(columns, "iloc"):
        for position, name in enumerate(columns.columns):
            yield str(name), columns.iloc[:, position]
    elif hasattr(columns, "column_names"):
        for position, name in enumerate(columns.column_names):
            yield str(name), columns.column(position)
    elif hasattr(columns, "columns"):
        for name in columns.columns:
            yield str(name), columns[name]
    else:
        raise DataError(f"{type(columns).__name__} is no DataFrame and no mapping of arrays")


def _cells(values: Any, name: str) -> Cells:
    if hasattr(values, "detach"):
        tensor = values.detach().cpu()
        # NumPy has no bfloat16; float32 holds each of its values.
        values = (tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy()
    if isinstance(values, (pyarrow.Array, pyarrow.ChunkedArray)):
        return _one_chunk(values)
    if not isinstance(values, numpy.ndarray):
        values = _plain(values, name)
    if isinstance(values, numpy.ndarray):
        if values.dtype.kind == "O":
            return _arrow(values.tolist() if values.ndim > 1 else values, name)
        if values.dtype.kind in REFUSED and values.dtype.kind not in "Mm":
            raise DataError(f"{shown(name)} holds {REFUSED[values.dtype.kind]}, not numbers", file=NAME)
        if values.ndim == 0:
            raise DataError(f"{shown(name)} is a single value, not one a datum", file=NAME)
        if values.dtype.kind in "Mm":
            return _arrow(values, name)
        return values.astype(numpy.float64) if values.dtype.itemsize > 8 and values.dtype.kind == "f" else values
    return values


def _plain(values: Any, name: str) -> Any:
    """A Series or list as a NumPy array, or as an Arrow array where it holds words or missing values of its own."""
    dtype = getattr(values, "dtype", None)
    if hasattr(values, "to_numpy") and isinstance(dtype, numpy.dtype):
        return values.to_numpy()
    if hasattr(values, "to_arrow"):
        return _one_chunk(values.to_arrow())
    if (dtype is not None and not isinstance(dtype, numpy.dtype)) or hasattr(values, "__arrow_array__"):
        return _arrow(values, name)
    try:
        array = numpy.asarray(values)
    except ValueError:
        return _arrow(values, name)
    # Mixtures such as [1, "a"] become text, and [1, None] objects: Arrow knows better.
    return array if array.dtype.kind in "biufc" else _arrow(values, name)


def _arrow(values: Any, name: str) -> Cells:
    try:
        return _one_chunk(pyarrow.array(values, from_pandas=True))
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"{shown(name)} holds values of different or unknown types", file=NAME) from error


def _one_chunk(values: Any) -> Any:
    return values.combine_chunks() if isinstance(values, pyarrow.ChunkedArray) else values
