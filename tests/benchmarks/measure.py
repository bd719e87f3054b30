"""One command in a fresh process: how long it took and how much memory it held at most.

A process starts with the peak memory of the one that started it, and a benchmark that has made data is large. So each
command is started by a bare interpreter that runs this file as a script and imports next to nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TIME_LIMIT = 1_800
# Reading a module's compiled form, as any second start does, is part of what is measured; compiling it is not.
UNWANTED = ("PYTHONDONTWRITEBYTECODE", "PYTHONPROFILEIMPORTTIME", "PYTHONDEVMODE", "PYTHONWARNINGS")


@dataclass(frozen=True)
class Process:
    """What became of a command.

    Attributes:
        code: its exit code, or minus the number of the signal that ended it.
        out: what it wrote to standard output.
        err: what it wrote to standard error.
        wall: seconds from its start to its end.
        cpu: seconds of processor time, of all its threads.
        peak: bytes of memory that it held at most, mapped files included.
    """

    code: int
    out: str
    err: str
    wall: float
    cpu: float
    peak: int


def run(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, time_limit: int = TIME_LIMIT
) -> Process:
    """Runs a command on its own and measures it.

    Args:
        command: the program, by its path, and its arguments.
        environment: variables beside those of this process.
        time_limit: seconds after which it is killed.
    """
    inherited = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    with tempfile.TemporaryDirectory() as name:
        out, err = Path(name, "out"), Path(name, "err")
        launcher = [sys.executable, "-I", "-S", __file__, str(time_limit), str(out), str(err), *command]
        done = subprocess.run(
            launcher,
            env={**inherited, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} could not be started: {done.stderr.strip()}")
        measured = json.loads(done.stdout)
        return Process(out=out.read_text(errors="replace"), err=err.read_text(errors="replace"), **measured)


def _launch(time_limit: int, out: str, err: str, command: list[str]) -> dict[str, float]:
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    redirected = [(os.POSIX_SPAWN_OPEN, 1, out, writing, 0o600), (os.POSIX_SPAWN_OPEN, 2, err, writing, 0o600)]
    started = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=redirected)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(time_limit)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - started
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "code": os.waitstatus_to_exitcode(status),
        "wall": wall,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * unit,
    }


if __name__ == "__main__":
    print(json.dumps(_launch(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])))
