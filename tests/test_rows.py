"""The rows with the largest losses are those of a full sort, however the rows come."""

from __future__ import annotations

import math
import random

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.rows import LargestRows

LOSSES = st.one_of(st.floats(), st.sampled_from([0.0, 1.0, math.inf, math.nan]))


def batch(rows: list[int], losses: list[float]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(rows, pa.int64()), pa.array(losses, pa.float64())], ["row", "mae"])


def largest(count: int, *batches: pa.RecordBatch) -> list[int]:
    kept = LargestRows(count, 1)
    for each in batches:
        kept.add(each)
    found: list[int] = kept.rows().column(0).to_pylist()
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(LOSSES, max_size=60), st.integers(1, 8), st.integers(0, 60), st.integers(0, 2**32))
def test_the_largest_are_those_of_a_full_sort(losses: list[float], count: int, cut: int, seed: int) -> None:
    numbers = random.Random(seed).sample(range(1, len(losses) + 1), len(losses))
    undefined = sorted(row for row, value in zip(numbers, losses) if math.isnan(value))
    defined = sorted((-value, row) for row, value in zip(numbers, losses) if not math.isnan(value))
    ranked = [*undefined, *(row for _, row in defined)][:count]
    assert largest(count, batch(numbers, losses)) == ranked
    assert largest(count, batch(numbers[cut:], losses[cut:]), batch(numbers[:cut], losses[:cut])) == ranked


def test_nan_is_before_infinity_and_ties_go_to_the_earlier_row() -> None:
    assert largest(4, batch([5, 2, 3, 4, 1], [2.0, math.inf, math.nan, 2.0, 2.0])) == [3, 2, 1, 4]
