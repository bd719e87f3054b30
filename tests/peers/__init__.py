"""The losses of other libraries, each run by the library itself: what our dotted names have to reproduce.

``UNITS`` maps a dotted name to its unit. A module a library; none imports its library before it is called, so that
collecting tests costs nothing.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.peers.unit import Case, Unit

_NOT_A_LIBRARY = {"unit", "data"}
UNITS: dict[str, Unit] = {
    unit.name: unit
    for module in pkgutil.iter_modules(__path__)
    if module.name not in _NOT_A_LIBRARY
    for unit in importlib.import_module(f"tests.peers.{module.name}").UNITS
}

__all__ = ["UNITS", "Case", "Unit"]
