"""How the losses that are calm about large errors are related to each other, to errors, and to other libraries."""

from __future__ import annotations

import math

import pytest
import scipy.special
import torch
from torch import Tensor

from losscli.registry import parse_spec

ROBUST = (
    *("huber", "pseudo-huber", "fair", "tukey", "cauchy", "charbonnier", "geman-mcclure", "welsch"),
    *(f"general-robust:alpha={alpha}" for alpha in ("-inf", "-7", "-1", "0.5", "1.9", "3", "inf")),
)


def of(spec: str, error: Tensor) -> Tensor:
    return parse_spec(spec)(error, torch.zeros_like(error))


def close(expected: Tensor, actual: Tensor, ulps: float = 8) -> None:
    torch.testing.assert_close(actual, expected, rtol=ulps * 2**-53, atol=0)


@pytest.fixture
def error() -> Tensor:
    return 3 * torch.randn(300, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_smooth_l1_is_hubers_loss_over_its_delta(error: Tensor) -> None:
    for size in (0.3, 1.0, 2.5):
        close(of(f"huber:delta={size}", error) / size, of(f"smooth-l1:beta={size}", error))
    assert torch.equal(of("smooth-l1:beta=0", error), error.abs())


def test_pseudo_huber_is_scipys_and_charbonniers_times_the_square_of_its_scale(error: Tensor) -> None:
    for size in (0.3, 1.0, 2.5):
        close(
            torch.from_numpy(scipy.special.pseudo_huber(size, error.numpy())), of(f"pseudo-huber:delta={size}", error)
        )
        close(size**2 * of(f"charbonnier:c={size}", error), of(f"pseudo-huber:delta={size}", error))


@pytest.mark.parametrize("spec", ROBUST)
def test_small_errors_cost_half_their_square(spec: str, error: Tensor) -> None:
    tiny = 1e-9 * error.abs()
    # Fair's loss has a third power next.
    torch.testing.assert_close(of(spec, tiny), tiny * tiny / 2, rtol=1e-8, atol=0)


@pytest.mark.parametrize("spec", ROBUST)
def test_an_error_costs_the_same_to_both_sides_and_more_when_it_is_larger(spec: str, error: Tensor) -> None:
    size = error.abs().sort().values
    values = of(spec, size)
    assert torch.equal(values, of(spec, -size))
    assert bool((values.diff() >= 0).all())


def test_barrons_loss_has_the_others_as_members_in_order(error: Tensor) -> None:
    members = {"welsch": "-inf", "geman-mcclure": "-2", "cauchy": "0", "charbonnier": "1"}
    for name, alpha in members.items():
        for c in ("1", "2.5"):
            assert torch.equal(of(f"{name}:c={c}", error), of(f"general-robust:alpha={alpha}:c={c}", error))
    close(of("mse", error) / 2, of("general-robust:alpha=2", error))
    ordered = torch.stack([of(f"general-robust:alpha={a}", error) for a in ("-inf", "-2", "-1", "0", "0.5", "1", "2")])
    assert bool((ordered.diff(dim=0) >= 0).all())


@pytest.mark.parametrize("alpha", [2.0, 1.0, 0.0, -2.0])
def test_barrons_formula_meets_its_limits(alpha: float, error: Tensor) -> None:
    """A member has a formula of its own; next to it the general one gives almost the same."""
    expected = of(f"general-robust:alpha={alpha}", error)
    for near in (alpha - 1e-9, alpha + 1e-9):
        torch.testing.assert_close(of(f"general-robust:alpha={near}", error), expected, rtol=1e-7, atol=0)
    for name, far in (("-inf", -1e9), ("inf", 1e9)):
        small = error / 3
        expected = of(f"general-robust:alpha={name}", small)
        torch.testing.assert_close(of(f"general-robust:alpha={far}", small), expected, rtol=1e-6, atol=0)


def test_bounded_losses_stay_below_their_bounds() -> None:
    far = torch.logspace(1, 300, 200, dtype=torch.float64)
    for spec, bound in {"geman-mcclure": 2, "welsch": 1, "tukey": 4.685**2 / 6, "general-robust:alpha=-4": 1.5}.items():
        close(torch.full_like(far[1:], bound), of(spec, far[1:] * 1e8))
    assert bool((of("tukey", far) == of("tukey", far[:1])).all())


def test_unbounded_losses_approach_their_straight_lines() -> None:
    far = torch.tensor([1e20, 1e200, 1e300], dtype=torch.float64)
    for spec, slope in {"pseudo-huber:delta=3": 3, "charbonnier:c=4": 0.25, "fair:c=2": 2, "wing": 1}.items():
        close(slope * far, of(spec, far))


def test_the_parts_of_the_wing_meet_at_its_width() -> None:
    for width, epsilon in ((10.0, 2.0), (1.0, 100.0)):
        at = torch.tensor([math.nextafter(width, 0), width, math.nextafter(width, 1e9)], dtype=torch.float64)
        expected = torch.full_like(at, width * math.log1p(width / epsilon))
        torch.testing.assert_close(of(f"wing:width={width}:epsilon={epsilon}", at), expected, rtol=1e-13, atol=0)


def test_no_error_pulls_harder_than_the_steepest_of_each_loss(error: Tensor) -> None:
    """The largest slopes, from the second derivatives' zeros."""
    steepest = {
        "huber": 1.0,
        "pseudo-huber": 1.0,
        "fair": 1.0,
        "cauchy": math.sqrt(0.5),
        "welsch": math.exp(-0.5),
        "geman-mcclure": 16 * math.sqrt(4 / 3) / (16 / 3) ** 2,
        "tukey:c=1": math.sqrt(0.2) * 0.64,
    }
    grid = torch.linspace(-6, 6, 24_001, dtype=torch.float64)
    for spec, expected in steepest.items():
        x = grid.clone().requires_grad_()
        (slope,) = torch.autograd.grad(of(spec, x).sum(), x)
        assert slope.max().item() <= expected * (1 + 1e-12)
        assert slope.max().item() >= expected * (1 - 0.15)
