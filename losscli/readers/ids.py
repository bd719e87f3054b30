"""Ids that join two files: read, made comparable, matched."""

from __future__ import annotations

from typing import Any

from losscli._lazy import numpy, pyarrow
from losscli.errors import DataError, UsageError, escape, shown
from losscli.readers.interchange import numpy_of, present_in, python_value
from losscli.readers.source import Column, Source


def ids_of(source: Source, key: str) -> Any:
    """The ids of every row, as one Arrow array.

    Raises:
        DataError: an id is missing.
    """
    chunks = []
    column = source.column(key)
    for batch in source.read((), [key]):
        ids = batch.carried[key]
        if ids.null_count:
            row = int(batch.rows[int(numpy.argmin(present_in(ids)))])
            raise DataError("the id is missing", file=column.file, row=row, line=source.line(row), column=column.name)
        chunks.append(ids)
    return pyarrow.chunked_array(chunks).combine_chunks()


def check_single(column: Column, what: str) -> None:
    """Refuses a column with several values a datum, where they are to be told apart.

    Args:
        column: that was chosen.
        what: what takes one value only, as the end of a sentence.

    Raises:
        UsageError: it has.
    """
    if column.kind in ("vector", "nested"):
        raise UsageError(f"{escape(column.file)}: {shown(column.name)} has several values a datum, and {what}")


def comparable(left: Any, right: Any) -> tuple[Any, Any]:
    """Both as whole numbers where all are, else both as text.

    Example:
        >>> import pyarrow
        >>> [ids.to_pylist() for ids in comparable(pyarrow.array(["007", "8.0"]), pyarrow.array([7.0, 8.0]))]
        [[7, 8], [7, 8]]
    """
    try:
        return _whole_numbers(left), _whole_numbers(right)
    except pyarrow.ArrowException:
        return tuple(_plain(ids).cast(pyarrow.large_string()) for ids in (left, right))


def _whole_numbers(ids: Any) -> Any:
    import pyarrow.compute as compute

    ids = _plain(ids)
    if pyarrow.types.is_string(ids.type) or pyarrow.types.is_large_string(ids.type):
        # pandas writes whole numbers with a fraction once a cell of the column was missing.
        ids = compute.replace_substring_regex(ids, r"^(-?\d+)\.0*$", r"\1")
    return ids.cast(pyarrow.int64())


def _plain(ids: Any) -> Any:
    return ids.dictionary_decode() if pyarrow.types.is_dictionary(ids.type) else ids


def matched(left: Any, right: Any, of_data: Column, of_truth: Column) -> numpy.ndarray:
    """For each id of the data, its position in the truth, shape (n,), int64.

    Raises:
        DataError: an id has no partner, or is repeated in the truth.
    """
    import pyarrow.compute as compute

    repeats = repeated(right)
    if repeats is not None:
        count, example = repeats
        problem = f"{occurring(count)} more than once, such as {shown(example)}"
        raise DataError(problem, file=of_truth.file, column=of_truth.name)
    for ids, others, here, there in ((left, right, of_data, of_truth), (right, left, of_truth, of_data)):
        lonely = ids.filter(compute.invert(compute.is_in(ids, value_set=others)))
        theirs = others.filter(compute.invert(compute.is_in(others, value_set=ids)))
        if len(lonely):
            unlike = theirs if len(theirs) else others
            raise DataError(
                f"{len(lonely):,} of {len(ids):,} rows have an id that {escape(there.file)} has not, "
                f"such as {_example(lonely)}; those of {escape(there.file)} are such as {_example(unlike)}",
                file=here.file,
                column=here.name,
            )
    positions: numpy.ndarray = numpy_of(compute.index_in(left, value_set=right)).astype(numpy.int64)
    return positions


def _example(ids: Any) -> str:
    return shown(str(python_value(ids[0])))


def repeated(ids: Any) -> tuple[int, str] | None:
    """How many ids occur more than once, and one of them."""
    import pyarrow.compute as compute

    if compute.count_distinct(ids).as_py() == len(ids):
        return None
    counted = compute.value_counts(ids)
    repeated = counted.filter(compute.greater(counted.field("counts"), 1))
    return len(repeated), str(python_value(repeated[0]["values"]))


def occurring(count: int) -> str:
    """How many ids occur, in words."""
    return "1 id occurs" if count == 1 else f"{count:,} ids occur"
