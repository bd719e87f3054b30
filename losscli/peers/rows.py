"""Classes and positions of other libraries' losses, once the classes are the second axis."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.losses._stable.elementary import rest_of_softmax, row_sum

if TYPE_CHECKING:
    from torch import Tensor


def class_rows(values: Tensor) -> Tensor:
    """Shape (n, C, ...) as one row for each position, (n · positions, C)."""
    return values if values.ndim == 2 else values.movedim(1, -1).reshape(-1, values.shape[1])


def each_row(function: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """What a function of rows, (m, C) to (m, C), makes of each position of (n, C, ...)."""
    places = (values.shape[0], *values.shape[2:])
    return function(class_rows(values)).reshape(*places, values.shape[1]).movedim(-1, 1)


def shares(target: Tensor, pred: Tensor) -> Tensor:
    """The share of each class at each position, (n · positions, C), also of class indices; NaN where one is missing."""
    if target.ndim == pred.ndim:
        return class_rows(target)
    index = target.reshape(-1, 1)
    ones = torch.zeros_like(class_rows(pred)).scatter(1, torch.nan_to_num(index, nan=0.0).long(), 1.0)
    return torch.where(torch.isnan(index), math.nan, ones)


def mean_over_positions(values: Tensor, data: int) -> Tensor:
    """The mean over the positions of each datum, (n · positions,) to (n,)."""
    if values.shape[0] == data:
        return values
    values = values.reshape(data, -1)
    return row_sum(values) / values.shape[1]


def positions(pred: Tensor) -> int:
    """How many positions a datum has."""
    return math.prod(pred.shape[2:])


def log_softmax(rows: Tensor) -> Tensor:
    """The logarithms of the probabilities of logits, (m, C)."""
    largest, top, rest = rest_of_softmax(rows)
    return (rows - top).scatter(1, largest, 0.0) - torch.log1p(rest).unsqueeze(1)


def sigmoid(logits: Tensor) -> Tensor:
    """The probability of a logit, of any shape."""
    power = torch.exp(-logits.abs())
    return torch.where(logits < 0, power, 1.0) / (1 + power)
