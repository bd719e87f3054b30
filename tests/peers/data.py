"""Random data from fixed seeds, as numpy arrays, for comparisons with other libraries."""

from __future__ import annotations

import numpy
from numpy import ndarray


def normal(seed: int, *shape: int, size: float = 1.0) -> ndarray:
    """Normal numbers around 0."""
    return numpy.random.default_rng(seed).normal(0.0, size, shape)


def positive(seed: int, *shape: int) -> ndarray:
    """Positive numbers over a few orders of magnitude."""
    return numpy.exp(normal(seed, *shape))


def uniform(seed: int, *shape: int, low: float = 0.0, high: float = 1.0) -> ndarray:
    """Numbers in an interval."""
    return numpy.random.default_rng(seed).uniform(low, high, shape)


def labels(seed: int, *shape: int) -> ndarray:
    """0 or 1."""
    return numpy.random.default_rng(seed).integers(0, 2, shape).astype(float)


def signs(seed: int, *shape: int) -> ndarray:
    """-1 or +1."""
    return 2.0 * labels(seed, *shape) - 1.0


def whole(seed: int, *shape: int, below: int) -> ndarray:
    """Whole numbers from 0, such as classes and counts."""
    return numpy.random.default_rng(seed).integers(0, below, shape).astype(float)


def simplex(seed: int, *shape: int, axis: int = 1) -> ndarray:
    """Probabilities that sum to 1 along an axis."""
    parts = numpy.random.default_rng(seed).exponential(1.0, shape)
    return parts / parts.sum(axis=axis, keepdims=True)


def column(*values: float) -> ndarray:
    """The values given, as float64."""
    return numpy.array(values, dtype=float)
