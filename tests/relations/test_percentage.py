"""How relative errors are related to each other and to errors, and that costs of whole data sets are the true ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sklearn.metrics
import torch
from mpmath import mpf
from torch import Tensor

import losscli
from losscli.errors import DataError
from losscli.registry import parse_spec
from tests import oracle
from tests.oracle import statistics


def of(spec: str, pred: Tensor, target: Tensor) -> Tensor:
    return parse_spec(spec)(pred, target)


def normal(seed: int) -> Tensor:
    return 3 * torch.randn(300, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(expected: Tensor, actual: Tensor, ulps: float = 8) -> None:
    torch.testing.assert_close(actual, expected, rtol=ulps * 2**-53, atol=0)


def cost(spec: str, pred: Tensor, target: Tensor, weight: Tensor | None = None) -> float:
    value: float = losscli.compute(spec, pred=pred, target=target, weight=weight).value
    return value


@pytest.fixture
def pred() -> Tensor:
    return normal(1)


@pytest.fixture
def target() -> Tensor:
    return normal(2)


def test_a_percentage_error_is_the_error_over_the_size(pred: Tensor, target: Tensor) -> None:
    close(of("mae", pred, target) / target.abs(), of("mape", pred, target))
    assert torch.equal(of("mape", pred, target), of("wmape", pred, target))


def test_no_unit_is_the_same_as_another(pred: Tensor, target: Tensor) -> None:
    for spec in ("mape", "smape", "wmape"):
        assert torch.equal(of(spec, pred, target), of(spec, 1024 * pred, 1024 * target))


def test_the_symmetric_one_is_the_same_from_both_sides_and_two_for_opposite_signs(pred: Tensor, target: Tensor) -> None:
    values = of("smape", pred, target)
    assert torch.equal(values, of("smape", target, pred))
    close(torch.full_like(values[pred * target < 0], 2.0), values[pred * target < 0])


def test_ratios_of_numbers_whose_sum_is_infinite_are_as_those_of_ordinary_ones() -> None:
    pred, target = (torch.tensor([v], dtype=torch.float64) for v in (1.5e308, -0.5e308))
    assert of("mape", pred, target).item() == 4.0
    assert of("smape", pred, -target).item() == 1.0


def test_a_logarithmic_error_is_a_squared_error_of_logarithms(pred: Tensor, target: Tensor) -> None:
    a, b = pred.abs(), target.abs()
    torch.testing.assert_close(of("msle", a, b), of("mse", torch.log1p(a), torch.log1p(b)), rtol=1e-10, atol=1e-25)
    assert torch.equal(of("msle", a, b), of("msle", b, a))
    assert cost("rmsle", a, b) == pytest.approx(cost("msle", a, b) ** 0.5, rel=1e-15)


def test_a_logarithmic_error_is_finite_wherever_the_numbers_are() -> None:
    pred, target = (torch.tensor([v], dtype=torch.float64) for v in (1.7e308, -1 + 2**-53))
    expected = oracle.value("msle", pred=pred.item(), target=target.item())
    assert of("msle", pred, target).item() == pytest.approx(float(expected), rel=1e-15)


def test_the_relative_squared_error_is_what_is_left_unexplained(pred: Tensor, target: Tensor) -> None:
    assert cost("rse", pred, target) == pytest.approx(1 - sklearn.metrics.r2_score(target, pred), rel=1e-13)
    assert cost("nrmse:scale=std", pred, target) == pytest.approx(cost("rse", pred, target) ** 0.5, rel=1e-15)
    assert cost("rse", target.mean().expand(300), target) == pytest.approx(1, rel=1e-15)


def test_the_normalised_error_is_the_root_mean_squared_error_over_a_size(pred: Tensor, target: Tensor) -> None:
    sizes = {"mean": target.mean().abs(), "std": target.std(unbiased=False), "range": target.max() - target.min()}
    for scale, size in sizes.items():
        assert cost(f"nrmse:scale={scale}", pred, target) == pytest.approx(cost("rmse", pred, target) / size.item())


WHOLE: dict[str, Callable[..., mpf]] = {
    "rmsle": statistics.cost_rmsle,
    "wmape": statistics.cost_wmape,
    "rse": statistics.cost_rse,
    "nrmse": statistics.cost_nrmse,
    "nrmse:scale=std": lambda *data: statistics.cost_nrmse(*data, scale="std"),
    "nrmse:scale=range": lambda *data: statistics.cost_nrmse(*data, scale="range"),
}


@pytest.mark.parametrize("spec", WHOLE)
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("shift", [0.0, 1e9], ids=["spread", "nearly equal"])
def test_costs_of_whole_data_sets_are_the_true_ones(spec: str, weighted: bool, shift: float) -> None:
    """Also where the spread of the true values is a ten-billionth of their mean."""
    target = normal(4).abs() + shift
    pred = target + normal(5).abs() / 4
    weight = normal(6).abs() if weighted else None
    with oracle.mpmath.workprec(300):
        data = [each.tolist() for each in (pred, target)]
        true = WHOLE[spec](*data, None if weight is None else weight.tolist())
    assert oracle.ulps(cost(spec, pred, target, weight), true) <= 2


@pytest.mark.parametrize("spec", ["rse", "nrmse:scale=std", "nrmse:scale=range"])
def test_where_all_true_values_are_equal_there_is_no_such_cost(spec: str, pred: Tensor) -> None:
    with pytest.raises(DataError, match=r"cost is not defined for these data: the .* of the true values is 0"):
        losscli.compute(spec, pred=pred, target=torch.full_like(pred, 0.1))
