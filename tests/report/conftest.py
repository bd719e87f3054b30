from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from losscli.result import Record

SIGNATURE = "huber:delta=2|mean|w:none|nan:error|float64|native|v0.1.0"


@pytest.fixture
def record() -> Callable[..., Record]:
    """Makes a record; what is given replaces the fields of an ordinary one."""

    def make(**changed: Any) -> Record:
        fields: dict[str, Any] = {
            "file": "preds.csv",
            "pred": "p",
            "loss": "huber:delta=2",
            "params": {"delta": 2.0},
            "reduction": "mean",
            "group": {},
            "n": 1000,
            "n_skipped": 0,
            "weight_sum": 1000.0,
            "value": 0.512345678,
            "std_error": 0.01,
            "ci_low": 0.492345678,
            "ci_high": 0.532345678,
            "min": 0.0,
            "max": 9.5,
            "status": "ok",
            "signature": SIGNATURE,
        }
        return Record(**{**fields, **changed})

    return make
