"""``python -m tests.mutation [--area AREA] [--module MODULE] [--sample N] [--seed S] [--jobs J] [--json FILE]``."""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import torch
from _pytest.runner import runtestprotocol
from hypothesis import settings

from tests.mutation.mutants import Mutant, mutants, take_on

TESTS = {
    "losses": [
        *("tests/test_losses_accuracy.py", "tests/test_losses_contract.py", "tests/test_losses_gradients.py"),
        *("tests/test_losses_relations.py", "tests/relations", "tests/test_statistics.py", "tests/test_book.py"),
    ],
    "exact": ["tests/test_exact.py", "tests/test_summary.py", "tests/test_kernel.py", "tests/test_groups.py"],
    "summary": ["tests/test_summary.py", "tests/test_statistics.py", "tests/test_groups.py", "tests/test_engine.py"],
    "readers": [
        "tests/readers",
        "tests/test_faults.py",
        "tests/test_compute_errors.py",
        "tests/test_compute_exactness.py",
    ],
}
# Of the readers' tests only the quick ones, since all the fuzzing goes through the same functions.
QUICK = {"readers"}
# What no test goes through where there is no such device.
ON_GPU = {"losscli.exact.gpu", "losscli.readers.resident"}
LIMIT_S = 60


class Area:
    """A plugin of pytest: in place of running the tests it learns what each goes through, and tries mutants."""

    def __init__(self, area: str, asked: argparse.Namespace) -> None:
        self.area, self._asked = area, asked
        self.modules = [name for name in _modules(f"losscli.{area}") if name not in ON_GPU or torch.cuda.is_available()]
        self.items: list[pytest.Item] = []
        self._files = {str(Path(sys.modules[name].__file__ or "")): name for name in self.modules}
        self.seconds: dict[int, float] = {}
        self.through: dict[tuple[str, str], set[int]] = defaultdict(set)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Takes the place of the tests."""
        started = time.perf_counter()
        self.items = session.items
        self.follow()
        passing = f"{len(self.seconds):,} of {len(self.items):,} tests pass"
        print(f"{self.area}: {passing}, {time.perf_counter() - started:.0f} s", flush=True)
        results = self.try_mutants()
        counts = Counter(outcome for _, outcome in results)
        noticed = sum(count for outcome, count in counts.items() if outcome.startswith("noticed"))
        score = f"{noticed:,} of {len(results):,} noticed, {noticed / max(1, len(results)):.1%}"
        print(f"{self.area}: {score}, {time.perf_counter() - started:.0f} s; {dict(counts)}", flush=True)
        if self._asked.json:
            rows = [{"mutant": str(mutant), "outcome": outcome} for mutant, outcome in results]
            self._asked.json.with_suffix(f".{self.area}.json").write_text(json.dumps(rows, indent=1))
        return True

    def try_mutants(self) -> list[tuple[Mutant, str]]:
        """Takes on a sample of the mutants, so many at a time."""
        asked_for = [name for name in self.modules if not self._asked.module or name in self._asked.module]
        chosen = [mutant for module in asked_for for mutant in mutants(module)]
        print(f"{self.area}: {len(chosen):,} mutants", flush=True)
        if self._asked.sample and self._asked.sample < len(chosen):
            chosen = random.Random(self._asked.seed).sample(chosen, self._asked.sample)
        running: dict[int, Mutant] = {}
        results: list[tuple[Mutant, str]] = []
        waiting = iter(sorted(chosen, key=str))
        while True:
            while len(running) < self._asked.jobs and (mutant := next(waiting, None)) is not None:
                running[self.start(mutant)] = mutant
            if not running:
                return results
            pid, status = os.wait()
            mutant, outcome = running.pop(pid), _outcome(status)
            results.append((mutant, outcome))
            if not outcome.startswith("noticed"):
                print(f"{outcome}: {mutant}", flush=True)

    def follow(self) -> None:
        """Runs every test once, in a fork, and learns which functions each goes through."""
        with tempfile.TemporaryDirectory() as folder:
            found = Path(folder, "found.json")
            pid = os.fork()
            if pid == 0:
                _quiet()
                found.write_text(json.dumps([self._followed(item) for item in self.items]))
                os._exit(0)
            os.waitpid(pid, 0)
            for number, (passed, seconds, functions) in enumerate(json.loads(found.read_text())):
                if passed:
                    self.seconds[number] = seconds
                    for module, function in functions:
                        self.through[module, function].add(number)

    def _followed(self, item: pytest.Item) -> tuple[bool, float, list[tuple[str, str]]]:
        seen: set[tuple[str, str]] = set()

        def note(frame: FrameType, event: str, _: Any) -> None:
            if event == "call":
                module = self._files.get(frame.f_code.co_filename)
                if module is not None:
                    seen.add((module, frame.f_code.co_qualname.split(".<locals>")[0]))

        threading.setprofile(note)
        sys.setprofile(note)
        started = time.perf_counter()
        passed = _passes(item)
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        return passed, time.perf_counter() - started, sorted(seen)

    def tests_of(self, mutant: Mutant) -> list[int]:
        """The tests that may notice it, the quick ones first."""
        if mutant.function is not None:
            numbers = self.through.get((mutant.module, mutant.function), set())
        else:
            numbers = {n for (module, _), found in self.through.items() if module == mutant.module for n in found}
        return sorted(numbers, key=lambda number: self.seconds[number])

    def start(self, mutant: Mutant) -> int:
        """A fork that takes the mutant on; it ends with 1 where a test fails, 0 where none does, 3 where none is."""
        numbers = self.tests_of(mutant)
        pid = os.fork()
        if pid:
            return pid
        _quiet()
        try:
            take_on(mutant)
        except LookupError:
            os._exit(3)
        except Exception:  # the module could not even be imported
            os._exit(1)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(LIMIT_S)
        for number in numbers:
            if not _passes(self.items[number]):
                os._exit(1)
        os._exit(0 if numbers else 3)


def _passes(item: pytest.Item) -> bool:
    try:
        return all(report.outcome != "failed" for report in runtestprotocol(item, log=False, nextitem=None))
    except BaseException:  # a mutant may do anything, even leave
        return False


def _quiet() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)
    os.dup2(null, 2)


def _modules(package: str) -> list[str]:
    root = import_module(package)
    found = [each.name for each in pkgutil.walk_packages(root.__path__, f"{package}.")]
    for name in found:
        import_module(name)
    return [package, *found]


def _outcome(status: int) -> str:
    if os.WIFSIGNALED(status):
        return "noticed, too slow" if os.WTERMSIG(status) == signal.SIGALRM else "noticed, crashed"
    return {0: "survived", 1: "noticed", 3: "no test"}.get(os.WEXITSTATUS(status), "noticed, crashed")


def main() -> None:
    """Counts the mutants that the tests notice, and lists the others."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--area", action="append", choices=list(TESTS), help="a package; all without it")
    parser.add_argument("--module", action="append", help="such as losscli.readers.survey; all of the area without it")
    parser.add_argument("--sample", type=int, default=0, help="how many mutants of each area; 0 for all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    settings.register_profile("mutation", derandomize=True, database=None, deadline=None, max_examples=25)
    settings.load_profile("mutation")
    for area in asked.area or list(TESTS):
        # pytest collects once a process.
        pid = os.fork()
        if pid == 0:
            options = ["-q", "-n0", "-pno:cacheprovider", "--no-header", "--no-summary", "-ofilterwarnings="]
            options += ["-m", "not slow and not long"] if area in QUICK else []
            pytest.main([*options, *TESTS[area]], plugins=[Area(area, asked)])
            os._exit(0)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
