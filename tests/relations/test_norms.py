"""How powers of errors, and the costs that are their roots, are related to each other and to other libraries."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import losscli
from losscli.registry import parse_spec


def of(spec: str, pred: Tensor, target: Tensor) -> Tensor:
    return parse_spec(spec)(pred, target)


def normal(seed: int) -> Tensor:
    return 3 * torch.randn(300, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def cost(spec: str, pred: Tensor, target: Tensor, reduction: str = "mean") -> float:
    value: float = losscli.compute(spec, pred=pred, target=target, reduction=reduction).value
    return value


@pytest.fixture
def pred() -> Tensor:
    return normal(1)


@pytest.fixture
def target() -> Tensor:
    return normal(2)


def test_the_first_and_the_second_power_are_the_absolute_and_the_squared_error(pred: Tensor, target: Tensor) -> None:
    assert torch.equal(of("lq:q=1", pred, target), of("mae", pred, target))
    torch.testing.assert_close(of("lq:q=2", pred, target), of("mse", pred, target), rtol=4e-16, atol=0)


def test_powers_multiply(pred: Tensor, target: Tensor) -> None:
    product = of("lq:q=1.2", pred, target) * of("lq:q=2.7", pred, target)
    torch.testing.assert_close(of("lq:q=3.9", pred, target), product, rtol=2e-15, atol=0)


def test_minkowskis_cost_leads_from_the_mean_to_the_largest_error(pred: Tensor, target: Tensor) -> None:
    orders = [1, 1.5, 2, 3, 10, 100]
    costs = [cost(f"minkowski:p={p}", pred, target) for p in orders]
    assert costs == sorted(costs)
    assert costs[0] == cost("mae", pred, target)
    assert costs[2] == pytest.approx(cost("rmse", pred, target), rel=1e-15)
    largest = cost("max-error", pred, target)
    assert 0.93 * largest < costs[-1] < largest


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 7])
def test_minkowskis_sum_is_the_distance_of_that_order(p: float, pred: Tensor, target: Tensor) -> None:
    expected = torch.linalg.vector_norm(pred - target, ord=p).item()
    assert cost(f"minkowski:p={p}", pred, target, "sum") == pytest.approx(expected, rel=1e-14)
    assert cost(f"minkowski:p={p}", pred, target) == pytest.approx(expected / 300 ** (1 / p), rel=1e-14)
