"""Easy Diffusion: a PNG chunk for each field, in other formats one JSON object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Final

from egide.provenance.family.stated import MAIN, Stated, Statement
from egide.provenance.family.values import MOST_MODELS, distinct, model_of, seed_of, text_of
from egide.provenance.statements import Generation, NamedModel, Role

_FIELDS: Final = {
    "prompt": "Prompt",
    "negative_prompt": "Negative Prompt",
    "seed": "Seed",
    "use_stable_diffusion_model": "Stable Diffusion model",
    "use_vae_model": "VAE model",
    "use_lora_model": "LoRA model",
    "lora_alpha": "LoRA Strength",
    "use_hypernetwork_model": "Hypernetwork model",
    "hypernetwork_strength": "Hypernetwork Strength",
    "use_embeddings_model": "Embedding models",
    "use_controlnet_model": "ControlNet model",
}
"""Every field by its name in the program and by its label."""
_MARK: Final = "use_stable_diffusion_model"


def read(stated: Stated) -> Iterator[Generation]:
    """What its chunks say together, and its JSON objects."""
    for statement in list(stated.named(_MARK, _FIELDS[_MARK].lower()))[:1]:
        carrier = statement.where.partition(":")[0]
        yield _generation(statement, _chunks(stated, carrier))
    for statement, value in stated.objects(*MAIN):
        if _MARK in value or _FIELDS[_MARK] in value:
            yield _generation(statement, value)


def _chunks(stated: Stated, carrier: str) -> dict[str, Any]:
    """The fields that stand in the same carrier, a chunk each."""
    fields: dict[str, Any] = {}
    for name, label in _FIELDS.items():
        for each in stated.named(name, label.lower()):
            if each.where.startswith(f"{carrier}:") and each.text:
                fields.setdefault(name, each.text)
    return fields


def _generation(statement: Statement, value: Mapping[str, Any]) -> Generation:
    fields = {name: value.get(name, value.get(label)) for name, label in _FIELDS.items()}
    return replace(
        statement.generation("easy-diffusion"),
        models=distinct(_models(fields)),
        prompt=text_of(fields["prompt"]),
        negative_prompt=text_of(fields["negative_prompt"]),
        seed=seed_of(fields["seed"]),
    )


def _models(fields: dict[str, Any]) -> Iterator[NamedModel | None]:
    yield model_of(Role.BASE, fields[_MARK])
    yield model_of(Role.VAE, fields["use_vae_model"])
    yield model_of(Role.OTHER, fields["use_controlnet_model"])
    for names, weights in (
        ("use_lora_model", "lora_alpha"),
        ("use_hypernetwork_model", "hypernetwork_strength"),
    ):
        for name, weight in zip_longest(_listed(fields[names]), _listed(fields[weights])):
            yield model_of(Role.ADAPTER, name, weight) if name else None
    for name in _listed(fields["use_embeddings_model"]):
        yield model_of(Role.EMBEDDING, name)


def _listed(value: Any) -> list[Any]:
    """A list; in a chunk it is written as Python prints it."""
    if isinstance(value, str):
        inner = value.strip().removeprefix("[").removesuffix("]")
        return [each.strip().strip("'\"") for each in inner.split(",")[:MOST_MODELS]]
    return value[:MOST_MODELS] if isinstance(value, list) else [value]
