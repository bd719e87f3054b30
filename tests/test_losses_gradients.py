"""Every loss as a training criterion: its gradient is the derivative of the true loss, also where digits are scarce."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from fractions import Fraction

import numpy
import pytest
import torch
from torch import Tensor

from losscli.loss import Loss, Scope
from losscli.registry import losses, parse_spec
from tests import oracle
from tests.loss_cases import CASES, Datum, soft_targets
from tests.oracle import multiclass
from tests.test_losses_accuracy import ALL_CASES, FAMILIES
from tests.test_losses_contract import CONTINUOUS


def gradient(spec: str, datum: Datum, role: str) -> list[float]:
    roles = {name: torch.tensor([value], dtype=torch.float64) for name, value in datum.items()}
    roles[role].requires_grad_()
    (found,) = torch.autograd.grad(parse_spec(spec)(**roles).sum(), roles[role])
    return found.reshape(-1).tolist()


# Wider bounds, where a family gives a reason for them.
GRADIENT_BOUNDS = {k: v for family in FAMILIES for k, v in getattr(family, "GRADIENT_BOUNDS", {}).items()}
# They count mistakes: constant wherever they have a derivative.
WITHOUT_SLOPE = {"zero-one", "hamming", "label-ranking", "coverage-error"}
SMOOTH = {
    "errors": ("mse", "mae", "huber", "huber:delta=2.5"),
    "probabilities": ("binary-cross-entropy", "binary-cross-entropy:pos-weight=3", "focal", "focal:gamma=0.3"),
    "logits": (
        "binary-cross-entropy:input=logits", "binary-cross-entropy:input=logits:label-smoothing=0.1",
        "focal:input=logits", "focal:gamma=0.3:input=logits", "focal:gamma=0:input=logits",
    ),
    "distances": ("contrastive",),
}  # fmt: skip


def has_slope(spec: str, datum: Datum) -> bool:
    """Not at a kink, at an end of [0, 1], or where the loss or its slope leaves float64's normal numbers."""
    role = "distance" if "distance" in datum else "pred"
    x = float(datum[role])
    if role == "distance":
        return 0 < x < 1e100 and x != 1
    if "input=logits" not in spec and "target" in datum and parse_spec(spec).loss.curve == "probability":
        return 1e-100 < x < 1
    if parse_spec(spec).loss.curve == "error":
        return x != datum["target"] and abs(x) < 1e100
    return abs(x) < 200


@pytest.mark.parametrize("spec", [spec for specs in SMOOTH.values() for spec in specs])
def test_the_gradient_is_the_derivative_of_the_true_loss(spec: str) -> None:
    name = next(name for name, specs in SMOOTH.items() if spec in specs)
    data = [datum for datum in CASES[name][0] if has_slope(spec, datum)][::2]
    role = "distance" if name == "distances" else "pred"
    assert len(data) > 20
    for datum in data:
        (got,) = gradient(spec, datum, role)
        true = oracle.slope(parse_spec(spec).name, role, None, **{**parse_spec(spec).params, **datum})
        with oracle.mpmath.workprec(oracle.PRECISION):
            size = abs(true)
            if datum.get("target") not in (0.0, 1.0, None) and name in ("probabilities", "logits"):
                # The two labels pull in opposite directions, and their pulls may cancel.
                size = max(size, oracle.mpf(1e-3))
            assert abs(got - true) <= 2e-14 * size, (datum, got, float(true))


@pytest.mark.parametrize("spec", ["cross-entropy", "categorical-focal", "categorical-focal:gamma=0.7"])
def test_the_gradient_by_the_logits_keeps_its_digits_in_confident_rows(spec: str) -> None:
    """torch's own is 0 for the logits (40, 0) with class 0; the true one is 4.2e-18."""
    data: list[Datum] = [
        {"pred": [float(v) for v in row], "target": float(c)}
        for row in ([40, 0], [0, -60, -61], [30.1, 0.3, 0.3], [1, 2, 3], [-5, -45], [650, 600], [0, 0], [2, 2, -50])
        for c in (0, len(row) - 1)
    ]
    one_hot = [{**datum, "target": [float(c == datum["target"]) for c in range(len(datum["pred"]))]} for datum in data]
    for datum in data + one_hot:
        got = gradient(spec, datum, "pred")
        for k, found in enumerate(got):
            true = oracle.slope(parse_spec(spec).name, "pred", k, **{**oracle.own_params(parse_spec(spec)), **datum})
            assert found == pytest.approx(float(true), rel=1e-13, abs=0), (datum, k)


def test_the_gradient_of_soft_targets_is_p_minus_q() -> None:
    for datum in soft_targets()[:60]:
        if max(map(abs, datum["pred"])) > 500:
            continue
        with oracle.mpmath.workprec(oracle.PRECISION):
            p = multiclass.class_probabilities(datum["pred"], "logits")
            total = math.fsum(datum["target"])
            expected = [float(v * total - q) for v, q in zip(p, datum["target"])]
        assert gradient("cross-entropy", datum, "pred") == pytest.approx(expected, rel=1e-13, abs=1e-15)


# How far a derivative may be from the true one, relative to the largest derivative of the datum by the same role, or to
# the loss over the number itself: a relative change of the number moves the loss by no more digits than it has.
CLOSE = 2e-14
SHOWN = 6
POSITIONS = 3


def positions(value: object) -> list[tuple[int, ...]]:
    """Where the numbers of a datum's role stand: all, or a few spread over them."""
    shape = numpy.shape(value)
    every = list(itertools.product(*map(range, shape)))
    return every[:: max(1, len(every) // POSITIONS)]


def leaves_of(spec: str, datum: Datum) -> dict[str, Tensor]:
    """The roles as a batch of one datum, or as they are where the datum is a batch; what is continuous is a leaf."""
    bound = parse_spec(spec)
    whole = bound.loss.scope is Scope.ALL and not isinstance(oracle.value_of(spec, datum), oracle.mpf)
    made = {}
    for role, value in datum.items():
        tensor = torch.tensor(value, dtype=torch.float64)
        tensor = tensor if whole or role in bound.loss.shared else tensor.unsqueeze(0)
        made[role] = tensor.requires_grad_() if role in CONTINUOUS else tensor
    return made


def gradients(spec: str, datum: Datum, *, rooted: bool = False) -> tuple[float, dict[str, Tensor]]:
    """The loss and its derivatives by each continuous role; none where it is constant or not finite.

    Args:
        spec: the loss.
        datum: its roles.
        rooted: whether a loss whose cost is a root is the root, which has no slope at zero, or what the function gives.
    """
    bound = parse_spec(spec)
    leaves = leaves_of(spec, datum)
    values, weights = bound(**leaves), bound.weights(leaves)
    if bound.loss.scope is Scope.ALL:
        weights = torch.ones_like(values.detach()) if weights is None else weights
        values = (values[weights > 0] * weights[weights > 0]).sum() / weights.sum()
    elif rooted:
        values = bound.per_datum(values)
    if not values.requires_grad or not bool(torch.isfinite(values).all()):
        return 0.0, {}
    values.sum().backward()
    return float(values.detach().sum()), {role: leaf.grad for role, leaf in leaves.items() if leaf.grad is not None}


EVERY = [
    pytest.param(spec, data, id=f"{spec}-{name}")
    for name, (data, specs) in ALL_CASES.items()
    for spec in specs
    if spec.partition(":")[0] in losses()
]


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "data"), EVERY)
def test_every_gradient_is_the_derivative_of_the_true_loss(spec: str, data: list[Datum]) -> None:
    """At the edges of the data too; not at kinks, where the derivatives to both sides differ."""
    bound = parse_spec(spec)
    close = GRADIENT_BOUNDS.get(spec, GRADIENT_BOUNDS.get(bound.name, CLOSE))
    compared = 0
    for datum in data[:: max(1, len(data) // SHOWN)]:
        loss, found = gradients(spec, datum, rooted=True)
        for role, gradient_ in found.items():
            own = gradient_ if gradient_.ndim == numpy.ndim(datum[role]) else gradient_[0]
            for place in positions(datum[role]):
                given = {**oracle.own_params(bound), **datum}
                left, right = oracle.slopes(bound.name, role, place, **given)
                with oracle.mpmath.workprec(oracle.PRECISION):
                    if oracle.mpmath.isnan(left) or oracle.mpmath.isnan(right):
                        continue
                    if abs(left - right) > (abs(left) + abs(right)) * oracle.mpf(2) ** -200:
                        continue
                    true, got = (left + right) / 2, float(own[place])
                    number = abs(float(numpy.asarray(datum[role], dtype=float)[place]))
                    scale = max(float(own.abs().max()), abs(loss) / number if number else 0.0)
                    if abs(true) > 1e300 or 0 < abs(true) < 1e-290:
                        continue
                    assert abs(got - true) <= close * max(abs(true), scale), (role, place, got, float(true), datum)
                compared += 1
    assert compared or bound.name in WITHOUT_SLOPE


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "data"), EVERY)
def test_no_gradient_is_nan_where_the_loss_is_finite(spec: str, data: list[Datum]) -> None:
    for datum in data[:: max(1, len(data) // (6 * SHOWN))]:
        for role, found in gradients(spec, datum)[1].items():
            assert not bool(torch.isnan(found).any()), (spec, role, datum)


OF_THE_BOOK = ("mse", "mae", "huber", "binary-cross-entropy", "balanced-cross-entropy", "focal", "cross-entropy")
OF_THE_BOOK += ("categorical-focal", "contrastive", "triplet")


@pytest.mark.parametrize("declared", [losses()[name] for name in OF_THE_BOOK], ids=OF_THE_BOOK)
def test_no_gradient_is_nan_at_the_edges(declared: Loss) -> None:
    fitted = dict(declared.fit(Fraction(4), Fraction(2))) if declared.fit else {}
    inputs = next((param.range.words for param in declared.params if param.name == "input"), (None,))
    edges = {
        "probs": [0.0, 5e-324, 0.5, 1 - 2**-53, 1.0],
        "logits": [-1e300, -800.0, -40.0, 0.0, 40.0, 800.0, 1e300],
        None: [-1e150, -1.0, 0.0, 1e-300, 1.0, 1e150],
    }
    for kind in inputs:
        bound = declared.bind(**fitted, **({"input": kind} if kind else {}))
        if declared.curve == "error":
            pred = torch.tensor(edges[None], dtype=torch.float64)
            data: list[Mapping[str, Tensor]] = [{"pred": pred, "target": torch.zeros_like(pred)}]
        elif declared.family == "binary":
            pred = torch.tensor(edges[kind], dtype=torch.float64)
            data = [{"pred": pred, "target": torch.full_like(pred, label)} for label in (0.0, 0.5, 1.0)]
        elif declared.family == "classes":
            table = {
                "probs": [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]],
                "log-probs": [[0.0, -math.inf], [-0.7, -0.7]],
                "logits": [[0.0, 0.0], [800.0, -800.0], [-1e300, 1e300], [5.0, -math.inf], [-800.0, -800.0]],
            }
            pred = torch.tensor(table[str(kind)], dtype=torch.float64)
            best = pred.argmax(1)
            data = [{"pred": pred, "target": best.double()}, {"pred": pred, "target": torch.eye(2).double()[best]}]
        elif declared.name == "contrastive":
            d = torch.tensor([0.0, 0.5, 1.0, 1e100], dtype=torch.float64)
            same = torch.ones(2, 3, dtype=torch.float64)
            data = [{"distance": d, "similar": torch.full_like(d, s)} for s in (0.0, 1.0)]
            data += [{"first": same, "second": same.clone(), "similar": torch.tensor([0.0, 1.0])}]
        else:
            same = torch.ones(2, 3, dtype=torch.float64)
            data = [dict.fromkeys(declared.roles, same)]
        specs = [bound]
        if declared.name == "triplet":
            specs = [bound.bind(distance=kind) for kind in ("squared-euclidean", "euclidean", "cosine")]
        if "gamma" in bound.params:
            specs = [bound.bind(gamma=gamma) for gamma in (0.0, 0.3, 0.5, 1.0, 2.0, 2.5)]
        for each in specs:
            for roles in data:
                leaves = {
                    role: v.clone().requires_grad_(role not in ("target", "similar")) for role, v in roles.items()
                }
                each(**leaves).sum().backward()
                for role, leaf in leaves.items():
                    assert leaf.grad is None or not bool(torch.isnan(leaf.grad).any()), (each.spec, role, leaf)
