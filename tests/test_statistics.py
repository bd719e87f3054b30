"""Costs that are no means: roots, maxima, medians and ratios of sums, on any chunking, with weights and groups."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy
import pytest
import sklearn.metrics
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import losscli
from losscli.cost import GATHER_LIMIT, check_memory
from losscli.errors import ResourceError, UsageError
from losscli.registry import losses
from losscli.statistic import Mean, Pooled, Totals, ratio
from tests.oracle import mpmath

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def numbers(n: int, seed: int) -> list[float]:
    rng = random.Random(seed)
    return [rng.gauss(0, 3) for _ in range(n)]


PRED, TARGET = numbers(1001, 1), numbers(1001, 2)
WEIGHTS = [float(abs(round(value))) for value in numbers(1001, 3)]


def root_of_mean_square(errors: list[Fraction], weights: list[Fraction]) -> float:
    with mpmath.workprec(400):
        mean = sum(w * e * e for e, w in zip(errors, weights)) / sum(weights)
        return float(mpmath.sqrt(mpmath.mpf(mean.numerator) / mean.denominator))


def squares_as_computed(pred: list[float], target: list[float]) -> list[Fraction]:
    return [Fraction((p - t) * (p - t)) for p, t in zip(pred, target)]


def test_the_root_mean_squared_error_is_the_rounded_root_of_the_exact_mean() -> None:
    squares = squares_as_computed(PRED, TARGET)
    mean = sum(squares) / len(squares)
    with mpmath.workprec(400):
        expected = float(mpmath.sqrt(mpmath.mpf(mean.numerator) / mean.denominator))
    assert losscli.compute("rmse", pred=PRED, target=TARGET).value == expected


def test_the_root_of_a_weighted_mean_weighs_the_squares() -> None:
    found = losscli.compute("rmse", pred=PRED, target=TARGET, weight=WEIGHTS).value
    assert found == pytest.approx(
        sklearn.metrics.root_mean_squared_error(TARGET, PRED, sample_weight=WEIGHTS), rel=1e-14
    )


def test_with_a_sum_the_root_is_the_length_of_the_vector_of_errors() -> None:
    record = losscli.compute("rmse", pred=PRED, target=TARGET, reduction="sum")[0]
    assert record.value == pytest.approx(math.dist(PRED, TARGET), rel=1e-15)
    assert record.reduction == "root-sum"


def test_the_interval_of_a_root_has_the_roots_of_the_ends_of_the_mean() -> None:
    of_mean, of_root = (losscli.compute(name, pred=PRED, target=TARGET)[0] for name in ("mse", "rmse"))
    assert of_root.ci_low == pytest.approx(math.sqrt(of_mean.ci_low), rel=1e-15)
    assert of_root.ci_high == pytest.approx(math.sqrt(of_mean.ci_high), rel=1e-15)
    assert of_root.std_error == pytest.approx(of_mean.std_error / (2 * of_root.value), rel=1e-14)
    assert (of_root.min, of_root.max) == (math.sqrt(of_mean.min), math.sqrt(of_mean.max))


def test_the_loss_of_a_row_is_the_cost_of_that_row_alone() -> None:
    frame = losscli.compute("rmse", pred=PRED[:9], target=TARGET[:9], reduction="none")
    alone = [losscli.compute("rmse", pred=[p], target=[t]).value for p, t in zip(PRED[:9], TARGET[:9])]
    assert frame["rmse"].tolist() == alone


def test_the_largest_error_is_the_cost_and_has_no_interval() -> None:
    record = losscli.compute("max-error", pred=PRED, target=TARGET)[0]
    assert record.value == max(abs(p - t) for p, t in zip(PRED, TARGET))
    assert (record.reduction, record.std_error, record.ci_low) == ("max", None, None)


def test_a_datum_without_weight_is_not_the_worst() -> None:
    assert losscli.compute("max-error", pred=[1.0, 9.0], target=[0.0, 0.0], weight=[1.0, 0.0]).value == 1.0


@pytest.mark.parametrize("n", [1, 2, 7, 1000, 1001])
def test_the_median_of_an_even_number_is_the_mean_of_the_two_in_the_middle(n: int) -> None:
    found = losscli.compute("median-absolute-error", pred=PRED[:n], target=TARGET[:n]).value
    assert found == sklearn.metrics.median_absolute_error(TARGET[:n], PRED[:n])


@settings(max_examples=60, deadline=None)
@given(
    data=st.lists(st.tuples(NUMBERS, st.integers(0, 3)), min_size=1, max_size=30).filter(lambda d: any(w for _, w in d))
)
def test_a_weighted_median_repeats_each_datum_by_its_weight(data: list[tuple[float, int]]) -> None:
    repeated = [abs(value) for value, weight in data for _ in range(weight)]
    assume(repeated)
    found = losscli.compute(
        "median-absolute-error", pred=[v for v, _ in data], target=[0.0] * len(data), weight=[float(w) for _, w in data]
    ).value
    assert found == float(numpy.median(repeated))


@pytest.mark.parametrize("spec", ["rmse", "max-error", "median-absolute-error", "wmape", "rse", "nrmse"])
def test_the_bits_do_not_depend_on_chunks_threads_or_the_order_of_rows(spec: str) -> None:
    expected = losscli.compute(spec, pred=PRED, target=TARGET, weight=WEIGHTS).value
    order = random.Random(4).sample(range(len(PRED)), len(PRED))
    shuffled = [[column[k] for k in order] for column in (PRED, TARGET, WEIGHTS)]
    for threads, rows in ((1, 1), (2, 7), (4, 100), (2, 5000)):
        for pred, target, weight in ((PRED, TARGET, WEIGHTS), shuffled):
            found = losscli.compute(
                spec, pred=pred, target=target, weight=weight, threads=threads, chunk_rows=rows
            ).value
            assert found == expected


@pytest.mark.parametrize("spec", ["rmse", "max-error", "median-absolute-error", "wmape", "rse"])
def test_the_cost_of_a_group_is_that_of_its_rows_alone(spec: str) -> None:
    import pandas

    frame = pandas.DataFrame({"pred": PRED, "target": TARGET, "g": [k % 3 for k in range(len(PRED))]})
    by_group = losscli.compute(spec, data=frame, pred="pred", target="target", by="g")
    assert len(by_group) == 3
    for record in by_group:
        rows = frame[frame["g"] == record.group["g"]]
        assert (
            record.value == losscli.compute(spec, pred=rows["pred"].to_numpy(), target=rows["target"].to_numpy()).value
        )


@pytest.mark.parametrize("spec", ["max-error", "median-absolute-error", "rse"])
def test_what_is_no_mean_has_no_sum(spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        losscli.compute(spec, pred=PRED, target=TARGET, reduction="sum")
    assert str(caught.value) == (
        f"the cost of {spec} is no mean over the data, so it has no sum. Hint: leave --reduction out."
    )


def test_more_data_than_the_limit_are_refused_with_the_remedy() -> None:
    check_memory(GATHER_LIMIT, "median-absolute-error")
    with pytest.raises(ResourceError) as caught:
        check_memory(GATHER_LIMIT + 1, "median-absolute-error")
    assert str(caught.value) == (
        "median-absolute-error needs all data at once, and they take more than 2 GiB. "
        "Hint: take fewer rows with --where."
    )


def test_a_ratio_of_a_zero_sum_is_not_defined() -> None:
    assert ratio(Totals((Fraction(1), Fraction(0)), (0.0, 0.0), (1.0, 0.0), Fraction(1), 1)) is None


def test_every_declared_statistic_is_one_that_the_engine_knows() -> None:
    declared = [each.bind().statistic for each in losses().values()]
    assert any(isinstance(each, Pooled) for each in declared)
    assert sum(isinstance(each, Mean) for each in declared) > len(declared) / 2


def test_skipped_rows_are_counted_and_leave_the_median_alone() -> None:
    record = losscli.compute("median-absolute-error", pred=[1.0, math.nan, 5.0], target=[0.0] * 3, nan="skip")[0]
    assert (record.value, record.n, record.n_skipped) == (3.0, 2, 1)
