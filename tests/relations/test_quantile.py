"""How the losses of quantiles, tubes and intervals are related to each other, to errors, and to other libraries."""

from __future__ import annotations

import pytest
import scipy.stats
import torch
from torch import Tensor

from losscli.registry import parse_spec


def of(spec: str, *roles: Tensor) -> Tensor:
    return parse_spec(spec)(*roles)


def normal(seed: int) -> Tensor:
    return 3 * torch.randn(300, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(expected: Tensor, actual: Tensor, ulps: float = 8) -> None:
    torch.testing.assert_close(actual, expected, rtol=ulps * 2**-53, atol=0)


@pytest.fixture
def pred() -> Tensor:
    return normal(1)


@pytest.fixture
def target() -> Tensor:
    return normal(2)


def test_in_the_middle_both_are_half_of_the_error(pred: Tensor, target: Tensor) -> None:
    assert torch.equal(of("quantile", pred, target), of("mae", pred, target) / 2)
    assert torch.equal(of("expectile", pred, target), of("mse", pred, target) / 2)


@pytest.mark.parametrize(("spec", "other"), [("quantile", "mae"), ("expectile", "mse")])
def test_opposite_levels_add_up_to_the_whole_error(spec: str, other: str, pred: Tensor, target: Tensor) -> None:
    low, high = (of(f"{spec}:tau={tau}", pred, target) for tau in (0.25, 0.75))
    close(of(other, pred, target), low + high)
    assert torch.equal(low, of(f"{spec}:tau=0.75", -pred, -target))


def test_the_best_constant_predictions_are_the_quantile_and_the_expectile(target: Tensor) -> None:
    constants = torch.linspace(-6, 6, 1201, dtype=torch.float64)
    best = {"quantile": torch.quantile(target, 0.9), "expectile": scipy.stats.expectile(target.numpy(), alpha=0.9)}
    for spec, expected in best.items():
        costs = torch.stack([of(f"{spec}:tau=0.9", c.expand(300), target).mean() for c in constants])
        assert constants[costs.argmin()].item() == pytest.approx(float(expected), abs=0.05)


def test_a_tube_without_width_is_the_error_itself(pred: Tensor, target: Tensor) -> None:
    assert torch.equal(of("epsilon-insensitive:epsilon=0", pred, target), of("mae", pred, target))
    close(of("mse", pred, target), of("squared-epsilon-insensitive:epsilon=0", pred, target))


def test_the_squared_tube_is_the_square_of_the_other(pred: Tensor, target: Tensor) -> None:
    for epsilon in (0.1, 2.0):
        plain = of(f"epsilon-insensitive:epsilon={epsilon}", pred, target)
        close(plain * plain, of(f"squared-epsilon-insensitive:epsilon={epsilon}", pred, target))
        assert torch.equal(plain == 0, (pred - target).abs() <= epsilon)


def test_what_is_beyond_a_tube_keeps_its_digits_where_it_is_little() -> None:
    pred, target = (torch.tensor([v], dtype=torch.float64) for v in (1e10, 0.3))
    assert of("epsilon-insensitive:epsilon=9999999999.5", pred, target).item() == 0.2


def test_an_interval_is_scored_by_its_width_and_the_quantile_losses_of_its_ends(target: Tensor) -> None:
    """Also where the ends have changed places."""
    low, high = normal(3), normal(4)
    for alpha in (0.05, 0.5):
        ends = of(f"quantile:tau={alpha / 2}", low, target) + of(f"quantile:tau={1 - alpha / 2}", high, target)
        torch.testing.assert_close(of(f"interval-score:alpha={alpha}", low, high, target), 2 / alpha * ends)
    inside = (low < target) & (target < high)
    assert torch.equal(of("interval-score", low, high, target)[inside], (high - low)[inside])
