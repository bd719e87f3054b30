from __future__ import annotations

from typing import Any

import numpy
import pandas
import pyarrow
import pytest
import torch

from losscli.errors import DataError
from losscli.readers import open_memory
from losscli.readers.source import Field
from tests.readers.reading import everything

NUMBERS = [0.5, 1.5, -2.0]


@pytest.mark.parametrize(
    "column",
    [
        NUMBERS,
        tuple(NUMBERS),
        numpy.array(NUMBERS),
        numpy.array(NUMBERS, dtype=">f8"),
        numpy.array(NUMBERS, dtype="f4"),
        torch.tensor(NUMBERS, dtype=torch.float64),
        torch.tensor(NUMBERS, requires_grad=True),
        torch.tensor(NUMBERS, dtype=torch.bfloat16),
        pandas.Series(NUMBERS),
        pandas.Series(NUMBERS, dtype="Float64"),
        pandas.Series(NUMBERS, index=[2, 1, 0]),
        pyarrow.array(NUMBERS),
        pyarrow.chunked_array([NUMBERS[:1], NUMBERS[1:]]),
    ],
    ids=lambda column: f"{type(column).__module__.split('.')[0]} {getattr(column, 'dtype', '')}",
)
def test_every_kind_of_column_gives_its_numbers_in_order(column: Any) -> None:
    source = open_memory({"pred": column})
    assert source.rows == 3
    assert everything(source, chunk_rows=2)[1]["pred"].tolist() == NUMBERS


def test_a_frame_is_its_columns() -> None:
    frame = pandas.DataFrame({"p": [1, 2], "who": ["a", None], "ok": [True, False], "v": [[1.0, 2.0], [3.0, 4.0]]})
    source = open_memory(frame)
    assert [(column.key, column.kind) for column in source.columns] == [
        ("p", "number"),
        ("who", "text"),
        ("ok", "boolean"),
        ("v", "vector"),
    ]
    rows, values, kept = everything(source, ["p", "ok", "v"], ["who", "p"])
    assert (rows, values["ok"].tolist(), values["v"].tolist()) == ([1, 2], [1, 0], [[1, 2], [3, 4]])
    assert kept == {"who": ["a", None], "p": [1, 2]}


def test_columns_of_a_frame_with_one_name_have_keys_of_their_own() -> None:
    frame = pandas.DataFrame([[1, 2]], columns=["a", "a"])
    assert {key: value.tolist() for key, value in everything(open_memory(frame))[1].items()} == {"a": [1], "#2": [2]}


def test_none_and_nan_are_missing() -> None:
    values = everything(open_memory({"p": [1, None, float("nan")]}))[1]["p"]
    assert numpy.isnan(values).tolist() == [False, True, True]


def test_an_array_is_not_copied() -> None:
    array = numpy.arange(3.0)
    (batch,) = open_memory({"p": array}).read([Field(("p",))])
    assert numpy.shares_memory(batch.values[Field(("p",))], array)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1, 2], "b": [1]}, '"a" has 2 rows, but "b" has 1.'),
        ({"a": []}, "data: 0 rows."),
        ({}, "data: there are no columns."),
        ({"a": numpy.array([1j])}, 'data: "a" holds complex numbers, not numbers.'),
        ({"a": numpy.float64(1)}, 'data: "a" is a single value, not one a datum.'),
        ({"a": [1, object()]}, 'data: "a" holds values of different or unknown types.'),
        ({"a": ["x", "y"]}, 'data, row 1, column "a": "x" is not a number.'),
        ({"a": [[1, 2], [3]]}, 'data, row 2, column "a": the vector has 1 value where the first has 2.'),
        (5, "int is no DataFrame and no mapping of arrays."),
    ],
    ids=["lengths", "empty", "nothing", "complex", "scalar", "objects", "words", "ragged", "no mapping"],
)
def test_what_is_no_column_of_numbers_is_refused(columns: Any, message: str) -> None:
    with pytest.raises(DataError) as caught:
        everything(open_memory(columns))
    assert str(caught.value) == message


def test_objects_of_two_axes_are_vectors() -> None:
    source = open_memory({"x": numpy.array([[1, None], [2.5, 3]], dtype=object)})
    assert (source.columns[0].kind, source.columns[0].shape) == ("vector", (2,))
    assert repr(everything(source)[1]["x"].tolist()) == "[[1.0, nan], [2.5, 3.0]]"


@pytest.mark.parametrize("chunk_rows", [1, 2, 3, 100])
def test_arrays_are_given_in_chunks(chunk_rows: int) -> None:
    source = open_memory({"x": numpy.arange(7.0), "word": list("abcdefg")})
    rows, values, kept = everything(source, ["x"], ["word"], chunk_rows=chunk_rows)
    assert rows == [1, 2, 3, 4, 5, 6, 7]
    assert values["x"].tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert kept["word"] == list("abcdefg")


def test_nan_among_words_is_a_missing_word() -> None:
    source = open_memory(pandas.DataFrame({"word": pandas.Series(["cat", float("nan"), "dog"], dtype=object)}))
    assert source.columns[0].sample == ("cat", None, "dog")
    assert everything(source, [], ["word"])[2]["word"] == ["cat", None, "dog"]
