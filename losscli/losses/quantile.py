"""Losses whose two sides cost differently, such as those of quantiles and intervals, or whose middle costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import NON_NEGATIVE, REAL, UNIT, Interval, Number
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import mean_over_outputs, two_difference
from losscli.losses._stable.scaled import sized_error
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    family="quantile",
    pred=REAL,
    target=REAL,
    where={"tau": UNIT},
    aliases=["pinball"],
    formula=r"\max(\tau u,\ (\tau - 1) u),\quad u = y - \hat{y}",
    gradient=r"-\tau \text{ if } y > \hat{y},\quad 1 - \tau \text{ if } y < \hat{y}",
    unit="target",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Each unit that the prediction is too low by tau, each unit that it is too high by 1 - tau.",
        convex="Convex in the prediction, not strictly.",
        differentiable="Differentiable except where the error is zero; there the mean of both slopes is taken.",
        bounded="Unbounded, but it grows only in proportion to the error.",
        robust="Robust against outliers of the target: the best constant prediction is a quantile.",
    ),
    convention="The weights of the two sides add up to 1, so tau = 0.5 is half the absolute error.",
    differs=[
        "sklearn calls tau alpha, in HistGradientBoosting quantile; LightGBM, whose default is .9, and CatBoost call "
        "it alpha too.",
        "Some double the loss, so that tau = 0.5 is the absolute error: an error of 3 costs 3 there and 1.5 here.",
    ],
    same_as={"sklearn": "sklearn.metrics.mean_pinball_loss(target, pred, alpha=tau)"},
    cites=["koenker1978", "steinwart2011"],
)
def quantile(pred: Tensor, target: Tensor, *, tau: float = 0.5) -> Tensor:
    """The quantile loss: the absolute error, tilted so that the best prediction is the tau-quantile of the target.

    It asks for a bound instead of a centre. With tau = 0.9 a prediction is best when the target stays below it nine
    times in ten: enough stock for nine days in ten, a delay that nine trains in ten keep. Two of them, with 0.05 and
    0.95, make an interval; ``interval-score`` judges both together.

    Choose tau by what the two mistakes cost: if a unit too little costs c times a unit too much, tau is c / (1 + c).
    Far in the tails few data decide, and predictions for several values of tau may cross.

    Args:
        pred: The predicted quantiles, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        tau: The share of the target that should lie below the prediction.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> quantile(torch.tensor([1.0, 1.0]), torch.tensor([3.0, -1.0]), tau=0.75)
        tensor([1.5000, 0.5000])
    """
    above = target - pred
    return mean_over_outputs(torch.maximum(tau * above, (tau - 1) * above))


@loss(
    family="quantile",
    pred=REAL,
    target=REAL,
    where={"tau": UNIT},
    aliases=["asymmetric-squared-error"],
    formula=r"\tau e^2 \text{ if } y > \hat{y},\quad (1 - \tau) e^2 \text{ otherwise},\quad e = \hat{y} - y",
    gradient=r"2 \tau e \text{ if } y > \hat{y},\quad 2 (1 - \tau) e \text{ otherwise}",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="The squared error, times tau where the prediction is too low and 1 - tau where it is too high.",
        convex="Convex in the prediction, strictly for tau other than 0 and 1.",
        differentiable="Differentiable everywhere, once: the second derivative jumps where the error is zero.",
        bounded="Unbounded: one datum can outweigh all others.",
        robust="Not robust: like the mean, an expectile follows an outlier as far as it goes.",
    ),
    convention="The weights of the two sides add up to 1, so tau = 0.5 is half the squared error.",
    differs=[
        "Some divide by the smaller or larger weight, or write the weight of the other side: tau = 0.9 is then 0.1.",
        "A quantile of the same tau is another number: of the values 0, 0, 0, 0, 10 the median is 0, the expectile for "
        "tau = 0.5 is the mean, 2. scipy.stats.expectile gives the best constant prediction.",
    ],
    cites=["newey1987"],
)
def expectile(pred: Tensor, target: Tensor, *, tau: float = 0.5) -> Tensor:
    """The asymmetric squared error, whose best constant prediction is the tau-expectile of the target.

    Expectiles are to the mean what quantiles are to the median. For tau = 0.9 the prediction is best when what the
    target exceeds it by, in total, is one ninth of what it falls short by. Unlike a quantile an expectile sees how far
    the extremes lie, not only how many there are, which is what a measure of risk should see.

    The loss is smooth, so it is easier to minimise than ``quantile``. The price is that outliers count in full.

    Args:
        pred: The predicted expectiles, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        tau: The weight of a prediction that is too low; 1 - tau is that of one that is too high.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> expectile(torch.tensor([1.0, 1.0]), torch.tensor([3.0, -1.0]), tau=0.75)
        tensor([3., 1.])
    """
    error = pred - target
    square = error * error
    return mean_over_outputs(torch.where(error < 0, tau * square, (1 - tau) * square))


def _beyond(pred: Tensor, target: Tensor, epsilon: float) -> Tensor:
    """How far the error exceeds epsilon, 0 within; of nearly equal sizes the exact difference, rounded once."""
    size, lost = sized_error(pred, target)
    excess, rest = two_difference(size, size.new_tensor(epsilon))
    # Nothing is lost of an infinite difference.
    return torch.relu(excess + torch.where(torch.isinf(excess), 0.0, rest + lost))


@loss(
    family="quantile",
    pred=REAL,
    target=REAL,
    where={"epsilon": NON_NEGATIVE},
    formula=r"\max(0, |e| - \epsilon),\quad e = \hat{y} - y",
    gradient=r"\mathrm{sign}(e) \text{ if } |e| > \epsilon,\quad 0 \text{ otherwise}",
    unit="target",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="What the error exceeds epsilon by; errors up to epsilon cost nothing.",
        convex="Convex in the prediction, flat within the tube.",
        differentiable="Differentiable except where |e| = epsilon; there the slope is taken to be zero.",
        bounded="Unbounded, but it grows only in proportion to the error.",
        robust="Robust against outliers of the target, as the absolute error is.",
    ),
    convention="The plain excess over epsilon, in the target's unit. With epsilon = 0 it is the absolute error.",
    differs=[
        "The default epsilon is .1 in sklearn's SVR and SGDRegressor, but 0 in its LinearSVR.",
        "Some let epsilon be a share of the true value: five per cent of it cost nothing.",
    ],
    same_as={"torch": "torch.nn.functional.softshrink(pred - target, epsilon).abs()"},
    cites=["vapnik1995", "drucker1997"],
)
def epsilon_insensitive(pred: Tensor, target: Tensor, *, epsilon: float = 0.1) -> Tensor:
    """The absolute error beyond a tolerance: errors of up to epsilon are as good as none.

    It is the loss of support vector regression. Data inside the tube of width epsilon around the prediction do not pull
    at it, so that the fit rests on the others, the support vectors, and small noise is not followed.

    Choose epsilon as the error that does not matter, such as the tolerance of a part or the precision of an instrument;
    about the size of the noise keeps a fit sparse. Where every improvement counts, use ``mae`` or ``huber``.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        epsilon: The size of error up to which nothing is charged, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> epsilon_insensitive(torch.tensor([0.25, 0.75, 3.0]), torch.zeros(3), epsilon=0.5)
        tensor([0.0000, 0.2500, 2.5000])
    """
    return mean_over_outputs(_beyond(pred, target, epsilon))


@loss(
    family="quantile",
    pred=REAL,
    target=REAL,
    where={"epsilon": NON_NEGATIVE},
    formula=r"\max(0, |e| - \epsilon)^2,\quad e = \hat{y} - y",
    gradient=r"\mathrm{sign}(e)\, 2 \max(0, |e| - \epsilon)",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="The square of what the error exceeds epsilon by; errors up to epsilon cost nothing.",
        convex="Convex in the prediction, flat within the tube.",
        differentiable="Differentiable everywhere, once: the second derivative jumps where |e| = epsilon.",
        bounded="Unbounded: one datum can outweigh all others.",
        robust="Not robust: large errors count as they do in the squared error.",
    ),
    convention="The square of the excess, not the excess of the square; no factor 1/2.",
    differs=[
        "The default epsilon is .1 in sklearn's SGDRegressor, but 0 in its LinearSVR, where loss="
        "'squared_epsilon_insensitive' is this loss.",
    ],
    same_as={"torch": "torch.nn.functional.softshrink(pred - target, epsilon) ** 2"},
    cites=["vapnik1995", "drucker1997"],
)
def squared_epsilon_insensitive(pred: Tensor, target: Tensor, *, epsilon: float = 0.1) -> Tensor:
    """The squared error beyond a tolerance: errors of up to epsilon are as good as none.

    Where ``epsilon-insensitive`` has a corner at the end of the tolerance this loss begins as a square, so that it is
    smooth there and strictly convex outside: easier to minimise, less robust.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        epsilon: The size of error up to which nothing is charged, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> squared_epsilon_insensitive(torch.tensor([0.25, 0.75, 3.0]), torch.zeros(3), epsilon=0.5)
        tensor([0.0000, 0.0625, 6.2500])
    """
    excess = _beyond(pred, target, epsilon)
    return mean_over_outputs(excess * excess)


def _narrow(target: Tensor) -> dict[str, Tensor]:
    return {"low": torch.full_like(target, -0.5), "high": torch.full_like(target, 0.5), "target": target}


def _wide(target: Tensor) -> dict[str, Tensor]:
    return {"low": torch.full_like(target, -2.0), "high": torch.full_like(target, 2.0), "target": target}


@loss(
    family="quantile",
    low=REAL,
    high=REAL,
    target=REAL,
    where={"alpha": Number(Interval(0, 1, open_low=True, open_high=True))},
    aliases=["winkler-score"],
    formula=r"(u - l) + \frac{2}{\alpha} \max(0, l - y) + \frac{2}{\alpha} \max(0, y - u)",
    gradient=r"-1 + (2 / \alpha)\, [y < l] \text{ by } l,\quad 1 - (2 / \alpha)\, [y > u] \text{ by } u",
    unit="target",
    range="[0, inf)",
    curve=Slice(
        "true value y",
        (-3.0, 3.0),
        {"interval -0.5 to 0.5": _narrow, "interval -2 to 2": _wide},
        variable="true value",
        notable=(-2.0, -0.5, 0.5, 2.0),
    ),
    traits=Traits(
        punishes="The width of the interval, and 2/alpha for each unit by which it misses the true value.",
        convex="Convex in both ends, not strictly.",
        differentiable="Differentiable except where the true value is an end of the interval.",
        bounded="Unbounded; at least the width of the interval.",
        robust="Robust as a quantile loss is: a miss is charged in proportion to its size.",
    ),
    convention="As Gneiting and Raftery write it, positive and better when smaller. Ends in the wrong order are "
    "charged by the same formula.",
    differs=[
        "It is 2/alpha times the sum of the quantile losses of both ends; the weighted interval score of epidemic "
        "forecasts halves that: alpha/2 times this score for each interval.",
        "Some give alpha as the coverage, .95 instead of .05.",
    ],
    same_as={
        "scoringrules": "scoringrules.interval_score(target, low, high, alpha)",
        "sklearn": "2 / alpha * (sklearn.metrics.mean_pinball_loss(target, low, alpha=alpha / 2) "
        "+ sklearn.metrics.mean_pinball_loss(target, high, alpha=1 - alpha / 2))",
    },
    cites=["winkler1972", "gneiting2007"],
)
def interval_score(low: Tensor, high: Tensor, target: Tensor, *, alpha: float = 0.05) -> Tensor:
    """The interval score of a prediction interval: its width, and a fine where the true value lies outside.

    A forecast of a range is good when the range is narrow and the truth is in it. The score weighs the one against the
    other such that nothing pays but honesty: it is least, on average, when the ends are the true quantiles for alpha/2
    and 1 - alpha/2. The share of data inside the interval alone can be had by making it wide.

    Give alpha as the forecast states it: 0.05 for an interval that is to hold the truth in 95 % of cases, which makes a
    miss by one unit cost 40 units of width. Scores for different values of alpha cannot be compared.

    Args:
        low: The lower ends l of the intervals, shape (n) or (n, ...), in the target's unit.
        high: The upper ends u, of the same shape.
        target: The true values, of the same shape.
        alpha: The share of the target that the interval is meant to miss, half of it on either side.

    Returns:
        The score of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> low, high = torch.zeros(3), torch.full((3,), 2.0)
        >>> interval_score(low, high, torch.tensor([1.0, 2.5, -1.0]), alpha=0.5)
        tensor([2., 4., 6.])
    """
    missed = torch.relu(low - target) + torch.relu(target - high)
    # Divided before it is doubled: 2/alpha may be infinite where nothing is missed.
    return mean_over_outputs((high - low) + 2 * (missed / alpha))
