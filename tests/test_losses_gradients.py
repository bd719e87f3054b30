"""Every loss as a training criterion: its gradient is the derivative of the true loss, also where digits are scarce."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from losscli.loss import Loss
from losscli.registry import losses, parse_spec
from tests import oracle
from tests.loss_cases import CASES, Datum, soft_targets
from tests.oracle import multiclass


def gradient(spec: str, datum: Datum, role: str) -> list[float]:
    roles = {name: torch.tensor([value], dtype=torch.float64) for name, value in datum.items()}
    roles[role].requires_grad_()
    (found,) = torch.autograd.grad(parse_spec(spec)(**roles).sum(), roles[role])
    return found.reshape(-1).tolist()


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
            true = oracle.slope(parse_spec(spec).name, "pred", k, **{**parse_spec(spec).params, **datum})
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


@pytest.mark.parametrize("declared", list(losses().values()), ids=lambda declared: declared.name)
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
