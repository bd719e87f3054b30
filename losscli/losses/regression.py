"""Losses of a number against a number: squared and absolute error, and the costs that are made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import DIRECTION, REAL, Interval
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import cosine_distance as one_minus_cosine
from losscli.losses._stable.elementary import log_cosh as ln_cosh
from losscli.losses._stable.elementary import max_over_outputs, mean_over_outputs
from losscli.registry import loss
from losscli.statistic import MAXIMUM, MEDIAN, ROOT

if TYPE_CHECKING:
    from torch import Tensor


def _at_angle(angle: Tensor) -> dict[str, Tensor]:
    pred = torch.stack([torch.cos(angle), torch.sin(angle)], dim=1)
    return {"pred": pred, "target": torch.stack([torch.ones_like(angle), torch.zeros_like(angle)], dim=1)}


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
        "xgboost and LightGBM minimise e^2/2 and report e^2 or its root.",
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


@loss(
    family="regression",
    pred=REAL,
    target=REAL,
    aliases=["root-mean-squared-error"],
    statistic=ROOT,
    formula=r"e^2,\quad e = \hat{y} - y,\quad \text{cost } \sqrt{\frac{1}{n} \sum e^2}",
    gradient=r"2 e",
    unit="target",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="An error twice as large counts four times as much under the root.",
        convex="Convex in the predictions: it is a norm of the errors.",
        differentiable="Differentiable except where all errors are zero.",
        bounded="Unbounded.",
        robust="Not robust: a few large errors decide the cost.",
    ),
    convention="The root of the weighted mean of all squares, taken once at the end; it is no mean over the data. With "
    "a sum it is the length of the vector of errors.",
    differs=[
        "sklearn.metrics.root_mean_squared_error of several outputs averages the roots of the columns, where this is "
        "the root of the mean over all of them.",
        "keras.metrics.RootMeanSquaredError keeps a running sum in float32, which stops growing in long runs.",
        "A mean of the roots of batches is another, smaller number: batches with errors 0 and 2 give 1, not 1.414.",
    ],
    same_as={"sklearn": "sklearn.metrics.root_mean_squared_error(target, pred), for one output"},
    cites=["gauss1809", "hyndman2006"],
)
def rmse(pred: Tensor, target: Tensor) -> Tensor:
    """The root mean squared error: the squared error brought back to the unit of the target.

    It orders predictions as the mean squared error does and is easier to read: for errors of one size it is that size.
    It is never smaller than the mean absolute error, and the more the errors differ in size, the larger it is.

    The root is taken of the cost of all data. So costs of parts do not average to the cost of the whole, and as a
    training criterion the function gives the squares: minimising them is the same.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.

    Returns:
        The squared error of each datum, shape (n), of which the cost is the root of the mean.

    Example:
        >>> import torch
        >>> rmse(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 0.0]))
        tensor([0., 4.])
        >>> import losscli
        >>> round(losscli.compute("rmse", pred=[0.0, 2.0], target=[0.0, 0.0]).value, 3)
        1.414
    """
    error = pred - target
    return mean_over_outputs(error * error)


@loss(
    family="regression",
    pred=REAL,
    target=REAL,
    statistic=MAXIMUM,
    formula=r"|e|,\quad e = \hat{y} - y,\quad \text{cost } \max |e|",
    gradient=r"\mathrm{sign}(e)",
    unit="target",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="The single worst error; all others count nothing.",
        convex="Convex in the predictions.",
        differentiable="Differentiable except where the error is zero or two data share the worst error.",
        bounded="Unbounded.",
        robust="Not robust at all: one datum is the cost.",
    ),
    convention="The largest absolute error of all data, and of all outputs of a datum; weights do not change it.",
    differs=["sklearn.metrics.max_error takes one output only."],
    same_as={"sklearn": "sklearn.metrics.max_error(target, pred)"},
    cites=["laplace1799"],
)
def max_error(pred: Tensor, target: Tensor) -> Tensor:
    """The largest absolute error: the worst that has happened.

    Use it where a guarantee is wanted, such as a tolerance that no part may exceed. It says nothing of the other data,
    and it can only grow as more data are seen, so that costs of data sets of different sizes cannot be compared.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.

    Returns:
        The absolute error of each datum, shape (n); of several outputs, the largest of them.

    Example:
        >>> import torch
        >>> max_error(torch.tensor([2.5, 0.0, 8.0]), torch.tensor([3.0, -0.5, 7.0]))
        tensor([0.5000, 0.5000, 1.0000])
    """
    return max_over_outputs((pred - target).abs())


@loss(
    family="regression",
    pred=REAL,
    target=REAL,
    aliases=["median-ae"],
    statistic=MEDIAN,
    formula=r"|e|,\quad e = \hat{y} - y,\quad \text{cost } \mathrm{median}\, |e|",
    gradient=r"\mathrm{sign}(e)",
    unit="target",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="The error in the middle: half of the data err less, half more.",
        convex="Not convex in the predictions.",
        differentiable="Differentiable almost everywhere, with a gradient for one or two data only.",
        bounded="Unbounded, but only if half of the data err without bound.",
        robust="As robust as can be: almost half of the data may be wrong without moving the cost far.",
    ),
    convention="The mean of the two in the middle for an even number. With weights, the error at which half of the "
    "weight is reached, and the mean with the next where it is reached exactly.",
    differs=[
        "sklearn.metrics.median_absolute_error of several outputs averages the medians of the columns, where this is "
        "the median of the means over the outputs.",
        "The median absolute deviation (MAD) of robust statistics is of deviations from a median, not of errors.",
    ],
    same_as={"sklearn": "sklearn.metrics.median_absolute_error(target, pred)"},
    cites=["hampel1974"],
)
def median_absolute_error(pred: Tensor, target: Tensor) -> Tensor:
    """The median of the absolute errors: what a typical datum is off by, whatever the bad ones are.

    A mean of errors says what the data cost together; the median says what to expect of one. Where the two differ
    much, a few data are very wrong, and it is worth looking at them with ``--top``.

    The median needs all errors at once: eight bytes a datum are held in memory while the data are read.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.

    Returns:
        The absolute error of each datum, shape (n), of which the cost is the median.

    Example:
        >>> import losscli
        >>> losscli.compute("median-absolute-error", pred=[1.0, 2.0, 90.0], target=[0.0, 0.0, 0.0]).value
        2.0
    """
    return mean_over_outputs((pred - target).abs())


@loss(
    family="regression",
    pred=REAL,
    target=REAL,
    aliases=["logcosh"],
    formula=r"\ln \cosh e,\quad e = \hat{y} - y",
    gradient=r"\tanh e",
    unit="1",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Small errors by half their square, large ones by their size less ln 2.",
        convex="Convex in the prediction, strictly.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, but it grows only in proportion to the error; its slope stays below 1.",
        robust="Robust against outliers of the target: none pulls harder than a slope of 1.",
    ),
    convention="Natural logarithm; the error is a plain number, so the scale of the target decides where the square "
    "gives way to the line.",
    differs=[
        "torchmetrics' LogCoshError computes ln((e^x + e^-x)/2), which is infinite for an error of 1000, where this "
        "loss is 999.31.",
        "Textbook code loses small errors: ln(cosh(1e-8)) is 0 in float64, where this loss is 5e-17.",
    ],
    same_as={
        "keras": "keras.losses.LogCosh()(target, pred)",
        "optax": "optax.log_cosh(pred, target)",
    },
    cites=["green1990"],
)
def log_cosh(pred: Tensor, target: Tensor) -> Tensor:
    """The logarithm of the hyperbolic cosine of the error: a Huber loss without a seam.

    Near zero it is half the square, far out the absolute error less ln 2, and between the two it bends smoothly.
    Choose it where an optimiser wants second derivatives. It has no parameter: to move the bend, divide prediction and
    target by the size of error at which it should lie.

    Args:
        pred: The predictions, shape (n) or (n, ...).
        target: The true values, of the same shape.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> log_cosh(torch.tensor([0.1, 1.0, 100.0]), torch.zeros(3))
        tensor([4.9917e-03, 4.3378e-01, 9.9307e+01])
    """
    return mean_over_outputs(ln_cosh(pred - target))


@loss(
    family="regression",
    pred=DIRECTION,
    target=DIRECTION,
    aliases=["cosine"],
    formula=r"1 - \frac{\hat{y} \cdot y}{\Vert\hat{y}\Vert\, \Vert y \Vert}",
    gradient=r"\frac{1}{\Vert\hat{y}\Vert}\left(\cos\theta\, \frac{\hat{y}}{\Vert\hat{y}\Vert} "
    r"- \frac{y}{\Vert y \Vert}\right)",
    unit="1",
    range="[0, 2]",
    curve=Slice(
        "angle between prediction and target in radians",
        (0.0, 3.141592653589793),
        {"": _at_angle},
        variable="angle",
        allowed=Interval(0.0, 3.141592653589793),
    ),
    traits=Traits(
        punishes="A wrong direction; the lengths of the vectors do not matter.",
        convex="Not convex in the prediction.",
        differentiable="Differentiable except where a vector is zero.",
        bounded="Between 0 for the same direction and 2 for the opposite one.",
        robust="No datum costs more than 2.",
    ),
    convention="One minus the cosine, with no epsilon: a zero vector has no direction and is an error.",
    differs=[
        "keras.losses.CosineSimilarity is minus the cosine, -1 for the same direction, and 0 for a zero vector.",
        "torchmetrics' CosineSimilarity is plus the cosine, and its default adds the data up.",
        "optax.cosine_distance divides by the norms as they are, or with epsilon by norms of at least that.",
    ],
    same_as={
        "torch": "1 - torch.nn.functional.cosine_similarity(pred, target)",
        "optax": "optax.cosine_distance(pred, target)",
    },
    cites=["salton1983"],
)
def cosine_distance(pred: Tensor, target: Tensor) -> Tensor:
    """One minus the cosine of the angle between prediction and target.

    It compares directions: embeddings of texts or images, where the length of a vector means little. 0 is the same
    direction, 1 a right angle, 2 the opposite. For small angles it is half the square of the angle.

    Args:
        pred: The predicted vectors, shape (n, D), none of them zero.
        target: The true vectors, shape (n, D), none of them zero.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> cosine_distance(torch.tensor([[1.0, 0.0], [1.0, 1.0]]), torch.tensor([[3.0, 0.0], [0.0, 2.0]]))
        tensor([0.0000, 0.2929])
    """
    return one_minus_cosine(pred, target)
