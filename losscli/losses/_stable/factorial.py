"""Logarithms of factorials as likelihoods need them: without the large terms that cancel.

The probability of a count is at its largest where the mean is the count itself. What minus its logarithm is there, and
how much more it is elsewhere (half a deviance), are both positive, so that nothing cancels in their sum (Loader 2000).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.deviance import polynomial, relative_entropy_of
from losscli.losses._stable.elementary import two_difference, two_product

if TYPE_CHECKING:
    from torch import Tensor

# Stirling's series is good from here on.
FIRST = 10
# B_2k / (2k (2k - 1)): Abramowitz and Stegun 6.1.42.
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400, 43867 / 244188)
# For small numbers ln y! = y (1 - gamma) - ln(1 + y) + the sum of (-y)^k (zeta(k) - 1)/k: 6.1.33. The constants are
# 1 - gamma, then those of k = 2, 3, ...
ONE_MINUS_GAMMA = 0.42278433509846714
OF_ZETA = (
    0.32246703342411322, 0.067352301053198095, 0.020580808427784548, 0.0073855510286739853, 0.0028905103307415233,
    0.0011927539117032610, 0.00050966952474304242, 0.00022315475845357938, 9.9457512781808534e-5,
    4.4926236738133142e-5, 2.0507212775670692e-5, 9.4394882752683959e-6, 4.3748667899074878e-6, 2.0392157538013662e-6,
    9.5514121304074198e-7, 4.4924691987645660e-7, 2.1207184805554666e-7, 1.0043224823968100e-7, 4.7698101693639806e-8,
    2.2711094608943165e-8, 1.0838659214896954e-8, 5.1834750419700467e-9, 2.4836745438024783e-9, 1.1921401405860912e-9,
    5.7313672416788620e-10, 2.7595228851242332e-10,
)  # fmt: skip
SMALL = 0.5


def least_poisson_nll(y: Tensor) -> Tensor:
    """``ln y! - y ln y + y``: minus the logarithm of the probability of a count whose mean is the count itself.

    Not differentiable. Zero for zero, and below infinity for every finite number.
    """
    small = y < SMALL
    result = 0.5 * torch.log(2 * math.pi * torch.where(small, 1.0, y)) + rest_of_stirling(torch.where(small, 1.0, y))
    if bool(small.any()):
        rows = torch.nonzero(small, as_tuple=True)
        result[rows] = _least_of_small(y[rows])
    return result


def _least_of_small(y: Tensor) -> Tensor:
    factorial = y * (ONE_MINUS_GAMMA + y * polynomial(-y, OF_ZETA)) - torch.log1p(y)
    return factorial + y * (1 - torch.log(torch.where(y == 0, 1.0, y)))


def rest_of_stirling(x: Tensor) -> Tensor:
    """``ln x! - ((x + 1/2) ln x - x + ln(2 pi)/2)`` from 1/2 on, which is about 1/(12 x). Not differentiable."""
    below = x < FIRST
    inverse = 1 / torch.where(below, float(FIRST), x)
    result = inverse * polynomial(inverse * inverse, STIRLING)
    if bool(below.any()):
        # Nearly all counts are whole numbers, of which few are small.
        whole = below & (x == x.floor())
        rows = torch.nonzero(whole, as_tuple=True)
        result[rows] = _rest_by_steps(torch.arange(1, FIRST, dtype=x.dtype, device=x.device))[x[rows].long() - 1]
        if not torch.equal(whole, below):
            rows = torch.nonzero(below & ~whole, as_tuple=True)
            result[rows] = _rest_by_steps(x[rows])
    return result


def _rest_by_steps(x: Tensor) -> Tensor:
    """For small numbers, from those that are so much larger that Stirling's series is good.

    The rest of x exceeds that of x + 1 by (x + 1/2) ln(1 + 1/x) - 1 = s^2/3 + s^4/5 + ... with s = 1/(2 x + 1).
    """
    result = rest_of_stirling(x + FIRST)
    for step in range(FIRST - 1, -1, -1):
        s = 1 / (2 * (x + step) + 1)
        # As many terms as the largest s needs, that of x = 1/2.
        terms = math.ceil(53 * math.log(2) / (2 * math.log(2 * step + 2)))
        square = s * s
        result = result + square * polynomial(square, [1 / (2 * k + 3) for k in range(terms)])
    return result


def rest_of_half_step(x: float) -> float:
    """``ln(x)/2 - ln(Γ(x + 1/2)/Γ(x))`` for a number above 0, which is about 1/(8 x): 6.1.40, for both functions.

    That of x exceeds that of x + 1 by ln(1 + 1/(4 x (x + 1)))/2.
    """
    steps = 0.0
    while x < FIRST:
        steps += 0.5 * math.log1p(1 / (4 * x * (x + 1)))
        x += 1
    return steps + sum(c * (2 - 0.5 ** (2 * k + 1)) * (1 / x) ** (2 * k + 1) for k, c in enumerate(STIRLING))


# --- minus the logarithms of probabilities ----------------------------------------------------------------------------


def minus_log_binomial(p: Tensor, n: Tensor, k: Tensor) -> Tensor:
    """``-ln(n! / (k! (n - k)!) p^k (1 - p)^(n - k))``; NaN where k > n. Not differentiable."""
    expected, lost = two_product(n, p)
    # By how much the expected number exceeds the count, with the digits that n p has lost.
    excess = (expected - k) + lost
    others, lost_of_others = two_difference(n, expected)
    entropy = relative_entropy_of(k, expected, excess) + relative_entropy_of(
        n - k, others + (lost_of_others - lost), -excess
    )
    fewer = torch.minimum(k, n - k)
    trials = torch.where(n == 0, 1.0, n)
    choices = 0.5 * torch.log1p(-fewer / trials) + (rest_of_stirling(trials - fewer) - rest_of_stirling(trials))
    possible = (k <= n) & ((n >= 1) | (n == 0))
    return torch.where(possible, entropy + least_poisson_nll(fewer) + choices, math.nan)


def minus_log_negative_binomial(mean: Tensor, y: Tensor, dispersion: float) -> Tensor:
    """``-ln`` of the probability of y where the variance is mean + dispersion mean^2. Not differentiable.

    With r = 1/dispersion it is that of r successes and y failures in r + y trials, where the last is a success.
    """
    r = y.new_full((1,), 1 / dispersion)
    spread = 1 + dispersion * mean
    excess = (y - mean) / spread
    entropy = relative_entropy_of(r.expand_as(y), (r + y) / spread, excess)
    entropy = entropy + relative_entropy_of(y, (r + y) * (dispersion * mean / spread), -excess)
    if dispersion > 1:
        choices = torch.log1p(y / r) + (least_poisson_nll(r) - least_poisson_nll(r + y))
    else:
        choices = 0.5 * torch.log1p(y / r) + (rest_of_stirling(r) - rest_of_stirling(r + y))
    return entropy + least_poisson_nll(y) + choices
