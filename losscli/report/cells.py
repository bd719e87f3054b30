"""Columns of Arrow as columns of text, without any work per row in Python.

Arrow writes a float with the fewest digits that read back as the same float, as Python's ``repr`` does.
"""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from losscli._lazy import pyarrow
from losscli.readers.interchange import python_of

if TYPE_CHECKING:
    from collections.abc import Sequence

# The text of a batch is addressed by 32 bits in Arrow's kernels; halves are written where it might not fit.
LARGEST_BATCH_BYTES = 1 << 28


def join(parts: Sequence[object]) -> pyarrow.Array:
    """For each row, the parts one after the other: columns of text, and words that are the same for all rows."""
    from pyarrow import compute

    return compute.binary_join_element_wise(*parts, "")


def text_bytes(column: pyarrow.StringArray) -> memoryview:
    """All the texts of a column one after the other. There must be no nulls."""
    from losscli._lazy import numpy

    _, offsets, data = column.buffers()
    ends = numpy.frombuffer(offsets, dtype=numpy.int32)
    start, end = ends[column.offset], ends[column.offset + len(column)]
    return memoryview(data)[start:end] if data is not None else memoryview(b"")


def plain_cells(column: pyarrow.Array) -> pyarrow.StringArray:
    """A column's values as CSV holds them, before quoting: nothing for null, ``nan`` and ``inf`` as words."""
    from pyarrow import compute

    if pyarrow.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pyarrow.types.is_nested(column.type):
        column = json_cells(column)
    elif not pyarrow.types.is_string(column.type):
        column = _cast(column)
    return compute.fill_null(column, "")


def quoted_cells(column: pyarrow.Array, delimiter: str) -> tuple[pyarrow.StringArray, bool]:
    """A column's values as CSV holds them, in quotes where they need it (RFC 4180), and whether any does."""
    from pyarrow import compute

    cells = plain_cells(column)
    if _holds_number(column.type):
        return cells, False
    special = compute.match_substring_regex(cells, f'[{delimiter}"\r\n]')
    if not compute.any(special, min_count=0).as_py():
        return cells, False
    doubled = compute.replace_substring(cells, '"', '""')
    return compute.if_else(special, join(['"', doubled, '"']), cells), True


def json_cells(column: pyarrow.Array) -> pyarrow.StringArray:
    """A column's values as JSON: ``null`` for what is missing or not finite; lists and structures as such."""
    from pyarrow import compute

    types = pyarrow.types
    kind = column.type
    if types.is_dictionary(kind):
        return json_cells(column.dictionary_decode())
    if types.is_floating(kind):
        cells = _cast(compute.if_else(compute.is_finite(column), column, None))
        # A reader of JSON takes -0 for a whole number, which has no sign.
        cells = compute.if_else(compute.equal(cells, "-0"), "-0.0", cells)
    elif types.is_integer(kind) or types.is_boolean(kind) or types.is_decimal(kind):
        cells = _cast(column)
    elif types.is_fixed_size_list(kind) or types.is_large_list(kind):
        return json_cells(column.cast(pyarrow.list_(kind.value_type)))
    elif types.is_list(kind):
        inner = json_cells(column.flatten())
        lengths = compute.fill_null(compute.list_value_length(column), 0)
        offsets = pyarrow.concat_arrays([pyarrow.array([0], pyarrow.int32()), compute.cumulative_sum(lengths)])
        joined = compute.binary_join(pyarrow.ListArray.from_arrays(offsets, inner), ",")
        cells = compute.if_else(column.is_null(), None, join(["[", joined, "]"]))
    elif types.is_struct(kind):
        parts: list[object] = []
        for field, part in zip(kind, column.flatten()):
            parts += [f"{',' if parts else ''}{json.dumps(field.name)}:", json_cells(part)]
        cells = compute.if_else(column.is_null(), None, join(["{", *parts, "}"]))
    else:
        cells = join(['"', _json_escaped(compute.fill_null(_cast(column), "")), '"'])
        cells = compute.if_else(column.is_null(), None, cells)
    return compute.fill_null(cells, "null")


def _json_escaped(cells: pyarrow.StringArray) -> pyarrow.StringArray:
    from pyarrow import compute

    if not compute.any(compute.match_substring_regex(cells, r'[\x00-\x1f"\\]'), min_count=0).as_py():
        return cells
    controls = compute.any(compute.match_substring_regex(cells, r"[\x00-\x1f]"), min_count=0).as_py()
    for character in ("\\", '"', *(map(chr, range(32)) if controls else ())):
        cells = compute.replace_substring(cells, character, json.dumps(character)[1:-1])
    return cells


def _holds_number(kind: pyarrow.DataType) -> bool:
    types = pyarrow.types
    return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))


def _cast(column: pyarrow.Array) -> pyarrow.StringArray:
    kind: Any = column.type
    if pyarrow.types.is_string(kind):
        return column
    if pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind) or pyarrow.types.is_fixed_size_binary(kind):
        return pyarrow.array([None if value is None else value.hex() for value in column.to_pylist()], pyarrow.string())
    # Arrow casts a duration to the bare number of its unit, which says nothing without the unit.
    if not pyarrow.types.is_duration(kind):
        with contextlib.suppress(pyarrow.ArrowNotImplementedError, pyarrow.ArrowInvalid):
            return column.cast(pyarrow.string())
    return pyarrow.array([None if value is None else str(value) for value in python_of(column)], pyarrow.string())
