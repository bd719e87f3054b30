"""The tree of commands."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.main import get_command

from losscli import __version__
from losscli.cli import catalogue
from losscli.cli.compute import ComputeGroup
from losscli.cli.help import Command, Group
from losscli.cli.options import CONTEXT
from losscli.cli.plot import PlotGroup

COMPUTE_HELP = "The cost of each file, or with --per-datum the loss of each row. LOSS is a name, a spec or a list."
PLOT_HELP = "The curve of a loss; a list of values sweeps: --delta 0.5,1,2."


def command() -> Any:
    """The whole command line as one command."""
    app = typer.Typer(
        name="losscli",
        cls=Group,
        help="The loss of your predictions: per datum or as a cost, exact to the last bit.",
        context_settings=CONTEXT,
        rich_markup_mode="rich",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_version_option)
    for name, group, text in (("compute", ComputeGroup, COMPUTE_HELP), ("plot", PlotGroup, PLOT_HELP)):
        subcommands = typer.Typer(cls=group, context_settings=CONTEXT)
        subcommands.callback(help=text, no_args_is_help=True)(_nothing)
        app.add_typer(subcommands, name=name)
    app.command("list", cls=Command, context_settings=CONTEXT)(catalogue.list_losses)
    app.command("show", cls=Command, context_settings=CONTEXT)(catalogue.show_loss)
    app.command("inspect", cls=Command, context_settings=CONTEXT)(catalogue.inspect_files)
    return get_command(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"losscli {__version__}")
        raise typer.Exit


def _version_option(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_print_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    """The loss of your predictions: per datum or as a cost, exact to the last bit."""


def _nothing() -> None:
    """The subcommand does the work."""
