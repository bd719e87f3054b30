"""One block through every loss: the step that workers do side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch
from losscli.blocks import Block, Prepared
from losscli.columns.roles import Call
from losscli.domain import number_text
from losscli.errors import DataError
from losscli.readers.source import Field, Source
from losscli.rows import RowTable
from losscli.summary import Groups, Summary

if TYPE_CHECKING:
    import pyarrow
    from torch import Tensor


@dataclass(frozen=True)
class Folded:
    """What became of a block.

    Attributes:
        rows: how many data it held.
        summaries: for each call, the summary of each group; group 0 without groups.
        labels: for each call, the values that tell alternative label codes apart, with the first row of each.
        table: the loss of each datum, where it was asked for.
    """

    rows: int
    summaries: list[Groups]
    labels: list[dict[str, list[tuple[float, int]]]]
    table: pyarrow.RecordBatch | None


def fold_block(
    block: Block,
    calls: Sequence[Call],
    weight: Field | None,
    group_codes: numpy.ndarray | None,
    groups: int,
    table: RowTable | None,
) -> Folded:
    """Every call over one block: checks, losses, exact summaries, rows.

    Args:
        block: the data.
        calls: the losses with their fields.
        weight: the column of weights.
        group_codes: the group of each datum, shape (n,); None without groups.
        groups: how many groups there are so far.
        table: makes the rows, where they are asked for.
    """
    summaries, labels, columns = [], [], []
    for call in calls:
        prepared = block.prepare(call, weight)
        # A loss need not know what to make of no data at all.
        empty = prepared.kept is not None and len(prepared.kept) == 0
        nothing = next(iter(prepared.roles.values())).new_zeros(0)
        values = nothing if empty else call.loss.evaluate(prepared.roles)
        block.check_values(call, prepared, values)
        labels.append(_labels_seen(block, call, prepared))
        own = None if empty else call.loss.weights(prepared.roles)
        counted, weights, kept = values, prepared.weights, prepared.kept
        if own is not None:
            own = own.to(torch.float64)
            used = torch.nonzero(own > 0).reshape(-1)
            if len(used) < len(own):
                counted, own = counted[used], own[used]
                weights = weights[used] if weights is not None else None
                kept = used if kept is None else kept[used]
            weights = own if weights is None else weights * own
        summaries.append(_summarise(block, counted, weights, kept, group_codes, groups))
        if table is not None:
            columns.append((counted, kept))
    return Folded(len(block), summaries, labels, table.batch(block, columns) if table is not None else None)


def _summarise(
    block: Block,
    values: Tensor,
    weights: Tensor | None,
    kept: Tensor | None,
    group_codes: numpy.ndarray | None,
    groups: int,
) -> Groups:
    skipped = len(block) - len(values)
    if group_codes is None:
        return Groups({0: Summary.of(values, weights, skipped=skipped)})
    codes = torch.from_numpy(group_codes).to(values.device)
    used = codes if kept is None else codes[kept]
    found = Groups.of(values, weights, used, groups)
    if not skipped:
        return found
    left_out = torch.bincount(codes, minlength=groups) - torch.bincount(used, minlength=groups)
    incomplete = torch.nonzero(left_out).reshape(-1).tolist()
    return found.merge(Groups({group: Summary(n_skipped=int(left_out[group])) for group in incomplete}))


def _labels_seen(block: Block, call: Call, prepared: Prepared) -> dict[str, list[tuple[float, int]]]:
    """For roles with alternative codes: the values that tell the codes apart, with the first row of each."""
    found: dict[str, list[tuple[float, int]]] = {}
    for role, values in prepared.roles.items():
        codes = call.loss.domain(role).codes
        if not codes or values.numel() == 0:
            continue
        shared = set(codes[0]).intersection(*codes[1:])
        for value in sorted({value for code in codes for value in code} - shared):
            equal = values == value
            if bool(equal.any()):
                row = block.row(int(torch.argmax(equal.to(torch.uint8))), prepared.kept)
                found.setdefault(role, []).append((value, row))
    return found


class LabelCodes:
    """Decides once, by the first value that tells, which code labels have, and holds the rest of the run to it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._decided: dict[Field, tuple[float, ...]] = {}

    def add(self, call: Call, found: Mapping[str, list[tuple[float, int]]]) -> None:
        """Takes the labels seen in the next block into account.

        Raises:
            DataError: a label of another code than the rows before it have.
        """
        for role, seen in found.items():
            field = call.fields[role]
            for value, row in sorted(seen, key=lambda entry: entry[1]):
                fitting = next(code for code in call.loss.domain(role).codes if value in code)
                decided = self._decided.setdefault(field, fitting)
                if value not in decided:
                    column = self._source.column(field.columns[0])
                    raise DataError(
                        f"{number_text(value)} is not one of {' and '.join(map(number_text, decided))}, "
                        "the labels of the rows before it",
                        file=column.file,
                        row=row,
                        line=self._source.line(row),
                        column=column.name,
                    )
