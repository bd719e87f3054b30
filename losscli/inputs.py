"""From what the user names to one source of aligned data: a file, two joined files, a file for each role, or memory."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from losscli._lazy import numpy
from losscli.columns.roles import Call, assign
from losscli.columns.roles import select as select_columns
from losscli.errors import UsageError, did_you_mean, shown
from losscli.loss import BoundLoss
from losscli.readers import SUFFIXES, join_truth, open_memory, open_source, side_by_side
from losscli.readers.source import Column, Field, ReadOptions, Source

STDIN = "-"


@dataclass(frozen=True)
class Inputs:
    """What one computation reads, as the user says it.

    Attributes:
        data: a path, ``-`` for standard input, a DataFrame, a mapping of arrays, or None where each role has its own.
        roles: for each role given, column selectors where there is data, else paths or arrays.
        truth: a second file that holds the targets.
        id: the column that joins the two.
        positive_label: the word for the positive class, where labels are words.
        options: how text is to be read.
        beside: arrays that are no role, such as weights, by name; only where the roles are arrays too.
    """

    data: Any = None
    roles: Mapping[str, Any] = field(default_factory=dict)
    truth: str | None = None
    id: str | None = None
    positive_label: str | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """A source with the calls that were asked for.

    Attributes:
        source: the aligned data.
        calls: each loss with the fields of its roles; one for each prediction.
        notes: which columns were chosen and how files were joined, as sentences for the user.
    """

    source: Source
    calls: tuple[Call, ...]
    notes: tuple[str, ...]

    def select(self, selectors: Sequence[str]) -> tuple[Column, ...]:
        """The columns that selectors such as ``name``, ``#3`` and ``p_*`` mean, each once."""
        found = [column for selector in selectors for column in select_columns(self.source, selector)]
        return tuple(dict.fromkeys(found))

    def kept(self, id: str | None, keep: Sequence[str], by: Sequence[str]) -> tuple[str, ...]:
        """Keys of the columns that stand beside each row's loss: the id, those to keep (``all``: every one), groups."""
        if "all" in keep:
            columns = tuple(column for column in self.source.columns if not column.shape)
        else:
            columns = self.select([*([id] if id is not None else []), *keep, *by])
        return tuple(column.key for column in columns)


def open_inputs(inputs: Inputs, losses: Sequence[BoundLoss]) -> Opened:
    """Opens what is to be read and finds the columns of every role.

    Raises:
        UsageError: roles, columns or files that do not fit together.
        DataError: a file that is not what it seems.
        ResourceError: a file that cannot be read.
    """
    _check_roles(inputs.roles, losses)
    shared = _shared(inputs, losses)
    inputs = replace(inputs, roles={role: value for role, value in inputs.roles.items() if role not in shared})
    if inputs.data is not None:
        source = _open(inputs.data, inputs.options)
        explicit = {role: _selectors(role, value) for role, value in inputs.roles.items()}
    elif all(_is_selector(value) for value in inputs.roles.values()):
        raise UsageError("there is nothing to read", hint="give data, or an array or a path for each role.")
    else:
        source, explicit = _one_file_a_role(inputs), {role: [role] for role in inputs.roles}
    if inputs.truth is not None:
        if inputs.data is None:
            raise UsageError("--truth joins a data file, and here each role is a file", hint="give --target instead.")
        source = join_truth(source, open_source(inputs.truth, inputs.options), inputs.id)
    assignment = assign(source, losses, explicit, positive=inputs.positive_label)
    calls = tuple(
        replace(call, shared={role: shared[role] for role in call.loss.loss.shared if role in shared})
        for call in assignment.calls
    )
    return Opened(source, calls, (*source.notes, *assignment.notes, *_gathering(calls)))


def _check_roles(given: Collection[str], losses: Sequence[BoundLoss]) -> None:
    """Refuses a role that no loss has.

    Raises:
        UsageError: says what is meant by a name that is close to one, or is a parameter's.
    """
    known = [role for loss in losses for form in loss.loss.role_sets() for role in form]
    for role in given:
        if role in known:
            continue
        names = ", ".join(loss.name for loss in losses)
        hint = did_you_mean(role, known) or f"it takes {', '.join(dict.fromkeys(known))}."
        having = next((loss for loss in losses if role in loss.params), None)
        if having is not None:
            option = having.loss.param(role).option
            hint = f'it is a parameter: "{having.name}:{option}=...", or bind({role}=...) of the loss.'
        raise UsageError(f'{names} has no role "{role}"', hint=hint)


def _gathering(calls: Sequence[Call]) -> list[str]:
    """Which losses need all data in memory."""
    specs = dict.fromkeys(call.loss.spec for call in calls if call.loss.sees_all)
    return [f"{spec} sees all data at once, so they are held in memory" for spec in specs]


def _shared(inputs: Inputs, losses: Sequence[BoundLoss]) -> dict[str, numpy.ndarray]:
    """The values of the roles that all data share: an array, or the path of one.

    Raises:
        UsageError: one that a loss cannot do without is missing, or is not an array of numbers.
    """
    found: dict[str, numpy.ndarray] = {}
    for loss in losses:
        for role in loss.loss.shared:
            if role in inputs.roles:
                found[role] = _shared_array(role, inputs.roles[role], inputs.options)
            elif role not in loss.loss.optional:
                phrase = loss.domain(role).phrase
                raise UsageError(
                    f"{loss.name} needs {role}, {phrase}", hint=f"give its file with --{role}, such as {role}.npy."
                )
    return found


def _shared_array(role: str, value: Any, options: ReadOptions) -> numpy.ndarray:
    value = value[0] if _is_single(value) else value
    if isinstance(value, (str, os.PathLike)):
        path, _, key = os.fspath(value).partition("::")
        source = open_source(path, options)
        columns = select_columns(source, key) if key else tuple(source.columns)
        field = Field(tuple(column.key for column in columns), matrix=len(columns) > 1)
        parts = [batch.values[field] for batch in source.read([field])]
        array = numpy.concatenate(parts) if parts else numpy.empty(0)
    else:
        array = numpy.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if array.dtype.kind not in "fiub" or not numpy.isfinite(array).all():
        raise UsageError(f"--{role} takes an array of finite numbers")
    return numpy.ascontiguousarray(array, dtype=numpy.float64)


def is_path(text: str) -> bool:
    """Whether a role's value without files means a path rather than a column of standard input."""
    path = text.partition("::")[0]
    return os.path.exists(path) or path.lower().endswith(tuple(SUFFIXES))


def _is_selector(value: object) -> bool:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)) or not values:
        return False
    return all(isinstance(text, str) and not is_path(text) for text in values)


def _selectors(role: str, value: Any) -> list[str]:
    selectors = [value] if isinstance(value, str) else value
    if not isinstance(selectors, (list, tuple)) or not all(isinstance(each, str) for each in selectors):
        raise UsageError(
            f"{role} is a column of data, so it takes the column's name",
            hint="leave data out to give an array for each role.",
        )
    return list(selectors)


def _open(data: Any, options: ReadOptions) -> Source:
    if isinstance(data, (str, os.PathLike)):
        return open_source(os.fspath(data), options)
    return open_memory(data)


def _one_file_a_role(inputs: Inputs) -> Source:
    """Arrays in memory, or a path such as ``p.npy`` or ``labels.csv::label``, for each role."""
    values = {role: value[0] if _is_single(value) else value for role, value in inputs.roles.items()}
    paths = {role: value for role, value in values.items() if isinstance(value, (str, os.PathLike))}
    if not paths:
        return open_memory({**values, **inputs.beside})
    selectors = [role for role, path in paths.items() if isinstance(path, str) and not is_path(path)]
    if selectors or len(paths) < len(values):
        role = next(iter(selectors or values.keys() - paths.keys()))
        raise UsageError(
            f"--{role} {shown(values[role])} is a column, but other roles are files",
            hint="give a file for every role, or name the data file and let every role be a column of it.",
        )
    if [os.fspath(path).partition("::")[0] for path in paths.values()].count(STDIN) > 1:
        raise UsageError("standard input can be only one role")
    return side_by_side({role: _single_column(os.fspath(path), inputs.options) for role, path in paths.items()})


def _is_single(value: object) -> bool:
    return isinstance(value, (list, tuple)) and len(value) == 1 and isinstance(value[0], str)


def _single_column(text: str, options: ReadOptions) -> tuple[Source, str]:
    path, _, key = text.partition("::")
    source = open_source(path, options)
    columns = select_columns(source, key) if key else tuple(source.columns)
    if len(columns) != 1:
        names = ", ".join(column.name for column in columns[:8])
        raise UsageError(
            f"{path} has {len(columns)} columns: {names}", hint=f"say which one: {path}::{columns[0].name}"
        )
    return source, columns[0].key
