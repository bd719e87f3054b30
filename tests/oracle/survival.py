"""Losses of the time until an event that may not have been seen: a list of (value, weight), one a datum."""

from __future__ import annotations

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, mean, true_loss


@true_loss
def cox(pred: Numbers, time: Numbers, event: Numbers, ties: str = "breslow") -> list[tuple[mpf, mpf]]:
    """Minus the logarithm of Cox's partial likelihood (1975), by the events; a datum without its event has weight 0.

    Breslow 1974 gives events at one time the same risk set. Efron 1977 takes from it, at the l-th of d such events,
    l/d of their own risks; which of them is the l-th is not known, so that each has the mean over l = 0 .. d-1.
    """
    risks = [mpmath.exp(mpf(s)) for s in pred]
    result = []
    for s, t, happened in zip(pred, time, event, strict=True):
        if not happened > 0:
            result.append((mpf(0), mpf(0)))
            continue
        at_risk = mpmath.fsum(risk for risk, other in zip(risks, time, strict=True) if other >= t)
        tied = [k for k, other in enumerate(time) if other == t and event[k] > 0]
        own = mpmath.fsum(risks[k] for k in tied)
        parts = range(len(tied)) if ties == "efron" else (0,)
        logs = [mpmath.log(at_risk - mpf(part) / len(tied) * own) for part in parts]
        result.append((mean(logs) - mpf(s), mpf(1)))
    return result
