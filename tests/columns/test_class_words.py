"""Labels that are words: which class column or which side of a binary loss each one means, and names of columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from losscli.columns.roles import assign
from losscli.errors import UsageError
from losscli.names import read_name, words
from losscli.readers import open_source
from losscli.readers.source import Field
from losscli.registry import parse_spec
from tests.columns.cases import NEAR, NUMBERS, P, Y, assigned, refusal

# --- labels that are words --------------------------------------------------------------------------------------------

WORDS = ["B", "M", "M", "B", "M", "B"]


def test_two_words_without_an_obvious_positive_one_are_a_question() -> None:
    assert refusal("bce", {"diagnosis": WORDS, "p": P}, target=["diagnosis"], pred=["p"]) == (
        '"diagnosis" holds the words "B" and "M"; nothing says which is the positive class. '
        "Hint: say it with --positive-label B or --positive-label M."
    )


@pytest.mark.parametrize(("positive", "right"), [("M", ("B", "M")), ("B", ("M", "B")), ("m", ("B", "M"))])
def test_the_user_says_which_word_is_positive(positive: str, right: tuple[str, str]) -> None:
    found = assigned("bce", {"diagnosis": WORDS, "p": P}, positive, target=["diagnosis"], pred=["p"])
    assert found.calls[0].fields["target"] == Field(("diagnosis",), words=right)


def test_a_positive_word_that_is_no_label_is_refused() -> None:
    assert refusal("bce", {"diagnosis": WORDS, "p": P}, "malignant", target=["diagnosis"], pred=["p"]) == (
        '--positive-label "malignant" is no label of "diagnosis". Hint: the labels are "B" and "M".'
    )


def test_three_words_are_too_many_for_a_binary_loss() -> None:
    assert refusal("bce", {"y": ["a", "b", "c", "a", "b", "c"], "p": P}, target=["y"], pred=["p"]) == (
        '"y" holds 3 words ("a", "b", "c") where a binary loss takes two. '
        "Hint: a loss over several classes is cross-entropy."
    )


def test_the_class_in_the_probability_s_name_is_the_positive_one_even_where_the_word_is_negative() -> None:
    columns = {"sentiment": ["positive" if y else "negative" for y in Y], "prob_negative": P}
    found = assigned("bce", columns, target=["sentiment"], pred=["prob_negative"])
    assert found.calls[0].fields["target"].words == ("positive", "negative")
    assert found.notes == ('"negative" is the positive class (the name of "prob_negative" says so)',)


@pytest.mark.parametrize(
    ("negative", "positive"),
    [("no", "yes"), ("False.", "True."), ("ham", "spam"), ("not_fraud", "fraud"), ("NEG", "POS")],
)
def test_a_word_and_its_negation_need_no_question(negative: str, positive: str) -> None:
    found = assigned("bce", {"y": [positive if y else negative for y in Y], "p": P}, target=["y"], pred=["p"])
    assert found.calls[0].fields["target"].words == (negative, positive)


def test_labels_match_the_endings_of_class_columns_without_regard_to_case_and_blanks() -> None:
    columns = {"species": ["Hot Dog", "cat", "CAT"][:2] * 3, "p_hot_dog": P, "p_Cat": [1 - p for p in P]}
    found = assigned("ce:input=probs", columns, target=["species"], pred=["p_*"])
    assert found.calls[0].fields["target"].words == ("Hot Dog", "cat")
    assert found.notes == ('the label "Hot Dog" is the class column that ends in "hot_dog"',)


def test_a_label_that_the_sample_does_not_show_is_the_ending_of_its_column() -> None:
    columns = {"species": ["cat"] * 6, "prob_cat": P, "prob_dog": [1 - p for p in P]}
    found = assigned("ce:input=probs", columns, target=["species"], pred=["prob_*"])
    assert found.calls[0].fields["target"].words == ("cat", "dog")


def test_labels_that_differ_in_case_only_are_refused() -> None:
    columns = {"label": ["HCM", "hcm", "DCM"] * 2, "p_hcm": P, "p_dcm": [1 - p for p in P]}
    assert refusal("ce:input=probs", columns, target=["label"], pred=["p_*"]) == (
        'the labels "HCM" and "hcm" both fit the column "p_hcm". Hint: write each class in one way.'
    )


def test_words_that_are_no_endings_are_refused() -> None:
    columns = {"label": ["cat", "dog"] * 3, "p_0": P, "p_1": [1 - p for p in P]}
    assert refusal("ce:input=probs", columns, target=["label"], pred=["p_*"]) == (
        'preds.csv: the labels in "label" ("cat", "dog") are not the endings of the class columns (0, 1). Hint: name '
        "the class columns by their labels, or number the classes 0 .. C-1 in the order of the columns."
    )


def test_labels_that_differ_in_case_only_have_the_columns_that_end_in_them_exactly() -> None:
    columns = {"label": ["A", "a", "b"] * 2, "prob_a": P, "prob_A": [0.9 - p for p in P], "prob_b": [0.1] * 6}
    found = assigned("ce:input=probs", columns, target=["label"], pred=["prob_*"])
    assert found.calls[0].fields["target"] == Field(("label",), words=("a", "A", "b"))
    assert assigned("ce:input=probs", columns).calls[0].fields == found.calls[0].fields


def test_columns_that_the_user_calls_classes_need_no_word_that_says_so() -> None:
    columns = {"label": ["cat", "dog"] * 3, "z_dog": NUMBERS, "z_cat": NEAR}
    (call,) = assigned("ce", columns, pred=["z_*"], target=["label"]).calls
    assert call.fields["target"] == Field(("label",), words=("dog", "cat"))


def test_a_column_that_differs_in_case_only_from_a_label_is_another_class() -> None:
    columns = {"label": ["A", "b"] * 3, "prob_a": P, "prob_A": [0.9 - p for p in P], "prob_b": [0.1] * 6}
    found = assigned("ce:input=probs", columns, target=["label"])
    assert found.calls[0].fields == {
        "pred": Field(("prob_a", "prob_A", "prob_b"), matrix=True),
        "target": Field(("label",), words=("a", "A", "b")),
    }


@pytest.mark.parametrize("ignored", [-100, 255])
def test_the_label_that_is_ignored_is_no_class(ignored: int) -> None:
    columns = {"label": [0, ignored, 2, 1, 0, 2], "logit_0": NUMBERS, "logit_1": NEAR, "logit_2": NEAR[::-1]}
    for explicit in ({}, {"pred": ["logit_*"], "target": ["label"]}):
        (call,) = assigned(f"ce:ignore-index={ignored}", columns, **explicit).calls
        assert call.fields == {
            "pred": Field(("logit_0", "logit_1", "logit_2"), matrix=True),
            "target": Field(("label",)),
        }


def test_an_ignored_label_is_refused_where_the_classes_are_words() -> None:
    columns = {"label": ["cat", "dog"] * 3, "z_cat": NUMBERS, "z_dog": NEAR}
    assert refusal("ce:ignore-index=1", columns, pred=["z_*"], target=["label"]) == (
        "preds.csv: --ignore-index 1 takes classes 0 .. C-1 in the order of the columns, but the classes in "
        '"label" are found by the endings of "z_*". '
        "Hint: number the classes and their columns 0 .. C-1, or leave rows out with --where."
    )


def test_class_columns_in_another_order_than_the_numbers_keep_the_file_s_order() -> None:
    columns = {"label": Y, "p_1": P, "p_0": [1 - p for p in P]}
    (call,) = assigned("ce:input=probs", columns, target=["label"], pred=["p_*"]).calls
    assert call.fields == {"pred": Field(("p_1", "p_0"), matrix=True), "target": Field(("label",), words=("1", "0"))}


def test_numbers_without_words_in_the_columns_are_positions_and_that_is_said() -> None:
    columns = {"label": Y, "p_cat": P, "p_dog": [1 - p for p in P]}
    found = assigned("ce:input=probs", columns, target=["label"], pred=["p_*"])
    assert found.calls[0].fields["target"].words is None
    assert found.notes == ("the classes are 0 .. 1 in the order of the columns: cat, dog",)


def test_a_file_sorted_by_class_is_read_on_for_the_second_word(tmp_path: Path) -> None:
    rows = [f"{'ill' if row >= 3000 else 'well'},{0.1 + row / 10_000}" for row in range(4000)]
    path = tmp_path / "sorted.csv"
    path.write_text("\n".join(["truth,prob_ill", *rows]) + "\n")
    (call,) = assign(open_source(path), [parse_spec("bce")]).calls
    assert call.fields["target"] == Field(("truth",), words=("well", "ill"))


def test_one_word_in_all_of_a_file_is_not_enough(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("truth,prob\nwell,0.5\nwell,0.25\n")
    with pytest.raises(UsageError) as caught:
        assign(open_source(path), [parse_spec("bce")])
    assert str(caught.value) == '"truth" holds 1 word ("well") where a binary loss takes two.'


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("PassengerId", ("passenger", "id")),
        ("y_pred.1", ("y", "pred", "1")),
        ("LSTM Prediction", ("lstm", "prediction")),
        ("XGBoostPred", ("xg", "boost", "pred")),
        ("Unnamed: 0", ("unnamed", "0")),
        ("ŷ", ("ŷ",)),
    ],
)
def test_names_part_at_blanks_dots_digits_and_camel_case(name: str, right: tuple[str, ...]) -> None:
    assert words(name) == right


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("", "an index"),
        ("Unnamed: 0", "an index"),
        ("image_path", "an id"),
        ("customerID", "an id"),
        ("label_id", ""),
        ("prediction_time_utc", "a date or time"),
        ("fold", "a group"),
        ("model_a", ""),
        ("abs_error", "an error"),
        ("residual", "an error"),
        ("is_correct", "whether the prediction is right"),
        ("correct_label", ""),
        ("yhat_lower", "a bound or a spread"),
        ("max_probability", ""),
    ],
)
def test_a_name_tells_what_a_column_is_instead(name: str, right: str) -> None:
    assert read_name(name).aside == right
