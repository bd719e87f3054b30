"""Losses of the time until an event that some of the data may not have seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import SCALAR, Choice, Domain, Interval
from losscli.loss import Scope, Slice, Traits
from losscli.losses._stable.twofold import Twofold, log1p_of_exponential
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

TIME = Domain("time", "a time, at least 0", shapes=("n",), interval=Interval(low=0))
EVENT = Domain("event", "1 where the event came, 0 where it was not seen to come", shapes=("n",), codes=((0, 1),))
LN_2 = Fraction(69314718055994530941723212145817656807550013436026, 10**50)


def _among(others: int) -> Callable[[Tensor], dict[str, Tensor]]:
    """One datum with an event, and others of log-risk 0 that are at risk beside it."""

    def roles(risk: Tensor) -> dict[str, Tensor]:
        first = torch.arange(others + 1) == 0
        return {
            "pred": torch.cat([risk, risk.new_zeros(others)]),
            "time": torch.where(first, 1.0, 2.0).to(risk.dtype),
            "event": first.to(risk.dtype),
        }

    return roles


def _has_event(pred: Tensor, time: Tensor, event: Tensor, **_: object) -> Tensor:
    """1 for data with an event, 0 for others; 1 for data that miss something, so that they count."""
    return torch.where(_known(pred, time, event), (event > 0).to(event.dtype), 1.0)


def _known(pred: Tensor, time: Tensor, event: Tensor) -> Tensor:
    return ~(torch.isnan(pred) | torch.isnan(time) | torch.isnan(event))


@loss(
    family="survival",
    pred=SCALAR,
    time=TIME,
    event=EVENT,
    where={"ties": Choice(("breslow", "efron"))},
    scope=Scope.ALL,
    weigh=_has_event,
    aliases=["cox-ph", "partial-likelihood"],
    formula=r"\ln \sum_{j:\, t_j \geq t_i} e^{s_j} - s_i",
    gradient=r"\frac{\partial}{\partial s_j} = \frac{e^{s_j}}{\sum_{k:\, t_k \geq t_i} e^{s_k}} - [j = i]",
    unit="nats",
    range="(-1, inf)",
    curve=Slice(
        "log-risk s of the one with the event, beside others of log-risk 0",
        (-4.0, 6.0),
        {f"{others} other{'s' if others > 1 else ''} at risk": _among(others) for others in (1, 100)},
        variable="s",
    ),
    traits=Traits(
        punishes="A low risk of the datum that has its event, compared with all that could have had it at that time.",
        convex="Convex in the log-risks with Breslow's ties.",
        differentiable="Differentiable everywhere, in the log-risks of all that are at risk.",
        bounded="Unbounded. At least 0 with Breslow's ties; with Efron's above -1 for one datum, at least 0 for all.",
        robust="Not robust against a risk far too low, whose error counts in full; times matter by their order only.",
    ),
    convention="Minus the logarithm of the partial likelihood, as the mean over the events; data without one are in "
    "the risk sets only. Equal times are at risk together. Of events at one time, each gets an equal share of Efron's "
    "correction.",
    differs=[
        "Statistics programs report the sum, not the mean; --reduction sum gives it. R's coxph and lifelines take "
        "Efron's ties unless told otherwise, scikit-survival Breslow's.",
        "Code for neural networks, such as pycox, mostly sorts by time and takes the rows from each one on as at risk, "
        "so that of equal times the order of the rows decides.",
        "A weight here multiplies the loss of an event and leaves the risk sets alone; case weights of statistics "
        "programs count in the risk sets too.",
    ],
    cites=["cox1972", "breslow1974", "cox1975", "efron1977"],
)
def cox(pred: Tensor, time: Tensor, event: Tensor, *, ties: str = "breslow") -> Tensor:
    """Cox's partial likelihood: how likely it was, of all that were at risk, that this one had the event.

    Each datum is a patient, a machine or a customer with a time. Where the event came, the time is when; where it did
    not, the datum was last seen then and is known only to have lasted so long. A model gives each a log-risk. At every
    event the loss is a cross entropy: the softmax over the log-risks of all whose time is not earlier.

    Only differences of log-risks and the order of the times matter, so that the loss says nothing of when an event will
    come; a constant added to all log-risks changes nothing. Costs of data sets of different sizes cannot be compared,
    as larger risk sets are harder. Where many events share a time, as with times in whole months, Efron's ties come
    closer to what the exact times would give; without equal times the two are the same.

    Args:
        pred: The logarithm of each datum's risk, up to a common constant, shape (n).
        time: When the event came, or until when it had not, shape (n).
        event: 1 where the event came, 0 where it was not seen to come, shape (n).
        ties: How events at one time are taken: each against all at risk (breslow), or one after the other (efron).

    Returns:
        The loss of each event, shape (n); its weight is 0 where no event came. The order of the data changes rounding
        only.

    Example:
        >>> import torch
        >>> pred, time = torch.tensor([0.0, 0.0, 0.0]), torch.tensor([1.0, 2.0, 3.0])
        >>> cox(pred, time, torch.tensor([1.0, 0.0, 1.0])).exp()
        tensor([3., 2., 1.])
    """
    if not len(pred):
        return pred
    known = _known(pred, time, event)
    latest_first = torch.argsort(torch.where(known, -time, torch.inf), stable=True)
    order = _Order.of(time[latest_first])
    risk = torch.where(known, pred, 0.0)[latest_first]
    at_risk, seen = known[latest_first], (known & (event > 0))[latest_first]
    value = _breslow(risk, at_risk, order) if ties == "breslow" else _efron(risk, at_risk, seen, order)
    back = torch.argsort(latest_first, stable=True)
    return torch.where(known, value[back], torch.nan)


@dataclass(frozen=True)
class _Order:
    """Data in the order of their times, the latest first.

    Attributes:
        group: the number of the time, shape (n,).
        start: the place of the first datum with the same time, shape (n,).
        end: the place of the last one.
    """

    group: Tensor
    start: Tensor
    end: Tensor

    @classmethod
    def of(cls, time: Tensor) -> _Order:
        _, group, counts = torch.unique_consecutive(time, return_inverse=True, return_counts=True)
        ends = torch.cumsum(counts, 0) - 1
        return cls(group, (ends - counts + 1)[group], ends[group])


@dataclass(frozen=True)
class _Sums:
    """Sums of exponentials of any size, as ``e^reference`` times a number: references are multiples of one unit."""

    reference: Tensor
    sum: Twofold

    @classmethod
    def of(cls, exponents: Tensor, counted: Tensor) -> _Sums:
        """The exponentials themselves, and nothing where they do not count."""
        unit = _unit(exponents)
        reference = torch.round(exponents.detach() / unit) * unit
        # The difference is exact.
        value = torch.exp(exponents - reference)
        lowest = torch.finfo(exponents.dtype).min
        return cls(torch.where(counted, reference, lowest), Twofold.of(torch.where(counted, value, 0.0)))

    @classmethod
    def alone(cls, exponents: Tensor) -> _Sums:
        """Each exponential by itself."""
        return cls(exponents, Twofold.of(torch.ones_like(exponents)))

    def or_one(self) -> _Sums:
        """1 where the sum is 0, which has no quotient."""
        nothing = self.sum.value == 0
        return _Sums(torch.where(nothing, 0.0, self.reference), self.sum.where(~nothing, 1.0))

    def __add__(self, other: _Sums) -> _Sums:
        reference = torch.maximum(self.reference, other.reference)
        return _Sums(reference, self._beside(reference) + other._beside(reference))

    def _beside(self, reference: Tensor) -> Twofold:
        unit = _unit(reference)
        gap = reference - self.reference
        # Two units below, nothing is left.
        factor = torch.where(gap == 0, 1.0, torch.where(gap == unit, torch.exp(reference.new_tensor(-unit)), 0.0))
        return Twofold(self.sum.value * factor, self.sum.lost * factor)

    def __getitem__(self, places: Tensor | slice) -> _Sums:
        return _Sums(self.reference[places], Twofold(self.sum.value[places], self.sum.lost[places]))

    def followed_by(self, more: _Sums) -> _Sums:
        """These sums and then those."""
        value, lost = (torch.cat(parts) for parts in ((self.sum.value, more.sum.value), (self.sum.lost, more.sum.lost)))
        return _Sums(torch.cat((self.reference, more.reference)), Twofold(value, lost))

    def where(self, mask: Tensor) -> _Sums:
        """Nothing where the mask is false."""
        lowest = torch.finfo(self.reference.dtype).min
        return _Sums(torch.where(mask, self.reference, lowest), self.sum.where(mask, 0.0))

    def running(self, group: Tensor | None = None) -> _Sums:
        """The sum of each and all before it, or of those before it in its group; by doubling steps."""
        total, step = self, 1
        longest = len(self.reference) if group is None else int(torch.bincount(group).max())
        while step < longest:
            earlier = total[:-step]
            if group is not None:
                earlier = earlier.where(group[step:] == group[:-step])
            total = total[:step].followed_by(total[step:] + earlier)
            step *= 2
        return total

    def before(self, group: Tensor | None = None) -> _Sums:
        """For each datum the sum of those before it, of all or of its group."""
        places = torch.arange(len(self.reference), device=self.reference.device)
        previous = (places - 1).clamp(min=0)
        inside = places > 0 if group is None else (places > 0) & (group[previous] == group)
        return self.running(group)[previous].where(inside)

    def beside(self, group: Tensor) -> tuple[_Sums, _Sums]:
        """For each datum the sums of those before it in its group and of those after it there: without itself."""
        backwards = torch.arange(len(group) - 1, -1, -1, device=group.device)
        return self.before(group), self[backwards].before(group[backwards])[backwards]

    def over(self, other: _Sums) -> tuple[Twofold, Tensor]:
        """The quotient of two sums as ``e^x f`` with f in [1, 2), or 0."""
        quotient = (self.sum / other.sum).rounded()
        power = torch.frexp(quotient.detach())[1] - 1
        factor = quotient * torch.ldexp(torch.ones_like(quotient), -power)
        reference = torch.where(quotient > 0, self.reference, other.reference.detach())
        distance = Twofold.of(reference) - Twofold.of(other.reference)
        return distance + Twofold.of(power.to(quotient.dtype)) * LN_2, factor


def _unit(values: Tensor) -> float:
    """How far references lie apart: exponentials of half of it, times any number of data, are ordinary numbers."""
    return 512.0 if values.dtype == torch.float64 else 64.0


def _breslow(risk: Tensor, at_risk: Tensor, order: _Order) -> Tensor:
    """``ln(1 + Σ e^(s_j - s_i))`` over the others at risk, shape (n,)."""
    everyone = _Sums.of(risk, at_risk)
    others = everyone.before() + everyone.beside(order.group)[1]
    return log1p_of_exponential(*others.over(_Sums.alone(risk)))


def _efron(risk: Tensor, at_risk: Tensor, seen: Tensor, order: _Order) -> Tensor:
    """The mean of ``ln(A + (1 - l/d) T) - s_i`` over l = 0 .. d - 1: T is the sum of the d events, A that of the rest.

    It is ln(T) - s_i, which is at least 0, plus the mean of ln(1 - l/d + A/T).
    """
    events, rest = _Sums.of(risk, seen), _Sums.of(risk, at_risk & ~seen)
    earlier, later = events.beside(order.group)
    own_share = log1p_of_exponential(*(earlier + later).over(_Sums.alone(risk)))
    tied = events.running(order.group)[order.end]
    everyone = _Sums.of(risk, at_risk)
    others = everyone.before()[order.start] + rest.running(order.group)[order.end]
    number = torch.cumsum(seen, 0)
    position = number - (number - seen.long())[order.start] - 1
    count = (number[order.end] - (number - seen.long())[order.start]).to(risk.dtype)
    is_event = seen & (count > 0)
    share = torch.log(torch.where(is_event, (count - position) / count, 1.0))
    exponent, factor = others.over(tied.or_one())
    terms = share + log1p_of_exponential(exponent - Twofold.of(share), factor)
    zero = torch.zeros_like(risk)
    total = _Sums(zero, Twofold.of(torch.where(is_event, terms, 0.0))).running(order.group)[order.end].sum.rounded()
    return own_share + total / count.clamp(min=1)
