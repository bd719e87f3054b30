"""The Python API: the catalogue, the cost of data, a figure. The command line goes through the same functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from losscli._lazy import pandas, pyarrow
from losscli.blocks import Missing, Rules, check_choice
from losscli.device import chosen, usable
from losscli.engine import REDUCTIONS, RowOutput, Settings, evaluate
from losscli.errors import UsageError
from losscli.inputs import Inputs, Opened, open_inputs
from losscli.loss import BoundLoss
from losscli.readers.ids import check_single
from losscli.readers.source import ReadOptions
from losscli.registry import parse_specs
from losscli.result import Result

AS_USUAL = ReadOptions()

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def as_losses(losses: str | BoundLoss | Iterable[str | BoundLoss]) -> list[BoundLoss]:
    """Losses from a spec, a list of specs joined by commas, bound losses, or any mixture in a list.

    Raises:
        UsageError: an unknown loss, none, or one that is asked for twice.
    """
    if isinstance(losses, BoundLoss):
        return [losses]
    if isinstance(losses, str):
        return parse_specs(losses)
    found = [bound for each in losses for bound in as_losses(each)]
    specs = [bound.spec for bound in found]
    if not found:
        raise UsageError("no loss is asked for", hint="losscli.losses() has them all.")
    for position, spec in enumerate(specs):
        if spec in specs[:position]:
            raise UsageError(f"{spec} is asked for twice")
    return found


def compute(
    losses: str | BoundLoss | Iterable[str | BoundLoss],
    *,
    data: Any = None,
    truth: str | None = None,
    id: str | None = None,
    positive_label: str | None = None,
    weight: Any = None,
    by: str | Sequence[str] = (),
    where: str | None = None,
    reduction: Literal["mean", "sum", "none"] = "mean",
    keep: str | Sequence[str] = (),
    nan: Missing = "error",
    dtype: Literal["float64", "float32"] = "float64",
    device: str = "auto",
    threads: int | None = None,
    chunk_rows: int | None = None,
    clip: float | None = None,
    allow_inf: bool = False,
    compat: str | None = None,
    level: float | None = 0.95,
    options: ReadOptions = AS_USUAL,
    **roles: Any,
) -> Result | pandas.DataFrame:
    """The cost of predictions: the same records, from the same core, as ``losscli compute``.

    Args:
        losses: one loss or several, as specs or bound losses; several share one pass over the data.
        data: a path, a DataFrame, or a mapping of arrays; left out where each role is given as an array or a path.
        truth: path of a second file that holds the targets.
        id: the column that joins the two files.
        positive_label: the word for the positive class, where labels are words.
        weight: the column of weights, each at least 0; where roles are arrays, an array too.
        by: the columns that make groups.
        where: a condition in SQL; only rows that meet it are used.
        reduction: ``mean``, ``sum``, or ``none`` for the loss of each datum.
        keep: with ``none``, the columns to hand through beside those of ``id`` and ``by``; ``all`` is every column.
        nan: what a missing value does: ``error``, ``skip`` or ``propagate``.
        dtype: the precision in which losses are computed.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``, or ``auto``: where the data are, or a GPU for very large arrays.
        threads: how many blocks are computed at once.
        chunk_rows: how many rows are read at a time.
        clip: keeps probabilities in [clip, 1 - clip].
        allow_inf: lets losses be infinite.
        compat: a library such as ``torch``, or the dotted name of one of its losses: computes as it does.
        level: of the normal interval; None for none.
        options: how text is to be read.
        **roles: column names where ``data`` is given, else tensors, arrays, Series or paths, by role.

    Returns:
        The records; with ``reduction="none"`` a DataFrame with a row for each datum.

    Raises:
        LosscliError: as the command line reports it, without ending the process.

    Example:
        >>> compute("mse", pred=[2.5, 0.0, 2.0, 8.0], target=[3.0, -0.5, 2.0, 7.0]).value
        0.375
    """
    check_choice("--reduction", reduction, REDUCTIONS)
    asked_losses = as_losses(losses)
    if compat is not None:
        from losscli.peers.compat import counterpart

        asked_losses = [counterpart(each, compat) for each in asked_losses]
    asked: dict[str, Any] = {
        "reduction": "mean" if reduction == "none" else reduction,
        "rules": Rules(nan, dtype, usable(device), clip, allow_inf),
        "where": where,
        "threads": threads,
        "chunk_rows": chunk_rows,
        "level": level,
    }
    Settings(**asked)  # refuses a wrong request before anything is read
    beside = {}
    if weight is not None and not isinstance(weight, str):
        if data is not None:
            raise UsageError("weight is a column of data, so it takes the column's name")
        beside, weight = {"weight": weight}, "weight"
    inputs = Inputs(data, roles, truth, id, positive_label, options, beside)
    opened = open_inputs(inputs, asked_losses)
    by = [by] if isinstance(by, str) else by
    asked["rules"] = replace(asked["rules"], device=chosen(device, opened.source))
    settings = settings_for(opened, weight=weight, by=by, **asked)
    if reduction != "none":
        return Result(tuple(evaluate(opened.source, opened.calls, settings)))
    batches: list[pyarrow.RecordBatch] = []
    output = RowOutput(batches.append, opened.kept(id, [keep] if isinstance(keep, str) else keep, by))
    evaluate(opened.source, opened.calls, settings, rows=output)
    frame: pandas.DataFrame = pyarrow.Table.from_batches(batches).to_pandas()
    return frame


def settings_for(opened: Opened, *, weight: str | None, by: Sequence[str], **settings: Any) -> Settings:
    """Settings with the columns of weights and groups found by their names."""
    keys = [column.key for column in opened.select([weight])] if weight is not None else [None]
    if len(keys) > 1:
        raise UsageError(f"--weight {weight} means {len(keys)} columns; it takes one")
    groups = opened.select(by)
    for column in groups:
        check_single(column, "a group is made by one")
    return Settings(weight=keys[0], by=tuple(column.key for column in groups), **settings)


def plot(
    losses: str | BoundLoss | Iterable[str | BoundLoss],
    *,
    range: tuple[float, float] | None = None,
    at: float | Sequence[float] = (),
    grad: bool = False,
    size: tuple[float, float] | None = None,
    title: str | None = None,
    log_y: bool = False,
    **params: Any,
) -> Figure:
    """The curve of a loss, as ``losscli plot`` draws it.

    Args:
        losses: one loss or several, as specs or bound losses.
        range: the ends of the horizontal axis.
        at: true values: the axis then holds predictions instead of errors.
        grad: draws the derivative beside the loss.
        size: width and height in inches; None fits them to the picture.
        title: above the figure.
        log_y: a logarithmic vertical axis.
        **params: parameters of the loss; a list sweeps over its values.

    Raises:
        UsageError: losses that do not share an axis, or a parameter outside its range.

    Example:
        >>> figure = plot("huber", delta=[0.5, 1, 2])
        >>> len(figure.axes[0].get_lines()) >= 3
        True
    """
    from losscli.figures import curves, draw

    swept = sweep(as_losses(losses), params)
    points = (at,) if isinstance(at, (int, float)) else tuple(at)
    return draw(curves(swept, range=range, at=points, gradient=grad), size=size, title=title, log_y=log_y)


def sweep(losses: Sequence[BoundLoss], params: Mapping[str, Any]) -> list[BoundLoss]:
    """The losses with every combination of the listed parameter values.

    Example:
        >>> [bound.spec for bound in sweep(as_losses("huber"), {"delta": [0.5, 1, 2]})]
        ['huber:delta=0.5', 'huber', 'huber:delta=2']
    """
    swept = list(losses)
    for name, values in params.items():
        several = values if isinstance(values, (list, tuple)) else [values]
        swept = [bound.bind(**{name: value}) for bound in swept for value in several]
    return swept


__all__ = ["as_losses", "compute", "plot", "settings_for", "sweep"]
