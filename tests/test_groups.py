"""Groups are numbered once for a run, whatever the batches."""

from __future__ import annotations

from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet
import pytest

import losscli
from losscli.groups import GroupIndex
from losscli.readers.source import Batch


def batch(**columns: list[object]) -> Batch:
    arrays = {name: pyarrow.array(values) for name, values in columns.items()}
    return Batch(numpy.arange(1, 1 + len(next(iter(columns.values())))), {}, arrays)


def test_a_group_is_a_combination_of_values() -> None:
    index = GroupIndex(["region", "year"])
    codes = index.codes(batch(region=["n", "s", "n", "n"], year=[1, 1, 2, 1]))
    assert len(set(codes[[0, 1, 2]].tolist())) == 3
    assert codes[0] == codes[3]
    assert [group for _, group in index.labels()] == [
        {"region": "n", "year": 1},
        {"region": "n", "year": 2},
        {"region": "s", "year": 1},
    ]


def test_a_group_keeps_its_number_over_batches() -> None:
    index = GroupIndex(["g"])
    first = index.codes(batch(g=["b", "a"]))
    second = index.codes(batch(g=["a", "c", "b"]))
    assert second[0] == first[1]
    assert second[2] == first[0]
    assert len(index) == 3


def test_groups_are_sorted_as_numbers_then_words_then_missing() -> None:
    index = GroupIndex(["g"])
    index.codes(batch(g=["10", "9", "b", None, "a"]))
    assert [group["g"] for _, group in index.labels()] == ["9", "10", "a", "b", None]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_groups_do_not_depend_on_the_batches(size: int) -> None:
    values = ["x", "y", None, "x", "z", "y", "x"]
    index = GroupIndex(["g"])
    found: list[object] = []
    codes: list[int] = []
    for start in range(0, len(values), size):
        codes += index.codes(batch(g=values[start : start + size])).tolist()
    names = {number: group["g"] for number, group in index.labels()}
    found = [names[code] for code in codes]
    assert found == values


def test_groups_by_dates_that_python_lacks(tmp_path: Path) -> None:
    """Told apart by their text, and beside others of the same column."""
    days = pyarrow.array([0, 10**7, 0, 10**7 + 1], pyarrow.date32())
    values = pyarrow.array([1.0, 2.0, 3.0, 4.0])
    pyarrow.parquet.write_table(pyarrow.table({"pred": values, "target": values, "day": days}), tmp_path / "x.parquet")
    records = losscli.compute("mse", data=tmp_path / "x.parquet", by="day").records
    assert [(str(record.group["day"]), record.n) for record in records] == [
        ("1970-01-01", 2),
        ("29349-01-26", 1),
        ("29349-01-27", 1),
    ]
