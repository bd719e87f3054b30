"""The table of ratios: for a terminal, and as the part of ``docs/benchmarks.md`` between its two comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
HEADS = ("target", "what", "losscli", "best other", "ratio", "at most", "met", "memory", "other's memory")
# Which columns hold numbers, and stand at the right.
NUMBERS = (False, False, True, True, True, True, False, True, True)
STEPS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n"))


def quantity(value: float | None, unit: str) -> str:
    """A number with its unit, three digits.

    Example:
        >>> [quantity(0.01234, "s"), quantity(120, "s"), quantity(2.5e9, "bytes"), quantity(None, "s")]
        ['12.3 ms', '120 s', '2.5 GB', '–']
    """
    if value is None:
        return "–"
    unit = {"bytes": "B"}.get(unit, unit)
    if unit == "s" and value >= 1:
        return f"{value:.3g} s"
    # 999.6 is shown as 1000, which the next prefix shows better.
    factor, prefix = next((step for step in STEPS if abs(value) >= 0.9995 * step[0]), STEPS[-1])
    return f"{value / factor:.3g} {prefix}{unit}"


def rows(record: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The words of the table's rows."""
    for target in record["targets"]:
        for goal in target["goals"]:
            yield (target["name"], goal["what"], *_cells(goal))


def _cells(goal: Mapping[str, Any]) -> tuple[str, ...]:
    best = next((peer for peer in goal["peers"] if peer["engine"] == goal["best"]), None)
    limit = "–"
    if goal["limit"] is not None:
        limit = f"{goal['limit']:.3g}" if goal["relative"] else quantity(goal["limit"], goal["unit"])
    other = f"{quantity(best['median'], goal['unit'])} ({_peer(goal, best)})" if best is not None else "–"
    return (
        "failed" if goal["ours"]["failure"] else quantity(goal["ours"]["median"], goal["unit"]),
        other if best is not None or not goal["peers"] else "failed",
        f"{goal['ratio']:.3g}" if goal["ratio"] is not None else "–",
        limit,
        {True: "yes", False: "no", None: "–"}[goal["met"]],
        quantity(goal["ours"]["peak"], "bytes"),
        quantity(best["peak"] if best is not None else None, "bytes"),
    )


def _peer(goal: Mapping[str, Any], best: Mapping[str, Any]) -> str:
    return "itself" if best["engine"] == goal["ours"]["engine"] else str(best["engine"])


def table(record: Mapping[str, Any]) -> str:
    """The table for a terminal, or a file."""
    lines = [HEADS, *rows(record)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    shown = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width) for cell, width, number in zip(line, widths, NUMBERS)
        ).rstrip()
        for line in lines
    ]
    return "\n".join([shown[0], "-" * max(map(len, shown)), *shown[1:]])


def verdict(record: Mapping[str, Any]) -> str:
    """One line: how many targets are met, and whether the answers agree."""
    met = [goal["met"] for target in record["targets"] for goal in target["goals"] if goal["met"] is not None]
    wrong = record["disagreements"]
    agreed = "all answers agree" if not wrong else f"{len(wrong)} answers disagree"
    return f"{sum(met)} of {len(met)} met; {agreed}"


def described(record: Mapping[str, Any]) -> str:
    """The machine, the versions and how it was measured, in a sentence or two."""
    machine = record["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    gpu = f", {machine['gpu']}" if machine["gpu"] else ""
    return (
        f"{machine['date']}: {machine['cores']} cores of {machine['processor']}{gpu}, "
        f"{machine['memory'] / 1e9:.0f} GB of memory, {machine['system']}; {versions}. "
        f"Medians; memory is the largest of all rounds."
    )


def section(record: Mapping[str, Any]) -> str:
    """The table as Markdown, with what it was measured on."""
    ruler = "|".join("---:" if number else "---" for number in NUMBERS)
    lines = ["|".join(line) for line in (HEADS, *rows(record))]
    body = "\n".join(f"|{line}|" for line in (lines[0], ruler, *lines[1:]))
    return f"{described(record)}\n\n{body}\n\n{verdict(record)[0].upper()}{verdict(record)[1:]}.\n"


def page(text: str, records: Sequence[Mapping[str, Any]], images: Sequence[tuple[str, str]]) -> str:
    """The page with what stands between its comments replaced.

    Args:
        text: the page as it is.
        records: what was measured, one for each machine.
        images: the path and the description of each picture.

    Raises:
        ValueError: the page lacks the comments.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks {BEGIN} or {END}")
    parts = [*map(section, records), *(f"![{description}]({path})\n" for path, description in images)]
    return "\n".join([f"{before}{BEGIN}\n", *parts, f"{END}{after}"])
