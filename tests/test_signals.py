"""Signals during an import, also of a package that swallows whatever is raised in it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from losscli import signals
from losscli._lazy import LazyModule
from losscli.signals import held_back, raise_on

SWALLOWS = """
import os
done = []
for number in {numbers}:
    try:
        os.kill(os.getpid(), number)
        done.append(number)
    except BaseException:
        pass
"""


class Ended(BaseException):
    """What SIGUSR1 raises here."""


class Other(BaseException):
    """What SIGUSR2 raises here."""


@pytest.fixture(autouse=True)
def caught() -> Iterator[None]:
    numbers = signal.SIGUSR1, signal.SIGUSR2
    before = [signal.getsignal(number) for number in numbers]
    for number, error in zip(numbers, (Ended, Other)):
        raise_on(number, error)
    yield
    for number, handler in zip(numbers, before):
        signal.signal(number, handler)


def test_a_signal_raises_its_error_at_once() -> None:
    with pytest.raises(Ended):
        os.kill(os.getpid(), signal.SIGUSR1)
    with pytest.raises(Other):
        os.kill(os.getpid(), signal.SIGUSR2)


@pytest.mark.parametrize(
    ("numbers", "error"), [([signal.SIGUSR1], Ended), ([signal.SIGUSR2, signal.SIGUSR1], Other)], ids=["one", "two"]
)
def test_an_import_is_finished_before_a_signal_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, numbers: list[signal.Signals], error: type[BaseException]
) -> None:
    (tmp_path / "swallows.py").write_text(SWALLOWS.format(numbers=[int(number) for number in numbers]))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "swallows", raising=False)
    module = LazyModule("swallows")
    with pytest.raises(error):
        _ = module.done
    assert module.done == numbers
    assert signals._held == []


def test_within_an_import_another_one_does_not_let_a_signal_through() -> None:
    steps = []
    with pytest.raises(Ended), held_back():
        with held_back():
            os.kill(os.getpid(), signal.SIGUSR1)
        steps.append("after the inner one")
    assert steps == ["after the inner one"]


def test_an_import_that_fails_loses_no_signal() -> None:
    with pytest.raises(Ended), held_back():
        os.kill(os.getpid(), signal.SIGUSR1)
        raise ImportError


def test_an_import_in_another_thread_holds_nothing_back() -> None:
    inside, leave = threading.Event(), threading.Event()

    def importing() -> None:
        with held_back():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=importing)
    thread.start()
    inside.wait(10)
    with pytest.raises(Ended):
        os.kill(os.getpid(), signal.SIGUSR1)
    leave.set()
    thread.join()


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    raise_on(signal.SIGUSR1, Ended)
    os.kill(os.getpid(), signal.SIGUSR1)
