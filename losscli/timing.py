"""Where the time of a run goes: the seconds that each kind of work took, in whatever thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_seconds: dict[str, float] = {}
_changing = threading.Lock()


class _Inner(threading.local):
    """What the phases within the current one took, in each thread."""

    seconds = 0.0


_inner = _Inner()


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Counts the time of what is done within as that of a phase, without the phases that are within it.

    Example:
        >>> with phase("compute"):
        ...     with phase("sum"):
        ...         pass
        >>> list(spent())
        ['sum', 'compute']
    """
    outer, _inner.seconds = _inner.seconds, 0.0
    started = time.perf_counter()
    try:
        yield
    finally:
        taken = time.perf_counter() - started
        with _changing:
            _seconds[name] = _seconds.get(name, 0.0) + taken - _inner.seconds
        _inner.seconds = outer + taken


def timed(name: str, items: Iterator[Item]) -> Generator[Item, None, None]:
    """The items of an iterator; the time that each takes to come counts as that of a phase."""
    close: Callable[[], None] | None = getattr(items, "close", None)
    try:
        while True:
            with phase(name):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item
    finally:
        if close is not None:
            close()


def spent() -> dict[str, float]:
    """The seconds of each phase since the process began; phases of several threads overlap."""
    with _changing:
        return dict(_seconds)
