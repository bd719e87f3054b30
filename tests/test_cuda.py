"""On a GPU: the same losses within the same bounds, and costs that are the correctly rounded means of them."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

import losscli
from losscli.loss import Loss, Scope
from losscli.registry import losses, parse_spec
from losscli.statistic import Mean
from tests import oracle
from tests.loss_cases import Datum, evaluate
from tests.test_losses_accuracy import BOUND, BOUNDS, SCALES, VALUES
from tests.test_losses_contract import CONTINUOUS, inputs

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
# The GPU's own exponential and logarithm are a little less exact than a processor's.
WIDER = 2.0


@pytest.mark.parametrize(("spec", "data"), VALUES)
def test_every_loss_is_close_to_the_true_one_on_a_gpu(spec: str, data: list[Datum]) -> None:
    bound = parse_spec(spec)
    allowed = WIDER * BOUNDS.get(spec, BOUNDS.get(bound.name, BOUND))
    for datum, result in zip(data, evaluate(spec, data, device="cuda"), strict=True):
        given = {**oracle.own_params(bound), **datum}
        scale = SCALES[bound.name](**given) if bound.name in SCALES else None
        assert oracle.ulps(result, oracle.value(bound.name, **given), scale=scale) <= allowed, datum


@pytest.mark.parametrize("declared", list(losses().values()), ids=lambda declared: declared.name)
def test_a_cost_on_a_gpu_is_the_rounded_mean_of_its_losses(declared: Loss) -> None:
    if declared.scope is Scope.ALL or not isinstance(declared.bind().statistic, Mean) or declared.fit:
        pytest.skip("it is no mean of the losses of single data")
    roles = next(inputs(declared.bind(), 5000))
    given = {role: values.cuda() for role, values in roles.items()}
    per_datum = losscli.compute(declared.bind(), device="cuda", reduction="none", **given)[declared.name].tolist()
    weights = declared.bind().weights(roles)
    kept = [1] * len(per_datum) if weights is None else [Fraction(w) for w in weights.tolist() if w > 0]
    expected = sum(Fraction(v) * w for v, w in zip(per_datum, kept, strict=True)) / sum(kept)
    assert losscli.compute(declared.bind(), device="cuda", **given).value == float(expected)


@pytest.mark.parametrize("declared", list(losses().values()), ids=lambda declared: declared.name)
def test_gradients_are_those_of_the_processor(declared: Loss) -> None:
    bound = declared.bind(**(dict(declared.fit(Fraction(10), Fraction(3))) if declared.fit else {}))
    for roles in inputs(bound, 40):
        found = []
        for device in ("cpu", "cuda"):
            leaves = {
                role: values.to(device, copy=True).requires_grad_(role in CONTINUOUS) for role, values in roles.items()
            }
            values, weights = bound(**leaves), bound.weights(leaves)
            if not values.requires_grad:
                continue
            (values if weights is None else values[weights > 0]).sum().backward()
            found.append([leaf.grad.cpu() for leaf in leaves.values() if leaf.grad is not None])
        for cpu, gpu in zip(*found) if found else ():
            assert torch.allclose(cpu, gpu, rtol=1e-10, atol=1e-12 * float(cpu.abs().max()))
