"""What losses of labels share: counts that have no slope, and sums over the pairs of a true and a false label."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.elementary import row_sum

if TYPE_CHECKING:
    from torch import Tensor

# How many pairs of labels are in memory at once.
MOST_PAIRS = 2**20


def flat(counts: Tensor, *roles: Tensor) -> Tensor:
    """Numbers that do not change with the roles around them: missing where a role is, and with the slope 0.

    Args:
        counts: of any shape, any numbers or truth values.
        roles: what they were counted from, of the same shape.
    """
    dtype = next((role.dtype for role in roles if role.is_floating_point()), torch.get_default_dtype())
    values = counts.to(dtype)
    for role in roles:
        values = values + 0 * role
    return values


def sum_over_pairs(pred: Tensor, true: Tensor, loss: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """The sum over all pairs of a true and a false label of each datum, shape (n,).

    The pairs of one true label are added first, then those sums: so the bits do not depend on how many labels are
    taken at a time to spare memory.

    Args:
        pred: the scores, shape (n, C).
        true: which labels are true, shape (n, C).
        loss: of the scores of true labels (n, k, 1) and those of false ones (n, 1, C), shape (n, k, C).
    """
    data, labels = pred.shape
    step = max(1, MOST_PAIRS // max(1, data * labels))
    sums = []
    for scores, chosen in zip(torch.split(pred, step, 1), torch.split(true, step, 1)):
        counted = chosen.unsqueeze(2) & ~true.unsqueeze(1)
        pairs = torch.where(counted, loss(scores.unsqueeze(2), pred.unsqueeze(1)), 0.0)
        sums.append(row_sum(pairs.reshape(data * scores.shape[1], labels)).reshape(data, scores.shape[1]))
    return row_sum(torch.cat(sums, 1))
