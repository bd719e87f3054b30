"""Which column serves which role: on files as people write them, and as the user names columns."""

from __future__ import annotations

from collections import Counter

import pytest

from losscli.columns.roles import assign, select
from losscli.errors import DataError, LosscliError, UsageError
from losscli.readers.source import Column, Field
from losscli.registry import parse_spec
from tests.columns.cases import (
    NEAR,
    NUMBERS,
    Case,
    FixedSource,
    P,
    Values,
    Y,
    assigned,
    column,
    decided,
    refusal,
    table,
)
from tests.columns.survey import cases


def answer(case: Case) -> tuple[tuple[tuple[str | None, str], ...], tuple[str, ...] | None] | None:
    """The pairs of prediction and target that were found, with the words of the labels; None for a question."""
    try:
        found = assign(case.source, [parse_spec(case.loss)])
    except LosscliError:
        return None
    pairs = tuple((call.pred, case.source.column(call.fields["target"].columns[0]).name) for call in found.calls)
    return pairs, found.calls[0].fields["target"].words


def is_right(case: Case) -> bool:
    found = answer(case)
    if found is None or case.right is None:
        return found is None and case.right is None
    return found[0] == case.right and (case.words is None or found[1] == case.words)


# --- files as people write them ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_file_gets_its_columns_or_a_question(case: Case) -> None:
    assert is_right(case), answer(case)


def test_no_file_is_read_wrongly_and_nine_in_ten_with_both_columns_are_right() -> None:
    score = Counter("right" if is_right(case) else "asked" if answer(case) is None else "wrong" for case in cases())
    both = [case for case in cases() if case.right is not None]
    assert score["wrong"] == 0
    assert sum(map(is_right, both)) >= 0.9 * len(both)


def test_the_scoreboard_sees_a_wrong_column() -> None:
    case = Case("exchanged", "mae", table({"y_true": NUMBERS, "y_pred": NEAR}), (("y_true", "y_pred"),))
    assert not is_right(case)


@pytest.mark.parametrize("case", [case for case in cases() if case.right is not None], ids=str)
def test_the_order_of_the_columns_does_not_decide(case: Case) -> None:
    """Classes and models follow the file's order; which columns they are does not."""
    reversed_source = FixedSource(reversed(case.source.columns))
    turned = Case(case.name, case.loss, reversed_source, case.right)
    found, before = answer(turned), answer(case)
    assert found is not None
    assert before is not None
    assert {_unordered(pair) for pair in found[0]} == {_unordered(pair) for pair in before[0]}


def _unordered(pair: tuple[str | None, str]) -> tuple[frozenset[str], str]:
    return frozenset((pair[0] or "").split(",")), pair[1]


# --- what the user names ----------------------------------------------------------------------------------------------


def test_a_column_is_found_by_name_by_position_and_by_the_words_of_its_name() -> None:
    source = table({"id": Y, "Actual Price": NUMBERS, "price.hat": NEAR})
    for selector in ("Actual Price", "#2", "actual_price", "ActualPrice"):
        assert [found.name for found in select(source, selector)] == ["Actual Price"]


def test_an_exact_name_comes_before_a_similar_one() -> None:
    source = table({"y_pred": NUMBERS, "Y_Pred": NEAR})
    assert [found.name for found in select(source, "Y_Pred")] == ["Y_Pred"]
    with pytest.raises(UsageError):
        select(source, "y-pred")


def test_a_name_with_brackets_is_no_glob() -> None:
    source = table({"p[0]": P, "p0": NEAR})
    assert [found.name for found in select(source, "p[0]")] == ["p[0]"]


def test_an_unknown_column_is_answered_with_the_columns_and_the_closest_name() -> None:
    with pytest.raises(UsageError) as caught:
        select(table({"id": Y, "target": NUMBERS, "pred": NEAR}), "taget")
    assert str(caught.value) == (
        'preds.csv has no column "taget"; it has "id", "target", "pred". Hint: did you mean "target"?'
    )


def test_a_glob_that_nothing_matches_says_so() -> None:
    with pytest.raises(UsageError) as caught:
        select(table({"y": NUMBERS}), "p_*")
    assert str(caught.value) == 'preds.csv has no column like "p_*"; it has "y".'


def test_a_position_beyond_the_columns_says_how_many_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        select(table({"y": NUMBERS, "p": P}), "#3")
    assert str(caught.value) == "preds.csv has no column #3. Hint: it has 2 columns, #1 to #2."


def test_a_name_that_two_columns_have_is_refused_with_their_positions() -> None:
    twice = FixedSource([Column("y", "y", "preds.csv", "number"), Column("#2", "y", "preds.csv", "number")])
    with pytest.raises(DataError) as caught:
        select(twice, "y")
    assert str(caught.value) == ('preds.csv: 2 columns are called "y". Hint: select one by its position: #1 or #2.')
    assert [found.key for found in select(twice, "#2")] == ["#2"]


def test_a_repeated_name_is_refused_too_where_it_was_found() -> None:
    columns = [
        column("y_true", NUMBERS),
        column("y_pred", NEAR),
        Column("#3", "y_pred", "preds.csv", "number", (), tuple(NEAR)),
    ]
    with pytest.raises(DataError) as caught:
        assign(FixedSource(columns), [parse_spec("mae")])
    assert str(caught.value) == (
        'preds.csv: 2 columns are called "y_pred". Hint: select one by its position: #2 or #3.'
    )


def test_what_was_named_is_not_repeated_in_the_notes() -> None:
    columns = {"a": NUMBERS, "b": NEAR}
    assert assigned("mae", columns, target=["a"], pred=["b"]).notes == ()
    assert assigned("mae", {"y_true": NUMBERS, "b": NEAR}, pred=["b"]).notes == ('using "y_true" as target',)


def test_what_was_found_is_said_once_for_all_losses() -> None:
    found = assigned("mae,mse", {"y_true": NUMBERS, "p_rf": NEAR, "p_lr": NEAR[::-1]}, pred=["p_*"])
    assert [(call.loss.spec, call.pred) for call in found.calls] == [
        ("mae", "p_rf"),
        ("mae", "p_lr"),
        ("mse", "p_rf"),
        ("mse", "p_lr"),
    ]
    assert found.notes == ('using "y_true" as target',)


def test_a_glob_is_one_matrix_for_a_loss_over_classes() -> None:
    columns = {"y": [0, 2, 1, 0, 1, 2], "z_0": NUMBERS, "z_1": NEAR, "z_2": P}
    (call,) = assigned("ce", columns, pred=["z_*"], target=["y"]).calls
    assert call.fields == {"pred": Field(("z_0", "z_1", "z_2"), matrix=True), "target": Field(("y",))}
    assert call.pred == "z_*"


def test_columns_named_one_by_one_are_one_matrix_and_several_globs_are_several_models() -> None:
    columns = {"y": [0, 1, 1, 0, 1, 0], "a_0": NUMBERS, "a_1": NEAR, "b_0": NEAR, "b_1": NUMBERS}
    (call,) = assigned("ce", columns, pred=["a_0", "a_1"], target=["y"]).calls
    assert (call.pred, call.fields["pred"]) == ("a_*", Field(("a_0", "a_1"), matrix=True))
    calls = assigned("ce", columns, pred=["a_*", "b_*"], target=["y"]).calls
    assert [call.fields["pred"].columns for call in calls] == [("a_0", "a_1"), ("b_0", "b_1")]


def test_one_column_is_not_enough_for_a_loss_over_classes() -> None:
    assert refusal("ce", {"y": Y, "p": P}, pred=["p"], target=["y"]) == (
        'cross-entropy takes one column for each class; "p" is one column. '
        "Hint: name all of them, for example with a glob: --pred 'prob_*'."
    )


def test_probabilities_named_as_logits_are_taken_with_a_note() -> None:
    columns = {"y": Y, "p_0": [1 - p for p in P], "p_1": P}
    found = assigned("ce", columns, pred=["p_*"], target=["y"])
    assert found.notes == ('the rows of "p_*" sum to 1: if they are probabilities, add --input probs',)


def test_several_targets_pair_with_predictions_by_their_common_ending() -> None:
    columns = {"t_h": NUMBERS, "t_w": NEAR, "m_w": NEAR, "m_h": NUMBERS}
    calls = assigned("mae", columns, target=["t_*"], pred=["m_*"]).calls
    assert [(call.fields["target"].columns, call.fields["pred"].columns) for call in calls] == [
        (("t_h",), ("m_h",)),
        (("t_w",), ("m_w",)),
    ]


SOFT = {"p_0": P, "p_1": P, "p_2": P, "q_2": P, "q_0": P, "q_1": P}


def test_the_columns_of_a_soft_target_are_in_the_order_of_the_prediction_s() -> None:
    (call,) = assigned("ce:input=probs", SOFT, pred=["p_*"], target=["q_*"]).calls
    assert call.fields == {
        "pred": Field(("p_0", "p_1", "p_2"), matrix=True),
        "target": Field(("q_0", "q_1", "q_2"), matrix=True),
    }
    columns = {"pCat": P, "pDog": P, "q_dog": P, "q_cat": P}
    (call,) = assigned("ce:input=probs", columns, pred=["pCat", "pDog"], target=["q_*"]).calls
    assert call.fields["target"].columns == ("q_cat", "q_dog")


def test_the_numbered_columns_of_a_soft_target_beside_an_array_go_by_their_numbers() -> None:
    columns = {"logits": [(1.0, 2.0)] * 6, "q_1": P, "q_0": P}
    (call,) = assigned("ce", columns, pred=["logits"], target=["q_*"]).calls
    assert call.fields["target"].columns == ("q_0", "q_1")


def test_a_soft_target_of_other_endings_is_refused() -> None:
    columns = {"p_0": P, "p_1": P, "q_1": P, "q_2": P}
    assert refusal("ce:input=probs", columns, pred=["p_*"], target=["q_*"]) == (
        'preds.csv: the columns "q_*" and "p_*" have other endings: "q_1", "q_2" beside "p_0", "p_1". '
        "Hint: a target and a prediction of several columns pair by their endings, as q_cat and p_cat do."
    )


def test_one_column_for_two_roles_is_refused() -> None:
    assert refusal("mae", {"y": NUMBERS, "pred_knn": NEAR}, pred=["pred_knn"], target=["pred_knn"]) == (
        'preds.csv: "pred_knn" cannot be both pred and target. Hint: name another column with --pred or --target.'
    )


def test_targets_that_do_not_pair_are_an_error() -> None:
    columns = {"height": NUMBERS, "weight": NEAR, "model": NEAR}
    assert refusal("mae", columns, target=["height", "weight"], pred=["model"]) == (
        'mae: nothing says which of the targets "height", "weight" "model" predicts. '
        "Hint: targets and predictions pair by their common ending, as target_height and pred_height do."
    )


def test_files_of_one_role_each_are_found_by_the_role() -> None:
    """A file's own name for its column may be that of another role."""
    columns = [
        Column("pred", "target", "a.npy", "number", (), tuple(NEAR)),
        Column("target", "pred", "b.npy", "number", (), tuple(NUMBERS)),
    ]
    (call,) = assign(FixedSource(columns), [parse_spec("mae")], {"pred": ["pred"], "target": ["target"]}).calls
    assert call.fields == {"pred": Field(("pred",)), "target": Field(("target",))}


def test_a_target_is_looked_for_in_the_file_of_the_truth_first() -> None:
    source = table({"id": Y, "y": NEAR}, {"id": Y, "y": NUMBERS})
    (call,) = assign(source, [parse_spec("mae")], {"pred": ["y"], "target": ["y"]}).calls
    assert call.fields == {"pred": Field(("y",)), "target": Field(("truth::y",))}
    assert assign(source, [parse_spec("mae")]).notes == ('using "y" of the truth as target and "y" as pred',)


def test_a_column_of_the_truth_is_told_from_one_of_the_same_name() -> None:
    source = table({"id": Y, "prediction": NEAR}, {"id": Y, "prediction": NUMBERS})
    found = assign(source, [parse_spec("mae")], {"target": ["prediction"]})
    assert found.notes == ('using "prediction" of the truth as target and "prediction" as pred',)
    with pytest.raises(UsageError) as caught:
        assign(source, [parse_spec("mae")])
    assert str(caught.value) == (
        'preds.csv: no column is clearly the target of mae; there is "id" (an id), "prediction" (numbers), '
        '"id" of the truth (an id), "prediction" of the truth (numbers). Hint: name it with --target.'
    )


# --- roles of other losses --------------------------------------------------------------------------------------------

VECTORS = [(1.0, 2.0), (2.0, 3.0), (0.5, 1.0), (1.0, 1.0), (2.0, 2.0), (3.0, 1.0)]


def test_contrastive_takes_vectors_or_distances_as_the_file_has_them() -> None:
    (pairs,) = assigned("contrastive", {"first": VECTORS, "second": VECTORS, "similar": Y}).calls
    assert (tuple(pairs.fields), pairs.pred) == (("first", "second", "similar"), None)
    (distances,) = assigned("contrastive", {"distance": NUMBERS, "label": Y}).calls
    assert distances.fields == {"distance": Field(("distance",)), "similar": Field(("label",))}


def test_contrastive_asks_where_a_file_has_both() -> None:
    columns = {"first": VECTORS, "second": VECTORS, "distance": NUMBERS, "similar": Y}
    assert refusal("contrastive", columns) == (
        "preds.csv: contrastive could be computed from first, second, similar and distance, similar. "
        "Hint: name one with --first or --distance."
    )
    (call,) = assigned("contrastive", columns, distance=["distance"]).calls
    assert tuple(call.fields) == ("distance", "similar")


def test_a_column_of_the_role_s_own_name_is_taken_whatever_it_holds() -> None:
    """The check of the data names the row of a wrong code; "no column" would be a wrong diagnosis."""
    (call,) = assigned("contrastive", {"distance": NUMBERS, "similar": [1, 0, -1, 1, 0, 1]}).calls
    assert call.fields == {"distance": Field(("distance",)), "similar": Field(("similar",))}


def test_the_vectors_of_two_roles_are_in_one_order() -> None:
    columns = {"first_0": NUMBERS, "first_1": NEAR, "second_1": NEAR, "second_0": NUMBERS, "similar": Y}
    (call,) = assigned("contrastive", columns).calls
    assert call.fields["second"] == Field(("second_0", "second_1"), matrix=True)


def test_roles_of_two_forms_do_not_mix() -> None:
    columns = {"first": VECTORS, "distance": NUMBERS, "similar": Y}
    assert refusal("contrastive", columns, first=["first"], distance=["distance"]) == (
        "contrastive takes first, second, similar or distance, similar, not first, distance."
    )


def test_numbered_columns_are_the_vectors_of_a_triplet() -> None:
    columns = {f"{role}_{k}": NUMBERS for role in ("anchor", "positive", "negative") for k in range(2)}
    (call,) = assigned("triplet", columns).calls
    assert call.fields["negative"] == Field(("negative_0", "negative_1"), matrix=True)


def test_a_column_of_numbers_far_from_a_distance_is_none() -> None:
    message = refusal("contrastive", {"dist_to_cluster0": NUMBERS, "similar": Y})
    assert message.startswith("preds.csv: no column is clearly the first of contrastive; there is ")


# --- questions --------------------------------------------------------------------------------------------------------


def test_two_targets_are_listed_with_the_remedy() -> None:
    assert refusal("mae", {"actual": NUMBERS, "Target": NEAR, "pred": NEAR}) == (
        'preds.csv: "actual" and "Target" could both be the target of mae. '
        "Hint: say which: --target actual or --target Target."
    )


def test_a_name_with_blanks_is_quoted_for_the_shell() -> None:
    assert refusal("mae", {"True Value": NUMBERS, "target": NEAR, "pred": NEAR}) == (
        'preds.csv: "True Value" and "target" could both be the target of mae. '
        "Hint: say which: --target 'True Value' or --target target."
    )


def test_a_file_without_a_target_lists_what_its_columns_look_like() -> None:
    assert refusal("mae", {"PassengerId": [1, 2, 3], "Survived": [0, 1, 1], "abs_error": [1.5, 0.5, 1.0]}) == (
        'preds.csv: no column is clearly the target of mae; there is "PassengerId" (an id), "Survived" (0 or 1), '
        '"abs_error" (an error). Hint: name it with --target, or give the file that holds it with --truth.'
    )


@pytest.mark.parametrize("name", ["p", "prob", "p_spam"])
def test_a_probability_just_outside_its_interval_is_still_one(name: str) -> None:
    (call,) = assigned("bce", {"y": [1, 0], name: [1.0000001, 0.2]}).calls
    assert call.fields["pred"] == Field((name,))


def test_numbers_kept_as_text_are_told_how_they_are_read() -> None:
    columns = {"y": ["1.5", "2"], "yhat": ["1", "2.5"]}
    assert refusal("mae", columns) == (
        'preds.csv: "y" looks like the target, but holds words where mae takes numbers. '
        "Hint: it holds numbers as text; -p yhat -t y reads them as numbers."
    )


def test_columns_of_one_name_go_by_position() -> None:
    source = FixedSource([column("y", NUMBERS), column("p", NEAR), column("p", NUMBERS)])
    with pytest.raises(UsageError) as caught:
        assign(source, [parse_spec("mae")])
    assert str(caught.value) == (
        'preds.csv: no column is clearly the pred of mae; there is "y" (numbers), "p" (numbers), "p" (numbers). '
        "Hint: name it with --pred; columns of one name go by position, such as --pred '#2'."
    )


def test_probabilities_are_never_taken_for_logits() -> None:
    columns = {"label": ["a", "b"] * 3, "prob_a": P, "prob_b": [1 - p for p in P]}
    assert refusal("ce", columns) == (
        'preds.csv: "prob_*" holds probabilities where cross-entropy takes logits. Hint: add --input probs.'
    )
    vectors = {"labels": Y, "probs": [(p, 1 - p) for p in P]}
    assert refusal("ce", vectors) == (
        'preds.csv: "probs" holds probabilities where cross-entropy takes logits. Hint: add --input probs.'
    )


def test_a_binary_loss_refuses_three_classes() -> None:
    values = Values(7)
    labels = values.among(("cat", "dog", "owl"))
    shares = values.classes(labels, ("cat", "dog", "owl"))
    columns = {"truth": labels, "prob_cat": shares[0], "prob_dog": shares[1], "prob_owl": shares[2]}
    assert refusal("bce", columns) == (
        'preds.csv: "prob_*" has 3 classes, but binary-cross-entropy is a loss of two. '
        "Hint: cross-entropy --input probs takes all of them; --pred names one."
    )


def test_a_label_that_is_always_the_largest_class_may_be_a_prediction() -> None:
    values = Values(8)
    shares = values.classes(values.among(("cat", "dog")), ("cat", "dog"))
    label = decided(shares[1], ("cat", "dog"))
    assert refusal("ce:input=probs", {"label": label, "prob_cat": shares[0], "prob_dog": shares[1]}) == (
        'preds.csv: "label" may be the target or a prediction: it is always the largest of "prob_*". '
        "Hint: if it is the target, add --target label; if not, give the truth with --truth."
    )


def test_of_labels_as_words_and_as_codes_each_loss_takes_its_own() -> None:
    values = Values(9)
    label = values.among(("cat", "dog"))
    shares = values.classes(label, ("cat", "dog"))
    codes = [int(each == "dog") for each in label]
    columns = {"true_label": label, "true_label_id": codes, "prob_cat": shares[0], "prob_dog": shares[1]}
    over_classes = assigned("ce:input=probs", columns).calls[0]
    assert over_classes.fields["target"] == Field(("true_label",), words=("cat", "dog"))
    of_one = assigned("bce", {**columns, "y_prob": shares[1]}, pred=["y_prob"]).calls[0]
    assert of_one.fields["target"] == Field(("true_label_id",))
