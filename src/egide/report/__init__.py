"""Writes verdicts down: a table for a terminal, JSON Lines, a page in HTML, SARIF."""

from __future__ import annotations

from egide.report.baseline import Baseline
from egide.report.reporter import FORMATS, Reporter, Summary, make_reporter

__all__ = ["FORMATS", "Baseline", "Reporter", "Summary", "make_reporter"]
