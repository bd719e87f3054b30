"""On a GPU: the same losses within the same bounds, and costs that are the correctly rounded means of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy
import pytest
import torch

import losscli
from losscli.errors import DataError
from losscli.exact import UNIT, Sums, fold_values, gpu
from losscli.loss import Loss, Scope
from losscli.registry import losses, parse_spec
from losscli.statistic import Mean
from losscli.summary import Summary
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
        for cpu, cuda in zip(*found) if found else ():
            assert torch.allclose(cpu, cuda, rtol=1e-10, atol=1e-12 * float(cpu.abs().max()))


@pytest.fixture
def looked_up_anew() -> Iterator[None]:
    gpu._compiled.cache_clear()
    yield
    gpu._compiled.cache_clear()


def test_sums_are_compiled_for_the_gpu() -> None:
    """With the compiler that builds of torch for CUDA bring along; test_exact.py compares their sums with fractions."""
    assert gpu.compiled(torch.device("cuda")) is not None


@pytest.mark.parametrize("broken", ["no bindings", "no function of that name", "no CUDA C++"])
def test_where_they_are_not_the_numbers_are_the_same(
    broken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked_up_anew: None
) -> None:
    values = torch.randn(100_000, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).cuda()
    monkeypatch.setattr(gpu, "PAYS_FROM", 0)
    with_them = Summary.of(values)
    if broken == "no bindings":
        monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    else:
        source = b"" if broken == "no function of that name" else b"no CUDA C++"
        (tmp_path / "kernel.cu").write_bytes(source)
        monkeypatch.setattr(gpu, "SOURCE", tmp_path / "kernel.cu")
    gpu._compiled.cache_clear()
    assert gpu.compiled(values.device) is None
    assert Summary.of(values) == with_them


@pytest.mark.parametrize("exponents", [0, 60])
@pytest.mark.parametrize("squares", [True, False])
def test_sums_of_more_values_than_threads_are_exact(
    squares: bool, exponents: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every thread takes many, so that its sums grow large; of a wide range some values keep a rest."""
    generator = torch.Generator().manual_seed(exponents)
    values = 1 - torch.rand(20_000_000, dtype=torch.float64, generator=generator) / 1024
    values[::1000] *= 2.0 ** -torch.randint(0, 2 * exponents + 1, (20_000,), generator=generator)
    monkeypatch.setattr(gpu, "PAYS_FROM", 0)
    here, there = Sums(), Sums()
    fold_values(here, values, squares=squares)
    fold_values(there, values.cuda(), squares=squares)
    for name in ("c", "cc") if squares else ("c",):
        assert there.whole(name, 4 * UNIT) == here.whole(name, 4 * UNIT)


# --- data on the device, and on their way there -----------------------------------------------------------------------


def columns(rows: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(rows)
    target = torch.randn(rows, dtype=torch.float64, generator=generator)
    return {
        "pred": target + torch.randn(rows, dtype=torch.float64, generator=generator) / 2,
        "target": target,
        "weight": torch.rand(rows, dtype=torch.float64, generator=generator),
        "group": torch.randint(0, 5, (rows,), generator=generator),
    }


@pytest.mark.parametrize("rows", [1, 3_000, 9_000_001])
def test_tensors_are_read_where_they_are(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = columns(rows)
    there = {name: values.cuda() for name, values in given.items()}
    here = losscli.compute("huber", data={name: given[name] for name in ("pred", "target")})
    weighted = losscli.compute("huber", data=given, weight="weight", pred="pred", target="target")
    monkeypatch.setattr(torch.Tensor, "cpu", refuse_many(torch.Tensor.cpu))
    found = losscli.compute("huber", data={name: there[name] for name in ("pred", "target")}, device="cuda")
    assert found.value == here.value
    assert found[0].std_error == here[0].std_error
    there.pop("group")
    assert losscli.compute("huber", data=there, weight="weight", device="cuda").value == weighted.value


def refuse_many(cpu: Callable[[torch.Tensor], torch.Tensor]) -> Callable[[torch.Tensor], torch.Tensor]:
    """As ``Tensor.cpu``, but not for more values than are looked at to describe a column."""

    def checked(values: torch.Tensor) -> torch.Tensor:
        assert values.numel() <= 20_000, "the data were copied to the processor"
        return cpu(values)

    return checked


def test_groups_and_conditions_work_on_tensors_of_a_device() -> None:
    given = columns(10_000)
    there = {name: values.cuda() for name, values in given.items()}
    for options in ({"by": "group"}, {"where": "pred > 0"}, {"by": "group", "weight": "weight"}):
        asked = {"pred": "pred", "target": "target", **options}
        on_gpu = losscli.compute("mae", data=there, device="cuda", **asked)
        assert [record.value for record in on_gpu] == [r.value for r in losscli.compute("mae", data=given, **asked)]


def test_whole_numbers_and_classes_on_a_device() -> None:
    generator = torch.Generator().manual_seed(1)
    logits, classes = torch.randn(500, 7, dtype=torch.float64, generator=generator), torch.arange(500) % 7
    here = losscli.compute("multi-margin", pred=logits, target=classes).value
    there = losscli.compute("multi-margin", pred=logits.cuda(), target=classes.cuda(), device="cuda").value
    assert there == pytest.approx(here, rel=1e-15)
    with pytest.raises(DataError) as caught:
        losscli.compute("mae", pred=torch.tensor([1, 2**60 + 1]).cuda(), target=torch.tensor([1, 2]).cuda())
    assert "row 2" in str(caught.value)


@pytest.mark.parametrize("rows", [10, 5_000_000])
def test_files_come_to_the_device_whole(tmp_path: Path, rows: int) -> None:
    given = columns(rows)
    paths = {role: str(tmp_path / f"{role}.npy") for role in ("pred", "target")}
    for role, path in paths.items():
        numpy.save(path, given[role].numpy())
    here = losscli.compute("mae", **paths)
    assert losscli.compute("mae", **paths, device="cuda").value == here.value
    assert losscli.compute("mae", **paths, device="cuda", chunk_rows=999_983).value == here.value
