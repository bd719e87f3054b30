"""From measurements to a verdict: medians, ratios, whether a target is met, and whether all answers agree.

What is made here is plain data that goes to JSON as it is; tables and figures are made from it, at once or later.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from tests.benchmarks.jobs import Job, Run
from tests.benchmarks.rounds import Measured
from tests.benchmarks.targets import UNITS, Goal, Target

# More numbers than the eight losses have are not kept.
KEPT_ANSWERS = 8


def amounts(job: Job, runs: Sequence[Run], measure: str) -> list[float]:
    """What a job took, round by round."""
    if measure == "call":
        return [run.call for run in runs if run.call is not None]
    if measure == "peak":
        return [float(run.peak) for run in runs]
    rows = job.data.rows if measure == "wall per row" and job.data is not None else 1
    return [run.wall / rows for run in runs]


def judged(goal: Goal, measured: Measured) -> dict[str, Any]:
    """A row of the table: losscli beside the best of its peers, by the medians."""
    sides = {job: _side(job, measured, goal.measure) for job in goal.jobs}
    ours = sides[goal.ours]
    peers = [sides[job] for job in goal.peers]
    there = [peer for peer in peers if peer["median"] is not None]
    best = min(there, key=lambda peer: peer["median"], default=None)
    ratio = ours["median"] / best["median"] if best is not None and ours["median"] is not None else None
    met: bool | None = None
    if goal.limit is not None:
        judged_by = ratio if goal.peers else ours["median"]
        met = judged_by is not None and judged_by <= goal.limit
    return {
        "what": goal.what,
        "measure": goal.measure,
        "unit": UNITS[goal.measure],
        "limit": goal.limit,
        "relative": bool(goal.peers),
        "ours": ours,
        "peers": peers,
        "best": best["engine"] if best is not None else None,
        "ratio": ratio,
        "ratios": [mine / other for mine, other in zip(ours["all"], best["all"])] if best is not None else [],
        "met": met,
    }


def _side(job: Job, measured: Measured, measure: str) -> dict[str, Any]:
    runs = measured.runs[job]
    found = amounts(job, runs, measure)
    return {
        "engine": job.engine,
        "rows": job.data.rows if job.data is not None else None,
        "median": median(found) if found else None,
        "all": found,
        "peak": max((run.peak for run in runs), default=None),
        "failure": measured.failures.get(job),
    }


def record(target: Target, measured: Measured) -> dict[str, Any]:
    """All that is known about a target after its rounds."""
    return {
        "name": target.name,
        "title": target.title,
        "goals": [judged(goal, measured) for goal in target.goals],
        "jobs": [_job(job, measured) for job in target.jobs],
    }


def _job(job: Job, measured: Measured) -> dict[str, Any]:
    runs = measured.runs[job]
    answer = runs[-1].answer if runs else ()
    return {
        "engine": job.engine,
        "question": job.question,
        "kind": job.data.kind if job.data is not None else None,
        "format": job.data.format if job.data is not None else None,
        "rows": job.data.rows if job.data is not None else None,
        "wall": [run.wall for run in runs],
        "cpu": [run.cpu for run in runs],
        "call": [run.call for run in runs if run.call is not None],
        "peak": [run.peak for run in runs],
        "answer": list(answer) if len(answer) <= KEPT_ANSWERS else None,
        "failure": measured.failures.get(job),
    }


def disagreements(measured: Iterable[Measured]) -> list[str]:
    """Where jobs that were asked the same about the same rows do not answer the same.

    Those of losscli must agree to the bit, whatever the format, round or target; the others within their tolerance.
    """
    asked: dict[tuple[str, str, int], list[tuple[Job, Run]]] = defaultdict(list)
    for each in measured:
        for job, runs in each.runs.items():
            if job.question is not None and job.data is not None:
                asked[job.question, job.data.kind, job.data.rows] += [(job, run) for run in runs]
    found: dict[str, None] = {}
    for given in asked.values():
        # An exact answer is what the others are held to.
        first, run = next((pair for pair in given if pair[0].exact), given[0])
        for job, other in given:
            if not _agree(other.answer, run.answer, max(job.tolerance, 0 if job.exact else first.tolerance)):
                found[f"{job} says {_shown(other.answer, run.answer)}, {first} {_shown(run.answer, other.answer)}"] = (
                    None
                )
    return list(found)


def _agree(mine: Sequence[float], others: Sequence[float], tolerance: float) -> bool:
    if len(mine) != len(others):
        return False
    if tolerance == 0:
        return list(mine) == list(others)
    return all(math.isclose(one, other, rel_tol=tolerance) for one, other in zip(mine, others))


def _shown(answer: Sequence[float], other: Sequence[float]) -> str:
    """The first number that differs, or how many there are."""
    if len(answer) != len(other):
        return f"{len(answer)} numbers"
    return next((repr(one) for one, two in zip(answer, other) if one != two), "the same")
