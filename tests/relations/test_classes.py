"""How losses over classes relate to each other and to those of other libraries."""

from __future__ import annotations

import math

import numpy
import pytest
import sklearn.metrics
import torch
from torch import Tensor

from losscli.registry import losses, parse_spec

# With a class for each position of an image.
OVER_POSITIONS = [name for name, loss in losses().items() if loss.family == "classes" and loss.class_axis]
OF_SOFT_TARGETS = [
    name for name in OVER_POSITIONS if any("C" in s for s in losses()[name].bind().domain("target").shapes)
]
OF_SCORES = [name for name in OVER_POSITIONS if losses()[name].bind().domain("pred").name == "scores"]


def of(spec: str, *roles: Tensor, **named: Tensor) -> Tensor:
    return parse_spec(spec)(*roles, **named)


def close(expected: Tensor, actual: Tensor, relative: float = 2e-15) -> None:
    torch.testing.assert_close(actual, expected, rtol=relative, atol=1e-300)


@pytest.fixture
def rows() -> Tensor:
    return 3 * torch.randn(200, 5, generator=torch.Generator().manual_seed(31), dtype=torch.float64)


@pytest.fixture
def classes() -> Tensor:
    return torch.randint(5, (200,), generator=torch.Generator().manual_seed(32)).double()


@pytest.fixture
def shares() -> Tensor:
    return torch.rand(200, 5, generator=torch.Generator().manual_seed(33), dtype=torch.float64).softmax(1)


def suited(name: str, rows: Tensor) -> Tensor:
    """Scores, or what the loss takes instead by default."""
    return rows.softmax(1) if losses()[name].bind().domain("pred").simplex else rows


def one_hot(classes: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(classes.long(), 5).double()


# --- what all of them share -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_SOFT_TARGETS)
def test_a_one_hot_target_is_a_class(name: str, rows: Tensor, classes: Tensor) -> None:
    pred = suited(name, rows)
    close(of(name, pred, classes), of(name, pred, one_hot(classes)), relative=1e-14)


@pytest.mark.parametrize("name", OVER_POSITIONS)
def test_the_class_axis_may_be_any(name: str, rows: Tensor, classes: Tensor) -> None:
    pred, target = suited(name, rows).reshape(10, 4, 5, 5), classes.reshape(10, 4, 5)
    expected = of(name, pred.movedim(-1, 1), target)
    for axis in (-1, 3):
        assert torch.equal(expected, parse_spec(name).bind(class_axis=axis)(pred, target))
    close(of(name, pred.reshape(200, 5), target.reshape(200)).reshape(10, 20).mean(1), expected, relative=1e-14)


@pytest.mark.parametrize("name", OVER_POSITIONS)
def test_an_ignored_class_does_not_count_whatever_is_predicted_there(name: str, rows: Tensor, classes: Tensor) -> None:
    pred, target = suited(name, rows).reshape(40, 5, 5).movedim(1, 2), classes.reshape(40, 5)
    bound = parse_spec(name).bind(ignore_index=2)
    values, weights = bound(pred, target), bound.weights({"pred": pred, "target": target})
    counted = target != 2
    assert weights is not None
    assert torch.equal(weights, counted.sum(1).double())
    of_positions = of(name, pred.movedim(1, 2).reshape(200, 5), target.reshape(200)).reshape(40, 5)
    mean = (of_positions * counted).sum(1) / counted.sum(1).clamp(min=1)
    close(mean, values, relative=1e-14)


def test_class_weights_are_part_of_multi_margin_and_of_the_cost_elsewhere(rows: Tensor, classes: Tensor) -> None:
    factors = torch.tensor([0.5, 1.0, 2.0, 3.0, 0.25], dtype=torch.float64)[classes.long()]
    weight = "class-weight=0.5/1/2/3/0.25"
    roles = {"pred": rows, "target": classes}
    close(factors * of("multi-margin", rows, classes), of(f"multi-margin:{weight}", rows, classes))
    assert parse_spec(f"multi-margin:{weight}").weights(roles) is None
    for name in ("cross-entropy", "poly-1"):
        close(of(name, rows, classes), of(f"{name}:{weight}", rows, classes))
        weights = parse_spec(f"{name}:{weight}").weights(roles)
        assert weights is not None
        assert torch.equal(factors, weights)


# --- cross entropies --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("params", ["", ":label-smoothing=0.2", ":label-smoothing=0.2:class-weight=1/2/3/4/0.5"])
def test_poly_1_without_epsilon_is_the_cross_entropy(
    params: str, rows: Tensor, classes: Tensor, shares: Tensor
) -> None:
    for target in (classes, shares):
        close(of(f"cross-entropy{params}", rows, target), of(f"poly-1:epsilon=0{params}", rows, target), 1e-14)


@pytest.mark.parametrize("epsilon", [-1, -0.999, -0.5, 1e-9, 0.3, 3])
def test_poly_1_adds_epsilon_times_the_probability_of_the_others(epsilon: float, rows: Tensor, classes: Tensor) -> None:
    wrong = of("generalized-cross-entropy:q=1", rows, classes)
    expected = of("cross-entropy", rows, classes) + epsilon * wrong
    torch.testing.assert_close(of(f"poly-1:epsilon={epsilon}", rows, classes), expected, rtol=1e-11, atol=1e-14)


def test_poly_1_without_the_first_term_begins_with_the_square() -> None:
    p = torch.tensor([[1 - 1e-9, 1e-9]], dtype=torch.float64)
    wrong = 1 - p[0, 0].item()
    expected = wrong**2 / 2 + wrong**3 / 3
    assert of("poly-1:epsilon=-1:input=probs", p, torch.tensor([0.0])).item() == pytest.approx(expected, rel=1e-15)


def test_the_generalized_cross_entropy_lies_between_cross_entropy_and_being_wrong(
    rows: Tensor, classes: Tensor
) -> None:
    near = of("generalized-cross-entropy:q=1e-12", rows, classes)
    torch.testing.assert_close(near, of("cross-entropy", rows, classes), rtol=1e-10, atol=0)
    p = rows.softmax(1).gather(1, classes.long()[:, None])[:, 0]
    torch.testing.assert_close(of("generalized-cross-entropy:q=1", rows, classes), 1 - p, rtol=1e-11, atol=1e-15)
    between = of("generalized-cross-entropy", rows, classes)
    assert bool((between <= of("cross-entropy", rows, classes)).all())
    assert bool((between >= 1 - p - 1e-15).all())


def test_the_absolute_error_of_probabilities_is_twice_the_bounded_end(rows: Tensor, classes: Tensor) -> None:
    absolute = (rows.softmax(1) - one_hot(classes)).abs().sum(1)
    torch.testing.assert_close(2 * of("gce:q=1", rows, classes), absolute, rtol=1e-11, atol=1e-15)


def test_the_symmetric_cross_entropy_has_the_cross_entropy_and_its_reverse(rows: Tensor, shares: Tensor) -> None:
    expected = of("cross-entropy", rows, shares)
    close(expected, of("symmetric-cross-entropy:alpha=1:beta=0", rows, shares))
    reverse = -(rows.softmax(1) * shares.log()).sum(1)
    torch.testing.assert_close(
        of("symmetric-cross-entropy:alpha=0.5:beta=2", rows, shares), 0.5 * expected + 2 * reverse, rtol=1e-12, atol=0
    )


def test_the_linear_cross_entropy_is_that_of_the_scores(classes: Tensor, shares: Tensor) -> None:
    generator = torch.Generator().manual_seed(34)
    features, matrix, bias = (
        torch.randn(*size, generator=generator, dtype=torch.float64) for size in ((200, 7), (5, 7), (5,))
    )
    for target in (classes, shares):
        for given, added in (({}, 0.0), ({"bias": bias}, bias)):
            scores = features @ matrix.T + added
            expected = of("cross-entropy:label-smoothing=0.1", scores, target)
            found = of(
                "linear-cross-entropy:label-smoothing=0.1", features=features, matrix=matrix, target=target, **given
            )
            torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-14)


def test_nll_is_the_cross_entropy_of_log_probabilities(rows: Tensor, classes: Tensor) -> None:
    assert parse_spec("nll").spec == "cross-entropy:input=log-probs"
    assert parse_spec("bce-with-logits:pos-weight=2").spec == "binary-cross-entropy:input=logits:pos-weight=2"
    logs = rows.log_softmax(1)
    theirs = torch.nn.functional.nll_loss(logs, classes.long(), reduction="none")
    assert torch.equal(theirs, of("nll", logs, classes))


# --- margins ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("several", "two", "factor"),
    [
        ("multiclass-hinge", "hinge", 1.0),
        ("multiclass-hinge:margin=0.3", "hinge:margin=0.3", 1.0),
        ("multi-margin", "hinge", 0.5),
        ("multi-margin:p=2", "squared-hinge", 0.5),
        ("multiclass-perceptron", "perceptron", 1.0),
        ("multiclass-sparsemax", "binary-sparsemax", 1.0),
        ("cross-entropy", "soft-margin", 1.0),
    ],
)
def test_of_two_classes_it_is_the_loss_of_their_difference(several: str, two: str, factor: float) -> None:
    score = torch.randn(300, generator=torch.Generator().manual_seed(35), dtype=torch.float64) * 2
    label = torch.randint(2, (300,), generator=torch.Generator().manual_seed(36)).double()
    pair = torch.stack([torch.zeros_like(score), score], 1)
    torch.testing.assert_close(of(several, pair, label), factor * of(two, score, label), rtol=1e-14, atol=0)


@pytest.mark.parametrize("name", OF_SCORES)
def test_a_number_added_to_all_scores_changes_nothing(name: str, rows: Tensor, classes: Tensor) -> None:
    torch.testing.assert_close(of(name, rows + 7.0, classes), of(name, rows, classes), rtol=1e-12, atol=1e-14)


def test_a_hinge_of_classes_without_a_margin_is_the_perceptrons_loss(rows: Tensor, classes: Tensor) -> None:
    assert torch.equal(of("multiclass-hinge:margin=0", rows, classes), of("multiclass-perceptron", rows, classes))


def test_what_is_missing_to_all_classes_is_at_least_what_is_missing_to_one(rows: Tensor, classes: Tensor) -> None:
    one, every = of("multiclass-hinge", rows, classes), 5 * of("multi-margin", rows, classes)
    assert bool((every >= one * (1 - 1e-15)).all())
    assert bool((every <= 4 * one * (1 + 1e-15)).all())


def sparsemax(rows: Tensor) -> Tensor:
    """Martins and Astudillo's algorithm 1."""
    descending = rows.sort(1, descending=True).values
    sums = descending.cumsum(1)
    size = torch.arange(1, rows.shape[1] + 1)
    support = (1 + size * descending > sums).sum(1, keepdim=True)
    threshold = (sums.gather(1, support - 1) - 1) / support
    return torch.relu(rows - threshold)


def test_the_sparsemax_loss_is_the_fenchel_young_loss_of_half_the_squared_length(rows: Tensor, shares: Tensor) -> None:
    """Blondel and others: the conjugate at the scores, plus the function at the target, less their product."""
    p = sparsemax(rows)
    conjugate = (p * rows).sum(1) - (p * p).sum(1) / 2
    expected = conjugate + (shares * shares).sum(1) / 2 - (shares * rows).sum(1)
    torch.testing.assert_close(of("multiclass-sparsemax", rows, shares), expected, rtol=1e-13, atol=1e-14)
    leaf = rows.clone().requires_grad_()
    of("multiclass-sparsemax", leaf, shares).sum().backward()
    torch.testing.assert_close(leaf.grad, p - shares, rtol=0, atol=1e-14)


def test_the_cross_entropy_less_the_entropy_of_the_target_is_a_fenchel_young_loss(rows: Tensor, shares: Tensor) -> None:
    """That of the negative entropy, whose conjugate is the logarithm of the sum of the exponentials."""
    negative_entropy = (shares * shares.log()).sum(1)
    expected = torch.logsumexp(rows, 1) + negative_entropy - (shares * rows).sum(1)
    torch.testing.assert_close(of("cross-entropy", rows, shares) + negative_entropy, expected, rtol=1e-12, atol=1e-14)


def test_a_fenchel_young_loss_of_its_own_prediction_is_zero(rows: Tensor) -> None:
    values = of("multiclass-sparsemax", rows, sparsemax(rows))
    torch.testing.assert_close(values, torch.zeros_like(values), rtol=0, atol=1e-14)


# --- other libraries --------------------------------------------------------------------------------------------------


def test_torch_and_scikit_learn_have_the_same_losses(rows: Tensor, classes: Tensor) -> None:
    functional, index = torch.nn.functional, classes.long()
    for p in (1, 2):
        for margin in (1.0, 0.3):
            theirs = functional.multi_margin_loss(rows, index, p=p, margin=margin, reduction="none")
            torch.testing.assert_close(
                of(f"multi-margin:p={p}:margin={margin}", rows, classes), theirs, rtol=1e-14, atol=0
            )
    hinge = sklearn.metrics.hinge_loss(index.numpy(), rows.numpy())
    assert of("multiclass-hinge", rows, classes).mean().item() == pytest.approx(hinge, rel=1e-14)
    probabilities = rows.softmax(1)
    brier = sklearn.metrics.brier_score_loss(index.numpy(), probabilities.numpy())
    assert of("multiclass-brier", probabilities, classes).mean().item() == pytest.approx(brier, rel=1e-14)


def test_optax_has_the_same_losses(rows: Tensor, classes: Tensor) -> None:
    """In float32."""
    theirs = pytest.importorskip("optax").losses
    z, y = rows.numpy(), classes.long().numpy()
    pairs = {
        "multiclass-hinge": theirs.multiclass_hinge_loss(z, y),
        "multiclass-perceptron": theirs.multiclass_perceptron_loss(z, y),
        "multiclass-sparsemax": theirs.multiclass_sparsemax_loss(z, y),
        "poly-1": theirs.poly_loss_cross_entropy(z, one_hot(classes).numpy(), epsilon=2.0),
    }
    for name, values in pairs.items():
        expected = torch.from_numpy(numpy.asarray(values, dtype=float))
        torch.testing.assert_close(of(name, rows, classes), expected, rtol=1e-5, atol=1e-5)


def test_keras_has_the_same_bounded_loss_and_another_hinge(
    rows: Tensor, classes: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    theirs = pytest.importorskip("keras").losses
    bounded = theirs.CategoricalGeneralizedCrossEntropy(q=0.7)(classes.long().numpy(), rows.softmax(1).numpy())
    assert of("gce", rows, classes).mean().item() == pytest.approx(float(bounded), rel=1e-5)
    assert theirs.CategoricalGeneralizedCrossEntropy().q == 0.5
    scores = torch.tensor([[-3.0, -5.0, -6.0]], dtype=torch.float64)
    assert float(theirs.CategoricalHinge()(numpy.array([[1.0, 0.0, 0.0]]), scores.numpy())) == 4
    assert of("multiclass-hinge", scores, torch.tensor([0.0])).item() == 0


def test_the_differences_that_are_described_are_there() -> None:
    assert math.log(1e-4) == pytest.approx(-9.21, abs=0.001)
    certain = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    assert of("symmetric-cross-entropy:alpha=0:input=probs", certain, torch.tensor([0.0])).item() == 4
    assert of("multiclass-brier", certain, torch.tensor([0.0])).item() == 2
    half = sklearn.metrics.brier_score_loss([0, 1], numpy.array([[0.2, 0.8], [0.3, 0.7]]))
    pair = torch.tensor([[0.2, 0.8], [0.3, 0.7]], dtype=torch.float64)
    assert of("multiclass-brier", pair, torch.tensor([0.0, 1.0])).mean().item() == pytest.approx(2 * half)
