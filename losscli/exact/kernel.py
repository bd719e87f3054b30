"""The sums of values and of their squares by compiled code, where there is a compiler at installation.

It does in one pass what takes torch some 25: the cut into pieces and all sums (kernel.c says how). The integers are the
same, since both are exact; so this changes how long a run takes, and nothing else.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch
from losscli.exact.pieces import Stream
from losscli.exact.sums import CARRY, GroupSums, Sums

if TYPE_CHECKING:
    from torch import Tensor

SOURCE = Path(__file__).with_suffix(".c")
LIBRARY = SOURCE.with_name("kernel.compiled")
# As in kernel.c: the bits of the first piece and of the others; which pieces each of its sums adds or multiplies.
FIRST, STEP = 25, 26
TERMS = ((1,), (2,), (3,), (1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (4,), (1, 4), (2, 4), (3, 4), (4, 4))


def fingerprint(source: bytes) -> str:
    """What a library and the source that it was made from have in common."""
    return hashlib.sha256(source).hexdigest()


@functools.cache
def compiled() -> ctypes.CDLL | None:
    """The library; None where none was made, or one from another version of the source."""
    try:
        library = ctypes.CDLL(str(LIBRARY))
        made_from = (ctypes.c_char * 64).in_dll(library, "losscli_source").value.decode()
    except (OSError, ValueError):
        return None
    if made_from != fingerprint(SOURCE.read_bytes()):
        return None
    pointer, size, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
    library.losscli_sums.restype = library.losscli_group_sums.restype = size
    library.losscli_sums.argtypes = [pointer, size, number, number, pointer, pointer]
    library.losscli_group_sums.argtypes = [pointer, pointer, size, number, pointer, pointer]
    return library


def add(sums: Sums | GroupSums, stream: Stream, codes: Tensor | None, squares: bool) -> Tensor | None:
    """Adds a stream to ``c``, and its squares to ``cc``.

    Args:
        sums: what is added to.
        stream: values of at most 2^200 or so.
        codes: the group of each, int64, shape (n,), for sums by group.
        squares: whether their sum is wanted; groups get it in any case.

    Returns:
        Indices of the values that keep a rest and were not added; None for none.
    """
    library = compiled()
    assert library is not None
    if stream.low == stream.high == 0:
        return None
    n = len(stream.values)
    left = _memory.indices(n)
    into = left.ctypes.data
    if isinstance(sums, Sums):
        totals = numpy.zeros((len(TERMS), 2), dtype=numpy.int64)
        count = library.losscli_sums(
            stream.values.data_ptr(), n, stream.exponent, int(squares), totals.ctypes.data, into
        )
        for (name, level), (low, high) in zip(levels(stream), totals.tolist()):
            sums.add_multiple(name, level, (high << 64) + low % (1 << 64))
    else:
        assert codes is not None
        codes = codes.contiguous()
        by_group = numpy.zeros((sums.groups, len(TERMS), 2), dtype=numpy.int64)
        count = library.losscli_group_sums(
            stream.values.data_ptr(), codes.data_ptr(), n, stream.exponent, by_group.ctypes.data, into
        )
        low_half = (1 << CARRY) - 1
        # An entry of 128 bits as two of the 42 that GroupSums allows: of 2^20 values none has more than 72.
        for row, (name, level) in enumerate(levels(stream)):
            lows, highs = by_group[:, row, 0], by_group[:, row, 1]
            sums.add_multiples(name, level, lows & low_half)
            sums.add_multiples(name, level + CARRY, highs << CARRY | lows >> CARRY & low_half)
    return torch.from_numpy(left[:count].copy()) if count else None


def levels(stream: Stream) -> list[tuple[str, int]]:
    """Which sum each total belongs to, and the power of two that it counts."""
    grid = {piece: stream.exponent - FIRST - (piece - 1) * STEP for piece in (1, 2, 3, 4)}
    result = []
    for term in TERMS:
        # A product of two different pieces occurs twice.
        level = sum(grid[piece] + stream.shift for piece in term) + (len(set(term)) > 1)
        result.append(("c" * len(term), level))
    return result


class _Memory(threading.local):
    """Where indices are put, kept by each thread."""

    kept: numpy.ndarray | None = None

    def indices(self, n: int) -> numpy.ndarray:
        if self.kept is None or len(self.kept) < n:
            self.kept = numpy.empty(n, dtype=numpy.int64)
        return self.kept


_memory = _Memory()
