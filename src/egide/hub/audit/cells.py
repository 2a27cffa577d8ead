"""Cells of tables that a spreadsheet opens: others wrote the text, and it may be a formula."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def safe_cell(cell: T) -> T | str:
    """`cell`, which a spreadsheet shall show and not compute: formulas begin with an apostrophe."""
    if isinstance(cell, str) and (
        cell[:1] in ("\t", "\r", "\n") or cell.lstrip()[:1] in ("=", "+", "-", "@", "|")
    ):
        return f"'{cell}"
    return cell
