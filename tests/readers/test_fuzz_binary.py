"""Arrays, Parquet, Arrow and JSON Lines with bytes changed at random: what their own libraries read, or a refusal.

A reader never crashes, hangs or makes up values: it gives what NumPy, pyarrow or ``json`` give, or a ``DataError``.
"""

from __future__ import annotations

import io
import json
import math
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet
import pytest

from losscli.errors import DataError
from losscli.readers import open_source
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


def parquet() -> bytes:
    stream = io.BytesIO()
    pyarrow.parquet.write_table(table(), stream, write_page_checksum=True)
    return stream.getvalue()


def arrow() -> bytes:
    stream = io.BytesIO()
    with pyarrow.ipc.new_file(stream, table().schema) as writer:
        writer.write_table(table())
    return stream.getvalue()


def jsonl() -> bytes:
    pairs = zip(PRED, TARGET)
    return "".join(f"{json.dumps({'pred': p if p == p else None, 'target': t})}\n" for p, t in pairs).encode()


def by_numpy(data: bytes) -> dict[str, list[float]]:
    found = numpy.load(io.BytesIO(data), allow_pickle=False)
    columns = {"x": found} if isinstance(found, numpy.ndarray) else {key: found[key] for key in found.files}
    return {key: column.astype(float).tolist() for key, column in columns.items()}


def numbers(table: pyarrow.Table) -> dict[str, list[float]]:
    columns = zip(table.schema.names, table.columns)
    return {name: column.to_numpy(zero_copy_only=False).astype(float).tolist() for name, column in columns}


def by_pyarrow(data: bytes) -> dict[str, list[float]]:
    found = pyarrow.parquet.read_table(io.BytesIO(data), page_checksum_verification=True)
    return {
        name: found.column(name).to_numpy(zero_copy_only=False).astype(float).tolist() for name in found.schema.names
    }


def by_ipc(data: bytes) -> dict[str, list[float]]:
    found = pyarrow.ipc.open_file(io.BytesIO(data)).read_all()
    found.validate(full=True)
    return {
        name: found.column(name).to_numpy(zero_copy_only=False).astype(float).tolist() for name in found.schema.names
    }


def by_json(data: bytes) -> dict[str, list[float]]:
    rows = [json.loads(line) for line in data.decode().splitlines() if line.strip()]
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: [math.nan if row.get(key) is None else float(row[key]) for row in rows] for key in keys}


Reading = Callable[[bytes], dict[str, list[float]]]
FORMATS: dict[str, tuple[Callable[[], bytes], Reading]] = {
    "npy": (npy, by_numpy),
    "npz": (npz, by_numpy),
    "parquet": (parquet, by_pyarrow),
    "arrow": (arrow, by_ipc),
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
FOUND = [("npz", 12), ("npy", 13)]
BLOCKS = [
    pytest.param(format, block, marks=pytest.mark.slow if block < 4 or (format, block) in FOUND else pytest.mark.long)
    for format in FORMATS
    for block in range(1, 161)
]


@pytest.mark.parametrize(("format", "block"), BLOCKS)
def test_many_more_changed_files(folder: Path, format: str, block: int) -> None:
    for seed in range(block * 500, block * 500 + 500):
        check(folder, format, seed)


def check_unchanged(folder: Path, format: str) -> bool:
    make, library = FORMATS[format]
    path = folder / f"x.{format}"
    path.write_bytes(make())
    found = read(path)
    return found is not None and repr(list(found.values())) == repr(list(library(make()).values()))
