"""Help pages for people: no Python types such as ``<bool>`` beside flags or ``<list[str]>`` beside files."""

from __future__ import annotations

from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup


class Command(TyperCommand):
    """A command with such a help page."""

    def get_params(self, ctx: Any) -> Any:
        """What the command takes."""
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """A group of commands with such a help page."""

    def get_params(self, ctx: Any) -> Any:
        """What the group takes."""
        return _without_types(super().get_params(ctx))


def _without_types(parameters: Any) -> Any:
    for parameter in parameters:
        if isinstance(parameter, TyperArgument):
            parameter.display_type_rich = _nothing  # type: ignore[method-assign]
        elif parameter.is_flag:
            parameter.metavar = ""
    return parameters


def _nothing(ctx: Any) -> None:
    """An argument's name and help say what it is."""
