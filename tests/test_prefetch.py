"""Reading ahead changes nothing but the time."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from losscli.prefetch import Prefetch


def ahead_of(producer: Iterator[int], budget: int = 4) -> Prefetch[int]:
    return Prefetch(producer, lambda _: 1, budget)


def test_items_arrive_in_order() -> None:
    assert list(ahead_of(iter(range(100)))) == list(range(100))


def test_an_error_of_the_producer_comes_after_the_items_before_it() -> None:
    def producer() -> Iterator[int]:
        yield 1
        yield 2
        raise ValueError("row 3")

    seen = []
    with pytest.raises(ValueError, match="row 3"):
        for item in ahead_of(producer()):
            seen.append(item)
    assert seen == [1, 2]


def test_the_end_can_be_asked_for_again() -> None:
    ahead = ahead_of(iter([1]))
    assert list(ahead) == [1]
    assert list(ahead) == []


def test_closing_early_ends_the_thread_and_closes_the_producer() -> None:
    closed = threading.Event()

    def producer() -> Iterator[int]:
        try:
            yield from range(10**9)
        finally:
            closed.set()

    ahead = ahead_of(producer())
    assert next(ahead) == 0
    ahead.close()
    assert closed.is_set()


@pytest.mark.parametrize(("size", "budget", "most"), [(1, 4, 4), (3, 10, 3), (100, 10, 1)])
def test_no_more_waits_than_the_budget_allows_but_one_item_always_may(size: int, budget: int, most: int) -> None:
    taken: list[int] = []

    def producer() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    ahead = Prefetch(producer(), lambda _: size, budget)
    next(ahead)
    threading.Event().wait(0.2)
    # One is consumed, the budget is waiting, one is in the producer's hand.
    assert len(taken) == 1 + most + 1
    ahead.close()
