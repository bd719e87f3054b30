"""Costs as text: a table for people, the same numbers at full precision for programs, a verdict for a build server."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING

from losscli.errors import UsageError, shown
from losscli.report import drawing, verdicts
from losscli.report.formats import BINARY
from losscli.report.text import (
    PRECISION,
    delimited,
    encodable,
    full,
    json_text,
    latex,
    markdown,
    params_text,
    significant,
)
from losscli.result import Record

if TYPE_CHECKING:
    import pyarrow

SCHEMA = 1
FIELDS = tuple(field.name for field in fields(Record))


def costs(
    records: Sequence[Record],
    format: str,
    *,
    precision: int | None = None,
    run: Mapping[str, object] | None = None,
    width: int | None = None,
    color: bool = False,
    failures: Mapping[int, str] | None = None,
) -> str:
    """The records as text that ends with a line end.

    Args:
        records: what to show, in order.
        format: ``table``, ``md``, ``latex`` for people; ``plain``, ``json``, ``jsonl``, ``csv``, ``tsv`` with all
            digits; ``github``, ``junit`` for build servers.
        precision: significant digits for people, 1 to 17; None for 6.
        run: what ``json`` holds as ``run``; the level of its intervals stands in the table's caption.
        width: columns of the terminal; None folds nothing.
        color: whether the table has colours.
        failures: for each record that a gate stops, by its position, the reason.

    Raises:
        UsageError: a format that is no text.
    """
    failures = failures or {}
    digits = precision or PRECISION
    level = (run or {}).get("level")
    writers: dict[str, Callable[[], str]] = {
        "table": lambda: _table(records, digits, level, width, color, tuple(failures)),
        "plain": lambda: "".join(f"{full(record.value)}\n" for record in records),
        "json": lambda: json_text(_document(records, run), indent=2) + "\n",
        "jsonl": lambda: "".join(f"{json_text(as_json(record))}\n" for record in records),
        "csv": lambda: _delimited(records, ","),
        "tsv": lambda: _delimited(records, "\t"),
        "md": lambda: _markdown(records, digits, level),
        "latex": lambda: _latex(records, digits, level),
        "github": lambda: verdicts.github(records, failures, digits),
        "junit": lambda: verdicts.junit(records, failures),
    }
    if format not in writers:
        raise UsageError(f"costs cannot be printed as {shown(format)}")
    return encodable(writers[format]())


def cost_bytes(
    records: Sequence[Record],
    format: str,
    *,
    precision: int | None = None,
    run: Mapping[str, object] | None = None,
    failures: Mapping[int, str] | None = None,
) -> bytes:
    """The records as the content of a file, also of one that is no text: ``parquet`` and ``arrow``.

    Args:
        records: as in ``costs``.
        format: as in ``costs``, and ``parquet`` or ``arrow``.
        precision: as in ``costs``.
        run: as in ``costs``.
        failures: as in ``costs``.
    """
    if format not in BINARY:
        return costs(records, format, precision=precision, run=run, failures=failures).encode()
    import io

    from losscli.report.rows import row_writer

    table = _arrow(records)
    file = io.BytesIO()
    writer = row_writer(format, file, table.schema, losses=0)
    for batch in table.to_batches():
        writer.write(batch)
    writer.close()
    return file.getvalue()


# --- for programs -----------------------------------------------------------------------------------------------------


def as_json(record: Record) -> dict[str, object]:
    """A record as the object that ``json`` and ``jsonl`` write."""
    fields = {name: getattr(record, name) for name in FIELDS}
    # A parameter that is infinite is an answer, not a missing number: it stays a word.
    fields["params"] = {
        name: full(value) if value in (float("inf"), float("-inf")) else value for name, value in record.params.items()
    }
    fields["group"] = dict(record.group)
    return fields


def _document(records: Sequence[Record], run: Mapping[str, object] | None) -> dict[str, object]:
    document: dict[str, object] = {"schema": SCHEMA, "results": [as_json(record) for record in records]}
    return document if run is None else {**document, "run": dict(run)}


def group_columns(records: Sequence[Record]) -> dict[str, str]:
    """The heading of each group column: its name, or ``group:NAME`` where a field has that name already."""
    names = dict.fromkeys(name for record in records for name in record.group)
    return {name: f"group:{name}" if name in FIELDS else name for name in names}


def _flat(records: Sequence[Record]) -> tuple[list[str], list[list[object]]]:
    """Headings and rows with the parameters as one word and the groups as columns of their own."""
    groups = group_columns(records)
    headings = [heading for name in FIELDS for heading in (groups.values() if name == "group" else [name])]
    rows = []
    for record in records:
        row: list[object] = []
        for name in FIELDS:
            if name == "group":
                row += [record.group.get(group) for group in groups]
            else:
                row.append(params_text(dict(record.params)) if name == "params" else getattr(record, name))
        rows.append(row)
    return headings, rows


def _delimited(records: Sequence[Record], delimiter: str) -> str:
    headings, rows = _flat(records)
    lines = [headings, *([full(cell) for cell in row] for row in rows)]
    return "".join(delimiter.join(delimited(cell, delimiter) for cell in line) + "\n" for line in lines)


def _arrow(records: Sequence[Record]) -> pyarrow.Table:
    from losscli._lazy import pyarrow

    headings, rows = _flat(records)
    numbers = ("weight_sum", "value", "std_error", "ci_low", "ci_high", "min", "max")
    columns = []
    for position, heading in enumerate(headings):
        cells = [row[position] for row in rows]
        if heading in numbers:
            columns.append(pyarrow.array(cells, pyarrow.float64()))
        elif heading in ("n", "n_skipped"):
            columns.append(pyarrow.array(cells, pyarrow.int64()))
        elif heading in FIELDS:
            columns.append(pyarrow.array([None if c is None else encodable(str(c)) for c in cells], pyarrow.string()))
        else:
            columns.append(pyarrow.array(cells))
    return pyarrow.Table.from_arrays(columns, names=headings)


# --- for people -------------------------------------------------------------------------------------------------------


def columns_for_people(records: Sequence[Record], digits: int, level: object = None) -> list[drawing.Column]:
    """The columns that say something about these records, rounded: those that are empty or all ``ok`` are left out."""
    columns = [
        _text("file", [record.file or "" for record in records]),
        _text("pred", [record.pred or "" for record in records]),
        drawing.Column("loss", tuple(record.loss for record in records)),
    ]
    columns += [
        drawing.Column(name, tuple(full(record.group.get(name)) for record in records))
        for name in group_columns(records)
    ]
    columns.append(_number("n", [f"{record.n:,}" for record in records]))
    if any(record.n_skipped for record in records):
        columns.append(_number("skipped", [f"{record.n_skipped:,}" for record in records]))
    if any(record.weight_sum != record.n for record in records):
        columns.append(_number("weights", [significant(record.weight_sum, digits) for record in records]))
    reductions = {record.reduction for record in records}
    if len(reductions) > 1:
        columns.append(drawing.Column("cost", tuple(record.reduction for record in records)))
    heading = next(iter(reductions)) if len(reductions) == 1 else "value"
    columns.append(_number(heading, [significant(record.value, digits) for record in records], style="bold"))
    intervals = [interval(record, digits) for record in records]
    if any(intervals):
        columns.append(_number(f"{level_text(level)}interval", intervals))
    return [column for column in columns if column is not None]


def _text(heading: str, cells: list[str]) -> drawing.Column | None:
    return drawing.Column(heading, tuple(cells)) if any(cells) else None


def _number(heading: str, cells: list[str], style: str = "") -> drawing.Column:
    return drawing.Column(heading, tuple(cells), number=True, style=style)


def level_text(level: object) -> str:
    """The level of an interval in words before a noun, with its blank; empty where it is not known.

    Example:
        >>> level_text(0.95), level_text(None)
        ('95 % ', '')
    """
    return f"{float(level) * 100:.6g} % " if isinstance(level, (int, float)) else ""


def interval(record: Record, digits: int) -> str:
    """The interval of a cost: its half width where the cost is its middle, else both ends.

    The half width has two digits, as is the custom for uncertainties: more say nothing.
    """
    if record.ci_low is None or record.ci_high is None:
        return ""
    below, above = record.value - record.ci_low, record.ci_high - record.value
    if math.isclose(below, above, rel_tol=1e-6, abs_tol=1e-12 * abs(record.value)):
        rounded = float(f"{above:.1e}")
        return f"± {rounded:#.2g}" if rounded < 10 else f"± {significant(rounded, digits)}"
    return f"[{significant(record.ci_low, digits)}, {significant(record.ci_high, digits)}]"


def caption(records: Sequence[Record], level: object = None) -> str:
    """One sentence on what the numbers are."""
    weighted = any(record.weight_sum != record.n for record in records)
    meaning = {
        "mean": f"{'weighted ' if weighted else ''}mean of the loss per datum",
        "sum": f"{'weighted ' if weighted else ''}sum of the losses",
        "root-mean": f"root of the {'weighted ' if weighted else ''}mean over the data",
        "root-sum": f"root of the {'weighted ' if weighted else ''}sum over the data",
        "max": "largest loss of a datum",
        "median": f"{'weighted ' if weighted else ''}median of the losses of the data",
        "pooled": "made of sums over all data",
    }
    parts = list(dict.fromkeys(meaning.get(record.reduction, record.reduction) for record in records))
    sentence = "; ".join(parts)
    if any(record.ci_low is not None for record in records):
        sentence += f", ± half the width of its {level_text(level)}normal interval"
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _table(
    records: Sequence[Record], digits: int, level: object, width: int | None, color: bool, marked: Sequence[int]
) -> str:
    columns = columns_for_people(records, digits, level)
    bad = [position for position, record in enumerate(records) if record.status != "ok"]
    table = drawing.table(columns, width=width, marked=[*marked, *bad])
    return drawing.draw([table, "", drawing.words(caption(records, level), "dim")], width=width, color=color)


def _markdown(records: Sequence[Record], digits: int, level: object) -> str:
    columns = columns_for_people(records, digits, level)
    return markdown_table(columns) + f"\n{caption(records, level)}\n"


def markdown_table(columns: Sequence[drawing.Column]) -> str:
    """A table in Markdown, its columns padded so that the source reads as a table too."""
    grid = [[markdown(text) for text in (column.heading, *column.cells)] for column in columns]
    widths = [max(3, *(len(text) for text in texts)) for texts in grid]
    lines = []
    for row in zip(*grid):
        cells = (
            text.rjust(size) if column.number else text.ljust(size) for text, size, column in zip(row, widths, columns)
        )
        lines.append(f"| {' | '.join(cells)} |")
    rule = ("-" * (size - 1) + ":" if column.number else "-" * size for size, column in zip(widths, columns))
    lines.insert(1, f"| {' | '.join(rule)} |")
    return "".join(f"{line}\n" for line in lines)


def _latex(records: Sequence[Record], digits: int, level: object) -> str:
    columns = columns_for_people(records, digits, level)
    lines = [f"% {caption(records, level)}", "% Needs \\usepackage{booktabs}."]
    lines += [f"\\begin{{tabular}}{{{''.join('r' if column.number else 'l' for column in columns)}}}", r"\toprule"]
    lines.append(" & ".join(latex(column.heading) for column in columns) + r" \\")
    lines.append(r"\midrule")
    for row in zip(*(column.cells for column in columns)):
        cells = (latex_number(cell) if column.number else latex(cell) for cell, column in zip(row, columns))
        lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    return "".join(f"{line}\n" for line in lines)


def latex_number(text: str) -> str:
    """A rounded number as mathematics, so that its minus and its power of ten are set as such.

    Example:
        >>> latex_number("-1.5e-07"), latex_number("inf"), latex_number("1,000")
        ('$-1.5 \\\\times 10^{-7}$', '$\\\\infty$', '$1{,}000$')
    """
    if not text or text == "nan":
        return text
    text = re.sub(r"e([+-]\d+)", lambda power: rf" \times 10^{{{int(power[1])}}}", text)
    text = re.sub(r"(?<=\d),(?=\d)", "{,}", text)
    return f"${text.replace('inf', chr(92) + 'infty').replace('±', chr(92) + 'pm')}$"
