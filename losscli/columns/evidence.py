"""What a column's name and its first values say together, and what several columns say about each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from losscli.errors import escape
from losscli.names import LOGIT, Name, read_name
from losscli.readers.source import Column

# Probabilities in text are rounded; a row that sums to 0.9 is another thing.
SUM_TOLERANCE = 0.02
ENOUGH_ROWS = 10
# A probability that was computed in single precision or rounded lies no further outside [0, 1].
BESIDE = 0.001


@dataclass(frozen=True, eq=False)
class Evidence:
    """One column with the meaning of its name and facts about its sample.

    Attributes:
        column: the column.
        ignored: a number that stands for no class, where the loss has one; it is no label.
    """

    column: Column
    ignored: float | None = None

    @cached_property
    def name(self) -> Name:
        """What the name says, corrected by the values: ``p`` above 1 is no probability, nor a fraction a logit."""
        said = read_name(self.column.name)
        if self.column.kind == "date":
            return replace(said, aside="a date or time")
        if not self.numbers:
            return said
        if said.quantity == "probability" and said.words[0] == "p" and not self.near_unit:
            return replace(said, part="free", quantity="number", subject=said.words)
        if said.quantity == "logit" and not self.column.shape and self.in_unit:
            subject = tuple(word for word in said.words if word in said.subject or word in LOGIT)
            return replace(said, quantity="number", subject=subject)
        return said

    @property
    def key(self) -> str:
        return self.column.key

    @property
    def quoted(self) -> str:
        """The name as messages show it."""
        return f'"{escape(self.column.name)}"'

    @property
    def numeric(self) -> bool:
        """Whether each datum is one number, or true or false."""
        return self.column.kind in ("number", "boolean") and not self.column.shape

    @property
    def vector(self) -> bool:
        """Whether each datum has several numbers."""
        return bool(self.column.shape) and self.column.kind in ("vector", "number", "boolean")

    @cached_property
    def present(self) -> tuple[object, ...]:
        """The sample without what is missing."""
        return tuple(value for value in self.column.sample if value is not None)

    @cached_property
    def aligned(self) -> list[float]:
        """The sample's numbers by row, NaN where there is none."""
        return [float(v) if isinstance(v, (int, float)) else math.nan for v in self.column.sample]

    @cached_property
    def numbers(self) -> list[float]:
        """The sample's numbers without what is missing."""
        return [value for value in self.aligned if not math.isnan(value)]

    @cached_property
    def in_unit(self) -> bool:
        return bool(self.numbers) and min(self.numbers) >= 0 and max(self.numbers) <= 1

    @cached_property
    def near_unit(self) -> bool:
        """Whether the values are probabilities but for errors, which the check of the domain names by their rows."""
        return bool(self.numbers) and min(self.numbers) >= -BESIDE and max(self.numbers) <= 1 + BESIDE

    @cached_property
    def fractional(self) -> bool:
        return any(value != math.floor(value) for value in self.numbers if math.isfinite(value))

    @cached_property
    def hard(self) -> bool:
        """Whether it holds nothing but 0 and 1."""
        return bool(self.numbers) and all(value in (0, 1) for value in self.numbers)

    @cached_property
    def vectors_sum_to_one(self) -> bool:
        """Whether each datum is a vector of the probabilities of classes, by its values."""
        rows = [row for row in self.present if isinstance(row, (tuple, list))]
        if len(self.column.shape) != 1 or not rows:
            return False
        inside = all(isinstance(value, (int, float)) and 0 <= value <= 1 for row in rows for value in row)
        fractional = any(value not in (0, 1) for row in rows for value in row)
        return inside and fractional and all(abs(sum(row) - 1) <= SUM_TOLERANCE for row in rows)

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The distinct values of the sample as words, whole numbers without a decimal point."""
        found = {label_text(value) for value in self.present if value != self.ignored}
        return tuple(sorted(found))

    @cached_property
    def numbers_as_text(self) -> bool:
        """Whether every word of the sample is a number, as where a Parquet file keeps numbers as strings."""
        if self.column.kind != "text" or not self.present:
            return False
        try:
            return all(math.isfinite(float(str(value))) for value in self.present)
        except ValueError:
            return False

    @cached_property
    def looks(self) -> str:
        """What the column looks like, for lists of candidates."""
        name = self.name
        if name.aside:
            return name.aside
        if self.vector:
            return f"vectors of {' x '.join(map(str, self.column.shape))}"
        if self.column.kind == "text":
            return f"{len(self.labels)} words" if 1 < len(self.labels) <= 20 else "words"
        if self.column.kind == "boolean":
            return "true or false"
        if name.quantity == "confidence":
            return "the confidence of a predicted class"
        if self.hard:
            return "0 or 1"
        if self.in_unit and self.fractional:
            return "numbers in [0, 1]"
        return "numbers" if self.numeric else "neither numbers nor words"


def label_text(value: object) -> str:
    """A label as a word: whole numbers without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def same_values(first: Evidence, second: Evidence) -> bool:
    """Whether two columns hold the same, as far as the sample goes."""
    return bool(first.present) and first.column.sample == second.column.sample


def is_recoded(first: Evidence, second: Evidence) -> bool:
    """Whether one column holds words and another a code for each of them."""
    if {first.column.kind, second.column.kind} != {"text", "number"}:
        return False
    pairs = set(zip(map(label_text, first.column.sample), map(label_text, second.column.sample)))
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) > 1


def sums_to_one(columns: Sequence[Evidence]) -> bool:
    """Whether the columns are probabilities of classes by their values: fractions in [0, 1], every row with sum 1."""
    if len(columns) < 2 or not all(each.numeric and each.in_unit for each in columns):
        return False
    sums = [sum(row) for row in zip(*(each.aligned for each in columns))]
    complete = [value for value in sums if not math.isnan(value)]
    fractional = any(each.fractional for each in columns)
    return bool(complete) and fractional and all(abs(value - 1) <= SUM_TOLERANCE for value in complete)


def exponentials_sum_to_one(columns: Sequence[Evidence]) -> bool:
    """Whether the columns are logarithms of the probabilities of classes."""
    if len(columns) < 2 or not all(each.numeric and each.numbers and max(each.numbers) <= 0 for each in columns):
        return False
    sums = [sum(math.exp(value) for value in row) for row in zip(*(each.aligned for each in columns))]
    complete = [value for value in sums if not math.isnan(value)]
    return bool(complete) and all(abs(value - 1) <= SUM_TOLERANCE for value in complete)


def correlation(first: Evidence, second: Evidence) -> float | None:
    """Pearson's correlation of two columns in the sample; None where it cannot be had."""
    if not _row_by_row(first, second):
        return None
    pairs = [(a, b) for a, b in zip(first.aligned, second.aligned) if math.isfinite(a) and math.isfinite(b)]
    if len(pairs) < 3:
        return None
    mean_a, mean_b = (sum(values) / len(pairs) for values in zip(*pairs))
    spread_a = math.sqrt(sum((a - mean_a) ** 2 for a, _ in pairs))
    spread_b = math.sqrt(sum((b - mean_b) ** 2 for _, b in pairs))
    if spread_a == 0 or spread_b == 0:
        return None
    together: float = sum((a - mean_a) * (b - mean_b) for a, b in pairs)
    return together / (spread_a * spread_b)


def on_one_scale(pred: Evidence, target: Evidence) -> bool:
    """Whether a column's values lie where the target's do, so that it may predict it."""
    if not pred.numbers or not target.numbers:
        return False
    low, high = min(target.numbers), max(target.numbers)
    span = (high - low) or abs(high) or 1.0
    middle = sorted(pred.numbers)[len(pred.numbers) // 2]
    return low - span <= middle <= high + span and max(pred.numbers) - min(pred.numbers) <= 4 * span


def positive_label(probability: Evidence, label: Evidence) -> str | None:
    """Which of two labels a probability belongs to, where the sample shows it: the one with all the larger values.

    Returns:
        The label; an empty string where the values are those of the predicted class, whichever it is (a confidence);
        None where the sample does not show it.
    """
    if not _row_by_row(probability, label):
        return None
    groups: dict[str, list[float]] = {}
    for value, name in zip(probability.aligned, label.column.sample):
        if name is not None and not math.isnan(value):
            groups.setdefault(label_text(name), []).append(value)
    if len(groups) != 2 or sum(map(len, groups.values())) < ENOUGH_ROWS:
        return None
    if min(min(values) for values in groups.values()) >= 0.5:
        return ""
    (_, low), (high_label, high) = sorted(groups.items(), key=lambda group: sum(group[1]) / len(group[1]))
    return high_label if max(low) <= min(high) and min(low) < max(high) else None


def _row_by_row(first: Evidence, second: Evidence) -> bool:
    """Whether the samples are those of the same rows: files that are joined by an id have other rows first."""
    return first.column.side == second.column.side
