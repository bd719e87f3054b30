"""Shorthand for the tests of the readers: write a file, read all of it, get the message of the error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest

from losscli.errors import LosscliError
from losscli.readers import open_source
from losscli.readers.source import Field, ReadOptions, Source


def write(folder: Path, name: str, content: str | bytes) -> str:
    """Writes a file into the current folder of the test and returns its name."""
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return name


def everything(
    source: Source,
    fields: Sequence[str | Field] | None = None,
    carry: Sequence[str] = (),
    **options: Any,
) -> tuple[list[int], dict[str, Any], dict[str, list[Any]]]:
    """Row numbers, the numbers of each field (by its first column) and the columns handed through."""
    if fields is None:
        fields = [column.key for column in source.columns]
    wanted = [Field((field,)) if isinstance(field, str) else field for field in fields]
    batches = list(source.read(wanted, carry, **options))
    rows = [row for batch in batches for row in map(int, batch.rows)]
    values = {
        field.columns[0]: numpy.concatenate([batch.values[field] for batch in batches]) if batches else numpy.empty(0)
        for field in wanted
    }
    kept = {key: [value for batch in batches for value in batch.carried[key].to_pylist()] for key in carry}
    return rows, values, kept


def problem(name: str, options: ReadOptions | None = None, **reading: Any) -> str:
    """The message of the error that reading a file ends with."""
    with pytest.raises(LosscliError) as caught:
        everything(open_source(name, options), **reading)
    return str(caught.value)
