"""How the losses of counts and amounts are related to each other and to those of other libraries."""

from __future__ import annotations

import math

import numpy
import pytest
import scipy.stats
import sklearn.metrics
import torch
from sklearn._loss.loss import HalfGammaLoss, HalfPoissonLoss, HalfTweedieLoss, HalfTweedieLossIdentity
from torch import Tensor

import losscli
from losscli.errors import UsageError
from losscli.registry import parse_spec


def of(spec: str, *roles: Tensor) -> Tensor:
    return parse_spec(spec)(*roles)


def close(expected: Tensor, actual: Tensor, ulps: float = 8) -> None:
    torch.testing.assert_close(actual, expected, rtol=ulps * 2**-53, atol=0)


@pytest.fixture
def mean() -> Tensor:
    return torch.rand(300, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 9 + 0.1


@pytest.fixture
def count() -> Tensor:
    return torch.poisson(torch.full((300,), 3.0, dtype=torch.float64), generator=torch.Generator().manual_seed(2))


@pytest.fixture
def amount() -> Tensor:
    return torch.rand(300, generator=torch.Generator().manual_seed(3), dtype=torch.float64) * 9 + 0.1


def test_tweedie_of_powers_0_1_and_2_is_the_squared_error_and_the_deviances_of_poisson_and_gamma(
    mean: Tensor, count: Tensor, amount: Tensor
) -> None:
    assert torch.equal(of("mse", mean, amount), of("tweedie-deviance:power=0", mean, amount))
    assert torch.equal(of("poisson-deviance", mean, count), of("tweedie-deviance:power=1", mean, count))
    assert torch.equal(of("gamma-deviance", mean, amount), of("tweedie-deviance:power=2", mean, amount))


@pytest.mark.parametrize("power", [1.0, 1.5, 2.0, 3.0])
def test_tweedie_is_continuous_in_its_power(mean: Tensor, amount: Tensor, power: float) -> None:
    """The named members have formulas of their own; those beside them come from the general one."""
    beside = of(f"tweedie-deviance:power={power + 1e-12}", mean, amount)
    torch.testing.assert_close(beside, of(f"tweedie-deviance:power={power}", mean, amount), rtol=1e-10, atol=0)


@pytest.mark.parametrize("power", [-1.5, 0.0, 1.0, 1.3, 1.5, 1.9, 2.0, 2.7, 3.0])
def test_a_deviance_scales_with_the_unit_to_the_power_two_less_p(mean: Tensor, amount: Tensor, power: float) -> None:
    spec = f"tweedie-deviance:power={power}"
    # 4 to any half power is exact.
    torch.testing.assert_close(
        of(spec, 4 * mean, 4 * amount), of(spec, mean, amount) * 4 ** (2 - power), rtol=1e-14, atol=0
    )


@pytest.mark.parametrize("power", [-1.0, 1.0, 1.5, 1.7, 2.0, 2.5, 3.0])
def test_a_deviance_is_zero_for_a_perfect_prediction_only(amount: Tensor, power: float) -> None:
    spec = f"tweedie-deviance:power={power}"
    assert not bool(of(spec, amount, amount).any())
    for factor in (1 + 2**-30, 1 - 2**-30, 0.5, 2.0):
        assert bool((of(spec, amount * factor, amount) > 0).all())


@pytest.mark.parametrize("power", [-1.0, 1.0, 1.5, 1.7, 2.0, 3.0])
def test_the_best_constant_prediction_of_every_deviance_is_the_mean(amount: Tensor, power: float) -> None:
    constant = amount.mean().expand(300).clone().requires_grad_()
    of(f"tweedie-deviance:power={power}", constant, amount).sum().backward()
    assert constant.grad is not None
    assert abs(constant.grad.sum().item()) <= 1e-12 * constant.grad.abs().sum().item()


def test_powers_between_0_and_1_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec("tweedie-deviance:power=0.5")
    assert str(caught.value) == "tweedie-deviance: --power: 0.5 is not in (-inf, 0] or [1, inf)."


@pytest.mark.parametrize(("power", "allowed"), [(0.0, -1.0), (-1.0, -1.0), (1.0, 0.0), (1.9, 0.0), (2.0, 0.1)])
def test_what_an_amount_may_be_depends_on_the_power(power: float, allowed: float) -> None:
    target = parse_spec(f"tweedie-deviance:power={power}").domain("target").interval
    assert allowed in target
    assert (power <= 0) == (-1.0 in target)
    assert (power < 2) == (0.0 in target)
    assert (-1.0 in parse_spec(f"tweedie-deviance:power={power}").domain("pred").interval) == (power == 0)


def test_the_poisson_likelihood_and_half_the_deviance_differ_by_what_the_count_alone_says(
    mean: Tensor, count: Tensor
) -> None:
    apart = of("poisson-nll:input=rate:full=true", mean, count) - of("poisson-deviance", mean, count) / 2
    perfect = of("poisson-nll:input=rate:full=true", count, count)
    torch.testing.assert_close(apart, perfect, rtol=1e-13, atol=1e-14)


def test_a_rate_and_its_logarithm_are_the_same_prediction(mean: Tensor, count: Tensor) -> None:
    for full in ("false", "true"):
        from_rate = of(f"poisson-nll:input=rate:full={full}", mean, count)
        from_log = of(f"poisson-nll:full={full}", torch.log(mean), count)
        torch.testing.assert_close(from_log, from_rate, rtol=1e-13, atol=1e-14)


def test_probabilities_of_all_counts_sum_to_one() -> None:
    count = torch.arange(400, dtype=torch.float64)
    for spec in ("poisson-nll:input=rate:full=true", "negative-binomial-nll:dispersion=0.3", "negative-binomial-nll"):
        total = torch.exp(-of(spec, torch.full_like(count, 7.3), count)).sum().item()
        assert total == pytest.approx(1, abs=1e-14)
    trials = torch.full((41,), 40.0, dtype=torch.float64)
    for p in (0.0, 0.03, 0.5, 1.0):
        nll = of("binomial-nll", torch.full_like(trials, p), trials, torch.arange(41, dtype=torch.float64))
        assert torch.exp(-nll).sum().item() == pytest.approx(1, abs=1e-14)


def test_a_negative_binomial_of_little_dispersion_is_poissons(mean: Tensor, count: Tensor) -> None:
    expected = of("poisson-nll:input=rate:full=true", mean, count)
    torch.testing.assert_close(of("negative-binomial-nll:dispersion=1e-18", mean, count), expected, rtol=1e-14, atol=0)


def test_a_binomial_of_one_trial_is_binary_cross_entropy(mean: Tensor) -> None:
    p, one = mean / 10, torch.ones_like(mean)
    for label in (0.0, 1.0):
        close(of("binary-cross-entropy", p, label * one), of("binomial-nll", p, one, label * one))


def test_likelihoods_are_those_of_scipy(mean: Tensor, count: Tensor) -> None:
    mu, y = mean.numpy(), count.numpy()
    pairs = [
        ("poisson-nll:input=rate:full=true", (mean, count), scipy.stats.poisson.logpmf(y, mu)),
        ("negative-binomial-nll:dispersion=0.25", (mean, count), scipy.stats.nbinom.logpmf(y, 4, 4 / (4 + mu))),
        ("binomial-nll", (mean / 10, count + 5, count), scipy.stats.binom.logpmf(y, y + 5, mu / 10)),
    ]
    for spec, roles, expected in pairs:
        torch.testing.assert_close(of(spec, *roles), -torch.from_numpy(expected), rtol=1e-11, atol=0)


def test_deviances_are_those_of_sklearn(mean: Tensor, count: Tensor, amount: Tensor) -> None:
    for power, target in ((-1, amount - 3), (0, amount), (1, count), (1.4, count), (2, amount), (3, amount)):
        ours = of(f"tweedie-deviance:power={power}", mean, target).mean().item()
        theirs = sklearn.metrics.mean_tweedie_deviance(target.numpy(), mean.numpy(), power=power)
        assert ours == pytest.approx(theirs, rel=1e-12)


def test_of_more_successes_than_trials_there_is_no_probability() -> None:
    half, trials = torch.full((2,), 0.5, dtype=torch.float64), torch.tensor([3.0, 3.0], dtype=torch.float64)
    values = of("binomial-nll", half, trials, torch.tensor([4.0, 3.0], dtype=torch.float64))
    assert torch.isnan(values).tolist() == [True, False]
    with pytest.raises(losscli.DataError, match="is not defined"):
        losscli.compute("binomial-nll", pred=[0.5], trials=[3.0], target=[4.0])


def test_the_differences_that_are_described_are_there() -> None:
    def one(value: float) -> Tensor:
        return torch.tensor([value], dtype=torch.float64)

    def raw(value: float) -> numpy.ndarray:
        return numpy.log(array(value))

    def array(value: float) -> numpy.ndarray:
        return numpy.array([value], dtype=float)

    torchs = torch.nn.functional.poisson_nll_loss
    assert torchs(one(0), one(1), log_input=False).item() == pytest.approx(18.42, abs=0.005)
    assert of("poisson-nll:input=rate", one(0), one(1)).item() == math.inf
    for rate, theirs, ours in ((2, 1.266, 1.307), (0.5, 0.847, 0.726)):
        assert torchs(one(rate), one(rate), log_input=False, full=True).item() == pytest.approx(theirs, abs=0.0005)
        got = of("poisson-nll:input=rate:full=true", one(rate), one(rate)).item()
        assert got == pytest.approx(ours, abs=0.0005)
    assert HalfPoissonLoss().loss(array(3), raw(2)).item() == pytest.approx(-0.079, abs=0.0005)
    assert of("poisson-deviance", one(2), one(3)).item() / 2 == pytest.approx(0.216, abs=0.0005)
    assert HalfGammaLoss().loss(array(2), raw(4)).item() == pytest.approx(1.886, abs=0.0005)
    assert of("gamma-deviance", one(4), one(2)).item() / 2 == pytest.approx(0.193, abs=0.0005)
    assert HalfTweedieLoss(1.5).loss(array(2), raw(2)).item() == pytest.approx(5.657, abs=0.0005)
    identity = HalfTweedieLossIdentity(1.5).loss(array(3), array(2)).item()
    assert identity == pytest.approx(of("tweedie-deviance", one(2), one(3)).item() / 2, rel=1e-12)
    share = 4 * of("binary-cross-entropy", one(0.5), one(0.5)).item()
    assert share == pytest.approx(2.773, abs=0.0005)
    assert of("binomial-nll", one(0.5), one(4), one(2)).item() == pytest.approx(0.981, abs=0.0005)
