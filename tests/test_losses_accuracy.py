"""How close every loss comes to the true value, in units in the last place.

The true values come from ``oracle`` (mpmath). No comparison has an absolute tolerance. ``pytest -rP`` on this file
shows the largest difference of each loss, and where it is.
"""

from __future__ import annotations

import importlib
import math
import pkgutil
import random
from collections.abc import Sequence

import pytest
import torch

from losscli.loss import Scope
from losscli.losses._stable.elementary import cosine_distance, euclidean_distance
from losscli.registry import losses, parse_spec
from tests import cases, oracle
from tests.loss_cases import (
    CASES,
    Datum,
    class_indices,
    errors,
    evaluate,
    evaluate_batch,
    logits,
    probabilities,
    soft_targets,
)
from tests.oracle import embedding

BOUND = 4.0
FAMILIES = [importlib.import_module(each.name) for each in pkgutil.iter_modules(cases.__path__, "tests.cases.")]
# Wider bounds and the sizes that errors are measured by, where a family gives a reason for them.
BOUNDS = {name: bound for family in FAMILIES for name, bound in getattr(family, "BOUNDS", {}).items()}
SCALES = {name: scale for family in FAMILIES for name, scale in getattr(family, "SCALES", {}).items()}
ALL_CASES = {**CASES, **{name: case for family in FAMILIES for name, case in family.CASES.items()}}
# The first loss of each list sees all data, the others every other datum, by turns.
EVERY = [
    pytest.param(spec, data if k == 0 else data[k % 2 :: 2], id=f"{spec}-{name}")
    for name, (data, specs) in ALL_CASES.items()
    for k, spec in enumerate(specs)
    if spec.partition(":")[0] in losses()
]


def is_of_batches(spec: str, data: list[Datum]) -> bool:
    """Whether each datum is a whole batch: lists of a query may also come one by one."""
    return parse_spec(spec).loss.scope is Scope.ALL and not isinstance(oracle.value_of(spec, data[0]), oracle.mpf)


VALUES = [case for case in EVERY if not is_of_batches(*case.values)]
BATCHES = [case for case in EVERY if is_of_batches(*case.values)]


def worst(spec: str, data: Sequence[Datum], results: Sequence[float], *, single: bool = False) -> tuple[float, str]:
    bound = parse_spec(spec)
    ulps = []
    for datum, result in zip(data, results, strict=True):
        given = {**oracle.own_params(bound), **datum}
        true, scale = oracle.value(bound.name, **given), None
        if bound.name in SCALES:
            with oracle.mpmath.workprec(oracle.PRECISION):
                scale = SCALES[bound.name](**given)
        ulps.append(oracle.ulps(result, true, single=single, scale=scale))
    at = max(range(len(ulps)), key=ulps.__getitem__)
    return ulps[at], f"{ulps[at]:.2f} ULP at {data[at]}, {results[at]!r}"


@pytest.mark.parametrize(("spec", "data"), VALUES)
def test_every_loss_is_within_four_ulp(spec: str, data: list[Datum]) -> None:
    found, where = worst(spec, data, evaluate(spec, data))
    print(where)
    assert found <= BOUNDS.get(spec, BOUNDS.get(parse_spec(spec).name, BOUND)), where


@pytest.mark.parametrize(("spec", "data"), BATCHES)
def test_every_loss_of_a_batch_is_within_its_bound(spec: str, data: list[Datum]) -> None:
    bound = parse_spec(spec)
    allowed = BOUNDS.get(spec, BOUNDS.get(bound.name, BOUND))
    for batch in data:
        expected = oracle.value(bound.name, **{**oracle.own_params(bound), **batch})
        for (value, weight), (true, true_weight) in zip(evaluate_batch(spec, batch), expected, strict=True):
            assert weight == float(true_weight)
            if weight:
                scale = SCALES[bound.name](**{**oracle.own_params(bound), **batch}) if bound.name in SCALES else None
                assert oracle.ulps(value, true, scale=scale) <= allowed, (value, float(true), batch)


@pytest.mark.parametrize("gamma", [1.0, 2.0, 3.0, 5.0])
def test_a_focal_loss_of_logits_is_a_few_ulp_for_each_power(gamma: float) -> None:
    """The sum over the other classes is rounded, and a power of it multiplies its error."""
    data = class_indices() + soft_targets()
    spec = f"categorical-focal:gamma={gamma}"
    found, where = worst(spec, data, evaluate(spec, data))
    print(where)
    assert found <= 2 + 2.5 * gamma, where


@pytest.mark.parametrize("spec", ["mse", "huber", "binary-cross-entropy:input=logits", "cross-entropy", "focal"])
def test_float32_is_as_close_by_its_own_measure(spec: str) -> None:
    data = {"mse": errors(), "huber": errors(), "cross-entropy": class_indices(), "focal": probabilities()}
    chosen = []
    for datum in data.get(spec, logits()):
        values = {role: torch.tensor(v, dtype=torch.float32) for role, v in datum.items()}
        if all(bool(((v.abs() < 1e15) & ((v == 0) | (v.abs() > 1e-30))).all()) for v in values.values()):
            chosen.append({role: v.tolist() for role, v in values.items()})
    assert len(chosen) > 50
    found, where = worst(spec, chosen, evaluate(spec, chosen, torch.float32), single=True)
    assert found <= BOUND, where


def test_class_weights_with_smoothing_are_torchs_terms_over_the_true_classs_weight() -> None:
    spec = "cross-entropy:label-smoothing=0.1:class-weight=0.5/2/0.25"
    data = [datum for datum in class_indices() + soft_targets() if len(datum["pred"]) == 3]
    found, where = worst(spec, data, evaluate(spec, data))
    assert found <= BOUND, where


# --- vectors ----------------------------------------------------------------------------------------------------------


def vectors(rng: random.Random, dimensions: int, near: list[float] | None = None, spread: float = 1.0) -> list[float]:
    return [(near[k] if near else 0.0) + rng.gauss(0, spread) for k in range(dimensions)]


def pairs(dimensions: int) -> list[tuple[list[float], list[float]]]:
    rng = random.Random(dimensions)
    made = [(a := vectors(rng, dimensions), vectors(rng, dimensions, a, 10**-k)) for k in range(9) for _ in range(4)]
    a = vectors(rng, dimensions)
    made += [(a, a), (a, [0.0] * dimensions), ([v * 1e-200 for v in a], vectors(rng, dimensions, spread=1e-200))]
    made += [([v * 1e200 for v in a], vectors(rng, dimensions, spread=1e200)), (a, [v * 3.0 for v in a])]
    return made


@pytest.mark.parametrize("dimensions", [1, 2, 3, 16, 128, 300])
def test_euclidean_distances_are_within_half_their_dimension_and_two_ulp(dimensions: int) -> None:
    for a, b in pairs(dimensions):
        got = euclidean_distance(torch.tensor([a], dtype=torch.float64), torch.tensor([b], dtype=torch.float64))
        with oracle.mpmath.workprec(oracle.PRECISION):
            true = embedding.euclidean(a, b)
        assert oracle.ulps(got.item(), true) <= dimensions / 2 + 2


@pytest.mark.parametrize("dimensions", [2, 3, 16, 128])
@pytest.mark.parametrize("stretch", [1.0, 3.0, 1e-3, 1e180])
def test_cosine_distances_keep_the_digits_of_small_angles(dimensions: int, stretch: float) -> None:
    for a, b in pairs(dimensions):
        if a == b or not any(b) or [v * 3.0 for v in a] == b:
            continue
        b = [v * stretch for v in b]
        if not all(math.isfinite(v) for v in b):
            continue
        got = cosine_distance(torch.tensor([a], dtype=torch.float64), torch.tensor([b], dtype=torch.float64))
        with oracle.mpmath.workprec(oracle.PRECISION):
            true = embedding.cosine(a, b)
        assert oracle.ulps(got.item(), true) <= 8 + dimensions / 2, (a, b)


def test_the_cosine_distance_of_a_vector_to_itself_is_zero() -> None:
    a = torch.tensor([vectors(random.Random(k), 50) for k in range(20)], dtype=torch.float64)
    assert cosine_distance(a, a).tolist() == [0.0] * 20
    assert cosine_distance(a, 2 * a).tolist() == [0.0] * 20
    assert cosine_distance(a, -a).tolist() == [2.0] * 20


@pytest.mark.parametrize(
    "spec", ["triplet", "triplet:distance=euclidean", "triplet:distance=cosine", "triplet:swap=true"]
)
def test_a_triplet_is_within_a_few_ulp_of_its_larger_distance(spec: str) -> None:
    """Where the two distances and the margin cancel, what is left is as exact as the distances are."""
    bound = parse_spec(spec)
    kind = str(bound.params["distance"])
    rng = random.Random(9)
    for _ in range(60):
        a, p, n = (vectors(rng, 3) for _ in range(3))
        with oracle.mpmath.workprec(200):
            sizes = [embedding.DISTANCES[kind](x, y) for x, y in ((a, p), (a, n), (p, n))]
            margin = float(sizes[1] - sizes[0]) if sizes[1] > sizes[0] else 0.3
        tight = bound.bind(margin=margin)
        roles = {"anchor": a, "positive": p, "negative": n}
        true = oracle.value("triplet", **{**tight.params, **roles})
        got = tight(**{role: torch.tensor([v], dtype=torch.float64) for role, v in roles.items()}).item()
        assert abs(got - float(true)) <= 6 * math.ulp(float(max(sizes)))


def test_what_is_left_of_a_triplet_keeps_its_digits_where_large_numbers_cancel() -> None:
    """(0.1 - 1e10) + 1e10 would be 0.10000038."""
    anchor, positive, negative = (torch.tensor([[v]], dtype=torch.float64) for v in (0.0, 0.1, 1e10))
    assert parse_spec("triplet:margin=1e10:distance=euclidean")(anchor, positive, negative).item() == 0.1


@pytest.mark.parametrize("dimensions", [2, 16, 128])
def test_contrastive_of_vectors_is_as_exact_as_their_distance(dimensions: int) -> None:
    bound = parse_spec("contrastive")
    for a, b in pairs(dimensions):
        for similar in (0.0, 1.0):
            roles = {"first": [a], "second": [b], "similar": similar}
            true = oracle.value("contrastive", similar=similar, first=a, second=b)
            if true > 1e300:
                continue
            tensors = {k: torch.tensor(v if k != "similar" else [v], dtype=torch.float64) for k, v in roles.items()}
            got = bound(**tensors).item()
            distance = math.dist(a, b)
            slope = distance if similar else max(0.0, 1 - distance)
            allowed = 4 * math.ulp(float(true)) + slope * (dimensions / 2 + 2) * math.ulp(distance)
            assert abs(got - float(true)) <= allowed
