"""How losses of order relate to each other, and that lists are the same in a matrix and as rows with a query."""

from __future__ import annotations

import itertools
import math

import pytest
import sklearn.metrics
import torch
from torch import Tensor

import losscli
from losscli.losses._stable import lists as list_numerics
from losscli.registry import parse_spec

OF_LISTS = ("ranking-softmax", "ranknet", "list-mle", "approx-ndcg")


def of(spec: str, *roles: Tensor) -> Tensor:
    return parse_spec(spec)(*roles)


def close(expected: Tensor, actual: Tensor, relative: float = 4e-15) -> None:
    torch.testing.assert_close(actual, expected, rtol=relative, atol=0)


def lists(n: int = 12, length: int = 7) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    pred = torch.randn(n, length, generator=generator, dtype=torch.float64)
    return pred, torch.randint(1, 5, (n, length), generator=generator).double()


def of_many_lengths(n: int = 200, queries: int = 40) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(2)
    pred = torch.randn(n, generator=generator, dtype=torch.float64)
    query = (queries * torch.rand(n, generator=generator) ** 3).floor().double()
    return pred, torch.randint(1, 5, (n,), generator=generator).double(), query


# --- pairs ------------------------------------------------------------------------------------------------------------


def test_margin_ranking_is_the_hinge_of_the_difference() -> None:
    first, second = lists()[0].flatten(), lists()[1].flatten()
    order = torch.where(first.abs() < 1, 1.0, -1.0).double()
    close(of("hinge:margin=0.5", first - second, order), of("margin-ranking:margin=0.5", first, second, order), 1e-12)


def test_a_list_of_two_is_a_pair() -> None:
    pred = lists(20, 2)[0]
    target = torch.tensor([[1.0, 0.0]], dtype=torch.float64).expand(20, 2)
    expected = of("soft-margin", pred[:, 0] - pred[:, 1], torch.ones(20, dtype=torch.float64))
    for name in ("ranknet", "list-mle", "ranking-softmax"):
        close(expected, of(name, pred, target), 1e-14)


def test_ranknet_is_the_mean_over_the_pairs_that_have_an_order() -> None:
    pred, target = lists()
    for k in range(len(pred)):
        items = list(zip(pred[k].tolist(), target[k].tolist()))
        pairs = [math.log1p(math.exp(t - s)) for s, a in items for t, b in items if a > b]
        assert of("ranknet", pred[k : k + 1], target[k : k + 1]).item() == pytest.approx(sum(pairs) / len(pairs))


def test_a_list_without_an_order_has_no_pairs_and_costs_nothing() -> None:
    pred = lists(1)[0]
    assert of("ranknet", pred, torch.full_like(pred, 2.0)).item() == 0


# --- whole lists ------------------------------------------------------------------------------------------------------


def test_with_one_relevant_item_ranking_softmax_is_cross_entropy() -> None:
    pred, _ = lists()
    index = torch.arange(len(pred)) % pred.shape[1]
    target = torch.nn.functional.one_hot(index, pred.shape[1]).double()
    close(of("cross-entropy", pred, index.double()), of("ranking-softmax", pred, target))


def test_the_probabilities_of_all_orders_of_a_list_sum_to_one() -> None:
    pred = lists(1, 5)[0]
    orders = torch.tensor(list(itertools.permutations(range(5))), dtype=torch.float64)
    losses = of("list-mle", pred.expand(len(orders), 5), orders)
    assert torch.exp(-losses).sum().item() == pytest.approx(1, rel=1e-13)


def test_list_mle_is_the_sum_of_the_softmaxes_of_what_is_left() -> None:
    pred, target = lists(6, 65)
    order = target.argsort(dim=1, descending=True, stable=True)
    scores = pred.gather(1, order)
    expected = sum(torch.logsumexp(scores[:, k:], 1) - scores[:, k] for k in range(65))
    close(expected, of("list-mle", pred, target), 1e-14)


def test_at_a_low_temperature_approx_ndcg_is_ndcg() -> None:
    pred, target = lists()
    for k in range(len(pred)):
        score = sklearn.metrics.ndcg_score([2 ** target[k].numpy() - 1], [pred[k].numpy()])
        loss = of("approx-ndcg:temperature=0.0001", pred[k : k + 1], target[k : k + 1]).item()
        assert loss == pytest.approx(1 - score, abs=1e-13)


def test_lists_without_a_relevant_item_do_not_count_in_approx_ndcg() -> None:
    pred, target = lists(4)
    target[1] = 0
    record = losscli.compute("approx-ndcg", pred=pred, target=target)[0]
    others = losscli.compute("approx-ndcg", pred=pred[[0, 2, 3]], target=target[[0, 2, 3]])[0]
    assert (record.value, record.n) == (others.value, 3)
    query = torch.arange(4.0).repeat_interleave(7)
    rows = losscli.compute("approx-ndcg", pred=pred.flatten(), target=target.flatten(), query=query)[0]
    assert (rows.value, rows.n) == (others.value, 3)


# --- lists as rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OF_LISTS)
def test_rows_with_a_query_are_the_lists_of_a_matrix_to_the_bit(name: str) -> None:
    pred, target = lists()
    query = torch.arange(12.0).repeat_interleave(7)
    # The rows of a query stay in their order, but those of all queries are mixed.
    mixed = torch.arange(84).reshape(12, 7).t().reshape(-1)
    rows = [values[mixed] for values in (pred.flatten(), target.flatten(), query)]
    values = of(name, *rows)
    assert torch.equal(values[:12], of(name, pred, target))
    assert torch.equal(values[12:], torch.zeros(72, dtype=torch.float64))
    named = dict(zip(("pred", "target", "query"), rows))
    assert parse_spec(name).weights(named).tolist() == [1.0] * 12 + [0.0] * 72
    matrix = losscli.compute(name, pred=pred, target=target)[0]
    record = losscli.compute(name, **named)[0]
    assert (record.value, record.n, record.std_error) == (matrix.value, 12, matrix.std_error)


@pytest.mark.parametrize("name", OF_LISTS)
def test_a_list_has_the_same_bits_whatever_lists_stand_beside_it(name: str) -> None:
    roles = of_many_lengths()
    values = of(name, *roles)
    for query in roles[2].unique().tolist():
        own = roles[2] == query
        alone = of(name, *(role[own] for role in roles))
        assert torch.equal(values[own], alone)


@pytest.mark.parametrize("name", OF_LISTS)
def test_a_missing_value_is_missing_in_its_list_only(name: str) -> None:
    pred, target, query = of_many_lengths()
    expected = of(name, pred, target, query)
    pred[query == query[5]] = torch.where(torch.arange(int((query == query[5]).sum())) == 1, math.nan, 0.0).double()
    found = of(name, pred, target, query)
    first = int(torch.nonzero(query == query[5])[0])
    assert torch.nonzero(torch.isnan(found)).flatten().tolist() == [first]
    others = query != query[5]
    assert torch.equal(found[others], expected[others])


@pytest.mark.parametrize("name", ["ranknet", "approx-ndcg"])
def test_blocks_of_pairs_do_not_change_a_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pred, target = lists(5, 40)
    expected = of(name, pred, target)
    monkeypatch.setattr(list_numerics, "PAIRS", 600)
    assert torch.equal(of(name, pred, target), expected)


def test_the_weight_of_a_list_is_that_of_its_first_row() -> None:
    table = {"pred": [1.0, 0.0, 2.0, 0.0], "target": [1, 0, 0, 1], "query": ["b", "b", "a", "a"], "w": [3.0, 9, 1, 9]}
    losses = [losscli.compute("ranknet", pred=[[1.0, 0.0]], target=[[1, 0]])[0].value]
    losses += [losscli.compute("ranknet", pred=[[2.0, 0.0]], target=[[0, 1]])[0].value]
    record = losscli.compute("ranknet", data=table, weight="w")[0]
    assert record.value == pytest.approx((3 * losses[0] + losses[1]) / 4, rel=1e-15)
    assert (record.n, record.weight_sum) == (2, 4.0)


def test_queries_may_be_words_and_large_numbers_are_told_apart_in_float32() -> None:
    roles = {"pred": [1.0, 0.0, 2.0, 0.0], "target": [1, 0, 0, 1]}
    words = losscli.compute("ranknet", **roles, query=["pear", "plum", "pear", "plum"])[0]
    numbers = losscli.compute("ranknet", **roles, query=[16777216, 16777217, 16777216, 16777217], dtype="float32")[0]
    assert words.value == pytest.approx(numbers.value, rel=1e-6)
    with pytest.raises(losscli.LosscliError, match="whole numbers of that size are not told apart"):
        losscli.compute("ranknet", **roles, query=[2.0**53] * 4)


def test_rows_that_are_left_out_are_counted() -> None:
    roles = {"pred": [1.0, math.nan, 2.0, 0.0], "target": [1, 0, 0, 1], "query": [1, 1, 2, 2]}
    record = losscli.compute("ranknet", **roles, nan="skip")[0]
    assert (record.n, record.n_skipped) == (2, 1)
    kept = losscli.compute("ranknet", **roles, nan="propagate")[0]
    assert math.isnan(kept.value)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_one_item_a_row_without_a_query_is_refused() -> None:
    with pytest.raises(losscli.UsageError) as caught:
        losscli.compute("ranknet", data={"pred": [1.0, 2.0], "target": [1, 0]}, pred="pred", target="target")
    assert caught.value.problem.endswith(
        "ranknet takes a list in each row, or one item a row and a column that says which rows are one list"
    )
    assert caught.value.hint == "name that column with --query."
    with pytest.raises(losscli.UsageError) as caught:
        of("ranknet", torch.zeros(3), torch.zeros(3))
    assert str(caught.value) == (
        "ranknet: the shapes do not fit: pred has (n), target has (n). Hint: it takes pred (n, L), target (n, L); none "
        "is broadcast. One item a row needs --query, a column that says which rows are one list."
    )


def test_lists_with_a_query_are_refused() -> None:
    with pytest.raises(
        losscli.UsageError, match=r"the shapes do not fit: pred has .* it takes pred \(n\), target \(n\)"
    ):
        of("ranknet", torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3))


def test_a_function_by_itself_refuses_them_too() -> None:
    function = parse_spec("ranknet").loss.function
    with pytest.raises(losscli.UsageError, match="nothing says which rows are one list"):
        function(torch.zeros(3), torch.zeros(3))
    with pytest.raises(losscli.UsageError, match="a query goes with one item a row"):
        function(torch.zeros(3, 2), torch.zeros(3, 2), torch.zeros(3))
