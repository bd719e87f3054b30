"""Parquet and Arrow files: columns of their own types, lists as vectors."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from typing import Any

from losscli._lazy import pyarrow
from losscli.errors import DataError
from losscli.readers.cells import Kind
from losscli.readers.interchange import python_of
from losscli.readers.source import Batch, Column, Consumed, ReadOptions
from losscli.readers.spool import Spool, readable
from losscli.readers.table import BatchMaker, Table, delivered

SAMPLED_ROWS = 1_000
SAMPLED_ELEMENTS = 20_000


def describe_arrow(key: str, name: str, file: str, cells: Any) -> Column:
    """The column of an Arrow array, by its type and first values."""
    kind = kind_of(cells.type)
    first = cells[:SAMPLED_ROWS]
    if kind != "vector":
        return Column(key, name, file, kind, (), tuple(map(_simple, python_of(first))))
    vectors = [value for value in python_of(first) if value is not None]
    shape = _shape(vectors[0]) if vectors else (0,)
    count = max(1, SAMPLED_ELEMENTS // max(1, math.prod(shape)))
    return Column(key, name, file, kind, shape, tuple(tuple(_flat(vector)) for vector in vectors[:count]))


def kind_of(type: Any) -> Kind:
    """What the values of an Arrow type are."""
    types = pyarrow.types
    if isinstance(type, pyarrow.BaseExtensionType):
        return kind_of(type.storage_type)
    if types.is_dictionary(type):
        return kind_of(type.value_type)
    if types.is_boolean(type):
        return "boolean"
    if types.is_integer(type) or types.is_floating(type) or types.is_decimal(type):
        return "number"
    if types.is_string(type) or types.is_large_string(type) or types.is_string_view(type):
        return "text"
    if types.is_date(type) or types.is_timestamp(type):
        return "date"
    if types.is_list(type) or types.is_large_list(type) or types.is_fixed_size_list(type):
        return "vector"
    return "nested" if types.is_nested(type) else "other"


def _simple(value: object) -> object:
    if isinstance(value, float) and math.isnan(value):
        return None
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _shape(vector: object) -> tuple[int, ...]:
    if not isinstance(vector, list):
        return ()
    return (len(vector), *(_shape(vector[0]) if vector else ()))


def _flat(vector: object) -> Iterator[object]:
    if isinstance(vector, list):
        for value in vector:
            yield from _flat(value)
    else:
        yield vector


@contextmanager
def _closed(file: Any) -> Iterator[Any]:
    """Closes a file at the end. What was only read loses nothing where that fails."""
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


class ColumnarSource(Table):
    """A file of Arrow columns: a subclass opens it and gives record batches.

    Args:
        spool: the file.
        name: what the user calls it.
        options: the words for missing values, where columns hold words.

    Raises:
        DataError: the file is damaged or holds no rows.
    """

    what = ""

    def __init__(self, spool: Spool, name: str, options: ReadOptions) -> None:
        self.name = name
        self.options = options
        self.notes: list[str] = []
        self._spool = spool
        self._given = 0
        with self._intact():
            schema, self.rows = self._open()
            if self.rows == 0 or len(schema) == 0:
                raise DataError("0 rows", file=spool.name)
            with closing(self._parts(list(range(len(schema))), SAMPLED_ROWS)) as parts:
                first = next(parts)
            # Names and words may be no UTF-8.
            keys: dict[str, int] = {}
            for position, field in enumerate(schema):
                key = field.name if field.name and field.name not in keys else f"#{position + 1}"
                keys[key] = position
            self._places = keys
            self.columns = tuple(
                describe_arrow(key, schema.field(place).name, spool.name, first.column(place))
                for key, place in keys.items()
            )

    @abstractmethod
    def _open(self) -> tuple[Any, int | None]:
        """The schema and the number of rows."""

    @abstractmethod
    def _parts(self, places: Sequence[int], rows: int) -> Generator[Any, None, None]:
        """Record batches of at most ``rows`` rows with the columns at these places, in this order."""

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``."""
        first = 1
        places = sorted({self._places[key] for key in maker.keys})
        with self._intact(), closing(self._parts(places, chunk_rows)) as parts:
            for part in parts:
                cells = {key: part.column(places.index(self._places[key])) for key in maker.keys}
                yield from delivered(*maker.make(cells, first, part.num_rows))
                first += part.num_rows
                self._given = first - 1

    def consumed(self) -> Consumed | None:
        """See ``Source.consumed``: the file's bytes, in proportion to its rows."""
        size = self._spool.size
        return Consumed(self._given, size * self._given // self.rows, size) if self.rows else None

    @contextmanager
    def _intact(self) -> Iterator[None]:
        try:
            yield
        except (pyarrow.ArrowException, OSError, StopIteration, RuntimeError, UnicodeDecodeError) as error:
            # What the system says, unlike what Arrow finds, has a number.
            if isinstance(error, OSError) and error.errno is not None:
                with readable(self._spool.name):
                    raise
            # Some of Arrow's errors are also errors of Python's that mean a bug elsewhere.
            own = isinstance(error, pyarrow.ArrowException) or isinstance(error.__cause__, StopIteration)
            if isinstance(error, RuntimeError) and not own:
                raise
            raise DataError(f"the file is damaged, cut or not {self.what}", file=self._spool.name) from error


class ParquetSource(ColumnarSource):
    """A Parquet file; the checksums of its pages are verified where it has them."""

    format = "parquet"
    what = "Parquet"

    def _open(self) -> tuple[Any, int | None]:
        with self._file() as file:
            return file.schema_arrow, file.metadata.num_rows

    def _file(self) -> AbstractContextManager[Any]:
        from pyarrow.parquet import ParquetFile

        return _closed(ParquetFile(self._spool.path(), page_checksum_verification=True, pre_buffer=False))

    def _parts(self, places: Sequence[int], rows: int) -> Generator[Any, None, None]:
        with self._file() as file:
            schema = file.schema_arrow
            names = [schema.field(place).name for place in places]
            # A name selects every column of that name, and a dotted one parts of others.
            earlier = [
                sum(name == schema.field(before).name for before in range(place)) for place, name in zip(places, names)
            ]
            for part in file.iter_batches(batch_size=rows, columns=list(dict.fromkeys(names))):
                yield part.select([part.schema.get_all_field_indices(name)[nth] for name, nth in zip(names, earlier)])


class ArrowSource(ColumnarSource):
    """An Arrow or Feather file, or an Arrow stream."""

    format = "arrow"
    what = "Arrow"

    def _open(self) -> tuple[Any, int | None]:
        with self._memory() as memory:
            reader = self._reader(memory)
            known = hasattr(reader, "num_record_batches")
            rows = (
                sum(reader.get_batch(index).num_rows for index in range(reader.num_record_batches)) if known else None
            )
            return reader.schema, rows

    def _memory(self) -> AbstractContextManager[Any]:
        return _closed(pyarrow.memory_map(self._spool.path()))

    def _reader(self, memory: Any) -> Any:
        import pyarrow.ipc

        is_file = self._spool.head(6) == b"ARROW1"
        return pyarrow.ipc.open_file(memory) if is_file else pyarrow.ipc.open_stream(memory)

    def _parts(self, places: Sequence[int], rows: int) -> Generator[Any, None, None]:
        with self._memory() as memory:
            reader = self._reader(memory)
            known = hasattr(reader, "num_record_batches")
            count = range(reader.num_record_batches) if known else None
            for batch in (reader.get_batch(index) for index in count) if count is not None else reader:
                # Damaged offsets would otherwise read memory that is not the file's.
                batch.validate(full=True)
                selected = batch.select(list(places))
                for start in range(0, batch.num_rows, rows):
                    yield selected.slice(start, rows)
