"""What serves a role, the columns to choose from, and the errors where nothing fits or rivals do."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from losscli.columns.classes import Family
from losscli.columns.evidence import Evidence, is_recoded, same_values
from losscli.columns.selection import repeated
from losscli.domain import LABEL, Domain
from losscli.errors import LosscliError, UsageError
from losscli.loss import BoundLoss
from losscli.names import PREDICTION, TARGET
from losscli.readers.source import Source

Need = Literal["number", "probability", "logit", "label", "classes", "vector"]

LISTED = 12


@dataclass(frozen=True, eq=False)
class Choice:
    """What serves a role: one column, or several as a matrix.

    Attributes:
        columns: in the order of the matrix.
        why: the reason as part of a sentence.
        name: how results call it.
        family: the columns' classes, where they are classes.
        matrix: the columns are a matrix, even where there is only one.
        given: the user named it.
    """

    columns: tuple[Evidence, ...]
    why: str
    name: str
    family: Family | None = None
    matrix: bool = False
    given: bool = False


@dataclass(frozen=True, eq=False)
class Pair:
    """A target with the predictions for it."""

    target: Choice
    preds: tuple[Choice, ...]


def need_of(domain: Domain) -> Need:
    """What kind of column a role needs."""
    if domain.vector and not domain.scalar:
        return "classes" if any("C" in shape.split() for shape in domain.shapes) else "vector"
    if domain.codes or domain.classes or domain.name in ("label", LABEL.name):
        return "label"
    if domain.name == "probability":
        return "probability"
    return "logit" if domain.name == "logit" else "number"


def single(each: Evidence, why: str, *, given: bool = False) -> Choice:
    """One column as a choice."""
    return Choice((each,), why, each.column.name, given=given)


class Pool:
    """The columns that one loss with ``pred`` and ``target`` may choose from.

    Args:
        source: the data.
        evidence: its columns.
        loss: says what its roles need.
        targets: what the user named; None leaves it to be found.
        preds: likewise.
        positive: the word for the positive class, where the user says it.

    Attributes:
        need: what kind of column a prediction is.
        target_need: what kind of column the target is.
        all: the columns that are not named.
        data: those of the predictions' file that are not set aside as ids, dates, errors and the like.
        truth: those of the file of the truth.
        with_truth: whether there is such a file.
    """

    def __init__(
        self,
        source: Source,
        evidence: Sequence[Evidence],
        loss: BoundLoss,
        targets: list[Choice] | None,
        preds: list[Choice] | None,
        positive: str | None = None,
    ) -> None:
        self.source, self.loss, self.targets, self.preds = source, loss, targets, preds
        self.positive = positive
        self.need = need_of(loss.domain("pred"))
        self.target_domain = loss.domain("target")
        # A target of several columns is a vector, whatever they stand for: only predictions are found by their classes.
        needed = need_of(self.target_domain)
        self.target_need: Need = "vector" if needed == "classes" else needed
        taken = {each.key for choice in (*(targets or ()), *(preds or ())) for each in choice.columns}
        self.all = [each for each in evidence if each.key not in taken]
        rescued = _rescued(self.all)
        free = [each for each in self.all if not each.name.aside or each.key in rescued]
        self.truth = [each for each in free if each.column.side == "truth"]
        self.data = [each for each in free if each.column.side == "data"]
        self.with_truth = any(each.column.side == "truth" for each in evidence)

    def predicted_label(self) -> Evidence | None:
        """The only column of predicted labels, if there is one."""
        found = [
            each
            for each in self.data
            if each.name.part == "pred"
            and each.name.quantity in ("label", "number")
            and (each.hard or each.column.kind in ("text", "boolean"))
        ]
        return found[0] if len(found) == 1 else None

    def fits(self, each: Evidence) -> bool:
        """Whether a column's values can be the target's."""
        domain = self.target_domain
        if self.target_need == "vector":
            return each.vector
        if self.target_need == "number":
            return each.numeric or (each.vector and not domain.vector)
        if domain.classes:
            numbers = [number for number in each.numbers if number != each.ignored]
            whole = each.numeric and not each.fractional and min(numbers, default=-1) >= 0
            return whole or each.column.kind in ("text", "boolean")
        if domain.name == LABEL.name:
            return (each.numeric and not each.fractional) or each.column.kind == "text"
        if domain.codes:
            return each.numeric and any(set(each.numbers) <= set(code) for code in domain.codes)
        two_words = each.column.kind == "text" and len(each.labels) in (1, 2)
        return each.hard or two_words

    def distinct(self, found: Sequence[Evidence]) -> list[Evidence]:
        """Those that can be the target, where there are several; of columns that hold the same, the first.

        Of labels as words and as codes, a loss over classes takes the words, which columns may end in, any other the
        codes.
        """
        if len(found) > 1:
            found = [each for each in found if self.fits(each)] or list(found)
            worse = "number" if self.need == "classes" else "text"
            coded = [e for e in found if e.column.kind == worse and any(is_recoded(e, o) for o in found if o is not e)]
            found = [each for each in found if each not in coded] or found
        return [e for i, e in enumerate(found) if not any(same_values(e, earlier) for earlier in found[:i])]

    def only(self, found: Sequence[Evidence], role: str, of: str = "") -> Evidence:
        """The only one.

        Raises:
            UsageError: there is none, or there are several.
        """
        if not found:
            raise self.nothing(role, f"name it with --{role}.", of)
        if len(found) > 1:
            raise self.rivals(role, found)
        return found[0]

    def rivals(self, role: str, found: Sequence[Evidence]) -> LosscliError:
        """Several columns fit a role."""
        return rivals(self.source, self.loss, role, found)

    def nothing(self, role: str, hint: str, of: str = "") -> UsageError:
        """No column fits a role."""
        return nothing(self.source, self.loss, role, self.all, hint, of)

    def problem(self, text: str, hint: str) -> UsageError:
        """Another reason why a role has no column."""
        return UsageError(f"{self.source.name}: {text}", hint=hint)


def numbers_of(columns: Sequence[Evidence]) -> list[Evidence]:
    """The columns with one number a datum."""
    return [each for each in columns if each.numeric]


def rivals(source: Source, loss: BoundLoss, role: str, found: Sequence[Evidence]) -> LosscliError:
    """Several columns fit a role."""
    same = [each.column for each in found if each.column.name == found[0].column.name]
    if len(same) > 1 and same[0].side == same[1].side:
        return repeated(same, [column for column in source.columns if column.side == same[0].side])
    several = "both" if len(found) == 2 else "all"
    choices = " or ".join(f"--{role} {option(each)}" for each in found[:3])
    return UsageError(
        f"{source.name}: {listed(found, LISTED)} could {several} be the {role} of {loss.name}",
        hint=f"say which: {choices}.",
    )


def nothing(
    source: Source, loss: BoundLoss, role: str, columns: Sequence[Evidence], hint: str, of: str = ""
) -> UsageError:
    """No column fits a role."""
    shown = [f"{each.quoted}{_where(each)} ({each.looks})" for each in columns[:LISTED]]
    more = f" and {len(columns) - LISTED:,} more" if len(columns) > LISTED else ""
    left = f"; there is {', '.join(shown)}{more}" if shown else ""
    beside = [column for column in source.columns if column.side == "data"]
    names = [column.name for column in beside]
    again = next((number for number, name in enumerate(names) if names.count(name) > 1), None)
    if again is not None:
        hint = f"{hint[:-1]}; columns of one name go by position, such as --{role} '#{again + 1}'."
    return UsageError(f"{source.name}: no column is clearly the {role}{of} of {loss.name}{left}", hint=hint)


def _where(each: Evidence) -> str:
    return " of the truth" if each.column.side == "truth" else ""


def paired(loss: BoundLoss, targets: Sequence[Choice], preds: Sequence[Choice]) -> list[Pair]:
    """Several targets with the predictions that share their endings.

    Raises:
        UsageError: a prediction whose name goes with none or with several of the targets, or a target without one.
    """
    if len(targets) == 1:
        return [Pair(targets[0], tuple(preds))]
    groups: dict[int, list[Choice]] = {number: [] for number in range(len(targets))}
    for pred in preds:
        common = [_common(pred.columns[0].name.words, target.columns[0].name.words) for target in targets]
        best = [number for number, size in enumerate(common) if size == max(common)]
        if max(common) == 0 or len(best) > 1:
            names = ", ".join(f'"{target.name}"' for target in targets)
            raise UsageError(
                f'{loss.name}: nothing says which of the targets {names} "{pred.name}" predicts',
                hint="targets and predictions pair by their common ending, as target_height and pred_height do.",
            )
        groups[best[0]].append(pred)
    for number, found in groups.items():
        if not found:
            raise UsageError(
                f'{loss.name}: no prediction has the ending of the target "{targets[number].name}"',
                hint="targets and predictions pair by their common ending, as target_height and pred_height do.",
            )
    return [Pair(target, tuple(groups[number])) for number, target in enumerate(targets)]


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> int:
    """How many words two names share at their ends, or at their beginnings."""

    def run(a: Sequence[str], b: Sequence[str]) -> int:
        return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))

    return max(run(first[::-1], second[::-1]), run(first, second))


def own_predictions(target: Evidence, near: Sequence[Evidence]) -> list[Evidence]:
    """The predictions that are called after what a target measures."""
    subject = target.name.subject if target.name.part == "target" else target.name.words
    exact = [each for each in near if each.name.subject == subject]
    return exact or [each for each in near if subject and each.name.words[-len(subject) :] == subject]


def _rescued(columns: Sequence[Evidence]) -> set[str]:
    """Columns set aside by their name that serve after all: high and pred_high, actual_time and predicted_time."""
    subjects: dict[tuple[str, ...], dict[str, Evidence]] = {}
    for each in columns:
        name = each.name
        if (name.aside and not name.rescued_by_a_pair) or not each.numeric:
            continue
        own = tuple(word for word in name.words if word not in (PREDICTION if name.part == "pred" else TARGET))
        subjects.setdefault(own, {}).setdefault("pred" if name.part == "pred" else "target", each)
    return {each.key for both in subjects.values() if len(both) == 2 for each in both.values()}


def listed(found: Sequence[Evidence], most: int) -> str:
    """Columns as a list in a sentence."""
    names = [each.quoted for each in found[:most]]
    more = [f"{len(found) - most:,} more"] if len(found) > most else []
    parts = [*names, *more]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def option(each: Evidence) -> str:
    """A column's name as an option takes it from a shell."""
    return shlex.quote(each.column.name)
