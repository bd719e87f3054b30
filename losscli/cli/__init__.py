"""The command line: parse, call one function, print. Every failure ends in one message and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from losscli.cli.outcome import BROKEN_PIPE, report_failure
from losscli.signals import raise_on

TERMINATED = 143


class Terminated(BaseException):
    """Raised by SIGTERM, so that temporary files are removed on the way out."""


def main() -> None:
    """Runs the command of ``sys.argv`` and ends the process with its exit code."""
    raise_on(signal.SIGINT, KeyboardInterrupt)
    raise_on(signal.SIGTERM, Terminated)
    code = run(sys.argv[1:])
    # Everything is flushed: skip the interpreter's teardown, which takes torch a third of a second.
    os._exit(code)


def run(arguments: list[str]) -> int:
    """Runs one command line and gives its exit code. All output is flushed; nothing is raised."""
    try:
        code = _invoke(arguments)
        _flush()
    except Terminated:
        return TERMINATED
    except BaseException as error:
        # Completion ends the process itself, once it has printed its answer.
        code = 0 if isinstance(error, SystemExit) and not error.code else report_failure(error)
        if code != BROKEN_PIPE:
            try:
                _flush()
            except OSError:
                return code
    return code


def _invoke(arguments: list[str]) -> int:
    from losscli.cli.app import command
    from losscli.cli.loading import take_loads

    outcome: Any = command().main(take_loads(arguments), prog_name="losscli", standalone_mode=False)
    return outcome if isinstance(outcome, int) else 0


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
