"""Costs as the messages of build servers: annotations of GitHub Actions and JUnit XML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from losscli.errors import escape
from losscli.report.text import full, significant
from losscli.result import Record


def github(records: Sequence[Record], failures: Mapping[int, str], digits: int) -> str:
    """One annotation a record: an error where a gate stops it, a warning where it is not finite, else a notice.

    A job's summary is another file: ``losscli compute ... -f md >> "$GITHUB_STEP_SUMMARY"``.
    """
    lines = []
    for position, record in enumerate(records):
        level = "error" if position in failures else "notice" if record.status == "ok" else "warning"
        properties = [f"file={_property(record.file)}"] if record.file else []
        properties.append(f"title={_property(_name(record))}")
        text = f"{record.reduction} {significant(record.value, digits)} (n = {record.n:,})"
        if position in failures:
            text = f"{record.loss} {failures[position]} (n = {record.n:,})"
        lines.append(f"::{level} {','.join(properties)}::{_data(text)}\n")
    return "".join(lines)


def junit(records: Sequence[Record], failures: Mapping[int, str]) -> str:
    """A test suite with a case for each record, its numbers as output; a gate that stops it is a failure."""
    counts = f'tests="{len(records)}" failures="{len(failures)}" errors="0"'
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="losscli" {counts}>',
        f'  <testsuite name="losscli" {counts}>',
    ]
    for position, record in enumerate(records):
        case = f'    <testcase classname="{_xml(record.file or "data")}" name="{_xml(_name(record))}">'
        lines.append(case)
        if position in failures:
            lines.append(f'      <failure message="{_xml(failures[position])}"/>')
        numbers = f"{record.reduction} {full(record.value)}, n {record.n}, skipped {record.n_skipped}"
        lines.append(f"      <system-out>{_xml(f'{numbers}, {record.signature}')}</system-out>")
        lines.append("    </testcase>")
    lines += ["  </testsuite>", "</testsuites>"]
    return "".join(f"{line}\n" for line in lines)


def _name(record: Record) -> str:
    group = [f"{name}={full(value)}" for name, value in record.group.items()]
    return " ".join([record.loss, *([record.pred] if record.pred else []), *group])


def _data(text: str) -> str:
    return escape(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _xml(text: str) -> str:
    from xml.sax.saxutils import escape as entities

    return entities(escape(text), {'"': "&quot;"})
