"""How losses of several labels relate to each other and to those of other libraries."""

from __future__ import annotations

import math

import pytest
import sklearn.metrics
import torch
from torch import Tensor

import losscli
from losscli.errors import DataError
from losscli.losses._stable import labels as label_numerics
from losscli.registry import parse_spec


def of(spec: str, pred: Tensor, target: Tensor) -> Tensor:
    return parse_spec(spec)(pred, target)


@pytest.fixture
def scores() -> Tensor:
    generator = torch.Generator().manual_seed(41)
    given = 2 * torch.randn(120, 6, generator=generator, dtype=torch.float64)
    # Every third row has ties.
    given[::3] = given[::3].round()
    return given


@pytest.fixture
def labels() -> Tensor:
    generator = torch.Generator().manual_seed(42)
    given = (torch.rand(120, 6, generator=generator) < 0.4).double()
    given[:4] = torch.tensor([0.0, 1.0, 0.0, 1.0])[:, None]
    return given


def numbers(labels: Tensor) -> Tensor:
    """The numbers of the true labels, ended by -1."""
    made = torch.full_like(labels, -1)
    for row, true in zip(made, labels, strict=True):
        found = torch.nonzero(true)[:, 0]
        row[: len(found)] = found
    return made


def test_numbers_of_labels_are_columns_in_another_form(scores: Tensor, labels: Tensor) -> None:
    expected = of("multilabel-margin", scores, labels)
    assert torch.equal(expected, of("multilabel-margin:target-form=indices", scores, numbers(labels)))
    assert torch.equal(expected, of("multilabel-margin:target-form=indices", scores, numbers(labels).long()))
    theirs = torch.nn.functional.multilabel_margin_loss(scores, numbers(labels).long(), reduction="none")
    torch.testing.assert_close(expected, theirs, rtol=1e-14, atol=0)


def test_the_same_row_means_other_labels_in_either_form() -> None:
    scores, row = torch.tensor([[0.5, 0.0]], dtype=torch.float64), torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    assert of("multilabel-margin", scores, row).item() == 0.25
    assert of("multilabel-margin:target-form=indices", scores, row).item() == 0


@pytest.mark.parametrize(("number", "shown"), [(6.0, "6"), (0.5, "0.5"), (-1.5, "-1.5")])
def test_a_number_that_no_label_has_is_refused(scores: Tensor, number: float, shown: str) -> None:
    target = torch.full((120, 6), -1.0, dtype=torch.float64)
    target[7, 0] = number
    with pytest.raises(DataError, match=f"{shown} is not the number of a label: there are 6, numbered 0 .. 5"):
        of("multilabel-margin:target-form=indices", scores, target)


def test_how_many_pairs_are_taken_at_a_time_changes_no_bit(
    scores: Tensor, labels: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("multilabel-margin", "label-ranking"):
        expected = of(name, scores, labels)
        monkeypatch.setattr(label_numerics, "MOST_PAIRS", 1)
        assert torch.equal(expected, of(name, scores, labels))
        monkeypatch.undo()


def test_soft_margins_of_labels_are_binary_cross_entropies(scores: Tensor, labels: Tensor) -> None:
    expected = of("binary-cross-entropy:input=logits", scores, labels)
    torch.testing.assert_close(of("multilabel-soft-margin", scores, labels), expected, rtol=1e-15, atol=0)
    theirs = torch.nn.functional.multilabel_soft_margin_loss(
        scores, labels, weight=torch.arange(6, dtype=torch.float64), reduction="none"
    )
    found = of("multilabel-soft-margin:class-weight=0/1/2/3/4/5", scores, labels)
    torch.testing.assert_close(found, theirs, rtol=1e-10, atol=0)


@pytest.mark.parametrize("kind", ["logits", "probs"])
def test_asymmetric_without_its_asymmetry_is_a_focal_loss_of_each_label(
    kind: str, scores: Tensor, labels: Tensor
) -> None:
    pred = scores if kind == "logits" else 1 / (1 + torch.exp(-scores))
    for gamma in (0, 1, 2, 2.5):
        spec = f"asymmetric:gamma-neg={gamma}:gamma-pos={gamma}:clip=0:input={kind}"
        expected = 6 * of(f"focal:gamma={gamma}:alpha=none:input={kind}", pred, labels)
        torch.testing.assert_close(of(spec, pred, labels), expected, rtol=1e-13, atol=0)


def test_a_false_label_up_to_the_clip_costs_nothing_and_no_more_than_its_logarithm() -> None:
    p = torch.tensor([[0.05], [0.0500001], [1.0]], dtype=torch.float64)
    values = of("asymmetric:gamma-neg=0:input=probs", p, torch.zeros_like(p))
    assert values[0].item() == 0
    assert values[1].item() > 0
    assert values[2].item() == pytest.approx(-math.log(0.05))
    assert -math.log(0.05) == pytest.approx(3.0, abs=0.005)
    assert -math.log(1e-8) == pytest.approx(18.4, abs=0.05)


def test_scikit_learn_has_the_same_counts(scores: Tensor, labels: Tensor) -> None:
    y, f = labels.numpy(), scores.numpy()
    decided = (scores > 0).double()
    pairs = {
        "label-ranking": (scores, sklearn.metrics.label_ranking_loss(y, f)),
        "coverage-error": (scores, sklearn.metrics.coverage_error(y, f)),
        "zero-one": (decided, sklearn.metrics.zero_one_loss(y, decided.numpy())),
        "hamming": (decided, sklearn.metrics.hamming_loss(y, decided.numpy())),
    }
    for name, (pred, theirs) in pairs.items():
        assert of(name, pred, labels).mean().item() == pytest.approx(theirs, rel=1e-14), name


def test_the_wrong_pairs_are_one_less_the_area_under_the_curve_where_nothing_is_tied(
    scores: Tensor, labels: Tensor
) -> None:
    mixed = (labels.sum(1) > 0) & (labels.sum(1) < 6)
    mixed[::3] = False
    area = [
        sklearn.metrics.roc_auc_score(y, f) for y, f in zip(labels[mixed].numpy(), scores[mixed].numpy(), strict=True)
    ]
    torch.testing.assert_close(
        of("label-ranking", scores[mixed], labels[mixed]),
        1 - torch.tensor(area, dtype=torch.float64),
        rtol=1e-12,
        atol=1e-15,
    )


def test_labels_in_a_perfect_order_cover_as_many_as_are_true(labels: Tensor) -> None:
    generator = torch.Generator().manual_seed(43)
    perfect = 10 * labels + torch.rand(120, 6, generator=generator, dtype=torch.float64)
    assert torch.equal(of("coverage-error", perfect, labels), labels.sum(1))
    assert of("label-ranking", perfect, labels).tolist() == [0.0] * 120
    assert of("multilabel-margin", perfect, labels).tolist() == [0.0] * 120


def test_one_wrong_label_of_ten_is_a_tenth_or_all_of_it() -> None:
    target = torch.zeros(1, 10)
    pred = target.clone()
    pred[0, 3] = 1
    assert of("hamming", pred, target).item() == pytest.approx(0.1)
    assert of("zero-one", pred, target).item() == 1


def test_of_one_label_hamming_is_the_zero_one_loss() -> None:
    pred, target = torch.tensor([1.0, 2.0, 3.0, 3.0]), torch.tensor([1.0, 3.0, 3.0, 2.0])
    assert torch.equal(of("hamming", pred, target), of("zero-one", pred, target))


def test_a_label_that_cannot_be_is_refused_in_every_loss_that_has_codes() -> None:
    for name in ("hinge", "squared-hinge", "perceptron", "modified-huber", "soft-margin", "binary-sparsemax"):
        with pytest.raises(DataError, match=r"0\.5 is not one of -1, 0, 1"):
            losscli.compute(name, pred=[1.0, 2.0], target=[1.0, 0.5])
    # The other loss accepts it, which says nothing about this one.
    with pytest.raises(DataError, match=r"0\.5 is not one of -1, 0, 1"):
        losscli.compute(["binary-cross-entropy", "hinge"], pred=[0.5, 0.5], target=[1.0, 0.5])
