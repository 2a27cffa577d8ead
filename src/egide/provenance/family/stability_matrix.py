"""Stability Matrix: `parameters-json`, and the whole project in `smproj`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from egide.provenance.family.air import version_ids
from egide.provenance.family.infotext import tags_of
from egide.provenance.family.stated import Stated
from egide.provenance.family.values import (
    MOST_MODELS,
    distinct,
    hash_of,
    model_of,
    object_of,
    seed_of,
    text_of,
)
from egide.provenance.statements import Generation, NamedModel, Role


def read(stated: Stated) -> Iterator[Generation]:
    """What its parameters say, and its project where they are missing."""
    for statement, value in stated.objects("parameters-json"):
        yield replace(
            statement.generation("stability-matrix"),
            models=distinct(_models(value)),
            prompt=text_of(value.get("PositivePrompt")),
            negative_prompt=text_of(value.get("NegativePrompt")),
            seed=seed_of(value.get("Seed")),
        )
    for statement, value in stated.objects("smproj"):
        state = object_of(value.get("State"))
        if not state and "ProjectType" not in value:
            continue
        prompt = object_of(state.get("Prompt"))
        chosen = object_of(state.get("Model"))
        yield replace(
            statement.generation("stability-matrix"),
            models=distinct(
                [
                    model_of(Role.BASE, chosen.get("SelectedModelName")),
                    model_of(Role.BASE, chosen.get("SelectedRefinerName")),
                    model_of(Role.VAE, chosen.get("SelectedVaeName")),
                ]
            ),
            prompt=text_of(prompt.get("PromptDocument", prompt.get("Prompt"))),
            negative_prompt=text_of(prompt.get("NegativePromptDocument")),
            seed=seed_of(object_of(state.get("Seed")).get("Seed")),
        )


def _models(value: dict[str, Any]) -> Iterator[NamedModel | None]:
    """The base model, and the adapters that the prompt calls with their versions in order."""
    hashes = hash_of(value.get("ModelHash"))
    yield model_of(
        Role.BASE, value.get("ModelName"), None, hashes, version_ids(value.get("ModelVersionId"))
    )
    prompt, listed = value.get("PositivePrompt"), value.get("ExtraNetworkModelVersionIds")
    tags = list(tags_of(prompt)) if isinstance(prompt, str) else []
    versions = listed[:MOST_MODELS] if isinstance(listed, list) else []
    if len(versions) == len(tags):
        for tag, version in zip(tags, versions, strict=True):
            yield model_of(Role.ADAPTER, tag.name, tag.weight, None, version_ids(version))
        return
    for tag, version in zip_longest(tags, versions):
        if tag:
            yield model_of(Role.ADAPTER, tag.name, tag.weight)
        yield model_of(Role.ADAPTER, None, None, None, version_ids(version))
