"""scikit-learn's losses of stochastic gradient descent, under the words that SGDClassifier and SGDRegressor take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from tests.peers.data import column, labels, normal, signs
from tests.peers.unit import Call, Case, Params, Roles, Unit

NAMES = (
    "hinge", "squared_hinge", "perceptron", "log_loss", "modified_huber", "squared_error", "huber",
    "epsilon_insensitive", "squared_epsilon_insensitive",
)  # fmt: skip
CODED_0_1 = {"log_loss"}
OF_LABELS = {"hinge", "squared_hinge", "perceptron", "log_loss", "modified_huber"}
WITH_EPSILON = {"huber", "epsilon_insensitive", "squared_epsilon_insensitive"}


def _call(name: str) -> Call:
    def call(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
        from sklearn.linear_model import SGDClassifier

        loss = SGDClassifier(loss=name, **params)._get_loss_function(name)
        target = roles["target"]
        if name in OF_LABELS:
            # As the classifier codes them before it calls the loss.
            target = numpy.where(target > 0, 1.0, 0.0 if name in CODED_0_1 else -1.0)
        if hasattr(loss, "py_loss"):
            values = numpy.array([loss.py_loss(p, y) for p, y in zip(roles["pred"], target, strict=True)])
        else:
            values = numpy.empty_like(target)
            loss.loss(y_true=target, raw_prediction=roles["pred"], sample_weight=None, loss_out=values, n_threads=1)
        return values if reduction == "none" else float(numpy.average(values, weights=roles.get("weight")))

    return call


def _cases(name: str) -> Sequence[Case]:
    pred, weight = normal(1, 40, size=2), numpy.abs(normal(2, 40))
    if name in OF_LABELS:
        edges = column(0, 1, -1, 0.5, 1, -1, 1e-300, 1e300, -1e300, 30, 700)
        coded = column(1, 1, 1, -1, -1, -1, 1, 1, 1, -1, -1)
        if name == "modified_huber":
            edges[8] = -1e100
        if name in {"squared_hinge", "log_loss"}:
            edges = numpy.clip(edges, -700, 700)
        rounded = 1e-15 if name == "log_loss" else 0.0
        return [
            Case({"pred": pred, "target": labels(3, 40)}, absolute=rounded),
            Case({"pred": pred, "target": signs(3, 40), "weight": weight}, absolute=rounded),
            Case({"pred": edges, "target": coded}, absolute=rounded),
        ]
    real = {"pred": pred, "target": normal(4, 40, size=2)}
    edges = {"pred": column(0.1, 0, 0.1, 3, -3, 1e150, 5e-324), "target": column(0, 0.1, 0.2, 3, 3, 0, 0)}
    cases = [Case(real), Case({**real, "weight": weight}), Case(edges)]
    if name in WITH_EPSILON:
        cases += [Case(real, {"epsilon": 0.5}), Case(real, {"epsilon": 1.35}), Case(edges, {"epsilon": 0.25})]
        cases += [] if name == "huber" else [Case(real, {"epsilon": 0.0})]
    return cases


def _unit(name: str) -> Unit:
    why = (
        "It subtracts y z from ln(1 + e^z), which leaves an ulp of z where the two agree." if name == "log_loss" else ""
    )
    return Unit(f"sgd.{name}", _call(name), ("none", "mean"), _cases(name), why=why)


UNITS = [_unit(name) for name in NAMES]
