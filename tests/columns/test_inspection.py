"""What ``losscli inspect`` finds out about a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import losscli.losses  # noqa: F401  (fills the catalogue)
from losscli.columns.inspection import as_json, inspect
from losscli.errors import DataError
from losscli.readers import open_memory, open_source
from losscli.registry import parse_specs

PREDICTIONS = """sample_id,diagnosis,label,prob,note
7,B,0,0.25,
8,M,1,0.75,seen
9,M,1,,
10,B,0,0.5,
11,M,0,0.625,late
12,B,1,0.375,
"""


@pytest.fixture
def predictions(tmp_path: Path) -> Path:
    path = tmp_path / "preds.csv"
    path.write_text(PREDICTIONS)
    return path


def test_columns_have_their_kind_their_gaps_and_their_extremes(predictions: Path) -> None:
    found = inspect(open_source(predictions))
    facts = [(c.name, c.kind, c.missing, c.min, c.max, c.examples, c.looks) for c in found.columns]
    assert (found.format, found.rows) == ("csv", 6)
    assert facts == [
        ("sample_id", "number", 0, 7, 12, (7, 8, 9), "an id"),
        ("diagnosis", "text", 0, None, None, ("B", "M"), "2 words"),
        ("label", "number", 0, 0, 1, (0, 1), "0 or 1"),
        ("prob", "number", 1, 0.25, 0.75, (0.25, 0.75, 0.5), "numbers in [0, 1]"),
        ("note", "text", 4, None, None, ("seen", "late"), "2 words"),
    ]


def test_extremes_and_gaps_are_those_of_all_rows_not_of_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("y_true,y_pred\n" + "1,1\n" * 5000 + "-7,\n90,2\n")
    found = inspect(open_source(path))
    assert found.rows == 5002
    assert [(c.missing, c.min, c.max) for c in found.columns] == [(0, -7, 90), (1, 1, 2)]
    first_rows = inspect(open_source(path), full=False)
    assert [(c.missing, c.min, c.max) for c in first_rows.columns] == [(0, 1, 1), (0, 1, 1)]


def test_a_vector_with_a_gap_is_one_missing_datum() -> None:
    nan = float("nan")
    found = inspect(open_memory({"logits": [[1.0, 2.0], [nan, nan], [nan, -4.0]], "labels": [0, 1, 1]}))
    logits = found.columns[0]
    assert (logits.kind, logits.shape, logits.missing, logits.min, logits.max) == ("vector", (2,), 2, -4, 2)


def test_a_column_that_turns_out_to_be_words_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    path.write_text("code,y_true,y_pred\n" + "1,2,3\n" * 3000 + "A1,5,6\n")
    code, target, pred = inspect(open_source(path)).columns
    assert code.problem is not None
    assert code.problem.startswith(f'{path}, row 3,001, column "code": "A1" is not a number')
    assert (code.min, code.missing) == (None, 0)
    assert (target.max, target.problem, pred.max) == (5, None, 6)


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "short.csv"
    path.write_text("y_true,y_pred\n" + "1,2\n" * 3000 + "1\n")
    with pytest.raises(DataError):
        inspect(open_source(path))


def test_each_role_has_its_column_and_the_reason(predictions: Path) -> None:
    found = inspect(open_source(predictions), parse_specs("bce"))
    assert found.roles == {"pred": ("prob",), "target": ("label",)}
    assert found.why == {
        "pred": '"prob" as pred: its name and values say so.',
        "target": '"label" as target: it stands beside "prob".',
    }
    assert found.roles_of("prob") == ("pred",)
    assert found.roles_of("note") == ()


def test_a_role_without_a_clear_column_is_none_and_the_clear_one_is_still_named(tmp_path: Path) -> None:
    path = tmp_path / "sub.csv"
    path.write_text("id,probability\n1,0.5\n2,0.25\n")
    found = inspect(open_source(path), parse_specs("bce"))
    assert found.roles == {"pred": ("probability",), "target": None}
    assert found.why["target"] == (
        f'{path}: no column is clearly the target of binary-cross-entropy; there is "id" (an id), "probability" '
        "(numbers in [0, 1]). Hint: name it with --target, or give the file that holds it with --truth."
    )
    assert found.losses == ()


def test_the_losses_that_suit_are_those_whose_domain_holds_the_values(predictions: Path) -> None:
    found = inspect(open_source(predictions)).losses
    assert {"mae", "binary-cross-entropy", "focal"} <= set(found)
    assert not {"cross-entropy", "triplet", "binary-cross-entropy:input=logits"} & set(found)


def test_with_a_loss_asked_for_roles_and_what_suits_are_about_that_loss() -> None:
    found = inspect(open_memory({"y": [1.0, 3.0], "yhat": [2.0, 5.0]}), parse_specs("bce"))
    assert (found.roles, found.losses) == ({"pred": None, "target": None}, ())
    assert found.why == {
        "pred": '"yhat" holds 2, which is outside [0, 1].',
        "target": '"y" holds 3, which is outside [0, 1].',
    }
    shares = {"y_true": [1.0, 0.0], "y_prob": [0.75, 0.5]}
    assert inspect(open_memory(shares), parse_specs("bce")).losses == ("binary-cross-entropy",)


def test_without_a_loss_asked_for_none_is_named_as_lacking_its_target(tmp_path: Path) -> None:
    path = tmp_path / "sub.csv"
    path.write_text("id,prob_0,prob_1\n1,0.25,0.75\n2,0.5,0.5\n")
    found = inspect(open_source(path))
    assert found.roles == {"pred": ("prob_0", "prob_1"), "target": None}
    assert found.why["target"] == (
        f'{path}: no column is clearly the target; there is "id" (an id), "prob_0" (numbers in [0, 1]), '
        '"prob_1" (numbers in [0, 1]). Hint: name it with --target, or give the file that holds it with --truth.'
    )


def test_an_array_of_logits_without_a_target_is_a_prediction() -> None:
    found = inspect(open_memory({"digits_logits": [[1.0, -2.0], [0.5, 3.0]]}))
    assert found.roles == {"pred": ("digits_logits",), "target": None}


def test_numbers_beyond_one_suit_no_loss_of_probabilities() -> None:
    found = inspect(open_memory({"y_true": [3.0, 5.0, 1.0], "y_pred": [2.5, 5.5, 1.0]})).losses
    assert {"mse", "mae", "huber"} <= set(found)
    assert not [spec for spec in found if spec.startswith(("binary", "focal", "balanced", "cross"))]


def test_classes_suit_the_input_that_their_values_are() -> None:
    shares = [[0.25, 0.75], [0.5, 0.5], [0.875, 0.125]]
    found = inspect(open_memory({"labels": [1, 0, 1], "probs": shares})).losses
    assert "cross-entropy:input=probs" in found
    assert "cross-entropy" not in found


def test_vectors_suit_the_loss_that_has_their_roles() -> None:
    vectors = [[1.0, 0.0], [0.5, 1.0]]
    found = inspect(open_memory({"anchor": vectors, "positive": vectors, "negative": vectors}))
    assert "triplet" in found.losses
    assert found.roles["anchor"] == ("anchor",)


def test_the_json_document_has_the_fields_of_the_contract_and_no_number_that_json_lacks() -> None:
    values = {"y_true": [1.0, float("inf")], "y_pred": [True, False], "v": [[1.0] * 9, [2.0] * 9]}
    document = as_json([inspect(open_memory(values), parse_specs("mae"))])
    parsed = json.loads(json.dumps(document, allow_nan=False))
    (file,) = parsed["files"]
    assert (parsed["schema"], list(file)) == (
        1,
        ["file", "format", "rows", "columns", "roles", "why", "losses"],
    )
    assert file["columns"][0]["max"] is None
    assert file["columns"][1]["examples"] == [True, False]
    assert file["columns"][2]["examples"][0] == [1.0] * 8
    assert file["roles"] == {"pred": ["y_pred"], "target": ["y_true"]}
