"""The values of a column as numbers, as positions of classes, or as they are: from text, NumPy and Arrow arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from losscli._lazy import numpy, pyarrow
from losscli.errors import shown
from losscli.readers.cells import CellError, Words, parse_number, parse_truth
from losscli.readers.interchange import arrow_of, numpy_of, present_in, python_of, python_value, text_of
from losscli.readers.source import Column, ReadOptions

if TYPE_CHECKING:
    from typing import TypeAlias

    Cells: TypeAlias = "list[str] | numpy.ndarray | pyarrow.Array"

EXACT_UP_TO = 2**53
# Powers of ten are float64s up to this one.
EXACT_POWER_UP_TO = 22
# Of a decimal of 256 bits.
MOST_DIGITS = 76
FOREIGN = re.compile(r"[_\x1c-\x1f]")


class Fault(Exception):
    """A value that is not what its field needs.

    Args:
        index: its 0-based position among the values.
        problem: what is wrong.
        hint: what to do.
    """

    def __init__(self, index: int, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.index, self.problem, self.hint = index, problem, hint


class Conversion:
    """How the cells of one column become what a field needs.

    Args:
        column: tells truth values from numbers.
        options: the words for missing values and the decimal mark.
        words: the classes' names, where cells name classes.
    """

    def __init__(self, column: Column, options: ReadOptions, words: Sequence[str] | None = None) -> None:
        self._missing = frozenset(options.missing)
        self._decimal = options.decimal
        self._words = Words(words) if words is not None else None
        self._known: dict[str, float] = {}
        self._sizes: list[int] = []
        self.boolean = column.kind == "boolean"

    def values(self, cells: Cells) -> numpy.ndarray:
        """The numbers or positions, first axis n: float64, or float32 where the cells are.

        Raises:
            Fault: the first cell that has none.
        """
        if self._words is not None:
            return self._coded(cells)
        if isinstance(cells, list):
            return self._parsed(cells)
        if isinstance(cells, numpy.ndarray):
            return self._of_array(cells)
        return self._of_arrow(cells)

    # --- text ---------------------------------------------------------------------------------------------------------

    def _one(self, text: str) -> float:
        if text in self._missing:
            return math.nan
        return parse_truth(text) if self.boolean else parse_number(text, self._decimal)

    def _parsed(self, cells: list[str]) -> numpy.ndarray:
        missing = self._missing
        if not self.boolean and self._decimal == ".":
            try:
                numbers = numpy.array(
                    [math.nan if cell in missing else float(cell) for cell in cells], dtype=numpy.float64
                )
            except ValueError:
                return self._each(cells)
            # float() also takes 1_000, digits of other scripts, separators as blanks, and 1e400 as infinite.
            joined = "".join(cells)
            if joined.isascii() and not FOREIGN.search(joined) and not numpy.isinf(numbers).any():
                return numbers
        return self._each(cells)

    def _each(self, cells: Sequence[str]) -> numpy.ndarray:
        numbers = numpy.empty(len(cells), dtype=numpy.float64)
        for index, cell in enumerate(cells):
            try:
                numbers[index] = self._one(cell)
            except CellError as error:
                raise Fault(index, error.problem, error.hint) from None
        return numbers

    # --- words --------------------------------------------------------------------------------------------------------

    def _position(self, cell: str | None) -> float:
        if cell is None:
            return math.nan
        if cell not in self._known:
            if self._words is None:
                self._known[cell] = self._one(cell)
            else:
                position = self._words.position(cell)
                if position is None and cell not in self._missing:
                    raise self._words.problem(cell)
                self._known[cell] = math.nan if position is None else position
        return self._known[cell]

    def _coded(self, cells: Cells) -> numpy.ndarray:
        if isinstance(cells, list):
            return self._lookup(cells, numpy.arange(len(cells)), len(cells))
        if isinstance(cells, numpy.ndarray):
            if cells.ndim != 1:
                raise Fault(0, f"holds {cells[0].size:,} values, not the name of a class")
            missing = numpy.isnan(cells) if cells.dtype.kind == "f" else numpy.zeros(len(cells), dtype=bool)
            distinct, codes = numpy.unique(cells, return_inverse=True)
            words = [_word(value) for value in distinct.tolist()]
            numbers = self._lookup(words, codes, len(cells))
            numbers[missing] = math.nan
            return numbers
        return self._coded_arrow(cells)

    def _coded_arrow(self, cells: pyarrow.Array) -> numpy.ndarray:
        encoded = cells if pyarrow.types.is_dictionary(cells.type) else cells.dictionary_encode(null_encoding="encode")
        words = [None if value is None else _word(value) for value in python_of(encoded.dictionary)]
        codes = numpy.where(present_in(encoded.indices), numpy_of(encoded.indices), len(words))
        return self._lookup([*words, None], codes, len(cells))

    def _lookup(self, words: Sequence[str | None], codes: numpy.ndarray, count: int) -> numpy.ndarray:
        table = numpy.full(len(words), math.nan)
        faults: dict[int, CellError] = {}
        for index, word in enumerate(words):
            try:
                table[index] = self._position(word)
            except CellError as error:
                faults[index] = error
        if faults:
            used = numpy.isin(codes, list(faults))
            if used.any():
                first = int(numpy.argmax(used))
                fault = faults[int(codes[first])]
                raise Fault(first, fault.problem, fault.hint)
        found: numpy.ndarray = table[codes] if count else numpy.empty(0)
        return found

    # --- arrays -------------------------------------------------------------------------------------------------------

    def _of_array(self, cells: numpy.ndarray) -> numpy.ndarray:
        kind = cells.dtype.kind
        if kind == "f":
            size = 4 if cells.dtype.itemsize == 4 else 8
            return numpy.ascontiguousarray(cells, dtype=f"=f{size}")
        if kind in "iu":
            return _exact(cells)
        if kind == "b":
            return cells.astype(numpy.float64)
        if kind in "US":
            return self._lookup_text(cells.astype(str))
        raise Fault(0, f"holds values of the type {cells.dtype}, not numbers")

    def _lookup_text(self, cells: numpy.ndarray) -> numpy.ndarray:
        return (
            self._each(cells.tolist())
            if cells.ndim == 1
            else self._each(cells.reshape(-1).tolist()).reshape(cells.shape)
        )

    def _of_arrow(self, cells: pyarrow.Array, depth: int = 0) -> numpy.ndarray:
        types, kind = pyarrow.types, cells.type
        if types.is_float32(kind) or types.is_float64(kind):
            found = numpy_of(cells)
            return numpy.where(present_in(cells), found, found.dtype.type(math.nan)) if cells.null_count else found
        if types.is_float16(kind):
            return self._of_arrow(cells.cast(pyarrow.float32())).astype(numpy.float64)
        if types.is_integer(kind):
            return _with_nulls(cells, _exact)
        if types.is_boolean(kind):
            return _with_nulls(cells, lambda values: values.astype(numpy.float64))
        if types.is_decimal(kind):
            return _nearest(cells)
        if types.is_null(kind):
            return numpy.full(len(cells), math.nan)
        if _is_list(kind):
            return self._vectors(cells, depth)
        if isinstance(kind, pyarrow.BaseExtensionType):
            return self._of_arrow(cells.storage, depth)
        if _is_text(kind) or (types.is_dictionary(kind) and _is_text(kind.value_type)):
            return self._coded_arrow(cells)
        if types.is_dictionary(kind):
            return self._of_arrow(cells.dictionary_decode())
        if cells.null_count == len(cells):
            return numpy.full(len(cells), math.nan)
        raise Fault(_first_present(cells), f"{_one_value(cells)} is not a number")

    def _vectors(self, cells: pyarrow.Array, depth: int) -> numpy.ndarray:
        """Lists of one length as a matrix, lists of lists likewise; a missing list is a row of NaN."""
        lengths = _lengths(cells)
        present = lengths >= 0
        if depth == len(self._sizes):
            if not present.any():
                raise Fault(0, "the vector is missing, and so are all those near it")
            self._sizes.append(int(lengths[numpy.argmax(present)]))
        size = self._sizes[depth]
        wrong = present & (lengths != size)
        if wrong.any():
            first = int(numpy.argmax(wrong))
            what = f"{int(lengths[first]):,} value{'s' if lengths[first] != 1 else ''}"
            raise Fault(first, f"the vector has {what} where the first has {size:,}")
        # Only flatten() leaves out what lies behind a null and outside of a slice.
        flat = cells.drop_null().flatten() if cells.null_count else cells.flatten()
        try:
            inner = self._of_arrow(flat, depth + 1)
        except Fault as fault:
            datum = int(numpy.flatnonzero(present)[fault.index // max(size, 1)])
            raise Fault(datum, fault.problem, fault.hint) from None
        vectors: numpy.ndarray = inner.reshape(int(present.sum()), size, *inner.shape[1:])
        if present.all():
            return vectors
        spread = numpy.full((len(cells), *vectors.shape[1:]), math.nan, dtype=vectors.dtype)
        spread[present] = vectors
        return spread


def carried(cells: Cells, options: ReadOptions) -> pyarrow.Array:
    """The cells as they are, as an Arrow array; None where text means missing."""
    if isinstance(cells, list):
        missing = frozenset(options.missing)
        return text_of([None if cell in missing else cell for cell in cells])
    if isinstance(cells, numpy.ndarray):
        if cells.ndim == 1:
            return text_of(cells.astype(str).tolist()) if cells.dtype.kind in "US" else arrow_of(cells)
        inner = carried(numpy.ascontiguousarray(cells).reshape(-1), options)
        for size in cells.shape[:0:-1]:
            inner = pyarrow.FixedSizeListArray.from_arrays(inner, size)
        return inner
    return cells


# --- parts ------------------------------------------------------------------------------------------------------------


def _word(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _exact(values: numpy.ndarray) -> numpy.ndarray:
    """Whole numbers as float64, where that is the same number."""
    numbers = values.astype(numpy.float64)
    if values.dtype.itemsize == 8 and values.size:
        large = (values > EXACT_UP_TO) | (values < -EXACT_UP_TO) if values.dtype.kind == "i" else values > EXACT_UP_TO
        if large.any():
            places = numpy.flatnonzero(large.reshape(-1))
            for place in places.tolist():
                value = int(values.reshape(-1)[place])
                if int(numbers.reshape(-1)[place]) != value:
                    per_datum = max(1, values[0].size)
                    raise Fault(place // per_datum, f"{value} has no exact 64-bit float (whole numbers up to 2^53 do)")
    return numbers


def _with_nulls(cells: pyarrow.Array, convert: Callable[[numpy.ndarray], numpy.ndarray]) -> numpy.ndarray:
    if not cells.null_count:
        return convert(numpy_of(cells))
    present = present_in(cells)
    values = numpy_of(cells)
    numbers = convert(numpy.where(present, values, values.dtype.type(0)))
    numbers[~present] = math.nan
    return numbers


def _nearest(cells: pyarrow.Array) -> numpy.ndarray:
    """The float64 nearest to each decimal. Arrow's own cast, by a rounded power of ten, misses it for 1 of 7 prices."""
    kind = cells.type
    if len(cells) == 0:
        return numpy.empty(0)
    if kind.bit_width < 128:
        return _nearest(cells.cast(pyarrow.decimal128(38, kind.scale)))
    present = present_in(cells)
    if kind.bit_width == 128 and abs(kind.scale) <= EXACT_POWER_UP_TO:
        halves = numpy.frombuffer(cells.buffers()[1], numpy.int64, 2 * len(cells), 16 * cells.offset)
        low, high = halves.reshape(-1, 2).T
        small = (low >> 63 == high) & (low <= EXACT_UP_TO) & (low >= -EXACT_UP_TO)
        if (small | ~present).all():
            # Both numbers are exact, so that one operation rounds once.
            power = float(10 ** abs(kind.scale))
            return numpy.where(present, low * power if kind.scale < 0 else low / power, math.nan)
    # Only decimals with at least as many digits as their scale can be written.
    if kind.scale > kind.precision:
        if kind.scale > MOST_DIGITS:
            raise Fault(_first_present(cells), f"decimals of scale {kind.scale} are not read")
        cells = cells.cast(pyarrow.decimal256(MOST_DIGITS, kind.scale))
    return numpy_of(cells.cast(pyarrow.string()).cast(pyarrow.float64()).fill_null(math.nan))


def _is_list(kind: pyarrow.DataType) -> bool:
    types = pyarrow.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_text(kind: pyarrow.DataType) -> bool:
    types = pyarrow.types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def _lengths(cells: pyarrow.Array) -> numpy.ndarray:
    if pyarrow.types.is_fixed_size_list(cells.type):
        lengths: numpy.ndarray = numpy.full(len(cells), cells.type.list_size, dtype=numpy.int64)
    else:
        lengths = numpy.diff(numpy_of(cells.offsets).astype(numpy.int64))
    if cells.null_count:
        lengths[~present_in(cells)] = -1
    return lengths


def _first_present(cells: Any) -> int:
    return int(numpy.argmax(present_in(cells)))


def _one_value(cells: Any) -> str:
    return shown(str(python_value(cells[_first_present(cells)])))
