"""Which column serves which role: what the user names first, else what names and values say. Never a silent guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from losscli._lazy import numpy
from losscli.columns.assigner import Assigner
from losscli.columns.evidence import Evidence
from losscli.columns.selection import select
from losscli.errors import UsageError, did_you_mean
from losscli.loss import BoundLoss
from losscli.readers.source import Field, Source

NOTHING_NAMED: Mapping[str, Sequence[str]] = {}


@dataclass(frozen=True)
class Call:
    """A loss with what each of its roles reads.

    Attributes:
        loss: the loss.
        fields: for each role, the columns.
        pred: how results call the prediction: a column, or the glob of several; None where the loss has none.
        shared: the values of the roles that all data share.
    """

    loss: BoundLoss
    fields: Mapping[str, Field]
    pred: str | None
    shared: Mapping[str, numpy.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Assignment:
    """The calls for all losses.

    Attributes:
        calls: for each loss, one for each prediction.
        notes: what was chosen without being named, as sentences for the user.
        why: for each role of the first loss, why its column was chosen.
    """

    calls: tuple[Call, ...]
    notes: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)


def assign(
    source: Source,
    losses: Sequence[BoundLoss],
    explicit: Mapping[str, Sequence[str]] = NOTHING_NAMED,
    *,
    positive: str | None = None,
) -> Assignment:
    """The columns of every role of every loss.

    Args:
        source: the columns to choose from.
        losses: what is to be computed.
        explicit: for each role that the user names, selectors as for ``select``.
        positive: the word for the positive class, where labels are words.

    Returns:
        One call for each loss and prediction. With several targets, a prediction goes with the one of its ending.

    Raises:
        UsageError: a column that there is not, a role that nothing fits or that rivals fit.
    """
    roles = list(dict.fromkeys(role for loss in losses for form in loss.loss.column_sets() for role in form))
    for role in explicit:
        if role not in roles:
            names = ", ".join(loss.name for loss in losses)
            hint = did_you_mean(role, roles) or f"it takes {', '.join(roles)}."
            raise UsageError(f'{names} has no role "{role}"', hint=hint)
    evidence = [Evidence(column) for column in source.columns]
    calls: list[Call] = []
    notes: dict[str, None] = {}
    why: dict[str, str] = {}
    for loss in losses:
        found = Assigner(source, evidence, loss, explicit, positive)
        calls += [Call(loss.of_form(fields), fields, pred) for fields, pred in found.fields()]
        notes.update(dict.fromkeys(found.notes))
        why = why or found.why
    return Assignment(tuple(calls), tuple(notes), why)


__all__ = ["Assignment", "Call", "assign", "select"]
