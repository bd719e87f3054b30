"""How the divergences and distances of distributions are related to each other and to those of other libraries."""

from __future__ import annotations

import math

import pytest
import scipy.spatial.distance
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from losscli.registry import parse_spec

SYMMETRIC = ("js-divergence", "hellinger", "total-variation", "wasserstein-1d")
ALL = ("kl-divergence:input=probs", "generalized-kl", *SYMMETRIC)


def of(spec: str, *roles: Tensor) -> Tensor:
    return parse_spec(spec)(*roles)


def distributions(seed: int, rows: int = 300, classes: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(rows, classes, generator=generator, dtype=torch.float64)).softmax(1)


@pytest.fixture
def p() -> Tensor:
    return distributions(1)


@pytest.fixture
def q() -> Tensor:
    return distributions(2)


@pytest.mark.parametrize("spec", ALL)
def test_no_distribution_is_nearer_than_the_true_one(p: Tensor, q: Tensor, spec: str) -> None:
    """Gibbs' inequality for the Kullback-Leibler divergence; by definition for the others."""
    assert not bool(of(spec, q, q).any())
    assert bool((of(spec, p, q) > 0).all())
    # A change in the last digits is seen.
    moved = q.clone()
    moved[:, 0] += 2**-40
    moved[:, 1] -= 2**-40
    assert bool((of(spec, moved.abs(), q) > 0).all())


def test_cross_entropy_is_the_divergence_and_the_entropy_of_the_target(p: Tensor, q: Tensor) -> None:
    entropy = -(q * q.log()).sum(1)
    expected = of("cross-entropy:input=probs", p, q)
    torch.testing.assert_close(of("kl-divergence:input=probs", p, q) + entropy, expected, rtol=1e-13, atol=0)


def test_the_gradient_by_logits_is_that_of_cross_entropy(p: Tensor, q: Tensor) -> None:
    gradients = []
    for spec in ("kl-divergence:input=logits", "cross-entropy"):
        logits = p.log().requires_grad_()
        of(spec, logits, q).sum().backward()
        gradients.append(logits.grad)
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-15)


def test_probabilities_logarithms_and_logits_are_the_same_prediction(p: Tensor, q: Tensor) -> None:
    expected = of("kl-divergence:input=probs", p, q)
    others = [
        of("kl-divergence", p.log(), q),
        of("kl-divergence:input=logits", p.log() + 5, q),
        of("kl-divergence:log-target=true", p.log(), q.log()),
        of("kl-divergence:log-target=true:input=probs", p, q.log()),
    ]
    for other in others:
        torch.testing.assert_close(other, expected, rtol=1e-12, atol=0)


def test_of_distributions_the_generalized_divergence_is_the_plain_one(p: Tensor, q: Tensor) -> None:
    plain = of("kl-divergence:input=probs", p, q)
    torch.testing.assert_close(of("generalized-kl", p, q), plain, rtol=1e-13, atol=1e-15)


def test_the_sums_over_the_outputs_are_half_the_deviances_of_poisson_and_gamma(p: Tensor, q: Tensor) -> None:
    classes = p.shape[1]
    for ours, theirs in (("generalized-kl", "poisson-deviance"), ("itakura-saito", "gamma-deviance")):
        torch.testing.assert_close(of(ours, p, q), of(theirs, p, q) * classes / 2, rtol=1e-14, atol=0)


@pytest.mark.parametrize("spec", SYMMETRIC)
def test_distances_treat_both_sides_alike(p: Tensor, q: Tensor, spec: str) -> None:
    assert torch.equal(of(spec, p, q), of(spec, q, p))


@pytest.mark.parametrize("spec", ["hellinger", "total-variation", "wasserstein-1d"])
def test_no_way_is_shorter_than_the_direct_one(p: Tensor, q: Tensor, spec: str) -> None:
    between = distributions(3)
    detour = of(spec, p, between) + of(spec, between, q)
    assert bool((of(spec, p, q) <= detour * (1 + 1e-14)).all())


@pytest.mark.parametrize(
    ("spec", "largest"), [("js-divergence", math.log(2)), ("hellinger", 1), ("total-variation", 1)]
)
def test_bounded_distances_are_largest_where_nothing_is_in_common(
    p: Tensor, q: Tensor, spec: str, largest: float
) -> None:
    assert bool((of(spec, p, q) < largest).all())
    left, right = (torch.tensor([side], dtype=torch.float64) for side in ([0.25, 0.75, 0, 0], [0, 0, 0.5, 0.5]))
    assert of(spec, left, right).item() == pytest.approx(largest, rel=1e-15)


def test_the_distances_bound_each_other(p: Tensor, q: Tensor) -> None:
    """Pinsker's inequality, and those of Le Cam between total variation and Hellinger's distance."""
    kl, js, h, tv = (
        of(spec, p, q) for spec in ("kl-divergence:input=probs", "js-divergence", "hellinger", "total-variation")
    )
    assert bool((2 * tv**2 <= kl).all())
    assert bool((h**2 <= tv).all())
    assert bool((tv <= h * (2 - h**2).sqrt()).all())
    assert bool((js <= math.log(2) * tv).all())


def test_wasserstein_counts_how_far_probability_moves() -> None:
    target = torch.eye(5, dtype=torch.float64)[:1].expand(5, 5)
    assert of("wasserstein-1d", torch.eye(5, dtype=torch.float64), target).tolist() == [0, 1, 2, 3, 4]
    assert of("total-variation", torch.eye(5, dtype=torch.float64), target).tolist() == [0, 1, 1, 1, 1]


def test_sums_of_many_classes_keep_their_digits() -> None:
    """A running sum of rounded differences would be hundreds of units in the last place off."""
    generator = torch.Generator().manual_seed(7)
    steps = torch.randint(1, 2**20, (3, 1000), generator=generator).double()
    # The two are exact multiples of 2^-50, and alike but for neighbours that have exchanged a little.
    q, p = (steps * 2**-50).clone(), (steps * 2**-50).clone()
    p[:, ::2] += 2**-52
    p[:, 1::2] -= 2**-52
    assert of("wasserstein-1d", p, q).tolist() == [500 * 2**-52] * 3


def test_divergences_are_those_of_scipy(p: Tensor, q: Tensor) -> None:
    a, b = p.numpy(), q.numpy()
    theirs = {
        "kl-divergence:input=probs": torch.from_numpy(scipy.special.rel_entr(b, a).sum(1)),
        "generalized-kl": torch.from_numpy(scipy.special.kl_div(b, a).sum(1)),
        "js-divergence": torch.from_numpy(scipy.spatial.distance.jensenshannon(a, b, axis=1) ** 2),
        "wasserstein-1d": torch.tensor(
            [scipy.stats.wasserstein_distance(range(6), range(6), x, y) for x, y in zip(a, b)],
            dtype=torch.float64,
        ),
    }
    for spec, expected in theirs.items():
        torch.testing.assert_close(of(spec, p, q), expected, rtol=1e-10, atol=1e-14)


def test_the_differences_that_are_described_are_there() -> None:
    p, q = (torch.tensor([side], dtype=torch.float64) for side in ([0.5, 0.5], [0.9, 0.1]))
    assert of("kl-divergence:input=probs", p, q).item() == pytest.approx(0.368, abs=0.0005)
    with pytest.warns(UserWarning, match="batchmean"):
        assert torch.nn.KLDivLoss()(p.log(), q).item() == pytest.approx(0.184, abs=0.0005)
    assert torch.nn.KLDivLoss(reduction="batchmean")(p.log(), q).item() == pytest.approx(0.368, abs=0.0005)
    assert torch.nn.KLDivLoss(reduction="batchmean")(p, q).item() == pytest.approx(-0.825, abs=0.0005)
    assert of("js-divergence", p, q).item() == pytest.approx(0.102, abs=0.0005)
    metric = scipy.spatial.distance.jensenshannon(p[0].numpy(), q[0].numpy())
    assert metric == pytest.approx(0.319, abs=0.0005)
    assert metric / math.sqrt(math.log(2)) == pytest.approx(0.383, abs=0.0005)
    distance = of("hellinger", p, q).item()
    assert distance == pytest.approx(0.325, abs=0.0005)
    assert distance * math.sqrt(2) == pytest.approx(0.46, abs=0.001)
    assert distance**2 == pytest.approx(0.106, abs=0.0005)
    one, two = (torch.tensor([[v]], dtype=torch.float64) for v in (1.0, 2.0))
    assert of("itakura-saito", one, two).item() == pytest.approx(0.307, abs=0.0005)
    assert of("itakura-saito", two, one).item() == pytest.approx(0.193, abs=0.0005)
