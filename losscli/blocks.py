"""A block of data on its way from the reader to the loss: tensors, missing values, the check against the domains.

Everything that can be wrong with a datum is found here, once, as vector comparisons, and named by file, row and column.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from losscli._lazy import numpy, torch
from losscli.columns.roles import Call
from losscli.domain import IDENTITY, WEIGHT, Domain, first_outside
from losscli.errors import DataError, DatumError, UsageError, shown
from losscli.loss import Scope
from losscli.readers.source import Batch, Field, Source
from losscli.summary import extremes

if TYPE_CHECKING:
    from torch import Tensor

Missing = Literal["error", "skip", "propagate"]


@dataclass(frozen=True)
class Rules:
    """What the user allows, and in which precision and where the losses are computed."""

    missing: Missing = "error"
    dtype: Literal["float64", "float32"] = "float64"
    device: str = "cpu"
    clip: float | None = None
    allow_infinite: bool = False

    def __post_init__(self) -> None:
        check_choice("--nan", self.missing, ("error", "skip", "propagate"))
        check_choice("--dtype", self.dtype, ("float64", "float32"))
        if self.clip is not None and not 0 < self.clip < 0.5:
            raise UsageError(f"--clip {shown(self.clip)} is not in (0, 0.5)")


def check_choice(option: str, value: str, allowed: tuple[str, ...]) -> None:
    """Refuses a word that an option does not take.

    Raises:
        UsageError: names the words that it takes.
    """
    if value not in allowed:
        raise UsageError(f"{option} {shown(value)} is not one of {', '.join(allowed)}")


def is_clipped(domain: Domain) -> bool:
    """Whether ``--clip`` acts on the values of a domain."""
    return domain.name in ("probability", "probabilities")


@dataclass(frozen=True)
class Prepared:
    """The data of a block that one call uses.

    Attributes:
        roles: one tensor a role, first axis n.
        kept: which data of the block these are, as indices; None for all.
        weights: the user's weights, shape (n,); None for 1 each.
        shared: the roles that all data share.
    """

    roles: Mapping[str, Tensor]
    kept: Tensor | None
    weights: Tensor | None
    shared: Mapping[str, Tensor]

    @property
    def all_roles(self) -> Mapping[str, Tensor]:
        """The roles of the data and those that they share."""
        return {**self.roles, **self.shared}


class Block:
    """Some consecutive data of a batch. Tensors and checks are shared by the calls that use the same field."""

    def __init__(self, source: Source, batch: Batch, start: int, stop: int, rules: Rules) -> None:
        self.rows = batch.rows[start:stop]
        self.rules = rules
        self._source = source
        self._arrays = {field: values[start:stop] for field, values in batch.values.items()}
        self.carried = {key: values.slice(start, stop - start) for key, values in batch.carried.items()}
        self._tensors: dict[Field, Tensor] = {}
        self._bounds: dict[Field, tuple[float, float]] = {}
        self._missing: dict[Field, Tensor | None] = {}
        self._checked: set[tuple[Field, Domain, int | None, object]] = set()

    def __len__(self) -> int:
        return len(self.rows)

    def prepare(self, call: Call, weight: Field | None) -> Prepared:
        """The roles of one call and the weights, without what is missing and after every check.

        Raises:
            DataError: a missing value, or one outside its role's domain.
            UsageError: shapes that do not fit.
        """
        fields = [*call.fields.values(), *([weight] if weight else [])]
        kept = self._complete(fields)
        roles = {role: self._select(self._tensor(field), kept) for role, field in call.fields.items()}
        shared = {role: self._as_asked(torch.from_numpy(values)) for role, values in call.shared.items()}
        roles = self._arranged(call, roles)
        sizes = self._sizes(call, {**roles, **shared})
        for role, field in call.fields.items():
            self._check(call, role, field, roles[role], kept, sizes.get("C"))
        if self.rules.dtype == "float32":
            identities = [role for role in call.fields if call.loss.domain(role).name == IDENTITY.name]
            roles |= {role: self._select(self._numbered(call.fields[role]), kept) for role in identities}
        if self.rules.clip is not None:
            roles = {role: self._clip(call.loss.domain(role), values) for role, values in roles.items()}
        return Prepared(roles, kept, self._weights(weight, kept), shared)

    def row(self, index: int, kept: Tensor | None) -> int:
        """The 1-based data row of a datum of the kept ones."""
        return int(self.rows[int(kept[index]) if kept is not None else index])

    def check_values(self, call: Call, prepared: Prepared, values: Tensor) -> tuple[float, float] | None:
        """Refuses losses that are infinite or undefined, unless the user lets them pass.

        Returns:
            The smallest and the largest of them where all are finite; else None.

        Raises:
            DataError: names the first such row and what its roles hold.
        """
        if values.numel() == 0:
            return None
        low, high = extremes(values)
        if math.isfinite(low) and math.isfinite(high):
            return low, high
        undefined = torch.isnan(values)
        for role in prepared.roles.values():
            missing = torch.isnan(role.reshape(len(role), -1)).any(1)
            # Of data that are seen together, a value that is missing anywhere may be why.
            undefined &= ~(missing.any() if call.loss.loss.scope is Scope.ALL else missing)
        wrong = undefined if self.rules.allow_infinite else undefined | torch.isinf(values)
        if not bool(wrong.any()):
            return None
        index = int(torch.argmax(wrong.to(torch.uint8)))
        what = "not defined" if bool(undefined[index]) else "infinite"
        held = " and ".join(
            f"{role} {shown(values[index].item())}" for role, values in prepared.roles.items() if values.dim() == 1
        )
        hint = "--allow-inf lets the cost be infinite."
        if any(is_clipped(call.loss.domain(role)) for role in prepared.roles):
            hint = "--allow-inf lets the cost be infinite; --clip 1e-7 keeps probabilities off 0 and 1."
        raise self._error(
            f"the {call.loss.spec} loss{' of ' + held if held else ''} is {what}",
            next(iter(call.fields.values())),
            self.row(index, prepared.kept),
            hint=hint if what == "infinite" else None,
            name_column=False,
        )

    def located(self, error: DatumError, call: Call, prepared: Prepared) -> DataError:
        """What a loss finds wrong with one datum, with its file, row and column."""
        row = self.row(error.datum, prepared.kept)
        return self._error(error.detail, call.fields[error.role], row, error.position, hint=error.hint)

    def _arranged(self, call: Call, roles: Mapping[str, Tensor]) -> dict[str, Tensor]:
        try:
            return call.loss.arranged(roles)
        except UsageError as error:
            raise DataError(error.problem, file=self._source.name, hint=error.hint) from None

    def _sizes(self, call: Call, roles: Mapping[str, Tensor]) -> dict[str, int]:
        try:
            return call.loss.check_shapes({role: tuple(values.shape) for role, values in roles.items()})
        except UsageError as error:
            raise DataError(error.problem, file=self._source.name, hint=error.hint) from None

    # --- parts --------------------------------------------------------------------------------------------------------

    def _tensor(self, field: Field) -> Tensor:
        if field not in self._tensors:
            values = self._arrays[field]
            here = torch.from_numpy(_writable(values)) if isinstance(values, numpy.ndarray) else values
            self._tensors[field] = self._as_asked(here)
        return self._tensors[field]

    def _numbered(self, field: Field) -> Tensor:
        """Identities as 0, 1, 2 ...: float32 has not the digits to tell large ones apart."""
        values = self._arrays[field]
        values = values if isinstance(values, numpy.ndarray) else values.cpu().numpy()
        _, numbers = numpy.unique(values, return_inverse=True)
        return self._as_asked(torch.from_numpy(numpy.where(numpy.isnan(values), math.nan, numbers)))

    def _as_asked(self, tensor: Tensor) -> Tensor:
        dtype = torch.float32 if self.rules.dtype == "float32" else torch.float64
        return tensor.to(device=self.rules.device, dtype=dtype)

    def _extremes(self, field: Field) -> tuple[float, float]:
        """The smallest and the largest value, nan where one is missing: one pass for every check of a common block."""
        if field not in self._bounds:
            values = self._tensor(field)
            self._bounds[field] = extremes(values) if values.numel() else (0.0, 0.0)
        return self._bounds[field]

    def _missing_in(self, field: Field) -> Tensor | None:
        if field not in self._missing:
            found = None
            if math.isnan(self._extremes(field)[0]):
                values = self._tensor(field)
                found = torch.isnan(values).reshape(len(values), -1).any(1)
            self._missing[field] = found
        return self._missing[field]

    def _complete(self, fields: list[Field]) -> Tensor | None:
        if self.rules.missing == "propagate":
            return None
        incomplete: Tensor | None = None
        for field in fields:
            missing = self._missing_in(field)
            if missing is None:
                continue
            if self.rules.missing == "error":
                index = int(torch.argmax(missing.to(torch.uint8)))
                position = int(torch.argmax(torch.isnan(self._tensor(field)[index].reshape(-1)).to(torch.uint8)))
                hint = "--nan skip leaves such rows out and counts them; --nan propagate lets the result be nan."
                raise self._error("a value is missing", field, int(self.rows[index]), position, hint=hint)
            incomplete = missing if incomplete is None else incomplete | missing
        return None if incomplete is None else torch.nonzero(~incomplete).reshape(-1)

    @staticmethod
    def _select(values: Tensor, kept: Tensor | None) -> Tensor:
        return values if kept is None else values[kept]

    def _check(
        self, call: Call, role: str, field: Field, values: Tensor, kept: Tensor | None, classes: int | None
    ) -> None:
        domain = call.loss.domain(role)
        # Soft targets have the classes as an axis of their own.
        soft = domain.classes and role == "target" and self._is_soft(call)
        count = None if soft else classes
        # keras calls it ignore_class.
        ignore = call.loss.params.get("ignore_index", call.loss.params.get("ignore_class"))
        key = (field, domain, count, ignore)
        if key in self._checked and kept is None:
            return
        bounds = self._extremes(field) if values is self._tensor(field) else None
        outside = first_outside(
            values, domain, classes=count, ignore=ignore if isinstance(ignore, int) else None, bounds=bounds
        )
        if outside is not None:
            row = self.row(outside.datum, kept)
            flat = values[outside.datum].reshape(-1)
            position = int(torch.argmax((flat == outside.value).to(torch.uint8)))
            raise self._error(
                f"{shown(outside.value)} {outside.rule}", field, row, position, hint=outside.hint or domain.hint
            )
        self._checked.add(key)

    def _is_soft(self, call: Call) -> bool:
        """Whether the target has as many axes as the prediction, or the features, beside it."""
        beside = [self._tensor(field).dim() for role, field in call.fields.items() if role != "target"]
        return self._tensor(call.fields["target"]).dim() in beside

    def _clip(self, domain: Domain, values: Tensor) -> Tensor:
        clip = self.rules.clip
        if clip is None or not is_clipped(domain):
            return values
        return values.clamp(clip, 1 - clip)

    def _weights(self, weight: Field | None, kept: Tensor | None) -> Tensor | None:
        if weight is None:
            return None
        weights = self._select(self._tensor(weight), kept).to(torch.float64)
        if weights.dim() != 1:
            raise UsageError("a weight is one number a datum")
        outside = first_outside(weights, WEIGHT)
        if outside is not None:
            raise self._error(f"{shown(outside.value)} {outside.rule}", weight, self.row(outside.datum, kept))
        return weights

    def _error(
        self,
        problem: str,
        field: Field,
        row: int,
        position: int = 0,
        *,
        hint: str | None = None,
        name_column: bool = True,
    ) -> DataError:
        column = self._source.column(field.columns[position if position < len(field.columns) else 0])
        name = column.name if name_column else None
        return DataError(problem, file=column.file, row=row, line=self._source.line(row), column=name, hint=hint)


def _writable(values: numpy.ndarray) -> numpy.ndarray:
    """The same memory without its read-only flag: torch has no read-only tensors and warns; nothing here writes."""
    if values.flags.writeable:
        return values
    return numpy.asarray(_Lent(values))


class _Lent:
    """Lends an array's memory, keeping the array alive."""

    def __init__(self, values: numpy.ndarray) -> None:
        self._values = values
        interface = dict(values.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface
