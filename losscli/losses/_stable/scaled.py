"""Errors in units of a scale, x = e / c, with more digits than a float has: where losses with a scale begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.elementary import two_difference
from losscli.losses._stable.twofold import Twofold

if TYPE_CHECKING:
    from torch import Tensor

# From here on 1 + x^2 is x^2, and its root is |x|, to the last digit.
FAR = 2.0**30


def sized_error(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """``|pred - target|`` rounded, and what the rounding lost, as a constant."""
    error, lost = two_difference(pred, target)
    # Nothing is lost of an infinite difference.
    return error.abs(), torch.where(torch.isinf(error), 0.0, lost * torch.sign(error.detach()))


def scaled_error(pred: Tensor, target: Tensor, scale: float) -> Twofold:
    """``(pred - target) / scale``: a loss that begins as its square would have each of its two roundings twice."""
    error = Twofold(*two_difference(pred, target))
    quotient = error if scale == 1 else error / scale
    # Where the splitting of a product overflows, nothing is known of the rest.
    return Twofold(quotient.value, torch.where(torch.isfinite(quotient.lost), quotient.lost, 0.0))
