from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is the current one, so that messages show bare names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(params=["exactly", "by DuckDB"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which delimited text is read: the one of small files and the one of large ones."""
    if request.param == "by DuckDB":
        monkeypatch.setattr("losscli.readers.text.IN_MEMORY", 0)
    return str(request.param)
