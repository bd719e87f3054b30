"""Large delimited text by DuckDB, as long as it can be trusted to read what is written; the exact reader goes on.

DuckDB parses several times faster than Python, but it takes ``1_000`` for 1000, makes 1e400 infinite, skips blank lines
and drops an empty field too many. A survey of the bytes goes along; at the first thing in doubt, and at any error, this
reader stops and says how many rows it has given.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Any

from losscli._lazy import duckdb, numpy
from losscli.readers.interchange import numpy_of
from losscli.readers.source import Batch, Column, ReadOptions
from losscli.readers.survey import Layout, Survey
from losscli.readers.table import BatchMaker, delivered

ODD = "odd"


class Bulk:
    """One pass over large text.

    Args:
        layout: where the rows are.
        columns: of the text, in order.
        options: what the text means.
        maker: makes the batches.

    Attributes:
        given: how many rows have been dealt with.
        complete: whether these are all.
        counted: how many rows the bytes hold, where all have been looked at and nothing is quoted.
        survey: what the bytes have shown so far.
    """

    def __init__(self, layout: Layout, columns: Sequence[Column], options: ReadOptions, maker: BatchMaker) -> None:
        self._layout = layout
        self._options = options
        self._maker = maker
        names = {column.key: f"c{position}" for position, column in enumerate(columns)}
        self._names = names
        self._numbers = {key: names[key] for key in maker.number_keys}
        self._texts = {key: names[key] for key in maker.text_keys}
        self.given = 0
        self.complete = False
        self.counted: int | None = None
        self.survey = Survey(layout)

    def batches(self, chunk_rows: int) -> Iterator[Batch]:
        """The batches up to the first row in doubt."""
        survey = self.survey
        with closing(survey):
            survey.advance(1)
            if survey.stopped:
                return
            both = self._numbers.keys() & self._texts.keys()
            careful = survey.underscore or bool(both) or self._options.decimal != "."
            ended = yield from self._stream(survey, chunk_rows, careful)
            if not careful and not ended and survey.underscore and not survey.stopped:
                ended = yield from self._stream(survey, chunk_rows, True)
            if ended:
                survey.finish()
                self.complete = not survey.stopped and (survey.quoted or self.given == survey.rows)
                self.counted = None if survey.quoted or survey.stopped else survey.rows

    def _stream(self, survey: Survey, chunk_rows: int, careful: bool) -> Generator[Batch, None, bool]:
        """Batches from DuckDB. Returns whether it came to the end; if not, ``careful`` or the exact reader may."""
        row = 0
        with closing(self._connect()) as connection:
            try:
                parts = self._query(connection, careful).to_arrow_reader(chunk_rows)
                while (part := next(parts, None)) is not None:
                    first, row = row, row + part.num_rows
                    if row <= self.given:
                        continue
                    survey.advance(row)
                    if not careful and (survey.underscore or self._infinite(part)):
                        survey.underscore = True
                        return False
                    usable = part.num_rows if survey.quoted else min(part.num_rows, survey.rows - first)
                    if survey.quoted and survey.stopped:
                        return False
                    if careful:
                        usable = min(usable, self._first_odd(part))
                    skipped = self.given - first
                    if usable > skipped:
                        yield from self._delivered(part.slice(skipped, usable - skipped))
                    if usable < part.num_rows:
                        return False
            except duckdb.Error:
                return False
        return True

    def _delivered(self, part: Any) -> Iterator[Batch]:
        first = self.given + 1
        self.given += part.num_rows
        numbers = {key: part.column(name) for key, name in self._numbers.items()}
        texts = {key: part.column(f"t{name}") for key, name in self._texts.items()}
        yield from delivered(*self._maker.make({**texts, **numbers}, first, part.num_rows, kept=texts))

    # --- the query ----------------------------------------------------------------------------------------------------

    def _connect(self) -> Any:
        connection = duckdb.connect(":memory:")
        # The pattern is what read_csv opens, the path what it finds.
        allowed = ", ".join(_quoted(path) for path in dict.fromkeys((self._path(), self._layout.spool.path())))
        connection.execute(f"SET allowed_paths = [{allowed}]")
        for setting in (
            "enable_external_access = false",
            "python_enable_replacements = false",
            "lock_configuration = true",
        ):
            connection.execute(f"SET {setting}")
        return connection

    def _path(self) -> str:
        return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in self._layout.spool.path())

    def _query(self, connection: Any, careful: bool) -> Any:
        types = dict.fromkeys(self._names.values(), "VARCHAR")
        if not careful:
            types |= dict.fromkeys(self._numbers.values(), "DOUBLE")
        relation = connection.read_csv(
            self._path(),
            auto_detect=False,
            columns=types,
            header=self._options.header,
            delimiter=self._layout.delimiter,
            quotechar='"',
            escapechar='"',
            na_values=list(self._options.missing),
            null_padding=False,
            strict_mode=True,
        )
        selected = [f"{name} AS t{name}" for name in self._texts.values()]
        odd = []
        for name in self._numbers.values():
            if types[name] == "DOUBLE":
                selected.append(name)
                continue
            text = name if self._options.decimal == "." else f"replace({name}, {_quoted(self._options.decimal)}, '.')"
            selected.append(f"TRY_CAST({text} AS DOUBLE) AS {name}")
            odd.append(self._doubt(name, text))
        selected.append(f"{' OR '.join(odd)} AS {ODD}" if odd else f"false AS {ODD}")
        return relation.project(", ".join(selected))

    def _doubt(self, name: str, text: str) -> str:
        """A condition that is true where the cast of a cell may not be what is written."""
        foreign = "" if self._options.decimal == "." else f" OR contains({name}, '.')"
        # CASE goes only through the few cells that its condition leaves.
        cast = f"TRY_CAST({text} AS DOUBLE)"
        return (
            f"CASE WHEN {cast} IS NULL THEN {name} IS NOT NULL"
            f" WHEN isinf({cast}) THEN regexp_matches({name}, '[0-9]') ELSE contains({name}, '_'){foreign} END"
        )

    def _first_odd(self, part: Any) -> int:
        odd = numpy.flatnonzero(numpy_of(part.column(ODD)))
        return int(odd[0]) if len(odd) else int(part.num_rows)

    def _infinite(self, part: Any) -> bool:
        with numpy.errstate(over="ignore", invalid="ignore"):
            for name in self._numbers.values():
                values = numpy_of(part.column(name))
                # A sum is the cheapest pass that no infinity leaves without a trace.
                if not math.isfinite(values.sum()) and bool(numpy.isinf(values).any()):
                    return True
        return False


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
