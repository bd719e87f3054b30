"""What is wrong with data or options is said in one message that names file, row, column, value and remedy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Outcome

Run = Callable[..., Outcome]


def fails(outcome: Outcome, code: int, message: str) -> None:
    assert (outcome.code, outcome.err.splitlines()[-1], outcome.out) == (code, f"losscli: {message}", "")


def write(text: str, name: str = "p.csv") -> None:
    Path(name).write_text(text)


# --- what only the loss can tell --------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", ["1", "2", "1000"])
def test_the_number_of_no_label_is_named_with_its_row(losscli: Run, chunk: str) -> None:
    row = '{"pred": [0.1, 0.2, 0.3], "target": [0, -1]}\n'
    write(row * 5 + row.replace("[0, -1]", "[1, 3]"), "p.jsonl")
    write("p1,p2,p3,y1,y2,y3\n.1,.2,.3,0,-1,-1\n.1,.2,.3,1,0.5,-1\n")
    known = "is not the number of a label: there are 3, numbered 0 .. 2"
    hint = "Hint: leave out --target-form indices where each label has a column of its own."
    command = "compute", "multilabel-margin", "--target-form", "indices", "-q", "--chunk-rows", chunk
    fails(losscli(*command, "p.jsonl"), 3, f'p.jsonl, row 6, column "target": 3 {known}. {hint}')
    fails(losscli(*command, "p.csv", "-p", "p*", "-t", "y*"), 3, f'p.csv, row 2, column "y2": 0.5 {known}. {hint}')


# --- usage: exit 2, nothing read --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["hubber", "p.csv"], 'there is no loss "hubber". Hint: did you mean "huber"?'),
        (["huber", "--delta", "0", "p.csv"], "huber: --delta: 0 is not in (0, inf)."),
        (["huber", "--delta", "nan", "p.csv"], "huber: --delta: nan is not in (0, inf)."),
        (["huber", "--delta", "x", "p.csv"], 'huber: --delta: "x" is not a number. Hint: it takes (0, inf).'),
        (["huber:dleta=2", "p.csv"], 'huber has no parameter "dleta". Hint: did you mean "delta"?'),
        (["huber:delta=2:delta=3", "p.csv"], '"huber:delta=2:delta=3": delta is given twice.'),
        (["mae,mae", "p.csv"], "mae is asked for twice."),
        (["mae", "--nan", "drop", "p.csv"], '--nan "drop" is not one of error, skip, propagate.'),
        (["mae", "--threads", "0", "p.csv"], "--threads 0 is not at least 1."),
        (["mae", "--level", "95", "p.csv"], "--level 95 is not in (0, 1). Hint: 0.95 is 95 %."),
        (["mae", "--clip", "0.7", "p.csv"], "--clip 0.7 is not in (0, 0.5)."),
        (
            ["mae", "--device", "gpu", "p.csv"],
            '"gpu" is not a device. Hint: --device takes auto, cpu, cuda, cuda:N or mps.',
        ),
        (["mae", "-", "-"], "standard input can be read only once."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_request_is_refused_before_reading(losscli: Run, arguments: list[str], message: str) -> None:
    fails(losscli("compute", *arguments), 2, message)


@pytest.mark.parametrize("column", ["vector", "object"])
def test_what_has_several_values_a_datum_makes_no_groups_and_is_no_id(losscli: Run, column: str) -> None:
    row = '{"pred": 1, "target": 2, "vector": [1, 2], "object": {"a": 1}}\n'
    write(row, "p.jsonl")
    write(row.replace("pred", "other"), "t.jsonl")
    problem = f'p.jsonl: "{column}" has several values a datum, and'
    fails(losscli("compute", "mae", "p.jsonl", "--by", column), 2, f"{problem} a group is made by one.")
    joined = losscli("compute", "mae", "p.jsonl", "--truth", "t.jsonl", "--id", column)
    fails(joined, 2, f"{problem} an id is one.")


def test_an_unknown_option_gets_a_suggestion(losscli: Run) -> None:
    outcome = losscli("compute", "huber", "--dleta", "1", "p.csv")
    assert outcome.code == 2
    assert "No such option: --dleta" in outcome.err
    assert "--delta" in outcome.err


def test_an_unknown_column_gets_a_suggestion(losscli: Run) -> None:
    write("pred,target\n1,2\n")
    outcome = losscli("compute", "mae", "p.csv", "-p", "perd")
    assert outcome.code == 2
    assert '"perd"' in outcome.err
    assert 'did you mean "pred"?' in outcome.err


def test_a_device_that_is_absent_is_an_error_and_never_the_cpu(losscli: Run) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    write("pred,target\n1,2\n")
    fails(
        losscli("compute", "mae", "p.csv", "--device", "cuda", "-q"),
        4,
        "cuda is not there: this torch finds no CUDA device. Hint: --device cpu works everywhere.",
    )


# --- data: exit 3, with the row ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", ["1", "2", "100000"])
@pytest.mark.parametrize(
    ("loss", "text", "message"),
    [
        (
            "bce",
            "p,y\n0.5,1\n0.2,0\n1.03,1\n",
            'p.csv, row 3, column "p": 1.03 is outside [0, 1]. Hint: are these logits? Add --input logits.',
        ),
        (
            "bce",
            "p,y\n0.5,1\n0.2,3\n",
            'p.csv, row 2, column "y": 3 is outside [0, 1]. Hint: labels must be coded 0 and 1.',
        ),
        (
            "mae",
            "p,y\n0.5,1\n,0\n",
            'p.csv, row 2, column "p": a value is missing. Hint: --nan skip leaves such rows out and counts them; '
            "--nan propagate lets the result be nan.",
        ),
        (
            "bce",
            "p,y\n0.5,1\n0,1\n",
            "p.csv, row 2: the binary-cross-entropy loss of pred 0 and target 1 is infinite. Hint: --allow-inf lets "
            "the cost be infinite; --clip 1e-7 keeps probabilities off 0 and 1.",
        ),
    ],
    ids=["probability", "label", "missing", "infinite"],
)
def test_a_bad_datum_is_named(losscli: Run, chunk: str, loss: str, text: str, message: str) -> None:
    write(text)
    fails(losscli("compute", loss, "p.csv", "-p", "p", "-t", "y", "--chunk-rows", chunk), 3, message)


def test_a_bad_weight_is_named(losscli: Run) -> None:
    write("p,y,w\n1,1,1\n2,3,-1\n")
    fails(
        losscli("compute", "mae", "p.csv", "-p", "p", "-t", "y", "-w", "w"),
        3,
        'p.csv, row 2, column "w": -1 is outside [0, inf).',
    )


def test_weights_that_are_all_zero_are_refused(losscli: Run) -> None:
    write("p,y,w\n1,1,0\n2,3,0\n")
    fails(
        losscli("compute", "mae", "p.csv", "-p", "p", "-t", "y", "-w", "w"), 3, 'p.csv, column "w": every weight is 0.'
    )


def test_data_that_are_all_skipped_are_refused(losscli: Run) -> None:
    write("p,y\n,1\n,3\n")
    fails(
        losscli("compute", "mae", "p.csv", "-p", "p", "-t", "y", "--nan", "skip"),
        3,
        "p.csv: mae: all 2 rows were skipped.",
    )


def test_data_of_which_none_counts_are_refused(losscli: Run) -> None:
    write("a_0,a_1,label\n1,0,0\n0.6,0.8,1\n0,1,2\n")
    fails(
        losscli("compute", "supcon", "p.csv", "-q", "--embedding", "a_*", "--label", "label"),
        3,
        "p.csv: supcon: none of the 3 rows counts in its cost. Hint: losscli show supcon says which do.",
    )


@pytest.mark.parametrize(
    ("loss", "rows", "reason"),
    [
        ("rse", "1,2\n3,2\n", "the variance of the true values is 0"),
        ("nrmse:scale=range", "1,2\n3,2\n", "the range of the true values is 0"),
        ("nrmse", "1,2\n3,-2\n", "the mean of the true values is 0"),
        ("wmape", "1,0\n3,0\n", "the true values are all 0"),
    ],
)
def test_a_cost_that_is_not_defined_is_refused_with_the_reason(losscli: Run, loss: str, rows: str, reason: str) -> None:
    write(f"p,y\n{rows}")
    fails(
        losscli("compute", loss, "p.csv", "-p", "p", "-t", "y"),
        3,
        f"p.csv: the {loss} cost is not defined for these data: {reason}.",
    )


def test_a_group_without_a_defined_cost_leaves_the_others_theirs(losscli: Run) -> None:
    write("p,y,g\n1,2,a\n3,2,a\n1,2,b\n3,4,b\n")
    result = losscli("compute", "rse", "p.csv", "-p", "p", "-t", "y", "--by", "g", "-f", "plain")
    assert (result.code, result.out) == (0, "nan\n1.0\n")


def test_a_condition_that_no_row_meets_is_refused(losscli: Run) -> None:
    write("p,y\n1,1\n2,3\n")
    fails(
        losscli("compute", "mae", "p.csv", "-p", "p", "-t", "y", "--where", "p > 5"),
        3,
        "p.csv: no row meets the condition p > 5.",
    )


def test_a_class_outside_is_named_with_the_classes(losscli: Run) -> None:
    np.save("z.npy", np.zeros((3, 4)))
    np.save("y.npy", np.array([0, 4, 1]))
    fails(
        losscli("compute", "cross-entropy", "-p", "z.npy", "-t", "y.npy"),
        3,
        'y.npy, row 2, column "target": 4 is not a class: there are 4, numbered 0 .. 3.',
    )


def test_probabilities_that_do_not_sum_to_one_are_refused(losscli: Run) -> None:
    write("p_a,p_b,y\n0.5,0.5,a\n0.5,0.4,b\n")
    outcome = losscli("compute", "cross-entropy:input=probs", "p.csv", "-p", "p_*", "-t", "y")
    assert outcome.code == 3
    assert "p.csv, row 2" in outcome.err
    assert "0.9 is the sum over the classes where 1 is expected" in outcome.err


def test_similar_labels_of_two_codes_are_refused_whatever_the_chunk(losscli: Run) -> None:
    write("distance,similar\n0.5,1\n0.5,0\n0.5,1\n0.5,-1\n")
    for chunk in ("1", "3", "1000"):
        fails(
            losscli("compute", "contrastive", "p.csv", "--similar", "similar", "--chunk-rows", chunk, "-q"),
            3,
            'p.csv, row 4, column "similar": -1 is not one of 0 and 1, the labels of the rows before it.',
        )


def test_shapes_are_never_broadcast(losscli: Run) -> None:
    np.save("p.npy", np.zeros((3, 1)))
    np.save("y.npy", np.zeros(3))
    outcome = losscli("compute", "mse", "-p", "p.npy", "-t", "y.npy")
    fails(
        outcome,
        3,
        "p.npy, y.npy: mse: the shapes do not fit: pred has (n, 1), target has (n). Hint: it takes pred (n, ...), "
        "target (n, ...); none is broadcast.",
    )


def test_the_files_before_a_bad_one_keep_their_results(losscli: Run) -> None:
    write("pred,target\n1,2\n", "good.csv")
    write("pred,target\n1,2\n3,4\n1,x\n", "bad.csv")
    outcome = losscli("compute", "mae", "good.csv", "bad.csv", "-f", "plain")
    assert outcome.code == 3
    assert outcome.out == "1.0\n"
    assert outcome.err.splitlines()[-1] == 'losscli: bad.csv, row 3, column "target": "x" is not a number.'


def test_a_missing_file_is_exit_4(losscli: Run) -> None:
    fails(losscli("compute", "mae", "none.csv"), 4, "none.csv: no such file.")


# --- outcomes ---------------------------------------------------------------------------------------------------------


def test_an_infinite_loss_may_be_allowed_and_is_said(losscli: Run) -> None:
    write("p,y\n0.5,1\n0,1\n")
    record = losscli("compute", "bce", "p.csv", "-p", "p", "-t", "y", "--allow-inf", "-f", "json").json()["results"][0]
    assert (record["value"], record["status"], record["n"]) == (None, "infinite", 2)


def test_a_clip_is_in_the_signature(losscli: Run) -> None:
    write("p,y\n0.5,1\n0,1\n")
    record = losscli("compute", "bce", "p.csv", "-p", "p", "-t", "y", "--clip", "1e-7", "-f", "json").json()["results"][
        0
    ]
    assert "|clip:1e-07|" in record["signature"]
    # ln 2 and -ln 1e-7, half each.
    assert record["value"] == pytest.approx((0.6931471805599453 + 16.11809565095832) / 2, rel=1e-15)


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        (["--fail-over", "1"], 0),
        (["--fail-over", "0.99"], 1),
        (["--fail-under", "1"], 0),
        (["--fail-under", "1.01"], 1),
    ],
)
def test_a_gate_lets_equal_pass_and_still_prints(losscli: Run, gate: list[str], code: int) -> None:
    write("pred,target\n1,2\n3,4\n")
    outcome = losscli("compute", "mae", "p.csv", "-f", "plain", *gate)
    assert (outcome.code, outcome.out) == (code, "1.0\n")


def test_a_gate_fails_on_what_is_not_finite(losscli: Run) -> None:
    write("pred,target\n,2\n3,4\n")
    outcome = losscli("compute", "mae", "p.csv", "--nan", "propagate", "-f", "plain", "--fail-over", "9")
    assert (outcome.code, outcome.out) == (1, "nan\n")
    assert outcome.err.splitlines()[-1] == "losscli: mae of pred in p.csv is nan, which no gate lets pass."


def test_skipped_rows_are_counted(losscli: Run) -> None:
    write("pred,target,g\n1,2,a\n,4,a\n5,7,b\n,1,b\n")
    found = losscli("compute", "mae", "p.csv", "--nan", "skip", "-g", "g", "-f", "json").json()["results"]
    assert [(record["n"], record["n_skipped"], record["value"]) for record in found] == [(1, 1, 1.0), (1, 1, 2.0)]


def test_rows_that_are_skipped_are_left_out_and_the_others_keep_their_numbers(losscli: Run) -> None:
    write("pred,target\n1,2\n,4\n5,7\n")
    assert losscli("compute", "mae", "p.csv", "--nan", "skip", "--per-datum", "-f", "csv").out == "row,mae\n1,1\n3,2\n"


# --- what is given is used, or refused --------------------------------------------------------------------------------


def test_a_weight_that_is_given_stays_when_the_other_is_taken_from_the_data(losscli: Run) -> None:
    write("p,y\n0.5,1\n0.5,0\n0.5,0\n0.5,0\n")
    # The weight of label 0 is 4 / (2 * 3); ln 2 is the plain loss of each row.
    expected = (3 + 3 * (4 / 6)) / 4 * 0.6931471805599453
    found = losscli("compute", "balanced-bce", "--pos-weight", "3", "p.csv", "-p", "p", "-t", "y", "-f", "json")
    assert found.values() == [pytest.approx(expected, rel=1e-15)]
    assert found.json()["results"][0]["params"]["pos_weight"] == 3


def test_a_clip_that_nothing_reads_is_refused(losscli: Run) -> None:
    write("pred,target\n1,2\n")
    fails(
        losscli("compute", "mae", "p.csv", "--clip", "0.1", "-q"),
        2,
        "--clip keeps probabilities off 0 and 1, and mae reads none. Hint: leave --clip out.",
    )


def test_columns_to_keep_need_rows(losscli: Run) -> None:
    write("pred,target\n1,2\n")
    fails(
        losscli("compute", "mae", "p.csv", "--keep", "pred"),
        2,
        "--keep shows columns beside the loss of each row. Hint: add --per-datum or --top N.",
    )


def test_a_truth_beside_files_for_each_role_is_refused(losscli: Run) -> None:
    np.save("p.npy", np.zeros(3))
    fails(
        losscli("compute", "mae", "-p", "p.npy", "-t", "p.npy", "--truth", "p.npy"),
        2,
        "--truth joins a data file, and here each role is a file. Hint: give --target instead.",
    )


def test_data_without_numbers_are_refused(losscli: Run) -> None:
    np.save("p.npy", np.zeros((5, 0)))
    fails(losscli("compute", "mae", "-p", "p.npy", "-t", "p.npy"), 3, 'p.npy, column "pred": a datum holds no number.')


def test_a_class_that_one_loss_ignores_is_still_wrong_for_another(losscli: Run) -> None:
    np.save("z.npy", np.zeros((2, 3)))
    np.save("y.npy", np.array([0, -100]))
    fails(
        losscli("compute", "ce:ignore-index=-100,ce", "-p", "z.npy", "-t", "y.npy"),
        3,
        'y.npy, row 2, column "target": -100 is not a class: there are 3, numbered 0 .. 2.',
    )


@pytest.mark.parametrize(
    ("cells", "hint"),
    [
        ("8.49,95.2", "are these percentages? Divide them by 100."),
        ("-2.5,3.1", "are these logits? Add --input logits."),
    ],
)
def test_what_may_be_meant_by_a_bad_probability(losscli: Run, cells: str, hint: str) -> None:
    first, second = cells.split(",")
    write(f"p,y\n{first},0\n{second},1\n")
    found = losscli("compute", "bce", "p.csv", "-p", "p", "-t", "y")
    assert (found.code, found.err.strip()) == (
        3,
        f'losscli: p.csv, row 1, column "p": {first} is outside [0, 1]. Hint: {hint}',
    )


def test_a_flag_of_a_loss_needs_no_value(losscli: Run) -> None:
    np.savez("t.npz", anchor=[[0.0]], positive=[[1.0]], negative=[[-1.5]])
    swapped = losscli("compute", "triplet", "t.npz", "--distance", "euclidean", "--swap", "-f", "plain")
    plain = losscli("compute", "triplet", "t.npz", "--distance", "euclidean", "--no-swap", "-f", "plain")
    # The negative is 1.5 from the anchor and 2.5 from the positive: swapping takes the nearer of the two.
    assert (swapped.out, plain.out) == ("0.5\n", "0.5\n")
    np.savez("t.npz", anchor=[[0.0]], positive=[[1.0]], negative=[[1.75]])
    swapped = losscli("compute", "triplet", "t.npz", "--distance", "euclidean", "--swap", "-f", "plain")
    # From the positive it is only 0.75.
    assert swapped.out == "1.25\n"
