"""The loss of sequences beside torch's, and what cannot be."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from losscli.errors import UsageError
from losscli.registry import parse_spec


def of(spec: str, *roles: Tensor, **named: Tensor) -> Tensor:
    return parse_spec(spec)(*roles, **named)


def sequences(n: int, steps: int, classes: int, labels: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pred = torch.randn(n, steps, classes, generator=generator, dtype=torch.float64).mul(3).log_softmax(2)
    target = torch.randint(1, classes, (n, labels), generator=generator)
    pred_length = torch.randint(steps // 2, steps + 1, (n,), generator=generator)
    return pred, target, pred_length, torch.randint(0, labels + 1, (n,), generator=generator)


@pytest.mark.parametrize(("steps", "classes", "labels"), [(6, 3, 2), (40, 20, 12), (200, 5, 60)])
def test_the_loss_and_its_gradient_are_torchs(steps: int, classes: int, labels: int) -> None:
    pred, target, pred_length, target_length = sequences(5, steps, classes, labels, seed=steps)
    logits = [pred.clone().requires_grad_() for _ in range(2)]
    found = of("ctc:zero-infinity=true", logits[0].log_softmax(2), target.double(), pred_length, target_length)
    expected = torch.nn.functional.ctc_loss(
        logits[1].log_softmax(2).transpose(0, 1), target, pred_length, target_length, reduction="none",
        zero_infinity=True,
    )  # fmt: skip
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    for values in (found, expected):
        values.sum().backward()
    torch.testing.assert_close(logits[0].grad, logits[1].grad, rtol=1e-9, atol=1e-11)


def test_one_step_for_each_label_without_repetition_is_a_sum_of_cross_entropies() -> None:
    pred, *_ = sequences(4, 3, 5, 3, seed=1)
    target = torch.tensor([1.0, 2.0, 4.0]).expand(4, 3)
    expected = sum(-pred[:, t, int(target[0, t])] for t in range(3))
    torch.testing.assert_close(of("ctc", pred, target), expected, rtol=1e-15, atol=0)


def test_no_labels_are_blanks_throughout() -> None:
    pred, target, *_ = sequences(4, 6, 3, 2, seed=2)
    none = of("ctc", pred, target.double(), target_length=torch.zeros(4))
    torch.testing.assert_close(none, -pred[:, :, 0].sum(1), rtol=1e-15, atol=0)


def test_what_lies_behind_the_lengths_does_not_matter() -> None:
    pred, target, pred_length, target_length = sequences(6, 10, 4, 3, seed=3)
    expected = of("ctc", pred, target.double(), pred_length, target_length)
    behind = torch.arange(10) >= pred_length[:, None]
    other = torch.where(behind[:, :, None], math.nan, pred)
    padded = torch.where(torch.arange(3) >= target_length[:, None], -100, target)
    assert torch.equal(expected, of("ctc", other, padded.double(), pred_length, target_length))


def test_exchanging_the_blank_with_another_class_everywhere_changes_nothing() -> None:
    pred, target, *_ = sequences(5, 8, 4, 3, seed=4)
    order = torch.tensor([3, 1, 2, 0])
    moved = torch.where(target == 3, 0, target)
    assert torch.equal(of("ctc", pred, target.double()), of("ctc:blank=3", pred[:, :, order], moved.double()))


def test_too_few_steps_are_impossible_and_infinite_or_left_out() -> None:
    steps = torch.full((1, 2, 3), -math.log(3), dtype=torch.float64).requires_grad_()
    twice = torch.tensor([[1.0, 1.0]])
    assert of("ctc", steps, twice).tolist() == [math.inf]
    for spec in ("ctc", "ctc:zero-infinity=true"):
        (gradient,) = torch.autograd.grad(of(spec, steps, twice).sum(), steps)
        assert gradient.tolist() == [[[0.0] * 3] * 2]
    assert of("ctc:zero-infinity=true", steps, twice).tolist() == [0.0]
    empty = torch.tensor([0.0])
    assert of("ctc", steps, twice, empty, empty).tolist() == [0.0]
    assert of("ctc", steps, twice, empty, torch.tensor([1.0])).tolist() == [math.inf]


@pytest.mark.parametrize(
    ("target", "pred_length", "target_length"),
    [
        *(([label, 1], 2, 2) for label in (0, 3, 1.5, -1)),
        ([1, 2], 3, 2), ([1, 2], 2, 1.5), ([1, 2], -1, 2), ([1, 2], 2, 3),
    ],
)  # fmt: skip
def test_labels_and_lengths_that_are_none_have_no_loss(
    target: list[float], pred_length: float, target_length: float
) -> None:
    steps = torch.full((1, 2, 3), -math.log(3), dtype=torch.float64)
    lengths = torch.tensor([float(pred_length)]), torch.tensor([float(target_length)])
    assert of("ctc", steps, torch.tensor([target]).double(), *lengths).isnan().tolist() == [True]


def test_the_blank_must_be_a_class() -> None:
    with pytest.raises(UsageError) as caught:
        of("ctc:blank=3", torch.zeros(1, 2, 3), torch.ones(1, 1))
    assert str(caught.value) == "--blank 3 is not a class: there are 3, numbered 0 .. 2."
