"""What a cost is: weights, groups, conditions, fitted parameters, standard errors, each against arithmetic by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import torch

import losscli as api
from tests.conftest import Outcome
from tests.test_losses_contract import CONTINUOUS, inputs

Run = Callable[..., Outcome]
NUMBERS = ("value", "std_error", "ci_low", "ci_high", "min", "max")


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    random = np.random.default_rng(12)
    rows = 400
    return pd.DataFrame(
        {
            "y_pred": random.normal(size=rows),
            "y_true": random.normal(size=rows) * 3,
            "w": random.random(rows),
            "times": random.integers(0, 4, rows),
            "group": random.choice(["a", "b", "c"], rows),
        }
    )


def errors(frame: pd.DataFrame) -> list[float]:
    return [abs(p - t) for p, t in zip(frame["y_pred"].tolist(), frame["y_true"].tolist())]


def ulps_apart(found: float, true: float) -> float:
    return abs(found - true) / math.ulp(true)


def square_root(of: Fraction) -> float:
    """Correctly rounded to well below one unit in the last place."""
    return math.isqrt(int(of * 4**200)) / 2**200 if of > 2**-300 else math.sqrt(of)


# --- weights ----------------------------------------------------------------------------------------------------------


def test_a_whole_weight_is_a_repeated_row(frame: pd.DataFrame) -> None:
    repeated = frame.loc[frame.index.repeat(frame["times"])]
    weighted = api.compute("mae,mse", data=frame, weight="times")
    plain = api.compute("mae,mse", data=repeated)
    assert [record.value for record in weighted] == [record.value for record in plain]
    assert [record.weight_sum for record in weighted] == [record.n for record in plain]


def test_weights_times_a_power_of_two_change_no_bit(frame: pd.DataFrame) -> None:
    doubled = frame.assign(w=frame["w"] * 2.0**40)
    one, other = (api.compute("mae", data=data, weight="w")[0] for data in (frame, doubled))
    assert [getattr(one, name) for name in NUMBERS] == [getattr(other, name) for name in NUMBERS]


def test_a_row_of_weight_zero_adds_nothing(frame: pd.DataFrame) -> None:
    some = frame.assign(w=np.where(frame["group"] == "a", 0.0, frame["w"]))
    all_rows = api.compute("mae", data=some, weight="w")
    others = api.compute("mae", data=some[some["group"] != "a"], weight="w")
    assert (all_rows.value, all_rows.weight_sum) == (others.value, others.weight_sum)


def test_the_order_of_rows_changes_no_bit_of_weighted_groups(frame: pd.DataFrame) -> None:
    shuffled = frame.sample(frac=1, random_state=3)
    one, other = (api.compute("mse", data=data, weight="w", by="group") for data in (frame, shuffled))
    assert [record.group for record in one] == [{"group": "a"}, {"group": "b"}, {"group": "c"}]
    assert list(one) == list(other)


# --- groups, several losses, several files ----------------------------------------------------------------------------


def test_a_group_is_a_run_of_its_own(frame: pd.DataFrame) -> None:
    for record in api.compute("huber:delta=0.7", data=frame, by="group", weight="w"):
        own = api.compute("huber:delta=0.7", data=frame[frame["group"] == record.group["group"]], weight="w")
        assert [getattr(record, name) for name in ("n", *NUMBERS)] == [getattr(own, name) for name in ("n", *NUMBERS)]


def test_several_losses_in_one_pass_are_runs_of_their_own(frame: pd.DataFrame) -> None:
    specs = ["mse", "mae", "huber:delta=0.3"]
    together = api.compute(specs, data=frame, by="group")
    apart = [record for spec in specs for record in api.compute(spec, data=frame, by="group")]
    assert list(together) == apart


def test_a_condition_is_a_file_without_the_other_rows(frame: pd.DataFrame) -> None:
    chosen = frame[(frame["group"] == "b") & (frame["w"] > 0.5)]
    found = api.compute("mse", data=frame, where="\"group\" = 'b' and w > 0.5")
    assert list(found) == list(api.compute("mse", data=chosen))


def test_groups_of_two_columns_are_sorted_as_numbers(losscli: Run) -> None:
    Path("p.csv").write_text("pred,target,fold,sex\n1,2,10,m\n1,3,2,m\n1,4,10,f\n1,5,2,m\n")
    found = losscli("compute", "mae", "p.csv", "-g", "fold,sex", "-f", "json").json()["results"]
    assert [(record["group"], record["n"], record["value"]) for record in found] == [
        ({"fold": "2", "sex": "m"}, 2, 3.0),
        ({"fold": "10", "sex": "f"}, 1, 3.0),
        ({"fold": "10", "sex": "m"}, 1, 1.0),
    ]


def test_each_file_has_a_record_of_its_own(losscli: Run) -> None:
    Path("a.csv").write_text("pred,target\n1,2\n")
    Path("b.jsonl").write_text('{"yhat": 3, "y": 6}\n{"yhat": 1, "y": 2}\n')
    found = losscli("compute", "mae", "a.csv", "b.jsonl", "-f", "json").json()["results"]
    assert [(record["file"], record["pred"], record["n"], record["value"]) for record in found] == [
        ("a.csv", "pred", 1, 1.0),
        ("b.jsonl", "yhat", 2, 2.0),
    ]


# --- the error of the cost --------------------------------------------------------------------------------------------


def test_the_standard_error_is_the_sample_deviation_over_the_root_of_n(frame: pd.DataFrame) -> None:
    found = api.compute("mae", data=frame)
    losses = [Fraction(error) for error in errors(frame)]
    mean = sum(losses) / len(losses)
    variance = sum((loss - mean) ** 2 for loss in losses) / (len(losses) - 1)
    assert ulps_apart(found.std_error, square_root(variance / len(losses))) <= 1
    assert found.std_error == pytest.approx(np.std(errors(frame), ddof=1) / math.sqrt(len(losses)), rel=1e-14)


def test_the_weighted_standard_error_is_the_sandwich_of_the_ratio(frame: pd.DataFrame) -> None:
    found = api.compute("mae", data=frame, weight="w")
    losses, weights = [Fraction(e) for e in errors(frame)], [Fraction(w) for w in frame["w"].tolist()]
    n, total = len(losses), sum(weights)
    mean = sum(w * loss for w, loss in zip(weights, losses)) / total
    square = Fraction(n, n - 1) * sum((w * (loss - mean)) ** 2 for w, loss in zip(weights, losses)) / total**2
    assert ulps_apart(found.std_error, square_root(square)) <= 1


@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
def test_the_interval_is_the_normal_one(frame: pd.DataFrame, level: float) -> None:
    found = api.compute("mae", data=frame, level=level)
    expected = scipy.stats.norm.interval(level, loc=np.mean(errors(frame)), scale=scipy.stats.sem(errors(frame)))
    assert found.ci == pytest.approx(expected, rel=1e-12)


def test_the_interval_of_a_sum_is_that_of_the_mean_times_the_weights(frame: pd.DataFrame) -> None:
    mean, total = (api.compute("mae", data=frame, weight="w", reduction=name) for name in ("mean", "sum"))
    weight_sum = math.fsum(frame["w"])
    assert total.value == pytest.approx(mean.value * weight_sum, rel=1e-15)
    assert total.std_error == pytest.approx(mean.std_error * weight_sum, rel=1e-15)
    assert total.ci == pytest.approx([end * weight_sum for end in mean.ci], rel=1e-14)


def test_one_datum_has_no_standard_error() -> None:
    found = api.compute("mae", pred=[1.0], target=[3.0])
    assert (found.value, found.std_error, found.ci) == (2.0, None, (None, None))


# --- parameters fitted to the data ------------------------------------------------------------------------------------


def balanced(target: list[int], weight: list[float]) -> dict[str, float]:
    """The weights of King and Zeng for even classes, by hand: total / (2 · total of the class)."""
    total = sum(map(Fraction, weight))
    positive = sum(Fraction(w) for t, w in zip(target, weight) if t == 1)
    return {"pos_weight": float(total / (2 * positive)), "neg_weight": float(total / (2 * (total - positive)))}


EVENTS = pd.DataFrame(
    {
        "p": [0.9, 0.2, 0.4, 0.7, math.nan, 0.1],
        "y": [1, 0, 1, 0, 1, 0],
        "w": [1.0, 2.0, 0.5, 3.0, 8.0, 0.25],
        "keep": [1, 1, 1, 0, 1, 1],
    }
)


@pytest.mark.parametrize(
    ("settings", "rows", "weighted"),
    [
        ({}, [0, 1, 2, 3, 5], False),
        ({"weight": "w"}, [0, 1, 2, 3, 5], True),
        ({"where": "keep = 1"}, [0, 1, 2, 5], False),
        ({"where": "keep = 1", "weight": "w", "chunk_rows": 1}, [0, 1, 2, 5], True),
    ],
    ids=["all", "weights", "condition", "both"],
)
def test_balanced_weights_come_from_the_rows_that_are_used(
    settings: dict[str, object], rows: list[int], weighted: bool
) -> None:
    used = EVENTS.iloc[rows]
    weights = used["w"].tolist() if weighted else [1.0] * len(rows)
    expected = balanced(used["y"].tolist(), weights)
    record = api.compute("balanced-cross-entropy", data=EVENTS, pred="p", target="y", nan="skip", **settings)[0]
    assert (record.n, record.params) == (len(rows), {**expected, "input": "probs"})
    losses = [
        -expected["pos_weight"] * math.log(p) if y else -expected["neg_weight"] * math.log1p(-p)
        for p, y in zip(used["p"], used["y"])
    ]
    cost = math.fsum(w * loss for w, loss in zip(weights, losses)) / math.fsum(weights)
    assert record.value == pytest.approx(cost, rel=1e-15)


def test_balanced_weights_are_the_same_for_every_group() -> None:
    found = api.compute("balanced-cross-entropy", data=EVENTS.dropna(), pred="p", target="y", by="keep")
    expected = balanced([1, 0, 1, 0, 0], [1.0] * 5)
    assert [(record.params["pos_weight"], record.params["neg_weight"]) for record in found] == [
        (expected["pos_weight"], expected["neg_weight"])
    ] * 2


def rows_of(shape: tuple[int, ...], values: list[float]) -> np.ndarray:
    return np.stack([np.full(shape, value) for value in values])


@pytest.mark.parametrize(
    "spec", [*api.losses(), "ce:ignore-index=7", "ce:class-weight=1/2/3/4/5/6/7", "bce:pos-weight=2"]
)
def test_a_chunk_of_which_nothing_is_left_adds_nothing(spec: str) -> None:
    bound = api.loss(spec)
    data = {role: values.numpy() for role, values in next(inputs(bound, 12)).items()}
    own = [role for role in data if role not in bound.loss.shared]
    left = np.arange(12) != 5
    rest = {role: values[left] if role in own else values for role, values in data.items()}
    missing = next(role for role in (*(role for role in own if role in CONTINUOUS), *own))
    data[missing] = data[missing].copy()
    data[missing][5] = math.nan
    whole = api.compute(bound, nan="skip", **rest)[0]
    parts = api.compute(bound, nan="skip", chunk_rows=1, **data)[0]
    assert parts.n_skipped == whole.n_skipped + 1
    per_datum = api.compute(bound, nan="skip", chunk_rows=1, reduction="none", dtype="float32", **data)
    assert 6 not in per_datum["row"].tolist()
    assert len(per_datum) == parts.n
    # Without a number, as the extremes of a ratio of sums.
    numbers = [[getattr(record, name) for name in NUMBERS] for record in (parts, whole)]
    assert str(numbers[0]) == str(numbers[1])


# --- weights that belong to the loss ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classes() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    target = random.integers(0, 4, 60)
    target[[3, 17, 40]] = -1
    return random.normal(size=(60, 4)) * 3, target


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weight", [None, (0.5, 1.0, 2.0, 4.0)], ids=["plain", "class-weight"])
def test_classes_that_do_not_count_are_left_out_as_in_torch(
    classes: tuple[np.ndarray, np.ndarray], weight: tuple[float, ...] | None, smoothing: float
) -> None:
    logits, target = classes
    params = {"ignore_index": -1, "class_weight": weight, "label_smoothing": smoothing}
    found = api.compute(api.loss("cross-entropy", **params), pred=logits, target=target)
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits),
        torch.tensor(target),
        ignore_index=-1,
        weight=torch.tensor(weight, dtype=torch.float64) if weight else None,
        label_smoothing=smoothing,
    )
    assert (found.n, found.n_skipped) == (57, 3)
    assert found.value == pytest.approx(expected.item(), rel=1e-14)


def test_the_cost_with_class_weights_is_the_weighted_mean_by_hand() -> None:
    # Even logits: each loss is ln 2. The third datum, of class 1, is certain and right: its loss is 0.
    found = api.compute(
        "cross-entropy:input=probs:class-weight=1/3", pred=[[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]], target=[0, 1, 1]
    )
    assert (found.value, found.weight_sum) == (pytest.approx(math.log(2) * 4 / 7, rel=1e-15), 7.0)


@pytest.mark.parametrize("weight", [None, (0.5, 1.0, 2.0, 4.0)], ids=["plain", "class-weight"])
def test_positions_of_a_datum_count_as_in_torch(weight: tuple[float, ...] | None) -> None:
    random = np.random.default_rng(6)
    logits, target = random.normal(size=(9, 4, 5, 2)), random.integers(0, 4, (9, 5, 2))
    target[0, 0] = target[4] = -1
    loss = api.loss("cross-entropy", ignore_index=-1, class_weight=weight)
    found = api.compute(loss, pred=logits, target=target)
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits),
        torch.tensor(target),
        ignore_index=-1,
        weight=torch.tensor(weight, dtype=torch.float64) if weight else None,
    )
    assert (found.n, found.n_skipped) == (8, 1)
    assert found.value == pytest.approx(expected.item(), rel=1e-14)


def test_the_weights_of_the_user_and_of_the_classes_are_multiplied() -> None:
    probabilities, target, weight = [[0.5, 0.5], [0.25, 0.75], [0.1, 0.9]], [0, 1, 0], [2.0, 1.0, 4.0]
    found = api.compute("cross-entropy:input=probs:class-weight=1/3", pred=probabilities, target=target, weight=weight)
    product = [1 * 2.0, 3 * 1.0, 1 * 4.0]
    losses = [-math.log(row[y]) for row, y in zip(probabilities, target)]
    expected = math.fsum(w * loss for w, loss in zip(product, losses)) / 9
    assert (found.value, found.weight_sum) == (pytest.approx(expected, rel=1e-15), 9.0)


def test_a_datum_of_several_outputs_is_their_mean() -> None:
    pred, target = np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]]), np.zeros((2, 3))
    assert api.compute("mae", pred=pred, target=target, reduction="none")["mae"].tolist() == [3.0, 1.0]
    assert api.compute("mse", pred=pred, target=target).value == (41 / 3 + 3) / 2


# --- rows -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def rows(losscli: Run) -> Run:
    """Runs over rows whose losses are 1, 3, 3, missing, 0 and 3."""
    Path("p.csv").write_text("code,pred,target\n007,1.50,0.5\n008,5,2\n0100,2,5\n011,,1\n12,7,7.0\n013,0,3\n")
    return losscli


@pytest.mark.parametrize("chunk", ["1", "2", "1000"])
def test_the_largest_losses_come_first_nan_before_all_and_ties_by_row(rows: Run, chunk: str) -> None:
    common = ("compute", "mae", "p.csv", "--nan", "propagate", "-f", "csv", "--chunk-rows", chunk)
    assert rows(*common, "--top", "3").out == "row,mae\n4,nan\n2,3\n3,3\n"
    assert rows(*common, "--top", "99").out == "row,mae\n4,nan\n2,3\n3,3\n6,3\n1,1\n5,0\n"


def test_a_condition_keeps_the_numbers_of_the_rows(rows: Run) -> None:
    found = rows("compute", "mae", "p.csv", "--where", "pred > 1.5", "--per-datum", "-f", "csv")
    assert (found.code, found.out) == (0, "row,mae\n2,3\n3,3\n5,0\n")


def test_kept_columns_are_as_written(rows: Run) -> None:
    common = ("compute", "mae", "p.csv", "--nan", "skip", "--top", "2", "-f", "csv")
    assert rows(*common, "--keep", "code,target").out == "row,code,target,mae\n2,008,2,3\n3,0100,5,3\n"
    assert rows(*common, "--id", "code").out == "row,code,mae\n2,008,3\n3,0100,3\n"
    assert rows(*common, "--keep", "all").out == "row,code,pred,target,mae\n2,008,5,2,3\n3,0100,2,5,3\n"


def test_a_kept_column_of_the_name_of_another_is_refused(losscli: Run) -> None:
    Path("p.csv").write_text("row,pred,target\n1,2,3\n")
    found = losscli("compute", "mae", "p.csv", "-q", "--per-datum", "--keep", "row")
    assert (found.code, found.out, found.err) == (
        2,
        "",
        'losscli: the output would have 2 columns named "row". Hint: leave that column out of --keep and --id, or '
        "name it otherwise in the file.\n",
    )


def test_rows_come_from_one_file_at_a_time(rows: Run) -> None:
    found = rows("compute", "mae", "p.csv", "p.csv", "--per-datum")
    assert (found.code, found.out, found.err) == (
        2,
        "",
        "losscli: the loss of each row comes from one file at a time. Hint: run the command once a file.\n",
    )


def test_the_loss_of_each_row_is_the_same_alone_and_beside_others(frame: pd.DataFrame) -> None:
    together = api.compute("mse,mae", data=frame, reduction="none")
    assert together["mae"].tolist() == errors(frame)
    assert together["row"].tolist() == list(range(1, len(frame) + 1))


# --- precision --------------------------------------------------------------------------------------------------------


def test_float32_rounds_each_loss_and_sums_exactly(frame: pd.DataFrame) -> None:
    found = api.compute("mae", data=frame, dtype="float32")
    pred, target = (frame[name].to_numpy(dtype=np.float32) for name in ("y_pred", "y_true"))
    losses = [Fraction(float(loss)) for loss in np.abs(pred - target)]
    assert found.value == float(sum(losses) / len(losses))
    assert found.signature == f"mae|mean|w:none|nan:error|float32|native|v{api.__version__}"
