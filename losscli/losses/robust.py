"""Losses of a number against a number that do not let a few large errors decide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import NON_NEGATIVE, POSITIVE, REAL
from losscli.loss import Traits
from losscli.losses._stable.deviance import polynomial
from losscli.losses._stable.elementary import mean_over_outputs
from losscli.losses._stable.scaled import FAR, sized_error
from losscli.losses._stable.slopes import with_slopes
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


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"beta": NON_NEGATIVE},
    formula=(
        r"\frac{1}{2} e^2 / \beta \text{ if } |e| < \beta,\quad |e| - \frac{1}{2}\beta \text{ otherwise},"
        r"\quad e = \hat{y} - y"
    ),
    gradient=r"\max(-1, \min(e / \beta, 1))",
    unit="target",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Errors beyond beta by their size less beta/2, smaller ones by their square.",
        convex="Convex in the prediction; strictly only where the error is smaller than beta.",
        differentiable="Differentiable everywhere, once; with beta = 0 except where the error is zero.",
        bounded="Unbounded, but it grows only in proportion to the error; its slope never exceeds 1.",
        robust="Robust against outliers of the target: none pulls harder than a slope of 1.",
    ),
    convention="The absolute error, rounded off at the bottom: it is the Huber loss divided by its delta.",
    differs=[
        "torch.nn.HuberLoss is not divided: with 2 for beta and delta an error of 4 costs 6 there and 3 here.",
        "MXNet's smooth_l1 takes sigma with beta = 1/sigma^2: its 2 is a beta of .25.",
        "Detectron takes a beta of 1/9 for region proposals and 1 for its final boxes, Detectron2 by default 0.",
    ],
    same_as={"torch": "torch.nn.functional.smooth_l1_loss(pred, target, beta=beta, reduction='none')"},
    cites=["girshick2015", "huber1964"],
)
def smooth_l1(pred: Tensor, target: Tensor, *, beta: float = 1.0) -> Tensor:
    """The absolute error with a rounded bottom: a square for errors below beta, then a straight line of slope 1.

    It came into use for the corners of boxes in object detection, where a squared error would let a few wild boxes
    decide and the corner of the absolute error keeps predictions from settling. Minimising it is the same as minimising
    ``huber`` with delta = beta; what differs is the scale, and with it the best learning rate.

    Choose beta as the size of error that still counts as noise, in the unit of the target. With beta = 0 it is the
    absolute error; the larger beta, the smaller the loss of a given error.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        beta: The size of error where the square gives way to the straight line, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> smooth_l1(torch.tensor([0.5, 1.0, 4.0]), torch.zeros(3), beta=2.0)
        tensor([0.0625, 0.2500, 3.0000])
    """
    size = (pred - target).abs()
    if beta == 0:
        return mean_over_outputs(size)
    inner = size.clamp(max=beta)
    return mean_over_outputs((inner / beta) * (size - 0.5 * inner))


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"delta": POSITIVE},
    formula=r"\delta^2 \left(\sqrt{1 + (e / \delta)^2} - 1\right),\quad e = \hat{y} - y",
    gradient=r"\frac{e}{\sqrt{1 + (e / \delta)^2}}",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Errors well below delta by half their square, well above by delta times their size, less delta^2.",
        convex="Convex in the prediction, strictly.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, but it grows only in proportion to the error; its slope stays below delta.",
        robust="Robust against outliers of the target: none pulls harder than a slope of delta.",
    ),
    convention="Half the square near zero and the slope delta far out, as the Huber loss; not divided by delta.",
    differs=[
        "charbonnier with c = delta is this loss divided by delta^2.",
        "Half of scipy's soft_l1 is this loss with delta as f_scale: scipy.optimize.least_squares halves it too.",
        "Far out it lies delta^2/2 below the Huber loss: an error of 100 costs 99.005 with delta = 1, there 99.5.",
    ],
    same_as={"scipy": "scipy.special.pseudo_huber(delta, pred - target)"},
    cites=["hartley2004", "charbonnier1994"],
)
def pseudo_huber(pred: Tensor, target: Tensor, *, delta: float = 1.0) -> Tensor:
    """A Huber loss without a seam: the branch of a hyperbola, from a parabola at the bottom to a straight line.

    It does what ``huber`` does and has derivatives of every order, which second-order optimisers and boosted trees
    want. The bend is wide: at an error of delta the slope is 0.71 delta, where that of ``huber`` is delta already.

    Choose delta as for ``huber``: the size beyond which an error looks like a mistake in the data rather than noise.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        delta: The size of error around which the parabola becomes a straight line, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> pseudo_huber(torch.tensor([0.5, 1.0, 100.0]), torch.zeros(3))
        tensor([ 0.1180,  0.4142, 99.0050])
    """
    size, lost = sized_error(pred, target)
    # The square of a huge error would be infinite.
    far = size > FAR * delta
    near = torch.where(far, 0.0, size)
    x = near / delta
    root = torch.sqrt(1 + x * x)
    return mean_over_outputs(
        torch.where(far, delta * (size - delta), near * (near / (1 + root)) + lost * (near / root))
    )


# 1/3, 1/5, ...: with s = x / (2 + x), ln(1 + x) = 2 (s + s^3/3 + s^5/5 + ...) and x - 2 s = x s.
_SERIES = tuple(1 / (2 * k + 3) for k in range(21))
# Up to there the series is used, s < 3/7; beyond, the difference keeps its digits.
_NEAR = 1.5


def _fair(size: Tensor, c: float) -> Tensor:
    """``c^2 (x - ln(1 + x))`` with x = size / c. Not differentiable."""
    x = (size / c).clamp(max=torch.finfo(size.dtype).max)
    s = x / (2 + x)
    series = (1 - 2 * s * polynomial(s * s, _SERIES) / (2 + x)) / (2 + x)
    return torch.where(x < _NEAR, size * (size * series), c * (size - c * torch.log1p(x)))


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"c": POSITIVE},
    formula=r"c^2 \left(|x| - \ln(1 + |x|)\right),\quad x = \frac{\hat{y} - y}{c}",
    gradient=r"\frac{e}{1 + |e| / c},\quad e = \hat{y} - y",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Errors well below c by half their square, well above by almost c times their size.",
        convex="Convex in the prediction, strictly.",
        differentiable="Differentiable everywhere, twice.",
        bounded="Unbounded, but it grows only in proportion to the error; its slope stays below c.",
        robust="Robust against outliers of the target: none pulls harder than a slope of c.",
    ),
    convention="Half the square near zero and the slope c far out; not divided by c.",
    differs=[
        "Some divide by c^2, and some by c, so that the slope far out is 1; LightGBM, with fair_c for c, does not.",
        "The default c is 1 in LightGBM, 1.4 in many statistical packages.",
    ],
    cites=["fair1974", "holland1977"],
)
def fair(pred: Tensor, target: Tensor, *, c: float = 1.0) -> Tensor:
    """Fair's loss: half the square for small errors, and slowly, by a logarithm, towards a straight line.

    Of the convex robust losses it bends most gently: an error of c pulls with c/2, half as hard as in the squared
    error, and only an error of 9 c with 0.9 c. So moderate errors lose influence too, and no single size separates good
    data from bad.

    Choose c as about 1.4 standard deviations of the noise, which keeps 95 % of the squared error's precision where the
    noise is normal and there is no outlier at all.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        c: The size of error that pulls half as hard as in the squared error, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> fair(torch.tensor([0.1, 1.0, 100.0]), torch.zeros(3))
        tensor([4.6898e-03, 3.0685e-01, 9.5385e+01])
    """
    size, lost = sized_error(pred, target)

    def slope(size: Tensor) -> Tensor:
        return c * (size / (c + size))

    return mean_over_outputs(with_slopes(lambda size: _fair(size, c), (slope,), size) + lost * slope(size.detach()))


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"width": POSITIVE, "epsilon": POSITIVE},
    formula=(
        r"w \ln\left(1 + \frac{|e|}{\epsilon}\right) \text{ if } |e| < w,\quad |e| - C \text{ otherwise},"
        r"\quad C = w - w \ln\left(1 + \frac{w}{\epsilon}\right)"
    ),
    gradient=(
        r"\mathrm{sign}(e)\, w / (\epsilon + |e|) \text{ if } |e| < w,\quad "
        r"\mathrm{sign}(e) \text{ otherwise}"
    ),
    unit="target",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Small errors hardest: the slope is width/epsilon at zero and falls as the error grows.",
        convex="Not convex: concave on either side of zero up to width.",
        differentiable="Differentiable except where the error is zero or its size is width.",
        bounded="Unbounded, but beyond width it grows only in proportion to the error.",
        robust="Robust against outliers of the target: none pulls harder than a slope of 1.",
    ),
    convention="The two parts meet at an error of width with the same value; the slope jumps there from "
    "width / (epsilon + width) to 1.",
    differs=[
        "Adaptive wing loss, which is for heat maps, has an exponent that depends on the true value.",
        "Errors are often counted in pixels of a 256 x 256 picture, for which the defaults are made; of coordinates "
        "between 0 and 1 all are small, and the loss is almost 5 times the absolute error.",
    ],
    cites=["feng2018"],
)
def wing(pred: Tensor, target: Tensor, *, width: float = 10.0, epsilon: float = 2.0) -> Tensor:
    """The wing loss: a logarithm for small errors, so that they go on pulling, and a straight line for large ones.

    It was made for landmarks of faces, where most points are found at once and what matters is the last pixel. The
    squared error and the Huber loss lose interest in small errors, the absolute error treats all alike; here the pull
    grows as the error shrinks. By the same token it never settles: noise of the true values is followed too.

    Choose width as the size of what counts as a small error, in the unit of the target, and epsilon by how much the
    smallest are to be favoured. The ratio of the two is the slope at zero; a tiny epsilon makes training unstable.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        width: The size of error where the logarithm gives way to the straight line, in the unit of the target.
        epsilon: How far the logarithm is from its pole; the smaller, the steeper near zero.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> wing(torch.tensor([0.5, 5.0, 10.0, 20.0]), torch.zeros(4))
        tensor([ 2.2314, 12.5276, 17.9176, 27.9176])
    """
    size, lost = sized_error(pred, target)
    at_width = width * math.log1p(width / epsilon)
    inner = width * torch.log1p(size.clamp(max=width) / epsilon)
    # What rounding the error lost is much beside a loss that is small at the width.
    beyond = ((size - width) + lost).clamp(min=0.0)
    return mean_over_outputs(torch.where(size < width, inner, beyond + at_width))
