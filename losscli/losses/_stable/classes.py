"""What losses over classes share: positions, true classes and soft targets, what each counts, and the probabilities.

The classes are the second axis, (n, C) or (n, C, ...). A datum with further axes has several positions, such as the
pixels of an image: each is a row of its own here, and the datum's loss is the mean over those that count.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import (
    CLASS,
    CLASS_LOG_PROBABILITIES,
    CLASS_LOGITS,
    CLASS_PROBABILITIES,
    Choice,
    Domain,
    Interval,
    Vector,
    Whole,
)
from losscli.errors import UsageError
from losscli.losses._stable.elementary import entropy_term, rest_of_softmax, row_sum, two_difference

if TYPE_CHECKING:
    from torch import Tensor

PRED = {"logits": CLASS_LOGITS, "probs": CLASS_PROBABILITIES, "log-probs": CLASS_LOG_PROBABILITIES}
INPUT = Choice(tuple(PRED))
PROBS_FIRST = {"probs": CLASS_PROBABILITIES, "logits": CLASS_LOGITS, "log-probs": CLASS_LOG_PROBABILITIES}
INPUT_PROBS_FIRST = Choice(tuple(PROBS_FIRST))
CLASS_SCORES = Domain("scores", "one score for each class", shapes=("n C ...",))
# For losses that compare the true class with the others: there is one.
TRUE_CLASS = replace(CLASS, phrase="a class index 0 .. C-1", shapes=("n ...",))
PER_CLASS = Vector(Interval(low=0))
IGNORED = Whole(none="none")


# --- positions and what they count ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Positions:
    """The positions of all data, one a row: what is predicted there, what is true, and how much that counts.

    Attributes:
        rows: the predictions, shape (m, C).
        input: what they are: ``logits`` (or any scores), ``probs`` or ``log-probs``.
        index: the true classes, shape (m,), 0 where one is missing or ignored; None with soft targets.
        share: how much of each position every class has, after smoothing, shape (m, C); None where ``index`` says all.
        factors: what the share of each class is multiplied by in a mean over them, shape (C,) or (m, C); None for 1.
        weights: how much each position counts in the cost, shape (m,); None where all count the same.
        known: where the true class is not missing, shape (m,); None where that cannot be.
        data: how many data the positions belong to.
    """

    rows: Tensor
    input: str
    index: Tensor | None
    share: Tensor | None
    factors: Tensor | None
    weights: Tensor | None
    known: Tensor | None
    data: int

    @classmethod
    def of(
        cls,
        pred: Tensor,
        target: Tensor,
        *,
        input: str = "logits",
        label_smoothing: float = 0.0,
        class_weight: tuple[float, ...] | None = None,
        ignore_index: int | None = None,
    ) -> Positions:
        """Of a prediction (n, C, ...) and the true classes (n, ...), or soft targets of the prediction's shape.

        Args:
            pred: the predictions.
            target: what is true.
            input: what the predictions are.
            label_smoothing: how much of each target is spread evenly over all classes.
            class_weight: how much a position of each class counts in the cost. Of a smoothed target, the share of every
                class keeps that class's weight, while the cost is divided by the weight of the true one, as torch does.
            ignore_index: the class of positions that do not count.

        Raises:
            UsageError: class weights that are not one a class, or an ignored index with soft targets.
        """
        rows = _by_position(pred)
        weight = per_class(class_weight, rows.shape[1], rows, "class-weight")
        weights = _position_weights(pred, target, weight, ignore_index)
        index = known = share = factors = None
        if target.ndim < pred.ndim:
            index, _ = _index(target, ignore_index)
            known = ~torch.isnan(target.reshape(-1)) if target.is_floating_point() else None
        if index is None or label_smoothing != 0:
            share = _shares(target, rows, index, label_smoothing)
            if weight is not None and weights is not None:
                factors = weight / torch.where(weights > 0, weights, 1.0).unsqueeze(1)
        return cls(rows, input, index, share, factors, weights, known, pred.shape[0])

    def shares(self) -> Tensor:
        """How much of each position every class has, shape (m, C), also where ``index`` says it all."""
        if self.share is not None:
            return self.share
        assert self.index is not None
        return torch.zeros_like(self.rows).scatter(1, self.index.unsqueeze(1), 1.0)

    def of_index(self, values: Tensor) -> Tensor:
        """What the true class of each position has of the values of all classes, shapes (m, C) to (m,)."""
        assert self.index is not None
        return values.gather(1, self.index.unsqueeze(1)).squeeze(1)

    def best_other(self) -> Tensor:
        """The largest value of each position beside that of the true class, shape (m,)."""
        assert self.index is not None
        return self.rows.scatter(1, self.index.unsqueeze(1), -math.inf).amax(1)

    def cross_entropy(self) -> Tensor:
        """``Σ_c q_c (-ln p_c)`` of each position, shape (m,)."""
        if self._is_of_one_class:
            assert self.index is not None
            return _minus_log_of_class(self.rows, self.index, self.input)
        return _weighted_sum(self.rows, self._parts(), self.input)

    def mean_of_classes(self, loss: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """``Σ_c q_c loss(-ln p_c, 1 - p_c)`` of each position, shape (m,).

        Args:
            loss: of minus the logarithm of a probability, and of its complement, elementwise and finite at p = 1.
        """
        if self._is_of_one_class:
            assert self.index is not None
            if self.input == "probs":
                return loss(*_of_probabilities(self.of_index(self.rows)))
            return loss(*_of_minus_log(_minus_log_of_class(self.rows, self.index, self.input)))
        parts = self._parts()
        if self.input == "probs":
            return row_sum(parts * loss(*_of_probabilities(torch.where(parts != 0, self.rows, 1.0))))
        return row_sum(parts * loss(*_of_minus_log(_minus_log_of_classes(self.rows, parts, self.input))))

    @property
    def _is_of_one_class(self) -> bool:
        return self.share is None and self.factors is None

    def _parts(self) -> Tensor:
        return self.shares() if self.factors is None else self.shares() * self.factors

    def probabilities(self) -> Tensor:
        """The probabilities of all classes, shape (m, C)."""
        if self.input == "probs":
            return self.rows
        return torch.exp(self.rows) if self.input == "log-probs" else softmax(self.rows)

    def complements(self) -> Tensor:
        """One minus the probabilities of all classes, with the digits of a small one, shape (m, C)."""
        if self.input == "probs":
            return 1 - self.rows
        return one_less_exponential(-self.rows) if self.input == "log-probs" else softmax_complement(self.rows)

    def per_datum(self, values: Tensor) -> Tensor:
        """The (weighted) mean over the positions of each datum, shape (n,); 0 where none counts.

        Args:
            values: the loss of each position, shape (m,).
        """
        if self.known is not None:
            values = torch.where(self.known, values, math.nan)
        if values.shape[0] == self.data:
            return values if self.weights is None else torch.where(self.weights > 0, values, 0.0)
        values = values.reshape(self.data, -1)
        if self.weights is None:
            return row_sum(values) / values.shape[1]
        weights = self.weights.reshape(self.data, -1)
        total = row_sum(weights)
        weighted = row_sum(weights * torch.where(weights > 0, values, 0.0))
        return torch.where(total > 0, weighted / torch.where(total > 0, total, 1.0), 0.0)


def weights_in_cost(
    pred: Tensor,
    target: Tensor,
    *,
    class_weight: tuple[float, ...] | None = None,
    ignore_index: int | None = None,
    **_: object,
) -> Tensor | None:
    """The weight of each datum in the cost: the sum over its positions, shape (n,). None where all weigh the same."""
    factors = per_class(class_weight, pred.shape[1], pred, "class-weight")
    weights = _position_weights(pred, target, factors, ignore_index)
    return weights if weights is None else row_sum(weights.reshape(pred.shape[0], -1))


def per_class(numbers: tuple[float, ...] | None, classes: int, like: Tensor, option: str) -> Tensor | None:
    """One number for each class, shape (C,); None where there are none.

    Raises:
        UsageError: their number is neither 1 nor that of the classes.
    """
    if numbers is None:
        return None
    if len(numbers) not in (1, classes):
        raise UsageError(f"--{option} has {len(numbers)} numbers, but there are {classes} classes")
    return torch.tensor(numbers, dtype=like.dtype, device=like.device).expand(classes)


def _by_position(values: Tensor) -> Tensor:
    """Shape (n, C, ...) as one row of classes for each position, (n · positions, C)."""
    return values if values.ndim == 2 else values.movedim(1, -1).reshape(-1, values.shape[1])


def _index(target: Tensor, ignore_index: int | None) -> tuple[Tensor, Tensor | None]:
    """The classes as integers, and which positions count; None where all do. A missing class becomes class 0."""
    target = target.reshape(-1)
    index = torch.nan_to_num(target, nan=0.0).long() if target.is_floating_point() else target.long()
    if ignore_index is None:
        return index, None
    counts = target != ignore_index
    return torch.where(counts, index, 0), counts


def _position_weights(pred: Tensor, target: Tensor, factors: Tensor | None, ignore_index: int | None) -> Tensor | None:
    """How much each position counts, shape (m,); None where all count the same."""
    if target.ndim == pred.ndim:
        if ignore_index is not None:
            raise UsageError("--ignore-index suits class indices, not a probability for each class")
        return row_sum(_by_position(target) * factors) if factors is not None else None
    index, counts = _index(target, ignore_index)
    if factors is None:
        return counts.to(pred.dtype) if counts is not None else None
    weights = factors[index]
    return weights if counts is None else torch.where(counts, weights, 0.0)


def _shares(target: Tensor, rows: Tensor, index: Tensor | None, label_smoothing: float) -> Tensor:
    """How much of each position every class has, (m, C), after smoothing."""
    if index is None:
        share = _by_position(target).to(rows.dtype)
    else:
        share = torch.zeros_like(rows).scatter(1, index.unsqueeze(1), 1.0)
    if label_smoothing == 0:
        return share
    return share * (1 - label_smoothing) + label_smoothing / rows.shape[1]


# --- probabilities, and minus their logarithms ------------------------------------------------------------------------


def softmax(logits: Tensor) -> Tensor:
    """The probabilities of scores, each within a few ULP, also where they are very small.

    Args:
        logits: shape (n, C).
    """
    terms, rest, _ = _exponentials(logits)
    return terms / (1 + rest)


def softmax_complement(logits: Tensor) -> Tensor:
    """One minus the probabilities of scores, with the digits of a small one: that of the largest is a sum of others."""
    terms, rest, largest = _exponentials(logits)
    return (1 + rest - terms).scatter(1, largest, rest) / (1 + rest)


def _exponentials(logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """``e^(z_c - z_k)`` for all classes, with k the largest; their sum without that of k (n, 1), and k (n, 1)."""
    top, largest = logits.max(1, keepdim=True)
    difference, lost = two_difference(logits, top)
    # What is lost of an infinite difference is NaN.
    terms = torch.exp(difference) * (1 + torch.where(difference > -math.inf, lost, 0.0))
    return terms, row_sum(terms.scatter(1, largest, 0.0)).unsqueeze(1), largest


def one_less_exponential(x: Tensor) -> Tensor:
    """``1 - e^-x`` for x >= 0. torch has the slope of expm1 from its value, and that is -1 already for x = 40."""
    near = x < 1
    far = torch.where(near, 1.0, x)
    return torch.where(near, -torch.expm1(-torch.where(near, x, 0.0)), 1 - torch.exp(-far))


def _of_minus_log(minus_log: Tensor) -> tuple[Tensor, Tensor]:
    """``-ln p`` and ``1 - p``, which has the slope 0 where the logarithm is infinite."""
    impossible = torch.isinf(minus_log)
    return minus_log, torch.where(impossible, 1.0, one_less_exponential(torch.where(impossible, 0.0, minus_log)))


def _of_probabilities(p: Tensor) -> tuple[Tensor, Tensor]:
    """``-ln p`` and ``1 - p``. At p = 0 the logarithm has the slope 0: of a bounded loss an infinite one makes NaN."""
    impossible = p == 0
    return torch.where(impossible, math.inf, -torch.log(torch.where(impossible, 1.0, p))), 1 - p


def _minus_log_of_class(rows: Tensor, index: Tensor, input: str) -> Tensor:
    """``-ln p_y`` of each row, shape (m,)."""
    column = index.unsqueeze(1)
    if input == "probs":
        return -torch.log(rows.gather(1, column).squeeze(1))
    if input == "log-probs":
        return -rows.gather(1, column).squeeze(1)
    largest, top, rest = rest_of_softmax(rows)
    # Where the true class is the largest, no gradient may pass through a difference that cancels.
    behind = torch.where(largest == column, 0.0, top - rows.gather(1, column)).squeeze(1)
    return behind + torch.log1p(rest)


def _minus_log_of_classes(rows: Tensor, weight: Tensor, input: str) -> Tensor:
    """``-ln p_c`` for all classes, (m, C); anything finite where the weight is zero."""
    counts = weight != 0
    if input == "probs":
        return -torch.log(torch.where(counts, rows, 1.0))
    if input == "log-probs":
        return -torch.where(counts, rows, 0.0)
    largest, top, rest = rest_of_softmax(rows)
    behind = (top - torch.where(counts, rows, top.detach())).scatter(1, largest, 0.0)
    return behind + torch.log1p(rest).unsqueeze(1)


def _weighted_sum(rows: Tensor, weight: Tensor, input: str) -> Tensor:
    """``Σ_c w_c (-ln p_c)`` of each row, shape (m,)."""
    if input == "probs":
        return row_sum(entropy_term(weight, rows))
    if input == "log-probs":
        return row_sum(weight * -torch.where(weight != 0, rows, 0.0))
    largest, top, rest = rest_of_softmax(rows)
    others = weight.scatter(1, largest, 0.0)
    behind = others * (top - torch.where(others != 0, rows, top.detach()))
    return row_sum(behind) + torch.log1p(rest) * row_sum(weight)
