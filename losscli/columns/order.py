"""The order of columns side by side: a target's columns go with the prediction's of the same endings."""

from __future__ import annotations

from collections.abc import Sequence

from losscli.columns.classes import between, pattern
from losscli.columns.evidence import Evidence
from losscli.errors import UsageError
from losscli.names import joined, words


def in_order_of(target: Sequence[Evidence], pred: Sequence[Evidence]) -> tuple[Evidence, ...] | None:
    """The columns of a target in the order of the prediction's columns of the same endings.

    Args:
        target: a column for each class.
        pred: likewise.

    Returns:
        None where the endings do not match one to one.
    """
    for endings in (_written_endings, _loose_endings):
        places = dict(zip(endings(target), target))
        wanted = endings(pred)
        if len(places) == len(target) == len(set(wanted)) and set(places) == set(wanted):
            return tuple(places[ending] for ending in wanted)
    return None


def in_order_of_numbers(columns: Sequence[Evidence]) -> tuple[Evidence, ...] | None:
    """The columns by their numbers, where they end in 0 .. C-1, beside an array of classes; else None."""
    places = dict(zip(_loose_endings(columns), columns))
    wanted = [str(number) for number in range(len(columns))]
    return tuple(places[number] for number in wanted) if set(places) == set(wanted) else None


# How the corners of boxes are called, in the order x1, y1, x2, y2.
CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("minx", "miny", "maxx", "maxy"),
    ("left", "top", "right", "bottom"),
)
SIZES = {"w", "h", "width", "height"}


def in_order_of_corners(columns: Sequence[Evidence]) -> Sequence[Evidence]:
    """The four columns of a box in the order x1, y1, x2, y2, where their names say which is which; else as they are.

    Raises:
        UsageError: their names say that they are sizes.
    """
    names = [joined(each.column.name) for each in columns]
    for corners in CORNERS:
        found = [[c for name, c in zip(names, columns) if name.endswith(k) or name.startswith(k)] for k in corners]
        if all(len(each) == 1 for each in found):
            return [each[0] for each in found]
    sizes = [each for each in columns if SIZES & set(words(each.column.name))]
    if len(sizes) == 2:
        raise UsageError(
            f"{sizes[0].quoted} and {sizes[1].quoted} are called sizes, and a box is two corners, x1, y1, x2, y2",
            hint="make the second corner of the first and the sizes, and name the four columns.",
        )
    return columns


def _written_endings(columns: Sequence[Evidence]) -> list[str]:
    names = [each.column.name for each in columns]
    start, star, end = pattern(names).partition("*")
    return [between(name, start, end) for name in names] if star else names


def _loose_endings(columns: Sequence[Evidence]) -> list[str]:
    """The words that differ, for ``p0`` beside ``q_0`` and ``P_Cat`` beside ``q_cat``."""
    names = [words(each.column.name) for each in columns]
    shortest = min(map(len, names)) - 1
    start = next((at for at in range(shortest) if len({name[at] for name in names}) > 1), max(shortest, 0))
    left = shortest - start
    end = next((at for at in range(left) if len({name[-1 - at] for name in names}) > 1), max(left, 0))
    return ["".join(name[start : len(name) - end]) for name in names]
