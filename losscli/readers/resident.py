"""Tensors that are on a device already, read where they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from losscli._lazy import torch
from losscli.errors import DataError, shown
from losscli.readers.arrays import SAMPLED_ELEMENTS, SAMPLED_ROWS
from losscli.readers.conversion import EXACT_UP_TO
from losscli.readers.memory import NAME, MemorySource
from losscli.readers.source import Batch, Column, Consumed, Field, ReadOptions
from losscli.readers.table import BatchMaker, Table, delivered

if TYPE_CHECKING:
    from torch import Tensor


def device_of(columns: Any) -> str | None:
    """The device, other than the processor, on which all columns are as tensors; None where there is no such one."""
    if not isinstance(columns, Mapping) or not columns:
        return None
    devices = {str(values.device) if hasattr(values, "detach") else "cpu" for values in columns.values()}
    plain = all(not getattr(values, "is_complex", bool)() for values in columns.values())
    return devices.pop() if len(devices) == 1 and plain and devices != {"cpu"} else None


class ResidentSource(Table):
    """Tensors of one length on one device: batches are slices of them, and nothing is copied but to change its type.

    Args:
        columns: the tensors by name.

    Raises:
        DataError: the lengths differ, or there are no data.
    """

    def __init__(self, columns: Mapping[str, Tensor]) -> None:
        self.name = NAME
        self.format = "memory"
        self.options = ReadOptions()
        self.notes: list[str] = []
        self.resident = device_of(columns)
        self._tensors = {name: values.detach() for name, values in columns.items()}
        # What is said about columns, and refused, is the same as in the processor's memory.
        self.columns: tuple[Column, ...] = tuple(
            MemorySource({name: _first(values)}).columns[0] for name, values in self._tensors.items()
        )
        first, self.rows = next((name, len(values)) for name, values in self._tensors.items())
        for name, values in self._tensors.items():
            if len(values) != self.rows:
                raise DataError(f"{shown(first)} has {self.rows:,} rows, but {shown(name)} has {len(values):,}")
        self._given = 0

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``."""
        if maker.carry or maker.condition is not None or any(field.words is not None for field in maker.fields):
            yield from MemorySource(self._tensors).batches(maker, chunk_rows)
            return
        rows = self.rows or 0
        for start in range(0, rows, chunk_rows):
            stop = min(start + chunk_rows, rows)
            self._given = stop
            if all(_is_exact(self._tensors[key][start:stop]) for key in maker.keys):
                values = {field: self._values(field, start, stop) for field in maker.fields}
                yield Batch(range(start + 1, stop + 1), values)
            else:
                cells = {key: self._tensors[key][start:stop].cpu().numpy() for key in maker.keys}
                yield from delivered(*maker.make(cells, start + 1, stop - start))

    def consumed(self) -> Consumed | None:
        """See ``Source.consumed``."""
        size = sum(values.nbytes for values in self._tensors.values())
        return Consumed(self._given, size * self._given // (self.rows or 1), size)

    def _values(self, field: Field, start: int, stop: int) -> Tensor:
        parts = [self._numbers(key, start, stop) for key in field.columns]
        if len(parts) == 1 and (not field.matrix or parts[0].dim() > 1):
            return parts[0]
        return torch.stack(parts, dim=1)

    def _numbers(self, key: str, start: int, stop: int) -> Tensor:
        values = self._tensors[key][start:stop]
        if values.is_floating_point():
            return values if values.dtype == torch.float64 else values.to(torch.float32)
        return values.to(torch.float64)


def _first(values: Tensor) -> Tensor:
    """So many of the first values as are needed to say what they are."""
    if values.dim() == 0:
        return values
    return values[: max(1, min(SAMPLED_ROWS, SAMPLED_ELEMENTS // max(1, values[:1].numel())))]


def _is_exact(values: Tensor) -> bool:
    """Whether float64 holds every value."""
    if values.dtype not in (torch.int64, torch.uint64) or values.numel() == 0:
        return True
    low, high = torch.aminmax(values)
    return low.item() >= -EXACT_UP_TO and high.item() <= EXACT_UP_TO
