"""InvokeAI: `invokeai_metadata` since 3.0, before that `sd-metadata` and the command in `Dream`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from egide.provenance.family.stated import MAIN, Stated, Statement
from egide.provenance.family.values import (
    dicts_of,
    distinct,
    hash_of,
    model_of,
    number_of,
    object_of,
    seed_of,
    text_of,
    word_of,
)
from egide.provenance.statements import Generation, NamedModel, Role

_LISTS: Final = (
    ("loras", "lora", Role.ADAPTER),
    ("controlnets", "control_model", Role.OTHER),
    ("t2iAdapters", "t2i_adapter_model", Role.OTHER),
    ("ipAdapters", "ip_adapter_model", Role.OTHER),
)
_MODELS: Final = (
    ("model", Role.BASE),
    ("refiner_model", Role.BASE),
    ("vae", Role.VAE),
    ("upscale_model", Role.OTHER),
)
_DREAM: Final = re.compile(r'\A"((?:[^"\\]|\\.){1,60000})"(?= -)')
_DREAM_SEED: Final = re.compile(r" -S ?(\d{1,20})(?= |\Z)")
_BRACKETED: Final = re.compile(r"\[([^\[\]]{0,20000})\]")


def read(stated: Stated) -> Iterator[Generation]:
    """What stands in each of its three ways of writing."""
    for statement, value in stated.objects("invokeai_metadata"):
        yield _current(statement, value)
    for statement, value in stated.objects(*MAIN):
        if "app_version" in value and "positive_prompt" in value:
            yield _current(statement, value)
    for statement, value in stated.objects("sd-metadata"):
        yield _older(statement, value)
    for statement in stated.texts("dream"):
        yield from _oldest(statement)


def _current(statement: Statement, value: dict[str, Any]) -> Generation:
    return replace(
        statement.generation("invokeai"),
        version=word_of(value.get("app_version")),
        models=distinct(_models(value)),
        prompt=text_of(value.get("positive_prompt")),
        negative_prompt=text_of(value.get("negative_prompt")),
        seed=seed_of(value.get("seed")),
    )


def _models(value: dict[str, Any]) -> Iterator[NamedModel | None]:
    for key, role in _MODELS:
        yield _model(role, value.get(key))
    for key, inner, role in _LISTS:
        for each in dicts_of(value.get(key)):
            held = each.get("model", each.get(inner))
            yield _model(role, held, each.get("weight", each.get("control_weight")))


def _model(role: Role, held: Any, weight: Any = None) -> NamedModel | None:
    """A model as any version names it: `name` and `hash`, before 4.0 `model_name`."""
    if isinstance(held, str):
        return model_of(role, held, weight)
    fields = object_of(held)
    name = fields.get("name", fields.get("model_name"))
    return model_of(role, name, number_of(weight), hash_of(fields.get("hash")))


def _older(statement: Statement, value: dict[str, Any]) -> Generation:
    image = object_of(value.get("image"))
    prompt, negative = _sides(_said(image.get("prompt")))
    return replace(
        statement.generation("invokeai"),
        version=word_of(value.get("app_version")),
        models=distinct(
            [
                model_of(
                    Role.BASE, value.get("model_weights"), None, hash_of(value.get("model_hash"))
                )
            ]
        ),
        prompt=prompt,
        negative_prompt=negative,
        seed=seed_of(image.get("seed")),
    )


def _said(prompt: Any) -> str:
    """The prompt, which is a text or a list of weighted texts."""
    if isinstance(prompt, str):
        return prompt
    texts = (text_of(each.get("prompt")) for each in dicts_of(prompt))
    return ", ".join(text for text in texts if text)


def _sides(prompt: str) -> tuple[str | None, str | None]:
    """`prompt` in two: before 3.0 what to avoid stood in square brackets."""
    negative = ", ".join(found.strip() for found in _BRACKETED.findall(prompt))
    return text_of(_BRACKETED.sub("", prompt)), text_of(negative)


def _oldest(statement: Statement) -> Iterator[Generation]:
    """The command as it was typed: `"a lake" -s 50 -S 42 -W 512 -H 512 -C 7.5 -A k_lms`."""
    if found := _DREAM.match(statement.text):
        prompt, negative = _sides(found[1].replace('\\"', '"'))
        seed = _DREAM_SEED.search(statement.text, found.end())
        yield replace(
            statement.generation("invokeai"),
            prompt=prompt,
            negative_prompt=negative,
            seed=seed_of(seed[1]) if seed else None,
        )
