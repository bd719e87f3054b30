"""Cross entropies of directions: classes are vectors, and the own class is handicapped by a margin."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import DIRECTION, MATRIX, NON_NEGATIVE, POSITIVE, Domain, Interval, Number
from losscli.loss import Slice, Traits
from losscli.losses._stable.similarity import Vectors, in_blocks, is_known
from losscli.losses._stable.twofold import Twofold, log1p_of_exponential, sine_and_cosine, sum_of_exponentials
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

CLASS_OF_ROW = Domain("class", "a class: the row of the matrix, 0 .. C-1", shapes=("n",), classes=True)
# The cosine and the sine of the angle to the own class, to the score that it competes with.
Margin = Callable[[Twofold, Callable[[], Twofold]], Twofold]


def _beside(others: int) -> Callable[[Tensor], dict[str, Tensor]]:
    """Vectors at an angle from their class, beside other classes at a right angle to both."""

    def roles(angle: Tensor) -> dict[str, Tensor]:
        zero = torch.zeros_like(angle)
        matrix = torch.eye(3, dtype=angle.dtype)[[0] + [2] * others]
        return {
            "embedding": torch.stack([torch.cos(angle), torch.sin(angle), zero], dim=1),
            "matrix": matrix,
            "label": zero.detach(),
        }

    return roles


ANGLE_TO_CLASS = Slice(
    "angle between a vector and its class in radians, other classes at a right angle",
    (0.0, math.pi),
    {"1 other class": _beside(1), "100 other classes": _beside(100)},
    variable="angle",
    allowed=Interval(0.0, math.pi),
    notable=(math.pi / 2,),
)


@loss(
    family="embedding",
    embedding=DIRECTION,
    matrix=MATRIX,
    label=CLASS_OF_ROW,
    where={"margin": Number(Interval(0, math.pi)), "scale": POSITIVE},
    aliases=["additive-angular-margin"],
    formula=r"\ln\left(1 + \sum_{j \neq y} e^{z_j - z_y}\right),\quad z_y = a \cos(\theta_y + m),\quad "
    r"z_j = a \cos\theta_j",
    gradient=r"\frac{\partial}{\partial \theta_y} = a\, (1 - p_y) \sin(\theta_y + m)",
    unit="nats",
    range="[0, inf)",
    curve=ANGLE_TO_CLASS,
    traits=Traits(
        punishes="An angle to the own class that is not smaller than those to all others by the margin.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where a vector is zero or has exactly the direction of its class.",
        bounded="At most twice the scale plus the logarithm of the number of classes.",
        robust="Not robust: a wrong label costs up to twice the scale. A vector that is almost opposite to its class, "
        "beyond pi - margin, is not pulled back.",
    ),
    convention="The margin in radians; cosines of the vectors and of the rows of the matrix, whatever their lengths. "
    "cos(angle + margin) is taken as it is, also beyond pi.",
    differs=[
        "The authors' code and pytorch-metric-learning's go on with cos(angle) - margin sin(margin) from the angle "
        "pi - margin on, so that the loss keeps growing: with margin 0.5 and scale 1, a vector opposite to its class "
        "has the score -1.24 there, -0.88 here.",
        "pytorch-metric-learning takes the margin in degrees, 28.6 by default.",
    ],
    same_as={
        "pytorch-metric-learning": "ArcFaceLoss(C, D, margin=degrees, scale=scale)(embedding, label) with W = "
        "matrix.T, the cost, up to the angle pi - margin",
    },
    cites=["deng2019"],
)
def arcface(embedding: Tensor, matrix: Tensor, label: Tensor, *, margin: float = 0.5, scale: float = 64.0) -> Tensor:
    """The cross entropy of scaled cosines to the classes' directions, with a margin added to the own angle.

    Each datum is a vector, the classes are the rows of a matrix that is learned with the vectors, one direction for
    each person in face recognition. The own class competes as if its angle were larger by the margin; so vectors of one
    class move closer together than a plain softmax would ask for, and the distance between two persons on the sphere
    can be trusted for faces that were not in training.

    A margin of 0.5 (29 degrees) is the paper's; where training does not start, begin with a smaller one. The scale must
    be large enough that a vector on its class has a probability near 1: with C classes, ln C and more. With the margin
    0 it is the cross entropy of scale times cosine.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        matrix: One vector for each class, shape (C, D), the same for all data.
        label: The class of each datum, shape (n).
        margin: What is added to the angle to the own class, in radians.
        scale: What the cosines are multiplied by.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> embedding, matrix = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> arcface(embedding, matrix, torch.tensor([0.0]), margin=0.0, scale=1.0)
        tensor([0.3133])
        >>> arcface(embedding, matrix, torch.tensor([0.0]), scale=1.0)
        tensor([0.3477])
    """
    sine, cosine = sine_and_cosine(margin)
    return _with_margin(embedding, matrix, label, scale, lambda cos, sin: cos * cosine - sin() * sine)


@loss(
    family="embedding",
    embedding=DIRECTION,
    matrix=MATRIX,
    label=CLASS_OF_ROW,
    where={"margin": NON_NEGATIVE, "scale": POSITIVE},
    aliases=["large-margin-cosine", "am-softmax"],
    formula=r"\ln\left(1 + \sum_{j \neq y} e^{z_j - z_y}\right),\quad z_y = a (\cos\theta_y - m),\quad "
    r"z_j = a \cos\theta_j",
    gradient=r"\frac{\partial}{\partial \cos\theta_j} = a\, (p_j - [j = y])",
    unit="nats",
    range="[0, inf)",
    curve=ANGLE_TO_CLASS,
    traits=Traits(
        punishes="A cosine to the own class that is not larger than those to all others by the margin.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where a vector is zero.",
        bounded="At most (2 + margin) times the scale plus the logarithm of the number of classes.",
        robust="Not robust: a wrong label costs up to (2 + margin) times the scale.",
    ),
    convention="The margin is taken from the cosine, before the scale; cosines of the vectors and of the rows of the "
    "matrix, whatever their lengths.",
    differs=[
        "AM-Softmax is the same loss with the scale 30.",
        "arcface adds the margin to the angle instead: what it takes from the cosine is most at a right angle, and "
        "little where the angle is small.",
    ],
    same_as={
        "pytorch-metric-learning": "CosFaceLoss(C, D, margin=margin, scale=scale)(embedding, label) with W = matrix.T, "
        "the cost",
    },
    cites=["wang2018"],
)
def cosface(embedding: Tensor, matrix: Tensor, label: Tensor, *, margin: float = 0.35, scale: float = 64.0) -> Tensor:
    """The cross entropy of scaled cosines to the classes' directions, with a margin taken from the own cosine.

    Each datum is a vector, the classes are the rows of a matrix that is learned with the vectors. The own class
    competes with its cosine less the margin, and so must win by that much. It serves the same end as arcface, vectors
    of one class close together and those of others apart, and trains more easily, since its gradient does not fade for
    vectors that are still far from their class.

    Margins of 0.2 to 0.4 are usual; too large a margin cannot be kept by many classes in few dimensions. The scale must
    be large enough that a vector on its class has a probability near 1.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        matrix: One vector for each class, shape (C, D), the same for all data.
        label: The class of each datum, shape (n).
        margin: What is taken from the cosine to the own class.
        scale: What the cosines are multiplied by.

    Returns:
        The loss of each datum, shape (n).

    Example:
        >>> import torch
        >>> embedding, matrix = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> cosface(embedding, matrix, torch.tensor([0.0]), margin=0.5, scale=2.0)
        tensor([0.3133])
    """
    return _with_margin(embedding, matrix, label, scale, lambda cos, _: cos - margin)


def _with_margin(embedding: Tensor, matrix: Tensor, label: Tensor, scale: float, own_score: Margin) -> Tensor:
    """``ln(1 + Σ e^(a (cos_j - own score)))`` over the other classes, shape (n,)."""
    classes = matrix.shape[0]
    known = is_known(embedding, label) & (label == label.floor()) & (label >= 0) & (label < classes)
    label = torch.where(known, label, 0.0).long()
    embedding = torch.where(known.unsqueeze(1), embedding, 1.0)
    vectors, directions = Vectors.directions(embedding), Vectors.directions(matrix)
    mine, own = vectors.exact, directions.at(label).exact
    score = own_score((mine * own).sum(), lambda: _sine(mine, own))

    def value(rows: slice) -> Tensor:
        cosines = vectors.products(directions, rows)
        others = torch.ones_like(cosines.value, dtype=torch.bool).scatter(1, label[rows].unsqueeze(1), False)
        return log1p_of_exponential(*sum_of_exponentials((cosines - score[rows]) * scale, others))

    return torch.where(known, in_blocks(len(label), classes, value), torch.nan) if len(label) else embedding[:, 0]


def _sine(a: Twofold, b: Twofold) -> Twofold:
    """The sine of the angle between two directions, |a - b| |a + b| / 2, which keeps the digits of small angles."""
    chord, rest = (a - b).renewed(), (a + b).renewed()
    return (chord * chord).sum().sqrt() * (rest * rest).sum().sqrt() * 0.5
