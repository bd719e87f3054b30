"""Scores of several labels that may be true together."""

from __future__ import annotations

import math
import random

import torch

from losscli.loss import BoundLoss

Datum = dict[str, object]

EDGES: list[list[float]] = [
    [40, -40, 0], [-40, 40, 40], [700, -700, 1], [-700, 700, -1], [0, 0, 0], [1, 1, -1], [2, 1, 1 + 2**-52],
    [0.3, 0.1 + 0.2, -0.7], [1e-300, -1e-300, 0], [20.5, -20.5, 36.7], [5, 5, 4], [745, 0, -745], [1e16, 1e16 - 2, 0],
]  # fmt: skip


def labels(rng: random.Random, count: int) -> list[float]:
    return [float(rng.random() < 0.5) for _ in range(count)]


def scores() -> list[Datum]:
    rng = random.Random(31)
    given = [
        [rng.gauss(0, scale) for _ in range(n)] for n, scale in ((1, 2), (3, 2), (5, 1), (4, 20)) for _ in range(10)
    ]
    # Whole numbers are often equal.
    given += [[float(rng.randrange(4)) for _ in range(5)] for _ in range(15)]
    made: list[Datum] = [{"pred": row, "target": labels(rng, len(row))} for row in given]
    for row in EDGES:
        for target in ([1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]):
            made.append({"pred": [float(v) for v in row], "target": target})
    return made


def three_labels() -> list[Datum]:
    return [datum for datum in scores() if len(datum["pred"]) == 3]


def indices() -> list[Datum]:
    """The true labels by their numbers, in any order, padded by -1."""
    rng = random.Random(32)
    made: list[Datum] = []
    for _ in range(50):
        classes = rng.choice((1, 3, 5))
        true = rng.sample(range(classes), rng.randrange(classes + 1))
        target = [float(c) for c in true] + [-1.0] * (classes - len(true))
        made.append({"pred": [rng.gauss(0, 2) for _ in range(classes)], "target": target})
    for row in EDGES:
        made.append({"pred": [float(v) for v in row], "target": [2.0, 0.0, -1.0]})
    return made


def probabilities() -> list[Datum]:
    rng = random.Random(33)
    edges = [0.0, 5e-324, 1e-300, 1e-17, 0.05, 0.05 + 2**-50, 0.05 - 2**-50, 0.0625, 0.5, 1 - 2**-53, 1.0]
    made: list[Datum] = [{"pred": [p, 0.25], "target": [y, 1 - y]} for p in edges for y in (0.0, 1.0)]
    for _ in range(30):
        made.append({"pred": [rng.random() for _ in range(4)], "target": labels(rng, 4)})
    return made


CASES: dict[str, tuple[list[Datum], list[str]]] = {
    "scores of labels": (
        scores(),
        [
            "multilabel-soft-margin", "multilabel-margin", "asymmetric",
            "asymmetric:gamma-neg=2:gamma-pos=0:clip=0", "asymmetric:gamma-neg=1.5:gamma-pos=0.5", "label-ranking",
            "coverage-error",
        ],
    ),
    "scores of three labels": (three_labels(), ["multilabel-soft-margin:class-weight=0.5/2/0.25"]),
    "true labels by their numbers": (indices(), ["multilabel-margin:target-form=indices"]),
    "probabilities of labels": (
        probabilities(), ["asymmetric:input=probs", "asymmetric:gamma-neg=2:gamma-pos=0:clip=0:input=probs"],
    ),
}  # fmt: skip


def what_probabilities_move(
    pred: list[float],
    target: list[float],
    gamma_neg: float = 4.0,
    clip: float = 0.05,
    input: str = "logits",
    **_: object,
) -> float:
    """How much the loss changes with the probabilities of the false labels, times these."""
    p = pred if input == "probs" else [1 / (1 + math.exp(-min(max(z, -700), 700))) for z in pred]
    shifted = [max(v - clip, 2**-52 * v, 0.0) for v in p]
    slopes = [(gamma_neg + 1) * s**gamma_neg * v for s, v, y in zip(shifted, p, target, strict=True) if y == 0]
    return math.fsum(slopes)


# The shifted probability of a false label is small where the probability, with its rounding, is close to the clip, and
# a power of it multiplies that.
SCALES = {"asymmetric": what_probabilities_move}


def samples(bound: BoundLoss, form: tuple[str, ...], n: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
    """Scores of seven labels; the true ones as a column each, or by their numbers, none of them twice."""
    pred = 2 * torch.randn(n, 7, generator=generator, dtype=torch.float64)
    if bound.params["target_form"] == "columns":
        return {"pred": pred, "target": torch.randint(2, (n, 7), generator=generator).double()}
    target = torch.rand(n, 7, generator=generator).argsort(1)[:, :5].double()
    target[:, 3:] = -1
    return {"pred": pred, "target": target}


# The numbers of labels are whole.
SAMPLES = {"multilabel-margin": samples}
