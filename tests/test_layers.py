"""Imports point down the layers of the design, and the heavy libraries are named in one module only."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "losscli"

# From the bottom up. A module may import from its own layer and from those before it.
LAYERS = (
    ("errors",),
    ("timing", "signals"),
    ("_lazy",),
    ("domain",),
    ("statistic",),
    ("loss",),
    ("registry",),
    ("losses",),
    ("peers",),
    ("exact",),
    ("summary",),
    ("names",),
    ("plugins",),
    ("readers",),
    ("columns",),
    ("allocation", "prefetch", "groups", "cost", "blocks", "rows", "result", "inputs", "device", "fold"),
    ("engine",),
    ("figures",),
    ("api",),
    ("report", "output"),
    ("cli", "__main__"),
)
HEAVY = {"torch", "pandas", "matplotlib", "duckdb", "pyarrow", "numpy"}
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(tree: ast.Module) -> list[tuple[str, ast.AST]]:
    found: list[tuple[str, ast.AST]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(name, node) for name in names]
    return found


def upward_imports(source: str, layer: str) -> list[str]:
    own = LEVEL[layer]
    upward = []
    for name, _ in imported(ast.parse(source)):
        parts = name.split(".")
        if parts[0] == "losscli" and len(parts) > 1 and LEVEL.get(parts[1], -1) > own:
            upward.append(name)
    return upward


def heavy_at_module_level(source: str) -> list[str]:
    found = []
    for node in ast.parse(source).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            found += [name for name in names if name.split(".")[0] in HEAVY]
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_point_down(path: Path) -> None:
    assert upward_imports(path.read_text(), layer_of(path)) == []


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_names_a_heavy_library_when_it_is_imported(path: Path) -> None:
    assert heavy_at_module_level(path.read_text()) == []


def test_every_module_has_a_layer() -> None:
    assert {layer_of(path) for path in modules()} == set(LEVEL)


def test_an_upward_import_would_be_seen() -> None:
    assert upward_imports("from losscli.cli import main", "engine") == ["losscli.cli.main"]


def test_a_heavy_import_would_be_seen() -> None:
    assert heavy_at_module_level("import torch\nfrom numpy import array") == ["torch", "numpy"]
