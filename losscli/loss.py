"""A loss is a pure function from one datum's roles to one number. Everything else follows from its declaration.

``BoundLoss`` is a loss with its parameters; its spec, such as ``huber:delta=2``, is its one identity in code, on the
command line and in results. ``registry`` declares losses and finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

from losscli.domain import Choice, Domain, ParamRange, Value
from losscli.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

# A role's domain, or one for each word of the parameter that decides it, such as ``input``.
RoleDomain = Union[Domain, Mapping[str, Domain]]


@dataclass(frozen=True)
class Param:
    """An option of one loss: its name in Python, its default, its range and its help."""

    name: str
    default: Value
    range: ParamRange
    help: str

    @property
    def option(self) -> str:
        """The name on the command line and in specs."""
        return self.name.replace("_", "-")


@dataclass(frozen=True)
class Derived:
    """How a role may be computed from others: contrastive's distance from two vectors."""

    function: Callable[..., Tensor]
    roles: Mapping[str, Domain]


@dataclass(frozen=True)
class Traits:
    """How a loss behaves, each in one sentence: what ``show`` and the documentation teach."""

    punishes: str
    convex: str
    differentiable: str
    bounded: str
    robust: str


@dataclass(frozen=True, eq=False)
class Loss:
    """A declared loss. ``function`` maps tensors of the roles' shapes to one value per datum, shape (n,)."""

    name: str
    family: str
    function: Callable[..., Tensor]
    roles: Mapping[str, RoleDomain]
    params: tuple[Param, ...]
    summary: str
    description: str
    formula: str
    unit: str
    range: str
    traits: Traits
    convention: str
    curve: str
    cites: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    same_as: Mapping[str, str] = field(default_factory=dict)
    gradient: str = ""
    derived: Mapping[str, Derived] = field(default_factory=dict)
    fit: Callable[..., Mapping[str, Value]] | None = None
    weigh: Callable[..., Tensor | None] | None = None
    role_help: Mapping[str, str] = field(default_factory=dict)

    def param(self, name: str) -> Param:
        """The parameter of that name, in either spelling."""
        wanted = name.lower().replace("_", "-")
        for param in self.params:
            if param.option == wanted:
                return param
        known = [param.option for param in self.params]
        hint = did_you_mean(wanted, known)
        if hint is None:
            hint = f"it has {', '.join(known)}." if known else "it has no parameters."
        raise UsageError(f'{self.name} has no parameter "{wanted}"', hint=hint)

    def bind(self, **params: object) -> BoundLoss:
        """The loss with these parameters and the defaults of the others.

        Raises:
            UsageError: a parameter that the loss does not have, or a value outside its range.
        """
        bound: dict[str, Value] = {param.name: param.default for param in self.params}
        for name, value in params.items():
            param = self.param(name)
            try:
                bound[param.name] = param.range.parse(value) if isinstance(value, str) else param.range.check(value)
            except UsageError as error:
                # A number outside its interval is told the interval already.
                hint = None if str(param.range) in error.problem else f"it takes {param.range}."
                raise UsageError(f"{self.name}: --{param.option}: {error.problem}", hint=hint) from None
        return BoundLoss(self, bound)

    def role_sets(self) -> list[tuple[str, ...]]:
        """The roles that the loss can be computed from: each form that derives one, then those of its function.

        Example:
            >>> find("contrastive").role_sets()
            [('first', 'second', 'similar'), ('distance', 'similar')]
        """
        own = tuple(self.roles)
        forms = []
        for name, derived in self.derived.items():
            position = own.index(name)
            forms.append(own[:position] + tuple(derived.roles) + own[position + 1 :])
        return [*forms, own]


@dataclass(frozen=True, eq=False)
class BoundLoss:
    """A loss with its parameters: callable on tensors, with one value per datum, differentiable.

    Example:
        >>> import torch
        >>> huber = find("huber").bind(delta=2)
        >>> huber.spec
        'huber:delta=2'
        >>> huber(torch.tensor([0.0, 4.0]), torch.tensor([1.0, 1.0]))
        tensor([0.5000, 4.0000])
    """

    loss: Loss
    params: Mapping[str, Value]

    @property
    def name(self) -> str:
        return self.loss.name

    @property
    def spec(self) -> str:
        """The canonical spec: the name, then the parameters that differ from their defaults, in declared order."""
        parts = [self.loss.name]
        for param in self.loss.params:
            value = self.params[param.name]
            if value != param.default:
                parts.append(f"{param.option}={param.range.text(value)}")
        return ":".join(parts)

    def domain(self, role: str) -> Domain:
        """What the values of a role may be, with these parameters."""
        for derived in self.loss.derived.values():
            if role in derived.roles:
                return derived.roles[role]
        declared = self.loss.roles[role]
        if isinstance(declared, Domain):
            return declared
        deciding = next(
            param.name
            for param in self.loss.params
            if isinstance(param.range, Choice) and set(param.range.words) == set(declared)
        )
        return declared[str(self.params[deciding])]

    def bind(self, **params: object) -> BoundLoss:
        """The same loss with some parameters changed."""
        return self.loss.bind(**{**self.params, **params})

    def __call__(self, *args: Tensor, **roles: Tensor) -> Tensor:
        """One value per datum, shape (n,).

        Args:
            *args: the roles in the order of the loss's signature.
            **roles: the roles by name, or those that a role is derived from.

        Raises:
            UsageError: roles that are missing or unknown, or shapes that do not fit. Nothing is ever broadcast.
        """
        given = dict(zip(self.loss.roles, args)) | roles
        if len(args) > len(self.loss.roles) or len(given) < len(args) + len(roles):
            raise UsageError(f"{self.name} takes {', '.join(self.loss.roles)}, each once")
        self._check_roles(given)
        for name, value in given.items():
            if not hasattr(value, "requires_grad"):
                raise UsageError(
                    f"{self.name}: {name} is a {type(value).__name__}, not a tensor",
                    hint="losscli.compute takes lists and arrays.",
                )
        self.check_shapes({name: tuple(value.shape) for name, value in given.items()})
        return self.evaluate(given)

    def evaluate(self, roles: Mapping[str, Tensor]) -> Tensor:
        """As a call, for roles that were checked before: the engine's way in."""
        roles = dict(roles)
        for name, derived in self.loss.derived.items():
            if name not in roles:
                roles[name] = derived.function(*(roles.pop(source) for source in derived.roles))
        return self.loss.function(*(roles[name] for name in self.loss.roles), **self.params)

    def weights(self, roles: Mapping[str, Tensor]) -> Tensor | None:
        """How much each datum weighs in the cost by the loss's own definition (class weights), or None for 1 each."""
        if self.loss.weigh is None:
            return None
        return self.loss.weigh(*(roles[name] for name in self.loss.roles), **self.params)

    def _check_roles(self, given: Mapping[str, object]) -> None:
        forms = self.loss.role_sets()
        if not any(set(form) == set(given) for form in forms):
            takes = " or ".join(", ".join(form) for form in forms)
            raise UsageError(f"{self.name} takes {takes}, not {', '.join(given) or 'nothing'}")

    def check_shapes(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        """The sizes of the named axes, such as ``{"n": 100, "C": 10}``.

        Raises:
            UsageError: shapes that do not fit the roles or each other.
        """
        candidates: list[dict[str, object]] = [{}]
        for role, shape in shapes.items():
            extended = []
            for pattern in self.domain(role).shapes:
                for sizes in candidates:
                    more = _match(pattern.split(), shape, sizes)
                    if more is not None:
                        extended.append(more)
            candidates = extended
        if not candidates:
            # How many data there are says something only where the roles disagree about it; a block is not the file.
            alike = len({shape[:1] for shape in shapes.values()}) == 1
            shown_shapes = {role: ("n", *shape[1:]) if alike else shape for role, shape in shapes.items()}
            found = ", ".join(f"{role} has ({', '.join(map(str, shape))})" for role, shape in shown_shapes.items())
            wanted = ", ".join(
                f"{role} " + " or ".join(f"({', '.join(p.split())})" for p in self.domain(role).shapes)
                for role in shapes
            )
            raise UsageError(
                f"{self.name}: the shapes do not fit: {found}", hint=f"it takes {wanted}; none is broadcast."
            )
        return {name: size for name, size in candidates[0].items() if isinstance(size, int)}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundLoss) and self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec)

    def __repr__(self) -> str:
        return f"<loss {self.spec}>"


def _match(axes: list[str], shape: tuple[int, ...], sizes: Mapping[str, object]) -> dict[str, object] | None:
    """The sizes extended by one role's axes, or None where the shape does not fit."""
    open_end = axes[-1] == "..."
    named = axes[:-1] if open_end else axes
    if len(shape) < len(named) or (len(shape) > len(named) and not open_end):
        return None
    found = dict(sizes)
    pairs: list[tuple[str, object]] = list(zip(named, shape))
    if open_end:
        pairs.append(("...", shape[len(named) :]))
    for axis, size in pairs:
        if found.setdefault(axis, size) != size:
            return None
    return found
