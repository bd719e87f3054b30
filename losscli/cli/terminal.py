"""Standard output for data, standard error for talk."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import BinaryIO

from losscli.errors import ResourceError, UsageError, escape, shown

PROGRESS_AFTER = 1.0
PROGRESS_EVERY = 0.25


def stdout_is_terminal() -> bool:
    """Whether a person reads standard output."""
    return sys.stdout is not None and sys.stdout.isatty()


def stdout_bytes() -> BinaryIO:
    """Standard output for bytes.

    Raises:
        ResourceError: it is closed.
    """
    if sys.stdout is None:
        raise ResourceError("standard output is closed")
    sys.stdout.flush()
    return sys.stdout.buffer


def write_text(text: str) -> None:
    """Writes to standard output, in UTF-8 whatever the locale."""
    stream = stdout_bytes()
    stream.write(text.encode("utf-8", "backslashreplace"))
    stream.flush()


def width() -> int:
    """How many columns a person's terminal has."""
    return shutil.get_terminal_size((100, 24)).columns


def use_color(choice: str) -> bool:
    """Whether to colour standard output: ``auto`` where it is a terminal and NO_COLOR is not set.

    Raises:
        UsageError: not a choice of ``--color``.
    """
    if choice not in ("auto", "always", "never"):
        raise UsageError(f"--color {shown(choice)} is not one of auto, always, never")
    if choice == "auto":
        return stdout_is_terminal() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return choice == "always"


class Talk:
    """Says things on stderr, unless told to be quiet, and shows how far a long run has come.

    Args:
        quiet: say nothing.
        progress: show a progress line where stderr is a terminal.
    """

    def __init__(self, *, quiet: bool = False, progress: bool = True) -> None:
        self._quiet = quiet
        self._live = progress and not quiet and sys.stderr is not None and sys.stderr.isatty()
        self._started = time.monotonic()
        self._last = self._started + PROGRESS_AFTER - PROGRESS_EVERY
        self._drawn = False

    def say(self, text: str) -> None:
        """One line for the user."""
        if not self._quiet and sys.stderr is not None:
            self.clear()
            sys.stderr.write(f"{escape(text)}\n")
            sys.stderr.flush()

    def progress(self, rows: int) -> None:
        """How many rows are done."""
        now = time.monotonic()
        if not self._live or now - self._last < PROGRESS_EVERY:
            return
        self._last = now
        rate = rows / max(now - self._started, 1e-9)
        sys.stderr.write(f"\r\x1b[K{rows:,} rows, {rate / 1e6:.1f} million a second")
        sys.stderr.flush()
        self._drawn = True

    def clear(self) -> None:
        """Takes the progress line away."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False
