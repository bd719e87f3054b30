"""A loss is a pure function from one datum's roles to one number. Everything else follows from its declaration.

``BoundLoss`` is a loss with its parameters; its spec, such as ``huber:delta=2``, is its one identity in code, on the
command line and in results. ``registry`` declares losses and finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, Union

from losscli.domain import (
    CLASS,
    CLASS_LOGITS,
    CLASS_PROBABILITIES,
    PROBABILITY,
    Choice,
    Domain,
    Interval,
    ParamRange,
    Value,
)
from losscli.errors import UsageError, did_you_mean
from losscli.statistic import MEAN, Declared, Median, Pooled, Root, Statistic

if TYPE_CHECKING:
    from torch import Tensor

ANYWHERE = Interval()
# The parameter of losses over classes that says which axis the classes are.
CLASS_AXIS = "class_axis"


@dataclass(frozen=True)
class Depends:
    """A role's domain that a parameter decides: the parameter's name, and a domain for each of its values."""

    param: str
    domains: Mapping[Value, Domain]


@dataclass(frozen=True)
class Decided:
    """A role's domain that parameters decide by more than their words, such as by the interval that a number is in.

    Attributes:
        params: the parameters.
        which: of their values, the case.
        cases: for each case, in words such as ``power >= 2``, the domain.
    """

    params: tuple[str, ...]
    which: Callable[..., str]
    cases: Mapping[str, Domain]

    def domain(self, params: Mapping[str, Value]) -> Domain:
        """The domain that these values lead to."""
        return self.cases[self.which(*(params[name] for name in self.params))]


# A role's domain, or one for each word of the parameter that decides it, such as ``input``.
RoleDomain = Union[Domain, Mapping[str, Domain], Depends, Decided]


class Scope(Enum):
    """How many data a loss's function has to see at once."""

    DATUM = "datum"
    # Compared with each other, as embeddings are, or put together from several rows, as ranked lists are.
    ALL = "all"


@dataclass(frozen=True)
class Slice:
    """What a loss is drawn against, where that is not one of the usual axes: one number varies, the others stay.

    Attributes:
        axis: the horizontal axis in words, with the variable's symbol.
        span: its ends.
        cases: for each curve its label (empty for a single one) and the roles of the losses at positions x, shape (k,).
            A loss that sees all data at once is called for one position at a time, and the mean of its data is drawn.
        variable: what the derivative is taken with respect to.
        allowed: where the loss is defined.
        notable: positions that the curve must pass through exactly, since it may have a kink there.
    """

    axis: str
    span: tuple[float, float]
    cases: Mapping[str, Callable[[Tensor], Mapping[str, Tensor]]]
    variable: str = "prediction"
    allowed: Interval = ANYWHERE
    notable: tuple[float, ...] = ()


# A loss's axis by its name, or its own, or where parameters decide about it the function of them that gives either.
Curve = Union[str, Slice, Callable[..., Union[str, Slice]]]


@dataclass(frozen=True)
class Peer:
    """That a loss is another library's, under that library's own name.

    Attributes:
        library: the first part of its name, such as ``torch``.
        of: the name of the loss of the catalogue that it corresponds to.
        also: further ones, such as a loss of several classes beside one of two.
        when: the parameters of that loss for which it does.
        names: for parameters that both have under different names, ours to theirs.
        classes_at: which axis the library has the classes on, or its parameter that says so. The function gets them as
            the second.
    """

    library: str
    of: str
    when: Mapping[str, Value] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    classes_at: int | str = 1
    also: tuple[str, ...] = ()

    def is_of(self, name: str) -> bool:
        """Whether it corresponds to a loss of the catalogue."""
        return name == self.of or name in self.also


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
    curve: Curve
    cites: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    same_as: Mapping[str, str] = field(default_factory=dict)
    gradient: str = ""
    derived: Mapping[str, Derived] = field(default_factory=dict)
    fit: Callable[..., Mapping[str, Value]] | None = None
    weigh: Callable[..., Tensor | None] | None = None
    role_help: Mapping[str, str] = field(default_factory=dict)
    statistic: Declared = MEAN
    scope: Scope = Scope.DATUM
    # The role that says which rows belong together, such as a query. Without it each row is a list of its own.
    joined_by: str | None = None
    optional: frozenset[str] = frozenset()
    class_axis: bool = False
    total: Callable[..., Tensor] | None = None
    mean_over: Literal["weights", "data"] = "weights"
    peer: Peer | None = None

    @property
    def classes_at(self) -> int | str:
        """Which axis the classes are, or the parameter that says so."""
        if self.peer is not None:
            return self.peer.classes_at
        return CLASS_AXIS if self.class_axis else 1

    @property
    def shared(self) -> tuple[str, ...]:
        """The roles that all data share, such as a matrix of class weights."""
        return tuple(role for role, declared in self.roles.items() if first_domain(declared).shared)

    def column_sets(self) -> list[tuple[str, ...]]:
        """As ``role_sets``, of the roles that have a value for each datum."""
        forms = [tuple(role for role in form if role not in self.shared) for form in self.role_sets()]
        return list(dict.fromkeys(forms))

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

    def of_form(self, roles: Collection[str]) -> Loss:
        """The loss as it is with these roles.

        Of one whose rows are joined by a role, a row is one item where that role is given, and all data are needed;
        else it is a whole list, and each datum stands for itself.
        """
        if self.joined_by is None:
            return self
        joined = self.joined_by in roles

        def fitting(domain: Domain) -> Domain:
            return replace(domain, shapes=tuple(s for s in domain.shapes if (s == "n") is joined) or domain.shapes)

        fitted = {role: fitting(domain) for role, domain in self.roles.items() if isinstance(domain, Domain)}
        return replace(self, roles={**self.roles, **fitted}, scope=Scope.ALL if joined else Scope.DATUM)

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

        Roles that may be left out are in the first forms and missing in those after them.

        Example:
            >>> find("contrastive").role_sets()
            [('first', 'second', 'similar'), ('distance', 'similar')]
        """
        own = tuple(self.roles)
        forms = []
        for name, derived in self.derived.items():
            position = own.index(name)
            forms.append(own[:position] + tuple(derived.roles) + own[position + 1 :])
        forms.append(own)
        for name in self.optional:
            forms += [tuple(role for role in form if role != name) for form in forms]
        return forms


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
        if isinstance(declared, Depends):
            return declared.domains[self.params[declared.param]]
        if isinstance(declared, Decided):
            return declared.domain(self.params)
        deciding = next(
            param.name
            for param in self.loss.params
            if isinstance(param.range, Choice) and set(param.range.words) == set(declared)
        )
        return declared[str(self.params[deciding])]

    @property
    def sees_all(self) -> bool:
        """Whether the cost cannot be folded from pieces: the loss compares data, or its statistic orders them."""
        return self.loss.scope is Scope.ALL or isinstance(self.statistic, Median)

    @property
    def statistic(self) -> Statistic:
        """How the cost comes from the data, with these parameters."""
        declared = self.loss.statistic
        return declared(**self._own_params) if callable(declared) else declared

    @property
    def curve(self) -> str | Slice:
        """What the loss is drawn against, with these parameters."""
        declared = self.loss.curve
        return declared(**self._own_params) if callable(declared) else declared

    @property
    def _own_params(self) -> Mapping[str, Value]:
        """The parameters that the loss's function takes."""
        return {name: value for name, value in self.params.items() if name != self.loss.classes_at}

    def of_form(self, roles: Collection[str]) -> BoundLoss:
        """The loss as it is with these roles."""
        loss = self.loss.of_form(roles)
        return self if loss is self.loss else BoundLoss(loss, self.params)

    def of_classes(self) -> BoundLoss | None:
        """The loss with a score for each class, of one that takes a single score as well; None for all others."""
        pred = self.domain("pred") if "pred" in self.loss.roles else None
        if pred is None or not pred.scalar or not any("C" in shape.split() for shape in pred.shapes):
            return None
        scores = CLASS_PROBABILITIES if pred.name == PROBABILITY.name else CLASS_LOGITS
        return BoundLoss(replace(self.loss, roles={**self.loss.roles, "pred": scores, "target": CLASS}), self.params)

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
        given = self.arranged(given)
        self.of_form(given).check_shapes({name: tuple(value.shape) for name, value in given.items()})
        return self.evaluate(given)

    def arranged(self, roles: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The roles with the classes as the second axis, wherever the loss or its parameter says that they are."""
        roles = dict(roles)
        at = self.loss.classes_at
        axis = self.params[at] if isinstance(at, str) else at
        if axis == 1:
            return roles
        axes = max(value.ndim for value in roles.values())
        if not isinstance(axis, int) or not -axes < axis < axes or axis == 0:
            option = "class axis" if isinstance(at, int) else f"--{self.loss.param(at).option}"
            raise UsageError(f"{self.name}: {option} {axis} is not an axis after the first of {axes}")
        return {name: value.movedim(axis, 1) if value.ndim == axes else value for name, value in roles.items()}

    def evaluate(self, roles: Mapping[str, Tensor]) -> Tensor:
        """As a call, for roles that were checked before: the engine's way in."""
        values: Tensor = self._apply(self.loss.function, roles)
        return values

    def per_datum(self, values: Tensor) -> Tensor:
        """The losses of single data, from what the function gives: its roots, where the cost is a root."""
        statistic = self.statistic
        if not isinstance(statistic, Root):
            return values
        return values.sqrt() if statistic.of_each is None else statistic.of_each(values)

    def weights(self, roles: Mapping[str, Tensor]) -> Tensor | None:
        """How much each datum weighs in the cost by the loss's own definition (class weights), or None for 1 each."""
        return None if self.loss.weigh is None else self._apply(self.loss.weigh, roles)

    def terms(self, statistic: Pooled, roles: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """What a pooled cost adds up, each of shape (n,)."""
        terms: tuple[Tensor, ...] = self._apply(statistic.terms, roles)
        return terms

    def outputs(self, statistic: Median, roles: Mapping[str, Tensor]) -> Tensor:
        """The losses of every output, shape (n, k), of which a median is taken one by one."""
        values: Tensor = self._apply(statistic.outputs or self.loss.function, roles)
        return values

    def added(self, roles: Mapping[str, Tensor]) -> Tensor:
        """What each datum adds to the cost with ``--reduction sum``: its loss, unless a peer adds something else."""
        values: Tensor = self._apply(self.loss.total or self.loss.function, roles)
        return values

    def _apply(self, function: Callable[..., Any], roles: Mapping[str, Tensor]) -> Any:
        roles = dict(roles)
        for name, derived in self.loss.derived.items():
            if name not in roles:
                roles[name] = derived.function(*(roles.pop(source) for source in derived.roles))
        return function(*(roles.get(name) for name in self.loss.roles), **self._own_params)

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
                f"{self.name}: the shapes do not fit: {found}",
                hint=f"it takes {wanted}; none is broadcast.{self._on_joining(shapes)}",
            )
        return {name: size for name, size in candidates[0].items() if isinstance(size, int)}

    def _on_joining(self, roles: Collection[str]) -> str:
        joining = self.loss.joined_by
        if joining is None or joining in roles:
            return ""
        return f" One item a row needs --{joining}, a column that says which rows are one list."

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BoundLoss) and self.spec == other.spec

    def __hash__(self) -> int:
        return hash(self.spec)

    def __repr__(self) -> str:
        return f"<loss {self.spec}>"


def first_domain(declared: RoleDomain) -> Domain:
    """A role's domain, or that of the first value of the parameter that decides it."""
    return next(iter(domains_of(declared).values()))


def domains_of(declared: RoleDomain) -> Mapping[Any, Domain]:
    """The domains that a role can have, by what decides between them; None where nothing does."""
    if isinstance(declared, Domain):
        return {None: declared}
    if isinstance(declared, Depends):
        return declared.domains
    return declared.cases if isinstance(declared, Decided) else declared


def _match(axes: list[str], shape: tuple[int, ...], sizes: Mapping[str, object]) -> dict[str, object] | None:
    """The sizes extended by one role's axes, or None where the shape does not fit."""
    open_end = axes[-1].startswith("...")
    named = axes[:-1] if open_end else axes
    if len(shape) < len(named) or (len(shape) > len(named) and not open_end):
        return None
    found = dict(sizes)
    pairs: list[tuple[str, object]] = list(zip(named, shape))
    if open_end:
        # Three dots mean the same axes for all roles, unless a name of their own follows.
        pairs.append((axes[-1], shape[len(named) :]))
    for axis, size in pairs:
        # An axis of a fixed size, as the four numbers of a box, is written as that number.
        wanted = int(axis) if axis.isdigit() else found.setdefault(axis, size)
        if wanted != size:
            return None
    return found
