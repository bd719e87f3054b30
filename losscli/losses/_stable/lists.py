"""Lists of items that a query ranks: one list a row, or the items of all lists one a row, in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import IDENTITY, LIST_SCORES, Interval
from losscli.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

SCORES = LIST_SCORES
ORDER = replace(LIST_SCORES, name="grades", phrase="how relevant each item is: only the order counts")
GRADES = replace(LIST_SCORES, name="grades", phrase="how relevant each item is, at least 0", interval=Interval(low=0))
QUERY = replace(IDENTITY, phrase="which list an item belongs to: equal values belong together")
# Part of what every loss of lists says about itself.
AT_THE_FIRST = (
    "With a query the loss of a list stands at its first row, whose weight counts, and its other rows have none."
)
# How many numbers a block of pairs holds at most.
PAIRS = 2**20


def of_lists(loss: Callable[[Tensor, Tensor], Tensor], pred: Tensor, target: Tensor, query: Tensor | None) -> Tensor:
    """The loss of each list, shape (n,): at its row, or at the first row of its items and 0 at their others.

    Args:
        loss: of lists of one length, shapes (m, L), (m, L) to (m,).
        pred: the scores, shape (n, L), or (n,) with a query.
        target: the relevance of the items, of the same shape.
        query: for each item its list, shape (n,).

    Raises:
        UsageError: one item a row without a query, or lists with one.
    """
    if query is None:
        _check(pred.ndim == 2, "one score a row, and nothing says which rows are one list", "give a query too.")
        return loss(pred, target)
    _check(pred.ndim == 1, "a query goes with one item a row, and here a row is a list", "leave the query out.")
    missing = torch.isnan(query) if query.is_floating_point() else None
    values, places = [pred.new_zeros(0)], [torch.zeros(0, dtype=torch.long, device=pred.device)]
    for rows in _by_length(query):
        values.append(loss(pred[rows], target[rows]))
        places.append(rows[:, 0])
    place = torch.cat(places)
    result = pred.new_zeros(len(pred)).index_copy(0, place, torch.cat(values))
    return result if missing is None else torch.where(missing, torch.nan, result)


def is_first_of_list(query: Tensor) -> Tensor:
    """1 for the first row of each list and 0 for the others, shape (n,)."""
    result = torch.zeros(len(query), dtype=torch.float64, device=query.device)
    for rows in _by_length(query):
        result[rows[:, 0]] = 1.0
    return result


def weigh_lists(pred: Tensor, target: Tensor, query: Tensor | None, **_: object) -> Tensor | None:
    """The weight of each row: 1 where the loss of its list stands, else 0. None where each row is a list."""
    return None if query is None else is_first_of_list(query)


def _check(fits: bool, problem: str, hint: str) -> None:
    if not fits:
        raise UsageError(problem, hint=hint)


def _by_length(query: Tensor) -> Iterator[Tensor]:
    """For each length that a list has, the rows of all lists of that length, shape (lists, length).

    The rows of a list are in their order. There are fewer lengths than the root of twice the rows, and without any
    padding a list's loss has the same bits whatever lists stand beside it.
    """
    order = torch.argsort(query, stable=True)
    ordered = query[order]
    begins = torch.ones(len(query), dtype=torch.bool, device=query.device)
    begins[1:] = ordered[1:] != ordered[:-1]
    starts = torch.nonzero(begins).reshape(-1)
    lengths = torch.diff(starts, append=starts.new_tensor([len(query)]))
    for length in torch.unique(lengths).tolist():
        first = starts[lengths == length]
        yield order[first.unsqueeze(1) + torch.arange(length, device=query.device)]


def over_items(lists: Tensor, function: Callable[[slice], Tensor]) -> Tensor:
    """What a function of some items of every list gives, for all items, a block of them at a time, shape (m, L).

    Args:
        lists: shape (m, L).
        function: of which items, to shape (m, items); it may hold a number for each pair of these with all items.
    """
    count, length = lists.shape
    step = max(1, PAIRS // max(1, count * length))
    parts = [function(slice(start, start + step)) for start in range(0, length, step)]
    return torch.cat(parts, 1) if parts else lists
