"""The walk-through of docs/add-a-loss.md, done: its blocks are put in place and the tests of all losses are run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.console import ROOT

pytestmark = pytest.mark.slow
BLOCKS = re.findall(r'^```py title="(.*?)"\n(.*?)^```$', (ROOT / "docs" / "add-a-loss.md").read_text(), re.M | re.S)
NAME = "log-absolute"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project with the walk-through's loss in it."""
    for part in ("losscli", "tests"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for place, block in BLOCKS:
        path = tmp_path / place
        lazy = "from losscli._lazy import torch\n" if "torch." in block and "_lazy" not in path.read_text() else ""
        text = path.read_text().replace("\nfrom losscli.domain", f"\n{lazy}from losscli.domain", 1)
        path.write_text(f"{text}\n\n{block}")
    return tmp_path


def outcome_of(copy: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", NAME]
    files = ["tests/test_losses_contract.py", "tests/test_losses_accuracy.py"]
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([*command, *files], cwd=copy, env=environment, capture_output=True, text=True)


def test_a_new_loss_costs_one_function_here_and_one_in_the_oracle(copy: Path) -> None:
    assert [place for place, _ in BLOCKS] == [
        "losscli/losses/robust.py",
        "tests/oracle/robust.py",
        "tests/cases/robust.py",
    ]
    done = outcome_of(copy)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 20


def test_a_wrong_one_is_noticed(copy: Path) -> None:
    module = copy / "losscli" / "losses" / "robust.py"
    module.write_text(module.read_text().replace("torch.log1p((pred", "torch.log(1 + (pred"))
    done = outcome_of(copy)
    assert done.returncode == 1
    assert f"test_every_loss_is_within_four_ulp[{NAME}" in done.stdout
