"""Every error égide raises, in one tree.

    EgideError
    ├── UsageError                 what the caller asked for cannot be done (exit code 2)
    │   ├── PolicyError            a policy file is not valid; names file and line
    │   ├── BankNotFound           no bank of that name in this home
    │   ├── BankExists             a bank of that name is already there
    │   ├── EntryNotFound          no such entry in any bank of this home
    │   ├── KeyNotFound            no API key of that name that still works
    │   ├── KeyExists              an API key of that name is at work
    │   ├── AccountNotFound        no account of that name
    │   ├── AccountExists          an account of that name is already there
    │   ├── WebhookNotFound        no webhook with that id
    │   ├── CaseNotFound           no such case, or another PIN: which of both is not told
    │   ├── CaseStands             the case's state does not allow it (HTTP 409)
    │   ├── WrongField             a field of a notice or a decision is malformed; names it
    │   ├── AddressRefused         an address that nothing is sent to or fetched from
    │   ├── GazetteerError         the file is no gazetteer, or one of another version, or no dump
    │   ├── LexiconError           a lexicon of the text screening is wrong; names file and class
    │   ├── ArchiveError           a backup is damaged, hostile, or of another version
    │   └── ImportFormatError      a fingerprint list cannot be read; names file and line
    ├── StorageError               the database or the index cannot be used
    │   ├── StorageFull            its disk has no room (HTTP 507)
    │   └── AlreadyThere           what must be unique is there already
    ├── SandboxError               uploads cannot be read in processes of their own
    ├── AccessError                whoever asked may not have it
    │   ├── NotAuthenticated       no key, no session, or none that holds (HTTP 401)
    │   ├── NotAllowed             known, but without the scope or role for it (HTTP 403)
    │   └── TooManyAttempts        wrong passwords or codes; says how long to wait (HTTP 429)
    ├── CaseErased                 what was personal in a case is gone, with its key
    ├── ContentUnavailable         what a content source does not hand over (HTTP 502)
    ├── LogError                   a log, a checkpoint or a proof is not what it should be
    ├── Busy                       too much is under way; the same works a little later (HTTP 503)
    └── ItemError                  something in one item; goes into its verdict, never stops a scan
        ├── UnreadableItem         the operating system refused to hand over the bytes
        ├── EmptyItem              zero bytes
        ├── UnknownContent         the name promises a picture, the bytes are none
        ├── UnknownRecord          a record among listings or texts is neither
        ├── MissingCodec           the format is known, its library is not installed
        ├── CorruptItem            the bytes break the rules of their own format
        ├── TruncatedItem          the end is missing
        ├── PolyglotItem           the bytes are a second file of another kind too
        ├── UnsafeItem             a model file that would run code when it is loaded
        ├── DetectorFailed         a detector raised something it should not have
        ├── DecoderDied            the process that read the item ended while it did
        └── LimitExceeded
            ├── TooManyBytes
            ├── TooManyPixels
            ├── TooManyFrames
            ├── TooManyScans       a progressive JPEG with more passes than any camera writes
            ├── TooManyStreams     a video file with more streams than are read
            ├── TooLong            a video of more hours than are read
            ├── TooMuchTime
            └── TooMuchMemory      more than the process that reads uploads may have

The first line of each class's docstring is its message; the instance adds what and what to do.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import ClassVar


class EgideError(Exception):
    """égide could not go on."""

    def __init__(self, detail: str = "") -> None:
        headline = (self.__doc__ or "").strip().splitlines()[0].rstrip(".")
        self.detail = detail
        super().__init__(f"{headline}: {detail}" if detail else headline)

    def __reduce__(self) -> tuple[type[EgideError], tuple[object, ...]]:
        """Pickles by the detail: the headline would stand twice in the copy's message."""
        return type(self), (self.detail,)


class UsageError(EgideError):
    """Wrong usage."""


class PolicyError(UsageError):
    """The policy is not valid."""


class BankNotFound(UsageError):
    """No such bank."""


class BankExists(UsageError):
    """The bank already exists."""


class EntryNotFound(UsageError):
    """No such entry."""


class KeyNotFound(UsageError):
    """No such API key."""


class KeyExists(UsageError):
    """The API key already exists."""


class AccountNotFound(UsageError):
    """No such account."""


class AccountExists(UsageError):
    """The account already exists."""


class WebhookNotFound(UsageError):
    """No such webhook."""


class CaseNotFound(UsageError):
    """No such case."""


class CaseStands(UsageError):
    """The case stands otherwise."""


class WrongField(UsageError):
    """A field is malformed.

    `field` is its path, such as `locations.2`.
    """

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field

    def __reduce__(self) -> tuple[type[WrongField], tuple[str, str]]:
        """Pickles with the field."""
        return type(self), (self.field, self.detail)


class AddressRefused(UsageError):
    """The address must not be used."""


class GazetteerError(UsageError):
    """The gazetteer cannot be used."""


class LexiconError(UsageError):
    """The lexicon is not valid."""


class ArchiveError(UsageError):
    """The backup cannot be used."""


class ImportFormatError(UsageError):
    """The fingerprint list cannot be read."""


class StorageError(EgideError):
    """The bank's storage cannot be used."""


class StorageFull(StorageError):
    """The disk is full."""


class SandboxError(EgideError):
    """The sandbox cannot be used."""


class AccessError(EgideError):
    """Access was refused."""


class NotAuthenticated(AccessError):
    """Who asks is not known."""


class NotAllowed(AccessError):
    """This is not allowed."""


class TooManyAttempts(AccessError):
    """Too many attempts.

    `seconds` says how long to wait before the next one.
    """

    def __init__(self, detail: str = "", seconds: int = 0) -> None:
        super().__init__(detail)
        self.seconds = seconds

    def __reduce__(self) -> tuple[type[TooManyAttempts], tuple[str, int]]:
        """Pickles with the time to wait."""
        return type(self), (self.detail, self.seconds)


class AlreadyThere(StorageError):
    """It is there already."""


class CaseErased(EgideError):
    """What was personal in the case was erased."""


class ContentUnavailable(EgideError):
    """The content could not be fetched."""


class LogError(EgideError):
    """The record does not hold."""


class Busy(EgideError):
    """Too much is under way."""


class ItemError(EgideError):
    """The item cannot be read.

    `code` is the stable word that verdicts carry in `errors[].error`.
    """

    code: ClassVar[str] = "item"


class UnreadableItem(ItemError):
    """The item could not be opened."""

    code = "unreadable"


class EmptyItem(ItemError):
    """The item is empty."""

    code = "empty"


class UnknownContent(ItemError):
    """The content is no known format."""

    code = "unknown-content"


class UnknownRecord(ItemError):
    """The record is of no known shape."""

    code = "unknown-record"


class MissingCodec(ItemError):
    """The library for this format is not installed."""

    code = "missing-codec"


class CorruptItem(ItemError):
    """The item is corrupt."""

    code = "corrupt"


class TruncatedItem(ItemError):
    """The item is truncated."""

    code = "truncated"


class PolyglotItem(ItemError):
    """The item is two files in one."""

    code = "polyglot"


class UnsafeItem(ItemError):
    """The item would run code when loaded."""

    code = "unsafe"


class DetectorFailed(ItemError):
    """The detector failed."""

    code = "detector-failed"


class DecoderDied(ItemError):
    """The item broke its decoder."""

    code = "decoder-died"


class LimitExceeded(ItemError):
    """The item is over a limit."""

    code = "limit"


class TooManyBytes(LimitExceeded):
    """The item has too many bytes."""

    code = "too-many-bytes"


class TooManyPixels(LimitExceeded):
    """The item has too many pixels."""

    code = "too-many-pixels"


class TooManyFrames(LimitExceeded):
    """The item has too many frames."""

    code = "too-many-frames"


class TooManyScans(LimitExceeded):
    """The JPEG has too many scans."""

    code = "too-many-scans"


class TooManyStreams(LimitExceeded):
    """The video has too many streams."""

    code = "too-many-streams"


class TooLong(LimitExceeded):
    """The video is too long."""

    code = "too-long"


class TooMuchTime(LimitExceeded):
    """The item took too long."""

    code = "too-much-time"


class TooMuchMemory(LimitExceeded):
    """The item took too much memory."""

    code = "too-much-memory"


def storage_error(path: Path, error: OSError, remedy: str) -> StorageError:
    """What `error` is, met when the file at `path` was written."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    kind = StorageFull if full else StorageError
    return kind(f"{path}: {error.strerror}; {remedy}")


def item_error(code: str, detail: str) -> ItemError:
    """The ItemError that has `code`; a bare one when none has."""
    kinds = [ItemError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return next((kind for kind in kinds if kind.code == code), ItemError)(detail)
