"""The losses in sklearn.metrics, with their parameters, clamps and averages over several outputs.

``sample_weight`` is ``--weight`` here, ``normalize=False`` is ``--reduction sum``, and ``labels`` and ``pos_label`` are
what the columns are called.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import (
    ABOVE_MINUS_ONE,
    PROBABILITY,
    REAL,
    SCALAR,
    SCORE,
    UNIT,
    Choice,
    Domain,
    Interval,
    Value,
    Vector,
)
from losscli.errors import UsageError
from losscli.losses._stable.elementary import row_sum
from losscli.losses.margin import hinge
from losscli.losses.multiclass_margin import multiclass_hinge
from losscli.peers.declare import alias, peer
from losscli.registry import find
from losscli.statistic import MAXIMUM, Median, Pooled, Totals

if TYPE_CHECKING:
    from torch import Tensor

EPSILON = sys.float_info.epsilon
SAME = "It is the same."
SEVERAL = replace(REAL, shapes=("n", "n D"))
SEVERAL_ABOVE = replace(ABOVE_MINUS_ONE, shapes=("n", "n D"))
MULTIOUTPUT = Vector(Interval(low=0), none="uniform_average")
Numbers = tuple[float, ...] | None


# --- several outputs --------------------------------------------------------------------------------------------------


def _errors(name: str, pred: Tensor, target: Tensor, **params: Value) -> Tensor:
    """A loss of the catalogue for every output, of the shape of the prediction."""
    return find(name).function(pred.reshape(-1), target.reshape(-1), **params).reshape(pred.shape)


def _average(errors: Tensor, multioutput: Numbers) -> Tensor:
    """One number a datum: the average over its outputs."""
    columns = _columns(errors)
    shares = _shares(multioutput, len(columns))
    return columns[0] if len(columns) == 1 else row_sum(errors * errors.new_tensor(shares)) / sum(shares)


def _columns(errors: Tensor) -> tuple[Tensor, ...]:
    return errors.unbind(1) if errors.ndim == 2 else (errors,)


def _shares(multioutput: Numbers, outputs: int) -> tuple[float, ...]:
    if multioutput is None:
        return (1.0,) * outputs
    if len(multioutput) != outputs:
        raise UsageError(f"--multioutput has {len(multioutput)} numbers, but there are {outputs} outputs")
    return multioutput


def _roots(name: str) -> Callable[..., Pooled]:
    """The average over the outputs of the roots of their means."""

    def terms(pred: Tensor, target: Tensor, *, multioutput: Numbers) -> tuple[Tensor, ...]:
        columns = _columns(_errors(name, pred, target))
        _shares(multioutput, len(columns))
        return columns

    def statistic(*, multioutput: Numbers) -> Pooled:
        def combine(totals: Totals) -> Fraction | None:
            if not totals.weight:
                return None
            shares = [Fraction(share) for share in _shares(multioutput, len(totals.sums))]
            roots = [_root(total / totals.weight) for total in totals.sums]
            return sum((s * root for s, root in zip(shares, roots)), Fraction()) / sum(shares)

        return Pooled(terms, combine)

    return statistic


def _root(value: Fraction) -> Fraction:
    """The square root to 128 bits and more."""
    shift = max(0, 128 + (value.denominator.bit_length() - value.numerator.bit_length()) // 2)
    return Fraction(math.isqrt((value.numerator << 2 * shift) // value.denominator), 1 << shift)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _regression(name: str, of: str, domain: Domain = SEVERAL) -> None:
    """Declares the mean of a loss over the data and over several outputs."""

    @peer(f"sklearn.metrics.{name}", of=of, where={"multioutput": MULTIOUTPUT}, pred=domain, target=domain)
    def average(pred: Tensor, target: Tensor, *, multioutput: Numbers = None) -> Tensor:
        """Several outputs may be weighted.

        Args:
            multioutput: uniform_average, or one weight for each output.
        """
        return _average(_errors(of, pred, target), multioutput)


def _root_of(name: str, of: str, domain: Domain = SEVERAL) -> None:
    """Declares the mean over several outputs of the roots of their means."""

    @peer(
        f"sklearn.metrics.{name}",
        of=f"r{of}",
        where={"multioutput": MULTIOUTPUT},
        statistic=_roots(of),
        pred=domain,
        target=domain,
    )
    def average(pred: Tensor, target: Tensor, *, multioutput: Numbers = None) -> Tensor:
        """Of several outputs it averages the roots, not the squares.

        Args:
            multioutput: uniform_average, or one weight for each output.
        """
        return _average(torch.sqrt(_errors(of, pred, target)), multioutput)


_regression("mean_squared_error", "mse")
_regression("mean_absolute_error", "mae")
_regression("mean_squared_log_error", "msle", SEVERAL_ABOVE)
_root_of("root_mean_squared_error", "mse")
_root_of("root_mean_squared_log_error", "msle", SEVERAL_ABOVE)
alias("sklearn.metrics.mean_poisson_deviance", of="poisson-deviance", note=SAME)
alias("sklearn.metrics.mean_gamma_deviance", of="gamma-deviance", note=SAME)
alias(
    "sklearn.metrics.mean_tweedie_deviance",
    of="tweedie-deviance",
    note="The power is 0 where it is not given, which is the squared error.",
    params={"power": "power"},
    defaults={"power": 0.0},
)


@peer("sklearn.metrics.max_error", of="max-error", statistic=MAXIMUM, pred=SCALAR, target=SCALAR)
def max_error(pred: Tensor, target: Tensor) -> Tensor:
    """Several outputs are refused."""
    return (pred - target).abs()


def _medians(*, multioutput: Numbers) -> Median:
    def outputs(pred: Tensor, target: Tensor, *, multioutput: Numbers) -> Tensor:
        columns = _columns((pred - target).abs())
        _shares(multioutput, len(columns))
        return torch.stack(columns, 1)

    return Median(outputs, multioutput)


@peer(
    "sklearn.metrics.median_absolute_error",
    of="median-absolute-error",
    where={"multioutput": MULTIOUTPUT},
    statistic=_medians,
    pred=SEVERAL,
    target=SEVERAL,
)
def median_absolute_error(pred: Tensor, target: Tensor, *, multioutput: Numbers = None) -> Tensor:
    """Of several outputs it averages the medians.

    Args:
        multioutput: uniform_average, or one weight for each output.
    """
    return _average((pred - target).abs(), multioutput)


@peer(
    "sklearn.metrics.mean_absolute_percentage_error",
    of="mape",
    where={"multioutput": MULTIOUTPUT},
    pred=SEVERAL,
    target=SEVERAL,
)
def mape(pred: Tensor, target: Tensor, *, multioutput: Numbers = None) -> Tensor:
    """A target below 2.2e-16 counts as that, so that no datum costs infinitely much.

    Args:
        multioutput: uniform_average, or one weight for each output.
    """
    return _average((pred - target).abs() / torch.clamp(target.abs(), min=EPSILON), multioutput)


@peer(
    "sklearn.metrics.mean_pinball_loss",
    of="quantile",
    where={"alpha": UNIT, "multioutput": MULTIOUTPUT},
    names={"tau": "alpha"},
    pred=SEVERAL,
    target=SEVERAL,
)
def pinball(pred: Tensor, target: Tensor, *, alpha: float = 0.5, multioutput: Numbers = None) -> Tensor:
    """tau is called alpha, and several outputs may be weighted.

    Args:
        multioutput: uniform_average, or one weight for each output.
    """
    return _average(_errors("quantile", pred, target, tau=alpha), multioutput)


# --- labels and probabilities -----------------------------------------------------------------------------------------

PROBABILITIES = replace(
    PROBABILITY,
    phrase="a probability of label 1, or one for each class",
    shapes=("n", "n C"),
    hint="are these logits? It takes probabilities.",
)
CLASS_OR_SHARES = Domain(
    "class", "a label 0 or 1, or a class 0 .. C-1, or 0 and 1 for each class", shapes=("n", "n C"), interval=Interval(0)
)
DECISIONS = replace(SCORE, phrase="a decision value, or one for each class", shapes=("n", "n C"))
CODED_OR_CLASS = Domain("label", "a label 0 or -1 and 1, or a class 0 .. C-1", shapes=("n",), interval=Interval(-1))

alias("sklearn.metrics.hamming_loss", of="hamming", note=SAME)
alias("sklearn.metrics.zero_one_loss", of="zero-one", note=SAME)
alias("sklearn.metrics.label_ranking_loss", of="label-ranking", note=SAME)
alias("sklearn.metrics.coverage_error", of="coverage-error", note=SAME)


def _one_hot(target: Tensor, classes: int) -> Tensor:
    """1 for the class of each datum, shape (n, C); as it is where it has a number for each class."""
    if target.ndim == 2:
        return target
    known = (target >= 0) & (target < classes) & (target == target.floor()) | torch.isnan(target)
    if not bool(known.all()):
        wrong = float(target[~known][0])
        raise UsageError(f"{wrong:g} is not a class: there are {classes}, numbered 0 .. {classes - 1}")
    index = torch.nan_to_num(target).long().unsqueeze(1)
    shares = torch.zeros(len(target), classes, dtype=target.dtype, device=target.device).scatter(1, index, 1.0)
    return torch.where(torch.isnan(target).unsqueeze(1), math.nan, shares)


def _both(pred: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The probabilities of all classes and the shares, both (n, C): of two where only that of label 1 is given."""
    if pred.ndim == 2:
        return pred, _one_hot(target, pred.shape[1])
    return torch.stack((1 - pred, pred), 1), _one_hot(target, 2)


@peer(
    "sklearn.metrics.log_loss",
    of="binary-cross-entropy",
    also=("cross-entropy",),
    when={"input": "probs"},
    pred=PROBABILITIES,
    target=CLASS_OR_SHARES,
)
def log_loss(pred: Tensor, target: Tensor) -> Tensor:
    """Probabilities are kept in [2.2e-16, 1 - 2.2e-16]; one of label 1 is enough, and then there are two classes."""
    probabilities, shares = _both(pred, target)
    clipped = torch.clamp(probabilities, EPSILON, 1 - EPSILON)
    return row_sum(-shares * torch.log(torch.where(shares == 0, 1.0, clipped)))


@dataclass(frozen=True)
class FlagOr(Choice):
    """True, false or a further word."""

    def check(self, value: object) -> Value:
        return super().check(str(value).lower() if isinstance(value, bool) else value)


@peer(
    "sklearn.metrics.brier_score_loss",
    of="brier",
    also=("multiclass-brier",),
    when={"input": "probs"},
    where={"scale_by_half": FlagOr(("auto", "true", "false"))},
    pred=PROBABILITIES,
    target=CLASS_OR_SHARES,
)
def brier(pred: Tensor, target: Tensor, *, scale_by_half: str = "auto") -> Tensor:
    """It is halved where there are two classes, and takes the probability of label 1 alone, too.

    Args:
        scale_by_half: Whether the sum over the classes is halved; auto halves that of two classes.
    """
    probabilities, shares = _both(pred, target)
    error = shares - probabilities
    value = row_sum(error * error)
    halved = probabilities.shape[1] < 3 if scale_by_half == "auto" else scale_by_half == "true"
    return 0.5 * value if halved else value


@peer("sklearn.metrics.hinge_loss", of="hinge", also=("multiclass-hinge",), pred=DECISIONS, target=CODED_OR_CLASS)
def hinge_loss(pred: Tensor, target: Tensor) -> Tensor:
    """Of several classes it is the Crammer-Singer loss; of data that are all positive it is not 1.5, as there."""
    if pred.ndim == 1:
        return hinge(pred, target, margin=1.0)
    _one_hot(target, pred.shape[1])
    return multiclass_hinge(pred, target, margin=1.0)
