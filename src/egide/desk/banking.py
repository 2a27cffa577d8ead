"""What the desk puts into its banks for a case, and takes out again, in the case's own write."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from egide.bank import Draft
from egide.bank.adding import add_drafts
from egide.bank.entry import parse_entry_id, withdraw_entry
from egide.errors import StorageError
from egide.fingerprint import Fingerprint, FingerprintType
from egide.match import EntryState

if TYPE_CHECKING:
    from egide.bank import Bank
    from egide.desk.casebook import Writing
    from egide.desk.means import Means

_log: Final = logging.getLogger(__name__)


def bank_prints(
    means: Means,
    writing: Writing,
    number: str,
    bank: Bank,
    sets: Iterable[Sequence[Fingerprint]],
    state: EntryState,
) -> list[str]:
    """Adds an entry for each set of fingerprints to a bank of the desk; their ids.

    What is there already for this case stays as it is.
    Entries name no case: whoever reads the bank sees digests that are alike for one case.
    """
    ref = means.digest("entry", number)[:8].hex()
    drafts = [Draft(tuple(each), ref=ref, state=state) for each in sets if each]
    added = add_drafts(writing.connection, bank.number, bank.key, drafts)
    writing.connection.executemany(
        "INSERT INTO desk_entry (entry, number) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(each.entry, number) for each in added],
    )
    return [each.entry for each in added]


def entries_of(writing: Writing, number: str) -> list[str]:
    """The entries of a case, those that were withdrawn too."""
    rows = writing.connection.execute(
        "SELECT entry FROM desk_entry WHERE number = ? ORDER BY entry", (number,)
    ).fetchall()
    return [row["entry"] for row in rows]


def set_entries(writing: Writing, entries: Iterable[str], state: EntryState) -> list[str]:
    """Makes entries `active`, `disputed` or `withdrawn`; those that were changed.

    Withdrawn ones are erased, for good: `forget_erased` takes them out of the index files.
    """
    changed = []
    for entry in entries:
        seq = parse_entry_id(entry)[1]
        row = writing.connection.execute("SELECT state FROM entry WHERE seq = ?", (seq,)).fetchone()
        if row is None or row["state"] in (EntryState.WITHDRAWN, state):
            continue
        if state is EntryState.WITHDRAWN:
            withdraw_entry(writing.connection, seq)
        else:
            writing.connection.execute(
                "UPDATE entry SET state = ?, changed = ? WHERE seq = ?",
                (state, writing.now // 1000, seq),
            )
        changed.append(entry)
    return changed


def forget_erased(means: Means, names: Iterable[str]) -> None:
    """Writes what was withdrawn out of this machine's index files, and out of the database's log.

    From the withdrawal's commit on nothing matches it; this lets nothing of it lie about. What
    cannot be done now, as when another process reads for long, is done later, by `Bank.refresh` and
    `Upkeep`: what was committed is no error for whoever asked for it.
    """
    try:
        for name in names:
            means.bank(name).store_index()
        means.book.scrub()
    except StorageError as error:
        means.book.lingers = True
        _log.error("what was withdrawn is not taken out of all files yet: %s", error)


def given(fingerprints: Iterable[Fingerprint]) -> list[dict[str, Any]]:
    """Fingerprints as they are sealed."""
    return [{"type": str(each.type), "value": each.hex} for each in fingerprints]


def taken(prints: Iterable[dict[str, Any]]) -> list[Fingerprint]:
    """What `given` was made of."""
    return [Fingerprint.from_hex(FingerprintType(each["type"]), each["value"]) for each in prints]


def prints_within(writing: Writing, entry: str) -> list[Fingerprint]:
    """The fingerprints of an entry, in the writing's own transaction; none when it is gone."""
    rows = writing.connection.execute(
        "SELECT type, value, quality, edit, at, span FROM fingerprint"
        " WHERE entry = ? AND type NOT LIKE '-%' ORDER BY seq",
        (parse_entry_id(entry)[1],),
    ).fetchall()
    return [
        Fingerprint(FingerprintType(each["type"]), bytes(each["value"]), *tuple(each)[2:])
        for each in rows
    ]
