"""Signals that end a command, held back while another package is imported: some lose them, others crash.

Of 48 interrupts at random moments of ``import torch`` (2.13) six were lost, so that the command went on to its end, and
one aborted the process with a message of C++.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_errors: dict[int, type[BaseException]] = {}
_importing = 0
_held: list[int] = []


def raise_on(number: int, error: type[BaseException]) -> None:
    """From now on a signal raises an error in the main thread, as soon as no import is going on there.

    A signal that the caller has told this process to ignore stays ignored, as under ``nohup``.
    """
    if signal.getsignal(number) is not signal.SIG_IGN:
        _errors[number] = error
        signal.signal(number, _receive)


@contextmanager
def held_back() -> Iterator[None]:
    """Signals that arrive in here raise their error at the end."""
    global _importing
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _importing += 1
    try:
        yield
    finally:
        _importing -= 1
        if _held and not _importing:
            first = _held[0]
            _held.clear()
            raise _errors[first]


def _receive(number: int, _: FrameType | None) -> None:
    if not _importing:
        raise _errors[number]
    _held.append(number)
