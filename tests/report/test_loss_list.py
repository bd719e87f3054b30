from __future__ import annotations

import csv
import io
import json

import pytest
from rich.cells import cell_len

from losscli import report
from losscli.errors import UsageError
from losscli.registry import losses

ALL = list(losses().values())


def test_the_list_is_grouped_by_family() -> None:
    lines = report.catalogue(ALL, "table", width=100).splitlines()
    families = [family[:1].upper() + family[1:] for family in dict.fromkeys(loss.family for loss in ALL)]
    assert [line for line in lines if line in families] == families
    robust = lines.index("Robust")
    assert lines[robust + 1].startswith("huber ")
    assert lines[-1] == f"{len(ALL)} losses. losscli show NAME says all about one."


def test_one_loss_is_one_loss() -> None:
    mae = next(loss for loss in ALL if loss.name == "mae")
    assert report.catalogue([mae], "table", width=200) == (
        "Regression\n"
        f"mae  {mae.summary} Also {', '.join(mae.aliases)}.\n"
        "\n"
        "1 loss. losscli show NAME says all about one.\n"
    )


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_list_fits_the_terminal_and_keeps_every_name_whole(width: int) -> None:
    text = report.catalogue(ALL, "table", width=width)
    assert max(cell_len(line) for line in text.splitlines()) <= width
    words = text.replace(",", " ").replace(".", " ").split()
    assert {loss.name for loss in ALL} <= set(words)
    if width >= 60:
        assert {alias for loss in ALL for alias in loss.aliases} <= set(words)


def test_plain_is_the_names() -> None:
    assert report.catalogue(ALL, "plain").split("\n") == [*(loss.name for loss in ALL), ""]


@pytest.mark.parametrize(("format", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_delimited_text_and_json_hold_the_same(format: str, delimiter: str) -> None:
    rows = list(csv.DictReader(io.StringIO(report.catalogue(ALL, format)), delimiter=delimiter))
    document = json.loads(report.catalogue(ALL, "json"))
    assert document["schema"] == 1
    assert [loss.name for loss in ALL] == [row["name"] for row in rows]
    for row, entry in zip(rows, document["losses"]):
        assert row == {name: value if isinstance(value, str) else ",".join(value) for name, value in entry.items()}


def test_markdown_is_one_table() -> None:
    lines = report.catalogue(ALL, "md").splitlines()
    assert len(lines) == len(ALL) + 2
    assert lines[0].replace(" ", "") == "|name|also|family|whatitis|"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        report.catalogue(ALL, "parquet")
    assert str(caught.value) == 'the list of losses cannot be printed as "parquet".'
