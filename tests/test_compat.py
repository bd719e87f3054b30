"""Other libraries' losses as a user meets them: by name, by --compat, in the list and on their pages."""

from __future__ import annotations

from collections.abc import Callable

import pandas
import pytest
import sklearn.metrics

import losscli as package
from losscli.errors import UsageError
from losscli.peers.compat import counterpart
from losscli.registry import find, losses, parse_spec, peers
from tests.conftest import Outcome
from tests.console import ROOT


@pytest.mark.parametrize(
    ("spec", "library", "expected"),
    [
        ("huber:delta=2", "torch", "torch.nn.HuberLoss:delta=2"),
        ("huber", "sklearn._loss.HuberLoss", "sklearn._loss.HuberLoss"),
        ("binary-cross-entropy", "torch", "torch.nn.BCELoss"),
        ("binary-cross-entropy:input=logits", "torch", "torch.nn.BCEWithLogitsLoss"),
        ("cross-entropy", "keras", "keras.losses.CategoricalCrossentropy:from-logits=true"),
        ("mse", "sklearn", "sklearn.metrics.mean_squared_error"),
        ("mse", "optax.l2_loss", "optax.l2_loss"),
        ("cross-entropy:input=probs", "sklearn", "sklearn.metrics.log_loss"),
        ("multiclass-brier:input=probs", "sklearn", "sklearn.metrics.brier_score_loss"),
        ("multiclass-hinge", "sklearn", "sklearn.metrics.hinge_loss"),
    ],
)
def test_a_loss_has_its_counterpart(spec: str, library: str, expected: str) -> None:
    assert counterpart(parse_spec(spec), library).spec == expected


@pytest.mark.parametrize(
    ("spec", "library", "message"),
    [
        (
            "mse",
            "tensorflow",
            '--compat "tensorflow" is not one of torch, keras, optax, sklearn, sgd, or a dotted name.',
        ),
        ("tukey", "torch", "torch has no tukey. Hint: no other library that losscli knows has it."),
        (
            "focal",
            "torch",
            "torch has no focal. Hint: others have it: keras.losses.BinaryFocalCrossentropy, optax.sigmoid_focal_loss.",
        ),
        (
            "binary-cross-entropy",
            "optax",
            "optax has no binary-cross-entropy with input=probs. Hint: it has optax.sigmoid_binary_cross_entropy "
            "(for input=logits); losscli show tells their parameters.",
        ),
        (
            "mse",
            "optax",
            "optax has 2 counterparts of mse. Hint: say which: --compat optax.squared_error or --compat optax.l2_loss.",
        ),
        ("mse", "torch.nn.L1Loss", "torch.nn.L1Loss corresponds to mae, not to mse."),
        ("torch.nn.L1Loss", "keras", "torch.nn.L1Loss is torch's already. Hint: leave --compat out."),
    ],
)
def test_what_has_no_counterpart_is_told_why(spec: str, library: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        counterpart(parse_spec(spec), library)
    assert str(caught.value) == message


def test_the_command_line_computes_as_the_library_does(losscli: Callable[..., Outcome]) -> None:
    with open("p.csv", "w") as file:
        file.write("p,y\n0,1\n0.5,0\n")
    ours = losscli("compute", "bce", "p.csv", "-p", "p", "-t", "y", "-q")
    assert (ours.code, "is infinite" in ours.err) == (3, True)
    theirs = losscli("compute", "bce", "p.csv", "-p", "p", "-t", "y", "-f", "json", "--compat", "torch")
    (record,) = theirs.json()["results"]
    assert record["value"] == pytest.approx((100 + 0.6931471805599453) / 2, rel=1e-15)
    assert record["loss"] == "torch.nn.BCELoss"
    assert record["signature"].split("|")[5] == "torch"


def test_python_has_the_same(losscli: Callable[..., Outcome]) -> None:
    assert package.compute("mse", pred=[3.0], target=[0.0], compat="optax.l2_loss").value == 4.5


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("torch.nn.bceloss", 'there is no loss "torch.nn.bceloss". Hint: did you mean torch.nn.BCELoss?'),
        (
            "jax.nn.mse",
            'there is no loss "jax.nn.mse". Hint: names with a dot begin with torch, keras, optax, sklearn, sgd.',
        ),
    ],
)
def test_an_unknown_dotted_name_gets_a_hint(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(name)
    assert str(caught.value) == message


def test_the_list_has_the_losses_of_a_library(losscli: Callable[..., Outcome]) -> None:
    listed = losscli("list", "--peers", "keras", "-f", "plain").out.splitlines()
    assert listed == list(peers("keras"))
    assert losscli("list", "--peers", "all", "-f", "plain").out.splitlines() == list(peers())
    assert losscli("list", "--peers", "jax").code == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", list(peers()))
def test_the_page_of_a_peer_says_how_it_differs(losscli: Callable[..., Outcome], name: str) -> None:
    peer = find(name)
    page = losscli("show", name, "-f", "md").out
    assert page.startswith(f"# {name}\n")
    assert peer.peer is not None
    assert f"## Beside {peer.peer.of}\n" in page
    assert len(peer.convention) > 10
    assert peer.convention.endswith(".")
    assert peer.peer.of in losses()


def test_a_page_of_the_catalogue_lists_its_counterparts(losscli: Callable[..., Outcome]) -> None:
    page = losscli("show", "huber", "-f", "md").out
    assert "| `torch.nn.HuberLoss` | " in page
    assert "| `sgd.huber` | " in page


def test_nothing_of_a_library_is_imported_for_a_loss_of_the_catalogue() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from losscli.registry import find; find('mse'); sys.exit('losscli.peers.torch_nn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


SUBMISSION = ("sample_data/wine_submission.csv", "--truth", "sample_data/wine_answers.csv", "--id", "wine_id")


@pytest.mark.parametrize("named", [(), ("--pred", "prob_*")])
@pytest.mark.parametrize("name", ["log_loss", "brier_score_loss"])
def test_a_loss_of_one_or_several_probabilities_finds_the_columns_of_the_classes(
    losscli: Callable[..., Outcome], name: str, named: tuple[str, ...]
) -> None:
    frame = pandas.read_csv(ROOT / SUBMISSION[0]).merge(pandas.read_csv(ROOT / SUBMISSION[2]))
    theirs = getattr(sklearn.metrics, name)(frame.label, frame.filter(like="prob_"), labels=[0, 1, 2])
    paths = [str(ROOT / word) if word.endswith(".csv") else word for word in SUBMISSION]
    ours = losscli("compute", f"sklearn.metrics.{name}", *paths, *named, "-q", "-f", "plain")
    assert (ours.code, float(ours.out)) == (0, pytest.approx(theirs, rel=1e-14))


def test_a_loss_of_one_or_several_scores_finds_the_columns_of_the_classes(losscli: Callable[..., Outcome]) -> None:
    path = ROOT / "sample_data" / "digits.csv"
    frame = pandas.read_csv(path)
    ours = losscli("compute", "multiclass-hinge", "--compat", "sklearn", str(path), "-q", "-f", "plain")
    theirs = sklearn.metrics.hinge_loss(frame.label, frame.filter(like="logit_"))
    assert (ours.code, float(ours.out)) == (0, pytest.approx(theirs, rel=1e-14))
