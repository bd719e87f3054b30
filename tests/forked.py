"""Commands, and pieces of Python, in processes of their own that need not import anything: forks of one that has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType

SERVER = """
import gc, json, os, sys, traceback
from losscli import cli

def run(task):
    if isinstance(task, list):
        sys.argv = ["losscli", *task]
        cli.main()
    try:
        exec(compile(task, "<shown>", "exec"), {"__name__": "__main__"})
        code = 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush(), sys.stderr.flush()
    os._exit(code)

# One command, from a table of words to a file, imports what the others would.
with open("words.csv", "w") as file:
    file.write("pred,target\\nyes,no\\nno,yes\\n")
assert cli.run(["compute", "zero-one", "-q", "words.csv", "-o", "cost.json"]) == 0
gc.freeze()
for line in sys.stdin:
    folder, task, *files = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        for number, path in enumerate(files):
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC if number else os.O_RDONLY
            os.dup2(os.open(path, flags, 0o600), number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", errors="backslashreplace")
        run(task)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forks:
    """Runs one task after the other. What they are given and what they print goes by way of files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._files = [folder / name for name in ("in", "out", "err")]
        self._server = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
        )

    def __enter__(self) -> Forks:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with self._server:
            assert self._server.stdin is not None
            self._server.stdin.close()

    def outcome(self, task: list[str] | str, folder: Path, piped: bytes = b"") -> tuple[int, str, str]:
        """The exit code of ``losscli`` with these arguments, or of this Python, in a folder, and what it printed.

        Every warning is an error, also one of an import.
        """
        given, out, err = self._files
        given.write_bytes(piped)
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        print(json.dumps([str(folder), task, *map(str, self._files)]), file=self._server.stdin, flush=True)
        code = int(self._server.stdout.readline())
        return code, out.read_text(), err.read_text()
