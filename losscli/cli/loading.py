"""``--load FILE.py:NAME``: taken from the command line before anything else, since it says which losses there are."""

from __future__ import annotations

from losscli.errors import UsageError

OPTION = "--load"


def take_loads(arguments: list[str]) -> list[str]:
    """The arguments without ``--load``, wherever it stands; its losses are in the catalogue then.

    Raises:
        UsageError: a file that cannot be a loss, or no value.
    """
    rest: list[str] = []
    given = iter(arguments)
    for argument in given:
        if argument == "--":
            rest += [argument, *given]
        elif argument == OPTION or argument.startswith(f"{OPTION}="):
            value = argument.partition("=")[2] if "=" in argument else next(given, "")
            if not value:
                raise UsageError(f"{OPTION} needs FILE.py:NAME")
            from losscli.plugins import load

            load(value)
        else:
            rest.append(argument)
    return rest
