"""Two columns of labels that are compared with each other, as where a predicted label is right or wrong."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.columns.classes import LISTED, all_words
from losscli.columns.evidence import Evidence
from losscli.errors import UsageError, shown
from losscli.readers.cells import Words
from losscli.readers.source import Source


def label_words(source: Source, target: Evidence, pred: Evidence) -> tuple[tuple[str, ...], str | None]:
    """The words of two columns, at least one of which holds text, and what to tell the user about them.

    A predicted word that is written otherwise than the true one, as ``hcm`` for ``HCM``, is the same where no other
    true word answers to it. Words that are no true label at all are labels of their own: they are never right.

    Args:
        source: read from its beginning, since a rare word may come late.
        target: the column of true labels.
        pred: the column of predicted labels.

    Raises:
        UsageError: no predicted word is a true one.
    """
    true, predicted = all_words(source, (target, pred))
    known = Words(true)
    meant = {word: true[place] for word in predicted if (place := known.position(word)) is not None}
    if not meant:
        raise UsageError(
            f"{source.name}: no label in {pred.quoted} ({_listed(predicted)}) is one in {target.quoted} "
            f"({_listed(true)})",
            hint="write the labels of both columns in one way.",
        )
    note = next(
        (f"the predicted label {shown(word)} is the label {shown(own)}" for word, own in meant.items() if word != own),
        None,
    )
    return (*true, *(word for word in predicted if word not in meant)), note


def _listed(labels: Sequence[str]) -> str:
    more = ", ..." if len(labels) > LISTED else ""
    return ", ".join(shown(label) for label in labels[:LISTED]) + more
