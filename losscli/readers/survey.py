"""A look at the raw bytes of large delimited text, for what a fast parser passes over in silence."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass

from losscli._lazy import numpy
from losscli.readers.spool import Spool

# Small enough to stay in cache between the look-ups, large enough for their overhead not to count.
BLOCK = 128 << 10
LINE_FEED, CARRIAGE_RETURN = 10, 13


@dataclass(frozen=True)
class Layout:
    """Where the rows of delimited text are.

    Attributes:
        spool: the text.
        delimiter: what separates fields.
        width: how many fields a row has.
        offset: the byte at which the first data row starts.
    """

    spool: Spool
    delimiter: str
    width: int
    offset: int


@dataclass(frozen=True)
class Place:
    """The start of a data row: how many rows are before it, and its byte."""

    rows: int
    offset: int


class Survey:
    """Goes through the lines just ahead of a parser and stops at what that parser may read otherwise than it should.

    That is: bytes that are no UTF-8, NUL, blank lines, an empty field too many at the end of a row, mixed line ends,
    blanks beside quotes, and ``+-1``. Rows are counted by their lines, which is right where nothing is quoted; text
    with quotes is looked at as a whole before it is parsed.

    Attributes:
        rows: how many rows have been found sound.
        stopped: whether something was found.
        underscore: whether there was a ``_``, which DuckDB allows within numbers.
        quoted: whether there was a quote.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._stream = layout.spool.open()
        self._stream.seek(layout.offset)
        self._rest = b""
        self._pending = 0
        self._rest_is_plain = True
        self._ended = False
        self.offset = layout.offset
        self._delimiter = ord(layout.delimiter)
        self._returns: bool | None = None
        # One for each block: a few megabytes for a terabyte of text.
        self._row_counts = array("q", [0])
        self._offsets = array("q", [layout.offset])
        self.rows = 0
        self.stopped = False
        self.underscore = False
        self.quoted = False

    def advance(self, rows: int) -> None:
        """Looks at the lines up to at least the row of that number; at all of them where there are quotes."""
        while not self.stopped and not self._ended and (self.rows < rows or self.quoted):
            self._look()

    def finish(self) -> None:
        """Looks at all the rest."""
        while not self.stopped and not self._ended:
            self._look()

    def place(self, rows: int) -> Place:
        """The last known start of a row with at most that many rows before it, as many as there are lines."""
        index = bisect_right(self._row_counts, rows) - 1
        return Place(self._row_counts[index], self._offsets[index])

    def close(self) -> None:
        """Releases the file."""
        self._stream.close()

    def _look(self) -> None:
        block = self._stream.read(BLOCK)
        if not block:
            self._ended = True
            if not self._rest:
                return
            # The last line counts like the others, whether it is ended or not.
            block = b"\r\n" if self._returns else b"\n"
        self.underscore = self.underscore or b"_" in block
        self.quoted = self.quoted or b'"' in block
        count = self._plain(block)
        if count is None:
            count = self._exact(block)
        self.stopped = count is None
        self.rows += count or 0
        if count and not self.quoted:
            self._offsets.append(self.offset)
            self._row_counts.append(self.rows)

    def _plain(self, block: bytes) -> int | None:
        """How many rows end in a block without anything special; None where it has to be looked at more closely."""
        if (
            self.quoted
            or self._returns
            or not self._rest_is_plain
            or b"\r" in block
            or b"\0" in block
            or self._rest[-1:] == b"+"
        ):
            return None
        if not block.isascii() or (b"+" in block and b"+-" in block):
            return None
        if self._layout.width == 1 and ((not self._rest and block[:1] == b"\n") or b"\n\n" in block):
            return None
        end = block.rfind(b"\n") + 1
        found = numpy.frombuffer(block, dtype=numpy.uint8)
        count = int(numpy.count_nonzero(found == LINE_FEED))
        after = block.count(self._delimiter, end)
        delimiters = self._pending + int(numpy.count_nonzero(found == self._delimiter)) - after
        if end == 0 or delimiters != count * (self._layout.width - 1):
            return None
        self._returns = False
        self.offset += len(self._rest) + end
        self._rest, self._pending = block[end:], after
        return count

    def _exact(self, block: bytes) -> int | None:
        """How many rows end in a block, or None where something is found."""
        end = block.rfind(b"\n") + 1
        if end == 0:
            self._rest += block
            self._pending += block.count(self._delimiter)
            self._rest_is_plain = False
            return 0
        lines = self._rest + block[:end]
        count = self._sound(lines)
        if count is not None:
            self.offset += len(lines)
            self._rest = block[end:]
            self._pending = self._rest.count(self._delimiter)
            special = (b"\0", b"\r", b"+-")
            self._rest_is_plain = self._rest.isascii() and not any(each in self._rest for each in special)
        return count

    def _sound(self, lines: bytes) -> int | None:
        """How many rows whole lines are, or None where something is found."""
        if not lines.isascii():
            try:
                lines.decode()
            except UnicodeDecodeError:
                return None
        if b"\0" in lines or (b"+" in lines and b"+-" in lines):
            return None
        found = numpy.frombuffer(lines, dtype=numpy.uint8)
        ends = found == LINE_FEED
        count = int(numpy.count_nonzero(ends))
        if not self._consistent_ends(lines, found, ends, count):
            return None
        if self.quoted:
            return None if self._doubtful_quotes(lines) else count
        if self._layout.width == 1 and (lines[:1] in b"\r\n" or b"\n\n" in lines or b"\n\r" in lines):
            return None
        delimiters = int(numpy.count_nonzero(found == self._delimiter))
        return count if delimiters == count * (self._layout.width - 1) else None

    def _consistent_ends(self, lines: bytes, found: numpy.ndarray, ends: numpy.ndarray, count: int) -> bool:
        returns = b"\r" in lines
        if self._returns is None:
            self._returns = returns
        if returns != self._returns:
            return False
        if not returns:
            return True
        before = found == CARRIAGE_RETURN
        pairs = int(numpy.count_nonzero(before[:-1] & ends[1:]))
        return pairs == count == int(numpy.count_nonzero(before))

    def _doubtful_quotes(self, lines: bytes) -> bool:
        delimiter = self._layout.delimiter.encode()
        blank = lines[:1] in b"\r\n" or b"\n\n" in lines or b"\n\r" in lines
        extra = delimiter + b"\n" in lines or delimiter + b"\r" in lines or delimiter + b'""\n' in lines
        return blank or extra or any(pair in lines for pair in (b'" ', b' "', b'"\t', b'\t"'))
