from __future__ import annotations

import csv
import datetime
import io
import json
import math
import struct
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from losscli.errors import ResourceError, UsageError
from losscli.output import open_output
from losscli.report import row_writer
from losscli.report.cells import json_cells, plain_cells
from losscli.result import Record

FORMATS = ("csv", "tsv", "jsonl", "json", "plain", "md", "latex", "parquet", "arrow", "table")
SMALL = pyarrow.record_batch(
    {
        "row": pyarrow.array([1, 2, 4]),
        "name": ["a", 'b, "c"', None],
        "mae": [0.1, math.nan, 2.0],
        "huber:delta=2": [1e-07, math.inf, -0.0],
    }
)


def written(
    format: str, *batches: pyarrow.RecordBatch, losses: int = 2, records: tuple[Record, ...] = (), **options: Any
) -> bytes:
    file = io.BytesIO()
    writer = row_writer(format, file, batches[0].schema, losses=losses, **options)
    for batch in batches:
        writer.write(batch)
    writer.close(records)
    return file.getvalue()


def text(format: str, *batches: pyarrow.RecordBatch, **options: Any) -> str:
    return written(format, *batches, **options).decode()


def test_csv_has_quotes_only_where_a_cell_needs_them() -> None:
    assert text("csv", SMALL) == ('row,name,mae,huber:delta=2\n1,a,0.1,1e-7\n2,"b, ""c""",nan,inf\n4,,2,-0\n')


def test_both_ways_of_writing_csv_give_the_same_text() -> None:
    """Arrow's writer is used for a batch without quotes, joined cells for one with."""
    plain = SMALL.filter(pyarrow.array([True, False, True]))
    assert text("csv", plain) == text("csv", SMALL).replace('2,"b, ""c""",nan,inf\n', "")


def test_tsv_quotes_tabs_and_line_ends() -> None:
    batch = pyarrow.record_batch({"row": [1, 2], "x\ty": ["a\tb", "c\r\nd"], "mae": [1.5, 2.5]})
    assert text("tsv", batch, losses=1) == 'row\t"x\ty"\tmae\n1\t"a\tb"\t1.5\n2\t"c\r\nd"\t2.5\n'


def test_json_lines_are_objects_with_null_for_what_is_not_finite() -> None:
    assert text("jsonl", SMALL) == (
        '{"row": 1, "name": "a", "mae": 0.1, "huber:delta=2": 1e-7}\n'
        '{"row": 2, "name": "b, \\"c\\"", "mae": null, "huber:delta=2": null}\n'
        '{"row": 4, "name": null, "mae": 2, "huber:delta=2": -0.0}\n'
    )


def test_json_is_one_document_however_many_batches() -> None:
    lines = [json.loads(line) for line in text("jsonl", SMALL).splitlines()]
    for batches in ([SMALL], [SMALL.slice(0, 1), SMALL.slice(1, 0), SMALL.slice(1)]):
        assert json.loads(text("json", *batches)) == {"schema": 1, "results": lines}
    assert json.loads(text("json", SMALL.slice(0, 0))) == {"schema": 1, "results": []}


def test_plain_is_the_losses_alone() -> None:
    assert text("plain", SMALL) == "0.1 1e-7\nnan inf\n2 -0\n"
    assert text("plain", SMALL.select(["row", "mae"]), losses=1) == "0.1\nnan\n2\n"


def test_markdown_and_latex_are_rounded_for_people() -> None:
    batch = pyarrow.record_batch({"row": [1], "a_b": ["x|y"], "mae": [1 / 3]})
    assert text("md", batch, losses=1, precision=3) == (
        "| row | a\\_b | mae |\n| ---: | --- | ---: |\n| 1 | x\\|y | 0.333 |\n"
    )
    assert text("latex", batch, losses=1) == (
        "% Needs \\usepackage{booktabs,longtable}.\n\\begin{longtable}{rlr}\n\\toprule\nrow & a\\_b & mae \\\\\n"
        "\\midrule\n\\endhead\n$1$ & x\\textbar{}y & $0.333333$ \\\\\n\\bottomrule\n\\end{longtable}\n"
    )


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_binary_formats_keep_types_and_bits(format: str) -> None:
    source = pyarrow.BufferReader(written(format, SMALL.slice(0, 2), SMALL.slice(2)))
    table = parquet.read_table(source) if format == "parquet" else pyarrow.ipc.open_file(source).read_all()
    assert table.schema == SMALL.schema
    assert table.drop(["mae"]).to_pylist() == pyarrow.table(SMALL).drop(["mae"]).to_pylist()
    assert math.copysign(1, table["huber:delta=2"][2].as_py()) == -1


def test_parquet_pages_have_checksums() -> None:
    # Pi is neither the smallest nor the largest, so that no statistics hold it.
    batch = pyarrow.record_batch({"row": [1, 2, 3], "mae": [1.0, math.pi, 4.0]})
    content = bytearray(written("parquet", batch, losses=1))
    content[bytes(content).index(struct.pack("<d", math.pi))] ^= 1
    with pytest.raises(OSError, match="CRC"):
        parquet.read_table(pyarrow.BufferReader(bytes(content)), page_checksum_verification=True)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(), min_size=1, max_size=20), single=st.booleans())
def test_machine_formats_give_back_the_same_bits(values: list[float], single: bool) -> None:
    kind = pyarrow.float32() if single else pyarrow.float64()
    array = pyarrow.array(values, pyarrow.float64()).cast(kind, safe=False)
    batch = pyarrow.RecordBatch.from_arrays([pyarrow.array(range(len(values))), array], names=["row", "mae"])

    def bits(found: list[float]) -> list[bytes]:
        return [b"nan" if math.isnan(v) else struct.pack("<f" if single else "<d", v) for v in found]

    expected = bits(array.to_pylist())
    assert bits([float(line) for line in text("plain", batch, losses=1).splitlines()]) == expected
    for format, delimiter in (("csv", ","), ("tsv", "\t")):
        rows = csv.DictReader(io.StringIO(text(format, batch, losses=1)), delimiter=delimiter)
        assert bits([float(row["mae"]) for row in rows]) == expected
    finite = [b for b, v in zip(expected, array.to_pylist()) if math.isfinite(v)]
    for rows_ in (
        [json.loads(line) for line in text("jsonl", batch, losses=1).splitlines()],
        json.loads(text("json", batch, losses=1))["results"],
    ):
        assert bits([row["mae"] for row in rows_ if row["mae"] is not None]) == finite


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_no_shorter_text_would_read_back_as_the_same_number(values: list[float]) -> None:
    def digits(number: str) -> str:
        return number.lower().partition("e")[0].replace(".", "").lstrip("-0").rstrip("0")

    found = plain_cells(pyarrow.array(values)).to_pylist()
    assert [digits(cell) for cell in found] == [digits(repr(value)) for value in values]


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.none()


@settings(max_examples=60, deadline=None)
@given(cells=st.lists(words, min_size=1, max_size=10), name=st.text("a,\t\n\"'\\ é", min_size=1))
def test_kept_texts_read_back_whatever_they_hold(cells: list[str | None], name: str) -> None:
    arrays = [
        pyarrow.array(range(len(cells))),
        pyarrow.array(cells, pyarrow.string()),
        pyarrow.array([0.5] * len(cells)),
    ]
    batch = pyarrow.RecordBatch.from_arrays(arrays, names=["row", name, "mae"])
    for format, delimiter in (("csv", ","), ("tsv", "\t")):
        source = io.StringIO(text(format, batch, losses=1).replace("\0", "␀"), newline="")
        rows = list(csv.reader(source, delimiter=delimiter))
        assert rows[0] == ["row", name, "mae"]
        assert [row[1] for row in rows[1:]] == [(cell or "").replace("\0", "␀") for cell in cells]
    lines = text("jsonl", batch, losses=1).split("\n")[:-1]
    assert [json.loads(line)[name] for line in lines] == cells


KEPT: list[tuple[pyarrow.Array, list[str], list[object]]] = [
    (pyarrow.array([2**63 - 1, None]), ["9223372036854775807", ""], [2**63 - 1, None]),
    (pyarrow.array(["007", "1e5"]), ["007", "1e5"], ["007", "1e5"]),
    (pyarrow.array(["b", "a", None]).dictionary_encode(), ["b", "a", ""], ["b", "a", None]),
    (pyarrow.array([True, None]), ["true", ""], [True, None]),
    (pyarrow.array([1.5, None, math.nan]), ["1.5", "", "nan"], [1.5, None, None]),
    (pyarrow.array([Decimal("1.10"), None]), ["1.10", ""], [1.1, None]),
    (pyarrow.array([datetime.date(2024, 2, 29)]), ["2024-02-29"], ["2024-02-29"]),
    (pyarrow.array([b"\xff\x00"]), ["ff00"], ["ff00"]),
    (pyarrow.array([datetime.timedelta(seconds=90)]), ["0:01:30"], ["0:01:30"]),
    (pyarrow.array([[1.5, None], [], None]), ["[1.5,null]", "[]", "null"], [[1.5, None], [], None]),
    (pyarrow.array([[1, 2]], pyarrow.list_(pyarrow.int8(), 2)), ["[1,2]"], [[1, 2]]),
    (pyarrow.array([{"a": 'x"', "b": 1}]), ['{"a":"x\\"","b":1}'], [{"a": 'x"', "b": 1}]),
    (pyarrow.array(["x"], pyarrow.large_string()), ["x"], ["x"]),
    (pyarrow.array([None, None]), ["", ""], [None, None]),
]


@pytest.mark.parametrize(("column", "plain", "parsed"), KEPT, ids=lambda value: str(getattr(value, "type", "")))
def test_kept_columns_of_every_type_are_written(column: pyarrow.Array, plain: list[str], parsed: list[object]) -> None:
    assert plain_cells(column).to_pylist() == plain
    assert [json.loads(cell) for cell in json_cells(column).to_pylist()] == parsed
    sliced = pyarrow.concat_arrays([column, column]).slice(len(column))
    assert json_cells(sliced).to_pylist() == json_cells(column).to_pylist()
    batch = pyarrow.RecordBatch.from_arrays(
        [pyarrow.array(range(len(column))), column, pyarrow.array([0.5] * len(column))], names=["row", "k", "mae"]
    )
    for format in FORMATS:
        assert written(format, batch, losses=1)


def test_batches_with_more_text_than_a_piece_holds_are_cut_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {format: written(format, SMALL) for format in ("csv", "jsonl", "json", "plain")}
    monkeypatch.setattr("losscli.report.rows.LARGEST_BATCH_BYTES", 10)
    assert {format: written(format, SMALL) for format in whole} == whole


def test_the_terminal_shows_the_first_rows_and_a_summary() -> None:
    batch = pyarrow.record_batch({"row": range(1, 1201), "id": ["[red]x"] * 1200, "mae": [i / 4 for i in range(1200)]})
    table = text("table", batch.slice(0, 5), batch.slice(5), losses=1, shown_rows=2)
    assert table == (
        "row  id       mae\n"
        "─────────────────\n"
        "  1  [red]x     0\n"
        "  2  [red]x  0.25\n"
        "\n"
        "The first 2 of 1,200 rows. -o FILE.csv writes all, -f tsv prints them.\n"
        "\n"
        "loss      n     mean  min     max\n"
        "─────────────────────────────────\n"
        "mae   1,200  149.875    0  299.75\n"
    )


def test_all_rows_are_shown_where_they_are_few() -> None:
    table = text("table", SMALL)
    assert "The first" not in table
    assert [line.split()[0] for line in table.splitlines()[2:5]] == ["1", "2", "4"]


def test_the_summary_takes_its_numbers_from_the_records() -> None:
    one = Record("f", None, "mae", {}, "sum", {}, 7, 0, 7.0, 42.5, None, None, None, 0.5, 9.5, "ok", "s")
    table = text("table", SMALL.select(["row", "mae"]), losses=1, records=(one,))
    assert table.splitlines()[-3].split() == ["loss", "n", "sum", "min", "max"]
    assert table.splitlines()[-1].split() == ["mae", "7", "42.5", "0.5", "9.5"]


def test_a_summary_of_its_own_leaves_out_what_is_missing() -> None:
    last = text("table", SMALL.select(["row", "mae"]), losses=1).splitlines()[-1]
    assert last.split() == ["mae", "2", "1.05", "0.1", "2"]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        written("xlsx", SMALL)
    assert str(caught.value) == 'the loss of each row cannot be written as "xlsx".'


@pytest.mark.parametrize("format", ["csv", "jsonl", "json", "plain", "md", "latex", "parquet", "arrow"])
def test_a_full_disk_is_the_same_error_in_every_format(format: str) -> None:
    rows = 300_000
    batch = pyarrow.record_batch({"row": range(rows), "mae": [1 / (i + 1) for i in range(rows)]})

    def write() -> None:
        with open_output("/dev/full") as file, row_writer(format, file, batch.schema, losses=1) as writer:
            for start in range(0, rows, 100_000):
                writer.write(batch.slice(start, 100_000 if format not in ("md", "latex") else 10_000))

    with pytest.raises(ResourceError) as caught:
        write()
    assert str(caught.value) == "/dev/full cannot be written: No space left on device."


@pytest.mark.parametrize("format", FORMATS)
def test_what_fails_on_the_way_leaves_no_file(format: str, tmp_path: Path) -> None:
    path = tmp_path / "out"

    def write() -> None:
        with open_output(str(path)) as file, row_writer(format, file, SMALL.schema, losses=2) as writer:
            writer.write(SMALL)
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        write()
    assert list(tmp_path.iterdir()) == []
