"""The k largest losses and where they are."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.summary.exact_sum import column_of

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Largest:
    """The k largest values with their row numbers: nan before all others, since a user must see it; ties by the row.

    Attributes:
        k: how many are kept.
        rows: ``(value, row)``, the largest value first.
    """

    k: int
    rows: tuple[tuple[float, int], ...] = ()

    @classmethod
    def empty(cls, k: int) -> Largest:
        """None so far: merging it changes nothing."""
        return cls(k)

    @classmethod
    def of(cls, values: Tensor, rows: Tensor, k: int) -> Largest:
        """The largest of a tensor of values.

        Args:
            values: shape (n,).
            rows: the row number of each, int64, shape (n,).
            k: how many to keep, at least 1.

        Example:
            >>> Largest.of(torch.tensor([1.0, 3.0, 3.0]), torch.tensor([1, 2, 3]), 2).rows
            ((3.0, 2), (3.0, 3))
        """
        values, rows = column_of(values), rows.reshape(-1)
        if k < len(values):
            keys = torch.where(torch.isnan(values), math.inf, values)
            kept = keys >= torch.topk(keys, k, sorted=False).values.min()
            values, rows = values[kept], rows[kept]
        # Two stable sorts rank by value, then by row; descending order has nan first.
        by_row = torch.argsort(rows, stable=True)
        best = by_row[torch.argsort(values[by_row], descending=True, stable=True)[:k]]
        return cls(k, _ranked(zip(values[best].tolist(), rows[best].tolist()), k))

    def merge(self, other: Largest) -> Largest:
        """The largest of both; ``k`` must be the same."""
        return Largest(self.k, _ranked((*self.rows, *other.rows), self.k))


def _ranked(rows: Iterable[tuple[float, int]], k: int) -> tuple[tuple[float, int], ...]:
    # One nan object for all, so that equal results compare equal; 0.0 for -0.0, which is no smaller.
    named = ((math.nan if math.isnan(value) else value + 0.0, row) for value, row in rows)
    return tuple(sorted(named, key=_rank)[:k])


def _rank(entry: tuple[float, int]) -> tuple[bool, float, int]:
    value, row = entry
    # A nan inside a tuple would make the order depend on where the sort began.
    return (False, 0.0, row) if math.isnan(value) else (True, -value, row)
