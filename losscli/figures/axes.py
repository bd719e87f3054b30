"""What each kind of loss is drawn against, and how its roles are filled from a position on that axis.

Every value in a picture comes from calling the loss itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import Interval, number_text
from losscli.errors import UsageError, shown
from losscli.figures.sampling import Function
from losscli.loss import BoundLoss, Scope, Slice

if TYPE_CHECKING:
    from torch import Tensor

LOGIT_RANGE = (-6.0, 6.0)
WIDEST, NARROWEST = 1e100, 1e-9


@dataclass(frozen=True)
class Case:
    """One curve of a loss: for a label, a true class, a kind of pair or a true value."""

    label: str
    function: Function


@dataclass(frozen=True)
class Axis:
    """The horizontal axis of a loss.

    Attributes:
        name: in words, as the picture shows it. Losses with the same name can share a picture.
        variable: what the derivative is taken with respect to.
        allowed: where the loss is defined.
        span: what is drawn unless the user says otherwise.
        notable: positions that the curve must pass through exactly, since it may have a kink there.
        cases: the curves.
        margin: where a vertical line marks a parameter, or None.
        weighted: the curves show the loss times the weight that its definition gives to a datum.
        costly: each position is a batch of its own, so that fewer of them have to do.
    """

    name: str
    variable: str
    allowed: Interval
    span: tuple[float, float]
    notable: tuple[float, ...]
    cases: tuple[Case, ...]
    margin: float | None = None
    weighted: bool = False
    costly: bool = False


def axis_of(bound: BoundLoss, at: Sequence[float] = ()) -> Axis:
    """The axis of a loss drawn as curves.

    Args:
        bound: the loss with its parameters.
        at: true values; the axis is then the prediction instead of the error.

    Raises:
        UsageError: true values for a loss that has none, or outside its domain.
    """
    kind = bound.curve
    if at and kind != "error":
        raise UsageError(
            f"--at does not suit {bound.name}, which is drawn against {kind_in_words(bound)}",
            hint="--at gives the true value of a loss that is drawn against the error.",
        )
    return _slice(bound, kind) if isinstance(kind, Slice) else _KINDS[kind](bound, at)


def kind_in_words(bound: BoundLoss) -> str:
    """What a loss is drawn against, for messages."""
    kind = bound.curve
    if isinstance(kind, Slice):
        return f"the {kind.axis}"
    if kind not in _KIND_WORDS:
        raise UsageError(f"{bound.name} has no curve")
    return _KIND_WORDS[kind]


def span_within(span: tuple[float, float], allowed: Interval, name: str) -> tuple[float, float]:
    """The ends of an axis that a user asked for.

    Raises:
        UsageError: they are not two increasing finite numbers, or lie outside of where the loss is defined.
    """
    low, high = float(span[0]), float(span[1])
    text = f"--range {number_text(low)},{number_text(high)}"
    size = max(abs(low), abs(high))
    if not low < high:
        raise UsageError(f"{text} must be two increasing numbers")
    if not size <= WIDEST or high - low < NARROWEST * size:
        raise UsageError(f"{text} is too wide or too narrow to be drawn")
    if not allowed.low <= low or not high <= allowed.high:
        raise UsageError(f"{text} leaves {allowed}, where {name} is defined")
    return low, high


def _numbers(bound: BoundLoss) -> list[float]:
    numbers = [value for value in bound.params.values() if isinstance(value, (int, float)) and value is not True]
    return [float(value) for value in numbers if math.isfinite(value)]


def _error(bound: BoundLoss, at: Sequence[float]) -> Axis:
    sizes = [abs(value) for value in _numbers(bound)]
    reach = max([3.0, *(2 * size for size in sizes)])
    kinks = [0.0, *sizes, *(-size for size in sizes)]
    for value in at:
        if value not in bound.domain("target").interval:
            raise UsageError(f"--at {shown(value)} is not {bound.domain('target')}")

    def against_true_value(true_value: float) -> Function:
        return lambda x: bound.per_datum(bound.evaluate({"pred": x, "target": torch.full_like(x, true_value)}))

    if not at:
        return Axis(
            name="error e = prediction − target",
            variable="prediction",
            allowed=Interval(),
            span=(-reach, reach),
            notable=tuple(kinks),
            cases=(Case("", against_true_value(0.0)),),
        )
    # As far to each side as the true value is from zero, so that a prediction of nothing is in the picture.
    reach = max(reach, 2 * max(abs(value) for value in at))
    return Axis(
        name="prediction (true value " + ", ".join(map(number_text, at)) + ")",
        variable="prediction",
        allowed=bound.domain("pred").interval,
        span=(min(at) - reach, max(at) + reach),
        notable=tuple(value + kink for value in at for kink in kinks),
        cases=tuple(
            Case(f"true value {number_text(value)}" if len(at) > 1 else "", against_true_value(value)) for value in at
        ),
    )


def _probability(bound: BoundLoss, at: Sequence[float]) -> Axis:
    pred = bound.domain("pred")
    return _class_probability(bound) if pred.vector else _binary(bound)


def _binary(bound: BoundLoss) -> Axis:
    interval = bound.domain("pred").interval
    is_probability = math.isfinite(interval.low) and math.isfinite(interval.high)

    def against_label(label: float) -> Function:
        return lambda x: bound.evaluate({"pred": x, "target": torch.full_like(x, label)})

    return Axis(
        name="predicted probability p of label 1" if is_probability else "predicted logit z of label 1",
        variable="p" if is_probability else "z",
        allowed=interval,
        span=(interval.low, interval.high) if is_probability else LOGIT_RANGE,
        notable=(0.5,) if is_probability else (0.0,),
        cases=(Case("label 1", against_label(1.0)), Case("label 0", against_label(0.0))),
    )


def _class_probability(bound: BoundLoss) -> Axis:
    lengths = {name: len(value) for name, value in bound.params.items() if isinstance(value, tuple) and len(value) > 1}
    classes = max(lengths.values(), default=2)
    if set(lengths.values()) - {classes}:
        wanted = ", ".join(f"{name.replace('_', '-')} has {length}" for name, length in lengths.items())
        raise UsageError(f"{bound.name}: the classes do not fit: {wanted}")
    domain = bound.domain("pred")

    def against_class(true_class: int) -> Function:
        def value(p: Tensor) -> Tensor:
            # The classes that are not true share what is left evenly; with two classes there is nothing to share.
            others = (1 - p) / (classes - 1)
            columns = torch.stack([p if column == true_class else others for column in range(classes)], dim=1)
            # Softmax of logarithms is the identity, so that logits and log-probabilities are one case.
            pred = columns if domain.simplex else columns.log()
            target = torch.full((p.shape[0],), true_class, dtype=p.dtype)
            roles = {"pred": pred, "target": target}
            # Class weights are not part of a loss that is also divided by them; without them all classes look alike.
            weights = bound.weights(roles) if lengths else None
            return bound.evaluate(roles) if weights is None else weights * bound.evaluate(roles)

        return value

    def label(true_class: int) -> str:
        return f"true class {true_class}" if lengths else ""

    ignored = bound.params.get("ignore_index")
    shown_classes = range(classes) if lengths else [0 if ignored != 0 else 1]
    return Axis(
        name="predicted probability p of the true class",
        variable="p",
        allowed=Interval(0, 1),
        span=(0.0, 1.0),
        notable=(0.5,),
        cases=tuple(Case(label(k), against_class(k)) for k in shown_classes if k != ignored),
        weighted=bool(lengths) and bound.loss.weigh is not None,
    )


def _distance(bound: BoundLoss, at: Sequence[float]) -> Axis:
    margin = bound.params.get("margin")
    where = float(margin) if isinstance(margin, (int, float)) else None

    def of_pairs(similar: float) -> Function:
        return lambda x: bound.evaluate({"distance": x, "similar": torch.full_like(x, similar)})

    return Axis(
        name="distance d between the two",
        variable="distance",
        allowed=bound.domain("distance").interval,
        span=(0.0, 1.5 * where if where else 2.0),
        notable=tuple(_numbers(bound)),
        cases=(Case("similar pair", of_pairs(1.0)), Case("dissimilar pair", of_pairs(0.0))),
        margin=where,
    )


def _slice(bound: BoundLoss, declared: Slice) -> Axis:
    drawn = bound.of_form(())
    if isinstance(bound.loss.curve, Slice) and "input" in bound.params:
        # One slice for all parameters gives predictions of the default kind.
        drawn = drawn.bind(input=bound.loss.param("input").default)

    def along(roles_at: Callable[[Tensor], Mapping[str, Tensor]]) -> Function:
        def values(x: Tensor) -> Tensor:
            if drawn.loss.scope is Scope.DATUM:
                return drawn.per_datum(drawn.evaluate(roles_at(x)))
            return torch.stack([_mean(drawn, roles_at(position)) for position in torch.split(x, 1)])

        return values

    return Axis(
        name=declared.axis,
        variable=declared.variable,
        allowed=declared.allowed,
        span=declared.span,
        notable=(*declared.notable, *_numbers(bound)),
        cases=tuple(Case(label, along(roles_at)) for label, roles_at in declared.cases.items()),
        costly=drawn.loss.scope is Scope.ALL,
    )


def _mean(bound: BoundLoss, roles: Mapping[str, Tensor]) -> Tensor:
    """The cost of a small batch, differentiable."""
    values, weights = bound.evaluate(roles), bound.weights(roles)
    if weights is None:
        return values.mean()
    counts = weights > 0
    return (weights[counts] * values[counts]).sum() / weights[counts].sum()


_KINDS: dict[str, Callable[[BoundLoss, Sequence[float]], Axis]] = {
    "error": _error,
    "probability": _probability,
    "distance": _distance,
}
_KIND_WORDS = {
    "error": "the error",
    "probability": "the predicted probability",
    "distance": "the distance of a pair",
    "distances": "the two distances of a triplet",
}
