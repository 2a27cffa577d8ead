"""One listing to what is known of the model: the right reader for its shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from egide.errors import UnknownRecord
from egide.hub.civitai import model_listing, says_minor, version_listing
from egide.hub.facts import ModelFacts
from egide.hub.huggingface import hub_listing, model_card
from egide.item import Item
from egide.record import MAX_RECORD_BYTES, Shape, parse, shape_of

_REPLACED: Final = "bytes that are no UTF-8 were replaced"


class Listing(NamedTuple):
    """What a listing says; `says_minor` when the hub says that a minor is depicted."""

    facts: ModelFacts
    says_minor: bool = False


def listing_facts(item: Item) -> ModelFacts:
    """What the listing `item` says, read once; ItemError when it cannot be read."""
    return read_listing(item).facts


def read_listing(item: Item) -> Listing:
    """What the listing `item` says, read once; ItemError when it cannot be read."""
    return item.view(_read)


def facts_of_record(value: Mapping[str, Any], shape: Shape) -> ModelFacts | None:
    """What the parsed record `value` says; None when its shape is none of a listing."""
    match shape:
        case Shape.CIVITAI_MODEL:
            return model_listing(value)
        case Shape.CIVITAI_VERSION:
            return version_listing(value)
        case Shape.HUGGINGFACE:
            return hub_listing(value)
        case _:
            return None


def _read(item: Item) -> Listing:
    data = item.read(MAX_RECORD_BYTES)
    if data.removeprefix(b"\xef\xbb\xbf").startswith(b"---"):
        text = data.decode("utf-8-sig", "replace")
        return Listing(_noted(model_card(text, item.ref), replaced="\ufffd" in text))
    value, replaced = parse(data)
    shape = shape_of(value)
    facts = None if shape is None else facts_of_record(value, shape)
    if facts is None:
        raise UnknownRecord("it has none of the fields of a listing")
    return Listing(_noted(facts, replaced=replaced), says_minor(value))


def _noted(facts: ModelFacts, *, replaced: bool) -> ModelFacts:
    return replace(facts, problems=(*facts.problems, _REPLACED)) if replaced else facts
