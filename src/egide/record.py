"""One JSON record of a dump: what it is, what it is called, what it says of itself.

Everything is told from the record's own fields. Shapes are those of the Civitai REST API, of the
Hugging Face Hub's model info, and of a text with its circumstances.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple

from egide.errors import CorruptItem, TooManyBytes

MAX_RECORD_BYTES: Final = 64 << 20
"""A longer record is not read."""

MAX_PARTS: Final = 1 << 20
"""Objects and lists in one record: parsed, they take up to fifty times their bytes."""

MAX_STRINGS: Final = 1 << 23
MAX_ID: Final = 200
MAX_ATTRIBUTES: Final = 64
MAX_ATTRIBUTE: Final = 4096

MODEL_TYPES: Final = frozenset(
    {
        "aestheticgradient",
        "checkpoint",
        "controlnet",
        "dora",
        "embedding",
        "hypernetwork",
        "locon",
        "lora",
        "lycoris",
        "textualinversion",
    }
)
"""The kinds of model at Civitai whose listing is known by them, lower-case."""

_HUB_FIELDS: Final = frozenset(
    {"siblings", "cardData", "card_data", "pipeline_tag", "library_name", "gated"}
)
_MODEL_FIELDS: Final = frozenset(
    {
        "author",
        "tags",
        "downloads",
        "likes",
        "lastModified",
        "last_modified",
        "createdAt",
        "created_at",
    }
)
_VERSION_FIELDS: Final = frozenset({"files", "images", "trainedWords", "baseModel"})
_BARE_FIELDS: Final = frozenset({"creator", "stats", "nsfw", "poi", "nsfwLevel"})
_TELLING: Final = frozenset(
    {"modelVersions", "items", "type", "name", "modelId", "model_id", "model", "air", "text", "id"}
)
_SHAPE_FIELDS: Final = sorted(
    _HUB_FIELDS | _MODEL_FIELDS | _VERSION_FIELDS | _BARE_FIELDS | _TELLING
)
"""All that `shape_of` looks at in an object."""


ANSWER_LISTS: Final = ("results", "data")
"""Where the search of Apple's store and the library of Meta's adverts have what they found."""

SAYING: Final = frozenset({"text", "id", "name"})
"""Fields of an object that is something itself, whatever list it has besides."""


class Shape(StrEnum):
    """What a record is."""

    CIVITAI_MODEL = "civitai-model"
    CIVITAI_VERSION = "civitai-version"
    HUGGINGFACE = "huggingface"
    TEXT = "text"
    PAGE = "page"
    """A list of records, or an object with one under `items`, `results` or `data`."""


class Parsed(NamedTuple):
    """What a record's bytes hold; `replaced` tells that some were no UTF-8."""

    value: Any
    replaced: bool


def parse(data: bytes) -> Parsed:
    """The JSON value that `data` is.

    Bytes that are no UTF-8 are replaced. CorruptItem when it is no JSON or nested too deep,
    TooManyBytes when it is longer than `MAX_RECORD_BYTES` or of more parts than any listing.
    """
    import msgspec  # noqa: PLC0415  most scans meet no record

    if len(data) > MAX_RECORD_BYTES:
        raise TooManyBytes(f"a record of more than {MAX_RECORD_BYTES >> 20} MiB; split it")
    if len(data) > MAX_PARTS and (
        data.count(b"{") + data.count(b"[") > MAX_PARTS or data.count(b'"') > MAX_STRINGS
    ):
        raise TooManyBytes("a record of more parts than any listing has; look at where it is from")
    try:
        return Parsed(msgspec.json.decode(data), replaced=False)
    except (ValueError, RecursionError):
        return _parse_leniently(data)


def _parse_leniently(data: bytes) -> Parsed:
    """As the standard library reads it: with control characters, NaN and lone surrogates."""
    text = data.decode("utf-8-sig", "replace")
    try:
        value = json.loads(text, strict=False)
    except RecursionError as error:
        raise CorruptItem("its JSON is nested too deep; look at where it is from") from error
    except ValueError as error:
        said = str(error).partition(":")[0].lower()
        raise CorruptItem(f"it is no JSON ({said}); export it again") from error
    return Parsed(value, replaced="\ufffd" in text)


def outline_of(data: bytes) -> dict[str, Any]:
    """Of the JSON object that `data` is, what tells its shape: nothing else in it is built.

    Lists and objects are told by empty ones. CorruptItem when it is no object, or nested too deep.
    """
    import msgspec  # noqa: PLC0415  most scans meet no record

    try:
        told: object = msgspec.json.decode(data, type=_outline())
    except (ValueError, RecursionError) as error:
        raise CorruptItem("it is no JSON object that can be read; export it again") from error
    held = ((name, bytes(getattr(told, name))) for name in _SHAPE_FIELDS)
    return {name: _hinted(value) for name, value in held if value}


@cache
def _outline() -> type:
    import msgspec  # noqa: PLC0415

    fields = [(name, msgspec.Raw, msgspec.Raw()) for name in _SHAPE_FIELDS]
    return msgspec.defstruct("_Outline", fields)


def _hinted(value: bytes) -> Any:
    return {b"{": {}, b"[": []}[value[:1]] if value[:1] in b"{[" else parse(value).value


def shape_of(value: object) -> Shape | None:
    """What the record `value` is, by the fields it has; None when it is nothing we know."""
    if isinstance(value, list):
        return Shape.PAGE if value and isinstance(value[0], (dict, list)) else None
    return _shape_of_object(value) if isinstance(value, dict) else None


def _shape_of_object(value: dict[str, Any]) -> Shape | None:
    if isinstance(value.get("modelVersions"), list) or _is_bare_model(value):
        return Shape.CIVITAI_MODEL
    if isinstance(value.get("items"), list):
        return Shape.PAGE
    if _is_version(value):
        return Shape.CIVITAI_VERSION
    if isinstance(value.get("text"), str):
        return Shape.TEXT
    if _is_hub_model(value):
        return Shape.HUGGINGFACE
    return Shape.PAGE if _is_answer(value) else None


def _is_answer(value: dict[str, Any]) -> bool:
    """Whether it says nothing of itself and has a list of objects, as answers of interfaces do."""
    lists = (value.get(name) for name in ANSWER_LISTS)
    return not value.keys() & SAYING and any(
        isinstance(held, list) and bool(held) and isinstance(held[0], dict) for held in lists
    )


def _is_bare_model(value: dict[str, Any]) -> bool:
    """Whether it is a Civitai model whose versions are missing."""
    kind = value.get("type")
    return (
        isinstance(kind, str)
        and kind.replace(" ", "").lower() in MODEL_TYPES
        and "name" in value
        and bool(value.keys() & _BARE_FIELDS)
    )


def _is_version(value: dict[str, Any]) -> bool:
    whole = isinstance(value.get("modelId"), int) or isinstance(value.get("model"), dict)
    return (whole or "air" in value) and bool(value.keys() & _VERSION_FIELDS)


def _is_hub_model(value: dict[str, Any]) -> bool:
    name = value.get("id") or value.get("modelId") or value.get("model_id")
    if not isinstance(name, str):
        return False
    known = len(value.keys() & _MODEL_FIELDS)
    return (bool(value.keys() & _HUB_FIELDS) and known > 0) or ("/" in name and known > 1)


def id_of(value: object) -> str | None:
    """What the record calls itself, at most `MAX_ID` characters; None when it does not."""
    if not isinstance(value, Mapping):
        return None
    for field in ("id", "modelId", "model_id", "_id"):
        name = value.get(field)
        if isinstance(name, (str, int)) and not isinstance(name, bool) and name != "":
            return clean(str(name)[:MAX_ID])
    return None


def attributes_of(value: Mapping[str, Any]) -> dict[str, str]:
    """What a text's record says of it besides: its plain fields, as text.

    Lists of plain values are joined by `, `, truth is `true` or `false`; the text itself, its id
    and what is nested is left out, and so is what comes after `MAX_ATTRIBUTES`.
    """
    attributes: dict[str, str] = {}
    for name, held in value.items():
        said = None if name in ("text", "id") else _plain(held)
        if said is not None and len(attributes) < MAX_ATTRIBUTES:
            attributes[clean(name[:MAX_ATTRIBUTE])] = said
    return attributes


def _plain(held: object) -> str | None:
    match held:
        case bool():
            return "true" if held else "false"
        case str():
            return clean(held[:MAX_ATTRIBUTE])
        case int() | float():
            return repr(held)[:MAX_ATTRIBUTE]
        case list():
            parts = [_plain(part) for part in held[:MAX_ATTRIBUTES] if not isinstance(part, list)]
            said = ", ".join(part for part in parts if part is not None)
            return said[:MAX_ATTRIBUTE] if parts else None
        case _:
            return None


def clean(text: str) -> str:
    """`text` without lone surrogates, which JSON can write and no UTF-8 can hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
