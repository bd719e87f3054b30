"""Which device ``auto`` chooses, without one: large arrays go to a GPU, and data on a device stay there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from losscli import api
from losscli.device import PAYS_FROM, chosen
from losscli.errors import ResourceError
from losscli.readers.resident import ResidentSource, device_of
from losscli.readers.source import Consumed, Field


def source(format: str = "npy", size: int = 0, resident: str | None = None) -> Any:
    return SimpleNamespace(format=format, resident=resident, consumed=lambda: Consumed(0, 0, size))


@pytest.mark.parametrize(
    ("there", "gpu", "device"),
    [
        (source(size=PAYS_FROM), True, "cuda"),
        (source(size=PAYS_FROM), False, "cpu"),
        (source(size=PAYS_FROM - 1), True, "cpu"),
        (source("csv", size=PAYS_FROM), True, "cpu"),
        (source(resident="cuda:1"), True, "cuda:1"),
    ],
)
def test_auto_takes_the_device_that_pays(there: Any, gpu: bool, device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert chosen("auto", there) == device


def test_a_named_device_is_the_one_or_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen("cpu", source(size=PAYS_FROM, resident="cuda:0")) == "cpu"
    with pytest.raises(ResourceError):
        chosen("cuda", source())


def test_data_in_the_processors_memory_are_computed_there() -> None:
    assert "cuda" not in api.compute("mae", pred=torch.tensor([1.0]), target=torch.tensor([2.0])).signature


# --- tensors of a device; "meta" stands for one that has no memory here -----------------------------------------------


def test_tensors_of_one_device_are_told_from_others() -> None:
    there, here = torch.zeros(3, device="meta"), torch.zeros(3)
    assert device_of({"pred": there, "target": there}) == "meta"
    assert device_of({"pred": there, "target": here}) is None
    assert device_of({"pred": here, "target": [1.0, 2.0, 3.0]}) is None
    assert device_of({}) is None


def test_resident_tensors_are_given_in_slices_of_their_own_memory() -> None:
    """As on a GPU; here the tensors are the processor's."""
    pred, target = torch.arange(10, dtype=torch.float64), torch.arange(10)
    parts = ResidentSource({"pred": pred, "target": target})
    fields = [Field(("pred",)), Field(("target",)), Field(("pred", "target"), matrix=True)]
    batches = list(parts.read(fields, chunk_rows=4))
    assert [list(batch.rows) for batch in batches] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert batches[1].values[fields[0]].data_ptr() == pred[4:].data_ptr()
    assert batches[2].values[fields[1]].tolist() == [8.0, 9.0]
    assert batches[2].values[fields[2]].tolist() == [[8.0, 8.0], [9.0, 9.0]]
    assert parts.consumed() == Consumed(10, 160, 160)
