"""Every error égide raises, in one tree.

    EgideError
    ├── UsageError                 what the caller asked for cannot be done (exit code 2)
    │   ├── PolicyError            a policy file is not valid; names file and line
    │   ├── BankNotFound           no bank of that name in this home
    │   ├── BankExists             a bank of that name is already there
    │   ├── EntryNotFound          no such entry in any bank of this home
    │   ├── GazetteerError         the file is no gazetteer, or one of another version, or no dump
    │   ├── LexiconError           a lexicon of the text screening is wrong; names file and class
    │   └── ImportFormatError      a fingerprint list cannot be read; names file and line
    ├── StorageError               the database or the index cannot be used
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
        └── LimitExceeded
            ├── TooManyBytes
            ├── TooManyPixels
            ├── TooManyFrames
            ├── TooManyScans       a progressive JPEG with more passes than any camera writes
            ├── TooManyStreams     a video file with more streams than are read
            ├── TooLong            a video of more hours than are read
            └── TooMuchTime

The first line of each class's docstring is its message; the instance adds what and what to do.
"""

from __future__ import annotations

from typing import ClassVar


class EgideError(Exception):
    """égide could not go on."""

    def __init__(self, detail: str = "") -> None:
        headline = (self.__doc__ or "").strip().splitlines()[0].rstrip(".")
        self.detail = detail
        super().__init__(f"{headline}: {detail}" if detail else headline)

    def __reduce__(self) -> tuple[type[EgideError], tuple[str]]:
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


class GazetteerError(UsageError):
    """The gazetteer cannot be used."""


class LexiconError(UsageError):
    """The lexicon is not valid."""


class ImportFormatError(UsageError):
    """The fingerprint list cannot be read."""


class StorageError(EgideError):
    """The bank's storage cannot be used."""


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
