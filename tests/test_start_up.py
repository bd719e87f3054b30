"""What needs no data answers without torch, pandas, matplotlib, duckdb, pyarrow or numpy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "pandas", "matplotlib", "duckdb", "pyarrow", "numpy")
PROBE = """
import json, sys
from losscli.cli import run
code = run(json.loads(sys.argv[1]))
print(json.dumps({"code": code, "heavy": [name for name in json.loads(sys.argv[2]) if name in sys.modules]}))
"""


def outcome(*arguments: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments), json.dumps(HEAVY)],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    last: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return last


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["list"],
        ["show", "huber"],
        ["compute", "--help"],
        ["compute", "huber", "--help"],
        ["plot", "triplet", "--help"],
    ],
    ids=" ".join,
)
def test_help_and_catalogue_import_nothing_heavy(arguments: list[str]) -> None:
    assert outcome(*arguments) == {"code": 0, "heavy": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ["compute", "hubber", "x.csv"],
        ["compute", "huber", "--delta", "0", "x.csv"],
        ["compute", "huber", "--dleta", "1", "x.csv"],
        ["compute", "mae", "--nan", "ignore", "x.csv"],
        ["compute", "mae", "-o", "x.docx", "x.csv"],
        ["plot", "huber", "--delta", "-1"],
        ["plot", "huber", "-o", "x.gif"],
    ],
    ids=" ".join,
)
def test_argument_errors_import_nothing_heavy(arguments: list[str]) -> None:
    assert outcome(*arguments) == {"code": 2, "heavy": []}


def test_the_probe_sees_a_heavy_import() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import numpy\n" + PROBE, json.dumps(["--version"]), json.dumps(HEAVY)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1])["heavy"] == ["numpy"]
