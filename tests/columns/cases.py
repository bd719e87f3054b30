"""Makes columns with names and samples, without files behind them, for tests of which column serves which role."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

import losscli.losses  # noqa: F401  (fills the catalogue)
from losscli.columns.roles import Assignment, assign
from losscli.errors import UsageError
from losscli.readers.source import Column, Source
from losscli.registry import parse_specs

ROWS = 60
Y = [0, 1, 1, 0, 1, 0]
P = [0.2, 0.7, 0.4, 0.1, 0.9, 0.6]
NUMBERS = [3.0, 5.5, 4.0, 8.0, 9.5, 1.0]
NEAR = [3.1, 5.0, 4.4, 7.5, 9.0, 1.5]


class FixedSource(Source):
    """Columns without rows behind them: choosing roles looks at names and samples only."""

    def __init__(self, columns: Iterable[Column], name: str = "preds.csv", format: str = "csv") -> None:
        self.name, self.format, self.columns, self.notes = name, format, tuple(columns), []

    def read(self, *arguments: Any, **options: Any) -> Any:
        raise AssertionError("the file must not be read")


def column(name: str, values: Sequence[object], side: str = "data", file: str = "preds.csv") -> Column:
    present = [value for value in values if value is not None]
    shape: tuple[int, ...] = ()
    kind = "other"
    if present and isinstance(present[0], tuple):
        kind, shape = "vector", (len(present[0]),)
    elif present and all(isinstance(value, bool) for value in present):
        kind = "boolean"
    elif present and all(isinstance(value, (int, float)) for value in present):
        kind = "number"
    elif present:
        kind = "date" if str(present[0]).startswith("2024-") else "text"
    key = f"truth::{name}" if side == "truth" else name
    return Column(key, name, file, kind, shape, tuple(values), side)  # type: ignore[arg-type]


def table(columns: Mapping[str, Sequence[object]], truth: Mapping[str, Sequence[object]] | None = None) -> FixedSource:
    beside = [column(name, values, "truth", "truth.csv") for name, values in (truth or {}).items()]
    return FixedSource([*(column(name, values) for name, values in columns.items()), *beside])


@dataclass(frozen=True)
class Case:
    """A file, a loss, and what is right: pairs of prediction and target, or None where only a question is right."""

    name: str
    loss: str
    source: FixedSource
    right: tuple[tuple[str, str], ...] | None
    words: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return self.name


class Values:
    """Makes columns of one kind each, always the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def ids(self) -> list[object]:
        return [1000 + row for row in range(ROWS)]

    def index(self) -> list[object]:
        return list(range(ROWS))

    def files(self) -> list[object]:
        return [f"img_{row:04}.jpg" for row in range(ROWS)]

    def dates(self) -> list[object]:
        return [f"2024-{1 + row // 28:02}-{1 + row % 28:02}" for row in range(ROWS)]

    def among(self, words: Sequence[object]) -> list[Any]:
        return [words[row % len(words)] if row < len(words) else self._random.choice(words) for row in range(ROWS)]

    def labels(self) -> list[Any]:
        return self.among((0, 1))

    def numbers(self, mean: float = 100, spread: float = 20) -> list[Any]:
        return [round(self._random.gauss(mean, spread), 3) for _ in range(ROWS)]

    def near(self, truth: Sequence[Any], spread: float = 5) -> list[Any]:
        return [None if value is None else round(value + self._random.gauss(0, spread), 3) for value in truth]

    def probability(self, labels: Sequence[Any], positive: object = 1) -> list[Any]:
        """Larger where the label is the positive one, but wrong now and then."""
        return [round(min(0.99, max(0.01, self._random.gauss(0.7 if y == positive else 0.35, 0.2))), 4) for y in labels]

    def confidence(self) -> list[Any]:
        return [round(self._random.uniform(0.5, 1), 4) for _ in range(ROWS)]

    def wrong_now_and_then(self, labels: Sequence[Any]) -> list[Any]:
        return [self._random.choice(list(labels)) if self._random.random() < 0.3 else label for label in labels]

    def classes(self, labels: Sequence[Any], classes: Sequence[Any], total: float = 1) -> list[list[Any]]:
        columns: list[list[Any]] = [[] for _ in classes]
        for label in labels:
            raw = [
                self._random.uniform(0.1, 1) + (self._random.random() * 1.5 if each == label else 0) for each in classes
            ]
            for values, each in zip(columns, raw):
                values.append(round(total * each / sum(raw), 6))
        return columns

    def logits(self, count: int) -> list[list[Any]]:
        return [[round(self._random.gauss(0, 3), 4) for _ in range(ROWS)] for _ in range(count)]


def decided(probability: Sequence[Any], words: tuple[object, object] = (0, 1)) -> list[Any]:
    return [words[value > 0.5] for value in probability]


def assigned(
    loss: str, columns: Mapping[str, Sequence[object]], positive: str | None = None, **explicit: Any
) -> Assignment:
    return assign(table(columns), parse_specs(loss), explicit, positive=positive)


def refusal(loss: str, columns: Mapping[str, Sequence[object]], positive: str | None = None, **explicit: Any) -> str:
    with pytest.raises(UsageError) as caught:
        assigned(loss, columns, positive, **explicit)
    return str(caught.value)
