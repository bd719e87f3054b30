"""Losses of a whole batch of vectors with labels: every datum is an anchor that is compared with all others."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import DIRECTION, IDENTITY, POSITIVE, Interval, Number
from losscli.loss import Scope, Slice, Traits
from losscli.losses._stable.elementary import row_sum
from losscli.losses._stable.similarity import Anchors, Batch, others_by_label
from losscli.losses._stable.twofold import log1p_of_exponential, sum_of_exponentials
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor


def pair_and_stranger(degrees: float) -> Callable[[Tensor], dict[str, Tensor]]:
    """A pair of one label, so many degrees apart, and a third vector of another label at an angle from its middle."""
    half = math.radians(degrees) / 2

    def roles(angle: Tensor) -> dict[str, Tensor]:
        angles = torch.cat([angle.new_tensor([half, -half]), angle])
        return {
            "embedding": torch.stack([torch.cos(angles), torch.sin(angles)], dim=1),
            "label": angle.new_tensor([0.0, 0.0, 1.0]),
        }

    return roles


STRANGER = Slice(
    "angle of a vector with another label from the middle of a pair in radians",
    (0.0, math.pi),
    {f"pair {degrees} degrees apart": pair_and_stranger(degrees) for degrees in (10, 60)},
    variable="angle",
    allowed=Interval(-math.pi, math.pi),
)


def number_of_positives(embedding: Tensor, label: Tensor, **_: object) -> Tensor:
    """The weight of a datum whose loss is a mean over its positives."""
    return others_by_label(embedding, label)[0]


def has_positives(embedding: Tensor, label: Tensor, **_: object) -> Tensor:
    """1 for anchors with a positive, 0 for those without."""
    return torch.clamp(others_by_label(embedding, label)[0], max=1.0)


def has_both(embedding: Tensor, label: Tensor, **_: object) -> Tensor:
    """1 for anchors with a positive and a negative, 0 for others."""
    like, unlike = others_by_label(embedding, label)
    return torch.clamp(torch.minimum(like, unlike), max=1.0)


def mean_over_positives(values: Tensor, like: Tensor) -> Tensor:
    """The mean of an anchor's values over its positives, shapes (b, n), (b, n) to (b,); 0 where there are none."""
    return row_sum(torch.where(like, values, 0.0)) / like.sum(1).clamp(min=1)


def mean_over_pairs(values: Tensor, like: Tensor) -> Tensor:
    """The same of one value for each pair of anchor and positive, in the order of the mask: shapes (k,), (b, n)."""
    return mean_over_positives(values.new_zeros(like.shape).masked_scatter(like, values), like)


@loss(
    family="embedding",
    embedding=DIRECTION,
    label=IDENTITY,
    where={"temperature": POSITIVE},
    scope=Scope.ALL,
    weigh=number_of_positives,
    aliases=["ntxent", "info-nce", "infonce"],
    formula=r"\ln \left(1 + \sum_{k \in N(i)} e^{(s_{ik} - s_{ip})/t}\right),\quad s_{ij} = \cos(x_i, x_j)",
    gradient=r"\frac{\partial}{\partial s_{ip}} = -\frac{1}{t}\left(1 - \frac{e^{s_{ip}/t}}{e^{s_{ip}/t} + "
    r"\sum_k e^{s_{ik}/t}}\right)",
    unit="nats",
    range="[0, inf)",
    curve=STRANGER,
    traits=Traits(
        punishes="Negatives that are as similar to the anchor as its positive, or more so; the nearest ones most.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where a vector is zero.",
        bounded="At most 2/temperature plus the logarithm of the number of negatives.",
        robust="Not robust at low temperatures: one pair that is labelled wrongly costs up to 2/temperature.",
    ),
    convention="The mean over all ordered pairs of data with one label; the loss of a datum is the mean over its "
    "positives, and its weight is their number. Other positives are not in the denominator. Natural logarithm.",
    differs=[
        "SimCLR's batches have two data of each label; then every definition is the same. With more, supcon puts the "
        "other positives into the denominator and gives every anchor the same weight, however many positives it has.",
        "Van den Oord's InfoNCE compares two sets of vectors, each of which has one positive in the other set.",
    ],
    same_as={
        "optax": "optax.losses.ntxent(embedding, label, temperature), the cost",
        "pytorch-metric-learning": "NTXentLoss(temperature)(embedding, label), the cost",
    },
    cites=["sohn2016", "oord2018", "chen2020"],
)
def nt_xent(embedding: Tensor, label: Tensor, *, temperature: float = 0.07) -> Tensor:
    """The normalised, temperature-scaled cross entropy: a softmax over the others must find the anchor's positive.

    Each datum is a vector with a label that says what it shows: two views of one picture, two photos of one face. For
    each pair with one label, the positive competes with all data of other labels in a softmax over cosine similarities.
    The loss is the cross entropy of the right answer. It needs no margin and no choice of triplets, but many negatives:
    all data are compared with all, and large batches teach more.

    The temperature decides how much the nearest negatives count. At 0.07 those within a cosine of 0.1 of the positive
    matter and hardly any others; at 0.5 all do. Costs of different temperatures cannot be compared, nor costs of
    batches of different sizes, for the loss grows with the logarithm of the number of negatives.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        label: Which thing a datum shows, shape (n): equal labels belong together.
        temperature: What the cosine similarities are divided by.

    Returns:
        For each datum the mean over its positives, shape (n); 0 without a positive, with the weight 0. The order of the
        data changes rounding only.

    Example:
        >>> import torch
        >>> embedding = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> nt_xent(embedding, torch.tensor([0.0, 0.0, 1.0]), temperature=0.5)
        tensor([0.1839, 0.5130, 0.0000])
    """

    def value(anchors: Anchors) -> Tensor:
        scores = anchors.similarity / temperature
        largest, factor = sum_of_exponentials(scores, anchors.unlike)
        anchor, positive = torch.nonzero(anchors.like, as_tuple=True)
        terms = log1p_of_exponential(largest[anchor] - scores[anchor, positive], factor[anchor])
        return mean_over_pairs(terms, anchors.like)

    return Batch.of(embedding, label).each(value)


@loss(
    family="embedding",
    embedding=DIRECTION,
    label=IDENTITY,
    where={"temperature": POSITIVE},
    scope=Scope.ALL,
    weigh=has_positives,
    aliases=["supervised-contrastive"],
    formula=r"\ln \sum_{a \neq i} e^{s_{ia}/t} - \frac{1}{|P(i)|} \sum_{p \in P(i)} s_{ip}/t,\quad "
    r"s_{ij} = \cos(x_i, x_j)",
    gradient=r"\frac{\partial}{\partial s_{ij}} = \frac{1}{t}\left(\frac{e^{s_{ij}/t}}{\sum_a e^{s_{ia}/t}} - "
    r"\frac{[j \in P(i)]}{|P(i)|}\right)",
    unit="nats",
    range="[0, inf)",
    curve=STRANGER,
    traits=Traits(
        punishes="Positives that are less similar to the anchor than others are, be these negatives or positives.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where a vector is zero.",
        bounded="At most 2/temperature plus the logarithm of the number of others; with p positives at least ln p.",
        robust="Not robust at low temperatures: one pair that is labelled wrongly costs up to 2/temperature.",
    ),
    convention="The mean over the anchors that have a positive, and of an anchor over its positives, outside of the "
    "logarithm (the paper's L_out). Natural logarithm; not multiplied by temperature / 0.07.",
    differs=[
        "The authors' code multiplies by temperature / base_temperature, with 0.07 for the latter: at the temperature "
        "0.5 it gives 7.14 times this loss.",
        "nt-xent averages over pairs, so that anchors with many positives weigh more, and leaves the other positives "
        "out of the denominator. With one positive for each anchor the two are equal.",
    ],
    same_as={"pytorch-metric-learning": "SupConLoss(temperature)(embedding, label), the cost"},
    cites=["khosla2020"],
)
def supcon(embedding: Tensor, label: Tensor, *, temperature: float = 0.07) -> Tensor:
    """The supervised contrastive loss: all data of a label should be an anchor's most similar others, alike.

    Each datum is a vector with a label. Of an anchor's similarities to all others a softmax is taken, and the loss is
    the cross entropy between it and equal shares for the positives. So it cannot be zero with several positives: the
    least possible value is the logarithm of their number.

    It trains an encoder with class labels, before a linear classifier is put on top; where labels are only "the same
    picture", nt-xent is the same loss. Compare costs only at one temperature and for batches of one make.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        label: Which class a datum is of, shape (n): equal labels belong together.
        temperature: What the cosine similarities are divided by.

    Returns:
        For each datum the mean over its positives, shape (n); its weight is 0 where there are none. The order of the
        data changes rounding only.

    Example:
        >>> import torch
        >>> embedding = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> supcon(embedding, torch.tensor([0.0, 0.0, 0.0]), temperature=0.5)
        tensor([0.9839, 0.7130, 0.8633])
    """

    def value(anchors: Anchors) -> Tensor:
        scores = anchors.similarity / temperature
        others = anchors.like | anchors.unlike
        best = torch.where(others, scores.value.detach(), -math.inf).argmax(1, keepdim=True)
        # As in a softmax over classes: what is beside the most similar one is added up without it.
        rest = (scores - scores.gather(best)).where(others.scatter(1, best, False), -math.inf)
        short = (scores.gather(best) - scores).rounded()
        return mean_over_positives(short, anchors.like) + torch.log1p(row_sum(rest.exp()))

    return Batch.of(embedding, label).each(value)


@loss(
    family="embedding",
    embedding=DIRECTION,
    label=IDENTITY,
    where={"gamma": POSITIVE, "margin": Number(Interval(-1, 1))},
    scope=Scope.ALL,
    weigh=has_both,
    formula=r"\ln\left(1 + \sum_{n \in N(i)} e^{\gamma \alpha_n (s_n - m)} \sum_{p \in P(i)} "
    r"e^{-\gamma \alpha_p (s_p - 1 + m)}\right),\quad \alpha_n = \max(0, s_n + m),\quad "
    r"\alpha_p = \max(0, 1 + m - s_p)",
    gradient=r"\frac{\partial}{\partial s_n} = Z\, w_n\, 2 \gamma s_n,\quad Z = 1 - e^{-\ell},\quad "
    r"w_n = \mathrm{softmax}_n",
    unit="nats",
    range="[0, inf)",
    curve=STRANGER,
    traits=Traits(
        punishes="Positives and negatives each by how far they are from where they should be: cosines of 1 and 0.",
        convex="Not convex in the vectors.",
        differentiable="Differentiable except where a vector is zero and where a similarity is -margin or 1 + margin.",
        bounded="At most gamma (5 - 2 margin^2), plus the logarithm of how many pairs of a positive and a negative "
        "there are.",
        robust="Not robust: a negative that points the anchor's way costs gamma (1 - margin^2), 67 by default.",
    ),
    convention="Cosine similarities; the mean over the anchors that have a positive and a negative. The weights "
    "max(0, s + m) and max(0, 1 + m - s) are functions of the similarities in the gradient too.",
    differs=[
        "The paper and pytorch-metric-learning take those weights as constants in the gradient: by a negative's "
        "similarity s it is proportional to s + margin there, to 2s here and in keras. The values are the same.",
        "keras.losses.Circle takes vectors of length 1 and does not make them so. It and pytorch-metric-learning "
        "average over the anchors whose loss is not 0, and so leave out those that rounding has made 0.",
    ],
    same_as={"pytorch-metric-learning": "CircleLoss(m=margin, gamma=gamma)(embedding, label), the cost"},
    cites=["sun2020"],
)
def circle(embedding: Tensor, label: Tensor, *, gamma: float = 80.0, margin: float = 0.4) -> Tensor:
    """Circle loss: every similarity is pulled towards its own optimum, the harder the farther it is from there.

    Each datum is a vector with a label. An anchor's negatives should have the cosine 0 and its positives the cosine 1,
    give or take the margin. Triplet losses look at the difference of the two alone, so that a pair of 0.9 and 0.6 is as
    good as one of 0.4 and 0.1; here the one that lags behind is corrected first, and the boundary in the plane of the
    two similarities is a circle around (0, 1) whose radius is the root of twice the margin's square.

    The margin is between 0 and 1: 0.25 for faces, 0.4 where labels are classes; a smaller one asks for more. A large
    gamma (80 to 256) lets the hardest pairs decide; costs of different gammas cannot be compared.

    Args:
        embedding: One vector for each datum, shape (n, D), not zero.
        label: Which thing a datum shows, shape (n): equal labels belong together.
        gamma: The scale of the exponents.
        margin: How far from 0 and 1 the similarities of negatives and positives may be.

    Returns:
        The loss of each anchor, shape (n); its weight is 0 without a positive or without a negative. The order of the
        data changes rounding only.

    Example:
        >>> import torch
        >>> embedding = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> circle(embedding, torch.tensor([0.0, 0.0, 1.0]), gamma=10.0)
        tensor([0.0590, 1.1711, 0.0000])
    """

    def value(anchors: Anchors) -> Tensor:
        s, one, m = anchors.similarity, Fraction(1), Fraction(margin)
        negatives = (s + margin).positive_part() * (s - margin) * gamma
        positives = -((-s + (one + m)).positive_part() * (s - (one - m)) * gamma)
        (largest_n, factor_n), (largest_p, factor_p) = (
            sum_of_exponentials(negatives, anchors.unlike),
            sum_of_exponentials(positives, anchors.like),
        )
        return log1p_of_exponential(largest_n + largest_p, factor_n * factor_p)

    return Batch.of(embedding, label).each(value)
