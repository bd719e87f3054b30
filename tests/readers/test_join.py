from __future__ import annotations

from pathlib import Path

import numpy
import pandas
import pytest

from losscli.errors import LosscliError
from losscli.readers import join_truth, open_memory, open_source, side_by_side
from losscli.readers.source import Consumed, Source
from tests.readers.reading import everything, write

PREDS = "PassengerId,p\n3,0.1\n1,0.2\n2,0.3\n"
TRUTH = "passenger_id,y,who\n1,0,x\n2,1,\n3,1,z\n"


def opened(folder: Path, text: str, name: str) -> Source:
    return open_source(write(folder, name, text))


def error(data: Source, truth: Source, id: str | None = None, **reading: object) -> str:
    with pytest.raises(LosscliError) as caught:
        everything(join_truth(data, truth, id), **reading)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
def test_the_id_that_both_have_joins_in_the_order_of_the_data(folder: Path, chunk_rows: int) -> None:
    joined = join_truth(opened(folder, PREDS, "p.csv"), opened(folder, TRUTH, "t.csv"))
    rows, values, kept = everything(joined, ["p", "truth::y"], ["PassengerId", "truth::who"], chunk_rows=chunk_rows)
    assert rows == [1, 2, 3]
    assert values["p"].tolist() == [0.1, 0.2, 0.3]
    assert values["truth::y"].tolist() == [1, 0, 1]
    assert kept == {"PassengerId": ["3", "1", "2"], "truth::who": ["z", "x", None]}
    assert joined.notes == ['joined on "PassengerId": 3 rows']
    assert [(column.key, column.name, column.side) for column in joined.columns] == [
        ("PassengerId", "PassengerId", "data"),
        ("p", "p", "data"),
        ("truth::passenger_id", "passenger_id", "truth"),
        ("truth::y", "y", "truth"),
        ("truth::who", "who", "truth"),
    ]


def test_formats_can_be_mixed(folder: Path) -> None:
    pandas.DataFrame({"PassengerId": [1, 2, 3], "y": [0, 1, 1]}).to_parquet(folder / "t.parquet")
    joined = join_truth(opened(folder, PREDS, "p.csv"), open_source("t.parquet"))
    assert everything(joined, ["truth::y"])[1]["truth::y"].tolist() == [1, 0, 1]


def test_ids_that_are_not_all_whole_numbers_are_compared_as_they_are_written(folder: Path) -> None:
    data = opened(folder, "id,p\n007,1\nx,2\n", "p.csv")
    joined = join_truth(data, opened(folder, "id,y\nx,5\n007,6\n", "t.csv"))
    assert everything(joined, ["truth::y"])[1]["truth::y"].tolist() == [6, 5]
    message = (
        'p.csv, column "id": 1 of 2 rows have an id that t.csv has not, such as "007"; those of t.csv are such as "7".'
    )
    assert error(data, opened(folder, "id,y\nx,5\n7,6\n", "t.csv")) == message


def test_whole_numbers_are_the_same_id_however_they_are_written(folder: Path) -> None:
    data = opened(folder, "id,p\n007,1\n8,2\n", "p.csv")
    joined = join_truth(data, opened(folder, "id,y\n8,5\n7,6\n", "t.csv"))
    assert everything(joined, ["truth::y"])[1]["truth::y"].tolist() == [6, 5]


@pytest.mark.parametrize("written", ["007.0,6\n8.0,5", "7,6\n8.0,5", "7.,6\n8.00,5"])
def test_whole_numbers_with_a_fraction_of_zeros_are_the_same_ids(folder: Path, written: str) -> None:
    data = opened(folder, "id,p\n007,1\n8,2\n", "p.csv")
    joined = join_truth(data, opened(folder, f"id,y\n{written}\n", "t.csv"))
    assert everything(joined, ["truth::y"])[1]["truth::y"].tolist() == [6, 5]


def test_floats_of_a_binary_file_join_the_whole_numbers_that_they_are(folder: Path) -> None:
    pandas.DataFrame({"id": [9007199254740992.0, 2.0], "y": [0, 1]}).to_parquet(folder / "t.parquet")
    data = opened(folder, "id,p\n2,1\n9007199254740992.0,2\n", "p.csv")
    assert everything(join_truth(data, open_source("t.parquet")), ["truth::y"])[1]["truth::y"].tolist() == [1, 0]


def test_ids_of_one_kind_under_different_names_are_asked_about(folder: Path) -> None:
    data, truth = opened(folder, "id,p\n2,1\n1,2\n", "p.csv"), opened(folder, "key,y\n1,1\n2,2\n", "t.csv")
    assert error(data, truth) == (
        '"id" of p.csv and "key" of t.csv seem to be ids, but their names differ. '
        "Hint: rename one of them like the other, or give a column that both have with --id."
    )


@pytest.mark.parametrize(
    ("data", "truth", "note"),
    [
        ("p\n1\n2\n", "y\n1\n2\n", "joined by row order: 2 rows"),
        (
            "p\n1\n2\n",
            "id,y\n7,1\n8,2\n",
            'joined by row order: 2 rows, although "id" of t.csv has no partner',
        ),
        (
            "path,p\na,1\nb,2\n",
            "y\n1\n2\n",
            'joined by row order: 2 rows, although "path" of p.csv has no partner',
        ),
        ("p\n1\n2\n", "key,y\na,1\na,2\n", "joined by row order: 2 rows"),
    ],
    ids=["no ids", "in the truth", "in the data", "repeated"],
)
def test_a_join_by_row_order_is_said(folder: Path, data: str, truth: str, note: str) -> None:
    joined = join_truth(opened(folder, data, "p.csv"), opened(folder, truth, "t.csv"))
    for _ in range(2):
        everything(joined, ["p", "truth::y"], chunk_rows=1)
    assert joined.notes == [note]


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        ("1,5,9", "1,5.0,8", 'p.csv, row 3, column "a": "9", but t.csv has "8" there.'),
        ("x,y,z", "x,z,y", 'p.csv, row 2, column "a": "y", but t.csv has "z" there.'),
        ("0.5,1,2", "0.6,1,2", 'p.csv, row 1, column "a": "0.5", but t.csv has "0.6" there.'),
    ],
    ids=["whole numbers", "words", "fractions"],
)
def test_rows_that_contradict_each_other_are_not_joined_by_their_order(
    folder: Path, ours: str, theirs: str, message: str, chunk_rows: int
) -> None:
    data = opened(folder, "a,p\n" + "".join(f"{cell},1\n" for cell in ours.split(",")), "p.csv")
    truth = opened(folder, "a,y\n" + "".join(f"{cell},1\n" for cell in theirs.split(",")), "t.csv")
    hint = " Hint: the rows of the two are not in the same order; --id COL joins them by a column."
    assert error(data, truth, fields=["p", "truth::y"], chunk_rows=chunk_rows) == message + hint
    # Columns that both sides were asked for are compared as soon as they are not.
    joined = join_truth(data, truth)
    if ours[0].isdigit():
        everything(joined, ["a", "truth::y"])
    with pytest.raises(LosscliError, match=r"but t\.csv has"):
        everything(joined, ["p", "truth::y"])
    # What one side says of itself is no contradiction, and a prediction may have the name of its target.
    everything(join_truth(data, truth), ["p"])
    if ours[0].isdigit():
        everything(join_truth(data, truth), ["a", "truth::a"])


def test_rounding_and_gaps_are_no_contradiction(folder: Path) -> None:
    data = opened(folder, "a,b,p\n0.12345,x,1\n,y,2\n3,,3\n", "p.csv")
    joined = join_truth(data, opened(folder, "a,b,y\n0.1234,x,1\n5,y,2\n3.0,z,3\n", "t.csv"))
    assert everything(joined, ["p", "truth::y"])[0] == [1, 2, 3]
    assert joined.notes == ["joined by row order: 3 rows"]


@pytest.mark.parametrize(
    ("data", "truth", "message"),
    [
        (
            "id,p\n1,1\n",
            "id,y\n1,1\n2,0\n",
            't.csv, column "id": 1 of 2 rows have an id that p.csv has not, such as "2"; '
            'those of p.csv are such as "1".',
        ),
        (
            "id,p\n1,1\n5,1\n",
            "id,y\n1,1\n",
            'p.csv, column "id": 1 of 2 rows have an id that t.csv has not, such as "5"; '
            'those of t.csv are such as "1".',
        ),
        ("id,p\n1,1\n", "id,y\n1,1\n1,0\n", 't.csv, column "id": 1 id occurs more than once, such as "1".'),
        ("id,p\n,1\n2,1\n", "id,y\n1,1\n2,0\n", 'p.csv, row 1, column "id": the id is missing.'),
        (
            "id,p\n1,1\n2,1\n1,2\n2,2\n",
            "id,y\n1,1\n2,0\n",
            'p.csv, column "id": 2 ids occur more than once, such as "1". '
            "Hint: --where takes the rows of one model or fold, as in --where \"model = 'a'\".",
        ),
        (
            "id,row_id,p\n1,1,1\n",
            "row_id,id,y\n1,1,1\n",
            'p.csv and t.csv both have the ids "id" and "row_id". Hint: --id says which one joins them.',
        ),
        (
            "a,p\n1,1\n2,1\n",
            "b,y\n1,1\n",
            "p.csv has 2 rows, but t.csv has 1. Hint: --id COL joins the two by a column that both have.",
        ),
    ],
    ids=["too much truth", "no truth", "truth twice", "no id", "predictions twice", "two ids", "counts"],
)
def test_gaps_and_repeats_are_refused_with_counts(folder: Path, data: str, truth: str, message: str) -> None:
    assert error(opened(folder, data, "p.csv"), opened(folder, truth, "t.csv")) == message


def test_a_condition_may_pick_one_model_of_several_in_rows(folder: Path) -> None:
    data = opened(folder, "id,model,p\n1,a,1\n2,a,2\n2,b,3\n1,b,4\n", "p.csv")
    joined = join_truth(data, opened(folder, "id,y\n1,10\n2,20\n", "t.csv"))
    rows, values, _ = everything(joined, ["p", "truth::y"], where="model = 'b'")
    assert (rows, values["p"].tolist(), values["truth::y"].tolist()) == ([3, 4], [3, 4], [20, 10])
    for chunk_rows in (1, 100):
        assert error(
            data, opened(folder, "id,y\n1,10\n2,20\n", "t.csv"), fields=["p"], where="p > 1", chunk_rows=chunk_rows
        ) == (
            'p.csv, column "id": 1 id occurs more than once, such as "2". '
            "Hint: --where takes the rows of one model or fold, as in --where \"model = 'a'\"."
        )


def test_a_given_id_must_be_in_both(folder: Path) -> None:
    data, truth = opened(folder, "key_a,p\n1,1\n", "p.csv"), opened(folder, "key_b,y\n1,1\n", "t.csv")
    assert error(data, truth, "key_a") == '--id: t.csv has no column "key_a". Hint: did you mean "key_b"?'


def test_without_an_id_rows_stand_side_by_side(folder: Path) -> None:
    data, truth = opened(folder, "p,q\n1,1\n2,2\n3,3\n", "p.csv"), opened(folder, "p,y\n0,4\n0,5\n9,6\n", "t.csv")
    joined = join_truth(data, truth)
    for chunk_rows in (1, 2, 100):
        rows, values, _ = everything(joined, ["p", "truth::p", "truth::y"], chunk_rows=chunk_rows)
        assert (rows, values["p"].tolist(), values["truth::y"].tolist()) == ([1, 2, 3], [1, 2, 3], [4, 5, 6])
    assert everything(joined, ["p"], where='"truth::p" = 0 and p > 1 and y < 9')[0] == [2]


def test_an_error_in_the_truth_names_its_file(folder: Path) -> None:
    data, truth = opened(folder, "p,q\n1,1\n2,2\n", "p.csv"), opened(folder, "y,z\n0,0\nx,0\n", "t.csv")
    assert error(data, truth, fields=["p", "truth::y"]) == 't.csv, row 2, column "y": "x" is not a number.'


def test_a_file_for_each_role(folder: Path) -> None:
    numpy.save(folder / "p.npy", numpy.arange(3.0))
    labels = opened(folder, "id,label\n1,0\n2,1\n3,1\n", "t.csv")
    source = side_by_side({"pred": (open_source("p.npy"), "p"), "target": (labels, "label")})
    assert source.name == "p.npy, t.csv"
    assert source.rows == 3
    assert [(column.key, column.file) for column in source.columns] == [("pred", "p.npy"), ("target", "t.csv")]
    rows, values, _ = everything(source, ["pred", "target"], chunk_rows=2)
    assert (rows, values["pred"].tolist(), values["target"].tolist()) == ([1, 2, 3], [0, 1, 2], [0, 1, 1])


def test_files_of_different_lengths_are_refused_when_opened_where_both_are_known(folder: Path) -> None:
    numpy.save(folder / "p.npy", numpy.arange(3.0))
    numpy.save(folder / "y.npy", numpy.arange(4.0))
    with pytest.raises(LosscliError) as caught:
        side_by_side({"pred": (open_source("p.npy"), "p"), "target": (open_source("y.npy"), "y")})
    assert str(caught.value) == "p.npy has 3 rows, but y.npy has 4."


def test_two_columns_of_one_file_may_be_two_roles(folder: Path) -> None:
    source = open_memory({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    both = side_by_side({"pred": (source, "b"), "target": (source, "a")})
    assert {key: value.tolist() for key, value in everything(both)[1].items()} == {"pred": [3, 4], "target": [1, 2]}


def test_progress_is_that_of_both_files(folder: Path) -> None:
    data, truth = opened(folder, "p\n1\n2\n", "p.csv"), opened(folder, "y\n1000\n2000\n", "t.csv")
    joined = join_truth(data, truth)
    everything(joined, ["p", "truth::y"])
    assert joined.consumed() == Consumed(2, 6 + 12, 6 + 12)
    assert Consumed(4, 100, 200).share(2) == 0.25
    assert Consumed(4, 100, 100).share(5) == 1.0
    assert Consumed(0, 0, 100).share(0) == 0.0


def test_the_first_file_says_how_the_whole_is_read(folder: Path) -> None:
    pandas.DataFrame({"y": [1.0, 2.0]}).to_parquet(folder / "t.parquet")
    data, truth = opened(folder, "p\n1\n2\n", "p.csv"), open_source("t.parquet")
    assert join_truth(data, truth).format == "csv"
    assert join_truth(open_source("t.parquet"), data).format == "parquet"
