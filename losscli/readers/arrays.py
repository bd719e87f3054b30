"""NumPy's ``.npy``: the header is checked against the bytes that are there before anything is mapped."""

from __future__ import annotations

import math
import mmap
import os
import tokenize
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from losscli._lazy import numpy
from losscli.errors import DataError, shown
from losscli.readers.source import Batch, Column, Consumed, ReadOptions
from losscli.readers.spool import Spool, readable
from losscli.readers.table import BatchMaker, Table, delivered

SAMPLED_ROWS = 1_000
SAMPLED_ELEMENTS = 20_000
# NumPy takes a header for Python source, and fails on a damaged one as its parser does.
HEADER_ERRORS = (
    *(ValueError, TypeError, SyntaxError, MemoryError, RecursionError, UnicodeError, EOFError),
    tokenize.TokenError,
)
# Of a mapped array, at most about so much is waiting to be computed.
KEPT_BYTES = 64 << 20
REFUSED = {
    "O": "Python objects",
    "c": "complex numbers",
    "M": "dates",
    "m": "time differences",
    "V": "records of several fields",
}


@dataclass(frozen=True)
class Header:
    """What the header of a ``.npy`` says.

    Attributes:
        shape: of the array.
        fortran: whether the first index runs fastest.
        dtype: of its elements.
        size: how many bytes the header takes.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: numpy.dtype
    size: int

    @property
    def total(self) -> int:
        """How many bytes header and elements take."""
        return self.size + math.prod(self.shape) * self.dtype.itemsize


class Unsuited(DataError):
    """A sound array that cannot be a column of data; it matters only where that column is asked for."""


def read_header(stream: BinaryIO, file: str, column: str | None = None) -> Header:
    """Reads and checks a header; allocates nothing of the size that it claims.

    Raises:
        DataError: it is no header.
        Unsuited: it has no axis, or its elements are no numbers, words or truth values.
    """
    form = numpy.lib.format
    try:
        version = form.read_magic(stream)
        with warnings.catch_warnings():
            # That a header was written by Python 2 is nobody's business here.
            warnings.simplefilter("ignore")
            if version == (1, 0):
                shape, fortran, dtype = form.read_array_header_1_0(stream)
            elif version == (2, 0):
                shape, fortran, dtype = form.read_array_header_2_0(stream)
            else:
                what = f"version {version[0]}.{version[1]} of .npy is for records only"
                raise DataError(what, file=file, column=column)
    except HEADER_ERRORS as error:
        raise DataError("this is not .npy data, or its header is damaged", file=file, column=column) from error
    if dtype.kind in REFUSED or dtype.names is not None:
        kind = "V" if dtype.names is not None else dtype.kind
        raise Unsuited(f"the array holds {REFUSED[kind]} ({shown(str(dtype))}), not numbers", file=file, column=column)
    if dtype.kind == "f" and dtype.itemsize > 8:
        raise Unsuited(
            f"the array holds {dtype.itemsize * 8}-bit floats; at most 64-bit are read", file=file, column=column
        )
    if dtype.itemsize == 0 or any(size < 0 for size in shape):
        raise DataError("this is not .npy data, or its header is damaged", file=file, column=column)
    if len(shape) == 0:
        raise Unsuited("the array is a single number, not one a datum", file=file, column=column)
    return Header(shape, fortran, dtype, stream.tell())


def check_length(header: Header, held: int, file: str, column: str | None = None) -> None:
    """Refuses an array with fewer or more bytes than its header says.

    Raises:
        DataError: the two differ.
    """
    if held == header.total:
        return
    claimed = f"the header says {' x '.join(map(str, header.shape))} {header.dtype}, {header.total:,} bytes in all"
    what = "the file is cut" if held < header.total else "there are bytes to spare"
    raise DataError(f"{claimed}, but there are {held:,}: {what}", file=file, column=column)


def describe_array(key: str, name: str, file: str, array: numpy.ndarray) -> Column:
    """The column of an array: its first axis counts the data."""
    size = math.prod(array.shape[1:])
    first = array[: max(1, min(SAMPLED_ROWS, SAMPLED_ELEMENTS // max(size, 1)))]
    if array.ndim > 1:
        vectors = (
            first.reshape(len(first), -1).astype(numpy.float64)
            if array.dtype.kind in "biuf"
            else first.reshape(len(first), -1)
        )
        sample: tuple[object, ...] = tuple(tuple(row) for row in vectors.tolist())
        return Column(key, name, file, "vector", array.shape[1:], sample)
    kind = {"b": "boolean", "U": "text", "S": "text"}.get(array.dtype.kind, "number")
    values = first.tolist()
    if array.dtype.kind == "f" and numpy.isnan(first).any():
        values = [None if math.isnan(value) else value for value in values]
    elif array.dtype.kind == "S":
        values = [value.decode(errors="replace") for value in values]
    return Column(key, name, file, kind, (), tuple(values))  # type: ignore[arg-type]


class ArrayTable(Table):
    """Arrays of one length, read in slices that are views where no conversion is needed."""

    def __init__(self, name: str, format: str, options: ReadOptions, arrays: Mapping[str, numpy.ndarray]) -> None:
        self.name = name
        self.format = format
        self.options = options
        self.notes: list[str] = []
        self._arrays = dict(arrays)
        self.rows: int | None = len(next(iter(self._arrays.values())))
        self._given = 0

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``."""
        rows = self._rows_of(maker.keys)
        for start in range(0, rows, chunk_rows):
            stop = min(start + chunk_rows, rows)
            cells = {key: self._arrays[key][start:stop] for key in maker.keys}
            yield from delivered(*maker.make(cells, start + 1, stop - start))
            self._given = stop
            for key in maker.keys:
                give_back(self._arrays[key], start, stop)

    def consumed(self) -> Consumed | None:
        """See ``Source.consumed``; all arrays are taken to be read."""
        size = sum(array.nbytes for array in self._arrays.values())
        return Consumed(self._given, size * self._given // self.rows, size) if self.rows else None

    def _rows_of(self, keys: Sequence[str]) -> int:
        """How many data these columns have."""
        return self.rows or 0


class NpySource(ArrayTable):
    """A ``.npy`` file, mapped into memory.

    Args:
        spool: the file.
        name: what the user calls it.
        options: the words for missing values, where the array holds words.

    Raises:
        DataError: it is damaged, or holds no numbers, words or truth values.
    """

    def __init__(self, spool: Spool, name: str, options: ReadOptions) -> None:
        with spool.open() as stream:
            header = read_header(stream, spool.name)
        check_length(header, spool.size, spool.name)
        if header.shape[0] == 0:
            raise DataError("0 rows", file=spool.name)
        self._spool = spool
        key = os.path.splitext(os.path.basename(name))[0]
        array = mapped(spool, header, 0)
        super().__init__(name, "npy", options, {key: array})
        self.columns = (describe_array(key, key, spool.name, array),)


def mapped(spool: Spool, header: Header, offset: int) -> numpy.ndarray:
    """An array in a file, whose ``.npy`` header starts at ``offset``, mapped and read-only."""
    if 0 in header.shape:
        return numpy.empty(header.shape, dtype=header.dtype)
    with readable(spool.name):
        memory: Any = numpy.memmap(
            spool.path(),
            dtype=header.dtype,
            mode="r",
            offset=offset + header.size,
            shape=header.shape,
            order="F" if header.fortran else "C",
        )
    # A plain view: subclasses of ndarray cost time in every operation.
    return cast("numpy.ndarray", memory.view(numpy.ndarray))


def give_back(array: numpy.ndarray, start: int, stop: int) -> None:
    """Lets the system have the memory of so many rows of a mapped array, as far behind as others may still be used.

    They count as memory of the process for as long as they are mapped in. Should they be needed again, as in a second
    pass, they are read again.
    """
    memory = array.base
    if not isinstance(memory, numpy.memmap) or not array.flags.c_contiguous or not hasattr(mmap, "MADV_DONTNEED"):
        return
    row, within = array.nbytes // len(array), memory.offset % mmap.ALLOCATIONGRANULARITY - KEPT_BYTES
    first, end = ((within + rows * row) // mmap.PAGESIZE * mmap.PAGESIZE for rows in (start, stop))
    if end > 0:
        cast("Any", memory)._mmap.madvise(mmap.MADV_DONTNEED, max(first, 0), end - max(first, 0))
