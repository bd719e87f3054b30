"""Delimited text: CSV, TSV and their like. Finds the header, then reads exactly, by DuckDB where the file is large."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice

from losscli.errors import DataError, UsageError, escape, shown
from losscli.readers.cells import CellError, describe, parse_number
from losscli.readers.delimited import Rows
from losscli.readers.source import Batch, Column, Consumed, ReadOptions
from losscli.readers.spool import IN_MEMORY, Spool
from losscli.readers.survey import Layout, Place, Survey
from losscli.readers.table import BatchMaker, Table, delivered

HEAD = 256 << 10
SAMPLED_ROWS = 1_000
DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
DELIMITER_NAMES = {"\\t": "\t", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}


class TextSource(Table):
    """A table in delimited text.

    Args:
        spool: the text.
        name: what the user calls it.
        format: ``csv`` or ``tsv``: which delimiter is expected.
        options: how the user says that it is to be read.

    Raises:
        DataError: no rows; bytes that are no text; a first line that seems to be data.
    """

    def __init__(self, spool: Spool, name: str, format: str, options: ReadOptions) -> None:
        self.name = name
        self.format = format
        self.options = options
        self.notes: list[str] = []
        self._spool = spool
        self._survey: Survey | None = None
        self._reading: Rows | None = None
        self._delimiter = self._find_delimiter("\t" if format == "tsv" else ",")
        with closing(Rows(spool, self._delimiter)) as rows:
            first = next(iter(rows), None)
        if first is None:
            raise DataError("0 rows: the file is empty", file=spool.name)
        self._width = len(first)
        self._blank_before = rows.blank
        if options.header:
            self._offset, self._header_lines = rows.lines.offset, rows.lines.count
            names = first
        else:
            self._offset, self._header_lines = 0, 0
            names = [f"#{position}" for position in range(1, len(first) + 1)]
        sample = self._sample()
        if not sample:
            raise DataError("0 rows: there is only a header", file=spool.name)
        if self._width == 1:
            self._refuse_blanks_between(first[0], sample)
        self.columns = self._describe(names, sample)
        if options.header:
            self._refuse_header_of_numbers(first, sample)

    # --- opening ------------------------------------------------------------------------------------------------------

    def _find_delimiter(self, expected: str) -> str:
        given = self.options.delimiter
        if given is not None:
            delimiter = DELIMITER_NAMES.get(given.lower(), given)
            if len(delimiter) != 1 or delimiter in '"\r\n\0':
                raise UsageError(f"--delimiter {shown(given)}: it is one character, such as , or ; or tab")
            return delimiter
        # Only ASCII matters here: what is not UTF-8 is refused, with its place, when the lines are read.
        head = self._spool.head(HEAD).decode("utf-8", "replace")
        if _widths(head, expected)[:1] != [1]:
            return expected
        for delimiter, said in DELIMITERS.items():
            widths = _widths(head, delimiter)
            if delimiter != expected and widths[0] > 1 and set(widths) == {widths[0]}:
                usual = DELIMITERS[expected]
                self.notes.append(f"{escape(self._spool.name)}: the fields are separated by {said}, not {usual}")
                return delimiter
        return expected

    def _rows(self, after: int = 0) -> Rows:
        """The rows from the start, or from a place known to have at most ``after`` rows before it."""
        start = self._survey.place(after) if self._survey is not None else Place(0, self._offset)
        return Rows(
            self._spool,
            self._delimiter,
            self._width,
            offset=start.offset,
            line=self._header_lines + start.rows,
            row=start.rows,
            expected="the header" if self.options.header else "the first row",
        )

    def _sample(self) -> list[list[str]]:
        """The first rows, as far as they are sound; what is wrong with a later one is said when it is read."""
        sample: list[list[str]] = []
        with closing(self._rows()) as rows:
            try:
                for fields in islice(rows, SAMPLED_ROWS):
                    sample.append(fields)
                    if rows.lines.offset - self._offset > HEAD:
                        break
            except DataError as error:
                if not sample and self._width == 1 and self.options.header and rows.row:
                    raise self._without_header(error) from None
                if not sample:
                    raise
        return sample

    def _without_header(self, error: DataError) -> DataError:
        """The error of a first row that is wider than a first line without any delimiter."""
        hint = "is the first line a comment or a title? tail -n +2 leaves it out."
        return DataError(error.detail, file=error.file, row=error.row, line=error.line, hint=hint)

    def _describe(self, names: Sequence[str], sample: Sequence[Sequence[str]]) -> tuple[Column, ...]:
        missing = frozenset(self.options.missing)
        columns: list[Column] = []
        keys: set[str] = set()
        for position, (name, cells) in enumerate(zip(names, zip(*sample)), 1):
            key = name if name and name not in keys else f"#{position}"
            while key in keys:
                key += "'"
            keys.add(key)
            kind, values = describe(cells, missing, self.options.decimal)
            columns.append(Column(key, name, self._spool.name, kind, (), values))
        return tuple(columns)

    def _refuse_blanks_between(self, header: str, sample: Sequence[Sequence[str]]) -> None:
        """A single column in which every cell is several numbers with blanks between is several columns."""
        width = len(header.split(" "))
        rows = [row[0].split(" ") for row in sample]
        if width > 1 and all(len(cells) == width and all(map(self._is_number, cells)) for cells in rows):
            raise DataError(
                f"the first line, {shown(header)}, and the rows have {width} fields with blanks between",
                file=self._spool.name,
                hint="-d ' ' takes blanks for delimiters.",
            )

    def _refuse_header_of_numbers(self, header: Sequence[str], sample: Sequence[Sequence[str]]) -> None:
        """A first line of numbers like the second is data; codes of classes above fractions are a header."""
        if not (all(map(self._is_number, header)) and all(map(self._is_number, sample[0]))):
            return
        codes = all(cell.strip().isdigit() for cell in header) and len(set(header)) == len(header)
        if codes and not all(cell.strip().isdigit() for cell in sample[0]):
            return
        raise DataError(
            f"the first line, {shown(self._delimiter.join(header))}, holds numbers like the second, as data do",
            file=self._spool.name,
            hint="--no-header reads it as data and calls the columns #1, #2 and so on.",
        )

    def _is_number(self, cell: str) -> bool:
        try:
            parse_number(cell, self.options.decimal)
        except CellError:
            return False
        return True

    # --- reading ------------------------------------------------------------------------------------------------------

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``."""
        given = 0
        if self._spool.size > IN_MEMORY and self._delimiter.isascii() and not self._blank_before:
            from losscli.readers.bulk import Bulk

            layout = Layout(self._spool, self._delimiter, self._width, self._offset)
            bulk = Bulk(layout, self.columns, self.options, maker)
            self._survey = bulk.survey
            yield from bulk.batches(chunk_rows)
            if bulk.complete:
                return
            if bulk.counted is not None:
                self._explain(bulk.given, bulk.counted)
            given = bulk.given
        with closing(self._rows(given)) as rows:
            self._reading = rows
            for _ in islice(rows, given - rows.row):
                pass
            yield from self._exactly(rows, maker, chunk_rows)
            self._say_blank(self._blank_before + rows.blank)

    def _exactly(self, rows: Rows, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        places = {column.key: position for position, column in enumerate(self.columns)}
        reading = iter(rows)
        while True:
            chunk: list[list[str]] = []
            broken: DataError | None = None
            first = rows.row + 1
            try:
                for fields in islice(reading, chunk_rows):
                    chunk.append(fields)
            except DataError as error:
                broken = error
            if chunk:
                columns = list(zip(*chunk))
                cells = {key: list(columns[places[key]]) for key in maker.keys}
                yield from delivered(*maker.make(cells, first, len(chunk)))
            if broken is not None:
                raise broken
            if not chunk:
                return

    def _explain(self, given: int, counted: int) -> None:
        """Finds the row for which the two readers count differently."""
        with closing(self._rows()) as rows:
            for _ in rows:
                pass
        raise DataError(f"{given:,} rows were read where there are {counted:,} lines", file=self._spool.name)

    def _say_blank(self, count: int) -> None:
        note = f"{escape(self._spool.name)}: {count:,} blank line{'s' if count != 1 else ''} left out"
        if count and note not in self.notes:
            self.notes.append(note)

    def consumed(self) -> Consumed | None:
        """See ``Source.consumed``."""
        if self._reading is not None:
            return Consumed(self._reading.row, self._reading.lines.offset, self._spool.size)
        return Consumed(self._survey.rows, self._survey.offset, self._spool.size) if self._survey is not None else None

    def line(self, row: int) -> int | None:
        """The physical line on which a data row starts; None where that is the row's own number."""
        with closing(self._rows(row - 1)) as rows:
            try:
                for _ in rows:
                    if rows.row == row:
                        break
            except DataError:
                if rows.row != row:
                    return None
            return rows.started if rows.started != row else None


def _widths(text: str, delimiter: str) -> list[int]:
    """How many fields the first rows have."""
    widths = []
    try:
        for fields in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if fields:
                widths.append(len(fields))
            if len(widths) == 21:
                break
    except csv.Error:
        pass
    # The last row may be cut off.
    return widths[:-1] if len(widths) > 20 or (len(widths) > 2 and len(text) >= HEAD // 2) else widths or [0]
