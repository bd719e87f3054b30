"""How losses of whole batches relate to each other, and that blocks, order and missing data change nothing else."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

import losscli
from losscli.losses._stable import similarity
from losscli.losses._stable.similarity import Vectors
from losscli.registry import parse_spec

NAMES = ("nt-xent", "supcon", "circle", "multi-similarity", "lifted-structure", "n-pairs", "angular")


def of(spec: str, embedding: Tensor, label: Tensor) -> Tensor:
    return parse_spec(spec)(embedding, label)


def cost(spec: str, embedding: Tensor, label: Tensor) -> float:
    return losscli.compute(spec, embedding=embedding, label=label)[0].value


def batch(n: int = 30, labels: int = 6, dimensions: int = 5, seed: int = 1) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    embedding = torch.randn(n, dimensions, generator=generator, dtype=torch.float64)
    return embedding, torch.randint(labels, (n,), generator=generator).double()


def views(pairs: int = 8) -> tuple[Tensor, Tensor]:
    """Two data of each label."""
    embedding, _ = batch(2 * pairs)
    return embedding, torch.arange(pairs).repeat(2).double()


def test_with_two_data_of_each_label_nt_xent_is_supcon() -> None:
    embedding, label = views()
    for temperature in ("0.07", "0.5"):
        found = of(f"nt-xent:temperature={temperature}", embedding, label)
        torch.testing.assert_close(found, of(f"supcon:temperature={temperature}", embedding, label), rtol=1e-14, atol=0)


def test_with_two_data_of_each_label_nt_xent_is_a_cross_entropy_over_the_others() -> None:
    embedding, label = views()
    directions = torch.nn.functional.normalize(embedding)
    scores = (directions @ directions.T / 0.5).fill_diagonal_(-math.inf)
    expected = torch.nn.functional.cross_entropy(scores, (torch.arange(16) + 8) % 16, reduction="none")
    torch.testing.assert_close(of("nt-xent:temperature=0.5", embedding, label), expected, rtol=1e-13, atol=0)


def test_supcon_of_one_label_and_equal_vectors_is_the_logarithm_of_the_number_of_others() -> None:
    values = of("supcon", torch.ones(5, 3, dtype=torch.float64), torch.zeros(5))
    assert values.tolist() == [math.log(4)] * 5


def test_a_pair_and_a_stranger_have_the_circle_loss_of_their_two_similarities() -> None:
    """softplus of 80 (0.4 + s_n)(s_n - 0.4) - 80 (1.4 - s_p)(s_p - 0.6) for s_p = 0.6 and s_n = 0."""
    embedding = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]]).double()
    found = of("circle", embedding, torch.tensor([0.0, 0.0, 1.0]))
    assert found[0].item() == pytest.approx(math.log1p(math.exp(-80 * 0.4 * 0.4)), rel=1e-6)


def test_a_great_alpha_and_beta_leave_the_farthest_positive_and_the_nearest_negative() -> None:
    embedding = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.28, 0.96], [0.8, 0.6]]).double()
    found = of("multi-similarity:alpha=10000:beta=10000", embedding, torch.tensor([0.0, 0.0, 0.0, 1.0]))
    assert found[0].item() == pytest.approx((0.5 - 0.28) + (0.8 - 0.5), abs=1e-3)


def test_n_pairs_is_the_cross_entropy_of_anchors_against_positives() -> None:
    embedding, label = views(6)
    anchors, positives = torch.nn.functional.normalize(embedding).split(6)
    expected = torch.nn.functional.cross_entropy(anchors @ positives.T, torch.arange(6), reduction="none")
    torch.testing.assert_close(of("n-pairs", embedding, label)[:6], expected, rtol=1e-13, atol=0)


def test_angular_needs_no_angle_beyond_that_of_a_pair_that_coincides() -> None:
    """Of a pair in one direction and a negative at a right angle, f = -2 (1 + tan^2 alpha)."""
    embedding = torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]).double()
    found = of("angular:alpha=60", embedding, torch.tensor([0.0, 0.0, 1.0]))
    assert found[:2].tolist() == pytest.approx([math.log1p(math.exp(-8))] * 2, rel=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_the_lengths_of_the_vectors_do_not_matter(name: str) -> None:
    embedding, label = batch()
    lengths = 2.0 ** torch.randint(-9, 9, (30, 1), generator=torch.Generator().manual_seed(2)).double()
    assert torch.equal(of(name, embedding, label), of(name, embedding * lengths, label))


@pytest.mark.parametrize("name", NAMES)
def test_no_bit_depends_on_the_blocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    embedding, label = batch(20, dimensions=33)
    whole = of(name, embedding, label)
    for elements in (40, 140):
        monkeypatch.setattr(similarity, "BLOCK_ELEMENTS", elements)
        assert torch.equal(whole, of(name, embedding, label))


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_does_not_depend_on_the_blocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    embedding, label = batch(16)
    leaves = [embedding.clone().requires_grad_() for _ in range(2)]
    of(name, leaves[0], label).sum().backward()
    monkeypatch.setattr(similarity, "BLOCK_ELEMENTS", 64)
    of(name, leaves[1], label).sum().backward()
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_has_no_loss_and_is_compared_with_nothing(name: str) -> None:
    embedding, label = batch()
    present = torch.arange(30) % 7 != 3
    embedding[3, 1] = label[10] = math.nan
    embedding[17] = label[24] = math.nan
    found = of(name, embedding, label)
    assert torch.isnan(found).tolist() == (~present).tolist()
    torch.testing.assert_close(found[present], of(name, embedding[present], label[present]), rtol=1e-13, atol=0)
    weights = parse_spec(name).weights({"embedding": embedding, "label": label})
    assert weights is None or weights[~present].tolist() == [1.0] * 4


@pytest.mark.parametrize("name", NAMES)
def test_equal_and_opposite_vectors_have_a_loss_and_a_gradient(name: str) -> None:
    embedding = torch.tensor([[1.0, 2, 3]] * 3 + [[-1.0, -2, -3]] * 3 + [[1.0, 2, 3 + 1e-9]]).double().requires_grad_()
    values = of(name, embedding, torch.tensor([0.0, 0, 1, 0, 1, 1, 0]))
    values.sum().backward()
    assert bool(torch.isfinite(values).all())
    assert embedding.grad is not None
    assert bool(torch.isfinite(embedding.grad).all())


@pytest.mark.parametrize("by", ["nt-xent", "supcon", "circle"])
def test_groups_are_batches_of_their_own(by: str) -> None:
    embedding, label = batch(24, labels=3)
    group = torch.arange(24) % 2
    data = {"embedding": embedding.numpy(), "label": label.numpy(), "part": group.numpy()}
    found = losscli.compute(by, data=data, by=["part"])
    expected = [cost(by, embedding[group == k], label[group == k]) for k in (0, 1)]
    assert [record.value for record in found] == expected


def test_products_of_directions_have_more_digits_than_a_float() -> None:
    """A third of three ones, thrice: 1, with an error far below the last place of a float."""
    vectors = Vectors.directions(torch.tensor([[1.0, 1, 1], [1, 2, 3]]).double())
    product = vectors.products(vectors, slice(0, 1))
    assert product.value.tolist()[0][0] == 1.0
    assert abs(product.lost.tolist()[0][0]) < 2**-60
