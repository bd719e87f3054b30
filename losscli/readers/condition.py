"""The condition of ``--where``: DuckDB judges each batch on a connection that has no files and no other tables."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from losscli._lazy import duckdb, numpy, pyarrow
from losscli.errors import UsageError, did_you_mean, escape, shown
from losscli.readers.conversion import EXACT_UP_TO, Conversion, Fault, carried
from losscli.readers.interchange import arrow_of, numpy_of
from losscli.readers.source import Column

if TYPE_CHECKING:
    from losscli.readers.conversion import Cells
    from losscli.readers.table import Table

INDEX = "position in the batch"
# SQL has these without brackets, where DuckDB's parser takes them for columns.
CLOCKS = {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp"}


class Condition:
    """A condition in SQL on the columns of a source.

    Args:
        text: the condition, as the user writes it.
        source: the columns, which the condition names without regard to case, as SQL does.

    Raises:
        UsageError: the source has no column that a condition can be about.

    Attributes:
        number_keys: columns that a reader of text should hand over as numbers.
        text_keys: the other columns that the condition may name.
    """

    def __init__(self, text: str, source: Table) -> None:
        self._text = text
        self._source = source
        self._names = _names(text, source.columns)
        self._doubtful = _differing_in_case(source.columns)
        self._conversions = {
            column.key: Conversion(column, source.options)
            for column in source.columns
            if column.key in self._names and column.kind in ("number", "boolean")
        }
        self.number_keys = tuple(key for key, known in self._conversions.items() if not known.boolean)
        self.text_keys = tuple(key for key in self._names if key not in self.number_keys)
        self._connection: Any = None

    def select(self, columns: Mapping[str, Cells], count: int) -> tuple[numpy.ndarray, KeyedFault | None]:
        """The positions of the rows that meet the condition, before the first whose cells are not what they were.

        Raises:
            UsageError: the condition cannot be understood.
        """
        arrays: dict[str, pyarrow.Array] = {}
        error: KeyedFault | None = None
        for key in self._names:
            try:
                arrays[key] = self._typed(key, columns[key][:count])
            except Fault as fault:
                error, count = KeyedFault(key, fault), fault.index
                arrays[key] = self._typed(key, columns[key][:count])
        named = {self._names[key]: array[:count] for key, array in arrays.items()}
        named[INDEX] = arrow_of(numpy.arange(count))
        table = pyarrow.Table.from_arrays(list(named.values()), names=list(named))
        try:
            connection = self._connect()
            kept = connection.from_arrow(table).filter(self._text).project(f'"{INDEX}"').to_arrow_table()
        except duckdb.Error as failure:
            raise self._refused(str(failure)) from None
        positions: numpy.ndarray = numpy.sort(numpy_of(kept.column(0).combine_chunks()))
        return positions, error

    def _typed(self, key: str, cells: Cells) -> pyarrow.Array:
        """Numbers and truth values as such, where a reader of text gives words."""
        conversion = self._conversions.get(key)
        native = not isinstance(cells, list) and (
            isinstance(cells, numpy.ndarray) or not pyarrow.types.is_string(cells.type)
        )
        if conversion is None or (native and not _is_float(cells)):
            return carried(cells, self._source.options)
        values = conversion.values(cells)
        absent = numpy.isnan(values)
        if conversion.boolean:
            return _masked(values == 1, absent)
        whole = values[~absent]
        if bool((numpy.floor(whole) == whole).all()) and bool((numpy.abs(whole) < EXACT_UP_TO).all()):
            return _masked(numpy.where(absent, 0, values).astype(numpy.int64), absent)
        return _masked(values, absent)

    def _connect(self) -> Any:
        if self._connection is None:
            connection = duckdb.connect(":memory:")
            for setting in (
                "enable_external_access = false",
                "python_enable_replacements = false",
                "threads = 1",
                "lock_configuration = true",
            ):
                connection.execute(f"SET {setting}")
            self._refuse_changing(connection)
            self._connection = connection
        return self._connection

    def _refuse_changing(self, connection: Any) -> None:
        """Refuses what gives another answer each time, by DuckDB's own parse and list of functions."""
        query = "SELECT json_serialize_sql(?::VARCHAR)"
        ((serialized,),) = connection.execute(query, [f"SELECT 1 WHERE {self._text}"]).fetchall()
        parsed = json.loads(serialized)
        called = {name for node in _nodes(parsed) if isinstance(name := node.get("function_name"), str)}
        query = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT' ORDER BY 1"
        changing = {name for (name,) in connection.execute(query).fetchall()} & called if called else set()
        own = {column.name.casefold() for column in self._source.columns}
        for node in _nodes(parsed):
            if node.get("type") == "COLUMN_REF" and len(node["column_names"]) == 1:
                changing |= ({node["column_names"][0].casefold()} & CLOCKS) - own
        if changing:
            raise UsageError(
                f"--where {shown(self._text)}: {shown(min(changing))} gives another answer each time, "
                "but every pass has to take the same rows"
            )

    def _refused(self, reason: str) -> UsageError:
        unknown = re.search(r'Referenced column "(.*?)" (?:was )?not found', reason)
        names = [column.name for column in self._source.columns]
        where = f"--where {shown(self._text)}"
        if unknown is None:
            named = [self._source.column(key) for key, name in self._names.items() if _mentions(self._text, name)]
            vectors = [column for column in named if column.kind == "vector"]
            if vectors and not reason.startswith("Parser"):
                name = vectors[0].name
                hint = f"{name}[1] is its first number." if name.isidentifier() else None
                return UsageError(f"{where}: {shown(name)} is a column of vectors, which cannot be compared", hint=hint)
            hint = self._quoting(named) if reason.startswith("Parser") else None
            return UsageError(f"{where}: {_shortened(reason)}", hint=hint)
        word = unknown[1]
        if word.casefold() in self._doubtful:
            alike = " and ".join(shown(name) for name in names if name.casefold() == word.casefold())
            return UsageError(f"{where}: the columns {alike} have the same name in SQL")
        hint = did_you_mean(word, names)
        return UsageError(
            f"{where}: there is no column {shown(word)}", hint=hint or "words are written in 'single quotes'."
        )

    def _quoting(self, named: Sequence[Column]) -> str | None:
        """A hint for columns that SQL takes for something else where they stand without quotes."""
        query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
        keywords = {word for (word,) in self._connect().execute(query).fetchall()}
        for column in named:
            if column.name.casefold() in keywords or not re.fullmatch(r"[^\W\d]\w*", column.name):
                quoted = '"' + column.name.replace('"', '""') + '"'
                if quoted.casefold() not in self._text.casefold():
                    return f"write the column in double quotes: {escape(quoted)}."
        return None


class KeyedFault(Fault):
    """A fault with the key of its column."""

    def __init__(self, key: str, fault: Fault) -> None:
        super().__init__(fault.index, fault.problem, fault.hint)
        self.key = key


def _names(text: str, columns: tuple[Column, ...]) -> dict[str, str]:
    """The names, by key, of the columns that the condition may mention; those of the truth by their keys."""
    plain = text.replace('""', '"').casefold()
    doubtful = _differing_in_case(columns)
    names = {column.key: column.name for column in columns if column.side == "data"}
    taken = {name.casefold() for name in names.values()}
    for column in columns:
        if column.side == "truth":
            names[column.key] = column.key if column.name.casefold() in taken else column.name
    return {
        key: name
        for key, name in names.items()
        if name and name.casefold() in plain and name.casefold() not in doubtful
    }


def _mentions(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


def _nodes(parsed: Any) -> Iterator[dict[str, Any]]:
    """Every object in a parsed statement."""
    if isinstance(parsed, dict):
        yield parsed
        parsed = list(parsed.values())
    if isinstance(parsed, list):
        for each in parsed:
            yield from _nodes(each)


def _differing_in_case(columns: tuple[Column, ...]) -> set[str]:
    counted = Counter((column.side, column.name.casefold()) for column in columns)
    return {name for (_, name), times in counted.items() if times > 1}


def _masked(values: numpy.ndarray, absent: numpy.ndarray) -> pyarrow.Array:
    array = arrow_of(values)
    if not absent.any():
        return array
    validity = pyarrow.py_buffer(numpy.packbits(~absent, bitorder="little"))
    return pyarrow.Array.from_buffers(array.type, len(array), [validity, array.buffers()[1]])


def _is_float(cells: Any) -> bool:
    if isinstance(cells, numpy.ndarray):
        return bool(cells.dtype.kind == "f" and cells.ndim == 1)
    return bool(pyarrow.types.is_float64(cells.type))


def _shortened(reason: str) -> str:
    first = reason.strip().split("\n")[0]
    return re.sub(r"^(?:\w+ )?Error: ", "", first).rstrip(".!")[:200]
