"""The catalogue: one module a family. Importing this package enters every loss in the registry."""

from __future__ import annotations

import importlib

from losscli.losses.references import REFERENCES
from losscli.registry import losses

# In the order in which lists show their losses.
MODULES = (
    "regression",
    "norms",
    "percentage",
    "logarithmic",
    "forecast",
    "quantile",
    "robust",
    "redescending",
    "counts",
    "discrete",
    "scale",
    "crps",
    "divergence",
    "distribution",
    "binary",
    "probability",
    "margin",
    "smooth_margin",
    "multiclass",
    "robust_classes",
    "multiclass_margin",
    "linear",
    "labels",
    "multilabel",
    "label_order",
    "ranking",
    "list_ranking",
    "overlap",
    "generalized_overlap",
    "lovasz",
    "boxes",
    "embedding",
    "pairs",
    "batch",
    "metric_learning",
    "angular_margin",
    "sequence",
    "survival",
)

for _module in MODULES:
    importlib.import_module(f"losscli.losses.{_module}")

for _declared in losses().values():
    for _key in _declared.cites:
        if _key not in REFERENCES:
            raise TypeError(f"{_declared.name} cites {_key!r}, which losses/references.py does not have")
