from __future__ import annotations

import csv
import io
import json
import math
import struct
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli import report
from losscli.errors import UsageError
from losscli.result import Record

Make = Callable[..., Record]
SIGNATURE = "huber:delta=2|mean|w:none|nan:error|float64|native|v0.1.0"
FORMATS = ("table", "plain", "json", "jsonl", "csv", "tsv", "md", "latex", "github", "junit")


def test_the_table_shows_what_differs_and_says_what_it_is(record: Make) -> None:
    records = [record(), record(file="other.csv", n_skipped=12, value=2.0, ci_low=1.99, ci_high=2.01)]
    assert report.costs(records, "table", run={"level": 0.95}) == (
        "file       pred  loss               n  skipped      mean  95 % interval\n"
        "───────────────────────────────────────────────────────────────────────\n"
        "preds.csv  p     huber:delta=2  1,000        0  0.512346        ± 0.020\n"
        "other.csv  p     huber:delta=2  1,000       12         2        ± 0.010\n"
        "\n"
        "Mean of the loss per datum, ± half the width of its 95 % normal interval.\n"
    )


def test_columns_that_say_nothing_are_left_out(record: Make) -> None:
    bare = record(file=None, pred=None, ci_low=None, ci_high=None, std_error=None)
    assert report.costs([bare], "table") == (
        "loss               n      mean\n"
        "──────────────────────────────\n"
        "huber:delta=2  1,000  0.512346\n"
        "\n"
        "Mean of the loss per datum.\n"
    )


def test_weights_sums_and_groups_have_columns(record: Make) -> None:
    one = record(group={"region": "north", "n": 3}, weight_sum=12.5, reduction="sum", ci_low=None)
    table = report.costs([one], "table").splitlines()
    assert table[0].split() == ["file", "pred", "loss", "region", "n", "n", "weights", "sum"]
    assert table[2].split() == ["preds.csv", "p", "huber:delta=2", "north", "3", "1,000", "12.5", "0.512346"]
    assert table[-1] == "Weighted sum of the losses."


def test_an_interval_that_is_not_even_shows_both_ends(record: Make) -> None:
    table = report.costs([record(ci_low=0.4)], "table", precision=3)
    assert table.splitlines()[2].endswith("0.512  [0.4, 0.532]")


def test_a_half_width_has_two_digits_and_no_power_of_ten(record: Make) -> None:
    wide = record(value=51234.5, ci_low=51234.5 - 123.4, ci_high=51234.5 + 123.4)
    assert report.costs([wide], "table").splitlines()[2].endswith("51234.5     ± 120")


@pytest.mark.parametrize(("precision", "shown"), [(1, "0.5"), (None, "0.512346"), (17, "0.51234567799999997")])
def test_precision_is_significant_digits_for_people(record: Make, precision: int | None, shown: str) -> None:
    plain = record(ci_low=None)
    for format in ("table", "md", "latex"):
        assert shown in report.costs([plain], format, precision=precision)
    assert report.costs([plain], "plain", precision=precision) == "0.512345678\n"


def test_markup_and_control_characters_of_names_are_shown_as_typed(record: Make) -> None:
    odd = record(file="[red]a[/red].csv", pred="\x1b[31mp\u202e", group={"[bold]": ":smile:\n"})
    table = report.costs([odd], "table", color=False)
    assert "[red]a[/red].csv  \\x1b[31mp\\u202e  huber:delta=2  :smile:\\n" in table
    assert "\x1b" not in table
    assert "[bold]" in table


def test_colour_is_only_there_when_asked_for(record: Make) -> None:
    assert "\x1b[" in report.costs([record()], "table", color=True)
    assert "\x1b[" not in report.costs([record()], "table", color=False)


def test_plain_is_one_bare_number_a_line(record: Make) -> None:
    values = [0.1, 1e-07, 2.0, math.inf, -math.inf, math.nan]
    text = report.costs([record(value=value) for value in values], "plain")
    assert text == "0.1\n1e-07\n2.0\ninf\n-inf\nnan\n"


def test_json_is_one_document_with_what_made_it(record: Make) -> None:
    odd = record(value=math.nan, ci_low=math.inf, status="nan", group={"region": "a"}, std_error=None)
    text = report.costs([odd], "json", run={"files": ["preds.csv"], "level": 0.95})
    assert json.loads(text) == {
        "schema": 1,
        "results": [
            {
                "file": "preds.csv",
                "pred": "p",
                "loss": "huber:delta=2",
                "params": {"delta": 2.0},
                "reduction": "mean",
                "group": {"region": "a"},
                "n": 1000,
                "n_skipped": 0,
                "weight_sum": 1000.0,
                "value": None,
                "std_error": None,
                "ci_low": None,
                "ci_high": 0.532345678,
                "min": 0.0,
                "max": 9.5,
                "status": "nan",
                "signature": SIGNATURE,
            }
        ],
        "run": {"files": ["preds.csv"], "level": 0.95},
    }
    assert text.endswith("}\n")
    assert json.loads(report.costs([], "json")) == {"schema": 1, "results": []}


def test_json_lines_are_the_same_objects(record: Make) -> None:
    records = [record(), record(value=1.0, group={"a": None, "b": float("nan")})]
    lines = report.costs(records, "jsonl").splitlines()
    assert [json.loads(line) for line in lines] == json.loads(report.costs(records, "json"))["results"]


def test_json_holds_odd_names_exactly_without_raw_control_characters(record: Make) -> None:
    name = 'a"\\\n\x1b[31m\u202e\udcff\U000e0001é.csv'
    text = report.costs([record(file=name)], "jsonl")
    assert json.loads(text)["file"] == name
    assert text.rstrip("\n").isprintable()
    assert "é" in text


def test_an_infinite_parameter_is_kept_as_a_word(record: Make) -> None:
    assert json.loads(report.costs([record(params={"alpha": -math.inf})], "jsonl"))["params"] == {"alpha": "-inf"}


def test_csv_and_tsv_have_the_same_fields_as_columns(record: Make) -> None:
    one = record(group={"region": 'north, "old"', "n": 3}, params={"class_weight": (0.2, 0.8), "alpha": None})
    text = report.costs([one, record(std_error=None, ci_low=None, value=math.inf)], "csv")
    assert text == (
        "file,pred,loss,params,reduction,region,group:n,n,n_skipped,weight_sum,value,std_error,ci_low,ci_high,"
        "min,max,status,signature\n"
        'preds.csv,p,huber:delta=2,class-weight=0.2/0.8:alpha=none,mean,"north, ""old""",3,1000,0,1000.0,0.512345678,'
        f"0.01,0.492345678,0.532345678,0.0,9.5,ok,{SIGNATURE}\n"
        f"preds.csv,p,huber:delta=2,delta=2,mean,,,1000,0,1000.0,inf,,,0.532345678,0.0,9.5,ok,{SIGNATURE}\n"
    )
    tabs = report.costs([one], "tsv")
    assert next(csv.reader(io.StringIO(tabs), delimiter="\t")) == text.splitlines()[0].split(",")
    assert '\tnorth, "old"\t' not in tabs
    assert '\t"north, ""old"""\t' in tabs


@pytest.mark.parametrize(("format", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_cells_with_delimiters_and_line_ends_read_back(record: Make, format: str, delimiter: str) -> None:
    name = 'a\tb,c\n"d"\r.csv'
    rows = list(csv.reader(io.StringIO(report.costs([record(file=name)], format), newline=""), delimiter=delimiter))
    assert len(rows) == 2
    assert rows[1][0] == name


floats = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(values=st.lists(floats, min_size=1, max_size=5))
def test_machine_formats_give_back_the_same_bits(values: list[float]) -> None:
    records = [Record("f", None, "mae", {}, "mean", {}, 1, 0, 1.0, v, v, v, v, v, v, "ok", "s") for v in values]

    def bits(found: list[float]) -> list[bytes]:
        return [b"nan" if math.isnan(value) else struct.pack("<d", value) for value in found]

    assert bits([float(line) for line in report.costs(records, "plain").splitlines()]) == bits(values)
    for format, delimiter in (("csv", ","), ("tsv", "\t")):
        rows = csv.DictReader(io.StringIO(report.costs(records, format)), delimiter=delimiter)
        assert bits([float(row["value"]) for row in rows]) == bits(values)
    finite = [value for value in values if math.isfinite(value)]
    for text in (
        report.costs(records, "json"),
        f'{{"results": [{",".join(report.costs(records, "jsonl").splitlines())}]}}',
    ):
        found = [entry["value"] for entry in json.loads(text)["results"]]
        assert bits([value for value in found if value is not None]) == bits(finite)


def test_markdown_is_a_padded_table_with_its_meaning(record: Make) -> None:
    assert report.costs([record(pred="p_a|*b*")], "md", run={"level": 0.9}) == (
        "| file      | pred        | loss          |     n |     mean | 90 % interval |\n"
        "| --------- | ----------- | ------------- | ----: | -------: | ------------: |\n"
        "| preds.csv | p\\_a\\|\\*b\\* | huber:delta=2 | 1,000 | 0.512346 |       ± 0.020 |\n"
        "\n"
        "Mean of the loss per datum, ± half the width of its 90 % normal interval.\n"
    )


def test_latex_is_a_booktabs_table_with_everything_escaped(record: Make) -> None:
    odd = record(pred="p_a & 50% #1 {x}~^\\", value=-1.5e-07, ci_low=None)
    assert report.costs([odd], "latex") == (
        "% Mean of the loss per datum.\n"
        "% Needs \\usepackage{booktabs}.\n"
        "\\begin{tabular}{lllrr}\n"
        "\\toprule\n"
        "file & pred & loss & n & mean \\\\\n"
        "\\midrule\n"
        "preds.csv & p\\_a \\& 50\\% \\#1 \\{x\\}\\textasciitilde{}\\textasciicircum{}\\textbackslash{} & "
        "huber:delta=2 & $1{,}000$ & $-1.5 \\times 10^{-7}$ \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
    )


def test_github_annotates_each_record_and_makes_a_gate_an_error(record: Make) -> None:
    records = [record(), record(file=None, pred=None), record(file="a,b:100%.csv", value=math.inf, status="infinite")]
    assert report.costs(records, "github", failures={1: "is 0.512345678, over 0.4"}) == (
        "::notice file=preds.csv,title=huber%3Adelta=2 p::mean 0.512346 (n = 1,000)\n"
        "::error title=huber%3Adelta=2::huber:delta=2 is 0.512345678, over 0.4 (n = 1,000)\n"
        "::warning file=a%2Cb%3A100%25.csv,title=huber%3Adelta=2 p::mean inf (n = 1,000)\n"
    )


def test_a_name_cannot_start_another_workflow_command(record: Make) -> None:
    text = report.costs([record(file="a\n::error::x", pred="\r\n::set-output::")], "github")
    assert text.count("\n") == 1
    assert text.startswith("::notice file=a\\n%3A%3Aerror%3A%3Ax,")


def test_junit_is_xml_with_a_case_a_record_and_gates_as_failures(record: Make) -> None:
    records = [record(group={"region": "a<b"}), record(file=None, value=math.nan)]
    root = ElementTree.fromstring(report.costs(records, "junit", failures={1: 'is nan "x" & y\x01'}))
    assert root.tag == "testsuites"
    assert root.attrib == {"name": "losscli", "tests": "2", "failures": "1", "errors": "0"}
    first, second = root.iter("testcase")
    assert first.attrib == {"classname": "preds.csv", "name": "huber:delta=2 p region=a<b"}
    assert first.find("failure") is None
    assert first.findtext("system-out") == f"mean 0.512345678, n 1000, skipped 0, {SIGNATURE}"
    assert second.attrib["classname"] == "data"
    failure = second.find("failure")
    assert failure is not None
    assert failure.attrib == {"message": 'is nan "x" & y\\x01'}


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_ends_with_a_line_end_and_can_be_encoded(record: Make, format: str) -> None:
    text = report.costs([record(file="a\udcff.csv", group={"g\udcff": "\udcff"})], format, failures={0: "x"})
    assert text.endswith("\n")
    assert text.encode()


def test_an_unknown_format_is_refused(record: Make) -> None:
    with pytest.raises(UsageError) as caught:
        report.costs([record()], "xlsx")
    assert str(caught.value) == 'costs cannot be printed as "xlsx".'


@pytest.mark.parametrize("format", ["parquet", "arrow"])
def test_costs_can_be_a_binary_table(record: Make, format: str) -> None:
    import pyarrow
    from pyarrow import parquet

    records = [record(group={"fold": 1}), record(group={"fold": 2}, std_error=None, value=math.inf)]
    content = report.cost_bytes(records, format)
    source = pyarrow.BufferReader(content)
    table = parquet.read_table(source) if format == "parquet" else pyarrow.ipc.open_file(source).read_all()
    assert table.column_names == report.costs(records, "csv").splitlines()[0].split(",")
    assert table["value"].to_pylist() == [0.512345678, math.inf]
    assert table["std_error"].to_pylist() == [0.01, None]
    assert table["fold"].to_pylist() == [1, 2]


def test_bytes_of_a_text_format_are_its_text(record: Make) -> None:
    assert (
        report.cost_bytes([record()], "table", precision=3) == report.costs([record()], "table", precision=3).encode()
    )


CODE = """
import sys
from losscli import report
from losscli.result import Record
record = Record("f", None, "mae", {}, "mean", {}, 1, 0, 1.0, 1.0, None, None, None, 1.0, 1.0, "ok", "s")
report.costs([record], sys.argv[1])
print([name for name in ("rich", "torch", "pyarrow", "numpy", "pandas") if name in sys.modules])
"""


@pytest.mark.parametrize(("format", "loaded"), [("json", "[]"), ("tsv", "[]"), ("plain", "[]"), ("table", "['rich']")])
def test_only_what_draws_imports_rich_and_nothing_imports_torch(format: str, loaded: str) -> None:
    done = subprocess.run([sys.executable, "-c", CODE, format], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == loaded


@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_no_width_cuts_anything_from_a_table(record: Make, width: int) -> None:
    records: list[Any] = [
        record(file="a_rather_long_folder/with_predictions_of_models.csv", ci_low=0.4, n_skipped=3),
        record(group={"region": "日本語の長い名前です"}, loss="mae", value=1234567.0),
    ]
    text = report.costs(records, "table", width=width)
    from rich.cells import cell_len

    assert max(cell_len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    squeezed = "".join(text.split())
    for number in ("0.512346", "[0.4,0.532346]", "1.23457e+06", "1,000"):
        assert number in squeezed
    letters = set("".join(text.split()))
    assert set("日本語の長い名前です") <= letters
