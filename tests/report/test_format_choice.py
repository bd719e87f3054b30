from __future__ import annotations

import os
from pathlib import Path

import pytest

from losscli.errors import UsageError
from losscli.report import format_for


@pytest.mark.parametrize(
    ("path", "format"),
    [
        ("a.csv", "csv"),
        ("a.b.TSV", "tsv"),
        ("a.txt", "plain"),
        ("a.json", "json"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson", "jsonl"),
        ("a.md", "md"),
        ("a.tex", "latex"),
        ("a.xml", "junit"),
        ("a.parquet", "parquet"),
        ("a.arrow", "arrow"),
        ("dir.csv/a.feather", "arrow"),
    ],
)
def test_the_suffix_gives_the_format(path: str, format: str) -> None:
    assert format_for(path) == format
    assert format_for(path, "auto") == format
    assert format_for(path, format) == format


@pytest.mark.parametrize("path", [None, "-"])
def test_standard_output_has_the_format_of_the_option(path: str | None) -> None:
    assert format_for(path) == "auto"
    assert format_for(path, "json") == "json"


def test_a_text_file_may_hold_a_table() -> None:
    assert format_for("a.txt", "table") == "table"


def message(path: str | None, format: str | None = None, *, per_datum: bool = False) -> str:
    with pytest.raises(UsageError) as caught:
        format_for(path, format, per_datum=per_datum)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_a_suffix_and_an_option_that_disagree_are_refused() -> None:
    assert message("a.csv", "json") == "a.csv is to hold csv by its suffix, but --format says json."
    assert message("a.xml", "md") == "a.xml is to hold junit by its suffix, but --format says md."


def test_an_unknown_suffix_is_refused_with_the_known_ones() -> None:
    known = ".csv, .tsv, .txt, .json, .jsonl, .ndjson, .md, .tex, .xml, .parquet, .arrow or .feather"
    assert message("a.docx") == f'a.docx: the suffix ".docx" is unknown. Hint: use {known}.'
    assert message("a.docx", "csv").startswith('a.docx: the suffix ".docx" is unknown')


def test_a_file_without_suffix_needs_the_option() -> None:
    assert message("costs") == "costs has no suffix. Hint: give it one, such as .csv, or add --format."
    assert message(".csv") == ".csv has no suffix. Hint: give it one, such as .csv, or add --format."
    assert format_for("costs", "md") == "md"


def test_a_device_and_a_fifo_are_as_standard_output_without_a_terminal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert format_for("/dev/null") == "tsv"
    assert format_for(str(tmp_path / "fifo")) == "tsv"
    assert format_for("/dev/stdout", "json") == "json"


@pytest.mark.parametrize("format", ["github", "junit"])
def test_rows_have_no_verdict(format: str) -> None:
    text = f"the format {format} is for costs, not for the loss of each row. Hint: use csv or jsonl."
    assert message(None, format, per_datum=True) == text
    assert format_for(None, format) == format
