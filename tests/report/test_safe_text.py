from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.report.drawing import Column, draw, table
from losscli.report.text import full, json_text, latex, markdown, significant


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [(1 / 3, 6, "0.333333"), (0.0, 6, "0"), (1e-300, 3, "1e-300"), (123456789.0, 6, "1.23457e+08"), (None, 6, "")],
)
def test_significant_digits(value: float | None, digits: int, expected: str) -> None:
    assert significant(value, digits) == expected


def test_full_values_keep_everything() -> None:
    assert [full(value) for value in (0.1 + 0.2, 10**20, True, False, None, "x")] == [
        "0.30000000000000004",
        "100000000000000000000",
        "true",
        "false",
        "",
        "x",
    ]


MARKDOWN = {
    "a_b*c*": "a\\_b\\*c\\*",
    "[x](y)": "\\[x\\](y)",
    "<script>": "&#60;script>",
    "a & b &amp; &#60;": "a & b &#38;amp; &#38;\\#60;",
    "`code`|~~x~~$y$": "\\`code\\`\\|&#126;&#126;x&#126;&#126;&#36;y&#36;",
    "# no heading": "\\# no heading",
    "\x1b[31m": "\\\\x1b\\[31m",
}


@pytest.mark.parametrize(("text", "expected"), MARKDOWN.items())
def test_markdown_shows_what_is_typed(text: str, expected: str) -> None:
    assert markdown(text) == expected


@settings(max_examples=100, deadline=None)
@given(st.text('\\{}$&#%_^~<>|"- a'))
def test_no_special_character_of_latex_is_left_bare(text: str) -> None:
    safe = latex(text)
    for known in (r"\textbackslash{}", r"\textasciicircum{}", r"\textasciitilde{}", r"\textless{}", r"\textgreater{}"):
        safe = safe.replace(known, "")
    for known in (r"\textbar{}", r"\symbol{34}", r"\{", r"\}", r"\$", r"\&", r"\#", r"\%", r"\_", "-{}-", "{}-"):
        safe = safe.replace(known, "")
    assert set(safe) <= set(" a-")


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.text() | st.integers() | st.booleans() | st.none(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_json_reads_back_and_is_printable(value: object) -> None:
    text = json_text(value)
    assert json.loads(text) == value
    assert text.isprintable()
    assert text.encode()


def test_what_json_does_not_know_is_text() -> None:
    import datetime

    import numpy

    value = {"d": datetime.date(2024, 1, 2), "n": numpy.int64(3), "f": numpy.float64("inf"), "t": (1, 2)}
    assert json.loads(json_text(value)) == {"d": "2024-01-02", "n": 3, "f": None, "t": [1, 2]}


def drawn(columns: list[Column], width: int | None) -> str:
    return draw([table(columns, width=width)], width=width, color=False)


def test_texts_fold_between_words_and_numbers_stay_whole() -> None:
    columns = [Column("text", ("several words that fold", "x")), Column("value", ("0.123456", "1"), number=True)]
    assert drawn(columns, 24) == (
        "text               value\n"
        "────────────────────────\n"
        "several words   0.123456\n"
        "that fold\n"
        "x                      1\n"
    )


def test_rows_become_blocks_where_columns_have_no_room() -> None:
    columns = [Column("text", ("a", "")), Column("number", ("0.123456", "1"), number=True)]
    assert drawn(columns, 12) == "text    a\nnumber  0.12\n        3456\n\nnumber  1\n"


cells = st.text(st.characters(max_codepoint=0x2FFF).filter(lambda c: c.isprintable() and not c.isspace()), max_size=30)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(cells, cells, st.floats().map(repr)), min_size=1, max_size=4), st.integers(30, 90))
def test_every_character_of_a_table_is_drawn_at_any_width(rows: list[tuple[str, str, str]], width: int) -> None:
    texts = list(zip(*rows))
    columns = [Column("a", texts[0]), Column("b", texts[1]), Column("c", texts[2], number=True)]
    text = drawn(columns, width)
    wanted = sorted("".join("".join(part) for part in texts))
    found = sorted(text.replace("─", "").replace(" ", "").replace("\n", ""))
    for character in set(wanted) - {"─", " "}:
        assert found.count(character) >= wanted.count(character)
