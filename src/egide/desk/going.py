"""What a removal is about: the pictures that go, and which fingerprints show them.

A notice can name more than what is removed: what a reviewer left as it is, and what nobody has
seen. Only what shows a picture that goes blocks uploads, and takes copies along that turn up later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from egide.bank.entry import parse_entry_id
from egide.desk.banking import bank_prints, entries_of, prints_within, set_entries, taken
from egide.desk.closing import TOLD
from egide.desk.copies import LOCATED, SIMILAR, owned
from egide.desk.events import EventKind, earlier
from egide.desk.laws import laws
from egide.desk.means import NOTICES
from egide.desk.turned import turned
from egide.fingerprint import MIN_QUALITY, Fingerprint, FingerprintType
from egide.match import EntryState

if TYPE_CHECKING:
    from egide.desk.casebook import CaseRow, Writing
    from egide.desk.events import Event
    from egide.desk.means import Means
    from egide.desk.notices import Location

MOST_TURNED: Final = 32
"""Fingerprints of a notice of which it is looked up how else their pictures may lie."""
_ONES: Final = np.array([number.bit_count() for number in range(256)], np.uint8)


class Pictures:
    """Fingerprints of some pictures; others show the same within `threshold` bits of a PDQ hash."""

    def __init__(self, fingerprints: Iterable[Fingerprint], threshold: int) -> None:
        self._values = {(each.type, each.value) for each in fingerprints}
        self._threshold = threshold
        self._bits = _bits(fingerprints)

    def __bool__(self) -> bool:
        return bool(self._values)

    def show(self, fingerprint: Fingerprint) -> bool:
        """Whether a fingerprint is of one of them."""
        if (fingerprint.type, fingerprint.value) in self._values:
            return True
        if fingerprint.type is not FingerprintType.PDQ or not len(self._bits):
            return False
        bits = np.frombuffer(fingerprint.value, np.uint8)
        least = _ONES[self._bits ^ bits].sum(axis=1, dtype=np.int64).min()
        return bool(least <= self._threshold)

    def show_all(self, fingerprints: Sequence[Fingerprint]) -> bool:
        """Whether an entry is of them: every fingerprint of it, its local features apart."""
        whole = [each for each in fingerprints if each.type is not FingerprintType.LOCAL]
        return all(self.show(each) for each in whole or fingerprints) and bool(fingerprints)

    def show_any(self, fingerprints: Iterable[Fingerprint]) -> bool:
        """Whether a content is one of them, as a search says it: by any fingerprint of it."""
        return any(self.show(each) for each in fingerprints if each.quality >= MIN_QUALITY)


def going(
    writing: Writing,
    row: CaseRow,
    joined: Sequence[str],
    decided: Event,
    copies: Sequence[str],
    unseen: Sequence[str] = (),
) -> Pictures:
    """The pictures that go once a decision that `copies` are to go holds.

    They are what the library keeps of those copies and of such as were told to go before, and what
    was given of them when it was decided. Where the library keeps none of them, the reviewer has
    judged what was given by the place alone: all of that goes, but for what shows a copy that was
    left. `unseen` are copies that were found since, which nobody has left.
    """
    threshold = laws()[row.jurisdiction].copies.threshold
    rows = writing.connection.execute(
        "SELECT id, state, entry FROM desk_copy WHERE number = ? AND entry IS NOT NULL"
        " AND state <> 'blocked' ORDER BY id",
        (row.number,),
    ).fetchall()
    chosen, skipped = set(copies), set(unseen)
    go = {each["id"] for each in rows if each["id"] in chosen or each["state"] in TOLD}
    left = {each["id"] for each in rows} - go - skipped
    shown = _kept(writing, (each["entry"] for each in rows if each["id"] in go))
    given = [
        each for number in (row.number, *joined) for each in given_before(writing, number, decided)
    ]
    if shown:
        given = _laid(given, shown, threshold)
    else:
        others = Pictures(
            _kept(writing, (each["entry"] for each in rows if each["id"] in left)), threshold
        )
        given = [each for each in given if not others.show(each)]
    return Pictures([*shown, *given], threshold)


def gone(writing: Writing, row: CaseRow, joined: Sequence[str]) -> Pictures:
    """The pictures that go by the decisions on a case that hold: those that it blocks."""
    numbers = (row.number, *joined)
    prints = [each for number in numbers for _, held in active(writing, number) for each in held]
    return Pictures(prints, laws()[row.jurisdiction].copies.threshold)


def follow(
    writing: Writing,
    row: CaseRow,
    new: Sequence[str],
    pictures: Pictures,
    places: Sequence[Location],
    decisions: Sequence[Event],
    *,
    most: int,
    copies: Sequence[str] = (),
) -> list[str]:
    """Those of `new` copies that go under `decisions` on these pictures and places, unseen.

    Not what is only like them, what was named later, or what a creator marked: a person looks at
    that first. And none where with them, and with `copies`, over `most` would go that one reviewer
    alone has decided on.
    """
    named = {(each.content_id, each.url) for each in places}
    own = owned(writing, row)
    found = []
    for copy in new:
        how, content_id, url, entry = writing.connection.execute(
            "SELECT how, content_id, content_url, entry FROM desk_copy WHERE id = ?", (copy,)
        ).fetchone()
        if how == SIMILAR or copy in own:
            continue
        if entry is None:
            same = how == LOCATED and (content_id, url) in named
        else:
            same = pictures.show_any(prints_within(writing, entry))
        found += [copy] if same else []
    if any(each.told["second"] is not None for each in decisions):
        return found
    rows = writing.connection.execute(
        "SELECT id, state FROM desk_copy WHERE number = ?", (row.number,)
    ).fetchall()
    told = {each["id"] for each in rows if each["state"] in TOLD}
    return found if len({*told, *copies, *found}) <= most else []


def bank_given(means: Means, writing: Writing, number: str, pictures: Pictures) -> list[str]:
    """Has what came with a notice block, as far as it shows what goes; the entries that do so.

    Uploads that match what else it named still go to a person, as long as the notice stands. An
    entry of what was given that holds both becomes two.
    """
    bank = means.held(NOTICES)
    given = taken(writing.prints(number))
    entries = [(each, prints_within(writing, each)) for each in entries_of(writing, number)]
    there = {each for _, prints in entries for each in prints}
    blocking: list[str] = []

    def add(prints: Iterable[Fingerprint], *, others: bool) -> None:
        sets: tuple[list[Fingerprint], list[Fingerprint]] = [], []
        for each in prints:
            sets[pictures.show(each)].append(each)
        if others:
            bank_prints(means, writing, number, bank, sets[:1], EntryState.DISPUTED)
        blocking.extend(bank_prints(means, writing, number, bank, sets[1:], EntryState.ACTIVE))

    for entry, prints in entries:
        if pictures.show_all(prints):
            set_entries(writing, [entry], EntryState.ACTIVE)
            blocking.append(entry)
        elif set(prints) <= set(given) and any(pictures.show(each) for each in prints):
            set_entries(writing, [entry], EntryState.WITHDRAWN)
            add(prints, others=True)
    # Of a notice that was refused before, nothing is there.
    add((each for each in given if each not in there), others=not there)
    return blocking


def unblock(
    means: Means, writing: Writing, row: CaseRow, joined: Sequence[str], copies: Sequence[str]
) -> list[str]:
    """Has what shows copies that are put back block no more; the entries that were erased.

    Not what shows a copy that stays removed as well.
    """
    threshold = laws()[row.jurisdiction].copies.threshold
    rows = writing.connection.execute(
        "SELECT id, state, entry FROM desk_copy WHERE number = ? AND entry IS NOT NULL",
        (row.number,),
    ).fetchall()
    there = {each["id"]: each for each in rows if each["state"] in TOLD}
    back = [each["entry"] for each in there.values() if each["id"] in copies]
    stay = [each["entry"] for each in there.values() if each["id"] not in copies]
    theirs = Pictures(_kept(writing, back), threshold)
    others = Pictures(_kept(writing, stay), threshold)
    bank = means.held(NOTICES)
    erased: list[str] = []
    for number in (row.number, *joined):
        for entry, prints in active(writing, number):
            left = [each for each in prints if others.show(each) or not theirs.show(each)]
            if len(left) == len(prints):
                continue
            erased += set_entries(writing, [entry], EntryState.WITHDRAWN)
            if any(each.type is not FingerprintType.LOCAL for each in left):
                bank_prints(means, writing, number, bank, [left], EntryState.ACTIVE)
    return erased


def put_back_alone(writing: Writing, number: str) -> frozenset[str]:
    """The copies of a case that an appeal put back while others stayed removed, and are up again.

    Somebody has decided that they are none: they go only when they are named.
    """
    events = writing.events(number)
    alone: dict[str, bool] = {}
    for before, event in pairwise(events):
        if event.kind is EventKind.RESTORED:
            one = before.kind is not EventKind.REVERSED
            alone |= dict.fromkeys(event.told["copies"], one)
        elif event.kind is EventKind.TOLD:
            alone |= dict.fromkeys(event.told["copies"], False)
    return frozenset(copy for copy, one in alone.items() if one)


def given_before(writing: Writing, number: str, event: Event) -> list[Fingerprint]:
    """The fingerprints that came with a notice, and were added to it, before `event`."""
    events = writing.events(number)
    prints = writing.prints(number)
    return [
        each
        for told, each in zip(prints, taken(prints), strict=True)
        if "since" not in told or earlier(events[told["since"]], event)
    ]


def removals(writing: Writing, number: str) -> list[Event]:
    """The decisions that copies of a case go, of those that took effect, in their order."""
    found = []
    for event in writing.events(number):
        if event.kind is EventKind.EFFECTIVE and event.told["outcome"] in ("remove", "confirm"):
            # Of a case that was joined to another, the decision is the other's.
            theirs = writing.events(event.told.get("joined", number))
            found += [theirs[event.told["decision"]]] if theirs else []
    return found


def active(writing: Writing, number: str) -> list[tuple[str, list[Fingerprint]]]:
    """The entries of a case that block, with their fingerprints."""
    return [
        (entry, prints_within(writing, entry))
        for entry in entries_of(writing, number)
        if _state(writing, entry) == EntryState.ACTIVE
    ]


def _state(writing: Writing, entry: str) -> str | None:
    row = writing.connection.execute(
        "SELECT state FROM entry WHERE seq = ?", (parse_entry_id(entry)[1],)
    ).fetchone()
    return None if row is None else str(row["state"])


def _kept(writing: Writing, entries: Iterable[str]) -> list[Fingerprint]:
    """What the library keeps in these entries, each fingerprint once."""
    found: dict[Fingerprint, None] = {}
    for entry in dict.fromkeys(entries):
        found |= dict.fromkeys(prints_within(writing, entry))
    return list(found)


def _laid(
    given: Sequence[Fingerprint], shown: Sequence[Fingerprint], threshold: int
) -> list[Fingerprint]:
    """Those of `given` that show what is `shown`, however their pictures lie."""
    pictures = Pictures(shown, threshold)
    found = {each for each in given if pictures.show(each)}
    others = [each for each in given if each not in found]
    for each in [each for each in others if each.type is FingerprintType.PDQ][:MOST_TURNED]:
        if any(pictures.show(other) for other in turned(each)):
            found.add(each)
    hashes = [each for each in given if each in found and each.type is FingerprintType.PDQ]
    lying = [other for each in hashes[:MOST_TURNED] for other in turned(each)]
    others = [each for each in others if each not in found]
    found |= {each for each in others if Pictures(lying, threshold).show(each)}
    return [each for each in given if each in found]


def _bits(fingerprints: Iterable[Fingerprint]) -> np.ndarray:
    values = {
        each.value
        for each in fingerprints
        if each.type is FingerprintType.PDQ and each.quality >= MIN_QUALITY
    }
    return np.frombuffer(b"".join(sorted(values)), np.uint8).reshape(-1, 32)
