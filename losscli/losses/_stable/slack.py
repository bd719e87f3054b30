"""How far one score is from being ahead of another by a margin, with the digits that are left where they cancel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.elementary import two_difference

if TYPE_CHECKING:
    from torch import Tensor


def slack(ahead: Tensor, behind: Tensor, margin: float) -> Tensor:
    """``max(0, margin - (ahead - behind))``, within an ULP.

    Two roundings could leave nothing of a small rest, so what they lose is put back.

    Args:
        ahead: the score that should be larger.
        behind: the other, of a shape that broadcasts.
        margin: by how much.
    """
    gap, lost = two_difference(behind, ahead)
    if margin == 0:
        return torch.relu(gap)
    short, lost_too = two_difference(gap, gap.new_tensor(-margin))
    return torch.relu(short + torch.where(gap.abs() < math.inf, lost + lost_too, 0.0))
