"""What other programs put down beside a model: `name.civitai.info` beside `name.safetensors`.

Downloaders keep the hub's answer there (`.civitai.info`, `.metadata.json` of LoRA Manager), user
interfaces the words to call the model by (`.json` of A1111), and PEFT its settings
(`adapter_config.json`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from egide.errors import CorruptItem, ItemError, TooManyBytes
from egide.hub.adapters import adapter_of
from egide.hub.base_models import canonical_base
from egide.hub.civitai import clean_hashes, says_minor, version_listing
from egide.hub.facts import ModelFacts, merged, printable
from egide.hub.fields import object_of, words_of
from egide.hub.html_text import html_to_text
from egide.hub.metadata import Metadata
from egide.item import Item

MOST_SIDECAR: Final = 4_000_000
"""Bytes of one sidecar; the longest that programs write have a tenth of that."""

_PREVIEWS: Final = (".preview.png", ".preview.jpg", ".preview.webp", ".png", ".jpg", ".webp")
_ADAPTER_FILE: Final = "adapter_model"
_ADAPTER_SETTINGS: Final = "adapter_config.json"

Parse = Callable[[Mapping[str, Any]], ModelFacts]


class Sidecars(NamedTuple):
    """What all sidecars of one file say together; None when there are none.

    `says_minor` when the hub says in one that a minor is depicted; `faults` is what is wrong.
    """

    facts: ModelFacts | None = None
    says_minor: bool = False
    faults: tuple[ItemError, ...] = ()


def read_sidecars(path: Path) -> Sidecars:
    """What stands beside the model's file at `path`; never raises.

    Only regular files are read, links are not followed, and never more than `MOST_SIDECAR` bytes.
    """
    present = _present(path)
    if not present:
        return Sidecars()
    found: list[ModelFacts] = []
    faults: list[ItemError] = []
    minor = False
    for name, parse in _sidecars(path.name):
        if name not in present:
            continue
        try:
            value = _read(path.with_name(name))
        except ItemError as error:
            faults.append(type(error)(f"{printable(name, 100)}: {error.detail}"))
        else:
            found.append(parse(value))
            minor |= says_minor(value) or says_minor(object_of(value.get("civitai")))
    stem = _stem(path.name)
    previews = sum(f"{stem}{ending}" in present for ending in _PREVIEWS)
    facts = merged(ModelFacts(source="sidecar", thumbnails=previews), *found)
    return Sidecars(facts, minor, tuple(faults))


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _present(path: Path) -> frozenset[str]:
    """Which of the possible sidecars of `path` there are."""
    stem = _stem(path.name)
    possible = [name for name, _ in _sidecars(path.name)] + [stem + end for end in _PREVIEWS]
    folder = os.fspath(path.parent)
    return frozenset(
        name
        for name in possible
        # pathlib would cost three times as much, which is most of what a small adapter takes.
        if name != path.name and os.path.lexists(os.path.join(folder, name))  # noqa: PTH118
    )


def _sidecars(name: str) -> Iterator[tuple[str, Parse]]:
    """(name, parser) of every sidecar that the file called `name` may have."""
    stem = _stem(name)
    yield f"{stem}.civitai.info", version_facts
    yield f"{stem}.metadata.json", manager_facts
    yield f"{stem}.json", webui_facts
    if stem == _ADAPTER_FILE:
        yield _ADAPTER_SETTINGS, peft_facts


def _read(path: Path) -> Mapping[str, Any]:
    item = Item.from_path(path, follow=False)
    if isinstance(item.problem, ItemError):
        raise item.problem
    if item.size > MOST_SIDECAR:
        raise TooManyBytes(f"{item.size:,} bytes, the limit for a sidecar is {MOST_SIDECAR:,}")
    try:
        value = json.loads(item.read(MOST_SIDECAR).decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise CorruptItem(f"it is no JSON: {printable(str(error))}") from error
    if not isinstance(value, dict):
        raise CorruptItem("it is no JSON object")
    return value


# ── one parser a program ────────────────────────────────────────────────────────────────────────


def version_facts(value: Mapping[str, Any]) -> ModelFacts:
    """A version of a model as Civitai describes it, and downloaders keep it.

    What it was then is not what it is now: whether it can be downloaded is not taken over.
    """
    return replace(version_listing(value), source="sidecar", versions=(), available=None)


def manager_facts(value: Mapping[str, Any]) -> ModelFacts:
    """What LoRA Manager keeps of a model: its own notes, and the hub's answer within."""
    told = Metadata(value)
    own = ModelFacts(
        source="sidecar",
        title=told.text("model_name"),
        description=html_to_text(told.text("modelDescription") or "") or None,
        base_model=canonical_base(told.text("base_model")),
        nsfw_level=told.number("preview_nsfw_level"),
        tags=words_of(value.get("tags")),
        texts=tuple(_texts(told, "notes", "usage_tips", "file_name", "file_path")),
        hashes=clean_hashes({"SHA256": value.get("sha256")}),
    )
    return merged(own, version_facts(object_of(value.get("civitai"))))


def webui_facts(value: Mapping[str, Any]) -> ModelFacts:
    """What A1111 keeps of a model: the words that call it, and the user's notes."""
    told = Metadata(value)
    return ModelFacts(
        source="sidecar",
        description=told.text("description"),
        base_model=canonical_base(told.text("sd version")),
        trigger_words=words_of(value.get("activation text")),
        texts=tuple(_texts(told, "notes", "negative text", "modelUrl")),
    )


def peft_facts(value: Mapping[str, Any]) -> ModelFacts:
    """The settings of an adapter that PEFT, and so diffusers, wrote."""
    told = Metadata(value)
    return ModelFacts(
        source="sidecar",
        adapter="dora" if value.get("use_dora") is True else adapter_of(told.text("peft_type")),
        base_model=canonical_base(told.text("base_model_name_or_path")),
        rank=told.number("r"),
        texts=tuple(_texts(told, "base_model_name_or_path")),
    )


def _texts(told: Metadata, *keys: str) -> Iterator[tuple[str, str]]:
    for key in keys:
        if text := told.text(key):
            yield key, text
