"""What one record needs of its losses: count, mean, total, standard error, extremes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.exact import UNIT, Sums, fold_values, fold_weighted
from losscli.summary.exact_sum import PRODUCT, ExactSum, column_of, counted, extremes, rounded, rounded_root

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Summary:
    """All that one record needs of its losses, mergeable without error.

    With l the loss and w the weight of a datum, 1 without weights. A datum of weight 0 counts in ``n`` and adds nothing
    to a sum, even where its loss is infinite; nan is always seen.

    Attributes:
        n: how many data were used.
        n_skipped: how many were left out.
        losses: the sum of w*l.
        weights: the sum of w.
        squares: the sum of (w*l)^2 in units of 2^-4296.
        cross: the sum of w*(w*l) in units of 2^-3222.
        weight_squares: the sum of w^2 in units of 2^-2148.
        n_undefined: how many losses were nan.
        lowest: the smallest loss but for nan; inf without one.
        highest: the largest loss but for nan; -inf without one.
    """

    n: int = 0
    n_skipped: int = 0
    losses: ExactSum = field(default_factory=ExactSum)
    weights: ExactSum = field(default_factory=ExactSum)
    squares: int = 0
    cross: int = 0
    weight_squares: int = 0
    n_undefined: int = 0
    lowest: float = math.inf
    highest: float = -math.inf

    @classmethod
    def empty(cls) -> Summary:
        """The summary of no data: merging it changes nothing."""
        return cls()

    @classmethod
    def of(
        cls,
        values: Tensor,
        weights: Tensor | None = None,
        skipped: int = 0,
        bounds: tuple[float, float] | None = None,
    ) -> Summary:
        """The summary of a tensor of losses.

        Args:
            values: the losses, shape (n,).
            weights: of the data, shape (n,); None for 1 each.
            skipped: how many other data were left out.
            bounds: the smallest and the largest of the losses, where they are known and finite.

        Example:
            >>> summary = Summary.of(torch.tensor([1.0, 2.0, 6.0]))
            >>> summary.mean(), summary.variance(), summary.minimum, summary.maximum
            (3.0, 7.0, 1.0, 6.0)
        """
        values, n = column_of(values), values.numel()
        weights = None if weights is None else column_of(weights)
        if n == 0:
            return cls(n_skipped=skipped)
        low, high = bounds or extremes(values)
        undefined = 0
        if math.isnan(low):
            defined = values[~torch.isnan(values)]
            undefined = n - len(defined)
            low, high = extremes(defined) if len(defined) else (math.inf, -math.inf)
        losses, weight_sum = ExactSum(), ExactSum()
        finite = not undefined and math.isfinite(low) and math.isfinite(high)
        if weights is None:
            if not finite:
                regular = torch.isfinite(values)
                losses, values = counted(values[~regular]), values[regular]
        elif not (finite and all(math.isfinite(bound) for bound in extremes(weights))):
            values, weights, losses, weight_sum = _set_aside(values, weights)
        sums = Sums()
        if weights is None:
            fold_values(sums, values, bounds=(low, high) if finite else None)
        else:
            fold_weighted(sums, values, weights)
        summary = from_sums(n, sums, low, high, weighted=weights is not None)
        return summary.merge(cls(0, skipped, losses, weight_sum, n_undefined=undefined))

    def merge(self, other: Summary) -> Summary:
        """The summary of the data of both."""
        return Summary(
            self.n + other.n,
            self.n_skipped + other.n_skipped,
            self.losses.merge(other.losses),
            self.weights.merge(other.weights),
            self.squares + other.squares,
            self.cross + other.cross,
            self.weight_squares + other.weight_squares,
            self.n_undefined + other.n_undefined,
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
        )

    def mean(self) -> float:
        """The sum of w*l over the sum of w, rounded once; nan where there is no weight."""
        return self.losses.over(self.weights)

    def total(self) -> float:
        """The sum of w*l, rounded once."""
        return self.losses.value()

    @property
    def weight_sum(self) -> float:
        """The sum of the weights, rounded once; n without weights."""
        return self.weights.value()

    @property
    def minimum(self) -> float:
        """The smallest loss; nan where a loss is, or where there is none."""
        return self.lowest if self.n and not self.n_undefined else math.nan

    @property
    def maximum(self) -> float:
        """The largest loss; nan where a loss is, or where there is none."""
        return self.highest if self.n and not self.n_undefined else math.nan

    def std_error(self) -> float | None:
        """The standard error of the mean, correctly rounded; None for n < 2, no weight, or a sum that is not finite.

        By linearisation of the ratio: SE^2 = n/(n-1) * sum w^2 (l-m)^2 / (sum w)^2 with m the mean, the sample variance
        over n without weights.
        """
        square = self._squared_error()
        return None if square is None else rounded_root(*square)

    def variance(self) -> float | None:
        """n times the squared standard error, rounded once: without weights the sample variance, divisor n-1."""
        square = self._squared_error()
        return None if square is None else rounded(self.n * square[0], square[1])

    def _squared_error(self) -> tuple[int, int] | None:
        # All in one unit: each term of the difference is a product of the same powers of w and l.
        s, w = self.losses.integer, self.weights.integer >> UNIT
        if self.n < 2 or w == 0 or not (self.losses.is_finite and self.weights.is_finite):
            return None
        # Trailing zeros of the units are most of the digits; the weights' scale cancels, w -> 2^k w.
        numerator = self.squares * w * w - 2 * s * self.cross * w + s * s * self.weight_squares
        zeros = _trailing_zeros(w)
        denominator = (self.n - 1) * (w >> zeros) ** 4
        zeros_below = 4 * zeros + PRODUCT
        common = min(_trailing_zeros(numerator), zeros_below)
        return self.n * (numerator >> common), denominator << (zeros_below - common)


def from_sums(n: int, sums: Sums, low: float, high: float, *, weighted: bool) -> Summary:
    """The summary of n data, from their exact sums; of unweighted data each weighs 1."""
    c = sums.whole("c", PRODUCT)
    if weighted:
        weights, weight_squares = sums.whole("w", PRODUCT), sums.whole("ww", PRODUCT)
        cross = sums.whole("cw", 3 * UNIT)
    else:
        weights = weight_squares = n << PRODUCT
        cross = c << UNIT
    squares = sums.whole("cc", 4 * UNIT)
    # -0.0 and 0.0 are equal, and which one is kept must not depend on the order.
    return Summary(n, 0, ExactSum(c), ExactSum(weights), squares, cross, weight_squares, 0, low + 0.0, high + 0.0)


def _set_aside(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, ExactSum, ExactSum]:
    """Values and weights with 0 for what is not finite, and the counts of such products and of such weights."""
    regular, regular_weights = torch.isfinite(values), torch.isfinite(weights)
    wrong = ~(regular & regular_weights)
    products = values[wrong] * weights[wrong]
    # 0 * inf: a datum of weight 0 is not there. 0 * nan stays nan.
    products[(weights[wrong] == 0) & torch.isinf(values[wrong])] = 0.0
    return (
        torch.where(regular, values, 0.0),
        torch.where(regular_weights, weights, 0.0),
        counted(products),
        counted(weights[~regular_weights]),
    )


def _trailing_zeros(integer: int) -> int:
    return (integer & -integer).bit_length() - 1 if integer else 0
