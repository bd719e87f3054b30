"""Whichever call of the system fails, in whatever library, for each kind of output: nothing lost, nothing silent.

A process that has every library loaded forks for each fault. `failing_calls.c` makes the call fail below Python, so
that reading by DuckDB, pyarrow and NumPy is struck as well as writing.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

COMPILER = shutil.which(os.environ.get("CC", "cc").split()[0])
pytestmark = pytest.mark.skipif(
    COMPILER is None or not sys.platform.startswith("linux"), reason="needs a C compiler on Linux"
)

CALLS = ("open", "read", "write", "fsync", "fchmod", "close", "fstat", "rename")
COSTS = ("csv", "tsv", "txt", "json", "jsonl", "md", "tex", "xml", "parquet", "arrow")
ROWS = ("csv", "tsv", "txt", "json", "jsonl", "md", "tex", "parquet", "arrow")
FIGURES = ("png", "svg", "pdf")
INPUTS = ("csv", "csv.gz", "tsv", "jsonl", "parquet", "arrow", "npz")
COMMANDS = {
    **{f"cost to {suffix}": (["compute", "mae"], "csv", suffix) for suffix in COSTS},
    **{f"rows to {suffix}": (["compute", "mae", "--per-datum"], "csv", suffix) for suffix in ROWS},
    **{f"curve to {suffix}": (["plot", "mae"], None, suffix) for suffix in FIGURES},
    **{f"cost of {suffix}": (["compute", "mae"], suffix, "json") for suffix in INPUTS},
}
# What goes through all that is written and most of what reads; the others in the long run.
OFTEN = ("cost to json", "rows to parquet", "curve to png", "cost of npz")

SERVER = """
import contextlib, ctypes, gc, importlib, json, os, sys
import torch
from losscli import cli

faults = ctypes.CDLL(os.environ["LD_PRELOAD"])
folder, output, said = sys.argv[1:]
argv, calls, codes = json.loads(sys.stdin.readline())

def once(call="", number=0, code=0, forever=0):
    '''Runs the command with a fault: its exit code, what it said, what is in the folder, and whether the call came.'''
    with open(output, "wb") as file:
        file.write(b"old")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        log = os.open(said, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 2), os.dup2(os.open(os.devnull, os.O_RDWR), 1)
        faults.failing_calls_arm(folder.encode(), call.encode(), number, code, forever)
        result = cli.run(argv)
        sys.stderr.flush()
        made = faults.failing_calls_made()
        faults.failing_calls_arm(b"", b"", 0, 0, 0)
        with os.fdopen(write, "w") as tell:
            json.dump([made, list(sys.modules)], tell)
        os._exit(result)
    os.close(write)
    with os.fdopen(read) as told:
        made, modules = json.loads(told.read() or "[0, []]")
    status = os.waitpid(child, 0)[1]
    left = sorted(os.listdir(folder))
    content = open(output, "rb").read() if os.path.exists(output) else b""
    for name in left:
        if ".losscli-" in name:
            os.unlink(os.path.join(folder, name))
    return os.waitstatus_to_exitcode(status), open(said).read(), left, content, made >= number, modules

first = once()
print(json.dumps({"right": first[3].hex()}))
# What the others would each import again.
for name in first[5]:
    # Some libraries enter modules there that no import can find.
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
gc.freeze()
for call in calls:
    for code in codes:
        for forever in (0, 1):
            for number in range(1, 60):
                result, text, left, content, struck, _ = once(call, number, code, forever)
                fault = f"{call} {number} {code}" + " and all later ones" * forever
                print(json.dumps([fault, result, text, left, content.hex(), struck]), flush=True)
                if not struck and result >= 0:
                    break
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("library") / "failing_calls.so"
    source = Path(__file__).with_name("failing_calls.c")
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-O1", str(source), "-o", str(path), "-ldl"], check=True)
    return path


def make_input(folder: Path, suffix: str) -> Path:
    """Three hundred rows of pred and target in a format."""
    import numpy
    import pandas

    path = folder / f"preds.{suffix}"
    frame = pandas.DataFrame({"pred": numpy.arange(300) / 7, "target": numpy.arange(300) / 5})
    if suffix == "parquet":
        frame.to_parquet(path)
    elif suffix == "arrow":
        frame.to_feather(path, compression="uncompressed")
    elif suffix == "npz":
        numpy.savez(path, pred=frame["pred"].to_numpy(), target=frame["target"].to_numpy())
    elif suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    return path


@pytest.mark.parametrize(
    "command", [pytest.param(name, marks=pytest.mark.slow if name in OFTEN else pytest.mark.long) for name in COMMANDS]
)
def test_whichever_call_fails_the_output_is_old_or_new_and_the_exit_code_says_so(
    command: str, library: Path, tmp_path: Path
) -> None:
    verb, read, written = COMMANDS[command]
    folder = tmp_path / "here"
    folder.mkdir()
    output = folder / f"out.{written}"
    source = [str(make_input(folder, read))] if read else []
    argv = [*verb, *source, "-o", str(output), *(["--force", "-q"] if read else [])]
    calls = CALLS if read == "csv" or read is None else ("open", "read", "close", "fstat")
    done = subprocess.run(
        [sys.executable, "-c", SERVER, str(folder), str(output), str(tmp_path / "said")],
        input=json.dumps([argv, calls, [errno.EIO]]),
        env={**os.environ, "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, *faults = map(json.loads, done.stdout.splitlines())
    right = bytes.fromhex(first["right"])
    assert right not in (b"", b"old")
    names = sorted(path.name for path in (output, *map(Path, source)))
    wrong = [fault for fault in faults if not is_right(fault, right, names)]
    assert wrong == []
    struck = {fault.split()[0] for fault, *_, was_struck in faults if was_struck}
    assert struck >= ({"open", "close"} | ({"write", "fsync", "rename"} if len(calls) > 4 else set()))


def is_right(fault: list[Any], right: bytes, names: list[str]) -> bool:
    """Whether the run with a fault ended as it should."""
    _, result, said, left, content, struck = fault
    whole = bytes.fromhex(content)
    if left != names or whole not in (b"old", right):
        return False
    if result == 0:
        return whole == right and said == ""
    return struck and result == 4 and said.startswith("losscli: ") and "cannot be " in said
