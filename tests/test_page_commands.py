"""The commands on the page of each loss work as they stand, on sample data of the right kind."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from losscli.registry import losses
from losscli.report.page import commands
from tests.conftest import Outcome

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"
FILES = {
    "regression": "book.csv",
    "robust": "book.csv",
    "binary": "imbalanced.csv",
    "classes": "digits.csv",
    "contrastive": "pairs.npz",
    "triplet": "triplets.npz",
}
OTHER_INPUT = {"binary": "breast_cancer.csv", "classes": "iris_words.csv"}
ALL = [(name, command) for name, loss in losses().items() for command in commands(loss)]


@pytest.mark.parametrize(("name", "command"), ALL, ids=[command for _, command in ALL])
def test_a_command_of_a_page_works(losscli: Callable[..., Outcome], name: str, command: str) -> None:
    loss = losses()[name]
    sample = FILES.get(loss.family) or FILES[name]
    if "--input" in command:
        sample = OTHER_INPUT[loss.family]
    arguments = shlex.split(command)[1:]
    file = next((argument for argument in arguments if argument.startswith("preds.")), None)
    if file is not None:
        # The page says preds.csv or preds.npz; the sample's own suffix tells how it is read.
        shutil.copy(SAMPLE_DATA / sample, f"preds{Path(sample).suffix}")
        arguments[arguments.index(file)] = f"preds{Path(sample).suffix}"
    outcome = losscli(*arguments)
    assert (outcome.code, "losscli: " in outcome.err) == (0, False), outcome.err
