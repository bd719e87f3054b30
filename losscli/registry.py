"""The registry of losses: declaring one with ``@loss``, finding one by its name, reading a spec.

``@loss`` takes the roles and parameters from the function's signature and the texts from its docstring; a declaration
that is not whole fails at import.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from losscli.domain import Interval, ParamRange, Value, Whole
from losscli.errors import UsageError, did_you_mean, shown
from losscli.loss import CLASS_AXIS, BoundLoss, Curve, Derived, Loss, Param, RoleDomain, Scope, Traits
from losscli.statistic import MEAN, Declared

if TYPE_CHECKING:
    from torch import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])
_LOSSES: dict[str, Loss] = {}
_NAMES: dict[str, str] = {}
_PRESETS: dict[str, Mapping[str, Value]] = {}
_PEERS: dict[str, Loss] = {}
# Asked for a loss that is not in the catalogue, in order: installed packages may have it.
BRINGERS: list[Callable[[str], Loss | None]] = []
# Where the losses of other libraries are declared, by the first part of their names. Imported when one is asked for.
PEER_MODULES = {
    "torch": ("losscli.peers.torch_nn", "losscli.peers.torch_distances"),
    "keras": ("losscli.peers.keras_losses",),
    "optax": ("losscli.peers.optax_losses",),
    "sklearn": ("losscli.peers.sklearn_metrics", "losscli.peers.sklearn_loss"),
    "sgd": ("losscli.peers.sgd",),
}


def loss(
    *,
    family: str,
    formula: str,
    unit: str,
    range: str,
    traits: Traits,
    convention: str,
    curve: Curve,
    cites: Iterable[str],
    gradient: str,
    where: Mapping[str, ParamRange] | None = None,
    aliases: Iterable[str] = (),
    differs: Iterable[str] = (),
    same_as: Mapping[str, str] | None = None,
    derived: Mapping[str, Derived] | None = None,
    fit: Callable[..., Mapping[str, Value]] | None = None,
    weigh: Callable[..., Tensor | None] | None = None,
    statistic: Declared = MEAN,
    scope: Scope = Scope.DATUM,
    joined_by: str | None = None,
    presets: Mapping[str, Mapping[str, Value]] | None = None,
    class_axis: bool = False,
    **roles: RoleDomain,
) -> Callable[[Function], Function]:
    """Declares a loss: the decorated function is entered in the registry and returned as it is.

    The function's positional parameters are the roles, its keyword-only ones the options; the docstring's first line is
    the summary, its paragraphs up to the first section the description, its ``Args:`` the help.

    Args:
        family: the heading under which the loss is listed.
        formula: the loss of one datum, in TeX.
        unit: the unit of the loss in terms of its roles, such as ``target^2``.
        range: the values that the loss takes, such as ``[0, inf)``.
        traits: how it behaves.
        convention: the factor, dropped constant, logarithm and denominator that were chosen.
        curve: what the loss is drawn against: ``error``, ``probability``, ``distance``, ``distances`` or a ``Slice``;
            a function of the parameters where these decide.
        cites: keys of ``losses.references``.
        gradient: the derivative with respect to the prediction, in TeX.
        where: the range of each option.
        aliases: the field's other names.
        differs: who defines the loss otherwise, and how.
        same_as: the same loss in other libraries, by library.
        derived: roles that may be computed from others.
        fit: maps totals of the target to parameters left to the data; see ``balanced_cross_entropy``.
        weigh: each datum's weight in the cost, where the loss's definition has one; None for 1 each.
        statistic: how the cost comes from the data, where it is not their mean; a function of the parameters where
            these decide.
        scope: whether the function may see the data one by one, or needs all of them.
        joined_by: the role, one that may be left out, that says which rows are the items of one list. It goes with
            ``Scope.ALL``; without it each row is a list, and the data are seen one by one.
        presets: names for the loss with some parameters set, such as ``nll``.
        class_axis: adds the option that says which axis the classes are; the function gets them as the second.
        **roles: the domain of each role. A role whose parameter has the default None may be left out.

    Raises:
        TypeError: a declaration that is not whole. It fails at import, so that no gap reaches the documentation.
    """

    def declare(function: Function) -> Function:
        name = function.__name__.replace("_", "-")
        declared = Loss(
            name=name,
            family=family,
            function=function,
            roles=roles,
            params=_params(function, where or {}, list(roles)) + (_CLASS_AXIS if class_axis else ()),
            optional=_optional(function),
            statistic=statistic,
            scope=scope,
            joined_by=joined_by,
            class_axis=class_axis,
            role_help=_role_help(
                function, [*roles, *(role for each in (derived or {}).values() for role in each.roles)]
            ),
            summary=_summary(function),
            description=_description(function),
            formula=formula,
            gradient=gradient,
            unit=unit,
            range=range,
            traits=traits,
            convention=convention,
            curve=curve,
            cites=tuple(cites),
            aliases=tuple(aliases),
            differs=tuple(differs),
            same_as=dict(same_as or {}),
            derived=dict(derived or {}),
            fit=fit,
            weigh=weigh,
        )
        enter(declared, presets or {})
        return function

    return declare


_CLASS_AXIS = (
    Param(CLASS_AXIS, 1, Whole(Interval(-8, 8)), "Which axis of the prediction the classes are; -1 is the last."),
)


def enter(declared: Loss, presets: Mapping[str, Mapping[str, Value]] | None = None) -> None:
    """Enters a loss under its names.

    Raises:
        TypeError: one of them is taken.
    """
    presets = presets or {}
    for name in (declared.name, *declared.aliases, *presets):
        if name in _NAMES:
            raise TypeError(f"the loss name {name!r} is registered twice")
        _NAMES[name] = declared.name
    for name, params in presets.items():
        declared.bind(**params)
        _PRESETS[name] = dict(params)
    _LOSSES[declared.name] = declared


def _parameters(function: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The positional and the keyword-only parameters with their defaults; ``inspect`` takes many times as long."""
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    options = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__defaults__ or ()
    without = len(positional) - len(defaults)
    given = function.__kwdefaults__ or {}
    if set(options) != set(given):
        raise TypeError(f"{function.__name__}: each keyword-only parameter needs a default")
    return dict(zip(positional, (_REQUIRED,) * without + defaults)), {name: given[name] for name in options}


_REQUIRED = object()


def _params(function: Callable[..., object], where: Mapping[str, ParamRange], roles: list[str]) -> tuple[Param, ...]:
    positional, options = _parameters(function)
    if list(positional) != roles:
        raise TypeError(f"{function.__name__}: the positional parameters {list(positional)} are not the roles {roles}")
    if set(options) != set(where):
        raise TypeError(f"{function.__name__}: each keyword-only parameter needs a range in where=, and only those")
    helps = arguments_help(function)
    missing = [name for name in where if name not in helps]
    if missing:
        raise TypeError(f"{function.__name__}: no line under Args: for {', '.join(missing)}")
    return tuple(Param(name, default, where[name], helps[name]) for name, default in options.items())


def _optional(function: Callable[..., object]) -> frozenset[str]:
    """The roles that may be left out: positional parameters with the default None."""
    return frozenset(name for name, default in _parameters(function)[0].items() if default is None)


def _role_help(function: Callable[..., object], roles: Iterable[str]) -> dict[str, str]:
    helps = arguments_help(function)
    missing = [name for name in roles if name not in helps]
    if missing:
        raise TypeError(f"{function.__name__}: no line under Args: for {', '.join(missing)}")
    return {name: helps[name] for name in roles}


@functools.cache
def _docstring(function: Callable[..., object]) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise TypeError(f"{function.__name__} has no docstring")
    return text


def _summary(function: Callable[..., object]) -> str:
    return _docstring(function).split("\n", 1)[0]


def _description(function: Callable[..., object]) -> str:
    before_sections = re.split(r"^(?:Args|Returns|Raises|Example|References):$", _docstring(function), flags=re.M)[0]
    return before_sections.split("\n", 1)[1].strip() if "\n" in before_sections else ""


def arguments_help(function: Callable[..., object]) -> dict[str, str]:
    """What the docstring says under ``Args:`` about each parameter."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)+)", _docstring(function), flags=re.M)
    helps: dict[str, str] = {}
    if section:
        for entry in re.split(r"^    (?=\S)", section.group(1), flags=re.M)[1:]:
            name, _, text = entry.partition(":")
            helps[name.strip()] = " ".join(text.split())
    return helps


def losses() -> dict[str, Loss]:
    """The catalogue: every loss by its name, in the order of the families. Imports no torch."""
    return dict(_LOSSES)


def find(name: str) -> Loss:
    """The loss of that name or alias, in either spelling, or of another library under its own dotted name.

    Raises:
        UsageError: there is none; the message suggests the closest names.
    """
    if "." in name:
        return _find_peer(name.strip())
    wanted = _canonical(name)
    if wanted not in _NAMES:
        for bring in BRINGERS:
            if (brought := bring(wanted)) is not None:
                return brought
        hint = did_you_mean(wanted, _NAMES) or "losscli list shows them all."
        raise UsageError(f"there is no loss {shown(name)}", hint=hint)
    return _LOSSES[_NAMES[wanted]]


def _canonical(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def peers(library: str | None = None) -> dict[str, Loss]:
    """The losses of other libraries under their own names: of one library, or of all.

    Args:
        library: the first part of the names, such as ``torch``.
    """
    for each, modules in PEER_MODULES.items():
        if library in (None, each):
            for module in modules:
                importlib.import_module(module)
    found = sorted(_PEERS.items(), key=lambda item: list(PEER_MODULES).index(item[0].partition(".")[0]))
    return {name: loss for name, loss in found if library in (None, name.partition(".")[0])}


def enter_peer(declared: Loss) -> None:
    """Enters another library's loss."""
    if declared.name in _PEERS:
        raise TypeError(f"the loss name {declared.name!r} is registered twice")
    _PEERS[declared.name] = declared


def _find_peer(name: str) -> Loss:
    library = name.partition(".")[0].lower()
    if library not in PEER_MODULES:
        raise UsageError(
            f"there is no loss {shown(name)}", hint=f"names with a dot begin with {', '.join(PEER_MODULES)}."
        )
    known = peers(library)
    if name not in known:
        same = {each.lower(): each for each in known}
        close = same.get(name.lower())
        hint = f"did you mean {close}?" if close else did_you_mean(name, known)
        raise UsageError(f"there is no loss {shown(name)}", hint=hint or f"losscli list --peers {library} shows them.")
    return known[name]


def names() -> tuple[str, ...]:
    """Every name and alias by which ``find`` knows a loss."""
    return tuple(_NAMES)


def parse_spec(spec: str) -> BoundLoss:
    """The loss that a spec such as ``focal:alpha=0.25:gamma=2`` means.

    Raises:
        UsageError: an unknown loss or parameter, a parameter given twice, or a value outside its range.

    Example:
        >>> parse_spec("huber:delta=1.0").spec, parse_spec("huber:delta=2.0").spec
        ('huber', 'huber:delta=2')
    """
    name, *settings = spec.split(":")
    declared = find(name)
    preset = _PRESETS.get(_canonical(name), {})
    params: dict[str, object] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        param = declared.param(key)
        if not equals or not value:
            raise UsageError(f"{shown(spec)}: {param.option} needs a value", hint=f"write {param.option}=VALUE.")
        if param.name in params:
            raise UsageError(f"{shown(spec)}: {param.option} is given twice")
        params[param.name] = value
    return declared.bind(**{**preset, **params})


def bind(spec: str, **params: object) -> BoundLoss:
    """The loss of that name or spec, with its parameters: callable on tensors, one differentiable value per datum.

    Args:
        spec: a name such as ``huber`` or a spec such as ``huber:delta=2``.
        **params: parameters by name, instead of or beside those of the spec.

    Raises:
        UsageError: an unknown loss or parameter, or a value outside its range.

    Example:
        >>> import torch
        >>> bind("huber", delta=2.0)(torch.tensor([0.0, 4.0]), torch.tensor([1.0, 1.0]))
        tensor([0.5000, 4.0000])
    """
    bound = parse_spec(spec)
    return bound.bind(**params) if params else bound


def parse_specs(specs: str) -> list[BoundLoss]:
    """The losses of a list joined by commas, each once.

    Example:
        >>> [loss.spec for loss in parse_specs("mae,huber:delta=2")]
        ['mae', 'huber:delta=2']
    """
    found = [parse_spec(spec) for spec in specs.split(",")]
    for position, bound in enumerate(found):
        if bound.spec in [earlier.spec for earlier in found[:position]]:
            raise UsageError(f"{bound.spec} is asked for twice")
    return found
