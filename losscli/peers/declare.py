"""Declaring a peer: ``@peer`` for one with a function of its own, ``alias`` for one that is a loss of the catalogue."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from losscli.domain import Domain, Interval, ParamRange, Value, Whole
from losscli.loss import Decided, Depends, Loss, Param, Peer, RoleDomain, Scope
from losscli.registry import arguments_help, enter_peer, find
from losscli.statistic import MEAN, Declared

if TYPE_CHECKING:
    from torch import Tensor

Function = TypeVar("Function", bound=Callable[..., Any])
NOTHING: Mapping[str, Any] = {}


def peer(
    name: str,
    *,
    of: str,
    where: Mapping[str, ParamRange] = NOTHING,
    when: Mapping[str, Value] = NOTHING,
    names: Mapping[str, str] = NOTHING,
    statistic: Declared = MEAN,
    total: Callable[..., Tensor] | None = None,
    weigh: Callable[..., Tensor | None] | None = None,
    mean_over: Literal["weights", "data"] = "weights",
    scope: Scope | None = None,
    classes_at: int | str = 1,
    also: tuple[str, ...] = (),
    **roles: RoleDomain,
) -> Callable[[Function], Function]:
    """Declares another library's loss with a function of its own.

    The function's positional parameters are the roles, its keyword-only ones the library's parameters with the
    library's defaults. The docstring says in one sentence how it differs from the loss of the catalogue.

    Args:
        name: the library's dotted name.
        of: the loss of the catalogue that it corresponds to.
        where: the range of each parameter.
        when: the parameters of that loss for which it does, such as ``{"input": "logits"}``.
        names: for parameters that both have under different names, ours to theirs.
        statistic: how the cost comes from the values, where the library's default is not their mean.
        total: what a datum adds to the library's sum, where that is not the value that it reports for the datum.
        weigh: the weight of each datum in the cost.
        mean_over: whether a weighted mean is divided by the sum of the weights or by the number of data.
        scope: whether the function needs all data; None is as in the catalogue.
        classes_at: the axis of the classes in the library, or its parameter that says so. The function gets them as the
            second axis, and not the parameter.
        also: further losses of the catalogue that it corresponds to.
        **roles: the domains of roles that differ from the catalogue's.
    """

    def declare(function: Function) -> Function:
        base = find(of)
        parameters = inspect.signature(function).parameters.values()
        positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
        options = [p for p in parameters if p.kind is p.KEYWORD_ONLY]
        if {p.name for p in options} != set(where):
            raise TypeError(f"{name}: each keyword-only parameter needs a range in where=, and only those")
        helps = arguments_help(function)
        params = tuple(
            Param(p.name, p.default, where[p.name], helps.get(p.name) or _help(base, p.name, names, name))
            for p in options
        ) + _class_axis(classes_at)
        known = {**base.roles, **roles}
        known.update({source: domain for each in base.derived.values() for source, domain in each.roles.items()})
        known.update(roles)
        _enter(
            base,
            name,
            note=" ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split()),
            function=function,
            params=params,
            roles={role: _settled(base, known[role], when, params) for role in positional},
            peer=Peer(name.partition(".")[0], base.name, dict(when), dict(names), classes_at, also),
            optional=frozenset(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY and p.default is None),
            statistic=statistic,
            total=total,
            weigh=weigh,
            mean_over=mean_over,
            scope=base.scope if scope is None else scope,
            derived={},
            class_axis=False,
        )
        return function

    return declare


def alias(
    name: str,
    *,
    of: str,
    note: str,
    params: Mapping[str, str] = NOTHING,
    defaults: Mapping[str, Value] = NOTHING,
    fixed: Mapping[str, Value] = NOTHING,
    scale: float = 1.0,
    total: Callable[..., Tensor] | None = None,
    mean_over: Literal["weights", "data"] = "weights",
    classes_at: int | str = 1,
) -> None:
    """Declares another library's loss that is one of the catalogue, but for its scale, defaults and parameters' names.

    Args:
        name: the library's dotted name.
        of: the loss of the catalogue.
        note: in one sentence how it differs, or that it does not.
        params: the library's parameters, each with the name that it has in the catalogue.
        defaults: the library's defaults where they differ, by the library's names.
        fixed: parameters of the catalogue's loss that the library's does not have, with their values.
        scale: a factor.
        total: as in ``peer``.
        mean_over: as in ``peer``.
        classes_at: as in ``peer``.
    """
    base = find(of)
    made = []
    for theirs, ours in params.items():
        own = base.param(ours)
        made.append(Param(theirs, defaults.get(theirs, own.default), own.range, own.help))

    def translated(given: Mapping[str, Value]) -> dict[str, Value]:
        return {**fixed, **{ours: given[theirs] for theirs, ours in params.items()}}

    def function(*roles: Tensor | None, **given: Value) -> Tensor:
        value: Tensor = base.function(*roles, **translated(given))
        return value if scale == 1 else scale * value

    def weigh(*roles: Tensor | None, **given: Value) -> Tensor | None:
        return base.weigh(*roles, **translated(given)) if base.weigh is not None else None

    def statistic(**given: Value) -> object:
        declared = base.statistic
        return declared(**translated(given)) if callable(declared) else declared

    made_params = tuple(made) + _class_axis(classes_at)
    _enter(
        base,
        name,
        note=note,
        function=function,
        params=made_params,
        roles={role: _settled(base, declared, fixed, made_params) for role, declared in base.roles.items()},
        peer=Peer(
            name.partition(".")[0],
            base.name,
            dict(fixed),
            {ours: theirs for theirs, ours in params.items() if ours != theirs},
            classes_at,
        ),
        statistic=statistic if callable(base.statistic) else base.statistic,
        total=total,
        weigh=weigh if base.weigh is not None else None,
        mean_over=mean_over,
        class_axis=False,
    )


def outputs_total(function: Callable[..., Tensor], role: str = "target") -> Callable[..., Tensor]:
    """What a datum adds where a library sums every output: the mean over the outputs times their number.

    Args:
        function: the loss of a datum.
        role: the role whose axes after the first are the outputs.
    """
    position = list(inspect.signature(function).parameters).index(role)

    def total(*roles: Tensor, **params: Value) -> Tensor:
        return function(*roles, **params) * math.prod(roles[position].shape[1:])

    return total


def _class_axis(at: int | str) -> tuple[Param, ...]:
    """The parameter that says which axis the classes are, for a library that has one: the last unless it is told."""
    if isinstance(at, int):
        return ()
    return (Param(at, -1, Whole(Interval(-8, 8)), "Which axis of the prediction the classes are; -1 is the last."),)


def _help(base: Loss, param: str, names: Mapping[str, str], library: str) -> str:
    ours = {theirs: own for own, theirs in names.items()}.get(param, param)
    found = next((each.help for each in base.params if each.name == ours), None)
    return found or f"As in {library}."


def _settled(base: Loss, declared: RoleDomain, fixed: Mapping[str, Value], params: tuple[Param, ...]) -> RoleDomain:
    """A role's domain where the parameter that decides it in the catalogue is settled by the library."""
    if isinstance(declared, Domain):
        return declared
    if isinstance(declared, Depends):
        if any(param.name == declared.param for param in params):
            return declared
        return declared.domains[fixed.get(declared.param, base.param(declared.param).default)]
    if isinstance(declared, Decided):
        if set(declared.params) <= {param.name for param in params}:
            return declared
        return declared.domain({param.name: param.default for param in base.params} | dict(fixed))
    deciding = next(param for param in base.params if set(getattr(param.range, "words", ())) == set(declared))
    if any(set(getattr(param.range, "words", ())) == set(declared) for param in params):
        return declared
    return declared[str(fixed.get(deciding.name, deciding.default))]


def _enter(base: Loss, name: str, *, note: str, **changed: Any) -> None:
    library = name.partition(".")[0]
    enter_peer(
        replace(
            base,
            name=name,
            aliases=(),
            summary=f"{base.name} as {LIBRARIES.get(library, library)} computes it. {note}",
            description="",
            differs=(),
            same_as={},
            fit=None,
            convention=note,
            **changed,
        )
    )


LIBRARIES = {"torch": "PyTorch", "keras": "Keras", "optax": "Optax", "sklearn": "scikit-learn", "sgd": "scikit-learn"}
