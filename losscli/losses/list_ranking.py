"""Losses of the order of a list: of its pairs, of the whole permutation, and of a measure of search engines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import POSITIVE
from losscli.loss import Scope, Slice, Traits
from losscli.losses._stable.elementary import row_sum, two_difference
from losscli.losses._stable.lists import (
    AT_THE_FIRST,
    GRADES,
    ORDER,
    QUERY,
    SCORES,
    is_first_of_list,
    of_lists,
    over_items,
    weigh_lists,
)
from losscli.losses._stable.twofold import Twofold, log1p_of_exponential
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


def _best_moves(*others: float) -> Callable[[Tensor], dict[str, Tensor]]:
    """The score of the most relevant item varies; the others, from the next relevant on, have these."""

    def roles(score: Tensor) -> dict[str, Tensor]:
        rest = score.new_tensor(others).expand(len(score), len(others))
        target = torch.arange(float(len(others)), -1, -1, dtype=score.dtype)
        return {"pred": torch.cat([score.unsqueeze(1), rest], 1), "target": target.expand(len(score), -1)}

    return roles


def _of_best(low: float, high: float) -> Slice:
    """Lists of three items that are relevant by 2, 1 and 0."""
    return Slice(
        "score of the best item; the others have 1 and -1",
        (low, high),
        {"the other two in order": _best_moves(1.0, -1.0), "the other two exchanged": _best_moves(-1.0, 1.0)},
        variable="score",
    )


def _falling(values: Tensor) -> Tensor:
    """The places of each row's values from the largest to the smallest, equal ones in the order that they have."""
    return torch.argsort(values, dim=1, descending=True, stable=True)


def _sums(pairs: Tensor) -> Tensor:
    """Over the items that each item makes a pair with, shape (m, items, L) to (m, items)."""
    return row_sum(pairs.flatten(0, 1)).reshape(pairs.shape[:2])


# --- all pairs --------------------------------------------------------------------------------------------------------


def _mean_of_pairs(scores: Tensor, grades: Tensor) -> Tensor:
    """The mean of ``ln(1 + e^-(s_i - s_j))`` over the pairs of a list in which i is more relevant than j."""

    def ahead(items: slice) -> Tensor:
        return (grades[:, items, None] > grades[:, None, :]).to(scores.dtype)

    def losses(items: slice) -> Tensor:
        difference = Twofold(*two_difference(scores[:, None, :], scores[:, items, None]))
        counts = ahead(items)
        return _sums(counts * log1p_of_exponential(difference, torch.ones_like(counts)))

    def pairs(items: slice) -> Tensor:
        return _sums(ahead(items))

    total, count = row_sum(over_items(scores, losses)), row_sum(over_items(scores, pairs))
    return total / torch.clamp(count, min=1) + 0 * row_sum(grades)


@loss(
    family="ranking",
    pred=SCORES,
    target=ORDER,
    query=QUERY,
    aliases=["pair-logit", "pairwise-logistic"],
    scope=Scope.ALL,
    joined_by="query",
    weigh=weigh_lists,
    formula=r"\frac{1}{|P|} \sum_{(i,j) \in P} \ln\left(1 + e^{-(s_i - s_j)}\right),\quad P = \{(i,j): y_i > y_j\}",
    gradient=r"\frac{\partial}{\partial s_i} = \frac{1}{|P|} \left(\sum_{(j,i) \in P} \sigma(s_i - s_j) "
    r"- \sum_{(i,j) \in P} \sigma(s_j - s_i)\right)",
    unit="nats",
    range="[0, inf)",
    curve=_of_best(-5.0, 7.0),
    traits=Traits(
        punishes="Pairs in the wrong order, each by how far its scores are apart; pairs in the right one hardly.",
        convex="Convex in the scores.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, but it grows only in proportion to the difference of the scores.",
        robust="Every pair has the same say, those at the bottom of the list as well as those at the top.",
    ),
    convention="The mean over the pairs of a list, then the mean over the lists; a list without pairs costs 0. How "
    f"much more relevant an item is does not matter, and ties are no pairs. {AT_THE_FIRST}",
    differs=[
        "CatBoost's PairLogit and allRank's rankNet take one mean over the pairs of all lists: long lists weigh more.",
        "TensorFlow Ranking's PairwiseLogisticLoss adds up the pairs of a list.",
    ],
    cites=["burges2005", "burges2010"],
)
def ranknet(pred: Tensor, target: Tensor, query: Tensor | None = None) -> Tensor:
    """The logistic loss of every pair of a list: the probability that its right order would win, as a logarithm.

    Each pair of an item and a less relevant one is a small classification: which of the two goes first? Its
    probability is the sigmoid of the difference of the scores. It is the loss of RankNet, from which LambdaRank and
    LambdaMART come by weighting pairs.

    It cares for the bottom of a list as much as for the top. Where only the first few places are looked at, take
    ``approx-ndcg`` or ``ranking-softmax``. Its time grows with the square of the length of the lists.

    Args:
        pred: The scores of the items, shape (n, L), a list a row; with a query shape (n), an item a row.
        target: How relevant the items are, of the same shape.
        query: The list that each item belongs to, shape (n): equal values belong together.

    Returns:
        The loss of each list, shape (n); with a query at its first row, and 0 at the others.

    Raises:
        UsageError: one item a row without a query, or lists with one.

    Example:
        >>> import torch
        >>> ranknet(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([[2, 1, 0], [0, 1, 1]]))
        tensor([0.2512, 0.6931])
    """
    return of_lists(_mean_of_pairs, pred, target, query)


# --- the whole permutation --------------------------------------------------------------------------------------------


def _rests(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Of each item and those after it: the largest score, and by how much their exponentials exceed its own.

    The sum of e^s from an item on is ``e^top (1 + rest)``. Spans of 1, 2, 4 ... items are put together, so that the
    rest keeps its digits where it is small, and an item's bits depend on the items after it alone.
    """
    top, rest, span = scores, torch.zeros_like(scores), 1
    while span < scores.shape[1]:
        later = torch.nn.functional.pad(top[:, span:], (0, span), value=-math.inf)
        rest_of_later = torch.nn.functional.pad(rest[:, span:], (0, span))
        above = later > top
        high, low = torch.where(above, later, top), torch.where(above, top, later)
        difference, lost = two_difference(low, high)
        # What is lost of an infinite difference is NaN.
        share = torch.exp(difference) * (1 + torch.where(difference > -math.inf, lost, 0.0))
        rest_of_high, rest_of_low = torch.where(above, rest_of_later, rest), torch.where(above, rest, rest_of_later)
        top, rest = high, rest_of_high + share * (1 + rest_of_low)
        span *= 2
    return top, rest


def _likelihood(scores: Tensor, grades: Tensor) -> Tensor:
    order = _falling(grades)
    scores = scores.gather(1, order)
    top, rest = _rests(scores)
    # Where an item is the largest itself, no gradient may pass through a difference that cancels.
    behind = torch.where(top == scores, 0.0, top - scores)
    return row_sum(behind + torch.log1p(rest)) + 0 * row_sum(grades)


@loss(
    family="ranking",
    pred=SCORES,
    target=ORDER,
    query=QUERY,
    aliases=["plackett-luce", "listmle"],
    scope=Scope.ALL,
    joined_by="query",
    weigh=weigh_lists,
    formula=r"\sum_k \left(\ln \sum_{j \geq k} e^{s_j} - s_k\right),\quad y_1 \geq y_2 \geq \ldots",
    gradient=r"\frac{\partial}{\partial s_i} = \sum_{k \leq i} \frac{e^{s_i}}{\sum_{j \geq k} e^{s_j}} - 1",
    unit="nats",
    range="[0, inf)",
    curve=_of_best(-5.0, 7.0),
    traits=Traits(
        punishes="A true order that the scores make improbable, place by place.",
        convex="Convex in the scores.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, but it grows only in proportion to the differences of the scores.",
        robust="Not robust against orders that mean nothing: ties go by the order of the data, which is fitted too.",
    ),
    convention="Minus the log-likelihood of the order by falling relevance in the model of Plackett and Luce, neither "
    "divided by the length of the list nor cut after some places. Equally relevant items keep the order of the data. "
    f"{AT_THE_FIRST}",
    differs=[
        "allRank's listMLE shuffles the items before it sorts them, so that ties are broken at random, and adds 1e-10 "
        "inside the logarithm. TensorFlow Ranking's ListMLELoss breaks ties at random too.",
    ],
    cites=["plackett1975", "xia2008"],
)
def list_mle(pred: Tensor, target: Tensor, query: Tensor | None = None) -> Tensor:
    """Minus the log-likelihood of the true order of a list, if places are filled one after the other by softmax.

    In the model of Plackett and Luce the first place is drawn by the softmax of all scores, the second by that of the
    items left, and so on. Use it where the whole order is known and matters, such as the finish of a race.

    Relevance with few grades leaves most of the order open, and the loss then fits an order that the data happen to
    have; there ``ranking-softmax`` or ``ranknet`` are better. Every place counts alike, the last ones too. An order at
    random costs the logarithm of L factorial.

    Args:
        pred: The scores of the items, shape (n, L), a list a row; with a query shape (n), an item a row.
        target: What the items are ordered by, largest first, of the same shape.
        query: The list that each item belongs to, shape (n): equal values belong together.

    Returns:
        The loss of each list, shape (n); with a query at its first row, and 0 at the others.

    Raises:
        UsageError: one item a row without a query, or lists with one.

    Example:
        >>> import torch
        >>> list_mle(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([[2, 1, 0], [0, 1, 2]]))
        tensor([0.7209, 1.7918])
    """
    return of_lists(_likelihood, pred, target, query)


# --- a measure of search engines --------------------------------------------------------------------------------------


def _gains(grades: Tensor) -> Tensor:
    """``2^y - 1``, as 2^k (2^f - 1) + (2^k - 1) with k the nearest whole number."""
    grades = grades if grades.is_floating_point() else grades.to(torch.get_default_dtype())
    whole = torch.round(grades.detach())
    # torch's ldexp has no derivative that serves here, so the power of two is made as a constant.
    doubled = torch.ldexp(torch.ones_like(whole), torch.nan_to_num(whole, nan=0.0).to(torch.int32))
    return doubled * torch.expm1((grades - whole) * math.log(2)) + (doubled - 1)


def _sigmoid(x: Twofold) -> Tensor:
    low = x.value < 0
    # What is lost of a number near the end of the range is not finite.
    lost = torch.where(torch.isfinite(x.lost), torch.where(low, x.lost, -x.lost), 0.0)
    small = torch.exp(torch.where(low, x.value, -x.value)) * (1 + lost)
    large = 1 / (1 + small)
    return torch.where(low, small * large, large)


def _one_minus_ndcg(scores: Tensor, grades: Tensor, temperature: float) -> Tensor:
    """What the smooth ranks take from the discounted gains, as a share of the best; 0 where nothing can be gained.

    Where the order is clear, gained and best are nearly equal, so each item's loss is made of how far its rank is from
    its best place: of the probabilities of the pairs that are in the wrong order, and of nothing else.
    """
    # The best order, in which ties go to the larger score.
    order = _falling(scores.detach())
    order = order.gather(1, _falling(grades.detach().gather(1, order)))
    scores, gains = scores.gather(1, order), _gains(grades).gather(1, order)
    place = torch.arange(1, scores.shape[1] + 1, dtype=scores.dtype, device=scores.device)

    def shifts(items: slice) -> Tensor:
        sign = torch.sign(place - place[items].unsqueeze(1))
        difference = Twofold(*two_difference(scores[:, None, :], scores[:, items, None])) / temperature
        return _sums(sign * _sigmoid(Twofold(sign * difference.value, sign * difference.lost)))

    best_discount = torch.log1p(place)
    further = torch.log1p(over_items(scores, shifts) / (1 + place))
    best = row_sum(gains / best_discount)
    lost = row_sum(gains * (further / (best_discount * (best_discount + further))))
    return torch.where(best == 0, 0.0, lost) / torch.where(best == 0, 1.0, best)


def _with_gain(pred: Tensor, target: Tensor, query: Tensor | None, **_: object) -> Tensor:
    """1 for lists with a relevant item, 0 for those without, which have no best order."""
    relevant = of_lists(lambda _, grades: (grades != 0).any(1).to(pred.dtype), pred, target, query)
    if query is None:
        return relevant
    # An item without a query is a list whose loss is missing.
    return is_first_of_list(query) * torch.nan_to_num(relevant, nan=1.0)


@loss(
    family="ranking",
    pred=SCORES,
    target=GRADES,
    query=QUERY,
    where={"temperature": POSITIVE},
    aliases=["approxndcg", "ndcg-loss"],
    scope=Scope.ALL,
    joined_by="query",
    weigh=_with_gain,
    formula=r"1 - \frac{\mathrm{DCG}}{\mathrm{best\ DCG}},\quad "
    r"\mathrm{DCG} = \sum_i \frac{2^{y_i} - 1}{\log_2(1 + r_i)},\quad "
    r"r_i = 1 + \sum_{j \neq i} \sigma\left(\frac{s_j - s_i}{\tau}\right)",
    gradient=r"\frac{\partial}{\partial r_i} = \frac{1}{\mathrm{best\ DCG}} "
    r"\frac{(2^{y_i} - 1) \ln 2}{(1 + r_i) \ln^2(1 + r_i)}",
    unit="1",
    range="[0, 1]",
    curve=_of_best(-1.5, 3.5),
    traits=Traits(
        punishes="Relevant items far down, much for those that belong to the top and little for the others.",
        convex="Not convex.",
        differentiable="Differentiable everywhere; the smaller the temperature, the flatter between its steps.",
        bounded="Below 1.",
        robust="No list costs more than 1.",
    ),
    convention="Gains 2^y - 1, discounts log2(1 + rank), and ranks made smooth by sigmoids of the differences of "
    f"scores over the temperature. Lists without a relevant item do not count. {AT_THE_FIRST}",
    differs=[
        "Qin's paper writes the sharpness as a factor alpha, which is one over the temperature.",
        "allRank's approxNDCGLoss, with an alpha of 1, and TensorFlow Ranking's, with a temperature of .1, are minus "
        "the NDCG: -.759 where this loss is .241.",
        "sklearn.metrics.ndcg_score takes the relevance itself as the gain, and ranks without smoothing.",
    ],
    cites=["jarvelin2002", "qin2010"],
)
def approx_ndcg(pred: Tensor, target: Tensor, query: Tensor | None = None, *, temperature: float = 0.1) -> Tensor:
    """One minus NDCG, the measure of search engines, with ranks that are smooth in the scores.

    NDCG adds up the gains of the relevant items, the less the further down they stand, and divides by what the best
    order has. It jumps where two scores pass each other and has no slope elsewhere. Here an item's rank counts
    the others before it by sigmoids, so that the measure itself can be minimised.

    The temperature decides how smooth: well below the usual differences of scores it is NDCG with steps, well above
    them all ranks are alike. Since the loss is not convex, start from a model that another loss has trained. Its
    time grows with the square of the length of the lists.

    Args:
        pred: The scores of the items, shape (n, L), a list a row; with a query shape (n), an item a row.
        target: How relevant the items are, at least 0, usually grades 0 to 4, of the same shape.
        query: The list that each item belongs to, shape (n): equal values belong together.
        temperature: The τ of the formula: the difference of scores at which an order begins to be clear.

    Returns:
        The loss of each list, shape (n); with a query at its first row, and 0 at the others.

    Raises:
        UsageError: one item a row without a query, or lists with one.

    Example:
        >>> import torch
        >>> approx_ndcg(torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 2.0]]), torch.tensor([[2, 1, 0], [2, 1, 0]]))
        tensor([2.7057e-05, 4.1311e-01])
    """
    return of_lists(lambda scores, grades: _one_minus_ndcg(scores, grades, temperature), pred, target, query)
