"""The laws of summaries: merging is associative, commutative and has an identity, to the bit; one rounding."""

from __future__ import annotations

import math
import pickle
import random
import statistics
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from unittest.mock import patch

import mpmath
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.exact import VALUES_IN_INT64
from losscli.summary import ExactSum, Groups, Summary, groups
from losscli.summary.exact_sum import rounded_root

FINITE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1e3, 1e3),
    st.floats(-5.0, -1.0),
    st.sampled_from([0.0, -0.0, 5e-324, 1e308, -1e308, 0.1, 1e16 + 2, 2.0**-1022]),
)
VALUES = st.one_of(FINITE, st.sampled_from([math.nan, math.inf, -math.inf]))
LISTS = st.lists(VALUES, max_size=60)
FINITE_LISTS = st.lists(FINITE, max_size=60)
MODERATE = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
WEIGHTS = st.floats(0, 1e3)
MANY = settings(max_examples=50, deadline=None)

CASES = {
    "empty": [],
    "one": [0.1],
    "negative": [-1.5, -2.25, -0.1],
    "huge offset": [1e16, 1e16 + 2, 1e16 + 4, 1.0],
    "subnormal": [5e-324, 1e-310, -3e-320],
    "overflowing": [1e308, 1e308, -1e308, 1e308],
    "nan": [1.0, math.nan, 2.0],
    "infinite": [math.inf, 1.0],
    "both infinities": [math.inf, -math.inf, 0.0],
    "signed zeros": [0.0, -0.0],
}


def tensor(values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def same(first: float | None, second: float | None) -> bool:
    return first == second or (first is not None and second is not None and math.isnan(first) and math.isnan(second))


def fold(parts: list[list[float]]) -> Summary:
    return reduce(Summary.merge, (Summary.of(tensor(part)) for part in parts), Summary.empty())


def weighted(values: list[float], weights: list[float]) -> Summary:
    return Summary.of(tensor(values), tensor(weights))


class Naive:
    """A running sum in float64, as most libraries keep it: to show that the laws below can be broken."""

    def __init__(self, values: list[float]) -> None:
        self.total = sum(values)

    def merge(self, other: Naive) -> Naive:
        return Naive([self.total, other.total])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Naive) and self.total == other.total


# --- the laws ---------------------------------------------------------------------------------------------------------


def associative(make: Callable[[list[float]], object], a: list[float], b: list[float], c: list[float]) -> bool:
    x, y, z = make(a), make(b), make(c)
    return bool(x.merge(y).merge(z) == x.merge(y.merge(z)))  # type: ignore[attr-defined]


def commutative(make: Callable[[list[float]], object], a: list[float], b: list[float]) -> bool:
    x, y = make(a), make(b)
    return bool(x.merge(y) == y.merge(x))  # type: ignore[attr-defined]


def make_summary(values: list[float]) -> Summary:
    return Summary.of(tensor(values))


def make_weighted(values: list[float]) -> Summary:
    return Summary.of(tensor(values), tensor([abs(value) % 7 if math.isfinite(value) else 1.0 for value in values]))


def make_sum(values: list[float]) -> ExactSum:
    return ExactSum.of(tensor(values))


def make_groups(values: list[float]) -> Groups:
    return Groups.of(tensor(values), None, torch.arange(len(values)) % 3, 3)


MAKERS = [make_summary, make_weighted, make_sum, make_groups]
EMPTY = {
    make_summary: Summary.empty(),
    make_weighted: Summary.empty(),
    make_sum: ExactSum.empty(),
    make_groups: Groups.empty(),
}


@pytest.mark.parametrize("make", MAKERS)
@MANY
@given(a=LISTS, b=LISTS, c=LISTS)
def test_merging_is_associative_and_commutative(
    make: Callable[[list[float]], object], a: list[float], b: list[float], c: list[float]
) -> None:
    assert associative(make, a, b, c)
    assert commutative(make, a, b)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("case", CASES)
def test_merging_special_data_is_associative_and_commutative(make: Callable[[list[float]], object], case: str) -> None:
    for other in CASES.values():
        assert associative(make, CASES[case], other, CASES["huge offset"])
        assert commutative(make, CASES[case], other)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("case", CASES)
def test_merging_nothing_changes_nothing(make: Callable[[list[float]], object], case: str) -> None:
    whole = make(CASES[case])
    assert whole.merge(EMPTY[make]) == whole  # type: ignore[attr-defined]
    assert EMPTY[make].merge(whole) == whole  # type: ignore[attr-defined]


def test_a_running_sum_is_not_associative() -> None:
    """The tests of the law can fail."""
    assert not associative(Naive, [1e16], [1.0], [1.0])


@MANY
@given(values=LISTS, seed=st.integers(0, 2**32), pieces=st.integers(1, 7))
def test_every_chunking_and_order_gives_the_same_summary(values: list[float], seed: int, pieces: int) -> None:
    draw = random.Random(seed)
    parts: list[list[float]] = [[] for _ in range(pieces)]
    for value in draw.sample(values, len(values)):
        draw.choice(parts).append(value)
    assert fold(parts) == fold([values])


@pytest.mark.parametrize("size", [1_000, 4_096, 32_768, 50_000])
def test_the_summary_is_the_same_for_every_chunk_size(size: int) -> None:
    values = torch.randn(100_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).exp()
    parts = [Summary.of(part) for part in values.split(size)]
    random.Random(size).shuffle(parts)
    assert reduce(Summary.merge, parts) == Summary.of(values)


def test_a_running_sum_differs_between_chunk_sizes() -> None:
    """The test above can fail."""
    values = torch.randn(100_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).exp()
    sums = {sum(part.sum().item() for part in values.split(size)) for size in (1_000, 4_096, 32_768, 50_000)}
    assert len(sums) > 1


def test_layout_and_type_do_not_change_the_summary() -> None:
    values = torch.randn(300, 2, generator=torch.Generator().manual_seed(1))
    column = values[:, 1]
    assert Summary.of(column) == Summary.of(column.contiguous()) == Summary.of(column.to(torch.float64))


def test_a_summary_survives_pickling() -> None:
    groups = Groups.of(tensor([1.0, 2.0, math.nan]), None, torch.tensor([0, 1, 1]), 2)
    assert pickle.loads(pickle.dumps(Summary.of(tensor([0.1, 5.0])))) == Summary.of(tensor([0.1, 5.0]))
    assert pickle.loads(pickle.dumps(groups)) == groups


def test_threads_share_no_memory() -> None:
    from concurrent.futures import ThreadPoolExecutor

    parts = torch.randn(64, 5_000, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(Summary.of, parts))
    assert reduce(Summary.merge, found) == Summary.of(parts.reshape(-1))


# --- values -----------------------------------------------------------------------------------------------------------


@MANY
@given(FINITE_LISTS)
def test_total_and_mean_are_rounded_once(values: list[float]) -> None:
    summary, total = Summary.of(tensor(values)), sum(map(Fraction, values), Fraction(0))
    assert ExactSum.of(tensor(values)).fraction() == total
    assert summary.total() == rounded(total)
    assert summary.mean() == rounded(total / len(values)) if values else math.isnan(summary.mean())


def rounded(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@pytest.mark.parametrize("seed", range(5))
def test_the_total_of_ill_conditioned_data_is_that_of_fsum(seed: int) -> None:
    draw = random.Random(seed)
    large = [math.ldexp(draw.random(), draw.randint(0, 106)) for _ in range(200)]
    values = [*large, *(-value for value in large), 1e-3, 2e-5]
    draw.shuffle(values)
    assert Summary.of(tensor(values)).total() == math.fsum(values)


def test_a_constant_is_its_own_mean_and_has_no_error() -> None:
    summary = Summary.of(torch.full((100_000,), 0.1, dtype=torch.float64))
    assert (summary.mean(), summary.std_error(), summary.variance()) == (0.1, 0.0, 0.0)


def test_the_mean_of_values_whose_sum_overflows_is_finite() -> None:
    summary = Summary.of(tensor([1e308, 1e308, 1e308]))
    assert (summary.mean(), summary.total()) == (1e308, math.inf)


@pytest.mark.parametrize(
    ("values", "mean", "low", "high"),
    [
        ([1.0, math.nan], math.nan, math.nan, math.nan),
        ([1.0, math.inf], math.inf, 1.0, math.inf),
        ([1.0, -math.inf], -math.inf, -math.inf, 1.0),
        ([math.inf, -math.inf], math.nan, -math.inf, math.inf),
        ([math.nan, math.inf], math.nan, math.nan, math.nan),
        ([], math.nan, math.nan, math.nan),
    ],
)
def test_what_is_not_finite_shows(values: list[float], mean: float, low: float, high: float) -> None:
    for weights in (None, tensor([2.0] * len(values))):
        summary = Summary.of(tensor(values), weights)
        assert same(summary.mean(), mean)
        assert same(summary.minimum, low)
        assert same(summary.maximum, high)
        assert summary.std_error() is None
        assert (summary.n, summary.weight_sum) == (len(values), len(values) * (1.0 if weights is None else 2.0))


def test_data_that_were_skipped_are_counted() -> None:
    summary = Summary.of(tensor([1.0]), skipped=3).merge(Summary.of(tensor([]), skipped=4))
    assert (summary.n, summary.n_skipped) == (1, 7)


def test_the_zero_that_is_reported_does_not_depend_on_the_order() -> None:
    for values in ([0.0, -0.0], [-0.0, 0.0]):
        summary = Summary.of(tensor(values))
        assert [math.copysign(1, end) for end in (summary.minimum, summary.maximum, summary.mean())] == [1, 1, 1]


# --- variance and standard error --------------------------------------------------------------------------------------


@MANY
@given(st.lists(MODERATE, min_size=2, max_size=60))
def test_the_variance_is_that_of_rational_arithmetic(values: list[float]) -> None:
    exact = statistics.variance(map(Fraction, values))
    summary = Summary.of(tensor(values))
    assert summary.variance() == float(exact)
    with mpmath.workdps(60):
        square = exact / len(values)
        assert summary.std_error() == float(mpmath.sqrt(mpmath.mpf(square.numerator) / square.denominator))


def test_a_huge_offset_does_not_change_the_variance() -> None:
    values = [1e15 + step for step in (0.0, 1.0, 2.0, 4.0)]
    assert Summary.of(tensor(values)).variance() == statistics.variance([0.0, 1.0, 2.0, 4.0])


def test_the_textbook_formula_does_not_survive_a_huge_offset() -> None:
    """The test above can fail."""
    values = tensor([1e15 + step for step in (0.0, 1.0, 2.0, 4.0)])
    assert ((values**2).mean() - values.mean() ** 2).item() * 4 / 3 != statistics.variance([0.0, 1.0, 2.0, 4.0])


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-500, 2.0**500, 2.0**1000])
def test_the_standard_error_scales_with_the_values(scale: float) -> None:
    values = [1.5, 2.25, 7.0, 3.125]
    error = Summary.of(tensor(values)).std_error()
    scaled = Summary.of(tensor([value * scale for value in values])).std_error()
    assert error is not None
    assert scaled == error * scale


def test_one_datum_has_no_standard_error() -> None:
    assert (Summary.of(tensor([1.0])).std_error(), Summary.empty().std_error()) == (None, None)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**40), st.integers(1, 10**40))
def test_a_root_is_the_float_nearest_to_it(numerator: int, denominator: int) -> None:
    with mpmath.workdps(100):
        assert rounded_root(numerator, denominator) == float(mpmath.sqrt(mpmath.mpf(numerator) / denominator))


def test_a_root_just_above_the_middle_of_two_floats_is_rounded_up() -> None:
    even = 1 << 52
    square = (2 * even + 1) ** 2 << 200
    assert rounded_root(square, 4 << 200) == even
    assert rounded_root(square + 1, 4 << 200) == even + 1


# --- weights ----------------------------------------------------------------------------------------------------------


@MANY
@given(st.lists(st.tuples(FINITE, WEIGHTS), min_size=1, max_size=60))
def test_the_weighted_mean_is_rounded_once(rows: list[tuple[float, float]]) -> None:
    values, weights = [value for value, _ in rows], [weight for _, weight in rows]
    summary = weighted(values, weights)
    total = sum((Fraction(value) * Fraction(weight) for value, weight in rows), Fraction(0))
    whole = sum(map(Fraction, weights), Fraction(0))
    assert summary.total() == rounded(total)
    assert summary.weight_sum == rounded(whole)
    assert summary.mean() == rounded(total / whole) if whole else math.isnan(summary.mean())


@MANY
@given(st.lists(st.tuples(FINITE, st.integers(0, 9)), max_size=30).filter(lambda rows: any(w for _, w in rows)))
def test_an_integer_weight_is_a_repetition_to_the_mean(rows: list[tuple[float, int]]) -> None:
    repeated = Summary.of(tensor([value for value, times in rows for _ in range(times)]))
    summary = weighted([value for value, _ in rows], [float(times) for _, times in rows])
    assert (summary.mean(), summary.total()) == (repeated.mean(), repeated.total())


@MANY
@given(
    rows=st.lists(st.tuples(MODERATE, st.floats(0.001, 1e3)), min_size=2, max_size=40),
)
def test_the_weighted_standard_error_is_the_linearised_one(rows: list[tuple[float, float]]) -> None:
    pairs = [(Fraction(value), Fraction(weight)) for value, weight in rows]
    whole = sum(weight for _, weight in pairs)
    mean = sum(value * weight for value, weight in pairs) / whole
    spread = sum(weight**2 * (value - mean) ** 2 for value, weight in pairs)
    square = Fraction(len(rows), len(rows) - 1) * spread / whole**2
    found = weighted([value for value, _ in rows], [weight for _, weight in rows]).std_error()
    with mpmath.workdps(60):
        assert found == float(mpmath.sqrt(mpmath.mpf(square.numerator) / square.denominator))


@MANY
@given(st.lists(FINITE, min_size=1, max_size=40), st.sampled_from([2.0**-900, 0.1, 1.0, 3.0, 1e300]))
def test_equal_weights_are_no_weights(values: list[float], weight: float) -> None:
    plain, summary = Summary.of(tensor(values)), weighted(values, [weight] * len(values))
    assert (summary.mean(), summary.std_error()) == (plain.mean(), plain.std_error())


def test_a_datum_of_weight_zero_counts_in_n_only() -> None:
    with_it, without = weighted([1.0, 2.0, math.inf], [1.0, 3.0, 0.0]), weighted([1.0, 2.0], [1.0, 3.0])
    assert (with_it.mean(), with_it.weight_sum, with_it.n) == (without.mean(), without.weight_sum, 3)


def test_a_nan_of_weight_zero_is_still_seen() -> None:
    assert math.isnan(weighted([1.0, math.nan], [1.0, 0.0]).mean())


def test_without_weight_there_is_no_mean() -> None:
    summary = weighted([1.0, 2.0], [0.0, 0.0])
    assert math.isnan(summary.mean())
    assert (summary.weight_sum, summary.std_error()) == (0.0, None)


def test_a_sum_that_is_not_finite_is_no_fraction() -> None:
    with pytest.raises(ValueError, match=r"^a sum that is not finite is no fraction$"):
        ExactSum.of(tensor([math.inf])).fraction()


INFINITE = {math.inf: ExactSum(n_plus=1), -math.inf: ExactSum(n_minus=1), math.nan: ExactSum(n_nan=1)}


@pytest.mark.parametrize("numerator", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("denominator", [3, 1, -1, -3])
def test_a_ratio_to_a_sum_of_either_sign_has_the_limit_of_its_parts(numerator: float, denominator: int) -> None:
    found = INFINITE[numerator].over(ExactSum.of_whole(denominator))
    assert same(found, numerator / denominator)


@pytest.mark.parametrize("denominator", [ExactSum.empty(), *INFINITE.values()])
def test_a_ratio_to_nothing_or_to_what_is_not_finite_is_not_defined(denominator: ExactSum) -> None:
    assert math.isnan(ExactSum.of_whole(1).over(denominator))
    assert math.isnan(INFINITE[math.inf].over(denominator))


def test_a_ratio_beyond_the_largest_number_is_infinite_with_its_sign() -> None:
    for numerator in (10**400, -(10**400)):
        for denominator in (1, -1):
            found = ExactSum.of_whole(numerator).over(ExactSum.of_whole(denominator))
            assert found == (math.inf if (numerator > 0) == (denominator > 0) else -math.inf)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=40))
def test_the_sum_of_products_is_that_of_the_exact_products(pairs: list[tuple[float, float]]) -> None:
    """Products of finite numbers as rational numbers; the others as IEEE 754 has them."""
    found = ExactSum.of_products(tensor([a for a, _ in pairs]), tensor([b for _, b in pairs]))
    finite = [(a, b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)]
    others = [a * b for a, b in pairs if not (math.isfinite(a) and math.isfinite(b))]
    assert (found.n_nan, found.n_plus, found.n_minus) == (
        sum(map(math.isnan, others)),
        others.count(math.inf),
        others.count(-math.inf),
    )
    exact = sum((Fraction(a) * Fraction(b) for a, b in finite), Fraction(0))
    assert ExactSum(found.integer).fraction() == exact


@pytest.mark.parametrize(
    ("value", "weight", "total"),
    [
        (math.inf, math.inf, math.inf),
        (-math.inf, math.inf, -math.inf),
        (2.0, math.inf, math.inf),
        (0.0, math.inf, math.nan),
        (math.inf, 0.0, 0.0),
        (math.nan, 0.0, math.nan),
        (math.inf, 0.5, math.inf),
    ],
)
def test_a_weighted_total_of_what_is_not_finite_is_that_of_ieee_754(value: float, weight: float, total: float) -> None:
    """But for a datum of weight 0, which is not there."""
    assert same(Summary.of(tensor([value]), tensor([weight])).total(), total)


# --- groups -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("values_that_fit", [2, VALUES_IN_INT64])
@pytest.mark.parametrize("use_weights", [False, True])
@MANY
@given(rows=st.lists(st.tuples(VALUES, st.integers(0, 4), WEIGHTS), max_size=80), cut=st.integers(0, 80))
def test_each_group_has_the_summary_of_its_own_data(
    use_weights: bool, values_that_fit: int, rows: list[tuple[float, int, float]], cut: int
) -> None:
    def of(part: list[tuple[float, int, float]]) -> Groups:
        values, codes, weights = ([row[i] for row in part] for i in range(3))
        return Groups.of(
            tensor(values), tensor(weights) if use_weights else None, torch.tensor(codes, dtype=torch.int64), 5
        )

    expected = {}
    for group in sorted({code for _, code, _ in rows}):
        mine = [row for row in rows if row[1] == group]
        weights = tensor([weight for _, _, weight in mine]) if use_weights else None
        expected[group] = Summary.of(tensor([value for value, _, _ in mine]), weights)
    # With room for two values there is a carry at nearly every merge.
    with patch.object(groups, "VALUES_IN_INT64", values_that_fit):
        assert dict(of(rows)) == expected
        assert dict(of(rows[:cut]).merge(of(rows[cut:]))) == expected


def test_groups_that_appear_later_are_merged() -> None:
    first = Groups.of(tensor([1.0]), None, torch.tensor([0]), 1)
    later = Groups.of(tensor([2.0, 3.0]), None, torch.tensor([2, 0]), 3)
    expected = {0: Summary.of(tensor([1.0, 3.0])), 2: Summary.of(tensor([2.0]))}
    assert dict(first.merge(later)) == dict(later.merge(first)) == expected


def test_one_group_of_everything_is_the_whole_to_the_last_bit() -> None:
    """Each piece of this value is as large as a piece can be, and odd: a sum beyond 2^53 of its units would round."""
    odd = (1 << 19) - 1
    value = odd / 2**19 + odd / 2**39 + (odd - 127) / 2**59
    values = torch.full((32_767,), value, dtype=torch.float64)
    groups, whole = Groups.of(values, None, torch.zeros(32_767, dtype=torch.int64), 1), Summary.of(values)
    assert whole.mean() == value
    assert dict(groups) == {0: whole}
    # Doubled to 2^27 values: more than int64 entries could hold.
    for _ in range(12):
        groups, whole = groups.merge(groups), whole.merge(whole)
    assert dict(groups) == {0: whole}


@pytest.mark.parametrize(("parts", "held"), [([7, 7], 8), ([7, 3], 10), ([7, 4, 2], 7), ([5, 5, 5, 5], 6)])
def test_entries_carry_before_they_are_full(parts: list[int], held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry has room for so many values, ten of them here; once it has carried it counts as one."""
    monkeypatch.setattr(groups, "VALUES_IN_INT64", 10)
    values = [random.Random(7).uniform(-1e9, 1e9) for _ in range(sum(parts))]
    codes, start, merged = torch.arange(len(values)) % 2, 0, Groups.empty()
    for count in parts:
        part = slice(start, start + count)
        merged = merged.merge(Groups.of(tensor(values[part]), None, codes[part], 2))
        start += count
    assert merged._arrays is not None
    assert merged._arrays.held == held
    for group in (0, 1):
        assert merged[group] == Summary.of(tensor(values[group::2]))
