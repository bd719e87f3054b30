"""Records, rows and pages as text: pure functions, and the only place that draws with Rich."""

from __future__ import annotations

from losscli.report.catalogue import catalogue
from losscli.report.costs import cost_bytes, costs
from losscli.report.formats import format_for
from losscli.report.inspection import inspection
from losscli.report.page import page
from losscli.report.rows import row_writer

__all__ = ["catalogue", "cost_bytes", "costs", "format_for", "inspection", "page", "row_writer"]
