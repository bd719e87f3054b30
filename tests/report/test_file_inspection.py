from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from rich.cells import cell_len

from losscli import report
from losscli.columns.inspection import ColumnFacts, Inspection
from losscli.errors import UsageError

FOUND = Inspection(
    file="my preds.csv",
    format="csv",
    rows=2000,
    columns=(
        ColumnFacts("[red]id[/]", "f", "text", (), 0, None, None, ("a\x1b", "x" * 30), "an id"),
        ColumnFacts("z", "f", "vector", (4,), 12, -1.5, 1 / 3, ((0.123456, 2.0),), "vectors of 4"),
        ColumnFacts("y", "f", "number", (), 0, 0.0, 3.0, (0, 1, None), "numbers", "row 3: no number"),
    ),
    roles={"pred": ("z",), "target": None},
    why={"pred": '"z" as pred: its name says so.', "target": "two fit."},
    losses=("mae", "huber:delta=2"),
)


def test_a_file_is_shown_with_its_columns_roles_and_losses() -> None:
    assert report.inspection([FOUND], "table", width=120) == (
        "my preds.csv  csv, 2,000 rows, 3 columns\n"
        "\n"
        "column      kind        missing   min       max  first values                    looks like    role\n"
        "───────────────────────────────────────────────────────────────────────────────────────────────────\n"
        "[red]id[/]  text              0                  a\\x1b, xxxxxxxxxxxxxxxxxxxx...  an id\n"
        "z           vector (4)       12  -1.5  0.333333  (0.1235, 2)                     vectors of 4  pred\n"
        "y           number            0     0         3  0, 1                            numbers\n"
        "row 3: no number\n"
        "\n"
        "Roles\n"
        'pred    z  "z" as pred: its name says so.\n'
        "target  ?  two fit.\n"
        "\n"
        "Losses that suit\n"
        "mae, huber:delta=2\n"
        "Next: losscli compute mae 'my preds.csv'\n"
    )


def test_a_file_that_suits_no_loss_says_where_to_look() -> None:
    bare = Inspection(file="x.npy", format="npy", rows=1, columns=FOUND.columns[2:])
    assert report.inspection([replace(bare, columns=(replace(FOUND.columns[2], problem=None),))], "table") == (
        "x.npy  npy, 1 row, 1 column\n"
        "\n"
        "column  kind    missing  min  max  first values  looks like\n"
        "───────────────────────────────────────────────────────────\n"
        "y       number        0    0    3  0, 1          numbers\n"
        "\n"
        "Losses that suit\n"
        "None has every role. losscli show LOSS says what a loss needs.\n"
    )


def test_the_next_command_reads_standard_input_as_a_dash() -> None:
    text = report.inspection([replace(FOUND, file="standard input")], "table")
    assert text.splitlines()[-1] == "Next: losscli compute mae -"


def test_a_file_of_unknown_length_without_columns_is_shown() -> None:
    empty = Inspection(file="x.csv", format="csv", rows=None, columns=())
    assert report.inspection([empty], "table").startswith("x.csv  csv, an unknown number of rows, 0 columns\n\nLosses")


@pytest.mark.parametrize("width", [30, 60, 80, 120])
def test_an_inspection_fits_the_terminal(width: int) -> None:
    text = report.inspection([FOUND, FOUND], "table", width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "\x1b" not in text


def test_json_holds_the_facts_with_null_for_what_is_not_finite() -> None:
    odd = replace(FOUND, columns=(replace(FOUND.columns[1], max=math.inf),))
    text = report.inspection([odd], "json")
    entry = json.loads(text)["files"][0]
    assert json.loads(text)["schema"] == 1
    assert entry["columns"][0]["max"] is None
    assert entry["roles"] == {"pred": ["z"], "target": None}
    assert entry["losses"] == ["mae", "huber:delta=2"]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        report.inspection([FOUND], "md")
    assert str(caught.value) == 'what a file holds cannot be printed as "md". Hint: use table or json.'
