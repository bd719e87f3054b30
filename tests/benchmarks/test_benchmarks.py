"""The benchmark makes the data that it says it makes, measures what it says, and computes with it correctly.

Nothing here depends on how fast anything is.
"""

from __future__ import annotations

import csv
import re
import string
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy
import pytest
from pyarrow.parquet import read_table

from tests.benchmarks import data, figures, measure, report, results, rounds
from tests.benchmarks.__main__ import PAGE
from tests.benchmarks.data import Data
from tests.benchmarks.jobs import NEEDS, PROGRAMS, Job, Run, cost
from tests.benchmarks.targets import FEWEST_ROWS, Goal, Target, targets

DATA = Data("two", "csv", 1_000)
OURS = Job("losscli", ("{python}",), DATA, "huber", tolerance=0)
FAST = Job("fast", ("{python}",), DATA, "huber")
SLOW = Job("slow", ("{python}",), DATA, "huber")


def runs(*seconds: float, peak: int = 100, answer: float = 0.5) -> list[Run]:
    return [Run(wall, wall, peak, wall / 2, (answer,)) for wall in seconds]


def measured(**found: Sequence[Run]) -> rounds.Measured:
    jobs = {"ours": OURS, "fast": FAST, "slow": SLOW}
    return rounds.Measured({job: found.get(name, []) for name, job in jobs.items()}, {})


def goal(limit: float | None = 1.5, measure: str = "wall", peers: tuple[Job, ...] = (SLOW, FAST)) -> Goal:
    return Goal("a cost", OURS, peers, limit, measure)


# --- data -------------------------------------------------------------------------------------------------------------


def made(folder: Path, *wanted: Data) -> list[dict[str, Path]]:
    data.make(wanted, folder, say=lambda _: None)
    return [each.paths(folder) for each in wanted]


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_all_formats_hold_the_same_numbers(tmp_path: Path) -> None:
    text, parquet, arrays = made(tmp_path, *(Data("two", form, 5_000) for form in ("csv", "parquet", "npy")))
    columns = read_table(parquet["file"]).to_pydict()
    header, *lines = rows_of(text["file"])
    assert header == list(columns) == ["pred", "target"]
    assert [tuple(map(float, line)) for line in lines] == list(zip(*columns.values()))
    for name in ("pred", "target"):
        array = numpy.load(arrays[name], allow_pickle=False)
        assert array.dtype == numpy.float64
        assert array.tolist() == columns[name]


def test_a_small_file_is_the_beginning_of_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PIECE", 4_000)
    for kind in ("two", "groups", "classes", "shares"):
        large, small = (list(data.pieces(kind, n)) for n in (10, 7))
        assert [len(piece["pred"]) for piece in large] == ([4, 4, 2] if kind in ("classes", "shares") else [10])
        for name in large[0]:
            of_large, of_small = (numpy.concatenate([piece[name] for piece in each]) for each in (large, small))
            assert numpy.array_equal(of_large[:7], of_small)


def test_the_pieces_of_a_column_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "PIECE", 1_000)
    one, two = data.pieces("groups", 2_000)
    assert not any(numpy.array_equal(one[name], two[name]) for name in one)


def test_errors_lie_on_both_sides_of_the_bend_of_the_huber_loss() -> None:
    piece = next(data.pieces("two", 10_000))
    size = numpy.abs(piece["pred"] - piece["target"])
    assert 0.25 < (size > 1).mean() < 0.4


def test_groups_are_a_thousand_words(tmp_path: Path) -> None:
    (paths,) = made(tmp_path, Data("groups", "csv", 20_000))
    header, *lines = rows_of(paths["file"])
    assert header == ["pred", "target", "group"]
    assert sorted({group for _, _, group in lines}) == [f"g{number:03d}" for number in range(1_000)]


def test_classes_are_float32_with_labels_in_their_range(tmp_path: Path) -> None:
    logits, shares = made(tmp_path, Data("classes", "npy", 1_500), Data("shares", "npy", 300))
    pred, target = numpy.load(logits["pred"]), numpy.load(logits["target"])
    assert (pred.shape, pred.dtype, target.shape) == ((1_500, 1_000), numpy.float32, (1_500,))
    assert 0 <= target.min() <= target.max() < 1_000
    probabilities = numpy.load(shares["pred"])
    assert probabilities.dtype == numpy.float32
    assert numpy.allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert numpy.array_equal(numpy.load(shares["target"]), target[:300])


def test_what_is_there_is_not_made_again_and_what_breaks_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    wanted = [Data("two", "npy", 100)]
    data.make(wanted, tmp_path, said.append)
    data.make(wanted, tmp_path, said.append)
    assert len(said) == 1

    def broken(kind: str, rows: int) -> Any:
        yield {"pred": numpy.zeros(1), "target": numpy.zeros(1)}
        raise KeyboardInterrupt

    monkeypatch.setattr(data, "pieces", broken)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(KeyboardInterrupt):
        data.make([Data("two", "npy", 200)], tmp_path, said.append)
    assert sorted(tmp_path.iterdir()) == before


def test_data_that_do_not_fit_on_the_disk_are_not_begun(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"GB are needed and .* GB are free"):
        data.make([Data("two", "npy", 10**15)], tmp_path, say=lambda _: None)
    assert list(tmp_path.iterdir()) == []


# --- measuring --------------------------------------------------------------------------------------------------------


def test_a_process_is_measured_and_not_the_one_that_started_it() -> None:
    held = bytearray(400_000_000)  # more than the child has
    child = "import sys; held = bytearray(150_000_000); print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = measure.run([sys.executable, "-S", "-c", child])
    assert (done.code, done.out, done.err) == (3, "out\n", "err\n")
    assert 150_000_000 < done.peak < 250_000_000 < len(held)
    assert done.wall > 0
    assert done.cpu > 0


def test_a_process_that_takes_too_long_is_killed() -> None:
    done = measure.run([sys.executable, "-S", "-c", "import time; time.sleep(60)"], time_limit=1)
    assert done.code == -9


def test_jobs_take_turns_back_and_forth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    order: list[str] = []

    def run(job: Job, *_: object) -> Run:
        order.append(job.engine)
        return runs(1.0)[0]

    monkeypatch.setattr(Job, "run", run)
    found = rounds.measure(Target("P0", "", (goal(),)), tmp_path, rounds=2, warm_up=True, say=lambda _: None)
    assert order == ["fast", "slow", "losscli", "losscli", "slow", "fast", "fast", "slow", "losscli"]
    assert [len(each) for each in found.runs.values()] == [2, 2, 2]


def test_a_program_that_fails_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    broken = replace(FAST, command=("{python}", "-S", "-c", "raise SystemExit('no memory')"), question=None)
    fine = replace(OURS, command=("{python}", "-S", "-c", "pass"), question=None)
    target = Target("P0", "", (Goal("a cost", fine, (broken,), 1.0),))
    found = rounds.measure(target, tmp_path, rounds=2, warm_up=False, say=lambda _: None)
    assert found.failures == {broken: "fast (-S -c raise SystemExit('no memory'), 1,000 rows, csv): no memory"}
    assert [len(each) for each in found.runs.values()] == [2, 0]
    row = results.judged(target.goals[0], found)
    assert (row["ratio"], row["met"], row["best"]) == (None, False, None)


# --- arithmetic -------------------------------------------------------------------------------------------------------


def test_a_ratio_is_that_of_the_medians_to_the_best_peer() -> None:
    found = measured(ours=runs(3, 9, 4), fast=runs(2, 1, 9), slow=runs(5, 5, 5))
    row = results.judged(goal(), found)
    assert (row["ours"]["median"], row["best"], row["ratio"], row["met"]) == (4, "fast", 2.0, False)
    assert row["ratios"] == [1.5, 9.0, 4 / 9]
    assert results.judged(goal(limit=2.0), found)["met"] is True
    assert results.judged(goal(limit=None), found)["met"] is None


@pytest.mark.parametrize(("kind", "expected"), [("wall", 4.0), ("call", 2.0), ("wall per row", 0.004), ("peak", 100.0)])
def test_each_measure_is_taken_from_its_place(kind: str, expected: float) -> None:
    row = results.judged(goal(measure=kind), measured(ours=runs(4), fast=runs(2), slow=runs(3)))
    assert row["ours"]["median"] == expected


def test_a_goal_without_peers_is_held_to_a_number() -> None:
    found = measured(ours=[*runs(1, peak=300), *runs(1, peak=700)])
    row = results.judged(goal(limit=500, measure="peak", peers=()), found)
    assert (row["ours"]["median"], row["ours"]["peak"], row["ratio"], row["met"]) == (500, 700, None, True)


def test_answers_that_agree_are_left_alone_and_others_are_named() -> None:
    def disagreements(ours: float, other: float) -> list[str]:
        return results.disagreements([measured(ours=runs(1, answer=ours), fast=runs(1, answer=other))])

    assert disagreements(0.5, 0.5 * (1 + 1e-10)) == []
    (found,) = disagreements(0.5, 0.5 * (1 + 1e-8))
    assert found == "fast (huber, 1,000 rows, csv) says 0.500000005, losscli (huber, 1,000 rows, csv) 0.5"


def test_one_bit_between_the_formats_is_seen() -> None:
    parquet = replace(OURS, data=replace(DATA, format="parquet"))
    found = rounds.Measured({OURS: runs(1), parquet: runs(1, answer=numpy.nextafter(0.5, 1).item())}, {})
    assert len(results.disagreements([found])) == 1
    assert results.disagreements([rounds.Measured({OURS: runs(1), parquet: runs(1)}, {})]) == []


def test_answers_of_different_rows_or_questions_are_not_compared() -> None:
    others = (replace(OURS, data=replace(DATA, rows=10)), replace(OURS, question="mae"))
    found = rounds.Measured({OURS: runs(1)} | {job: runs(1, answer=7.0) for job in others}, {})
    assert results.disagreements([found]) == []


# --- targets ----------------------------------------------------------------------------------------------------------


def test_every_command_can_be_written_and_every_program_is_there(tmp_path: Path) -> None:
    for target in targets().values():
        for job in target.jobs:
            words = job.words(tmp_path, tmp_path / "out")
            assert not any("{" in word for word in words)
            program = Path(words[1]) if len(words) > 1 else None
            assert program is None or program.suffix != ".py" or program.is_file()
            assert {field for word in job.command for _, field, *_ in string.Formatter().parse(word)} - {None}


def test_other_libraries_are_asked_what_losscli_is_asked() -> None:
    compared = [(each.ours, job) for target in targets().values() for each in target.goals for job in each.peers]
    others = [(ours, job) for ours, job in compared if job.engine in NEEDS]
    assert len(others) > 10
    assert all((job.question, job.data) == (ours.question, ours.data) for ours, job in others)


def test_targets_are_those_that_are_promised() -> None:
    assert list(targets()) == ["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P12"]
    assert [name for name, target in targets().items() if target.cuda] == ["P10"]
    sizes = {job.data.rows for job in targets()["P12"].jobs if job.data}
    assert sizes == {10**4, 10**5, 10**6, 10**7, 10**8}
    assert all(job.data is None or job.data.rows > 0 for each in targets(FEWEST_ROWS).values() for job in each.jobs)


@pytest.mark.parametrize("task", ["huber", "mae", "eight", "groups"])
def test_sql_says_what_losscli_says(task: str, tmp_path: Path) -> None:
    import losscli
    from tests.benchmarks.jobs import EIGHT
    from tests.benchmarks.programs import duckdb_sql

    (paths,) = made(tmp_path, Data("groups", "csv", 5_000))
    by = ["group"] if task == "groups" else []
    spec = {"eight": EIGHT, "groups": "huber"}.get(task, task)
    result = losscli.compute(spec, data=str(paths["file"]), pred="pred", target="target", by=by)
    found = sorted(result.records, key=lambda record: record.group["group"]) if by else result.records
    assert duckdb_sql.answers(task, str(paths["file"]), "") == pytest.approx([r.value for r in found], rel=1e-12)


# --- report -----------------------------------------------------------------------------------------------------------


def recorded() -> dict[str, Any]:
    found = measured(
        ours=runs(3, 4, peak=200_000_000), fast=runs(2, 2.5, peak=3_000_000_000), slow=runs(5, 5), failed=[]
    )
    goals = (goal(), goal(limit=4.5, peers=()), goal(limit=0.1, measure="peak", peers=(FAST,)), goal(limit=None))
    machine = {
        "date": "2026-01-02", "processor": "A B", "cores": 2, "memory": 24e9, "gpu": None, "system": "Linux x86_64",
        "versions": {"python": "3.12.0", "torch": "2.13.0"},
    }  # fmt: skip
    target = results.record(Target("P3", "Text", goals), found)
    growth = {**target, "name": "P12", "goals": []}
    return {"schema": 1, "machine": machine, "targets": [target, growth], "disagreements": [], "failures": []}


def test_the_table_is_plain() -> None:
    assert report.table(recorded()).splitlines() == [
        "target  what    losscli     best other   ratio  at most  met  memory  other's memory",
        "-" * 84,
        "P3      a cost    3.5 s  2.25 s (fast)    1.56      1.5  no   200 MB            3 GB",
        "P3      a cost    3.5 s              –       –    4.5 s  yes  200 MB               –",
        "P3      a cost   200 MB    3 GB (fast)  0.0667      0.1  yes  200 MB            3 GB",
        "P3      a cost    3.5 s  2.25 s (fast)    1.56        –  –    200 MB            3 GB",
    ]
    assert report.verdict(recorded()) == "2 of 3 met; all answers agree"


def test_the_page_changes_only_between_its_comments() -> None:
    text = f"# A\n\n{report.BEGIN}\nold\n{report.END}\n\nrest\n"
    once = report.page(text, [recorded()], [("images/x.svg", "A picture")])
    assert once.startswith(f"# A\n\n{report.BEGIN}\n\n2026-01-02: 2 cores of A B, 24 GB of memory")
    assert once.endswith(f"![A picture](images/x.svg)\n\n{report.END}\n\nrest\n")
    assert "old" not in once
    assert report.page(once, [recorded()], [("images/x.svg", "A picture")]) == once
    rows = [line for line in once.splitlines() if line.startswith("|")]
    assert len(rows) == 6
    assert len({line.count("|") for line in rows}) == 1
    with pytest.raises(ValueError, match="the page lacks"):
        report.page("# A\n", [recorded()], [])


def test_the_documentation_names_every_target_and_has_a_place_for_the_table() -> None:
    text = PAGE.read_text()
    assert re.findall(r"^\| (P\d+) \|", text, re.M) == list(targets())
    assert report.page(text, [recorded()], []).count("2026-01-02") == 1


def test_pictures_are_drawn_from_what_was_measured(tmp_path: Path) -> None:
    points = figures.ratio_points([recorded()])
    assert [(label, round(ratio, 3), limit) for label, ratio, _, limit in points] == [
        ("P3  a cost", 1.556, 1.5),
        ("P3  a cost", 0.067, 0.1),
    ]
    assert figures.growth_points([recorded()], "wall")[0] == ("losscli", "csv", [1_000], [3.5])
    without_growth = {**recorded(), "targets": recorded()["targets"][:1]}
    assert [name for name, _ in figures.pictures([without_growth], tmp_path)] == ["benchmarks-ratios.svg"]
    assert (tmp_path / "benchmarks-ratios.svg").read_text().startswith("<?xml")
    (axes,) = figures.draw_growth(figures.growth_points([recorded()], "wall"), "time", "s").axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [line.get_label() for line in axes.get_lines()] == ["losscli, csv", "slow, csv", "fast, csv"]


def test_everyone_who_must_be_installed_is_known() -> None:
    engines = {job.engine for target in targets().values() for job in target.jobs}
    own = {"losscli", "numpy", "reading", "copying", "import typer", "import torch"}
    assert engines == own | set(NEEDS)
    assert duckdb.__name__ in NEEDS.values()
    assert cost("huber", DATA).exact
    assert PROGRAMS.is_dir()
