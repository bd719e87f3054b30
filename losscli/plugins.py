"""Losses that users bring: a function or criterion in a file of their own, or what an installed package offers.

A plain function needs no decorator: its positional parameters are the roles, the others the options, and it returns one
value for each datum. Nothing is imported unless the user asks for it by name.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from losscli._lazy import torch
from losscli.domain import Domain, Flag, Number, ParamRange, Value, Vector, Whole, Word
from losscli.errors import LosscliError, ResourceError, UsageError, shown
from losscli.loss import Loss, Param, Traits
from losscli.losses._stable.elementary import mean_over_outputs
from losscli.names import ROLE_NAMES, read_name
from losscli.registry import arguments_help, enter, losses

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from torch import Tensor

GROUP = "losscli.losses"
FAMILY = "your own"
# What the two arguments of a criterion are called, beside the words that names of columns are read by.
PREDICTED = {"input", "inputs", "output", "outputs", "logits", "scores", "x"}
TRUE = {"y", "label", "labels"}


def load(text: str) -> Loss:
    """The loss that ``FILE.py:NAME`` means, entered in the catalogue.

    Args:
        text: a Python file and the name of a function, a criterion or a criterion's class in it.

    Raises:
        UsageError: a file that does not import, or what it holds is no loss.
        ResourceError: there is no such file.
    """
    path, colon, name = text.rpartition(":")
    if not colon or not name.isidentifier():
        raise UsageError(f"--load {shown(text)} is not FILE.py:NAME", hint="for example --load my_losses.py:my_loss.")
    if not os.path.isfile(path):
        raise ResourceError(f"{path}: there is no such file", hint="--load takes FILE.py:NAME.")
    module = _module(path)
    if not hasattr(module, name):
        found = [each for each, value in vars(module).items() if inspect.isfunction(value) and each[0] != "_"]
        hint = f"it has {', '.join(found[:8])}." if found else "it defines no function."
        raise UsageError(f"{path} has no {shown(name)}", hint=hint)
    return adopt(getattr(module, name), name, path)


def installed() -> dict[str, EntryPoint]:
    """What installed packages offer, by the loss's name. Nothing of theirs is imported."""
    from importlib.metadata import entry_points

    return {_kebab(entry.name): entry for entry in entry_points(group=GROUP)}


def load_installed(name: str) -> Loss | None:
    """The loss of that name from an installed package, entered in the catalogue; None where no package has it.

    Raises:
        UsageError: the package has it, but it fails; the message names the package.
    """
    entry = installed().get(_kebab(name))
    if entry is None:
        return None
    package = entry.dist.name if entry.dist is not None else entry.value
    try:
        found = entry.load()
    except Exception as error:
        raise UsageError(
            f'the loss {shown(name)} of the package "{package}" does not load: {_reason(error)}',
            hint="the other losses work; ask those who make the package.",
        ) from None
    if isinstance(found, ModuleType):
        # Its import has declared the loss.
        return losses().get(_kebab(name))
    return adopt(found, name, package)


def adopt(thing: Any, name: str, origin: str) -> Loss:
    """A function, a criterion or a criterion's class as a loss of the catalogue.

    Args:
        thing: what was found under the name.
        name: how the loss is to be called.
        origin: the file or package, for messages.

    Raises:
        UsageError: it cannot be a loss.
    """
    declared = next((loss for loss in losses().values() if loss.function is thing), None)
    if declared is not None:
        return declared
    if inspect.isclass(thing) and hasattr(thing, "forward"):
        return _enter(name, origin, thing, _criterion_roles(thing.forward), _options(thing, origin, skip=0), thing)
    if hasattr(thing, "forward") and callable(thing):
        criterion = _unreduced(thing)
        return _enter(name, origin, type(thing), _criterion_roles(thing.forward), (), lambda: criterion)
    if callable(thing):
        return _from_function(thing, name, origin)
    raise UsageError(f"{origin}: {name} is a {type(thing).__name__}, not a function or a criterion")


def _module(path: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"losscli_loaded_{abs(hash(os.path.realpath(path)))}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file", hint="--load takes FILE.py:NAME.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except LosscliError:
        raise
    except Exception as error:
        line = next((frame.lineno for frame in reversed(inspect.trace()) if frame.filename == path), None)
        where = f", line {line}" if line is not None else ""
        raise UsageError(f"{path}{where}: it does not import: {_reason(error)}") from None
    return module


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


# --- from a function --------------------------------------------------------------------------------------------------


def _from_function(function: Callable[..., Any], name: str, origin: str) -> Loss:
    parameters = list(inspect.signature(function).parameters.values())
    for each in parameters:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise UsageError(f"{origin}: {name} takes *{each.name}; a loss names each of its roles and options")
    roles = _roles(
        [each.name for each in parameters if each.default is each.empty and each.kind is not each.KEYWORD_ONLY]
    )
    missing = [each.name for each in parameters if each.default is each.empty and each.kind is each.KEYWORD_ONLY]
    if missing:
        raise UsageError(f"{origin}: {name} has no default for its option {missing[0]}", hint="give it one.")
    options = _options(function, origin, skip=len(roles))

    def call(*values: Tensor, **params: Value) -> Tensor:
        # By its own names, so that a function may take the truth first.
        result: Tensor = function(**dict(zip(roles, values)), **params)
        return result

    return _enter(name, origin, function, roles, options, None, call)


def _criterion_roles(forward: Callable[..., Any]) -> dict[str, str]:
    names = [
        each.name
        for each in inspect.signature(forward).parameters.values()
        if each.default is each.empty and each.kind is each.POSITIONAL_OR_KEYWORD and each.name != "self"
    ]
    return _roles(names)


def _roles(names: list[str]) -> dict[str, str]:
    """For each argument of a function, in order, the role that it is."""
    roles = {}
    for name in names:
        part = read_name(name).part
        if name in ROLE_NAMES or name in ("pred", "target"):
            role = name
        elif name in PREDICTED or part == "pred":
            role = "pred"
        elif name in TRUE or part == "target":
            role = "target"
        else:
            role = name
        roles[name] = role
    if len(set(roles.values())) < len(roles):
        return {name: name for name in names}
    return roles


def _options(function: Callable[..., Any], origin: str, *, skip: int) -> tuple[Param, ...]:
    """The parameters with a default, as options whose range is that of the default's type."""
    helps = arguments_help(function) if inspect.getdoc(function) else {}
    made = []
    for each in list(inspect.signature(function).parameters.values())[skip:]:
        if each.default is each.empty or each.name == "reduction":
            continue
        range_ = _range(each)
        if range_ is None:
            raise UsageError(
                f"{origin}: the option {each.name} has the default {shown(each.default)}",
                hint="an option is a number, true or false, a word, or several numbers.",
            )
        made.append(Param(each.name, each.default, range_, helps.get(each.name, "An option of your loss.")))
    return tuple(made)


def _range(parameter: inspect.Parameter) -> ParamRange | None:
    default = parameter.default
    if isinstance(default, bool):
        return Flag()
    if isinstance(default, int) and "float" not in str(parameter.annotation):
        return Whole()
    if isinstance(default, (int, float)):
        return Number()
    if isinstance(default, str):
        return Word()
    if default is None:
        return Number(none="none")
    if isinstance(default, tuple) and all(isinstance(each, (int, float)) for each in default):
        return Vector(none=None)
    return None


def _unreduced(criterion: Any) -> Any:
    """A criterion that gives the losses as they are, where it has the usual switch for that."""
    if hasattr(criterion, "reduction"):
        criterion.reduction = "none"
    return criterion


def _enter(
    name: str,
    origin: str,
    thing: Callable[..., Any],
    roles: Mapping[str, str],
    params: tuple[Param, ...],
    criterion: Callable[..., Any] | None,
    call: Callable[..., Tensor] | None = None,
) -> Loss:
    """Enters what calls a user's code, and checks what it gives."""
    if not roles:
        raise UsageError(f"{origin}: {name} takes no data", hint="write it as def my_loss(pred, target, *, k=1.0).")

    def function(*values: Tensor, **given: Value) -> Tensor:
        try:
            result = call(*values, **given) if call is not None else _unreduced(criterion(**given))(*values)  # type: ignore[misc]
        except LosscliError:
            raise
        except Exception as error:
            raise UsageError(f"{origin}: {name} fails: {_reason(error)}") from None
        return _checked(result, values, name, origin)

    text = inspect.getdoc(thing) or ""
    loss = Loss(
        name=_kebab(name),
        family=FAMILY,
        function=function,
        roles={role: _any_shape(role) for role in roles.values()},
        params=params,
        summary=text.split("\n", 1)[0] or f"A loss of your own, from {origin}.",
        description="",
        formula="",
        unit="",
        range="",
        traits=Traits("", "", "", "", ""),
        convention="",
        curve="error" if set(roles.values()) == {"pred", "target"} else "",
        cites=(),
        role_help={},
    )
    try:
        enter(loss)
    except TypeError:
        raise UsageError(
            f'{origin}: the catalogue has a loss called "{loss.name}" already', hint="give yours another name."
        ) from None
    return loss


def _any_shape(role: str) -> Domain:
    # A shape of its own for each role: the function says what fits.
    return Domain("real", "a number, or several", shapes=(f"n ...{role}",))


def _checked(result: Any, roles: tuple[Tensor, ...], name: str, origin: str) -> Tensor:
    """One value for each datum.

    Raises:
        UsageError: it is something else.
    """
    n = roles[0].shape[0]
    if not isinstance(result, torch.Tensor):
        raise UsageError(f"{origin}: {name} returns a {type(result).__name__}, not a tensor")
    if result.ndim == 0:
        raise UsageError(
            f"{origin}: {name} returns one number for {n:,} data",
            hint="a loss returns one number a datum: leave out its mean or sum.",
        )
    if result.shape != (n,) and result.shape not in {role.shape for role in roles}:
        raise UsageError(
            f"{origin}: {name} returns the shape ({', '.join(map(str, result.shape))}) for {n:,} data",
            hint="a loss returns one number a datum, shape (n), or one an output, of the prediction's shape.",
        )
    return mean_over_outputs(result)


def _kebab(name: str) -> str:
    return name.strip().lower().replace("_", "-")
