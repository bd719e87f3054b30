"""Barron's family of robust losses: its named members, each by a formula of its own, and the losses between them.

With b = |alpha - 2| the loss is (b / alpha) ((1 + x^2/b)^(alpha/2) - 1), and its slope x (1 + x^2/b)^(alpha/2 - 1).
Values take x with more digits than a float has, since its square would have each rounding twice; slopes are short, and
no gradient has to find its way back through the branches of a value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.deviance import real_power
from losscli.losses._stable.elementary import mean_over_outputs, two_product
from losscli.losses._stable.scaled import FAR, scaled_error
from losscli.losses._stable.slopes import with_slopes
from losscli.losses._stable.twofold import Twofold

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Shape:
    """A loss of x, not differentiable, and its slope, which is differentiable in turn."""

    value: Callable[[Twofold], Tensor]
    slope: Callable[[Tensor], Tensor]

    def of(self, pred: Tensor, target: Tensor, scale: float) -> Tensor:
        """The loss of each datum, shape (n,), with x = (pred - target) / scale."""
        x = scaled_error(pred, target, scale)
        return mean_over_outputs(with_slopes(lambda value: self.value(Twofold(value, x.lost)), (self.slope,), x.value))


def shape(alpha: float) -> Shape:
    """The member of the family for an alpha: any number, -inf or inf."""
    if alpha in MEMBERS:
        return MEMBERS[alpha]
    # From there on the two are the same to the last digit.
    if abs(alpha) < SMALL:
        return MEMBERS[0.0]
    if abs(alpha) > LARGE:
        return MEMBERS[math.copysign(math.inf, alpha)]
    b = abs(alpha - 2)
    return Shape(lambda x: _between(x, alpha, b), lambda x: _slope_between(x, alpha, b))


SMALL, LARGE = 1e-20, 1e25


def _square(x: Twofold) -> Tensor:
    """x^2, rounded little more than once; infinite where it is beyond the largest number."""
    rest = 2 * x.value * x.lost
    return x.value * x.value + torch.where(torch.isfinite(rest), rest, 0.0)


# --- alpha = 1: sqrt(1 + x^2) - 1 -------------------------------------------------------------------------------------


def _root(x: Twofold) -> Tensor:
    square = _square(x)
    return torch.where(square > FAR**2, x.value.abs() - 1, square / (1 + torch.sqrt(1 + square)))


def _slope_of_root(x: Tensor) -> Tensor:
    # Beyond, the slope is 1 to the last digit, and the square might be infinite.
    x = x.clamp(-FAR, FAR)
    return x / torch.sqrt(1 + x * x)


# --- alpha = 0: ln(1 + x^2 / 2) ---------------------------------------------------------------------------------------


def _logarithm(x: Twofold) -> Tensor:
    half = 0.5 * _square(x)
    return torch.where(torch.isinf(half), 2 * torch.log(x.value.abs()) - math.log(2), torch.log1p(half))


def _slope_of_logarithm(x: Tensor) -> Tensor:
    far = x.abs() > FAR
    near = x.clamp(-FAR, FAR)
    return torch.where(far, 2 / torch.where(far, x, 1.0), near / (1 + 0.5 * near * near))


# --- alpha = -2: 2 x^2 / (x^2 + 4) ------------------------------------------------------------------------------------


def _fraction(x: Twofold) -> Tensor:
    square = _square(x)
    return torch.where(square < 4, 2 * (square / (square + 4)), 2 - 8 / (square + 4))


def _slope_of_fraction(x: Tensor) -> Tensor:
    below = x * x + 4
    return 4 * (4 / below) * (x / below)


# --- alpha = -inf and inf: the exponentials ---------------------------------------------------------------------------


def _bell(x: Twofold) -> Tensor:
    return -torch.expm1(-0.5 * _square(x))


def _slope_of_bell(x: Tensor) -> Tensor:
    # Beyond, e^(-x^2/2) is zero, which infinity must not be multiplied by.
    x = x.clamp(-50.0, 50.0)
    return x * torch.exp(-0.5 * x * x)


def _exponential(x: Twofold) -> Tensor:
    # Where the exponent is 700, its last digit is worth hundreds of those of the loss.
    square, lost = two_product(x.value, x.value)
    exponent = 0.5 * square
    rest = torch.exp(exponent) * (0.5 * lost + x.value * x.lost)
    return torch.expm1(exponent) + torch.where(torch.isfinite(rest), rest, 0.0)


MEMBERS = {
    2.0: Shape(lambda x: 0.5 * _square(x), lambda x: x),
    1.0: Shape(_root, _slope_of_root),
    0.0: Shape(_logarithm, _slope_of_logarithm),
    -2.0: Shape(_fraction, _slope_of_fraction),
    -math.inf: Shape(_bell, _slope_of_bell),
    math.inf: Shape(_exponential, lambda x: x * torch.exp(0.5 * x * x)),
}


# --- between them -----------------------------------------------------------------------------------------------------


def _between(x: Twofold, alpha: float, b: float) -> Tensor:
    square, half = _square(x), alpha / 2
    z = square / b
    logarithm = torch.log1p(z)
    power = real_power(1 + z, half) if alpha > 0 else z
    far = ~(z < FAR**30)
    if bool(far.any()):
        # There z itself may be beyond the largest number.
        size = torch.where(far, x.value.abs(), 1.0)
        logarithm = torch.where(far, 2 * torch.log(size) - math.log(b), logarithm)
        power = torch.where(far, real_power(size / math.sqrt(b), alpha), power) if alpha > 0 else power
    exponent = half * logarithm
    value = torch.expm1(exponent)
    if alpha > 0:
        # An exponential of a large exponent would lose digits by its rounding.
        value = torch.where((z > 1) & (exponent > 1), power - 1, value)
    # For the smallest x the loss is x^2/2 to the last digit, while z may be too small for its digits.
    small = square < 1e-17 * b / (1 + abs(half))
    return torch.where(small, 0.5 * square, (b / alpha) * value)


def _slope_between(x: Tensor, alpha: float, b: float) -> Tensor:
    size = x.abs() / math.sqrt(b)
    inner = size.clamp(max=1.0)
    of_inner = x * torch.exp((alpha / 2 - 1) * torch.log1p(inner * inner))
    # The root of 1 + x^2/b, also where that is beyond the largest number.
    middle = size.clamp(min=1.0, max=FAR)
    root = torch.where(size > FAR, size, torch.sqrt(1 + middle * middle))
    return torch.where(size < 1, of_inner, (x / root) * real_power(root, Fraction(alpha) - 1))
