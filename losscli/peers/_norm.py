"""Norms of any order, with bits that depend on nothing but the row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.elementary import power, row_sum

if TYPE_CHECKING:
    from torch import Tensor


def norm(rows: Tensor, order: float) -> Tensor:
    """The norm of each row.

    Args:
        rows: shape (n, D).
        order: above 0; infinity for the largest component.

    Returns:
        Shape (n,).
    """
    size = rows.abs()
    if order == math.inf:
        return size.amax(1)
    if order == 1:
        return row_sum(size)
    if order == 2:
        square = row_sum(rows * rows)
        return torch.where(square == 0, 0.0, torch.sqrt(torch.where(square == 0, 1.0, square)))
    largest = size.amax(1)
    scale = torch.where(largest == 0, 1.0, largest)
    total = row_sum(power(size / scale.unsqueeze(1), order))
    # The largest component alone makes the total at least 1.
    return torch.where(largest == 0, 0.0, scale * torch.exp(torch.log(torch.where(largest == 0, 1.0, total)) / order))
