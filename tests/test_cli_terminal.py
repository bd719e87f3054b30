"""What a person sees in a terminal, and what a pipe gets in its place."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from losscli.registry import losses
from tests.conftest import Outcome
from tests.console import run_in_terminal

Run = Callable[..., Outcome]
STYLE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "book.csv").write_text("y_true,y_pred\n3.0,2.5\n-0.5,0.0\n2.0,2.0\n7.0,8.0\n")
    return tmp_path


def plain(text: str) -> str:
    """Without bold and dim, which NO_COLOR leaves in help pages."""
    return "\n".join(line.rstrip() for line in STYLE.sub("", text).splitlines())


# --- costs ------------------------------------------------------------------------------------------------------------

# scikit-learn's mean_absolute_error of its own example is .5; the interval is 1.96 · √(1/6) / 2.
TABLE = """\
using "y_true" as target and "y_pred" as pred
file      pred    loss  n  mean  95 % interval
──────────────────────────────────────────────
book.csv  y_pred  mae   4   0.5         ± 0.40

Mean of the loss per datum, ± half the width of its 95 % normal interval."""


@pytest.mark.parametrize("columns", [60, 100])
def test_a_terminal_gets_a_table(folder: Path, columns: int) -> None:
    shown, code = run_in_terminal("losscli compute mae book.csv", folder, columns)
    expected = TABLE if columns == 100 else TABLE.replace("of its 95 % normal", "of its 95 %\nnormal")
    assert (code, shown) == (0, expected)


def test_a_pipe_gets_every_digit_between_tabs(losscli: Run, folder: Path) -> None:
    (record,) = csv.DictReader(io.StringIO(losscli("compute", "mae", "book.csv").out), delimiter="\t")
    numbers = {name: float(record[name]) for name in ("value", "n", "min", "max")}
    assert numbers == {"value": 0.5, "n": 4, "min": 0, "max": 1}
    assert record["signature"].startswith("mae|mean|w:none|nan:error|float64|")


@pytest.mark.parametrize(("choice", "colored"), [("auto", False), ("never", False), ("always", True)])
def test_colors_reach_a_pipe_only_when_asked_for(losscli: Run, folder: Path, choice: str, colored: bool) -> None:
    outcome = losscli("compute", "mae", "book.csv", "-f", "table", "--color", choice, "-q")
    assert ("\x1b[" in outcome.out) is colored
    assert STYLE.sub("", outcome.out).splitlines() == TABLE.splitlines()[1:]


def test_a_terminal_gets_colors_unless_no_color_is_set(folder: Path) -> None:
    colored, _ = run_in_terminal("NO_COLOR= losscli compute mae -q book.csv", folder)
    assert "\x1b[" in colored
    assert plain(colored) == TABLE.split("\n", 1)[1]


# --- rows -------------------------------------------------------------------------------------------------------------


def test_a_terminal_gets_the_first_rows_and_a_summary(folder: Path) -> None:
    (folder / "p.csv").write_text("pred,target\n" + "".join(f"{row},0\n" for row in range(1, 13)))
    shown, code = run_in_terminal("losscli compute mae p.csv --per-datum -q", folder)
    rows = "".join(f" {row:>2}  {row:>3}\n" for row in range(1, 11))
    assert (code, shown) == (
        0,
        f"row  mae\n────────\n{rows}\n"
        "The first 10 of 12 rows. -o FILE.csv writes all, -f tsv prints them.\n\n"
        "loss   n  mean  min  max\n────────────────────────\nmae   12   6.5    1   12",
    )


def test_a_pipe_gets_every_row_and_nothing_else(losscli: Run, folder: Path) -> None:
    assert losscli("compute", "mae", "book.csv", "--per-datum").out == "row\tmae\n1\t0.5\n2\t0.5\n3\t0\n4\t1\n"


def test_the_largest_rows_stand_above_the_summary(folder: Path) -> None:
    shown, code = run_in_terminal("losscli compute mae book.csv --top 2 --keep y_true -q", folder)
    assert (code, shown) == (
        0,
        "row  y_true  mae\n────────────────\n  4  7.0       1\n  1  3.0     0.5\n\n"
        "loss  n  mean  min  max\n───────────────────────\nmae   4   0.5    0    1",
    )


# --- the catalogue ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [60, 100])
def test_the_list_names_every_loss_within_the_width(folder: Path, columns: int) -> None:
    shown, code = run_in_terminal("losscli list", folder, columns)
    lines = shown.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= columns
    assert [line.split()[0] for line in lines if line.split(" ")[0] in losses()] == list(losses())
    assert lines[-1] == f"{len(losses())} losses. losscli show NAME says all about one."


def test_a_pipe_gets_the_list_as_fields(losscli: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(losscli("list").out), delimiter="\t"))
    assert [row["name"] for row in rows] == list(losses())
    assert [entry["name"] for entry in json.loads(losscli("list", "-f", "json").out)["losses"]] == list(losses())


def test_a_word_that_finds_no_loss_is_said(losscli: Run) -> None:
    outcome = losscli("list", "xyz")
    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        'losscli: no loss is found by "xyz". Hint: losscli list shows them all.\n',
    )


@pytest.mark.parametrize("columns", [60, 100])
def test_a_page_fits_the_width_and_has_its_sections(folder: Path, columns: int) -> None:
    shown, code = run_in_terminal("losscli show huber", folder, columns)
    lines = shown.splitlines()
    assert code == 0
    assert max(map(len, lines)) <= columns
    sections = ["Formula", "Behaviour", "Inputs", "Parameters", "Convention", "Example", "Commands", "References"]
    assert [line for line in lines if line in sections] == sections
    assert lines[0] == "huber  (robust)"


def test_inspect_shows_columns_and_roles(folder: Path) -> None:
    shown, code = run_in_terminal("losscli inspect book.csv", folder)
    lines = shown.splitlines()
    assert (code, lines[0]) == (0, "book.csv  csv, 4 rows, 2 columns")
    described = {line.split()[0]: line.split() for line in lines if line.startswith(("y_true ", "y_pred "))}
    # Name, kind, missing, least, largest, ..., role.
    assert described["y_true"][:5] == ["y_true", "number", "0", "-0.5", "7"]
    assert (described["y_true"][-1], described["y_pred"][-1]) == ("target", "pred")


# --- pictures ---------------------------------------------------------------------------------------------------------


def test_a_plot_is_previewed_and_its_path_is_the_last_line(folder: Path) -> None:
    shown, code = run_in_terminal("losscli plot mae", folder, 60)
    lines = shown.splitlines()
    assert (code, lines[0], lines[-1]) == (0, "mae", "mae.png")
    assert max(map(len, lines)) <= 60
    assert any(0x2800 < ord(character) <= 0x28FF for character in shown), "no dots are drawn"
    assert (folder / "mae.png").read_bytes().startswith(b"\x89PNG")


def test_a_pipe_gets_the_path_of_the_plot_alone(losscli: Run) -> None:
    outcome = losscli("plot", "mae", "-o", "curve.svg")
    assert (outcome.code, outcome.out, outcome.err) == (0, "curve.svg\n", "")


def test_data_of_several_predictions_are_not_laid_under_a_curve(losscli: Run) -> None:
    Path("p.csv").write_text("y,pred_a,pred_b\n1,2,3\n2,2,2\n")
    outcome = losscli("plot", "mae", "--data", "p.csv")
    assert (outcome.code, outcome.out, outcome.err) == (
        2,
        "",
        'losscli: p.csv has 2 predictions, and one is laid under a curve: "pred_a", "pred_b". '
        "Hint: say which one: -p pred_a.\n",
    )
    assert losscli("plot", "mae", "--data", "p.csv", "-p", "pred_b", "-q").out == "mae.png\n"


# --- help -------------------------------------------------------------------------------------------------------------


def test_the_help_of_a_loss_shows_its_options_roles_and_defaults(folder: Path) -> None:
    shown, code = run_in_terminal("losscli compute huber --help", folder)
    page = plain(shown)
    words = " ".join(re.sub(r"[│╭╮╰╯─]", " ", page).split())
    assert code == 0
    assert page.splitlines()[1] == " Usage: losscli compute huber [OPTIONS] [FILES]..."
    assert "in the unit of the target. Takes (0, inf). [default: 1]" in words
    assert "--pred -p COL A real number: a column, a key, #3 or a glob; without FILES a path." in words
    assert "Keep probabilities in [EPS, 1-EPS]." in words
    panels = re.findall(r"^╭─ (.+?) ─", page, flags=re.M)
    assert panels[2:] == ["Roles", "Options of huber", "Input", "Computation", "Answers", "Gates", "Output"]


@pytest.mark.parametrize("arguments", [(), ("compute",), ("compute", "focal"), ("plot", "focal"), ("inspect",)])
def test_help_shows_no_types_of_python(losscli: Run, arguments: tuple[str, ...]) -> None:
    outcome = losscli(*arguments, "--help")
    assert outcome.code == 0
    assert re.findall(r"<\w+(?:\[\w+\])?>", outcome.out) == []


def test_brackets_of_intervals_are_shown_as_they_are(losscli: Run) -> None:
    words = " ".join(losscli("compute", "focal", "--help").out.replace("│", " ").split())
    assert "Takes [0, inf)." in words
    assert "Takes [0, 1]" in words


def test_the_help_of_compute_lists_every_loss_with_its_summary(losscli: Run) -> None:
    page = losscli("compute", "--help").out
    listed = [line.strip("│ ").split()[0] for line in page.splitlines() if line.startswith("│ ")]
    assert [word for word in listed if word in losses()] == list(losses())


def test_without_data_a_terminal_is_told_what_to_give(folder: Path) -> None:
    assert run_in_terminal("losscli compute mae", folder) == (
        "losscli: there is nothing to read. Hint: name a file, or pipe data in; "
        "losscli compute LOSS --help shows more.",
        2,
    )
