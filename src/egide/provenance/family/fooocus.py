"""Fooocus and its forks RuinedFooocus and Fooocus-MRE: a JSON object in `parameters`.

Its other scheme is the text of AUTOMATIC1111, read in `a1111`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from egide.provenance.family.stated import MAIN, Stated
from egide.provenance.family.values import (
    MOST_MODELS,
    distinct,
    hash_of,
    model_of,
    seed_of,
    text_of,
    word_of,
)
from egide.provenance.statements import Generation, NamedModel, Role

_MODELS: Final = (
    (Role.BASE, ("base_model", "base_model_name", "Base Model"), "base_model_hash"),
    (Role.BASE, ("refiner_model", "refiner_model_name", "Refiner Model"), "refiner_model_hash"),
    (Role.VAE, ("vae", "VAE"), "vae_hash"),
)
_PROMPTS: Final = ("prompt", "Prompt", "real_prompt")
_NEGATIVES: Final = ("negative_prompt", "Negative", "Negative Prompt", "real_negative_prompt")
MOST_NUMBERED: Final = 50


def read(stated: Stated) -> Iterator[Generation]:
    """What stands in its JSON objects."""
    marked = any(True for _ in stated.named("fooocus_scheme"))
    for statement, value in stated.objects(*MAIN):
        software = word_of(value.get("software")) or word_of(value.get("version")) or ""
        of_models = any(key in value for key in _MODELS[0][1])
        if not ("fooocus" in software.lower() or (of_models and (marked or _asked(value)))):
            continue
        user = word_of(value.get("created_by"))
        yield replace(
            statement.generation(_tool(software)),
            version=word_of(value.get("version")),
            models=distinct(_models(value)),
            prompt=text_of(_first(value, _PROMPTS)),
            negative_prompt=text_of(_first(value, _NEGATIVES)),
            seed=seed_of(_first(value, ("seed", "Seed"))),
            software=software or None,
            ids={"user": user} if user else {},
        )


def _asked(value: dict[str, Any]) -> bool:
    return any(isinstance(value.get(key), str) for key in _PROMPTS)


def _tool(software: str) -> str:
    lowered = software.lower()
    if "ruined" in lowered:
        return "ruined-fooocus"
    return "fooocus-mre" if "mre" in lowered else "fooocus"


def _first(value: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((value[key] for key in keys if value.get(key) not in (None, "")), None)


def _models(value: dict[str, Any]) -> Iterator[NamedModel | None]:
    for role, keys, digest in _MODELS:
        yield model_of(role, _first(value, keys), None, hash_of(value.get(digest)))
    listed = value.get("loras")
    adapters = [_adapter(each) for each in listed[:MOST_MODELS]] if isinstance(listed, list) else []
    known = {model.name for model in adapters if model}
    yield from adapters
    for number in range(1, MOST_NUMBERED):  # the same once more, and older ways of writing it
        combined = value.get(f"lora_combined_{number}", value.get(f"LoRA {number}"))
        model = _combined(combined) or model_of(
            Role.ADAPTER, value.get(f"l{number}"), value.get(f"w{number}")
        )
        if model and model.name not in known:
            yield model


def _adapter(held: Any) -> NamedModel | None:
    """`[name, weight, hash]`, in forks an object."""
    if isinstance(held, dict):
        hashes = hash_of(held.get("hash"))
        return model_of(Role.ADAPTER, held.get("name"), held.get("weight"), hashes)
    if isinstance(held, list) and held:
        name, weight, digest = (*held, None, None)[:3]
        return model_of(Role.ADAPTER, name, weight, hash_of(digest))
    return None


def _combined(held: Any) -> NamedModel | None:
    """`name : weight`, in newer versions with `True : ` in front when it is applied."""
    if not isinstance(held, str) or len(held) > 1000:
        return None
    parts = held.removeprefix("True : ").split(" : ")
    return model_of(Role.ADAPTER, parts[0], parts[1]) if len(parts) == 2 else None
