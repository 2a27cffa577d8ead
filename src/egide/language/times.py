"""Times in words, in a person's language."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal


def moment(at: datetime, language: str) -> str:
    """`at` in words with the time of day and its zone, such as `Tuesday 3 March 2026, 14:05 UTC`.

    ValueError for a time without a zone.
    """
    from babel.dates import format_datetime  # noqa: PLC0415  reads large tables

    if at.tzinfo is None:
        raise ValueError("a time without a zone tells no moment")
    pattern = "EEEE d MMMM y, HH:mm 'UTC'"
    said: str = format_datetime(at.astimezone(UTC), pattern, locale=language.replace("-", "_"))
    return said


def day(at: datetime, language: str) -> str:
    """The day of `at` in UTC, in words, such as `3 March 2026`."""
    from babel.dates import format_date  # noqa: PLC0415  reads large tables

    said: str = format_date(at.astimezone(UTC), "d MMMM y", locale=language.replace("-", "_"))
    return said


def duration(seconds: float, language: str) -> str:
    """How long that is, in one unit, such as `47 hours`; always positive."""
    from babel.dates import format_timedelta  # noqa: PLC0415  reads large tables

    unit: Literal["hour", "minute"] = "hour" if abs(seconds) >= 3600 else "minute"
    said: str = format_timedelta(
        timedelta(seconds=max(60.0, abs(seconds))),
        granularity=unit,
        threshold=72 if unit == "hour" else 60,
        locale=language.replace("-", "_"),
    )
    return said
