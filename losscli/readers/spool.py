"""Bytes that can be read again from the start: a file, or a copy of what can be read only once."""

from __future__ import annotations

import io
import os
import stat
import tempfile
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from losscli.errors import DataError, ResourceError, UsageError, did_you_mean, escape

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

IN_MEMORY = 8 << 20
BLOCK = 1 << 20
BUFFER = 1 << 16
DESCRIPTORS = "/proc/self/fd"


class Spool:
    """Bytes with a size, opened as often as needed.

    A copy of up to 8 MiB stays in memory. A larger one goes to a temporary file, which is unlinked at once where the
    system still lets others open it by its descriptor, and else when the spool is dropped.

    Args:
        name: what messages call it.
        path: the file, or
        content: the bytes, or
        temporary: a temporary file that holds them.
    """

    def __init__(
        self, name: str, *, path: str | None = None, content: bytes | None = None, temporary: IO[bytes] | None = None
    ) -> None:
        self.name = name
        self._path = path
        self._content = content
        self._temporary: IO[bytes] | None = None
        if temporary is not None:
            self._hold(temporary)
        with readable(name):
            self.size = len(content) if content is not None else os.stat(self.path()).st_size

    @classmethod
    def of_file(cls, path: str) -> Spool:
        """A file as it lies; what is not a regular file, such as a named pipe, is copied.

        Raises:
            ResourceError: it is not there or cannot be read.
        """
        with readable(path):
            regular = stat.S_ISREG(os.stat(path).st_mode)
        with _File(path, path) as stream:
            return cls(path, path=os.path.abspath(path)) if regular else cls.of_stream(path, cast(BinaryIO, stream))

    @classmethod
    def of_stream(cls, name: str, stream: BinaryIO, at_most: int | None = None) -> Spool:
        """A copy of a stream.

        Raises:
            ResourceError: the stream cannot be read or the copy not be written.
            DataError: the stream holds more than ``at_most`` bytes.
        """
        content = bytearray()
        temporary: IO[bytes] | None = None
        size = 0
        # Each piece as it comes: a read that gathers a whole block sleeps through a signal between two pieces.
        read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
        try:
            while block := read(BLOCK):
                size += len(block)
                if at_most is not None and size > at_most:
                    raise DataError(f"holds more than the {at_most:,} bytes that it announces", file=name)
                if temporary is None and size > IN_MEMORY:
                    temporary = _temporary()
                    temporary.write(content)
                    content.clear()
                if temporary is not None:
                    temporary.write(block)
                else:
                    content += block
            if temporary is None:
                return cls(name, content=bytes(content))
            temporary.flush()
            return cls(name, temporary=temporary)
        except BaseException as error:
            if temporary is not None:
                temporary.close()
            # gzip's BadGzipFile is an OSError, but what is wrong is the data.
            if isinstance(error, OSError) and error.errno is not None:
                raise ResourceError(f"{escape(name)} cannot be copied: {error.strerror}") from error
            raise

    def open(self) -> BinaryIO:
        """A stream at the first byte, independent of the other streams."""
        if self._content is not None:
            return io.BytesIO(self._content)
        return cast(BinaryIO, io.BufferedReader(_File(self.path(), self.name), BUFFER))

    def head(self, size: int) -> bytes:
        """The first bytes."""
        with self.open() as stream:
            return stream.read(size)

    def path(self) -> str:
        """A path by which other libraries can open it; bytes in memory are written to a temporary file."""
        if self._path is not None:
            return self._path
        if self._temporary is None:
            temporary = _temporary()
            self._hold(temporary)
            temporary.write(self._content or b"")
            temporary.flush()
        held = cast("IO[bytes]", self._temporary)
        descriptor = f"{DESCRIPTORS}/{held.fileno()}"
        return descriptor if os.path.exists(descriptor) else held.name

    def _hold(self, temporary: IO[bytes]) -> None:
        self._temporary = temporary
        weakref.finalize(self, temporary.close)


def _temporary() -> IO[bytes]:
    if os.path.isdir(DESCRIPTORS):
        return tempfile.TemporaryFile(prefix="losscli-")
    return tempfile.NamedTemporaryFile(prefix="losscli-")


class _File(io.FileIO):
    """A file whose failures name it as the user does."""

    def __init__(self, path: str, shown: str) -> None:
        self._shown = shown
        with readable(shown):
            super().__init__(path)

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        with readable(self._shown):
            return super().readinto(buffer)

    def readall(self) -> bytes:
        with readable(self._shown):
            return super().readall()

    def close(self) -> None:
        # What was only read loses nothing where closing fails.
        with suppress(OSError):
            super().close()


@contextmanager
def readable(path: str) -> Iterator[None]:
    """A failing system call as the error that says which file and why."""
    try:
        yield
    except FileNotFoundError as error:
        folder, name = os.path.split(path)
        siblings = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
        raise ResourceError(f"{escape(path)}: no such file", hint=did_you_mean(name, siblings)) from error
    except IsADirectoryError as error:
        raise ResourceError(f"{escape(path)} is a directory") from error
    except OSError as error:
        raise ResourceError(f"{escape(path)} cannot be read: {error.strerror}") from error


# --- compressed and otherwise encoded bytes ---------------------------------------------------------------------------


def _gzip(stream: BinaryIO) -> BinaryIO:
    import gzip

    return cast(BinaryIO, gzip.GzipFile(fileobj=stream))


def _bz2(stream: BinaryIO) -> BinaryIO:
    import bz2

    return cast(BinaryIO, bz2.BZ2File(stream))


def _xz(stream: BinaryIO) -> BinaryIO:
    import lzma

    return cast(BinaryIO, lzma.LZMAFile(stream))


def _zstd(stream: BinaryIO) -> BinaryIO:
    import pyarrow

    return cast(BinaryIO, pyarrow.CompressedInputStream(stream, "zstd"))


COMPRESSIONS: dict[str, tuple[bytes, Callable[[BinaryIO], BinaryIO]]] = {
    ".gz": (b"\x1f\x8b", _gzip),
    ".zst": (b"\x28\xb5\x2f\xfd", _zstd),
    ".xz": (b"\xfd7zXZ\x00", _xz),
    ".bz2": (b"BZh", _bz2),
}


def decompressed(spool: Spool, compression: str) -> Spool:
    """A copy of what compressed bytes hold, every checksum verified.

    Args:
        spool: the compressed bytes.
        compression: ``.gz``, ``.zst``, ``.xz`` or ``.bz2``.

    Raises:
        DataError: the bytes are damaged or cut.
        ResourceError: the copy cannot be written.
    """
    import lzma
    import zlib

    magic, opener = COMPRESSIONS[compression]
    if not spool.head(len(magic)).startswith(magic):
        raise DataError(f"the name ends in {compression}, but the file is not compressed like that", file=spool.name)
    try:
        with spool.open() as stream, opener(stream) as plain:
            return Spool.of_stream(spool.name, plain)
    except (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError) as error:
        cut = isinstance(error, EOFError) or "Truncated" in str(error)
        what = "end too soon" if cut else "are damaged: they do not match their checksum or format"
        raise DataError(f"the compressed data {what}", file=spool.name) from error


def transcoded(spool: Spool, encoding: str) -> Spool:
    """A copy in UTF-8 of text in another encoding.

    Raises:
        UsageError: Python knows no such encoding.
        DataError: a byte that the encoding does not have.
    """
    import codecs

    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        raise UsageError(
            f"there is no encoding {encoding}", hint="utf-8, utf-16, latin-1 and cp1252 are common."
        ) from error
    with spool.open() as stream:
        return Spool.of_stream(spool.name, cast(BinaryIO, _Recoded(stream, decoder, spool.name, encoding)))


class _Recoded:
    """Reads text in one encoding as bytes in UTF-8."""

    def __init__(self, stream: BinaryIO, decoder: object, name: str, encoding: str) -> None:
        self._stream, self._decoder, self._name, self._encoding = stream, decoder, name, encoding
        self._offset = 0
        self._done = False

    def read(self, size: int) -> bytes:
        while not self._done:
            block = self._stream.read(size)
            self._done = not block
            before = len(self._decoder.getstate()[0])  # type: ignore[attr-defined]
            try:
                text = self._decoder.decode(block, final=self._done)  # type: ignore[attr-defined]
            except UnicodeError as error:
                start = getattr(error, "start", 0)
                offset = self._offset - before + start
                raise DataError(f"byte {offset:,} is not {self._encoding} text", file=self._name) from error
            if self._offset == 0:
                text = text.removeprefix("\ufeff")
            self._offset += len(block)
            if text:
                return cast(bytes, text.encode())
        return b""
