"""The classes of ``keras.losses``, run by keras on its torch backend.

keras reduces the last axis of most losses and then averages what is left. A column of n numbers is n data here, so it
goes to keras with the shape (n, 1), as its models give it. With the reduction ``none``, what keras leaves of a datum's
outputs is averaged, and weights are left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy

from tests.peers.data import column, labels, normal, positive, signs, simplex, uniform, whole
from tests.peers.unit import Call, Case, Params, Roles, Unit

ALL = ("none", "mean", "sum")
Settings = Sequence[Mapping[str, object]]

# --- how keras is called ----------------------------------------------------------------------------------------------


@contextmanager
def _keras() -> Iterator[Any]:
    """keras that computes in float64 throughout, as it does on TensorFlow.

    On other backends a mean is taken in float32 whatever the type of the numbers, and ln 2 and the epsilon come from
    ``floatx``. So both are set to float64, and set back.
    """
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    from keras.src.backend.common import dtypes

    usual = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        with mock.patch.dict(dtypes.BIT64_TO_BIT32_DTYPE, float64="float64"):
            yield keras
    finally:
        keras.config.set_floatx(usual)


def _run(
    name: str,
    reduction: str,
    roles: Roles,
    params: Params,
    *,
    pred: numpy.ndarray,
    target: numpy.ndarray,
    counts: numpy.ndarray | None = None,
) -> numpy.ndarray | float:
    """The loss of that class. ``counts`` are the values that keras masks in, where it masks any."""
    weight = roles.get("weight") if reduction != "none" else None
    with _keras() as keras:
        own = "sum_over_batch_size" if reduction == "mean" else reduction
        loss = getattr(keras.losses, name)(reduction=own, dtype="float64", **params)
        values = loss(target, pred, sample_weight=weight).numpy()
    if reduction != "none":
        return values
    values = values.reshape(len(pred), -1)
    # A position that is masked out is 0 there and left out of the datum's mean.
    return values.mean(1) if counts is None else values.sum(1) / numpy.maximum(counts.reshape(values.shape).sum(1), 1)


def _of_outputs(name: str) -> Call:
    """For losses of one number against one number."""

    def call(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
        pred, target = (values[:, None] if values.ndim == 1 else values for values in (roles["pred"], roles["target"]))
        return _run(name, reduction, roles, params, pred=pred, target=target)

    return call


def _of_arrays(name: str) -> Call:
    """For losses that take the two arrays as they are."""

    def call(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
        return _run(name, reduction, roles, params, pred=roles["pred"], target=roles["target"])

    return call


def _of_classes(name: str) -> Call:
    """For losses that want one number a class as the target: a class index is written out as such."""

    def call(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
        pred, target = roles["pred"], roles["target"]
        if target.ndim < pred.ndim:
            axis = int(str(params.get("axis", -1)))
            target = numpy.moveaxis(numpy.eye(pred.shape[axis])[target.astype(int)], -1, axis)
        return _run(name, reduction, roles, params, pred=pred, target=target)

    return call


def _sparse(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
    counts = roles["target"] != params["ignore_class"] if "ignore_class" in params else None
    name = "SparseCategoricalCrossentropy"
    return _run(name, reduction, roles, params, pred=roles["pred"], target=roles["target"], counts=counts)


def _circle(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
    """Anchors whose loss is 0 do not count, so that we do not show them."""
    values = numpy.asarray(_run("Circle", reduction, roles, params, pred=roles["embedding"], target=roles["label"]))
    return values[values > 0] if reduction == "none" else values


# --- data -------------------------------------------------------------------------------------------------------------


def _case(pred: Any, target: Any, absolute: float = 0.0, **params: object) -> Case:
    roles = {"pred": numpy.array(pred, dtype=float), "target": numpy.array(target, dtype=float)}
    return Case(roles, params, absolute)


def _with(cases: Sequence[Case], *settings: Mapping[str, object], absolute: float | None = None) -> list[Case]:
    return [
        Case(case.roles, {**case.params, **setting}, case.absolute if absolute is None else absolute)
        for case in cases
        for setting in settings
    ]


def _second_axis(cases: Sequence[Case]) -> list[Case]:
    """The cases of three axes, with the classes on the second."""
    return [
        Case(
            {name: numpy.moveaxis(v, -1, 1) if v.ndim == 3 else v for name, v in case.roles.items()},
            {**case.params, "axis": 1},
            case.absolute,
        )
        for case in cases
        if case.roles["pred"].ndim == 3
    ]


SHAPES: tuple[tuple[int, ...], ...] = ((40,), (30, 3), (12, 4, 3), (6, 2, 3, 2))
REAL = [_case(normal(1, *shape, size=3), normal(2, *shape, size=3)) for shape in SHAPES]
REAL_EDGES = [_case([0, 1, 1, -2, 1e8, 0], [0, 0, 2, 2, -1e8, -1e-9])]
POSITIVE = [_case(positive(3, *shape), whole(4, *shape, below=6)) for shape in SHAPES]

# Errors so small that keras' ln(e^x + e^-x) - ln 2 has no digits left, and so large that one term is all that counts.
LOG_COSH_EDGES = [
    _case([0, 1e-9, 1e-3, -1e-3, 0.5, -0.5], numpy.zeros(6), absolute=4e-16),
    _case([40, -40, 700, -700], numpy.zeros(4)),
]

MARKS = [
    *(_case(normal(5, *shape, size=2), labels(6, *shape)) for shape in SHAPES),
    *(_case(normal(5, *shape, size=2), signs(6, *shape)) for shape in SHAPES),
    # Batches of one label, which keras reads alike in either code.
    *(_case([-1, 0, 0.5, 1, 3, 1e9], numpy.full(6, label)) for label in (1, -1, 0)),
]

PROBABILITIES = [
    _case(uniform(7, 40), labels(8, 40)),
    _case(uniform(7, 30, 3), uniform(8, 30, 3)),
    _case(uniform(7, 12, 4, 3), labels(8, 12, 4, 3)),
]
# What is clipped, and what is just not: 1 - 1e-7 is held to 1e-16, which is 1e-9 of its logarithm.
CERTAIN = [_case([0, 0, 1, 1, 1e-9, 1 - 1e-9, 1e-7, 0.5], [0, 1, 0, 1, 1, 0, 1, 0.25], absolute=2e-16)]
# torch's logarithm of a logit's sigmoid is an ulp of the logit off.
LOGITS = [
    _case(normal(9, 40, size=2), labels(8, 40), absolute=2e-15),
    _case(normal(9, 30, 3, size=2), uniform(8, 30, 3), absolute=2e-15),
    _case(normal(9, 12, 4, 3, size=2), labels(8, 12, 4, 3), absolute=2e-15),
    _case([-800, 800, 800, -800, 60, -60, 0, 20.5], [1, 0, 1, 0, 0, 1, 1, 0], absolute=2e-13),
]
SMOOTH: Settings = ({}, {"label_smoothing": 0.1}, {"label_smoothing": 1.0})
FOCUS: Settings = (
    {"gamma": 0.0},
    {"gamma": 1.0},
    {"gamma": 3.5},
    {"apply_class_balancing": True},
    {"apply_class_balancing": True, "alpha": 0.9, "gamma": 1.5},
)
BINARY = [
    *_with([*PROBABILITIES, *CERTAIN], {"from_logits": False}, *SMOOTH),
    *_with(LOGITS, {"from_logits": True}, {"from_logits": True, "label_smoothing": 0.2}),
    Case(PROBABILITIES[2].roles, {"axis": 1}),
]

SCORES = [
    _case(normal(10, 40, 5, size=2), whole(11, 40, below=5)),
    _case(normal(10, 12, 6, 4, size=2), whole(11, 12, 6, below=4)),
    _case([[900, 0, -900], [0, 700, 1], [0, 0, 0]], [1, 0, 2]),
]
SOFT_SCORES = [_case(normal(10, 30, 4, size=2), simplex(12, 30, 4))]
CLIPPED = "1 - 1e-7 is known to an ulp of 1, and the logarithm of it is small."
CLASSES = [
    _case(simplex(13, 40, 5), whole(11, 40, below=5)),
    _case(simplex(13, 12, 6, 4, axis=2), whole(11, 12, 6, below=4)),
    _case([[1, 0, 0], [1, 0, 0], [0.5, 0.5, 0], [1e-9, 0, 1 - 1e-9]], [0, 1, 2, 0], absolute=2e-16),
    # keras divides by the sum, so that it need not be 1.
    _case(simplex(13, 30, 4) * uniform(14, 30, 1, low=0.985, high=1.015), whole(11, 30, below=4)),
]
SOFT_CLASSES = [
    _case(simplex(13, 30, 4), simplex(12, 30, 4)),
    _case(simplex(13, 12, 5, 3, axis=2), simplex(12, 12, 5, 3, axis=2)),
]
BY_SCORE = _with([*SCORES, *SOFT_SCORES], {"from_logits": True})
SMOOTH_BY_SCORE = _with(BY_SCORE, *SMOOTH)

IGNORED = whole(15, 12, 6, below=5) - 1
IGNORED[0] = -1
IGNORING = [
    _case(simplex(13, 12, 6, 4, axis=2), IGNORED, ignore_class=-1),
    _case(normal(10, 12, 6, 4), IGNORED, ignore_class=-1, from_logits=True),
    _case(normal(10, 72, 4), IGNORED.reshape(72), ignore_class=-1, from_logits=True),
    _case(simplex(13, 40, 4), whole(11, 40, below=4), ignore_class=2),
]

VECTORS = [
    _case(normal(16, 30, 5), normal(17, 30, 5), absolute=2e-15),
    _case(normal(16, 10, 6, 5), normal(17, 10, 6, 5), absolute=2e-15),
    _case(normal(16, 10, 6, 5), normal(17, 10, 6, 5), absolute=2e-15, axis=1),
    # Vectors shorter than 1e-7 are not stretched to 1, and zero has the similarity 0 to everything.
    _case(
        [[0, 0, 0], [1, 2, 3], [1e-8, 0, 0], [3e-9, 4e-9, 0], [0, 0, 0]],
        [[1, 2, 3], [2, 4, 6], [1, 1, 0], [6e-9, 8e-9, 0], [0, 0, 0]],
    ),
]

CORNERS = numpy.array([[0, 1, 0], [1, 0, 0], [0.5, 0.5, 0], [1e-9, 1, 0]])
DISTRIBUTIONS = [
    _case(simplex(13, 30, 4), simplex(12, 30, 4), absolute=1e-15),
    _case(simplex(13, 10, 6, 4, axis=2), simplex(12, 10, 6, 4, axis=2), absolute=1e-15),
    _case(CORNERS, CORNERS[[1, 0, 2, 3]], absolute=1e-15),
    _case(simplex(13, 4, 3), CORNERS, absolute=1e-15),
    _case(CORNERS, simplex(13, 4, 3), absolute=1e-14),
]

# keras takes 0 for the blank and for padding alike, so that a target ends where its zeros begin.
SEQUENCES = [[1, 2, 2, 3], [3, 0, 0, 0], [1, 1, 0, 0], [2, 3, 1, 0], [0, 0, 0, 0]]
CTC = [_case(normal(18, 5, 9, 4), SEQUENCES), _case(normal(18, 5, 6, 6, size=4), SEQUENCES)]

RATIO = "1 minus a ratio is an ulp of 1 off."
MASKS = [
    _case(uniform(19, 6, 4, 5), labels(20, 6, 4, 5), absolute=2e-16),
    _case(uniform(19, 40), labels(20, 40), absolute=2e-16),
    _case(numpy.zeros((4, 3)), numpy.zeros((4, 3))),
    _case(numpy.ones((4, 3)), numpy.ones((4, 3)), absolute=2e-16),
]
FIRST_EMPTY = labels(20, 6, 4, 5) * (numpy.arange(6) > 1)[:, None, None]
# Overlaps of each datum.
MASKS_OF_DATA = _with([MASKS[0], _case(FIRST_EMPTY * 0.5, FIRST_EMPTY)], {"axis": (1, 2)}, absolute=2e-16)
SHARES: Settings = ({}, {"alpha": 0.9, "beta": 0.1}, {"alpha": 0.3, "beta": 1.7}, {"alpha": 0.0, "beta": 0.0})

LABELS = column(0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6, 0, 1, 2, 2, 1, 0, 7, 3)
SPREAD = normal(21, 24, 6) / numpy.linalg.norm(normal(21, 24, 6), axis=1, keepdims=True)
NEAR = numpy.eye(6)[LABELS.astype(int) % 6] + 0.05 * SPREAD
CIRCLES = [
    Case({"embedding": vectors, "label": LABELS}, setting, absolute=2.1e-9)
    for vectors in (SPREAD, NEAR / numpy.linalg.norm(NEAR, axis=1, keepdims=True), NEAR)
    for setting in ({}, {"gamma": 1.0}, {"gamma": 4.0, "margin": 0.1}, {"remove_diagonal": False, "gamma": 2.0})
]


# --- the units --------------------------------------------------------------------------------------------------------


def _unit(name: str, call: Call, cases: Sequence[Case], reductions: tuple[str, ...] = ALL, **more: Any) -> Unit:
    """The unit, with the first case once more under weights, by whose sum keras does not divide."""
    first = cases[0]
    weight = numpy.abs(normal(22, len(next(iter(first.roles.values())))))
    weighted = [Case({**first.roles, "weight": weight}, first.params, first.absolute)] if "none" in reductions else []
    return Unit(f"keras.losses.{name}", call, reductions, [*cases, *weighted], **more)


def _of_numbers(name: str, cases: Sequence[Case], **more: Any) -> Unit:
    return _unit(name, _of_outputs(name), cases, **more)


UNITS: list[Unit] = [
    _of_numbers("MeanSquaredError", [*REAL, *REAL_EDGES]),
    _of_numbers("MeanAbsoluteError", [*REAL, *REAL_EDGES]),
    _of_numbers("MeanAbsolutePercentageError", [*REAL, _case([1, 0, 1e-9, -2], [0, 0, 1e-9, 1e-8])]),
    _of_numbers(
        "MeanSquaredLogarithmicError",
        _with([*POSITIVE, _case([0, -3, 5, -0.5, 1e-8, 2], [1, 3, 0, -0.5, 4, -1])], {}, absolute=1e-15),
        why="It subtracts two logarithms, which leaves an ulp of them where they agree.",
    ),
    _unit(
        "CosineSimilarity",
        _of_arrays("CosineSimilarity"),
        VECTORS,
        why="The products of nearly orthogonal vectors cancel.",
    ),
    _of_numbers("Huber", _with([*REAL, *REAL_EDGES], {}, {"delta": 0.3}, {"delta": 2.5})),
    _of_numbers(
        "LogCosh",
        [*_with(REAL, {}, absolute=2.1e-9), *LOG_COSH_EDGES],
        why="It subtracts ln 2 from a softplus, and torch's is the identity beyond 20, where e^-20 is 2e-9.",
    ),
    _of_numbers("Hinge", MARKS),
    _of_numbers("SquaredHinge", MARKS),
    _unit(
        "CategoricalHinge",
        _of_classes("CategoricalHinge"),
        [*SCORES, *SOFT_SCORES, _case([[-3, -5, -6], [3, 1, 2], [0, 0, 0]], [0, 0, 2])],
    ),
    _unit("KLDivergence", _of_arrays("KLDivergence"), DISTRIBUTIONS, why="It sums terms of both signs."),
    _of_numbers(
        "Poisson",
        [*_with(POSITIVE, {}, absolute=4e-15), _case([0, 0, 1e-9, 2], [0, 3, 1, 0])],
        why="It subtracts terms that may agree.",
    ),
    _of_numbers("BinaryCrossentropy", BINARY, why="The logarithm of a sigmoid, or of 1 - p, loses small digits."),
    _of_numbers(
        "BinaryFocalCrossentropy",
        [
            *BINARY,
            *_with([*PROBABILITIES, *CERTAIN], *FOCUS),
            *_with(LOGITS, *({**focus, "from_logits": True} for focus in FOCUS)),
        ],
        why="It takes 1 - p of a sigmoid, which loses the digits of confident rows.",
    ),
    _unit(
        "CategoricalCrossentropy",
        _of_classes("CategoricalCrossentropy"),
        [
            *_with([*CLASSES, *SOFT_CLASSES], *SMOOTH),
            *SMOOTH_BY_SCORE,
            *_second_axis([*CLASSES, *SOFT_CLASSES, *BY_SCORE]),
        ],
        why=CLIPPED,
    ),
    _unit(
        "SparseCategoricalCrossentropy",
        _sparse,
        [*CLASSES, *_with(SCORES, {"from_logits": True}), *_second_axis([*CLASSES, *BY_SCORE]), *IGNORING],
        why=CLIPPED,
    ),
    _unit(
        "CategoricalFocalCrossentropy",
        _of_classes("CategoricalFocalCrossentropy"),
        [
            *_with([*CLASSES, *SOFT_CLASSES], *SMOOTH, {"alpha": 1.0, "gamma": 0.0}, {"gamma": 3.5}),
            *SMOOTH_BY_SCORE,
            *_second_axis([*CLASSES, *SOFT_CLASSES, *BY_SCORE]),
            _case(simplex(13, 30, 3), simplex(12, 30, 3), alpha=(0.2, 0.5, 2.0)),
        ],
        why="It takes 1 - p of a softmax, which loses the digits of confident rows.",
    ),
    _unit("CTC", _of_arrays("CTC"), CTC),
    _unit("Dice", _of_arrays("Dice"), [*MASKS, *MASKS_OF_DATA], ("mean",), why=RATIO),
    _unit("Tversky", _of_arrays("Tversky"), _with([*MASKS, *MASKS_OF_DATA], *SHARES), ("mean",), why=RATIO),
    _unit("Circle", _circle, CIRCLES, why="torch's softplus is the identity beyond 20, where e^-20 is 2e-9."),
    _unit(
        "CategoricalGeneralizedCrossEntropy",
        _of_arrays("CategoricalGeneralizedCrossEntropy"),
        _with([*CLASSES[:2], _case([[1, 0, 0], [1, 0, 0], [0.25, 0.75, 0]], [0, 1, 0])], {}, {"q": 0.1}, {"q": 0.9}),
    ),
]
