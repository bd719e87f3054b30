"""The loss modules of torch.nn for pairs and triples, with their parameters, defaults and epsilons."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import EMBEDDING, NON_NEGATIVE, POSITIVE, SIMILAR, Flag, Interval, Number, Value
from losscli.errors import UsageError, shown
from losscli.losses._stable.elementary import cosine_distance, euclidean_distance, row_sum, squared_euclidean_distance
from losscli.peers._norm import norm
from losscli.peers.declare import alias, peer

if TYPE_CHECKING:
    from torch import Tensor

# Labels of pairs: 0 is not one of them, and torch gives it a meaningless loss without a word.
PAIRED = replace(SIMILAR, phrase="1 for a similar pair, -1 for a dissimilar one", codes=((-1, 1),))
ABOVE_ZERO = Interval(low=0, open_low=True)
# torch keeps its 1e-12 in single precision.
TINY = 9.999999960041972e-13

alias("torch.nn.MarginRankingLoss", of="margin-ranking", note="It is the same.", params={"margin": "margin"})


@peer("torch.nn.CosineEmbeddingLoss", of="cosine-embedding", where={"margin": Number(Interval(-1, 1))},
      first=EMBEDDING, second=EMBEDDING, similar=PAIRED)  # fmt: skip
def cosine_embedding(first: Tensor, second: Tensor, similar: Tensor, *, margin: float = 0.0) -> Tensor:
    """1e-12 is added to each squared length, so that a zero vector has the cosine 0 with any other."""
    squares = (row_sum(first * first) + TINY) * (row_sum(second * second) + TINY)
    cosine = row_sum(first * second) / torch.sqrt(squares)
    value = torch.where(similar > 0, 1 - cosine, torch.relu(cosine - margin))
    return torch.where(similar == similar, value, math.nan)


@peer("torch.nn.HingeEmbeddingLoss", of="hinge-embedding", where={"margin": Number()}, similar=PAIRED)
def hinge_embedding(distance: Tensor, similar: Tensor, *, margin: float = 1.0) -> Tensor:
    """Only 1 and -1 are labels here: torch gives 0 the sum of both losses."""
    value = torch.where(similar > 0, distance, torch.relu(margin - distance))
    return torch.where(similar == similar, value, math.nan)


@dataclass(frozen=True)
class Order(Number):
    """The order of a norm: a number above 0, or infinity for the largest component."""

    def check(self, value: object) -> Value:
        return math.inf if value == math.inf else super().check(value)


def _triplet(
    distance: Callable[[Tensor, Tensor], Tensor],
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float,
    swap: bool,
) -> Tensor:
    far = distance(anchor, negative)
    if swap:
        far = torch.minimum(far, distance(positive, negative))
    return torch.relu(margin + distance(anchor, positive) - far)


@peer(
    "torch.nn.TripletMarginLoss",
    of="triplet",
    when={"distance": "euclidean"},
    where={"margin": POSITIVE, "p": Order(ABOVE_ZERO), "eps": NON_NEGATIVE, "swap": Flag()},
    anchor=EMBEDDING,
    positive=EMBEDDING,
    negative=EMBEDDING,
)
def triplet(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
) -> Tensor:
    """The distance is a norm of the difference, to each component of which eps is added.

    Args:
        p: The order of the norm; inf for the largest component.
        eps: Added to each component of a difference.
    """
    return _triplet(lambda a, b: norm(a - b + eps, p), anchor, positive, negative, margin, swap)


@dataclass(frozen=True)
class Distance:
    """A parameter that is a distance: by name, or from Python a function of two tensors (n, D) that gives (n,)."""

    kind = "word"

    def parse(self, text: str) -> Value:
        return self.check(text.lower())

    def check(self, value: object) -> Value:
        if not callable(value) and not (isinstance(value, str) and value in DISTANCES):
            raise UsageError(f"{shown(value)} is not one of {self}")
        return value  # type: ignore[return-value]

    def text(self, value: Value) -> str:
        return str(getattr(value, "__name__", value))

    def __str__(self) -> str:
        return ", ".join(DISTANCES)


DISTANCES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "pairwise": lambda a, b: norm(a - b + 1e-6, 2.0),
    "euclidean": euclidean_distance,
    "squared-euclidean": squared_euclidean_distance,
    "cosine": cosine_distance,
}


@peer(
    "torch.nn.TripletMarginWithDistanceLoss",
    of="triplet",
    names={"distance": "distance_function"},
    where={"distance_function": Distance(), "margin": POSITIVE, "swap": Flag()},  # type: ignore[dict-item]
    anchor=EMBEDDING,
    positive=EMBEDDING,
    negative=EMBEDDING,
)
def triplet_with_distance(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: str | Callable[[Tensor, Tensor], Tensor] = "pairwise",
    margin: float = 1.0,
    swap: bool = False,
) -> Tensor:
    """The distance is any function; without one, the Euclidean with 1e-6 added to each component of the difference.

    Args:
        distance_function: The distance: pairwise adds 1e-6 to each component of the difference; from Python, any
            function of two tensors.
    """
    distance = DISTANCES[distance_function] if isinstance(distance_function, str) else distance_function
    return _triplet(distance, anchor, positive, negative, margin, swap)
