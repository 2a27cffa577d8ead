"""The time that a case has left, in words: how the page says it, and how the script goes on."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

Words = Callable[[str], str]
"""What says an English text in the reader's language."""

HOUR_MS: Final = 3_600_000
URGENT_MS: Final = 6 * HOUR_MS
SOON_MS: Final = 24 * HOUR_MS


class Pressure(StrEnum):
    """How near a deadline is."""

    OVER = "over"
    URGENT = "urgent"
    SOON = "soon"
    CALM = "calm"
    PAUSED = "paused"
    NONE = "none"


def pressure(due: int | None, now: int, *, paused: bool = False) -> Pressure:
    """How near `due` is at `now`, both in milliseconds since 1970."""
    if due is None:
        return Pressure.NONE
    if paused:
        return Pressure.PAUSED
    for limit, found in (
        (0, Pressure.OVER),
        (URGENT_MS, Pressure.URGENT),
        (SOON_MS, Pressure.SOON),
    ):
        if due - now < limit:
            return found
    return Pressure.CALM


def left(due: int, now: int, _: Words) -> str:
    """How long `due` is ahead or past at `now`, such as `4 h 05 min left`."""
    text = _("{} over") if due < now else _("{} left")
    return text.replace("{}", amount(abs(due - now), _))


def amount(milliseconds: int, _: Words) -> str:
    """A length of time in its two largest units; console.js says it alike."""
    seconds = milliseconds // 1000
    days, hours, minutes = (seconds // unit for unit in (86_400, 3_600, 60))
    if days:
        return f"{days}\xa0{_('d')} {hours % 24}\xa0{_('h')}"
    if hours:
        return f"{hours}\xa0{_('h')} {minutes % 60:02}\xa0{_('min')}"
    return f"{minutes}\xa0{_('min')}" if minutes else f"{seconds}\xa0{_('s')}"
