"""Which column serves which role: what the user names first, else what names and values say. Never a silent guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from losscli._lazy import numpy
from losscli.columns.assigner import Assigner
from losscli.columns.evidence import Evidence
from losscli.columns.selection import select
from losscli.errors import UsageError
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
    evidence = [Evidence(column) for column in source.columns]
    calls: list[Call] = []
    notes: dict[str, None] = {}
    why: dict[str, str] = {}
    for loss in losses:
        found, chosen = _settled(source, evidence, loss, explicit, positive)
        calls += [Call(loss.of_form(fields), fields, pred) for fields, pred in chosen]
        notes.update(dict.fromkeys(found.notes))
        why = why or found.why
    return Assignment(tuple(calls), tuple(notes), why)


def _settled(
    source: Source,
    evidence: Sequence[Evidence],
    loss: BoundLoss,
    explicit: Mapping[str, Sequence[str]],
    positive: str | None,
) -> tuple[Assigner, list[tuple[dict[str, Field], str | None]]]:
    """A loss of one score a datum or one for each class takes one, where that is clear; else one for each class."""
    one = Assigner(source, evidence, loss, explicit, positive)
    several = loss.of_classes()
    if several is None:
        return one, one.fields()
    each = Assigner(source, evidence, several, explicit, positive)
    if _names_classes(source, explicit.get("pred", ())):
        return each, each.fields()
    try:
        return one, one.fields()
    except UsageError as error:
        try:
            return each, each.fields()
        except UsageError:
            raise error from None


def _names_classes(source: Source, selectors: Sequence[str]) -> bool:
    """Whether the user names a prediction by one selector of several columns. Models are named one by one."""
    return len(selectors) == 1 and len(select(source, selectors[0], side="data")) > 1


__all__ = ["Assignment", "Call", "assign", "select"]
