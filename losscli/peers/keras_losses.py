"""The classes of ``keras.losses``: of one number against another, and of the probability of one event."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import EMBEDDING, LOGIT, NON_NEGATIVE, NON_NEGATIVE_NUMBER, REAL, UNIT, Flag, Interval, Whole
from losscli.loss import Depends
from losscli.losses._stable.elementary import mean_over_outputs, power, row_sum
from losscli.losses.binary import binary_cross_entropy

# Imported for their declarations.
from losscli.peers import keras_batches, keras_classes, keras_masks  # noqa: F401
from losscli.peers.keras_declare import EPSILON, ONE_PROBABILITY, clipped, keras, of_positions, same
from losscli.peers.ranges import HOLDS_LOGITS
from losscli.peers.rows import class_rows, mean_over_positions, sigmoid

if TYPE_CHECKING:
    from torch import Tensor

AXIS = Whole(Interval(-8, 8))
OF_ONE = Depends("from_logits", {False: ONE_PROBABILITY, True: LOGIT})
VECTOR = replace(EMBEDDING, shapes=("n D ...",))


# --- one number against another ---------------------------------------------------------------------------------------

PLAIN = "No difference but in the denominator of a weighted cost, which is n."
same("MeanSquaredError", of="mse", note=PLAIN)
same("MeanAbsoluteError", of="mae", note=PLAIN)
same("Huber", of="huber", params={"delta": "delta"}, note=PLAIN)
same("LogCosh", of="log-cosh", note=PLAIN)
same("Hinge", of="hinge", note="The labels 0 and 1, or -1 and 1, are told apart once for a run, not in each batch.")
same(
    "SquaredHinge",
    of="squared-hinge",
    note="The labels 0 and 1, or -1 and 1, are told apart once for a run, not in each batch.",
)


@keras("MeanAbsolutePercentageError", of="mape")
def _mean_absolute_percentage_error(pred: Tensor, target: Tensor) -> Tensor:
    """In per cent, of a true value of at least 1e-7 in size."""
    return 100 * mean_over_outputs((target - pred).abs() / target.abs().clamp(min=EPSILON))


@keras("MeanSquaredLogarithmicError", of="msle", pred=REAL, target=REAL)
def _mean_squared_logarithmic_error(pred: Tensor, target: Tensor) -> Tensor:
    """Values below 1e-7, negative ones among them, count as 1e-7."""
    pred, target = pred.clamp(min=EPSILON), target.clamp(min=EPSILON)
    ratio = torch.log1p((pred - target).abs() / (1 + torch.minimum(pred, target)))
    return mean_over_outputs(ratio * ratio)


@keras("Poisson", of="poisson-nll", when={"input": "rate"}, pred=NON_NEGATIVE_NUMBER)
def _poisson(pred: Tensor, target: Tensor) -> Tensor:
    """The logarithm is of the rate plus 1e-7, and the constant of the target is left out."""
    return mean_over_outputs(pred - target * torch.log(pred + EPSILON))


@keras(
    "CosineSimilarity",
    of="cosine-distance",
    left=of_positions,
    classes_at="axis",
    pred=VECTOR,
    target=VECTOR,
)
def _cosine_similarity(pred: Tensor, target: Tensor) -> Tensor:
    """Minus the cosine, so 1 less than the distance; a vector shorter than 1e-7 counts as if it were that long."""
    first, second = (rows / _length(rows) for rows in (class_rows(pred), class_rows(target)))
    return mean_over_positions(-row_sum(first * second), len(pred))


def _length(rows: Tensor) -> Tensor:
    return torch.sqrt(row_sum(rows * rows).clamp(min=EPSILON * EPSILON)).unsqueeze(1)


# --- probabilities of one event ---------------------------------------------------------------------------------------


@keras(
    "BinaryCrossentropy",
    of="binary-cross-entropy",
    where={"from_logits": HOLDS_LOGITS, "label_smoothing": UNIT, "axis": AXIS},
    names={"input": "from_logits"},
    pred=OF_ONE,
)
def _binary_crossentropy(
    pred: Tensor, target: Tensor, *, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Tensor:
    """Probabilities are clipped to 1e-7 and 1 - 1e-7; logits are not.

    Args:
        from_logits: Whether the prediction is a logit.
        axis: The axis whose mean is taken first; it decides only how many values a sum adds up.
    """
    pred, input = (pred, "logits") if from_logits else (clipped(pred), "probs")
    return binary_cross_entropy(pred, target, input=input, label_smoothing=label_smoothing)


@keras(
    "BinaryFocalCrossentropy",
    of="focal",
    where={
        "apply_class_balancing": Flag(),
        "alpha": UNIT,
        "gamma": NON_NEGATIVE,
        "from_logits": HOLDS_LOGITS,
        "label_smoothing": UNIT,
        "axis": AXIS,
    },
    names={"input": "from_logits"},
    pred=OF_ONE,
)
def _binary_focal_crossentropy(
    pred: Tensor,
    target: Tensor,
    *,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """alpha counts only if it is told to; a label between 0 and 1 mixes the probabilities under the power gamma.

    The logarithm is of a probability that is clipped to 1e-7 and 1 - 1e-7, even of one that comes from a logit.

    Args:
        apply_class_balancing: Whether alpha counts.
        from_logits: Whether the prediction is a logit.
        axis: The axis whose mean is taken first; it decides only how many values a sum adds up.
    """
    target = target * (1 - label_smoothing) + 0.5 * label_smoothing
    probability, complement = (sigmoid(pred), sigmoid(-pred)) if from_logits else (pred, 1 - pred)
    inner = clipped(probability)
    entropy = -(target * torch.log(inner) + (1 - target) * torch.log1p(-inner))
    values = power(target * complement + (1 - target) * probability, gamma) * entropy
    if apply_class_balancing:
        values = (target * alpha + (1 - target) * (1 - alpha)) * values
    return mean_over_outputs(values)
