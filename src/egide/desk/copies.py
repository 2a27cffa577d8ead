"""Copies: found in the library, told to the platform, acknowledged, put back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from egide.bank.entry import parse_entry_id
from egide.bank.local_query import features_of
from egide.desk.events import THE_DESK, EventKind
from egide.desk.fold import CaseState
from egide.desk.laws import laws
from egide.desk.means import OWN_WORK
from egide.desk.notices import Location
from egide.desk.numbers import new_copy
from egide.desk.turned import turned
from egide.errors import BankNotFound, EntryNotFound
from egide.fingerprint import DEFAULT_THRESHOLD, Fingerprint, FingerprintType

if TYPE_CHECKING:
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.means import Means
    from egide.match import Match
    from egide.records import Content

LOCATED: Final = "located"
IDENTICAL: Final = "identical"
SIMILAR: Final = "similar"
SCREENED: Final = "screened"
KEPT: Final = '"kept"'
"""In the evidence of a copy whose entry was forgotten: that the library had it."""
MOST_EXPANDED: Final = 20
"""Pictures whose parts are looked for: an alignment takes some ten milliseconds."""
MOST_TURNED: Final = 32
"""Hashes that are looked up turned and mirrored too."""
WAYS: Final = 8
MOST_COPIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """A copy to be added to a case; `entry` is the library's, if it is there."""

    how: str
    content_id: str | None
    content_url: str | None
    entry: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Search:
    """What the library is searched for."""

    fingerprints: tuple[Fingerprint, ...]
    locations: tuple[Location, ...]
    threshold: int


def search(means: Means, asked: Search) -> list[Found]:
    """Every copy: where the notice says it is, what is identical to it, and parts of those.

    What was given, and what the library keeps of the places that were named, is compared by PDQ;
    then the same turned and mirrored; then the local features of all that was found are used to
    find crops and edits.
    """
    named = {place: kept_at(means, place) for place in asked.locations}
    found: dict[str, Found] = {}
    for place, kept in named.items():
        if not kept:
            _add(found, Found(LOCATED, place.content_id, place.url))
        for entry, content in kept:
            _add(found, Found(LOCATED, content.content_id, content.content_url or place.url, entry))
    known = [entry for kept in named.values() for entry, _ in kept]
    prints = [*asked.fingerprints, *prints_of(means, known)]
    whole = [each for each in prints if each.type is not FingerprintType.LOCAL]
    laid = [other for each in _upright(asked, whole) for other in turned(each)]
    for copy in _near(means, whole, asked.threshold, IDENTICAL):
        _add(found, copy)
        known.append(copy.entry or "")
    for copy in _near(means, laid, asked.threshold, SIMILAR):
        _add(found, replace(copy, evidence={**copy.evidence, "edit": "turned"}))
    for copy in _parts(means, list(dict.fromkeys(known))):
        _add(found, copy)
    return [_with_owner(means, copy) for copy in list(found.values())[:MOST_COPIES]]


def _upright(asked: Search, whole: Sequence[Fingerprint]) -> list[Fingerprint]:
    """The hashes of which it is worth looking up how else their pictures may lie.

    Whoever sends as many as there are ways to lay a picture has sent those.
    """
    given = {each for each in asked.fingerprints if each.type is FingerprintType.PDQ}
    hashes = [each for each in whole if each.type is FingerprintType.PDQ]
    if len(given) >= WAYS:
        hashes = [each for each in hashes if each not in given]
    return hashes[:MOST_TURNED]


def _near(
    means: Means, fingerprints: Sequence[Fingerprint], threshold: int, how: str
) -> Iterable[Found]:
    """Hosted content within `threshold` bits of a fingerprint, nearest first."""
    for copy in means.hosted.copies(means.libraries(), fingerprints, threshold):
        match, content = copy.match, copy.content
        told = {"method": str(match.type), "distance": match.distance, "edit": match.edit}
        yield Found(how, content.content_id or None, content.content_url, match.entry, told)


def _with_owner(means: Means, copy: Found) -> Found:
    """The copy, with a word of it when it shows what a creator has marked as their own."""
    try:
        bank = means.banks.named(OWN_WORK)
    except BankNotFound:
        return copy
    prints = [] if copy.entry is None else prints_of(means, [copy.entry])
    asked = [each for each in prints if each.type is not FingerprintType.LOCAL]
    found = bank.search(asked, DEFAULT_THRESHOLD) if asked else []
    if not found:
        return copy
    return replace(copy, evidence={**copy.evidence, "own_work": found[0].entry})


def prints_of(means: Means, entries: Sequence[str]) -> list[Fingerprint]:
    """The fingerprints of library entries that are still there."""
    found: list[Fingerprint] = []
    for entry in entries:
        try:
            found += means.home.bank_of(entry).entry(entry).fingerprints
        except EntryNotFound:
            continue
    return list(dict.fromkeys(found))


def _add(found: dict[str, Found], copy: Found) -> None:
    """Adds a content once, as what it was found to be first: that is the nearest."""
    found.setdefault(name_of(copy.content_id, copy.content_url, copy.entry), copy)


def name_of(content_id: str | None, url: str | None, entry: str | None) -> str:
    """By what a content is known: its id, else its address, else the library's entry."""
    return f"id {content_id}" if content_id else f"at {url}" if url else f"as {entry}"


def kept_at(means: Means, place: Location) -> list[tuple[str, Content]]:
    """What the library keeps of a place, also where its address is written otherwise."""
    if place.url is None:
        return means.hosted.at([place.content_id or ""], [])
    return means.hosted.at([], _spellings(place.url))


def _spellings(url: str) -> list[str]:
    """An address, and how else the same one may be written."""
    plain = url.partition("#")[0]
    bare = plain.partition("?")[0].rstrip("/")
    found = [url, plain, bare, f"{bare}/"]
    for each in list(found):
        scheme, _, rest = each.partition("://")
        found.append(f"{'http' if scheme.lower() == 'https' else 'https'}://{rest}")
    return list(dict.fromkeys(found))


def _parts(means: Means, entries: Sequence[str]) -> Iterable[Found]:
    """Hosted pictures that share a part with those that these entries are of."""
    records = [
        each.value
        for each in prints_of(means, entries[:MOST_EXPANDED])
        if each.type is FingerprintType.LOCAL
    ][:MOST_EXPANDED]
    queries = []
    for record in records:
        try:
            queries.append(features_of(record))
        except ValueError:  # banked by an import that was not checked
            continue
    if not queries:
        return
    for bank in means.libraries():
        for match in bank.align(queries):
            yield from _aligned(means, match)


def _aligned(means: Means, match: Match) -> Iterable[Found]:
    number = parse_entry_id(match.entry)[1]
    alignment = match.alignment
    told: dict[str, Any] = {
        "method": "local",
        "alignment": round(alignment.score, 1) if alignment else None,
        "coverage": round(alignment.coverage, 2) if alignment else None,
    }
    if alignment is not None and alignment.mirrored:
        told["edit"] = "mirror"
    contents = means.hosted.contents([number]).get(number)
    if contents is None:
        yield Found(SIMILAR, match.ref or None, None, match.entry, told)
        return
    for content in contents:
        yield Found(SIMILAR, content.content_id, content.content_url, match.entry, told)


def covered(how: str, jurisdiction: str) -> bool:
    """Whether a copy found so must go by this law when its original must."""
    return how != SIMILAR or laws()[jurisdiction].copies.rule == "similar"


def found_since(writing: Writing, number: str, seq: int) -> list[str]:
    """The copies of a case that were found after its event `seq`, which so is not about them."""
    return [
        str(copy)
        for event in writing.events(number)[seq + 1 :]
        if event.kind is EventKind.FOUND and "state" not in event.told
        for copy in event.told["copies"]
    ]


def owned(writing: Writing, row: CaseRow) -> frozenset[str]:
    """The copies of a case that a creator has marked as their own work."""
    rows = writing.connection.execute(
        "SELECT c.id FROM desk_copy c WHERE c.number = ? AND (c.evidence LIKE '%\"own_work\"%'"
        " OR EXISTS (SELECT 1 FROM desk_work w WHERE w.content = c.content_id))",
        (row.number,),
    ).fetchall()
    return frozenset(each["id"] for each in rows)


def kept_entries(writing: Writing, row: CaseRow, copies: Sequence[str]) -> list[str]:
    """The library's entries of these copies, each once."""
    rows = writing.connection.execute(
        "SELECT id, entry FROM desk_copy WHERE number = ? AND entry IS NOT NULL ORDER BY id",
        (row.number,),
    ).fetchall()
    wanted = set(copies)
    return list(dict.fromkeys(each["entry"] for each in rows if each["id"] in wanted))


def frozen(writing: Writing, content_id: str | None) -> str | None:
    """The case in the escalation lane that holds a content: no other shows it meanwhile."""
    row = writing.connection.execute(
        "SELECT number FROM desk_case WHERE content_id = ? AND state = ?"
        " UNION SELECT c.number FROM desk_copy f JOIN desk_case c ON c.number = f.number"
        " WHERE f.content_id = ? AND c.state = ? ORDER BY number LIMIT 1",
        (content_id, CaseState.ESCALATED, content_id, CaseState.ESCALATED),
    ).fetchone()
    return None if row is None else str(row["number"])


def add_copies(
    writing: Writing,
    number: str,
    found: Iterable[Found],
    *,
    actor: str = THE_DESK,
    state: str | None = None,
) -> list[str]:
    """Adds copies to a case that are not there yet, and tells so by one event; their ids.

    Not what a case in the escalation lane holds.
    """
    rows = writing.connection.execute(
        "SELECT content_id, content_url, entry FROM desk_copy WHERE number = ?", (number,)
    ).fetchall()
    there = {name_of(*row) for row in rows}
    folded = writing.case(number)[1]
    stands = folded.before if folded.state is CaseState.APPEALED else folded.state
    decided = stands in (CaseState.DECIDED, CaseState.REMOVED)
    fresh = int(decided and state is None)
    added: list[str] = []
    hows: dict[str, int] = {}
    for copy in found:
        name = name_of(copy.content_id, copy.content_url, copy.entry)
        if name in there or (copy.content_id and frozen(writing, copy.content_id)):
            continue
        there.add(name)
        added.append(new_copy())
        hows[copy.how] = hows.get(copy.how, 0) + 1
        writing.connection.execute(
            "INSERT INTO desk_copy (id, number, content_id, content_url, entry, how, evidence,"
            " state, found, fresh) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                added[-1],
                number,
                copy.content_id,
                copy.content_url,
                copy.entry,
                copy.how,
                json.dumps(dict(copy.evidence)),
                state or "found",
                writing.now,
                fresh,
            ),
        )
    if added:
        told = {"copies": added, "how": hows} | ({"state": state} if state else {})
        writing.append(number, EventKind.FOUND, actor, told)
    return added
