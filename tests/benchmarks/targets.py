"""What is asked of losscli, as data: each target with the jobs that it compares and the ratio that it allows.

A goal compares losscli with the best of its peers, or with a number where it has none. Peers are losscli itself where
the question is what something costs extra.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.benchmarks.data import Data
from tests.benchmarks.jobs import (
    ADDED_IN_FLOAT32,
    EIGHT,
    FLOAT32,
    Job,
    call,
    command,
    cost,
    duckdb,
    gpu,
    importing,
    pandas_sklearn,
    polars,
    rows_written,
    whole,
)

FULL_ROWS = 100_000_000
QUICK_ROWS = 1_000_000
FEWEST_ROWS = 10_000
CLASS_SHARE = 100  # one row of 1,000 classes for each of that many rows of two numbers
SKLEARN_SHARE = 500  # scikit-learn's log loss needs some 20 bytes a class, so it is asked about fewer rows
MEMORY = 1e9

# What a goal may measure, with the unit of it.
UNITS = {"wall": "s", "call": "s", "peak": "bytes", "wall per row": "s"}


@dataclass(frozen=True)
class Goal:
    """One row of the table.

    Attributes:
        what: is measured, in a few words.
        ours: the job of losscli.
        peers: what it is compared with; the best of them counts. None: ``limit`` is in the unit of the measure.
        limit: what our share of the best peer's may be at most; None where the row is there to be seen.
        measure: ``wall`` time of the process, time of the ``call`` alone, ``peak`` memory, or ``wall per row``.
    """

    what: str
    ours: Job
    peers: tuple[Job, ...]
    limit: float | None
    measure: str = "wall"

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All that is run for it."""
        return (self.ours, *self.peers)


@dataclass(frozen=True)
class Target:
    """Goals that are measured together, in turns.

    Attributes:
        name: its number.
        title: what it is about.
        goals: what is compared.
        others: jobs that no goal compares, for the figures.
        rounds: how often each job is run.
        cuda: whether it needs a CUDA device.
    """

    name: str
    title: str
    goals: tuple[Goal, ...]
    others: tuple[Job, ...] = ()
    rounds: int = 5
    cuda: bool = False

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Every job once, in the order of the goals."""
        return tuple(dict.fromkeys([*(job for goal in self.goals for job in goal.jobs), *self.others]))


def targets(rows: int = FULL_ROWS) -> Mapping[str, Target]:
    """The targets by their numbers, for so many rows of two numbers at most."""
    found = (
        _start_up(),
        _small_file(),
        _text(rows),
        _parquet(rows),
        _arrays(rows),
        _classes(rows // CLASS_SHARE, rows // SKLEARN_SHARE),
        _one_pass(rows),
        _per_datum(rows // 10),
        _groups(rows),
        _on_gpu(rows),
        _growth(rows),
    )
    return {target.name: target for target in found}


def _start_up() -> Target:
    base = importing("typer")
    asked = (("_LOSSCLI_COMPLETE", "complete_bash"), ("COMP_WORDS", "losscli compute hub"), ("COMP_CWORD", "2"))
    ours = {
        "--help": command("--help"),
        "list": command("list"),
        "show huber": command("show", "huber"),
        "completion": command(environment=asked),
    }
    goals = [Goal(f"losscli {name}", job, (base,), 3.0) for name, job in ours.items()]
    aim = Goal("losscli show huber, seconds", ours["show huber"], (), 0.15)
    return Target("P1", "Answers without data", (*goals, aim), rounds=11)


def _small_file() -> Target:
    ours = cost("huber", Data("two", "csv", 1_000))
    return Target("P2", "A small file", (Goal("1,000 rows, CSV", ours, (importing("torch"),), 1.15),), rounds=11)


def _text(rows: int) -> Target:
    data, tenth = Data("two", "csv", rows), Data("two", "csv", rows // 10)
    huber, mae = cost("huber", data), cost("mae", data)
    goals = (
        Goal(f"{rows:,} rows, CSV, huber", huber, (duckdb("huber", data), polars("huber", data)), 1.15),
        Goal(f"{rows:,} rows, CSV, mae", mae, (pandas_sklearn(data),), 0.6),
        Goal(f"{rows:,} rows, CSV, memory", huber, (), MEMORY, "peak"),
        Goal(f"{rows:,} rows, memory beside {rows // 10:,}", huber, (cost("huber", tenth),), 1.1, "peak"),
    )
    return Target("P3", "Text", goals)


def _parquet(rows: int) -> Target:
    data = Data("two", "parquet", rows)
    peers = (duckdb("huber", data), polars("huber", data))
    return Target("P4", "Parquet", (Goal(f"{rows:,} rows, Parquet, huber", cost("huber", data), peers, 1.3),))


def _arrays(rows: int) -> Target:
    data = Data("two", "npy", rows)
    huber, torch = call("huber", data), whole("torch", "huber", data, "huber")
    mae, sklearn = call("mae", data), whole("sklearn", "mae", data, "mae")
    goals = (
        Goal(f"{rows:,} rows, .npy, huber, the call", huber, (torch,), 1.0, "call"),
        Goal(f"{rows:,} rows, .npy, mae, the call", mae, (sklearn,), 1.0, "call"),
        Goal(f"{rows:,} rows, .npy, huber, memory", huber, (torch,), 0.1, "peak"),
        Goal(f"{rows:,} rows, .npy, mae, memory", mae, (sklearn,), 0.1, "peak"),
    )
    return Target("P5", "Arrays", goals)


def _classes(rows: int, fewer: int) -> Target:
    data, shares = Data("classes", "npy", rows), Data("shares", "npy", fewer)
    torch = whole("torch", "cross-entropy", data, "cross-entropy", FLOAT32)
    sklearn = whole("sklearn", "log-loss", shares, "cross-entropy:input=probs", ADDED_IN_FLOAT32)
    width = "x 1,000 float32"
    single = call("cross-entropy", data, "dtype=float32", tolerance=FLOAT32)
    goals = (
        Goal(f"{rows:,} {width}, float64, the call", call("cross-entropy", data), (torch,), 1.0, "call"),
        Goal(f"{rows:,} {width}, --dtype float32, the call", single, (torch,), 0.4, "call"),
        Goal(
            f"{fewer:,} {width} probabilities, the call",
            call("cross-entropy:input=probs", shares),
            (sklearn,),
            1 / 20,
            "call",
        ),
    )
    return Target("P6", "Cross entropy", goals)


def _one_pass(rows: int) -> Target:
    data = Data("two", "csv", rows)
    ours = cost(EIGHT, data, question="eight")
    goals = (
        Goal(f"{rows:,} rows, CSV, eight losses beside one", ours, (cost("huber", data),), 1.3),
        Goal(f"{rows:,} rows, CSV, eight losses", ours, (duckdb("eight", data),), None),
    )
    return Target("P7", "Eight losses in one pass", goals)


def _per_datum(rows: int) -> Target:
    data, tenth = Data("two", "csv", rows), Data("two", "csv", rows // 10)
    ours, copy = rows_written(data), duckdb("copy", data, "rows of huber")
    goals = (
        Goal(f"{rows:,} rows, CSV to Parquet", ours, (copy,), 1.5),
        Goal(f"{rows:,} rows, CSV to Parquet, memory", ours, (), MEMORY, "peak"),
        Goal(f"{rows:,} rows, memory beside {rows // 10:,}", ours, (rows_written(tenth),), 1.1, "peak"),
    )
    return Target("P8", "The loss of each row", goals)


def _groups(rows: int) -> Target:
    data = Data("groups", "csv", rows)
    ours = cost("huber", data, "--by", "group", question="groups")
    goals = (
        Goal(f"{rows:,} rows, CSV, 1,000 groups beside none", ours, (cost("huber", data),), 1.5),
        Goal(f"{rows:,} rows, CSV, 1,000 groups", ours, (duckdb("groups", data),), 1.5),
        Goal(f"{rows:,} rows, CSV, 1,000 groups, polars", ours, (polars("groups", data),), None),
    )
    return Target("P9", "Groups", goals)


def _on_gpu(rows: int) -> Target:
    data = Data("two", "npy", rows)
    resident = gpu("losscli", "losscli", data, "huber")
    from_files = call("huber", data, "device=cuda", tolerance=1e-12)
    goals = (
        # At least 80 % of the bandwidth is at most 1.25 times the time of reading.
        Goal(f"{rows:,} rows on the device, huber", resident, (gpu("reading", "read", data, "read"),), 1.25, "call"),
        Goal(f"{rows:,} rows from .npy, huber", from_files, (gpu("copying", "copy", data, "copy"),), 1.25, "call"),
        Goal(f"{rows:,} rows from .npy, GPU beside CPU", from_files, (call("huber", data),), None, "call"),
    )
    return Target("P10", "On a GPU", goals, cuda=True)


def _growth(rows: int) -> Target:
    """Sizes by tens; what a row costs must not grow with their number."""
    sizes = [rows]
    while sizes[0] >= 10 * FEWEST_ROWS:
        sizes.insert(0, sizes[0] // 10)
    ours = {form: [cost("huber", Data("two", form, n)) for n in sizes] for form in ("csv", "parquet", "npy")}
    goals = [
        Goal(f"{form}, a row of {rows:,} beside one of {rows // 10:,}", jobs[-1], (jobs[-2],), 1.05, "wall per row")
        for form, jobs in ours.items()
        if len(sizes) > 1
    ]
    others = [job for jobs in ours.values() for job in jobs]
    for n in sizes:
        others += [duckdb("huber", Data("two", form, n)) for form in ("csv", "parquet")]
        others += [whole("numpy", "numpy", Data("two", "npy", n), "huber")]
        others += [pandas_sklearn(Data("two", "csv", n))]
    return Target("P12", "Cost against the number of rows", tuple(goals), tuple(others), rounds=3)
