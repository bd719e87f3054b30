"""Compiled sums: made at installation where there is a compiler, and only used with the source they were made from."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from losscli.exact import gpu, kernel
from losscli.summary import Summary

COMPILER = os.environ.get("CC", "cc").split()[0]


@pytest.fixture
def looked_up_anew() -> Iterator[None]:
    kernel.compiled.cache_clear()
    yield
    kernel.compiled.cache_clear()


def compile_to(library: Path, made_from: str) -> None:
    flags = ["-O1", "-shared", "-fPIC", "-ffp-contract=off", "-Wno-psabi", f'-DSOURCE="{made_from}"']
    subprocess.run([COMPILER, *flags, str(kernel.SOURCE), "-o", str(library)], check=True)


@pytest.mark.skipif(shutil.which(COMPILER) is None, reason="no C compiler")
def test_installation_compiled_it() -> None:
    assert kernel.compiled() is not None


@pytest.mark.skipif(shutil.which(COMPILER) is None, reason="no C compiler")
@pytest.mark.parametrize("stale", [False, True])
def test_only_a_library_of_this_source_is_used(
    stale: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked_up_anew: None
) -> None:
    source = kernel.SOURCE.read_bytes()
    compile_to(tmp_path / "kernel.compiled", kernel.fingerprint(source + b"\n" if stale else source))
    monkeypatch.setattr(kernel, "LIBRARY", tmp_path / "kernel.compiled")
    assert (kernel.compiled() is None) == stale


@pytest.mark.parametrize("content", [None, b"", b"not a library"])
def test_without_a_library_the_numbers_are_the_same(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looked_up_anew: None
) -> None:
    values = torch.randn(1000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    with_it = Summary.of(values)
    if content is not None:
        (tmp_path / "kernel.compiled").write_bytes(content)
    monkeypatch.setattr(kernel, "LIBRARY", tmp_path / "kernel.compiled")
    kernel.compiled.cache_clear()
    assert kernel.compiled() is None
    assert Summary.of(values) == with_it


def test_sums_are_compiled_for_a_gpu_once_that_pays(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a billion values, or after a thousand calls with a few each."""
    monkeypatch.setattr(gpu, "_asked", {})
    large, small = torch.empty(1 << 28, device="meta"), torch.empty(10, device="meta")
    assert [gpu.pays(large) for _ in range(5)] == [False, False, False, True, True]
    gpu._asked.clear()
    assert [gpu.pays(small) for _ in range(1100)].count(True) == 1100 - 1023
