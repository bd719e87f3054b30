"""Columns of lists, with and without a query, and of the corners of boxes."""

from __future__ import annotations

import pytest

from losscli.loss import Scope
from tests.columns.cases import NEAR, NUMBERS, assigned, refusal

QUERIES = [2, 1, 2, 1, 2, 2]


@pytest.mark.parametrize("name", ["query", "qid", "query_id", "group_id", "session"])
def test_a_column_called_a_query_makes_rows_the_items_of_lists(name: str) -> None:
    columns = {name: QUERIES, "score": NEAR, "grade": NUMBERS}
    (call,) = assigned("ranknet", columns, pred=["score"], target=["grade"]).calls
    assert call.fields["query"].columns == (name,)
    assert call.loss.loss.scope is Scope.ALL
    assert call.loss.sees_all


def test_columns_side_by_side_are_a_list_in_each_row() -> None:
    columns = {"s_0": NEAR, "s_1": NUMBERS, "y_1": NUMBERS, "y_0": NEAR}
    (call,) = assigned("ranknet", columns, pred=["s_*"], target=["y_*"]).calls
    assert call.fields["pred"].columns == ("s_0", "s_1")
    assert call.fields["target"].columns == ("y_0", "y_1")
    assert call.loss.loss.scope is Scope.DATUM
    assert not call.loss.sees_all


@pytest.mark.parametrize("explicit", [{}, {"pred": ["score"]}, {"pred": ["score"], "target": ["grade"]}])
def test_one_item_a_row_needs_a_query(explicit: dict[str, list[str]]) -> None:
    columns = {"which": QUERIES, "score": NEAR, "grade": NUMBERS}
    assert refusal("ranknet", columns, **explicit) == (
        "preds.csv: ranknet takes a list in each row, or one item a row and a column that says which rows are one "
        "list. Hint: name that column with --query."
    )


CORNERS = {
    "as they are": ("x1", "y1", "x2", "y2"),
    "from zero": ("x0", "y0", "x1", "y1"),
    "ends of the axes": ("xmin", "ymin", "xmax", "ymax"),
    "parted": ("x_min", "y_min", "x_max", "y_max"),
    "edges": ("left", "top", "right", "bottom"),
}


@pytest.mark.parametrize("names", CORNERS.values(), ids=CORNERS)
@pytest.mark.parametrize("pattern", ["pred_{}", "{}_pred"])
def test_the_corners_of_a_box_are_found_by_their_names_in_any_order(names: tuple[str, ...], pattern: str) -> None:
    own = [pattern.format(name) for name in names]
    other = [f"true_{name}" for name in CORNERS["ends of the axes"]]
    columns = {name: NUMBERS for k in (0, 2, 1, 3) for name in (own[k], other[3 - k])}
    (call,) = assigned("giou", columns, pred=[pattern.format("*")], target=["true_*"]).calls
    assert call.fields["pred"].columns == tuple(own)
    assert call.fields["target"].columns == tuple(other)


def test_columns_of_a_box_with_other_names_stay_in_the_users_order() -> None:
    columns = dict.fromkeys(("p_a", "p_b", "p_c", "p_d", "t_d", "t_c", "t_b", "t_a"), NUMBERS)
    (call,) = assigned("iou", columns, pred=["p_*"], target=["t_*"]).calls
    assert call.fields["pred"].columns == ("p_a", "p_b", "p_c", "p_d")
    assert call.fields["target"].columns == ("t_a", "t_b", "t_c", "t_d")


def test_a_box_given_by_its_size_is_refused() -> None:
    columns = dict.fromkeys(("p_x", "p_y", "p_w", "p_h", "t_x", "t_y", "t_w", "t_h"), NUMBERS)
    assert refusal("iou", columns, pred=["p_*"], target=["t_*"]) == (
        '"t_w" and "t_h" are called sizes, and a box is two corners, x1, y1, x2, y2. Hint: make the second corner of '
        "the first and the sizes, and name the four columns."
    )
