"""Losses of a number against a number in which a large error pulls no harder, or less; Barron's joins them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import POSITIVE, REAL, Number
from losscli.loss import Traits
from losscli.losses._stable.barron import shape
from losscli.losses._stable.elementary import mean_over_outputs
from losscli.losses._stable.slopes import with_slopes
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"c": POSITIVE},
    aliases=["lorentzian"],
    formula=r"\ln\left(1 + \frac{x^2}{2}\right),\quad x = \frac{\hat{y} - y}{c}",
    gradient=r"\frac{x}{c\, (1 + x^2 / 2)}",
    unit="1",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Small errors by half the square of x; beyond 1.4 c a larger error pulls less and less.",
        convex="Convex only up to |x| = 1.414; several data may give several minima.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, but it grows only as a logarithm.",
        robust="Very robust: the pull of an outlier goes to zero as 2/e.",
    ),
    convention="As in Barron's family: x^2/2 under the logarithm, and without a unit, as it is not multiplied by c^2.",
    differs=[
        "Statistical packages write c^2/2 ln(1 + (e/c)^2): their 2.385 is a c of 1.686 here, their loss c^2 times "
        "this.",
        "scipy's least_squares with loss='cauchy' minimises that same form, with f_scale as c.",
    ],
    same_as={"kornia": "kornia.losses.cauchy_loss(pred / c, target / c)"},
    cites=["black1996", "barron2019", "holland1977"],
)
def cauchy(pred: Tensor, target: Tensor, *, c: float = 1.0) -> Tensor:
    """The Cauchy loss: a square for small errors, a logarithm for large ones, so that outliers are all but ignored.

    Minimising it is maximum likelihood where the noise has a Cauchy distribution, whose tails are so heavy that it has
    no mean. Beyond 1.4 c the pull of an error falls; an outlier ten times as far away pulls a tenth as hard.

    Choose c as the size of ordinary errors. With 1.7 standard deviations of the noise it keeps 95 % of the squared
    error's precision where the noise is normal. Begin from a fit with a convex loss such as ``huber``: it may have
    several minima.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        c: The size of ordinary errors, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> cauchy(torch.tensor([0.1, 1.0, 100.0]), torch.zeros(3))
        tensor([4.9875e-03, 4.0547e-01, 8.5174e+00])
    """
    return shape(0.0).of(pred, target, c)


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"c": POSITIVE},
    formula=r"\sqrt{x^2 + 1} - 1,\quad x = \frac{\hat{y} - y}{c}",
    gradient=r"\frac{x}{c\, \sqrt{x^2 + 1}}",
    unit="1",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Small errors by half the square of x, large ones by |x| - 1.",
        convex="Convex in the prediction, strictly.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded, but it grows only in proportion to the error.",
        robust="Robust against outliers of the target: none pulls harder than a slope of 1/c.",
    ),
    convention="As in Barron's family: zero for no error, without a unit, not multiplied by c or c^2.",
    differs=[
        "pseudo-huber with delta = c is this loss times c^2.",
        "Image restoration uses sqrt(e^2 + eps^2) under this name, with eps = 1e-3: an absolute error with its corner "
        "rounded off, and eps, not 0, for no error.",
    ],
    same_as={"kornia": "kornia.losses.charbonnier_loss(pred / c, target / c)"},
    cites=["charbonnier1994", "barron2019"],
)
def charbonnier(pred: Tensor, target: Tensor, *, c: float = 1.0) -> Tensor:
    """The Charbonnier loss: the branch of a hyperbola, an absolute error that is smooth at the bottom.

    It is what is used for pictures and motion where edges, which are large differences, must survive and the absolute
    error's corner would trouble the optimiser. It is the convex member of this group: large errors keep pulling, and
    there is one minimum.

    Choose c as the size of error that is noise; 1.3 standard deviations keep 95 % of the squared error's precision
    where the noise is normal. With a tiny c it becomes the absolute error divided by c.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        c: The size of error around which the parabola becomes a straight line, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> charbonnier(torch.tensor([0.5, 1.0, 100.0]), torch.zeros(3))
        tensor([ 0.1180,  0.4142, 99.0050])
    """
    return shape(1.0).of(pred, target, c)


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"c": POSITIVE},
    formula=r"\frac{2 x^2}{x^2 + 4},\quad x = \frac{\hat{y} - y}{c}",
    gradient=r"\frac{16 x}{c\, (x^2 + 4)^2}",
    unit="1",
    range="[0, 2)",
    curve="error",
    traits=Traits(
        punishes="Small errors by half the square of x; beyond 1.15 c a larger error pulls less and less.",
        convex="Convex only up to |x| = 1.155; several data may give several minima.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Below 2, however large the error.",
        robust="Very robust: the pull of an outlier goes to zero as 1/e^3.",
    ),
    convention="As in Barron's family, between 0 and 2.",
    differs=[
        "Many write e^2 / (e^2 + s^2), between 0 and 1: with s = 2 c that is half of this loss.",
        "Some write (e^2/2) / (1 + e^2), which is a quarter of this loss with c = 1/2.",
    ],
    same_as={"kornia": "kornia.losses.geman_mcclure_loss(pred / c, target / c)"},
    cites=["geman1985", "barron2019"],
)
def geman_mcclure(pred: Tensor, target: Tensor, *, c: float = 1.0) -> Tensor:
    """The Geman-McClure loss: a square that bends over and levels off, so that every outlier costs about the same.

    An error of many c costs almost 2, and whether it is 10 or 1000 times c makes no difference and gives no pull. It is
    at home in computer vision, for matches of which many are plainly wrong.

    Choose c as the size of ordinary errors; 1.9 standard deviations of the noise keep 95 % of the squared error's
    precision where it is normal. Data that are far off at the start are never pulled in, so begin with a large c and
    make it smaller, or from a fit with ``huber``.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        c: The size of ordinary errors, in the unit of the target; an error of 2 c costs 1.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> geman_mcclure(torch.tensor([0.1, 2.0, 100.0]), torch.zeros(3))
        tensor([0.0050, 1.0000, 1.9992])
    """
    return shape(-2.0).of(pred, target, c)


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"c": POSITIVE},
    aliases=["leclerc"],
    formula=r"1 - e^{-x^2 / 2},\quad x = \frac{\hat{y} - y}{c}",
    gradient=r"x e^{-x^2 / 2} / c",
    unit="1",
    range="[0, 1]",
    curve="error",
    traits=Traits(
        punishes="Small errors by half the square of x; beyond c a larger error pulls less, and soon not at all.",
        convex="Convex only up to |x| = 1; several data may give several minima.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="At most 1, however large the error.",
        robust="Very robust: an error of 6 c pulls with less than a millionth of the square's pull.",
    ),
    convention="As in Barron's family, between 0 and 1; an upturned bell curve of standard deviation c.",
    differs=[
        "Statistical packages write c^2/2 (1 - exp(-(e/c)^2)): their 2.985 is a c of 2.11 here, their loss c^2 times "
        "this.",
        "The correntropy of signal processing is 1 minus this loss, up to a factor.",
    ],
    same_as={"kornia": "kornia.losses.welsch_loss(pred / c, target / c)"},
    cites=["dennis1978", "holland1977", "barron2019"],
)
def welsch(pred: Tensor, target: Tensor, *, c: float = 1.0) -> Tensor:
    """The Welsch loss: an upturned bell curve, which stops seeing an outlier altogether.

    An error beyond a few c costs 1 and pulls at nothing: it is a count of the bad data plus the squared error of the
    good ones. Its pull fades faster than in any other smooth loss of this group.

    Choose c as the size of ordinary errors; 2.1 standard deviations of the noise keep 95 % of the squared error's
    precision where it is normal. It needs a good starting point, since data beyond 4 c have no say.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        c: The size of ordinary errors, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> welsch(torch.tensor([0.1, 1.0, 100.0]), torch.zeros(3))
        tensor([0.0050, 0.3935, 1.0000])
    """
    return shape(-math.inf).of(pred, target, c)


def _biweight(error: Tensor, c: float) -> Tensor:
    """``c^2/6 (1 - (1 - q)^3)`` with q = (e/c)^2, from e^2 where q is small. Not differentiable."""
    size = error.abs().clamp(max=c)
    q = (size / c) ** 2
    rest = 1 - q
    return torch.where(q < 0.5, (size * size) / 6 * (3 - q * (3 - q)), (1 - rest * rest * rest) * c * (c / 6))


def _slope_of_biweight(error: Tensor, c: float) -> Tensor:
    inner = error.clamp(-c, c)
    weight = ((c - inner) / c) * ((c + inner) / c)
    return inner * (weight * weight)


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"c": POSITIVE},
    aliases=["biweight", "bisquare"],
    formula=(
        r"\frac{c^2}{6} \left(1 - (1 - x^2)^3\right) \text{ if } |x| < 1,\quad \frac{c^2}{6} \text{ otherwise},"
        r"\quad x = \frac{\hat{y} - y}{c}"
    ),
    gradient=r"e (1 - x^2)^2 \text{ if } |x| < 1,\quad 0 \text{ otherwise}",
    unit="target^2",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Small errors by half their square; beyond 0.45 c a larger error pulls less, from c on not at all.",
        convex="Convex only up to |x| = 0.447; several data may give several minima.",
        differentiable="Differentiable everywhere, twice.",
        bounded="At most c^2/6, however large the error.",
        robust="Very robust: errors of c and more have no influence whatever.",
    ),
    convention="Half the square near zero, in the square of the target's unit; zero for no error.",
    differs=[
        "Some divide by c^2/6, so that the loss lies between 0 and 1.",
        "With the standard deviation of the noise as the unit c = 4.685 keeps 95 % of the squared error's precision; "
        "S-estimators use 1.547, which withstands half of the data being wrong.",
    ],
    same_as={"statsmodels": "statsmodels.api.robust.norms.TukeyBiweight(c).rho(pred - target)"},
    cites=["beaton1974", "holland1977"],
)
def tukey(pred: Tensor, target: Tensor, *, c: float = 4.685) -> Tensor:
    """Tukey's biweight: half the square at the bottom, and exactly flat from c on.

    It is the classical choice of robust statistics for rejecting outliers without a hard cut: the influence of a datum
    rises with its error, falls again and ends at c. All data beyond cost the same.

    Choose c as 4.685 standard deviations of the good data's noise, estimated robustly: divide the errors' median size
    by 0.6745. The default supposes that the errors are in that unit already. Begin from a fit with ``huber``: data
    beyond c have no say, so that a bad start stays bad.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        c: The size of error from which on the loss is flat, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> tukey(torch.tensor([0.1, 1.0, 2.0, 100.0]), torch.zeros(4))
        tensor([0.0050, 0.4776, 1.6577, 3.6582])
    """
    values = with_slopes(lambda e: _biweight(e, c), (lambda e: _slope_of_biweight(e, c),), pred - target)
    return mean_over_outputs(values)


@loss(
    family="robust",
    pred=REAL,
    target=REAL,
    where={"alpha": Number(infinite=True), "c": POSITIVE},
    aliases=["barron"],
    formula=(
        r"\frac{b}{\alpha} \left(\left(\frac{x^2}{b} + 1\right)^{\alpha / 2} - 1\right),"
        r"\quad b = |\alpha - 2|,\quad x = \frac{\hat{y} - y}{c}"
    ),
    gradient=r"\frac{x}{c} \left(\frac{x^2}{b} + 1\right)^{\alpha / 2 - 1}",
    unit="1",
    range="[0, inf)",
    curve="error",
    traits=Traits(
        punishes="Small errors by half the square of x, whatever alpha; large ones the less, the smaller alpha.",
        convex="Convex for alpha of at least 1.",
        differentiable="Differentiable everywhere, as often as one likes.",
        bounded="Unbounded for alpha of at least 0; below (alpha - 2) / alpha for negative alpha.",
        robust="The more robust, the smaller alpha; below 1 the pull of an outlier goes to zero.",
    ),
    convention="As in the paper, with its limits where the formula is not defined: x^2/2 for alpha = 2, ln(1 + x^2/2) "
    "for 0, 1 - exp(-x^2/2) for -inf and exp(x^2/2) - 1 for inf. The loss itself, not the negative log-likelihood.",
    differs=[
        "The author's libraries add a small epsilon to b and alpha instead of taking limits.",
        "As a likelihood with alpha to be learned, the logarithm of the normalising constant and of c is added.",
    ],
    same_as={
        "kornia": "kornia.losses.charbonnier_loss(pred / c, target / c) for alpha=1, cauchy_loss for 0, "
        "geman_mcclure_loss for -2, welsch_loss for -inf"
    },
    cites=["barron2019"],
)
def general_robust(pred: Tensor, target: Tensor, *, alpha: float = 1.0, c: float = 1.0) -> Tensor:
    """Barron's general loss: one number, alpha, leads from the squared error to losses that ignore outliers.

    Its members are half the square of x (alpha = 2), ``charbonnier`` (1), ``cauchy`` (0), ``geman-mcclure`` (-2) and
    ``welsch`` (-inf), with everything between them. So how robust a fit should be becomes a number that can be tuned or
    lowered step by step: begin with 2, where there is one minimum, and end where outliers no longer count.

    c is the size of error up to which all of them are the same parabola, half the square of x. Choose it as the size of
    ordinary errors, and alpha by how many data are not ordinary.

    Args:
        pred: The predictions, shape (n) or (n, ...), in the target's unit.
        target: The true values, of the same shape.
        alpha: The shape: 2 is the square, and the smaller it is, the less large errors cost.
        c: The size of ordinary errors, in the unit of the target.

    Returns:
        The loss of each datum, shape (n); of several outputs, the mean over them.

    Example:
        >>> import torch
        >>> errors = torch.tensor([0.5, 1.0, 100.0])
        >>> general_robust(errors, torch.zeros(3), alpha=0.5)
        tensor([ 0.1179,  0.4087, 24.1091])
        >>> general_robust(errors, torch.zeros(3), alpha=-2)
        tensor([0.1176, 0.4000, 1.9992])
    """
    return shape(alpha).of(pred, target, c)
