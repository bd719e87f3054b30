"""Sparsemax: the point of the simplex that is nearest to some scores, and what a target is away from it.

Where the scores lead to a probability near 0 or 1, ones and differences of scores cancel, and what is left is as small
as they are close. So all is kept in twice the digits until the last step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.elementary import row_sum, two_difference
from losscli.losses._stable.twofold import Twofold

if TYPE_CHECKING:
    from torch import Tensor

# Scores farther behind the best one than this are outside by so much that no lost digit counts.
NEAR = 4.0


def distances(scores: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """How far the projection of the scores is from the shares, and how far each class is below the threshold.

    With k classes in the support, ``k p_c = 1 + Σ (z_c - z_j)`` over the support, negative outside of it.

    Args:
        scores: shape (n, C).
        share: the target's probabilities, shape (n, C).

    Returns:
        ``p_c - q_c``, and ``τ - z_c`` outside of the support and 0 inside, each (n, C).
    """
    behind = Twofold(*two_difference(scores.amax(1, keepdim=True), scores))
    near = behind.value < NEAR
    inside = support(behind.value.detach())
    count = inside.sum(1, keepdim=True).to(scores.dtype)
    in_all = Twofold.of(count.expand_as(scores))
    above = behind.where(inside, 0.0).sum() + 1.0 - behind * in_all
    above = Twofold(above.value, torch.where(near, above.lost, 0.0))
    error = torch.where(inside, (above - Twofold.of(share) * in_all).rounded() / count, -share)
    # No corner at zero: the slope just outside is that just inside.
    return error, torch.where(inside, 0.0, -above.rounded() / count)


def support(behind: Tensor) -> Tensor:
    """Which classes have a probability above 0, shape (n, C): those less behind the best than ``(1 + Σ behind) / k``.

    Begins with all that are less than 1 behind and leaves out those that are too far until none is (Michelot): a row
    that has come to its end does not change while others go on.
    """
    inside = behind < 1
    while True:
        count = inside.sum(1, keepdim=True)
        threshold = (1 + row_sum(torch.where(inside, behind, 0.0)).unsqueeze(1)) / count
        fewer = inside & (behind < threshold)
        if bool((fewer == inside).all()):
            return inside
        inside = fewer
