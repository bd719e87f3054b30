"""Losses of the scores of several classes that look at leads and margins instead of logarithms of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import CLASS, NON_NEGATIVE, Interval, Whole
from losscli.loss import Slice, Traits
from losscli.losses._stable.classes import (
    CLASS_SCORES,
    IGNORED,
    PER_CLASS,
    TRUE_CLASS,
    Positions,
    per_class,
    weights_in_cost,
)
from losscli.losses._stable.elementary import row_sum
from losscli.losses._stable.slack import slack
from losscli.losses._stable.sparsemax import distances
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


def _with_lead(lead: Tensor) -> dict[str, Tensor]:
    pred = torch.stack([lead, torch.zeros_like(lead), torch.full_like(lead, -1.0)], dim=1)
    return {"pred": pred, "target": torch.zeros_like(lead)}


ALONG_THE_LEAD = Slice(
    "lead of the true class over the next one; a third class is 1 behind that",
    (-3.0, 3.0),
    {"": _with_lead},
    variable="lead",
    notable=(-1.0, 0.0, 1.0),
)


@loss(
    family="classes",
    pred=CLASS_SCORES,
    target=TRUE_CLASS,
    where={"margin": NON_NEGATIVE, "ignore_index": IGNORED},
    aliases=["crammer-singer", "categorical-hinge"],
    class_axis=True,
    weigh=weights_in_cost,
    formula=r"\max(0, m + \max_{j \neq y}\, f_j - f_y)",
    gradient=r"\frac{\partial}{\partial f_y} = -1 \text{ where the loss is positive, and } 1 "
    r"\text{ for the best other class}",
    unit="score",
    range="[0, inf)",
    curve=ALONG_THE_LEAD,
    traits=Traits(
        punishes="A true class that does not lead all others by the margin, by what is missing of it.",
        convex="Convex in the scores, not strictly.",
        differentiable="Differentiable except where the loss just becomes zero and where two other classes are equal.",
        bounded="Unbounded, but it grows only in proportion to what is missing.",
        robust="More robust than squares: no datum pulls harder than with a slope of 1 on two classes.",
    ),
    convention="Only the best other class counts; the mean is over the data that are not ignored.",
    differs=[
        "keras.losses.CategoricalHinge lets the true class take part in the maximum with a score of 0: the scores "
        "(-3, -5, -6) with class 0 cost 4 there and nothing here.",
        "multi-margin adds up what is missing to all other classes, as Weston and Watkins have it.",
    ],
    same_as={
        "optax": "optax.losses.multiclass_hinge_loss(pred, target)",
        "sklearn": "sklearn.metrics.hinge_loss(target, pred)",
    },
    cites=["crammer2001"],
)
def multiclass_hinge(pred: Tensor, target: Tensor, *, margin: float = 1.0, ignore_index: int | None = None) -> Tensor:
    """The hinge loss of several classes: the true one must lead the best of the others by a margin.

    It is the loss of the support vector machine of Crammer and Singer. A datum whose true class leads clearly costs
    nothing, and of the other classes only the strongest rival counts, so that the many that are far behind do not
    disturb. Take multi-margin where all of them should be kept at a distance.

    The scores are no probabilities; where these are wanted, take the cross entropy.

    Args:
        pred: The scores, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...).
        margin: By how much the true class must lead to cost nothing.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over those that count.

    Example:
        >>> import torch
        >>> multiclass_hinge(torch.tensor([[2.0, 0.5, 0.0], [0.0, 1.0, 0.0]]), torch.tensor([0, 2]))
        tensor([0., 2.])
    """
    positions = Positions.of(pred, target, ignore_index=ignore_index)
    return positions.per_datum(slack(positions.of_index(positions.rows), positions.best_other(), margin))


def _counted(pred: Tensor, target: Tensor, *, ignore_index: int | None = None, **_: object) -> Tensor | None:
    return weights_in_cost(pred, target, ignore_index=ignore_index)


@loss(
    family="classes",
    pred=CLASS_SCORES,
    target=TRUE_CLASS,
    where={
        "p": Whole(Interval(1, 2)),
        "margin": NON_NEGATIVE,
        "class_weight": PER_CLASS,
        "ignore_index": IGNORED,
    },
    aliases=["weston-watkins"],
    class_axis=True,
    weigh=_counted,
    formula=r"\frac{w_y}{C} \sum_{j \neq y} \max(0, m + f_j - f_y)^p",
    gradient=r"\frac{\partial}{\partial f_j} = \frac{p\, w_y}{C} \max(0, m + f_j - f_y)^{p - 1},\quad j \neq y",
    unit="score^p",
    range="[0, inf)",
    curve=ALONG_THE_LEAD,
    traits=Traits(
        punishes="Every class that the true one does not lead by the margin, by what is missing of it.",
        convex="Convex in the scores, not strictly.",
        differentiable="Differentiable with p = 2; with p = 1 except where a class just reaches the margin.",
        bounded="Unbounded.",
        robust="With p = 1 no datum pulls harder than its weight; with p = 2 far mistakes count by their squares.",
    ),
    convention="Divided by C, the number of classes, though at most C - 1 count. A class weight is a factor of the "
    "loss, and the cost is the plain mean, not divided by the weights.",
    differs=[
        "Weston and Watkins have a margin of 2 and do not divide by C.",
        "multiclass-hinge looks at the best other class only.",
    ],
    same_as={
        "torch": "torch.nn.functional.multi_margin_loss(pred, target, p=p, margin=margin, weight=class_weight, "
        "reduction='none')",
    },
    cites=["weston1999"],
)
def multi_margin(
    pred: Tensor,
    target: Tensor,
    *,
    p: int = 1,
    margin: float = 1.0,
    class_weight: tuple[float, ...] | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """The hinge losses of the true class against each of the others, added up.

    Where the Crammer-Singer loss sees the strongest rival only, this one pushes all classes back that are too close,
    which gives a smoother course at the start of training. With many classes the sum is dominated by their number
    rather than by the one mistake that decides.

    Args:
        pred: The scores, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...).
        p: The power of what is missing, 1 or 2.
        margin: By how much the true class must lead another for that to cost nothing.
        class_weight: A factor for the data of each class.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over those that count.

    Raises:
        UsageError: class weights that are not one a class.

    Example:
        >>> import torch
        >>> multi_margin(torch.tensor([[2.0, 0.5, 0.0], [0.0, 1.0, 0.0]]), torch.tensor([0, 2]))
        tensor([0., 1.])
    """
    positions = Positions.of(pred, target, ignore_index=ignore_index)
    assert positions.index is not None
    column = positions.index.unsqueeze(1)
    short = slack(positions.rows.gather(1, column), positions.rows, margin).scatter(1, column, 0.0)
    values = row_sum(short if p == 1 else short * short) / pred.shape[1]
    factors = per_class(class_weight, pred.shape[1], pred, "class-weight")
    return positions.per_datum(values if factors is None else values * factors[positions.index])


@loss(
    family="classes",
    pred=CLASS_SCORES,
    target=TRUE_CLASS,
    where={"ignore_index": IGNORED},
    class_axis=True,
    weigh=weights_in_cost,
    formula=r"\max_j\, f_j - f_y",
    gradient=r"\frac{\partial}{\partial f_y} = -1 \text{ where another class leads, and } 1 \text{ for that class}",
    unit="score",
    range="[0, inf)",
    curve=ALONG_THE_LEAD,
    traits=Traits(
        punishes="How far the true class is behind the best one; nothing where it is the best, however closely.",
        convex="Convex in the scores, not strictly.",
        differentiable="Differentiable except where two classes share the lead.",
        bounded="Unbounded, but it grows only in proportion.",
        robust="More robust than squares: no datum pulls harder than with a slope of 1 on two classes.",
    ),
    convention="The multiclass hinge loss with a margin of 0.",
    differs=["Collins' rule corrects the weights of sequences by the same difference, for the best sequence."],
    same_as={"optax": "optax.losses.multiclass_perceptron_loss(pred, target)"},
    cites=["collins2002"],
)
def multiclass_perceptron(pred: Tensor, target: Tensor, *, ignore_index: int | None = None) -> Tensor:
    """The perceptron loss of several classes: how far the true class is behind the one that would be chosen.

    Going down its gradient adds the datum to the true class and takes it from the one that was chosen instead: the
    perceptron's rule. It costs nothing to be right by a hair, nor to give all classes the same score, so it suits
    learning while data come in better than the comparison of models.

    Args:
        pred: The scores, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...).
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over those that count.

    Example:
        >>> import torch
        >>> multiclass_perceptron(torch.tensor([[2.0, 0.5, 0.0], [0.0, 1.0, 0.0]]), torch.tensor([0, 2]))
        tensor([0., 1.])
    """
    positions = Positions.of(pred, target, ignore_index=ignore_index)
    return positions.per_datum(slack(positions.of_index(positions.rows), positions.rows.amax(1), 0.0))


@loss(
    family="classes",
    pred=CLASS_SCORES,
    target=CLASS,
    where={"ignore_index": IGNORED},
    class_axis=True,
    weigh=weights_in_cost,
    formula=r"\frac{1}{2} \Vert p - q \Vert^2 + \sum_{p_c = 0} q_c\, (\tau - f_c),\quad p_c = \max(0, f_c - \tau)",
    gradient=r"\frac{\partial}{\partial f_c} = p_c - q_c",
    unit="1",
    range="[0, inf)",
    curve=ALONG_THE_LEAD,
    traits=Traits(
        punishes="A true class that does not lead by 1, in the end in proportion to how far it is behind.",
        convex="Convex in the scores, not strictly.",
        differentiable="Differentiable everywhere, once.",
        bounded="Unbounded, but it grows only in proportion.",
        robust="More robust than squares: the slopes by the scores are probabilities less shares, 1 at most.",
    ),
    convention="The Fenchel-Young loss of half the squared length, zero at the least; tau makes the p sum to 1. The "
    "target is a class or a probability for each.",
    differs=["Martins and Astudillo write it with squares of scores and tau, which is the same number."],
    same_as={"optax": "optax.losses.multiclass_sparsemax_loss(pred, target)"},
    cites=["martins2016", "blondel2020"],
)
def multiclass_sparsemax(pred: Tensor, target: Tensor, *, ignore_index: int | None = None) -> Tensor:
    """The loss of sparsemax: a cross entropy whose probabilities may be exactly 0.

    Sparsemax makes probabilities of scores by projecting them on the simplex, so that classes far behind get nothing at
    all. This loss is to it what the cross entropy is to softmax: its gradient is the probabilities less the target. A
    true class that leads all others by 1 costs nothing.

    Use it where few classes are plausible and a clear "impossible" is wanted. Such a 0 that turns out wrong costs in
    proportion to the scores, not infinitely.

    Args:
        pred: The scores, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...), or one probability for each class, of the prediction's shape.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over those that count.

    Raises:
        UsageError: an ignored index with soft targets.

    Example:
        >>> import torch
        >>> multiclass_sparsemax(torch.tensor([[2.0, 0.5, 0.0], [0.0, 1.0, 0.0]]), torch.tensor([0, 2]))
        tensor([0., 1.])
    """
    positions = Positions.of(pred, target, ignore_index=ignore_index)
    share = positions.shares()
    error, behind = distances(positions.rows, share)
    # A class that the target gives nothing may be infinitely far behind.
    outside = share * torch.where(share == 0, 0.0, behind)
    return positions.per_datum(row_sum(0.5 * (error * error) + outside))
