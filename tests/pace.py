"""Which tests of every loss are run at once, and which only in the slow run: the book's losses come first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from losscli.loss import Loss

BOOK = {
    "mse",
    "mae",
    "huber",
    "cross-entropy",
    "binary-cross-entropy",
    "balanced-cross-entropy",
    "focal",
    "contrastive",
    "triplet",
}


def book_first(values: Iterable[str | Loss]) -> list[Any]:
    """Losses or their names as parameters of a test; those that are not in the book are marked slow.

    For what all losses share a path through, such as drawing and pages: there the book's losses show most faults.
    """
    return [
        pytest.param(value, id=name, marks=() if name in BOOK else pytest.mark.slow)
        for value in values
        for name in [value if isinstance(value, str) else value.name]
    ]
