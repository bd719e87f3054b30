"""What Cox's loss is in simple cases, and what does not change it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from losscli.registry import parse_spec

TIES = ("breslow", "efron")


def of(spec: str, *roles: Tensor) -> Tensor:
    return parse_spec(spec)(*roles)


def group(n: int = 40, times: int = 12, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pred = torch.randn(n, generator=generator, dtype=torch.float64)
    time = torch.randint(times, (n,), generator=generator).double()
    return pred, time, torch.randint(2, (n,), generator=generator).double()


@pytest.mark.parametrize("ties", TIES)
def test_one_event_before_all_others_is_a_cross_entropy(ties: str) -> None:
    pred, _, _ = group(7)
    time, event = torch.arange(7).double(), (torch.arange(7) == 0).double()
    expected = parse_spec("cross-entropy")(pred[None], torch.zeros(1))
    torch.testing.assert_close(of(f"cox:ties={ties}", pred, time, event)[:1], expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize("ties", TIES)
def test_the_last_event_alone_at_risk_costs_nothing(ties: str) -> None:
    values = of(f"cox:ties={ties}", torch.tensor([3.0, -2.0]), torch.tensor([1.0, 2.0]), torch.ones(2))
    assert values[1].item() == 0.0


def test_without_equal_times_of_events_both_ties_are_the_same() -> None:
    pred, _, event = group()
    time = torch.randperm(40, generator=torch.Generator().manual_seed(2)).double()
    breslow, efron = (of(f"cox:ties={ties}", pred, time, event)[event > 0] for ties in TIES)
    torch.testing.assert_close(breslow, efron, rtol=1e-14, atol=0)


def test_events_at_one_time_with_equal_risks_cost_the_logarithm_of_what_is_left_at_each() -> None:
    """Of three alike: 3, 3 and 3 at risk for Breslow; 3, then 2, then 1 for Efron."""
    alike = torch.zeros(3, dtype=torch.float64), torch.ones(3), torch.ones(3)
    assert of("cox", *alike).tolist() == pytest.approx([math.log(3)] * 3, rel=1e-15)
    assert of("cox:ties=efron", *alike).tolist() == pytest.approx([math.log(6) / 3] * 3, rel=1e-15)


@pytest.mark.parametrize("ties", TIES)
def test_the_sum_is_the_textbook_s(ties: str) -> None:
    pred, time, event = group()
    expected = 0.0
    for t in time[event > 0].unique():
        tied = (time == t) & (event > 0)
        at_risk, own, d = float(pred[time >= t].exp().sum()), float(pred[tied].exp().sum()), int(tied.sum())
        share = 1.0 if ties == "efron" else 0.0
        expected += sum(math.log(at_risk - share * part / d * own) for part in range(d)) - float(pred[tied].sum())
    found = of(f"cox:ties={ties}", pred, time, event)
    assert float((found * event).sum()) == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("ties", TIES)
def test_a_constant_and_another_clock_change_nothing(ties: str) -> None:
    pred, time, event = group()
    pred = torch.round(pred * 1024) / 1024
    expected = of(f"cox:ties={ties}", pred, time, event)
    torch.testing.assert_close(of(f"cox:ties={ties}", pred + 4096, time**3 + 1, event), expected, rtol=1e-14, atol=0)


@pytest.mark.parametrize("ties", TIES)
def test_risks_of_any_size_are_compared(ties: str) -> None:
    """Sums of exponentials are scaled by powers of one number, so that none is too large or too small."""
    pred = torch.tensor([1e300, 2000.0, 1800.0, -1000.0, -1e5, -1e300], dtype=torch.float64)
    time = torch.arange(6).double()
    found = of(f"cox:ties={ties}", pred, time, torch.ones(6))
    assert found.tolist() == [0.0, math.exp(-200), 0.0, 0.0, 0.0, 0.0]
    backwards = of(f"cox:ties={ties}", pred.flip(0), time, torch.ones(6))
    assert backwards.tolist() == [2e300, 1e300, 1e300, 1e300, 1e300, 0.0]


@pytest.mark.parametrize("ties", TIES)
def test_what_is_missing_has_no_loss_and_is_never_at_risk(ties: str) -> None:
    pred, time, event = group()
    present = torch.arange(40) % 9 != 4
    for k, role in zip((4, 13, 22, 31), (pred, time, event, pred)):
        role[k] = math.nan
    found = of(f"cox:ties={ties}", pred, time, event)
    assert torch.isnan(found).tolist() == (~present).tolist()
    assert torch.equal(found[present], of(f"cox:ties={ties}", pred[present], time[present], event[present]))
