"""Which device computes: asked for by name, or chosen, never a silent fallback; and how batches get there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch
from losscli.errors import ResourceError, UsageError, shown
from losscli.readers.source import IN_MEMORY, Batch, Source

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

AUTO = "auto"
# Bytes of arrays from which starting a GPU is worth it.
PAYS_FROM = 4 << 30


def check_name(name: str) -> str:
    """The name, where it is one that ``--device`` takes. Imports no torch.

    Raises:
        UsageError: it is not.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?|mps", name):
        raise UsageError(f"{shown(name)} is not a device", hint="--device takes auto, cpu, cuda, cuda:N or mps.")
    return name


def chosen(name: str, source: Source) -> str:
    """The device to compute on: the one that is named, or for ``auto`` the one that pays.

    Data that are on a device already stay there. Large arrays go to a GPU, which takes them from files about three
    times as fast as the processor does (10^8 rows of two numbers: .41 s on an H200, 1.3 s on its 16 cores) but needs
    seconds to start; text takes longer to read than to compute.

    Raises:
        UsageError: not a device's name.
        ResourceError: a device that this machine or this build of torch does not have.
    """
    if check_name(name) != AUTO:
        return usable(name)
    if source.resident is not None:
        return source.resident
    reading = source.consumed() if source.format in IN_MEMORY else None
    pays = reading is not None and reading.size >= PAYS_FROM
    return "cuda" if pays and torch.cuda.is_available() else "cpu"


def usable(name: str) -> str:
    """The device of that name, where it can be used; the processor for ``auto``.

    Raises:
        UsageError: not a device's name.
        ResourceError: a device that this machine or this build of torch does not have.
    """
    check_name(name)
    if name in (AUTO, "cpu"):
        return "cpu"
    if name == "mps":
        if not torch.backends.mps.is_available():
            raise ResourceError("there is no mps device here", hint="--device cpu works everywhere.")
        return name
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    number = int(name.partition(":")[2] or 0)
    if number >= count:
        found = f"{count} CUDA device{'s' if count != 1 else ''}" if count else "no CUDA device"
        raise ResourceError(f"{name} is not there: this torch finds {found}", hint="--device cpu works everywhere.")
    return name


def brought(batches: Generator[Batch, None, None] | Iterator[Batch], device: str) -> Iterator[Batch]:
    """Brings batches to a CUDA device while it computes those before them.

    The bus reads pinned memory by itself: one buffer is filled while it takes the other.
    """
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    lanes = [_Lane(), _Lane()]
    number = 0
    with closing(batches):  # type: ignore[type-var]
        for batch in batches:
            lane, number = lanes[number % 2], number + 1
            lane.wait()
            with torch.cuda.stream(stream):
                values = {
                    field: lane.copied(position, values, device) if isinstance(values, numpy.ndarray) else values
                    for position, (field, values) in enumerate(batch.values.items())
                }
                lane.sent = torch.cuda.Event()  # type: ignore[no-untyped-call]
                lane.sent.record(stream)
            for tensor in values.values():
                # The memory must not be used again before the stream that computes is done with it.
                tensor.record_stream(torch.cuda.default_stream(device))
            yield replace(batch, values=values, ready=lane.sent)


class _Lane:
    """Pinned memory for the fields of a batch, and the event after which it can be filled again."""

    def __init__(self) -> None:
        self.sent: torch.cuda.Event | None = None
        self._buffers: dict[tuple[int, torch.dtype], Tensor] = {}

    def wait(self) -> None:
        """Waits until the bus has taken what was filled in."""
        if self.sent is not None:
            self.sent.synchronize()

    def copied(self, position: int, values: numpy.ndarray, device: str) -> Tensor:
        """An array on the device, once the present stream gets there."""
        dtype = torch.float32 if values.dtype == numpy.float32 else torch.float64
        buffer = self._buffers.get((position, dtype))
        if buffer is None or len(buffer) < values.size:
            buffer = torch.empty(values.size, dtype=dtype, pin_memory=True)
            self._buffers[position, dtype] = buffer
        pinned = buffer[: values.size]
        numpy.copyto(pinned.numpy(), values.reshape(-1))
        return pinned.view(values.shape).to(device, non_blocking=True)
