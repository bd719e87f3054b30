"""Losses of a number against a number that are powers of the error, and the cost that is their root."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import REAL, Interval, Number
from losscli.loss import Slice, Traits
from losscli.losses._stable.deviance import real_power
from losscli.losses._stable.elementary import mean_over_outputs, power
from losscli.losses._stable.scaled import sized_error
from losscli.registry import loss
from losscli.statistic import Root

if TYPE_CHECKING:
    from torch import Tensor

AT_LEAST_ONE = Number(Interval(low=1))
# Up to this exponent whole and half powers are a few products.
FEW_PRODUCTS = 4


def _root(values: Tensor, order: float) -> Tensor:
    """The root of each of some powers: 0 of 0, without a slope there."""
    ordinary = (values > 0) & torch.isfinite(values)
    return torch.where(ordinary, real_power(torch.where(ordinary, values, 1.0), 1 / Fraction(order)), values)


def _power_of_error(pred: Tensor, target: Tensor, exponent: float) -> Tensor:
    """``|pred - target| ** exponent`` for an exponent of at least 1.

    A power makes the rounding of the error that many times larger as the exponent says, so it is undone.
    """
    size, lost = sized_error(pred, target)
    if exponent == 1:
        return size
    safe = torch.where(size == 0, 1.0, size)
    by_products = exponent <= FEW_PRODUCTS and (2 * exponent).is_integer()
    values = power(safe, exponent) if by_products else real_power(safe, exponent)
    correction = values.detach() * (exponent * (lost / safe.detach()))
    return torch.where(size == 0, 0.0, values + torch.where(torch.isfinite(values), correction, 0.0))


@loss(
    family="regression",
    pred=REAL,
    target=REAL,
    where={"q": AT_LEAST_ONE},
    formula=r"|e|^q,\quad e = \hat{y} - y",
    gradient=r"\mathrm{sign}(e)\, q |e|^{q - 1}",
    unit="target^q",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="An error twice as large costs 2^q times as much.",
        convex="Convex in the prediction, strictly for q above 1.",
        differentiable="Differentiable everywhere for q above 1; for q = 1 except where the error is zero.",
        bounded="Unbounded; the larger q, the more the largest errors outweigh all others.",
        robust="The more robust, the closer q is to 1; for q = 1 the best constant prediction is the median.",
    ),
    convention="The plain power: no factor 1/q, and no root of the cost.",
    differs=["Some divide by q, so that q = 2 is half the squared error.", "CatBoost's Lq is this loss, with q given."],
    same_as={"torch": "torch.abs(pred - target) ** q"},
    cites=["gonin1989"],
)
def lq(pred: Tensor, target: Tensor, *, q: float = 1.5) -> Tensor:
    """A power of the absolute error: between the absolute error, q = 1, and the squared error, q = 2, and beyond.

    With q between 1 and 2 it is a compromise between the two: smooth at zero, unlike the absolute error, and calmer
    about outliers than the squared error. It fits noise with the density exp(-|e|^q), from Laplace's to the normal
    distribution. With q above 2 the large errors decide even more; use that only where errors are bounded.

    Unlike ``huber`` it has no unit to choose: it treats errors of all sizes by one rule. The curvature at zero is
    infinite for q below 2, which some optimisers dislike.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        q: The power, at least 1.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> lq(torch.tensor([0.25, 1.0, 4.0]), torch.zeros(3))
        tensor([0.1250, 1.0000, 8.0000])
    """
    return mean_over_outputs(_power_of_error(pred, target, q))


def _beside_one(error: Tensor) -> dict[str, Tensor]:
    pred = torch.stack([error, torch.ones_like(error)], dim=1)
    return {"pred": pred, "target": torch.zeros_like(pred)}


@loss(
    family="regression",
    pred=REAL,
    target=REAL,
    where={"p": AT_LEAST_ONE},
    statistic=lambda p: Root(p, lambda values: _root(values, p)),
    formula=r"|e|^p,\quad e = \hat{y} - y,\quad \text{cost } \left(\frac{1}{n} \sum |e|^p\right)^{1/p}",
    gradient=r"\mathrm{sign}(e)\, p |e|^{p - 1}",
    unit="target",
    range="[0, inf)",
    curve=Slice(
        "error of one of two outputs, where the other's is 1", (-3.0, 3.0), {"": _beside_one}, notable=(-1.0, 0.0, 1.0)
    ),
    traits=Traits(
        punishes="The larger p, the more the largest errors: an error twice as large counts 2^p times under the root.",
        convex="Convex in the predictions: it is a norm of the errors.",
        differentiable="Differentiable except where all errors are zero, for p above 1.",
        bounded="Unbounded, but it grows only in proportion to the errors.",
        robust="The more robust, the closer p is to 1, where it is the mean absolute error.",
    ),
    convention="The root of the weighted mean of all powers, taken once at the end. With a sum it is the Minkowski "
    "distance, the p-norm of the vector of errors.",
    differs=[
        "torchmetrics' MinkowskiDistance and scipy's minkowski add up instead of averaging: errors of 3 and 4 give "
        "4.498 for p = 3, where this cost is 3.57. It is 4.498 with --reduction sum.",
        "scikit-learn's distance of that name is between two rows, as the sum.",
    ],
    same_as={"torch": "torch.linalg.vector_norm(pred - target, ord=p) / len(pred) ** (1 / p)"},
    cites=["minkowski1896", "hanson1987"],
)
def minkowski(pred: Tensor, target: Tensor, *, p: float = 3.0) -> Tensor:
    """The Minkowski error: a mean of errors that p moves from the typical one towards the largest.

    With p = 1 it is the mean absolute error, with p = 2 the root mean squared error, and as p grows it approaches the
    largest error. All of them are in the unit of the target, so that one can watch how much the large errors weigh by
    raising p.

    The root is taken of the cost of all data. So costs of parts do not average to the cost of the whole, and as a
    training criterion the function gives the powers: minimising them is the same. Errors far from 1 in size may have
    powers beyond the range of numbers; use ``max-error`` instead of a large p.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        p: The order, at least 1.

    Returns:
        The p-th power of the error of each datum, shape (n), of which the cost is the root of the mean.

    Example:
        >>> import losscli
        >>> data = {"pred": [3.0, 4.0], "target": [0.0, 0.0]}
        >>> [round(losscli.compute(f"minkowski:p={p}", **data).value, 3) for p in (1, 2, 3, 100)]
        [3.5, 3.536, 3.57, 3.972]
    """
    return mean_over_outputs(_power_of_error(pred, target, p))
