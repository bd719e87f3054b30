"""Losses of vectors that should lie close together or far apart."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import DIRECTION, DISTANCE, EMBEDDING, NON_NEGATIVE, POSITIVE, SIMILAR, Choice, Flag
from losscli.loss import Derived, Traits
from losscli.losses._stable.elementary import (
    cosine_distance,
    euclidean_distance,
    max_over_outputs,
    row_sum,
    squared_euclidean_distance,
    two_difference,
)
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

VECTORS = {
    "squared-euclidean": EMBEDDING,
    "euclidean": EMBEDDING,
    "cosine": DIRECTION,
    "manhattan": EMBEDDING,
    "chebyshev": EMBEDDING,
}


@loss(
    family="embedding",
    distance=DISTANCE,
    similar=SIMILAR,
    where={"margin": POSITIVE},
    derived={"distance": Derived(euclidean_distance, {"first": EMBEDDING, "second": EMBEDDING})},
    formula=r"\frac{1}{2}\left[s\, d^2 + (1 - s) \max(0, m - d)^2\right],\quad d = \Vert a - b \Vert_2",
    gradient=r"s\, d - (1 - s) \max(0, m - d)",
    unit="distance^2",
    range="[0, inf)",
    curve="distance",
    traits=Traits(
        punishes="Similar pairs for any distance between them, dissimilar pairs for being closer than the margin.",
        convex="Convex in the distance; not in the two vectors.",
        differentiable="Differentiable in the distance, once; in the vectors except where a dissimilar pair coincides.",
        bounded="At most margin^2/2 for a dissimilar pair, unbounded for a similar one.",
        robust="Not robust against similar pairs that are far apart by mistake: they count by their square.",
    ),
    convention="The factor 1/2 of the paper; similar = 1 (the paper codes a similar pair as 0).",
    differs=[
        "Hadsell, Chopra and LeCun write Y = 0 for a similar pair and Y = 1 for a dissimilar one.",
        "Many implementations, tfa.losses.ContrastiveLoss among them, leave out the factor 1/2: a similar pair at the "
        "distance 2 costs 4 there and 2 here.",
        "pytorch-metric-learning's ContrastiveLoss does not square and averages over all pairs of a batch.",
    ],
    same_as={
        "torch": "0.5 * (similar * distance**2 + (1 - similar) * torch.relu(margin - distance)**2)",
    },
    cites=["hadsell2006"],
)
def contrastive(distance: Tensor, similar: Tensor, *, margin: float = 1.0) -> Tensor:
    """Pulls similar pairs together and pushes dissimilar pairs apart, until they are a margin away from each other.

    Each datum is a pair of vectors, such as the embeddings of two images, and a label that says whether the two belong
    together. A similar pair costs half its squared distance. A dissimilar pair costs nothing once it is farther apart
    than the margin, for then nothing is left to learn from it.

    The margin sets the scale: only its ratio to the distances matters, so choose it with the length of the vectors in
    mind. With vectors of length 1 no distance exceeds 2.

    Args:
        distance: The Euclidean distance of each pair, shape (n), at least 0; computed from the two vectors where these
            are given instead.
        similar: 1 for a similar pair, 0 (or -1) for a dissimilar one, shape (n).
        first: One vector of each pair, shape (n, D).
        second: The other vector of each pair, shape (n, D).
        margin: The distance from which on a dissimilar pair costs nothing.

    Returns:
        The loss of each pair, shape (n).

    Example:
        >>> import torch
        >>> contrastive(torch.tensor([0.5, 0.5, 2.0]), torch.tensor([1.0, 0.0, 0.0]))
        tensor([0.1250, 0.1250, 0.0000])
    """
    too_far = distance
    too_close = torch.relu(margin - distance)
    wrong = torch.where(similar > 0, too_far, too_close)
    # A missing label is neither similar nor dissimilar.
    return torch.where(similar == similar, 0.5 * (wrong * wrong), math.nan)


@loss(
    family="embedding",
    anchor=VECTORS,
    positive=VECTORS,
    negative=VECTORS,
    where={"margin": NON_NEGATIVE, "distance": Choice(tuple(VECTORS)), "swap": Flag()},
    aliases=["triplet-margin"],
    formula=r"\max(0, d(a, p) - d(a, n) + m)",
    gradient=r"\frac{\partial}{\partial a} = 2 (n - p) \text{ where the loss is positive}",
    unit="distance",
    range="[0, inf)",
    curve="distances",
    traits=Traits(
        punishes="A negative that is not farther from the anchor than the positive is, by at least the margin.",
        convex="Convex in the difference of the two distances; not in the vectors.",
        differentiable="Differentiable except where the loss just becomes zero, and where two vectors coincide if the "
        "distance is Euclidean.",
        bounded="Unbounded; at most 2 + margin for the cosine distance.",
        robust="Not robust: squared distances let far positives dominate. The plain or cosine distance is calmer.",
    ),
    convention="Squared Euclidean distances, as in FaceNet; no epsilon is added to any distance.",
    differs=[
        "torch.nn.TripletMarginLoss uses plain distances (distance=euclidean) and adds 1e-6 to each component of the "
        "differences: anchor (0, 0), positive (1, 0), negative (2, 0) and margin 2 cost 1 there, as here with "
        "distance=euclidean, but 0 with squared distances.",
        "optax.losses.triplet_margin_loss uses plain distances and adds 1e-6 to the sum of squares before the root.",
    ],
    same_as={
        "torch": "torch.nn.functional.triplet_margin_with_distance_loss(anchor, positive, negative, margin=margin, "
        "distance_function=lambda a, b: ((a - b)**2).sum(1), swap=swap, reduction='none')",
    },
    cites=["weinberger2009", "schroff2015", "balntas2016"],
)
def triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    margin: float = 1.0,
    distance: str = "squared-euclidean",
    swap: bool = False,
) -> Tensor:
    """The anchor must be closer to the positive than to the negative, by a margin.

    Each datum is three vectors: an anchor, a positive that belongs with it (another picture of the same face) and a
    negative that does not. What counts is the order of the two distances, not their size, so that a class may be as
    wide as it likes while the others stay farther away. A triplet in the right order by the margin costs nothing and
    teaches nothing; choosing triplets that still do is most of the art of training with this loss.

    The choice of distance changes the meaning of the margin. Squared distances (FaceNet) weigh far pairs more; plain
    ones are in the unit of the vectors, with Manhattan the sum and Chebyshev the largest of the components'
    differences; the cosine distance, 1 - cos of the angle, ignores the vectors' lengths. For a distance of your own,
    call ``triplet_of_distances``.

    Args:
        anchor: The vectors that the others are compared to, shape (n, D).
        positive: Vectors that belong with the anchor, shape (n, D).
        negative: Vectors that do not, shape (n, D).
        margin: How much farther the negative must be than the positive, in the unit of the chosen distance.
        distance: How the distance of two vectors is measured.
        swap: Use the distance from the positive to the negative where that is shorter than the one from the anchor.

    Returns:
        The loss of each triplet, shape (n).

    Example:
        >>> import torch
        >>> anchor, positive, negative = (torch.tensor([v]) for v in ([0.0, 0.0], [1.0, 0.0], [0.0, 1.5]))
        >>> triplet(anchor, positive, negative)
        tensor([0.])
        >>> triplet(anchor, positive, negative, distance="euclidean")
        tensor([0.5000])
    """
    measure = {
        "squared-euclidean": squared_euclidean_distance,
        "euclidean": euclidean_distance,
        "cosine": cosine_distance,
        "manhattan": _manhattan_distance,
        "chebyshev": _chebyshev_distance,
    }[distance]
    to_negative = measure(anchor, negative)
    if swap:
        to_negative = torch.minimum(to_negative, measure(positive, negative))
    return triplet_of_distances(measure(anchor, positive), to_negative, margin=margin)


def triplet_of_distances(to_positive: Tensor, to_negative: Tensor, *, margin: float = 1.0) -> Tensor:
    """The triplet loss of distances that were measured before, for a distance of your own.

    What is left where the two distances and the margin nearly cancel keeps its digits.

    Args:
        to_positive: The distance of each anchor to its positive, shape (n).
        to_negative: The distance to its negative, shape (n); with swap, the smaller one of this and the distance from
            the positive to the negative.
        margin: How much farther the negative must be than the positive.

    Returns:
        The loss of each triplet, shape (n).

    Example:
        >>> import torch
        >>> anchor, positive, negative = (torch.tensor([v]) for v in ([0.0, 0.0], [3.0, 4.0], [2.0, 6.0]))
        >>> def city_block(a, b):
        ...     return (a - b).abs().sum(1)
        >>> triplet_of_distances(city_block(anchor, positive), city_block(anchor, negative), margin=2.0)
        tensor([1.])
    """
    # Near the kink the two distances and the margin cancel; what the roundings lose is then all that is left.
    gap, lost = two_difference(to_positive, to_negative)
    shifted, lost_too = two_difference(gap, torch.full_like(gap, -margin))
    return torch.relu(shifted + torch.where(torch.isfinite(shifted), lost + lost_too, 0.0))


def _manhattan_distance(first: Tensor, second: Tensor) -> Tensor:
    return row_sum((first - second).abs())


def _chebyshev_distance(first: Tensor, second: Tensor) -> Tensor:
    return max_over_outputs((first - second).abs())
