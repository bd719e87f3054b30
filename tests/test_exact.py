"""Exact sums against rational arithmetic and math.fsum, on data of every magnitude."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from fractions import Fraction
from unittest.mock import patch

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from losscli.exact import (
    UNIT,
    GroupSums,
    Sums,
    fold,
    fold_products,
    fold_values,
    fold_weighted,
    gpu,
    kernel,
    pieces,
    two_product,
)

ANY = st.floats(allow_nan=False, allow_infinity=False)
ORDINARY = st.floats(-1e6, 1e6)
TINY = st.floats(-1e-300, 1e-300)
HUGE = st.sampled_from([1e308, -1e308, 1.7976931348623157e308, -1.7976931348623157e308])
VALUES = st.one_of(ANY, ORDINARY, TINY, HUGE, st.sampled_from([0.0, -0.0, 5e-324, 0.1]))
PAIRS = st.lists(st.tuples(VALUES, VALUES), max_size=70)


@contextmanager
def without_kernel() -> Iterator[None]:
    with patch.object(kernel, "compiled", lambda: None):
        yield


@contextmanager
def on_gpu() -> Iterator[None]:
    """Everything that these tests fold is on a GPU."""

    def there(function: Callable[..., None]) -> Callable[..., None]:
        def folded(sums: Sums | GroupSums, *tensors: torch.Tensor, **options: object) -> None:
            function(sums, *(tensor.cuda() for tensor in tensors), **options)

        return folded

    at_once = patch.object(gpu, "PAYS_FROM", 0)
    here = {function.__name__: there(function) for function in (fold_values, fold_weighted, fold_products)}
    with at_once, patch.dict(globals(), here):
        yield


WAYS = {"compiled": nullcontext, "torch": without_kernel, "gpu": on_gpu}
WITHOUT_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@pytest.fixture(scope="module", params=["compiled", "torch", pytest.param("gpu", marks=WITHOUT_GPU)], autouse=True)
def way(request: pytest.FixtureRequest) -> Iterator[str]:
    """Sums by compiled code; by torch, as where there is no compiler; and by what is compiled for a GPU."""
    with WAYS[request.param]():
        yield request.param


@contextmanager
def every_block_in_pieces() -> Iterator[None]:
    """Small blocks would be added one by one; this sends them through the pieces too."""
    with patch.object(fold, "FEW", 0):
        yield


def tensor(values: list[float]) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def exact(sums: Sums, name: str) -> Fraction:
    return Fraction(sums.whole(name, 4 * UNIT), 1 << (4 * UNIT))


def five_sums(values: list[float], weights: list[float]) -> dict[str, Fraction]:
    w = [Fraction(weight) for weight in weights]
    c = [Fraction(value) * weight for value, weight in zip(values, w)]
    terms = {"c": c, "w": w, "cc": [x * x for x in c], "cw": [x * y for x, y in zip(c, w)], "ww": [y * y for y in w]}
    return {name: sum(each, Fraction(0)) for name, each in terms.items()}


def ill_conditioned(seed: int) -> list[float]:
    """Large values, their negatives, and small ones that are all that is left: condition up to 1e32."""
    draw = random.Random(seed)
    large = [math.ldexp(draw.random(), draw.randint(0, 106)) for _ in range(200)]
    values = large + [-value for value in large] + [draw.random() * 1e-3 for _ in range(3)]
    draw.shuffle(values)
    return values


def assert_exact_sums(values: list[float], weights: list[float]) -> None:
    expected = five_sums(values, weights)
    weighted, plain, only_total, products = Sums(), Sums(), Sums(), Sums()
    fold_weighted(weighted, tensor(values), tensor(weights))
    fold_values(plain, tensor(values))
    fold_values(only_total, tensor(values), squares=False)
    fold_products(products, tensor(values), tensor(weights))
    assert {name: exact(weighted, name) for name in expected} == expected
    unweighted = five_sums(values, [1.0] * len(values))
    assert (exact(plain, "c"), exact(plain, "cc")) == (unweighted["c"], unweighted["cc"])
    assert exact(only_total, "c") == unweighted["c"]
    assert exact(products, "cw") == expected["c"]


@settings(max_examples=60, deadline=None)
@given(PAIRS)
def test_sums_equal_rational_arithmetic(pairs: list[tuple[float, float]]) -> None:
    values, weights = [value for value, _ in pairs], [weight for _, weight in pairs]
    assert_exact_sums(values, weights)
    with every_block_in_pieces():
        assert_exact_sums(values, weights)


def test_sums_of_wide_data_equal_rational_arithmetic() -> None:
    """Over all exponents that float64 has, so that blocks split and are scaled again and again."""
    draw = random.Random(1)
    values = [math.ldexp(draw.uniform(-1, 1), draw.randint(-1074, 1024)) for _ in range(400)]
    weights = [math.ldexp(draw.random(), draw.randint(-1074, 1024)) for _ in range(400)]
    with every_block_in_pieces():
        assert_exact_sums(values, weights)


def test_every_piece_and_product_of_pieces_counts() -> None:
    """Values from the size of the largest down to where nothing is left of them in four pieces, with all their bits."""
    draw = random.Random(2)
    values = [math.ldexp(draw.randint(2**52, 2**53), -53 - down) for down in range(130) for _ in range(3)]
    values += [-(2.0**-26) - 2.0**-78, 2.0**-52 - 2.0**-104, 2.0**-78 + 2.0**-103]
    draw.shuffle(values)
    with every_block_in_pieces():
        assert_exact_sums(values, [1.0] * len(values))
        for value in values:
            assert_exact_sums([1 - 2.0**-53, value], [1.0, 1.0])


def test_a_product_below_the_smallest_float_is_not_lost() -> None:
    """2^-20 * 2^-1070 is 0 in float64; beside ordinary products it must still be there."""
    values = [1.0] * 60 + [math.ldexp(1.0, -1070)]
    weights = [1.0] * 60 + [math.ldexp(1.0, -20)]
    assert_exact_sums(values, weights)


@pytest.mark.parametrize("seed", range(5))
def test_the_sum_of_ill_conditioned_data_is_that_of_fsum(seed: int) -> None:
    values = ill_conditioned(seed)
    sums = Sums()
    fold_values(sums, tensor(values))
    assert sums.whole("c", UNIT) / (1 << UNIT) == math.fsum(values)


@pytest.mark.parametrize("seed", range(5))
def test_a_plain_sum_of_ill_conditioned_data_is_another(seed: int) -> None:
    """The test above can fail."""
    values = ill_conditioned(seed)
    assert tensor(values).sum().item() != math.fsum(values)


@pytest.mark.parametrize("n", [32_767, 32_768, 32_769, 100_000])
def test_the_sum_of_many_values_is_that_of_fsum(n: int) -> None:
    values = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(n)) ** 3
    sums = Sums()
    fold_values(sums, values)
    squares = sum((Fraction(value) ** 2 for value in values[:2000].tolist()), Fraction(0))
    first = Sums()
    fold_values(first, values[:2000])
    assert sums.whole("c", UNIT) / (1 << UNIT) == math.fsum(values.tolist())
    assert exact(first, "cc") == squares


def test_a_full_block_of_the_largest_value_is_exact() -> None:
    """The bound on the bits of a piece holds where all values are as large as they can be."""
    n, value = 32_768, math.nextafter(1.0, 0.0)
    sums = Sums()
    fold_weighted(sums, torch.full((n,), value, dtype=torch.float64), torch.full((n,), value, dtype=torch.float64))
    assert {name: exact(sums, name) for name in ("c", "cc", "cw", "w", "ww")} == {
        name: n * total for name, total in five_sums([value], [value]).items()
    }


@pytest.mark.parametrize("n", [3, 8_191, 8_193, (1 << 20) + 3])
@pytest.mark.parametrize("value", [1 - 2.0**-26, 1 - 2.0**-26 - 2.0**-52, 2.0**-26 - 1, 5e-324, 1.7976931348623157e308])
def test_pieces_as_large_as_they_can_be_add_up_exactly(n: int, value: float) -> None:
    """Each of these values is 2^25 units of the first, second or third piece of compiled code."""
    values = torch.full((n,), value, dtype=torch.float64)
    plain, groups = Sums(), GroupSums(2)
    with every_block_in_pieces():
        fold_values(plain, values)
        for start in range(0, n, 1 << 20):
            part = values[start : start + (1 << 20)]
            fold_values(groups, part, torch.ones(len(part), dtype=torch.int64))
    expected = (n * Fraction(value), n * Fraction(value) ** 2)
    assert (exact(plain, "c"), exact(plain, "cc")) == expected
    _, found = groups.each()
    assert (exact(found, "c"), exact(found, "cc")) == expected


@contextmanager
def as_on_a_gpu() -> Iterator[None]:
    """Cut on the CPU as it would be there: many runs side by side."""

    def for_gpu(_: torch.device, factors: int, streams: int, *, grouped: bool = False) -> pieces.Plan:
        return pieces.plan_for(torch.device("cuda"), factors, streams, grouped=grouped)

    with without_kernel(), patch.object(fold, "plan_for", for_gpu):
        yield


def test_the_larger_blocks_of_a_gpu_are_exact_too() -> None:
    """Every piece of this value is as large as it can be."""
    n, value = 1 << 20, (1 - 2.0**-16) * (1 + 2.0**-17)
    values = torch.full((n,), value, dtype=torch.float64)
    weighted, plain = Sums(), Sums()
    with as_on_a_gpu():
        fold_weighted(weighted, values, values)
        fold_values(plain, values, squares=False)
    expected = five_sums([value], [value])
    assert {name: exact(weighted, name) for name in expected} == {name: n * total for name, total in expected.items()}
    assert exact(plain, "c") == n * Fraction(value)


@pytest.mark.parametrize("n", [1, 49, 32_768, 32_769, 200_001])
def test_the_sums_of_a_gpu_are_those_of_a_processor(n: int) -> None:
    """With values of many magnitudes, some of them put off, and a last run that is not full."""
    generator = torch.Generator().manual_seed(n)
    values = torch.randn(n, dtype=torch.float64, generator=generator).exp() ** 5
    weights = torch.rand(n, dtype=torch.float64, generator=generator)
    codes = torch.randint(0, 3, (n,), generator=generator)

    def found() -> list[dict[str, Fraction]]:
        plain, weighted, groups = Sums(), Sums(), GroupSums(3)
        fold_values(plain, values)
        fold_weighted(weighted, values, weights)
        fold_values(groups, values, codes)
        return [{name: exact(sums, name) for name in five_sums([], [])} for sums in (plain, weighted, *groups.each())]

    with as_on_a_gpu():
        there = found()
    assert there == found()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES, st.integers(0, 3)), max_size=70))
def test_the_sums_of_groups_are_those_of_each_group_alone(rows: list[tuple[float, float, int]]) -> None:
    values, weights, codes = ([row[i] for row in rows] for i in range(3))
    of_code = torch.tensor(codes, dtype=torch.int64)
    for plain in (True, False):
        # Where no group is large, products of one level are added before they are taken by group.
        groups = GroupSums(4, max(map(codes.count, range(4)))) if plain else GroupSums(4)
        with every_block_in_pieces() if plain else patch.object(fold, "FEW", 48):
            fold_weighted(groups, tensor(values), tensor(weights), of_code)
        for group, sums in enumerate(groups.each()):
            mine = [(value, weight) for value, weight, code in rows if code == group]
            expected = five_sums([value for value, _ in mine], [weight for _, weight in mine])
            assert {name: exact(sums, name) for name in expected} == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.integers(-400, 400), st.integers(-(2**62), 2**62), max_size=6), max_size=3))
def test_a_carry_changes_no_sum_and_makes_room(of_groups: list[dict[int, int]]) -> None:
    groups = GroupSums(len(of_groups))
    for group, entries in enumerate(of_groups):
        for level, integer in entries.items():
            multiples = torch.zeros(len(of_groups), dtype=torch.int64)
            multiples[group] = integer
            groups.add_multiples("c", level, multiples.numpy())
    before = [exact(sums, "c") for sums in groups.each()]
    groups.carry()
    assert [exact(sums, "c") for sums in groups.each()] == before
    assert all(abs(int(entry)) < 2**42 for entries in groups.levels["c"].values() for entry in entries)


def test_the_sums_of_many_groups_are_those_of_each_group_alone() -> None:
    values = torch.randn(70_000, dtype=torch.float64, generator=torch.Generator().manual_seed(3)) ** 2
    codes = torch.randint(0, 1000, (70_000,), generator=torch.Generator().manual_seed(4))
    groups = GroupSums(1000)
    fold_values(groups, values, codes)
    for group, sums in list(enumerate(groups.each()))[::100]:
        alone = Sums()
        fold_values(alone, values[codes == group])
        assert (exact(sums, "c"), exact(sums, "cc")) == (exact(alone, "c"), exact(alone, "cc"))


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-130, 1e130), st.floats(-1e130, 1e130).filter(lambda b: b == 0 or abs(b) > 1e-130))
def test_a_product_and_its_error_are_the_exact_product(a: float, b: float) -> None:
    product, error = two_product(tensor([a]), tensor([b]))
    assert product.item() == a * b
    assert Fraction(product.item()) + Fraction(error.item()) == Fraction(a) * Fraction(b)


def test_the_rounding_error_of_a_product_is_not_always_zero() -> None:
    """The test above can fail."""
    assert two_product(tensor([0.1]), tensor([0.1]))[1].item() != 0.0
