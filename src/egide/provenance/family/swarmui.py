"""SwarmUI, before that StableSwarmUI: JSON with `sui_image_params`.

Its hashes are SHA-256 over the tensors, which is what hubs call AutoV3. After its
`docs/Image Metadata Format.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from egide.provenance.family.stated import MAIN, Stated
from egide.provenance.family.values import (
    MOST_MODELS,
    dicts_of,
    distinct,
    hash_of,
    model_of,
    name_of,
    object_of,
    seed_of,
    text_of,
    word_of,
)
from egide.provenance.statements import Generation, NamedModel, Role

_PARAMETERS = (("model", Role.BASE), ("refinermodel", Role.BASE), ("vae", Role.VAE))


def read(stated: Stated) -> Iterator[Generation]:
    """What stands in its JSON, wherever that is."""
    for statement, value in stated.objects(*MAIN, "prompt"):
        said = object_of(value.get("sui_image_params"))
        if said:
            extra = object_of(value.get("sui_extra_data"))
            negative = said.get("negativeprompt", said.get("negativePrompt"))
            yield replace(
                statement.generation("swarmui"),
                version=word_of(said.get("swarm_version", said.get("swarmVersion"))),
                models=distinct(_models(said, _hashes(value))),
                prompt=text_of(said.get("prompt")),
                negative_prompt=text_of(negative),
                seed=seed_of(said.get("seed")),
                created=word_of(extra.get("date", said.get("date"))),
            )


def _hashes(value: dict[str, Any]) -> dict[str | None, dict[str, str]]:
    """Of every model listed, by its name."""
    found: dict[str | None, dict[str, str]] = {}
    for each in dicts_of(value.get("sui_models")):
        written = each.get("hash")
        digest = hash_of(written.lower().removeprefix("0x")) if isinstance(written, str) else {}
        if "sha256" in digest:
            found[name_of(each.get("name"))] = {"autov3": digest["sha256"]}
    return found


def _models(
    said: dict[str, Any], hashes: dict[str | None, dict[str, str]]
) -> Iterator[NamedModel | None]:
    for key, role in _PARAMETERS:
        yield model_of(role, said.get(key), None, hashes.get(name_of(said.get(key))))
    weights = _listed(said.get("loraweights"))
    for name, weight in zip_longest(_listed(said.get("loras")), weights):
        yield model_of(Role.ADAPTER, name, weight, hashes.get(name_of(name))) if name else None
    for name in _listed(said.get("used_embeddings")):
        yield model_of(Role.EMBEDDING, name, None, hashes.get(name_of(name)))


def _listed(value: Any) -> list[Any]:
    """A list, which is one in JSON or a text with commas."""
    if isinstance(value, str):
        return value.split(",")[:MOST_MODELS]
    return value[:MOST_MODELS] if isinstance(value, list) else []
