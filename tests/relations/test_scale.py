"""How the losses of predictions with a spread are related to each other, to errors, and to other libraries."""

from __future__ import annotations

import math

import pytest
import scipy.stats
import torch
from torch import Tensor

from losscli.registry import parse_spec


def of(spec: str, *roles: Tensor, **named: Tensor) -> Tensor:
    return parse_spec(spec)(*roles, **named)


def normal(seed: int, *shape: int) -> Tensor:
    return 3 * torch.randn(*(shape or (300,)), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def pred() -> Tensor:
    return normal(1)


@pytest.fixture
def target() -> Tensor:
    return normal(2)


@pytest.fixture
def scale() -> Tensor:
    return normal(3).abs() + 0.1


def test_with_one_spread_for_all_likelihoods_order_predictions_as_errors_do(pred: Tensor, target: Tensor) -> None:
    one = torch.ones_like(pred)
    torch.testing.assert_close(of("gaussian-nll", pred, one, target), of("mse", pred, target) / 2, rtol=1e-15, atol=0)
    expected = of("mae", pred, target) + math.log(2)
    torch.testing.assert_close(of("laplace-nll", pred, one, target), expected, rtol=1e-15, atol=0)


def test_a_variance_is_the_square_of_a_scale(pred: Tensor, scale: Tensor, target: Tensor) -> None:
    expected = of("gaussian-nll", pred=pred, var=scale * scale, target=target)
    assert torch.equal(expected, of("gaussian-nll", pred=pred, scale=scale, target=target))


def test_likelihoods_are_those_of_scipy(pred: Tensor, scale: Tensor, target: Tensor) -> None:
    x, s, y = pred.numpy(), scale.numpy(), target.numpy()
    pairs = [
        (of("gaussian-nll:full=true", pred, scale**2, target), scipy.stats.norm.logpdf(y, x, s)),
        (of("laplace-nll", pred, scale, target), scipy.stats.laplace.logpdf(y, x, s)),
        (of("student-t-nll", pred, scale, target), scipy.stats.t.logpdf(y, 4, x, s)),
        (of("student-t-nll:df=0.3", pred, scale, target), scipy.stats.t.logpdf(y, 0.3, x, s)),
        (of("student-t-nll:df=250", pred, scale, target), scipy.stats.t.logpdf(y, 250, x, s)),
    ]
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, -torch.from_numpy(theirs), rtol=1e-12, atol=1e-13)


def test_students_t_lies_between_cauchy_and_normal(pred: Tensor, scale: Tensor, target: Tensor) -> None:
    expected = of("gaussian-nll:full=true", pred, scale**2, target)
    torch.testing.assert_close(of("student-t-nll:df=1e+20", pred, scale, target), expected, rtol=1e-12, atol=1e-12)
    one = torch.ones_like(pred)
    cauchy = of(f"cauchy:c={math.sqrt(0.5)}", pred, target) + math.log(math.pi)
    torch.testing.assert_close(of("student-t-nll:df=1", pred, one, target), cauchy, rtol=1e-14, atol=0)


@pytest.mark.parametrize(("spec", "spread"), [("gaussian-nll", lambda e: e * e), ("laplace-nll", lambda e: e)])
def test_a_likelihood_is_least_where_the_spread_is_the_error(spec: str, spread: object) -> None:
    error = normal(5).abs() + 0.01
    best = spread(error).clone().requires_grad_()  # type: ignore[operator]
    of(spec, error, best, torch.zeros_like(error)).sum().backward()
    assert bool((best.grad.abs() <= 1e-15 / best.detach()).all())


def test_the_score_of_a_narrow_normal_distribution_is_the_absolute_error(pred: Tensor, target: Tensor) -> None:
    for scale in (1e-30, 5e-324):
        assert torch.equal(of("mae", pred, target), of("crps-gaussian", pred, torch.full_like(pred, scale), target))


def test_the_score_of_a_large_ensemble_is_that_of_its_distribution() -> None:
    quantiles = torch.from_numpy(scipy.stats.norm.ppf((torch.arange(20_000).double().numpy() + 0.5) / 20_000))
    for target in (-2.0, 0.1, 3.0):
        y = torch.tensor([target], dtype=torch.float64)
        ours = of("crps-ensemble", quantiles.unsqueeze(0), y).item()
        true = of("crps-gaussian", 0 * y, 0 * y + 1, y).item()
        assert ours == pytest.approx(true, rel=2e-4)


@pytest.mark.parametrize("fair", [False, True])
def test_the_sorted_form_is_that_of_all_pairs(target: Tensor, fair: bool) -> None:
    pred = normal(6, 300, 7)
    pred[:, 1] = pred[:, 0]
    pairs = 7 * 6 if fair else 7 * 7
    apart = (pred.unsqueeze(2) - pred.unsqueeze(1)).abs().sum((1, 2)) / (2 * pairs)
    expected = (pred - target.unsqueeze(1)).abs().mean(1) - apart
    ours = of(f"crps-ensemble:fair={str(fair).lower()}", pred, target)
    torch.testing.assert_close(ours, expected, rtol=1e-11, atol=1e-14)


def test_a_single_member_has_its_absolute_error_and_no_fair_score(pred: Tensor, target: Tensor) -> None:
    assert torch.equal(of("mae", pred, target), of("crps-ensemble", pred.unsqueeze(1), target))
    assert bool(torch.isnan(of("crps-ensemble:fair=true", pred.unsqueeze(1), target)).all())


def test_equal_members_are_not_driven_apart() -> None:
    """An ensemble of dry days, as rain forecasts have."""
    for spec in ("crps-ensemble", "crps-ensemble:fair=true"):
        pred = torch.zeros(1, 5, dtype=torch.float64, requires_grad=True)
        of(spec, pred, torch.zeros(1, dtype=torch.float64)).sum().backward()
        assert pred.grad is not None
        assert not bool(pred.grad.any())


def test_the_fair_score_of_random_members_is_that_of_what_they_are_drawn_from() -> None:
    """On average; the plain score is too large by the spread over the number of members."""
    members = torch.randn(400_000, 3, generator=torch.Generator().manual_seed(8), dtype=torch.float64)
    y = torch.full((400_000,), 0.7, dtype=torch.float64)
    true = of("crps-gaussian", 0 * y[:1], 0 * y[:1] + 1, y[:1]).item()
    assert of("crps-ensemble:fair=true", members, y).mean().item() == pytest.approx(true, abs=0.003)
    assert of("crps-ensemble", members, y).mean().item() == pytest.approx(
        true + 1 / (3 * math.sqrt(math.pi)), abs=0.003
    )


def test_the_differences_that_are_described_are_there() -> None:
    def one(value: float) -> Tensor:
        return torch.tensor([value], dtype=torch.float64)

    theirs = torch.nn.functional.gaussian_nll_loss(one(1), one(0), one(1e-9)).item()
    assert theirs == pytest.approx(499993.09, abs=0.005)
    assert of("gaussian-nll", one(1), one(1e-9), one(0)).item() == pytest.approx(499999989.64, abs=0.005)
    members = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    assert of("crps-ensemble", members, one(0.5)).item() == 0.25
    assert of("crps-ensemble:fair=true", members, one(0.5)).item() == 0
    assert of("crps-gaussian", one(0), one(1), one(10)).item() == pytest.approx(10, abs=0.6)
    assert of("gaussian-nll", one(0), one(1), one(10)).item() == 50
