"""How a command ends: the message of a failure on stderr, and the exit code of the contract."""

from __future__ import annotations

import errno
import os
import sys
import traceback

from losscli.errors import LosscliError, ResourceError, escape

USAGE = 2
RESOURCE = 4
BUG = 5
INTERRUPTED = 130
BROKEN_PIPE = 141


def report_failure(error: BaseException) -> int:
    """Says on stderr what went wrong and gives the exit code; a closed pipe ends silently."""
    # Rich turns a closed pipe into SystemExit.
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        _silence_stdout()
        return BROKEN_PIPE
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, LosscliError):
        _say(str(error))
        return error.exit_code
    if isinstance(error, MemoryError):
        _say(str(ResourceError("out of memory", hint="--chunk-rows 4096 reads less at a time.")))
        return RESOURCE
    if isinstance(error, OSError):
        _say(str(ResourceError(_reason(error))))
        if error.errno in (errno.ENOSPC, errno.EBADF, errno.EIO):
            _silence_stdout()
        return RESOURCE
    text = _usage_text(error)
    if text is not None:
        if text:
            _say(text)
        return USAGE
    _say(_bug(error))
    return BUG


def _say(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"losscli: {text}\n")
    except OSError:
        return


def _reason(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{escape(str(error.filename))}: {what}" if error.filename is not None else what


def _usage_text(error: BaseException) -> str | None:
    """The message of a wrong command line, empty where help was printed, or None where the error is something else."""
    from typer._click.exceptions import ClickException, UsageError

    if not isinstance(error, ClickException):
        return None
    message = escape(error.format_message().replace("\n", " ").strip())
    context = error.ctx.command_path if isinstance(error, UsageError) and error.ctx is not None else "losscli"
    if not message:
        return ""
    stop = "" if message.endswith((".", "?", "!")) else "."
    return f"{message}{stop} Hint: {context} --help shows what it takes."


def _bug(error: BaseException) -> str:
    from losscli import __version__

    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""
    return (
        f"a bug in losscli {__version__}: {type(error).__name__}{place}: {escape(str(error))[:200]}. "
        "Hint: please report this line with the command that caused it."
    )


def _silence_stdout() -> None:
    """What is still buffered can no longer be written; without this the interpreter would complain at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except OSError:
        return
