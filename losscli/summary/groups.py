"""The summary of each group, without Python for each datum, and for each group only at the end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch
from losscli.exact import VALUES_IN_INT64, GroupSums, fold_values, fold_weighted
from losscli.summary.exact_sum import column_of, extremes
from losscli.summary.moments import Summary, from_sums

if TYPE_CHECKING:
    from torch import Tensor


class Groups(Mapping[int, Summary]):
    """The summary of each group that has data, by the group's number.

    Sums stay in arrays, an entry a group, until a group is asked for: merging needs no Python per group.
    """

    def __init__(self, settled: Mapping[int, Summary], arrays: _GroupArrays | None = None) -> None:
        self._before = settled
        self._arrays = arrays

    @classmethod
    def empty(cls) -> Groups:
        """No groups: merging it changes nothing."""
        return cls({})

    @classmethod
    def of(cls, values: Tensor, weights: Tensor | None, codes: Tensor, count: int) -> Groups:
        """The summaries of a tensor's groups.

        Args:
            values: the losses, shape (n,).
            weights: of the data, shape (n,); None for 1 each.
            codes: the group of each datum, int64, shape (n,), in [0, count).
            count: how many groups there are.

        Example:
            >>> groups = Groups.of(torch.tensor([1.0, 2.0, 6.0]), None, torch.tensor([1, 0, 1]), 3)
            >>> {group: summary.mean() for group, summary in groups.items()}
            {0: 2.0, 1: 3.5}
        """
        values, codes = column_of(values), codes.reshape(-1).to(values.device, torch.int64)
        weights = None if weights is None else column_of(weights)
        others: dict[int, Summary] = {}
        columns = [values] if weights is None else [values, weights]
        if len(values) and not all(math.isfinite(bound) for column in columns for bound in extremes(column)):
            finite = torch.isfinite(values) if weights is None else torch.isfinite(values) & torch.isfinite(weights)
            for group in torch.unique(codes[~finite]).tolist():
                here = ~finite & (codes == group)
                others[group] = Summary.of(values[here], None if weights is None else weights[here])
            values, codes = values[finite], codes[finite]
            weights = None if weights is None else weights[finite]
        result = cls(others)
        for start in range(0, len(values), VALUES_IN_INT64):
            part = slice(start, start + VALUES_IN_INT64)
            arrays = _GroupArrays.of(values[part], None if weights is None else weights[part], codes[part], count)
            result = result.merge(cls({}, arrays))
        return result

    def merge(self, other: Groups) -> Groups:
        """The summaries of the data of both."""
        before = _merged(self._before, other._before)
        mine, others = self._arrays, other._arrays
        if mine is None or others is None:
            return Groups(before, mine or others)
        if mine.weighted == others.weighted:
            return Groups(before, mine.merge(others))
        return Groups(_merged(before, mine.settle()), others)

    def __getitem__(self, group: int) -> Summary:
        return self._all[group]

    def __iter__(self) -> Iterator[int]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @cached_property
    def _all(self) -> dict[int, Summary]:
        found = self._before if self._arrays is None else _merged(self._before, self._arrays.settle())
        return dict(sorted(found.items()))


def _merged(first: Mapping[int, Summary], second: Mapping[int, Summary]) -> Mapping[int, Summary]:
    if not first or not second:
        return first or second
    result = dict(first)
    for group, summary in second.items():
        result[group] = result[group].merge(summary) if group in result else summary
    return result


@dataclass(frozen=True)
class _GroupArrays:
    """Sums of finite values by group.

    Attributes:
        held: as so many values the entries of the sums count, of the 2^20 that fit.
        weighted: whether the values had weights.
        counts: how many values each group has, shape (groups,).
        lowest: the smallest of each, shape (groups,).
        highest: the largest of each, shape (groups,).
        sums: of each.
    """

    held: int
    weighted: bool
    counts: numpy.ndarray
    lowest: numpy.ndarray
    highest: numpy.ndarray
    sums: GroupSums

    @classmethod
    def of(cls, values: Tensor, weights: Tensor | None, codes: Tensor, count: int) -> _GroupArrays:
        counts = torch.bincount(codes, minlength=count)
        sums = GroupSums(count, int(counts.max()))
        if weights is None:
            fold_values(sums, values, codes)
        else:
            fold_weighted(sums, values, weights, codes)
        ends = []
        for end, start in (("amin", math.inf), ("amax", -math.inf)):
            extremes = torch.full((count,), start, dtype=torch.float64, device=values.device)
            ends.append(extremes.scatter_reduce_(0, codes, values, end).cpu().numpy())
        return cls(len(values), weights is not None, counts.cpu().numpy(), ends[0], ends[1], sums)

    def merge(self, other: _GroupArrays) -> _GroupArrays:
        if len(self.counts) < len(other.counts):
            return other.merge(self)
        counts, lowest, highest = self.counts.copy(), self.lowest.copy(), self.highest.copy()
        shared = slice(0, len(other.counts))
        counts[shared] += other.counts
        numpy.minimum(lowest[shared], other.lowest, out=lowest[shared])
        numpy.maximum(highest[shared], other.highest, out=highest[shared])
        sums, held = self.sums, self.held
        if held + other.held > VALUES_IN_INT64:
            sums.carry()
            held = 1
        return _GroupArrays(held + other.held, self.weighted, counts, lowest, highest, sums.merge(other.sums))

    def settle(self) -> dict[int, Summary]:
        """The summary of each group with data."""
        sums = self.sums.each()
        ends = zip(self.counts.tolist(), self.lowest.tolist(), self.highest.tolist())
        return {
            group: from_sums(n, sums[group], low, high, weighted=self.weighted)
            for group, (n, low, high) in enumerate(ends)
            if n
        }
