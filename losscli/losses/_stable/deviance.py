"""Deviances and logarithms of ratios, without the digits that the textbook forms lose where numbers almost cancel.

What a function computes is careful and long; its slopes are short. ``with_slopes`` joins the two, so that no gradient
has to find its way back through series and branches.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Union

from losscli._lazy import torch
from losscli.losses._stable.elementary import two_difference, two_product
from losscli.losses._stable.slopes import with_slopes

if TYPE_CHECKING:
    from torch import Tensor

# Up to this |a - b| / (a + b) the series is used; beyond, a logarithm in two parts is enough.
NEAR = 0.3
# 1/3, 1/5, ...: 2 s (1 + s^2/3 + s^4/5 + ...) is the logarithm of (1 + s) / (1 - s).
OF_LOGARITHM = tuple(1 / (2 * k + 3) for k in range(16))
Exact = Union[float, Fraction]
LN_2 = math.log(2)
# What is lost of ln 2 as a float.
REST_OF_LN_2 = 2.3190468138462996e-17


def polynomial(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    """``c_0 + c_1 x + c_2 x^2 + ...`` by Horner's rule. Not differentiable."""
    total = torch.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total.mul_(x).add_(coefficient)
    return total


# --- logarithms and powers --------------------------------------------------------------------------------------------


def log_ratio(a: Tensor, b: Tensor) -> Tensor:
    """``ln(a/b)``, accurate where the two are almost equal, finite where their ratio is not; -inf for a = 0."""

    def value(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(a == 0, -math.inf, torch.where(b == 0, math.inf, log_of_ratio(a, b)[0]))

    return with_slopes(value, (lambda a, b: 1 / a, lambda a, b: -1 / b), a, b)


def log_of_ratio(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """``ln(a/b)`` rounded, and what the rounding lost, good to 2^-54. Not differentiable.

    With a/b = m 2^k, m between the roots of 1/2 and 2, it is k ln 2 + ln m. The first part is exact, since only few
    digits of ln 2 are multiplied, and the second is so small that its last digit is far behind those of the sum.
    """
    digits = 40 if a.dtype == torch.float64 else 14
    high = round(LN_2 * 2**digits) / 2**digits
    (a, a_exponent), (b, b_exponent) = torch.frexp(a), torch.frexp(b)
    ratio = a / b
    product, lost = two_product(ratio, b)
    # In proportion to a: ln(ratio) is that much too small.
    missing = ((a - product) - lost) / a
    halved, doubled = ratio > math.sqrt(2), ratio < math.sqrt(0.5)
    ratio = torch.where(halved, ratio / 2, torch.where(doubled, ratio * 2, ratio))
    doublings = (a_exponent - b_exponent + halved.to(torch.int32) - doubled.to(torch.int32)).to(a.dtype)
    head = doublings * high
    rest = torch.log(ratio) + (missing + doublings * ((LN_2 - high) + REST_OF_LN_2))
    total = head + rest
    return total, rest - (total - head)


def real_power(base: Tensor, exponent: Exact) -> Tensor:
    """``base ** exponent`` of positive numbers, for any exponent, within about two ULP."""
    if exponent == 0:
        return torch.ones_like(base)

    def value(x: Tensor) -> Tensor:
        power, lost = _multiple_of_log(x, torch.ones_like(x), exponent)
        return torch.exp(power) * (1 + lost)

    return with_slopes(value, (lambda x: float(exponent) * real_power(x, exponent - 1),), base)


def _multiple_of_log(a: Tensor, b: Tensor, factor: Exact) -> tuple[Tensor, Tensor]:
    """``factor ln(a/b)`` rounded, and what the rounding lost. Not differentiable."""
    logarithm, lost = log_of_ratio(a, b)
    rounded = float(factor)
    product, lost_too = two_product(logarithm, torch.full_like(logarithm, rounded))
    return product, lost_too + (rounded * lost + float(factor - Fraction(rounded)) * logarithm)


# --- the deviances of the Poisson and the gamma distribution ----------------------------------------------------------


def relative_entropy(a: Tensor, b: Tensor) -> Tensor:
    """``a ln(a/b) - a + b``, which is never negative: half a Poisson deviance, a term of a divergence.

    Loader (2000) calls it bd0. With s = (b - a)/(a + b) it is s (b - a) - 2 a s^3 (1/3 + s^2/5 + s^4/7 + ...). Zero for
    a = b = 0, b for a = 0, infinite for b = 0 alone.

    Args:
        a: numbers of at least 0.
        b: of at least 0, of the same shape.
    """
    return with_slopes(
        lambda a, b: relative_entropy_of(a, b, b - a),
        (log_ratio, lambda a, b: torch.where(a == 0, 1.0, (b - a) / b)),
        a,
        b,
    )


def divergence_term(q: Tensor, p: Tensor) -> Tensor:
    """As ``relative_entropy``, which is ``q ln(q/p)`` but for p - q, with the slopes of ``q ln(q/p)`` itself."""
    return with_slopes(
        lambda q, p: relative_entropy_of(q, p, p - q),
        (lambda q, p: log_ratio(q, p) + 1, lambda q, p: torch.where(q == 0, 0.0, -q / p)),
        q,
        p,
    )


def jensen_shannon_term(q: Tensor, p: Tensor) -> Tensor:
    """``(q ln(q/m) + p ln(p/m))/2`` with m the middle of the two, both at least 0."""

    def value(q: Tensor, p: Tensor) -> Tensor:
        middle, half = 0.5 * (q + p), 0.5 * (p - q)
        return 0.5 * (relative_entropy_of(q, middle, half) + relative_entropy_of(p, middle, -half))

    def slope(of: Tensor, beside: Tensor) -> Tensor:
        # Half the logarithm of 1 + s. Where both are zero, that of moving one of them.
        total = of + beside
        s = torch.where(total == 0, 1.0, (of - beside) / total)
        near = s > -0.5
        far = torch.log(torch.where(near, 1.0, of) / torch.where(near, 1.0, 0.5 * total))
        return 0.5 * torch.where(near, torch.log1p(torch.where(near, s, 0.0)), far)

    return with_slopes(value, (slope, lambda q, p: slope(p, q)), q, p)


def relative_entropy_of(a: Tensor, b: Tensor, difference: Tensor) -> Tensor:
    """As ``relative_entropy``, where b - a is known with more digits than b has. Not differentiable."""
    # Halves, since the sum of two large numbers may be infinite.
    s = (0.5 * difference) / (0.5 * a + 0.5 * b)
    far = ~(s.abs() < NEAR)
    square = s * s
    result = s * difference - 2 * (s * square * polynomial(square, OF_LOGARITHM)) * a
    if bool(far.any()):
        rows = torch.nonzero(far, as_tuple=True)
        result[rows] = _relative_entropy_of_far(a[rows], b[rows])
    result = torch.where((b == 0) & (a > 0), math.inf, result)
    return torch.where((a == 0) & (b >= 0), b, result)


def _relative_entropy_of_far(a: Tensor, b: Tensor) -> Tensor:
    logarithm, lost = log_of_ratio(a, b)
    # Huge and tiny ones are brought to ordinary size, since two_product splits its factors. What vanishes by that would
    # not be seen beside the other.
    exponent = torch.frexp(torch.maximum(a, b))[1]
    unusual = exponent.abs() > math.frexp(torch.finfo(a.dtype).max)[1] * 0.9
    if scaled := bool(unusual.any()):
        exponent = torch.where(unusual, exponent - 1, 0)
        a, b = _times_power_of_two(a, -exponent), _times_power_of_two(b, -exponent)
    product, lost_too = two_product(a, logarithm)
    difference, lost_in_it = two_difference(b, a)
    result = (difference + product) + (lost_too + (a * lost + lost_in_it))
    return _times_power_of_two(result, exponent) if scaled else result


def _times_power_of_two(value: Tensor, exponent: Tensor) -> Tensor:
    """In two steps, as 2^1074 itself does not exist."""
    half = torch.div(exponent, 2, rounding_mode="floor")
    one = torch.ones_like(value)
    return value * torch.ldexp(one, half) * torch.ldexp(one, exponent - half)


# --- the deviances of the Tweedie distributions -----------------------------------------------------------------------

# The same for general powers, whose logarithms are exponentials: their series may go on for longer.
NEAR_OF_POWERS = 0.5
# Where e^x is that large, all other terms are nothing beside it.
LARGE_EXPONENT = 100.0


def unit_deviance(target: Tensor, mean: Tensor, power: float) -> Tensor:
    """Twice the integral of (y - t) / t^power from the mean to y: the deviance where the variance is mean^power.

    Args:
        target: y, of any shape.
        mean: of the same shape.
        power: any number but those between 0 and 1.
    """
    if power == 0:
        return (mean - target) ** 2
    if power == 1:
        return 2 * relative_entropy(target, mean)
    return with_slopes(
        lambda y, mean: _unit_deviance(y, mean, power),
        (lambda y, mean: _slope_by_target(y, mean, power), lambda y, mean: _slope_by_mean(y, mean, power)),
        target,
        mean,
    )


def _slope_by_mean(y: Tensor, mean: Tensor, power: float) -> Tensor:
    # Where it is zero, the power may be infinite.
    return torch.where(mean == y, 0.0, 2 * ((mean - y) / mean) * real_power(mean, 1 - power))


def _slope_by_target(y: Tensor, mean: Tensor, power: float) -> Tensor:
    exponent = 1 - power
    positive = y > 0
    growth = torch.expm1(exponent * log_ratio(torch.where(positive, y, mean), mean))
    # From zero downwards the part without the mean is left out.
    growth = torch.where(positive, growth, math.inf if exponent < 0 else -1.0)
    return 2 * real_power(mean, exponent) * (growth / exponent)


def _unit_deviance(y: Tensor, mean: Tensor, power: float) -> Tensor:
    if power == 2:
        # Half of it is the relative entropy of the mean to y, in units of the mean.
        return 2 * (relative_entropy_of(mean, y, y - mean) / mean)
    if power == 1.5:
        root, root_of_y = torch.sqrt(mean), torch.sqrt(y)
        return ((y - mean) / (0.25 * y + 0.25 * mean + 0.5 * root * root_of_y)) * ((y - mean) / root)
    if power == 3:
        return ((y - mean) / mean) * (((y - mean) / mean) / y)
    s = (0.5 * (y - mean)) / (0.5 * y + 0.5 * mean)
    far = ~(s.abs() < NEAR_OF_POWERS)
    result = _unit_deviance_of_near(torch.where(far, mean, y), mean, power)
    if bool(far.any()):
        rows = torch.nonzero(far, as_tuple=True)
        result[rows] = _unit_deviance_of_far(y[rows], mean[rows], power)
    return result


def _unit_deviance_of_near(y: Tensor, mean: Tensor, power: float) -> Tensor:
    """With m the middle of the two and s = (y - mean)/(2 m), it is 4 s^2 m^(2 - power) times a series in s."""
    total, lost = two_difference(y, -mean)
    s = (y - mean) / total
    series = polynomial(s, _series_of_power(power))
    return (4 * series * (1 - power * (lost / total))) * (s * s) * real_power(0.5 * total, 2 - Fraction(power))


@functools.lru_cache(maxsize=64)
def _series_of_power(power: float) -> tuple[float, ...]:
    """The coefficients of half the integral of (1 - w)(1 + s w)^-power over w from -1 to 1, as a series in s."""
    coefficients = [1.0]
    binomial, k = 1.0, 0
    while abs(binomial) * NEAR_OF_POWERS**k > 2.0**-60:
        k += 1
        binomial *= (1 - power - k) / k
        coefficients.append(binomial / (k + 1) if k % 2 == 0 else -binomial / (k + 2))
    return tuple(coefficients)


def _unit_deviance_of_far(y: Tensor, mean: Tensor, power: float) -> Tensor:
    """From the one of two exact forms in which less cancels: they suit powers towards 1 and towards 2 and beyond."""
    exponents = 1 - Fraction(power), 2 - Fraction(power)
    a, b = map(float, exponents)
    towards_one = b >= 0.5
    exponent, lost = _multiple_of_log(y, mean, exponents[0 if towards_one else 1])
    growth = torch.expm1(exponent)
    growth = growth + lost * (1 + growth)
    inner = (y * (growth / a) + (mean - y)) / b if towards_one else (mean * (growth / b) - (y - mean)) / a
    positive = y > 0
    result = 2 * real_power(mean, exponents[0]) * torch.where(positive, inner, mean / b - y / a)
    if a * b > 0:
        alone = positive & (exponent > LARGE_EXPONENT)
        result = torch.where(alone, 2 * real_power(y, exponents[1]) / (a * b), result)
    return result
