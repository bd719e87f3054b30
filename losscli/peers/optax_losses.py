"""The losses of optax, which returns values: their mean is the cost.

Those of ``optax.losses`` are called after ``optax``, as most of them can be there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from losscli._lazy import torch
from losscli.domain import (
    CLASS,
    CLASS_LOG_PROBABILITIES,
    CLASS_LOGITS,
    DISTRIBUTION,
    EMBEDDING,
    LOGIT,
    NON_NEGATIVE,
    NON_NEGATIVE_NUMBER,
    SIGN,
    Interval,
    Number,
)
from losscli.losses._stable.elementary import LogSigmoids, mean_over_outputs, power, row_sum
from losscli.losses.multiclass import cross_entropy

# Imported for their declarations.
from losscli.peers import optax_masks, optax_vectors  # noqa: F401
from losscli.peers.declare import alias, peer
from losscli.peers.rows import class_rows, mean_over_positions
from losscli.registry import find

if TYPE_CHECKING:
    from torch import Tensor

ONE_OR_MINUS_ONE = replace(SIGN, phrase="a label coded 1 and -1", codes=((-1, 1),), hint="code labels 1 and -1.")
ZERO_OR_ONE = replace(SIGN, phrase="a label coded 1 and 0", codes=((0, 1),))
CLASS_INDEX = replace(CLASS, phrase="a class index 0 .. C-1", shapes=("n ...",))
LOGITS_OR_LESS = replace(CLASS_LOGITS, phrase="one logit for each class, or -inf", minus_infinity=True)
SHARES = replace(DISTRIBUTION, shapes=("n C ...",))
LOG_SHARES = replace(CLASS_LOG_PROBABILITIES, hint=None)
LOGARITHMS = replace(
    CLASS_LOG_PROBABILITIES, phrase="one logarithm for each class", interval=Interval(), log_simplex=False
)
AMOUNTS = replace(NON_NEGATIVE_NUMBER, shapes=("n C ...",))
VECTORS = replace(EMBEDDING, shapes=("n D ...",))
SAME = "No difference."


def _same(name: str, *, of: str, note: str = SAME, scale: float = 1.0, **declared: Any) -> None:
    """Declares a function that is a loss of the catalogue, but for a factor or a default."""
    alias(f"optax.{name}", of=of, note=note, scale=scale, **declared)


# --- one number against another ---------------------------------------------------------------------------------------

_same("squared_error", of="mse")
_same("l2_loss", of="mse", scale=0.5, note="Half of it.")
_same("huber_loss", of="huber", params={"delta": "delta"})
_same("log_cosh", of="log-cosh")


@peer(
    "optax.cosine_distance",
    of="cosine-distance",
    classes_at="axis",
    where={"epsilon": NON_NEGATIVE},
    pred=VECTORS,
    target=VECTORS,
)
def _cosine_distance(pred: Tensor, target: Tensor, *, epsilon: float = 0.0) -> Tensor:
    """epsilon is the least square of a vector's length.

    Args:
        epsilon: What the square of a vector's length counts as where it is less.
    """
    first, second = (rows / _length(rows, epsilon) for rows in (class_rows(pred), class_rows(target)))
    return mean_over_positions(1 - row_sum(first * second), len(pred))


def _length(rows: Tensor, epsilon: float) -> Tensor:
    return torch.sqrt(row_sum(rows * rows).clamp(min=epsilon)).unsqueeze(1)


# --- labels of two kinds ----------------------------------------------------------------------------------------------

_same("sigmoid_binary_cross_entropy", of="binary-cross-entropy", fixed={"input": "logits"})


@peer(
    "optax.sigmoid_focal_loss",
    of="focal",
    when={"input": "logits"},
    where={"alpha": Number(Interval(0, 1), none="none"), "gamma": NON_NEGATIVE},
    pred=LOGIT,
)
def _sigmoid_focal_loss(pred: Tensor, target: Tensor, *, alpha: float | None = None, gamma: float = 2.0) -> Tensor:
    """alpha is none; a label between 0 and 1 mixes the probabilities under the power gamma."""
    logs = LogSigmoids.of(pred)
    entropy = target * logs.minus_log + (1 - target) * logs.minus_log_of_complement
    mixed = target * torch.exp(-logs.minus_log_of_complement) + (1 - target) * torch.exp(-logs.minus_log)
    hard = torch.where(target == 1, logs.power_of_complement(gamma), logs.power(gamma))
    values = entropy * torch.where((target == 0) | (target == 1), hard, power(mixed, gamma))
    if alpha is not None:
        values = values * (alpha * target + (1 - alpha) * (1 - target))
    return mean_over_outputs(values)


@peer("optax.hinge_loss", of="hinge", target=ONE_OR_MINUS_ONE)
def _hinge_loss(pred: Tensor, target: Tensor) -> Tensor:
    """Labels are 1 and -1 only."""
    return mean_over_outputs(torch.relu(1 - pred * target))


@peer("optax.perceptron_loss", of="perceptron", target=ONE_OR_MINUS_ONE)
def _perceptron_loss(pred: Tensor, target: Tensor) -> Tensor:
    """Labels are 1 and -1 only."""
    return mean_over_outputs(torch.relu(-pred * target))


@peer("optax.sparsemax_loss", of="binary-sparsemax", target=ZERO_OR_ONE)
def _sparsemax_loss(pred: Tensor, target: Tensor) -> Tensor:
    """Labels are 1 and 0 only."""
    value: Tensor = find("binary-sparsemax").function(pred, target)
    return value


# --- several classes --------------------------------------------------------------------------------------------------


@peer(
    "optax.softmax_cross_entropy",
    of="cross-entropy",
    when={"input": "logits", "ignore_index": None},
    classes_at="axis",
    pred=CLASS_LOGITS,
)
def _softmax_cross_entropy(pred: Tensor, target: Tensor) -> Tensor:
    """Targets may be classes too, where optax takes one number a class."""
    return cross_entropy(pred, target)


@peer(
    "optax.safe_softmax_cross_entropy", of="cross-entropy", when={"input": "logits"}, classes_at=-1, pred=LOGITS_OR_LESS
)
def _safe_softmax_cross_entropy(pred: Tensor, target: Tensor) -> Tensor:
    """A logit may be -inf. Targets may be classes too, where optax takes one number a class."""
    return cross_entropy(pred, target)


@peer(
    "optax.softmax_cross_entropy_with_integer_labels",
    of="cross-entropy",
    when={"input": "logits"},
    classes_at="axis",
    pred=CLASS_LOGITS,
    target=CLASS_INDEX,
)
def _softmax_cross_entropy_with_integer_labels(pred: Tensor, target: Tensor) -> Tensor:
    """Targets are classes only."""
    return cross_entropy(pred, target)


_same(
    "poly_loss_cross_entropy",
    of="poly-1",
    params={"epsilon": "epsilon"},
    fixed={"input": "logits"},
    classes_at="axis",
)
_same("multiclass_hinge_loss", of="multiclass-hinge", classes_at=-1)
_same("multiclass_perceptron_loss", of="multiclass-perceptron", classes_at=-1)
_same("multiclass_sparsemax_loss", of="multiclass-sparsemax")


def _divergence(log_pred: Tensor, weight: Tensor, log_weight: Tensor) -> Tensor:
    """``Σ_c q_c (ln q_c - ln p_c)`` of each position, 0 where q_c is."""
    return row_sum(torch.where(weight == 0, 0.0, weight * (log_weight - log_pred)))


@peer(
    "optax.kl_divergence",
    of="kl-divergence",
    when={"input": "log-probs", "log_target": False},
    classes_at="axis",
    pred=LOG_SHARES,
    target=SHARES,
)
def _kl_divergence(pred: Tensor, target: Tensor) -> Tensor:
    """No difference."""
    rows, weight = class_rows(pred), class_rows(target)
    return mean_over_positions(_divergence(rows, weight, torch.log(torch.where(weight == 0, 1.0, weight))), len(pred))


@peer(
    "optax.kl_divergence_with_log_targets",
    of="kl-divergence",
    when={"input": "log-probs", "log_target": True},
    classes_at="axis",
    pred=LOG_SHARES,
    target=LOG_SHARES,
)
def _kl_divergence_with_log_targets(pred: Tensor, target: Tensor) -> Tensor:
    """No difference."""
    rows, logs = class_rows(pred), class_rows(target)
    return mean_over_positions(_divergence(rows, torch.exp(logs), logs), len(pred))


@peer(
    "optax.generalized_kl_divergence",
    of="generalized-kl",
    classes_at="axis",
    pred=LOGARITHMS,
    target=AMOUNTS,
)
def _generalized_kl_divergence(pred: Tensor, target: Tensor) -> Tensor:
    """The predictions are logarithms, of any amounts."""
    return _kl_divergence(pred, target) + mean_over_positions(
        row_sum(torch.exp(class_rows(pred)) - class_rows(target)), len(pred)
    )
