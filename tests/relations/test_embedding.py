"""How losses of pairs, triplets and directions relate to each other and to torch's."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from losscli.losses._stable.twofold import sine_and_cosine, tangent_squared
from losscli.losses.embedding import triplet_of_distances
from losscli.registry import parse_spec
from tests import oracle


def of(spec: str, *roles: Tensor, **named: Tensor) -> Tensor:
    return parse_spec(spec)(*roles, **named)


def close(expected: Tensor, actual: Tensor, relative: float = 1e-14, absolute: float = 0.0) -> None:
    torch.testing.assert_close(actual, expected, rtol=relative, atol=absolute)


@pytest.fixture
def vectors() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    a, b, c = torch.randn(3, 40, 7, generator=generator, dtype=torch.float64)
    return a, b, c


@pytest.fixture
def similar() -> Tensor:
    return torch.randint(2, (40,), generator=torch.Generator().manual_seed(4)).double()


def test_cosine_embedding_of_a_similar_pair_is_the_cosine_distance(vectors: tuple[Tensor, ...]) -> None:
    a, b, _ = vectors
    close(of("cosine-distance", a, b), of("cosine-embedding", a, b, torch.ones(40)))


@pytest.mark.parametrize("margin", [0.0, 0.3, -0.5])
def test_cosine_embedding_is_torchs(vectors: tuple[Tensor, ...], similar: Tensor, margin: float) -> None:
    a, b, _ = vectors
    expected = torch.nn.functional.cosine_embedding_loss(a, b, 2 * similar - 1, margin=margin, reduction="none")
    close(expected, of(f"cosine-embedding:margin={margin}", a, b, similar), absolute=1e-12)


def test_labels_of_minus_one_and_of_zero_mean_the_same(vectors: tuple[Tensor, ...], similar: Tensor) -> None:
    a, b, _ = vectors
    for spec in ("cosine-embedding", "hinge-embedding", "contrastive"):
        zero, minus_one = (of(spec, first=a, second=b, similar=s) for s in (similar, 2 * similar - 1))
        assert torch.equal(zero, minus_one)


@pytest.mark.parametrize("margin", [1.0, 2.5])
def test_hinge_embedding_is_torchs_and_contrastive_its_square(similar: Tensor, margin: float) -> None:
    distance = torch.rand(40, generator=torch.Generator().manual_seed(5), dtype=torch.float64) * 3
    found = of(f"hinge-embedding:margin={margin}", distance, similar)
    expected = torch.nn.functional.hinge_embedding_loss(distance, 2 * similar - 1, margin=margin, reduction="none")
    assert torch.equal(expected, found)
    close(0.5 * found * found, of(f"contrastive:margin={margin}", distance, similar))


@pytest.mark.parametrize(
    ("word", "measure"),
    [
        ("squared-euclidean", lambda a, b: ((a - b) ** 2).sum(1)),
        ("euclidean", lambda a, b: ((a - b) ** 2).sum(1).sqrt()),
        ("manhattan", lambda a, b: (a - b).abs().sum(1)),
        ("chebyshev", lambda a, b: (a - b).abs().amax(1)),
    ],
)
@pytest.mark.parametrize("swap", [False, True])
def test_a_triplet_with_a_distance_of_ones_own_is_torchs(
    vectors: tuple[Tensor, ...], word: str, measure: object, swap: bool
) -> None:
    a, p, n = vectors
    expected = torch.nn.functional.triplet_margin_with_distance_loss(
        a, p, n, distance_function=measure, margin=1.5, swap=swap, reduction="none"
    )
    close(expected, of(f"triplet:margin=1.5:distance={word}:swap={str(swap).lower()}", a, p, n), absolute=1e-13)
    if not swap:
        close(expected, triplet_of_distances(measure(a, p), measure(a, n), margin=1.5), absolute=1e-13)


def test_in_one_dimension_all_distances_but_the_squared_one_are_the_same(vectors: tuple[Tensor, ...]) -> None:
    a, p, n = (each[:, :1] for each in vectors)
    expected = of("triplet:distance=manhattan", a, p, n)
    assert torch.equal(expected, of("triplet:distance=chebyshev", a, p, n))
    close(expected, of("triplet:distance=euclidean", a, p, n), absolute=1e-15)


# --- margins of angles ------------------------------------------------------------------------------------------------


@pytest.fixture
def classes() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(6)
    embedding = torch.randn(50, 8, generator=generator, dtype=torch.float64) * 3
    matrix = torch.randn(11, 8, generator=generator, dtype=torch.float64)
    return embedding, matrix, torch.randint(11, (50,), generator=generator).double()


@pytest.mark.parametrize("scale", [1.0, 64.0])
def test_without_a_margin_both_are_the_cross_entropy_of_scaled_cosines(
    classes: tuple[Tensor, Tensor, Tensor], scale: float
) -> None:
    embedding, matrix, label = classes
    cosines = torch.nn.functional.normalize(embedding) @ torch.nn.functional.normalize(matrix).T
    expected = of("cross-entropy", scale * cosines, label)
    for name in ("arcface", "cosface"):
        close(expected, of(f"{name}:margin=0:scale={scale}", embedding, matrix, label), relative=1e-12)


def test_a_margin_of_the_angle_is_one_of_the_cosine_at_that_angle() -> None:
    """At a right angle the margin 0.5 takes sin(0.5) from the cosine."""
    embedding, matrix = torch.tensor([[0.0, 1, 0]]).double(), torch.tensor([[1.0, 0, 0], [0, 0, 1]]).double()
    expected = of(f"cosface:margin={math.sin(0.5)!r}", embedding, matrix, torch.zeros(1))
    close(expected, of("arcface", embedding, matrix, torch.zeros(1)), relative=1e-13)


def test_the_lengths_of_vectors_and_of_classes_do_not_matter(classes: tuple[Tensor, Tensor, Tensor]) -> None:
    embedding, matrix, label = classes
    for name in ("arcface", "cosface"):
        assert torch.equal(of(name, embedding, matrix, label), of(name, 8 * embedding, matrix / 4, label))


def test_a_label_that_is_no_class_has_no_loss(classes: tuple[Tensor, Tensor, Tensor]) -> None:
    embedding, matrix, label = classes
    wrong = label.clone()
    wrong[:3] = torch.tensor([-1.0, 11.0, 1.5])
    values = of("arcface", embedding, matrix, wrong)
    assert torch.isnan(values).tolist() == [True] * 3 + [False] * 47
    assert torch.equal(values[3:], of("arcface", embedding, matrix, label)[3:])


@pytest.mark.parametrize("angle", [0.0, 1e-9, 0.35, 0.5, 1.5, math.pi, 6.0])
def test_sines_and_cosines_have_forty_digits(angle: float) -> None:
    with oracle.mpmath.workprec(400):
        true = oracle.mpmath.sin(angle), oracle.mpmath.cos(angle)
        for found, exact in zip(sine_and_cosine(angle), true, strict=True):
            assert abs(oracle.mpf(found.numerator) / found.denominator - exact) < 1e-40


def test_the_squared_tangents_of_degrees_are_exact_where_they_are_whole() -> None:
    for degrees, square in ((45.0, Fraction(1)), (60.0, Fraction(3)), (30.0, Fraction(1, 3))):
        assert abs(tangent_squared(degrees) - square) < Fraction(1, 10**30)
