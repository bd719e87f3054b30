"""Arrays, Parquet, Arrow and JSON Lines with bytes changed at random: what their own libraries read, or a refusal.

A reader never crashes, hangs or makes up values: it gives what NumPy, pyarrow or ``json`` give, or a ``DataError``.
"""

from __future__ import annotations

import contextlib
import datetime
import decimal
import io
import json
import math
import random
import warnings
from collections.abc import Callable, Collection, Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet
import pytest

from losscli.errors import DataError
from losscli.readers import open_source
from losscli.readers.interchange import python_of
from losscli.readers.source import Field

PRED = [0.5, -1e-3, 2.25, math.nan, 7.0, 1e300]
TARGET = [1, 0, 2, 5, -3, 2**52]


def npy() -> bytes:
    stream = io.BytesIO()
    numpy.save(stream, numpy.array(PRED))
    return stream.getvalue()


def npz() -> bytes:
    stream = io.BytesIO()
    numpy.savez(stream, pred=numpy.array(PRED), target=numpy.array(TARGET))
    return stream.getvalue()


def table() -> pyarrow.Table:
    return pyarrow.table({"pred": PRED, "target": TARGET})


def parquet(table: pyarrow.Table) -> bytes:
    stream = io.BytesIO()
    pyarrow.parquet.write_table(table, stream, write_page_checksum=True)
    return stream.getvalue()


def arrow(table: pyarrow.Table) -> bytes:
    stream = io.BytesIO()
    with pyarrow.ipc.new_file(stream, table.schema) as writer:
        writer.write_table(table)
    return stream.getvalue()


def jsonl() -> bytes:
    pairs = zip(PRED, TARGET)
    return "".join(f"{json.dumps({'pred': p if p == p else None, 'target': t})}\n" for p, t in pairs).encode()


def by_numpy(data: bytes) -> dict[str, list[float]]:
    found = numpy.load(io.BytesIO(data), allow_pickle=False)
    columns = {"x": found} if isinstance(found, numpy.ndarray) else {key: found[key] for key in found.files}
    return {key: column.astype(float).tolist() for key, column in columns.items()}


def numbers(table: pyarrow.Table) -> dict[str, list[float]]:
    """The columns by position, since two may have one name."""
    columns = enumerate(table.columns)
    return {f"#{place}": column.to_numpy(zero_copy_only=False).astype(float).tolist() for place, column in columns}


def from_parquet(data: bytes) -> pyarrow.Table:
    return pyarrow.parquet.read_table(io.BytesIO(data), page_checksum_verification=True)


def from_arrow(data: bytes) -> pyarrow.Table:
    # Cut off with what comes before the first message, the mark of a file leaves a stream.
    opened = pyarrow.ipc.open_file if data.startswith(b"ARROW1") else pyarrow.ipc.open_stream
    found = opened(io.BytesIO(data)).read_all()
    found.validate(full=True)
    return found


def by_json(data: bytes) -> dict[str, list[float]]:
    rows = [json.loads(line) for line in data.decode().splitlines() if line.strip()]
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: [math.nan if row.get(key) is None else float(row[key]) for row in rows] for key in keys}


Reading = Callable[[bytes], dict[str, list[float]]]
FORMATS: dict[str, tuple[Callable[[], bytes], Reading]] = {
    "npy": (npy, by_numpy),
    "npz": (npz, by_numpy),
    "parquet": (lambda: parquet(table()), lambda data: numbers(from_parquet(data))),
    "arrow": (lambda: arrow(table()), lambda data: numbers(from_arrow(data))),
    "jsonl": (jsonl, by_json),
}


def mutated(data: bytes, draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.randint(1, 3)):
        place = draw.randrange(len(changed) + 1)
        what = draw.random()
        if what < 0.5 and place < len(changed):
            changed[place] ^= 1 << draw.randrange(8) if draw.random() < 0.5 else draw.randrange(1, 256)
        elif what < 0.65:
            changed[place:place] = draw.randbytes(draw.randint(1, 9))
        elif what < 0.85:
            del changed[place : place + draw.randint(1, 9)]
        else:
            del changed[place:]
    return bytes(changed)


def read(path: Path) -> dict[str, list[float]] | None:
    """The numbers of every column, None where the file is refused."""
    try:
        source = open_source(path.name)
        fields = {column.key: Field((column.key,)) for column in source.columns}
        found: dict[str, list[float]] = {key: [] for key in fields}
        for batch in source.read(list(fields.values())):
            for key, field in fields.items():
                found[key] += numpy.asarray(batch.values[field], dtype=float).tolist()
    except DataError as error:
        assert str(error).startswith(path.name), error
        return None
    return found


def check(folder: Path, format: str, seed: int) -> bool:
    """Whether a changed file was accepted."""
    make, library = FORMATS[format]
    data = mutated(make(), random.Random(f"{format} {seed}"))
    path = folder / f"x.{format}"
    path.write_bytes(data)
    found = read(path)
    if found is None:
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected: Any = library(data)
    except Exception as refused:
        # Our own reader is not the more trusting one.
        pytest.fail(f"{format} {seed}: read as {found}, but the library says {type(refused).__name__}: {refused}")
    assert repr(list(found.values())) == repr(list(expected.values())), (format, seed)
    return True


@pytest.mark.parametrize("format", FORMATS)
def test_a_changed_file_is_read_as_its_library_reads_it_or_is_refused(folder: Path, format: str) -> None:
    assert check_unchanged(folder, format)
    for seed in range(150):
        check(folder, format, seed)


# Five hundred files each: those in which something was found and a few of every format; four hundred thousand in the
# long run.
FOUND = {("npz", 12), ("npy", 13), ("npz", 76), ("arrow", 45), ("arrow", 51), ("arrow", 140)}


def blocks(formats: Iterable[str], last: int, often: Collection[tuple[str, int]]) -> list[Any]:
    """Blocks of every format from the first on: some run often, the others in the long run."""
    return [
        pytest.param(format, block, marks=pytest.mark.slow if (format, block) in often else pytest.mark.long)
        for format in formats
        for block in range(1, last + 1)
    ]


@pytest.mark.parametrize(("format", "block"), blocks(FORMATS, 160, FOUND | set(product(FORMATS, (1, 2, 3)))))
def test_many_more_changed_files(folder: Path, format: str, block: int) -> None:
    for seed in range(block * 500, block * 500 + 500):
        check(folder, format, seed)


def check_unchanged(folder: Path, format: str) -> bool:
    make, library = FORMATS[format]
    path = folder / f"x.{format}"
    path.write_bytes(make())
    found = read(path)
    return found is not None and repr(list(found.values())) == repr(list(library(make()).values()))


# --- columns of other types, handed through ---------------------------------------------------------------------------


def typed() -> pyarrow.Table:
    day = datetime.date(2026, 11, 27)
    noon = datetime.datetime(2026, 11, 27, 12)
    return pyarrow.table(
        {
            "pred": PRED,
            "word": ["a", "", None, "\N{SNOWMAN}", "b", "a"],
            "class": pyarrow.array(["cat", "dog", "cat", None, "dog", "cat"]).dictionary_encode(),
            "day": [day, None, day, datetime.date(1, 1, 1), datetime.date(9999, 12, 31), day],
            "time": pyarrow.array([noon, None, noon, noon, noon, noon], pyarrow.timestamp("us", tz="UTC")),
            "took": pyarrow.array([1, 2, None, 4, 5, 6], pyarrow.duration("s")),
            "price": [decimal.Decimal("1.50"), None, *[decimal.Decimal("-0.25")] * 4],
            "list": [[1.0, 2.0], None, [], [3.0], [4.0], [5.0]],
            "record": [{"x": 1, "y": "z"}, None, *[{"x": 2, "y": None}] * 4],
            "bytes": [b"a", None, b"\xff", b"", b"b", b"c"],
            "true": [True, None, False, True, False, True],
        }
    )


TYPED: dict[str, tuple[Callable[[pyarrow.Table], bytes], Callable[[bytes], pyarrow.Table]]] = {
    "parquet": (parquet, from_parquet),
    "arrow": (arrow, from_arrow),
}


def check_typed(folder: Path, format: str, seed: int) -> int:
    """How many columns of a changed file were handed through, as the library has them where Python has such values."""
    write, library = TYPED[format]
    data = mutated(write(typed()), random.Random(f"typed {format} {seed}"))
    path = folder / f"x.{format}"
    path.write_bytes(data)
    try:
        source = open_source(path.name)
        found: list[list[Any]] = [[] for _ in source.columns]
        for batch in source.read([], [column.key for column in source.columns]):
            for values, column in zip(found, source.columns):
                values += python_of(batch.carried[column.key])
    except DataError as error:
        assert str(error).startswith(path.name), error
        return 0
    expected = library(data)
    assert len(found) == len(expected.columns)
    for values, column in zip(found, expected.columns):
        with contextlib.suppress(ArithmeticError, ValueError):
            assert repr(values) == repr(column.to_pylist()), (format, seed)
    return len(found)


@pytest.mark.parametrize("format", TYPED)
def test_columns_of_every_type_are_handed_through(folder: Path, format: str) -> None:
    assert max(check_typed(folder, format, seed) for seed in range(150)) == len(typed().columns)


TYPED_FOUND = {("arrow", 1), ("parquet", 33)}


@pytest.mark.parametrize(("format", "block"), blocks(TYPED, 100, TYPED_FOUND))
def test_many_more_columns_of_every_type(folder: Path, format: str, block: int) -> None:
    for seed in range(block * 500, block * 500 + 500):
        check_typed(folder, format, seed)
