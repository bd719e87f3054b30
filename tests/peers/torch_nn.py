"""The loss modules of torch.nn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy
from numpy import ndarray

from tests.peers.data import column, labels, normal, positive, signs, simplex, uniform, whole
from tests.peers.unit import Call, Case, Params, Roles, Unit

if TYPE_CHECKING:
    from torch import Tensor

N = 24


# --- calling torch ----------------------------------------------------------------------------------------------------


def _tensors(params: Params) -> dict[str, object]:
    import torch

    return {
        key: torch.tensor(value, dtype=torch.float64) if isinstance(value, tuple) else value
        for key, value in params.items()
    }


def _result(result: Tensor, reduction: str) -> ndarray | float:
    """One number a datum: the mean over a datum's elements, as the cost is the mean over all elements."""
    if reduction != "none":
        return float(result)
    values = result.numpy()
    return values.reshape(len(values), -1).mean(axis=1)


def _inputs(roles: Roles) -> dict[str, Tensor]:
    import torch

    return {role: torch.from_numpy(numpy.ascontiguousarray(values)) for role, values in roles.items()}


def _module(name: str, *order: str) -> Call:
    """The module, its inputs in the given order. The weights of the data are its own parameter ``weight``.

    They weigh the cost; the losses of single data are compared without them.
    """

    def call(reduction: str, roles: Roles, params: Params) -> ndarray | float:
        import torch

        inputs, given = _inputs(roles), _tensors(params)
        if "weight" in inputs and reduction != "none":
            given["weight"] = inputs["weight"].reshape(-1, *[1] * (inputs[order[0]].ndim - 1))
        return _result(getattr(torch.nn, name)(reduction=reduction, **given)(*(inputs[r] for r in order)), reduction)

    return call


def _of_classes(name: str) -> Call:
    """The modules whose targets are whole numbers, unless there is one probability a class."""

    def call(reduction: str, roles: Roles, params: Params) -> ndarray | float:
        import torch

        inputs = _inputs(roles)
        soft = name == "CrossEntropyLoss" and inputs["target"].ndim == inputs["pred"].ndim
        target = inputs["target"] if soft else inputs["target"].long()
        module = getattr(torch.nn, name)(reduction=reduction, **_tensors(params))
        return _result(module(inputs["pred"], target), reduction)

    return call


def _linear(reduction: str, roles: Roles, params: Params) -> ndarray | float:
    import torch

    inputs = _inputs(roles)
    classes, *positions, features = inputs["matrix"].shape
    shape = {
        "in_features": features,
        "num_classes": classes,
        "out_features": tuple(positions),
        "bias": "bias" in inputs,
    }
    module = torch.nn.LinearCrossEntropyLoss(**shape, reduction=reduction, dtype=torch.float64, **_tensors(params))
    soft = inputs["target"].ndim == len(positions) + 2
    with torch.no_grad():
        module.linear.weight.copy_(inputs["matrix"].reshape(-1, features))
        if "bias" in inputs:
            module.linear.bias.copy_(inputs["bias"].reshape(-1))
        return _result(module(inputs["features"], inputs["target"] if soft else inputs["target"].long()), reduction)


def _kl_divergence(reduction: str, roles: Roles, params: Params) -> ndarray | float:
    with warnings.catch_warnings():
        # It says that its mean will divide by n in a later version.
        warnings.filterwarnings("ignore", "reduction: 'mean' divides", UserWarning)
        return _module("KLDivLoss", "pred", "target")(reduction, roles, params)


def _ctc(reduction: str, roles: Roles, params: Params) -> ndarray | float:
    import torch

    inputs = _inputs(roles)
    lengths = inputs["pred_length"].long(), inputs["target_length"].long()
    module = torch.nn.CTCLoss(reduction=reduction, **params)
    return _result(module(inputs["pred"].transpose(0, 1), inputs["target"].long(), *lengths), reduction)


def _unit(call: Call, name: str, *cases: Case, why: str = "") -> Unit:
    return Unit(f"torch.nn.{name}", call, ("none", "mean", "sum"), cases, why=why)


def _pair(name: str, *cases: Case, why: str = "") -> Unit:
    return _unit(_module(name, "pred", "target"), name, *cases, why=why)


def _several(roles: Roles, *params: Params, absolute: float = 0.0) -> list[Case]:
    return [Case(roles, each, absolute) for each in params]


def log_softmax(scores: ndarray) -> ndarray:
    """Log-probabilities along the axis of the classes."""
    return scores - numpy.log(numpy.exp(scores).sum(axis=1, keepdims=True))


# --- data -------------------------------------------------------------------------------------------------------------

REAL = {"pred": normal(1, N, size=2), "target": normal(2, N, size=2)}
GRID = {"pred": normal(3, N, 3, 2), "target": normal(4, N, 3, 2)}
OUTPUTS = {"pred": normal(61, N, 3), "target": normal(62, N, 3)}
EDGES = {"pred": column(1, 0, 2, 1e150, -1e-300, 0.5), "target": column(1, 1, 0, 0, 0, -0.5)}
ERRORS = [Case(REAL), Case(GRID), Case(EDGES)]

RATES = {"pred": positive(5, N), "target": whole(6, N, below=6)}
LOG_RATES = {"pred": normal(7, N), "target": whole(6, N, below=6)}
NO_RATE = {"pred": column(0, 0, 1e-9, 2, 1e-8), "target": column(0, 3, 1, 0.5, 1.5)}
VARIANCES = {**REAL, "var": positive(8, N)}
NO_VARIANCE = {"pred": column(0, 0, 1, 1), "target": column(1, 0, 1, 3), "var": column(0, 1e-9, 1e-6, 1e-3)}

SHARES = {"pred": uniform(9, N), "target": uniform(10, N)}
SHARE_GRID = {"pred": uniform(11, N, 3), "target": labels(12, N, 3)}
CERTAIN = {"pred": column(0, 1, 0, 1, 1e-50, 1e-30, 0.5), "target": column(0, 1, 1, 0, 1, 0.25, 0.5)}
LOGITS = {"pred": normal(13, N, size=3), "target": labels(14, N)}
LOGIT_GRID = {"pred": normal(15, N, 3, size=3), "target": uniform(16, N, 3)}
HUGE = {"pred": column(40, -40, 20, -20, 700, -700, 1e300, 0), "target": column(1, 1, 0, 0, 1, 0, 1, 0.5)}
WEIGHT = numpy.abs(normal(17, N))

CODED = {"pred": normal(18, N, size=2), "target": signs(19, N)}
CODED_GRID = {"pred": normal(20, N, 3, size=2), "target": signs(21, N, 3)}

SCORES = {"pred": normal(22, N, 4, size=2), "target": whole(23, N, below=4)}
SCORE_GRID = {"pred": normal(24, N, 4, 2, 3, size=2), "target": whole(25, N, 2, 3, below=4)}
SOFT = {"pred": SCORES["pred"], "target": simplex(26, N, 4)}
SOFT_GRID = {"pred": SCORE_GRID["pred"], "target": simplex(27, N, 4, 2, 3)}
CONFIDENT = {"pred": column(30, 0, -720, 700, 0, 0, 5, 5, 5, -1e4, 1e4, 0).reshape(4, 3), "target": column(0, 2, 1, 1)}
CLASS_WEIGHT = {"weight": (0.5, 1.0, 2.0, 0.0)}
IGNORED = {**SCORES, "target": numpy.where(SCORES["target"] == 2, -100, SCORES["target"])}
IGNORED_GRID = {**SCORE_GRID, "target": numpy.where(SCORE_GRID["target"] == 2, -100, SCORE_GRID["target"])}
SMOOTHED = {"label_smoothing": 0.1}


def _logs(roles: Roles) -> dict[str, ndarray]:
    return {**roles, "pred": log_softmax(roles["pred"])}


CLASSES: list[tuple[Roles, Params]] = [
    (SCORES, {}), (SCORE_GRID, {}), (SCORES, CLASS_WEIGHT), (SCORE_GRID, CLASS_WEIGHT), (IGNORED, {}),
    (IGNORED_GRID, {}), (IGNORED_GRID, CLASS_WEIGHT), (SCORES, {"ignore_index": 1}),
    (SCORE_GRID, {"ignore_index": 0, **CLASS_WEIGHT}),
]  # fmt: skip
SMOOTH: list[tuple[Roles, Params]] = [
    (roles, {**params, **SMOOTHED}) for roles, params in [*CLASSES, (SOFT, {}), (SOFT, CLASS_WEIGHT)]
]
SOFT_CLASSES: list[tuple[Roles, Params]] = [
    (SOFT, {}),
    (SOFT_GRID, {}),
    (SOFT, CLASS_WEIGHT),
    (SOFT_GRID, CLASS_WEIGHT),
]
LINEAR = {
    "features": normal(28, N, 5), "matrix": normal(29, 4, 5), "target": whole(30, N, below=4),
}  # fmt: skip
BIASED = {**LINEAR, "bias": normal(31, 4)}
LINEAR_GRID = {
    "features": normal(28, N, 5), "matrix": normal(32, 4, 2, 3, 5), "bias": normal(33, 4, 2, 3),
    "target": whole(34, N, 2, 3, below=4),
}  # fmt: skip

LABEL_SETS = {"pred": normal(35, N, 4, size=2), "target": labels(36, N, 4)}
LABEL_LISTS = {
    "pred": numpy.array([[0.1, 0.2, 0.4, 0.8], [1, 1, 1, 1], [3, -2, 0.5, 0.5], [0, 1, 2, 3], [0.5, 0.2, 0.1, 2]]),
    "target": numpy.array([[3.0, 0, -1, 1], [0, 1, 2, 3], [2, -1, -1, -1], [-1, 0, 1, 2], [1, 3, 2, -1]]),
}
RANDOM_LISTS = {
    "pred": normal(37, N, 4),
    "target": numpy.array([[2.0, 0, -1, -1], [3, -1, -1, -1], [0, 1, 2, -1]])[whole(38, N, below=3).astype(int)],
}
ORDERED = {"first": normal(39, N), "second": normal(40, N), "order": signs(41, N)}
VECTORS = {"first": normal(42, N, 5), "second": normal(43, N, 5), "similar": signs(44, N)}
SMALL_VECTORS = {
    "first": numpy.array([[0.0, 0, 0], [0, 0, 0], [1e-6, 0, 2e-6], [1e-5, 0, 0], [3, 4, 0], [1, 0, 0], [1, 2, 3]]),
    "second": numpy.array([[1.0, 0, 0], [0, 0, 0], [1e-6, 1e-6, 0], [1, 1, 0], [4, 3, 0], [0, 1, 0], [-1, -2, -3]]),
    "similar": column(1, -1, 1, 1, -1, -1, 1),
}
DISTANCES = {"distance": positive(45, N), "similar": signs(46, N)}
TRIPLES = {"anchor": normal(47, N, 4), "positive": normal(48, N, 4), "negative": normal(49, N, 4)}
NEAR = {
    "anchor": column(0, 0, 1, 1, 1e-6, 2e-6).reshape(3, 2),
    "positive": column(0, 0, 1, 1, 0, 0).reshape(3, 2),
    "negative": column(2, 0, 1, 1, 1e-6, 0).reshape(3, 2),
}

T, S = 9, 3
ALIGNED = {
    "pred": log_softmax(normal(50, N, T, 5).swapaxes(1, 2)).swapaxes(1, 2),
    "target": 1 + whole(51, N, S, below=4),
    "pred_length": 7 + whole(52, N, below=3),
    "target_length": 1 + whole(53, N, below=3),
}
IMPOSSIBLE = {
    "pred": ALIGNED["pred"][:4],
    "target": numpy.array([[1.0, 1, 1], [2, 2, 1], [1, 2, 3], [1, 0, 0]]),
    "pred_length": column(4, 3, 3, 9),
    "target_length": column(3, 3, 3, 0),
}
LAST_IS_BLANK = {**ALIGNED, "target": ALIGNED["target"] - 1}


def cosine(first: Tensor, second: Tensor) -> Tensor:
    """A distance of one's own."""
    import torch

    return 1 - torch.nn.functional.cosine_similarity(first, second)


def city_block(first: Tensor, second: Tensor) -> Tensor:
    """Another."""
    return (first - second).abs().sum(1)


# Where the library adds or subtracts 1, or numbers of that size, a few of its ulps are left.
ROUNDED = 1e-15

# --- the losses -------------------------------------------------------------------------------------------------------

ROUNDS_1 = "It rounds 1 + e^-|z| before the logarithm, which leaves an ulp of 1."
ROUNDS_LOGITS = "Its log_softmax rounds the sum of the exponentials, and so is exact to an ulp of the logits."


def _cases(pairs: list[tuple[Roles, Params]], absolute: float = 0.0) -> list[Case]:
    return [Case(roles, params, absolute) for roles, params in pairs]


def _weighted(roles: Roles, absolute: float = 0.0) -> list[Case]:
    weighed = Case({**roles, "weight": WEIGHT}, {}, absolute)
    if roles["pred"].ndim == 1:
        return [Case(roles, {}, absolute), weighed]
    return [Case(roles, {}, absolute), weighed, Case(roles, {"weight": (0.5, 0.0, 3.0)}, absolute)]


def _triplets(*params: Mapping[str, object]) -> list[Case]:
    return [Case(roles, each) for each in params for roles in (TRIPLES, NEAR)]


UNITS = [
    _pair("L1Loss", *ERRORS),
    _pair("MSELoss", *ERRORS),
    _pair("SmoothL1Loss", *ERRORS, *_several(REAL, {"beta": 0.5}, {"beta": 0.0}), Case(EDGES, {"beta": 2.0})),
    _pair("HuberLoss", *ERRORS, *_several(REAL, {"delta": 0.5}, {"delta": 1.35}), Case(EDGES, {"delta": 2.0})),
    _pair(
        "PoissonNLLLoss",
        *_several(LOG_RATES, {}, {"full": True}),
        *_several(RATES, {"log_input": False}, {"log_input": False, "full": True}),
        *_several(NO_RATE, {"log_input": False}, {"log_input": False, "eps": 1e-3}),
        *_several(NO_RATE, {"full": True}, {"log_input": False, "full": True}),
    ),
    _unit(
        _module("GaussianNLLLoss", "pred", "target", "var"),
        "GaussianNLLLoss",
        *_several(VARIANCES, {}, {"full": True}),
        *_several(NO_VARIANCE, {}, {"full": True}, {"eps": 1e-2}, {"eps": 1e-12}),
        Case({**GRID, "var": positive(54, N, 3, 2)}),
        Case({**OUTPUTS, "var": positive(8, N)}),
        Case({**OUTPUTS, "var": positive(8, N, 1)}, {"full": True}),
    ),
    _pair("BCELoss", *_weighted(SHARES), *_weighted(SHARE_GRID), Case(CERTAIN)),
    _pair(
        "BCEWithLogitsLoss",
        *_weighted(LOGITS, ROUNDED),
        *_weighted(LOGIT_GRID),
        *_several(LOGIT_GRID, {"pos_weight": (0.5, 2.0, 3.0)}, {"pos_weight": (2.0,)}, absolute=ROUNDED),
        Case(LOGITS, {"pos_weight": (3.0,)}, ROUNDED),
        Case(LOGIT_GRID, {"pos_weight": (0.5, 2.0, 3.0), "weight": (1.0, 0.5, 0.0)}),
        Case(HUGE, absolute=ROUNDED),
        why=ROUNDS_1,
    ),
    _pair("SoftMarginLoss", Case(CODED), Case(CODED_GRID)),
    _unit(
        _of_classes("CrossEntropyLoss"),
        "CrossEntropyLoss",
        *_cases(CLASSES + SOFT_CLASSES + SMOOTH),
        Case(SCORES, {"label_smoothing": 1.0}),
        Case(CONFIDENT, absolute=ROUNDED),
        Case(CONFIDENT, SMOOTHED, absolute=ROUNDED),
        why=ROUNDS_LOGITS,
    ),
    _unit(_of_classes("NLLLoss"), "NLLLoss", *(Case(_logs(roles), params) for roles, params in CLASSES)),
    _unit(
        _linear,
        "LinearCrossEntropyLoss",
        *_several(LINEAR, {}, CLASS_WEIGHT, SMOOTHED, {"ignore_index": 1}),
        *_several(BIASED, {}, {**CLASS_WEIGHT, **SMOOTHED}, {"ignore_index": 2, **SMOOTHED}),
        *_several({**BIASED, "target": simplex(55, N, 4)}, {}, CLASS_WEIGHT, SMOOTHED),
        *_several(LINEAR_GRID, {}, CLASS_WEIGHT, SMOOTHED),
        Case({**LINEAR, "target": IGNORED["target"]}),
    ),
    _unit(
        _of_classes("MultiMarginLoss"),
        "MultiMarginLoss",
        *_several(SCORES, {}, {"p": 2}, {"margin": 0.5}, CLASS_WEIGHT, {"p": 2, "margin": 2.5, **CLASS_WEIGHT}),
        Case({"pred": column(1, 1, 0, 0, 3, 2).reshape(2, 3), "target": column(0, 1)}),
    ),
    _unit(_of_classes("MultiLabelMarginLoss"), "MultiLabelMarginLoss", Case(LABEL_LISTS), Case(RANDOM_LISTS)),
    _pair(
        "MultiLabelSoftMarginLoss",
        *_several(LABEL_SETS, {}, CLASS_WEIGHT),
        Case({"pred": HUGE["pred"][:6].reshape(2, 3), "target": labels(56, 2, 3)}),
    ),
    _unit(
        _module("MarginRankingLoss", "first", "second", "order"),
        "MarginRankingLoss",
        *_several(ORDERED, {}, {"margin": 0.5}, {"margin": 2.0}),
        Case({"first": column(1, 1, 2), "second": column(1, 1, 1), "order": column(1, -1, 1)}, {"margin": 1.0}),
    ),
    _unit(
        _module("CosineEmbeddingLoss", "first", "second", "similar"),
        "CosineEmbeddingLoss",
        *_several(VECTORS, {}, {"margin": 0.3}, {"margin": -0.5}),
        *_several(SMALL_VECTORS, {}, {"margin": 0.5}),
    ),
    _unit(
        _module("HingeEmbeddingLoss", "distance", "similar"),
        "HingeEmbeddingLoss",
        *_several(DISTANCES, {}, {"margin": 0.3}, {"margin": 2.0}),
        Case({"distance": column(0, 1, 1, 0), "similar": column(1, -1, 1, -1)}),
    ),
    _unit(
        _module("TripletMarginLoss", "anchor", "positive", "negative"),
        "TripletMarginLoss",
        *_triplets({}, {"margin": 0.3}, {"p": 1.0}, {"p": 3.0}, {"p": 1.5}, {"p": float("inf")}, {"swap": True}),
        *_triplets({"eps": 1e-2}, {"eps": 0.0}, {"margin": 2.5, "p": 1.0, "swap": True, "eps": 1e-3}),
    ),
    _unit(
        _module("TripletMarginWithDistanceLoss", "anchor", "positive", "negative"),
        "TripletMarginWithDistanceLoss",
        *_triplets({}, {"margin": 0.3}, {"swap": True}),
        Case(TRIPLES, {"distance_function": cosine}),
        Case(TRIPLES, {"distance_function": city_block, "margin": 2.0, "swap": True}),
    ),
    _unit(
        _kl_divergence,
        "KLDivLoss",
        Case({"pred": log_softmax(normal(57, N, 4)), "target": simplex(58, N, 4)}),
        Case({"pred": log_softmax(normal(57, N, 4)), "target": numpy.eye(4)[whole(59, N, below=4).astype(int)]}),
        Case(
            {"pred": log_softmax(normal(57, N, 4)), "target": log_softmax(normal(60, N, 4))},
            {"log_target": True},
        ),
    ),
    _unit(
        _ctc,
        "CTCLoss",
        Case(ALIGNED),
        Case(LAST_IS_BLANK, {"blank": 4}),
        Case(IMPOSSIBLE),
        Case(IMPOSSIBLE, {"zero_infinity": True}),
    ),
]  # fmt: skip
