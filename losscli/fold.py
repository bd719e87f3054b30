"""One block through every loss: the step that workers do side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch
from losscli.blocks import Block, Prepared
from losscli.columns.roles import Call
from losscli.domain import number_text
from losscli.errors import DataError, DatumError
from losscli.loss import Scope
from losscli.readers.source import Field, Source
from losscli.rows import RowTable
from losscli.statistic import Maximum, Median, Pooled
from losscli.summary import Groups, Summary
from losscli.timing import phase

if TYPE_CHECKING:
    import pyarrow
    from torch import Tensor


@dataclass(frozen=True)
class Folded:
    """What became of a block.

    Attributes:
        rows: how many data it held.
        last_row: the row number of the last of them.
        summaries: for each call, the summary of each group; group 0 without groups. A pooled cost has one for each of
            its terms.
        labels: for each call, the values that tell alternative label codes apart, with the first row of each.
        losses: for each call whose statistic needs them, the losses, weights and groups of the data.
        table: the loss of each datum, where it was asked for.
    """

    rows: int
    last_row: int
    summaries: list[list[Groups]]
    labels: list[dict[str, list[tuple[float, int]]]]
    losses: list[tuple[Tensor, Tensor | None, Tensor | None] | None]
    table: pyarrow.RecordBatch | None


@dataclass(frozen=True)
class Grouping:
    """The groups of a block's data.

    Attributes:
        codes: the group of each datum, shape (n,); None without groups.
        count: how many groups there are so far.
    """

    codes: numpy.ndarray | None
    count: int

    def of(self, kept: Tensor | None, device: torch.device) -> Tensor | None:
        """The groups of the data that are kept."""
        if self.codes is None:
            return None
        codes = torch.from_numpy(self.codes).to(device)
        return codes if kept is None else codes[kept]


def fold_block(
    block: Block,
    calls: Sequence[Call],
    weight: Field | None,
    grouping: Grouping,
    reduction: str,
    table: RowTable | None,
) -> Folded:
    """Every call over one block: checks, losses, exact summaries, rows.

    Args:
        block: the data.
        calls: the losses with their fields.
        weight: the column of weights.
        grouping: the groups of the data.
        reduction: ``mean`` or ``sum``.
        table: makes the rows, where they are asked for.
    """
    summaries, labels, losses, columns = [], [], [], []
    for call in calls:
        data = _Data(block, call, block.prepare(call, weight), grouping)
        statistic = call.loss.statistic
        pooled = isinstance(statistic, Pooled)
        try:
            parts = data.terms(statistic) if isinstance(statistic, Pooled) else (data.values(reduction),)
        except DatumError as error:
            raise block.located(error, call, data.prepared) from None
        checked = [block.check_values(call, data.prepared, part) for part in parts]
        labels.append(_labels_seen(block, call, data.prepared))
        counted = data.counted()
        used = [counted.of(part) for part in parts]
        # Of data that are seen together, those without a loss of their own are not left out: the others' losses hold
        # them.
        left = counted.kept if call.loss.loss.scope is Scope.DATUM else data.prepared.kept
        extremes = isinstance(statistic, (Maximum, Pooled))
        with phase("sum"):
            bounds = checked if counted.used is None else [None] * len(used)
            summaries.append(
                [_summarise(block, part, counted, grouping, left, extremes, b) for part, b in zip(used, bounds)]
            )
        keeps = isinstance(statistic, Median)
        codes = grouping.of(counted.kept, used[0].device) if keeps else None
        losses.append((data.ordered(counted, used[0]), counted.weights, codes) if keeps else None)
        if table is not None:
            shown = used[0] if not pooled and reduction == "mean" else counted.of(data.values("mean"))
            columns.append((call.loss.per_datum(shown), counted.kept))
    rows = table.batch(block, columns) if table is not None else None
    return Folded(len(block), int(block.rows[-1]), summaries, labels, losses, rows)


@dataclass(frozen=True)
class _Counted:
    """Which data count in the cost, and how much.

    Attributes:
        used: which of the prepared data these are; None for all.
        kept: which data of the block these are; None for all.
        weights: of each, shape (n,); None for 1 each.
    """

    used: Tensor | None
    kept: Tensor | None
    weights: Tensor | None

    def of(self, values: Tensor) -> Tensor:
        """The values of the data that count."""
        return values if self.used is None else values[self.used]


class _Data:
    """One call's data of a block. A loss that sees all data at once sees one group at a time."""

    def __init__(self, block: Block, call: Call, prepared: Prepared, grouping: Grouping) -> None:
        self.prepared, self._loss = prepared, call.loss
        first = next(iter(prepared.roles.values()))
        # A loss need not know what to make of no data at all.
        self._nothing = first.new_zeros(0) if prepared.kept is not None and len(prepared.kept) == 0 else None
        self._groups: list[Tensor] | None = None
        if call.loss.loss.scope is Scope.ALL and grouping.codes is not None and self._nothing is None:
            codes = grouping.of(prepared.kept, first.device)
            assert codes is not None
            self._groups = [torch.nonzero(codes == group).reshape(-1) for group in torch.unique(codes).tolist()]

    def values(self, reduction: str) -> Tensor:
        """What is averaged, or with ``sum`` added up."""
        return self._each(self._loss.added if reduction == "sum" else self._loss.evaluate)

    def terms(self, statistic: Pooled) -> tuple[Tensor, ...]:
        """What a pooled cost adds up; one empty term of no data."""
        return (self._nothing,) if self._nothing is not None else self._loss.terms(statistic, self._roles)

    def ordered(self, counted: _Counted, values: Tensor) -> Tensor:
        """What a median orders: the losses, or those of every output."""
        statistic = self._loss.statistic
        if not isinstance(statistic, Median) or statistic.outputs is None or self._nothing is not None:
            return values
        return counted.of(self._loss.outputs(statistic, self._roles))

    def counted(self) -> _Counted:
        """Which data count: those to which the loss's own definition gives a weight."""
        kept, weights = self.prepared.kept, self.prepared.weights
        own = None if self._nothing is not None or self._loss.loss.weigh is None else self._own_weights()
        if own is None:
            return _Counted(None, kept, weights)
        own = own.to(torch.float64)
        used: Tensor | None = None
        if not bool((own > 0).all()):
            used = torch.nonzero(own > 0).reshape(-1)
            own, weights = own[used], weights[used] if weights is not None else None
            kept = used if kept is None else kept[used]
        return _Counted(used, kept, own if weights is None else weights * own)

    @property
    def _roles(self) -> Mapping[str, Tensor]:
        return self.prepared.all_roles

    def _own_weights(self) -> Tensor | None:
        own = self._loss.weights(self._part(self._groups[0]) if self._groups else self._roles)
        # Most losses weigh all data at once; only groups have to be put together again.
        return own if own is None or self._groups is None else self._each(self._loss.weights)  # type: ignore[arg-type]

    def _each(self, function: Callable[[Mapping[str, Tensor]], Tensor]) -> Tensor:
        if self._nothing is not None:
            return self._nothing
        if self._groups is None:
            return function(self._roles)
        parts = [function(self._part(rows)) for rows in self._groups]
        result = parts[0].new_empty(sum(map(len, parts)))
        for rows, part in zip(self._groups, parts):
            result[rows] = part
        return result

    def _part(self, rows: Tensor) -> dict[str, Tensor]:
        own = {role: values[rows] for role, values in self.prepared.roles.items()}
        return {**own, **self.prepared.shared}


def _summarise(
    block: Block,
    values: Tensor,
    counted: _Counted,
    grouping: Grouping,
    left: Tensor | None,
    extremes: bool,
    bounds: tuple[float, float] | None,
) -> Groups:
    """The summary of each group.

    Args:
        block: the data.
        values: of those that count.
        counted: which these are.
        grouping: the groups.
        left: the data of the block that were not left out; None for all.
        extremes: whether the smallest and largest value decide the cost, so that data without weight must not be
            among them.
        bounds: the smallest and the largest of the values, where they are known and finite.
    """
    skipped = 0 if left is None else len(block) - len(left)
    weights, codes = counted.weights, grouping.of(counted.kept, values.device)
    light = Groups.empty()
    heavy = weights > 0 if extremes and weights is not None else None
    if heavy is not None and weights is not None and not bool(heavy.all()):
        numbers = torch.zeros_like(heavy, dtype=torch.int64) if codes is None else codes
        found, times = torch.unique(numbers[~heavy], return_counts=True)
        light = Groups({group: Summary(n) for group, n in zip(found.tolist(), times.tolist())})
        values, weights, codes = values[heavy], weights[heavy], None if codes is None else codes[heavy]
        bounds = None
    if codes is None:
        return Groups({0: Summary.of(values, weights, skipped=skipped, bounds=bounds)}).merge(light)
    found_here = Groups.of(values, weights, codes, grouping.count).merge(light)
    if left is None or not skipped:
        return found_here
    all_codes = grouping.of(None, values.device)
    left_codes = grouping.of(left, values.device)
    assert all_codes is not None
    assert left_codes is not None
    left_out = torch.bincount(all_codes, minlength=grouping.count) - torch.bincount(
        left_codes, minlength=grouping.count
    )
    incomplete = torch.nonzero(left_out).reshape(-1).tolist()
    return found_here.merge(Groups({group: Summary(n_skipped=int(left_out[group])) for group in incomplete}))


def _labels_seen(block: Block, call: Call, prepared: Prepared) -> dict[str, list[tuple[float, int]]]:
    """For roles with alternative codes: the values that tell the codes apart, with the first row of each."""
    found: dict[str, list[tuple[float, int]]] = {}
    for role, values in prepared.roles.items():
        codes = call.loss.domain(role).codes
        if not codes or values.numel() == 0:
            continue
        shared = set(codes[0]).intersection(*codes[1:])
        for value in sorted({value for code in codes for value in code} - shared):
            equal = (values == value).flatten(1).any(1) if values.dim() > 1 else values == value
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
