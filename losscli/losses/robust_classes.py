"""Losses of the probabilities of several classes that bend or bound the cross entropy, many against wrong labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import CLASS, NON_NEGATIVE, UNIT, Interval, Number
from losscli.loss import Traits
from losscli.losses._stable.classes import (
    IGNORED,
    INPUT,
    INPUT_PROBS_FIRST,
    PER_CLASS,
    PRED,
    PROBS_FIRST,
    Positions,
    one_less_exponential,
    weights_in_cost,
)
from losscli.losses._stable.elementary import row_sum
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

# x - (1 - e^-x) is the series x²/2! - x³/3! + ...; below 1 the twentieth term is below the last digit.
SERIES = [(-1) ** k / math.factorial(k) for k in range(2, 22)]


def _beyond_complement(minus_log: Tensor) -> Tensor:
    """``x - (1 - e^-x)`` for x >= 0: what the cross entropy is more than the probability of being wrong."""
    near = minus_log < 1
    x = torch.where(near, minus_log, 0.0)
    series = torch.full_like(x, SERIES[-1])
    for coefficient in reversed(SERIES[:-1]):
        series = series * x + coefficient
    far = torch.where(near, 1.0, minus_log)
    return torch.where(near, series * (x * x), far + torch.expm1(-far))


@loss(
    family="classes",
    pred=PRED,
    target=CLASS,
    where={
        "epsilon": Number(Interval(low=-1)),
        "input": INPUT,
        "label_smoothing": UNIT,
        "class_weight": PER_CLASS,
        "ignore_index": IGNORED,
    },
    aliases=["poly1", "poly-cross-entropy"],
    class_axis=True,
    weigh=weights_in_cost,
    formula=r"-\ln p_y + \varepsilon\, (1 - p_y)",
    gradient=r"\frac{\partial}{\partial p_y} = -\frac{1}{p_y} - \varepsilon",
    unit="nats",
    range="[0, inf]",
    curve="probability",
    traits=Traits(
        punishes="A small probability of the true class as cross entropy does, and the first steps away from 1 by "
        "1 + epsilon times as much.",
        convex="Convex in the probabilities; in the logits for epsilon = 0 only.",
        differentiable="Differentiable everywhere in the logits.",
        bounded="Unbounded: infinite where the true class was held to be impossible.",
        robust="Not robust: a confident prediction for a wrong label can outweigh a thousand good ones.",
    ),
    convention="With class weights the cost is the sum of w·loss over the sum of w, as that of cross-entropy. Of soft "
    "targets, the sum over the classes of share times loss.",
    differs=[
        "The paper's own code has epsilon = 1 where nothing is said; optax has 2, as here.",
    ],
    same_as={
        "optax": "optax.losses.poly_loss_cross_entropy(pred, one_hot_target, epsilon=epsilon)",
        "torch": "torch.nn.functional.cross_entropy(pred, target, reduction='none') "
        "+ epsilon * (1 - torch.softmax(pred, 1).gather(1, target[:, None])[:, 0])",
    },
    cites=["leng2022"],
)
def poly_1(
    pred: Tensor,
    target: Tensor,
    *,
    epsilon: float = 2.0,
    input: str = "logits",
    label_smoothing: float = 0.0,
    class_weight: tuple[float, ...] | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """Cross entropy with its first term turned up or down.

    Minus the logarithm of p is a series in 1 - p: (1 - p) + (1 - p)²/2 + ... The first term is what still pulls on
    data that are predicted well. Making it larger raises the confidence in them, making it smaller plays them down, as
    the focal loss does in another way; one number to tune gives much of what a new loss can give.

    The paper found 2 good for ImageNet and -1, which takes the term out altogether, for detection. A loss with epsilon
    other than 0 is not honest: the prediction with the least expected loss is not the true probability.

    Args:
        pred: Logits, probabilities or log-probabilities, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...), or one probability for each class, of the prediction's shape.
        epsilon: What is added to the factor 1 of the first term.
        input: What the prediction holds.
        label_smoothing: How much of each target is spread evenly over all classes.
        class_weight: How much a datum of each class counts in the cost.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over those that count.

    Raises:
        UsageError: class weights that are not one a class, or an ignored index with soft targets.

    Example:
        >>> import torch
        >>> poly_1(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 1]))
        tensor([1.0771, 2.4319])
    """
    positions = Positions.of(
        pred,
        target,
        input=input,
        label_smoothing=label_smoothing,
        class_weight=class_weight,
        ignore_index=ignore_index,
    )

    def bent(minus_log: Tensor, complement: Tensor) -> Tensor:
        if epsilon >= 0:
            return minus_log + epsilon * complement
        # The first term is taken out of the series, where a difference would cancel.
        beyond = -epsilon * _beyond_complement(minus_log)
        return beyond if epsilon == -1 else (1 + epsilon) * minus_log + beyond

    return positions.per_datum(positions.mean_of_classes(bent))


@loss(
    family="classes",
    pred=PRED,
    target=CLASS,
    where={"q": Number(Interval(0, 1, open_low=True)), "input": INPUT, "ignore_index": IGNORED},
    aliases=["gce"],
    class_axis=True,
    weigh=weights_in_cost,
    formula=r"\frac{1 - p_y^q}{q}",
    gradient=r"\frac{\partial}{\partial p_y} = -p_y^{q - 1}",
    unit="1",
    range="[0, inf)",
    curve="probability",
    traits=Traits(
        punishes="A small probability of the true class, by 1/q at most.",
        convex="Convex in the probabilities; not in the logits.",
        differentiable="Differentiable everywhere in the logits.",
        bounded="Bounded: no datum costs more than 1/q.",
        robust="Robust against wrong labels, the more the larger q is: for q = 1, wrong labels that are spread evenly "
        "do not move the best prediction.",
    ),
    convention="The Box-Cox form with its division by q, so that q towards 0 is the cross entropy and q = 1 is 1 - p.",
    differs=[
        "keras.losses.CategoricalGeneralizedCrossEntropy has q = .5 where nothing is said.",
        "The paper cuts its loss off at a threshold in a second version, the truncated one, which is not this.",
        "The mean absolute error of probabilities and a one-hot target is 2 - 2p, twice this loss with q = 1.",
    ],
    same_as={
        "keras": "keras.losses.CategoricalGeneralizedCrossEntropy(q=q)(target, pred), for input=probs",
        "torch": "(1 - torch.softmax(pred, 1).gather(1, target[:, None])[:, 0] ** q) / q",
    },
    cites=["zhang2018", "ghosh2017"],
)
def generalized_cross_entropy(
    pred: Tensor, target: Tensor, *, q: float = 0.7, input: str = "logits", ignore_index: int | None = None
) -> Tensor:
    """A cross entropy that gives up on data it cannot explain: for labels some of which are wrong.

    Cross entropy weighs each datum by 1/p, so that a network ends up learning the wrong labels by heart. A plain 1 - p
    weighs all alike, resists wrong labels, and learns slowly. This loss lies between the two, and q says where.

    The paper uses q = .7 throughout. Take a smaller one where the labels are mostly right and the classes are many.

    Args:
        pred: Logits, probabilities or log-probabilities, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...), or one probability for each class, of the prediction's shape.
        q: Where the loss lies between the cross entropy (towards 0) and 1 - p (at 1).
        input: What the prediction holds.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over those that count.

    Raises:
        UsageError: an ignored index with soft targets.

    Example:
        >>> import torch
        >>> generalized_cross_entropy(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 1]))
        tensor([0.3546, 0.7665])
    """
    positions = Positions.of(pred, target, input=input, ignore_index=ignore_index)

    def bounded(minus_log: Tensor, _: Tensor) -> Tensor:
        return one_less_exponential(q * minus_log) / q

    return positions.per_datum(positions.mean_of_classes(bounded))


@loss(
    family="classes",
    pred=PRED,
    target=CLASS,
    where={
        "alpha": NON_NEGATIVE,
        "beta": NON_NEGATIVE,
        "log_zero": Number(Interval(high=0, open_high=True)),
        "input": INPUT,
        "ignore_index": IGNORED,
    },
    aliases=["sce"],
    class_axis=True,
    weigh=weights_in_cost,
    formula=r"-\alpha \ln p_y - \beta A\, (1 - p_y)",
    gradient=r"\frac{\partial}{\partial p_y} = -\frac{\alpha}{p_y} + \beta A",
    unit="nats",
    range="[0, inf]",
    curve="probability",
    traits=Traits(
        punishes="A small probability of the true class: by its logarithm, and by how far it is from 1.",
        convex="Convex in the probabilities; in the logits for beta = 0 only.",
        differentiable="Differentiable everywhere in the logits.",
        bounded="Unbounded for alpha > 0: infinite where the true class was held to be impossible.",
        robust="Robust against wrong labels by its second part, as far as that outweighs the first.",
    ),
    convention="A stands for the logarithm of a share of 0; it is a parameter (log_zero), -4 as in the paper. Of soft "
    "targets, the second part is the sum of -p ln q, with A for ln 0.",
    differs=[
        "The paper's code keeps shares above 1e-4, so that its A is ln 1e-4 = -9.21, and probabilities above 1e-7, so "
        "that the first part is 16.12 at most.",
    ],
    same_as={
        "torch": "alpha * torch.nn.functional.cross_entropy(pred, target, reduction='none') "
        "- beta * log_zero * (1 - torch.softmax(pred, 1).gather(1, target[:, None])[:, 0])",
    },
    cites=["wang2019"],
)
def symmetric_cross_entropy(
    pred: Tensor,
    target: Tensor,
    *,
    alpha: float = 0.1,
    beta: float = 1.0,
    log_zero: float = -4.0,
    input: str = "logits",
    ignore_index: int | None = None,
) -> Tensor:
    """Cross entropy from both sides: of the labels under the prediction, and of the prediction under the labels.

    The first part learns and fits wrong labels too; the second, where prediction and label have changed places, is
    bounded and does not. Together they learn hard classes without learning the mistakes in the labels by heart.

    The second part needs the logarithm of 0, for which the paper puts a negative constant A; only beta times A matters
    for class labels. Much noise or few classes want a small alpha (.1 for CIFAR-10), many classes a larger one (6 for
    CIFAR-100, with beta = .1).

    Args:
        pred: Logits, probabilities or log-probabilities, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...), or one probability for each class, of the prediction's shape.
        alpha: The weight of the cross entropy.
        beta: The weight of the reverse cross entropy.
        log_zero: What stands for the logarithm of 0, a negative number: the A of the formula.
        input: What the prediction holds.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over those that count.

    Raises:
        UsageError: an ignored index with soft targets.

    Example:
        >>> import torch
        >>> symmetric_cross_entropy(torch.tensor([[2.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), torch.tensor([0, 1]))
        tensor([1.3798, 2.7765])
    """
    positions = Positions.of(pred, target, input=input, ignore_index=ignore_index)
    share = positions.shares()
    minus_log = -torch.where(share == 0, log_zero, torch.log(torch.where(share == 0, 1.0, share)))
    values = beta * row_sum(minus_log * positions.probabilities())
    # A weight of 0 must not meet an infinite cross entropy.
    return positions.per_datum(values + alpha * positions.cross_entropy() if alpha else values)


@loss(
    family="classes",
    pred=PROBS_FIRST,
    target=CLASS,
    where={"input": INPUT_PROBS_FIRST, "ignore_index": IGNORED},
    aliases=["multiclass-brier-score"],
    class_axis=True,
    weigh=weights_in_cost,
    formula=r"\sum_c (p_c - q_c)^2",
    gradient=r"\frac{\partial}{\partial p_c} = 2 (p_c - q_c)",
    unit="1",
    range="[0, 2]",
    curve="probability",
    traits=Traits(
        punishes="How far the probabilities are from what happened, by squares, those of the wrong classes too.",
        convex="Convex in the probabilities, strictly; not in the logits.",
        differentiable="Differentiable everywhere.",
        bounded="Bounded: a wrong class held to be certain costs 2.",
        robust="More robust than logarithmic scores: no datum costs more than 2.",
    ),
    convention="The sum over the classes, as in Brier's paper, not their mean; of two classes it is twice brier.",
    differs=[
        "sklearn.metrics.brier_score_loss is the sum for three classes or more, and half of it for two unless told "
        "otherwise.",
        "Some packages divide by the number of classes, which makes scores of different problems look alike.",
    ],
    same_as={"sklearn": "sklearn.metrics.brier_score_loss(target, pred)"},
    cites=["brier1950", "murphy1973"],
)
def multiclass_brier(pred: Tensor, target: Tensor, *, input: str = "probs", ignore_index: int | None = None) -> Tensor:
    """The squared distance of the probabilities to what happened: a score that cannot become infinite.

    Like the cross entropy it rewards honest probabilities; unlike it, it looks at all classes: for the same probability
    of the true class, the rest is best spread evenly over the others. Guessing among C classes costs 1 - 1/C.

    It forgives a certain mistake with 2 points, where the cross entropy is infinite. So it compares forecasts that may
    say 0, and it does not let one datum decide; it also hardly sees differences between small probabilities.

    Args:
        pred: Probabilities, logits or log-probabilities, one for each class, shape (n, C) or (n, C, ...).
        target: The true classes, shape (n) or (n, ...), or one probability for each class, of the prediction's shape.
        input: What the prediction holds.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n); of several positions, the mean over those that count.

    Raises:
        UsageError: an ignored index with soft targets.

    Example:
        >>> import torch
        >>> multiclass_brier(torch.tensor([[0.7, 0.2, 0.1], [0.7, 0.2, 0.1]]), torch.tensor([0, 2]))
        tensor([0.1400, 1.3400])
    """
    positions = Positions.of(pred, target, input=input, ignore_index=ignore_index)
    share = positions.shares()
    probabilities, complements = positions.probabilities(), positions.complements()
    # The slope of a probability near one is that of the little that it lacks.
    likely = torch.where(probabilities > 0.5, 1 - complements, probabilities)
    error = torch.where(share == 1, complements, likely - share)
    return positions.per_datum(row_sum(error * error))
