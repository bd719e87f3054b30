"""Which format an output has: by the option ``--format``, by the suffix of its file, or by what it is written to."""

from __future__ import annotations

import os
import stat

from losscli.errors import UsageError, escape, shown

AUTO = "auto"
# The formats that a suffix may stand for; the first is meant where --format says nothing else.
SUFFIXES: dict[str, tuple[str, ...]] = {
    ".csv": ("csv",),
    ".tsv": ("tsv",),
    ".txt": ("plain", "table", "github"),
    ".json": ("json",),
    ".jsonl": ("jsonl",),
    ".ndjson": ("jsonl",),
    ".md": ("md",),
    ".tex": ("latex",),
    ".xml": ("junit",),
    ".parquet": ("parquet",),
    ".arrow": ("arrow",),
    ".feather": ("arrow",),
}
BINARY = ("parquet", "arrow")
# Formats for the verdict on a cost; a row has no verdict.
VERDICTS = ("github", "junit")


def format_for(path: str | None, format: str | None = None, *, per_datum: bool = False) -> str:
    """The format of an output.

    Args:
        path: the output file; None or ``-`` for standard output.
        format: what ``--format`` says; None or ``auto`` for nothing.
        per_datum: whether rows are written rather than costs.

    Returns:
        A format, or ``auto`` where neither the name nor the option decides: standard output.

    Raises:
        UsageError: an unknown suffix, none where it is needed, or one that disagrees with the option.

    Example:
        >>> format_for("costs.tex"), format_for("costs.txt", "table"), format_for(None)
        ('latex', 'table', 'auto')
    """
    format = format or AUTO
    chosen = format if path in (None, "-") else _for_file(str(path), format)
    if per_datum and chosen in VERDICTS:
        raise UsageError(f"the format {chosen} is for costs, not for the loss of each row", hint="use csv or jsonl.")
    return chosen


def _for_file(path: str, format: str) -> str:
    suffix = os.path.splitext(path)[1].lower()
    if not suffix:
        if format == AUTO and not _is_stream(path):
            raise UsageError(f"{escape(path)} has no suffix", hint="give it one, such as .csv, or add --format.")
        return "tsv" if format == AUTO else format
    if suffix not in SUFFIXES:
        raise UsageError(f"{escape(path)}: the suffix {shown(suffix)} is unknown", hint=f"use {_listed(SUFFIXES)}.")
    meant = SUFFIXES[suffix]
    if format == AUTO:
        return meant[0]
    if format not in meant:
        raise UsageError(f"{escape(path)} is to hold {meant[0]} by its suffix, but --format says {format}")
    return format


def _is_stream(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or path.startswith("/dev/")


def _listed(words: dict[str, tuple[str, ...]]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}"
