"""More losses of a whole batch of vectors with labels, from the years of deep metric learning."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import DIRECTION, IDENTITY, NON_NEGATIVE, POSITIVE, Interval, Number
from losscli.loss import Scope, Slice, Traits
from losscli.losses._stable.elementary import row_sum
from losscli.losses._stable.similarity import Anchors, Batch, in_blocks, is_known
from losscli.losses._stable.twofold import Twofold, log1p_of_exponential, sum_of_exponentials, tangent_squared
from losscli.losses.batch import STRANGER, mean_over_pairs, mean_over_positives, number_of_positives
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


@loss(
    family="embedding",
    embedding=DIRECTION,
    label=IDENTITY,
    where={"alpha": POSITIVE, "beta": POSITIVE, "base": Number(Interval(-1, 1))},
    scope=Scope.ALL,
    formula=r"\frac{1}{\alpha} \ln\left(1 + \sum_{p \in P(i)} e^{-\alpha (s_{ip} - \lambda)}\right) + "
    r"\frac{1}{\beta} \ln\left(1 + \sum_{n \in N(i)} e^{\beta (s_{in} - \lambda)}\right)",
    gradient=r"\frac{\partial}{\partial s_{in}} = \frac{e^{\beta (s_{in} - \lambda)}}"
    r"{1 + \sum_k e^{\beta (s_{ik} - \lambda)}}",
    unit="1",
    range="[0, inf)",
    curve=STRANGER,
    traits=Traits(
        punishes="Positives less similar and negatives more similar than the base, the farthest ones most.",
        convex="Convex in the similarities; not in the vectors.",
        differentiable="Differentiable except where a vector is zero.",
        bounded="At most 2 plus the logarithms of the numbers of positives, over alpha, and of negatives, over beta.",
        robust="Moderately robust: a pair that is labelled wrongly costs at most 1 + |base| or so.",
    ),
    convention="Cosine similarities; the mean over all data, those without a positive included; no pairs are left out "
    "as too easy.",
    differs=[
        "The paper and its code first choose pairs: those that lie on the wrong side of the hardest other pair by 0.1. "
        "Here and in pytorch-metric-learning without a miner all pairs count.",
    ],
    same_as={"pytorch-metric-learning": "MultiSimilarityLoss(alpha, beta, base)(embedding, label), the cost"},
    cites=["wang2019b"],
)
def multi_similarity(
    embedding: Tensor, label: Tensor, *, alpha: float = 2.0, beta: float = 50.0, base: float = 0.5
) -> Tensor:
    """Each anchor's positives should be more similar than the base, its negatives less, each with its own sharpness.

    Each datum is a vector with a label. The logarithm of a sum of exponentials is a soft maximum: the second part is
    about how far the most similar negative is above the base, the first about how far positives are below it. With the
    small alpha all positives count, with the large beta only the nearest negatives do.

    The base is a fixed point for all data, where triplet compares the two similarities with each other; it suits sets
    whose classes are about equally wide.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        label: Which thing a datum shows, shape (n): equal labels belong together.
        alpha: How sharply the least similar positives stand out.
        beta: How sharply the most similar negatives stand out.
        base: The cosine that should lie between negatives and positives.

    Returns:
        The loss of each anchor, shape (n). The order of the data changes rounding only.

    Example:
        >>> import torch
        >>> embedding = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> multi_similarity(embedding, torch.tensor([0.0, 0.0, 1.0]))
        tensor([0.2187, 0.3189, 0.1001])
    """

    def value(anchors: Anchors) -> Tensor:
        above = anchors.similarity - base
        of_positives = log1p_of_exponential(*sum_of_exponentials(above * -alpha, anchors.like)) / alpha
        return of_positives + log1p_of_exponential(*sum_of_exponentials(above * beta, anchors.unlike)) / beta

    return Batch.of(embedding, label).each(value)


@loss(
    family="embedding",
    embedding=DIRECTION,
    label=IDENTITY,
    where={"margin": NON_NEGATIVE},
    scope=Scope.ALL,
    weigh=number_of_positives,
    aliases=["lifted-struct"],
    formula=r"\frac{1}{2} \max\left(0, d_{ij} + \ln \left(\sum_{k \in N(i)} e^{m - d_{ik}} + "
    r"\sum_{k \in N(j)} e^{m - d_{jk}}\right)\right)^2",
    gradient=r"\frac{\partial}{\partial d_{ij}} = \max\left(0, d_{ij} + \ln \sum \ldots \right)",
    unit="1",
    range="[0, inf)",
    curve=STRANGER,
    traits=Traits(
        punishes="Positive pairs whose distance is not smaller, by the margin, than that of both to all negatives.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where two vectors have one direction; there the slope is taken to be 0.",
        bounded="Bounded for a batch of a given size: distances of directions are at most 2.",
        robust="Moderately robust: no distance exceeds 2, but the excess counts by its square.",
    ),
    convention="Euclidean distances of the vectors after division by their lengths; the mean over all ordered positive "
    "pairs, with the factor 1/2. A datum's loss is the mean over its pairs, its weight their number.",
    differs=[
        "The paper does not divide the vectors by their lengths, so that distances have no limit.",
        "The sum grows with the batch: with n negatives far away, the logarithm adds ln(2n) to every pair.",
    ],
    same_as={"pytorch-metric-learning": "LiftedStructureLoss(neg_margin=margin)(embedding, label), the cost"},
    cites=["ohsong2016"],
)
def lifted_structure(embedding: Tensor, label: Tensor, *, margin: float = 1.0) -> Tensor:
    """Every positive pair against all negatives of both of its ends at once.

    Each datum is a vector with a label. Where triplet compares one positive with one negative, this loss makes one
    comparison of the whole batch: the distance of a pair must be smaller, by the margin, than a soft minimum of the
    distances from its two ends to everything of another label.

    It was an early answer to the search for hard triplets, and later ones, such as multi-similarity and nt-xent, are
    usually easier to train. Costs of batches of different sizes cannot be compared.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        label: Which thing a datum shows, shape (n): equal labels belong together.
        margin: How much farther negatives must be than the positive.

    Returns:
        For each datum the mean over its positives, shape (n); 0 without a positive, with the weight 0, and without a
        negative. The order of the data changes rounding only.

    Example:
        >>> import torch
        >>> embedding = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
        >>> lifted_structure(embedding, torch.tensor([0.0, 0.0, 1.0]))
        tensor([2.5968, 2.5968, 0.0000])
    """
    batch = Batch.of(embedding, label, doubled=True)

    def nearness(anchors: Anchors) -> Tensor:
        return row_sum((-_distance(anchors)).where(anchors.unlike, -math.inf).exp())

    near = batch.each(nearness)

    def value(anchors: Anchors) -> Tensor:
        both = near[anchors.rows].unsqueeze(1) + near
        counts = anchors.like & (both > 0)
        log_sum = torch.log(torch.where(counts, both, 1.0))
        excess = (_distance(anchors) + margin + Twofold.of(log_sum)).positive_part().rounded()
        return mean_over_positives(torch.where(counts, 0.5 * (excess * excess), 0.0), anchors.like)

    return batch.each(value)


def _distance(anchors: Anchors) -> Twofold:
    """The distance of each two directions: the root of 2 - 2 cos, and 0 where rounding is all that is left of it."""
    half = (-anchors.similarity + 1.0).renewed()
    apart = half.value > 64 * torch.finfo(half.value.dtype).eps ** 2
    return (half.where(apart, 0.0) * 2.0).sqrt()


def _two_pairs(degrees: float) -> Callable[[Tensor], dict[str, Tensor]]:
    """Two pairs, each of one label and so many degrees wide, at an angle to each other."""
    half = math.radians(degrees) / 2

    def roles(angle: Tensor) -> dict[str, Tensor]:
        angles = torch.cat([angle.new_tensor([half, -half]), angle + half, angle - half])
        return {
            "embedding": torch.stack([torch.cos(angles), torch.sin(angles)], dim=1),
            "label": angle.new_tensor([0.0, 0.0, 1.0, 1.0]),
        }

    return roles


def _is_first_of_pair(embedding: Tensor, label: Tensor, **_: object) -> Tensor:
    """1 for the first datum of each label that has two, 0 for others; 1 for data that miss something."""
    known = is_known(embedding, label)
    return (~known).to(label.dtype).index_fill(0, _pairs(label, known)[0], 1.0)


def _pairs(label: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The places of the first two data of each label that has so many."""
    places = torch.nonzero(known).squeeze(1)
    places = places[torch.argsort(label[places], stable=True)]
    _, counts = torch.unique_consecutive(label[places], return_counts=True)
    starts = (torch.cumsum(counts, 0) - counts)[counts > 1]
    return places[starts], places[starts + 1]


@loss(
    family="embedding",
    embedding=DIRECTION,
    label=IDENTITY,
    where={},
    scope=Scope.ALL,
    weigh=_is_first_of_pair,
    aliases=["n-pair"],
    formula=r"\ln\left(1 + \sum_{c \neq y} e^{s(a_y, p_c) - s(a_y, p_y)}\right),\quad s = \cos",
    gradient=r"\frac{\partial}{\partial s(a_y, p_c)} = \mathrm{softmax}_c - [c = y]",
    unit="nats",
    range="[0, inf)",
    curve=Slice(
        "angle between two pairs with different labels in radians",
        (0.0, math.pi),
        {f"pairs {degrees} degrees wide": _two_pairs(degrees) for degrees in (10, 60)},
        variable="angle",
        allowed=Interval(-math.pi, math.pi),
    ),
    traits=Traits(
        punishes="Another label's positive that is as similar to the anchor as its own.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where a vector is zero.",
        bounded="At most 2 plus the logarithm of the number of labels; at least ln(1 + (C - 1) / e^2) for C labels.",
        robust="Robust: a wrong label costs 2 at most.",
    ),
    convention="One pair for each label: the first of its data is the anchor, the second the positive, all others are "
    "left out. Cosine similarities, not divided by a temperature; the mean over the labels with two data.",
    differs=[
        "The paper does not divide the vectors by their lengths, and adds a penalty for long ones.",
        "pytorch-metric-learning's NPairsLoss draws the pair of each label at random.",
        "nt-xent with two data for each label compares both ways, and with all data of other labels.",
    ],
    cites=["sohn2016"],
)
def n_pairs(embedding: Tensor, label: Tensor) -> Tensor:
    """N-pair loss: of the positives of all labels, the anchor's own should be the most similar.

    Each datum is a vector with a label, and a batch is made of pairs, two data for each label. The anchor of each pair
    meets the positives of all pairs in a softmax, so that N pairs give N(N-1) comparisons. It is the forerunner of
    nt-xent, which divides by a temperature; without one the loss of directions cannot come near zero.

    The data of a file are taken in their order: which two of a label come first decides. Sort or draw them on purpose.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        label: Which thing a datum shows, shape (n): equal labels belong together.

    Returns:
        The loss at the first datum of each label that has two, shape (n); elsewhere 0, with the weight 0.

    Example:
        >>> import torch
        >>> embedding = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
        >>> n_pairs(embedding, torch.tensor([0.0, 1.0, 0.0, 1.0]))
        tensor([0.3133, 0.3133, 0.0000, 0.0000])
    """
    if not len(label):
        return embedding[:, 0]
    batch = Batch.of(embedding, label)
    first, second = _pairs(label, batch.known)
    anchors, positives = batch.vectors.at(first), batch.vectors.at(second)

    def value(rows: slice) -> Tensor:
        similarity = anchors.products(positives, rows)
        own = torch.arange(len(first), device=label.device)[rows].unsqueeze(1)
        others = torch.ones_like(similarity.value, dtype=torch.bool).scatter(1, own, False)
        return log1p_of_exponential(*sum_of_exponentials(similarity - similarity.gather(own), others))

    found = embedding.new_zeros(len(label))
    if len(first):
        found = found.index_put((first,), in_blocks(len(first), len(first), value))
    return torch.where(batch.known, found, torch.nan)


@loss(
    family="embedding",
    embedding=DIRECTION,
    label=IDENTITY,
    where={"alpha": Number(Interval(0, 90, open_low=True, open_high=True))},
    scope=Scope.ALL,
    weigh=number_of_positives,
    formula=r"\ln\left(1 + \sum_{k \in N(i)} e^{4 t (x_i + x_j) \cdot x_k - 2 (1 + t)\, x_i \cdot x_j}\right),\quad "
    r"t = \tan^2 \alpha",
    gradient=r"\frac{\partial}{\partial (x_i \cdot x_k)} = 4 t\, \frac{e^{f_k}}{1 + \sum_l e^{f_l}}",
    unit="nats",
    range="[0, inf)",
    curve=STRANGER,
    traits=Traits(
        punishes="A negative from which a positive pair is seen under a wide angle.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where a vector is zero.",
        bounded="At most 8t + 2(1 + t), with t the squared tangent of alpha, plus the logarithm of the number of "
        "negatives.",
        robust="Robust for small alpha; near 90 degrees the exponents have no limit.",
    ),
    convention="Vectors divided by their lengths; the mean over all ordered positive pairs. A datum's loss is the mean "
    "over its pairs, its weight their number.",
    differs=[
        "The paper takes one pair for each label, as n-pairs does; here all positive pairs count.",
        "pytorch-metric-learning divides the pairs by their lengths but not the negatives; its default is 40 degrees.",
    ],
    same_as={"pytorch-metric-learning": "AngularLoss(alpha)(embedding, label), the cost, for vectors of length 1"},
    cites=["wang2017"],
)
def angular(embedding: Tensor, label: Tensor, *, alpha: float = 45.0) -> Tensor:
    """Angular loss: the angle at a negative, between lines to both ends of a positive pair, should be at most alpha.

    Each datum is a vector with a label. In a triangle of anchor, positive and negative, a small angle at the negative
    means that it is far away for the length of the pair's side. Unlike a margin of distances, an angle does not depend
    on how far a class spreads, so one alpha suits classes of all widths.

    The smaller alpha is, the more is asked for: 36 to 55 degrees are usual. The time needed grows with the number of
    positive pairs times the number of data.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        label: Which thing a datum shows, shape (n): equal labels belong together.
        alpha: The largest angle at the negative that is good enough, in degrees.

    Returns:
        For each datum the mean over its positives, shape (n); 0 without a positive, with the weight 0. The order of the
        data changes rounding only.

    Example:
        >>> import torch
        >>> embedding = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
        >>> angular(embedding, torch.tensor([0.0, 0.0, 1.0]))
        tensor([0.0181, 0.0181, 0.0000])
    """
    batch, square = Batch.of(embedding, label), tangent_squared(alpha)

    def value(anchors: Anchors) -> Tensor:
        anchor, positive = torch.nonzero(anchors.like, as_tuple=True)
        if not len(anchor):
            return embedding.new_zeros(len(anchors.like))
        own = anchors.similarity[anchor, positive, None] * (2 * (1 + square))

        def of_pairs(rows: slice) -> Tensor:
            to_positive = batch.vectors.products(batch.vectors, positive[rows])
            exponents = (anchors.similarity[anchor[rows]] + to_positive) * (4 * square) - own[rows]
            return log1p_of_exponential(*sum_of_exponentials(exponents, anchors.unlike[anchor[rows]]))

        values = in_blocks(len(anchor), len(label), of_pairs)
        return mean_over_pairs(values, anchors.like)

    return batch.each(value)
