"""Losses of how well two boxes lie on each other, each given by two opposite corners.

A box that is nearly right overlaps nearly all of the other, and one minus that share has lost its digits. So what is
missing is made of how far each box reaches beyond the other: sums of numbers that are never negative.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from losscli._lazy import torch
from losscli.domain import Domain
from losscli.loss import Slice, Traits
from losscli.losses._stable.elementary import row_sum, scaled
from losscli.registry import loss

if TYPE_CHECKING:
    from torch import Tensor

BOX = Domain(
    "box",
    "a box as x1, y1, x2, y2 with x1 <= x2 and y1 <= y2",
    shapes=("n 4",),
    corners=True,
    hint="boxes are two corners, x1, y1, x2, y2; are these centres or sizes?",
)


def _shifted(*size: float) -> Callable[[Tensor], dict[str, Tensor]]:
    """A box of this size around the centre of a unit square, moved to the right."""

    def roles(shift: Tensor) -> dict[str, Tensor]:
        wide, high = (each / 2 for each in size)
        whole = torch.ones_like(shift)
        pred = torch.stack([shift - wide, -high * whole, shift + wide, high * whole], 1)
        return {"pred": pred, "target": shift.new_tensor([-0.5, -0.5, 0.5, 0.5]).expand(len(shift), 4)}

    return roles


SHIFTS = Slice(
    "how far the predicted box is shifted along x; the true one is a square of 1",
    (-3.0, 3.0),
    {"a square of 1": _shifted(1.0, 1.0), "half as wide, twice as high": _shifted(0.5, 2.0)},
    variable="shift",
    notable=(-1.0, -0.75, -0.25, 0.0, 0.25, 0.75, 1.0),
)


@dataclass(frozen=True)
class _Boxes:
    """Two boxes, by axis: each number is of shape (n, 2).

    Attributes:
        first: the sides of the first box.
        second: the sides of the second.
        first_alone: how far the first reaches beyond the second, with the gap where there is one.
        second_alone: likewise the second beyond the first.
        common: how much they share, or less the gap.
        between: twice the difference of the centres.
    """

    first: Tensor
    second: Tensor
    first_alone: Tensor
    second_alone: Tensor
    common: Tensor
    between: Tensor

    @classmethod
    def of(cls, pred: Tensor, target: Tensor) -> _Boxes:
        """Of corners, shapes (n, 4); NaN where a first corner lies beyond a second."""
        low, high, other_low, other_high = torch.split(scaled(torch.cat((pred, target), 1)), 2, dim=1)
        turned = ((low > high) | (other_low > other_high)).any(1, keepdim=True)
        low = torch.where(turned, math.nan, low)
        return cls(
            first=high - low,
            second=other_high - other_low,
            first_alone=torch.relu(other_low - low) + torch.relu(high - other_high),
            second_alone=torch.relu(low - other_low) + torch.relu(other_high - high),
            common=torch.minimum(high, other_high) - torch.maximum(low, other_low),
            between=(low - other_low) + (high - other_high),
        )

    @property
    def hull(self) -> Tensor:
        """The sides of the smallest box around both."""
        return self.first + self.second_alone

    @property
    def areas(self) -> Tensor:
        """The sum of the two areas, shape (n,)."""
        return self.first.prod(1) + self.second.prod(1)

    def one_minus_overlap(self) -> Tensor:
        """1 - IoU, shape (n,): the area of one box alone, over that of both."""
        meets = (self.common >= 0).all(1)
        width, height = torch.where(meets.unsqueeze(1), self.common, 0.0).unbind(1)
        lost = sum(
            alone[:, 0] * sides[:, 1] + width * alone[:, 1]
            for alone, sides in ((self.first_alone, self.first), (self.second_alone, self.second))
        )
        union = width * height + lost
        divided = meets & (union != 0)
        share = torch.where(divided, lost / torch.where(divided, union, 1.0), 1.0)
        # Two boxes without area have no ratio; what is missing in one of them is missing in the areas.
        return torch.where(self.areas == 0, math.nan, share + 0 * self.areas)

    def empty_share_of_hull(self) -> Tensor:
        """The share of the smallest box around both that is in neither, shape (n,)."""
        (x_alone, y_alone), (other_x_alone, other_y_alone) = self.first_alone.unbind(1), self.second_alone.unbind(1)
        (width, height), (other_width, other_height) = self.first.unbind(1), self.second.unbind(1)
        (hull_width, hull_height), (common_x, common_y) = self.hull.unbind(1), self.common.unbind(1)
        corners = x_alone * other_y_alone + other_x_alone * y_alone
        # The hull is as wide as both boxes and the gap together, or as high.
        beside = width * other_y_alone + other_width * y_alone - common_x * hull_height
        above = height * other_x_alone + other_height * x_alone - common_y * hull_width
        empty = torch.where(common_x < 0, beside, torch.where(common_y < 0, above, corners))
        return empty / (hull_width * hull_height)

    def distance_of_centres(self) -> Tensor:
        """The square of the distance of the centres over that of the hull's diagonal, shape (n,)."""
        half = self.between / 2
        return row_sum(half * half) / row_sum(self.hull * self.hull)

    def difference_of_shapes(self) -> Tensor:
        """The difference of the angles of the diagonals over a right angle, shape (n,)."""
        (width, height), (other_width, other_height) = self.first.unbind(1), self.second.unbind(1)
        # tan(a - b) of the two tangents, so that equal shapes have the difference 0.
        above = other_width * height - width * other_height
        below = height * other_height + width * other_width
        flat = (below == 0) & (above != 0)
        angle = torch.where(flat, torch.sign(above) * (math.pi / 2), torch.atan(above / torch.where(flat, 1.0, below)))
        return angle * (2 / math.pi)


@loss(
    family="overlap",
    pred=BOX,
    target=BOX,
    aliases=["iou-loss", "box-iou"],
    formula=r"1 - \mathrm{IoU},\quad \mathrm{IoU} = \frac{|A \cap B|}{|A \cup B|}",
    gradient=r"-\frac{\partial \mathrm{IoU}}{\partial x_1},\quad 0 \text{ where the boxes do not meet}",
    unit="1",
    range="[0, 1]",
    curve=SHIFTS,
    traits=Traits(
        punishes="The share of the area of both boxes that only one of them covers, whatever their size.",
        convex="Not convex.",
        differentiable="Differentiable except where two edges lie on each other.",
        bounded="At most 1, which all boxes that do not meet cost.",
        robust="No box costs more than 1, and small boxes count as much as large ones.",
    ),
    convention="One minus the IoU, not minus its logarithm. Coordinates are those of edges: a box from 0 to 2 is 2 "
    "wide. Two boxes without area have no IoU.",
    differs=[
        "UnitBox minimises -ln IoU: an overlap of one half costs .693 there and .5 here.",
        "Pixel coordinates that include both ends, as in PASCAL VOC, make a box from 0 to 2 three wide: add 1 to x2 "
        "and y2 first.",
        "Where boxes are equal up to rounding, 1 - IoU computed as it is written is 0 or 1e-16 off; here it keeps its "
        "digits.",
    ],
    same_as={"torchvision": "1 - torch.diag(torchvision.ops.box_iou(pred, target))"},
    cites=["jaccard1901", "yu2016", "everingham2010"],
)
def iou(pred: Tensor, target: Tensor) -> Tensor:
    """One minus the intersection over union of two boxes: what detectors are judged by, as a loss.

    It compares boxes as things, not four numbers: a small box that is off by ten pixels is far off, a large one is not,
    and no coordinate has to be weighted against another.

    Boxes that do not meet all cost 1, near or far, and have no gradient. For training take ``giou``, ``diou`` or
    ``ciou``, which add a term that draws them together.

    Args:
        pred: The predicted boxes, x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, shape (n, 4).
        target: The true boxes, likewise.

    Returns:
        The loss of each pair of boxes, shape (n).

    Example:
        >>> import torch
        >>> iou(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[1.0, 0.0, 3.0, 2.0]]))
        tensor([0.6667])
    """
    return _Boxes.of(pred, target).one_minus_overlap()


@loss(
    family="overlap",
    pred=BOX,
    target=BOX,
    aliases=["generalized-iou"],
    formula=r"1 - \mathrm{IoU} + \frac{|C| - |A \cup B|}{|C|},\quad "
    r"C \text{ the smallest box around } A \text{ and } B",
    gradient=r"-\frac{\partial \mathrm{IoU}}{\partial x_1} - \frac{\partial}{\partial x_1} \frac{|A \cup B|}{|C|}",
    unit="1",
    range="[0, 2]",
    curve=SHIFTS,
    traits=Traits(
        punishes="What is missing from the overlap, and how much of the smallest box around both is empty.",
        convex="Not convex.",
        differentiable="Differentiable except where two edges lie on each other.",
        bounded="Below 2, which it nears as the boxes move apart.",
        robust="No box costs more than 2; the gradient of far boxes fades.",
    ),
    convention="One minus the generalised IoU, which lies between -1 and 1.",
    differs=[
        "torchvision.ops.generalized_box_iou_loss adds 1e-7 to the denominators.",
    ],
    same_as={"torchvision": "torchvision.ops.generalized_box_iou_loss(pred, target), but for its eps"},
    cites=["rezatofighi2019"],
)
def giou(pred: Tensor, target: Tensor) -> Tensor:
    """The IoU loss and the empty share of the space around two boxes, which draws boxes together that do not meet.

    For boxes that do not meet, the further apart they are, the emptier is the smallest box around both; that gives
    them a slope where ``iou`` has none. For boxes that overlap well the two losses are nearly the same.

    Of two boxes beside each other it first widens the prediction until they touch, since that fills the space, and
    only then moves it. ``diou`` moves it at once.

    Args:
        pred: The predicted boxes, x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, shape (n, 4).
        target: The true boxes, likewise.

    Returns:
        The loss of each pair of boxes, shape (n).

    Example:
        >>> import torch
        >>> giou(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[3.0, 0.0, 5.0, 2.0]]))
        tensor([1.2000])
    """
    boxes = _Boxes.of(pred, target)
    return boxes.one_minus_overlap() + boxes.empty_share_of_hull()


@loss(
    family="overlap",
    pred=BOX,
    target=BOX,
    aliases=["distance-iou"],
    formula=r"1 - \mathrm{IoU} + \frac{\rho^2}{c^2},\quad "
    r"\rho \text{ the distance of the centres, } c \text{ the diagonal around both}",
    gradient=r"-\frac{\partial \mathrm{IoU}}{\partial x_1} + \frac{\partial}{\partial x_1} \frac{\rho^2}{c^2}",
    unit="1",
    range="[0, 2]",
    curve=SHIFTS,
    traits=Traits(
        punishes="What is missing from the overlap, and the distance of the centres beside the size of both together.",
        convex="Not convex.",
        differentiable="Differentiable except where two edges lie on each other.",
        bounded="Below 2, which it nears as the boxes move apart.",
        robust="No box costs more than 2; the gradient of far boxes fades.",
    ),
    convention="The square of the distance of the centres over the square of the diagonal of the smallest box around "
    "both, with nothing added.",
    differs=["torchvision.ops.distance_box_iou_loss adds 1e-7 to the denominators."],
    same_as={"torchvision": "torchvision.ops.distance_box_iou_loss(pred, target), but for its eps"},
    cites=["zheng2020"],
)
def diou(pred: Tensor, target: Tensor) -> Tensor:
    """The IoU loss with the distance of the centres, so that a predicted box moves straight to the true one.

    It has a slope for boxes that do not meet, and also for a box inside the other, of which ``giou`` sees nothing:
    there is no empty space around the two, wherever the inner one lies. It converges in fewer steps than that.

    Shape enters by the overlap only: of boxes with one centre, wide and high ones of the same IoU cost the same.
    ``ciou`` adds a term for it.

    Args:
        pred: The predicted boxes, x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, shape (n, 4).
        target: The true boxes, likewise.

    Returns:
        The loss of each pair of boxes, shape (n).

    Example:
        >>> import torch
        >>> diou(torch.tensor([[0.0, 0.0, 2.0, 2.0]]), torch.tensor([[3.0, 0.0, 5.0, 2.0]]))
        tensor([1.3103])
    """
    boxes = _Boxes.of(pred, target)
    return boxes.one_minus_overlap() + boxes.distance_of_centres()


@loss(
    family="overlap",
    pred=BOX,
    target=BOX,
    aliases=["complete-iou"],
    formula=r"1 - \mathrm{IoU} + \frac{\rho^2}{c^2} + \frac{v^2}{1 - \mathrm{IoU} + v},\quad "
    r"v = \frac{4}{\pi^2} \left(\arctan(w/h) - \arctan(\hat{w}/\hat{h})\right)^2",
    gradient=r"-\frac{\partial \mathrm{IoU}}{\partial x_1} + \frac{\partial}{\partial x_1} \frac{\rho^2}{c^2} "
    r"+ \frac{\partial}{\partial x_1} \frac{v^2}{1 - \mathrm{IoU} + v}",
    unit="1",
    range="[0, 3]",
    curve=SHIFTS,
    traits=Traits(
        punishes="What is missing from the overlap, the distance of the centres, and another ratio of width to height.",
        convex="Not convex.",
        differentiable="Differentiable except where two edges lie on each other.",
        bounded="Below 3.",
        robust="No box costs more than 3; the gradient of far boxes fades.",
    ),
    convention="The term of the shapes is alpha v with alpha = v/(1 - IoU + v), and its whole derivative is taken. A "
    "box that is a point has no shape.",
    differs=[
        "torchvision.ops.complete_box_iou_loss and most detectors hold alpha constant in the gradient, as the paper "
        "does, so that theirs is not the gradient of the loss; the values are the same up to an eps of 1e-7.",
        "The authors' later paper has alpha = 0 where the IoU is below one half.",
    ],
    same_as={"torchvision": "torchvision.ops.complete_box_iou_loss(pred, target), but for its eps"},
    cites=["zheng2020", "zheng2022"],
)
def ciou(pred: Tensor, target: Tensor) -> Tensor:
    """The IoU loss with the distance of the centres and the difference of the shapes of two boxes.

    To ``diou`` it adds how far the ratios of width and height are apart, as the angle between the diagonals. The
    term counts more the better the boxes overlap, when position is settled and shape is what is left. It is the usual
    choice of detectors of the YOLO family.

    The shape's term does not say which of width and height is wrong, and is 0 for boxes of one shape and different
    sizes; those the overlap tells apart.

    Args:
        pred: The predicted boxes, x1, y1, x2, y2 with x1 <= x2 and y1 <= y2, shape (n, 4).
        target: The true boxes, likewise.

    Returns:
        The loss of each pair of boxes, shape (n).

    Example:
        >>> import torch
        >>> ciou(torch.tensor([[0.0, 0.0, 2.0, 1.0]]), torch.tensor([[0.0, 0.0, 1.0, 2.0]]))
        tensor([0.7629])
    """
    boxes = _Boxes.of(pred, target)
    lost, angle = boxes.one_minus_overlap(), boxes.difference_of_shapes()
    v = angle * angle
    whole = lost + v
    shape = torch.where(whole == 0, 0.0, v * v / torch.where(whole == 0, 1.0, whole))
    return lost + boxes.distance_of_centres() + shape
