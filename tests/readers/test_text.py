from __future__ import annotations

import math
from pathlib import Path

import numpy
import pytest

from losscli.errors import LosscliError
from losscli.readers import open_source
from losscli.readers.source import Consumed, Field, ReadOptions
from tests.readers.reading import everything, problem, write


def test_numbers_are_read_as_float_reads_them(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p,q\n0.1,+2\n-1e-3,.5\n5., 7 \n1e308,4.9e-324\n")
    rows, values, _ = everything(open_source("x.csv"))
    assert rows == [1, 2, 3, 4]
    assert values["p"].tolist() == [0.1, -1e-3, 5.0, 1e308]
    assert values["q"].tolist() == [2.0, 0.5, 7.0, 4.9e-324]


def test_missing_words_are_nan_in_numbers_and_none_where_handed_through(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p,q\n1,a\n,\nnan,nan\nNaN,NA\n")
    _, values, kept = everything(open_source("x.csv"), ["p"], ["q"])
    assert [math.isnan(value) for value in values["p"]] == [False, True, True, True]
    assert kept["q"] == ["a", None, None, "NA"]


def test_a_further_word_may_mean_missing(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p\n1\nNA\n")
    options = ReadOptions(missing=("", "nan", "NA"))
    assert numpy.isnan(everything(open_source("x.csv", options))[1]["p"]).tolist() == [False, True]


def test_ids_are_handed_through_as_they_are_written(folder: Path, way: str) -> None:
    write(folder, "x.csv", "id,p\n007,1\n9007199254740993,2\n1e5,3\n")
    assert everything(open_source("x.csv"), ["p"], ["id"])[2]["id"] == ["007", "9007199254740993", "1e5"]


def test_one_column_is_both_a_number_and_handed_through(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p\n1.50\n\n2\n" if way == "exactly" else "p\n1.50\n2\n")
    _, values, kept = everything(open_source("x.csv"), ["p"], ["p"])
    assert values["p"][[0, -1]].tolist() == [1.5, 2.0]
    assert kept["p"][0] == "1.50"


def test_several_columns_make_a_matrix(folder: Path, way: str) -> None:
    write(folder, "x.csv", "a,b,c\n1,2,3\n4,5,6\n")
    field = Field(("c", "a"), matrix=True)
    matrix = everything(open_source("x.csv"), [field])[1]["c"]
    assert matrix.tolist() == [[3, 1], [6, 4]]
    assert matrix.flags.c_contiguous
    assert everything(open_source("x.csv"), [Field(("b",), matrix=True)])[1]["b"].tolist() == [[2], [5]]


def test_words_become_positions(folder: Path, way: str) -> None:
    write(folder, "x.csv", "c\ncat\nDOG\n Guinea Pig\n\n" if way == "exactly" else "c\ncat\nDOG\n Guinea Pig\n")
    field = Field(("c",), words=("dog", "cat", "guinea_pig"))
    assert everything(open_source("x.csv"), [field])[1]["c"].tolist() == [1, 0, 2]


def test_words_equal_as_numbers_are_the_same_class(folder: Path, way: str) -> None:
    write(folder, "x.csv", "c\n1.0\n0\nTrue\n")
    assert everything(open_source("x.csv"), [Field(("c",), words=("0", "1"))])[1]["c"].tolist() == [1, 0, 1]


def test_words_that_differ_in_case_only_are_different_classes(folder: Path, way: str) -> None:
    write(folder, "x.csv", "c\na\nA\n")
    assert everything(open_source("x.csv"), [Field(("c",), words=("A", "a"))])[1]["c"].tolist() == [1, 0]


def test_a_class_may_be_called_na(folder: Path, way: str) -> None:
    write(folder, "x.csv", "c\nNA\nEU\n")
    assert everything(open_source("x.csv"), [Field(("c",), words=("EU", "NA"))])[1]["c"].tolist() == [1, 0]


def test_a_missing_class_is_nan(folder: Path, way: str) -> None:
    write(folder, "x.csv", "c,d\nx,1\n,2\n")
    codes = everything(open_source("x.csv"), [Field(("c",), words=("x",))])[1]["c"]
    assert numpy.isnan(codes).tolist() == [False, True]


def test_an_unknown_class_is_named_with_its_row(folder: Path, way: str) -> None:
    write(folder, "x.csv", "c\ncat\ncow\n")
    message = problem("x.csv", fields=[Field(("c",), words=("cat", "dog"))])
    assert message == 'x.csv, row 2, column "c": "cow" is none of the classes "cat", "dog".'


def test_true_and_false_are_1_and_0(folder: Path, way: str) -> None:
    write(folder, "x.csv", "c\nTrue\nFALSE\n\n" if way == "exactly" else "c\nTrue\nFALSE\n")
    source = open_source("x.csv")
    assert source.columns[0].kind == "boolean"
    assert everything(source)[1]["c"].tolist() == [1, 0]


CELLS = {
    "abc": '"abc" is not a number.',
    "NA": '"NA" is not a number. Hint: if it means that the value is missing, add --na-values NA.',
    "None": '"None" is not a number. Hint: if it means that the value is missing, add --na-values None.',
    "null": '"null" is not a number. Hint: if it means that the value is missing, add --na-values null.',
    "12%": '"12%" is not a number. Hint: percentages are not read: write 0.12 for 12%.',
    "1_000": '"1_000" is not a number. Hint: write numbers without separators between the thousands.',
    "1 000": '"1 000" is not a number. Hint: write numbers without separators between the thousands.',
    '"1,000"': '"1,000" is not a number. Hint: write numbers without separators between the thousands.',
    '"1,5"': '"1,5" is not a number. Hint: --decimal , reads numbers with a decimal comma.',
    "0x1F": '"0x1F" is not a number. Hint: hexadecimal numbers are not read: write 31.',
    "1e400": '"1e400" is beyond the range of a 64-bit float, 1.8e308.',
    "+-1": '"+-1" is not a number.',
    "True": '"True" is not a number. Hint: the cells before it are numbers: write 1 for True and 0 for False.',
    "１": '"１" is not a number.',
    "1\x1b[31m": '"1\\x1b[31m" is not a number.',
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_is_no_number_is_named(folder: Path, way: str, cell: str) -> None:
    write(folder, "x.csv", f"q,p\n0,1\n0,2\n0,{cell}\n0,4\n")
    assert problem("x.csv") == f'x.csv, row 3, column "p": {CELLS[cell]}'


def test_infinity_is_left_to_the_domains(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p\n1\n-inf\nInfinity\n")
    assert everything(open_source("x.csv"))[1]["p"].tolist() == [1, -math.inf, math.inf]


SHAPES = {
    "a,b\n1,2\n3\n5,6\n": "x.csv, row 2: has 1 field where the header has 2.",
    "a,b\n1,2\n3,4,5\n": "x.csv, row 2: has 3 fields where the header has 2.",
    "a,b\n1,2\n3,4,\n": "x.csv, row 2: has 3 fields where the header has 2.",
    "a,b\n1,2\n3": "x.csv, row 2: has 1 field where the header has 2. "
    "Hint: this is the last line: the file may have been cut.",
    "a,b\n1,2,3\n4,5,6\n": "x.csv, row 1: has 3 fields where the header has 2.",
    'a,b\n1,2\n3,"4\n': "x.csv, row 2: a quote is opened and never closed.",
    'a,b\n1,2\n3,"4"5\n': "x.csv, row 2: text follows a closing quote. "
    "Hint: a quote within a quoted field is written twice.",
    'a,b\n1,"2\n"\n3,"4"5\n': "x.csv, row 2 (line 4): text follows a closing quote. "
    "Hint: a quote within a quoted field is written twice.",
    f'a,b\n1,2\n3,"{"x" * 131_073}"\n': "x.csv, row 2: a field is longer than 131,072 characters. "
    "Hint: is a quote never closed?",
    'a,b\n1,"2\n"\n3\n': "x.csv, row 2 (line 4): has 1 field where the header has 2.",
    "a,b\n1,2\n# c\n": "x.csv, row 2: has 1 field where the header has 2.",
    "a,b\n1,2\n\n3\n": "x.csv, row 2 (line 4): has 1 field where the header has 2.",
}


@pytest.mark.parametrize("text", SHAPES, ids=lambda text: text[:40])
def test_a_row_of_the_wrong_shape_is_named(folder: Path, way: str, text: str) -> None:
    write(folder, "x.csv", text)
    message = problem("x.csv")
    # What a last line adds depends on where the file ends, not on what is wrong.
    assert message.split(" Hint: this is")[0] == SHAPES[text].split(" Hint: this is")[0]


def test_a_cut_last_line_is_called_so(folder: Path) -> None:
    text = "a,b\n1,2\n3"
    write(folder, "x.csv", text)
    assert problem("x.csv") == SHAPES[text]


def test_the_rows_before_a_bad_one_are_given_whatever_the_chunk_size(folder: Path, way: str) -> None:
    write(folder, "x.csv", "a,b\n" + "1,2\n" * 20 + "x,2\n" + "1,2\n" * 20)
    for chunk_rows in (1, 3, 21, 1000):
        seen = []
        with pytest.raises(LosscliError, match=r'x.csv, row 21, column "a": "x" is not a number.'):
            for batch in open_source("x.csv").read([Field(("a",))], chunk_rows=chunk_rows):
                assert len(batch.rows) <= chunk_rows
                seen += map(int, batch.rows)
        assert seen == list(range(1, 21))


def test_a_bad_cell_after_many_good_ones_is_found_by_duckdb_too(folder: Path) -> None:
    write(folder, "x.csv", "p,q\n" + "0.123456789012,1\n" * 600_000 + "0.5,1_0\n" + "1,2\n" * 10)
    assert (folder / "x.csv").stat().st_size > 8 << 20
    message = (
        'x.csv, row 600,001, column "q": "1_0" is not a number. Hint: write numbers without separators between the '
    )
    assert problem("x.csv") == message + "thousands."


def test_an_underscore_in_other_columns_does_not_slow_or_change_anything(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p,name\n" + "".join(f"{row}.5,img_{row}\n" for row in range(50)))
    _, values, kept = everything(open_source("x.csv"), ["p"], ["name"], chunk_rows=7)
    assert values["p"].tolist() == [row + 0.5 for row in range(50)]
    assert kept["name"][49] == "img_49"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "x.csv: 0 rows: the file is empty."),
        (b"\n\n", "x.csv: 0 rows: the file is empty."),
        (b"a,b\n", "x.csv: 0 rows: there is only a header."),
        (
            "a,b\n1,é\n".encode("latin-1"),
            "x.csv, line 2: byte 6 (0xe9) is not UTF-8. "
            "Hint: --encoding names the encoding, such as latin-1 or cp1252.",
        ),
        ("a,b\n1,2\n".encode("utf-16"), "x.csv: byte 0: this is UTF-16 text. Hint: --encoding utf-16 reads it."),
        (
            b"a,b\n1,2\x003\n4,5\n",
            "x.csv, line 2: byte 7 is NUL, which is no text. Hint: tr -d '\\0' leaves such bytes out.",
        ),
        (
            "a,b\n1,2\n".encode("utf-16-le"),
            "x.csv, line 1: byte 1 is NUL, which is no text. Hint: --encoding utf-16 reads UTF-16 text.",
        ),
        (
            b"0.5,1\n0.7,0\n",
            'x.csv: the first line, "0.5,1", holds numbers like the second, as data do. '
            "Hint: --no-header reads it as data and calls the columns #1, #2 and so on.",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n",
            "x.csv: this is a git-LFS pointer, not the data. Hint: git lfs pull fetches the data.",
        ),
    ],
    ids=["empty", "blank", "header only", "latin-1", "utf-16", "nul", "utf-16 without mark", "no header", "git-lfs"],
)
def test_what_is_no_table_is_refused(folder: Path, data: bytes, message: str) -> None:
    write(folder, "x.csv", data)
    assert problem("x.csv") == message


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "cp1252", "utf-16-le"])
def test_other_encodings_are_read_when_named(folder: Path, way: str, encoding: str) -> None:
    write(folder, "x.csv", "a,b\n1,é\n2,x\n".encode(encoding))
    source = open_source("x.csv", ReadOptions(encoding=encoding))
    assert everything(source, ["a"], ["b"])[2] == {"b": ["é", "x"]}


def test_a_byte_that_the_named_encoding_has_not_is_located(folder: Path) -> None:
    write(folder, "x.csv", b"a,b\n1,\x81\n")
    assert problem("x.csv", ReadOptions(encoding="cp1252")) == "x.csv: byte 6 is not cp1252 text."


def test_an_unknown_encoding_is_a_usage_error(folder: Path) -> None:
    write(folder, "x.csv", "a\n1\n")
    message = "there is no encoding klingon. Hint: utf-8, utf-16, latin-1 and cp1252 are common."
    assert problem("x.csv", ReadOptions(encoding="klingon")) == message


def test_a_byte_order_mark_is_not_part_of_the_first_name(folder: Path, way: str) -> None:
    write(folder, "x.csv", b"\xef\xbb\xbfa,b\n1,2\n")
    assert everything(open_source("x.csv"), ["a"])[1]["a"].tolist() == [1]


@pytest.mark.parametrize(
    ("name", "text", "note"),
    [
        ("x.tsv", "a,b\n1,2\n", "x.tsv: the fields are separated by commas, not tabs"),
        ("x.csv", "a;b\n1;2\n", "x.csv: the fields are separated by semicolons, not commas"),
        ("x.txt", "a|b\n1|2\n", "x.txt: the fields are separated by bars, not commas"),
        ("x.csv", "a\tb\n1\t2\n", "x.csv: the fields are separated by tabs, not commas"),
    ],
)
def test_another_delimiter_than_the_suffix_says_is_found_and_said(
    folder: Path, name: str, text: str, note: str
) -> None:
    write(folder, name, text)
    source = open_source(name)
    assert everything(source)[1]["b"].tolist() == [2]
    assert source.notes == [note]


def test_the_delimiter_of_long_rows_is_found_though_the_last_one_seen_is_cut(folder: Path) -> None:
    write(folder, "x.csv", "a;b;c\n" + f"1;{'x' * 40_000};2\n" * 10)
    source = open_source("x.csv")
    assert source.notes == ["x.csv: the fields are separated by semicolons, not commas"]
    assert everything(source, ["c"])[1]["c"].tolist() == [2] * 10


def test_what_separates_only_some_of_the_rows_is_no_delimiter(folder: Path) -> None:
    write(folder, "x.csv", "a;b\n" + "1;2\n" * 5 + "1;2;3\n" + "1;2\n" * 20)
    source = open_source("x.csv")
    assert source.notes == []
    assert [column.name for column in source.columns] == ["a;b"]


def test_a_given_delimiter_is_taken(folder: Path, way: str) -> None:
    write(folder, "x.csv", "a b\n1 2\n")
    assert everything(open_source("x.csv", ReadOptions(delimiter=" ")))[1]["b"].tolist() == [2]
    assert (
        problem("x.csv", ReadOptions(delimiter="ab")) == '--delimiter "ab": it is one character, such as , or ; or tab.'
    )


def test_decimal_commas(folder: Path, way: str) -> None:
    write(folder, "x.csv", "a;b\n1,5;2\n-,5;3e-1\n")
    source = open_source("x.csv", ReadOptions(decimal=","))
    assert everything(source)[1]["a"].tolist() == [1.5, -0.5]
    message = 'x.csv, row 1, column "a": "1,5" is not a number. Hint: --decimal , reads numbers with a decimal comma.'
    assert problem("x.csv") == message


def test_a_decimal_point_among_decimal_commas_is_refused(folder: Path, way: str) -> None:
    write(folder, "x.csv", "a;b\n1,5;2\n1.5;3\n")
    message = 'x.csv, row 2, column "a": "1.5" is not a number. Hint: the decimal mark is ",": leave --decimal out.'
    assert problem("x.csv", ReadOptions(decimal=",")) == message


def test_without_a_header_columns_have_numbers(folder: Path, way: str) -> None:
    write(folder, "x.csv", "1,2\n3,4\n")
    source = open_source("x.csv", ReadOptions(header=False))
    assert [column.name for column in source.columns] == ["#1", "#2"]
    assert everything(source)[0] == [1, 2]
    write(folder, "x.csv", "1,2\n3,x\n")
    assert problem("x.csv", ReadOptions(header=False)) == 'x.csv, row 2, column "#2": "x" is not a number.'


@pytest.mark.parametrize("header", [",0,1", "0,1,2"])
def test_codes_of_classes_are_a_header(folder: Path, header: str) -> None:
    write(folder, "x.csv", f"{header}\n0.5,0.25,0.25\n")
    assert everything(open_source("x.csv"))[0] == [1]


def test_columns_of_one_name_have_keys_of_their_own(folder: Path, way: str) -> None:
    write(folder, "x.csv", ",a,a\n0,1,2\n")
    source = open_source("x.csv")
    assert [(column.key, column.name) for column in source.columns] == [("#1", ""), ("a", "a"), ("#3", "a")]
    assert {key: value.tolist() for key, value in everything(source)[1].items()} == {"#1": [0], "a": [1], "#3": [2]}


def test_blank_lines_are_left_out_and_said(folder: Path, way: str) -> None:
    write(folder, "x.csv", "a,b\n1,2\n\n3,4\n\n\n")
    source = open_source("x.csv")
    assert everything(source)[0] == [1, 2]
    assert source.notes == ["x.csv: 3 blank lines left out"]
    assert source.line(2) == 4


def test_a_blank_line_within_a_single_column_is_a_missing_value(folder: Path, way: str) -> None:
    write(folder, "x.csv", "a\n1\n\n3\n\n")
    rows, values, _ = everything(open_source("x.csv"))
    assert rows == [1, 2, 3]
    assert numpy.isnan(values["a"]).tolist() == [False, True, False]


@pytest.mark.parametrize("text", ["a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\r\n3,4\n", "a,b\r1,2\r3,4\r", "a,b\r\n1,2\n3,4"])
def test_all_kinds_of_line_ends_are_read(folder: Path, way: str, text: str) -> None:
    write(folder, "x.csv", text.encode())
    rows, values, _ = everything(open_source("x.csv"))
    assert rows == [1, 2]
    assert values["b"].tolist() == [2, 4]


def test_a_name_with_glob_characters_is_that_file(folder: Path, way: str) -> None:
    write(folder, "a1.csv", "p,q\n1,1\n")
    write(folder, "a[1]*.csv", "p,q\n2,2\n")
    assert everything(open_source("a[1]*.csv"))[1]["p"].tolist() == [2]


def test_the_sample_tells_kinds(folder: Path) -> None:
    write(folder, "x.csv", "n,t,b,d,o\n1,a,True,2020-01-31,\n,b,false,2020-02-01 10:00,\n2.5,,True,2020-02-02,\n")
    kinds = {column.key: (column.kind, column.sample) for column in open_source("x.csv").columns}
    assert kinds == {
        "n": ("number", (1, None, 2.5)),
        "t": ("text", ("a", "b", None)),
        "b": ("boolean", (True, False, True)),
        "d": ("date", ("2020-01-31", "2020-02-01 10:00", "2020-02-02")),
        "o": ("other", (None, None, None)),
    }


def test_a_second_pass_gives_the_same(folder: Path, way: str) -> None:
    write(folder, "x.csv", "p\n1\n2\n")
    source = open_source("x.csv")
    assert everything(source)[1]["p"].tolist() == everything(source)[1]["p"].tolist() == [1, 2]


def test_a_file_that_is_not_there(folder: Path) -> None:
    write(folder, "preds.csv", "p\n1\n")
    assert problem("pred.csv") == 'pred.csv: no such file. Hint: did you mean "preds.csv"?'
    assert problem(".") == ". is a directory."


def test_a_comment_above_the_header_is_pointed_out(folder: Path, way: str) -> None:
    write(folder, "x.csv", "# made by me\ny,yhat\n1,2\n")
    assert problem("x.csv") == (
        "x.csv, row 1: has 2 fields where the header has 1. "
        "Hint: is the first line a comment or a title? tail -n +2 leaves it out."
    )


def test_blanks_between_numbers_are_pointed_out(folder: Path, way: str) -> None:
    write(folder, "x.txt", "y yhat\n1 2\n3 4.5\n")
    assert problem("x.txt") == (
        'x.txt: the first line, "y yhat", and the rows have 2 fields with blanks between. '
        "Hint: -d ' ' takes blanks for delimiters."
    )
    assert everything(open_source("x.txt", ReadOptions(delimiter=" ")))[1]["yhat"].tolist() == [2, 4.5]
    write(folder, "x.txt", "the label\ngolden retriever\nred fox\n")
    assert everything(open_source("x.txt"), [], ["the label"])[2] == {"the label": ["golden retriever", "red fox"]}


def test_progress_is_that_of_the_bytes(folder: Path, way: str) -> None:
    text = "a,b\n" + "1,2\n" * 500
    write(folder, "x.csv", text)
    source = open_source("x.csv")
    assert source.consumed() is None
    everything(source, chunk_rows=100)
    assert source.consumed() == Consumed(500, len(text), len(text))
