"""Losses of a number against a number: squared and absolute error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli.domain import REAL
from losscli.loss import Traits
from losscli.losses._stable import mean_over_outputs
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    family="regression",
    pred=REAL,
    target=REAL,
    aliases=["mean-squared-error", "squared-error", "l2"],
    formula=r"e^2,\quad e = \hat{y} - y",
    gradient=r"2 e",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="An error twice as large costs four times as much, so that a few large errors decide the cost.",
        convex="Convex in the prediction, strictly.",
        differentiable="Differentiable everywhere, with a slope that grows with the error.",
        bounded="Unbounded: one datum can outweigh all others.",
        robust="Not robust: the best constant prediction is the mean, which a single outlier moves as far as it likes.",
    ),
    convention="The plain square: no factor 1/2, and no root of the cost.",
    differs=[
        "optax.l2_loss and sklearn's HalfSquaredError are e^2/2: 4.5 for an error of 3, where this loss is 9.",
        "sklearn.metrics.root_mean_squared_error is the root of the cost, in the unit of the target; of several "
        "outputs it averages the roots of the columns, not the squares.",
    ],
    same_as={
        "torch": "torch.nn.functional.mse_loss(pred, target, reduction='none')",
        "keras": "keras.losses.MeanSquaredError()(target, pred)",
        "optax": "optax.squared_error(pred, target)",
        "sklearn": "sklearn.metrics.mean_squared_error(target, pred)",
    },
    cites=["legendre1805", "gauss1809"],
)
def mse(pred: Tensor, target: Tensor) -> Tensor:
    """The squared error; its mean over the data is the mean squared error.

    Squaring makes large errors count far more than small ones. That is right where the errors are noise of one size
    around the prediction, as in a normal distribution: the prediction with the least mean squared error is then the
    most likely one. It is wrong where a few data are recorded badly, for they will pull every fit towards themselves;
    the Huber loss is made for that case.

    The unit is the square of the target's, dollars squared for dollars. Take the root of the cost to read it as a
    typical error.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.

    Returns:
        The squared error of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> mse(torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0]))
        tensor([0.2500, 0.2500, 0.0000, 1.0000])
    """
    error = pred - target
    return mean_over_outputs(error * error)


@loss(
    family="regression",
    pred=REAL,
    target=REAL,
    aliases=["mean-absolute-error", "l1", "absolute-error"],
    formula=r"|e|,\quad e = \hat{y} - y",
    gradient=r"\mathrm{sign}(e)",
    unit="target",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Every unit of error costs the same, whether it is the first or the hundredth.",
        convex="Convex in the prediction, not strictly: several predictions may share the least cost.",
        differentiable="Differentiable except where the error is zero; there the gradient is taken to be zero.",
        bounded="Unbounded, but it grows only in proportion to the error.",
        robust="Robust against outliers of the target: the best constant prediction is the median.",
    ),
    convention="The mean of the absolute errors, which is not the absolute value of the mean error.",
    same_as={
        "torch": "torch.nn.functional.l1_loss(pred, target, reduction='none')",
        "keras": "keras.losses.MeanAbsoluteError()(target, pred)",
        "sklearn": "sklearn.metrics.mean_absolute_error(target, pred)",
    },
    cites=["boscovich1757", "laplace1774"],
)
def mae(pred: Tensor, target: Tensor) -> Tensor:
    """The absolute error; its mean over the data is the mean absolute error.

    How far the predictions are off on average, in the unit of the target itself: the easiest cost to explain. Errors
    above and below do not cancel, since the sign is dropped before the mean is taken.

    It is the loss of choice where outliers must not decide. As a training criterion its gradient has the same size for
    small and large errors, so that the last steps towards the target do not become shorter; the Huber loss joins its
    calm far out with the smooth bottom of the squared error.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.

    Returns:
        The absolute error of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> mae(torch.tensor([2.5, 0.0, 2.0, 8.0]), torch.tensor([3.0, -0.5, 2.0, 7.0]))
        tensor([0.5000, 0.5000, 0.0000, 1.0000])
    """
    return mean_over_outputs((pred - target).abs())
