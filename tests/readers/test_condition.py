from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from losscli.errors import UsageError
from losscli.readers import open_memory, open_source
from losscli.readers.source import Field
from tests.readers.reading import everything, problem, write

TABLE = "id,group,p,Weird name,flag\n007,a,0.5,1,True\n008,b,1.5,2,False\n009,a,,3,True\n010,NA,2.5,4,False\n"


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("p > 1", [2, 4]),
        ("p is null", [3]),
        ("\"group\" = 'a'", [1, 3]),
        ("\"GROUP\" = 'NA'", [4]),
        ('"Weird name" % 2 = 0', [2, 4]),
        ("flag", [1, 3]),
        ("id >= 9", [3, 4]),
        ("id >= 9 and flag", [3]),
        ("p between 0 and 2 or flag", [1, 2, 3]),
        ("p > (select 1)", [2, 4]),
        ("true", [1, 2, 3, 4]),
        ("false", []),
    ],
)
@pytest.mark.parametrize("chunk_rows", [1, 3, 100])
def test_only_rows_that_meet_the_condition_are_given_with_their_numbers(
    folder: Path, way: str, condition: str, rows: list[int], chunk_rows: int
) -> None:
    write(folder, "x.csv", TABLE)
    found, values, kept = everything(open_source("x.csv"), ["p"], ["id"], where=condition, chunk_rows=chunk_rows)
    assert found == rows
    assert kept.get("id", []) == [f"{6 + row:03}" for row in rows]
    expected = numpy.array([numpy.nan, 0.5, 1.5, numpy.nan, 2.5])[rows] if rows else numpy.empty(0)
    assert values["p"].tobytes() == expected.tobytes()


def test_a_bad_cell_in_a_row_that_is_left_out_does_not_matter(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p,ok\n1,yes\nbad,no\n3,yes\n")
    rows, values, _ = everything(open_source("x.csv"), ["p"], where="ok = 'yes'")
    assert (rows, values["p"].tolist()) == ([1, 3], [1, 3])


def test_a_bad_cell_in_a_row_that_is_left_in_is_named_by_its_row_in_the_file(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p,ok\n1,no\nbad,yes\n3,yes\n")
    assert problem("x.csv", fields=["p"], where="ok = 'yes'") == 'x.csv, row 2, column "p": "bad" is not a number.'


def test_a_condition_serves_other_sources_too() -> None:
    source = open_memory({"p": numpy.arange(5.0), "v": numpy.arange(10.0).reshape(5, 2), "who": list("abcde")})
    rows, values, kept = everything(source, ["v"], ["who"], where="p >= 3 or who = 'a'")
    assert (rows, values["v"].tolist(), kept["who"]) == ([1, 4, 5], [[0, 1], [6, 7], [8, 9]], ["a", "d", "e"])


@pytest.mark.parametrize("condition", ["q > 1", "sum(p) > 1", "p >"])
def test_a_condition_that_means_nothing_is_a_usage_error(folder: Path, condition: str) -> None:
    write(folder, "x.csv", TABLE)
    expected = {
        "q > 1": '--where "q > 1": there is no column "q". Hint: words are written in \'single quotes\'.',
        "sum(p) > 1": '--where "sum(p) > 1": WHERE clause cannot contain aggregates.',
        "p >": '--where "p >": syntax error at or near ">".',
    }
    assert problem("x.csv", fields=["p"], where=condition) == expected[condition]


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ("random() < 0.5", "random"),
        ("p > 1 and RANDOM() < 0.5", "random"),
        ("p > (select random())", "random"),
        ("uuid() > 'a'", "uuid"),
        ("gen_random_uuid() is not null", "gen_random_uuid"),
        ("nextval('s') > 1", "nextval"),
        ("setseed(0.5) is null", "setseed"),
        ("now() > p", "now"),
        ("current_date is not null", "current_date"),
        ("Current_Timestamp is not null", "current_timestamp"),
    ],
)
def test_a_condition_that_changes_between_passes_is_refused(folder: Path, condition: str, name: str) -> None:
    write(folder, "x.csv", TABLE)
    assert problem("x.csv", fields=["p"], where=condition) == (
        f'--where "{condition}": "{name}" gives another answer each time, but every pass has to take the same rows.'
    )


def test_a_column_may_have_the_name_of_a_clock(folder: Path) -> None:
    write(folder, "x.csv", "p,current_date\n1,5\n2,6\n")
    assert everything(open_source("x.csv"), ["p"], where='"current_date" = 6')[0] == [2]


@pytest.mark.parametrize(
    ("condition", "at", "quoted"),
    [("similar=1", "=", '"similar"'), ("p > 0 and group = 1", "group", '"group"'), ("a b > 1", ">", '"a b"')],
)
def test_a_column_that_sql_takes_for_something_else_wants_quotes(
    folder: Path, condition: str, at: str, quoted: str
) -> None:
    write(folder, "x.csv", "p,similar,group,a b\n1,1,1,1\n")
    assert problem("x.csv", fields=["p"], where=condition) == (
        f'--where "{condition}": syntax error at or near "{at}". Hint: write the column in double quotes: {quoted}.'
    )


@pytest.mark.parametrize("condition", ["v > 0.5", "v = 1", "abs(v) > 1"])
def test_a_vector_cannot_be_compared(condition: str) -> None:
    source = open_memory({"v": numpy.arange(4.0).reshape(2, 2), "p": numpy.arange(2.0)})
    with pytest.raises(UsageError) as caught:
        everything(source, ["p"], where=condition)
    assert str(caught.value) == (
        f'--where "{condition}": "v" is a column of vectors, which cannot be compared. Hint: v[1] is its first number.'
    )
    assert everything(source, ["p"], where="v[1] > 0.5")[0] == [2]


def test_columns_that_differ_in_case_only_cannot_be_told_apart(folder: Path) -> None:
    write(folder, "x.csv", "p,P,q\n1,2,3\n")
    assert problem("x.csv", where="P > 1") == '--where "P > 1": the columns "p" and "P" have the same name in SQL.'
    assert everything(open_source("x.csv"), where="q = 3")[0] == [1]


@pytest.mark.parametrize(
    "condition",
    [
        "p > 1; select 1",
        "p > 1; drop table x",
        "(select count(*) from read_text('secret.csv')) > 0",
        "(select count(*) from read_csv('secret.csv')) > 0",
        "(select count(*) from read_blob('x.csv')) > 0",
        "(select count(*) from 'secret.csv') > 0",
        "exists(select * from glob('*'))",
        "(select count(*) from read_parquet('https://example.org/x')) > 0",
        "(select count(*) from frame) > 0",
        "(select count(*) from table) > 0",
        "attach 'x.db'",
        "p > 1) ; copy (select 1) to 'out.csv'; --",
        "p > 1 union select * from read_text('secret.csv')",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "getenv('HOME') is not null",
        "(copy (select 1) to 'out.csv')",
    ],
)
def test_a_condition_reads_and_writes_nothing_but_its_rows(folder: Path, way: str, condition: str) -> None:
    write(folder, "x.csv", TABLE)
    write(folder, "secret.csv", "a\n1\n")
    frame = numpy.arange(3)
    assert len(frame) == 3
    with pytest.raises(UsageError) as caught:
        everything(open_source("x.csv"), ["p"], where=condition)
    assert str(caught.value).startswith('--where "')
    assert sorted(path.name for path in folder.iterdir()) == ["secret.csv", "x.csv"]


def test_the_rows_that_a_condition_leaves_are_those_of_the_fields(folder: Path, way: str) -> None:
    write(folder, "x.csv", "a,b,c\n" + "".join(f"{row},{row % 7},w{row % 3}\n" for row in range(1000)))
    field = Field(("c",), words=("w0", "w1", "w2"))
    rows, values, _ = everything(open_source("x.csv"), ["a", field], where="b = 3 and c <> 'w1'", chunk_rows=64)
    expected = [row for row in range(1000) if row % 7 == 3 and row % 3 != 1]
    assert rows == [row + 1 for row in expected]
    assert values["a"].tolist() == expected
    assert values["c"].tolist() == [row % 3 for row in expected]
