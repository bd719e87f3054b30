"""Runs the jobs of a target in turns, A B A B, so that a machine that slows down slows all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.jobs import Failed, Job, Run
from tests.benchmarks.targets import Target


@dataclass(frozen=True)
class Measured:
    """What came out of a target.

    Attributes:
        runs: of each job, round by round.
        failures: why a job could not be measured.
    """

    runs: Mapping[Job, Sequence[Run]]
    failures: Mapping[Job, str]


def measure(
    target: Target, folder: Path, *, rounds: int, warm_up: bool, say: Callable[[str], None] = print
) -> Measured:
    """Measures every job of a target.

    Args:
        target: what to run.
        folder: where the data are.
        rounds: how often each job is run.
        warm_up: whether a round that does not count comes first, which brings the files into memory.
        say: told what is going on.
    """
    runs: dict[Job, list[Run]] = {job: [] for job in target.jobs}
    failures: dict[Job, str] = {}
    out = folder / "out.parquet"
    for number in range(-1 if warm_up else 0, rounds):
        say(f"{target.name}: {'warming up' if number < 0 else f'round {number + 1} of {rounds}'}")
        # Back and forth: nobody always comes after the same other one.
        for job in target.jobs if number % 2 == 0 else target.jobs[::-1]:
            if job in failures:
                continue
            try:
                run = job.run(folder, out)
            except Failed as failure:
                failures[job] = str(failure)
                say(str(failure))
                continue
            if number >= 0:
                runs[job].append(run)
    out.unlink(missing_ok=True)
    return Measured(runs, failures)
