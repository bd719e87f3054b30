"""What is run: a command over a data set, who computes, and what it is expected to answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.benchmarks import measure
from tests.benchmarks.data import Data

PROGRAMS = Path(__file__).parent / "programs"
PYTHON = sys.executable
LOSSCLI = str(Path(sys.executable).with_name("losscli"))
EIGHT = (
    "mae,mse,huber,log-cosh,quantile:tau=0.9,expectile:tau=0.9,"
    "epsilon-insensitive:epsilon=0.1,squared-epsilon-insensitive:epsilon=0.1"
)
# The packages that each engine needs.
NEEDS = {"DuckDB": "duckdb", "polars": "polars", "pandas + sklearn": "sklearn", "sklearn": "sklearn", "torch": "torch"}
ROUNDED_DIFFERENTLY = 1e-9  # float64 sums of the others, relative
FLOAT32 = 1e-5
# scikit-learn adds float32 losses in float32.
ADDED_IN_FLOAT32 = 1e-4


class Failed(RuntimeError):
    """A command that did not end well, or not with an answer."""


@dataclass(frozen=True)
class Job:
    """A command to be measured.

    Attributes:
        engine: who computes, as the tables call it.
        command: its words; ``{python}``, ``{losscli}``, ``{programs}``, ``{out}`` and the names of the data set's files
            are filled in.
        data: what it reads.
        question: jobs that are asked the same about the same rows must give the same answer; None where there is none.
        tolerance: by which, relatively, its answer may differ; 0 where it must be the same to the bit.
        written: whether the answer is the mean of a file that it writes.
        environment: variables beside those that are there.
    """

    engine: str
    command: tuple[str, ...]
    data: Data | None = None
    question: str | None = None
    tolerance: float = ROUNDED_DIFFERENTLY
    written: bool = False
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def exact(self) -> bool:
        """Whether its answer must be the same, to the bit, as that of all others that are exact."""
        return self.question is not None and self.tolerance == 0

    @property
    def module(self) -> str | None:
        """What must be installed for it, beside losscli's own requirements."""
        return NEEDS.get(self.engine)

    def __str__(self) -> str:
        asked = self.question or " ".join((*self.command[1:], *(f"{name}={value}" for name, value in self.environment)))
        where = f", {self.data.rows:,} rows, {self.data.format}" if self.data is not None else ""
        return f"{self.engine} ({asked}{where})"

    def words(self, folder: Path, out: Path) -> list[str]:
        """The command for files in that folder, writing to ``out`` where it writes."""
        paths = self.data.paths(folder) if self.data is not None else {}
        known = {"python": PYTHON, "losscli": LOSSCLI, "programs": str(PROGRAMS), "out": str(out), **paths}
        return [word.format(**known) for word in self.command]

    def run(self, folder: Path, out: Path) -> Run:
        """Runs it once.

        Raises:
            Failed: it did not end well.
        """
        out.unlink(missing_ok=True)
        done = measure.run(self.words(folder, out), environment=dict(self.environment))
        if done.code != 0:
            last = done.err.strip().splitlines()[-1:] or [f"it ended with {done.code}"]
            raise Failed(f"{self}: {last[0]}")
        answer, call = self._answer(done.out, out)
        return Run(done.wall, done.cpu, done.peak, call, answer)

    def _answer(self, printed: str, out: Path) -> tuple[tuple[float, ...], float | None]:
        if self.question is None:
            return (), None
        if self.written:
            reader = [PYTHON, str(PROGRAMS / "duckdb_sql.py"), "mean", str(out)]
            printed = subprocess.run(reader, capture_output=True, text=True, check=True).stdout
        found = json.loads(printed)
        if "results" in found:
            return _costs(found), None
        return tuple(found["answer"]), found.get("seconds")


@dataclass(frozen=True)
class Run:
    """One measurement.

    Attributes:
        wall: seconds of the whole process.
        cpu: seconds of processor time.
        peak: bytes of memory at most.
        call: seconds of the call alone, where the program measures that.
        answer: what it computed.
    """

    wall: float
    cpu: float
    peak: int
    call: float | None = None
    answer: tuple[float, ...] = field(default=(), repr=False)


def _costs(printed: Mapping[str, Any]) -> tuple[float, ...]:
    """The costs in losscli's JSON, by group where there are groups."""
    records = sorted(printed["results"], key=lambda record: str(sorted(record["group"].items())))
    return tuple(record["value"] for record in records)


# --- losscli ----------------------------------------------------------------------------------------------------------


def command(*words: str, environment: tuple[tuple[str, str], ...] = ()) -> Job:
    """A command of losscli that needs no data."""
    return Job("losscli", ("{losscli}", *words), environment=environment)


def cost(losses: str, data: Data, *options: str, question: str | None = None) -> Job:
    """``losscli compute`` over a data set."""
    files = ("-p", "{pred}", "-t", "{target}") if data.format == "npy" else ("-p", "pred", "-t", "target", "{file}")
    words = ("{losscli}", "compute", losses, "-q", "-f", "json", *options, *files)
    return Job("losscli", words, data, question or losses, tolerance=0)


def rows_written(data: Data) -> Job:
    """``losscli compute`` writing the Huber loss of each row to Parquet."""
    words = ("{losscli}", "compute", "huber", "-q", "--per-datum", "-p", "pred", "-t", "target", "-o", "{out}")
    return Job("losscli", (*words, "{file}"), data, "rows of huber", written=True)


def call(losses: str, data: Data, *settings: str, tolerance: float = 0) -> Job:
    """One call of losscli's Python API over array files."""
    words = ("{python}", "{programs}/losscli_call.py", losses, "{pred}", "{target}", *settings)
    return Job("losscli", words, data, losses, tolerance)


# --- the others -------------------------------------------------------------------------------------------------------


def importing(module: str) -> Job:
    """A Python that imports one module."""
    return Job(f"import {module}", ("{python}", "-c", f"import {module}"))


def duckdb(task: str, data: Data, question: str | None = None) -> Job:
    """DuckDB's SQL; ``copy`` writes the loss of each row."""
    written = task == "copy"
    words = ("{python}", "{programs}/duckdb_sql.py", task, "{file}", *(("{out}",) if written else ()))
    return Job("DuckDB", words, data, question or task, written=written)


def polars(task: str, data: Data, question: str | None = None) -> Job:
    """A lazy frame of polars'."""
    return Job("polars", ("{python}", "{programs}/polars_lazy.py", task, "{file}"), data, question or task)


def pandas_sklearn(data: Data) -> Job:
    """The mean absolute error of a frame's columns."""
    return Job("pandas + sklearn", ("{python}", "{programs}/pandas_sklearn.py", "{file}"), data, "mae")


def whole(engine: str, task: str, data: Data, question: str, tolerance: float = ROUNDED_DIFFERENTLY) -> Job:
    """One call over arrays in memory."""
    words = ("{python}", "{programs}/whole_arrays.py", task, "{pred}", "{target}")
    return Job(engine, words, data, question, tolerance)


def gpu(engine: str, task: str, data: Data, question: str) -> Job:
    """One call on a GPU."""
    return Job(engine, ("{python}", "{programs}/on_gpu.py", task, "{pred}", "{target}"), data, question)
