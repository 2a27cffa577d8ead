"""The JSON of `/v1/notices` and `/v1/copies` as the OpenAPI description has it.

Notices are read by `egide.desk.notices`, which says of each field what is wrong with it.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from egide.web.models import PDQ_EXAMPLE


class NoticeFingerprint(BaseModel):
    """A fingerprint that was made on the person's own device."""

    type: Literal["pdq", "sha256", "md5", "video_md5"]
    value: str = Field(examples=[PDQ_EXAMPLE], description="Hexadecimal.")


class NoticeLocation(BaseModel):
    """Where the content is; a text alone is taken for an address or an id."""

    url: str | None = Field(default=None, max_length=2000)
    content_id: str | None = Field(default=None, max_length=200)


class NoticeOrder(BaseModel):
    """An authority's order; it takes a key with `order:write`."""

    authority: str = Field(max_length=200)
    reference: str = Field(max_length=200)


class MoreRequest(BaseModel):
    """What is added to a notice: whatever there is of it."""

    model_config = ConfigDict(extra="forbid")

    words: str | None = Field(default=None, max_length=5000)
    statement: str | None = Field(default=None, max_length=10_000)
    good_faith: bool | None = Field(
        default=None, description="Whether the declarations of the law are made."
    )
    signature: str | None = Field(default=None, max_length=200)
    locations: list[str | NoticeLocation] | None = Field(default=None, max_length=100)
    fingerprints: list[NoticeFingerprint] | None = Field(default=None, max_length=256)
    contact: dict[str, str] | None = Field(
        default=None, examples=[{"email": "a@b.example", "safe_times": "in the morning"}]
    )
    declared: list[str] | None = Field(
        default=None, description="Which declarations are made; all when left out."
    )


class NoticeRequest(MoreRequest):
    """A notice. What a law requires and is missing is told in the answer: it is no error."""

    words: None = Field(default=None, exclude=True)
    jurisdiction: Literal["US", "UK", "GB", "EU", "FR"] | None = None
    role: Literal["self", "agent"] | None = None
    language: Literal["en", "fr"] | None = Field(default=None, description="Of letters.")
    order: NoticeOrder | None = None


class WordsRequest(BaseModel):
    """What is said in an appeal."""

    words: str = Field(max_length=5000)


class AcknowledgeRequest(BaseModel):
    """What became of a copy."""

    outcome: Literal["removed", "restored", "gone", "refused"]
    note: str | None = Field(default=None, max_length=1000)


class ReceiptShown(BaseModel):
    """A case was begun. The PIN is told this once."""

    case: str = Field(examples=["EG-7K3M-2QXV"])
    pin: str = Field(examples=["4711001234"])
    state: str = Field(examples=["open"])
    deadline: str = Field(examples=["2026-05-21T09:30:00Z"], description="ISO 8601, UTC.")
    missing: list[str] = Field(examples=[["signature"]], description="What the law requires.")


class HappenedShown(BaseModel):
    """One thing that happened."""

    at: str = Field(description="ISO 8601, UTC.")
    event: str = Field(examples=["accepted"])
    copies: int = Field(description="How many copies it was about.")
    places: int = Field(
        description="How many places that were named and are not known yet to have a copy."
    )


class OutcomeShown(BaseModel):
    """What was decided, and why."""

    at: str
    outcome: str = Field(examples=["remove"])
    reasons: list[str] = Field(examples=[["intimate_without_consent"]])
    text: str


class StatusShown(BaseModel):
    """How a case stands."""

    case: str = Field(examples=["EG-7K3M-2QXV"])
    state: str = Field(examples=["removed"])
    jurisdiction: str
    language: str
    opened: str
    deadline: str = Field(description="When the clock ends, ISO 8601, UTC.")
    paused: bool = Field(description="Whether the clock stands.")
    missing: list[str]
    asked: str = Field(description="What the desk asked for, in its words.")
    copies_found: int = Field(description="Copies that are known to be there, or to have been.")
    copies_removed: int
    places_named: int = Field(
        description="Places that were named beside, until it is known that a copy is there."
    )
    events: list[HappenedShown]
    outcome: OutcomeShown | None
    may: list[str] = Field(description="Of add, withdraw and appeal what can be done now.")
    order: bool


class WorkMarkRequest(BaseModel):
    """A creator's signed mark."""

    mark: str = Field(
        max_length=32_768,
        description="The text of a JSON object with `schema` egide.work/1, `content_id` or "
        "`fingerprints`, and, if wanted, `creator` and `made`.",
    )
    signature: str = Field(
        pattern="^[0-9a-fA-F]{128}$", description="Ed25519, of the bytes of `mark`."
    )
    public_key: str = Field(pattern="^[0-9a-fA-F]{64}$", description="The creator's.")


class WorkShown(BaseModel):
    """A work that was marked."""

    entry: str = Field(examples=["77aa03f1-912"])
    content_id: str | None
    new: bool


class CopyShown(BaseModel):
    """A copy, after what the platform said of it."""

    copy_: str = Field(alias="copy", examples=["cp_0f1e2d3c4b5a69788796a5b4"])
    state: str = Field(examples=["removed"])
    content_id: str | None
    content_url: str | None


SCHEMAS: Final[dict[str, Any]] = {
    "Notice": NoticeRequest,
    "More": MoreRequest,
    "Words": WordsRequest,
    "Acknowledge": AcknowledgeRequest,
    "Receipt": ReceiptShown,
    "Status": StatusShown,
    "Copy": CopyShown,
    "WorkMark": WorkMarkRequest,
    "Work": WorkShown,
}
