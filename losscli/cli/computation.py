"""What ``losscli compute`` does: from the options to records, and from records to the terminal, a pipe or a file."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from losscli import output
from losscli.blocks import Rules, check_choice
from losscli.cli import gates
from losscli.cli.options import FORMATS, ComputeOptions
from losscli.cli.terminal import Talk, stdout_bytes, stdout_is_terminal, use_color, width, write_text
from losscli.columns.roles import Call
from losscli.device import AUTO, check_name, chosen
from losscli.engine import REDUCTIONS, RowOutput, Settings, evaluate
from losscli.errors import LosscliError, UsageError, shown
from losscli.inputs import STDIN, Inputs, Opened, is_path, open_inputs
from losscli.loss import BoundLoss
from losscli.readers.source import ReadOptions
from losscli.result import Record
from losscli.rows import LargestRows
from losscli.timing import spent

if TYPE_CHECKING:
    import pyarrow


SHOWN_ROWS = 10
# In the order of the work. Threads overlap, so the seconds may add up to more than the run took.
PHASES = ("import", "read", "wait for data", "group", "compute", "sum", "write")


class Computation:
    """One ``compute``: checked options, then each file in turn.

    Args:
        losses: what to compute.
        roles: the column selectors or paths of the roles that were given.
        options: the shared options.

    Raises:
        UsageError: options that no data could make right; found before anything is read.
    """

    def __init__(self, losses: Sequence[BoundLoss], roles: Mapping[str, list[str]], options: ComputeOptions) -> None:
        from losscli import report

        check(options)
        self._losses, self._roles, self._options = list(losses), roles, options
        self._per_datum = options.per_datum or options.reduction == "none" or options.top is not None
        self._format = report.format_for(options.output, options.format, per_datum=self._per_datum)
        if self._format == "auto":
            self._format = "table" if stdout_is_terminal() else "tsv"
        self._talk = Talk(quiet=options.quiet, progress=not options.no_progress)
        self._said: set[str] = set()
        self._used_device = "cpu"
        self._columns: list[dict[str, object]] = []
        self._files: list[str | None] = list(options.files or []) or self._without_files()
        if [*self._files, options.truth].count(STDIN) > 1:
            raise UsageError("standard input can be read only once")
        if options.keep and not self._per_datum:
            raise UsageError("--keep shows columns beside the loss of each row", hint="add --per-datum or --top N.")
        if self._per_datum and len(self._files) > 1:
            raise UsageError("the loss of each row comes from one file at a time", hint="run the command once a file.")
        if options.output is not None:
            inputs = [file for file in (*self._files, options.truth) if file is not None and file != STDIN]
            output.check(options.output, force=options.force, inputs=inputs)

    def run(self) -> None:
        """Computes every file, prints the records and lets the gates judge."""
        started, before = time.monotonic(), spent()
        records = self._write_rows() if self._per_datum else self._write_costs()
        if self._options.verbose:
            # Each loss and prediction counts the same data once more, and each group those that are its own.
            first = [(record.file, record.loss, record.pred) for record in records[:1]]
            of_first = [record for record in records if (record.file, record.loss, record.pred) in first]
            rows = sum(record.n + record.n_skipped for record in of_first)
            self._talk.say(f"{rows:,} rows in {time.monotonic() - started:.2f} s, of which {_times(before)}")
            for signature in dict.fromkeys(record.signature for record in records):
                self._talk.say(signature)
        gates.judge(records, self._options.fail_over, self._options.fail_under)

    # --- input --------------------------------------------------------------------------------------------------------

    def _without_files(self) -> list[str | None]:
        if any(is_path(value) for values in self._roles.values() for value in values):
            return [None]
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "there is nothing to read", hint="name a file, or pipe data in; losscli compute LOSS --help shows more."
            )
        return [STDIN]

    def _open(self, file: str | None) -> Opened:
        options = self._options
        reading = ReadOptions(
            format=options.input_format,
            delimiter=options.delimiter,
            header=not options.no_header,
            missing=("", "nan", *(options.na_values or ())),
            encoding=options.encoding,
            decimal=options.decimal,
        )
        inputs = Inputs(file, dict(self._roles), options.truth, options.id, options.positive_label, reading)
        opened = open_inputs(inputs, self._losses)
        self._say_new(opened.notes)
        self._columns += [
            {"file": opened.source.name, "loss": call.loss.spec, **_columns_of(opened, call)} for call in opened.calls
        ]
        return opened

    def _say_new(self, notes: Sequence[str]) -> None:
        for note in notes:
            if note not in self._said:
                self._said.add(note)
                self._talk.say(note)

    def _settings(self, opened: Opened) -> Settings:
        from losscli.api import settings_for

        options = self._options
        return settings_for(
            opened,
            weight=options.weight,
            by=_names(options.by),
            reduction="sum" if options.reduction == "sum" else "mean",
            rules=_rules(options, device=self._device(opened)),
            where=options.where,
            threads=options.threads,
            chunk_rows=options.chunk_rows,
            level=options.level if options.ci else None,
        )

    def _device(self, opened: Opened) -> str:
        self._used_device = chosen(self._options.device, opened.source)
        if self._options.device == AUTO and self._used_device != "cpu":
            self._say_new([f"computing on {self._used_device}; --device cpu would be the processor"])
        return self._used_device

    # --- costs --------------------------------------------------------------------------------------------------------

    def _write_costs(self) -> list[Record]:
        records: list[Record] = []
        failure: LosscliError | None = None
        for file in self._files:
            try:
                opened = self._open(file)
                progress = partial(self._talk.progress, consumed=opened.source.consumed)
                records += evaluate(opened.source, opened.calls, self._settings(opened), progress=progress)
                # Some things are known only at the end, such as how many lines were blank.
                self._say_new(opened.source.notes)
            except LosscliError as error:
                failure = error
                break
            finally:
                self._talk.clear()
        # The files before a bad one keep their results on standard output; an output file is whole or not written.
        if records and (failure is None or self._options.output is None):
            self._print_costs(records)
        if failure is not None:
            raise failure
        return records

    def _print_costs(self, records: Sequence[Record]) -> None:
        from losscli import report

        options = self._options
        facts, failures = self._run_facts(), gates.failures(records, options.fail_over, options.fail_under)
        if options.output is not None:
            content = report.cost_bytes(
                records, self._format, precision=options.precision, run=facts, failures=failures
            )
            output.write_output(options.output, content)
            return
        text = report.costs(
            records,
            self._format,
            precision=options.precision,
            run=facts,
            width=width(),
            color=use_color(options.color),
            failures=failures,
        )
        write_text(text)

    def _run_facts(self) -> dict[str, object]:
        """All that a recomputation needs."""
        import platform
        from importlib.metadata import version

        options = self._options
        return {
            "files": [file for file in self._files if file is not None],
            "roles": {role: list(values) for role, values in self._roles.items()},
            "columns": self._columns,
            "truth": options.truth,
            "id": options.id,
            "positive_label": options.positive_label,
            "where": options.where,
            "by": list(_names(options.by)),
            "weight": options.weight,
            "nan": options.nan,
            "allow_inf": options.allow_inf,
            "clip": options.clip,
            "dtype": options.dtype,
            "device": self._used_device,
            "reduction": options.reduction,
            "input_format": options.input_format,
            "encoding": options.encoding,
            "decimal": options.decimal,
            "delimiter": options.delimiter,
            "header": not options.no_header,
            "na_values": list(options.na_values or ()),
            "level": options.level if options.ci else None,
            "versions": {
                "losscli": version("losscli"),
                "torch": version("torch"),
                "duckdb": version("duckdb"),
                "numpy": version("numpy"),
                "python": platform.python_version(),
            },
        }

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _write_rows(self) -> list[Record]:
        opened = self._open(self._files[0])
        settings = self._settings(opened)
        options = self._options
        keep = opened.kept(options.id, _names(options.keep), _names(options.by))
        with ExitStack() as stack:
            sink = RowSink(self, opened, stack)
            take = sink.write
            largest = None
            if options.top is not None:
                largest = LargestRows(options.top, len(opened.calls))
                take = largest.add
            try:
                progress = partial(self._talk.progress, consumed=opened.source.consumed)
                rows = RowOutput(take, keep)
                records = evaluate(opened.source, opened.calls, settings, rows=rows, progress=progress)
            finally:
                self._talk.clear()
            if largest is not None and (found := largest.rows()) is not None:
                sink.write(found)
            sink.close(records)
        self._say_new(opened.source.notes)
        return records


class RowSink:
    """Opens the output at the first batch, so that an error before it leaves nothing behind."""

    def __init__(self, computation: Computation, opened: Opened, stack: ExitStack) -> None:
        self._computation, self._opened, self._stack = computation, opened, stack
        self._writer: Any = None

    def write(self, batch: pyarrow.RecordBatch) -> None:
        """Writes rows."""
        if self._writer is None:
            self._writer = self._open(batch.schema)
        self._writer.write(batch)

    def close(self, records: Sequence[Record]) -> None:
        """Ends the output."""
        if self._writer is not None:
            self._writer.close(records)

    def _open(self, schema: pyarrow.Schema) -> Any:
        from losscli import report

        computation, options = self._computation, self._computation._options
        path = options.output
        file: BinaryIO = stdout_bytes() if path is None else self._stack.enter_context(output.open_output(path))
        return report.row_writer(
            computation._format,
            file,
            schema,
            losses=len(self._opened.calls),
            precision=options.precision,
            width=width(),
            color=path is None and use_color(options.color),
            shown_rows=None if options.top is not None else SHOWN_ROWS,
        )


def check(options: ComputeOptions) -> None:
    """The shared options that can be judged before anything is read.

    Raises:
        UsageError: one that is not in its range, with the range.
    """
    check_choice("--reduction", options.reduction, REDUCTIONS)
    check_choice("--format", options.format, FORMATS)
    check_choice("--decimal", options.decimal, (".", ","))
    check_choice("--color", options.color, ("auto", "always", "never"))
    # What computes checks itself, so that Python and the command line refuse the same with the same words.
    _rules(options, device=check_name(options.device))
    Settings(threads=options.threads, chunk_rows=options.chunk_rows, level=options.level)
    if options.top is not None and options.top < 1:
        raise UsageError(f"--top {options.top} is not at least 1")
    if options.delimiter is not None and len(options.delimiter.encode()) != 1 and options.delimiter != "\\t":
        raise UsageError(f"--delimiter {shown(options.delimiter)} is not one character")
    if options.precision is not None and not 1 <= options.precision <= 17:
        raise UsageError(f"--precision {options.precision} is not in [1, 17]")
    gates.check(options.fail_over, options.fail_under)


def _rules(options: ComputeOptions, device: str) -> Rules:
    return Rules(
        missing=options.nan,  # type: ignore[arg-type]
        dtype=options.dtype,  # type: ignore[arg-type]
        device=device,
        clip=options.clip,
        allow_infinite=options.allow_inf,
    )


def _columns_of(opened: Opened, call: Call) -> dict[str, object]:
    """The columns that each role of a call reads, by their names."""
    named = {role: [opened.source.column(key).name for key in field.columns] for role, field in call.fields.items()}
    return {"roles": named}


def _times(before: Mapping[str, float]) -> str:
    """What each kind of work took, in the order of the work."""
    seconds = {name: taken - before.get(name, 0.0) for name, taken in spent().items()}
    return ", ".join(f"{name} {seconds[name]:.2f} s" for name in PHASES if seconds.get(name))


def _names(values: Sequence[str] | None) -> tuple[str, ...]:
    """Column selectors from options that may be given several times and joined by commas."""
    return tuple(name for value in values or () for name in value.split(",") if name)
