"""Numbers of twice as many digits: a float, and beside it what its rounding lost.

An exponential makes an error of its argument that many times larger as the argument is large. Losses of exponentials of
scaled cosines are therefore only as exact as their arguments, and these need more digits than a float has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Union

from losscli._lazy import torch
from losscli.losses._stable.elementary import row_sum, two_difference, two_product

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Twofold:
    """A number as the sum of two floats.

    ``value`` is what floats alone would give, and carries the gradient; ``lost`` is a constant that completes it to
    about twice the digits.
    """

    value: Tensor
    lost: Tensor

    @classmethod
    def of(cls, value: Tensor) -> Twofold:
        """Floats as they are."""
        return cls(value, torch.zeros_like(value))

    @classmethod
    def product(cls, a: Tensor, b: Tensor) -> Twofold:
        """The products of floats, exactly."""
        return cls(*two_product(a, b))

    @classmethod
    def like(cls, constant: Exact, values: Tensor) -> Twofold:
        """A constant beside tensors."""
        high = values.new_tensor(float(constant))
        lost = float(Fraction(constant) - Fraction(high.item())) if math.isfinite(constant) else 0.0
        return cls(high, values.new_tensor(lost))

    def __add__(self, other: Twofold | Exact) -> Twofold:
        other = self._operand(other)
        total, lost = two_difference(self.value, -other.value)
        return Twofold(total, lost + (self.lost + other.lost))

    def __sub__(self, other: Twofold | Exact) -> Twofold:
        other = self._operand(other)
        difference, lost = two_difference(self.value, other.value)
        return Twofold(difference, lost + (self.lost - other.lost))

    def __mul__(self, other: Twofold | Exact) -> Twofold:
        other = self._operand(other)
        product, lost = two_product(self.value, other.value)
        return Twofold(product, lost + (self.value.detach() * other.lost + self.lost * other.value.detach()))

    def __truediv__(self, other: Twofold | Exact) -> Twofold:
        other = self._operand(other)
        quotient = self.value / other.value
        by = other.value.detach()
        product, lost = two_product(quotient.detach(), by)
        rest = ((self.value.detach() - product) - lost) + (self.lost - quotient.detach() * other.lost)
        return Twofold(quotient, rest / by)

    def __neg__(self) -> Twofold:
        return Twofold(-self.value, -self.lost)

    def __getitem__(self, index: Tensor | slice | tuple[Tensor | slice | int | None, ...]) -> Twofold:
        return Twofold(self.value[index], self.lost[index])

    def gather(self, columns: Tensor) -> Twofold:
        """For each row the entries of these columns: shapes (n, m), (n, k) to (n, k)."""
        return Twofold(self.value.gather(1, columns), self.lost.gather(1, columns))

    def where(self, mask: Tensor, other: Twofold | float) -> Twofold:
        """These numbers where the mask is true, the others elsewhere."""
        other = self._operand(other)
        return Twofold(torch.where(mask, self.value, other.value), torch.where(mask, self.lost, other.lost))

    def positive_part(self) -> Twofold:
        """The larger of the number and zero, with the derivative 0 at zero."""
        return self.where(~(self.value + self.lost <= 0), 0.0)

    def sqrt(self) -> Twofold:
        """The square root, with the derivative 0 at zero instead of an infinite one."""
        positive = ~(self.value <= 0)
        root = torch.sqrt(torch.where(positive, self.value, 1.0))
        square, lost = two_product(root.detach(), root.detach())
        rest = ((self.value.detach() - square) - lost) + self.lost
        return Twofold(torch.where(positive, root, 0.0), torch.where(positive, rest / (2 * root.detach()), 0.0))

    def exp(self) -> Tensor:
        """The exponential, rounded once."""
        return torch.exp(self.value) * (1 + self.lost)

    def sum(self) -> Twofold:
        """The sum of each row, shape (n, k) to (n, 1): by halves, so that its bits depend on nothing but the row."""
        value, lost = self.value, self.lost
        while value.shape[1] > 1:
            half = value.shape[1] // 2
            total, more = two_difference(value[:, :half], -value[:, half : 2 * half])
            lost = torch.cat((lost[:, :half] + lost[:, half : 2 * half] + more, lost[:, 2 * half :]), 1)
            value = torch.cat((total, value[:, 2 * half :]), 1)
        return Twofold(value, lost)

    def rounded(self) -> Tensor:
        """The nearest floats."""
        return self.value + self.lost

    def renewed(self) -> Twofold:
        """The same numbers, each with the nearest float as its value: after a difference of almost equal numbers."""
        total, lost = two_difference(self.value, -self.lost)
        return Twofold(total, lost)

    def _operand(self, other: Twofold | Exact) -> Twofold:
        return other if isinstance(other, Twofold) else Twofold.like(other, self.value)


Exact = Union[float, Fraction]


def sum_of_exponentials(exponents: Twofold, counted: Tensor) -> tuple[Twofold, Tensor]:
    """The sum of each row's exponentials that count, as ``e^m f`` with f at least 1; f is 0 where none counts.

    Args:
        exponents: shape (n, k).
        counted: shape (n, k), boolean.

    Returns:
        m and f, each of shape (n,).
    """
    highest = torch.where(counted, exponents.value.detach(), -math.inf).amax(1, keepdim=True)
    largest = Twofold.of(torch.where(torch.isinf(highest), 0.0, highest))
    return largest[:, 0], row_sum((exponents - largest).where(counted, -math.inf).exp())


def log1p_of_exponential(exponent: Twofold, factor: Tensor) -> Tensor:
    """``ln(1 + f e^x)`` for factors that are zero or at least 1: exact where it is tiny, finite where e^x is not."""
    far = (exponent.value > 0.4 * math.log(torch.finfo(factor.dtype).max)) & (factor > 0)
    near = exponent.where(~far, 0.0)
    beyond = exponent.where(far, 0.0)
    return torch.where(
        far,
        beyond.value + (beyond.lost + torch.log(torch.where(far, factor, 1.0))),
        torch.log1p(near.exp() * torch.where(far, 1.0, factor)),
    )


@lru_cache(maxsize=256)
def sine_and_cosine(angle: float) -> tuple[Fraction, Fraction]:
    """The sine and the cosine of an angle of at most 2 pi, by their series, to 40 digits."""
    x, terms, scale = Fraction(angle), 70, 2**160
    series = [Fraction(1)]
    for k in range(1, terms):
        # Rounding each term to 48 digits keeps the fractions short.
        series.append(Fraction(round(series[-1] * x / k * scale), scale))
    cosine = sum((term * (-1) ** k for k, term in enumerate(series[::2])), Fraction(0))
    sine = sum((term * (-1) ** k for k, term in enumerate(series[1::2])), Fraction(0))
    return sine, cosine


def tangent_squared(degrees: float) -> Fraction:
    """The square of the tangent of an angle in degrees, to 30 digits."""
    radians = Fraction(degrees) / 180 * PI
    sine, cosine = sine_and_cosine(radians)
    return (sine / cosine) ** 2


PI = Fraction(314159265358979323846264338327950288419716939937510, 10**50)
