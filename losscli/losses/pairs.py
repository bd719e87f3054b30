"""Losses of pairs that belong together or do not: of the angle between two vectors, and of a distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import DIRECTION, DISTANCE, EMBEDDING, POSITIVE, SIMILAR, Interval, Number
from losscli.loss import Derived, Slice, Traits
from losscli.losses._stable.elementary import cosine_distance, euclidean_distance, scaled
from losscli.losses._stable.twofold import Twofold
from losscli.registry import loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


def _at_angle(similar: float) -> Callable[[Tensor], dict[str, Tensor]]:
    def roles(angle: Tensor) -> dict[str, Tensor]:
        return {
            "first": torch.stack([torch.cos(angle), torch.sin(angle)], dim=1),
            "second": torch.stack([torch.ones_like(angle), torch.zeros_like(angle)], dim=1),
            "similar": torch.full_like(angle, similar),
        }

    return roles


@loss(
    family="embedding",
    first=DIRECTION,
    second=DIRECTION,
    similar=SIMILAR,
    where={"margin": Number(Interval(-1, 1))},
    formula=r"s\, (1 - \cos\theta) + (1 - s) \max(0, \cos\theta - m),\quad \cos\theta = "
    r"\frac{a \cdot b}{\Vert a \Vert\, \Vert b \Vert}",
    gradient=r"\frac{\partial \cos\theta}{\partial a} = \frac{1}{\Vert a \Vert}\left(\frac{b}{\Vert b \Vert} - "
    r"\cos\theta\, \frac{a}{\Vert a \Vert}\right)",
    unit="1",
    range="[0, 2]",
    curve=Slice(
        "angle between the two vectors in radians",
        (0.0, math.pi),
        {"similar pair": _at_angle(1.0), "dissimilar pair": _at_angle(0.0)},
        variable="angle",
        allowed=Interval(0.0, math.pi),
        notable=(math.pi / 2,),
    ),
    traits=Traits(
        punishes="Similar pairs for any angle between them, dissimilar pairs for an angle whose cosine is above the "
        "margin.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where a vector is zero and where a dissimilar pair has the margin's "
        "cosine.",
        bounded="At most 2 for a similar pair, 1 - margin for a dissimilar one.",
        robust="Robust: no pair costs more than 2, whatever its vectors.",
    ),
    convention="similar = 1 (torch's y = 1); the lengths of the vectors do not matter, and nothing is added to them.",
    differs=[
        "torch.nn.CosineEmbeddingLoss takes labels 1 and -1 and gives 0 for any other label without a word, so that "
        "dissimilar pairs coded 0 cost nothing there. It adds 1e-12 to each squared length: the equal vectors "
        "(1e-7, 0) and (1e-7, 0) cost 0.99 there as a similar pair, 0 here.",
    ],
    same_as={
        "torch": "torch.nn.functional.cosine_embedding_loss(first, second, 2 * similar - 1, margin=margin, "
        "reduction='none')",
    },
    cites=["bromley1993"],
)
def cosine_embedding(first: Tensor, second: Tensor, similar: Tensor, *, margin: float = 0.0) -> Tensor:
    """Turns similar pairs into one direction, and dissimilar pairs away from each other.

    Each datum is a pair of vectors and a label that says whether the two belong together. A similar pair costs one
    minus the cosine of its angle. A dissimilar pair costs nothing once the cosine is no larger than the margin; with
    the margin 0, once the two are at a right angle or more.

    Use it where the direction of a vector has the meaning, as in texts and in most learned embeddings; where its length
    matters too, contrastive compares distances. Right angles for all dissimilar pairs are possible only with as many
    dimensions as there are groups; with many groups a margin of 0.2 to 0.5 asks for less.

    Args:
        first: One vector of each pair, shape (n, D), not zero.
        second: The other vector of each pair, shape (n, D), not zero.
        similar: 1 for a similar pair, 0 (or -1) for a dissimilar one, shape (n).
        margin: The cosine up to which a dissimilar pair costs nothing.

    Returns:
        The loss of each pair, shape (n).

    Example:
        >>> import torch
        >>> first, second = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[3.0, 4.0], [3.0, 4.0]])
        >>> cosine_embedding(first, second, torch.tensor([1.0, 0.0]))
        tensor([0.4000, 0.6000])
    """
    together = similar > 0
    value = first.new_zeros(len(first))
    value = value.masked_scatter(together, cosine_distance(first[together], second[together]))
    value = value.masked_scatter(~together, _above(margin, first[~together], second[~together]))
    # A missing label is neither similar nor dissimilar.
    return torch.where(similar == similar, value, math.nan)


def _above(margin: float, first: Tensor, second: Tensor) -> Tensor:
    """By how much the cosines of pairs of vectors exceed the margin, shapes (n, D), (n, D) to (n,).

    Products of vectors cancel, and so do cosine and margin; with twice the digits nothing is lost by that.
    """
    a, b = scaled(first), scaled(second)
    lengths = Twofold.product(a, a).sum().sqrt() * Twofold.product(b, b).sum().sqrt()
    return (Twofold.product(a, b).sum() / lengths - margin).positive_part().rounded().squeeze(1)


@loss(
    family="embedding",
    distance=DISTANCE,
    similar=SIMILAR,
    where={"margin": POSITIVE},
    derived={"distance": Derived(euclidean_distance, {"first": EMBEDDING, "second": EMBEDDING})},
    formula=r"s\, d + (1 - s) \max(0, m - d)",
    gradient=r"s - (1 - s)\, [d < m]",
    unit="distance",
    range="[0, inf)",
    curve="distance",
    traits=Traits(
        punishes="Similar pairs by their distance, dissimilar pairs by what they lack of the margin.",
        convex="Convex in the distance; not in the two vectors.",
        differentiable="Differentiable in the distance except at the margin.",
        bounded="At most the margin for a dissimilar pair, unbounded for a similar one.",
        robust="More robust than contrastive: similar pairs that are far apart count by their distance, not by its "
        "square.",
    ),
    convention="similar = 1 (torch's y = 1). Of two vectors, the Euclidean distance; others are given as numbers.",
    differs=[
        "torch.nn.HingeEmbeddingLoss takes labels 1 and -1, and gives the sum of both parts for any other label: a "
        "dissimilar pair coded 0 with the distance 3 costs 3 there, 0 here.",
        "contrastive, half the square of each part, is another loss of the same pairs.",
    ],
    same_as={
        "torch": "torch.nn.functional.hinge_embedding_loss(distance, 2 * similar - 1, margin=margin, reduction='none')",
    },
    cites=["hadsell2006"],
)
def hinge_embedding(distance: Tensor, similar: Tensor, *, margin: float = 1.0) -> Tensor:
    """The distance of a similar pair; of a dissimilar pair, what its distance lacks of the margin.

    It does what contrastive does, without the squares: every similar pair is pulled with the same force, however near
    it is already, and every dissimilar pair within the margin is pushed with the same force. Pairs that are labelled
    wrongly then do less harm; in exchange the pull does not fade where a pair has come close enough.

    The margin sets the scale: choose it with the size of the distances in mind. Of vectors the Euclidean distance is
    taken; the loss of any other one is had by giving the distances themselves.

    Args:
        distance: The distance of each pair, shape (n), at least 0; computed from the two vectors where these are given
            instead.
        similar: 1 for a similar pair, 0 (or -1) for a dissimilar one, shape (n).
        first: One vector of each pair, shape (n, D).
        second: The other vector of each pair, shape (n, D).
        margin: The distance from which on a dissimilar pair costs nothing.

    Returns:
        The loss of each pair, shape (n).

    Example:
        >>> import torch
        >>> hinge_embedding(torch.tensor([0.25, 0.25, 2.0]), torch.tensor([1.0, 0.0, 0.0]))
        tensor([0.2500, 0.7500, 0.0000])
    """
    value = torch.where(similar > 0, distance, torch.relu(margin - distance))
    # A missing label is neither similar nor dissimilar.
    return torch.where(similar == similar, value, math.nan)
