"""The losses in sklearn.metrics. They only average, so the loss of a datum is the cost with all the weight on it."""

from __future__ import annotations

import numpy

from tests.peers.data import column, labels, normal, positive, signs, simplex, uniform, whole
from tests.peers.unit import Call, Case, Params, Roles, Unit

N = 20
WEIGHT = numpy.abs(normal(9, N))
WHOLE_WEIGHT = whole(10, N, below=4)
PRED, TARGET = normal(1, N), normal(2, N)
REAL = {"pred": PRED, "target": TARGET}
SEVERAL = {"pred": normal(3, N, 3), "target": normal(4, N, 3)}
SIZES = {"pred": positive(5, N), "target": positive(6, N)}
COUNTS = {"pred": positive(5, N), "target": whole(7, N, below=6)}
PER_OUTPUT = {"multioutput": (0.2, 0.3, 1.5)}

# The functions that take the classes from the targets, where some may be absent.
OF_CLASSES = {"log_loss", "brier_score_loss", "hinge_loss"}


def _call(name: str, *, normalizes: bool = False, weighs: bool = True) -> Call:
    def call(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
        from sklearn import metrics

        given = dict(params)
        if normalizes:
            given["normalize"] = reduction != "sum"
        if name in OF_CLASSES and roles["pred"].ndim == 2 and roles["target"].ndim == 1:
            given["labels"] = numpy.arange(roles["pred"].shape[1], dtype=float)

        def cost(target: numpy.ndarray, pred: numpy.ndarray, **weight: object) -> float:
            return getattr(metrics, name)(target, pred, **given, **weight)

        target, pred = roles["target"], roles["pred"]
        n = len(target)
        if reduction == "none" and not weighs:
            return numpy.array([cost(target[i : i + 1], pred[i : i + 1]) for i in range(n)])
        if reduction == "none":
            return numpy.array([cost(target, pred, sample_weight=numpy.eye(n)[i]) for i in range(n)])
        return cost(target, pred, **({"sample_weight": roles["weight"]} if "weight" in roles else {}))

    return call


def _unit(name: str, *cases: Case, why: str = "", normalizes: bool = False, weighs: bool = True) -> Unit:
    weighted = [
        Case({**case.roles, "weight": weight}, case.params, case.absolute)
        for case in cases
        if weighs and len(case.roles["target"]) == N
        for weight in ((WEIGHT, WHOLE_WEIGHT) if case is cases[0] else (WEIGHT,))
    ]
    reductions = ("none", "mean", "sum") if normalizes else ("none", "mean")
    call = _call(name, normalizes=normalizes, weighs=weighs)
    return Unit(f"sklearn.metrics.{name}", call, reductions, [*cases, *weighted], why=why)


def _regression(name: str, *cases: Case, weighs: bool = True) -> Unit:
    return _unit(name, Case(REAL), *cases, weighs=weighs)


OUTPUTS = (Case(SEVERAL), Case(SEVERAL, PER_OUTPUT), Case(SEVERAL, {"multioutput": "uniform_average"}))
POSITIVE_OUTPUTS = {"pred": positive(3, N, 3), "target": positive(4, N, 3)}
EVEN = {"pred": column(1, 2, 3, 10), "target": column(0, 0, 0, 0)}
PERCENT_EDGES = {"pred": column(1, 0, 0.1, 3, -2), "target": column(0, 0, 1e-17, -3, 2.2e-16)}
NEAR_ONE_BELOW = {"pred": column(-0.999999, 0, 1e-12, 1e9), "target": column(0, -0.5, 0, 5)}

# --- probabilities ----------------------------------------------------------------------------------------------------
BINARY = {"pred": uniform(11, N), "target": labels(12, N)}
CERTAIN = {"pred": column(0, 1, 0, 1, 1e-17, 1e-300, 1 - 2**-53, 0.5), "target": column(0, 1, 1, 0, 1, 1, 0, 1)}
CLASSES = {"pred": simplex(13, N, 4), "target": whole(14, N, below=4)}
TWO = {"pred": simplex(15, N, 2), "target": labels(12, N)}
CERTAIN_CLASS = {"pred": numpy.eye(3)[[0, 1, 2, 2, 0]], "target": column(0, 1, 2, 0, 1)}

# --- labels -----------------------------------------------------------------------------------------------------------
CLASS_LABELS = {"pred": whole(16, N, below=4), "target": whole(17, N, below=4)}
LABEL_SETS = {"pred": labels(18, N, 3), "target": labels(19, N, 3)}
LABEL_SCORES = {"pred": normal(20, N, 5), "target": labels(21, N, 5)}
TIED_SCORES = {"pred": whole(22, N, 5, below=3), "target": labels(23, N, 5)}
NO_PAIRS = {
    "pred": numpy.array([[1.0, 0.2, 3], [0.1, 0.5, 0.4], [2, 2, 2], [0.5, 0.25, 0.5]]),
    "target": numpy.array([[0.0, 0, 0], [1, 1, 1], [1, 0, 0], [0, 1, 1]]),
}
DECISIONS = {"pred": normal(24, N, size=2), "target": signs(25, N)}
SCORES = {"pred": normal(26, N, 4, size=2), "target": whole(14, N, below=4)}

DEVIANCE = (
    "Its textbook form cancels where the prediction is near the target; the absolute part is an ulp of its terms."
)
ROUNDED = 1e-15

UNITS = [
    _regression("mean_squared_error", *OUTPUTS),
    _regression("root_mean_squared_error", *OUTPUTS),
    _regression("mean_absolute_error", *OUTPUTS),
    _regression("median_absolute_error", *OUTPUTS, Case(EVEN), Case({k: v[:3] for k, v in EVEN.items()})),
    _regression("mean_absolute_percentage_error", *OUTPUTS, Case(PERCENT_EDGES)),
    _unit(
        "mean_squared_log_error",
        Case(SIZES),
        Case(POSITIVE_OUTPUTS),
        Case(POSITIVE_OUTPUTS, PER_OUTPUT),
        Case(NEAR_ONE_BELOW),
    ),
    _unit(
        "root_mean_squared_log_error",
        Case(SIZES),
        Case(POSITIVE_OUTPUTS),
        Case(POSITIVE_OUTPUTS, PER_OUTPUT),
        Case(NEAR_ONE_BELOW),
    ),
    _regression("max_error", weighs=False),
    _regression(
        "mean_pinball_loss",
        *OUTPUTS,
        *(Case(REAL, {"alpha": a}) for a in (0.0, 0.1, 0.9, 1.0)),
        Case(SEVERAL, {"alpha": 0.25, **PER_OUTPUT}),
    ),
    _unit("mean_poisson_deviance", Case(COUNTS, absolute=ROUNDED), Case(SIZES, absolute=ROUNDED), why=DEVIANCE),
    _unit("mean_gamma_deviance", Case(SIZES, absolute=ROUNDED), why=DEVIANCE),
    _unit(
        "mean_tweedie_deviance",
        Case(REAL),
        Case({"pred": SIZES["pred"], "target": TARGET}, {"power": -1.0}, absolute=ROUNDED),
        Case(COUNTS, {"power": 1.0}, absolute=ROUNDED),
        Case(COUNTS, {"power": 1.5}, absolute=ROUNDED),
        Case(SIZES, {"power": 2.0}, absolute=ROUNDED),
        Case(SIZES, {"power": 3.0}, absolute=ROUNDED),
        why=DEVIANCE,
    ),
    _unit(
        "log_loss",
        Case(BINARY),
        Case(CERTAIN),
        Case(CLASSES),
        Case(TWO),
        Case(CERTAIN_CLASS),
        Case({"pred": CLASSES["pred"], "target": numpy.eye(4)[CLASSES["target"].astype(int)]}),
        normalizes=True,
    ),
    _unit(
        "brier_score_loss",
        *(
            Case(roles, params)
            for roles in (BINARY, CERTAIN, CLASSES, TWO, CERTAIN_CLASS)
            for params in ({}, {"scale_by_half": True}, {"scale_by_half": False}, {"scale_by_half": "auto"})
        ),
    ),
    _unit("hinge_loss", Case(DECISIONS), Case({**DECISIONS, "target": labels(25, N)}), Case(SCORES)),
    _unit("hamming_loss", Case(CLASS_LABELS), Case(LABEL_SETS), Case({"pred": labels(27, N), "target": labels(28, N)})),
    _unit("zero_one_loss", Case(CLASS_LABELS), Case(LABEL_SETS), normalizes=True),
    _unit("label_ranking_loss", Case(LABEL_SCORES), Case(TIED_SCORES), Case(NO_PAIRS)),
    _unit("coverage_error", Case(LABEL_SCORES), Case(TIED_SCORES), Case(NO_PAIRS)),
]
