"""Derivatives that are given and not found: what a value is made of is often longer than its slope, and less exact."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from losscli._lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def with_slopes(value: Callable[..., Tensor], slopes: Sequence[Callable[..., Tensor]], *inputs: Tensor) -> Tensor:
    """A function of tensors of one shape, with derivatives that are given and not found.

    Args:
        value: the function, elementwise.
        slopes: for each input, the derivative with respect to it. They are differentiable in turn.
        *inputs: where it is evaluated.
    """
    result: Tensor = _sloped().apply(value, slopes, *inputs)
    return result


@functools.cache
def _sloped() -> Any:
    # Made at first use, since the base class imports torch.
    class Sloped(torch.autograd.Function):
        @staticmethod
        def forward(value: Callable[..., Tensor], slopes: Sequence[Callable[..., Tensor]], *inputs: Tensor) -> Tensor:
            return value(*inputs)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
            ctx.slopes = inputs[1]
            ctx.save_for_backward(*inputs[2:])

        @staticmethod
        def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
            needed = zip(ctx.slopes, ctx.needs_input_grad[2:])
            return (None, None, *(gradient * slope(*ctx.saved_tensors) if wanted else None for slope, wanted in needed))

    return Sloped
