"""losscli: the loss of predictions against targets, per datum or as a cost, exact to the last bit.

``losses`` and ``loss`` give the catalogue and one loss of it, ``compute`` the cost of data, ``plot`` a curve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# The package has modules called loss and losses. Importing them first lets the functions keep these names.
import losscli.losses  # noqa: F401 - enters the families in the registry
from losscli.errors import DataError, GateFailed, LosscliError, ResourceError, UsageError
from losscli.registry import BRINGERS, losses
from losscli.registry import bind as loss

if TYPE_CHECKING:
    from losscli.api import compute, plot
    from losscli.result import Record, Result


def _from_packages(name: str) -> Any:
    from losscli.plugins import load_installed

    return load_installed(name)


BRINGERS.append(_from_packages)
_LATER = {"compute": "losscli.api", "plot": "losscli.api", "Record": "losscli.result", "Result": "losscli.result"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'losscli' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LATER[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "DataError",
    "GateFailed",
    "LosscliError",
    "Record",
    "ResourceError",
    "Result",
    "UsageError",
    "__version__",
    "compute",
    "loss",
    "losses",
    "plot",
]
