"""What the classes of ``keras.losses`` have in common, and how one is declared.

keras adds 1e-7 to what it divides by or takes the logarithm of, or clips by it. It takes the mean over the last axis,
averages what is left, and divides a weighted cost by the number of data. Its sum adds every value that is left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from losscli.domain import CLASS_PROBABILITIES, PROBABILITY
from losscli.errors import UsageError
from losscli.peers.declare import alias, peer
from losscli.peers.rows import positions
from losscli.registry import find

if TYPE_CHECKING:
    from torch import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])
EPSILON = 1e-7
LOGITS_HINT = "are these logits? Add --from-logits."
ONE_PROBABILITY = replace(PROBABILITY, hint=LOGITS_HINT)
PROBABILITIES = replace(CLASS_PROBABILITIES, hint=LOGITS_HINT)


def keras(
    name: str, *, of: str, left: Callable[..., float] | None = None, **declared: Any
) -> Callable[[Function], Function]:
    """Declares the class of that name.

    Args:
        name: without ``keras.losses``.
        of: the loss of the catalogue that it corresponds to.
        left: how many values of a datum are left of those predictions, with those parameters; None for what is left
            when the last axis is gone.
        **declared: as for any peer.
    """

    def declare(function: Function) -> Function:
        total = declared.pop("total", None) or _total(function, left or last_axis_gone)
        return peer(f"keras.losses.{name}", of=of, mean_over="data", total=total, **declared)(function)

    return declare


def same(name: str, *, of: str, note: str, **declared: Any) -> None:
    """Declares a class that is a loss of the catalogue."""
    total = _total(find(of).function, last_axis_gone)
    alias(f"keras.losses.{name}", of=of, note=note, mean_over="data", total=total, **declared)


def _total(function: Callable[..., Tensor], left: Callable[..., float]) -> Callable[..., Tensor]:
    def total(*roles: Tensor, **params: Any) -> Tensor:
        return function(*roles, **params) * left(roles[0], **params)

    return total


def last_axis_gone(pred: Tensor, *, axis: int = -1, **_: object) -> float:
    """How many values of a datum are left when the mean over that axis was taken. A column is (n, 1) to keras.

    Raises:
        UsageError: it is the axis of the data, or none.
    """
    if pred.ndim == 1:
        return 1
    if axis % pred.ndim == 0 or not -pred.ndim <= axis < pred.ndim:
        raise UsageError(f"--axis {axis} is not an axis after the first of {pred.ndim}")
    return math.prod(pred.shape[1:]) / pred.shape[axis]


def of_positions(pred: Tensor, **_: object) -> float:
    """How many positions a datum has beside the classes."""
    return positions(pred)


def clipped(probabilities: Tensor) -> Tensor:
    """Probabilities in [1e-7, 1 - 1e-7]."""
    return probabilities.clamp(EPSILON, 1 - EPSILON)
