"""The same data through every format, and what Parquet, Arrow and JSON Lines may hold beside."""

from __future__ import annotations

import bz2
import decimal
import gzip
import io
import json
import lzma
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

from losscli.errors import LosscliError, UsageError
from losscli.readers import open_memory, open_source
from losscli.readers.columnar import ParquetSource
from losscli.readers.interchange import python_of
from losscli.readers.source import Consumed, Field, ReadOptions
from tests.readers.reading import everything, problem, write

GENERATOR = numpy.random.default_rng(7)
FRAME = pandas.DataFrame(
    {
        "pred": numpy.concatenate(
            [GENERATOR.normal(size=300) * 10.0 ** GENERATOR.integers(-300, 300, 300), [numpy.nan]]
        ),
        "target": GENERATOR.integers(0, 2, 301),
        "class": GENERATOR.choice(["cat", "dog"], 301),
    }
)


def zstd(data: bytes) -> bytes:
    sink = pyarrow.BufferOutputStream()
    with pyarrow.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def csv_bytes(separator: str = ",", end: str = "\n") -> bytes:
    return FRAME.to_csv(index=False, sep=separator, lineterminator=end).encode()


def feather() -> bytes:
    sink = io.BytesIO()
    pyarrow.feather.write_feather(FRAME, sink)
    return sink.getvalue()


def stream() -> bytes:
    sink = io.BytesIO()
    table = pyarrow.Table.from_pandas(FRAME)
    with pyarrow.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=100)
    return sink.getvalue()


def npz() -> bytes:
    sink = io.BytesIO()
    numpy.savez(
        sink, **{"pred": FRAME["pred"], "target": FRAME["target"], "class": FRAME["class"].to_numpy(dtype="U3")}
    )
    return sink.getvalue()


def jsonl() -> bytes:
    records = FRAME.astype(object).where(FRAME.notna(), None).to_dict("records")
    return "".join(json.dumps(record) + "\n" for record in records).encode()


FILES: dict[str, Callable[[], bytes]] = {
    "x.csv": csv_bytes,
    "x.tsv": lambda: csv_bytes("\t"),
    "crlf.csv": lambda: csv_bytes(end="\r\n"),
    "x.csv.gz": lambda: gzip.compress(csv_bytes()),
    "x.csv.bz2": lambda: bz2.compress(csv_bytes()),
    "x.csv.xz": lambda: lzma.compress(csv_bytes()),
    "x.csv.zst": lambda: zstd(csv_bytes()),
    "x.jsonl": jsonl,
    "x.jsonl.gz": lambda: gzip.compress(jsonl()),
    "x.parquet": lambda: FRAME.to_parquet(row_group_size=70),
    "x.feather": feather,
    "x.arrow": stream,
    "x.npz": npz,
}


class Input:
    """Standard input with these bytes, read in small pieces."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BufferedReader(io.BytesIO(data))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("standard_input", [False, True], ids=["file", "standard input"])
@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_the_same_data_give_the_same_bits_in_every_format(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, standard_input: bool, large: bool
) -> None:
    if large:
        monkeypatch.setattr("losscli.readers.text.IN_MEMORY", 0)
        monkeypatch.setattr("losscli.readers.spool.IN_MEMORY", 0)
    write(folder, name, FILES[name]())
    monkeypatch.setattr("sys.stdin", Input(FILES[name]()))
    source = open_source("-" if standard_input else name)
    words = Field(("class",), words=("cat", "dog"))
    fields = ["pred", "target", words]
    rows, values, kept = everything(source, fields, ["class"], chunk_rows=64)
    _, expected, _ = everything(open_memory(FRAME), fields)
    assert rows == list(range(1, 302))
    for key in ("pred", "target", "class"):
        assert values[key].tobytes() == expected[key].tobytes()
    assert kept["class"] == FRAME["class"].tolist()
    assert source.columns[0].file == ("standard input" if standard_input else name)
    assert not any("compressed" in note for note in source.notes)


def test_the_format_can_be_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, "data", "p\tq\n1\t2\n")
    assert open_source("data", ReadOptions(format="tsv")).format == "tsv"
    assert problem("data", ReadOptions(format="xls")) == (
        '--input-format "xls" is none of csv, tsv, jsonl, parquet, arrow, npy, npz.'
    )


def test_a_compression_that_the_name_does_not_tell_is_said(folder: Path) -> None:
    write(folder, "x.csv", gzip.compress(b"p\n1\n"))
    source = open_source("x.csv")
    assert everything(source)[1]["p"].tolist() == [1]
    assert source.notes == ["x.csv: compressed as gz, though its name does not say so"]


# The zstd that Arrow writes has no checksum; where there is one, libzstd verifies it.
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        *(
            (f"x.csv.{suffix}", fault)
            for suffix in ("gz", "bz2", "xz")
            for fault in ("cut", "changed", "not compressed")
        ),
        *(("x.csv.zst", fault) for fault in ("cut", "not compressed")),
    ],
)
def test_damaged_compressed_data_are_refused(folder: Path, name: str, fault: str) -> None:
    data = bytearray(FILES[name]())
    if fault == "cut":
        data = data[: len(data) // 2]
        expected = "the compressed data end too soon."
    elif fault == "changed":
        # The checksum of gzip and xz is near the end, bzip2's and the content in the middle.
        data[len(data) // 2] ^= 1
        expected = "the compressed data are damaged: they do not match their checksum or format."
    else:
        data = bytearray(csv_bytes())
        expected = f"the name ends in {Path(name).suffix}, but the file is not compressed like that."
    write(folder, name, bytes(data))
    assert problem(name) == f"{name}: {expected}"


def test_a_gzip_with_a_wrong_checksum_is_refused(folder: Path) -> None:
    data = bytearray(gzip.compress(b"p\n1\n2\n"))
    data[-6] ^= 1
    write(folder, "x.csv.gz", bytes(data))
    message = "x.csv.gz: the compressed data are damaged: they do not match their checksum or format."
    assert problem("x.csv.gz") == message


def test_no_temporary_file_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("losscli.readers.spool.IN_MEMORY", 0)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    write(folder, "x.csv.gz", gzip.compress(b"p\n1\nx\n"))
    with pytest.raises(LosscliError):
        everything(open_source("x.csv.gz"))
    assert [path.name for path in folder.iterdir()] == ["x.csv.gz"]


# --- Parquet and Arrow ------------------------------------------------------------------------------------------------


def parquet(folder: Path, columns: dict[str, Any], **options: Any) -> None:
    pyarrow.parquet.write_table(pyarrow.table(columns), folder / "x.parquet", **options)


@pytest.mark.parametrize(
    "kind",
    [pyarrow.list_(pyarrow.float32()), pyarrow.list_(pyarrow.float32(), 2), pyarrow.large_list(pyarrow.float32())],
)
def test_lists_are_vectors(folder: Path, kind: Any) -> None:
    vectors = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], None]
    parquet(folder, {"v": pyarrow.array(vectors, type=kind)})
    source = open_source("x.parquet")
    assert (source.columns[0].kind, source.columns[0].shape) == ("vector", (2,))
    values = everything(source, chunk_rows=3)[1]["v"]
    assert values.dtype == numpy.float32
    assert values[:3].tolist() == vectors[:3]
    assert numpy.isnan(values[3]).all()


def test_a_ragged_list_is_named_whatever_the_chunk_size(folder: Path) -> None:
    parquet(folder, {"v": [[1, 2], [3, 4], [5, 6, 7]]})
    for chunk_rows in (1, 2, 100):
        message = 'x.parquet, row 3, column "v": the vector has 3 values where the first has 2.'
        assert problem("x.parquet", chunk_rows=chunk_rows) == message


def test_columns_keep_their_types_where_handed_through(folder: Path) -> None:
    columns = {"id": pyarrow.array([2**62, 1]), "day": pyarrow.array([1, 2], pyarrow.date32()), "s": ["007", None]}
    parquet(folder, columns)
    (batch,) = open_source("x.parquet").read([], ["id", "day", "s"])
    assert [str(array.type) for array in batch.carried.values()] == ["int64", "date32[day]", "string"]
    assert batch.carried["id"].to_pylist() == [2**62, 1]


def test_words_and_dates_are_no_numbers(folder: Path) -> None:
    parquet(folder, {"s": ["1", "x"], "d": pyarrow.array([1, 2], pyarrow.date32())})
    assert problem("x.parquet", fields=["s"]) == 'x.parquet, row 2, column "s": "x" is not a number.'
    assert problem("x.parquet", fields=["d"]) == 'x.parquet, row 1, column "d": "1970-01-02" is not a number.'


# Python's years end with 9999, those of Arrow do not.
LATE = {
    "date": (pyarrow.array([0, 10**7, None], pyarrow.date32()), ["1970-01-01", "29349-01-26", None]),
    "time": (
        pyarrow.array([0, 10**15, None], pyarrow.timestamp("ms")),
        ["1970-01-01 00:00:00", "<value out of range: 1000000000000000>", None],
    ),
    "time with a zone": (
        pyarrow.array([0, 2**62, None], pyarrow.timestamp("us", tz="UTC")),
        ["1970-01-01 00:00:00+00:00", "17036-07-06 14:00:27.387904Z", None],
    ),
    "duration": (pyarrow.array([1, 2**62, None], pyarrow.duration("s")), ["0:00:01", "4611686018427387904 s", None]),
    "words": (
        pyarrow.array([0, 10**7, None], pyarrow.date32()).dictionary_encode(),
        ["1970-01-01", "29349-01-26", None],
    ),
}


@pytest.mark.parametrize("what", LATE)
@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_times_beyond_those_of_python_are_text(folder: Path, suffix: str, what: str) -> None:
    times, expected = LATE[what]
    data = pyarrow.table(
        {"pred": [1.0, 2.0, 3.0], "when": times, "list": pyarrow.ListArray.from_arrays([0, 1, 2, 3], times)}
    )
    if suffix == "parquet":
        pyarrow.parquet.write_table(data, "x.parquet")
    else:
        pyarrow.feather.write_feather(data, "x.arrow", compression="uncompressed")
    source = open_source(f"x.{suffix}")
    assert everything(source, ["pred"])[1]["pred"].tolist() == [1.0, 2.0, 3.0]
    assert [None if value is None else str(value) for value in source.column("when").sample] == expected
    (batch,) = source.read([], ["when", "list"])
    assert [None if value is None else str(value) for value in python_of(batch.carried["when"])] == expected
    lists = python_of(batch.carried["list"])
    assert [None if value is None else str(value) for (value,) in lists] == expected


@pytest.mark.parametrize(
    ("kind", "digits"),
    [
        (pyarrow.decimal32(9, 2), 9),
        (pyarrow.decimal64(18, 4), 15),
        (pyarrow.decimal64(18, 4), 18),
        (pyarrow.decimal128(18, 2), 11),
        (pyarrow.decimal128(38, 18), 20),
        (pyarrow.decimal128(38, 22), 15),
        (pyarrow.decimal128(38, 23), 15),
        (pyarrow.decimal128(20, 38), 15),
        (pyarrow.decimal128(38, -3), 12),
        (pyarrow.decimal256(76, 40), 76),
    ],
    ids=str,
)
def test_decimals_are_the_nearest_floats(folder: Path, kind: Any, digits: int) -> None:
    """As Python's own conversion, which reads their digits. Arrow's cast would be off for one price of seven."""
    draw = random.Random(str(kind))
    with decimal.localcontext(prec=80):
        values = [decimal.Decimal(draw.randrange(-(10**digits), 10**digits)).scaleb(-kind.scale) for _ in range(999)]
    data = pyarrow.table({"pred": pyarrow.array([None, *values], kind), "other": range(1000)}).slice(1)
    pyarrow.feather.write_feather(data, "x.arrow", compression="uncompressed")
    assert everything(open_source("x.arrow"), ["pred"])[1]["pred"].tolist() == [float(value) for value in values]
    lists = pyarrow.table({"pred": pyarrow.ListArray.from_arrays(list(range(0, 1000, 3)), pyarrow.array(values, kind))})
    found = everything(open_memory({"pred": lists.column("pred")}), ["pred"])[1]["pred"]
    assert found.reshape(-1).tolist() == [float(value) for value in values]


def test_missing_decimals_and_those_without_end(folder: Path) -> None:
    few = pyarrow.array([decimal.Decimal("0.10"), None, decimal.Decimal("-7.25")], pyarrow.decimal128(12, 2))
    many = pyarrow.array([decimal.Decimal(10) ** 30, None, decimal.Decimal(1)], pyarrow.decimal128(38, 2))
    numbers = everything(open_memory({"few": few, "many": many}))[1]
    assert repr(numbers["few"].tolist()) == "[0.1, nan, -7.25]"
    assert repr(numbers["many"].tolist()) == "[1e+30, nan, 1.0]"
    small = pyarrow.array([decimal.Decimal("1e-90")], pyarrow.decimal128(3, 90))
    with pytest.raises(LosscliError, match="decimals of scale 90 are not read"):
        everything(open_memory({"pred": small}))


def test_an_unknown_time_zone_is_no_damage(folder: Path) -> None:
    data = pyarrow.table({"pred": [1.0], "when": pyarrow.array([5], pyarrow.timestamp("us", tz="Nowhere/Land"))})
    pyarrow.feather.write_feather(data, "x.arrow", compression="uncompressed")
    source = open_source("x.arrow")
    assert source.column("when").sample == ("5 timestamp[us, tz=Nowhere/Land]",)
    assert everything(source, ["pred"])[1]["pred"].tolist() == [1.0]


@pytest.mark.parametrize(
    "error", [pyarrow.ArrowNotImplementedError("such a codec"), pyarrow.ArrowInvalid("odd"), OSError("no magic")]
)
def test_what_arrow_cannot_read_is_called_damage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    FRAME.to_parquet(folder / "x.parquet")

    def fails(_: ParquetSource) -> None:
        raise error

    monkeypatch.setattr(ParquetSource, "_open", fails)
    assert problem("x.parquet") == "x.parquet: the file is damaged, cut or not Parquet."


def test_a_mistake_of_our_own_is_not_called_damage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    FRAME.to_parquet(folder / "x.parquet")

    def fails(_: ParquetSource) -> None:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(ParquetSource, "_open", fails)
    with pytest.raises(RuntimeError, match="a mistake"):
        open_source("x.parquet")


def test_progress_in_a_parquet_file_is_in_proportion_to_its_rows(folder: Path) -> None:
    FRAME[["pred"]].to_parquet(folder / "x.parquet")
    size = (folder / "x.parquet").stat().st_size
    source = open_source("x.parquet")
    assert source.consumed() == Consumed(0, 0, size)
    batches = source.read([Field(("pred",))], chunk_rows=100)
    next(batches)
    next(batches)
    assert source.consumed() == Consumed(100, size * 100 // 301, size)
    assert sum(len(batch.rows) for batch in batches) == 101
    assert source.consumed() == Consumed(301, size, size)


def test_parquet_columns_of_one_name(folder: Path) -> None:
    table = pyarrow.Table.from_arrays(
        [pyarrow.array([1]), pyarrow.array([2]), pyarrow.array([3])], names=["a", "b", "a"]
    )
    pyarrow.parquet.write_table(table, folder / "x.parquet")
    assert {
        key: value.tolist() for key, value in everything(open_source("x.parquet"), ["#3", "b", "a"])[1].items()
    } == {
        "#3": [3],
        "b": [2],
        "a": [1],
    }


def test_a_damaged_parquet_file_is_refused(folder: Path) -> None:
    parquet(folder, {"p": numpy.arange(5000.0)}, write_page_checksum=True, use_dictionary=False)
    data = bytearray((folder / "x.parquet").read_bytes())
    message = "x.parquet: the file is damaged, cut or not Parquet."
    write(folder, "x.parquet", bytes(data[:-10]))
    assert problem("x.parquet") == message
    data[2000] ^= 1
    write(folder, "x.parquet", bytes(data))
    assert problem("x.parquet") == message
    write(folder, "x.parquet", "no Parquet")
    assert problem("x.parquet") == message


def test_a_damaged_arrow_file_is_refused(folder: Path) -> None:
    data = feather()
    for part in (data[:-10], data[: len(data) // 2], b"ARROW1"):
        write(folder, "x.feather", part)
        assert problem("x.feather") == "x.feather: the file is damaged, cut or not Arrow."


def test_no_rows(folder: Path) -> None:
    parquet(folder, {"p": pyarrow.array([], pyarrow.float64())})
    assert problem("x.parquet") == "x.parquet: 0 rows."


# --- JSON Lines -------------------------------------------------------------------------------------------------------


def test_keys_that_are_not_there_are_missing(folder: Path) -> None:
    write(folder, "x.jsonl", '{"p": 1, "v": [1, 2]}\n\n{"q": 2.5, "p": null, "v": [3, 4]}\n')
    source = open_source("x.jsonl")
    rows, values, _ = everything(source)
    assert (rows, values["v"].tolist()) == ([1, 2], [[1, 2], [3, 4]])
    assert numpy.isnan(values["p"]).tolist() == [False, True]
    assert numpy.isnan(values["q"]).tolist() == [True, False]
    assert source.notes == ["x.jsonl: 1 blank line left out"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"p": 1, "p": 2}', 'x.jsonl, row 2: the key "p" is there twice.'),
        ('{"a": 1, "p": 1, "p": 2}', 'x.jsonl, row 2: the key "p" is there twice.'),
        ("[1]", 'x.jsonl, row 2: the line is no JSON object, such as {"pred": 0.5}.'),
        ('{"p": ', "x.jsonl, row 2: the line is no JSON at character 6."),
        ('{"p": "x"}', 'x.jsonl, row 2, column "p": "x" is not a number.'),
        ('\n{"p": [1]}', 'x.jsonl, row 2, column "p": "[1]" is of another type than the values before it.'),
        (
            '{"p": 36028797018963969}',
            'x.jsonl, row 2, column "p": 36028797018963969 has no exact 64-bit float (whole numbers up to 2^53 do).',
        ),
    ],
)
def test_a_bad_line_is_named(folder: Path, line: str, message: str) -> None:
    write(folder, "x.jsonl", '{"p": 1}\n' + line + '\n{"p": 3}\n')
    for chunk_rows in (1, 100):
        assert problem("x.jsonl", chunk_rows=chunk_rows) == message


def test_a_value_of_another_type_cannot_be_handed_through(folder: Path) -> None:
    write(folder, "x.jsonl", '{"p": 1, "s": 1}\n' * 1000 + '{"p": 1, "s": "x"}\n')
    message = 'x.jsonl, row 1,001, column "s": "x" is of another type than the values before it.'
    assert problem("x.jsonl", fields=["p"], carry=["s"]) == message


# --- standard input ---------------------------------------------------------------------------------------------------


def test_standard_input_may_be_empty_or_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Input(b""))
    assert problem("-") == "standard input: 0 rows: the file is empty."
    monkeypatch.setattr("sys.stdin", None)
    assert problem("-") == "standard input is closed."


def test_an_error_in_standard_input_is_that_of_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Input(b"p;q\n1;2\n3;x\n"))
    assert problem("-") == 'standard input, row 2, column "q": "x" is not a number.'


def test_a_named_pipe_is_read(folder: Path) -> None:
    import os
    import threading

    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(b"p\n1\n2\n"))
    writer.start()
    source = open_source("pipe")
    writer.join()
    assert everything(source)[1]["p"].tolist() == everything(source)[1]["p"].tolist() == [1, 2]


# --- libraries --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "expected"), [("1 << 20", "{'numpy'}"), ("0", "{'duckdb', 'numpy', 'pyarrow'}")], ids=["small", "large"]
)
def test_reading_text_imports_no_more_than_it_needs(folder: Path, limit: str, expected: str) -> None:
    import subprocess
    import sys

    write(folder, "x.csv", "p,q\n1,a\n2,b\n")
    program = f"""
import sys
import losscli.readers.text
from losscli.readers import open_source
from losscli.readers.source import Field
losscli.readers.text.IN_MEMORY = {limit}
source = open_source("x.csv")
heavy = {{"torch", "pandas", "duckdb", "pyarrow", "numpy"}}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
assert sum(len(batch.rows) for batch in source.read([Field(("p",))])) == 2
print(heavy & sys.modules.keys() == {expected}, heavy & sys.modules.keys())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("True"), done.stdout + done.stderr


# --- JSON arrays and standard input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.json", "x", "x.jsonl"])
@pytest.mark.parametrize("content", ['[{"y":1,"p":2}]', '\n [\n  {"y": 1}\n]', "[[1, 2]]"])
def test_a_json_array_is_named_as_such(folder: Path, name: str, content: str) -> None:
    write(folder, name, content)
    assert problem(name) == (
        f"{name}: it is a JSON array. Hint: write one object a line (JSON Lines), as jq -c '.[]' does."
    )


def test_standard_input_can_be_read_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"y,p\n1,2\n")))
    assert open_source("-").columns[0].name == "y"
    with pytest.raises(UsageError) as caught:
        open_source("-")
    assert str(caught.value) == "standard input can be read only once."
