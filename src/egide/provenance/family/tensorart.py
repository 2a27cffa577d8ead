"""TensorArt: `generation_data`, beside a ComfyUI graph whose files go by inner names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from egide.provenance.family.air import role_of_type
from egide.provenance.family.stated import Stated
from egide.provenance.family.values import (
    dicts_of,
    distinct,
    hash_of,
    model_of,
    object_of,
    seed_of,
    text_of,
    word_of,
)
from egide.provenance.statements import Generation, NamedModel, Role

_LOADER: Final = '"ECHOCheckpointLoaderSimple"'


def read(stated: Stated) -> Iterator[Generation]:
    """What its record says; where that is gone, its loader in the graph tells the tool."""
    if not any(True for _ in stated.objects("generation_data")):
        for statement in stated.named("prompt"):
            if _LOADER in statement.text:
                yield statement.generation("tensorart")
    for statement, value in stated.objects("generation_data"):
        base = object_of(value.get("baseModel"))
        others = dicts_of(value.get("models"))
        named = [_model(role_of_type(each.get("type"), Role.ADAPTER), each) for each in others]
        yield replace(
            statement.generation("tensorart"),
            models=distinct(
                [_model(Role.BASE, base), model_of(Role.VAE, value.get("sdVae")), *named]
            ),
            prompt=text_of(value.get("prompt")),
            negative_prompt=text_of(value.get("negativePrompt")),
            seed=seed_of(value.get("seed")),
        )


def _model(role: Role, held: dict[str, Any]) -> NamedModel | None:
    number = word_of(held.get("modelId"))
    return model_of(
        role,
        held.get("modelFileName", held.get("label")),
        held.get("weight"),
        hash_of(held.get("hash")),
        {"tensorart": number} if number else {},
    )
