"""Numerical forms that several families share. Each keeps a loss within a few ULP where the textbook form loses digits.

Only operations whose bits do not depend on a value's position in memory are used: arithmetic, sqrt, exp, log, log1p,
expm1, min, max, where, and sums over the contiguous last axis. Sigmoid, softplus, logaddexp, log_softmax, cdist and
powers with a general exponent are not among them.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.slopes import with_slopes

if TYPE_CHECKING:
    from torch import Tensor

# For a few columns torch's sum of the last axis takes ten times as long as adding the columns.
FEW_COLUMNS = 5
# torch splits the sum of one single long row among its threads, and then the bits depend on how many there are.
LONGEST_UNSPLIT_ROW = 32_767


def row_sum(values: Tensor) -> Tensor:
    """The sum of each row, with bits that depend on nothing but the row.

    Args:
        values: shape (n, k), of any strides.

    Returns:
        Shape (n,).
    """
    if 0 < values.shape[1] <= FEW_COLUMNS:
        return functools.reduce(torch.add, values.unbind(1))
    values = values.contiguous()
    if values.shape[0] == 1 and values.shape[1] > LONGEST_UNSPLIT_ROW:
        return torch.cat((values, values)).sum(1)[:1]
    return values.sum(1)


def mean_over_outputs(values: Tensor) -> Tensor:
    """One number for each datum: the mean over its outputs.

    Args:
        values: shape (n, ...).

    Returns:
        Shape (n,); ``values`` itself where a datum has one output.
    """
    if values.ndim == 1:
        return values
    outputs = values.reshape(values.shape[0], math.prod(values.shape[1:]))
    return row_sum(outputs) / outputs.shape[1]


def max_over_outputs(values: Tensor) -> Tensor:
    """One number for each datum: the largest over its outputs, shape (n, ...) to (n,)."""
    return values if values.ndim == 1 else values.flatten(1).amax(1)


def log_cosh(x: Tensor) -> Tensor:
    """``ln cosh x`` of any shape, for small x half its square and for large ones |x| - ln 2.

    Below 1 it is ln(1 + t^2 / (2 (1 + t))) with t = e^|x| - 1, since cosh x = 1 + t^2 / (2 (1 + t)).
    """
    size = x.abs()
    near = size < 1
    t = torch.expm1(torch.where(near, size, 0.0))
    far = torch.where(near, 1.0, size)
    return torch.where(near, torch.log1p(t * (t / (2 * (1 + t)))), far + torch.log1p(0.5 * torch.expm1(-2 * far)))


def two_difference(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """``a - b`` rounded, and what the rounding lost, as a constant (Knuth): their sum is the exact difference."""
    difference = a - b
    rounded = difference.detach()
    part = rounded - a.detach()
    return difference, (a.detach() - (rounded - part)) - (b.detach() + part)


def two_product(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """``a * b`` rounded, and what the rounding lost, as a constant (Dekker, Veltkamp).

    Exact while neither factor is near the limits of the exponent; the caller scales.
    """
    product = a * b
    a_high, a_low = _halves(a.detach())
    b_high, b_low = _halves(b.detach())
    lost = a_low * b_low - (((product.detach() - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return product, lost


def _halves(value: Tensor) -> tuple[Tensor, Tensor]:
    scaled = value * (2.0**27 + 1 if value.dtype == torch.float64 else 2.0**12 + 1)
    high = scaled - (scaled - value)
    return high, value - high


def entropy_term(weight: Tensor, probability: Tensor) -> Tensor:
    """``-w ln p``, zero where the weight is zero, whatever p is; infinite where p is zero and the weight is not.

    The logarithm is not taken where it does not count, since its infinite slope would make the gradient NaN.
    """
    return weight * -torch.log(torch.where(weight == 0, 1.0, probability))


def entropy_term_of_complement(weight: Tensor, probability: Tensor) -> Tensor:
    """``-w ln(1 - p)``, zero where the weight is zero. ``1 - p`` is never formed: a small p keeps its digits."""
    return weight * -torch.log1p(-torch.where(weight == 0, 0.0, probability))


@dataclass(frozen=True)
class LogSigmoids:
    """``-ln p`` and ``-ln(1 - p)`` of ``p = 1 / (1 + e^-z)``, each as an exact head and a rest.

    They are max(-z, 0) + log1p(e^-|z|) and max(z, 0) + log1p(e^-|z|). The derivative of ``torch.maximum`` at a tie is
    the right one half, where that of a clamp is 0 or 1.
    """

    head: Tensor
    head_of_complement: Tensor
    rest: Tensor

    @classmethod
    def of(cls, logit: Tensor) -> LogSigmoids:
        """Of logits of any shape."""
        zero = logit.new_zeros(())
        rest = torch.log1p(torch.exp(-logit.abs()))
        return cls(torch.maximum(-logit, zero), torch.maximum(logit, zero), rest)

    @property
    def minus_log(self) -> Tensor:
        """``-ln p``."""
        return self.head + self.rest

    @property
    def minus_log_of_complement(self) -> Tensor:
        """``-ln(1 - p)``."""
        return self.head_of_complement + self.rest

    def power(self, exponent: float) -> Tensor:
        """``p ** exponent``."""
        return _exponential_of_minus(self.head, self.rest, exponent)

    def power_of_complement(self, exponent: float) -> Tensor:
        """``(1 - p) ** exponent``."""
        return _exponential_of_minus(self.head_of_complement, self.rest, exponent)


def _exponential_of_minus(head: Tensor, rest: Tensor, factor: float) -> Tensor:
    """``exp(-factor (head + rest))`` for an exact head.

    A rounded product of 700 is 2^-44 off, and the exponential is then off by hundreds of ULP; so what the product and
    the sum lose is kept. Powers of a rounded p would be as many ULP off as the exponent says.
    """
    total, lost = two_difference(head * factor, -factor * rest)
    if math.frexp(factor)[0] != 0.5:
        # A product with a power of two loses nothing.
        lost = lost + two_product(head, head.new_tensor(factor))[1]
    # Heads that overflow the splitting have the exponential 0 anyway.
    return torch.exp(-total) * (1 - torch.nan_to_num(lost, nan=0.0, posinf=0.0, neginf=0.0))


def power(base: Tensor, exponent: float) -> Tensor:
    """``base ** exponent`` for a base in [0, 1] and an exponent of at least 0, within a few ULP.

    Whole and half exponents are products and a square root. For others exp(a ln x) alone would be hundreds of ULP off
    where x is small, because a ln x is then large and its last digit is worth that much; so x is taken apart as f 2^k.
    """
    whole = math.floor(exponent)
    fraction = exponent - whole
    result = _whole_power(base, whole)
    if fraction == 0:
        return result
    if fraction == 0.5:
        # The slope of the square root is infinite at zero.
        root = torch.sqrt(torch.where(base == 0, 1.0, base))
    else:
        root = _fractional_power(torch.where(base == 0, 1.0, base), fraction)
    return torch.where(base == 0, 0.0, root if whole == 0 else result * root)


def _whole_power(base: Tensor, exponent: int) -> Tensor:
    """By squaring."""
    result, square = None, base
    while exponent:
        if exponent % 2:
            result = square if result is None else result * square
        exponent //= 2
        square = square * square if exponent else square
    return torch.ones_like(base) if result is None else result


def _fractional_power(base: Tensor, exponent: float) -> Tensor:
    def value(x: Tensor) -> Tensor:
        return _fractional_power_of(x, exponent)

    # The slope as one number: of its factors, the one for a tiny x would underflow against a tiny gradient.
    return with_slopes(value, (lambda x: exponent * (_fractional_power(x, exponent) / x),), base)


def _fractional_power_of(base: Tensor, exponent: float) -> Tensor:
    """Not differentiable."""
    mantissa, binary_exponent = torch.frexp(base)
    binary_exponent = binary_exponent.to(base.dtype)
    # 40 bits (float32: 14) times the 11 (8) of the binary exponent are exact, and so is the reduction below.
    scale = 2.0**40 if base.dtype == torch.float64 else 2.0**14
    head = round(exponent * scale) / scale
    doublings = binary_exponent * head
    nearest = torch.round(doublings)
    rest = ((doublings - nearest) + binary_exponent * (exponent - head)) * math.log(2) + torch.log(mantissa) * exponent
    return torch.exp(rest) * torch.ldexp(torch.ones_like(mantissa), nearest.to(torch.int32))


def rest_of_softmax(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What softmax needs, kept accurate for confident rows: the largest class is left out of the sum.

    With k the largest class, -ln p_k = log1p(S) and -ln p_c = (z_k - z_c) + log1p(S), where S = Σ_{c≠k} e^(z_c - z_k).
    A sum over all classes would be 1 + S, and S below 1e-16 would be lost.

    The difference z_c - z_k is rounded, and the exponential makes that as many ULP as the difference is large. So the
    e^z_c are summed and divided by e^z_k afterwards, which rounds less. The few rows in which that would overflow or
    underflow are computed from the differences and corrected by what these lose.

    Args:
        logits: shape (n, C).

    Returns:
        The largest class (n, 1), its logit (n, 1), and S (n,).
    """
    limits = torch.finfo(logits.dtype)
    top, largest = logits.max(1, keepdim=True)
    far = top.detach().abs() > 0.8 * math.log(limits.max)
    # Rows that are far out must not overflow here: an infinite value makes the gradient NaN even where it is not used.
    near, near_top = (logits.masked_fill(far, 0.0), top.masked_fill(far, 0.0)) if bool(far.any()) else (logits, top)
    # Taken out after the exponential, as that of -inf is several times slower than others.
    total = row_sum(_without(torch.exp(near), largest))
    rest = total * torch.exp(-near_top).squeeze(1)
    unusual = far.squeeze(1) | (total.detach() < limits.tiny / limits.eps)
    if bool(unusual.any()):
        rows = torch.nonzero(unusual).squeeze(1)
        rest = rest.index_copy(0, rows, _rest_by_differences(logits[rows], top[rows], largest[rows]))
    return largest, top, rest


def _rest_by_differences(logits: Tensor, top: Tensor, largest: Tensor) -> Tensor:
    difference, lost = two_difference(logits, top)
    # What is lost of an infinite difference is NaN.
    terms = torch.exp(difference) * (1 + torch.where(difference > -math.inf, lost, 0.0))
    return row_sum(_without(terms, largest))


def _without(values: Tensor, columns: Tensor) -> Tensor:
    """Values with 0 in one column of each row: in place where no gradient needs them as they are."""
    return values.scatter(1, columns, 0.0) if values.requires_grad else values.scatter_(1, columns, 0.0)


def euclidean_distance(first: Tensor, second: Tensor) -> Tensor:
    """The Euclidean distance of each pair of vectors, without any epsilon: equal vectors have distance 0.

    The gradient of equal vectors, where no direction is better than another, is zero.

    Args:
        first: shape (n, D).
        second: shape (n, D).

    Returns:
        Shape (n,).
    """
    difference = first - second
    scale = _power_of_two(difference)
    if scale is not None:
        difference = difference / scale
    square = row_sum(difference * difference)
    apart = square != 0
    distance = torch.where(apart, torch.sqrt(torch.where(apart, square, 1.0)), 0.0)
    return distance if scale is None else distance * scale.squeeze(1)


def squared_euclidean_distance(first: Tensor, second: Tensor) -> Tensor:
    """The squared Euclidean distance of each pair of vectors, shapes (n, D), (n, D) to (n,)."""
    difference = first - second
    return row_sum(difference * difference)


def cosine_distance(first: Tensor, second: Tensor) -> Tensor:
    """One minus the cosine of the angle between two vectors; NaN where one of them is zero.

    1 - cos loses all digits of a small angle. Of two vectors of one length, |a - b|^2 / (2 |a|^2) is the same number
    without that loss; so b is stretched to the length of a, and what rounding the stretched vector loses is put back.
    What little the two lengths still differ is taken off: |a - b|^2 = 2 |a| |b| (1 - cos) + (|a| - |b|)^2.

    Args:
        first: shape (n, D).
        second: shape (n, D).

    Returns:
        Shape (n,).
    """
    first, second = scaled(first), scaled(second)
    square = row_sum(first * first)
    stretch = torch.sqrt(square / row_sum(second * second)).unsqueeze(1)
    stretched, lost = two_product(second, stretch)
    chord = (first - stretched) - lost
    square_of_chord = row_sum(chord * chord)
    too_long = row_sum(first * chord) - 0.5 * square_of_chord
    rest = square_of_chord - too_long * too_long / square
    # Of parallel vectors only rounding is left, of either sign.
    parallel = rest <= 64 * torch.finfo(rest.dtype).eps * square_of_chord
    return torch.where(parallel, 0.0, rest) / (2 * square)


def scaled(vectors: Tensor) -> Tensor:
    """Vectors, shape (n, D), each divided by a power of two where its squares would overflow or underflow."""
    scale = _power_of_two(vectors)
    return vectors if scale is None else vectors / scale


def _power_of_two(vectors: Tensor) -> Tensor | None:
    """A power of two for each row, (n, 1), of the size of its largest element: 1 where squares are safe without.

    None where that is so in all rows. Dividing by a power of two is exact, so a row's bits do not depend on the others.
    """
    if vectors.shape[1] == 0:
        return None
    size = vectors.detach().abs().amax(1, keepdim=True)
    limit = 2.0 ** (300 if vectors.dtype == torch.float64 else 40)
    safe = ((size >= 1 / limit) & (size <= limit)) | (size == 0) | ~torch.isfinite(size)
    if bool(safe.all()):
        return None
    _, exponent = torch.frexp(torch.where(safe, 1.0, size))
    # One below the exponent, since 2^1024 does not exist.
    return torch.where(safe, 1.0, torch.ldexp(torch.ones_like(size), exponent - 1))
