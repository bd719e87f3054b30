"""The classes of ``keras.losses`` of a whole batch of vectors, and of sequences."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from losscli._lazy import torch
from losscli.domain import CLASS_LOGITS, EMBEDDING, POSITIVE, Flag, Interval, Number
from losscli.losses.sequence import ctc
from losscli.peers.batches import for_anchors, log_sum, softplus
from losscli.peers.keras_declare import keras
from losscli.peers.rows import log_softmax

if TYPE_CHECKING:
    from torch import Tensor


def _one(pred: Tensor, **_: object) -> float:
    return 1


def _counts(embedding: Tensor, label: Tensor, **params: Any) -> Tensor:
    """1 for anchors whose loss is not zero."""
    return (_circle(embedding, label, **params) != 0).to(embedding.dtype)


@keras(
    "Circle",
    of="circle",
    left=_one,
    weigh=_counts,
    where={"gamma": POSITIVE, "margin": Number(Interval(-1, 1)), "remove_diagonal": Flag()},
    embedding=EMBEDDING,
)
def _circle(
    embedding: Tensor, label: Tensor, *, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True
) -> Tensor:
    """Products stand for cosines, and only anchors whose loss is not zero count.

    Args:
        remove_diagonal: Whether an anchor is no positive of its own.
    """

    def value(similarity: Tensor, like: Tensor, unlike: Tensor) -> Tensor:
        distance = torch.relu(1 - similarity)
        of_positives = -gamma * torch.relu(margin + distance) * (margin - distance)
        of_negatives = gamma * torch.relu(1 + margin - distance) * (1 - margin - distance)
        return softplus(log_sum(of_positives, like) + log_sum(of_negatives, unlike))

    return for_anchors(embedding, label, value, with_itself=not remove_diagonal)


@keras("CTC", of="ctc", left=_one, pred=replace(CLASS_LOGITS, shapes=("n T C",)))
def _ctc(pred: Tensor, target: Tensor) -> Tensor:
    """Of logits; the blank is class 0, and so is the padding behind the labels. The cost is the plain mean."""
    length = torch.where(torch.isnan(target), 1.0, (target != 0).to(pred.dtype)).sum(1)
    logs = log_softmax(pred.flatten(0, 1)).reshape(pred.shape)
    return ctc(logs, target, torch.full_like(length, pred.shape[1]), length)
