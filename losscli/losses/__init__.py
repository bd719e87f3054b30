"""The catalogue: one module a family. Importing this package enters every loss in the registry."""

from __future__ import annotations

import importlib

from losscli.losses.references import REFERENCES
from losscli.registry import losses

# The order in which lists show them.
FAMILIES = ("regression", "robust", "binary", "multiclass", "embedding")

for _family in FAMILIES:
    importlib.import_module(f"losscli.losses.{_family}")

for _declared in losses().values():
    for _key in _declared.cites:
        if _key not in REFERENCES:
            raise TypeError(f"{_declared.name} cites {_key!r}, which losses/references.py does not have")
