"""A thread that reads ahead, so that reading, importing torch and computing overlap."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")
DEPTH = 4


class Prefetch(Generic[Item]):
    """Iterates over what another iterator yields, a few items ahead of the consumer, in a thread of its own.

    An exception of the producer is raised in the consumer, after the items that came before it. ``close`` ends the
    thread early and closes the producer, so that its files are released.
    """

    def __init__(self, producer: Iterator[Item]) -> None:
        self._producer = producer
        self._queue: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(DEPTH)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="losscli-reader", daemon=True)
        self._thread.start()

    def _fill(self) -> None:
        try:
            for item in self._producer:
                if not self._put((item, None)):
                    return
            self._put((None, StopIteration()))
        except BaseException as error:
            self._put((None, error))
        finally:
            close = getattr(self._producer, "close", None)
            if close is not None:
                close()

    def _put(self, entry: tuple[Item | None, BaseException | None]) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(entry, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Prefetch[Item]:
        return self

    def __next__(self) -> Item:
        item, error = self._queue.get()
        if error is not None:
            # A later call must not wait for a thread that has ended.
            self._queue.put((None, error))
            raise error
        return item  # type: ignore[return-value]

    def close(self) -> None:
        """Ends the thread and waits for it."""
        self._stop.set()
        self._thread.join()
