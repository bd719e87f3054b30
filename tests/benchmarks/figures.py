"""Three pictures: ratios against their targets, time and memory against the number of rows. Points first, then ink."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from losscli.figures import save
from losscli.figures.backend import COLOURS, settings
from tests.benchmarks.report import quantity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MET, NOT_MET, FAINT = COLOURS[0], COLOURS[1], "#8c8c8c"
GROWTH = "P12"
FORMAT_COLOURS = dict(zip(("csv", "parquet", "npy"), COLOURS))
ENGINE_DASHES = {"losscli": "solid", "DuckDB": (0, (5, 1.5)), "numpy": (0, (5, 1.5)), "pandas + sklearn": (0, (1, 1.5))}

# File, key of the record, what the axis says, unit.
MEASURES = (("time", "wall", "time of the whole process", "s"), ("memory", "peak", "peak memory", "bytes"))

Line = tuple[str, str, list[int], list[float]]


def pictures(records: Sequence[Mapping[str, Any]], folder: Path) -> list[tuple[str, str]]:
    """Draws what the records have points for.

    Args:
        records: what was measured, one for each machine.
        folder: where the pictures go.

    Returns:
        The name of each file, with a description.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn: list[tuple[str, Figure, str]] = []
    ratios = ratio_points(records)
    if ratios:
        words = "Time or memory of losscli beside that of the best other program, and the ratio that is asked for"
        drawn.append(("ratios", draw_ratios(ratios), words))
    for name, measure, label, unit in MEASURES:
        lines = growth_points(records, measure)
        if lines:
            words = f"{label[0].upper()}{label[1:]} against the number of rows, both axes logarithmic"
            drawn.append((name, draw_growth(lines, label, unit), words))
    for name, figure, _ in drawn:
        save(figure, folder / f"benchmarks-{name}.svg", "svg")
    return [(f"benchmarks-{name}.svg", words) for name, _, words in drawn]


# --- points -----------------------------------------------------------------------------------------------------------


def ratio_points(records: Sequence[Mapping[str, Any]]) -> list[tuple[str, float, list[float], float]]:
    """For each goal that asks for a ratio: its label, the ratio, that of each round, and what is allowed."""
    return [
        (f"{target['name']}  {goal['what']}", goal["ratio"], goal["ratios"], goal["limit"])
        for record in records
        for target in record["targets"]
        for goal in target["goals"]
        if goal["relative"] and goal["ratio"] is not None and goal["limit"] is not None
    ]


def growth_points(records: Sequence[Mapping[str, Any]], measure: str) -> list[Line]:
    """Engine, format, numbers of rows and what they took: a line each, of the first record that has some."""
    for record in records:
        found: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        jobs = [job for target in record["targets"] if target["name"] == GROWTH for job in target["jobs"]]
        for job in jobs:
            if job[measure]:
                found[job["engine"], job["format"]][job["rows"]] = median(job[measure])
        if found:
            return [(*key, sorted(points), [points[n] for n in sorted(points)]) for key, points in found.items()]
    return []


# --- ink --------------------------------------------------------------------------------------------------------------


def draw_ratios(points: Sequence[tuple[str, float, list[float], float]]) -> Figure:
    """A line of dots for each goal: one for each round, a large one for the medians, a bar where the target is."""
    with settings():
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, NullFormatter

        figure = Figure(figsize=(8, 1.2 + 0.27 * len(points)), layout="constrained")
        axes = figure.add_subplot()
        for place, (_, ratio, rounds, limit) in enumerate(points):
            colour = MET if ratio <= limit else NOT_MET
            axes.plot([min(ratio, limit), max(ratio, limit)], [place, place], color="#d9d9d9", linewidth=1, zorder=1)
            axes.plot(rounds, [place] * len(rounds), ".", color=colour, alpha=0.35, markersize=5, markeredgewidth=0)
            axes.plot([ratio], [place], "o", color=colour, markersize=6)
            axes.plot([limit], [place], "|", color="black", markersize=10, markeredgewidth=1.6)
        axes.axvline(1, color=FAINT, linewidth=0.8, zorder=0)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(range(len(points)), [label for label, *_ in points], fontsize=8)
        axes.set_ylim(len(points) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("losscli / best other (blue: the target, a bar, is met)")
        return figure


def draw_growth(lines: Sequence[Line], label: str, unit: str) -> Figure:
    """A line for each engine and format, on two logarithmic axes."""
    with settings():
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.add_subplot()
        for engine, form, rows, values in lines:
            dashes: Any = ENGINE_DASHES.get(engine, "dashdot")
            mine = engine == "losscli"
            axes.plot(
                rows,
                values,
                color=FORMAT_COLOURS[form],
                linestyle=dashes,
                marker="o",
                markersize=4 if mine else 2.5,
                linewidth=1.8 if mine else 1,
                label=f"{engine}, {form}",
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value, unit)))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("rows")
        axes.set_ylabel(label)
        figure.legend(loc="outside right upper", fontsize=8)
        return figure
