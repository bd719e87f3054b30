"""Between NumPy and Arrow by their buffers: pyarrow's own conversions import pandas, which takes longer than a read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from losscli._lazy import numpy, pyarrow

# How pyarrow says that a value is beyond Python's: years, days, exponents, time zones, fields of one name.
NOT_IN_PYTHON = (ArithmeticError, ValueError)
DTYPES = {"halffloat": "float16", "float": "float32", "double": "float64"}


def numpy_of(array: Any) -> numpy.ndarray:
    """The values of an Arrow array of numbers or truth values, without a copy for numbers.

    Args:
        array: n values; what stands for those that are missing is not defined.

    Returns:
        Shape (n,), read-only.
    """
    if len(array) == 0:
        return numpy.empty(0, dtype=bool if pyarrow.types.is_boolean(array.type) else _dtype(array.type))
    values = array.buffers()[1]
    if pyarrow.types.is_boolean(array.type):
        return _bits(values, array.offset, len(array))
    dtype = _dtype(array.type)
    found: numpy.ndarray = numpy.frombuffer(values, dtype, len(array), array.offset * dtype.itemsize)
    return found


def present_in(array: Any) -> numpy.ndarray:
    """Which values of an Arrow array are there, shape (n,), bool."""
    if array.null_count == 0:
        return numpy.ones(len(array), dtype=bool)
    validity = array.buffers()[0]
    if validity is None:
        return numpy.zeros(len(array), dtype=bool)
    return _bits(validity, array.offset, len(array))


def python_of(array: Any) -> list[Any]:
    """What the values of an Arrow array are in Python; one that Python has no type for is its text.

    Python's years are those from 1 to 9999, Arrow's have up to six digits.

    Example:
        >>> import pyarrow
        >>> python_of(pyarrow.array([0, 10_000_000], pyarrow.date32()))
        [datetime.date(1970, 1, 1), '29349-01-26']
    """
    try:
        listed: list[Any] = array.to_pylist()
    except NOT_IN_PYTHON:
        return [python_value(value) for value in array]
    return listed


def python_value(value: Any) -> Any:
    """What an Arrow scalar is in Python: see ``python_of``."""
    try:
        return value.as_py()
    except UnicodeDecodeError:
        raise
    except NOT_IN_PYTHON:
        return _nearest_in_python(value)


def arrow_of(values: numpy.ndarray) -> pyarrow.Array:
    """Numbers of one axis as an Arrow array that shares their memory.

    Example:
        >>> import numpy
        >>> arrow_of(numpy.array([1.5, 2.5])).type
        DataType(double)
    """
    native = numpy.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    if native.dtype.kind == "b":
        content = numpy.packbits(native, bitorder="little")
        return pyarrow.Array.from_buffers(pyarrow.bool_(), len(native), [None, pyarrow.py_buffer(content)])
    kind = pyarrow.from_numpy_dtype(native.dtype)
    return pyarrow.Array.from_buffers(kind, len(native), [None, pyarrow.py_buffer(native)])


def text_of(cells: Sequence[str | None]) -> pyarrow.Array:
    """Texts as an Arrow array.

    Example:
        >>> text_of(["a", None, "é"]).null_count
        1
    """
    encoded = [b"" if cell is None else cell.encode("utf-8", "replace") for cell in cells]
    offsets = numpy.zeros(len(cells) + 1, dtype=numpy.int64)
    numpy.cumsum([len(text) for text in encoded], out=offsets[1:])
    large = offsets[-1] >= 2**31
    kind = pyarrow.large_string() if large else pyarrow.string()
    places = offsets if large else offsets.astype(numpy.int32)
    there = numpy.array([cell is not None for cell in cells], dtype=bool)
    validity = None if there.all() else pyarrow.py_buffer(numpy.packbits(there, bitorder="little"))
    buffers = [validity, pyarrow.py_buffer(places), pyarrow.py_buffer(b"".join(encoded))]
    return pyarrow.Array.from_buffers(kind, len(cells), buffers)


def _nearest_in_python(value: Any) -> Any:
    """The parts of a value that Python has no type for, or its text."""
    if isinstance(value, pyarrow.DictionaryScalar):
        return python_value(value.value)
    if isinstance(value, pyarrow.ListScalar):
        return python_of(value.values)
    if isinstance(value, pyarrow.StructScalar):
        pairs = [(value.type[place].name, python_value(value[place])) for place in range(len(value))]
        # Arrow allows several fields of one name.
        return dict(pairs) if len(dict(pairs)) == len(pairs) else pairs
    if pyarrow.types.is_duration(value.type):
        return f"{value.value} {value.type.unit}"
    try:
        return value.cast(pyarrow.string()).as_py()
    except pyarrow.ArrowException:
        return f"{value.value} {value.type}"


def _dtype(kind: Any) -> numpy.dtype:
    name = str(kind)
    return numpy.dtype(DTYPES.get(name, name))


def _bits(buffer: Any, offset: int, count: int) -> numpy.ndarray:
    first = offset // 8
    packed = numpy.frombuffer(buffer, numpy.uint8, (offset + count + 7) // 8 - first, first)
    return numpy.unpackbits(packed, bitorder="little")[offset % 8 : offset % 8 + count].view(bool)
