"""Which device computes: asked for by name, or chosen, never a silent fallback; and how batches get there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch
from losscli.errors import ResourceError, UsageError, shown
from losscli.readers.source import Batch

if TYPE_CHECKING:
    from collections.abc import Generator

    from torch import Tensor

AUTO = "auto"


def check_name(name: str) -> str:
    """The name, where it is one that ``--device`` takes. Imports no torch.

    Raises:
        UsageError: it is not.
    """
    if not re.fullmatch(r"auto|cpu|cuda(:\d+)?|mps", name):
        raise UsageError(f"{shown(name)} is not a device", hint="--device takes auto, cpu, cuda, cuda:N or mps.")
    return name


def usable(name: str) -> str:
    """The device to compute on.

    ``auto`` is the CPU: reading a file takes longer than its losses do there, and the copy to a GPU comes on top.

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
