from __future__ import annotations

import errno
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from losscli.errors import LosscliError, ResourceError, UsageError
from losscli.output import check, open_output, write_output

ROOT = os.geteuid() == 0


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "preds.parquet"
    path.write_bytes(b"old")
    return path


def left(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# --- before reading ---------------------------------------------------------------------------------------------------


def refusal(path: object, *, force: bool = False, inputs: tuple[str, ...] = ()) -> tuple[type, int, str]:
    with pytest.raises(LosscliError) as caught:
        check(str(path), force=force, inputs=inputs)
    return type(caught.value), caught.value.exit_code, str(caught.value)


def test_a_new_file_and_standard_output_are_allowed(tmp_path: Path) -> None:
    check(str(tmp_path / "new.csv"), force=False, inputs=["-", str(tmp_path / "in.csv")])
    check("-", force=False, inputs=["-"])
    assert left(tmp_path) == []


def test_an_existing_file_needs_force(target: Path) -> None:
    assert refusal(target) == (UsageError, 2, f"{target} exists. Hint: --force replaces it.")
    check(str(target), force=True, inputs=[])


@pytest.mark.parametrize("force", [False, True])
def test_the_input_is_never_the_output_by_whatever_name(target: Path, force: bool) -> None:
    link, hard = target.with_name("link"), target.with_name("hard")
    link.symlink_to(target)
    os.link(target, hard)
    for name in (target, link, hard):
        expected = (UsageError, 2, f"{target} is the input itself. Hint: write to another file.")
        assert refusal(target, force=force, inputs=("-", "missing.csv", str(name))) == expected


def test_a_folder_is_not_an_output(tmp_path: Path) -> None:
    assert refusal(tmp_path) == (UsageError, 2, f"{tmp_path} is a folder. Hint: give the name of a file in it.")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no" / "x.csv"
    message = f"{path} cannot be written: there is no folder {tmp_path / 'no'}."
    assert refusal(path) == (ResourceError, 4, message)
    slash = f"{tmp_path}/out/"
    assert refusal(slash) == (ResourceError, 4, f"{slash} cannot be written: there is no folder {tmp_path}/out.")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_name_that_no_file_can_have_is_refused(path: str) -> None:
    shown = path.replace("\0", "\\x00")
    assert refusal(path) == (UsageError, 2, f'"{shown}" is not the name of a file.')


def test_a_name_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 300)
    assert refusal(path) == (ResourceError, 4, f"{path} cannot be written: File name too long.")


@pytest.mark.skipif(ROOT, reason="the superuser may write everywhere")
def test_a_folder_and_a_file_without_permission_are_refused(target: Path) -> None:
    target.chmod(0o400)
    assert refusal(target, force=True)[1:] == (4, f"{target} cannot be written: Permission denied.")
    target.parent.chmod(0o500)
    new = target.with_name("new")
    assert refusal(new)[1:] == (4, f"{new} cannot be written: Permission denied in its folder.")
    target.parent.chmod(0o700)


def test_permission_is_asked_for_before_reading(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert refusal(target, force=True) == (ResourceError, 4, f"{target} cannot be written: Permission denied.")


def test_devices_need_no_force() -> None:
    check("/dev/null", force=False, inputs=["/dev/null"])
    check("/dev/stdout", force=False, inputs=[])


def test_control_characters_of_a_name_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\u202e.csv"
    path.touch()
    assert refusal(path)[2] == f"{tmp_path}/a\\x1b[31m\\u202e.csv exists. Hint: --force replaces it."


# --- writing ----------------------------------------------------------------------------------------------------------


def test_the_old_file_stays_until_the_new_one_is_whole(target: Path) -> None:
    with open_output(str(target)) as file:
        file.write(b"new" * 1_000_000)
        assert target.read_bytes() == b"old"
        temporary = [name for name in left(target.parent) if name != target.name]
        assert len(temporary) == 1
        assert temporary[0].startswith(".preds.parquet.losscli-")
        assert temporary[0].endswith(".tmp")
    assert target.read_bytes() == b"new" * 1_000_000
    assert left(target.parent) == ["preds.parquet"]


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("size", [1, 3_000_000])
def test_a_failure_in_the_block_leaves_everything_as_it_was(
    target: Path, raised: type[BaseException], size: int
) -> None:
    def fail() -> None:
        with open_output(str(target)) as file:
            file.write(b"n" * size)
            raise raised("mine")

    with pytest.raises(raised, match="mine"):
        fail()
    assert target.read_bytes() == b"old"
    assert left(target.parent) == ["preds.parquet"]


def test_an_existing_file_keeps_its_permissions(target: Path) -> None:
    target.chmod(0o640)
    write_output(str(target), b"new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_output(str(tmp_path / "x"), b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o640


@pytest.mark.parametrize("dangling", [False, True])
def test_a_symbolic_link_stays_and_its_target_is_written(tmp_path: Path, dangling: bool) -> None:
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "x.csv", tmp_path / "link.csv"
    if not dangling:
        real.write_bytes(b"old")
    link.symlink_to(real)
    check(str(link), force=True, inputs=[])
    write_output(str(link), b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert left(tmp_path) == ["link.csv", "real"]
    assert left(tmp_path / "real") == ["x.csv"]


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_output(str(path), b"new")
    assert path.read_bytes() == b"new"


def test_a_fifo_is_written_directly(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    check(str(fifo), force=False, inputs=[])
    write_output(str(fifo), b"new" * 100_000)
    reader.join()
    assert got == [b"new" * 100_000]
    assert stat.S_ISFIFO(fifo.stat().st_mode)


def test_a_full_device_is_an_error_that_names_it() -> None:
    with pytest.raises(ResourceError) as caught, open_output("/dev/full") as file:
        file.write(b"x")
    assert str(caught.value) == "/dev/full cannot be written: No space left on device."
    with pytest.raises(ResourceError), open_output("/dev/full") as file:
        file.write(b"x" * 3_000_000)


def run(code: str, *args: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", code, *args], capture_output=True, check=False, **options)


WRITE = "import sys; from losscli.output import write_output; write_output(sys.argv[1], b'abc' * int(sys.argv[2]))"


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "-"])
def test_standard_output_by_any_name_is_appended_to(tmp_path: Path, name: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before ")
    with path.open("ab") as log:
        subprocess.run([sys.executable, "-c", WRITE, name, "1"], stdout=log, check=True)
    assert path.read_bytes() == b"before abc"


def test_a_closed_pipe_is_told_apart(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with pytest.raises(BrokenPipeError), open_output(f"/dev/fd/{write}") as file:
        file.write(b"x")
    os.close(write)


# --- faults -----------------------------------------------------------------------------------------------------------

CALLS = ["write", "fsync", "replace", "close", "fchmod", "open"]


def fails_at(monkeypatch: pytest.MonkeyPatch, name: str, number: int, code: int) -> list[int]:
    """Lets the given call of an os function fail; gives the calls so far."""
    real, calls = getattr(os, name), []

    def faulty(*args: object, **options: object) -> object:
        calls.append(1)
        if len(calls) == number:
            if name == "close":  # as on Linux, the descriptor is gone even so
                real(*args)
            raise OSError(code, os.strerror(code))
        return real(*args, **options)

    monkeypatch.setattr(os, name, faulty)
    return calls


def write_thrice(target: Path, reason: str) -> bool:
    """Whether writing failed, for that reason."""
    try:
        with open_output(str(target)) as file:
            for _ in range(3):
                file.write(b"new" * 500_000)
    except ResourceError as error:
        return str(error) == f"{target} cannot be written: {reason}." or pytest.fail(str(error))
    return False


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT])
@pytest.mark.parametrize("name", CALLS)
def test_whichever_call_fails_the_file_is_old_or_new_and_the_error_says_why(target: Path, name: str, code: int) -> None:
    for number in range(1, 20):
        target.write_bytes(b"old")
        with pytest.MonkeyPatch.context() as patch:
            calls = fails_at(patch, name, number, code)
            failed = write_thrice(target, os.strerror(code))
        if not failed:
            assert len(calls) < number
            assert number > 1
            break
        whole = target.read_bytes()
        # Only a failure to sync the folder comes after the rename.
        assert whole == b"old" or (whole == b"new" * 1_500_000 and name in ("fsync", "open", "close") and number > 1)
        assert left(target.parent) == ["preds.parquet"]
    else:
        pytest.fail("the call was made more often than expected")


def test_a_folder_that_cannot_be_synced_by_its_file_system_is_no_failure(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fails_at(monkeypatch, "fsync", 2, errno.EINVAL)
    write_output(str(target), b"new")
    assert len(calls) == 2
    assert target.read_bytes() == b"new"


def test_the_file_is_synced_before_the_rename_and_the_folder_after(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    for name in ("write", "fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, real=real, name=name: order.append(name) or real(*a))
    write_output(str(target), b"new")
    assert order == ["write", "fsync", "replace", "fsync"]


def test_an_error_of_the_reader_is_not_blamed_on_the_output(target: Path) -> None:
    with pytest.raises(OSError, match="the input's disk") as caught, open_output(str(target)):
        raise OSError(errno.EIO, "the input's disk")
    assert not isinstance(caught.value, LosscliError)
    assert target.read_bytes() == b"old"


def test_a_file_above_the_size_limit_is_an_error_and_the_old_file_stays(target: Path) -> None:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    done = run(WRITE, str(target), "1000000", preexec_fn=limit)
    assert done.returncode == 1
    assert done.stderr.decode().rstrip().endswith(f"ResourceError: {target} cannot be written: File too large.")
    assert target.read_bytes() == b"old"
    assert left(target.parent) == ["preds.parquet"]


@pytest.mark.parametrize("kill", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_process_leaves_the_old_file_and_a_recognisable_rest(target: Path, kill: signal.Signals) -> None:
    code = (
        "import sys; from losscli.output import open_output\n"
        "with open_output(sys.argv[1]) as file:\n"
        "    file.write(b'n' * 3_000_000); print('ready', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(kill)
        assert process.wait() == -kill
    assert target.read_bytes() == b"old"
    rest = [name for name in left(target.parent) if name != "preds.parquet"]
    assert [name.startswith(".preds.parquet.losscli-") and name.endswith(".tmp") for name in rest] == [True]


def test_two_writers_at_once_each_leave_a_whole_file(target: Path) -> None:
    def write(letter: bytes) -> None:
        for _ in range(5):
            write_output(str(target), letter * 2_000_000)
            time.sleep(0.001)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert target.read_bytes() in (b"a" * 2_000_000, b"b" * 2_000_000)
    assert left(target.parent) == ["preds.parquet"]


KILLS = 200
KILLED = f"""
import os, random, signal, sys, time
from losscli.cli import Terminated
from losscli.output import write_output

def terminated(*_):
    raise Terminated

target, size, litter = sys.argv[1], 300_000, 0
folder = os.path.dirname(target)
draw = random.Random(7)
for number in range({KILLS}):
    kill = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)[number % 3]
    ready, writes = os.pipe()
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, terminated)
        try:
            os.write(writes, b"r")
            for letter in range(10**9):
                write_output(target, bytes([97 + letter % 26]) * size)
        except (KeyboardInterrupt, Terminated):
            os._exit(99)
    os.read(ready, 1)
    time.sleep(draw.uniform(0, 0.02))
    os.kill(child, kill)
    status = os.waitpid(child, 0)[1]
    assert (os.WTERMSIG(status) if kill == signal.SIGKILL else os.WEXITSTATUS(status)) in (9, 99), status
    content = open(target, "rb").read()
    assert len(content) == size and len(set(content)) == 1, (number, len(content))
    rest = [name for name in os.listdir(folder) if name != os.path.basename(target)]
    assert all(".losscli-" in name and name.endswith(".tmp") for name in rest), rest
    assert kill == signal.SIGKILL or not rest, (kill, rest)
    litter += len(rest)
    for name in rest:
        os.unlink(os.path.join(folder, name))
    os.close(ready), os.close(writes)
print(litter)
"""


@pytest.mark.slow
def test_two_hundred_kills_at_random_times_leave_a_whole_file(target: Path) -> None:
    """And nothing beside it, but for a kill that no process can answer: then a file that is known for what it is."""
    target.write_bytes(b"a" * 300_000)
    done = run(KILLED, str(target), timeout=300)
    assert done.stderr.decode() == ""
    assert 0 < int(done.stdout) <= KILLS / 3 + 1
