"""Runs commands as a person does: in a pseudo-terminal of 100 columns, in a folder that holds the sample data."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pexpect

ROOT = Path(__file__).parent.parent
COLUMNS = 100


def run_in_terminal(command: str, folder: Path, columns: int = COLUMNS) -> tuple[str, int]:
    """What the terminal shows and the exit code of a shell command. Line ends are ``\\n``, trailing blanks are cut."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "TERM": "xterm",
        "COLUMNS": str(columns),
    }
    child = pexpect.spawn(
        "/bin/bash",
        ["-c", command],
        cwd=str(folder),
        env=environment,
        dimensions=(50, columns),
        timeout=120,
        encoding="utf-8",
        echo=False,
    )
    child.expect(pexpect.EOF)
    child.close()
    shown = child.before.replace("\r\n", "\n")
    # A progress line that was taken away again is not part of what is shown.
    shown = re.sub(r"\r[^\n]*\x1b\[K", "", shown)
    text = "\n".join(line.rstrip() for line in shown.split("\n")).rstrip("\n")
    return text, child.exitstatus if child.exitstatus is not None else 128 + (child.signalstatus or 0)
