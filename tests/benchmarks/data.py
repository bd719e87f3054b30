"""The files that are read: random, the same on every machine, and the same numbers in every format.

The first rows of a large file are the rows of a small one, so that costs for several sizes are of one kind.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy

CLASSES = 1_000
GROUPS = 1_000
PIECE = 1_000_000  # numbers of a column that are drawn at a time
SEED = 1964
# Files of another version of this module are of no use.
FOLDER = "losscli-benchmarks-1"

# Which files each format of each kind has, by the names that commands know them by.
FILES = {
    ("two", "csv"): {"file": "two-{rows}.csv"},
    ("two", "parquet"): {"file": "two-{rows}.parquet"},
    ("two", "npy"): {"pred": "two-{rows}-pred.npy", "target": "two-{rows}-target.npy"},
    ("groups", "csv"): {"file": "groups-{rows}.csv"},
    ("groups", "parquet"): {"file": "groups-{rows}.parquet"},
    ("classes", "npy"): {"pred": "classes-{rows}-logits.npy", "target": "classes-{rows}-labels.npy"},
    ("shares", "npy"): {"pred": "shares-{rows}-probabilities.npy", "target": "shares-{rows}-labels.npy"},
}
BYTES_PER_ROW = {
    ("two", "csv"): 40,
    ("two", "parquet"): 17,
    ("two", "npy"): 16,
    ("groups", "csv"): 45,
    ("groups", "parquet"): 19,
    ("classes", "npy"): 4 * CLASSES + 8,
    ("shares", "npy"): 4 * CLASSES + 8,
}


@dataclass(frozen=True)
class Data:
    """One data set in one format.

    Attributes:
        kind: ``two`` (a prediction and a target, float64), ``groups`` (the same with a word for each of 1,000 groups),
            ``classes`` (float32 logits of 1,000 classes and labels) or ``shares`` (probabilities instead of logits).
        format: ``csv``, ``parquet`` or ``npy``.
        rows: how many.
    """

    kind: str
    format: str
    rows: int

    def paths(self, folder: Path) -> dict[str, Path]:
        """Its files, by what commands call them."""
        return {
            name: folder / pattern.format(rows=self.rows) for name, pattern in FILES[self.kind, self.format].items()
        }

    @property
    def size(self) -> int:
        """About how many bytes its files take."""
        return BYTES_PER_ROW[self.kind, self.format] * self.rows


def make(wanted: Sequence[Data], folder: Path, say: Callable[[str], None] = print) -> None:
    """Makes the files that are not there yet; what is interrupted leaves none behind.

    Args:
        wanted: the data sets.
        folder: where they are kept.
        say: told what is being made.

    Raises:
        OSError: the disk is too small.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [data for data in _with_sources(wanted) if not _exists(data, folder)]
    needed, free = sum(data.size for data in missing), shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(f"{folder}: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free")
    for data in missing:
        say(f"making {data.kind}, {data.rows:,} rows, {data.format}, {data.size / 1e9:.2f} GB")
        paths = data.paths(folder)
        unfinished = {name: path.with_name(f"{path.name}.part") for name, path in paths.items()}
        try:
            _write(data, folder, unfinished)
            for name, path in paths.items():
                os.replace(unfinished[name], path)
        finally:
            for path in unfinished.values():
                path.unlink(missing_ok=True)


def pieces(kind: str, rows: int) -> Iterator[dict[str, numpy.ndarray]]:
    """The columns of a data set, some rows at a time."""
    wide = kind in ("classes", "shares")
    step = PIECE // CLASSES if wide else PIECE
    for number, start in enumerate(range(0, rows, step)):
        n = min(step, rows - start)
        # A generator for each column: the first n numbers of a column do not depend on how many follow.
        draws = [numpy.random.default_rng([SEED, wide, number, column]) for column in range(3)]
        if wide:
            logits = 2 * draws[0].standard_normal((n, CLASSES), dtype=numpy.float32)
            pred = _softmax(logits) if kind == "shares" else logits
            yield {"pred": pred, "target": draws[1].integers(0, CLASSES, n)}
            continue
        target = 10 * draws[0].standard_normal(n)
        # Errors of about 1, so that a third of them lie beyond the bend of the Huber loss.
        piece: dict[str, numpy.ndarray] = {"pred": target + draws[1].standard_normal(n), "target": target}
        if kind == "groups":
            piece["group"] = draws[2].integers(0, GROUPS, n)
        yield piece


def _softmax(logits: numpy.ndarray) -> numpy.ndarray:
    powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    found: numpy.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return found


def _with_sources(wanted: Sequence[Data]) -> list[Data]:
    """CSV is written from Parquet, so that comes first."""
    found: dict[Data, None] = {}
    for data in wanted:
        if data.format == "csv":
            found[Data(data.kind, "parquet", data.rows)] = None
        found[data] = None
    return list(found)


def _exists(data: Data, folder: Path) -> bool:
    return all(path.exists() for path in data.paths(folder).values())


def _write(data: Data, folder: Path, paths: dict[str, Path]) -> None:
    if data.format == "npy":
        _write_npy(data, paths)
    elif data.format == "parquet":
        _write_parquet(data, paths["file"])
    else:
        source = Data(data.kind, "parquet", data.rows).paths(folder)["file"]
        _write_csv(source, paths["file"])


def _write_npy(data: Data, paths: dict[str, Path]) -> None:
    files: dict[str, BinaryIO] = {name: path.open("wb") for name, path in paths.items()}
    try:
        for number, piece in enumerate(pieces(data.kind, data.rows)):
            for name, file in files.items():
                if number == 0:
                    header = numpy.lib.format.header_data_from_array_1_0(piece[name])
                    header["shape"] = (data.rows, *piece[name].shape[1:])
                    numpy.lib.format.write_array_header_1_0(file, header)
                file.write(piece[name].tobytes())
    finally:
        for file in files.values():
            file.close()


def _write_parquet(data: Data, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    words = [f"g{group:03d}" for group in range(GROUPS)]
    writer: parquet.ParquetWriter | None = None
    try:
        for piece in pieces(data.kind, data.rows):
            columns: dict[str, object] = dict(piece)
            if data.kind == "groups":
                columns["group"] = pyarrow.DictionaryArray.from_arrays(piece["group"].astype("int16"), words)
            table = pyarrow.table(columns)
            if writer is None:
                # Random numbers repeat too seldom for a dictionary.
                writer = parquet.ParquetWriter(path, table.schema, use_dictionary=["group"])
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _write_csv(source: Path, path: Path) -> None:
    import duckdb

    with duckdb.connect() as connection:
        connection.read_parquet(str(source)).write_csv(str(path), header=True)
