"""The rows of delimited text, read exactly: which lines make a row, and every reason for which they may not."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from losscli.errors import DataError, shown
from losscli.readers.spool import Spool

MARK = b"\xef\xbb\xbf"
INNER_END = re.compile(rb"(?<=\r)(?!\n)")


@dataclass
class Lines:
    """The physical lines of a text, decoded, with what has been read so far.

    Attributes:
        spool: the text, in UTF-8.
        offset: bytes read.
        count: lines read.
    """

    spool: Spool
    offset: int = 0
    count: int = 0

    _stream: BinaryIO | None = None

    def __iter__(self) -> Iterator[str]:
        self._stream = stream = self.spool.open()
        stream.seek(self.offset)
        try:
            for raw in stream:
                if self.offset == 0 and raw.startswith(MARK):
                    self.offset, raw = len(MARK), raw[len(MARK) :]
                # A carriage return alone ends a line too.
                inner = b"\r" in raw and b"\r" in raw.removesuffix(b"\n").removesuffix(b"\r")
                for part in filter(None, INNER_END.split(raw)) if inner else (raw,):
                    line = self._decoded(part, self.offset)
                    self.count += 1
                    self.offset += len(part)
                    yield line
        finally:
            self.close()

    def close(self) -> None:
        """Releases the file, also where not all lines were read."""
        if self._stream is not None:
            self._stream.close()

    def _decoded(self, raw: bytes, start: int) -> str:
        if b"\0" in raw:
            offset = start + raw.index(b"\0")
            utf_16 = raw.count(b"\0") * 3 > len(raw)
            hint = "--encoding utf-16 reads UTF-16 text." if utf_16 else "tr -d '\\0' leaves such bytes out."
            raise DataError(
                f"byte {offset:,} is NUL, which is no text", file=self.spool.name, line=self.count + 1, hint=hint
            )
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            byte = raw[error.start]
            raise DataError(
                f"byte {start + error.start:,} (0x{byte:02x}) is not UTF-8",
                file=self.spool.name,
                line=self.count + 1,
                hint="--encoding names the encoding, such as latin-1 or cp1252.",
            ) from None


class Rows:
    """The rows of delimited text in order, from the start or from the start of a later line.

    Args:
        spool: the text, in UTF-8.
        delimiter: what separates fields.
        width: how many fields a row must have; None accepts any number.
        offset: where the first line starts.
        line: how many lines are before it.
        row: how many data rows are before it.
        expected: what sets the width, in words.

    Attributes:
        row: data rows read.
        started: the physical line on which the last row started.
        blank: blank lines met and left out.
    """

    def __init__(
        self,
        spool: Spool,
        delimiter: str,
        width: int | None = None,
        *,
        offset: int = 0,
        line: int = 0,
        row: int = 0,
        expected: str = "the header",
    ) -> None:
        self._spool = spool
        self._width = width
        self._expected = expected
        self.lines = Lines(spool, offset, line)
        self._reader = csv.reader(self.lines, delimiter=delimiter, strict=True)
        self.row = row
        self.started = line
        self.blank = 0

    def __iter__(self) -> Iterator[list[str]]:
        blank: list[int] = []
        for start, fields in self._fields():
            if not fields:
                blank.append(start)
                continue
            if blank and self._width == 1 and self.row:
                # In a single column an empty line within the data is an empty cell.
                for empty in blank:
                    self.row, self.started = self.row + 1, empty
                    yield [""]
            else:
                self.blank += len(blank)
            blank = []
            self.row, self.started = self.row + 1, start
            if self._width is not None and len(fields) != self._width:
                raise self._wrong_width(len(fields))
            yield fields
        self.blank += len(blank)

    def close(self) -> None:
        """Releases the file, also where not all rows were read."""
        self.lines.close()

    def _fields(self) -> Iterator[tuple[int, list[str]]]:
        while True:
            before = self.lines.count
            try:
                fields = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._broken(str(error), before + 1) from None
            yield before + 1, fields

    def _wrong_width(self, found: int) -> DataError:
        cut = found < (self._width or 0) and self.lines.offset >= self._spool.size
        return DataError(
            f"has {found:,} field{'s' if found != 1 else ''} where {self._expected} has {self._width:,}",
            file=self._spool.name,
            row=self.row,
            line=self.started if self.started != self.row else None,
            hint="this is the last line: the file may have been cut." if cut else None,
        )

    def _broken(self, reason: str, line: int) -> DataError:
        if "unexpected end of data" in reason:
            problem, hint = "a quote is opened and never closed", None
        elif "expected after" in reason:
            problem, hint = "text follows a closing quote", "a quote within a quoted field is written twice."
        elif "field larger" in reason:
            problem, hint = f"a field is longer than {csv.field_size_limit():,} characters", "is a quote never closed?"
        else:
            problem, hint = f"cannot be split into fields ({shown(reason)})", None
        return DataError(
            problem, file=self._spool.name, row=self.row + 1, line=line if line != self.row + 1 else None, hint=hint
        )
