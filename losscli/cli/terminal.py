"""Standard output for data, standard error for talk."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from losscli.errors import ResourceError, UsageError, escape, shown

if TYPE_CHECKING:
    from losscli.readers.source import Consumed

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
        self._last = time.monotonic() + PROGRESS_AFTER - PROGRESS_EVERY
        self._first: tuple[float, int, float] | None = None
        self._drawn = False

    def say(self, text: str) -> None:
        """One line for the user."""
        if not self._quiet and sys.stderr is not None:
            self.clear()
            sys.stderr.write(f"{escape(text)}\n")
            sys.stderr.flush()

    def progress(self, rows: int, last_row: int, *, consumed: Callable[[], Consumed | None]) -> None:
        """How many rows are done, how fast, and how long the rest will take.

        Args:
            rows: so many are done.
            last_row: the number of the last of them, which a condition makes larger.
            consumed: how far reading has come.
        """
        now = time.monotonic()
        if not self._live or now - self._last < PROGRESS_EVERY:
            return
        self._last = now
        reading = consumed()
        share = reading.share(last_row) if reading is not None else 0.0
        # What came before the first rows, such as importing torch, is not how fast the rest will go.
        began, rows_then, share_then = self._first = self._first or (now, rows, share)
        elapsed = now - began
        parts = [f"{rows:,} rows"]
        if reading is not None and share:
            parts.append(f"{_engineering(share * reading.size, 'B')} of {_engineering(reading.size, 'B')}")
        if elapsed and rows > rows_then:
            parts.append(f"{_engineering((rows - rows_then) / elapsed)} rows/s")
        if elapsed and share > share_then:
            parts.append(f"{_duration(elapsed * (1 - share) / (share - share_then))} left")
        line = ", ".join(parts)[: width() - 1]
        sys.stderr.write(f"\r\x1b[K{line}")
        sys.stderr.flush()
        self._drawn = True

    def clear(self) -> None:
        """Takes the progress line away."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False


def _engineering(number: float, unit: str = "") -> str:
    """Three digits and a prefix.

    Example:
        >>> _engineering(1_624_000, "B"), _engineering(523)
        ('1.62 MB', '523')
    """
    for prefix, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {prefix}{unit}"
    return f"{number:.0f} {unit}".rstrip()


def _duration(seconds: float) -> str:
    """Hours, minutes and seconds, without those that are zero at the left."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
