"""JSON Lines: one verdict a line, schema `egide.verdict/1` (`verdict.schema.json`)."""

from __future__ import annotations

from typing import TextIO

from egide.report.clean import json_text
from egide.report.reporter import Summary
from egide.verdict import Verdict


class JsonLines:
    """Writes each verdict as it comes, and at once, so that a pipe never waits."""

    def __init__(self, out: TextIO, *, reveal: bool = False) -> None:
        self._out = out
        self._reveal = reveal

    def verdict(self, verdict: Verdict) -> None:
        """Writes one line."""
        self._out.write(json_text(verdict.to_json(reveal=self._reveal), self._out) + "\n")
        self._out.flush()

    def finish(self, summary: Summary) -> None:  # noqa: ARG002  the lines say it all
        """Writes nothing more."""
        self._out.flush()
