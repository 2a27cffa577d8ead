"""All that is held about whoever sent a notice, for that person (GDPR art. 15 and 20).

What others said is not hers: the words of an uploader, what reviewers noted for one another. Nor
is where else copies were found: it would lead whoever guessed a PIN to them. Both are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from egide.desk.banking import given, taken
from egide.desk.erasing import stops_copies
from egide.desk.events import THE_DESK, THE_PERSON, THE_UPLOADER, Event, EventKind, iso
from egide.desk.fold import CaseState
from egide.desk.log import Log
from egide.errors import CaseErased

if TYPE_CHECKING:
    from egide.desk.casebook import Casebook, CaseRow, Writing

SCHEMA: Final = "egide.export/1"
_OURS: Final = frozenset(
    {
        EventKind.RECEIVED,
        EventKind.ASKED,
        EventKind.COMPLETED,
        EventKind.ACCEPTED,
        EventKind.FOUND,
        EventKind.EFFECTIVE,
        EventKind.TOLD,
        EventKind.ACKNOWLEDGED,
        EventKind.APPEALED,
        EventKind.APPEAL_DECIDED,
        EventKind.REVERSED,
        EventKind.RESTORED,
        EventKind.WITHDRAWN,
        EventKind.REVEALED,
        EventKind.LETTER,
        EventKind.ERASED,
    }
)
"""What she is told, and who looked at what identifies her; not how reviewers shared the work, nor
whether the case is in the escalation lane."""
_WORDS: Final = frozenset(
    {EventKind.RECEIVED, EventKind.ASKED, EventKind.EFFECTIVE, EventKind.REVERSED}
)
"""Events whose words were hers, or for her."""


def exported(book: Casebook, number: str) -> dict[str, Any]:
    """All that is held about whoever sent the notice of this case: `egide.export/1`.

    Times are ISO 8601, UTC. CaseNotFound.
    """
    with book.reading() as reading:
        row, _ = reading.case(number)
        events = reading.events(number)
        try:
            personal, prints = reading.personal(number), reading.prints(number)
            erased = False
        except CaseErased:
            personal, prints, erased = {}, [], True
        log = Log()
        shown = [each for each in events if each.kind in _OURS or _is_hers(each)]
        return {
            "schema": SCHEMA,
            "case": number,
            "jurisdiction": row.jurisdiction,
            "language": events[0].told.get("language", "en"),
            "state": str(CaseState.OPEN if row.state is CaseState.ESCALATED else row.state),
            "opened": iso(row.opened),
            "erased": erased,
            "events": [
                {
                    "number": each.seq,
                    "at": iso(each.at),
                    "event": str(each.kind),
                    "by": _who(each),
                    "leaf": (log.leaf(reading.connection, number, each.seq) or (None,))[0],
                    "words": personal.get(each.seq, {}) if _is_told(each, events) else {},
                }
                for each in shown
            ],
            "fingerprints": given(taken(prints)),
            "stops_copies": stops_copies(reading.connection, number),
            "copies": _copies(reading, row),
            "digests": _digests(reading, row),
            "left_out": {
                "what others said": sum(
                    each.sealed is not None and not _is_told(each, events) for each in events
                ),
            },
        }


def readable(held: dict[str, Any]) -> str:
    """The same as text, in the language of the case."""
    from egide.desk.export_text import written  # noqa: PLC0415  reads catalogues

    return written(held)


def _is_hers(event: Event) -> bool:
    return event.kind is EventKind.NOTE and event.actor == THE_PERSON


def _is_told(event: Event, events: Sequence[Event]) -> bool:
    """Whether the words of an event are hers, or for her; `events` are all of the case."""
    if event.kind is EventKind.APPEALED:
        return bool(event.told["by"] == "notifier")
    if event.kind is EventKind.APPEAL_DECIDED:
        return all(_is_told(events[seq], events) for seq in event.told["appeals"])
    return event.kind in _WORDS or _is_hers(event)


def _who(event: Event) -> str:
    """Whose doing it was, without a name: reviewers are one."""
    if event.kind is EventKind.RECEIVED or event.actor == THE_PERSON:
        return "you"
    known = {THE_DESK: "the desk", THE_UPLOADER: "the uploader"}
    platform = event.kind in (EventKind.ACKNOWLEDGED, EventKind.TOLD)
    return known.get(event.actor, "the platform" if platform else "a reviewer")


def _copies(reading: Writing, row: CaseRow) -> dict[str, int]:
    """How many copies are known, by their state."""
    rows = reading.connection.execute(
        "SELECT state, count(*) FROM desk_copy WHERE number = ? GROUP BY state ORDER BY state",
        (row.number,),
    ).fetchall()
    return dict(rows)


def _digests(reading: Writing, row: CaseRow) -> dict[str, int]:
    """How many keyed digests are kept by which cases are seen to have something in common."""
    rows = reading.connection.execute(
        "SELECT kind, count(*) FROM desk_mark WHERE number = ? GROUP BY kind ORDER BY kind",
        (row.number,),
    ).fetchall()
    return dict(rows)
