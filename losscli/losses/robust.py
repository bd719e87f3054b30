"""Losses of a number against a number that do not let a few large errors decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli.domain import POSITIVE, REAL
from losscli.loss import Traits
from losscli.losses._stable import mean_over_outputs
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"delta": POSITIVE},
    formula=(
        r"\frac{1}{2} e^2 \text{ if } |e| \leq \delta,\quad "
        r"\delta \left(|e| - \frac{1}{2}\delta\right) \text{ otherwise},\quad e = \hat{y} - y"
    ),
    gradient=r"\max(-\delta, \min(e, \delta))",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Errors up to delta by half their square, larger ones in proportion to their size.",
        convex="Convex in the prediction; strictly only where the error is smaller than delta.",
        differentiable="Differentiable everywhere, once; the second derivative jumps from 1 to 0 where |e| = delta.",
        bounded="Unbounded, but it grows only in proportion to the error; its slope never exceeds delta.",
        robust="Robust against outliers of the target: none pulls harder than an error of delta does.",
    ),
    convention="Half the square inside and the slope delta outside, as in the paper; not divided by delta.",
    differs=[
        "torch.nn.SmoothL1Loss is this loss divided by delta, which it calls beta: with 2 for both, an error of 4 "
        "costs 3 there and 6 here. The two agree for delta = beta = 1 only.",
        "The default delta is 1 in torch, keras and optax, but .5 in sklearn's HuberLoss, .1 in its SGDRegressor and "
        ".9 in LightGBM.",
        "The case |e| = delta may be put on either side: both give delta^2/2.",
    ],
    same_as={
        "torch": "torch.nn.functional.huber_loss(pred, target, delta=delta, reduction='none')",
        "keras": "keras.losses.Huber(delta=delta)(target, pred)",
        "optax": "optax.huber_loss(pred, target, delta=delta)",
    },
    cites=["huber1964"],
)
def huber(pred: Tensor, target: Tensor, *, delta: float = 1.0) -> Tensor:
    """Quadratic for errors up to delta, linear beyond: the squared error for most data, without its fear of outliers.

    Small errors are treated as by the squared error, so that the minimum is smooth and easy to reach. Large errors are
    treated as by the absolute error, so that a few bad data cannot decide the fit. The two parts meet at an error of
    delta with the same value and the same slope.

    Choose delta as the size beyond which an error looks like a mistake in the data rather than noise, in the unit of
    the target. A common choice is 1.345 standard deviations of the noise, which keeps 95 % of the squared error's
    precision where the noise is normal and there is no outlier at all. A very large delta gives half the squared error;
    for a very small one the loss becomes delta times the absolute error.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        delta: The size of error where the square gives way to the straight line, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> huber(torch.tensor([0.5, 1.0, 3.0]), torch.zeros(3))
        tensor([0.1250, 0.5000, 2.5000])
        >>> huber(torch.tensor([0.5, 1.0, 3.0]), torch.zeros(3), delta=2.0)
        tensor([0.1250, 0.5000, 4.0000])
    """
    size = (pred - target).abs()
    # Up to delta, inner = |e| gives |e| (|e| - |e|/2); beyond, inner = delta. No branch squares a huge error.
    inner = size.clamp(max=delta)
    return mean_over_outputs(inner * (size - 0.5 * inner))
