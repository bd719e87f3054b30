"""From files, standard input and memory to aligned batches of numbers with their row numbers."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, BinaryIO
from weakref import WeakSet

from losscli.errors import DataError, ResourceError, UsageError
from losscli.readers.formats import HEAD, SUFFIXES, TEXT, compression_of, format_of
from losscli.readers.source import ReadOptions, Source
from losscli.readers.spool import Spool, decompressed, transcoded

if TYPE_CHECKING:
    from collections.abc import Mapping

STDIN = "-"
STDIN_SHOWN = "standard input"
_already_read: WeakSet[BinaryIO] = WeakSet()


def open_source(path: str | os.PathLike[str], options: ReadOptions | None = None) -> Source:
    """Opens a file, or standard input for ``-``, far enough to know its columns.

    Args:
        path: the file.
        options: how it is to be read, where the user says so.

    Raises:
        DataError: the file holds no rows or is not what it seems.
        ResourceError: the file is not there or cannot be read.
        UsageError: an option that means nothing; standard input a second time.
    """
    path, options = os.fspath(path), options or ReadOptions()
    spool = _standard_input() if path == STDIN else Spool.of_file(path)
    notes = []
    compression = compression_of(path, spool.head(HEAD))
    if compression is not None:
        if path != STDIN and not path.lower().endswith(compression):
            notes.append(f"{path}: compressed as {compression[1:]}, though its name does not say so")
        spool = decompressed(spool, compression)
    head = spool.head(HEAD)
    format = format_of(path, head, options.format)
    if format in TEXT:
        spool = _as_utf8(spool, head, options)
    source = _reader(format, spool, STDIN_SHOWN if path == STDIN else path, options)
    source.notes[:0] = notes
    return source


def _standard_input() -> Spool:
    # Python has no sys.stdin where the caller closed it.
    if sys.stdin is None:
        raise ResourceError("standard input is closed")
    if sys.stdin.buffer in _already_read:
        raise UsageError("standard input can be read only once")
    _already_read.add(sys.stdin.buffer)
    return Spool.of_stream(STDIN_SHOWN, sys.stdin.buffer)


def _as_utf8(spool: Spool, head: bytes, options: ReadOptions) -> Spool:
    if options.encoding.lower().replace("_", "-") not in ("utf-8", "utf8", "utf-8-sig"):
        return transcoded(spool, options.encoding)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError("byte 0: this is UTF-16 text", file=spool.name, hint="--encoding utf-16 reads it.")
    return spool


def _reader(format: str, spool: Spool, path: str, options: ReadOptions) -> Source:
    if format in ("csv", "tsv"):
        from losscli.readers.text import TextSource

        return TextSource(spool, path, format, options)
    if format == "jsonl":
        from losscli.readers.jsonl import JsonLinesSource

        return JsonLinesSource(spool, path, options)
    if format == "parquet":
        from losscli.readers.columnar import ParquetSource

        return ParquetSource(spool, path, options)
    if format == "arrow":
        from losscli.readers.columnar import ArrowSource

        return ArrowSource(spool, path, options)
    if format == "npy":
        from losscli.readers.arrays import NpySource

        return NpySource(spool, path, options)
    from losscli.readers.archive import NpzSource

    return NpzSource(spool, path, options)


def open_memory(columns: Any) -> Source:
    """Columns in memory as a source.

    Args:
        columns: a mapping of names to arrays, tensors, Series or lists of one length; or a DataFrame.

    Raises:
        DataError: the lengths differ, or a column holds no numbers, words or truth values.
    """
    from losscli.readers.memory import MemorySource
    from losscli.readers.resident import ResidentSource, device_of

    return MemorySource(columns) if device_of(columns) is None else ResidentSource(columns)


def join_truth(data: Source, truth: Source, id: str | None = None) -> Source:
    """The data beside the truth of a second file, whose columns have keys such as ``truth::y``.

    Args:
        data: the predictions.
        truth: the targets.
        id: the column that joins the two. None: the id column that both have, else row by row.

    Raises:
        UsageError: a file has no column ``id``; both have several id columns, or ids under different names.
        DataError: ids that are missing, repeated or without a partner; numbers of rows that differ.
    """
    from losscli.readers.join import joined

    return joined(data, truth, id)


def side_by_side(parts: Mapping[str, tuple[Source, str]]) -> Source:
    """One column of each of several sources, row by row, under the names of the roles.

    Args:
        parts: for each role, a source and the key of its column.

    Raises:
        DataError: the numbers of rows differ.
    """
    from losscli.readers.join import SideBySide

    return SideBySide(parts)


__all__ = ["STDIN", "SUFFIXES", "ReadOptions", "Source", "join_truth", "open_memory", "open_source", "side_by_side"]
