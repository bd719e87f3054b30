"""Compiles losscli/exact/kernel.c at installation, where there is a C compiler; without one sums only take longer."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# No multiply and add in one: the source has none to spare, and all processors are to do the same.
FLAGS = ("-O3", "-shared", "-fPIC", "-ffp-contract=off", "-Wno-psabi")


class CompileKernel(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the library beside its source, into the wheel as well."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        source = Path(self.root, "losscli", "exact", "kernel.c")
        library = source.with_name("kernel.compiled")
        made_from = hashlib.sha256(source.read_bytes()).hexdigest()
        compiler = os.environ.get("CC", "cc").split()
        command = [*compiler, *FLAGS, f'-DSOURCE="{made_from}"', str(source), "-o", str(library)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            library.unlink(missing_ok=True)
            said = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
            self.app.display_warning(f"sums will be taken by torch, which is slower: {said.strip()}")
            return
        build_data["artifacts"].append("losscli/exact/kernel.compiled")
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
