"""What the documentation shows is what happens: every command and every Python block is run and compared."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.console import ROOT, run_in_terminal
from tests.forked import Forks

# A command, which a backslash continues on the next line, and what stands below it up to the next command.
COMMAND = r"^\$ ((?:.*\\\n)*.*)\n?((?:(?!\$ ).*\n?)*)"
# Two minutes in all: each command is a process of its own.
pytestmark = pytest.mark.slow

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "sample_data" / "README.md"]


@dataclass(frozen=True)
class Shown:
    """A command or a piece of Python as a page shows it."""

    page: Path
    line: int
    text: str
    output: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    pattern = rf"^```{language}\n(.*?)^```$"
    text = page.read_text()
    return [
        (text.count("\n", 0, match.start()) + 2, match.group(1)) for match in re.finditer(pattern, text, re.M | re.S)
    ]


def commands(page: Path) -> list[Shown]:
    found = []
    for line, block in blocks(page, "console"):
        for part in re.finditer(COMMAND, block, re.M):
            output = "\n".join(row.rstrip() for row in part.group(2).split("\n")).rstrip("\n")
            found.append(Shown(page, line + block.count("\n", 0, part.start()), part.group(1), output))
    return found


COMMANDS = [shown for page in PAGES for shown in commands(page)]
PYTHON = [Shown(page, line, block, "") for page in PAGES for line, block in blocks(page, "python")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "sample_data", tmp_path / "sample_data")
    return tmp_path


def matches(shown: str, expected: str) -> bool:
    """Whether an output is the shown one; a line of three dots in what is shown stands for any lines."""
    pattern = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line) + "\n" for line in expected.split("\n"))
    return re.fullmatch(pattern, shown + "\n") is not None


@pytest.mark.parametrize("shown", COMMANDS, ids=str)
def test_a_shown_command_prints_what_is_shown(shown: Shown, folder: Path) -> None:
    printed, _ = run_in_terminal(shown.text, folder)
    if not matches(printed, shown.output):
        assert printed == shown.output


@pytest.mark.parametrize("shown", PYTHON, ids=str)
def test_shown_python_runs(shown: Shown, folder: Path, forks: Forks) -> None:
    """A line such as ``print(x)  # 0.375`` says what it prints; all such comments together are the output."""
    said = re.findall(r"^print\(.*\)  # (.*)$", shown.text, re.M)
    code, out, err = forks.outcome(shown.text, folder)
    assert (code, err) == (0, "")
    assert out.splitlines() == said or not said


def test_there_is_something_to_run() -> None:
    assert len(COMMANDS) >= 10
    assert len(PYTHON) >= 2


def test_a_wrong_piece_of_python_is_seen(folder: Path, forks: Forks) -> None:
    code, out, err = forks.outcome("print(1)\n1 / 0", folder)
    assert (code, out, err.splitlines()[-1]) == (1, "1\n", "ZeroDivisionError: division by zero")
    assert forks.outcome("import warnings\nwarnings.warn('so')", folder)[2].endswith("UserWarning: so\n")
    assert forks.outcome("raise SystemExit(3)", folder)[0] == 1
    assert forks.outcome("print(input())", folder, b"given\n") == (0, "given\n", "")


def test_a_wrong_output_is_seen() -> None:
    assert not matches("0.375", "0.376")
    assert matches("a\nb\nc", "a\n...\nc")
    assert not matches("a\nb\nd", "a\n...\nc")
