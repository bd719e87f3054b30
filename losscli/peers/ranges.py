"""What parameters of other libraries may be, where the catalogue has none of their kind."""

from __future__ import annotations

from dataclasses import dataclass

from losscli.domain import Flag, Interval, Value, Vector
from losscli.errors import UsageError, shown


@dataclass(frozen=True)
class Axes(Vector):
    """A parameter that names axes, joined by ``/`` in a spec, or a word for "not given"."""

    kind = "axes joined by /"

    def check(self, value: object) -> Value:
        checked = super().check(value)
        if isinstance(checked, tuple) and not all(each.is_integer() for each in checked):
            raise UsageError(f"{shown(value)} is not a list of axes")
        return checked

    def __str__(self) -> str:
        return f"axes joined by /, or {self.none}"


@dataclass(frozen=True)
class HoldsLogits(Flag):
    """Whether a prediction holds logits. It knows our words too, so that ``--compat`` can hand ``input`` on."""

    def parse(self, text: str) -> Value:
        return text == "logits" if text in ("logits", "probs") else super().parse(text)


AXES = Axes(Interval(-8, 8))
HOLDS_LOGITS = HoldsLogits()
