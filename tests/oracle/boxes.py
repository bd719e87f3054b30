"""Losses of how well two boxes, each given as x1, y1, x2, y2, lie on each other."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath
from mpmath import mpf

from tests.oracle.definition import Numbers, true_loss


@dataclass(frozen=True)
class Box:
    """The corners with the smallest and the largest coordinates."""

    x1: mpf
    y1: mpf
    x2: mpf
    y2: mpf

    @classmethod
    def of(cls, corners: Numbers) -> Box:
        return cls(*(mpf(v) for v in corners))

    @property
    def width(self) -> mpf:
        return max(mpf(0), self.x2 - self.x1)

    @property
    def height(self) -> mpf:
        return max(mpf(0), self.y2 - self.y1)

    @property
    def area(self) -> mpf:
        return self.width * self.height

    @property
    def square_of_diagonal(self) -> mpf:
        return self.width**2 + self.height**2


def intersection(a: Box, b: Box) -> Box:
    return Box(max(a.x1, b.x1), max(a.y1, b.y1), min(a.x2, b.x2), min(a.y2, b.y2))


def enclosing(a: Box, b: Box) -> Box:
    return Box(min(a.x1, b.x1), min(a.y1, b.y1), max(a.x2, b.x2), max(a.y2, b.y2))


def ratio(a: mpf, b: mpf) -> mpf:
    return a / b if b else mpf("nan")


def union(a: Box, b: Box) -> mpf:
    return a.area + b.area - intersection(a, b).area


def overlap(a: Box, b: Box) -> mpf:
    return ratio(intersection(a, b).area, union(a, b))


def distance_of_centres(a: Box, b: Box) -> mpf:
    """The square of the distance of the centres, over that of the enclosing box's diagonal."""
    x, y = (a.x1 + a.x2 - b.x1 - b.x2) / 2, (a.y1 + a.y2 - b.y1 - b.y2) / 2
    return ratio(x**2 + y**2, enclosing(a, b).square_of_diagonal)


@true_loss
def iou(pred: Numbers, target: Numbers) -> mpf:
    """Jaccard 1901, of the areas: 1 - |A and B| / |A or B|."""
    return 1 - overlap(Box.of(pred), Box.of(target))


@true_loss
def giou(pred: Numbers, target: Numbers) -> mpf:
    """Rezatofighi 2019, algorithm 1: 1 - IoU + |C without (A or B)| / |C|, with C the enclosing box."""
    a, b = Box.of(pred), Box.of(target)
    hull = enclosing(a, b).area
    return 1 - overlap(a, b) + ratio(hull - union(a, b), hull)


@true_loss
def diou(pred: Numbers, target: Numbers) -> mpf:
    """Zheng 2020, equation 7: 1 - IoU + rho^2 / c^2."""
    a, b = Box.of(pred), Box.of(target)
    return 1 - overlap(a, b) + distance_of_centres(a, b)


@true_loss
def ciou(pred: Numbers, target: Numbers) -> mpf:
    """Zheng 2020, equations 8 to 11: DIoU + alpha v, where v compares the angles of the diagonals."""
    a, b = Box.of(pred), Box.of(target)
    loss = 1 - overlap(a, b)
    if not (a.square_of_diagonal and b.square_of_diagonal):
        # A point has no angle.
        return mpf("nan")
    v = 4 / mpmath.pi**2 * (mpmath.atan2(b.width, b.height) - mpmath.atan2(a.width, a.height)) ** 2
    alpha = v / (loss + v) if v else mpf(0)
    return loss + distance_of_centres(a, b) + alpha * v
