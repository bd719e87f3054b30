"""The sums of values and of their squares on a GPU in one pass, compiled there once there are enough of them to pay.

The compiler (NVRTC) and its bindings come with the builds of torch for CUDA. Until then, and where they are not, torch
does the same, to the same integers.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from losscli._lazy import numpy, torch
from losscli.exact.kernel import TERMS, levels
from losscli.exact.pieces import Stream
from losscli.exact.sums import GroupSums, Sums

if TYPE_CHECKING:
    from torch import Tensor

SOURCE = Path(__file__).with_name("kernel.cu")
# As in kernel.cu: so many threads are a block, and each takes at most so many values.
THREADS, VALUES = 256, 1024
# So many blocks of threads are on a multiprocessor at once.
BLOCKS = 4
# Compiling takes about as long as torch takes for so many values, and each call of torch as long as for some of them.
PAYS_FROM, VALUES_OF_A_CALL = 1 << 30, 1 << 20
# A total is two integers, of which the second counts 2^HALF of the first.
HALF = 32


@dataclass(frozen=True)
class Compiled:
    """The functions of kernel.cu on one device, what starts them, and how many blocks keep the device busy."""

    functions: dict[str, Any]
    launch: Callable[..., tuple[Any, ...]]
    blocks: int


# By device, how many values were asked about.
_asked: dict[torch.device, int] = {}


def pays(values: Tensor) -> bool:
    """Whether so many values have come to this device that compiling pays, these among them."""
    _asked[values.device] = _asked.get(values.device, 0) + len(values) + VALUES_OF_A_CALL
    return _asked[values.device] >= PAYS_FROM


def compiled(device: torch.device) -> Compiled | None:
    """The sums for a device; None where they cannot be compiled."""
    return _compiled(device.index if device.index is not None else torch.cuda.current_device())


@functools.cache
def _compiled(index: int) -> Compiled | None:
    properties = torch.cuda.get_device_properties(index)
    options = [f"--gpu-architecture=sm_{properties.major}{properties.minor}".encode()]
    try:
        from cuda.bindings import driver, nvrtc

        (program,) = _checked(nvrtc.nvrtcCreateProgram(SOURCE.read_bytes(), SOURCE.name.encode(), 0, [], []))
        _checked(nvrtc.nvrtcCompileProgram(program, len(options), options))
        (size,) = _checked(nvrtc.nvrtcGetCUBINSize(program))
        code = bytes(size)
        _checked(nvrtc.nvrtcGetCUBIN(program, code))
        with torch.cuda.device(index):
            (module,) = _checked(driver.cuModuleLoadData(code))
        functions = {
            name: _checked(driver.cuModuleGetFunction(module, name.encode()))[0]
            for name in ("losscli_sums", "losscli_sums_and_squares", "losscli_group_sums")
        }
    except (ImportError, RuntimeError):
        return None
    return Compiled(functions, driver.cuLaunchKernel, BLOCKS * properties.multi_processor_count)


def add(sums: Sums | GroupSums, stream: Stream, codes: Tensor | None, squares: bool) -> Tensor | None:
    """Adds a stream to ``c``, and its squares to ``cc``: as kernel.add does, on a device that has ``compiled``."""
    if stream.low == stream.high == 0:
        return None
    if isinstance(sums, Sums):
        found, left = _totals(stream, None, 1, "losscli_sums_and_squares" if squares else "losscli_sums")
        for (name, level), (low, high) in zip(levels(stream), found[0].tolist()):
            sums.add_multiple(name, level, (high << HALF) + low)
    else:
        found, left = _totals(stream, codes, sums.groups, "losscli_group_sums")
        for row, (name, level) in enumerate(levels(stream)):
            sums.add_multiples(name, level, found[:, row, 0])
            sums.add_multiples(name, level + HALF, found[:, row, 1])
    return left


def _totals(stream: Stream, codes: Tensor | None, groups: int, function: str) -> tuple[numpy.ndarray, Tensor | None]:
    """The totals by group, shape (groups, terms, 2), and the indices of what keeps a rest."""
    values = stream.values
    made = compiled(values.device)
    assert made is not None
    n, size = len(values), 2 * len(TERMS) * groups
    # The totals of all groups, and how many values are left.
    memory = torch.zeros(size + 1, dtype=torch.int64, device=values.device)
    left = torch.empty(n, dtype=torch.int32, device=values.device)
    codes = codes.contiguous() if codes is not None else None
    types = *[ctypes.c_void_p] * 2, ctypes.c_int64, ctypes.c_int, *[ctypes.c_void_p] * 3
    given = (
        values.data_ptr(),
        codes.data_ptr() if codes is not None else 0,
        n,
        stream.exponent,
        memory.data_ptr(),
        memory[size:].data_ptr(),
        left.data_ptr(),
    )
    blocks = min(-(-n // THREADS), max(made.blocks, -(-n // (THREADS * VALUES))))
    with torch.cuda.device(values.device):
        queue = torch.cuda.current_stream().cuda_stream
        _checked(made.launch(made.functions[function], blocks, 1, 1, THREADS, 1, 1, 0, queue, (given, types), 0))
    found = memory.cpu().numpy()
    count = int(found[size])
    return found[:size].reshape(groups, len(TERMS), 2), left[:count].long() if count else None


def _checked(answer: tuple[Any, ...]) -> tuple[Any, ...]:
    """What a call of the bindings gives beside its status.

    Raises:
        RuntimeError: the status is not that of success.
    """
    status, *rest = answer
    if status.value:
        raise RuntimeError(f"the GPU's compiler or driver says {status!r}")
    return tuple(rest)
