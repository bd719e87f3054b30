"""JSON Lines: an object a line, its keys the columns, lists as vectors."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from losscli._lazy import pyarrow
from losscli.errors import DataError, escape, shown
from losscli.readers.columnar import describe_arrow, kind_of
from losscli.readers.delimited import Lines
from losscli.readers.interchange import text_of
from losscli.readers.source import Batch, ReadOptions
from losscli.readers.spool import Spool
from losscli.readers.table import BatchMaker, Table, delivered

SAMPLED_ROWS = 1_000
# Arrow's own errors are among these.
CONVERSION_ERRORS = (TypeError, OverflowError, ValueError, NotImplementedError)


class JsonLinesSource(Table):
    """A file of JSON objects, one a line. A key that a line does not have is a missing value there.

    Args:
        spool: the file, in UTF-8.
        name: what the user calls it.
        options: the words for missing values.

    Raises:
        DataError: no rows, or a first line that is no JSON object.
    """

    format = "jsonl"

    def __init__(self, spool: Spool, name: str, options: ReadOptions) -> None:
        self.name = name
        self.options = options
        self.notes: list[str] = []
        self._spool = spool
        sample: list[dict[str, Any]] = []
        with closing(self._records()) as records:
            try:
                for _, _, record in islice(records, SAMPLED_ROWS):
                    sample.append(record)
            except DataError:
                if not sample:
                    raise
        if not sample:
            raise DataError("0 rows: the file is empty", file=spool.name)
        keys = list(dict.fromkeys(key for record in sample for key in record))
        if not keys:
            raise DataError("the objects have no keys", file=spool.name)
        columns = []
        self._types: dict[str, Any] = {}
        for key in keys:
            values = [record.get(key) for record in sample]
            cells = _typed(values)
            self._types[key] = cells.type
            columns.append(describe_arrow(key, key, spool.name, cells))
        self.columns = tuple(columns)

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``."""
        done = 0
        with closing(self._records()) as records:
            while True:
                chunk: list[dict[str, Any]] = []
                broken: DataError | None = None
                try:
                    for _, _, record in islice(records, chunk_rows):
                        chunk.append(record)
                except DataError as error:
                    broken = error
                if chunk:
                    yield from self._delivered(chunk, done + 1, maker)
                    done += len(chunk)
                if broken is not None:
                    raise broken
                if not chunk:
                    return

    def _delivered(self, chunk: Sequence[dict[str, Any]], first: int, maker: BatchMaker) -> Iterator[Batch]:
        values = {key: [record.get(key) for record in chunk] for key in maker.keys}
        odd = [(self._first_odd(values[key], self._types[key], key in maker.text_keys), key) for key in maker.keys]
        count, key = min(odd, default=(len(chunk), ""))
        values = {key: cells[:count] for key, cells in values.items()}
        numbers = {key: _typed(cells) for key, cells in values.items()}
        kept = {key: _of_type(values[key], self._types[key]) for key in maker.text_keys}
        yield from delivered(*maker.make(numbers, first, count, kept=kept))
        if count < len(chunk):
            value = chunk[count][key]
            raise DataError(
                f"{shown(str(value))} is of another type than the values before it",
                file=self._spool.name,
                row=first + count,
                line=self.line(first + count),
                column=key,
            )

    @staticmethod
    def _first_odd(values: list[Any], kind: Any, kept: bool) -> int:
        """The position of the first value that is a list where the first ones are none, or cannot be handed through."""
        vector = kind_of(kind) == "vector"
        odd = (index for index, value in enumerate(values) if value is not None and isinstance(value, list) != vector)
        count = len(values) if pyarrow.types.is_null(kind) else next(odd, len(values))
        if not kept:
            return count
        try:
            _of_type(values[:count], kind)
        except CONVERSION_ERRORS:
            return next(index for index in range(count) if not _fits(values[index], kind))
        return count

    def _records(self) -> Generator[tuple[int, int, dict[str, Any]], None, None]:
        """Each row's number, line and object."""
        row = blank = 0
        with closing(Lines(self._spool)) as lines:
            for text in lines:
                if not text.strip():
                    blank += 1
                    continue
                row += 1
                yield row, lines.count, self._parsed(text, row, lines.count)
        if blank:
            note = f"{escape(self._spool.name)}: {blank:,} blank line{'s' if blank != 1 else ''} left out"
            if note not in self.notes:
                self.notes.append(note)

    def _parsed(self, text: str, row: int, line: int) -> dict[str, Any]:
        try:
            record = json.loads(text.rstrip(), object_pairs_hook=_without_repeats)
        except _Repeated as error:
            problem = f"the key {shown(str(error))} is there twice"
        except (ValueError, RecursionError) as error:
            where = f" at character {error.pos + 1:,}" if isinstance(error, json.JSONDecodeError) else ""
            problem = f"the line is no JSON{where}"
        else:
            if isinstance(record, dict):
                return record
            problem = 'the line is no JSON object, such as {"pred": 0.5}'
        raise DataError(problem, file=self._spool.name, row=row, line=line if line != row else None)

    def line(self, row: int) -> int | None:
        """The physical line of a data row; None where that is the row's own number."""
        with closing(self._records()) as records:
            try:
                line = next((line for number, line, _ in records if number == row), None)
            except DataError:
                return None
        return line if line != row else None


class _Repeated(ValueError):
    """A key that an object has twice."""


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Repeated(key)
            seen.add(key)
    return record


def _of_type(values: list[Any], kind: Any) -> pyarrow.Array:
    """The values with the type of the first ones of the file, so that all batches have the same."""
    return _as_text(values) if pyarrow.types.is_string(kind) else pyarrow.array(values, type=kind)


def _fits(value: Any, kind: Any) -> bool:
    try:
        _of_type([value], kind)
    except CONVERSION_ERRORS:
        return False
    return True


def _typed(values: list[Any]) -> pyarrow.Array:
    """The values with the narrowest type that holds them all, text if need be."""
    try:
        return pyarrow.array(values)
    except CONVERSION_ERRORS:
        return _as_text(values)


def _as_text(values: list[Any]) -> pyarrow.Array:
    texts = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return text_of(texts)
