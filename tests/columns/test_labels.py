"""Labels that are compared with each other: two columns of words are coded alike. And scores where there are none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

import losscli
from losscli.columns.roles import assign
from losscli.errors import DataError, UsageError
from losscli.readers import open_source
from losscli.registry import parse_spec


def written(folder: Path, rows: Iterable[tuple[object, object]], names: str = "label,pred_label") -> str:
    path = folder / "labels.csv"
    path.write_text("\n".join([names, *(f"{target},{pred}" for target, pred in rows)]) + "\n", encoding="utf-8")
    return str(path)


def error_rate(path: str, **roles: str) -> float:
    return losscli.compute("zero-one", data=path, **roles).value


@pytest.mark.parametrize(
    "rows",
    [
        [("cat", "cat"), ("cat", "dog"), ("cow", "cow"), ("dog", "dog")],
        [(3, 3), (3, 2), (1, 1), (7, 7)],
        [("true", "true"), ("false", "true"), ("false", "false"), ("true", "true")],
    ],
    ids=["words", "numbers", "truth"],
)
def test_one_wrong_label_of_four_costs_a_quarter(tmp_path: Path, rows: list[tuple[object, object]]) -> None:
    path = written(tmp_path, rows)
    assert error_rate(path, pred="pred_label", target="label") == 0.25
    assert error_rate(path) == 0.25
    assert losscli.compute("hamming", data=path).value == 0.25


@pytest.mark.parametrize(
    "names",
    ["true_label,predicted_label", "y_true,y_pred", "actual,predicted", "target,prediction", "species,pred_species"],
)
def test_columns_of_words_are_found_by_their_names(tmp_path: Path, names: str) -> None:
    assert error_rate(written(tmp_path, [("a", "a"), ("b", "b"), ("c", "a"), ("c", "b")], names)) == 0.5


def test_a_word_that_comes_late_is_a_label_too(tmp_path: Path) -> None:
    rows = [("a", "a" if k % 2 else "b") for k in range(1500)] + [("common", "rare"), ("x", "x")]
    assert error_rate(written(tmp_path, rows)) == 751 / 1502


def test_a_label_that_is_never_true_is_wrong(tmp_path: Path) -> None:
    assert error_rate(written(tmp_path, [("a", "a"), ("a", "never"), ("b", "other"), ("b", "b")])) == 0.5


def test_another_spelling_of_a_true_label_is_right_and_it_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, [("HCM", "hcm"), ("DCM", "dcm"), ("hot dog", "Hot_dog"), ("DCM", "hcm")])
    assert error_rate(path) == 0.25
    assert assign(open_source(path), [parse_spec("zero-one")]).notes == (
        'using "label" as target and "pred_label" as pred',
        'the predicted label "Hot_dog" is the label "hot dog"',
    )


def test_spellings_that_are_two_true_labels_stay_two(tmp_path: Path) -> None:
    assert error_rate(written(tmp_path, [("a", "a"), ("A", "a"), ("A", "A"), ("a", "A")])) == 0.5


def test_columns_without_a_common_label_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, [("one", 1), ("two", 2)])
    with pytest.raises(UsageError) as caught:
        error_rate(path, pred="pred_label", target="label")
    assert str(caught.value) == (
        f'{path}: no label in "pred_label" ("1", "2") is one in "label" ("one", "two"). '
        "Hint: write the labels of both columns in one way."
    )


def test_a_missing_label_is_missing_not_wrong(tmp_path: Path) -> None:
    path = written(tmp_path, [("a", "a"), ("b", ""), ("b", "a")])
    with pytest.raises(DataError) as caught:
        error_rate(path)
    assert str(caught.value).startswith(f'{path}, row 2, column "pred_label": a value is missing.')
    assert losscli.compute("zero-one", data=path, nan="skip").value == 0.5


def test_probabilities_are_no_labels(tmp_path: Path) -> None:
    path = written(tmp_path, [(1, 0.8), (0, 0.3), (1, 0.6)], "y,p")
    with pytest.raises(UsageError):
        error_rate(path)


@pytest.mark.parametrize(
    ("loss", "hint"),
    [("cross-entropy", "add --input probs."), ("multi-margin", "if they are meant as scores, add --pred 'p_*'.")],
)
def test_a_loss_of_scores_without_other_inputs_takes_probabilities_only_where_they_are_meant(
    tmp_path: Path, loss: str, hint: str
) -> None:
    path = tmp_path / "probabilities.csv"
    path.write_text("label,p_a,p_b\na,0.75,0.25\nb,0.5,0.5\n", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        losscli.compute(loss, data=str(path))
    assert caught.value.hint == hint
    if loss == "multi-margin":
        assert losscli.compute(loss, data=str(path), pred="p_*", target="label").value == 0.375
