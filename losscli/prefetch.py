"""A thread that reads ahead, so that reading, importing torch and computing overlap."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Prefetch(Generic[Item]):
    """Iterates over what another iterator yields, ahead of the consumer, in a thread of its own.

    An exception of the producer is raised in the consumer, after the items that came before it. ``close`` ends the
    thread early and closes the producer, so that its files are released.

    Args:
        producer: what is read.
        size: of an item, in any unit.
        budget: how much may wait for the consumer, in that unit; one item may always.
    """

    def __init__(self, producer: Iterator[Item], size: Callable[[Item], int], budget: int) -> None:
        self._producer, self._size, self._budget = producer, size, budget
        self._waiting: deque[tuple[Item, int]] = deque()
        self._held = 0
        self._outcome: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._fill, name="losscli-reader", daemon=True)
        self._thread.start()

    def _fill(self) -> None:
        outcome: BaseException = StopIteration()
        try:
            for item in self._producer:
                if not self._put(item):
                    break
        except BaseException as error:
            outcome = error
        finally:
            close = getattr(self._producer, "close", None)
            if close is not None:
                close()
            with self._changed:
                self._outcome = outcome
                self._changed.notify()

    def _put(self, item: Item) -> bool:
        size = self._size(item)
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._waiting or self._held + size <= self._budget)
            if not self._closed:
                self._waiting.append((item, size))
                self._held += size
                self._changed.notify()
            return not self._closed

    def __iter__(self) -> Prefetch[Item]:
        return self

    def __next__(self) -> Item:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._outcome is not None)
            if self._waiting:
                item, size = self._waiting.popleft()
                self._held -= size
                self._changed.notify()
                return item
            assert self._outcome is not None
            raise self._outcome

    def close(self) -> None:
        """Ends the thread and waits for it."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
