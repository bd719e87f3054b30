"""The cross entropy of a linear layer: features and a matrix instead of scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import BIAS, CLASS, EMBEDDING, MATRIX, UNIT
from losscli.loss import Slice, Traits
from losscli.losses._stable.classes import IGNORED, PER_CLASS, Positions, weights_in_cost
from losscli.losses._stable.elementary import row_sum
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

# How many products of features and weights are in memory at once.
MOST_PRODUCTS = 2**22


def scores(features: Tensor, matrix: Tensor, bias: Tensor | None) -> Tensor:
    """``features @ matrix.T + bias``, with bits that depend on nothing but the datum, as those of matmul do not.

    Args:
        features: shape (n, D).
        matrix: shape (C, D).
        bias: shape (C,), or None.

    Returns:
        Shape (n, C).
    """
    data, width = features.shape
    step = max(1, MOST_PRODUCTS // max(1, data * width))
    parts = []
    for rows in torch.split(matrix, step):
        products = features.unsqueeze(1) * rows
        parts.append(row_sum(products.reshape(data * len(rows), width)).reshape(data, len(rows)))
    found = torch.cat(parts, 1)
    return found if bias is None else found + bias


def _weigh(
    features: Tensor,
    matrix: Tensor,
    target: Tensor,
    bias: Tensor | None = None,
    *,
    class_weight: tuple[float, ...] | None = None,
    ignore_index: int | None = None,
    **_: object,
) -> Tensor | None:
    shape = features.new_empty(()).expand(len(features), len(matrix))
    return weights_in_cost(shape, target, class_weight=class_weight, ignore_index=ignore_index)


def _of_class(true_class: int) -> Callable[[Tensor], dict[str, Tensor]]:
    def along(feature: Tensor) -> dict[str, Tensor]:
        return {
            "features": feature.unsqueeze(1),
            "matrix": feature.new_tensor([[-1.0], [0.0], [1.0]]),
            "target": torch.full_like(feature, true_class),
        }

    return along


@loss(
    family="classes",
    features=EMBEDDING,
    matrix=MATRIX,
    target=replace(CLASS, shapes=("n", "n C")),
    bias=BIAS,
    where={"label_smoothing": UNIT, "class_weight": PER_CLASS, "ignore_index": IGNORED},
    weigh=_weigh,
    formula=r"-\ln p_y,\quad p = \mathrm{softmax}(W x + b)",
    gradient=r"\frac{\partial}{\partial x} = W^{\top} (p - q),\quad "
    r"\frac{\partial}{\partial W_c} = (p_c - q_c)\, x,\quad \frac{\partial}{\partial b_c} = p_c - q_c",
    unit="nats",
    range="[0, inf]",
    curve=Slice(
        "the only feature x, with the weights -1, 0 and 1",
        (-4.0, 4.0),
        {f"true class {number}": _of_class(number) for number in range(3)},
        variable="x",
    ),
    traits=Traits(
        punishes="A small probability of the true class, without limit.",
        convex="Convex in the matrix and the bias, and in the features.",
        differentiable="Differentiable everywhere.",
        bounded="Unbounded.",
        robust="Not robust: a confident prediction for a wrong label can outweigh a thousand good ones.",
    ),
    convention="The scores are sums of products, rounded like those of any linear layer; the loss of them is "
    "cross-entropy, with the same class weights, smoothing and denominator.",
    differs=[
        "torch.nn.LinearCrossEntropyLoss holds matrix and bias as parameters of its own; it ignores the class -100 "
        "unless told otherwise.",
        "Libraries fuse the two steps to save memory, not to change the number.",
    ],
    same_as={
        "torch": "torch.nn.functional.cross_entropy(torch.nn.functional.linear(features, matrix, bias), target, "
        "label_smoothing=label_smoothing, reduction='none')",
    },
    cites=["cox1958", "bridle1990"],
)
def linear_cross_entropy(
    features: Tensor,
    matrix: Tensor,
    target: Tensor,
    bias: Tensor | None = None,
    *,
    label_smoothing: float = 0.0,
    class_weight: tuple[float, ...] | None = None,
    ignore_index: int | None = None,
) -> Tensor:
    """Cross entropy straight from features: the scores of the classes are made on the way.

    It is multinomial logistic regression, and the last step of most classifiers and language models: a matrix turns a
    vector of features into one score a class. With a vocabulary of 100,000 words the scores of a text are far larger
    than its features, so that taking both steps at once, some data at a time, is what fits into memory.

    Where the scores are there already, take cross-entropy.

    Args:
        features: The features of each datum, shape (n, D).
        matrix: The weights, a row for each class, shape (C, D), the same for all data.
        target: The true classes, shape (n), or one probability for each class, (n, C).
        bias: What is added to each class's score, shape (C); nothing where it is left out.
        label_smoothing: How much of each target is spread evenly over all classes.
        class_weight: How much a datum of each class counts in the cost.
        ignore_index: A class whose data do not count.

    Returns:
        The loss of each datum, shape (n).

    Raises:
        UsageError: class weights that are not one a class, or an ignored index with soft targets.

    Example:
        >>> import torch
        >>> matrix = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        >>> linear_cross_entropy(torch.tensor([[2.0, 1.0], [0.0, 0.0]]), matrix, torch.tensor([0, 1]))
        tensor([0.4076, 1.0986])
    """
    positions = Positions.of(
        scores(features, matrix, bias),
        target,
        label_smoothing=label_smoothing,
        class_weight=class_weight,
        ignore_index=ignore_index,
    )
    return positions.per_datum(positions.cross_entropy())
