"""Similarities of all pairs of a batch as other libraries take them: plain products, of zero vectors too."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.similarity import in_blocks

if TYPE_CHECKING:
    from torch import Tensor

# Of the similarities of some anchors to all data, which of these have the anchor's label, and which have another.
OfAnchors = Callable[["Tensor", "Tensor", "Tensor"], "Tensor"]


def for_anchors(vectors: Tensor, label: Tensor, value: OfAnchors, *, with_itself: bool = False) -> Tensor:
    """A function of anchors for all data, a block of them at a time; NaN where something is missing.

    Args:
        vectors: shape (n, D).
        label: shape (n,).
        value: maps the similarities (b, n), and which are positives and negatives (b, n), to one value for each anchor.
        with_itself: whether an anchor is its own positive too.
    """
    known = torch.isfinite(vectors).all(1) & ~torch.isnan(label)
    compared = torch.where(known.unsqueeze(1), vectors, 0.0)
    places = torch.arange(len(label), device=label.device)

    def block(rows: slice) -> Tensor:
        same = label[rows].unsqueeze(1) == label
        usable = known[rows].unsqueeze(1) & known
        other = usable if with_itself else usable & (places[rows].unsqueeze(1) != places)
        return value(compared[rows] @ compared.T, same & other, ~same & usable)

    return torch.where(known, in_blocks(len(label), len(label), block), math.nan)


def positives(label: Tensor) -> Tensor:
    """How many other data have the label of each, (n,); 1 where the label is missing, so that it is seen."""
    _, place, counts = torch.unique(label, return_inverse=True, return_counts=True)
    return torch.where(torch.isnan(label), 1, counts[place] - 1).to(label.dtype)


def log_sum(values: Tensor, mask: Tensor) -> Tensor:
    """The logarithm of the sum of exponentials of those of each row that are in the mask, (b, n) to (b,)."""
    inside = values.masked_fill(~mask, -math.inf)
    top = inside.detach().amax(1).clamp(min=torch.finfo(values.dtype).min)
    total = torch.exp(inside - top.unsqueeze(1)).sum(1)
    return torch.where(total > 0, top + torch.log(torch.where(total > 0, total, 1.0)), -math.inf)


def softplus(x: Tensor) -> Tensor:
    """``ln(1 + e^x)``."""
    return torch.relu(x) + torch.log1p(torch.exp(-x.abs()))
