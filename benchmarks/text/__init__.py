"""Screening text: recall, false positives, disguises and speed; see LABELLING.md for the sets."""

from benchmarks.text.measure import run

__all__ = ["run"]
