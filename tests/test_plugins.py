"""Losses that users bring: from a file, as a criterion, from an installed package; broken ones harm nothing else."""

from __future__ import annotations

import importlib
import re
import textwrap
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

import losscli
from losscli import plugins
from losscli.cli import run
from losscli.errors import ResourceError, UsageError

# The attribute losscli.registry's names are those of this process: what a test brings is taken out again.
registry = importlib.import_module("losscli.registry")

SOURCE = '''
import torch

def my_loss(pred, target, *, k: float = 1.0):
    """Errors times k.

    Args:
        k: the factor.
    """
    return k * (pred - target).abs()

def truth_first(y_true, y_pred, c=3):
    return (y_pred - 2 * y_true) / c

def mean_of_all(pred, target):
    return (pred - target).abs().mean()

def crossed(pred, target):
    return pred[:, None] - target[None, :]

def no_tensor(pred, target):
    return 3

def fails(pred, target):
    raise ValueError("no luck")

def everything(*columns):
    return columns[0]

def with_dict(pred, target, *, table={}):
    return pred

def mse(pred, target):
    return pred

def of_scores(pred, target, *, weight="auto", shift=(0.0, 1.0), hard=False):
    return pred + shift[0]

criterion = torch.nn.HuberLoss(delta=2.0)

class Criterion(torch.nn.Module):
    def __init__(self, w=2.0):
        super().__init__()
        self.w = w

    def forward(self, input, target):
        return self.w * (input - target).abs()

number = 3
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my.py"
    path.write_text(SOURCE)
    return path


BUILT_IN = dict(registry._LOSSES), dict(registry._NAMES)


def forget() -> None:
    """Takes out what a test has brought."""
    for store, kept in zip((registry._LOSSES, registry._NAMES), BUILT_IN):
        store.clear()
        store.update(kept)


@pytest.fixture(autouse=True)
def same_catalogue() -> Iterator[None]:
    yield
    forget()


def cost(file: Path, name: str, **params: object) -> float:
    declared = plugins.load(f"{file}:{name}")
    return losscli.compute(declared.bind(**params), pred=[1.0, 5.0], target=[0.0, 1.0]).value


def test_a_plain_function_is_a_loss_with_options_and_both_modes(file: Path) -> None:
    assert cost(file, "my_loss") == 2.5
    assert losscli.compute("my-loss:k=2", pred=[1.0, 5.0], target=[0.0, 1.0]).value == 5.0
    frame = losscli.compute("my-loss", pred=[1.0, 5.0], target=[0.0, 1.0], reduction="none")
    assert frame["my-loss"].tolist() == [1.0, 4.0]
    assert losscli.loss("my_loss").loss.params[0].help == "the factor."


def test_the_truth_may_come_first(file: Path) -> None:
    assert cost(file, "truth_first") == ((1 - 0) / 3 + (5 - 2) / 3) / 2


def test_a_criterion_is_not_reduced(file: Path) -> None:
    assert cost(file, "criterion") == (0.5 + 2 * (4 - 1)) / 2


def test_a_criterions_class_has_its_arguments_as_options(file: Path) -> None:
    assert cost(file, "Criterion") == 5.0
    assert losscli.compute("criterion:w=3", pred=[1.0], target=[0.0]).value == 3.0


def test_defaults_say_what_an_option_takes(file: Path) -> None:
    params = {param.name: param.range.kind for param in plugins.load(f"{file}:of_scores").params}
    assert params == {"weight": "word", "shift": "numbers joined by /", "hard": "flag"}


def test_a_loss_with_the_decorator_is_itself(tmp_path: Path) -> None:
    path = tmp_path / "declared.py"
    path.write_text("from losscli.losses.regression import mae as mine\n")
    assert plugins.load(f"{path}:mine") is registry.find("mae")


WRONG = {
    "mean_of_all": "mean_of_all returns one number for 2 data. "
    "Hint: a loss returns one number a datum: leave out its mean or sum.",
    "crossed": "crossed returns the shape (2, 2) for 2 data. "
    "Hint: a loss returns one number a datum, shape (n), or one an output, of the prediction's shape.",
    "no_tensor": "no_tensor returns a int, not a tensor.",
    "fails": "fails fails: ValueError: no luck.",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_function_gives_is_checked(file: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        cost(file, name)
    assert str(caught.value) == f"{file}: {WRONG[name]}"


NO_LOSS = {
    "everything": "everything takes *columns; a loss names each of its roles and options.",
    "with_dict": "the option table has the default {}. "
    "Hint: an option is a number, true or false, a word, or several numbers.",
    "mse": 'the catalogue has a loss called "mse" already. Hint: give yours another name.',
    "number": "number is a int, not a function or a criterion.",
}


@pytest.mark.parametrize("name", NO_LOSS)
def test_what_cannot_be_a_loss_is_refused(file: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        plugins.load(f"{file}:{name}")
    assert str(caught.value) == f"{file}: {NO_LOSS[name]}"


def test_a_name_that_is_not_there_is_told_what_is(file: Path) -> None:
    with pytest.raises(UsageError, match=r'my\.py has no "my_los"\. Hint: it has my_loss, truth_first, mean_of_all'):
        plugins.load(f"{file}:my_los")


def test_a_file_that_is_not_there_is_a_matter_of_files(tmp_path: Path) -> None:
    with pytest.raises(ResourceError) as caught:
        plugins.load(f"{tmp_path / 'none.py'}:f")
    assert str(caught.value) == f"{tmp_path / 'none.py'}: there is no such file. Hint: --load takes FILE.py:NAME."


def test_a_file_that_does_not_import_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("import math\n\nmath.no_such_thing\n")
    with pytest.raises(UsageError) as caught:
        plugins.load(f"{path}:f")
    assert str(caught.value) == (
        f"{path}, line 3: it does not import: AttributeError: module 'math' has no attribute 'no_such_thing'."
    )


def shown(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that ends well prints."""
    assert run(list(arguments)) == 0
    return capfd.readouterr().out


def test_the_command_line_takes_it_anywhere(file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "preds.csv"
    data.write_text("pred,target\n1,0\n5,1\n")
    for arguments in (
        ["compute", "--load", f"{file}:my_loss", "my-loss", "--k", "2", str(data), "-f", "plain"],
        ["compute", "my-loss", "--k=2", str(data), "-f", "plain", f"--load={file}:my_loss"],
        ["--load", f"{file}:my_loss", "compute", "my_loss:k=2,mae", str(data), "-f", "plain"],
    ):
        assert shown(capfd, *arguments).splitlines()[0] == "5.0"
        forget()


def test_help_and_picture_come_with_it(file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = shown(capfd, "compute", "my-loss", "--help", "--load", f"{file}:my_loss")
    assert "--k" in text
    assert "the factor." in text
    forget()
    picture = tmp_path / "my.png"
    shown(capfd, "plot", "my-loss", "--k", "1,2", "--load", f"{file}:my_loss", "-o", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")


# --- packages ---------------------------------------------------------------------------------------------------------


class Package(EntryPoint):
    """An entry point that needs no installed package."""

    @property
    def dist(self) -> None:
        return None


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "offered_losses.py").write_text(
        textwrap.dedent(
            """
            def doubled(pred, target):
                return 2 * (pred - target).abs()
            """
        )
    )
    (tmp_path / "broken_losses.py").write_text("raise RuntimeError('not today')\n")
    monkeypatch.syspath_prepend(tmp_path)
    offered = [
        Package("doubled", "offered_losses:doubled", plugins.GROUP),
        Package("broken", "broken_losses:broken", plugins.GROUP),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: offered)


@pytest.mark.usefixtures("packages")
def test_an_installed_packages_loss_is_found_by_its_name() -> None:
    assert losscli.compute("doubled", pred=[1.0], target=[0.0]).value == 2.0


@pytest.mark.usefixtures("packages")
def test_a_broken_package_is_named_and_the_rest_works() -> None:
    with pytest.raises(UsageError) as caught:
        losscli.loss("broken")
    assert str(caught.value) == (
        'the loss "broken" of the package "broken_losses:broken" does not load: RuntimeError: not today. '
        "Hint: the other losses work; ask those who make the package."
    )
    assert losscli.loss("doubled")(torch.ones(1), torch.zeros(1)).tolist() == [2.0]


@pytest.mark.usefixtures("packages")
def test_the_list_names_what_packages_offer_without_importing_it(capfd: pytest.CaptureFixture[str]) -> None:
    text = shown(capfd, "list", "-f", "table")
    assert re.search(r"doubled +from the package offered_losses:doubled", text)
    assert re.search(r"broken +from the package broken_losses:broken", text)
