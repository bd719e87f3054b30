"""Bad input, as a stranger meets it: the same message from a file and from standard input, in whatever chunks.

Each fault is a file and what must be said about it, whole: name, row, column, value, rule, remedy.
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy
import pytest

from tests.conftest import Outcome
from tests.forked import Forks

LOSSCLI = str(Path(sys.executable).with_name("losscli"))
SKIP = "--nan skip leaves such rows out and counts them; --nan propagate lets the result be nan."


@dataclass(frozen=True)
class Fault:
    """A file with something wrong, the command, and how it must end.

    Attributes:
        id: what is wrong.
        content: the file's bytes.
        message: what is said, with ``{file}`` for what the file is called.
        command: the loss and its options.
        suffix: of the file's name.
        code: the exit code.
        piped: whether standard input must say the same.
    """

    id: str
    content: bytes
    message: str
    command: tuple[str, ...] = ("mae",)
    suffix: str = ".csv"
    code: int = 3
    piped: bool = True

    def arguments(self, file: str, *more: str) -> list[str]:
        return ["compute", *self.command, "-q", "-f", "plain", *more, file]

    def said(self, file: str) -> str:
        return f"losscli: {self.message.replace('{file}', file)}\n"


def rows(*lines: str, header: str = "pred,target") -> bytes:
    return "".join(f"{line}\n" for line in (header, *lines)).encode()


def npy(array: numpy.ndarray, **options: bool) -> bytes:
    stream = io.BytesIO()
    numpy.save(stream, array, **options)
    return stream.getvalue()


def after_good_ones(count: int, line: str) -> bytes:
    return b"pred,target\n" + b"1.5,2\n" * count + f"{line}\n".encode()


GOOD = ("1,2", "3,4", "5,6")
BOTH = ("--pred", "pred", "--target", "target")
TABLES = [
    Fault("an empty file", b"", "{file}: 0 rows: the file is empty."),
    Fault("a header only", rows(), "{file}: 0 rows: there is only a header."),
    Fault("an empty cell", rows(*GOOD, ",2"), f'{{file}}, row 4, column "pred": a value is missing. Hint: {SKIP}'),
    Fault(
        "NA",
        rows(*GOOD, "NA,2"),
        '{file}, row 4, column "pred": "NA" is not a number. '
        "Hint: if it means that the value is missing, add --na-values NA.",
    ),
    Fault(
        "None",
        rows(*GOOD, "1,None"),
        '{file}, row 4, column "target": "None" is not a number. '
        "Hint: if it means that the value is missing, add --na-values None.",
    ),
    Fault("a row too short", rows("1,2", "3", "5,6"), "{file}, row 2: has 1 field where the header has 2."),
    Fault("a row too long", rows("1,2", "3,4,5", "5,6"), "{file}, row 2: has 3 fields where the header has 2."),
    Fault(
        "a cut end",
        rows(*GOOD) + b"7",
        "{file}, row 4: has 1 field where the header has 2. Hint: this is the last line: the file may have been cut.",
    ),
    Fault("one field too many throughout", rows("1,2,", "3,4,"), "{file}, row 1: has 3 fields where the header has 2."),
    Fault("a word", rows(*GOOD, "x,2"), '{file}, row 4, column "pred": "x" is not a number.'),
    Fault(
        "a word after 300,000 numbers",
        after_good_ones(300_000, "1.5,x"),
        '{file}, row 300,001, column "target": "x" is not a number.',
    ),
    Fault(
        "a header twice",
        b"pred,target,pred\n1,2,3\n",
        '{file}: 2 columns are called "pred". Hint: select one by its position: #1 or #3.',
    ),
    Fault(
        "decimal commas",
        b"pred;target\n1,5;2\n2;3\n",
        '{file}, row 1, column "pred": "1,5" is not a number. Hint: --decimal , reads numbers with a decimal comma.',
    ),
    Fault(
        "no header",
        b"1.5,2\n3,4\n",
        '{file}: the first line, "1.5,2", holds numbers like the second, as data do. '
        "Hint: --no-header reads it as data and calls the columns #1, #2 and so on.",
    ),
    Fault(
        "UTF-16",
        "pred,target\n1,2\n".encode("utf-16"),
        "{file}: byte 0: this is UTF-16 text. Hint: --encoding utf-16 reads it.",
    ),
    Fault(
        "latin-1",
        "pred,target,é\n1,2,3\n".encode("latin-1"),
        "{file}, line 1: byte 12 (0xe9) is not UTF-8. Hint: --encoding names the encoding, such as latin-1 or cp1252.",
    ),
    Fault(
        "NUL",
        b"pred,target\n1,2\n3\0,4\n",
        "{file}, line 3: byte 17 is NUL, which is no text. Hint: tr -d '\\0' leaves such bytes out.",
    ),
    Fault(
        "a comment above the header",
        b"# made by x\npred,target\n1,2\n",
        "{file}, row 1: has 2 fields where the header has 1. "
        "Hint: is the first line a comment or a title? tail -n +2 leaves it out.",
    ),
    Fault("inf", rows(*GOOD, "inf,2"), '{file}, row 4, column "pred": inf is not a finite number.'),
    Fault(
        "1e400",
        rows(*GOOD, "1e400,2"),
        '{file}, row 4, column "pred": "1e400" is beyond the range of a 64-bit float, 1.8e308.',
    ),
    Fault(
        "a hexadecimal number",
        rows(*GOOD, "0x1f,2"),
        '{file}, row 4, column "pred": "0x1f" is not a number. Hint: hexadecimal numbers are not read: write 31.',
    ),
    Fault(
        "an underscore",
        rows(*GOOD, "1_000,2"),
        '{file}, row 4, column "pred": "1_000" is not a number. '
        "Hint: write numbers without separators between the thousands.",
    ),
    Fault(
        "a percentage",
        rows(*GOOD, "12%,2"),
        '{file}, row 4, column "pred": "12%" is not a number. Hint: percentages are not read: write 0.12 for 12%.',
    ),
    Fault(
        "thousands",
        rows(*GOOD, '"1,000",2'),
        '{file}, row 4, column "pred": "1,000" is not a number. '
        "Hint: write numbers without separators between the thousands.",
    ),
    Fault(
        "a damaged gzip",
        gzip.compress(rows(*GOOD * 50))[:-9] + b"\0" * 9,
        "{file}: the compressed data are damaged: they do not match their checksum or format.",
        suffix=".csv.gz",
        piped=False,
    ),
]
LABELS = ("1,0.5", "0,0.25")
DOMAINS = [
    Fault(
        "a probability above 1",
        rows(*LABELS, "1,1.0000001", header="y,p"),
        '{file}, row 3, column "p": 1.0000001 is outside [0, 1]. Hint: are these logits? Add --input logits.',
        ("bce", "-p", "p", "-t", "y"),
    ),
    Fault(
        "a label of another code",
        rows(*LABELS, "2,0.5", header="y,p"),
        '{file}, row 3, column "y": 2 is outside [0, 1]. Hint: labels must be coded 0 and 1.',
        ("bce", "-p", "p", "-t", "y"),
    ),
    Fault(
        "a class that is not there",
        rows("0,1,2", "2,1,0", "1,1,3", header="label,score_0,score_1"),
        '{file}, row 2, column "label": 2 is not a class: there are 2, numbered 0 .. 1.',
        ("cross-entropy", "-p", "score_*", "-t", "label"),
    ),
    Fault(
        "a negative count",
        rows("1,2", "1,-1", header="pred,target"),
        '{file}, row 2, column "target": -1 is outside [0, inf). Hint: counts are never negative.',
        ("poisson-deviance", *BOTH),
    ),
    Fault(
        "a variance of 0",
        rows("1,2,1", "1,2,0", header="pred,target,var"),
        '{file}, row 2, column "var": 0 is outside (0, inf). Hint: is this a logarithm?',
        ("gaussian-nll", *BOTH, "--var", "var"),
    ),
    Fault(
        "a negative weight",
        rows("1,2,1", "1,2,-1", header="pred,target,w"),
        '{file}, row 2, column "w": -1 is outside [0, inf).',
        ("mae", *BOTH, "--weight", "w"),
    ),
    Fault(
        "weights of 0",
        rows("1,2,0", "1,2,0", header="pred,target,w"),
        '{file}, column "w": every weight is 0.',
        ("mae", *BOTH, "--weight", "w"),
    ),
    Fault(
        "a vector of zeros",
        rows("1,0,0,1", "0,0,1,0", header="p_0,p_1,t_0,t_1"),
        '{file}, row 2, column "p_0": 0 throughout: a zero vector has no direction.',
        ("cosine", "-p", "p_*", "-t", "t_*"),
    ),
    Fault(
        "an infinite loss",
        rows("1,0.5", "1,0", header="y,p"),
        "{file}, row 2: the binary-cross-entropy loss of pred 0 and target 1 is infinite. "
        "Hint: --allow-inf lets the cost be infinite; --clip 1e-7 keeps probabilities off 0 and 1.",
        ("bce", "-p", "p", "-t", "y"),
    ),
    Fault(
        "nothing but what is skipped",
        rows(",1", ",2"),
        "{file}: mae: all 2 rows were skipped.",
        ("mae", *BOTH, "--nan", "skip"),
    ),
    Fault(
        "nothing but what is ignored",
        rows("0,1,2", "0,3,4", header="label,score_0,score_1"),
        "{file}: cross-entropy:ignore-index=0: all 2 rows were skipped.",
        ("cross-entropy:ignore-index=0", "-p", "score_*", "-t", "label"),
    ),
    Fault(
        "a cost that is not defined",
        rows("1,2", "3,2"),
        "{file}: the rse cost is not defined for these data: the variance of the true values is 0.",
        ("rse", *BOTH),
    ),
]
FAULTS = [*TABLES, *DOMAINS]
AT_ONCE = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)


# A large file in chunks of one row would take minutes.
IN_CHUNKS = [
    pytest.param(fault, chunk, id=f"{fault.id}-{chunk}")
    for fault in FAULTS
    for chunk in (("1", "2", "1000") if len(fault.content) < 100_000 else ("1000",))
]


@pytest.mark.parametrize(("fault", "chunk"), IN_CHUNKS)
def test_a_fault_is_said_whole_in_whatever_chunks(losscli: Callable[..., Outcome], fault: Fault, chunk: str) -> None:
    name = f"data{fault.suffix}"
    Path(name).write_bytes(fault.content)
    assert losscli(*fault.arguments(name, "--chunk-rows", chunk)) == Outcome(fault.code, "", fault.said(name))


def check_process(run: Callable[..., tuple[int, str, str]], folder: Path, fault: Fault) -> None:
    name = f"data{fault.suffix}"
    (folder / name).write_bytes(fault.content)
    assert run(fault.arguments(name), folder) == (fault.code, "", fault.said(name))
    if fault.piped:
        found = run(fault.arguments("-"), folder, fault.content)
        assert found == (fault.code, "", fault.said("standard input"))
    assert os.listdir(folder) == [name]


@pytest.mark.slow
@AT_ONCE
def test_a_process_says_the_same_of_a_file_and_of_standard_input(tmp_path: Path, forks: Forks, fault: Fault) -> None:
    check_process(forks.outcome, tmp_path, fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*TABLES[::6], *DOMAINS[::6]], ids=lambda fault: fault.id)
def test_so_does_one_that_has_nothing_imported(tmp_path: Path, fault: Fault) -> None:
    check_process(outcome, tmp_path, fault)


@pytest.mark.slow
@pytest.mark.parametrize("fault", TABLES, ids=lambda fault: fault.id)
def test_a_fault_leaves_an_old_output_as_it_was(losscli: Callable[..., Outcome], fault: Fault) -> None:
    name = f"data{fault.suffix}"
    Path(name).write_bytes(fault.content)
    Path("old.csv").write_text("old\n")
    for more in ((), ("--per-datum",)):
        command = [*fault.arguments(name, *more), "-o", "old.csv", "--force"]
        command.remove("-f")
        command.remove("plain")
        assert losscli(*command).code == fault.code
        assert Path("old.csv").read_text() == "old\n"
        assert sorted(os.listdir()) == sorted([name, "old.csv"])


def outcome(arguments: list[str], folder: Path, piped: bytes | None = None) -> tuple[int, str, str]:
    done = subprocess.run([LOSSCLI, *arguments], cwd=folder, input=piped or b"", capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# --- arrays -----------------------------------------------------------------------------------------------------------

NUMBERS = numpy.arange(4.0)
ARRAYS = {
    "cut": (
        npy(NUMBERS)[:-8],
        "{file}: the header says 4 float64, 160 bytes in all, but there are 152: the file is cut.",
    ),
    "bytes to spare": (
        npy(NUMBERS) + b"12345678",
        "{file}: the header says 4 float64, 160 bytes in all, but there are 168: there are bytes to spare.",
    ),
    "pickled objects": (
        npy(numpy.array([{}, 1], dtype=object), allow_pickle=True),
        '{file}: the array holds Python objects ("object"), not numbers.',
    ),
    "complex numbers": (npy(NUMBERS * 1j), '{file}: the array holds complex numbers ("complex128"), not numbers.'),
    "dates": (
        npy(numpy.array(["2026-01-01"], dtype="M8[D]")),
        '{file}: the array holds dates ("datetime64[D]"), not numbers.',
    ),
    "records": (
        npy(numpy.zeros(2, dtype=[("a", "f8"), ("b", "f8")])),
        "{file}: the array holds records of several fields (\"[('a', '<f8'), ('b', '<f8')]\"), not numbers.",
    ),
    "a claim of terabytes": (
        npy(NUMBERS).replace(b"(4,)", b"(4000000000000,)").replace(b" " * 12 + b"\n", b"\n"),
        "{file}: the header says 4000000000000 float64, 32,000,000,000,128 bytes in all, but there are 160: "
        "the file is cut.",
    ),
    "another length": (npy(numpy.arange(5.0)), "pred.npy has 5 rows, but target.npy has 4."),
    "a column beside a row": (
        npy(NUMBERS[:, None]),
        "pred.npy, target.npy: mae: the shapes do not fit: pred has (n, 1), target has (n). "
        "Hint: it takes pred (n, ...), target (n, ...); none is broadcast.",
    ),
    "no array": (b"PK nothing", "{file}: this is not .npy data, or its header is damaged."),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_fault_of_an_array_is_said_whole(losscli: Callable[..., Outcome], name: str) -> None:
    content, message = ARRAYS[name]
    Path("pred.npy").write_bytes(content)
    numpy.save("target.npy", NUMBERS)
    found = losscli("compute", "mae", "-q", "-p", "pred.npy", "-t", "target.npy")
    assert found == Outcome(3, "", f"losscli: {message.replace('{file}', 'pred.npy')}\n")
