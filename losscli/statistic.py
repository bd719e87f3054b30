"""How a cost comes from the losses of the data. Most are their mean; what is not is declared, and the engine obeys.

Everything here is data about a loss: no tensor is touched, and nothing is imported but fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Union

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Mean:
    """The weighted mean of the losses, or with ``--reduction sum`` their sum."""


@dataclass(frozen=True)
class Root:
    """A root of the mean (or of the sum): of order 2 for the root mean squared error.

    The function gives what is averaged; the loss of one datum is its root.

    Attributes:
        order: 2 for the square root.
        of_each: the root of each value of a tensor, where the order is another than 2.
    """

    order: float = 2.0
    of_each: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Maximum:
    """The largest loss."""


@dataclass(frozen=True)
class Median:
    """The median of the losses. It needs all of them at once: eight bytes a datum are kept.

    Attributes:
        outputs: of the loss's roles and parameters, the losses of every output, shape (n, k), where the cost is the
            average of the medians of the outputs; None where a datum has one loss.
        shares: of each output in that average; None for equal ones.
    """

    outputs: Callable[..., Tensor] | None = None
    shares: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Totals:
    """What a pooled cost is made of: for each term, over all data of a group.

    Attributes:
        sums: the exact sum of weight times term.
        lows: the smallest value of the term.
        highs: the largest.
        weight: the exact sum of the weights; the number of data without weights.
        n: the number of data.
    """

    sums: tuple[Fraction, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    weight: Fraction
    n: int


@dataclass(frozen=True)
class Pooled:
    """A function of sums over all data, such as a ratio of two: not a mean of the losses of the data.

    Attributes:
        terms: of the loss's roles and parameters, what is summed: a sequence of tensors of shape (n,), any number.
        combine: the cost of the totals, before the root; None where it is not defined.
        root: whether the cost is the square root of that.
        summed: which of the terms ``--reduction sum`` adds up; None where a sum has no meaning.
        undefined: why there is no cost where ``combine`` gives None, as the end of a sentence.
    """

    terms: Callable[..., tuple[Tensor, ...]]
    combine: Callable[[Totals], Fraction | None]
    root: bool = False
    summed: int | None = None
    undefined: str = "what it is divided by is 0"


Statistic = Union[Mean, Root, Maximum, Median, Pooled]
# A statistic, or for a loss whose parameters decide, the function of the parameters that gives it.
Declared = Union[Statistic, Callable[..., Any]]

MEAN = Mean()
ROOT = Root()
MAXIMUM = Maximum()
MEDIAN = Median()


def ratio(totals: Totals) -> Fraction | None:
    """The sum of the first term over that of the second; None where the second is zero.

    Example:
        >>> ratio(Totals((Fraction(3), Fraction(4)), (0.0, 1.0), (2.0, 3.0), Fraction(2), 2))
        Fraction(3, 4)
    """
    above, below = totals.sums[0], totals.sums[1]
    return above / below if below else None
