"""Creators' own works: marked with a signature, so that false notices about them are seen as such.

A mark is the text of a JSON object, `egide.work/1`, that names a content of the platform or carries
fingerprints; it is signed by the creator's own key (Ed25519), and sent by a key of the platform,
which vouches for the creator. What is marked goes into the allow bank `own-work`. A mark is shown
to reviewers and makes a removal take a second one. It is never a bar to it: once a removal holds,
marks and clearances of the same picture are withdrawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from egide.bank import Draft
from egide.bank.adding import add_drafts
from egide.desk.banking import forget_erased, set_entries
from egide.desk.copies import prints_of
from egide.desk.means import CLEARED, NOTICES, OWN_WORK
from egide.desk.notices import MOST_CONTENT_ID, fingerprints_of, line_of
from egide.errors import BankNotFound, EntryNotFound, WrongField
from egide.fingerprint import DEFAULT_THRESHOLD, Fingerprint, FingerprintType
from egide.identity import Principal, Scope
from egide.match import EntryState

if TYPE_CHECKING:
    from egide.desk.means import Means

SCHEMA: Final = "egide.work/1"
MOST_MARK: Final = 32_768
_PUBLIC_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64
_FIELDS: Final = frozenset({"schema", "content_id", "fingerprints", "creator", "made"})


@dataclass(frozen=True, slots=True)
class Work:
    """A work that was marked: the entry of the bank `own-work`, and the content if one is named."""

    entry: str
    content_id: str | None
    new: bool

    def to_json(self) -> dict[str, Any]:
        """The work as the platform is told."""
        return {"entry": self.entry, "content_id": self.content_id, "new": self.new}


class Works:
    """The marks of creators."""

    def __init__(self, means: Means) -> None:
        self._means = means

    def mark(self, principal: Principal, mark: str, signature: str, public_key: str) -> Work:
        """Marks a work as its creator's own; NotAllowed, WrongField.

        `signature`, of the bytes of `mark`, and `public_key` are hexadecimal. What shows a picture
        that a decision removed cannot be marked.
        """
        principal.require(Scope.WORK_WRITE)
        verify(mark, signature, public_key)
        said = _read(mark)
        content = line_of(said.get("content_id"), "mark.content_id", MOST_CONTENT_ID) or None
        prints = list(fingerprints_of(said.get("fingerprints")))
        if content is not None:
            kept = self._means.hosted.at([content], [])
            prints += prints_of(self._means, [entry for entry, _ in kept])
        if not prints:
            raise WrongField("mark", "nothing is kept of its content, and it has no fingerprints")
        if self._removed(prints):
            raise WrongField("mark", "it shows what was decided to be removed; appeal against that")
        bank = self._means.bank(OWN_WORK)
        with self._means.book.writing() as writing:
            ref = self._means.digest("work", public_key.lower())[:8].hex()
            draft = Draft(tuple(dict.fromkeys(prints)), ref=ref)
            (added,) = add_drafts(writing.connection, bank.number, bank.key, [draft])
            writing.connection.execute(
                "INSERT INTO desk_work (entry, claimant, content, mark, signature, public, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (entry) DO NOTHING",
                (
                    added.entry,
                    principal.actor,
                    content,
                    mark,
                    bytes.fromhex(signature),
                    bytes.fromhex(public_key),
                    writing.now,
                ),
            )
        return Work(added.entry, content, added.new)

    def unmark(self, principal: Principal, entry: str) -> None:
        """Takes a mark back, as the key that set it; EntryNotFound."""
        principal.require(Scope.WORK_WRITE)
        with self._means.book.writing() as writing:
            row = writing.connection.execute(
                "DELETE FROM desk_work WHERE entry = ? AND claimant = ? RETURNING entry",
                (entry[:40], principal.actor),
            ).fetchone()
            if row is None:
                raise EntryNotFound(f"{entry[:40]!r}; this key has marked no such work")
            set_entries(writing, [row["entry"]], EntryState.WITHDRAWN)
        forget_erased(self._means, [OWN_WORK])

    def _removed(self, prints: Sequence[Fingerprint]) -> bool:
        """Whether a decision holds that these fingerprints are to go."""
        asked = [each for each in prints if each.type is not FingerprintType.LOCAL]
        found = self._means.bank(NOTICES).search(asked, DEFAULT_THRESHOLD) if asked else []
        return any(each.state is EntryState.ACTIVE for each in found)


def verify(mark: str, signature: str, public_key: str) -> None:
    """WrongField unless `signature` is that of the bytes of `mark` under `public_key` (Ed25519)."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  slow, rare
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415
        Ed25519PublicKey,
    )

    if not isinstance(mark, str) or len(mark) > MOST_MARK:
        raise WrongField("mark", f"it must be a text of up to {MOST_MARK:,} characters")
    try:
        text = mark.encode()
    except UnicodeEncodeError:
        raise WrongField("mark", "it holds half a character, which no text has") from None
    public = _bytes(public_key, "public_key", _PUBLIC_BYTES)
    signed = _bytes(signature, "signature", _SIGNATURE_BYTES)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signed, text)
    except (InvalidSignature, ValueError):
        raise WrongField("signature", "it is not that of this mark under this key") from None


def allowing(means: Means, prints: Sequence[Fingerprint]) -> list[str]:
    """Entries of the desk's allow banks that show what these fingerprints are of."""
    found: dict[str, None] = {}
    asked = [each for each in prints if each.type is not FingerprintType.LOCAL]
    for name in (CLEARED, OWN_WORK):
        try:
            bank = means.banks.named(name)
        except BankNotFound:
            continue
        if asked:
            found |= dict.fromkeys(each.entry for each in bank.search(asked, DEFAULT_THRESHOLD))
    return list(found)


def _read(mark: str) -> Mapping[str, Any]:
    try:
        said = json.loads(mark)
    except (ValueError, RecursionError):
        raise WrongField("mark", "it is no JSON") from None
    if not isinstance(said, dict) or said.get("schema") != SCHEMA:
        raise WrongField("mark", f"it must be an object with the schema {SCHEMA}")
    if unknown := set(said) - _FIELDS:
        raise WrongField("mark", f"it has {sorted(unknown)[0][:40]!r}, which is no field of a mark")
    return said


def _bytes(digits: object, name: str, length: int) -> bytes:
    try:
        value = bytes.fromhex(digits) if isinstance(digits, str) else b""
    except ValueError:
        value = b""
    if len(value) != length:
        raise WrongField(name, f"it must be {2 * length} hexadecimal digits")
    return value
