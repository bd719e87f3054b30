"""Cutting a block of float64 into pieces of so few bits that sums of them and of their products are exact."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli._lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

# Every float64 is a multiple of 2^-UNIT.
UNIT = 1074
# float64 holds integers up to 2^53 without a gap.
EXACT_BITS = 53
# Pieces have to cover this many bits, so that only few values of an ordinary block keep a rest.
COVERED_BITS = 76
# Blocks with a largest value beyond 2^(+-RANGE) are scaled by a power of two, so that no product over- or underflows.
RANGE = 200
# What is smaller than the largest value by more than this becomes a block of its own before anything is scaled down.
SPAN = 200
# How many runs go through each step at once: a few, so that the steps themselves cost less than the arithmetic. Their
# sums, each below 2^53, are added in 64 bits.
RUNS = 8
RUN_ON_GPU = 1 << 13
RUNS_ON_GPU = 1 << 10
# Where more than this share of a block keeps a rest, another piece is cheaper than another block.
MANY = 1 / 16
# Veltkamp's constant: splits 53 bits into 26 and 27.
SPLIT = 134_217_729.0


@dataclass(frozen=True)
class Plan:
    """How blocks are cut: runs of at most ``size`` values, ``side`` of them side by side, in pieces of ``bits`` bits.

    So many products of two pieces can be added without error. After ``count`` pieces the values with a rest are put
    off, unless they are many and there are less than ``most``.
    """

    size: int
    bits: int
    count: int
    most: int
    side: int = 1

    @property
    def values(self) -> int:
        """How many values a part has at most."""
        return self.size * self.side

    def runs(self, n: int) -> int:
        """How many runs that many values make."""
        return -(-n // self.size)

    def room(self, n: int) -> int:
        """How much memory is kept for so many values: runs by powers of two."""
        return self.size << (self.runs(n) - 1).bit_length()


def plan_for(device: torch.device, factors: int, streams: int, *, grouped: bool = False) -> Plan:
    """How to cut for sums of products of so many factors (1 for plain sums), of so many streams beside each other.

    Args:
        device: where the values are.
        factors: how many are multiplied.
        streams: how many are cut.
        grouped: whether the sums are those of groups, of which each value of a part may belong to one.
    """
    # In 32 k values a piece is 256 kB, so that a few of them stay in the cache. A GPU needs many to be busy: shorter
    # runs with pieces as for longer ones, since sums of so many runs have to fit in 64 bits.
    size_bits = 15
    of_gpu = device.type != "cpu" and not grouped
    # Pieces are at most 2^(bits-1) units, so a sum of products of two is at most 2^(2*(bits-1) + size_bits).
    bits = (EXACT_BITS - size_bits) // factors + 1
    count = -(-COVERED_BITS // bits)
    # Products of pieces grow with the square of their number, so several streams have to stay narrow.
    most = 2 * count if streams == 1 else count
    if of_gpu:
        return Plan(RUN_ON_GPU, bits, count, most, RUNS_ON_GPU)
    return Plan(1 << size_bits, bits, count, most, 1 if grouped else RUNS)


def two_product(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The product of two float64 tensors and its rounding error (Dekker 1971, without fused multiply-add).

    Args:
        a: factor, any shape; 0, or a magnitude in [2^-450, 2^450].
        b: factor, the same shape and range.

    Returns:
        ``(p, e)`` with p = fl(a*b) and p + e = a*b exactly.

    Example:
        >>> a = torch.tensor([1 + 2.0**-52], dtype=torch.float64)
        >>> [part.item() for part in two_product(a, a)]
        [1.0000000000000004, 4.930380657631324e-32]
    """
    return _two_product(a, b, torch.empty((6, *a.shape), dtype=a.dtype, device=a.device))


def _two_product(a: Tensor, b: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    product, error, a_high, a_low, b_high, b_low = memory
    for whole, high, low in ((a, a_high, a_low), (b, b_high, b_low)):
        scaled = torch.mul(whole, SPLIT, out=low)
        torch.sub(scaled, whole, out=high)
        torch.sub(scaled, high, out=high)
        torch.sub(whole, high, out=low)
    torch.mul(a, b, out=product)
    # Every product of halves and every sum below is exact, so a fused multiply-add gives the same.
    torch.mul(a_high, b_high, out=error).sub_(product)
    error.addcmul_(a_high, b_low).addcmul_(a_low, b_high).addcmul_(a_low, b_low)
    return product, error


@dataclass(frozen=True)
class Pieces:
    """A part cut into pieces of c and w: row i holds multiples of 2^exponents[i], for 2^shifts[i] times as much.

    Attributes:
        rows: shape (pieces, runs, values of a run).
    """

    rows: Tensor
    exponents: list[int]
    shifts: list[int]
    names: list[str]
    plan: Plan

    def product(self, row: int, other: int) -> tuple[str, bool]:
        """Which sum the product of two rows belongs to, and whether it occurs twice there."""
        first, second = self.names[row], self.names[other]
        return first + second, row != other and first == second


@dataclass(frozen=True)
class Stream:
    """Values with their extremes, standing for 2^shift times as much. All magnitudes are below 2^exponent."""

    values: Tensor
    low: float
    high: float
    exponent: int
    shift: int = 0

    @classmethod
    def of(cls, values: Tensor, shift: int = 0, bounds: tuple[float, float] | None = None) -> Stream:
        """The values, with bounds that are already known."""
        low, high = bounds or (bound.item() for bound in torch.aminmax(values))
        return cls(values, low, high, math.frexp(max(-low, high))[1], shift)

    def far_below(self, multiply: bool) -> Tensor | None:
        """Which non-zero values are so small that scaling or multiplying would lose bits; None where none are."""
        if not multiply and abs(self.exponent) <= RANGE:
            return None
        threshold = math.ldexp(1.0, self.exponent - SPAN)
        if self.low >= threshold or self.high <= -threshold or self.low == self.high == 0:
            return None
        magnitudes = self.values.abs()
        mask = (magnitudes < threshold) & (magnitudes > 0)
        return mask if bool(mask.any()) else None

    def scaled(self) -> Stream:
        """The same values with the largest near 1 where it is out of range."""
        if abs(self.exponent) <= RANGE:
            return self
        # 2^1074 is no float64, so in two steps.
        first = -self.exponent // 2
        values = (self.values * math.ldexp(1.0, first)).mul_(math.ldexp(1.0, -self.exponent - first))
        return Stream(values, self.low, self.high, 0, self.shift + self.exponent)


def product_streams(first: Stream, second: Stream, plan: Plan) -> list[Stream]:
    """Two streams whose sum is the product of two others, without error."""
    # Both factors are 0 or in [2^-400, 2^200], so that Dekker's product is exact.
    n = len(first.values)
    memory = _buffers.rows("product", first.values.device, 6, plan.room(n))[:, :n]
    parts = _two_product(first.values, second.values, memory)
    return [Stream.of(part, first.shift + second.shift).scaled() for part in parts]


class _Buffers(threading.local):
    """Memory for pieces, kept by each thread: fresh memory for every block would cost more than the arithmetic."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, torch.device], Tensor] = {}

    def rows(self, purpose: str, device: torch.device, count: int, size: int) -> Tensor:
        kept = self._kept.get((purpose, device))
        if kept is None or kept.shape[0] < count or kept.shape[1] < size:
            before = kept.shape if kept is not None else (0, 0)
            with torch.inference_mode(False):
                kept = torch.empty((max(count, before[0]), max(size, before[1])), dtype=torch.float64, device=device)
            self._kept[purpose, device] = kept
        return kept


_buffers = _Buffers()


class Cutter:
    """Cuts the streams of one part into pieces, side by side in one buffer."""

    def __init__(self, plan: Plan, n: int, device: torch.device, streams: int) -> None:
        self._buffer = _buffers.rows("pieces", device, streams * plan.most + 1, plan.room(n))
        self._rest, self._rows = self._buffer[0, :n], self._buffer[1:, :n]
        self._plan = plan
        self._exponents: list[int] = []
        self._shifts: list[int] = []
        self._names: list[str] = []
        self._put_off: list[Tensor] = []

    def pieces(self) -> Pieces | None:
        """All pieces so far, without the values that were put off; None where all are 0."""
        if not self._exponents:
            return None
        count, n = len(self._exponents), self._rows.shape[1]
        for indices in self._put_off:
            self._rows[:count].index_fill_(1, indices, 0.0)
        runs = self._plan.runs(n)
        filled = n if runs == 1 else runs * self._plan.size
        rows = self._buffer[1 : count + 1, :filled]
        if filled > n:
            rows[:, n:].zero_()
        return Pieces(rows.view(count, runs, -1), self._exponents, self._shifts, self._names, self._plan)

    def cut(self, stream: Stream, name: str) -> Tensor | None:
        """Adds the pieces of a stream of c or w.

        Returns:
            Indices of the values that keep a rest, without those that an earlier stream has put off; None for none.
        """
        if stream.low == stream.high == 0:
            return None
        exponent = stream.exponent - (self._plan.bits - 1)
        rest = stream.values
        for count in range(1, self._plan.most + 1):
            piece = self._rows[len(self._exponents)]
            sigma = math.ldexp(1.5, exponent + EXACT_BITS - 1)
            torch.add(rest, sigma, out=piece).sub_(sigma)
            self._exponents.append(exponent)
            self._shifts.append(stream.shift)
            self._names.append(name)
            if torch.equal(piece, rest):
                return None
            rest = torch.sub(rest, piece, out=self._rest)
            exponent -= self._plan.bits
            if count == self._plan.most or (count >= self._plan.count and _share_left(rest) <= MANY):
                break
        # What was put off for an earlier stream is out of this one too.
        for indices in self._put_off:
            rest.index_fill_(0, indices, 0.0)
        found = torch.nonzero(rest).reshape(-1)
        if not len(found):
            return None
        self._put_off.append(found)
        return found


def _share_left(rest: Tensor) -> float:
    # Every 64th value is enough to choose the faster way; both give the same sums.
    sample = rest[::64]
    return int(torch.count_nonzero(sample)) / len(sample)
