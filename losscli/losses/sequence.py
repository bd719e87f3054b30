"""Losses of a sequence of labels whose places in time are not known."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import Domain, Flag, Interval, Whole
from losscli.errors import UsageError
from losscli.loss import Slice, Traits
from losscli.losses._stable.twofold import Twofold
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

STEPS = Domain(
    "log-probabilities",
    "one log-probability for each class at each step",
    shapes=("n T C",),
    interval=Interval(high=0),
    minus_infinity=True,
    hint="take the log-softmax of logits, the logarithm of probabilities.",
)
SEQUENCE = Domain("sequence", "class indices in order; behind the length, any number", shapes=("n S",))
LENGTH = Domain("length", "a whole number, how many of the places count", shapes=("n",), interval=Interval(low=0))


def _certain(labels: Sequence[int]) -> Callable[[Tensor], dict[str, Tensor]]:
    """Three steps of which each gives p to its class of a clear alignment, and the rest evenly to two others."""
    path = torch.tensor([labels[0], 0 if labels[0] == labels[1] else labels[0], labels[1]])

    def roles(p: Tensor) -> dict[str, Tensor]:
        right = torch.nn.functional.one_hot(path, 3).to(p.dtype)
        steps = p[:, None, None] * right + (1 - p[:, None, None]) / 2 * (1 - right)
        return {"pred": torch.log(steps), "target": p.new_tensor(labels).expand(len(p), 2)}

    return roles


@loss(
    family="sequences",
    pred=STEPS,
    target=SEQUENCE,
    pred_length=LENGTH,
    target_length=LENGTH,
    where={"blank": Whole(Interval(low=0)), "zero_infinity": Flag()},
    formula=r"-\ln \sum_{\pi \in B^{-1}(y)} \prod_t p_t(\pi_t)",
    gradient=r"\frac{\partial}{\partial \ln p_t(k)} = -P(\pi_t = k \mid y)",
    unit="nats",
    range="[0, inf]",
    curve=Slice(
        "probability p of the right class at each of three steps",
        (0.0, 1.0),
        {
            "labels 1 2": lambda p: _certain((1, 2))(p),
            "labels 1 1, a blank between them": lambda p: _certain((1, 1))(p),
        },
        variable="p",
        allowed=Interval(0.0, 1.0),
        notable=(0.5,),
    ),
    traits=Traits(
        punishes="A small probability of the labels in their order; when each of them comes does not matter.",
        convex="Not convex in the log-probabilities of the steps.",
        differentiable="Differentiable where the labels are possible.",
        bounded="Unbounded: infinite where the labels are impossible, as where there are more of them than steps.",
        robust="Not robust: one sequence with a wrong label can outweigh a thousand good ones.",
    ),
    convention="The cost is the plain mean of -ln P over the sequences: not divided by their lengths. Classes are the "
    "last axis; class 0 is the blank unless --blank says otherwise.",
    differs=[
        "torch.nn.CTCLoss takes pred as (T, n, C), and its mean divides each loss by the length of its target first: "
        "losses of 2 and 6 with 1 and 3 labels have the mean 2 there, 4 here. optax and keras take logits, optax with "
        "masks of the padding in the place of lengths.",
        "keras.losses.CTC counts all steps, and of a target as many labels as are not 0, its blank.",
    ],
    same_as={
        "torch": "torch.nn.functional.ctc_loss(pred.transpose(0, 1), target, pred_length, target_length, blank=blank, "
        "reduction='none', zero_infinity=zero_infinity)",
    },
    cites=["graves2006"],
)
def ctc(
    pred: Tensor,
    target: Tensor,
    pred_length: Tensor | None = None,
    target_length: Tensor | None = None,
    *,
    blank: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """Connectionist temporal classification: how likely the labels are in their order, whatever their places in time.

    Each datum is a sequence of steps, such as frames of speech or columns of handwriting, and a shorter sequence of
    labels. A model gives each step a probability for every label and for a blank, which means "no new label". A path
    of one class a step stands for the labels that are left when repeated classes are made one and blanks are taken out,
    so that a label may last; the loss is minus the logarithm of the probability of all paths that give the labels.

    It needs no alignment. It suits labels that come in the order of the steps, and takes them to be independent given
    the steps: a model of the language must be added elsewhere. Labels that follow themselves need a blank between, so
    that long sequences of labels can be impossible in few steps; zero-infinity leaves those out of the gradient.

    Computed by the forward variables in the logarithm, with twice a float's digits: the result is within 4 units in the
    last place of minus the logarithm of the most probable path's probability.

    Args:
        pred: The log-probability of each class at each step, shape (n, T, C).
        target: The labels as class indices in order, shape (n, S), none of them the blank.
        pred_length: How many steps of each sequence count, shape (n); all of them where this is left out.
        target_length: How many labels of each sequence count, shape (n); all of them where this is left out.
        blank: The class that stands for no label.
        zero_infinity: Gives impossible sequences the loss 0 instead of an infinite one.

    Returns:
        The loss of each sequence, shape (n). It is not defined (NaN) where a length is no whole number within the
        shapes, or a label no class or the blank.

    Raises:
        UsageError: the blank is not one of the classes.

    Example:
        >>> import torch
        >>> steps = torch.tensor([[[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]]]).log()
        >>> ctc(steps, torch.tensor([[1.0, 2.0]])).exp(), ctc(steps, torch.tensor([[1.0, 1.0]]))
        (tensor([4.]), tensor([inf]))
    """
    _, steps, classes = pred.shape
    if blank >= classes:
        raise UsageError(f"--blank {blank} is not a class: there are {classes}, numbered 0 .. {classes - 1}")
    time = _lengths(pred_length, pred, steps)
    length = _lengths(target_length, target, target.shape[1])
    places = torch.arange(target.shape[1], device=target.device)
    is_label = (target == target.floor()) & (target >= 0) & (target < classes) & (target != blank)
    counts = places < length.unsqueeze(1)
    defined = (time >= 0) & (length >= 0) & (is_label | ~counts).all(1)
    labels = torch.where(is_label & counts, target, blank).long()
    possible = _log_probability(pred, labels, time, length.clamp(min=0), blank)
    value = torch.where(time == 0, torch.where(length == 0, 0.0, math.inf), -possible)
    # What is impossible has no slope.
    value = torch.where(torch.isinf(value), 0.0 if zero_infinity else math.inf, value)
    return torch.where(defined, value, torch.nan)


def _lengths(given: Tensor | None, values: Tensor, most: int) -> Tensor:
    """Lengths as whole numbers, shape (n,): ``most`` where none are given, -1 where they are none."""
    if given is None:
        return torch.full(values.shape[:1], most, device=values.device)
    valid = (given == given.floor()) & (given >= 0) & (given <= most)
    return torch.where(valid, given, -1.0).long()


def _log_probability(pred: Tensor, labels: Tensor, time: Tensor, length: Tensor, blank: int) -> Tensor:
    """``ln P`` of labels, shape (n,): Graves' forward variables, over the labels with a blank around each of them."""
    states = torch.full((labels.shape[0], 2 * labels.shape[1] + 1), blank, device=labels.device)
    states[:, 1::2] = labels
    # A label may follow another one without a blank, but not itself.
    skips = torch.zeros_like(states, dtype=torch.bool)
    skips[:, 3::2] = labels[:, 1:] != labels[:, :-1]
    emitted = pred.gather(2, states.unsqueeze(1).expand(-1, pred.shape[1], -1))
    starts = torch.arange(states.shape[1], device=states.device) < 2
    alpha = Twofold.of(torch.where(starts, emitted[:, 0], -math.inf))
    for t in range(1, int(time.max()) if len(time) else 0):
        further = _later(alpha, 2).where(skips, -math.inf)
        new = _sum_of_logarithms(alpha, _later(alpha, 1), further) + Twofold.of(emitted[:, t])
        alpha = _finite(new).where((t < time).unsqueeze(1), alpha)
    last = 2 * length.unsqueeze(1)
    without_blank = alpha.gather((last - 1).clamp(min=0)).where(last > 0, -math.inf)
    return _sum_of_logarithms(alpha.gather(last), without_blank).rounded().squeeze(1)


def _later(alpha: Twofold, by: int) -> Twofold:
    """Each state's variable moved to the state so many places later."""
    pad = functools.partial(torch.nn.functional.pad, pad=(by, 0))
    kept = alpha[:, : max(0, alpha.value.shape[1] - by)]
    moved = Twofold(pad(kept.value, value=-math.inf), pad(kept.lost))
    return moved[:, : alpha.value.shape[1]]


def _sum_of_logarithms(first: Twofold, *others: Twofold) -> Twofold:
    """The logarithm of a sum of exponentials: the largest one plus log1p of the others beside it."""
    top, smaller = first, []
    for other in others:
        larger = other.value > top.value
        smaller.append(top.where(larger, other))
        top = other.where(larger, top)
    base = top.where(top.value != -math.inf, 0.0)
    beside = functools.reduce(torch.add, [_finite(each - base).exp() for each in smaller])
    return _finite(top + Twofold.of(torch.log1p(beside)))


def _finite(number: Twofold) -> Twofold:
    """What an infinite number has lost is nothing."""
    return Twofold(number.value, torch.where(torch.isinf(number.value), 0.0, number.lost))
