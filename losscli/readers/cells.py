"""What the text of a cell means: a number, a missing value, a truth value, a class, or an error with its reason."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from losscli.errors import shown

BLANKS = " \t\n\r\v\f"
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(?:inf|infinity|nan(?:\(\w*\))?)", re.ASCII | re.IGNORECASE)
DATE = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}.*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}(?: \d{1,2}:\d{2}.*)?", re.ASCII
)
TRUTH = {"true": True, "false": False}
MEANS_MISSING = {"na", "n/a", "#n/a", "<na>", "none", "null", "nil", "-", "--", "?", ".", "missing", "\\n", "nat"}

# Of a vector and of what is nested, a datum has several values.
Kind = Literal["number", "text", "boolean", "date", "vector", "nested", "other"]


class CellError(ValueError):
    """A cell that is not what its field needs."""

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def parse_number(text: str, decimal: str = ".") -> float:
    """The number that a cell holds, NaN for the word nan.

    Args:
        text: the cell as it is written.
        decimal: the decimal mark, ``.`` or ``,``.

    Raises:
        CellError: the cell holds no number, or one beyond the range of a 64-bit float.

    Example:
        >>> parse_number(" 1e-3 "), parse_number("0,5", decimal=",")
        (0.001, 0.5)
    """
    stripped = text.strip(BLANKS)
    plain = stripped
    if decimal != ".":
        if "." in stripped:
            raise CellError(f"{shown(text)} is not a number", f'the decimal mark is "{decimal}": leave --decimal out.')
        plain = stripped.replace(decimal, ".")
    if NUMBER.fullmatch(plain):
        value = float(plain)
        if math.isinf(value):
            raise CellError(f"{shown(text)} is beyond the range of a 64-bit float, 1.8e308")
        return value
    if NOT_FINITE.fullmatch(plain):
        return math.nan if plain.lstrip("+-")[0].lower() == "n" else float(plain)
    raise CellError(f"{shown(text)} is not a number", _remedy(stripped, decimal))


def parse_truth(text: str) -> float:
    """1 for True and 0 for False, in any case.

    Raises:
        CellError: the cell is neither.

    Example:
        >>> parse_truth("True"), parse_truth("FALSE")
        (1.0, 0.0)
    """
    value = TRUTH.get(text.strip(BLANKS).lower())
    if value is None:
        raise CellError(f"{shown(text)} is neither True nor False, as the cells before it are")
    return float(value)


def _remedy(text: str, decimal: str) -> str | None:
    """What may be meant by a cell that is not a number."""
    lower = text.lower()
    if lower in MEANS_MISSING:
        return f"if it means that the value is missing, add --na-values {text if ' ' not in text else repr(text)}."
    if re.fullmatch(r"[+-]?0x[0-9a-f]+", lower):
        return f"hexadecimal numbers are not read: write {int(lower, 16)}."
    if text.endswith("%") and NUMBER.fullmatch(text[:-1].strip()):
        return "percentages are not read: write 0.12 for 12%."
    if decimal == "." and re.fullmatch(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?", text) and not _grouped(text):
        return "--decimal , reads numbers with a decimal comma."
    if _grouped(text):
        return "write numbers without separators between the thousands."
    if lower in TRUTH:
        return "the cells before it are numbers: write 1 for True and 0 for False."
    return None


def _grouped(text: str) -> bool:
    return (
        re.fullmatch(r"[+-]?\d{1,3}(?:[,_ '\u00a0\u202f.]\d{3})+(?:[.,]\d*)?|[+-]?\d+(?:_\d+)+(?:\.\d*)?", text)
        is not None
    )


def describe(cells: Sequence[str], missing: frozenset[str], decimal: str) -> tuple[Kind, tuple[object, ...]]:
    """What the first cells of a column are, and their values: numbers, booleans, words, None where missing.

    A column where most cells are numbers, or are written as numbers that we do not read (``1_000``, ``12%``, ``NA``),
    is one of numbers: the reader then names the row of the other cells, which stay words in the sample.

    Example:
        >>> describe(["1", "", "2.5"], frozenset({""}), ".")
        ('number', (1, None, 2.5))
    """
    present = [cell for cell in cells if cell not in missing]
    if not present:
        return "other", tuple(None for _ in cells)
    if all(cell.strip(BLANKS).lower() in TRUTH for cell in present):
        return "boolean", _each(cells, missing, lambda cell: bool(parse_truth(cell)))
    if 2 * sum(_meant_as_number(cell, decimal) for cell in present) > len(present):
        return "number", _each(cells, missing, lambda cell: _sampled(cell, decimal))
    kind: Kind = "date" if all(DATE.fullmatch(cell.strip(BLANKS)) for cell in present) else "text"
    return kind, _each(cells, missing, lambda cell: cell)


def _meant_as_number(cell: str, decimal: str) -> bool:
    try:
        parse_number(cell, decimal)
    except CellError as error:
        return error.hint is not None or math.isinf(_as_float(cell))
    return True


def _as_float(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _each(cells: Sequence[str], missing: frozenset[str], value: Callable[[str], object]) -> tuple[object, ...]:
    return tuple(None if cell in missing else value(cell) for cell in cells)


def _sampled(cell: str, decimal: str) -> int | float | str | None:
    try:
        value = parse_number(cell, decimal)
    except CellError:
        return cell
    if math.isnan(value):
        return None
    return int(cell) if re.fullmatch(r"[+-]?[0-9]{1,300}", cell.strip(BLANKS)) else value


class Words:
    """The classes' names in order: finds the position of the class that a cell names.

    A cell names a class exactly, else without regard to case and with ``_`` for blanks, else as the same number
    (``1.0`` and ``1``, ``True`` and ``1``), the latter two only where one class alone answers to it.

    Example:
        >>> [Words(("cat", "dog")).position(word) for word in ("dog", "Cat", "cow")]
        [1, 0, None]
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._exact = {word: position for position, word in enumerate(words)}
        self._loose = [_unambiguous(map(reading, words)) for reading in (_folded, _valued)]

    def position(self, cell: str) -> int | None:
        """The position of the class, or None where the cell names none."""
        if cell in self._exact:
            return self._exact[cell]
        for known, reading in zip(self._loose, (_folded, _valued)):
            key = reading(cell)
            if key is not None and key in known:
                return known[key]
        return None

    def problem(self, cell: str) -> CellError:
        """The error for a cell that names no class."""
        listed = ", ".join(shown(word) for word in self.words[:20])
        more = f" and {len(self.words) - 20:,} more" if len(self.words) > 20 else ""
        return CellError(f"{shown(cell)} is none of the classes {listed}{more}")


def _unambiguous(keys: Iterable[object]) -> dict[object, int]:
    known: dict[object, int] = {}
    doubtful = {None}
    for position, key in enumerate(keys):
        if key in known:
            doubtful.add(key)  # type: ignore[arg-type]
        known[key] = position
    return {key: position for key, position in known.items() if key not in doubtful}


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", "_", text.strip()).casefold()


def _valued(text: str) -> float | None:
    truth = TRUTH.get(text.strip().lower())
    if truth is not None:
        return float(truth)
    try:
        value = parse_number(text)
    except CellError:
        return None
    return None if math.isnan(value) else value
