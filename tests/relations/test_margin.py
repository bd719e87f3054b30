"""How losses of scores and of single probabilities relate to each other and to those of other libraries."""

from __future__ import annotations

import math

import numpy
import pytest
import sklearn.metrics
import torch
from sklearn._loss.loss import ExponentialLoss
from torch import Tensor

from losscli.registry import losses, parse_spec

MARGIN_LOSSES = [name for name, loss in losses().items() if loss.family == "margin"]


def of(spec: str, *roles: Tensor) -> Tensor:
    return parse_spec(spec)(*roles)


def close(expected: Tensor, actual: Tensor, relative: float = 2e-15) -> None:
    torch.testing.assert_close(actual, expected, rtol=relative, atol=0)


def number(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.fixture
def score() -> Tensor:
    return 3 * torch.randn(300, generator=torch.Generator().manual_seed(21), dtype=torch.float64)


@pytest.fixture
def label() -> Tensor:
    return torch.randint(2, (300,), generator=torch.Generator().manual_seed(22)).double()


@pytest.mark.parametrize("name", [name for name in MARGIN_LOSSES if name != "exponential"])
def test_labels_of_either_code_give_the_same_losses(name: str, score: Tensor, label: Tensor) -> None:
    assert torch.equal(of(name, score, label), of(name, score, 2 * label - 1))


@pytest.mark.parametrize("name", MARGIN_LOSSES)
def test_the_other_label_and_the_opposite_score_give_the_same_loss(name: str, score: Tensor, label: Tensor) -> None:
    assert torch.equal(of(name, score, label), of(name, -score, 1 - label))


@pytest.mark.parametrize("name", ["hinge", "squared-hinge", "modified-huber", "exponential"])
def test_a_surrogate_is_never_below_the_zero_one_loss(name: str, score: Tensor, label: Tensor) -> None:
    wrong = of("zero-one", (score > 0).double(), label)
    assert bool((of(name, score, label) >= wrong).all())


def test_the_soft_margin_is_the_binary_cross_entropy_of_a_logit(score: Tensor, label: Tensor) -> None:
    close(of("binary-cross-entropy:input=logits", score, label), of("soft-margin", score, label))


def test_the_soft_margin_in_units_of_ln_2_is_never_below_the_zero_one_loss(score: Tensor, label: Tensor) -> None:
    wrong = of("zero-one", (score > 0).double(), label)
    assert bool((of("soft-margin", score, label) / math.log(2) >= wrong).all())


def test_a_hinge_without_a_margin_is_the_perceptrons_loss(score: Tensor, label: Tensor) -> None:
    assert torch.equal(of("hinge:margin=0", score, label), of("perceptron", score, label))


def test_the_squared_hinge_is_the_square_of_the_hinge(score: Tensor, label: Tensor) -> None:
    hinge = of("hinge:margin=0.7", score, label)
    assert torch.equal(of("squared-hinge:margin=0.7", score, label), hinge * hinge)


def test_the_modified_huber_loss_is_four_times_the_sparsemax_loss(score: Tensor, label: Tensor) -> None:
    close(of("modified-huber", score, label), 4 * of("binary-sparsemax", score, label))


def test_the_slope_of_the_sparsemax_loss_is_the_cut_off_probability_less_the_label(
    score: Tensor, label: Tensor
) -> None:
    """It is the Fenchel-Young loss of the projection on [0, 1], as the logistic loss is that of the sigmoid."""
    leaf = score.clone().requires_grad_()
    of("binary-sparsemax", leaf, label).sum().backward()
    assert leaf.grad is not None
    torch.testing.assert_close(leaf.grad, ((score + 1) / 2).clamp(0, 1) - label, rtol=0, atol=1e-15)


def test_the_exponential_loss_of_a_share_is_that_share_of_either_label(score: Tensor, label: Tensor) -> None:
    share = 0.3 + 0.4 * label
    mixture = share * of("exponential", score, torch.ones_like(label))
    close(mixture + (1 - share) * of("exponential", score, torch.zeros_like(label)), of("exponential", score, share))


def test_the_brier_score_is_the_squared_error_and_half_of_that_of_two_classes(score: Tensor, label: Tensor) -> None:
    p = 1 / (1 + torch.exp(-score))
    assert torch.equal(of("brier", p, label), of("mse", p, label))
    close(2 * of("brier", p, label), of("multiclass-brier", torch.stack([1 - p, p], 1), label), relative=1e-12)
    torch.testing.assert_close(of("brier:input=logits", score, label), of("brier", p, label), rtol=1e-11, atol=0)


# --- other libraries --------------------------------------------------------------------------------------------------


def test_torch_and_scikit_learn_have_the_same_losses(score: Tensor, label: Tensor) -> None:
    sign, f, y = 2 * label - 1, score.numpy(), label.numpy()
    functional = torch.nn.functional
    huber = functional.huber_loss((sign * score).clamp(max=1), torch.ones_like(score), delta=2.0, reduction="none")
    close(2 * huber, of("modified-huber", score, label))
    close(torch.from_numpy(ExponentialLoss().loss(y_true=y, raw_prediction=f)), of("exponential", score, label))
    # It rounds 1 + e^-m before the logarithm.
    rounded = functional.soft_margin_loss(score, sign, reduction="none")
    torch.testing.assert_close(of("soft-margin", score, label), rounded, rtol=1e-15, atol=4e-16)
    hinge = sklearn.metrics.hinge_loss(y, f)
    assert of("hinge", score, label).mean().item() == pytest.approx(hinge, rel=1e-14)
    brier = sklearn.metrics.brier_score_loss(y, 1 / (1 + numpy.exp(-f)))
    assert of("brier:input=logits", score, label).mean().item() == pytest.approx(brier, rel=1e-14)


def test_optax_has_the_same_losses(score: Tensor, label: Tensor) -> None:
    """In float32."""
    theirs = pytest.importorskip("optax").losses
    f, y = score.numpy(), label.numpy()
    pairs = {
        "hinge": theirs.hinge_loss(f, 2 * y - 1),
        "perceptron": theirs.perceptron_loss(f, 2 * y - 1),
        "binary-sparsemax": theirs.sparsemax_loss(f, y),
    }
    for name, values in pairs.items():
        expected = torch.from_numpy(numpy.asarray(values, dtype=float))
        torch.testing.assert_close(of(name, score, label), expected, rtol=1e-5, atol=1e-6)
    # Labels must be 1 and -1: another one passes without a word.
    assert theirs.hinge_loss(numpy.array([7.0]), numpy.array([0.0])).item() == 1
    assert theirs.perceptron_loss(numpy.array([-7.0]), numpy.array([0.0])).item() == 0


def test_the_differences_that_are_described_are_there() -> None:
    functional = torch.nn.functional
    assert sklearn.metrics.hinge_loss([1, 1], [0.0, 2.0]) == 2
    assert of("hinge", number(0, 2), number(1, 1)).mean().item() == 0.5
    assert functional.soft_margin_loss(number(-1000), number(1)).item() == math.inf
    assert of("soft-margin", number(-1000), number(1)).item() == 1000
    assert functional.soft_margin_loss(number(5), number(0)).item() == pytest.approx(math.log(2))
    assert of("exponential", number(-10), number(1)).item() == pytest.approx(22026, abs=0.5)
    assert of("huber", number(1), number(0)).item() == 0.5
    assert of("modified-huber", number(0), number(1)).item() == 1
    assert of("brier", number(0.8), number(0)).item() == pytest.approx(0.64)
    assert of("multiclass-brier", torch.tensor([[0.2, 0.8]]), number(0)).item() == pytest.approx(1.28)
    assert sklearn.metrics.brier_score_loss([0, 1], [0.8, 0.7]) == pytest.approx(0.365)
    assert of("brier", number(0.8, 0.7), number(0, 1)).mean().item() == pytest.approx(0.365)
