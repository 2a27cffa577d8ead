"""What a decision does once it holds: copies are told to go, or to come back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from egide.desk.asks import words_of
from egide.desk.banking import prints_within
from egide.desk.copies import SCREENED
from egide.desk.events import THE_DESK, EventKind, iso
from egide.desk.laws import laws
from egide.desk.numbers import new_code
from egide.desk.statement import Medium
from egide.desk.statement_cases import RemovedCopy, letters_told
from egide.desk.statement_store import record
from egide.fingerprint import FingerprintType

if TYPE_CHECKING:
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.means import Means

HOUR: Final = 3_600_000
_DAY: Final = 24 * HOUR
APPEAL: Final = "appeal"
_LOCATED: Final = "located"
_SHOWS: Final = (FingerprintType.PDQ, FingerprintType.LOCAL, FingerprintType.SSCD)
"""Fingerprints of pictures, or of a video's frames."""
TOLD: Final = ("told", "overdue", "removed", "gone", "refused")
"""States of copies that the platform was told to remove."""


def remove_copies(
    means: Means,
    writing: Writing,
    row: CaseRow,
    copies: Sequence[str],
    reasons: Sequence[str],
) -> None:
    """Tells the platform to remove copies, each by a message of its own.

    The uploader is told the reasons in our words. What a reviewer wrote is for the person who sent
    the notice, and may speak of it.
    """
    if not copies:
        return
    due = writing.now + int(means.settings.ack_hours * HOUR)
    first = writing.events(row.number)[0].told
    for copy in copies:
        content_id, url, how, entry = writing.connection.execute(
            "UPDATE desk_copy SET state = 'told', told = ?, due = ?, ended = NULL, fresh = 0"
            " WHERE id = ? RETURNING content_id, content_url, how, entry",
            (writing.now, due, copy),
        ).fetchone()
        code = new_code()
        ends = writing.now + laws()[row.jurisdiction].appeal_days * _DAY
        writing.connection.execute(
            "INSERT INTO desk_code (digest, kind, number, copy, veiled, expires)"
            " VALUES (?, ?, ?, ?, 0, ?)",
            (means.digest("code", code), APPEAL, row.number, copy, ends),
        )
        # Behind the number sign: browsers do not send it, so that no log has it.
        appeal_url = f"{means.settings.url}/appeal#{code}"
        removed = RemovedCopy(
            jurisdiction=row.jurisdiction,
            reasons=reasons,
            content_id=content_id,
            content_url=url,
            how=how,
            at=writing.now,
            sender=None if row.kind == "screening" else first["sender"],
            flagger=bool(first.get("flagger")),
            appeal_url=appeal_url,
            appeal_until=ends,
            medium=medium_of(writing, first, how, entry),
        )
        record(writing.connection, removed, writing.now)
        told = {
            **_about(row, copy, content_id, url, due),
            "statement": statement(writing, row, reasons, how),
            "appeal_url": appeal_url,
            "letters": letters_told(removed, means.settings.platform),
        }
        writing.tell("content.remove", told)
    writing.append(row.number, EventKind.TOLD, THE_DESK, {"copies": list(copies), "due": due})


def held(writing: Writing, number: str) -> list[str]:
    """The reasons of the last decision on a case that took effect."""
    events = [each for each in writing.events(number) if each.kind is EventKind.EFFECTIVE]
    return list(events[-1].told["reasons"]) if events else []


def restore_copies(
    means: Means,
    writing: Writing,
    row: CaseRow,
    reasons: Sequence[str],
    only: str | None = None,
) -> list[str]:
    """Tells the platform to put back what it was told to remove; the copies."""
    rows = writing.connection.execute(
        "SELECT id, content_id, content_url, state FROM desk_copy WHERE number = ? ORDER BY id",
        (row.number,),
    ).fetchall()
    wanted = [each for each in rows if each["state"] in TOLD and only in (None, each["id"])]
    due = writing.now + int(means.settings.ack_hours * HOUR)
    for each in wanted:
        writing.connection.execute(
            "UPDATE desk_copy SET state = 'restoring', told = ?, due = ?, ended = NULL"
            " WHERE id = ?",
            (writing.now, due, each["id"]),
        )
        told = {
            **_about(row, each["id"], each["content_id"], each["content_url"], due),
            "reasons": list(reasons),
            "texts": texts(reasons),
        }
        writing.tell("content.restore", told)
    ids = [each["id"] for each in wanted]
    if ids:
        writing.append(row.number, EventKind.RESTORED, THE_DESK, {"copies": ids, "due": due})
    return ids


def medium_of(writing: Writing, first: dict[str, Any], how: str, entry: str | None) -> Medium:
    """What a copy is: as screening saw it, or as the library keeps it; else not known.

    `first` is what the case began with, `entry` the library's.
    """
    if how == SCREENED:
        item = first.get("item")
        return Medium(item) if item in tuple(Medium) else Medium.OTHER
    prints = [] if entry is None else prints_within(writing, entry)
    if any(each.at is not None or each.type is FingerprintType.VIDEO_MD5 for each in prints):
        return Medium.VIDEO
    return Medium.IMAGE if any(each.type in _SHOWS for each in prints) else Medium.OTHER


def statement(writing: Writing, row: CaseRow, reasons: Sequence[str], how: str) -> dict[str, Any]:
    """What article 17 of the DSA has the uploader told, without a word of who sent the notice."""
    first = writing.events(row.number)[0].told
    screened = row.kind == "screening"
    return {
        "restriction": "removal",
        "scope": "worldwide",
        "reasons": list(reasons),
        "texts": texts(reasons),
        "legal_ground": laws()[row.jurisdiction].legal_ground,
        "automated_detection": screened or how != _LOCATED,
        "automated_decision": False,
        "source": "voluntary"
        if screened
        else "order"
        if first["sender"] == "authority"
        else "trusted_flagger"
        if first.get("flagger")
        else "notice",
    }


def texts(reasons: Sequence[str]) -> dict[str, str]:
    """The words of the reasons in both languages."""
    return {each: words_of(tuple(reasons), "", each) for each in ("en", "fr")}


def _about(
    row: CaseRow, copy: str, content_id: str | None, url: str | None, due: int
) -> dict[str, Any]:
    return {
        "case": row.number,
        "copy": copy,
        "content_id": content_id,
        "content_url": url,
        "jurisdiction": row.jurisdiction,
        "deadline": iso(min(due, row.deadline) if row.deadline > row.opened else due),
    }
