"""Values into exact sums: block by block, in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from losscli.exact import gpu, kernel
from losscli.exact.pieces import Cutter, Plan, Stream, plan_for, product_streams
from losscli.exact.sums import GroupSums, Sums

if TYPE_CHECKING:
    from torch import Tensor

    # Adds a stream, and the squares if so asked, by group where there are codes; gives indices of what is left over.
    Adder = Callable[[Sums | GroupSums, Stream, Tensor | None, bool], Tensor | None]

# So few values are faster as Python integers than as tensors.
FEW = 48
# So many values of one call go through compiled code at once, since a GPU's indices have 32 bits.
MOST_COMPILED = 1 << 30
# So many blocks in a row are taken to have much the same largest value.
BLOCKS_ALIKE = 4


def fold_values(
    sums: Sums | GroupSums,
    values: Tensor,
    codes: Tensor | None = None,
    *,
    squares: bool = True,
    bounds: tuple[float, float] | None = None,
) -> None:
    """Adds values, and their squares, to exact sums.

    Args:
        sums: what is added to: ``c`` and ``cc``.
        values: float64, shape (n,), finite, contiguous.
        codes: the group of each, int64, shape (n,), for sums by group.
        squares: whether the sum of squares is wanted; without it fewer, wider pieces do.
        bounds: the smallest and the largest value, where they are known: saves a pass.
    """
    plan = plan_for(values.device, 2 if squares else 1, 1, grouped=codes is not None)
    compiled = _compiled(values)
    size = MOST_COMPILED if compiled is not None else plan.values
    # The bounds of many blocks are wider than those of each, which would cost more than the pass.
    known = bounds if len(values) <= BLOCKS_ALIKE * size else None
    for part, part_codes in _parts(size, (values,), codes):
        _fold_part(plan, sums, part, part_codes, multiply=False, products=squares, bounds=known, compiled=compiled)


def fold_weighted(sums: Sums | GroupSums, values: Tensor, weights: Tensor, codes: Tensor | None = None) -> None:
    """Adds to all five sums, with c the exact product of value and weight, of whatever magnitude.

    Args:
        sums: what is added to.
        values: float64, shape (n,), finite, contiguous.
        weights: likewise.
        codes: the group of each, int64, shape (n,), for sums by group.
    """
    plan = plan_for(values.device, 2, 3, grouped=codes is not None)
    for part, part_codes in _parts(plan.values, (values, weights), codes):
        _fold_part(plan, sums, part, part_codes, multiply=True, products=True)


def fold_products(sums: Sums, a: Tensor, b: Tensor) -> None:
    """Adds the products of two tensors to ``cw``; ``c`` and ``w`` become the sums of the factors.

    Args:
        sums: what is added to.
        a: float64, shape (n,), finite, contiguous.
        b: likewise.
    """
    plan = plan_for(a.device, 2, 2)
    for part, _ in _parts(plan.values, (a, b), None):
        _fold_part(plan, sums, part, None, multiply=False, products=True)


def _parts(
    size: int, columns: tuple[Tensor, ...], codes: Tensor | None
) -> Iterator[tuple[tuple[Tensor, ...], Tensor | None]]:
    for start in range(0, len(columns[0]), size):
        stop = start + size
        yield tuple(column[start:stop] for column in columns), codes[start:stop] if codes is not None else None


def _fold_part(
    plan: Plan,
    sums: Sums | GroupSums,
    columns: tuple[Tensor, ...],
    codes: Tensor | None,
    *,
    multiply: bool,
    products: bool,
    bounds: tuple[float, float] | None = None,
    compiled: Adder | None = None,
) -> None:
    """Cuts one part into pieces and adds them; what keeps a rest comes back as a part of its own, to the end."""
    waiting = [(columns, codes)]
    while waiting:
        columns, codes = waiting.pop()
        if len(columns[0]) <= FEW:
            _fold_few(sums, columns, codes, multiply)
            continue

        def put_off(which: Tensor, columns: tuple[Tensor, ...] = columns, codes: Tensor | None = codes) -> None:
            waiting.append((tuple(column[which] for column in columns), codes[which] if codes is not None else None))

        streams = [Stream.of(column, bounds=bounds) for column in columns]
        bounds = None
        small = next((mask for stream in streams if (mask := stream.far_below(multiply)) is not None), None)
        if small is not None:
            put_off(small)
            put_off(~small)
            continue
        streams, names = [stream.scaled() for stream in streams], "cw"
        if compiled is not None:
            rest = compiled(sums, streams[0], codes, products)
            if rest is not None:
                put_off(rest)
            continue
        if multiply:
            streams, names = [*product_streams(streams[0], streams[1], plan), streams[1]], "ccw"
        cutter = Cutter(plan, len(columns[0]), columns[0].device, len(streams))
        for name, stream in zip(names, streams):
            rest = cutter.cut(stream, name)
            if rest is not None:
                put_off(rest)
        pieces = cutter.pieces()
        if pieces is not None:
            sums.add(pieces, codes, products)


def _compiled(values: Tensor) -> Adder | None:
    """What adds a stream to sums in one pass, where it is compiled."""
    if values.device.type == "cuda":
        return gpu.add if gpu.pays(values) and gpu.compiled(values.device) is not None else None
    return kernel.add if values.device.type == "cpu" and kernel.compiled() is not None else None


def _fold_few(sums: Sums | GroupSums, columns: tuple[Tensor, ...], codes: Tensor | None, multiply: bool) -> None:
    listed = [column.tolist() for column in columns]
    if isinstance(sums, Sums):
        sums.add_few(tuple(listed), multiply=multiply)
    elif codes is not None:
        for row, group in enumerate(codes.tolist()):
            few = sums.few.setdefault(group, Sums())
            few.add_few(tuple([column[row]] for column in listed), multiply=multiply)
