"""Losses of several labels that may be true together, such as the tags of a picture: scores and probabilities."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import LABELS, NON_NEGATIVE, SCORES, Choice, Domain, Interval, Number
from losscli.errors import DatumError
from losscli.loss import Slice, Traits
from losscli.losses._stable.classes import PER_CLASS, per_class
from losscli.losses._stable.elementary import LogSigmoids, power, row_sum
from losscli.losses._stable.labels import sum_over_pairs
from losscli.losses._stable.slack import slack
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

LOGITS = replace(SCORES, name="logits", phrase="one logit for each label")
PROBABILITIES = replace(
    LABELS, name="probability", phrase="one probability for each label", hint="are these logits? Add --input logits."
)
PRED = {"logits": LOGITS, "probs": PROBABILITIES}
# Labels that are counted cannot be true by a half.
HARD_LABELS = replace(LABELS, codes=((0, 1),), interval=Interval())
NUMBERS = Domain(
    "label numbers",
    "the numbers 0 .. C-1 of the true labels, then -1",
    shapes=("n L",),
    interval=Interval(low=-1),
    hint="after the last true label, -1 fills the row.",
)
TARGET = {
    "columns": replace(HARD_LABELS, hint="are these the numbers of the true labels? Add --target-form indices."),
    "indices": NUMBERS,
}


def _of_true(score: Tensor) -> dict[str, Tensor]:
    return {"pred": score.unsqueeze(1), "target": torch.ones_like(score).unsqueeze(1)}


def _of_false(score: Tensor) -> dict[str, Tensor]:
    return {"pred": score.unsqueeze(1), "target": torch.zeros_like(score).unsqueeze(1)}


def beside_others(score: Tensor) -> dict[str, Tensor]:
    """A true label with this score, one with 1, and two false ones with 0 and -1."""
    others = [torch.full_like(score, value) for value in (1.0, 0.0, -1.0)]
    target = score.new_tensor([1.0, 1.0, 0.0, 0.0]).expand(len(score), 4)
    return {"pred": torch.stack([score, *others], 1), "target": target}


CASES = {"true": _of_true, "false": _of_false}
ALONG_THE_LOGIT = Slice("logit z of a label", (-6.0, 6.0), CASES, variable="z", notable=(0.0,))
ALONG_THE_PROBABILITY = Slice(
    "predicted probability p of a label", (0.0, 1.0), CASES, variable="p", allowed=Interval(0, 1)
)


def _of_one_label(*, input: str, **_: object) -> Slice:
    return ALONG_THE_LOGIT if input == "logits" else ALONG_THE_PROBABILITY


@loss(
    family="labels",
    pred=LOGITS,
    target=LABELS,
    where={"class_weight": PER_CLASS},
    aliases=["multilabel-logistic"],
    formula=r"-\frac{1}{C} \sum_c w_c \left(y_c \ln p_c + (1 - y_c) \ln(1 - p_c)\right)",
    gradient=r"\frac{\partial}{\partial z_c} = \frac{w_c}{C} (p_c - y_c)",
    unit="nats",
    range="[0, inf)",
    curve=ALONG_THE_LOGIT,
    traits=Traits(
        punishes="Confidence in wrong labels, and in missing ones, each by its logarithm.",
        convex="Convex in the logits, strictly.",
        differentiable="Differentiable everywhere.",
        bounded="Unbounded, but it grows only in proportion to the logits.",
        robust="Robust as far as a logit is: no label pulls harder than its weight over C.",
    ),
    convention="The mean over the labels. A weight is a factor of its label, and the mean is not divided by weights.",
    differs=[
        "binary-cross-entropy with input=logits is the same number without weights, for any shape.",
        "Some code adds up the labels instead, which is C times as much.",
    ],
    same_as={
        "torch": "torch.nn.functional.multilabel_soft_margin_loss(pred, target, weight=class_weight, reduction='none')",
    },
    cites=["cox1958", "tsoumakas2010"],
)
def multilabel_soft_margin(pred: Tensor, target: Tensor, *, class_weight: tuple[float, ...] | None = None) -> Tensor:
    """Each label is a yes-or-no question of its own, answered by a logit: the mean of their cross entropies.

    It is the plain choice for tags: labels may be true together, and none takes probability from another. What it does
    not see is which labels go together.

    Where each datum has few of very many labels, the many easy noes fill the mean. Weigh the labels by
    ``class_weight``, or take asymmetric, which plays the easy noes down.

    Args:
        pred: One logit for each label, shape (n, C).
        target: 1 for each label that is true and 0 for the others, or probabilities between them, shape (n, C).
        class_weight: A factor for each label.

    Returns:
        The loss of each datum, shape (n).

    Raises:
        UsageError: weights that are not one a label.

    Example:
        >>> import torch
        >>> multilabel_soft_margin(torch.tensor([[2.0, -1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]]))
        tensor([0.3778])
    """
    logs = LogSigmoids.of(pred)
    values = target * logs.minus_log + (1 - target) * logs.minus_log_of_complement
    factors = per_class(class_weight, pred.shape[1], pred, "class-weight")
    return row_sum(values if factors is None else values * factors) / pred.shape[1]


@loss(
    family="labels",
    pred=SCORES,
    target=TARGET,
    where={"target_form": Choice(tuple(TARGET))},
    formula=r"\frac{1}{C} \sum_{j \in Y} \sum_{i \notin Y} \max(0, 1 - f_j + f_i)",
    gradient=r"\frac{\partial}{\partial f_j} = -\frac{1}{C} \left|\{i \notin Y:\ f_i > f_j - 1\}\right|,\quad j \in Y",
    unit="score",
    range="[0, inf)",
    curve=Slice(
        "score of a true label, beside one with 1 and two false ones with 0 and -1",
        (-3.0, 4.0),
        {"": beside_others},
        variable="score",
        notable=(0.0, 1.0),
    ),
    traits=Traits(
        punishes="Every pair of a true and a false label in which the true one is not 1 ahead, by what is missing.",
        convex="Convex in the scores, not strictly.",
        differentiable="Differentiable except where a pair is exactly 1 apart.",
        bounded="Unbounded, but it grows only in proportion.",
        robust="Robust against single far scores: no pair pulls harder than with a slope of 1/C.",
    ),
    convention="The sum over the pairs, divided by the number C of labels, not by the number of pairs.",
    differs=[
        "torch.nn.MultiLabelMarginLoss takes the numbers of the true labels, padded by -1: target_form=indices. The "
        "rows (1, 0) mean label 0 in one form and both labels in the other, so it is asked for, not guessed.",
        "Elisseeff and Weston divide by the number of pairs.",
    ],
    same_as={
        "torch": "torch.nn.functional.multilabel_margin_loss(pred, indices, reduction='none'), for target_form=indices",
    },
    cites=["elisseeff2001"],
)
def multilabel_margin(pred: Tensor, target: Tensor, *, target_form: str = "columns") -> Tensor:
    """Every true label must lead every false one by 1.

    Only the order of the labels counts, and how clear it is; no score has to be above 0. That suits a list of tags from
    which the first few are shown. A datum without true labels, or without false ones, has no pairs and costs nothing.

    The work grows with the square of the number of labels. For thousands of them, take multilabel-soft-margin.

    Args:
        pred: One score for each label, shape (n, C).
        target: 1 for each label that is true and 0 for the others, shape (n, C); or the numbers of the true labels,
            shape (n, L), ended by -1.
        target_form: Whether the target has a column for each label, or the numbers (indices) of the true ones.

    Returns:
        The loss of each datum, shape (n).

    Raises:
        DataError: a number that no label has.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[0.1, 0.2, 0.4, 0.8]])
        >>> multilabel_margin(scores, torch.tensor([[1.0, 0.0, 0.0, 1.0]]))
        tensor([0.8500])
        >>> multilabel_margin(scores, torch.tensor([[3, 0, -1, -1]]), target_form="indices")
        tensor([0.8500])
    """
    missing = torch.isnan(target).any(1)
    true = target > 0 if target_form == "columns" else _numbered(target, pred.shape[1])
    values = sum_over_pairs(pred, true, lambda ahead, behind: slack(ahead, behind, 1.0)) / pred.shape[1]
    return torch.where(missing | torch.isnan(pred).any(1), math.nan, values)


def _numbered(target: Tensor, labels: int) -> Tensor:
    """Which labels the numbers of each row name, up to its first -1: shape (n, L) to (n, C)."""
    wrong = (target >= labels) | (target != torch.floor(target)) & (target == target)
    if bool(wrong.any()):
        datum, position = torch.nonzero(wrong)[0].tolist()
        number = target[datum, position].item()
        raise DatumError(
            f"{number:g} is not the number of a label: there are {labels}, numbered 0 .. {labels - 1}",
            role="target",
            datum=datum,
            position=position,
            hint="leave out --target-form indices where each label has a column of its own.",
        )
    named = (target < 0).long().cumsum(1) == 0
    # What does not count goes into a column of its own, which is left out afterwards.
    index = torch.where(named, torch.nan_to_num(target), labels).long()
    true = torch.zeros(len(target), labels + 1, dtype=torch.bool, device=target.device)
    return true.scatter(1, index, torch.ones_like(named))[:, :labels]


@loss(
    family="labels",
    pred=PRED,
    target=LABELS,
    where={
        "gamma_neg": NON_NEGATIVE,
        "gamma_pos": NON_NEGATIVE,
        "clip": Number(Interval(0, 1, open_high=True)),
        "input": Choice(tuple(PRED)),
    },
    aliases=["asl", "asymmetric-loss"],
    formula=r"-\sum_c y_c (1 - p_c)^{\gamma_+} \ln p_c + (1 - y_c)\, \bar{p}_c^{\gamma_-} \ln(1 - \bar{p}_c),\quad "
    r"\bar{p}_c = \max(0, p_c - m)",
    gradient=r"\frac{\partial}{\partial p_c} = \bar{p}_c^{\gamma_- - 1} \left(\frac{\bar{p}_c}{1 - \bar{p}_c} "
    r"- \gamma_- \ln(1 - \bar{p}_c)\right) \text{ for a false label above } m",
    unit="nats",
    range="[0, inf]",
    curve=_of_one_label,
    traits=Traits(
        punishes="Missed labels almost as cross entropy does; labels too many only where they are held to be likely.",
        convex="Not convex.",
        differentiable="Differentiable everywhere in the logits, but where a probability just reaches the clip and "
        "gamma_neg is 0.",
        bounded="Unbounded for missed labels; a false label costs ln(1/m) at most, 3.0 for a clip of .05.",
        robust="Robust against labels that were forgotten, as false labels that look true count less than elsewhere; "
        "not against true labels that are wrong.",
    ),
    convention="The sum over the labels, not their mean. The probability of a false label is shifted by the clip m "
    "before both the power and the logarithm.",
    differs=[
        "The authors' code adds 1e-8 inside the logarithms, so that a missed label costs 18.4 at most, and adds up all "
        "data of a batch.",
        "focal has one gamma for both, no shift, and a factor alpha.",
    ],
    same_as={
        "torch": "torch.nn.functional.binary_cross_entropy_with_logits(pred, target, reduction='none').sum(1), "
        "for gamma_neg=0, gamma_pos=0 and clip=0"
    },
    cites=["ridnik2021"],
)
def asymmetric(
    pred: Tensor,
    target: Tensor,
    *,
    gamma_neg: float = 4.0,
    gamma_pos: float = 1.0,
    clip: float = 0.05,
    input: str = "logits",
) -> Tensor:
    """A focal loss for tags that treats yes and no unequally, for data with few of many labels.

    A picture has three tags out of thousands, so almost everything is a no, and nearly all noes are easy. They are
    played down by a large power, and below the clip they count nothing at all. The rare yeses keep their full weight.

    Keep gamma_pos at 0 or 1 and gamma_neg larger; raise gamma_neg where labels are rarer still. Beyond the clip also
    false labels that are very likely lose some weight: often they are true and were forgotten.

    Args:
        pred: One logit for each label, or one probability, shape (n, C).
        target: 1 for each label that is true and 0 for the others, or probabilities between them, shape (n, C).
        gamma_neg: How strongly false labels that are predicted well are played down.
        gamma_pos: How strongly true labels that are predicted well are played down.
        clip: Up to which probability a false label costs nothing: the m of the formula.
        input: Whether the prediction holds logits or probabilities.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> asymmetric(torch.tensor([[2.0, -1.0, 0.0]]), torch.tensor([[1.0, 0.0, 1.0]]))
        tensor([0.3623])
    """
    if input == "logits":
        logs = LogSigmoids.of(pred)
        p, complement = logs.power(1), logs.power_of_complement(1)
        of_true = logs.minus_log * logs.power_of_complement(gamma_pos)
    else:
        # What is infinite must not meet a label to which it does not apply.
        p, complement = torch.where(target == 1, 0.0, pred), 1 - pred
        applies = torch.where(target == 0, 1.0, pred)
        of_true = -torch.log(applies) * power(1 - applies, gamma_pos)
    if input == "logits" and clip == 0:
        of_false = logs.minus_log_of_complement * logs.power(gamma_neg)
    else:
        shifted = torch.relu(p - clip)
        near = shifted < 0.5
        # One less a large probability is had from its complement, which has more digits.
        minus_log = torch.where(
            near,
            -torch.log1p(-torch.where(near, shifted, 0.0)),
            -torch.log(torch.where(near, 1.0, complement + clip)),
        )
        of_false = minus_log * power(shifted, gamma_neg)
    return row_sum(target * of_true + (1 - target) * of_false)
