"""torch's cross-entropy of every position, and what its mean divides by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from losscli._lazy import torch
from losscli.errors import UsageError
from losscli.losses._stable.elementary import rest_of_softmax, row_sum

if TYPE_CHECKING:
    from torch import Tensor

Numbers = tuple[float, ...] | None


@dataclass(frozen=True)
class Entropies:
    """The losses of the positions of each datum.

    Attributes:
        values: shape (n, positions): weighted by class, and 0 where the class is ignored.
        counts: what the mean divides by, of the same shape: the weight of the true class; 1 for soft targets.
    """

    values: Tensor
    counts: Tensor

    @property
    def terms(self) -> tuple[Tensor, Tensor]:
        """What each datum adds to the two sums whose ratio is the mean."""
        return row_sum(self.values), row_sum(self.counts)

    @property
    def mean(self) -> Tensor:
        """One number a datum."""
        return row_sum(self.values) / self.values.shape[1]


def entropies(
    pred: Tensor,
    target: Tensor,
    *,
    weight: Numbers,
    ignore_index: int,
    label_smoothing: float = 0.0,
    input: Literal["logits", "log-probs"] = "logits",
) -> Entropies:
    """The cross-entropy of every position.

    Args:
        pred: shape (n, C, ...).
        target: classes, shape (n, ...), or probabilities, shape (n, C, ...).
        weight: one factor a class.
        ignore_index: a class that does not count.
        label_smoothing: the share that is spread over all classes.
        input: whether the prediction is normalised.
    """
    classes = pred.shape[1]
    if weight is not None and len(weight) != classes:
        raise UsageError(f"--weight has {len(weight)} numbers, but there are {classes} classes")
    rows = _positions(pred)
    factor = torch.ones(classes, dtype=rows.dtype, device=rows.device)
    if weight is not None:
        factor = torch.tensor(weight, dtype=rows.dtype, device=rows.device)
    information = _information(rows) if input == "logits" else -rows
    soft = target.ndim == pred.ndim
    shares = _positions(target) if soft else None
    values, counts = (
        _soft(information, shares, factor, label_smoothing)
        if shares is not None
        else _hard(information, target.reshape(-1), factor, ignore_index, label_smoothing)
    )
    return Entropies(values.reshape(pred.shape[0], -1), counts.reshape(pred.shape[0], -1))


def _positions(values: Tensor) -> Tensor:
    return values if values.ndim == 2 else values.movedim(1, -1).reshape(-1, values.shape[1])


def _information(rows: Tensor) -> Tensor:
    """``-ln softmax``, shape (m, C)."""
    largest, top, rest = rest_of_softmax(rows)
    return (top - rows).scatter(1, largest, 0.0) + torch.log1p(rest).unsqueeze(1)


def _soft(information: Tensor, shares: Tensor, factor: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    smoothed = shares * (1 - smoothing) + smoothing / shares.shape[1] if smoothing else shares
    return row_sum(smoothed * factor * information), torch.ones_like(information[:, 0])


def _hard(
    information: Tensor, target: Tensor, factor: Tensor, ignore_index: int, smoothing: float
) -> tuple[Tensor, Tensor]:
    missing, counted = torch.isnan(target), target != ignore_index
    index = torch.where(counted & ~missing, target, 0.0).long()
    weight = factor[index]
    values = weight * information.gather(1, index.unsqueeze(1)).squeeze(1)
    if smoothing:
        values = (1 - smoothing) * values + smoothing / len(factor) * row_sum(factor * information)
    nothing = torch.zeros_like(values)
    values = torch.where(counted, values, nothing)
    return torch.where(missing, torch.nan, values), torch.where(counted, weight, nothing)
