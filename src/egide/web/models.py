"""The JSON that routes other than scanning take and give, as pydantic models."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from egide.errors import UsageError
from egide.fingerprint import DEFAULT_THRESHOLD, MAX_THRESHOLD, Fingerprint, FingerprintType
from egide.match import EntryState, Purpose
from egide.outbox.outbox import EVENT

PDQ_EXAMPLE: Final = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
MOST_FINGERPRINTS: Final = 1000
MOST_DIGITS: Final = 20_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GivenFingerprint(_Strict):
    """A fingerprint that was made elsewhere."""

    model_config = ConfigDict(extra="forbid", title="Fingerprint")

    type: FingerprintType = Field(examples=["pdq"])
    hash: str = Field(max_length=MOST_DIGITS, pattern="^[0-9a-fA-F]+$", examples=[PDQ_EXAMPLE])
    quality: int = Field(default=100, ge=0, le=100)

    def fingerprint(self) -> Fingerprint:
        """The fingerprint; ValueError when its value cannot be one."""
        return Fingerprint(self.type, bytes.fromhex(self.hash), self.quality)


Fingerprints = Annotated[list[GivenFingerprint], Field(min_length=1, max_length=MOST_FINGERPRINTS)]
Threshold = Annotated[int, Field(ge=0, le=MAX_THRESHOLD, description="Bits of 256.")]
Text = Annotated[str, Field(max_length=200)]


class MatchRequest(_Strict):
    """Fingerprints to be looked up, in all block and allow banks or in those named."""

    fingerprints: Fingerprints
    banks: list[str] | None = Field(default=None, max_length=100)
    threshold: Threshold = DEFAULT_THRESHOLD


class CopiesRequest(_Strict):
    """Fingerprints whose hosted copies are wanted."""

    fingerprints: Fingerprints
    threshold: Threshold = DEFAULT_THRESHOLD


class BankRequest(_Strict):
    """What a bank is for."""

    purpose: Purpose = Purpose.BLOCK


class EntryRequest(_Strict):
    """An entry to be added: fingerprints that were made elsewhere."""

    fingerprints: Fingerprints
    label: Text | None = None
    ref: Text | None = None


class StateRequest(_Strict):
    """How an entry is to stand."""

    state: EntryState


class Found(BaseModel):
    """A banked fingerprint near one of those asked for."""

    query: int = Field(description="Which of the fingerprints that were asked for, from 0.")
    bank: str = Field(examples=["known"])
    purpose: Purpose
    entry: str = Field(examples=["1f0c9a3e-5"])
    state: EntryState
    method: FingerprintType
    distance: int = Field(description="Bits of 256 in which two PDQ hashes differ; else 0.")
    edit: str = Field(examples=["none"], description="What was cut off before hashing.")
    label: str | None


class Matches(BaseModel):
    """Every match, by query, nearest first."""

    matches: list[Found]


class FoundCopy(BaseModel):
    """Hosted content that shows what was asked for."""

    content_id: str | None = Field(examples=["upload-4711"])
    content_url: str | None = Field(examples=["https://platform.example/p/4711"])
    bank: str = Field(examples=["library"])
    entry: str = Field(examples=["77aa03f1-912"])
    method: FingerprintType
    distance: int
    at: int | None = Field(description="Of a video: when its matching frame is shown, in ms.")


class Copies(BaseModel):
    """A page of copies, nearest first."""

    copies: list[FoundCopy]
    next: str | None = Field(description="Ask with `after` set to this for the next page.")


class Forgotten(BaseModel):
    """What was taken out of the library."""

    content_id: str
    withdrawn: list[str] = Field(description="The entries.", examples=[["77aa03f1-912"]])


class VerdictRecord(BaseModel):
    """A verdict as it is kept: without media, text, or the names of files."""

    id: str = Field(examples=["0199a3f0c1d24f4f4f4f4f4f4f4f4f4f"])
    at: int = Field(description="Milliseconds since 1970, UTC.")
    content_id: str | None = Field(examples=["upload-4711"])
    verdict: dict[str, Any] = Field(description="As it was answered, masked.")


class VerdictRecords(BaseModel):
    """A page of records, newest first."""

    verdicts: list[VerdictRecord]
    next: str | None = Field(description="Ask with `before` set to this for the next page.")


class BankShown(BaseModel):
    """A bank."""

    bank: str = Field(examples=["known"])
    purpose: Purpose
    created: int = Field(description="Seconds since 1970, UTC.")


class Banks(BaseModel):
    """A page of banks, by name."""

    banks: list[BankShown]
    next: str | None = Field(description="Ask with `after` set to this for the next page.")


class BankStats(BankShown):
    """A bank, counted."""

    entries: dict[str, int] = Field(description="By state.")
    fingerprints: dict[str, int] = Field(description="By type.")


class KeptFingerprint(BaseModel):
    """A fingerprint of an entry; its value only when it was asked to be revealed."""

    type: FingerprintType
    quality: int
    edit: str
    hash: str | None = None


class EntryShown(BaseModel):
    """An entry; times in seconds since 1970, UTC."""

    entry: str = Field(examples=["1f0c9a3e-5"])
    state: EntryState
    label: str | None
    ref: str | None = Field(description="Your reference; masked unless it is to be revealed.")
    added: int
    changed: int
    fingerprints: list[KeptFingerprint]


class Entries(BaseModel):
    """A page of entries, newest first."""

    entries: list[EntryShown]
    next: str | None = Field(description="Ask with `before` set to this for the next page.")


class AddedEntry(BaseModel):
    """What became of an entry: `new` is false when it was there already."""

    entry: str = Field(examples=["1f0c9a3e-5"])
    new: bool


class Imported(BaseModel):
    """What became of a list."""

    bank: str
    new: int
    known: int
    unreadable: int
    problems: list[str] = Field(description="Of the first lines that could not be read, why.")


Event = Annotated[str, Field(max_length=100, pattern=rf"^(\*|{EVENT})$")]


class WebhookRequest(_Strict):
    """Where to post, and which types of event; `*` for all."""

    url: str = Field(min_length=1, max_length=2000, examples=["https://hooks.example/egide"])
    events: list[Event] = Field(
        default=["*"], min_length=1, max_length=100, examples=[["verdict.block"]]
    )


class RotationRequest(_Strict):
    """How a webhook's secret is to be replaced."""

    overlap_hours: float = Field(
        default=24, ge=0, le=24 * 365, description="Hours for which the old one signs too."
    )


class WebhookShown(BaseModel):
    """A webhook; times in milliseconds since 1970, UTC."""

    webhook: str = Field(examples=["wh_4f9c21d07ab34f9c"])
    host: str = Field(examples=["https://hooks.example"])
    events: list[str] = Field(examples=[["verdict.block"]])
    created: int
    disabled: int | None = Field(description="Since when nothing is sent.")
    secrets: int = Field(description="How many sign each message.")


class NewWebhook(WebhookShown):
    """A webhook, with its secret this once."""

    secret: str = Field(examples=["whsec_…"])


class Webhooks(BaseModel):
    """All webhooks, oldest first; there are 100 at most."""

    webhooks: list[WebhookShown]


class NewSecret(BaseModel):
    """A webhook's new secret, this once."""

    webhook: str
    secret: str = Field(examples=["whsec_…"])


class DeliveryShown(BaseModel):
    """A message on its way to a webhook; times in milliseconds since 1970, UTC."""

    delivery: int
    message: str = Field(description="What the receiver sees as `webhook-id`.")
    type: str = Field(examples=["verdict.block"])
    webhook: str
    host: str
    state: str = Field(description="`waiting`, `delivered` or `dead`.")
    attempts: int
    due: int | None = Field(description="When it is tried next.")
    said: str = Field(description="How the last attempt ended.")
    changed: int


class Deliveries(BaseModel):
    """A page of deliveries, newest first."""

    deliveries: list[DeliveryShown]
    next: int | None = Field(description="Ask with `before` set to this for the next page.")


class Replayed(BaseModel):
    """A delivery that is sent again."""

    delivery: int


MATCH: Final = TypeAdapter(MatchRequest)
COPIES: Final = TypeAdapter(CopiesRequest)
BANK: Final = TypeAdapter(BankRequest)
ENTRY: Final = TypeAdapter(EntryRequest)
STATE: Final = TypeAdapter(StateRequest)
WEBHOOK: Final = TypeAdapter(WebhookRequest)
ROTATION: Final = TypeAdapter(RotationRequest)

SCHEMAS: Final[dict[str, Any]] = {
    "MatchRequest": MatchRequest,
    "CopiesRequest": CopiesRequest,
    "BankRequest": BankRequest,
    "EntryRequest": EntryRequest,
    "StateRequest": StateRequest,
    "Matches": Matches,
    "Copies": Copies,
    "Forgotten": Forgotten,
    "VerdictRecords": VerdictRecords,
    "VerdictRecord": VerdictRecord,
    "Banks": Banks,
    "BankShown": BankShown,
    "BankStats": BankStats,
    "Entries": Entries,
    "EntryShown": EntryShown,
    "AddedEntry": AddedEntry,
    "Imported": Imported,
    "WebhookRequest": WebhookRequest,
    "RotationRequest": RotationRequest,
    "WebhookShown": WebhookShown,
    "NewWebhook": NewWebhook,
    "Webhooks": Webhooks,
    "NewSecret": NewSecret,
    "Deliveries": Deliveries,
    "Replayed": Replayed,
}


def fingerprints_of(given: list[GivenFingerprint]) -> list[Fingerprint]:
    """The fingerprints; UsageError that names the one that cannot be."""
    found = []
    for number, each in enumerate(given):
        try:
            found.append(each.fingerprint())
        except ValueError as error:
            raise UsageError(f"fingerprints.{number}: {error}; send it in hexadecimal") from None
    return found
