"""The loss of each datum as a table: the row's number, the kept columns, then one column for each loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from losscli._lazy import numpy, pyarrow
from losscli.columns.roles import Call
from losscli.errors import UsageError, shown
from losscli.readers.interchange import arrow_of, numpy_of
from losscli.readers.source import Source, row_numbers

if TYPE_CHECKING:
    from torch import Tensor

    from losscli.blocks import Block

ROW = "row"


def loss_columns(calls: Sequence[Call]) -> list[str]:
    """A name for each call's losses: the spec, with the prediction's name where one loss serves several models."""
    specs = Counter(call.loss.spec for call in calls)
    return [
        f"{call.loss.spec}({call.pred})" if specs[call.loss.spec] > 1 and call.pred else call.loss.spec
        for call in calls
    ]


class RowTable:
    """Makes the table's part for each block.

    Args:
        source: names the kept columns.
        keep: keys of the columns that are handed through.
        losses: the names of the columns of losses.

    Raises:
        UsageError: a kept column has the name of another column of the table.
    """

    def __init__(self, source: Source, keep: Sequence[str], losses: Sequence[str]) -> None:
        self._keep = tuple(keep)
        self._names = [ROW, *(source.column(key).name for key in keep), *losses]
        for name, times in Counter(self._names).items():
            if times > 1:
                raise UsageError(
                    f"the output would have {times} columns named {shown(name)}",
                    hint="leave that column out of --keep and --id, or name it otherwise in the file.",
                )

    def batch(self, block: Block, losses: Sequence[tuple[Tensor, Tensor | None]]) -> pyarrow.RecordBatch:
        """The rows of a block that at least one loss uses; nan where another does not.

        Args:
            block: the data.
            losses: for each column, its values and which data of the block they belong to (None for all).
        """
        shown_rows = self._used(block, [kept for _, kept in losses])
        rows, kept_columns = row_numbers(block.rows), [block.carried[key] for key in self._keep]
        if shown_rows is not None:
            taken = arrow_of(shown_rows)
            rows, kept_columns = rows[shown_rows], [column.take(taken) for column in kept_columns]
        values = [self._spread(block, value, kept, shown_rows) for value, kept in losses]
        arrays = [arrow_of(rows), *kept_columns, *map(arrow_of, values)]
        return pyarrow.RecordBatch.from_arrays(arrays, names=self._names)

    @staticmethod
    def _used(block: Block, kept: Sequence[Tensor | None]) -> numpy.ndarray | None:
        if any(indices is None for indices in kept):
            return None
        used = numpy.zeros(len(block), dtype=bool)
        for indices in kept:
            used[indices.cpu().numpy()] = True  # type: ignore[union-attr]
        return numpy.flatnonzero(used)

    @staticmethod
    def _spread(block: Block, values: Tensor, kept: Tensor | None, shown_rows: numpy.ndarray | None) -> numpy.ndarray:
        found: numpy.ndarray = values.detach().cpu().numpy()
        if kept is not None:
            whole = numpy.full(len(block), numpy.nan, dtype=found.dtype)
            whole[kept.cpu().numpy()] = found
            found = whole
        return found if shown_rows is None else found[shown_rows]


class LargestRows:
    """Keeps the rows with the largest losses of the first loss column: nan first, ties by the smaller row number.

    Args:
        count: how many rows.
        losses: how many columns at the end hold losses.
    """

    def __init__(self, count: int, losses: int) -> None:
        self._count = count
        self._first = -losses
        self._kept: pyarrow.RecordBatch | None = None

    def add(self, batch: pyarrow.RecordBatch) -> None:
        """Takes the rows of a batch into account."""
        best = self._largest(batch)
        if self._kept is not None:
            both = pyarrow.Table.from_batches([self._kept, best]).combine_chunks()
            best = self._largest(both.to_batches()[0]) if both.num_rows else self._kept
        self._kept = best

    def rows(self) -> pyarrow.RecordBatch | None:
        """The rows so far, the largest loss first."""
        return self._kept

    def _largest(self, batch: pyarrow.RecordBatch) -> pyarrow.RecordBatch:
        losses = numpy_of(batch.column(batch.num_columns + self._first))
        rows = numpy_of(batch.column(0))
        keys = numpy.where(numpy.isnan(losses), numpy.inf, losses)
        order = numpy.lexsort((rows, -keys, ~numpy.isnan(losses)))[: self._count]
        return batch.take(arrow_of(order))
