"""``losscli plot``: the curve of a loss, swept over parameters, beside others, with the user's own residuals."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from losscli.cli.options import LossGroup, PlotOptions
from losscli.cli.terminal import Talk, stdout_bytes, stdout_is_terminal, width, write_text
from losscli.errors import UsageError, shown
from losscli.loss import BoundLoss

FIGURE_FORMATS = ("png", "svg", "pdf")


class PlotGroup(LossGroup):
    """A subcommand for each loss."""

    options = PlotOptions
    usage = "[OPTIONS]"

    @staticmethod
    def run(bound: list[BoundLoss], roles: dict[str, list[str]], params: Mapping[str, str], options: Any) -> None:
        """Draws the picture, writes it and prints its path."""
        plot(bound, roles, params, options)


def plot(
    bound: Sequence[BoundLoss], roles: Mapping[str, list[str]], params: Mapping[str, str], options: PlotOptions
) -> None:
    """Draws the losses with every combination of the listed parameter values.

    Raises:
        UsageError: options that do not fit together, or losses that do not share an axis.
    """
    from losscli.figures import curves, draw, preview, save

    path, kind = _destination(bound, options)
    swept = _sweep(bound, params)
    if roles and options.data is None:
        raise UsageError("columns are named, but no file", hint="add --data FILE to lay its data under the curve.")
    ends = _pair(options.range, "--range") if options.range is not None else None
    at = _numbers(options.at, "--at") if options.at is not None else ()
    positions = None
    if options.data is not None:
        from losscli.cli.residuals import Positions

        positions = Positions(options.data, swept[0], roles, Talk(quiet=options.quiet), predictions=bool(at))
        if ends is None and swept[0].loss.curve == "error" and not at:
            reach = max(abs(end) for end in positions.extent()) or 1.0
            ends = (-reach, reach)
    picture = curves(swept, range=ends, at=at, gradient=options.grad)
    if positions is not None:
        picture = positions.lay_under(picture)
    size = _pair(options.size.replace("x", ","), "--size") if options.size is not None else None
    figure = draw(picture, size=size, dpi=options.dpi, style=options.style, title=options.title, log_y=options.log_y)
    if path == "-":
        image = io.BytesIO()
        save(figure, image, kind, dpi=options.dpi)
        stdout_bytes().write(image.getvalue())
        return
    from losscli import output

    output.check(path, force=True, inputs=[options.data] if options.data else [])
    with output.open_output(path) as file:
        save(figure, file, kind, dpi=options.dpi)
    if stdout_is_terminal():
        write_text(preview(picture, width=min(width(), 100), height=20) + "\n")
    write_text(f"{path}\n")


def _destination(bound: Sequence[BoundLoss], options: PlotOptions) -> tuple[str, str]:
    """The path and the format of the picture.

    Raises:
        UsageError: an unknown format, or a suffix that says otherwise.
    """
    wanted = options.format
    if wanted is not None and wanted not in FIGURE_FORMATS:
        raise UsageError(f"--format {shown(wanted)} is not one of {', '.join(FIGURE_FORMATS)}")
    if options.output is None:
        return f"{'-'.join(dict.fromkeys(each.name for each in bound))}.{wanted or 'png'}", wanted or "png"
    if options.output == "-":
        if wanted is None:
            raise UsageError("a picture on standard output needs a format", hint="add --format png, svg or pdf.")
        return "-", wanted
    suffix = options.output.rpartition(".")[2].lower() if "." in options.output else ""
    if suffix not in FIGURE_FORMATS:
        raise UsageError(
            f"{shown(options.output)} does not end in .png, .svg or .pdf", hint="the suffix gives the format."
        )
    if wanted is not None and wanted != suffix:
        raise UsageError(f"--output {options.output} and --format {wanted} disagree", hint="leave one of them out.")
    return options.output, suffix


def _sweep(bound: Sequence[BoundLoss], params: Mapping[str, str]) -> list[BoundLoss]:
    names = list(params)
    values = [params[name].split(",") for name in names]
    return [each.bind(**dict(zip(names, combination))) for each in bound for combination in itertools.product(*values)]


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{option} {shown(text)} is not numbers joined by commas") from None


def _pair(text: str, option: str) -> tuple[float, float]:
    numbers = _numbers(text, option)
    if len(numbers) != 2:
        raise UsageError(f"{option} {shown(text)} is not two numbers")
    return numbers[0], numbers[1]
