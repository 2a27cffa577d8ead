"""What a request to scan asks for: the item, and what the platform says of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter

from egide.errors import ItemError, UnknownContent
from egide.item import Item
from egide.record import attributes_of, clean, outline_of
from egide.records import Content
from egide.sniff import Kind
from egide.web.bodies import parsed
from egide.web.outline import outlined, outlined_batch
from egide.web.problems import Problem
from egide.web.upload import Form, Upload

MOST_CONTENT_ID: Final = 200
MOST_URL: Final = 2000
MOST_TEXT: Final = 1 << 20
MOST_ITEMS: Final = 100
FORM_FIELDS: Final = frozenset({"remember", "content_id", "content_url", "context"})
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAMELESS: Final = "remember=true needs it: by what do you call this?"
_TRUTH: Final = {"true": True, "1": True, "false": False, "0": False, "": False}


def content_id(value: str) -> str:
    """`value` as the platform's id of a content; ValueError."""
    if not 1 <= len(value) <= MOST_CONTENT_ID or _UNPRINTABLE.search(value):
        raise ValueError(f"it must be 1 to {MOST_CONTENT_ID} printable characters")
    return value


def content_url(value: str) -> str:
    """`value` as the address where a content is shown; ValueError."""
    if len(value) > MOST_URL or _UNPRINTABLE.search(value) or " " in value:
        raise ValueError(f"it must be an address of up to {MOST_URL} characters")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("it must be an http or https address without a user's name")
    return value


ContentId = Annotated[str, AfterValidator(content_id)]
ContentUrl = Annotated[str, AfterValidator(content_url)]


class ScanText(BaseModel):
    """A text to be screened. Other plain fields are its attributes, such as `title`."""

    model_config = ConfigDict(extra="allow", title="Text")

    kind: Literal["text"]
    text: str = Field(max_length=MOST_TEXT, examples=["Is this picture of a bridge for sale?"])
    context: str | None = Field(
        default=None,
        max_length=64,
        examples=["post"],
        description="prompt, ad, app_listing, post, chat, profile, bounty or search.",
    )
    content_id: ContentId | None = Field(default=None, examples=["post-4711"])

    def asked(self, place: str = "", _: bytes | None = None) -> Asked:
        """What is asked for; `place` is where it stands in a batch."""
        said = self.model_extra or {}
        _refuse_remember(said, place)
        # As a record, so that a text that looks like one is not taken for one.
        data = json.dumps({"text": clean(self.text)}, ensure_ascii=False).encode()
        attributes = attributes_of({"context": self.context, **said})
        item = Item(self.content_id or "text", Kind.TEXT, data, len(data), attributes)
        return Asked(item, self.content_id, digest=_digest(data, self.content_id, attributes))


class ScanListing(BaseModel):
    """A model's listing to be screened, as Civitai's or Hugging Face's interface writes it."""

    model_config = ConfigDict(extra="forbid", title="Listing")

    kind: Literal["listing"]
    listing: dict[str, Any] = Field(
        examples=[{"id": 1, "name": "Watercolour bridges", "type": "LORA", "modelVersions": []}]
    )
    content_id: ContentId | None = Field(default=None, examples=["model-17"])

    def asked(self, place: str = "", data: bytes | None = None) -> Asked:
        """What is asked for; `place` is where it stands in a batch, `data` the listing as sent."""
        try:
            value = self.listing if data is None else outline_of(data)
            if data is None:
                data = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
            item = Item.from_record(data, self.content_id or "listing", value)
        except ItemError as error:
            raise Problem.of_field(f"{place}listing", error.detail) from error
        if item.kind is not Kind.LISTING:
            raise Problem.of_field(f"{place}listing", "it is a text; send it as kind text")
        return Asked(item, self.content_id, digest=_digest(data, self.content_id, {}))


class ScanContent(BaseModel):
    """A picture or video to be fetched from a content source and screened, as if it were uploaded.

    `url` is where its bytes are, `content_url` where people see it.
    """

    model_config = ConfigDict(extra="forbid", title="Content")

    kind: Literal["image", "video"]
    url: str = Field(max_length=MOST_URL, examples=["https://cdn.example/uploads/4711.jpg"])
    content_id: ContentId | None = Field(default=None, examples=["upload-4711"])
    content_url: ContentUrl | None = None
    context: str = Field(default="", max_length=64, examples=["profile"])
    remember: bool = False

    @property
    def digest(self) -> bytes:
        """By which one request is told from another: what is at the address does not count."""
        return hashlib.sha256(self.model_dump_json().encode()).digest()

    def asked(self, upload: Upload) -> Asked:
        """What is asked for, once it was fetched."""
        self.check()
        said = {"context": self.context} if self.context else {}
        item = upload.item(self.content_id or upload.name or "content", said)
        if item.kind not in (Kind.IMAGE, Kind.VIDEO) and item.problem is None:
            # Else the page that says "sign in first" would be a text like any other.
            told = "it was to be a picture or video, and its bytes are none; see what is there"
            item = replace(item, problem=UnknownContent(told))
        content = None
        if self.remember and self.content_id is not None:
            content = Content(self.content_id, self.content_url)
        return Asked(item, self.content_id, content, self.digest)

    def check(self) -> None:
        """Problem 422 when it is to be remembered under no name."""
        if self.remember and self.content_id is None:
            raise Problem.of_field("content_id", _NAMELESS)


ScanItem = Annotated[ScanText | ScanListing | ScanContent, Field(discriminator="kind")]
BatchItem = Annotated[ScanText | ScanListing, Field(discriminator="kind")]


class ScanBatch(BaseModel):
    """Several texts and listings."""

    model_config = ConfigDict(extra="forbid", title="Batch")

    items: list[BatchItem] = Field(min_length=1, max_length=MOST_ITEMS)


SCAN_ITEM: Final[TypeAdapter[ScanText | ScanListing | ScanContent]] = TypeAdapter(ScanItem)
SCAN_BATCH: Final = TypeAdapter(ScanBatch)


@dataclass(frozen=True, slots=True)
class Asked:
    """One scan that is asked for.

    `content` is what to remember it as, if it is to be; `digest` tells one request from another.
    """

    item: Item
    content_id: str | None
    content: Content | None = None
    digest: bytes = b""


def asked_of_json(body: bytes) -> Asked | ScanContent:
    """What the JSON of one item asks for; Problem 413, 422."""
    light, listing = outlined(body)
    given = parsed(SCAN_ITEM, light)
    return given if isinstance(given, ScanContent) else given.asked("", listing)


def asked_of_batch(body: bytes) -> list[Asked]:
    """What the JSON of a batch asks for; Problem 413, 422."""
    light, listings = outlined_batch(body, MOST_ITEMS)
    given = parsed(SCAN_BATCH, light)
    return [
        item.asked(f"items.{number}.", listing)
        for number, (item, listing) in enumerate(zip(given.items, listings, strict=False))
    ]


def asked_of_form(form: Form, upload: Upload, number: int = 0, count: int = 1) -> Asked:
    """What a form asks for one of its files: the `number`-th of `count`.

    Fields that are of one file alone stand once for each file, in the order of the files.
    """
    id_ = _of_file(form, "content_id", number, count)
    url = _of_file(form, "content_url", number, count)
    try:
        field = "content_id"
        id_ = None if id_ is None else content_id(id_)
        field = "content_url"
        url = None if url is None else content_url(url)
    except ValueError as error:
        raise Problem.of_field(field, str(error)) from None
    context = form.field("context") or ""
    if len(context) > 64:
        raise Problem.of_field("context", "it must be up to 64 characters")
    remember = _truth(form)
    if remember and id_ is None:
        raise Problem.of_field("content_id", "remember=true needs it: by what do you call this?")
    attributes = {"context": context} if context else {}
    item = upload.item(id_ or upload.name or "upload", attributes)
    said = {**attributes, "remember": str(remember), "url": url or "", "name": upload.name}
    return Asked(
        item,
        id_,
        Content(id_, url) if remember and id_ is not None else None,
        _digest(upload.digest, id_, said),
    )


def digest_of(route: str, asked: Iterable[Asked | ScanContent]) -> bytes:
    """The SHA-256 of a request, by what it asks for: boundaries of forms do not count."""
    return hashlib.sha256(route.encode() + b"".join(each.digest for each in asked)).digest()


def _of_file(form: Form, name: str, number: int, count: int) -> str | None:
    values = form.fields.get(name, [])
    if not values:
        return None
    if len(values) != count:
        raise Problem.of_field(
            name, f"it was sent {len(values)} times with {count} files; send it once for each"
        )
    return values[number] or None


def _truth(form: Form) -> bool:
    value = (form.field("remember") or "").lower()
    if value not in _TRUTH:
        raise Problem.of_field("remember", "it must be true or false")
    return _TRUTH[value]


def _refuse_remember(said: dict[str, Any], place: str) -> None:
    if said.get("remember"):
        raise Problem.of_field(
            f"{place}remember", "pictures and videos alone are remembered; leave it out"
        )


def _digest(data: bytes, id_: str | None, said: dict[str, str]) -> bytes:
    told = json.dumps([id_, sorted(said.items())]).encode()
    return hashlib.sha256(hashlib.sha256(told).digest() + data).digest()
