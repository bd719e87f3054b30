"""Losses of the probabilities of several classes against the one that is true."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from losscli.domain import CLASS, NON_NEGATIVE, UNIT
from losscli.loss import Traits
from losscli.losses._stable.classes import IGNORED, INPUT, PER_CLASS, PRED, Positions, per_class, weights_in_cost
from losscli.losses._stable.elementary import power
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    family="classes",
    pred=PRED,
    target=CLASS,
    where={
        "input": INPUT,
        "label_smoothing": UNIT,
        "class_weight": PER_CLASS,
        "ignore_index": IGNORED,
    },
    aliases=["ce", "softmax-cross-entropy", "categorical-cross-entropy", "multiclass-log-loss"],
    presets={"nll": {"input": "log-probs"}},
    class_axis=True,
    weigh=weights_in_cost,
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
    positions = Positions.of(
        pred,
        target,
        input=input,
        label_smoothing=label_smoothing,
        class_weight=class_weight,
        ignore_index=ignore_index,
    )
    return positions.per_datum(positions.cross_entropy())


@loss(
    family="classes",
    pred=PRED,
    target=CLASS,
    where={
        "gamma": NON_NEGATIVE,
        "alpha": PER_CLASS,
        "input": INPUT,
        "label_smoothing": UNIT,
        "ignore_index": IGNORED,
    },
    aliases=["multiclass-focal", "softmax-focal"],
    class_axis=True,
    weigh=weights_in_cost,
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
    ignore_index: int | None = None,
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
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over them.

    Raises:
        UsageError: a number of factors that is neither one nor one a class, or an ignored index with soft targets.

    Example:
        >>> import torch
        >>> categorical_focal(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 1]))
        tensor([0.0457, 0.4883])
    """
    factors = per_class(alpha, pred.shape[1], pred, "alpha")
    positions = Positions.of(pred, target, input=input, label_smoothing=label_smoothing, ignore_index=ignore_index)
    positions = replace(positions, factors=factors)

    def focused(minus_log: Tensor, complement: Tensor) -> Tensor:
        return power(complement, gamma) * minus_log

    return positions.per_datum(positions.mean_of_classes(focused))
