"""The fold: batches of aligned roles, through the losses, into exact sums. One pass serves every loss asked for.

A reader thread fills a short queue while torch is still being imported; workers with one torch thread each turn blocks
that stay in cache into losses and summaries. The summaries are exact, so who folded what, and in which order, cannot
change a bit of the result.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, TypeVar

from losscli import __version__
from losscli._lazy import numpy, torch
from losscli.allocation import keep_freed_memory
from losscli.blocks import Block, Rules, check_choice, is_clipped
from losscli.columns.roles import Call
from losscli.cost import Cost, Gathered, check_memory, check_reduction, cost_of, root
from losscli.device import brought
from losscli.domain import number_text
from losscli.errors import DataError, UsageError, shown
from losscli.fold import Folded, Grouping, LabelCodes, fold_block
from losscli.groups import GroupIndex
from losscli.loss import Scope
from losscli.prefetch import Prefetch
from losscli.readers.source import CHUNK_ROWS, IN_MEMORY, Batch, Field, Source, concatenated
from losscli.result import Record
from losscli.rows import RowTable, loss_columns
from losscli.statistic import Median, Pooled, Root
from losscli.summary import ExactSum, Groups, Summary
from losscli.timing import phase, timed

if TYPE_CHECKING:
    import pyarrow

Part = TypeVar("Part")
BLOCK_ELEMENTS = 65_536
# Where several threads compute, each block costs them time in which only one can go on.
BLOCK_ELEMENTS_OF_SEVERAL = 262_144
# More of them wait for each other longer than they compute: of 16 cores, 6 to 8 were fastest.
MOST_THREADS = 8
# Parsing text takes about so many times as long as computing a loss of it.
CORES_TO_PARSE = 4
# A GPU takes as long for a few values as for a million; allotting memory that the bus can read takes long, 2 MB a ms.
GPU_ELEMENTS = 1 << 20
# Of data that are there already, as many at once as leave room for this many tensors of the same length.
MOST_RESIDENT_ELEMENTS = 128 << 20
RESIDENT_TENSORS = 32
MIN_BLOCK_ROWS = 256
MIN_CHUNK_ROWS = 2_048
# Importing torch takes as long as reading ten million rows of two numbers; what is read meanwhile has to wait.
READ_AHEAD = 256 * 2**20
# Mapped arrays are read where they are computed, so that there is nothing to gain by being ahead.
MAPPED_AHEAD = 32 * 2**20
REDUCTIONS = ("mean", "sum", "none")


@dataclass(frozen=True)
class Settings:
    """How a cost is asked for.

    Attributes:
        reduction: ``mean`` divides the weighted sum of the losses by the sum of the weights; ``sum`` does not.
        rules: missing and infinite values, precision, device.
        weight: key of the column of weights.
        by: keys of the columns that make groups.
        where: a condition in SQL; only rows that meet it are used.
        threads: how many blocks are computed at once; None leaves it to the kind of source.
        chunk_rows: how many rows are read at a time; None fits them to the width of a datum.
        level: of the normal interval; None for none.
    """

    reduction: Literal["mean", "sum"] = "mean"
    rules: Rules = field(default_factory=Rules)
    weight: str | None = None
    by: tuple[str, ...] = ()
    where: str | None = None
    threads: int | None = None
    chunk_rows: int | None = None
    level: float | None = 0.95

    def __post_init__(self) -> None:
        check_choice("--reduction", self.reduction, ("mean", "sum"))
        for name, number in (("--threads", self.threads), ("--chunk-rows", self.chunk_rows)):
            if number is not None and number < 1:
                raise UsageError(f"{name} {number} is not at least 1")
        if self.level is not None and not 0 < self.level < 1:
            raise UsageError(f"--level {shown(self.level)} is not in (0, 1)", hint="0.95 is 95 %.")


@dataclass(frozen=True)
class RowOutput:
    """Where the loss of each datum goes, beside the cost: batches in the order of the rows."""

    write: Callable[[pyarrow.RecordBatch], None]
    keep: tuple[str, ...] = ()


def evaluate(
    source: Source,
    calls: Sequence[Call],
    settings: Settings,
    *,
    rows: RowOutput | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Record]:
    """The cost of every call over one source, in one pass (two where a loss takes parameters from the data).

    Args:
        source: the data.
        calls: losses with the fields that their roles read.
        settings: how.
        rows: where the loss of each datum is to go.
        progress: told how many data are done so far, and which row was the last, now and then.

    Returns:
        One record for each call and group.

    Raises:
        DataError: what a datum holds is wrong, or no datum is left.
    """
    for call in calls:
        _check_clip(call, settings.rules)
        check_reduction(call.loss, settings.reduction)
    fold = _Fold(source, settings)
    fitted = [fold.fit(call) for call in calls]
    return fold.run(calls, fitted, rows, progress)


class _Fold:
    """One source under one set of settings."""

    def __init__(self, source: Source, settings: Settings) -> None:
        self._source = source
        self._settings = settings
        self._weight = Field((settings.weight,)) if settings.weight is not None else None

    # --- passes over the data -----------------------------------------------------------------------------------------

    def fit(self, call: Call) -> Call:
        """The call with those parameters filled in that are taken from all the data, by a pass of its own."""
        fit = call.loss.loss.fit
        if fit is None or None not in call.loss.params.values():
            return call

        def totals(block: Block, _: numpy.ndarray | None) -> tuple[Fraction, Fraction]:
            prepared = block.prepare(call, self._weight)
            target = prepared.roles["target"].to(torch.float64)
            target = target.flatten(1) if target.dim() > 1 else target[:, None]
            weights = prepared.weights if prepared.weights is not None else torch.ones(len(target), dtype=torch.float64)
            every = weights.to(target.device)[:, None].expand_as(target).reshape(-1)
            positive = ExactSum.of_products(every, target.reshape(-1))
            return ExactSum.of(every).fraction(), positive.fraction()

        weight, positive = Fraction(0), Fraction(0)
        for of_weight, of_positive in self._pass([call], (), totals, None):
            weight += of_weight
            positive += of_positive
        if weight == 0:
            raise self._nothing_left([call], 0)
        # What the user gave stays as it is.
        left_open = {name: value for name, value in fit(weight, positive).items() if call.loss.params[name] is None}
        return replace(call, loss=call.loss.bind(**left_open))

    def run(
        self,
        asked: Sequence[Call],
        calls: Sequence[Call],
        rows: RowOutput | None,
        progress: Callable[[int, int], None] | None,
    ) -> list[Record]:
        """The main pass: every call at once, merged in the order of the rows."""
        settings = self._settings
        groups = GroupIndex(settings.by)
        table = RowTable(self._source, rows.keep, loss_columns(asked)) if rows is not None else None
        totals: list[list[Groups]] = [[] for _ in calls]
        gathered = [Gathered() if isinstance(call.loss.statistic, Median) else None for call in calls]
        codes = LabelCodes(self._source)
        seen = 0

        def fold(block: Block, group_codes: numpy.ndarray | None) -> Folded:
            grouping = Grouping(group_codes, len(groups) or 1)
            with phase("compute"):
                return fold_block(block, calls, self._weight, grouping, settings.reduction, table)

        for folded in self._pass(calls, rows.keep if rows else (), fold, groups if settings.by else None):
            seen += folded.rows
            for call, found in zip(calls, folded.labels):
                codes.add(call, found)
            totals = [_merged(total, part) for total, part in zip(totals, folded.summaries)]
            for call, kept, part in zip(calls, gathered, folded.losses):
                if kept is not None and part is not None:
                    kept.add(*part, call.loss.spec)
            if rows is not None and folded.table is not None:
                with phase("write"):
                    rows.write(folded.table)
            if progress is not None:
                progress(seen, folded.last_row)
        self._check_anything_left(asked, [total[0] if total else Groups.empty() for total in totals], seen)
        labels = groups.labels() if settings.by else [(0, {})]
        records = []
        for call, fitted, total, losses in zip(asked, calls, totals, gathered):
            for number, group in labels:
                summaries = [part.get(number) or Summary.empty() for part in total]
                if number not in total[0]:
                    continue
                cost = cost_of(fitted.loss, settings.reduction, summaries, losses, number, settings.level)
                if not settings.by:
                    self._check_defined(fitted, summaries, cost)
                named = {self._source.column(key).name: value for key, value in group.items()}
                records.append(self._record(call, fitted, named, summaries[0], cost))
        return records

    def _pass(
        self,
        calls: Sequence[Call],
        keep: Sequence[str],
        fold: Callable[[Block, numpy.ndarray | None], Part],
        groups: GroupIndex | None,
    ) -> Iterator[Part]:
        settings = self._settings
        fields = list(dict.fromkeys(field for call in calls for field in call.fields.values()))
        if self._weight is not None and self._weight not in fields:
            fields.append(self._weight)
        carry = tuple(dict.fromkeys((*settings.by, *keep)))
        width = sum(self._width(field) for field in fields)
        for each in fields:
            if self._width(each) == 0:
                column = self._source.column(each.columns[0])
                raise DataError("a datum holds no number", file=column.file, column=column.name)
        together = next((call for call in calls if call.loss.loss.scope is Scope.ALL), None)
        threads = settings.threads or self._default_threads()
        chunk_rows, block_rows = self._sizes(width, max(self._width(field) for field in fields), threads)
        reading = self._source.read(fields, carry, where=settings.where, chunk_rows=chunk_rows)
        if settings.rules.device.startswith("cuda") and self._source.resident is None:
            reading = brought(reading, settings.rules.device)
        batches = Prefetch(timed("read", reading), _memory, MAPPED_AHEAD if self._is_mapped else READ_AHEAD)

        def parts() -> Iterator[Batch]:
            ready = timed("wait for data", batches)
            return ready if together is None else _gathered(ready, together.loss.spec)

        def blocks() -> Iterator[tuple[Block, numpy.ndarray | None]]:
            for batch in parts():
                if batch.ready is not None:
                    torch.cuda.current_stream(settings.rules.device).wait_event(batch.ready)
                group_codes = None
                if groups is not None:
                    with phase("group"):
                        group_codes = groups.codes(batch)
                step = block_rows if together is None else max(1, len(batch.rows))
                for start in range(0, len(batch.rows), step):
                    stop = min(start + step, len(batch.rows))
                    part = group_codes[start:stop] if group_codes is not None else None
                    yield Block(self._source, batch, start, stop, settings.rules), part

        keep_freed_memory()
        with closing(batches), _single_threaded_torch():
            yield from _in_order(blocks(), fold, threads)

    def _sizes(self, width: int, widest: int, threads: int) -> tuple[int, int]:
        """How many rows are read, and how many computed, at a time.

        Args:
            width: of a row, in numbers.
            widest: of its widest field.
            threads: how many blocks are computed at once.
        """
        chunk = self._settings.chunk_rows
        if self._settings.rules.device.startswith("cuda"):
            elements = GPU_ELEMENTS
            if self._source.resident is not None:
                free, _ = torch.cuda.mem_get_info(self._settings.rules.device)
                elements = max(GPU_ELEMENTS, min(free // (8 * RESIDENT_TENSORS), MOST_RESIDENT_ELEMENTS))
            rows = chunk or max(MIN_CHUNK_ROWS, elements // widest)
            return rows, rows
        elements = BLOCK_ELEMENTS if threads == 1 else BLOCK_ELEMENTS_OF_SEVERAL
        block = max(MIN_BLOCK_ROWS, elements // widest)
        chunk = chunk or max(MIN_CHUNK_ROWS, CHUNK_ROWS // max(1, width // 8), block)
        return chunk, min(chunk, block)

    def _width(self, field: Field) -> int:
        return sum(math.prod(self._source.column(key).shape) for key in field.columns)

    def _default_threads(self) -> int:
        if self._settings.rules.device != "cpu":
            return 1
        cores = os.cpu_count() or 1
        # A text parser has the cores busy already; numbers are there at once, or nearly.
        binary = self._is_mapped or self._source.format in ("parquet", "arrow")
        return min(cores if binary else max(1, cores // CORES_TO_PARSE), MOST_THREADS)

    @property
    def _is_mapped(self) -> bool:
        return self._source.format in IN_MEMORY

    # --- results ------------------------------------------------------------------------------------------------------

    def _check_anything_left(self, calls: Sequence[Call], totals: Sequence[Mapping[int, Summary]], seen: int) -> None:
        if seen == 0:
            raise self._nothing_left(calls, 0)
        for call, total in zip(calls, totals):
            if sum(summary.n for summary in total.values()) == 0:
                skipped = sum(summary.n_skipped for summary in total.values())
                raise self._nothing_left([call], seen) if skipped == seen else self._nothing_counts(call, seen)
            if self._weight is not None and all(summary.weight_sum == 0 for summary in total.values()):
                weight = self._source.column(self._weight.columns[0])
                raise DataError("every weight is 0", file=weight.file, column=weight.name)

    def _nothing_left(self, calls: Sequence[Call], seen: int) -> DataError:
        if seen == 0:
            condition = self._settings.where
            return DataError(
                f"no row meets the condition {condition}" if condition else "0 rows", file=self._source.name
            )
        return DataError(f"{calls[0].loss.spec}: all {seen:,} rows were skipped", file=self._source.name)

    def _nothing_counts(self, call: Call, seen: int) -> DataError:
        return DataError(
            f"{call.loss.spec}: none of the {seen:,} rows counts in its cost",
            file=self._source.name,
            hint=f"losscli show {call.loss.name} says which do.",
        )

    def _check_defined(self, call: Call, summaries: Sequence[Summary], cost: Cost) -> None:
        """Refuses a pooled cost that has no value although every term has one."""
        statistic = call.loss.statistic
        finite = all(summary.losses.is_finite for summary in summaries)
        if isinstance(statistic, Pooled) and math.isnan(cost.value) and finite:
            raise DataError(
                f"the {call.loss.spec} cost is not defined for these data: {statistic.undefined}",
                file=self._source.name,
            )

    def _record(self, asked: Call, call: Call, group: Mapping[str, object], summary: Summary, cost: Cost) -> Record:
        ends = [summary.minimum, summary.maximum]
        if isinstance(call.loss.statistic, Pooled):
            # The terms of a pooled cost are no losses.
            ends = [math.nan, math.nan]
        elif isinstance(call.loss.statistic, Root):
            ends = [root(end, call.loss.statistic.order) for end in ends]
        return Record(
            file=None if self._source.format == "memory" else self._source.name,
            pred=asked.pred,
            loss=asked.loss.spec,
            params=dict(call.loss.params),
            reduction=cost.reduction,
            group=group,
            n=summary.n,
            n_skipped=summary.n_skipped,
            weight_sum=summary.weight_sum,
            value=cost.value,
            std_error=cost.std_error,
            ci_low=cost.low,
            ci_high=cost.high,
            min=ends[0],
            max=ends[1],
            status="nan" if math.isnan(cost.value) else "infinite" if math.isinf(cost.value) else "ok",
            signature=self._signature(asked),
        )

    def _signature(self, call: Call) -> str:
        settings = self._settings
        weight = self._source.column(settings.weight).name if settings.weight is not None else "none"
        parts = [call.loss.spec, settings.reduction, f"w:{weight}", f"nan:{settings.rules.missing}"]
        if settings.rules.clip is not None:
            parts.append(f"clip:{number_text(settings.rules.clip)}")
        parts.append(settings.rules.dtype)
        if settings.rules.device != "cpu":
            parts.append(settings.rules.device)
        peer = call.loss.loss.peer
        return "|".join((*parts, peer.library if peer is not None else "native", f"v{__version__}"))


# --- threads ----------------------------------------------------------------------------------------------------------


def _check_clip(call: Call, rules: Rules) -> None:
    if rules.clip is not None and not any(is_clipped(call.loss.domain(role)) for role in call.fields):
        raise UsageError(
            f"--clip keeps probabilities off 0 and 1, and {call.loss.spec} reads none", hint="leave --clip out."
        )


def _merged(total: list[Groups], part: list[Groups]) -> list[Groups]:
    """The summaries of all terms; a block in which nothing was left has only the first one."""
    longest = zip_longest(total, part, fillvalue=Groups.empty())
    return [mine.merge(others) for mine, others in longest]


def _gathered(batches: Iterator[Batch], spec: str) -> Iterator[Batch]:
    """All data as one batch, for a loss that compares them with each other."""
    held, size = [], 0
    for batch in batches:
        size += _memory(batch)
        check_memory(size, spec)
        held.append(batch)
    if held:
        yield concatenated(held)


def _memory(batch: Batch) -> int:
    arrays = (*batch.values.values(), *batch.carried.values())
    return sum(int(array.nbytes) for array in arrays)


def _in_order(
    blocks: Iterator[tuple[Block, numpy.ndarray | None]],
    fold: Callable[[Block, numpy.ndarray | None], Part],
    threads: int,
) -> Iterator[Part]:
    """What ``fold`` makes of each block, in the order of the blocks, a few of them computed at once."""
    if threads == 1:
        for block, codes in blocks:
            yield fold(block, codes)
        return
    waiting: deque[Future[Part]] = deque()
    with ThreadPoolExecutor(threads, "losscli-worker", initializer=lambda: torch.set_num_threads(1)) as pool:
        try:
            for block, codes in blocks:
                waiting.append(pool.submit(fold, block, codes))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


@contextmanager
def _single_threaded_torch() -> Iterator[None]:
    """Blocks are the unit of parallel work; torch's own threads would spin against the reader's."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
