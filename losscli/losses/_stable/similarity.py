"""Similarities of all pairs of vectors: exact beyond the last place of a float, a block of rows at a time.

A matrix product rounds in an order that depends on the sizes of the matrices and on the machine. Here it rounds
nothing: the vectors are cut into slices of so few bits that the products and all sums of these are whole multiples of
one power of two, within the digits of a float (Ozaki's scheme). So no bit depends on the block, and the similarities
have more digits than a float.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.elementary import scaled, two_difference
from losscli.losses._stable.twofold import Twofold

if TYPE_CHECKING:
    from torch import Tensor

# So many numbers of a block are in memory at once, a dozen times over.
BLOCK_ELEMENTS = 2**20
# Exponentials multiply the error of a similarity by up to 2^8; so it has that many bits more than a float, and some.
EXTRA_BITS = 11


@dataclass(frozen=True)
class Vectors:
    """Vectors not longer than 1, whose products are wanted.

    Attributes:
        exact: the vectors, shape (n, D).
        slices: parts that add up to them side by side, shape (n, k, D): multiples of ever smaller powers of two, each
            of few bits.
    """

    exact: Twofold
    slices: Tensor

    @classmethod
    def directions(cls, vectors: Tensor, *, doubled: bool = False) -> Vectors:
        """Each vector divided by its length, without what that rounds; NaN where it is zero.

        Args:
            vectors: shape (n, D).
            doubled: gives the products almost twice a float's digits, for what is taken from their difference to 1.
        """
        return cls.of(unit(vectors), doubled=doubled)

    @classmethod
    def of(cls, exact: Twofold, *, doubled: bool = False) -> Vectors:
        """Vectors as they are, none longer than 1."""
        value, lost = exact.value.detach(), exact.lost
        digits = 53 if value.dtype == torch.float64 else 24
        count, bits = _slicing(value.shape[1], digits, 2 * digits - 4 if doubled else digits + EXTRA_BITS)
        slices = []
        for k in range(1, count + 1):
            # Adding and taking away this number rounds to a multiple of 2^-kb.
            rounder = 1.5 * 2.0 ** (digits - 1 - k * bits)
            part = (value + rounder) - rounder
            slices.append(part)
            value, lost = two_difference(value - part, -lost)
        return cls(exact, torch.stack(slices, 1))

    def at(self, places: Tensor) -> Vectors:
        """The vectors at some places."""
        return Vectors(self.exact[places], self.slices[places])

    def products(self, others: Vectors, rows: slice | Tensor) -> Twofold:
        """The products of some of these vectors with all of the others, shape (b, n)."""
        mine, backwards = self.slices[rows], others.slices.flip(1)
        count = mine.shape[1]
        total: Twofold | None = None
        # Slice k with slice l is of the level k + l: from the smallest level that is wanted to the largest.
        for level in range(count, 0, -1):
            part = mine[:, :level].flatten(1) @ backwards[:, count - level :].flatten(1).T
            total = Twofold.of(part) if total is None else Twofold.of(part) + total
        assert total is not None
        # Slices have no gradient. The product of floats has, and takes nothing away from itself.
        if self.exact.value.requires_grad or others.exact.value.requires_grad:
            floats = self.exact.value[rows] @ others.exact.value.T
            total = Twofold(total.value + (floats - floats.detach()), total.lost)
        return total


def _slicing(dimensions: int, digits: int, wanted: int) -> tuple[int, int]:
    """Into how many slices of how many bits numbers are cut: sums of the products of a level must fit into a float."""
    count = 1
    while True:
        bits = (digits - (count * dimensions).bit_length()) // 2
        if count * bits >= wanted:
            return count, bits
        count += 1


@dataclass(frozen=True)
class Anchors:
    """Some data of a batch, each compared with all data.

    Attributes:
        rows: which data these are.
        similarity: shape (b, n).
        like: which data are others with the anchor's label, shape (b, n).
        unlike: which data have another label, shape (b, n).
    """

    rows: slice
    similarity: Twofold
    like: Tensor
    unlike: Tensor


@dataclass(frozen=True)
class Batch:
    """Vectors with labels. What is missing is compared with nothing.

    Attributes:
        vectors: of all data.
        label: shape (n,).
        known: which data miss nothing, shape (n,).
    """

    vectors: Vectors
    label: Tensor
    known: Tensor

    @classmethod
    def of(cls, embedding: Tensor, label: Tensor, *, doubled: bool = False) -> Batch:
        """The directions of vectors, shape (n, D), with their labels, shape (n,)."""
        known = is_known(embedding, label)
        complete = torch.where(known.unsqueeze(1), embedding, 1.0)
        return cls(Vectors.directions(complete, doubled=doubled), label, known)

    def anchors(self, rows: slice) -> Anchors:
        """The data of these rows, compared with all."""
        same = self.label[rows].unsqueeze(1) == self.label
        places = torch.arange(len(self.label), device=self.label.device)
        other = places[rows].unsqueeze(1) != places
        compared = self.known[rows].unsqueeze(1) & self.known
        return Anchors(rows, self.vectors.products(self.vectors, rows), same & other & compared, ~same & compared)

    def each(self, value: Callable[[Anchors], Tensor]) -> Tensor:
        """A function of anchors, shape (b,), for all data a block at a time: shape (n,), NaN where data are missing."""
        if not len(self.label):
            return self.label
        found = in_blocks(len(self.label), len(self.label), lambda rows: value(self.anchors(rows)))
        return torch.where(self.known, found, torch.nan)


def unit(vectors: Tensor) -> Twofold:
    """Each vector divided by its length, shape (n, D); NaN where it is zero."""
    given = scaled(vectors)
    return Twofold.of(given) / Twofold.product(given, given).sum().sqrt()


def in_blocks(count: int, width: int, function: Callable[[slice], Tensor]) -> Tensor:
    """A function of some rows at a time, put together; the blocks are as long as their memory allows.

    Args:
        count: how many rows there are.
        width: how many numbers a row of a block has.
        function: maps rows to one value each.
    """
    step = max(1, BLOCK_ELEMENTS // max(1, width))
    blocks = [slice(start, min(start + step, count)) for start in range(0, count, step)]
    if len(blocks) == 1 or not torch.is_grad_enabled():
        return torch.cat([function(rows) for rows in blocks])
    # For the gradient, a block is computed a second time rather than kept.
    again = torch.utils.checkpoint.checkpoint
    return torch.cat([again(function, rows, use_reentrant=False) for rows in blocks])


def is_known(embedding: Tensor, label: Tensor) -> Tensor:
    """Which data have a label and a direction, shape (n,)."""
    finite = torch.isfinite(embedding).all(1) & (embedding != 0).any(1)
    return finite & ~torch.isnan(label)


def others_by_label(embedding: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """How many other data have the label of each, and how many have another: two tensors of shape (n,).

    A datum that misses something has one of each, so that it counts.
    """
    known = is_known(embedding, label)
    _, places, counts = torch.unique(label[known], return_inverse=True, return_counts=True)
    like, unlike = torch.ones_like(label), torch.ones_like(label)
    like[known] = (counts[places] - 1).to(label.dtype)
    unlike[known] = (known.sum() - counts[places]).to(label.dtype)
    return like, unlike
