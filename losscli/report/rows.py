"""The loss of each datum, written as it comes: a batch of rows at a time, in memory that does not grow."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from losscli._lazy import pyarrow
from losscli.errors import UsageError, shown
from losscli.readers.interchange import python_of
from losscli.report.cells import LARGEST_BATCH_BYTES, join, json_cells, plain_cells, quoted_cells, text_bytes
from losscli.report.text import PRECISION, delimited, encodable, full, latex, markdown, significant
from losscli.result import Record

if TYPE_CHECKING:
    from typing import Self


class RowWriter(ABC):
    """Takes batches of one schema; ``close`` ends the output. As a context manager it is closed unless the block fails.

    Args:
        file: where the bytes go; it is left open.
        schema: of every batch: the row's number, the kept columns, then the losses.
        losses: how many columns at the end are losses.
        digits: significant digits, for people.
    """

    def __init__(self, file: BinaryIO, schema: pyarrow.Schema, losses: int, digits: int) -> None:
        self.file, self.schema, self.losses, self.digits = file, schema, losses, digits

    @abstractmethod
    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Writes the rows of a batch."""

    def close(self, records: Sequence[Record] = ()) -> None:  # noqa: B027 - most formats have no end
        """Ends the output.

        Args:
            records: the costs of these rows, one for each column of losses, for the summary that ``table`` ends with.
        """

    def abandon(self) -> None:  # noqa: B027 - most formats have nothing to undo
        """Gives the output up: nothing more is written."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


def row_writer(
    format: str,
    file: BinaryIO,
    schema: pyarrow.Schema,
    *,
    losses: int,
    precision: int | None = None,
    width: int | None = None,
    color: bool = False,
    shown_rows: int | None = 10,
) -> RowWriter:
    """The writer of a format.

    Args:
        format: ``csv``, ``tsv``, ``jsonl``, ``json``, ``plain``, ``parquet``, ``arrow`` with all digits; ``md``,
            ``latex``, ``table`` for people.
        file: where the bytes go.
        schema: of every batch.
        losses: how many columns at the end are losses.
        precision: significant digits for people, 1 to 17; None for 6.
        width: columns of the terminal, for ``table``.
        color: whether ``table`` has colours.
        shown_rows: how many rows ``table`` shows before its summary; None for all.

    Raises:
        UsageError: a format that rows are not written in.
    """
    from losscli.report.preview import TableWriter

    digits = precision or PRECISION
    if format == "table":
        return TableWriter(file, schema, losses, digits, width=width, color=color, shown_rows=shown_rows)
    writers: dict[str, type[RowWriter]] = {
        "csv": CsvWriter,
        "tsv": TsvWriter,
        "jsonl": JsonLinesWriter,
        "json": JsonWriter,
        "plain": PlainWriter,
        "md": MarkdownWriter,
        "latex": LatexWriter,
        "parquet": ParquetWriter,
        "arrow": ArrowWriter,
    }
    if format not in writers:
        raise UsageError(f"the loss of each row cannot be written as {shown(format)}")
    return writers[format](file, schema, losses, digits)


def _pieces(batch: pyarrow.RecordBatch) -> list[pyarrow.RecordBatch]:
    if batch.nbytes <= LARGEST_BATCH_BYTES or batch.num_rows < 2:
        return [batch] if batch.num_rows else []
    half = batch.num_rows // 2
    return _pieces(batch.slice(0, half)) + _pieces(batch.slice(half))


# --- for programs -----------------------------------------------------------------------------------------------------


class CsvWriter(RowWriter):
    """Comma-separated, by RFC 4180: quotes only where a cell needs them."""

    delimiter = ","

    def __init__(self, file: BinaryIO, schema: pyarrow.Schema, losses: int, digits: int) -> None:
        super().__init__(file, schema, losses, digits)
        header = self.delimiter.join(delimited(encodable(name), self.delimiter) for name in schema.names)
        file.write(f"{header}\n".encode())

    def write(self, batch: pyarrow.RecordBatch) -> None:
        for piece in _pieces(batch):
            self._write(piece)

    def _write(self, batch: pyarrow.RecordBatch) -> None:
        from pyarrow import csv

        found = [quoted_cells(column, self.delimiter) for column in batch.columns]
        cells = [column for column, _ in found]
        if not any(quoted for _, quoted in found):
            # Twice as fast as joining, but it puts quotes around every text or none.
            options = csv.WriteOptions(
                include_header=False, batch_size=8192, delimiter=self.delimiter, quoting_style="none"
            )
            csv.write_csv(pyarrow.record_batch(cells, names=batch.schema.names), self.file, options)
            return
        parts: list[object] = []
        for column in cells:
            parts += [column, self.delimiter]
        self.file.write(text_bytes(join([*parts[:-1], "\n"])))


class TsvWriter(CsvWriter):
    """Tab-separated, quoted as CSV is."""

    delimiter = "\t"


class JsonLinesWriter(RowWriter):
    """One object a line."""

    start, between, end = b"", b"", b""

    def __init__(self, file: BinaryIO, schema: pyarrow.Schema, losses: int, digits: int) -> None:
        super().__init__(file, schema, losses, digits)
        self._keys = [json.dumps(name) for name in schema.names]
        self._begun = False
        file.write(self.start)

    def write(self, batch: pyarrow.RecordBatch) -> None:
        for piece in _pieces(batch):
            parts: list[object] = []
            for key, column in zip(self._keys, piece.columns):
                parts += [f"{', ' if parts else '{'}{key}: ", json_cells(column)]
            # A separator stands before every object, so that none follows the last.
            lines = text_bytes(join([self.between.decode(), *parts, "}\n" if not self.between else "}"]))
            self.file.write(lines if self._begun else lines[len(self.between) :])
            self._begun = True

    def close(self, records: Sequence[Record] = ()) -> None:
        self.file.write(self.end)


class JsonWriter(JsonLinesWriter):
    """One document, a row a line: ``{"schema": 1, "results": [...]}``."""

    start, between, end = b'{"schema": 1, "results": [\n', b",\n", b"\n]}\n"


class PlainWriter(RowWriter):
    """Bare numbers: the losses of a row on one line, separated by a blank."""

    def write(self, batch: pyarrow.RecordBatch) -> None:
        for piece in _pieces(batch):
            parts: list[object] = []
            for column in piece.columns[len(piece.columns) - self.losses :]:
                parts += [plain_cells(column), " "]
            self.file.write(text_bytes(join([*parts[:-1], "\n"])))


class ParquetWriter(RowWriter):
    """Apache Parquet, with checksums."""

    def __init__(self, file: BinaryIO, schema: pyarrow.Schema, losses: int, digits: int) -> None:
        from pyarrow import parquet

        super().__init__(file, schema, losses, digits)
        # Row numbers and losses hardly repeat: a dictionary of them would be built and thrown away.
        kept = schema.names[1 : len(schema.names) - losses]
        self._writer = parquet.ParquetWriter(
            file, schema, use_dictionary=kept or False, compression="snappy", write_page_checksum=True
        )

    def write(self, batch: pyarrow.RecordBatch) -> None:
        if batch.num_rows:
            self._writer.write_batch(batch)

    def close(self, records: Sequence[Record] = ()) -> None:
        self._writer.close()

    def abandon(self) -> None:
        # Its finaliser would write the end of the file otherwise.
        self._writer.is_open = False


class ArrowWriter(RowWriter):
    """The file format of Arrow, also known as Feather."""

    def __init__(self, file: BinaryIO, schema: pyarrow.Schema, losses: int, digits: int) -> None:
        super().__init__(file, schema, losses, digits)
        self._writer = pyarrow.ipc.new_file(file, schema)

    def write(self, batch: pyarrow.RecordBatch) -> None:
        if batch.num_rows:
            self._writer.write_batch(batch)

    def close(self, records: Sequence[Record] = ()) -> None:
        self._writer.close()


# --- for people -------------------------------------------------------------------------------------------------------


def rounded(value: object, digits: int) -> str:
    """A cell for a person."""
    return significant(value, digits) if isinstance(value, float) else full(value)


class MarkdownWriter(RowWriter):
    """A table in Markdown."""

    def __init__(self, file: BinaryIO, schema: pyarrow.Schema, losses: int, digits: int) -> None:
        super().__init__(file, schema, losses, digits)
        rule = ["---:" if _is_number(kind) else "---" for kind in schema.types]
        file.write(f"| {' | '.join(map(markdown, schema.names))} |\n| {' | '.join(rule)} |\n".encode())

    def write(self, batch: pyarrow.RecordBatch) -> None:
        for row in zip(*(python_of(column) for column in batch.columns)):
            cells = " | ".join(markdown(rounded(value, self.digits)) for value in row)
            self.file.write(f"| {cells} |\n".encode())


class LatexWriter(RowWriter):
    """A table in LaTeX that may run over several pages."""

    def __init__(self, file: BinaryIO, schema: pyarrow.Schema, losses: int, digits: int) -> None:
        super().__init__(file, schema, losses, digits)
        sides = "".join("r" if _is_number(kind) else "l" for kind in schema.types)
        heading = " & ".join(map(latex, schema.names))
        file.write(
            "% Needs \\usepackage{booktabs,longtable}.\n"
            f"\\begin{{longtable}}{{{sides}}}\n\\toprule\n{heading} \\\\\n\\midrule\n\\endhead\n".encode()
        )

    def write(self, batch: pyarrow.RecordBatch) -> None:
        from losscli.report.costs import latex_number

        sides = [_is_number(kind) for kind in batch.schema.types]
        for row in zip(*(python_of(column) for column in batch.columns)):
            texts = [rounded(value, self.digits) for value in row]
            cells = (latex_number(text) if number else latex(text) for text, number in zip(texts, sides))
            self.file.write(f"{' & '.join(cells)} \\\\\n".encode())

    def close(self, records: Sequence[Record] = ()) -> None:
        self.file.write(b"\\bottomrule\n\\end{longtable}\n")


def _is_number(kind: pyarrow.DataType) -> bool:
    return bool(pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind) or pyarrow.types.is_decimal(kind))
