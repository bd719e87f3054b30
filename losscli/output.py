"""Writing a file so that at every moment either the old one or the new one is there, whole.

What is written goes to a temporary file beside the target, is flushed to the disk and then renamed over the target.
FIFOs and devices, which cannot be replaced, are written directly.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from losscli.errors import ResourceError, UsageError, escape

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STANDARD_OUTPUT = "-"
BUFFER_BYTES = 1 << 20

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
# A file system that cannot sync a folder says so with one of these; the rename itself has succeeded there.
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}
# Opening these again would start at the beginning of the file that they stand for, and empty it.
_DESCRIPTOR = re.compile(r"/dev/(?:(stdout)|(stderr)|fd/(\d+))|/proc/self/fd/(\d+)")


def check(path: str, *, force: bool, inputs: Sequence[str] = ()) -> None:
    """Refuses an output that could not or should not be written, before anything is read.

    Args:
        path: where the output is to go; ``-`` is standard output.
        force: whether a file that exists may be replaced.
        inputs: the paths that will be read.

    Raises:
        UsageError: the output exists (without ``force``), is a folder or is one of the inputs.
        ResourceError: its folder is missing or cannot be written.
    """
    if path == STANDARD_OUTPUT:
        return
    if not path or "\0" in path:
        raise UsageError(f'"{escape(path)}" is not the name of a file')
    found = _status(path)
    if found is None:
        _check_folder(path)
        return
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{escape(path)} is a folder", hint="give the name of a file in it.")
    # A terminal is both input and output without harm.
    for name in () if stat.S_ISCHR(found.st_mode) else inputs:
        if name != STANDARD_OUTPUT and _same_file(name, found):
            raise UsageError(f"{escape(path)} is the input itself", hint="write to another file.")
    if not os.access(path, os.W_OK):
        raise ResourceError(f"{escape(path)} cannot be written: {os.strerror(errno.EACCES)}")
    if _replaceable(path, found):
        if not force:
            raise UsageError(f"{escape(path)} exists", hint="--force replaces it.")
        _check_folder(path)


@contextlib.contextmanager
def open_output(path: str) -> Iterator[BinaryIO]:
    """A file to write bytes to. It takes the place of ``path`` when the block ends well, and vanishes otherwise.

    Args:
        path: where the output is to go: a file (symbolic links are followed), a FIFO or a device; ``-`` is standard
            output.

    Raises:
        ResourceError: anything that keeps the bytes from being stored. The old file is then still there, whole.
        BrokenPipeError: whoever reads the pipe has gone.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with open_output(f"{folder}/cost.txt") as file:
        ...         _ = file.write(b"0.5")
        ...     print(os.listdir(folder), Path(folder, "cost.txt").read_text())
        ['cost.txt'] 0.5
    """
    if path == STANDARD_OUTPUT:
        with _open_stream(_Stream(sys.stdout.buffer)) as file:
            yield file
        return
    with _named(path):
        found = _status(path)
        replaced = found is None or _replaceable(path, found)
    if replaced:
        with _open_replacement(path, found) as file:
            yield file
    else:
        with _named(path):
            descriptor = _open_descriptor(path)
        with _open_stream(_Descriptor(descriptor, path)) as file:
            yield file


def write_output(path: str, content: bytes) -> None:
    """Stores the bytes as the file of that name, or leaves everything as it was.

    Raises:
        ResourceError: anything that keeps the bytes from being stored.
    """
    with open_output(path) as file:
        file.write(content)


@contextlib.contextmanager
def _open_replacement(path: str, found: os.stat_result | None) -> Iterator[BinaryIO]:
    target = os.path.realpath(path)
    # Known before the file is there, so that a signal at any moment finds what has to be removed.
    temporary: str | None = None
    try:
        with _named(path):
            descriptor = None
            while descriptor is None:
                temporary = _name_beside(target)
                try:
                    descriptor = os.open(temporary, _NEW_FILE, 0o666)
                except FileExistsError:
                    temporary = None
        with _open_stream(_Descriptor(descriptor, path)) as file:
            yield file
            file.flush()
            with _named(path):
                if found is not None:
                    _keep_permissions(descriptor, found)
                os.fsync(descriptor)
        with _named(path):
            os.replace(temporary, target)  # type: ignore[arg-type]
    except BaseException:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
        raise
    with _named(path):
        _sync_folder(os.path.dirname(target))


@contextlib.contextmanager
def _open_stream(raw: io.RawIOBase) -> Iterator[BinaryIO]:
    """A buffer before something that cannot be taken back: after a failure, what it still holds is thrown away."""
    file = io.BufferedWriter(raw, BUFFER_BYTES)
    try:
        yield file
        file.flush()
    except BaseException:
        with contextlib.suppress(ResourceError, OSError):
            raw.close()
        raise
    file.close()


class _Descriptor(io.RawIOBase):
    """An open file whose failures name the path as the user wrote it."""

    def __init__(self, descriptor: int, path: str) -> None:
        super().__init__()
        self._descriptor, self._path = descriptor, path

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: ReadableBuffer, /) -> int:
        with _named(self._path):
            return os.write(self._descriptor, data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            with _named(self._path):
                os.close(self._descriptor)


class _Stream(io.RawIOBase):
    """Standard output as Python holds it, left open at the end."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        with _named("standard output"):
            return self._stream.write(data)

    def flush(self) -> None:
        if not self.closed:
            with _named("standard output"):
                self._stream.flush()


@contextlib.contextmanager
def _named(path: str) -> Iterator[None]:
    """A failing system call as the error that says which file and why. A pipe that closed is the caller's business."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ResourceError(f"{escape(path)} cannot be written: {reason}") from error


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ResourceError(f"{escape(path)} cannot be written: {error.strerror}") from error


def _replaceable(path: str, found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and not _DESCRIPTOR.fullmatch(path)


def _same_file(name: str, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.stat(name), found)
    except (OSError, ValueError):
        return False


def _check_folder(path: str) -> None:
    folder = os.path.dirname(os.path.realpath(path))
    if path.endswith(os.sep) or not os.path.isdir(folder):
        shown = escape(os.path.dirname(path) or folder)
        raise ResourceError(f"{escape(path)} cannot be written: there is no folder {shown}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ResourceError(f"{escape(path)} cannot be written: {os.strerror(errno.EACCES)} in its folder")


def _open_descriptor(path: str) -> int:
    known = _DESCRIPTOR.fullmatch(path)
    if known is None:
        return os.open(path, os.O_WRONLY | getattr(os, "O_BINARY", 0))
    output, error, *numbers = known.groups()
    number = 1 if output else 2 if error else int(numbers[0] or numbers[1])
    return os.dup(number)


def _name_beside(target: str) -> str:
    folder, name = os.path.split(target)
    # The name is cut so that a name of the greatest length still has room for ours around it.
    start = os.fsdecode(os.fsencode(name)[:200])
    return os.path.join(folder, f".{start}.losscli-{secrets.token_hex(4)}.tmp")


def _keep_permissions(descriptor: int, found: os.stat_result) -> None:
    if not hasattr(os, "fchmod"):
        return
    # Only the superuser can give a file away; for everyone else the new file is simply theirs.
    with contextlib.suppress(OSError):
        os.fchown(descriptor, found.st_uid, found.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(found.st_mode))


def _sync_folder(folder: str) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)
