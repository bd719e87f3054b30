"""The commands on the page of each loss work as they stand, on sample data of the right kind."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy
import pandas
import pytest

from losscli.loss import BoundLoss
from losscli.registry import losses
from losscli.report.page import commands
from tests.conftest import Outcome
from tests.test_losses_contract import inputs

SAMPLE_DATA = Path(__file__).parent.parent / "sample_data"
# Tables of real predictions, for the families whose columns are found in them.
FILES = {
    "regression": {None: "book.csv"},
    "robust": {None: "book.csv"},
    "binary": {"probs": "imbalanced.csv", "logits": "breast_cancer.csv"},
    "classes": {None: "digits.csv", "logits": "digits.csv", "probs": "iris_words.csv"},
}
ROWS = 30
ALL = [(name, command) for name, loss in losses().items() for command in commands(loss)]


def written(bound: BoundLoss, suffix: str) -> str:
    """A file with samples of every role, made in the current folder, and beside it what all data share."""
    roles = {role: values.numpy() for role, values in next(inputs(bound, ROWS)).items()}
    for role in bound.loss.shared:
        numpy.save(f"{role}.npy", roles.pop(role))
    file = f"preds{suffix}"
    if suffix == ".npz":
        numpy.savez(file, **roles)
    else:
        columns = {}
        for role, values in roles.items():
            wide = values.reshape(len(values), -1)
            columns.update({f"{role}_{k}" if wide.shape[1] > 1 else role: wide[:, k] for k in range(wide.shape[1])})
        pandas.DataFrame(columns).to_csv(file, index=False)
    return file


def is_first(command: str) -> bool:
    """Whether it is the plain computation; the others, and the pictures, are for the slow run."""
    return len(command.split("--")) == 1 and "plot" not in command


PAGE_COMMANDS = [
    pytest.param(name, command, id=command, marks=[] if is_first(command) else [pytest.mark.slow])
    for name, command in ALL
]


@pytest.mark.parametrize(("name", "command"), PAGE_COMMANDS)
def test_a_command_of_a_page_works(losscli: Callable[..., Outcome], name: str, command: str) -> None:
    loss = losses()[name]
    arguments = shlex.split(command)[1:]
    file = next((argument for argument in arguments if argument.startswith("preds.")), None)
    if file is not None:
        changed = {"input": arguments[arguments.index("--input") + 1]} if "--input" in arguments else {}
        sample = FILES.get(loss.family, {}).get(loss.bind(**changed).params.get("input"))
        if sample is not None and file.endswith(".csv"):
            shutil.copy(SAMPLE_DATA / sample, "preds.csv")
        else:
            written(loss.bind(**changed), Path(file).suffix)
    outcome = losscli(*arguments)
    assert (outcome.code, "losscli: " in outcome.err) == (0, False), outcome.err
