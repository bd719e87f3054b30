"""Several sources as one: the truth of a second file beside the data, or one file for each role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from losscli._lazy import numpy, pyarrow
from losscli.errors import DataError, UsageError, did_you_mean, escape, shown
from losscli.names import joined as compared
from losscli.names import read_name
from losscli.readers.ids import check_single, comparable, ids_of, matched, occurring, repeated
from losscli.readers.interchange import arrow_of, numpy_of, present_in, python_value
from losscli.readers.source import IN_MEMORY, Batch, Column, Consumed, Field, ReadOptions, Source, row_numbers
from losscli.readers.table import BatchMaker, Table, delivered

if TYPE_CHECKING:
    from losscli.readers.conversion import Cells

_TRUTH = "truth::"
# Numbers written with fewer digits in one of two files are not a contradiction.
ROUNDING = 1e-3


@dataclass(frozen=True)
class Part:
    """A source and the keys that its columns have in the whole.

    Attributes:
        source: the part.
        keys: for each key of the whole, the key in the part.
    """

    source: Source
    keys: Mapping[str, str]

    def pieces(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Piece]:
        """The cells that ``maker`` needs of this part, under the keys of the whole."""
        numbers = {key: Field((own,)) for key, own in self.keys.items() if key in maker.number_keys}
        texts = {key: own for key, own in self.keys.items() if key in maker.text_keys}
        for batch in self.source.read(list(numbers.values()), list(texts.values()), chunk_rows=chunk_rows):
            yield Piece(
                len(batch.rows),
                {key: batch.values[field] for key, field in numbers.items()},
                {key: batch.carried[own] for key, own in texts.items()},
            )


@dataclass(frozen=True)
class Piece:
    """Some consecutive rows of a part: numbers and, for columns handed through, the cells as they are."""

    count: int
    numbers: Mapping[str, Cells]
    kept: Mapping[str, Cells]

    def slice(self, start: int, count: int) -> Piece:
        """The rows from ``start`` on."""
        stop = start + count
        numbers = {key: cells[start:stop] for key, cells in self.numbers.items()}
        return Piece(count, numbers, {key: cells[start:stop] for key, cells in self.kept.items()})


class Beside(Table):
    """Sources row by row.

    Args:
        parts: the sources; the first one gives the row numbers.
        columns: of the whole.
        name: what messages call the whole.
        hint: what to do where the numbers of rows differ.
    """

    def __init__(self, parts: Sequence[Part], columns: Sequence[Column], name: str, hint: str | None = None) -> None:
        self.name = name
        self.format = "arrays" if all(part.source.format in IN_MEMORY for part in parts) else parts[0].source.format
        self.options = getattr(parts[0].source, "options", ReadOptions())
        self.columns = tuple(columns)
        self.notes: list[str] = [note for part in _distinct(parts) for note in part.notes]
        self._parts = tuple(parts)
        self._hint = hint
        known = [part.source.rows for part in parts]
        for part, rows in zip(parts, known):
            if rows is not None and known[0] is not None and rows != known[0]:
                raise self._different(known[0], part, rows)
        self.rows = next((rows for rows in known if rows is not None), None)

    def consumed(self) -> Consumed | None:
        """See ``Source.consumed``: of all files together."""
        known = [source.consumed() for source in _distinct(self._parts)]
        found = [each for each in known if each is not None]
        if not found or len(found) < len(known):
            return None
        return Consumed(found[0].rows, sum(each.bytes for each in found), sum(each.size for each in found))

    def _different(self, first: int, part: Part, rows: int) -> DataError:
        return DataError(
            f"{_shown(self._parts[0].source)} has {first:,} rows, but {_shown(part.source)} has {rows:,}",
            hint=self._hint,
        )

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``."""
        with ExitStack() as stack:
            streams = [stack.enter_context(closing(part.pieces(maker, chunk_rows))) for part in self._parts]  # type: ignore[type-var]
            held: list[Piece | None] = [None] * len(streams)
            done = 0
            while True:
                held = [
                    piece if piece is not None and piece.count else next(stream, None)
                    for piece, stream in zip(held, streams)
                ]
                count = min((piece.count if piece is not None else 0) for piece in held)
                if count == 0:
                    break
                pieces = [piece.slice(0, count) for piece in held if piece is not None]
                numbers = {key: cells for piece in pieces for key, cells in piece.numbers.items()}
                kept = {key: cells for piece in pieces for key, cells in piece.kept.items()}
                yield from delivered(*maker.make({**kept, **numbers}, done + 1, count, kept=kept))
                done += count
                held = [piece.slice(count, piece.count - count) if piece is not None else None for piece in held]
            counts = [
                done + (piece.count if piece is not None else 0) + sum(more.count for more in stream)
                for piece, stream in zip(held, streams)
            ]
        for part, rows in zip(self._parts, counts):
            if rows != counts[0]:
                raise self._different(counts[0], part, rows)
        self.rows = counts[0]

    def line(self, row: int) -> int | None:
        """The physical line of a data row, where all files of lines agree on it."""
        lines = {part.source.line(row) for part in self._parts} - {None}
        return lines.pop() if len(lines) == 1 else None


class SideBySide(Beside):
    """One column of each of several sources, row by row, under the names of the roles.

    Args:
        parts: for each role, a source and the key of its column.
    """

    def __init__(self, parts: Mapping[str, tuple[Source, str]]) -> None:
        columns = [replace(source.column(key), key=role, name=role) for role, (source, key) in parts.items()]
        name = ", ".join(dict.fromkeys(source.name for source, _ in parts.values()))
        super().__init__([Part(source, {role: key}) for role, (source, key) in parts.items()], columns, name)


class InOrder(Beside):
    """Data beside the truth, row by row, because no id joins the two.

    Args:
        data: the predictions.
        truth: the targets.

    Raises:
        UsageError: both have ids, but under different names.
        DataError: the numbers of rows differ.
    """

    def __init__(self, data: Source, truth: Source) -> None:
        self._although = _without_partner(data, truth)
        of_data = {column.name: column for column in reversed(data.columns) if column.name and not column.shape}
        self._unproven = [
            (of_data[column.name], replace(column, key=_key(column)))
            for column in truth.columns
            if column.name in of_data and not column.shape
        ]
        hint = "--id COL joins the two by a column that both have."
        super().__init__(_beside(data, truth), [*data.columns, *_columns_of_truth(truth)], data.name, hint)

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``. First makes sure that what both files say of a row agrees."""
        read = {key for each in maker.fields for key in each.columns}
        # Before both sides are asked for numbers it is open which columns are prediction and target.
        if len({key.startswith(_TRUTH) for key in read}) == 2:
            pairs = [pair for pair in self._unproven if not read & {column.key for column in pair}]
            if pairs:
                self._prove(pairs, chunk_rows)
            self._unproven = [pair for pair in self._unproven if pair not in pairs]
        yield from super().batches(maker, chunk_rows)
        note = f"joined by row order: {self.rows or 0:,} rows{self._although}"
        if note not in self.notes:
            self.notes.append(note)

    def _prove(self, pairs: Sequence[tuple[Column, Column]], chunk_rows: int) -> None:
        """Makes sure that columns of the same name in both files have the same values."""
        maker = BatchMaker(self, (), [column.key for pair in pairs for column in pair], self.options)
        for batch in super().batches(maker, chunk_rows):
            for of_data, of_truth in pairs:
                cells = batch.carried[of_data.key], batch.carried[of_truth.key]
                differing = _differing(*cells)
                if len(differing):
                    row = int(batch.rows[differing[0]])
                    ours, theirs = (shown(str(python_value(each[int(differing[0])]))) for each in cells)
                    raise DataError(
                        f"{ours}, but {escape(of_truth.file)} has {theirs} there",
                        file=of_data.file,
                        row=row,
                        line=self._parts[0].source.line(row),
                        column=of_data.name,
                        hint="the rows of the two are not in the same order; --id COL joins them by a column.",
                    )


class ById(Table):
    """Data beside the truth that has the same id, in the order of the data.

    Args:
        data: the predictions.
        truth: the targets.
        ids: the keys of the id columns of both.

    Raises:
        DataError: an id is missing, is repeated in the truth, or has no partner.
    """

    def __init__(self, data: Source, truth: Source, ids: tuple[str, str]) -> None:
        self.name = data.name
        self.format = data.format
        self.options = getattr(data, "options", ReadOptions())
        self._data, self._truth = _beside(data, truth)
        self._id = data.column(ids[0])
        for column in (self._id, truth.column(ids[1])):
            check_single(column, "an id is one")
        left, right = comparable(ids_of(data, ids[0]), ids_of(truth, ids[1]))
        self._left = left
        self._positions = matched(left, right, self._id, truth.column(ids[1]))
        self.rows = len(self._positions)
        self._in_order = bool((self._positions == numpy.arange(len(left))).all())
        where = "" if self._in_order else f" (rows of {data.columns[0].file})"
        of_truth = [replace(column, file=column.file + where) for column in _columns_of_truth(truth)]
        self.columns = (*data.columns, *of_truth)
        joined = f"joined on {shown(self._id.name)}: {len(left):,} rows"
        self.notes = [*data.notes, *truth.notes, joined]

    def batches(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        """See ``Table.batches``."""
        if maker.condition is None:
            self._refuse_repeats(numpy.arange(len(self._positions)))
        seen = numpy.zeros(len(self._positions), dtype=bool)
        for batch in self._joined(maker, chunk_rows):
            indices = row_numbers(batch.rows) - 1
            rows = self._positions[indices]
            if maker.condition is not None and (seen[rows].any() or len(numpy.unique(rows)) < len(rows)):
                self._refuse_repeats(numpy.concatenate([numpy.flatnonzero(seen[self._positions]), indices]))
            seen[rows] = True
            yield batch

    def consumed(self) -> Consumed | None:
        """See ``Source.consumed``: of the data; the truth is held."""
        return self._data.source.consumed()

    def _joined(self, maker: BatchMaker, chunk_rows: int) -> Iterator[Batch]:
        if self._in_order:
            yield from Beside((self._data, self._truth), self.columns, self.name).batches(maker, chunk_rows)
            return
        truth = _whole(list(self._truth.pieces(maker, chunk_rows)))
        done = 0
        for piece in self._data.pieces(maker, chunk_rows):
            rows = self._positions[done : done + piece.count]
            indices = arrow_of(rows)
            numbers = {**piece.numbers, **{key: cells[rows] for key, cells in truth.numbers.items()}}
            kept = {**piece.kept, **{key: _chunk(cells.take(indices)) for key, cells in truth.kept.items()}}
            yield from delivered(*maker.make({**kept, **numbers}, done + 1, piece.count, kept=kept))
            done += piece.count

    def _refuse_repeats(self, rows: numpy.ndarray) -> None:
        repeats = repeated(self._left.take(arrow_of(rows)))
        if repeats is not None:
            count, example = repeats
            raise DataError(
                f"{occurring(count)} more than once, such as {shown(example)}",
                file=self._id.file,
                column=self._id.name,
                hint="--where takes the rows of one model or fold, as in --where \"model = 'a'\".",
            )

    def line(self, row: int) -> int | None:
        """The physical line of a data row in the file of the data."""
        return self._data.source.line(row)


def joined(data: Source, truth: Source, id: str | None) -> Source:
    """See ``readers.join_truth``."""
    ids = _given_id(data, truth, id) if id is not None else _common_id(data, truth)
    if ids is not None:
        return ById(data, truth, ids)
    return InOrder(data, truth)


# --- columns ----------------------------------------------------------------------------------------------------------


def _beside(data: Source, truth: Source) -> tuple[Part, Part]:
    own = {column.key: column.key for column in data.columns}
    return Part(data, own), Part(truth, {_key(column): column.key for column in truth.columns})


def _columns_of_truth(truth: Source) -> list[Column]:
    return [replace(column, key=_key(column), side="truth") for column in truth.columns]


def _key(column: Column) -> str:
    return f"{_TRUTH}{column.key}"


def _given_id(data: Source, truth: Source, id: str) -> tuple[str, str]:
    keys = []
    for source in (data, truth):
        found = [column.key for column in source.columns if column.name == id]
        if len(found) != 1:
            names = [column.name for column in source.columns]
            problem = f"has {len(found)} columns named {shown(id)}" if found else f"has no column {shown(id)}"
            raise UsageError(f"--id: {_shown(source)} {problem}", hint=did_you_mean(id, names))
        keys.append(found[0])
    return keys[0], keys[1]


def _common_id(data: Source, truth: Source) -> tuple[str, str] | None:
    of_truth = {compared(column.name): column for column in truth.columns if _is_id(column)}
    both = [
        (column, of_truth[name])
        for column in data.columns
        if _is_id(column) and (name := compared(column.name)) in of_truth
    ]
    if len(both) > 1:
        names = " and ".join(shown(column.name) for column, _ in both)
        raise UsageError(
            f"{_shown(data)} and {_shown(truth)} both have the ids {names}", hint="--id says which one joins them."
        )
    return (both[0][0].key, both[0][1].key) if both else None


def _is_id(column: Column) -> bool:
    return column.kind in ("number", "text", "other") and read_name(column.name).aside == "an id"


def _without_partner(data: Source, truth: Source) -> str:
    """The rest of a note on ids of only one of the two, which therefore join nothing.

    Raises:
        UsageError: both have ids of one kind, under different names.
    """
    ids = [[column for column in source.columns if _identifies(column)] for source in (data, truth)]
    for of_data in ids[0]:
        for of_truth in ids[1]:
            if of_data.kind == of_truth.kind:
                raise UsageError(
                    f"{shown(of_data.name)} of {escape(of_data.file)} and {shown(of_truth.name)} of "
                    f"{escape(of_truth.file)} seem to be ids, but their names differ",
                    hint="rename one of them like the other, or give a column that both have with --id.",
                )
    lonely = [column for columns in ids for column in columns]
    return f", although {shown(lonely[0].name)} of {escape(lonely[0].file)} has no partner" if lonely else ""


def _identifies(column: Column) -> bool:
    return _is_id(column) and bool(column.sample) and len(set(column.sample)) == len(column.sample)


def _shown(source: Source) -> str:
    return escape(source.columns[0].file if source.columns else source.name)


def _distinct(parts: Sequence[Part]) -> list[Source]:
    return list({id(part.source): part.source for part in parts}.values())


def _whole(pieces: Sequence[Piece]) -> Any:
    first = pieces[0]
    numbers = {key: numpy.concatenate([piece.numbers[key] for piece in pieces]) for key in first.numbers}
    kept = {key: _chunk(pyarrow.chunked_array([piece.kept[key] for piece in pieces])) for key in first.kept}
    return Piece(sum(piece.count for piece in pieces), numbers, kept)


def _chunk(cells: Any) -> Any:
    return cells.combine_chunks() if isinstance(cells, pyarrow.ChunkedArray) else cells


# --- agreement --------------------------------------------------------------------------------------------------------


def _differing(left: Any, right: Any) -> numpy.ndarray:
    """The positions where both have a value and the two are not the same."""
    there = present_in(left) & present_in(right)
    try:
        ours, theirs = (numpy_of(cells.cast(pyarrow.float64())) for cells in (left, right))
    except pyarrow.ArrowException:
        import pyarrow.compute as compute

        different = compute.not_equal(*(cells.cast(pyarrow.large_string()) for cells in (left, right)))
        return numpy.flatnonzero(numpy_of(different) & there)
    whole = (ours == numpy.floor(ours)) & (theirs == numpy.floor(theirs))
    same = numpy.where(whole, ours == theirs, numpy.isclose(ours, theirs, rtol=ROUNDING, atol=0, equal_nan=True))
    return numpy.flatnonzero(~same & there)
