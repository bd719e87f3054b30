"""The exact sum of values or of products, and the one rounding at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.exact import UNIT, Sums, fold_products, fold_values

if TYPE_CHECKING:
    from torch import Tensor

# Every product of two floats is a multiple of 2^-PRODUCT.
PRODUCT = 2 * UNIT


@dataclass(frozen=True)
class ExactSum:
    """The exact sum of finite values, and how many others there were.

    Attributes:
        integer: the sum of the finite values in units of 2^-2148, which every product of two floats is a multiple of.
        n_nan: how many values were nan.
        n_plus: how many were inf.
        n_minus: how many were -inf.
    """

    integer: int = 0
    n_nan: int = 0
    n_plus: int = 0
    n_minus: int = 0

    @classmethod
    def empty(cls) -> ExactSum:
        """The sum of nothing: merging it changes nothing."""
        return cls()

    @classmethod
    def of_whole(cls, number: int) -> ExactSum:
        """A whole number as a sum."""
        return cls(number << PRODUCT)

    @classmethod
    def of(cls, values: Tensor) -> ExactSum:
        """The sum of a tensor of any shape, type and device.

        Example:
            >>> ExactSum.of(torch.tensor([1e308, 1.0, -1e308], dtype=torch.float64)).value()
            1.0
        """
        column = column_of(values)
        others = cls()
        if len(column) and not all(math.isfinite(bound) for bound in extremes(column)):
            finite = torch.isfinite(column)
            others, column = counted(column[~finite]), column[finite]
        sums = Sums()
        fold_values(sums, column, squares=False)
        return cls(sums.whole("c", PRODUCT)).merge(others)

    @classmethod
    def of_products(cls, a: Tensor, b: Tensor) -> ExactSum:
        """The sum of the exact products of two tensors of the same shape; a product that is not finite is counted.

        Example:
            >>> weights = torch.tensor([0.1, 0.1], dtype=torch.float64)
            >>> ExactSum.of_products(weights, weights).fraction() == 2 * Fraction(0.1) ** 2
            True
        """
        a, b = column_of(a), column_of(b)
        finite = torch.isfinite(a) & torch.isfinite(b)
        others = cls()
        if not bool(finite.all()):
            others = counted((a * b)[~finite])
            a, b = a[finite], b[finite]
        sums = Sums()
        fold_products(sums, a, b)
        return cls(sums.whole("cw", PRODUCT)).merge(others)

    def merge(self, other: ExactSum) -> ExactSum:
        """The sum of both."""
        return ExactSum(
            self.integer + other.integer,
            self.n_nan + other.n_nan,
            self.n_plus + other.n_plus,
            self.n_minus + other.n_minus,
        )

    @property
    def is_finite(self) -> bool:
        """Whether all values were finite."""
        return not (self.n_nan or self.n_plus or self.n_minus)

    def value(self) -> float:
        """The correctly rounded sum; nan where a value was, or where both infinities were there."""
        return self._limit() if not self.is_finite else rounded(self.integer, 1 << PRODUCT)

    def over(self, other: ExactSum) -> float:
        """The correctly rounded ratio of two sums; nan where it is not defined."""
        if not other.is_finite or other.integer == 0:
            return math.nan
        if not self.is_finite:
            return self._limit() if other.integer > 0 else -self._limit()
        return rounded(self.integer, other.integer)

    def fraction(self) -> Fraction:
        """The sum as a rational number.

        Raises:
            ValueError: a value was not finite.
        """
        if not self.is_finite:
            raise ValueError("a sum that is not finite is no fraction")
        return Fraction(self.integer, 1 << PRODUCT)

    def _limit(self) -> float:
        if self.n_nan or (self.n_plus and self.n_minus):
            return math.nan
        return math.inf if self.n_plus else -math.inf


def counted(values: Tensor) -> ExactSum:
    """How many of some values are nan, inf and -inf."""
    return ExactSum(0, *(int(mask.sum()) for mask in (torch.isnan(values), values == math.inf, values == -math.inf)))


def column_of(values: Tensor) -> Tensor:
    """A tensor of any shape and type as contiguous float64, shape (n,)."""
    # mps has no float64.
    values = values.detach().cpu() if values.device.type == "mps" else values.detach()
    return values.reshape(-1).to(torch.float64).contiguous()


def extremes(values: Tensor) -> tuple[float, float]:
    """The smallest and the largest of at least one value; both nan where a value is."""
    low, high = torch.aminmax(values)
    return low.item(), high.item()


def rounded(numerator: int, denominator: int) -> float:
    """The float64 nearest to a ratio, inf where it is too large for one."""
    try:
        return numerator / denominator
    except OverflowError:
        return math.inf if (numerator > 0) == (denominator > 0) else -math.inf


def rounded_root(numerator: int, denominator: int) -> float:
    """The float64 nearest to the square root of a ratio that is not negative.

    Example:
        >>> rounded_root(2, 1) == math.sqrt(2)
        True
    """
    # 64 digits and one more that says whether others follow: rounding that to 53 rounds the root itself.
    shift = (128 - numerator.bit_length() + denominator.bit_length()) // 2
    if shift >= 0:
        numerator <<= 2 * shift
    else:
        denominator <<= -2 * shift
    quotient, rest = divmod(numerator, denominator)
    root = math.isqrt(quotient)
    sticky = 2 * root + (rest != 0 or root * root != quotient)
    return rounded(sticky, 1 << (shift + 1)) if shift >= -1 else rounded(sticky << (-shift - 1), 1)
