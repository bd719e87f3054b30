"""Losses of the probabilities of several classes against the one that is true."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import (
    CLASS,
    CLASS_LOG_PROBABILITIES,
    CLASS_LOGITS,
    CLASS_PROBABILITIES,
    NON_NEGATIVE,
    UNIT,
    Choice,
    Interval,
    Vector,
    Whole,
)
from losscli.errors import UsageError
from losscli.loss import Traits
from losscli.losses._stable import entropy_term, power, rest_of_softmax, row_sum
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

PRED = {"logits": CLASS_LOGITS, "probs": CLASS_PROBABILITIES, "log-probs": CLASS_LOG_PROBABILITIES}
INPUT = Choice(tuple(PRED))
PER_CLASS = Vector(Interval(low=0))


# --- positions and classes --------------------------------------------------------------------------------------------


def _positions(values: Tensor) -> Tensor:
    """Shape (n, C, ...) as one row of classes for each position, (n · positions, C)."""
    return values if values.ndim == 2 else values.movedim(1, -1).reshape(-1, values.shape[1])


def _per_class(numbers: tuple[float, ...] | None, classes: int, like: Tensor, option: str) -> Tensor | None:
    """One number for each class, shape (C,); None where there are none."""
    if numbers is None:
        return None
    if len(numbers) not in (1, classes):
        raise UsageError(f"--{option} has {len(numbers)} numbers, but there are {classes} classes")
    return torch.tensor(numbers, dtype=like.dtype, device=like.device).expand(classes)


def _index(target: Tensor, ignore_index: int | None) -> tuple[Tensor, Tensor | None]:
    """The classes as integers, and which positions count; None where all do. A missing class becomes class 0."""
    target = target.reshape(-1)
    index = torch.nan_to_num(target, nan=0.0).long() if target.is_floating_point() else target.long()
    if ignore_index is None:
        return index, None
    counts = target != ignore_index
    return torch.where(counts, index, 0), counts


def _with_missing(values: Tensor, target: Tensor) -> Tensor:
    """NaN where the class is missing."""
    return torch.where(torch.isnan(target.reshape(-1)), math.nan, values) if target.is_floating_point() else values


def _position_weights(
    pred: Tensor, target: Tensor, class_weight: Tensor | None, ignore_index: int | None
) -> Tensor | None:
    """How much each position counts, (n · positions,); None where all count the same."""
    if target.ndim == pred.ndim:
        if ignore_index is not None:
            raise UsageError("--ignore-index suits class indices, not a probability for each class")
        return row_sum(_positions(target) * class_weight) if class_weight is not None else None
    index, counts = _index(target, ignore_index)
    if class_weight is None:
        return counts.to(pred.dtype) if counts is not None else None
    weights = class_weight[index]
    return weights if counts is None else torch.where(counts, weights, 0.0)


def _per_datum(values: Tensor, weights: Tensor | None, data: int) -> Tensor:
    """The (weighted) mean over the positions of each datum; 0 where none counts."""
    if values.shape[0] == data:
        return values if weights is None else torch.where(weights > 0, values, 0.0)
    values = values.reshape(data, -1)
    if weights is None:
        return row_sum(values) / values.shape[1]
    weights = weights.reshape(data, -1)
    total = row_sum(weights)
    weighted = row_sum(weights * torch.where(weights > 0, values, 0.0))
    return torch.where(total > 0, weighted / torch.where(total > 0, total, 1.0), 0.0)


def _weights_in_cost(
    pred: Tensor,
    target: Tensor,
    *,
    class_weight: tuple[float, ...] | None = None,
    ignore_index: int | None = None,
    **_: object,
) -> Tensor | None:
    """The weight of each datum in the cost: the sum over its positions, shape (n,)."""
    per_class = _per_class(class_weight, pred.shape[1], pred, "class-weight")
    weights = _position_weights(pred, target, per_class, ignore_index)
    return weights if weights is None else row_sum(weights.reshape(pred.shape[0], -1))


# --- minus the logarithms of the probabilities ------------------------------------------------------------------------


def _minus_log_of_class(rows: Tensor, index: Tensor, input: str) -> Tensor:
    """``-ln p_y`` of each row, shape (m,)."""
    column = index.unsqueeze(1)
    if input == "probs":
        return -torch.log(rows.gather(1, column).squeeze(1))
    if input == "log-probs":
        return -rows.gather(1, column).squeeze(1)
    largest, top, rest = rest_of_softmax(rows)
    # Where the true class is the largest, no gradient may pass through a difference that cancels.
    behind = torch.where(largest == column, 0.0, top - rows.gather(1, column)).squeeze(1)
    return behind + torch.log1p(rest)


def _minus_log_of_classes(rows: Tensor, weight: Tensor, input: str) -> Tensor:
    """``-ln p_c`` for all classes, (m, C); anything finite where the weight is zero."""
    counts = weight != 0
    if input == "probs":
        return -torch.log(torch.where(counts, rows, 1.0))
    if input == "log-probs":
        return -torch.where(counts, rows, 0.0)
    largest, top, rest = rest_of_softmax(rows)
    behind = (top - torch.where(counts, rows, top.detach())).scatter(1, largest, 0.0)
    return behind + torch.log1p(rest).unsqueeze(1)


def _weighted_sum(rows: Tensor, weight: Tensor, input: str) -> Tensor:
    """``Σ_c w_c (-ln p_c)`` of each row, shape (m,)."""
    if input != "logits":
        return row_sum(
            entropy_term(weight, rows) if input == "probs" else weight * -torch.where(weight != 0, rows, 0.0)
        )
    largest, top, rest = rest_of_softmax(rows)
    others = weight.scatter(1, largest, 0.0)
    behind = others * (top - torch.where(others != 0, rows, top.detach()))
    return row_sum(behind) + torch.log1p(rest) * row_sum(weight)


def _shares(target: Tensor, rows: Tensor, index: Tensor | None, label_smoothing: float) -> Tensor:
    """How much of each position every class has, (m, C), after smoothing."""
    if index is None:
        share = _positions(target).to(rows.dtype)
    else:
        share = torch.zeros_like(rows).scatter(1, index.unsqueeze(1), 1.0)
    if label_smoothing == 0:
        return share
    return share * (1 - label_smoothing) + label_smoothing / rows.shape[1]


# --- the losses -------------------------------------------------------------------------------------------------------


@loss(
    family="classes",
    pred=PRED,
    target=CLASS,
    where={
        "input": INPUT,
        "label_smoothing": UNIT,
        "class_weight": PER_CLASS,
        "ignore_index": Whole(none="none"),
    },
    aliases=["ce", "softmax-cross-entropy", "categorical-cross-entropy", "multiclass-log-loss"],
    weigh=_weights_in_cost,
    formula=r"-\ln p_y = \ln \sum_c e^{z_c} - z_y,\quad \text{or } -\sum_c q_c \ln p_c",
    gradient=r"\frac{\partial}{\partial z_c} = p_c - q_c",
    unit="nats",
    range="[0, inf]",
    curve="probability",
    traits=Traits(
        punishes="A small probability of the true class, without limit; how the rest is shared does not matter.",
        convex="Convex in the logits and in the probabilities.",
        differentiable="Differentiable everywhere in the logits.",
        bounded="Unbounded: infinite where the true class was held to be impossible.",
        robust="Not robust: a confident prediction for a wrong label can outweigh a thousand good ones.",
    ),
    convention="Natural logarithm; the classes are the second axis; probabilities are neither clipped nor made to sum "
    "to 1. With class weights the cost is the sum of w·loss over the sum of w, where w is the true class's weight, and "
    "the loss of a datum is not multiplied by it.",
    differs=[
        "torch.nn.CrossEntropyLoss ignores the class -100 unless told otherwise; here nothing is ignored unasked. "
        "Its reduction='none' multiplies each loss by the class weight, where here the weight counts in the cost. "
        "With soft targets and class weights it divides the cost by n, not by the sum of the weights.",
        "torch computes confident rows as ln(sum) - z_y and loses them: the float32 logits (30, 0) with class 0 cost "
        "0 there, 9.4e-14 here.",
        "keras divides probabilities by their sum and clips them at 1e-7; weighted costs are divided by n.",
        "sklearn.metrics.log_loss clips probabilities by the machine epsilon of their type.",
    ],
    same_as={
        "torch": "torch.nn.functional.cross_entropy(pred, target, label_smoothing=label_smoothing, reduction='none')",
        "keras": "keras.losses.SparseCategoricalCrossentropy(from_logits=True)(target, pred)",
        "optax": "optax.softmax_cross_entropy_with_integer_labels(pred, target)",
        "sklearn": "sklearn.metrics.log_loss(target, torch.softmax(pred, 1))",
    },
    cites=["shannon1948", "good1952", "bridle1990", "szegedy2016"],
)
def cross_entropy(
    pred: Tensor,
    target: Tensor,
    *,
    input: str = "logits",
    label_smoothing: float = 0.0,
    class_weight: tuple[float, ...] | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """Minus the logarithm of the probability that was given to the true class.

    A model scores each class; softmax makes probabilities of the scores (logits); the loss looks at that of the true
    class alone. Guessing among C classes costs ln C, the mark that a useful prediction has to beat. Like every
    logarithmic score it rewards honest probabilities, and it is what maximum likelihood minimises.

    The target is the index of the true class, 0 to C-1, or a probability for each class, for labels that are
    themselves uncertain. Label smoothing mixes an even distribution into either, which keeps a model from driving its
    logits apart for ever.

    A datum with several positions, such as an image with a class for each pixel, has the mean over those that count;
    a datum without any has the loss 0 and the weight 0.

    Args:
        pred: Logits, probabilities or log-probabilities, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...), or one probability for each class, of the prediction's shape.
        input: What the prediction holds.
        label_smoothing: How much of each target is spread evenly over all classes.
        class_weight: How much a datum of each class counts in the cost.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n).

    Raises:
        UsageError: class weights that are not one a class, or an ignored index with soft targets.

    Example:
        >>> import torch
        >>> cross_entropy(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 1]))
        tensor([0.4076, 1.0986])
    """
    rows = _positions(pred)
    per_class = _per_class(class_weight, rows.shape[1], rows, "class-weight")
    weights = _position_weights(pred, target, per_class, ignore_index)
    soft = target.ndim == pred.ndim
    index = None if soft else _index(target, ignore_index)[0]
    if index is not None and label_smoothing == 0:
        values = _minus_log_of_class(rows, index, input)
    else:
        shares = _shares(target, rows, index, label_smoothing)
        if per_class is not None and weights is not None:
            # The smoothed share of every class keeps that class's weight; the cost divides by the true class's.
            shares = shares * per_class
            values = _weighted_sum(rows, shares, input) / torch.where(weights > 0, weights, 1.0)
        else:
            values = _weighted_sum(rows, shares, input)
    if index is not None:
        values = _with_missing(values, target)
    return _per_datum(values, weights, pred.shape[0])


@loss(
    family="classes",
    pred=PRED,
    target=CLASS,
    where={"gamma": NON_NEGATIVE, "alpha": PER_CLASS, "input": INPUT, "label_smoothing": UNIT},
    aliases=["multiclass-focal", "softmax-focal"],
    formula=r"-\alpha_y (1 - p_y)^\gamma \ln p_y,\quad \text{or } -\sum_c q_c\, \alpha_c (1 - p_c)^\gamma \ln p_c",
    gradient=r"\frac{\partial}{\partial p_y} = \alpha_y (1 - p_y)^{\gamma - 1} "
    r"\left(\gamma \ln p_y - \frac{1 - p_y}{p_y}\right)",
    unit="nats",
    range="[0, inf]",
    curve="probability",
    traits=Traits(
        punishes="A small probability of the true class almost as cross entropy does; a large one hardly at all.",
        convex="Not convex for gamma > 0; for gamma = 0 it is the cross entropy, which is.",
        differentiable="Differentiable everywhere in the logits.",
        bounded="Unbounded: infinite where the true class was held to be impossible.",
        robust="Not robust: it puts the weight on the hard data, and wrong labels are the hardest.",
    ),
    convention="Softmax over the classes, one term for the true class. alpha is part of the loss: the cost is not "
    "divided by its sum.",
    differs=[
        "keras' CategoricalFocalCrossentropy has alpha = .25 by default, a quarter of this loss.",
        "segmentation_models_pytorch's FocalLoss takes each class against the rest with a sigmoid instead of softmax.",
        "MONAI and kornia give alpha to all classes but 0, and 1 - alpha to class 0.",
        "Many implementations average over the classes too and so divide by C.",
    ],
    same_as={
        "keras": "keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=gamma, from_logits=True)"
        "(one_hot_target, pred)",
    },
    cites=["lin2017", "szegedy2016"],
)
def categorical_focal(
    pred: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    alpha: tuple[float, ...] | None = None,
    input: str = "logits",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The focal loss of several classes: cross entropy that plays down what is predicted well already.

    The cross entropy of each datum is multiplied by (1 - p_y)^gamma, where p_y is the probability of the true class.
    Data that are easy lose their weight and the hard ones decide, which helps where one class, such as the background,
    is far more frequent than the others and easy to recognise.

    gamma = 0 gives the cross entropy; 2 is the usual choice. alpha adds a factor for each class, for instance the
    inverse of its frequency; a single number is the same factor for all.

    Args:
        pred: Logits, probabilities or log-probabilities, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...), or one probability for each class, of the prediction's shape.
        gamma: How strongly data that are predicted well are played down.
        alpha: A factor for each class, or one for all.
        input: What the prediction holds.
        label_smoothing: How much of each target is spread evenly over all classes.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over them.

    Raises:
        UsageError: a number of factors that is neither one nor one a class.

    Example:
        >>> import torch
        >>> categorical_focal(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 1]))
        tensor([0.0457, 0.4883])
    """
    rows = _positions(pred)
    factors = _per_class(alpha, rows.shape[1], rows, "alpha")
    index = None if target.ndim == pred.ndim else _index(target, None)[0]
    if index is not None and label_smoothing == 0:
        minus_log = _minus_log_of_class(rows, index, input)
        complement = 1 - rows.gather(1, index.unsqueeze(1)).squeeze(1) if input == "probs" else _complement(minus_log)
        values = power(complement, gamma) * minus_log
        values = values if factors is None else factors[index] * values
    else:
        shares = _shares(target, rows, index, label_smoothing)
        shares = shares if factors is None else shares * factors
        minus_log = _minus_log_of_classes(rows, shares, input)
        complement = 1 - rows if input == "probs" else _complement(minus_log)
        values = row_sum(shares * (power(complement, gamma) * minus_log))
    if index is not None:
        values = _with_missing(values, target)
    return _per_datum(values, None, pred.shape[0])


def _complement(minus_log: Tensor) -> Tensor:
    """``1 - p`` of ``-ln p``."""
    return -torch.expm1(-minus_log)
