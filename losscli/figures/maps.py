"""The numbers of a map: a triplet's loss over its two distances, called on embeddings that have those distances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from losscli._lazy import numpy, torch
from losscli.domain import Interval
from losscli.errors import UsageError
from losscli.figures import words
from losscli.figures.axes import span_within
from losscli.figures.picture import Heat, Line, Panel, Picture
from losscli.figures.sampling import HALVINGS
from losscli.loss import BoundLoss

if TYPE_CHECKING:
    from torch import Tensor

    from losscli.figures.picture import Array

    Plane = Callable[[Tensor, Tensor], Tensor]

TRIPLET = ("anchor", "positive", "negative")
GREATEST_COSINE_DISTANCE = 2.0


def maps(losses: Sequence[BoundLoss], *, span: tuple[float, float] | None, gradient: bool, points: int) -> Picture:
    """One map a loss; with its two derivatives beside it where they are asked for.

    Args:
        losses: triplet losses whose distances are of one kind.
        span: the ends of both axes, or None to choose them by the margin.
        gradient: adds the derivatives by the distance to the positive and by that to the negative.
        points: how many points each side has.

    Raises:
        UsageError: a loss of other roles than a triplet's, or distances of two kinds.
    """
    for bound in losses:
        if tuple(bound.loss.roles) != TRIPLET:
            raise UsageError(f"{bound.name} has no picture: a map needs the roles {', '.join(TRIPLET)}")
    cosine = [_is_cosine(bound) for bound in losses]
    if len(set(cosine)) > 1:
        raise UsageError(
            "triplet losses of cosine and other distances cannot share a picture",
            hint="draw one picture for each.",
        )
    low, high = _span(losses, span, cosine=cosine[0])
    labels = words.series_labels(losses) if len(losses) > 1 else [""]
    rows = [_row(bound, label, (low, high), gradient, points) for bound, label in zip(losses, labels)]
    if not gradient:
        rows = [_on_one_scale([panel for row in rows for panel in row])]
    formula = losses[0].loss.formula if all(bound.loss is losses[0].loss for bound in losses) else None
    return Picture(tuple(tuple(row) for row in rows), words.title(losses), formula)


def _is_cosine(bound: BoundLoss) -> bool:
    return bound.params.get("distance") == "cosine"


def _span(losses: Sequence[BoundLoss], span: tuple[float, float] | None, *, cosine: bool) -> tuple[float, float]:
    greatest = GREATEST_COSINE_DISTANCE if cosine else float("inf")
    if span is not None:
        return span_within(span, Interval(0, greatest), losses[0].name)
    margins = [value for bound in losses if isinstance(value := bound.params.get("margin"), (int, float))]
    return 0.0, GREATEST_COSINE_DISTANCE if cosine else 2 * max([1.0, *map(float, margins)])


def _plane(bound: BoundLoss) -> Plane:
    """The loss as a function of the two distances, each of shape (k,)."""

    def on_a_circle(angle: Tensor) -> Tensor:
        return torch.stack([angle.cos(), angle.sin()], dim=1)

    def of_angles(to_positive: Tensor, to_negative: Tensor) -> Tensor:
        # A cosine distance d is that of two vectors at the angle arccos(1 - d).
        anchor = on_a_circle(torch.zeros_like(to_positive))
        positive = on_a_circle((1 - to_positive).arccos())
        negative = on_a_circle(-(1 - to_negative).arccos())
        return bound.evaluate({"anchor": anchor, "positive": positive, "negative": negative})

    def of_lengths(to_positive: Tensor, to_negative: Tensor) -> Tensor:
        # On a line every p-norm is the same distance. Positive and negative lie on opposite sides of the anchor, so
        # that the negative is nearer to the anchor than to the positive and swap changes nothing.
        positive, negative = to_positive.unsqueeze(1), -to_negative.unsqueeze(1)
        return bound.evaluate({"anchor": torch.zeros_like(positive), "positive": positive, "negative": negative})

    return of_angles if _is_cosine(bound) else of_lengths


def _row(bound: BoundLoss, heading: str, span: tuple[float, float], gradient: bool, points: int) -> list[Panel]:
    side = numpy.linspace(*span, points)
    across, up = (torch.from_numpy(plane.ravel()) for plane in numpy.meshgrid(side, side))
    plane = _plane(bound)
    across.requires_grad_(gradient)
    up.requires_grad_(gradient)
    values = plane(across, up)
    shape = (points, points)
    loss = values.detach().numpy().reshape(shape)
    panels = [_panel(bound, heading, side, loss, words.loss_label([bound]), _boundary(plane, side))]
    if gradient:
        by_distance = torch.autograd.grad(values.sum(), (across, up))
        for name, derivative in zip(("d(a,\xa0p)", "d(a,\xa0n)"), by_distance):
            numbers = derivative.numpy().reshape(shape)
            panels.append(_panel(bound, "", side, numbers, f"derivative d loss / d {name}", None, is_slope=True))
    return panels


def _panel(
    bound: BoundLoss,
    heading: str,
    side: Array,
    values: Array,
    label: str,
    boundary: Line | None,
    *,
    is_slope: bool = False,
) -> Panel:
    finite = values[numpy.isfinite(values)]
    if is_slope:
        # The derivative is infinite where the root of a squared distance is zero; the scale must not follow it.
        greatest = float(numpy.percentile(numpy.abs(finite), 99)) or 1.0
        ends = (-greatest, greatest)
    else:
        ends = (min(0.0, float(finite.min())), float(finite.max()) or 1.0)
    kind = "cosine distance" if _is_cosine(bound) else "distance"
    span = (float(side[0]), float(side[-1]))
    return Panel(
        x_label=f"{kind} d(a,\xa0p) to the positive",
        y_label=f"{kind} d(a,\xa0n) to the negative",
        x_limits=span,
        y_limits=span,
        heat=Heat(side, side, values, ends, label, boundary),
        heading=heading,
        is_slope=is_slope,
    )


def _boundary(plane: Plane, side: Array) -> Line | None:
    """For each distance to the positive, the distance to the negative from which on the loss is zero."""
    across = torch.from_numpy(side.copy())
    near, far = torch.full_like(across, side[0]), torch.full_like(across, side[-1])
    with torch.no_grad():
        crosses = (plane(across, near) > 0) & (plane(across, far) == 0)
        if not bool(crosses.any()):
            return None
        for _ in range(HALVINGS):
            middle = near + (far - near) / 2
            positive = plane(across, middle) > 0
            near, far = torch.where(positive, middle, near), torch.where(positive, far, middle)
    y = torch.where(crosses, far, torch.nan).numpy()
    return Line("the loss is 0 on this line and above", side, y)


def _on_one_scale(panels: Sequence[Panel]) -> list[Panel]:
    heats = [panel.heat for panel in panels if panel.heat is not None]
    ends = (min(heat.limits[0] for heat in heats), max(heat.limits[1] for heat in heats))
    return [replace(panel, heat=replace(heat, limits=ends)) for panel, heat in zip(panels, heats)]
