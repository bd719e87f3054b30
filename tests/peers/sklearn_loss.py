"""The losses in sklearn._loss, which gradient boosting and the generalised linear models of scikit-learn minimise."""

from __future__ import annotations

import numpy

from tests.peers.data import column, labels, normal, positive, uniform, whole
from tests.peers.unit import Call, Case, Params, Roles, Unit

WEIGHT = numpy.abs(normal(9, 40))
PRED = normal(1, 40, size=1.5)
REAL = {"pred": PRED, "target": normal(2, 40, size=1.5)}
COUNTS = {"pred": PRED, "target": whole(3, 40, below=6)}
SIZES = {"pred": PRED, "target": positive(4, 40)}
SHARES = {"pred": PRED, "target": uniform(5, 40)}
LABELS = {"pred": PRED, "target": labels(6, 40)}
CLASSES = {"pred": normal(7, 40, 4, size=2), "target": whole(8, 40, below=4)}


def _call(name: str) -> Call:
    def call(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
        from sklearn._loss import loss

        classes = {"n_classes": roles["pred"].shape[1]} if roles["pred"].ndim == 2 else {}
        peer = getattr(loss, name)(**classes, **params)
        target, pred = numpy.ascontiguousarray(roles["target"]), numpy.ascontiguousarray(roles["pred"])
        if reduction == "none":
            return peer.loss(y_true=target, raw_prediction=pred)
        return float(peer(y_true=target, raw_prediction=pred, sample_weight=roles.get("weight")))

    return call


def _unit(name: str, *cases: Case, why: str = "") -> Unit:
    weighted = Case({**cases[0].roles, "weight": WEIGHT}, cases[0].params, cases[0].absolute)
    return Unit(f"sklearn._loss.{name}", _call(name), ("none", "mean"), [*cases, weighted], why=why)


# Where the library subtracts numbers of about 1, an ulp or two of these is left.
ROUNDED = 2e-15
EDGES = {"pred": column(0, 0.5, -0.5, 3, 1e150, -1e-300), "target": column(0, 0, 0, -3, 0, 0)}
ZERO_COUNTS = {"pred": column(-30, 0, 5, -700, 20), "target": column(0, 0, 0, 0, 3)}
LOGITS = {
    "pred": column(0, 40, -40, 30, -30, 700, -700, 18, 34, -37, -2),
    "target": column(1, 1, 1, 0, 0, 0, 1, 0.5, 0.25, 0, 1),
}

UNITS = [
    _unit("HalfSquaredError", Case(REAL), Case(EDGES)),
    _unit("AbsoluteError", Case(REAL), Case(EDGES)),
    _unit("PinballLoss", Case(REAL), Case(REAL, {"quantile": 0.9}), Case(EDGES, {"quantile": 0.05})),
    _unit(
        "HuberLoss",
        Case(REAL),
        Case(REAL, {"delta": 1.35}),
        Case(EDGES, {"delta": 3.0}),
        Case(REAL, {"quantile": 0.5, "delta": 0.7}),
        Case(REAL, {"quantile": 0.25}),
    ),
    _unit("HalfPoissonLoss", Case(COUNTS), Case(ZERO_COUNTS)),
    _unit(
        "HalfGammaLoss",
        Case(SIZES),
        Case({"pred": numpy.log(column(4, 1)), "target": column(2, 1)}),
        Case({"pred": column(-30, 30, 300), "target": column(1e-10, 1e10, 1)}),
    ),
    _unit(
        "HalfTweedieLoss",
        Case(SIZES),
        Case(COUNTS, {"power": 1.2}),
        Case(REAL, {"power": 0.0}),
        Case(COUNTS, {"power": 1.0}),
        Case(SIZES, {"power": 2.0}),
        Case(SIZES, {"power": 3.0}),
        Case(REAL, {"power": -1.0}),
        Case(COUNTS, {"power": 0.5}),
        Case(ZERO_COUNTS),
    ),
    _unit(
        "HalfTweedieLossIdentity",
        Case({"pred": positive(11, 40), "target": whole(3, 40, below=6)}, absolute=ROUNDED),
        Case({"pred": positive(11, 40), "target": whole(3, 40, below=6)}, {"power": 1.2}, ROUNDED),
        Case(REAL, {"power": 0.0}),
        Case({"pred": positive(11, 40), "target": whole(3, 40, below=6)}, {"power": 1.0}, ROUNDED),
        Case({"pred": positive(11, 40), "target": positive(12, 40)}, {"power": 2.0}, ROUNDED),
        Case({"pred": positive(11, 40), "target": positive(12, 40)}, {"power": 3.0}, ROUNDED),
        Case({"pred": positive(11, 40), "target": normal(13, 40)}, {"power": -1.0}, ROUNDED),
        Case({"pred": positive(11, 40), "target": whole(3, 40, below=6)}, {"power": 0.5}, ROUNDED),
        why="It is a difference of powers, exact to an ulp of the larger.",
    ),
    _unit(
        "HalfBinomialLoss",
        Case(LABELS),
        Case(SHARES),
        Case(LOGITS, absolute=ROUNDED),
        why="It subtracts y z from ln(1 + e^z), which leaves an ulp of z where the two agree.",
    ),
    _unit(
        "HalfMultinomialLoss",
        Case({"pred": normal(7, 40, 3, size=2), "target": whole(8, 40, below=3)}, absolute=ROUNDED),
        Case(CLASSES),
        Case(
            {"pred": column(30, 0, -720, 700, 0, 0, 5, 5, 5).reshape(3, 3), "target": column(0, 0, 2)}, absolute=ROUNDED
        ),
        why="It subtracts the true class's logit from ln sum e^z, which leaves an ulp of the logit.",
    ),
    _unit(
        "ExponentialLoss", Case(LABELS), Case(SHARES), Case({**LOGITS, "pred": numpy.clip(LOGITS["pred"], -300, 300)})
    ),
]
