"""The survey of large text against its lines, told one by one: nothing is missed, and nothing plain is doubted."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from losscli.readers.spool import Spool
from losscli.readers.survey import Layout, Survey

BLOCKS = (1, 3, 8, 21, 1 << 17)
HEADER = b"name\n"
PIECES = [b"0.5", b"-1", b"+2", b"+-3", b"nan", b"", b"1_0", b"\xc3\xa9", b"\xc3", b"\0", b"\r", b" x", b"x "]
QUOTED = [b'"a"', b'"a,b"', b'"a""b"', b'""', b'"a\nb"', b'" a"', b'"a" ', b' "a"', b'"a"\t']


def surveyed(folder: Path, data: bytes, delimiter: str, width: int) -> Survey:
    (folder / "x.csv").write_bytes(HEADER + data)
    survey = Survey(Layout(Spool.of_file("x.csv"), delimiter, width, len(HEADER)))
    survey.finish()
    survey.close()
    return survey


def lines_of(data: bytes) -> list[bytes]:
    """The lines with their ends, which are line feeds."""
    return re.findall(rb"[^\n]*\n|[^\n]+\Z", data)


def is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False


def is_plain(data: bytes, delimiter: bytes, width: int) -> bool:
    """Whether every line is a row that cannot be read in two ways, without quotes."""
    lines = lines_of(data)
    ends = {line[len(line.rstrip(b"\r\n")) :] for line in lines if line.endswith(b"\n")}
    contents = [
        line.removesuffix(b"\n").removesuffix(b"\r") if ends == {b"\r\n"} else line.rstrip(b"\n") for line in lines
    ]
    return (
        is_text(data)
        and len(ends) <= 1
        and ends <= {b"\n", b"\r\n"}
        and not any(b"\r" in content or b"+-" in content for content in contents)
        and all(content.count(delimiter) == width - 1 and content for content in contents)
    )


def generated(draw: random.Random, delimiter: bytes, width: int, quotes: bool) -> bytes:
    end = draw.choice([b"\n", b"\r\n"])
    odd = draw.random() < 0.6
    data = b""
    for _ in range(draw.randrange(9)):
        pieces = (PIECES[:3] + PIECES[4:5]) if not odd or draw.random() < 0.8 else PIECES
        fields = [draw.choice(QUOTED if quotes and draw.random() < 0.3 else pieces) for _ in range(width)]
        if odd and draw.random() < 0.1:
            fields = fields[:-1] if draw.random() < 0.5 else [*fields, b""]
        data += delimiter.join(fields) + (
            draw.choice([b"\n", b"\r\n", b"\r", b"\n\n"]) if odd and draw.random() < 0.1 else end
        )
    return data.rstrip(b"\r\n") if draw.random() < 0.3 else data


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(("delimiter", "width"), [(",", 3), (",", 1), ("\t", 2)])
def test_plain_text_is_never_doubted_and_other_text_never_passed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, delimiter: str, width: int, block: int
) -> None:
    monkeypatch.setattr("losscli.readers.survey.BLOCK", block)
    plain = odd = 0
    for seed in range(100):
        data = generated(random.Random(seed), delimiter.encode(), width, quotes=False)
        survey = surveyed(folder, data, delimiter, width)
        assert not survey.quoted
        if is_plain(data, delimiter.encode(), width):
            plain += 1
            assert not survey.stopped, data
            assert survey.rows == len(lines_of(data)), data
        elif not survey.stopped:
            # A row with a field too many beside one with too few is left to the parser, which is strict.
            assert is_text(data), data
            assert b"+-" not in data, data
            assert data.count(delimiter.encode()) == survey.rows * (width - 1), data
            assert not re.search(rb"^\r?\n", data, re.MULTILINE) or width > 1, data
            assert data.count(b"\r") in (0, data.count(b"\r\n")), data
            assert data.count(b"\r\n") in (0, data.count(b"\n")), data
        odd += survey.stopped
        if not survey.stopped:
            assert survey.underscore == (b"_" in data), data
            whole = HEADER + data + (b"\r\n" if b"\r\n" in data else b"\n")
            for rows in range(survey.rows + 1):
                place = survey.place(rows)
                assert place.rows <= rows
                assert whole[: place.offset].count(b"\n") - 1 == place.rows, data
    assert plain > 20
    assert odd > 20


@pytest.mark.parametrize("block", BLOCKS)
def test_quoted_text_is_doubted_where_parsers_differ(folder: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr("losscli.readers.survey.BLOCK", block)
    passed = stopped = 0
    for seed in range(150):
        draw = random.Random(seed)
        data = b'"x",1,2\n' + generated(draw, b",", 3, quotes=True)
        survey = surveyed(folder, data, ",", 3)
        doubtful = (
            not is_text(data)
            or b"+-" in data
            or b"\r" in data
            or re.search(rb'^\n|,\n|,""\n|" | "|"\t|\t"', data, re.MULTILINE) is not None
            # The line end that is not written.
            or (data.endswith((b",", b',""')) and not data.endswith(b"\n"))
        )
        assert survey.stopped == doubtful, data
        passed, stopped = passed + (not survey.stopped), stopped + survey.stopped
        assert survey.quoted or survey.stopped, data
    assert passed > 10
    assert stopped > 10


def test_it_goes_no_further_than_asked_but_where_there_are_quotes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("losscli.readers.survey.BLOCK", 16)
    for first, least in ((b"1,2\n", 10), (b'"",2\n', 100)):
        (folder / "x.csv").write_bytes(HEADER + first + b"1,2\n" * 99)
        survey = Survey(Layout(Spool.of_file("x.csv"), ",", 2, len(HEADER)))
        survey.advance(10)
        assert least <= survey.rows <= least + 4
        survey.close()
