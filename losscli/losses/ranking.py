"""Losses of order: of two things by their scores, and of a list whose items share one distribution."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import NON_NEGATIVE, ORDER, SCALAR
from losscli.loss import Scope, Slice, Traits
from losscli.losses._stable.classes import Positions
from losscli.losses._stable.elementary import two_difference
from losscli.losses._stable.lists import AT_THE_FIRST, GRADES, QUERY, SCORES, of_lists, weigh_lists
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


def _should_be(order: float) -> Callable[[Tensor], dict[str, Tensor]]:
    def roles(difference: Tensor) -> dict[str, Tensor]:
        return {
            "first": difference,
            "second": torch.zeros_like(difference),
            "order": torch.full_like(difference, order),
        }

    return roles


def _relevant_among(others: int) -> Callable[[Tensor], dict[str, Tensor]]:
    """A list with one relevant item, that is ahead of all others by x."""

    def roles(ahead: Tensor) -> dict[str, Tensor]:
        pred = torch.cat([ahead.unsqueeze(1), ahead.new_zeros(len(ahead), others)], 1)
        return {"pred": pred, "target": torch.eye(others + 1, dtype=ahead.dtype)[:1].expand_as(pred)}

    return roles


AHEAD = Slice(
    "score of the one relevant item, less that of the others",
    (-4.0, 6.0),
    {"among 2 items": _relevant_among(1), "among 10 items": _relevant_among(9)},
    variable="score",
)


@loss(
    family="ranking",
    first=SCALAR,
    second=SCALAR,
    order=ORDER,
    where={"margin": NON_NEGATIVE},
    aliases=["pairwise-hinge"],
    formula=r"\max(0, \mu - s\, (x_1 - x_2)),\quad s = \pm 1",
    gradient=r"\frac{\partial}{\partial x_1} = -s,\quad \frac{\partial}{\partial x_2} = s "
    r"\text{ where the loss is not zero}",
    unit="score",
    range="[0, inf)",
    curve=Slice(
        "first score less the second, x₁ - x₂",
        (-3.0, 3.0),
        {"first should be larger": _should_be(1.0), "second should be larger": _should_be(-1.0)},
        variable="difference",
        notable=(0.0,),
    ),
    traits=Traits(
        punishes="A pair in the wrong order, or not clearly in the right one, in proportion to what is missing.",
        convex="Convex in the scores, not strictly.",
        differentiable="Differentiable except where the margin is just met; there the gradient is taken to be zero.",
        bounded="Unbounded, but it grows only in proportion to the difference of the scores.",
        robust="No pair pulls harder than with a slope of 1.",
    ),
    convention="The order is 1 where the first should be larger and -1 where the second should; ties of the truth are "
    "no pairs. The margin is 0 unless it is given, so that equal scores cost nothing.",
    differs=[
        "Herbrich's ranking support vector machine has the margin 1.",
        "torch takes any number as the order: 0 gives the margin, without a word.",
    ],
    same_as={"torch": "torch.nn.functional.margin_ranking_loss(first, second, order, margin, reduction='none')"},
    cites=["herbrich2000", "joachims2002"],
)
def margin_ranking(first: Tensor, second: Tensor, order: Tensor, *, margin: float = 0.0) -> Tensor:
    """The hinge loss of a pair of scores: nothing where the right one is ahead by the margin.

    Only the order of the two matters, not what the scores are. That suits preferences, such as which of two answers
    a person liked better, or clicks, where nobody knows a true value.

    With the margin 0 a model that gives everything the same score costs nothing, and shrinking all scores makes any
    cost as small as one likes. Give a margin, of which 1 is the usual one, or take ``ranknet``, which has no such
    solution.

    Args:
        first: The scores of the first things, shape (n).
        second: The scores of the second things, shape (n).
        order: 1 where the first should have the larger score, -1 where the second should, shape (n).
        margin: The μ of the formula: how far ahead the right one must be to cost nothing.

    Returns:
        The loss of each pair, shape (n).

    Example:
        >>> import torch
        >>> first, second = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([0.0, 0.75, 1.0])
        >>> margin_ranking(first, second, torch.tensor([1.0, 1.0, 1.0]), margin=1.0)
        tensor([0.0000, 0.7500, 2.0000])
    """
    difference, lost = two_difference(first, second)
    value, lost_again = two_difference(torch.full_like(difference, margin), order * difference)
    # Where a difference is infinite, what it lost is NaN.
    return torch.relu(value + torch.nan_to_num(lost_again - order * lost, nan=0.0))


@loss(
    family="ranking",
    pred=SCORES,
    target=GRADES,
    query=QUERY,
    aliases=["listnet", "listwise-softmax", "softmax-ranking"],
    scope=Scope.ALL,
    joined_by="query",
    weigh=weigh_lists,
    formula=r"\sum_i y_i \left(\ln \sum_j e^{s_j} - s_i\right)",
    gradient=r"\frac{\partial}{\partial s_i} = p_i \sum_j y_j - y_i,\quad p = \mathrm{softmax}(s)",
    unit="nats",
    range="[0, inf)",
    curve=AHEAD,
    traits=Traits(
        punishes="A relevant item whose share of the list's softmax is small, in proportion to its relevance.",
        convex="Convex in the scores.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, but it grows only in proportion to how far a relevant item is behind.",
        robust="Lists with many relevant items weigh more, since their relevance is summed up.",
    ),
    convention="The relevance as it is, neither divided by its sum nor put through a softmax; natural logarithm; a "
    f"list without relevant items costs 0. The cost is the mean over the lists. {AT_THE_FIRST}",
    differs=[
        "The top one probabilities of the ListNet paper are softmaxes of the labels too, as in allRank's listNet: the "
        "scores (2, 1, 0) for the labels (1, 0, 0) cost 1.043 there and .408 here.",
        "Where labels are divided by their sum first, a list with many relevant items weighs as much as one with few.",
    ],
    same_as={"optax": "optax.ranking_softmax_loss(pred, target, reduce_fn=None)"},
    cites=["cao2007", "bruch2019"],
)
def ranking_softmax(pred: Tensor, target: Tensor, query: Tensor | None = None) -> Tensor:
    """The cross entropy of a whole list: its items compete for one softmax, and the relevant ones should win it.

    It is the simplest loss that looks at a list at once instead of at pairs, and one of the best: where labels are 0
    and 1 it bounds the mean reciprocal rank and, with one relevant item, NDCG. The items of a list are compared with
    each other only, so that scores of different lists need not be comparable.

    A list is one row of a matrix, or, as tables have it, one item a row with a column that names its query. The
    rows of a query need not stand together.

    Args:
        pred: The scores of the items, shape (n, L), a list a row; with a query shape (n), an item a row.
        target: How relevant the items are, at least 0, of the same shape.
        query: The list that each item belongs to, shape (n): equal values belong together.

    Returns:
        The loss of each list, shape (n); with a query at its first row, and 0 at the others.

    Raises:
        UsageError: one item a row without a query, or lists with one.

    Example:
        >>> import torch
        >>> ranking_softmax(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([[1, 0, 0], [0, 1, 1]]))
        tensor([0.4076, 2.1972])
    """
    return of_lists(lambda scores, grades: Positions.of(scores, grades).cross_entropy(), pred, target, query)
