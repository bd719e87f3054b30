"""Columns of classes side by side, such as ``prob_cat`` and ``prob_dog``, and the words of their labels."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from losscli.columns.evidence import (
    ENOUGH_ROWS,
    Evidence,
    exponentials_sum_to_one,
    label_text,
    positive_label,
    sums_to_one,
)
from losscli.errors import UsageError, escape, shown
from losscli.names import (
    LOGIT,
    NEGATIVE,
    OBVIOUS_PAIRS,
    PREDICTION,
    PREFERRED_POSITIVE,
    PROBABILITY,
    joined,
    words,
)
from losscli.readers.interchange import python_of
from losscli.readers.source import Source

LISTED = 8


@dataclass(frozen=True, eq=False)
class Family:
    """Columns that are one model's classes.

    Attributes:
        columns: in the order of the file.
        endings: for each column, the words that tell its class.
        before: the words that all names begin with.
        after: the words that all names end with.
        labels: for each column, the label of the target's sample that it belongs to; None where there was none.
    """

    columns: tuple[Evidence, ...]
    endings: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    labels: tuple[str | None, ...]

    @property
    def stem(self) -> tuple[str, ...]:
        return self.before + self.after

    @property
    def matched(self) -> bool:
        """Whether the endings are values of the target."""
        return any(label is not None for label in self.labels)

    @cached_property
    def probabilities(self) -> bool:
        """Whether these are probabilities: by their sum, or by their name where none is far from [0, 1]."""
        named = bool(PROBABILITY & set(self.stem)) or "p" in self.stem[:1]
        return sums_to_one(self.columns) or (named and all(each.near_unit for each in self.columns))

    @cached_property
    def log_probabilities(self) -> bool:
        return exponentials_sum_to_one(self.columns)

    @property
    def named(self) -> bool:
        """Whether the common part of the names says that these are predictions."""
        return bool((PROBABILITY | LOGIT | PREDICTION | {"p", "score", "scores", "output", "softmax"}) & set(self.stem))

    @property
    def numbered(self) -> bool:
        """Whether the endings are 0 .. C-1 in the order of the file."""
        return list(self.endings) == [str(number) for number in range(len(self.columns))]

    def decides(self, target: Evidence) -> bool:
        """Whether the label is that of the largest column in every row, as a predicted one is."""
        own = {label: column for label, column in zip(self.labels, range(len(self.columns))) if label is not None}
        rows = list(zip(*(each.aligned for each in self.columns)))
        known = [(row, own[label_text(v)]) for row, v in zip(rows, target.column.sample) if label_text(v) in own]
        known = [(row, place) for row, place in known if not any(math.isnan(value) for value in row)]
        return len(known) >= ENOUGH_ROWS and all(row[place] == max(row) for row, place in known)

    @property
    def pattern(self) -> str:
        """The columns as one name: a glob where their names have a common part."""
        return pattern([each.column.name for each in self.columns])


def pattern(names: Sequence[str]) -> str:
    """One name for several columns: what they have in common with a ``*``, else a list.

    Example:
        >>> pattern(["prob_cat", "prob_cow"]), pattern(["cat", "dog"])
        ('prob_*', 'cat,dog')
    """
    if len(names) == 1:
        return names[0]
    start = _common_start(names)
    end = _common_start([name[::-1] for name in names])[::-1]
    # Two classes may share their first letters: a common part ends where a word does.
    while start and start[-1].isalnum():
        start = start[:-1]
    while end and end[0].isalnum():
        end = end[1:]
    if start or end:
        return f"{start}*{end}"
    return ",".join(names) if len(names) <= LISTED else f"{','.join(names[:LISTED])},..."


def _common_start(names: Sequence[str]) -> str:
    shortest, longest = min(names), max(names)
    different = (position for position, (a, b) in enumerate(zip(shortest, longest)) if a != b)
    return shortest[: next(different, min(len(shortest), len(longest)))]


def families(columns: Sequence[Evidence], labels: Sequence[str], *, classes: bool = False) -> list[Family]:
    """The columns of classes among some columns of numbers.

    Args:
        columns: candidates, in the order of the file.
        labels: the target's values; empty where they are not known.
        classes: they are known to be columns of classes, whatever their names and values say.
    """
    found = _by_exact_label(columns, labels, classes) or _by_label(columns, labels, classes)
    return found or _by_pattern(columns)


def _by_exact_label(columns: Sequence[Evidence], labels: Sequence[str], classes: bool) -> list[Family]:
    """Families that tell classes apart by case or signs alone, as ``prob_A`` and ``prob_a``: their labels are exact."""
    keys = [joined(each.column.name) for each in columns]
    if len(set(keys)) == len(keys) or not labels:
        return []
    names = [each.column.name for each in columns]
    first = labels[0]
    frames = dict.fromkeys(
        (name[:at], name[at + len(first) :])
        for name in names
        for at in range(len(name) - len(first) + 1)
        if name.startswith(first, at) and not name[:at][-1:].isalnum() and not name[at + len(first) :][:1].isalnum()
    )
    found = []
    for start, end in frames:
        if not (start or end) or not all(f"{start}{label}{end}" in names for label in labels):
            continue
        own = [each for each in columns if between(each.column.name, start, end)]
        endings = tuple(between(each.column.name, start, end) for each in own)
        family = Family(
            tuple(own), endings, words(start), words(end), tuple(e if e in labels else None for e in endings)
        )
        if len(own) > 1 and (classes or family.named or sums_to_one(own)):
            found.append(family)
    return found


def between(name: str, start: str, end: str) -> str:
    """What is left of a name without its beginning and its end; empty where it has not both."""
    fits = name.startswith(start) and name.endswith(end) and len(name) > len(start) + len(end)
    return name[len(start) : len(name) - len(end)] if fits else ""


def _by_label(columns: Sequence[Evidence], labels: Sequence[str], classes: bool) -> list[Family]:
    by_key: dict[str, list[str]] = {}
    for label in labels:
        by_key.setdefault(joined(label), []).append(label)
    by_key.pop("", None)
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[str, Evidence]] = {}
    for each in columns:
        place = _place(words(each.column.name), by_key)
        if place is not None:
            before, key, after = place
            groups.setdefault((before, after), {}).setdefault(key, each)
    found = []
    for (before, after), members in groups.items():
        if set(members) != set(by_key) or not members:
            continue
        family = _completed(columns, before, after, members, by_key)
        told = classes or family.named or sums_to_one(family.columns) or not family.stem
        if len(family.columns) > 1 and told:
            found.append(family)
    return found


def _place(name: tuple[str, ...], keys: dict[str, list[str]]) -> tuple[tuple[str, ...], str, tuple[str, ...]] | None:
    """Where a label stands in a name: at its end, else at its start, else inside; the longest one."""
    count = len(name)
    at_the_end = [(start, count) for start in range(count)]
    at_the_start = [(0, stop) for stop in range(count - 1, 0, -1)]
    inside = [(start, stop) for start in range(1, count) for stop in range(count - 1, start, -1)]
    for start, stop in (*at_the_end, *at_the_start, *inside):
        if "".join(name[start:stop]) in keys:
            return name[:start], "".join(name[start:stop]), name[stop:]
    return None


def _completed(
    columns: Sequence[Evidence],
    before: tuple[str, ...],
    after: tuple[str, ...],
    members: dict[str, Evidence],
    by_key: dict[str, list[str]],
) -> Family:
    """The family with the classes that the sample's labels do not show."""
    ending_of = {each: key for key, each in members.items()}
    for each in columns:
        name = words(each.column.name)
        fits = name[: len(before)] == before and name[len(name) - len(after) :] == after
        own = "".join(name[len(before) : len(name) - len(after)])
        if (before or after) and fits and own and each not in ending_of:
            ending_of[each] = own
    if not before and not after and not sums_to_one(list(members.values())):
        free = [each for each in columns if each.in_unit]
        if sums_to_one(free):
            ending_of = {each: ending_of.get(each, joined(each.column.name)) for each in free}
    ordered = [each for each in columns if each in ending_of]
    endings = tuple(ending_of[each] for each in ordered)
    for ending in endings:
        if len(by_key.get(ending, ())) > 1:
            both = " and ".join(shown(label) for label in by_key[ending])
            raise UsageError(
                f"the labels {both} both fit the column {ordered[endings.index(ending)].quoted}",
                hint="write each class in one way.",
            )
    labels = tuple(by_key[ending][0] if ending in by_key else None for ending in endings)
    return Family(tuple(ordered), endings, before, after, labels)


def _by_pattern(columns: Sequence[Evidence]) -> list[Family]:
    """Families by their names and sums alone, where the target's values are no help."""
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[tuple[Evidence, str]]] = {}
    vocabulary = PROBABILITY | LOGIT | PREDICTION | {"p", "class", "score", "scores", "output", "y"}
    for each in columns:
        name = words(each.column.name)
        known = [position for position, word in enumerate(name) if word in vocabulary]
        if not known or len(known) == len(name):
            continue
        first, last = known[0], known[-1]
        if last == len(name) - 1 and first > 0:
            start, stop = 0, first
        elif last == len(name) - 1:
            start = next(position for position, word in enumerate(name) if word not in vocabulary)
            stop = next(p for p in range(start, len(name)) if name[p] in vocabulary)
        else:
            start, stop = last + 1, len(name)
        groups.setdefault((name[:start], name[stop:]), []).append((each, "".join(name[start:stop])))
    found = []
    for (before, after), members in groups.items():
        unknown = tuple(None for _ in members)
        family = Family(tuple(e for e, _ in members), tuple(n for _, n in members), before, after, unknown)
        if len(members) > 1 and (sums_to_one(family.columns) or family.log_probabilities or family.numbered):
            found.append(family)
    if found:
        return found
    free = tuple(each for each in columns if each.in_unit and each.name.quantity != "confidence")
    endings = tuple(joined(each.column.name) for each in free)
    return [Family(free, endings, (), (), tuple(None for _ in free))] if sums_to_one(free) else []


def class_words(family: Family, target: Evidence) -> tuple[tuple[str, ...] | None, str | None]:
    """The words of the target's labels in the order of the class columns, and what to tell the user about it.

    Returns:
        None for words where the labels are the numbers 0 .. C-1 in that order.

    Raises:
        UsageError: nothing tells which label belongs to which column.
    """
    raw = _raw_endings(family)
    if family.matched:
        if family.numbered:
            return None, None
        found = tuple(label if label is not None else ending for label, ending in zip(family.labels, raw))
        differing = [
            (label, ending) for label, ending in zip(family.labels, raw) if label is not None and label != ending
        ]
        if not differing:
            return found, None
        label, ending = differing[0]
        return found, f"the label {shown(label)} is the class column that ends in {shown(ending)}"
    indices = {str(number) for number in range(len(family.columns))}
    if set(target.labels) <= indices and (family.numbered or not any(ending.isdigit() for ending in family.endings)):
        if family.numbered:
            return None, None
        return None, f"the classes are 0 .. {len(family.columns) - 1} in the order of the columns: {', '.join(raw)}"
    if family.numbered and all(label.isdigit() for label in target.labels):
        # The columns are the classes 0 .. C-1: a label beyond them is an error of its row.
        return None, None
    listed = ", ".join(shown(label) for label in target.labels[:LISTED])
    endings = ", ".join(raw[:LISTED])
    raise UsageError(
        f"{escape(target.column.file)}: the labels in {target.quoted} ({listed}) are not the endings of "
        f"the class columns ({endings})",
        hint="name the class columns by their labels, or number the classes 0 .. C-1 in the order of the columns.",
    )


def _raw_endings(family: Family) -> tuple[str, ...]:
    """The endings as they are written, for labels that the sample does not show."""
    names = [each.column.name for each in family.columns]
    start, star, end = pattern(names).partition("*")
    if not star:
        return tuple(names) if not family.stem else family.endings
    return tuple(escape(name[len(start) : len(name) - len(end)]) for name in names)


def binary_words(
    source: Source,
    target: Evidence,
    pred: Evidence | None,
    predicted_label: Evidence | None,
    positive: str | None,
) -> tuple[tuple[str, str] | None, str | None]:
    """The words of the negative and the positive class, and what to tell the user about it.

    Args:
        source: read for further words where the sample shows one only.
        target: the column of labels.
        pred: the column of probabilities, whose name may say which class it is for.
        predicted_label: a column of predicted labels beside it, whose values may show that.
        positive: the word that the user names.

    Returns:
        None for words where the labels are numbers, or true and false.

    Raises:
        UsageError: more than two words, or none that is known to be the positive one.
    """
    labels = list(target.labels)
    if target.column.kind != "text" and (positive is None or (positive == "1" and set(labels) <= {"0", "1"})):
        return None, None
    if len(labels) < 2 and target.column.kind == "text":
        (labels,) = all_words(source, [target], enough=3)
    if len(labels) != 2:
        listed = ", ".join(shown(label) for label in labels[:LISTED])
        raise UsageError(
            f"{target.quoted} holds {len(labels)} {'word' if len(labels) == 1 else 'words'} ({listed}) "
            "where a binary loss takes two",
            hint="a loss over several classes is cross-entropy." if len(labels) > 2 else None,
        )
    if positive is not None:
        chosen = [label for label in labels if label == positive] or [
            label for label in labels if joined(label) == joined(positive)
        ]
        if len(chosen) != 1:
            raise UsageError(
                f"--positive-label {shown(positive)} is no label of {target.quoted}",
                hint=f"the labels are {shown(labels[0])} and {shown(labels[1])}.",
            )
        return _ordered(labels, chosen[0]), None
    known, why = _positive_word(labels, pred, predicted_label)
    if known is None:
        raise UsageError(
            f"{target.quoted} holds the words {shown(labels[0])} and {shown(labels[1])}; nothing says which is "
            "the positive class",
            hint=f"say it with --positive-label {shlex.quote(labels[0])} or --positive-label {shlex.quote(labels[1])}.",
        )
    return _ordered(labels, known), f"{shown(known)} is the positive class ({why})"


def _positive_word(
    labels: Sequence[str], pred: Evidence | None, predicted_label: Evidence | None
) -> tuple[str | None, str]:
    if pred is not None:
        keys = {joined(label): label for label in labels}
        place = _place(pred.name.words, {key: [label] for key, label in keys.items() if len(key) > 1})
        if place is not None and len(keys) == 2:
            return keys[place[1]], f"the name of {pred.quoted} says so"
        if predicted_label is not None:
            shown_by_values = positive_label(pred, predicted_label)
            if shown_by_values in labels:
                return shown_by_values, f"it is predicted where {pred.quoted} is large"
    for negative, positive in ((labels[0], labels[1]), (labels[1], labels[0])):
        pair = (joined(negative), joined(positive))
        opposites = pair[0] in {f"{no}{pair[1]}" for no in ("not", "non", "no")}
        if pair in OBVIOUS_PAIRS or opposites:
            return positive, "the other is its negation"
    return None, ""


def _ordered(labels: Sequence[str], positive: str) -> tuple[str, str]:
    negative = next(label for label in labels if label != positive)
    return negative, positive


def all_words(source: Source, columns: Sequence[Evidence], *, enough: int | None = None) -> list[list[str]]:
    """The distinct words of whole columns, each sorted: files sorted by class show one in their first rows.

    Args:
        source: read from its beginning.
        columns: of words.
        enough: stops where so many are found in each.
    """
    found = [dict.fromkeys(each.labels) for each in columns]
    for batch in source.read((), [each.key for each in columns]):
        for distinct, each in zip(found, columns):
            for value in python_of(batch.carried[each.key].unique()):
                if value is not None and value != "":
                    distinct.setdefault(label_text(value))
        if enough is not None and min(map(len, found)) >= enough:
            break
    return [sorted(distinct) for distinct in found]


def positive_column(family: Family, positive: str | None) -> Evidence | None:
    """Of the columns of two classes, the one of the class that the user or its name calls positive; else None."""
    if positive is not None:
        named = [each for each, ending in zip(family.columns, family.endings) if ending == joined(positive)]
        return named[0] if len(named) == 1 else None
    marked = [each for each, ending in zip(family.columns, family.endings) if ending in PREFERRED_POSITIVE]
    others = [each for each, ending in zip(family.columns, family.endings) if ending in NEGATIVE]
    return marked[0] if len(family.columns) == 2 and len(marked) == 1 and len(others) == 1 else None
