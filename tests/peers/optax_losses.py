"""The losses of optax, run by optax on the CPU. It returns values; their mean and sum are ours, but for the few losses
that reduce themselves.

With ``none``, the values that a datum has left are averaged. Names are those of ``optax`` although version 0.2.8 has
some in ``optax.losses`` only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy

from tests.peers.data import labels, normal, positive, signs, simplex, uniform, whole
from tests.peers.unit import Case, Params, Roles, Unit

# --- how optax is called ----------------------------------------------------------------------------------------------


def _run(name: str, arrays: Sequence[numpy.ndarray], params: Params) -> numpy.ndarray:
    import jax
    import optax

    with jax.enable_x64(True):
        given = {key: jax.numpy.array(value) if key == "class_weights" else value for key, value in params.items()}
        function = getattr(optax.losses, name)
        return numpy.asarray(function(*(jax.numpy.asarray(array) for array in arrays), **given))


def _unit(
    name: str,
    cases: Sequence[Case],
    *,
    roles: Sequence[str] = ("pred", "target"),
    whole_numbers: bool = False,
    reductions: tuple[str, ...] = ("none", "mean"),
    **more: Any,
) -> Unit:
    """The unit of that function, which takes the roles in that order; the last one as integers where it says so."""

    def call(reduction: str, given: Roles, params: Params) -> numpy.ndarray | float:
        arrays = [given[role] for role in roles]
        if whole_numbers:
            arrays[-1] = arrays[-1].astype(int)
        values = _run(name, arrays, params)
        return values.reshape(len(values), -1).mean(1) if reduction == "none" else values.mean()

    return Unit(f"optax.{name}", call, reductions, cases, **more)


def _ctc(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
    """optax takes paddings, 1 behind the end, where we take lengths."""

    def padding(steps: int, length: numpy.ndarray) -> numpy.ndarray:
        return (numpy.arange(steps) >= length[:, None]).astype(float)

    logits, target = roles["pred"], roles["target"].astype(int)
    values = _run(
        "ctc_loss",
        [
            logits,
            padding(logits.shape[1], roles["pred_length"]),
            target,
            padding(target.shape[1], roles["target_length"]),
        ],
        params,
    )
    return values if reduction == "none" else values.mean()


def _ranking_softmax(reduction: str, roles: Roles, params: Params) -> numpy.ndarray | float:
    import jax

    reduce = {"none": None, "mean": jax.numpy.mean, "sum": jax.numpy.sum}[reduction]
    return _run("ranking_softmax_loss", [roles["pred"], roles["target"]], {**params, "reduce_fn": reduce})


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


SHAPES: tuple[tuple[int, ...], ...] = ((40,), (30, 3), (12, 4, 3))
REAL = [
    *(_case(normal(1, *shape, size=3), normal(2, *shape, size=3)) for shape in SHAPES),
    _case([0, 1, 1, -2, 1e8, 0], [0, 0, 2, 2, -1e8, -1e-9]),
]
# It subtracts ln 2, so that small errors have no digits left.
LOG_COSH = _with([*REAL[:3], _case([0, 1e-9, 1e-3, -1e-3, 700, -700], numpy.zeros(6))], {}, absolute=1e-15)

LOGITS = [
    _case(normal(3, 40, size=2), labels(4, 40)),
    _case(normal(3, 30, 3, size=2), uniform(4, 30, 3)),
    _case(normal(3, 12, 4, 3, size=2), labels(4, 12, 4, 3)),
    _case([-800, 800, 800, -800, 60, -60, 0, 20.5], [1, 0, 1, 0, 0, 1, 1, 0]),
]
FOCUS: Sequence[Mapping[str, object]] = (
    {},
    {"gamma": 0.0},
    {"gamma": 0.5},
    {"gamma": 3.5, "alpha": 0.25},
    {"alpha": 0.9},
)

MARKS = [
    *(_case(normal(5, *shape, size=2), signs(6, *shape)) for shape in SHAPES),
    _case([-1, 0, 0.5, 1, 3, 1e9, -1e9], [1, 1, 1, -1, -1, 1, 1]),
]
BINARY = [
    *(_case(normal(5, *shape, size=2), labels(6, *shape)) for shape in SHAPES),
    _case([-1, 1, 0, 1e9, -1e9, 1, -1], [1, 0, 1, 1, 1, 1, 0]),
]

SCORES = [
    _case(normal(7, 40, 5, size=2), whole(8, 40, below=5)),
    _case(normal(7, 12, 6, 4, size=2), whole(8, 12, 6, below=4)),
    _case([[900, 0, -900], [0, 700, 1], [0, 0, 0]], [1, 0, 2]),
]
ROWS = [case for case in SCORES if case.roles["pred"].ndim == 2]
SOFT = [
    _case(normal(7, 30, 4, size=2), simplex(9, 30, 4)),
    _case(normal(7, 12, 6, 4, size=2), simplex(9, 12, 6, 4, axis=2)),
    _case([[900, 0, -900], [0, 700, 1], [0, 0, 0]], numpy.eye(3)[[1, 0, 2]]),
    # Shares that do not quite sum to 1 are not made to.
    _case(normal(7, 30, 4, size=2), simplex(9, 30, 4) * uniform(9, 30, 1, low=0.985, high=1.015)),
]
MASKED_OUT = [_case([[-numpy.inf, 1, 2], [3, -numpy.inf, -numpy.inf]], [[0, 0.25, 0.75], [1, 0, 0]])]

LOG_PROBABILITIES = numpy.log(simplex(10, 30, 4))
DIVERGENCE = "It sums terms of both signs."
DISTRIBUTIONS = [
    _case(LOG_PROBABILITIES, simplex(11, 30, 4), absolute=1e-15),
    _case(LOG_PROBABILITIES[:24].reshape(12, 2, 4), simplex(11, 12, 2, 4, axis=2), absolute=1e-15),
    _case(LOG_PROBABILITIES, numpy.eye(4)[whole(8, 30, below=4).astype(int)], absolute=1e-15),
    _case(numpy.log([[0.5, 0.25, 0.25], [1e-300, 0.5, 0.5]]), [[0.5, 0.25, 0.25], [0, 1, 0]], absolute=1e-15),
]
# What is no distribution: only the generalised divergence takes it.
AMOUNTS = [_case(normal(12, 30, 4), positive(13, 30, 4), absolute=1e-14)]
LOG_DISTRIBUTIONS = [
    Case({"pred": case.roles["pred"], "target": numpy.log(case.roles["target"])}, case.params, case.absolute)
    for case in DISTRIBUTIONS[:2]
]

VECTORS = [
    _case(normal(14, 30, 5), normal(15, 30, 5), absolute=1e-15),
    _case(normal(14, 10, 6, 5), normal(15, 10, 6, 5), absolute=1e-15),
    _case(normal(14, 10, 6, 5), normal(15, 10, 6, 5), absolute=1e-15, axis=1),
    # epsilon is the least squared length.
    _case([[0, 0], [1e-3, 0], [3, 4]], [[1, 2], [1, 1], [0, 0]], absolute=1e-15, epsilon=1e-4),
]


def _triplet(absolute: float = 1e-14, *shape: int, **params: object) -> Case:
    """Anchors above the others: with an odd degree optax takes roots of sums that must not be negative."""
    raised = normal(16, *shape) + 8.0
    roles = {"anchor": raised, "positive": normal(17, *shape), "negative": normal(18, *shape)}
    return Case(roles, params, absolute)


TRIPLETS = [
    Case({"anchor": normal(16, 30, 5), "positive": normal(17, 30, 5), "negative": normal(18, 30, 5)}, {}, 1e-14),
    Case(
        {"anchor": normal(16, 9, 4), "positive": normal(16, 9, 4), "negative": normal(18, 9, 4)}, {"eps": 1e-3}, 1e-14
    ),
    _triplet(1e-14, 10, 6, 5),
    _triplet(1e-14, 10, 6, 5, axis=1, margin=0.3),
    _triplet(1e-13, 30, 5, norm_degree=1, margin=0.0),
    _triplet(1e-13, 30, 5, norm_degree=3, margin=2.0),
    _triplet(1e-13, 30, 5, norm_degree=4, eps=0.0),
]

LABELS = numpy.array([0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6], dtype=float)
EMBEDDINGS = normal(19, 16, 5)
EMBEDDINGS_WITH_ZERO = EMBEDDINGS * (numpy.arange(16) != 3)[:, None]
CONTRASTS = [
    *(Case({"embedding": EMBEDDINGS, "label": LABELS}, params, 1e-13) for params in ({}, {"temperature": 0.5})),
    # A zero vector has the similarity 0 to all, and one shorter than the root of machine epsilon is not stretched to 1.
    Case({"embedding": EMBEDDINGS_WITH_ZERO, "label": LABELS}, {}, 1e-13),
    Case({"embedding": EMBEDDINGS * numpy.where(LABELS == 2, 1e-9, 1.0)[:, None], "label": LABELS}, {}, 1e-13),
]

LISTS = [
    _case(normal(20, 20, 6, size=2), whole(21, 20, 6, below=5)),
    _case(normal(20, 20, 6, size=2), simplex(21, 20, 6)),
    _case([[800, 0, -800], [0, 0, 0]], [[0, 1, 2], [0, 0, 0]]),
]

SMOOTHING: Sequence[Mapping[str, object]] = (
    {},
    {"smooth": 1e-3},
    {"alpha": 0.3, "beta": 1.7},
    {"reduction": "sum"},
    {"reduction": "none"},
    {"ignore_background": True},
    {"class_weights": (0.2, 1.0, 2.5)},
    {"class_weights": (0.2, 1.0, 2.5), "ignore_background": True, "reduction": "sum"},
)
ONE_HOT = numpy.eye(3)[whole(22, 8, 4, 5, below=3).astype(int)]
ABSENT_CLASS = numpy.eye(3)[whole(22, 8, 4, 5, below=2).astype(int)]
MASK_LOGITS = normal(23, 8, 4, 5, 3, size=2)
RATIO = "1 minus a ratio is an ulp of 1 off."
MASKS = [
    *_with([_case(MASK_LOGITS, ONE_HOT, absolute=4e-16)], *SMOOTHING),
    _case(MASK_LOGITS, ABSENT_CLASS, absolute=4e-16),
    _case(simplex(24, 8, 20, 3, axis=2), ONE_HOT.reshape(8, 20, 3), absolute=4e-16, apply_softmax=False),
    _case(MASK_LOGITS, ONE_HOT, absolute=4e-16, axis=(1, 2)),
    _case(MASK_LOGITS, ONE_HOT, absolute=4e-16, axis=2),
    # One class takes the sigmoid instead.
    _case(MASK_LOGITS[..., :1], ONE_HOT[..., :1], absolute=4e-16),
]
BINARY_MASKS = [
    _case(normal(25, 8, 4, 5, size=2), labels(26, 8, 4, 5), absolute=4e-16),
    _case(normal(25, 8, 20, size=2), labels(26, 8, 20), absolute=4e-16, smooth=0.01),
    _case(normal(25, 8, 20, 1, size=2), labels(26, 8, 20, 1), absolute=4e-16),
    _case(numpy.full((3, 4), -800), numpy.zeros((3, 4)), absolute=4e-16),
    # It takes a single probability for a distribution, so that only ones pass its check.
    _case(numpy.ones((3, 4)), labels(26, 3, 4), absolute=4e-16, apply_sigmoid=False),
]
GENERALIZED: Sequence[Mapping[str, object]] = ({}, {"smooth": 1e-3}, {"ignore_background": True})
GENERALIZED_MASKS = [
    *_with([_case(MASK_LOGITS, target, absolute=4e-16) for target in (ONE_HOT, ABSENT_CLASS)], *GENERALIZED),
    _case(simplex(24, 8, 20, 3, axis=2), ONE_HOT.reshape(8, 20, 3), absolute=4e-16, apply_softmax=False),
]

SEQUENCES = {
    "pred": normal(27, 6, 9, 4, size=2),
    "target": numpy.array([[1, 2, 2, 3], [3, 1, 1, 1], [1, 1, 2, 2], [2, 3, 1, 1], [1, 1, 1, 1], [3, 2, 1, 3]], float),
    "pred_length": numpy.array([9, 9, 5, 7, 1, 4], dtype=float),
    "target_length": numpy.array([4, 1, 2, 3, 0, 4], dtype=float),
}
# More labels than there are steps: no path is possible, and log_epsilon stands for the logarithm of 0.
IMPOSSIBLE = {**SEQUENCES, "pred_length": numpy.array([4, 1, 2, 2, 1, 3], dtype=float)}
LAST_IS_BLANK = {**SEQUENCES, "target": SEQUENCES["target"] - 1}


# --- the units --------------------------------------------------------------------------------------------------------

UNITS: list[Unit] = [
    _unit("squared_error", REAL),
    _unit("l2_loss", REAL),
    _unit("huber_loss", _with(REAL, {}, {"delta": 0.3}, {"delta": 2.5})),
    _unit("log_cosh", LOG_COSH, why="It subtracts ln 2 from a logarithm."),
    _unit("cosine_distance", VECTORS, why="It subtracts the cosine from 1."),
    _unit("sigmoid_binary_cross_entropy", LOGITS),
    _unit("sigmoid_focal_loss", _with(LOGITS, *FOCUS), why="Its power is the exponential of a logarithm."),
    _unit("hinge_loss", MARKS),
    _unit("perceptron_loss", MARKS),
    _unit("sparsemax_loss", BINARY, whole_numbers=True),
    _unit("softmax_cross_entropy", [*SOFT, *_second_axis(SOFT)]),
    _unit("safe_softmax_cross_entropy", [*SOFT, *MASKED_OUT]),
    _unit("softmax_cross_entropy_with_integer_labels", [*SCORES, *_second_axis(SCORES)], whole_numbers=True),
    _unit("poly_loss_cross_entropy", [*_with(SOFT, {}, {"epsilon": -1.0}, {"epsilon": 0.0}), *_second_axis(SOFT)]),
    _unit("multiclass_hinge_loss", SCORES, whole_numbers=True),
    _unit("multiclass_perceptron_loss", SCORES, whole_numbers=True),
    _unit(
        "multiclass_sparsemax_loss",
        _with([*ROWS, _case(normal(7, 30, 6, size=0.2), whole(8, 30, below=6))], {}, absolute=1e-15),
        whole_numbers=True,
        why="It adds terms of both signs.",
    ),
    Unit("optax.ranking_softmax_loss", _ranking_softmax, ("none", "mean", "sum"), LISTS),
    _unit("triplet_margin_loss", TRIPLETS, roles=("anchor", "positive", "negative"), why="Distances cancel."),
    _unit(
        "ntxent",
        CONTRASTS,
        roles=("embedding", "label"),
        whole_numbers=True,
        reductions=("mean",),
        why="The temperature multiplies what rounding does to a cosine.",
    ),
    _unit("kl_divergence", [*DISTRIBUTIONS, *_second_axis(DISTRIBUTIONS)], why=DIVERGENCE),
    _unit("kl_divergence_with_log_targets", [*LOG_DISTRIBUTIONS, *_second_axis(LOG_DISTRIBUTIONS)], why=DIVERGENCE),
    _unit("generalized_kl_divergence", [*DISTRIBUTIONS, *AMOUNTS, *_second_axis(DISTRIBUTIONS)], why=DIVERGENCE),
    _unit("dice_loss", MASKS, why=RATIO),
    _unit("binary_dice_loss", BINARY_MASKS, why=RATIO),
    _unit("multiclass_generalized_dice_loss", GENERALIZED_MASKS, reductions=("mean",), why=RATIO),
    Unit(
        "optax.ctc_loss",
        _ctc,
        ("none", "mean"),
        [
            Case(SEQUENCES),
            Case(LAST_IS_BLANK, {"blank_id": 3}),
            Case(IMPOSSIBLE),
            Case(IMPOSSIBLE, {"log_epsilon": -50.0}),
        ],
    ),
]
