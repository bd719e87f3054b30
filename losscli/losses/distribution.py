"""Distances of two distributions that treat both sides alike, and do not take logarithms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import DISTRIBUTION, Interval
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import row_sum
from losscli.losses._stable.slopes import with_slopes
from losscli.losses._stable.twofold import Twofold
from losscli.losses.divergence import two_outcomes
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    family="divergences",
    pred=DISTRIBUTION,
    target=DISTRIBUTION,
    aliases=["hellinger-distance"],
    formula=r"\sqrt{\frac{1}{2} \sum_c \left(\sqrt{q_c} - \sqrt{p_c}\right)^2},\quad q = y",
    gradient=r"\left(1 - \sqrt{\frac{q_c}{p_c}}\right) / (4 H) \text{ for the loss } H",
    unit="1",
    range="[0, 1]",
    curve=two_outcomes(),
    traits=Traits(
        punishes="Differences of the roots of probabilities: those of rare outcomes more than in total variation.",
        convex="Not convex; its square is, in the predicted probabilities and in both sides together.",
        differentiable="Differentiable except where the two are equal or a predicted probability is 0.",
        bounded="At most 1, for two distributions without a common outcome.",
        robust="Robust: no prediction costs more than 1.",
    ),
    convention="The distance and not its square, with the factor 1/2 under the root, so that the largest value is 1.",
    differs=[
        "Tsybakov leaves out the factor 1/2, so that the largest value is 1.414, and others mean the square: for the "
        "prediction (.5, .5) and the target (.9, .1), which cost .325 here, that is .46 and .106.",
    ],
    same_as={"torch": "((pred.sqrt() - target.sqrt())**2).sum(1).div(2).sqrt()"},
    cites=["hellinger1909", "lecam2000", "tsybakov2009"],
)
def hellinger(pred: Tensor, target: Tensor) -> Tensor:
    """The Hellinger distance: how far apart the roots of two distributions' probabilities are.

    It is a true distance, the same in both directions, and finite whatever the distributions exclude. A rare outcome
    that is predicted never, or a hundred times too often, shows in it far more than in ``total-variation``, which looks
    only at how much probability is in the wrong place. The two bound each other.

    Args:
        pred: The predicted distributions, shape (n, C).
        target: The true distributions, of the same shape.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> hellinger(torch.tensor([[0.5, 0.5], [1.0, 0.0]]), torch.tensor([[0.9, 0.1], [0.0, 1.0]]))
        tensor([0.3249, 1.0000])
    """
    square = 0.5 * row_sum(
        with_slopes(_square_of_roots, (_slope_of_roots, lambda p, q: _slope_of_roots(q, p)), pred, target)
    )
    apart = square != 0
    return torch.where(apart, torch.sqrt(torch.where(apart, square, 1.0)), 0.0)


def _difference_of_roots(p: Tensor, q: Tensor) -> Tensor:
    """``root p - root q``, with its digits where the two are close."""
    total = torch.sqrt(p) + torch.sqrt(q)
    return (p - q) / torch.where(total == 0, 1.0, total)


def _square_of_roots(p: Tensor, q: Tensor) -> Tensor:
    difference = _difference_of_roots(p, q)
    return difference * difference


def _slope_of_roots(p: Tensor, q: Tensor) -> Tensor:
    return torch.where(p == q, 0.0, _difference_of_roots(p, q) / torch.sqrt(p))


@loss(
    family="divergences",
    pred=DISTRIBUTION,
    target=DISTRIBUTION,
    aliases=["tv-distance"],
    formula=r"\frac{1}{2} \sum_c |q_c - p_c|,\quad q = y",
    gradient=r"\frac{1}{2} \mathrm{sign}(p_c - q_c)",
    unit="1",
    range="[0, 1]",
    curve=two_outcomes(),
    traits=Traits(
        punishes="Probability in the wrong place, in proportion to how much it is.",
        convex="Convex in the predicted probabilities, not strictly.",
        differentiable="Differentiable except where a predicted probability is the true one.",
        bounded="At most 1, for two distributions without a common outcome.",
        robust="Robust: no outcome counts for more than its probability.",
    ),
    convention="Half the sum of the absolute differences, so that the largest value is 1.",
    differs=[
        "Without the factor 1/2 it is the L1 distance, at most 2; mae of the same rows divides by C instead of 2."
    ],
    same_as={"torch": "(pred - target).abs().sum(1) / 2"},
    cites=["tsybakov2009"],
)
def total_variation(pred: Tensor, target: Tensor) -> Tensor:
    """How much probability would have to move to make one distribution the other.

    It is the largest difference that the two can make for any event: with .1, no question with yes or no about the
    outcome is answered with probabilities that differ by more than that. That makes it the easiest distance of
    distributions to explain. It does not ask how far the probability is moved; where outcomes are in an order,
    ``wasserstein-1d`` does.

    Args:
        pred: The predicted distributions, shape (n, C).
        target: The true distributions, of the same shape.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> total_variation(torch.tensor([[0.5, 0.5], [1.0, 0.0]]), torch.tensor([[0.9, 0.1], [0.0, 1.0]]))
        tensor([0.4000, 1.0000])
    """
    return 0.5 * row_sum((pred - target).abs())


def _moved(classes: int) -> Callable[[Tensor], Mapping[str, Tensor]]:
    """A share of the probability is predicted some classes beyond the true one, the first of five."""

    def roles(share: Tensor) -> dict[str, Tensor]:
        target = torch.eye(5, dtype=share.dtype)[:1].expand(len(share), 5)
        pred = torch.zeros_like(target).scatter(1, torch.full((len(share), 1), classes), share.unsqueeze(1))
        return {"pred": pred + (1 - share).unsqueeze(1) * target, "target": target}

    return roles


@loss(
    family="divergences",
    pred=DISTRIBUTION,
    target=DISTRIBUTION,
    aliases=["wasserstein", "earth-movers-distance"],
    formula=r"\sum_{k} |F_k - G_k|,\quad F_k = \sum_{c \leq k} p_c,\quad G_k = \sum_{c \leq k} q_c,\quad q = y",
    gradient=r"\sum_{k \geq c} \mathrm{sign}(F_k - G_k)",
    unit="classes",
    range="[0, inf)",
    curve=Slice(
        "predicted share outside the true class",
        (0.0, 1.0),
        {"in the next class": _moved(1), "four classes on": _moved(4)},
        variable="share",
        allowed=Interval(0, 1),
    ),
    traits=Traits(
        punishes="Probability in the wrong place, in proportion to how much it is and how far it has to be moved.",
        convex="Convex in the predicted probabilities, not strictly.",
        differentiable="Differentiable except where the two distribution functions meet.",
        bounded="At most C - 1 for C classes: all probability at one end instead of the other.",
        robust="No datum costs more than C - 1.",
    ),
    convention="Classes are in an order and one unit apart. Both distribution functions are taken to be 1 at the last "
    "class, so that only the sums up to the last but one count.",
    differs=[
        "The squared earth mover's distance of ordered classes sums (F_k - G_k)^2, and often divides by C.",
        "scipy.stats.wasserstein_distance divides each side by its own sum first.",
    ],
    same_as={
        "torch": "(target - pred).cumsum(1)[:, :-1].abs().sum(1)",
        "scipy": "scipy.stats.wasserstein_distance(range(C), range(C), pred, target), for each row",
    },
    cites=["vallender1974", "rubner2000"],
)
def wasserstein_1d(pred: Tensor, target: Tensor) -> Tensor:
    """The earth mover's distance of distributions over ordered classes: how much probability to move, times how far.

    For grades, ages, bins of a histogram, degrees of a disease: classes of which the second is closer to the first than
    the fifth is. Cross entropy, and all other losses of this family, would see no difference between predicting the
    neighbour of the true class and its opposite.

    A value of .5 says that the probability lies half a class off on average. If the true distribution is one class, it
    is the expected distance from that class.

    Args:
        pred: The predicted distributions over the classes in their order, shape (n, C).
        target: The true distributions, of the same shape.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> target = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
        >>> wasserstein_1d(torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]]), target)
        tensor([0.5000, 1.0000])
    """
    return row_sum(_running_sums(Twofold.of(pred) - Twofold.of(target))[:, :-1].abs())


def _running_sums(values: Twofold) -> Tensor:
    """The sums of the first 1, 2, ... of each row, shape (n, C). They may be tiny where the values are not."""
    step = 1
    while step < values.value.shape[1]:
        added = values[:, step:] + values[:, :-step]
        values = Twofold(
            torch.cat((values.value[:, :step], added.value), 1), torch.cat((values.lost[:, :step], added.lost), 1)
        )
        step *= 2
    return values.rounded()
