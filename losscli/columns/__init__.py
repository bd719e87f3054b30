"""Which column serves which role of a loss: as asked for, else by names and values, never by a silent guess."""

from __future__ import annotations

from losscli.columns.roles import Assignment, Call, assign, select

__all__ = ["Assignment", "Call", "assign", "select"]
