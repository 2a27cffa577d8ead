"""How the desk is set up."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final, Self, get_args

from egide.desk.laws import Jurisdiction
from egide.errors import UsageError

MOST_UNDO_SECONDS: Final = 86_400
MOST_ACK_HOURS: Final = 24 * 31
MOST_NAME: Final = 80
SECOND_FROM: Final = 20


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """How the desk works.

    Attributes:
        undo_seconds: how long a decision can be taken back before it has an effect.
        ack_hours: within how many hours the platform says that a copy is gone.
        second_from: a removal of more contents than this takes a second reviewer.
        platform: what pages and letters call the platform.
        jurisdiction: whose law is shown first, and taken where a notice names none.
        url: where people reach the desk's pages, without a slash at the end.
    """

    undo_seconds: float = 60
    ack_hours: float = 24
    second_from: int = SECOND_FROM
    platform: str = "this platform"
    jurisdiction: str = "EU"
    url: str = "http://127.0.0.1:8080"

    @classmethod
    def from_environment(cls, url: str | None = None) -> Self:
        """What the variables say; `url` is where the service listens. UsageError."""
        usual = cls()
        jurisdiction = os.environ.get("EGIDE_DESK_JURISDICTION") or usual.jurisdiction
        if jurisdiction not in get_args(Jurisdiction):
            raise UsageError(
                f"EGIDE_DESK_JURISDICTION {jurisdiction[:20]!r} is none of "
                f"{', '.join(get_args(Jurisdiction))}"
            )
        platform = os.environ.get("EGIDE_DESK_PLATFORM") or usual.platform
        if len(platform) > MOST_NAME or not platform.isprintable():
            raise UsageError(
                f"EGIDE_DESK_PLATFORM must be a name of up to {MOST_NAME} printable characters"
            )
        return cls(
            undo_seconds=_number(
                "EGIDE_DESK_UNDO_SECONDS", usual.undo_seconds, 0, MOST_UNDO_SECONDS
            ),
            ack_hours=_number("EGIDE_DESK_ACK_HOURS", usual.ack_hours, 0.001, MOST_ACK_HOURS),
            second_from=int(_number("EGIDE_DESK_SECOND_FROM", usual.second_from, 0, 1_000_000)),
            platform=platform,
            jurisdiction=jurisdiction,
            url=(os.environ.get("EGIDE_PUBLIC_URL") or url or usual.url).rstrip("/"),
        )


def _number(name: str, usual: float, least: float, most: float) -> float:
    text = os.environ.get(name)
    if not text:
        return usual
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:  # also refuses what is not a number
        raise UsageError(f"{name} must be a number from {least:g} to {most:g}")
    return value
