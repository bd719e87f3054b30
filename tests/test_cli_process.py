"""What only a process of its own shows: exit codes of pipes, disks and signals, both streams, the folder it runs in."""

from __future__ import annotations

import csv
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

LOSSCLI = str(Path(sys.executable).parent / "losscli")
USING = 'using "target" as target and "pred" as pred\n'
needs_full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two rows of data, in which the commands run."""
    (tmp_path / "p.csv").write_text("pred,target\n1,2\n3,6\n")
    return tmp_path


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/bash", "-c", command],
        cwd=folder,
        env={**os.environ, "LOSSCLI": LOSSCLI, "PYTHON": sys.executable},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def outcome(command: str, folder: Path) -> tuple[int, str, str]:
    done = shell(command, folder)
    return done.returncode, done.stdout, done.stderr


# --- standard output that goes nowhere --------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["list", "--help", "compute mae p.csv", "plot mae -o - -f png"])
def test_a_closed_pipe_ends_silently(folder: Path, command: str) -> None:
    # The reader is gone before the first byte comes.
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            [LOSSCLI, *command.split()], cwd=folder, stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert (done.returncode, done.stderr.replace(USING, "")) == (141, "")


def test_a_pipe_that_is_closed_in_the_middle_of_the_rows_ends_silently(folder: Path) -> None:
    (folder / "long.csv").write_text("pred,target\n" + "1,2\n" * 60_000)
    command = '"$LOSSCLI" compute mae --per-datum -q -f csv long.csv | head -n 2; exit ${PIPESTATUS[0]}'
    assert outcome(command, folder) == (141, "row,mae\n1,1\n", "")


@needs_full_device
@pytest.mark.parametrize("command", ["list", "compute mae -q p.csv"])
def test_a_full_disk_under_standard_output_is_exit_4(folder: Path, command: str) -> None:
    found = outcome(f'"$LOSSCLI" {command} > /dev/full', folder)
    assert found == (4, "", "losscli: No space left on device.\n")


@pytest.mark.parametrize("command", ["list", "compute mae -q --per-datum p.csv"])
def test_a_closed_standard_output_is_exit_4(folder: Path, command: str) -> None:
    assert outcome(f'"$LOSSCLI" {command} >&-', folder) == (4, "", "losscli: standard output is closed.\n")


def test_a_closed_standard_error_changes_no_result(folder: Path) -> None:
    assert outcome('"$LOSSCLI" compute mae -f plain p.csv 2>&-', folder) == (0, "2.0\n", "")


# --- both streams -----------------------------------------------------------------------------------------------------


def test_results_are_on_standard_output_and_talk_on_standard_error(folder: Path) -> None:
    code, out, err = outcome('"$LOSSCLI" compute mae p.csv', folder)
    (record,) = csv.DictReader(io.StringIO(out), delimiter="\t")
    assert (code, float(record["value"]), err) == (0, 2.0, USING)


def test_quiet_leaves_standard_error_empty(folder: Path) -> None:
    assert outcome('"$LOSSCLI" compute mae -q -f plain p.csv', folder) == (0, "2.0\n", "")


def test_the_module_runs_as_the_command_does(folder: Path) -> None:
    assert outcome('"$PYTHON" -m losscli compute mae -f plain < p.csv', folder) == (0, "2.0\n", USING)


# --- wrong commands ---------------------------------------------------------------------------------------------------


def test_an_unknown_command_gets_a_suggestion(folder: Path) -> None:
    assert outcome('"$LOSSCLI" comptue mae p.csv', folder) == (
        2,
        "",
        "losscli: No such command 'comptue'. Did you mean 'compute'? Hint: losscli --help shows what it takes.\n",
    )


def test_without_a_command_the_help_names_every_command(folder: Path) -> None:
    code, out, err = outcome('"$LOSSCLI"', folder)
    assert (code, err) == (2, "")
    first_words = {line.strip("│ ").split(" ")[0] for line in out.splitlines()}
    assert {"list", "show", "inspect", "compute", "plot"} <= first_words


@pytest.mark.parametrize("command", ["compute mae p.csv -p perd", "compute mae < /dev/null"])
def test_a_failure_is_one_line_and_no_traceback(folder: Path, command: str) -> None:
    code, out, err = outcome(f'"$LOSSCLI" {command}', folder)
    assert code in (2, 3, 4)
    assert out == ""
    assert err.startswith("losscli: ")
    assert err.count("\n") == 1


# --- signals ----------------------------------------------------------------------------------------------------------


def temporary(folder: Path) -> Path:
    made = folder / "temporary"
    made.mkdir()
    return made


@pytest.fixture
def running(folder: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that a test starts, none of which outlives it."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                stream.close()


def start(arguments: str, folder: Path, **streams: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [LOSSCLI, *arguments.split()],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary(folder))},
        stderr=subprocess.PIPE,
        text=True,
        **streams,
    )


def wait_until(condition: object, process: subprocess.Popen[str]) -> None:
    assert callable(condition)
    end = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, "the process ended before it could be stopped"
        assert time.monotonic() < end, "the process did not come that far"
        time.sleep(0.01)


def test_a_signal_in_the_middle_of_standard_input_leaves_nothing_behind(
    folder: Path, running: list[subprocess.Popen[str]]
) -> None:
    process = start("compute mae", folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    running.append(process)
    assert process.stdin is not None
    # More than a pipe holds: when it is written, the process is reading. It waits for the rest, which never comes.
    process.stdin.write("pred,target\n" + "1,2\n" * 100_000)
    process.stdin.flush()
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    out, err = process.communicate()
    assert (out, err) == ("", "")
    assert list((folder / "temporary").iterdir()) == []


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"])
def test_a_signal_in_the_middle_of_writing_keeps_the_old_file(
    folder: Path, running: list[subprocess.Popen[str]], sent: int, code: int
) -> None:
    (folder / "long.csv").write_text("pred,target\n" + "1,2\n" * 600_000)
    (folder / "losses.csv").write_text("old\n")
    before = sorted([*(path.name for path in folder.iterdir()), "temporary"])
    process = start("compute mae --per-datum long.csv --chunk-rows 50 -o losses.csv --force -q", folder)
    running.append(process)
    wait_until(lambda: len(list(folder.iterdir())) > len(before), process)
    process.send_signal(sent)
    assert process.wait(30) == code
    assert process.communicate()[1] == ""
    assert sorted(path.name for path in folder.iterdir()) == before
    assert (folder / "losses.csv").read_text() == "old\n"
    assert list((folder / "temporary").iterdir()) == []


# --- the folder it runs in --------------------------------------------------------------------------------------------


def test_what_lies_in_the_folder_is_not_imported(folder: Path) -> None:
    for name in ("numpy", "torch", "pyarrow", "duckdb", "csv", "typer", "matplotlib", "losscli"):
        (folder / f"{name}.py").write_text("raise SystemExit('imported from the current folder')\n")
    (folder / "matplotlibrc").write_text("no.such.setting: 1\n")
    assert outcome('"$LOSSCLI" compute mae -q -f plain p.csv && "$LOSSCLI" plot mae -q', folder) == (
        0,
        "2.0\nmae.png\n",
        "",
    )
