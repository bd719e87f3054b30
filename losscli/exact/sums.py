"""Sums of pieces, and of products of pieces, as Python integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch
from losscli.exact.pieces import EXACT_BITS, Pieces

if TYPE_CHECKING:
    from torch import Tensor

NAMES = ("c", "cc", "w", "cw", "ww")


@dataclass
class Sums:
    """Exact sums over blocks: with c = value (times weight) and w = weight, those of c, cc, w, cw and ww.

    Attributes:
        levels: for each name a dictionary from an exponent k to an integer; the sum is that of integer*2^k.
    """

    levels: dict[str, dict[int, int]] = field(default_factory=lambda: {name: {} for name in NAMES})

    def whole(self, name: str, unit: int) -> int:
        """The sum in units of 2^-unit, of which every term has to be a multiple."""
        levels = self.levels[name]
        if not levels:
            return 0
        lowest = min(levels)
        total = sum(integer << (exponent - lowest) for exponent, integer in levels.items())
        shift = lowest + unit
        return total << shift if shift >= 0 else total >> -shift

    def add(self, pieces: Pieces, codes: Tensor | None, products: bool) -> None:
        """Takes the pieces of a block into account. ``codes`` is for sums by group only."""
        rows, exponents, shifts = pieces.rows, pieces.exponents, pieces.shifts
        for row, total in enumerate(_multiples(rows.sum(2), exponents)):
            self.add_multiple(pieces.names[row], exponents[row] + shifts[row], total)
        if not products:
            return
        count = len(exponents)
        found = _multiples(_products(rows), [row + other for row in exponents for other in exponents])
        for row in range(count):
            for other in range(row, count):
                name, twice = pieces.product(row, other)
                level = exponents[row] + exponents[other] + shifts[row] + shifts[other] + twice
                self.add_multiple(name, level, found[row * count + other])

    def add_few(self, columns: tuple[list[float], ...], *, multiply: bool) -> None:
        """Takes a few values, and their weights where there is a second column, into account one by one."""
        parts = [[_integer(value) for value in column] for column in columns]
        c = [(a * b, j + k) for (a, j), (b, k) in zip(*parts)] if multiply else parts[0]
        factors = {"c": c, "w": parts[1]} if len(parts) > 1 else {"c": c}
        for first, a in factors.items():
            self._add_integers(first, a)
            for second, b in factors.items():
                if first <= second:
                    self._add_integers(first + second, [(i * j, k + m) for (i, k), (j, m) in zip(a, b)])

    def add_multiple(self, name: str, level: int, multiple: int) -> None:
        """Adds so many times 2^level."""
        if multiple:
            levels = self.levels[name]
            levels[level] = levels.get(level, 0) + multiple

    def take(self, other: Sums) -> None:
        """Adds other sums."""
        for name, levels in other.levels.items():
            for level, multiple in levels.items():
                self.add_multiple(name, level, multiple)

    def _add_integers(self, name: str, terms: list[tuple[int, int]]) -> None:
        lowest = min(exponent for _, exponent in terms)
        levels = self.levels[name]
        levels[lowest] = levels.get(lowest, 0) + sum(integer << (exponent - lowest) for integer, exponent in terms)


def _products(rows: Tensor) -> Tensor:
    """The sums of the products of every two pieces over each run, shape (pieces * pieces, runs)."""
    if rows.shape[1] == 1:
        return torch.mm(rows[:, 0], rows[:, 0].T).reshape(-1, 1)
    by_run = rows.transpose(0, 1)
    return torch.bmm(by_run, by_run.transpose(1, 2)).flatten(1).T


def _multiples(sums: Tensor, exponents: Sequence[int]) -> list[int]:
    """Sums of runs, shape (k, runs), added up: how many times 2^exponent each of the k is."""
    if sums.shape[1] == 1:
        return [int(math.ldexp(total, -exponent)) for total, exponent in zip(sums[:, 0].tolist(), exponents)]
    units = torch.tensor([math.ldexp(1.0, -exponent) for exponent in exponents], dtype=sums.dtype, device=sums.device)
    totals: list[int] = (sums * units[:, None]).to(torch.int64).sum(1).tolist()
    return totals


def _integer(value: float) -> tuple[int, int]:
    """An integer and the exponent of a power of two, whose product is the value."""
    mantissa, exponent = math.frexp(value)
    return int(math.ldexp(mantissa, EXACT_BITS)), exponent - EXACT_BITS


# What a value adds to an entry of a group is below 2^VALUE_BITS, so that so many of them fit in 63 bits.
VALUE_BITS = 42
VALUES_IN_INT64 = 1 << 20
# An entry that is too large for one value gives what is above so many bits to a higher level.
CARRY = 32


@dataclass
class GroupSums:
    """The same sums for each of a number of groups.

    Attributes:
        groups: how many.
        crowd: no group has more values than this in a block.
        levels: for each name a dictionary from an exponent to integers, int64, shape (groups,).
        few: by group, the sums of values that were added one by one.
    """

    groups: int
    crowd: float = math.inf
    levels: dict[str, dict[int, numpy.ndarray]] = field(default_factory=lambda: {name: {} for name in NAMES})
    few: dict[int, Sums] = field(default_factory=dict)

    def add(self, pieces: Pieces, codes: Tensor | None, products: bool) -> None:
        """Takes the pieces of a block into account; ``codes`` is the group of each value."""
        assert codes is not None
        assert pieces.rows.shape[1] == 1
        rows, exponents, shifts = pieces.rows[:, 0], pieces.exponents, pieces.shifts
        same_level: dict[tuple[str, int, int], list[tuple[int, int, int]]] = {}
        for row, exponent in enumerate(exponents):
            self.add_multiples(pieces.names[row], exponent + shifts[row], self._by_group(codes, rows[row], exponent))
            for other in range(row, len(exponents)) if products else ():
                name, twice = pieces.product(row, other)
                level = name, exponent + exponents[other], shifts[row] + shifts[other]
                same_level.setdefault(level, []).append((row, other, 2 if twice else 1))
        memory = torch.empty_like(rows[0])
        for (name, exponent, shift), pairs in same_level.items():
            # Products of one level are added first, where no group has so many values that the sum could round.
            times = sum(times for _, _, times in pairs)
            for together in [pairs] if times * self.crowd <= pieces.plan.size else [[pair] for pair in pairs]:
                row, other, times = together[0]
                total = torch.mul(rows[row], rows[other], out=memory)
                if len(together) > 1:
                    total.mul_(times)
                    times = 1
                for row, other, more in together[1:]:
                    total.addcmul_(rows[row], rows[other], value=more)
                self.add_multiples(name, exponent + shift, times * self._by_group(codes, total, exponent))

    def add_multiples(self, name: str, level: int, multiples: numpy.ndarray) -> None:
        """Adds so many times 2^level to each group, int64, shape (groups,), below 2^42 for each value."""
        levels = self.levels[name]
        levels[level] = levels[level] + multiples if level in levels else multiples

    def merge(self, other: GroupSums) -> GroupSums:
        """The sums of both."""
        if self.groups < other.groups:
            return other.merge(self)
        result = GroupSums(self.groups, levels={name: dict(levels) for name, levels in self.levels.items()})
        for name, levels in other.levels.items():
            for level, multiples in levels.items():
                result.add_multiples(name, level, _lengthened(multiples, self.groups))
        for one in (self, other):
            for group, few in one.few.items():
                result.few.setdefault(group, Sums()).take(few)
        return result

    def carry(self) -> None:
        """Makes room for as many values again: afterwards each entry is as small as if one value had been added."""
        for name, levels in self.levels.items():
            for level in sorted(levels):
                entries = levels[level]
                if max(-int(entries.min()), int(entries.max())) >> (VALUE_BITS - 1):
                    levels[level] = entries & ((1 << CARRY) - 1)
                    self.add_multiples(name, level + CARRY, entries >> CARRY)

    def each(self) -> list[Sums]:
        """The sums of every group."""
        result = [Sums() for _ in range(self.groups)]
        for name, levels in self.levels.items():
            for exponent, integers in levels.items():
                for sums, integer in zip(result, integers.tolist()):
                    if integer:
                        sums.levels[name][exponent] = integer
        for group, few in self.few.items():
            result[group].take(few)
        return result

    def _by_group(self, codes: Tensor, values: Tensor, exponent: int) -> numpy.ndarray:
        sums = torch.zeros(self.groups, dtype=torch.float64, device=values.device).scatter_add_(0, codes, values)
        return sums.mul_(math.ldexp(1.0, -exponent)).to(torch.int64).cpu().numpy()


def _lengthened(integers: numpy.ndarray, length: int) -> numpy.ndarray:
    if len(integers) == length:
        return integers
    result = numpy.zeros(length, dtype=integers.dtype)
    result[: len(integers)] = integers
    return result
