"""``python -m tests.benchmarks``: makes the data, runs everything in turns, compares, and shows."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.benchmarks import data, machine, report, results, rounds
from tests.benchmarks.jobs import LOSSCLI
from tests.benchmarks.targets import FEWEST_ROWS, FULL_ROWS, QUICK_ROWS, Target, targets

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
IMAGES = ROOT / "docs" / "images"
QUICK_ROUNDS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark.

    Returns:
        0; 1 where answers disagree or something could not be run. A target that is missed is a result, not an error.
    """
    asked = _parser().parse_args(arguments)
    records = [json.loads(file.read_text()) for file in asked.replay] if asked.replay else [_measured(asked)]
    if not asked.replay:
        # Kept before anything is drawn, so that half an hour of measuring cannot be lost.
        (asked.json or _folder(asked) / "latest.json").write_text(json.dumps(records[0], indent=1) + "\n")
    for record in records:
        _print(record)
    # The page shows full runs only, unless it is asked for.
    full = bool(asked.replay) or not (asked.quick or asked.only or asked.rows or asked.rounds)
    folder = asked.figures or (IMAGES if full else None)
    page = asked.page or (PAGE if full else None)
    images = _draw(records, folder) if folder is not None else []
    if page is not None:
        page.write_text(report.page(page.read_text(), records, images))
    return int(any(record["disagreements"] or record["failures"] for record in records))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help=f"{QUICK_ROWS:,} rows at most and two rounds: does it work?")
    add("--only", action="append", default=[], metavar="NAME", help="a target, such as P3; may be repeated")
    add("--rows", type=int, metavar="N", help=f"rows at most, {FULL_ROWS:,} otherwise")
    add("--rounds", type=int, metavar="N", help="how often each program is run; otherwise 3 to 11 times")
    add("--data", type=Path, metavar="DIR", help="where the data are kept, a temporary folder otherwise")
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="write all measurements there, otherwise to latest.json beside the data",
    )
    add("--figures", type=Path, metavar="DIR", help="draw there; a full run draws into docs/images")
    add("--page", type=Path, metavar="FILE", help="write the table there; a full run writes docs/benchmarks.md")
    add("--replay", type=Path, nargs="+", metavar="FILE", help="measure nothing: show what --json wrote")
    return parser


def _measured(asked: argparse.Namespace) -> dict[str, Any]:
    rows = asked.rows or (QUICK_ROWS if asked.quick else FULL_ROWS)
    facts = machine.facts()
    chosen = _chosen(asked, rows, facts["gpu"])
    folder = _folder(asked)
    wanted = [job.data for target in chosen for job in target.jobs if job.data is not None]
    data.make(list(dict.fromkeys(wanted)), folder, _say)
    found: dict[str, rounds.Measured] = {}
    for target in chosen:
        count = asked.rounds or (QUICK_ROUNDS if asked.quick else target.rounds)
        found[target.name] = rounds.measure(target, folder, rounds=count, warm_up=not asked.quick, say=_say)
    return {
        "schema": 1,
        "machine": facts,
        "rows": rows,
        "quick": asked.quick,
        "targets": [results.record(target, found[target.name]) for target in chosen],
        "disagreements": results.disagreements(found.values()),
        "failures": [failure for measured in found.values() for failure in measured.failures.values()],
    }


def _folder(asked: argparse.Namespace) -> Path:
    base: Path = asked.data or Path(tempfile.gettempdir())
    return base / data.FOLDER


def _chosen(asked: argparse.Namespace, rows: int, gpu: str | None) -> list[Target]:
    """The targets that are asked for and can be measured here; ends the program where that cannot be."""
    if rows < FEWEST_ROWS:
        raise SystemExit(f"--rows is at least {FEWEST_ROWS:,}")
    if asked.rounds is not None and asked.rounds < 1:
        raise SystemExit("--rounds is at least 1")
    known = targets(rows)
    unknown = [name for name in asked.only if name not in known]
    if unknown:
        raise SystemExit(f"there is no target {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = [target for name, target in known.items() if not asked.only or name in asked.only]
    if gpu is None and any(target.cuda for target in chosen):
        if asked.only:
            raise SystemExit("there is no CUDA device")
        _say("no CUDA device: P10 is left out")
        chosen = [target for target in chosen if not target.cuda]
    jobs = [job for target in chosen for job in target.jobs]
    missing = {job.module for job in jobs if job.module is not None and find_spec(job.module) is None}
    if any("{losscli}" in job.command for job in jobs) and not Path(LOSSCLI).exists():
        missing.add("losscli")
    if missing:
        raise SystemExit(f"{', '.join(sorted(missing))}: not installed; pip install -e '.[bench]'")
    return chosen


def _draw(records: Sequence[Mapping[str, Any]], folder: Path) -> list[tuple[str, str]]:
    from tests.benchmarks import figures

    drawn = figures.pictures(records, folder)
    return [(f"images/{name}", words) for name, words in drawn]


def _print(record: Mapping[str, Any]) -> None:
    print(report.described(record))
    if record["quick"] or record["rows"] != FULL_ROWS:
        print(f"The targets are meant for {FULL_ROWS:,} rows; these figures are for {record['rows']:,}.")
    print(f"\n{report.table(record)}\n\n{report.verdict(record)}")
    for line in (*record["disagreements"], *record["failures"]):
        print(line)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
