"""What values a parameter and a role may take, as data.

Checks, help texts, documentation, test generators and the ranges of curves all read these same objects.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Union

from losscli._lazy import torch
from losscli.errors import UsageError, shown

if TYPE_CHECKING:
    from torch import Tensor

Value = Union[float, int, str, bool, tuple[float, ...], None]


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number, without a needless ``.0``.

    Example:
        >>> number_text(2.0), number_text(0.25), number_text(1e-07)
        ('2', '0.25', '1e-07')
    """
    text = repr(value)
    return text.removesuffix(".0")


@dataclass(frozen=True)
class Interval:
    """The numbers between two bounds, each of them included unless it is open, without those strictly within a gap."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    gap: tuple[float, float] | None = None

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        below = value < self.high if self.open_high else value <= self.high
        left_out = self.gap is not None and self.gap[0] < value < self.gap[1]
        return math.isfinite(value) and above and below and not left_out

    def __str__(self) -> str:
        if self == Interval():
            return "a finite number"
        if self.gap is not None:
            lower = replace(self, high=self.gap[0], open_high=False, gap=None)
            upper = replace(self, low=self.gap[1], open_low=False, gap=None)
            return f"{lower} or {upper}"
        left = "(" if self.open_low or math.isinf(self.low) else "["
        right = ")" if self.open_high or math.isinf(self.high) else "]"
        return f"{left}{number_text(self.low)}, {number_text(self.high)}{right}"


# --- ranges of parameters ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    """A parameter that is a number in an interval, or, where ``none`` names it, a word for "not given".

    Where ``infinite`` says so, -inf and inf are values too.
    """

    interval: Interval = Interval()
    none: str | None = None
    infinite: bool = False

    kind = "number"

    def parse(self, text: str) -> Value:
        if self.none is not None and text.lower() == self.none:
            return None
        return self.check(_float(text))

    def check(self, value: object) -> Value:
        if value is None and self.none is not None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not self._allows(float(value)):
            raise UsageError(f"{shown(value)} is not in {self}")
        return float(value)

    def text(self, value: Value) -> str:
        return self.none or "none" if value is None else number_text(float(value))  # type: ignore[arg-type]

    def _allows(self, value: float) -> bool:
        return value in self.interval or (self.infinite and math.isinf(value))

    def __str__(self) -> str:
        # Every interval with infinities in it is the whole line so far.
        allowed = "[-inf, inf]" if self.infinite else str(self.interval)
        return f"{allowed} or {self.none}" if self.none else allowed


@dataclass(frozen=True)
class Whole:
    """A parameter that is a whole number in an interval, or a word for "not given"."""

    interval: Interval = Interval()
    none: str | None = None

    kind = "whole number"

    def parse(self, text: str) -> Value:
        if self.none is not None and text.lower() == self.none:
            return None
        return self.check(_float(text))

    def check(self, value: object) -> Value:
        if value is None and self.none is not None:
            return None
        whole = isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer()
        if not whole or value not in self.interval:  # type: ignore[operator]
            raise UsageError(f"{shown(value)} is not a whole number in {self.interval}")
        return int(value)  # type: ignore[call-overload, no-any-return]

    def text(self, value: Value) -> str:
        return self.none or "none" if value is None else str(value)

    def __str__(self) -> str:
        whole = "a whole number" if self.interval == Interval() else f"a whole number in {self.interval}"
        return f"{whole} or {self.none}" if self.none else whole


@dataclass(frozen=True)
class Choice:
    """A parameter that is one of a few words."""

    words: tuple[str, ...]

    kind = "word"

    def parse(self, text: str) -> Value:
        return self.check(text.lower())

    def check(self, value: object) -> Value:
        if value not in self.words:
            raise UsageError(f"{shown(value)} is not one of {self}")
        return str(value)

    def text(self, value: Value) -> str:
        return str(value)

    def __str__(self) -> str:
        return ", ".join(self.words)


@dataclass(frozen=True)
class Flag:
    """A parameter that is true or false."""

    kind = "flag"

    def parse(self, text: str) -> Value:
        words = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
        if text.lower() not in words:
            raise UsageError(f"{shown(text)} is not true or false")
        return words[text.lower()]

    def check(self, value: object) -> Value:
        if not isinstance(value, bool):
            raise UsageError(f"{shown(value)} is not true or false")
        return value

    def text(self, value: Value) -> str:
        return "true" if value else "false"

    def __str__(self) -> str:
        return "true or false"


@dataclass(frozen=True)
class Word:
    """A parameter that is a word of the loss's own choosing, safe in a spec and a shell."""

    kind = "word"

    def parse(self, text: str) -> Value:
        return self.check(text)

    def check(self, value: object) -> Value:
        if not isinstance(value, str) or not re.fullmatch(r"[\w.+-]+", value):
            raise UsageError(f"{shown(value)} is not a word of letters, digits, dots and hyphens")
        return value

    def text(self, value: Value) -> str:
        return str(value)

    def __str__(self) -> str:
        return "a word"


@dataclass(frozen=True)
class Vector:
    """A parameter that holds one number for each class, joined by ``/`` in a spec, or a word for "not given"."""

    interval: Interval = Interval()
    none: str | None = "none"

    kind = "numbers joined by /"

    def parse(self, text: str) -> Value:
        if self.none is not None and text.lower() == self.none:
            return None
        return self.check([_float(part) for part in text.split("/")])

    def check(self, value: object) -> Value:
        if value is None and self.none is not None:
            return None
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            value = (float(value),)
        try:
            numbers = tuple(float(part) for part in value)  # type: ignore[attr-defined]
        except (TypeError, ValueError):
            raise UsageError(f"{shown(value)} is not a list of numbers") from None
        for number in numbers:
            if number not in self.interval:
                raise UsageError(f"{shown(number)} is not in {self.interval}")
        if not numbers:
            raise UsageError("a list of numbers must not be empty")
        return numbers

    def text(self, value: Value) -> str:
        if value is None:
            return self.none or "none"
        return "/".join(number_text(part) for part in value)  # type: ignore[union-attr, arg-type]

    def __str__(self) -> str:
        each = "numbers" if self.interval == Interval() else f"numbers in {self.interval}"
        return f"{each}, one a class" + (f", or {self.none}" if self.none else "")


ParamRange = Union[Number, Whole, Choice, Flag, Word, Vector]


def _float(text: str) -> float:
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        raise UsageError(f"{shown(text)} is not a number") from None


POSITIVE = Number(Interval(low=0, open_low=True))
NON_NEGATIVE = Number(Interval(low=0))
UNIT = Number(Interval(0, 1))


# --- domains of roles -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Domain:
    """What the values of one role may be.

    Attributes:
        name: the term of the field, such as ``probability``.
        phrase: how an error message and a help page describe an allowed value.
        shapes: the shapes that are accepted, as axis names. One name means one size across all roles of a loss, and
            ``...`` stands for any further axes, the same ones for all roles.
        interval: the bounds of every value.
        codes: where it is not empty, the sets of allowed values. One set serves a whole run: it is decided by the
            first value that tells them apart, never guessed anew.
        classes: the values are class indices 0 .. C-1, where C comes from another role.
        simplex: the values along the axis C are non-negative and sum to one.
        log_simplex: so are their exponentials.
        minus_infinity: negative infinity is a value (the logarithm of zero), not a fault.
        nonzero: a datum that is zero throughout is not allowed: it has no direction.
        corners: a datum is a box, x1, y1, x2, y2, whose second corner does not lie before the first.
        hint: what may be meant when a value lies outside.
    """

    name: str
    phrase: str
    shapes: tuple[str, ...] = ("n ...",)
    interval: Interval = Interval()
    codes: tuple[tuple[float, ...], ...] = ()
    classes: bool = False
    simplex: bool = False
    log_simplex: bool = False
    minus_infinity: bool = False
    nonzero: bool = False
    corners: bool = False
    hint: str | None = None

    @property
    def scalar(self) -> bool:
        """Whether one number a datum can serve, so that a table's single column can."""
        return any(shape == "n" or _is_open(shape) for shape in self.shapes)

    @property
    def vector(self) -> bool:
        """Whether several columns side by side can serve as one matrix."""
        closed = [shape.split() for shape in self.shapes if not _is_open(shape)]
        return any(
            "n" in axes and (len(axes) == 2 or (len(axes) == 3 and axes[2].startswith("..."))) for axes in closed
        )

    @property
    def shared(self) -> bool:
        """Whether all data share the values, as a matrix of weights: no axis is that of the data."""
        return all("n" not in shape.split() for shape in self.shapes)

    def __str__(self) -> str:
        return self.phrase


def _is_open(shape: str) -> bool:
    """Whether it is ``n ...``: any further axes, or none."""
    axes = shape.split()
    return len(axes) == 2 and axes[1].startswith("...")


REAL = Domain("real", "a real number")
SCALAR = Domain("real", "a real number", shapes=("n",))
PROBABILITY = Domain(
    "probability", "a probability in [0, 1]", interval=Interval(0, 1), hint="are these logits? Add --input logits."
)
LOGIT = Domain("logit", "a logit (any real number)")
BINARY = Domain(
    "label", "a label 0 or 1, or a probability in [0, 1]", interval=Interval(0, 1), hint="labels must be coded 0 and 1."
)
CLASS_LOGITS = Domain("logits", "one logit for each class", shapes=("n C ...",))
CLASS_PROBABILITIES = Domain(
    "probabilities",
    "one probability for each class, summing to 1",
    shapes=("n C ...",),
    interval=Interval(0, 1),
    simplex=True,
    hint="are these logits? Add --input logits.",
)
CLASS_LOG_PROBABILITIES = Domain(
    "log-probabilities",
    "one log-probability for each class, whose exponentials sum to 1",
    shapes=("n C ...",),
    interval=Interval(high=0),
    log_simplex=True,
    minus_infinity=True,
    hint="are these logits? Leave out --input log-probs.",
)
CLASS = Domain(
    "class", "a class index 0 .. C-1, or one probability for each class", shapes=("n ...", "n C ..."), classes=True
)
DISTANCE = Domain("distance", "a distance, at least 0", shapes=("n",), interval=Interval(low=0))
WEIGHT = Domain("weight", "a weight, at least 0", shapes=("n",), interval=Interval(low=0))
EMBEDDING = Domain("embedding", "a vector", shapes=("n D",))
DIRECTION = Domain("direction", "a vector other than zero", shapes=("n D",), nonzero=True)
MATRIX = Domain("matrix", "a matrix that all data share, a row for each class", shapes=("C D",))
BIAS = Domain("bias", "one number for each class, the same for all data", shapes=("C",))
COUNT = Domain("count", "a number of at least 0", interval=Interval(low=0), hint="counts are never negative.")
POSITIVE_NUMBER = Domain("positive", "a number above 0", interval=Interval(low=0, open_low=True))
NON_NEGATIVE_NUMBER = Domain("non-negative", "a number of at least 0", interval=Interval(low=0))
ABOVE_MINUS_ONE = Domain("above -1", "a number above -1", interval=Interval(low=-1, open_low=True))
VARIANCE = Domain(
    "variance", "a variance, above 0", interval=Interval(low=0, open_low=True), hint="is this a logarithm?"
)
SCALE = Domain("scale", "a scale such as a standard deviation, above 0", interval=Interval(low=0, open_low=True))
SCORE = Domain("score", "a decision value (any real number): positive for one label, negative for the other")
SIGN = Domain("label", "a label coded 1 and 0, or 1 and -1", codes=((0, 1), (-1, 1)), hint="code labels 0 and 1.")
ORDER = Domain(
    "order", "1 where the first should be larger, -1 where the second should", shapes=("n",), codes=((-1, 1),)
)
LABEL = Domain("class label", "a label: numbers or words, equal or different")
IDENTITY = Domain(
    "identity",
    "which thing a row belongs to: equal numbers or words belong together",
    shapes=("n",),
    # Beyond, neighbouring whole numbers become the same one.
    interval=Interval(-(2.0**53), 2.0**53, open_low=True, open_high=True),
    hint="whole numbers of that size are not told apart; make words of them.",
)
LABELS = Domain("labels", "0 or 1 for each label", shapes=("n C",), interval=Interval(0, 1))
SCORES = Domain("scores", "one score for each label", shapes=("n C",))
DISTRIBUTION = Domain(
    "probabilities",
    "one probability for each outcome, summing to 1",
    shapes=("n C",),
    interval=Interval(0, 1),
    simplex=True,
)
LIST_SCORES = Domain("list", "one score for each item of a list, or one item a row with a query", shapes=("n L", "n"))
MASK = Domain("label", "a mask of 0 and 1, or of values between them", shapes=("n D ...",), interval=Interval(0, 1))
SIMILAR = Domain(
    "similar", "1 for a similar pair, 0 (or -1) for a dissimilar one", shapes=("n",), codes=((0, 1), (-1, 1))
)


# --- the check at the boundary between reader and loss ----------------------------------------------------------------

# Probabilities read from text are rounded to a few decimals; a row that sums to 0.9 is another thing.
SIMPLEX_TOLERANCE = 0.02


@dataclass(frozen=True)
class Outside:
    """The first datum whose value a domain does not allow, what it holds and what is wrong with that."""

    datum: int
    value: float
    rule: str
    hint: str | None = None


def first_outside(
    values: Tensor,
    domain: Domain,
    *,
    classes: int | None = None,
    ignore: int | None = None,
    bounds: tuple[float, float] | None = None,
) -> Outside | None:
    """The first datum outside a domain, or None where all are inside. NaN is not looked at: it is missing, not wrong.

    Args:
        values: shape (n, ...), float64.
        domain: what is allowed.
        classes: how many classes there are, for a domain of class indices; None where ``values`` are soft targets.
        ignore: a class index that is allowed beside them.
        bounds: the smallest and the largest of the values, where they are known; nan where a value is missing.
    """
    interval = domain.interval
    if values.numel() == 0:
        return None
    if not domain.codes and not domain.classes:
        low, high = bounds or (bound.item() for bound in torch.aminmax(values))
        # One pass settles the common case: all finite, all inside.
        inside = low in interval and high in interval
        if not inside:
            wrong = (values < interval.low) | (values > interval.high)
            if interval.open_low:
                wrong |= values == interval.low
            if interval.open_high:
                wrong |= values == interval.high
            infinite = values == math.inf if domain.minus_infinity else torch.isinf(values)
            found = _first(values, wrong | infinite)
            if found is not None:
                datum, value = found
                rule = f"is outside {interval}" if math.isfinite(value) else "is not a finite number"
                percent = domain.name == "probability" and low >= 0 and 2 < high <= 100
                return Outside(datum, value, rule, "are these percentages? Divide them by 100." if percent else None)
    if domain.codes:
        allowed = sorted({code for codes in domain.codes for code in codes})
        wrong = ~torch.isnan(values)
        for code in allowed:
            wrong &= values != code
        found = _first(values, wrong)
        if found is not None:
            return Outside(*found, f"is not one of {', '.join(map(number_text, allowed))}")
    if domain.classes and classes is not None:
        wrong = (values != values.floor()) | (values < 0) | (values >= classes)
        if ignore is not None:
            wrong &= values != ignore
        found = _first(values, wrong & ~torch.isnan(values))
        if found is not None:
            return Outside(*found, f"is not a class: there are {classes}, numbered 0 .. {classes - 1}")
    if domain.simplex or (domain.classes and classes is None):
        return _first_off_simplex(values, values)
    if domain.log_simplex:
        return _first_off_simplex(values, values.exp())
    if domain.nonzero:
        found = _first(values, (values == 0).all(1, keepdim=True).expand_as(values))
        return Outside(*found, "throughout: a zero vector has no direction") if found is not None else None
    if domain.corners:
        return _first_turned_box(values)
    return None


def _first_turned_box(boxes: Tensor) -> Outside | None:
    turned = boxes[:, :2] > boxes[:, 2:]
    found = _first(boxes[:, :2], turned)
    if found is None:
        return None
    datum, value = found
    axis = int(torch.argmax(turned[datum].to(torch.uint8)))
    name, other = "xy"[axis], number_text(float(boxes[datum, 2 + axis]))
    return Outside(datum, value, f"is the {name}1 of a box whose {name}2 is {other}, less than that")


def _first_off_simplex(values: Tensor, probabilities: Tensor) -> Outside | None:
    found = _first(values, (probabilities < 0) | (probabilities > 1))
    if found is not None:
        return Outside(*found, "is outside [0, 1]")
    total = probabilities.sum(1)
    found = _first(total, (total - 1).abs() > SIMPLEX_TOLERANCE)
    if found is None:
        return None
    hint = "divide each row by its sum; a pattern for the columns may have caught one too many."
    return Outside(*found, "is the sum over the classes where 1 is expected", hint)


def _first(values: Tensor, wrong: Tensor) -> tuple[int, float] | None:
    if not bool(wrong.any()):
        return None
    position = int(torch.argmax(wrong.reshape(-1).to(torch.uint8)))
    datum = position // max(1, values[0].numel())
    return datum, float(values.reshape(-1)[position])
