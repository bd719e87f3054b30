"""What the figures were measured on. No names, no paths: only what bears on speed."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("losscli", "torch", "duckdb", "numpy", "pyarrow", "pandas", "scikit-learn", "polars", "typer")
GPU_PROBE = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"


def facts() -> dict[str, Any]:
    """Processor, memory, system, versions and date."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "gpu": gpu(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **_versions()},
    }


def gpu() -> str | None:
    """The name of the CUDA device, asked for in another process: torch would stay in this one."""
    done = subprocess.run([sys.executable, "-c", GPU_PROBE], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
