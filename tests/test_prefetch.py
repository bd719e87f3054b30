"""Reading ahead changes nothing but the time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from losscli.prefetch import DEPTH, Prefetch


def test_items_arrive_in_order() -> None:
    assert list(Prefetch(iter(range(100)))) == list(range(100))


def test_an_error_of_the_producer_comes_after_the_items_before_it() -> None:
    def producer() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("row 3")

    seen = []
    with pytest.raises(ValueError, match="row 3"):
        for item in Prefetch(producer()):
            seen.append(item)
    assert seen == [1, 2]


def test_the_end_can_be_asked_for_again() -> None:
    ahead = Prefetch(iter([1]))
    assert list(ahead) == [1]
    assert list(ahead) == []


def test_closing_early_ends_the_thread_and_closes_the_producer() -> None:
    closed = threading.Event()

    def producer() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            closed.set()

    ahead = Prefetch(producer())
    assert next(ahead) == 0
    ahead.close()
    assert closed.is_set()


def test_no_more_is_read_ahead_than_the_queue_holds() -> None:
    taken: list[int] = []

    def producer() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    ahead = Prefetch(producer())
    next(ahead)
    threading.Event().wait(0.2)
    # One consumed, the queue full, one in the producer's hand.
    assert len(taken) <= DEPTH + 2
    ahead.close()
