"""Losses of how well two masks overlap: what the overlap lacks, as a share of what the masks hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli.domain import MASK, NON_NEGATIVE, POSITIVE, ParamRange
from losscli.loss import Traits
from losscli.losses._stable.elementary import mean_over_outputs, power
from losscli.losses._stable.masks import AREAS, INPUT, OVER, PRED, counts, lost_share, statistic
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

COMMON: Mapping[str, ParamRange] = {"smooth": NON_NEGATIVE, "over": OVER, "input": INPUT}
SHARES: Mapping[str, ParamRange] = {"alpha": NON_NEGATIVE, "beta": NON_NEGATIVE, **COMMON}


@loss(
    family="overlap",
    pred=PRED,
    target=MASK,
    where=COMMON,
    aliases=["dice-loss", "sorensen-dice", "soft-dice", "f1-loss"],
    statistic=lambda over, smooth, **_: statistic(over, smooth, hit=2.0),
    formula=r"1 - \frac{2 I + s}{P + T + s},\quad I = \sum_i p_i t_i,\ P = \sum_i p_i,\ T = \sum_i t_i",
    gradient=r"\frac{\partial}{\partial p_i} = \frac{2 I + s - 2 t_i (P + T + s)}{(P + T + s)^2}",
    unit="1",
    range="[0, 1]",
    curve=AREAS,
    traits=Traits(
        punishes="What is missing from the overlap, as a share of the two masks together, whatever their size.",
        convex="Not convex.",
        differentiable="Differentiable except where both masks are empty.",
        bounded="At most 1, which masks without overlap cost.",
        robust="A small object counts as much as a large one, so that one wrong position of a small one costs much.",
    ),
    convention="Sums of products, without squares; nothing is added unless --smooth says so. Two empty masks agree: 0; "
    "an empty true mask costs 1 at any prediction. The cost is the mean over the data, or with --over all one ratio of "
    "the sums over all data, which the weights multiply.",
    differs=[
        "keras.losses.Dice is of the whole batch (--over all) and adds 1e-7 to the denominator alone: two empty masks "
        "cost 1 there.",
        "optax.losses.dice_loss takes logits, adds 1 to I and to (P + T)/2, which is a smooth of 2 here, and averages "
        "over the classes of the last axis (--over classes).",
        "MONAI's DiceLoss adds 1e-5 above and below; segmentation_models_pytorch's is of the whole batch and 0 for "
        "every class that the target lacks.",
        "V-Net's own loss has squares in the denominator: p = .5 for t = 1 costs .2 there and .333 here.",
    ],
    same_as={
        "MONAI": "monai.losses.DiceLoss(smooth_nr=0, smooth_dr=0, reduction='none')(pred[:, None], target[:, None]), "
        "for masks that are not empty"
    },
    cites=["dice1945", "sorensen1948", "milletari2016", "wang2023"],
)
def dice(pred: Tensor, target: Tensor, *, smooth: float = 0.0, over: str = "datum", input: str = "probs") -> Tensor:
    """One minus the Dice coefficient, twice the overlap of two masks over their sizes: the F1 score as a loss.

    In most images the object is small, and a prediction of background everywhere is right at almost every position.
    The Dice loss does not reward that: positions that are background in both masks do not enter. It is the usual loss
    of segmentation, alone or added to a cross entropy, which steadies its gradient.

    A mean over data counts every image alike, and one ratio over all of them counts every position alike; a tiny object
    that is missed decides the first and hardly moves the second. In a table with one position a row, only the second
    means anything. Add a smooth of about 1 where images without any object should cost little for a little false alarm.
    Labels between 0 and 1 are better served by another loss: a prediction of .5 for a label of .5 costs .5.

    Args:
        pred: Probabilities or logits of the object, shape (n, ...): one mask a datum.
        target: The true masks of 0 and 1, or of values between them, of the same shape.
        smooth: What is added to twice the overlap and to the sum of the sizes.
        over: Whether each datum has a ratio of its own, or the mean over its classes of theirs (classes are the second
            axis), or all data have one together.
        input: Whether the prediction holds probabilities or logits.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> dice(torch.tensor([[0.8, 0.6, 0.1, 0.0]]), torch.tensor([[1.0, 1.0, 0.0, 0.0]]))
        tensor([0.2000])
    """
    hits, false_alarms, misses = counts(pred, target, input, over)
    lost = false_alarms + misses
    return mean_over_outputs(lost_share(lost, 2 * hits + smooth, hits + lost == 0))


@loss(
    family="overlap",
    pred=PRED,
    target=MASK,
    where=COMMON,
    aliases=["jaccard-loss", "soft-iou", "iou-of-masks"],
    statistic=lambda over, smooth, **_: statistic(over, smooth),
    formula=r"1 - \frac{I + s}{P + T - I + s},\quad I = \sum_i p_i t_i,\ P = \sum_i p_i,\ T = \sum_i t_i",
    gradient=r"\frac{\partial}{\partial p_i} = \frac{(1 - t_i)(I + s) - t_i (P + T - I + s)}{(P + T - I + s)^2}",
    unit="1",
    range="[0, 1]",
    curve=AREAS,
    traits=Traits(
        punishes="What is missing from the overlap, as a share of the area that either mask covers.",
        convex="Not convex.",
        differentiable="Differentiable except where both masks are empty.",
        bounded="At most 1, which masks without overlap cost.",
        robust="Counts small objects as much as large ones, and bad overlaps more evenly than dice does.",
    ),
    convention="Sums of products; nothing is added unless --smooth says so. Two empty masks agree: 0; an empty true "
    "mask costs 1 at any prediction. With --over all one ratio of the sums over all data.",
    differs=[
        "segmentation_models_pytorch's JaccardLoss is of the whole batch and 0 for every class that the target lacks.",
        "Sums of the smaller over sums of the larger of p and t (Ruzicka) make a prediction of .5 for a label of .5 "
        "cost 0; here it costs .667. For masks of 0 and 1 the two are the same.",
    ],
    same_as={
        "MONAI": "monai.losses.DiceLoss(jaccard=True, smooth_nr=0, smooth_dr=0, reduction='none')(pred[:, None], "
        "target[:, None]), for masks that are not empty"
    },
    cites=["jaccard1901", "rahman2016", "wang2023"],
)
def jaccard(pred: Tensor, target: Tensor, *, smooth: float = 0.0, over: str = "datum", input: str = "probs") -> Tensor:
    """One minus the Jaccard index of two masks, their intersection over their union.

    It is the measure by which segmentations are judged, as the mean of it over classes (mIoU), made smooth by taking
    probabilities as they are. It orders single masks as ``dice`` does, of which it is 2D/(1 + D), and asks more of good
    ones: an overlap of nine tenths of each mask costs .1 there and .18 here.

    What is minimised over soft masks is not quite the index of the hard ones; ``lovasz-hinge`` and ``lovasz-softmax``
    are made to be closer. For boxes given by their corners see ``iou``.

    Args:
        pred: Probabilities or logits of the object, shape (n, ...): one mask a datum.
        target: The true masks of 0 and 1, or of values between them, of the same shape.
        smooth: What is added to the intersection and to the union.
        over: Whether each datum has a ratio of its own, or the mean over its classes of theirs (classes are the second
            axis), or all data have one together.
        input: Whether the prediction holds probabilities or logits.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> jaccard(torch.tensor([[0.8, 0.6, 0.1, 0.0]]), torch.tensor([[1.0, 1.0, 0.0, 0.0]]))
        tensor([0.3333])
    """
    hits, false_alarms, misses = counts(pred, target, input, over)
    lost = false_alarms + misses
    return mean_over_outputs(lost_share(lost, hits + smooth, hits + lost == 0))


@loss(
    family="overlap",
    pred=PRED,
    target=MASK,
    where=SHARES,
    aliases=["tversky-loss"],
    statistic=lambda over, smooth, alpha, beta, **_: statistic(over, smooth, false_alarm=alpha, miss=beta),
    formula=r"1 - \frac{I + s}{I + \alpha \sum_i p_i (1 - t_i) + \beta \sum_i (1 - p_i)\, t_i + s},"
    r"\quad I = \sum_i p_i t_i",
    gradient=r"\frac{\partial}{\partial p_i} = \frac{(t_i + \alpha (1 - t_i) - \beta t_i)(I + s) - t_i N}{N^2},"
    r"\quad N \text{ the denominator}",
    unit="1",
    range="[0, 1]",
    curve=AREAS,
    traits=Traits(
        punishes="False alarms by alpha and misses by beta, as a share of what both masks hold.",
        convex="Not convex.",
        differentiable="Differentiable except where both masks are empty.",
        bounded="At most 1, which masks without overlap cost.",
        robust="Counts small objects as much as large ones.",
    ),
    convention="alpha is the price of a false alarm and beta that of a miss, as in Salehi's paper. Two empty masks "
    "agree: 0; where only what has no price is there, the loss is 0/0 and not defined.",
    differs=[
        "keras.losses.Tversky has the two prices the other way round and is of the whole batch: for the masks of the "
        "example, alpha = .9 and beta = .1 give .282 there and .097 here.",
        "optax.losses.dice_loss has the same alpha and beta, with a smooth of 1, on logits.",
        "segmentation_models_pytorch's TverskyLoss is of the whole batch and raises the result to a power gamma.",
    ],
    same_as={
        "MONAI": "monai.losses.TverskyLoss(alpha=alpha, beta=beta, smooth_nr=0, smooth_dr=0, reduction='none')"
        "(pred[:, None], target[:, None]), for masks that are not empty"
    },
    cites=["tversky1977", "salehi2017"],
)
def tversky(
    pred: Tensor,
    target: Tensor,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    smooth: float = 0.0,
    over: str = "datum",
    input: str = "probs",
) -> Tensor:
    """One minus the Tversky index: an overlap in which false alarms and misses have different prices.

    With prices of .5 each it is ``dice``, with 1 each ``jaccard``, and with 1 and 0 or 0 and 1 one minus the precision
    or the recall. Where a missed lesion is worse than a false alarm, as in medical images, beta = .7 and alpha = .3 are
    a common choice.

    Prices that add up to 1 keep it a weighted F score: alpha = 1/(1 + b²) and beta = b²/(1 + b²) give one minus the F
    score of weight b.

    Args:
        pred: Probabilities or logits of the object, shape (n, ...): one mask a datum.
        target: The true masks of 0 and 1, or of values between them, of the same shape.
        alpha: The price of what is predicted and not true.
        beta: The price of what is true and not predicted.
        smooth: What is added to the overlap and to the denominator.
        over: Whether each datum has a ratio of its own, or the mean over its classes of theirs (classes are the second
            axis), or all data have one together.
        input: Whether the prediction holds probabilities or logits.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> tversky(torch.tensor([[0.8, 0.6, 0.1, 0.0]]), torch.tensor([[1.0, 1.0, 0.0, 0.0]]), alpha=0.9, beta=0.1)
        tensor([0.0968])
    """
    return mean_over_outputs(_one_minus_index(pred, target, alpha, beta, smooth, over, input))


def _one_minus_index(
    pred: Tensor, target: Tensor, alpha: float, beta: float, smooth: float, over: str, input: str
) -> Tensor:
    hits, false_alarms, misses = counts(pred, target, input, over)
    lost = alpha * false_alarms + beta * misses
    return lost_share(lost, hits + smooth, hits + false_alarms + misses == 0)


def _to_the_power(gamma: float) -> Callable[[Fraction], Fraction]:
    """A function of exact numbers in [0, 1]; powers that are not whole are rounded to fifty digits."""

    def finish(share: Fraction) -> Fraction:
        if gamma.is_integer():
            return share ** int(gamma)
        digits = Context(prec=50)
        base = digits.divide(Decimal(share.numerator), Decimal(share.denominator))
        return Fraction(digits.power(base, Decimal(gamma)))

    return finish


@loss(
    family="overlap",
    pred=PRED,
    target=MASK,
    where={"gamma": POSITIVE, **SHARES},
    statistic=lambda over, smooth, alpha, beta, gamma, **_: statistic(
        over, smooth, false_alarm=alpha, miss=beta, finish=_to_the_power(gamma)
    ),
    formula=r"(1 - \mathrm{TI})^\gamma,\quad \mathrm{TI} = \frac{I + s}{I + \alpha \sum_i p_i (1 - t_i) "
    r"+ \beta \sum_i (1 - p_i)\, t_i + s}",
    gradient=r"-\gamma (1 - \mathrm{TI})^{\gamma - 1} \frac{\partial \mathrm{TI}}{\partial p_i}",
    unit="1",
    range="[0, 1]",
    curve=AREAS,
    traits=Traits(
        punishes="As the Tversky loss does, and for gamma < 1 good overlaps more, for gamma > 1 bad ones more.",
        convex="Not convex.",
        differentiable="Differentiable except where both masks are empty or, for gamma < 1, where they agree.",
        bounded="At most 1, which masks without overlap cost.",
        robust="With gamma > 1 the bad overlaps decide, and wrong masks are among them.",
    ),
    convention="gamma is the exponent itself. Two empty masks agree: 0.",
    differs=[
        "Abraham and Khan write the exponent as 1/gamma and recommend gamma = 4/3, which is .75 here.",
        "They add the loss over the classes of an image; here each datum is one mask.",
        "segmentation_models_pytorch's TverskyLoss raises the mean over the classes of the whole batch to the power.",
    ],
    cites=["abraham2019", "salehi2017"],
)
def focal_tversky(
    pred: Tensor,
    target: Tensor,
    *,
    alpha: float = 0.5,
    beta: float = 0.5,
    gamma: float = 0.75,
    smooth: float = 0.0,
    over: str = "datum",
    input: str = "probs",
) -> Tensor:
    """The Tversky loss raised to a power, which moves the weight between easy and hard images.

    An exponent below 1 lifts small losses: training goes on improving masks that are almost right, whose gradient the
    plain loss lets vanish early. An exponent above 1 presses them down, as in the focal loss, and lets the hard images
    lead. Which of the two is wanted decides gamma; 1 is the Tversky loss itself.

    Below 1 the slope grows without bound as the masks come to agree; where they do it is taken to be zero.

    Args:
        pred: Probabilities or logits of the object, shape (n, ...): one mask a datum.
        target: The true masks of 0 and 1, or of values between them, of the same shape.
        alpha: The price of what is predicted and not true.
        beta: The price of what is true and not predicted.
        gamma: The exponent.
        smooth: What is added to the overlap and to the denominator.
        over: Whether each datum has a ratio of its own, or the mean over its classes of theirs (classes are the second
            axis), or all data have one together.
        input: Whether the prediction holds probabilities or logits.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> focal_tversky(torch.tensor([[0.8, 0.6, 0.1, 0.0]]), torch.tensor([[1.0, 1.0, 0.0, 0.0]]))
        tensor([0.2991])
    """
    return mean_over_outputs(power(_one_minus_index(pred, target, alpha, beta, smooth, over, input), gamma))
