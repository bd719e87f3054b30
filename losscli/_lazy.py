"""The heavy libraries, imported when first used.

``losscli --help``, ``list`` and ``show`` must answer faster than torch can be imported, so no other module of the
package names these libraries at run time. A proxy looks its attributes up in the real module on first use and keeps
them. ``importlib.util.LazyLoader`` would leave half-made modules in ``sys.modules``.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from losscli.signals import held_back
from losscli.timing import phase


class LazyModule:
    """Stands for a module until an attribute of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # inspect, doctest and typing look for dunder names on everything; that must not import torch.
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if self._name not in sys.modules:
            with phase("import"), held_back():
                importlib.import_module(self._name)
        value = getattr(importlib.import_module(self._name), attribute)
        self.__dict__[attribute] = value
        return value

    def __repr__(self) -> str:
        return f"<lazy module {self._name}>"


if TYPE_CHECKING:
    import duckdb as duckdb
    import matplotlib as matplotlib
    import numpy as numpy
    import pandas as pandas
    import pyarrow as pyarrow
    import torch as torch
else:
    duckdb = LazyModule("duckdb")
    matplotlib = LazyModule("matplotlib")
    numpy = LazyModule("numpy")
    pandas = LazyModule("pandas")
    pyarrow = LazyModule("pyarrow")
    torch = LazyModule("torch")
