"""Marks: keyed digests by which notices are seen to have something in common.

Of who signed, how to reach them, where the content is, and of fingerprints; nobody reads any of it
from them without the server's secret. They serve two ends: a person who writes twice is joined to
her own case, and reviewers are shown patterns of bad faith.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from egide.desk.fold import CaseState
from egide.desk.notices import Location
from egide.desk.views import Pattern
from egide.fingerprint import FingerprintType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egide.db import Connection
    from egide.desk.means import Means
    from egide.fingerprint import Fingerprint

WHO: Final = ("signer", "contact")
WHAT: Final = ("target", "print")
MOST_LISTED: Final = 20
MANY_REFUSED: Final = 3
_DAY: Final = 86_400_000

Mark = tuple[str, bytes]


def marks_of(
    means: Means,
    *,
    signature: str = "",
    contact: Mapping[str, str] | None = None,
    locations: Iterable[Location] = (),
    fingerprints: Iterable[Fingerprint] = (),
) -> list[Mark]:
    """The marks of what was sent in, each once."""
    told: list[tuple[str, str]] = []
    if signature:
        told.append(("signer", " ".join(signature.casefold().split())))
    reached = [(contact or {}).get(key) for key in ("email", "phone")]
    told += [("contact", "".join(each.casefold().split())) for each in reached if each]
    told += [("target", each) for place in locations for each in same_place(place)]
    told += [("print", f.hex) for f in fingerprints if f.type is FingerprintType.PDQ]
    return [(kind, means.digest(f"mark {kind}", text)) for kind, text in dict.fromkeys(told)]


def same_place(place: Location) -> tuple[str, ...]:
    """What a location is known by: an id, or an address without what does not change the page."""
    if place.url is None:
        return (f"id {place.content_id}",)
    parts = urlsplit(place.url)
    host = (parts.hostname or "").removeprefix("www.")
    return (f"at {host}{parts.path.rstrip('/')}?{parts.query}",)


def add_marks(connection: Connection, number: str, marks: Iterable[Mark]) -> None:
    """Adds marks to a case."""
    connection.executemany(
        "INSERT INTO desk_mark (number, kind, digest) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(number, kind, digest) for kind, digest in marks],
    )


def same_case(connection: Connection, number: str) -> str | None:
    """The oldest open notice of the same person about the same picture, if there is one.

    The same person: signed alike, or the same contact. The same picture: a fingerprint or a
    location in common. Only a case that nobody has decided: what is found again later is new. Only
    one that comes no later in the queue, by the same law: joined, nothing may lose its clock or its
    place. Orders stand alone.
    """
    row = connection.execute(
        "SELECT c.number FROM desk_case c WHERE c.number <> ? AND c.kind = 'notice'"
        " AND c.state = ? AND c.joined IS NULL AND c.pending IS NULL"
        " AND EXISTS (SELECT 1 FROM desk_case n WHERE n.number = ?"
        "  AND n.jurisdiction = c.jurisdiction AND n.tier >= c.tier AND n.deadline >= c.deadline)"
        " AND NOT EXISTS (SELECT 1 FROM desk_event e WHERE e.number IN (c.number, ?) AND e.seq = 0"
        '  AND e.data LIKE \'%"sender":"authority"%\')'
        " AND EXISTS (SELECT 1 FROM desk_mark a JOIN desk_mark b"
        "  ON b.kind = a.kind AND b.digest = a.digest"
        "  WHERE a.number = ? AND b.number = c.number AND a.kind IN ('signer', 'contact'))"
        " AND EXISTS (SELECT 1 FROM desk_mark a JOIN desk_mark b"
        "  ON b.kind = a.kind AND b.digest = a.digest"
        "  WHERE a.number = ? AND b.number = c.number AND a.kind IN ('target', 'print'))"
        " ORDER BY c.opened, c.number LIMIT 1",
        (number, CaseState.OPEN, number, number, number, number),
    ).fetchone()
    return None if row is None else str(row[0])


def patterns_of(connection: Connection, number: str) -> tuple[Pattern, ...]:
    """What a notice has in common with others, and how many of those were refused.

    Notices joined to this one, or to the same one, are not counted: they are one person's.
    """
    found = []
    for kind in (*WHO, *WHAT, "origin"):
        rows = connection.execute(
            _ORIGIN if kind == "origin" else _MARK,
            (number, number, number) if kind == "origin" else (kind, number, number, number),
        ).fetchall()
        if rows:
            refused = sum(bool(row["refused"]) for row in rows)
            cases = tuple(row["number"] for row in rows[:MOST_LISTED])
            found.append(Pattern(kind, len(rows), refused, cases))
    who = [each for each in found if each.kind in (*WHO, "origin")]
    if most := max((each.refused for each in who), default=0):
        found.append(Pattern("refused", most, most))
    return tuple(found)


_REFUSED: Final = (
    "EXISTS (SELECT 1 FROM desk_event e WHERE e.number = c.number AND e.kind = 'effective'"
    ' AND e.data LIKE \'%"outcome":"refuse"%\') AS refused'
)
_APART: Final = (
    "c.number <> ? AND coalesce(c.joined, c.number) <>"
    " (SELECT coalesce(s.joined, s.number) FROM desk_case s WHERE s.number = ?)"
)
_MARK: Final = (
    f"SELECT DISTINCT c.number, c.opened, {_REFUSED} FROM desk_mark a JOIN desk_mark b"  # noqa: S608
    " ON b.kind = a.kind AND b.digest = a.digest JOIN desk_case c ON c.number = b.number"
    f" WHERE a.kind = ? AND a.number = ? AND {_APART} ORDER BY c.opened DESC, c.number LIMIT 500"
)
_ORIGIN: Final = (
    f"SELECT c.number, c.opened, {_REFUSED} FROM desk_case c"  # noqa: S608
    " WHERE c.origin = (SELECT o.origin FROM desk_case o WHERE o.number = ?)"
    f" AND {_APART} ORDER BY c.opened DESC, c.number LIMIT 500"
)


def crowded(connection: Connection, origin: bytes, now: int, most: int) -> bool:
    """Whether a network has sent more than `most` notices in the last day."""
    (count,) = connection.execute(
        "SELECT count(*) FROM desk_case WHERE origin = ? AND opened > ?", (origin, now - _DAY)
    ).fetchone()
    return int(count) >= most
