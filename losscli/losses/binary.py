"""Losses of the probability of one event against whether it happened."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import BINARY, LOGIT, NON_NEGATIVE, PROBABILITY, UNIT, Choice, Interval, Number
from losscli.errors import DataError
from losscli.loss import Traits
from losscli.losses._stable.elementary import (
    LogSigmoids,
    entropy_term,
    entropy_term_of_complement,
    mean_over_outputs,
    power,
)
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

INPUT = Choice(("probs", "logits"))
PRED = {"probs": PROBABILITY, "logits": LOGIT}
WEIGHT_OR_NONE = Number(Interval(low=0, open_low=True), none="none")
WEIGHT_OR_AUTO = Number(Interval(low=0, open_low=True), none="auto")


def _smoothed(target: Tensor, label_smoothing: float) -> tuple[Tensor, Tensor]:
    """How much of each datum is positive and how much is negative, after smoothing."""
    if label_smoothing == 0:
        return target, 1 - target
    kept, moved = 1 - label_smoothing, 0.5 * label_smoothing
    return target * kept + moved, (1 - target) * kept + moved


def _terms(pred: Tensor, positive: Tensor, negative: Tensor, input: str) -> tuple[Tensor, Tensor]:
    """``-y ln p`` and ``-(1 - y) ln(1 - p)``."""
    if input == "probs":
        return entropy_term(positive, pred), entropy_term_of_complement(negative, pred)
    logs = LogSigmoids.of(pred)
    return positive * logs.minus_log, negative * logs.minus_log_of_complement


@loss(
    family="binary",
    pred=PRED,
    target=BINARY,
    where={"input": INPUT, "label_smoothing": UNIT, "pos_weight": WEIGHT_OR_NONE},
    aliases=["bce", "log-loss"],
    presets={"bce-with-logits": {"input": "logits"}},
    formula=r"-w_+\, y \ln p - (1 - y) \ln(1 - p)",
    gradient=r"\frac{\partial}{\partial p} = -w_+ \frac{y}{p} + \frac{1 - y}{1 - p},\quad "
    r"\frac{\partial}{\partial z} = (1 - y)\, p - w_+\, y\, (1 - p)",
    unit="nats",
    range="[0, inf]",
    curve="probability",
    traits=Traits(
        punishes="Confidence in the wrong answer, without limit: p = .01 for what happens costs 4.6, p = .0001 9.2.",
        convex="Convex in the probability and in the logit.",
        differentiable="Differentiable everywhere but at p = 0 and p = 1.",
        bounded="Unbounded: infinite where what was held to be impossible happens.",
        robust="Not robust: one wrong label with a confident prediction can outweigh a thousand good ones.",
    ),
    convention="Natural logarithm; nothing is clamped, so that p = 0 for an event that happens costs infinity.",
    differs=[
        "torch.nn.BCELoss clamps the logarithm at -100: p = 1e-50 for an event that happens costs 100 there, 115.13 "
        "here.",
        "keras clips p to [1e-7, 1 - 1e-7], so that no datum costs more than 16.12.",
        "sklearn.metrics.log_loss clips p by the machine epsilon of its type, so that p = 0 costs 36.04.",
        "torch.nn.BCEWithLogitsLoss loses digits of confident predictions: the logit -40 for an event that does not "
        "happen costs 0 there, 4.2e-18 here.",
    ],
    same_as={
        "torch": "torch.nn.functional.binary_cross_entropy(pred, target, reduction='none')",
        "keras": "keras.losses.BinaryCrossentropy(label_smoothing=label_smoothing)(target, pred)",
        "optax": "optax.sigmoid_binary_cross_entropy(pred, target), for input=logits",
        "sklearn": "sklearn.metrics.log_loss(target, pred)",
    },
    cites=["shannon1948", "good1952", "cox1958"],
)
def binary_cross_entropy(
    pred: Tensor,
    target: Tensor,
    *,
    input: str = "probs",
    label_smoothing: float = 0.0,
    pos_weight: float | None = None,
) -> Tensor:
    """Minus the logarithm of the probability that was given to what happened.

    It rewards honest probabilities: on average nobody does better than by stating the probability that is true. It
    measures in nats how much information is still missing; always saying .5 costs ln 2 = .693, which is the mark that
    a useful prediction has to beat.

    Confident mistakes dominate. If a single p = 0 meets an event that happens, the cost is infinite, and that is the
    right answer: no amount of evidence could have changed this prediction's mind. Give logits where you have them
    (``input=logits``), for a probability close to 1 has already lost the digits that a logit still holds.

    Args:
        pred: The probability of label 1, or its logit, shape (n) or (n, ...).
        target: The labels 0 and 1, or probabilities between them, of the same shape.
        input: Whether the prediction is a probability or a logit.
        label_smoothing: How much of each label is spread evenly over both, to keep training from overconfidence.
        pos_weight: How much more a positive label counts than a negative one.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> binary_cross_entropy(torch.tensor([0.9, 0.9, 0.5]), torch.tensor([1.0, 0.0, 1.0]))
        tensor([0.1054, 2.3026, 0.6931])
    """
    of_positive, of_negative = _terms(pred, *_smoothed(target, label_smoothing), input)
    if pos_weight is not None:
        of_positive = pos_weight * of_positive
    return mean_over_outputs(of_positive + of_negative)


def balanced_weights(weight: Fraction, weighted_target: Fraction) -> dict[str, float]:
    """The weights that make both classes count the same: n / (2 n₊) and n / (2 n₋).

    Args:
        weight: the sum of the weights of all data (their number, where there are none).
        weighted_target: the sum of weight times target, exact.

    Raises:
        DataError: one of the classes is absent.

    Example:
        >>> balanced_weights(Fraction(10), Fraction(2))
        {'pos_weight': 2.5, 'neg_weight': 0.625}
    """
    other = weight - weighted_target
    for part, label in ((weighted_target, 0), (other, 1)):
        if part <= 0:
            raise DataError(
                f"every label is {label}: there is nothing to balance",
                hint="give --pos-weight and --neg-weight, or use binary-cross-entropy.",
            )
    return {"pos_weight": float(weight / (2 * weighted_target)), "neg_weight": float(weight / (2 * other))}


@loss(
    family="binary",
    pred=PRED,
    target=BINARY,
    where={"pos_weight": WEIGHT_OR_AUTO, "neg_weight": WEIGHT_OR_AUTO, "input": INPUT},
    aliases=["balanced-bce", "weighted-binary-cross-entropy"],
    formula=r"-w_+\, y \ln p - w_-\, (1 - y) \ln(1 - p),\quad w_+ = \frac{n}{2 n_+},\ w_- = \frac{n}{2 n_-}",
    gradient=r"\frac{\partial}{\partial p} = -w_+ \frac{y}{p} + w_- \frac{1 - y}{1 - p},\quad "
    r"\frac{\partial}{\partial z} = w_-\, (1 - y)\, p - w_+\, y\, (1 - p)",
    unit="nats",
    range="[0, inf]",
    curve="probability",
    fit=balanced_weights,
    traits=Traits(
        punishes="Confidence in the wrong answer, more so for the rare class.",
        convex="Convex in the probability and in the logit.",
        differentiable="Differentiable everywhere but at p = 0 and p = 1.",
        bounded="Unbounded: infinite where what was held to be impossible happens.",
        robust="Not robust: a wrong label of the rare class counts even more than without the weights.",
    ),
    convention="A weight for each class; left at auto, each class has half of the total weight. The cost is the mean "
    "over the data; with the automatic weights their sum is n, so that the weighted mean is the same.",
    differs=[
        "torch's pos_weight form has the weight on the positive term only; with pos_weight = n₋/n₊ it is this loss "
        "times 2 n₋/n.",
        "torch's weight argument of BCELoss weights elements by their position, not classes: two weights for a batch "
        "of two data, an error or a broadcast for others.",
        "King and Zeng weight to match the shares of a population; this is the case of a share of one half.",
        "Cui and others replace n₊ and n₋ by effective numbers of samples, (1 - b^n)/(1 - b).",
    ],
    same_as={
        "torch": "torch.nn.functional.binary_cross_entropy(pred, target, "
        "weight=pos_weight * target + neg_weight * (1 - target), reduction='none')",
        "sklearn": "sklearn.metrics.log_loss(target, pred, "
        "sample_weight=sklearn.utils.class_weight.compute_sample_weight('balanced', target))",
    },
    cites=["king2001", "xie2015", "cui2019"],
)
def balanced_cross_entropy(
    pred: Tensor,
    target: Tensor,
    *,
    pos_weight: float | None = None,
    neg_weight: float | None = None,
    input: str = "probs",
) -> Tensor:
    """Binary cross entropy with a weight for each class, so that the rare one is not drowned.

    With one positive among a hundred data, always saying "no" looks good to the plain cross entropy: the positives are
    one hundredth of the cost. Here each class has half of it, whatever its number; always saying .5 costs ln 2 as
    before. Use it where missing the rare class is what matters.

    The price is calibration: a model trained with it states probabilities as if both classes were equally frequent.
    Compare models by the plain cross entropy where the probabilities themselves are to be believed.

    Left at auto, the weights come from all the data of a run, n/(2 n₊) and n/(2 n₋); called as a criterion on batches,
    from each batch, so give numbers there.

    Args:
        pred: The probability of label 1, or its logit, shape (n) or (n, ...).
        target: The labels 0 and 1, or probabilities between them, of the same shape.
        pos_weight: The weight of label 1; auto is n/(2 n₊).
        neg_weight: The weight of label 0; auto is n/(2 n₋).
        input: Whether the prediction is a probability or a logit.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Raises:
        DataError: a weight is left to the data, but only one class is there.

    Example:
        >>> import torch
        >>> balanced_cross_entropy(torch.tensor([0.5, 0.5, 0.5, 0.5]), torch.tensor([1.0, 0.0, 0.0, 0.0]))
        tensor([1.3863, 0.4621, 0.4621, 0.4621])
    """
    if pos_weight is None or neg_weight is None:
        total = torch.sum(target.detach().to(torch.float64)).item()
        balanced = balanced_weights(Fraction(target.numel()), Fraction(total))
        pos_weight = balanced["pos_weight"] if pos_weight is None else pos_weight
        neg_weight = balanced["neg_weight"] if neg_weight is None else neg_weight
    of_positive, of_negative = _terms(pred, target, 1 - target, input)
    return mean_over_outputs(pos_weight * of_positive + neg_weight * of_negative)


@loss(
    family="binary",
    pred=PRED,
    target=BINARY,
    where={
        "gamma": NON_NEGATIVE,
        "alpha": Number(Interval(0, 1), none="none"),
        "input": INPUT,
        "label_smoothing": UNIT,
    },
    aliases=["binary-focal", "sigmoid-focal"],
    formula=r"-\alpha\, y\, (1 - p)^\gamma \ln p - (1 - \alpha)(1 - y)\, p^\gamma \ln(1 - p)",
    gradient=r"\frac{\partial}{\partial z} = \alpha\, y\, (1 - p)^\gamma (\gamma p \ln p + p - 1) "
    r"- (1 - \alpha)(1 - y)\, p^\gamma (\gamma (1 - p) \ln(1 - p) - p)",
    unit="nats",
    range="[0, inf]",
    curve="probability",
    traits=Traits(
        punishes="Confident mistakes almost as the cross entropy does; what is right already hardly at all.",
        convex="Not convex for gamma > 0; convex for gamma = 0, where it is a weighted cross entropy.",
        differentiable="Differentiable everywhere but at p = 0 and p = 1.",
        bounded="Unbounded: infinite where what was held to be impossible happens.",
        robust="Not robust: it puts the weight on the hard data, and wrong labels are the hardest.",
    ),
    convention="The factor alpha belongs to label 1 and 1 - alpha to label 0; both are left out with alpha = none. A "
    "label between 0 and 1 weights the two terms.",
    differs=[
        "keras' BinaryFocalCrossentropy applies alpha only with apply_class_balancing=True; with labels between 0 and "
        "1, or smoothed ones, it takes 1 - p_t with p_t = y p + (1 - y)(1 - p) to the power gamma.",
        "torchvision.ops.sigmoid_focal_loss writes alpha = -1 where here it is none.",
        "tfa's SigmoidFocalCrossEntropy sums over the last axis, where here a datum has the mean over its outputs.",
    ],
    same_as={
        "keras": "keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=alpha, gamma=gamma)"
        "(target, pred)",
        "optax": "optax.sigmoid_focal_loss(pred, target, alpha=alpha, gamma=gamma), for input=logits",
    },
    cites=["lin2017"],
)
def focal(
    pred: Tensor,
    target: Tensor,
    *,
    gamma: float = 2.0,
    alpha: float | None = 0.25,
    input: str = "probs",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy that cares less and less about data that are predicted well already.

    Each datum's cross entropy is multiplied by (1 - p_t)^gamma, where p_t is the probability given to what is true.
    With gamma = 2 a datum at p_t = .9 counts a hundredth of what it did, one at p_t = .1 still 81 %. So thousands of
    easy data, such as the empty background of an image, no longer drown the few hard ones. gamma = 0 is the plain
    cross entropy.

    alpha balances the classes beside that. The paper's best pair is gamma = 2 with alpha = .25, although the positives
    are rare there: focusing already favours them, and .25 takes a part of that back.

    A focal loss is not honest about probabilities: the prediction with the least expected loss lies closer to one half
    than the true probability. Train with it, but judge probabilities by the cross entropy.

    Args:
        pred: The probability of label 1, or its logit, shape (n) or (n, ...).
        target: The labels 0 and 1, or probabilities between them, of the same shape.
        gamma: How strongly data that are predicted well are played down.
        alpha: The weight of label 1, where label 0 has 1 - alpha.
        input: Whether the prediction is a probability or a logit.
        label_smoothing: How much of each label is spread evenly over both.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> focal(torch.tensor([0.9, 0.1]), torch.tensor([1.0, 1.0]))
        tensor([2.6340e-04, 4.6627e-01])
        >>> focal(torch.tensor([0.9, 0.1]), torch.tensor([1.0, 1.0]), gamma=0.0, alpha=None)
        tensor([0.1054, 2.3026])
    """
    positive, negative = _smoothed(target, label_smoothing)
    if input == "probs":
        of_positive = entropy_term(positive, pred) * power(1 - pred, gamma)
        of_negative = entropy_term_of_complement(negative, pred) * power(pred, gamma)
    else:
        logs = LogSigmoids.of(pred)
        of_positive = positive * logs.minus_log * logs.power_of_complement(gamma)
        of_negative = negative * logs.minus_log_of_complement * logs.power(gamma)
    if alpha is not None:
        of_positive, of_negative = alpha * of_positive, (1 - alpha) * of_negative
    return mean_over_outputs(of_positive + of_negative)
