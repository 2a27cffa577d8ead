"""A notice: what a person or her agent sends in, checked field by field.

What is missing is no error: the law says which elements a notice needs, and she is asked for the
others. What is malformed is: WrongField names the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

from egide.errors import WrongField
from egide.fingerprint import FINGERPRINT_BYTES, Fingerprint, FingerprintType
from egide.language import available

MOST_STATEMENT: Final = 10_000
MOST_SIGNATURE: Final = 200
MOST_LOCATIONS: Final = 100
MOST_URL: Final = 2000
MOST_CONTENT_ID: Final = 200
MOST_FINGERPRINTS: Final = 256
"""Some dozen pictures, each laid in eight ways."""
MOST_CONTACT: Final = 12
MOST_CONTACT_TEXT: Final = 300
MOST_WORDS: Final = 5_000
JURISDICTIONS: Final = {"US": "US", "UK": "UK", "GB": "UK", "EU": "EU", "FR": "FR"}
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BREAKS: Final = re.compile(r"[\t\n\r]")
_CONTACT_KEY: Final = re.compile(r"[a-z][a-z_]{0,31}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,189}\.[^@\s<>\"',;.]{1,63}")
_DECLARATION: Final = re.compile(r"[a-z][a-z_]{0,39}", re.ASCII)
_HEX: Final = re.compile(r"[0-9a-fA-F]+", re.ASCII)
_FIELDS: Final = frozenset(
    {
        "jurisdiction",
        "role",
        "statement",
        "good_faith",
        "signature",
        "locations",
        "fingerprints",
        "contact",
        "language",
        "declared",
        "order",
    }
)


class Sender(StrEnum):
    """Who sends a notice: the person depicted, somebody she asked, or an authority by an order."""

    SELF = "self"
    AGENT = "agent"
    AUTHORITY = "authority"


@dataclass(frozen=True, slots=True)
class Location:
    """Where the content is: an address, or what the platform calls it."""

    url: str | None = None
    content_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The one of both that there is."""
        return {"url": self.url} if self.url is not None else {"content_id": self.content_id}


@dataclass(frozen=True, slots=True)
class Order:
    """An authority's order: who gave it, and what it is called there."""

    authority: str
    reference: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What was sent in; texts empty and tuples without anything where it was left out.

    Attributes:
        jurisdiction: `US`, `UK`, `EU` or `FR`.
        sender: who sends it.
        statement: in the person's words.
        good_faith: whether all of the law's declarations were made, or those in `declared`.
        declared: which of the law's declarations were made; all when empty and `good_faith`.
        signature: the name, or the pseudonym, that it is signed with.
        contact: `name`, `email`, `phone`, `safe_times` and the like; empty for none.
        language: in which letters are written.
    """

    jurisdiction: str
    sender: Sender = Sender.SELF
    statement: str = ""
    good_faith: bool = False
    signature: str = ""
    locations: tuple[Location, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    contact: Mapping[str, str] = field(default_factory=dict)
    language: str = "en"
    declared: frozenset[str] = frozenset()
    order: Order | None = None

    @classmethod
    def from_json(cls, document: object, jurisdiction: str = "EU") -> Notice:
        """The notice that the body of `POST /v1/notices` is; WrongField.

        `jurisdiction` is taken where the body names none.
        """
        given = _object(document, "body", _FIELDS)
        order = _order(given.get("order"))
        return cls(
            jurisdiction=_jurisdiction(given.get("jurisdiction"), jurisdiction),
            sender=_sender(given.get("role"), order),
            statement=text_of(given.get("statement"), "statement", MOST_STATEMENT),
            good_faith=_truth(given.get("good_faith"), "good_faith"),
            signature=line_of(given.get("signature"), "signature", MOST_SIGNATURE),
            locations=locations_of(given.get("locations")),
            fingerprints=fingerprints_of(given.get("fingerprints")),
            contact=contact_of(given.get("contact")),
            language=_language(given.get("language")),
            declared=_declared(given.get("declared")),
            order=order,
        )


@dataclass(frozen=True, slots=True)
class More:
    """What is added to a notice later: only what there is of it."""

    words: str = ""
    statement: str = ""
    good_faith: bool = False
    signature: str = ""
    locations: tuple[Location, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    contact: Mapping[str, str] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()

    @classmethod
    def from_json(cls, document: object) -> More:
        """What the body of `POST /v1/notices/{case}/add` is; WrongField."""
        allowed = (_FIELDS - {"jurisdiction", "role", "language", "order"}) | {"words"}
        given = _object(document, "body", allowed)
        more = cls(
            words=text_of(given.get("words"), "words", MOST_WORDS),
            statement=text_of(given.get("statement"), "statement", MOST_STATEMENT),
            good_faith=_truth(given.get("good_faith"), "good_faith"),
            signature=line_of(given.get("signature"), "signature", MOST_SIGNATURE),
            locations=locations_of(given.get("locations")),
            fingerprints=fingerprints_of(given.get("fingerprints")),
            contact=contact_of(given.get("contact")),
            declared=_declared(given.get("declared")),
        )
        if more == cls():
            raise WrongField("words", "nothing was added; write what you want to add")
        return more


def text_of(value: object, name: str, most: int) -> str:
    """`value` as a text of up to `most` characters, empty for null; WrongField."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongField(name, "it must be a text")
    text = value.strip()
    if len(text) > most:
        raise WrongField(name, f"it has {len(text):,} characters, the limit is {most:,}")
    if _CONTROLS.search(text):
        raise WrongField(name, "it holds control characters; write plain text")
    return text


def line_of(value: object, name: str, most: int) -> str:
    """As `text_of`, on one line."""
    text = text_of(value, name, most)
    if _BREAKS.search(text):
        raise WrongField(name, "it must be on one line")
    return text


def locations_of(value: object) -> tuple[Location, ...]:
    """A list of addresses and of the platform's ids, each once; WrongField."""
    found = (
        _location(each, f"locations.{number}")
        for number, each in enumerate(_list(value, "locations", MOST_LOCATIONS))
    )
    return tuple(dict.fromkeys(found))


def fingerprints_of(value: object) -> tuple[Fingerprint, ...]:
    """A list of `{"type", "value"}` with the value in hexadecimal; WrongField."""
    found = (
        _fingerprint(each, f"fingerprints.{number}")
        for number, each in enumerate(_list(value, "fingerprints", MOST_FINGERPRINTS))
    )
    return tuple(dict.fromkeys(found))


def contact_of(value: object) -> dict[str, str]:
    """How to reach somebody; empty texts are left out. WrongField."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongField("contact", 'it must be null or an object such as {"email": "…"}')
    if len(value) > MOST_CONTACT:
        raise WrongField("contact", f"it has {len(value)} fields, the limit is {MOST_CONTACT}")
    found = {}
    for key, each in value.items():
        if not isinstance(key, str) or not _CONTACT_KEY.fullmatch(key):
            raise WrongField("contact", "its names are small letters and underscores")
        found[key] = text_of(each, f"contact.{key}", MOST_CONTACT_TEXT)
    email = found.get("email")
    if email and not _EMAIL.fullmatch(email):
        raise WrongField("contact.email", "it is no e-mail address; write one like a@b.example")
    return {key: each for key, each in found.items() if each}


def _location(value: object, name: str) -> Location:
    if isinstance(value, str):
        text = line_of(value, name, MOST_URL)
        if text.lower().startswith(("http://", "https://")):
            return Location(url=_url(text, name))
        return Location(content_id=_content_id(text, name))
    given = _object(value, name, {"url", "content_url", "content_id"})
    url = given.get("url") or given.get("content_url")
    if url is not None:
        return Location(url=_url(line_of(url, f"{name}.url", MOST_URL), f"{name}.url"))
    id_ = line_of(given.get("content_id"), f"{name}.content_id", MOST_CONTENT_ID)
    return Location(content_id=_content_id(id_, f"{name}.content_id"))


def _content_id(text: str, name: str) -> str:
    if not 1 <= len(text) <= MOST_CONTENT_ID:
        raise WrongField(
            name, f"it must be an address, or the platform's id of 1 to {MOST_CONTENT_ID} signs"
        )
    return text


def _url(text: str, name: str) -> str:
    try:
        parts = urlsplit(text)
        wrong = parts.scheme.lower() not in ("http", "https") or not parts.hostname
    except ValueError:
        wrong = True
    if wrong or " " in text or "@" in parts.netloc:
        raise WrongField(name, "it must be an http or https address without a user's name")
    return text


def _fingerprint(value: object, name: str) -> Fingerprint:
    given = _object(value, name, {"type", "value"})
    kind, digits = given.get("type"), given.get("value")
    if kind not in list(FINGERPRINT_BYTES):
        raise WrongField(f"{name}.type", f"it must be one of {', '.join(FINGERPRINT_BYTES)}")
    type_ = FingerprintType(str(kind))
    length = 2 * FINGERPRINT_BYTES[type_]
    if not (isinstance(digits, str) and len(digits) == length and _HEX.fullmatch(digits)):
        raise WrongField(f"{name}.value", f"it must be {length} hexadecimal digits")
    return Fingerprint.from_hex(type_, digits)


def _order(value: object) -> Order | None:
    if value is None:
        return None
    given = _object(value, "order", {"authority", "reference"})
    said = [
        line_of(given.get(each), f"order.{each}", MOST_SIGNATURE)
        for each in ("authority", "reference")
    ]
    for name, each in zip(("authority", "reference"), said, strict=True):
        if not each:
            raise WrongField(f"order.{name}", "an order names it")
    return Order(*said)


def _sender(value: object, order: Order | None) -> Sender:
    if order is not None:
        return Sender.AUTHORITY
    if value is None:
        return Sender.SELF
    if value not in (Sender.SELF, Sender.AGENT):
        raise WrongField("role", "it must be self or agent")
    return Sender(str(value))


def _jurisdiction(value: object, default: str) -> str:
    if value is None:
        return default
    if not isinstance(value, str) or value not in JURISDICTIONS:
        raise WrongField("jurisdiction", f"it must be one of {', '.join(JURISDICTIONS)}")
    return JURISDICTIONS[value]


def _language(value: object) -> str:
    if value is None:
        return available()[0]
    if value not in available():
        raise WrongField("language", f"it must be one of {', '.join(available())}")
    return str(value)


def _declared(value: object) -> frozenset[str]:
    found = _list(value, "declared", 20)
    for number, each in enumerate(found):
        if not isinstance(each, str) or not _DECLARATION.fullmatch(each):
            raise WrongField(f"declared.{number}", "it is no declaration of that law")
    return frozenset(map(str, found))


def _truth(value: object, name: str) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise WrongField(name, "it must be true or false")
    return value


def _list(value: object, name: str, most: int) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise WrongField(name, "it must be a list")
    if len(value) > most:
        raise WrongField(name, f"it has {len(value)} parts, the limit is {most}")
    return value


def _object(value: object, name: str, allowed: set[str] | frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise WrongField(name, "it must be an object")
    for key in value:
        if key not in allowed:
            raise WrongField(
                str(key)[:60], f"no such field; there are {', '.join(sorted(allowed))}"
            )
    return value
