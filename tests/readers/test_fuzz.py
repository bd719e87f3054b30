"""Delimited text against Python's csv and float, with bytes changed at random."""

from __future__ import annotations

import csv
import io
import math
import random
import re
from pathlib import Path

import numpy
import pytest

from losscli.errors import DataError
from losscli.readers import open_source
from losscli.readers.source import Field
from tests.readers.reading import everything

NUMBER = re.compile(
    r"[ \t\n\r\v\f]*[+-]?((\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|inf|infinity|nan(\(\w*\))?)[ \t\n\r\v\f]*", re.I | re.A
)
ALPHABET = b'0123456789.eE+-_,"\n\r\t ;%xnainf\x00\xff\xc3\xa9\x1c'
BASES = [
    b"pred,target,name\n0.5,1,a\n-1e-3,0,b\n2.25,1,\nnan,0,d e\n7,1,f\n",
    b'"pred","target","name"\r\n"0.5","1","a"\r\n1,2,"x ""y"""\r\n3,4,"z,z"\r\n',
    b"\xef\xbb\xbfpred,target,name\n1,2,img_1\n3,,\xc3\xa9\n,5,c",
    b"pred\n1\n2\n\n3\n",
]


def oracle(data: bytes, delimiter: str = ",") -> tuple[list[list[float]], bool]:
    """The numbers of every sound row before the first bad one of pred and target, and whether there was a bad one."""
    whole = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = whole.decode()
        damaged = "\0" in text
        text = text.split("\0")[0]
    except UnicodeDecodeError as error:
        text, damaged = whole[: error.start].decode().split("\0")[0], True
    if damaged:
        # What comes before the damaged line can still be told.
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1]
    values: list[list[float]] = []
    try:
        rows = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
        header = next(row for row in rows if row)
        pending = 0
        for row in rows:
            if not row:
                pending += 1
                continue
            if len(header) == 1 and values:
                values += [[math.nan]] * pending
            pending = 0
            if len(row) != len(header):
                return values, True
            values.append([number(cell) for cell in row[:2]])
    except (csv.Error, ValueError, StopIteration):
        return values, True
    return values, damaged


def number(cell: str) -> float:
    if cell in ("", "nan"):
        return math.nan
    if not NUMBER.fullmatch(cell):
        raise ValueError(cell)
    value = float(re.sub(r"\(\w*\)", "", cell))
    if math.isinf(value) and any(letter.isdigit() for letter in cell):
        raise ValueError(cell)
    return value


def mutated(generator: random.Random, delimiter: str = ",") -> bytes:
    data = bytearray(generator.choice(BASES).replace(b",", delimiter.encode()))
    start = data.index(b"\n") + 1
    for _ in range(generator.randint(1, 3)):
        place = generator.randrange(start, len(data) + 1)
        what = generator.random()
        if what < 0.4 and place < len(data):
            data[place] = generator.choice(ALPHABET)
        elif what < 0.7:
            data[place:place] = bytes([generator.choice(ALPHABET)]) * generator.randint(1, 2)
        elif what < 0.9:
            del data[place : place + generator.randint(1, 3)]
        else:
            del data[place:]
    return bytes(data)


def outcome(path: Path, chunk_rows: int) -> tuple[list[list[float]], str | None]:
    """The rows that are given before the end or an error, and that error."""
    rows: list[list[float]] = []
    try:
        source = open_source(path)
        fields = [Field((column.key,)) for column in source.columns[:2]]
        for batch in source.read(fields, chunk_rows=chunk_rows):
            rows += numpy.column_stack([batch.values[field] for field in fields]).tolist()
    except DataError as error:
        return rows, str(error)
    return rows, None


def check_against_oracle(folder: Path, seed: int) -> None:
    suffix, delimiter = ("tsv", "\t") if seed % 4 == 3 else ("csv", ",")
    data = mutated(random.Random(seed), delimiter)
    path = folder / f"x.{suffix}"
    path.write_bytes(data)
    expected, bad = oracle(data, delimiter)
    rows, error = outcome(path, 1000)
    if error is not None and ("0 rows" in error or "like the second" in error):
        assert not expected or "like the second" in error, data
        return
    assert (error is not None) == bad, (data, error)
    if rows or not bad:
        assert repr(rows) == repr(expected), data


def check_both_ways(folder: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    data = mutated(random.Random(seed))
    path = folder / "x.csv"
    path.write_bytes(data)
    outcomes = []
    for limit, chunk_rows, block in ((1 << 20, 1000, 1), (1 << 20, 1, 1), (0, 1000, 1 << 17), (0, 2, 7)):
        monkeypatch.setattr("losscli.readers.text.IN_MEMORY", limit)
        monkeypatch.setattr("losscli.readers.survey.BLOCK", block)
        outcomes.append(outcome(path, chunk_rows))
    assert len({repr(each) for each in outcomes}) == 1, (data, outcomes)


@pytest.mark.parametrize("block", range(6))
def test_a_changed_byte_is_read_as_csv_and_float_read_it_or_is_refused(folder: Path, block: int) -> None:
    for seed in range(block * 350, block * 350 + 350):
        check_against_oracle(folder, seed)


@pytest.mark.parametrize("block", range(3))
def test_duckdb_and_python_give_the_same_rows_and_the_same_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    for seed in range(block * 20, block * 20 + 20):
        check_both_ways(folder, seed, monkeypatch)


# Ten thousand files with every change; six hundred thousand in the long run.
BLOCKS = [pytest.param(block, marks=pytest.mark.long if block >= 30 else pytest.mark.slow) for block in range(10, 1230)]


@pytest.mark.parametrize("block", BLOCKS)
def test_many_more_changed_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    for seed in range(block * 500, block * 500 + 500):
        check_against_oracle(folder, seed)
    # DuckDB takes a hundred times as long to start as to read.
    for seed in range(block * 40, block * 40 + (40 if block < 60 else 2)):
        check_both_ways(folder, seed, monkeypatch)


def test_the_oracle_can_fail(folder: Path) -> None:
    (folder / "x.csv").write_bytes(b"pred,target\n1,2\n")
    assert oracle(b"pred,target\n1,3\n")[0] != everything(open_source("x.csv"))[1]["target"].tolist()
