"""The losses of optax that compare vectors, lists and sequences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import CLASS_LOGITS, EMBEDDING, NON_NEGATIVE, POSITIVE, Interval, Number, Whole
from losscli.losses._stable.elementary import row_sum
from losscli.peers.batches import for_anchors, log_sum, positives, softplus
from losscli.peers.declare import alias, peer
from losscli.peers.rows import class_rows, log_softmax, mean_over_positions

if TYPE_CHECKING:
    from torch import Tensor

VECTORS = replace(EMBEDDING, shapes=("n D ...",))

alias("optax.ranking_softmax_loss", of="ranking-softmax", note="No difference.")


# --- triplets ---------------------------------------------------------------------------------------------------------


@peer(
    "optax.triplet_margin_loss",
    of="triplet",
    when={"distance": "euclidean"},
    classes_at="axis",
    where={"norm_degree": Number(Interval(low=0, open_low=True)), "margin": Number(Interval()), "eps": NON_NEGATIVE},
    anchor=VECTORS,
    positive=VECTORS,
    negative=VECTORS,
)
def _triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    norm_degree: float = 2.0,
    margin: float = 1.0,
    eps: float = 1e-6,
) -> Tensor:
    """Plain distances, with eps under the root; of an odd degree the differences keep their signs.

    Args:
        norm_degree: The power of the differences, and the root of their sum; for a negative sum it is not defined.
        eps: What is added to the sum of powers.
    """
    near, far = (_distance(class_rows(anchor - other), norm_degree, eps) for other in (positive, negative))
    return mean_over_positions(torch.relu(near - far + margin), len(anchor))


def _distance(difference: Tensor, degree: float, eps: float) -> Tensor:
    total = row_sum(_signed_power(difference, degree)) + eps
    if degree == 2:
        return torch.sqrt(total)
    return total if degree == 1 else torch.exp(torch.log(total) / degree)


def _signed_power(values: Tensor, degree: float) -> Tensor:
    """A power, negative for odd degrees of negative values and undefined for those that are not whole."""
    if not degree.is_integer():
        return torch.exp(degree * torch.log(values))
    result = values
    for _ in range(int(degree) - 1):
        result = result * values
    return result


# --- batches ----------------------------------------------------------------------------------------------------------


def _number_of_positives(embedding: Tensor, label: Tensor, **_: object) -> Tensor:
    return positives(label)


@peer(
    "optax.ntxent",
    of="nt-xent",
    where={"temperature": POSITIVE},
    weigh=_number_of_positives,
    embedding=EMBEDDING,
)
def _ntxent(embedding: Tensor, label: Tensor, *, temperature: float = 0.07) -> Tensor:
    """The square of a vector's length counts as machine epsilon where it is less, so zero is similar to nothing."""
    least = torch.finfo(embedding.dtype).eps
    directions = embedding / torch.sqrt(row_sum(embedding * embedding).clamp(min=least)).unsqueeze(1)

    def value(similarity: Tensor, like: Tensor, unlike: Tensor) -> Tensor:
        scores = similarity / temperature
        terms = softplus(log_sum(scores, unlike).unsqueeze(1) - scores)
        return torch.where(like, terms, 0.0).sum(1) / like.sum(1).clamp(min=1)

    return for_anchors(directions, label, value)


# --- sequences --------------------------------------------------------------------------------------------------------


@peer(
    "optax.ctc_loss",
    of="ctc",
    where={"blank_id": Whole(Interval(low=0)), "log_epsilon": Number(Interval(high=0, open_high=True))},
    names={"blank": "blank_id"},
    pred=replace(CLASS_LOGITS, shapes=("n T C",)),
)
def _ctc_loss(
    pred: Tensor,
    target: Tensor,
    pred_length: Tensor | None = None,
    target_length: Tensor | None = None,
    *,
    blank_id: int = 0,
    log_epsilon: float = -1e5,
) -> Tensor:
    """Of logits; log_epsilon stands for the logarithm of 0, so that labels without a path cost 100000 and more.

    Args:
        blank_id: The class that is the blank.
        log_epsilon: What the logarithm of 0 is taken to be.
    """
    data, steps, classes = pred.shape
    labels = target.shape[1]
    logs = log_softmax(pred.reshape(-1, classes)).reshape(pred.shape)
    index = torch.nan_to_num(target, nan=0.0).long().clamp(0, classes - 1)
    blank = logs[:, :, blank_id]
    ends = target_length if target_length is not None else torch.full_like(pred[:, 0, 0], labels)
    lasts = pred_length if pred_length is not None else torch.full_like(pred[:, 0, 0], steps)
    # Between two equal labels there has to be a blank.
    again = torch.cat([(index[:, :-1] == index[:, 1:]).to(pred.dtype), pred.new_zeros(data, min(labels, 1))], 1)
    # The logarithms of ending in a blank after so many labels, and in that label.
    in_blank = torch.cat([pred.new_zeros(data, 1), pred.new_full((data, labels), log_epsilon)], 1)
    in_label = pred.new_full((data, labels), log_epsilon)
    for step in range(steps):
        emitted = logs[:, step].gather(1, index)
        ready = _after_label(in_blank, in_label + log_epsilon * again)
        label = _log_add(ready[:, :-1] + emitted, in_label + emitted)
        silent = blank[:, step].unsqueeze(1)
        none = _after_label(ready + silent, in_label + silent + log_epsilon * (1 - again))
        runs = (step < lasts).unsqueeze(1)
        in_blank, in_label = torch.where(runs, none, in_blank), torch.where(runs, label, in_label)
    return -_after_label(in_blank, in_label).gather(1, ends.long().unsqueeze(1)).squeeze(1)


def _after_label(in_blank: Tensor, in_label: Tensor) -> Tensor:
    """What a label adds to the blank behind it."""
    return torch.cat([in_blank[:, :1], _log_add(in_blank[:, 1:], in_label)], 1)


def _log_add(first: Tensor, second: Tensor) -> Tensor:
    return torch.maximum(first, second) + torch.log1p(torch.exp(-(first - second).abs()))
