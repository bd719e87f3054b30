"""Which device computes: asked for by name, or chosen; never a silent fallback."""

from __future__ import annotations

import re

from losscli._lazy import torch
from losscli.errors import ResourceError, UsageError, shown

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
