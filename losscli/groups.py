"""The groups of ``--by``: each distinct combination of values gets a number, in the order of its first datum."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from losscli._lazy import numpy, pyarrow
from losscli.readers.interchange import numpy_of, python_of
from losscli.readers.source import Batch

# So many possible groups are counted even where there are fewer data.
MANY_GROUPS = 4_096


class GroupIndex:
    """Numbers the groups of a run. Batches must come in order; only distinct values are handled one by one.

    Args:
        columns: keys of the columns that make the groups.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._numbers: dict[tuple[object, ...], int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def codes(self, batch: Batch) -> numpy.ndarray:
        """The group of each datum of a batch, shape (n,), int64."""
        combined = numpy.zeros(len(batch.rows), dtype=numpy.int64)
        dictionaries = []
        for column in self._columns:
            codes, values = _dictionary(batch.carried[column])
            combined = combined * len(values) + codes
            dictionaries.append(values)
        possible = math.prod(map(len, dictionaries))
        if possible <= 2 * len(combined) + MANY_GROUPS:
            # Counting is several times as fast as sorting.
            distinct = numpy.flatnonzero(numpy.bincount(combined, minlength=possible))
            numbers = numpy.zeros(possible, dtype=numpy.int64)
            numbers[distinct] = self._numbered(distinct, dictionaries)
            return numbers[combined]
        distinct, inverse = numpy.unique(combined, return_inverse=True)
        return numpy.array(self._numbered(distinct, dictionaries), dtype=numpy.int64)[inverse]

    def _numbered(self, distinct: numpy.ndarray, dictionaries: Sequence[Sequence[object]]) -> list[int]:
        columns = []
        for values in reversed(dictionaries):
            distinct, places = numpy.divmod(distinct, len(values))
            columns.append([values[place] for place in places.tolist()])
        known = self._numbers
        return [known.setdefault(key, len(known)) for key in zip(*reversed(columns))]

    def labels(self) -> list[tuple[int, Mapping[str, object]]]:
        """Each group's number and values, sorted by the values: numbers as numbers, then words, then missing."""
        ordered = sorted(self._numbers.items(), key=lambda item: [_rank(value) for value in item[0]])
        return [(number, dict(zip(self._columns, key))) for key, number in ordered]


def _dictionary(values: pyarrow.Array) -> tuple[numpy.ndarray, list[object]]:
    encoded = values if pyarrow.types.is_dictionary(values.type) else values.dictionary_encode(null_encoding="encode")
    return numpy_of(encoded.indices).astype(numpy.int64), python_of(encoded.dictionary)


def _rank(value: object) -> tuple[int, float, str]:
    if value is None:
        return (2, 0.0, "")
    if isinstance(value, (bool, int, float)):
        return (0, float(value), "")
    text = str(value)
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, 0.0, text)
