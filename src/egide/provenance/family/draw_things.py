"""Draw Things: XMP `CreatorTool`, and a JSON object in the user comment with one-letter keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from egide.provenance.family.stated import MAIN, Stated
from egide.provenance.family.values import (
    dicts_of,
    distinct,
    model_of,
    object_of,
    seed_of,
    text_of,
)
from egide.provenance.statements import Generation, NamedModel, Role

_NAME = "Draw Things"


def read(stated: Stated) -> Iterator[Generation]:
    """What its JSON says; its name alone where there is none."""
    named = [
        each for each in stated.texts("creatortool", "software") if each.text.startswith(_NAME)
    ]
    for each in named[:1]:
        yield replace(each.generation("draw-things"), software=each.text[:99])
    for statement, value in stated.objects(*MAIN):
        if "c" in value and "model" in value and (named or {"uc", "seed_mode"} & value.keys()):
            yield replace(
                statement.generation("draw-things"),
                models=distinct(_models(value)),
                prompt=text_of(value.get("c")),
                negative_prompt=text_of(value.get("uc")),
                seed=seed_of(value.get("seed")),
            )


def _models(value: dict[str, Any]) -> Iterator[NamedModel | None]:
    """The models of the short record, and what only its configuration (`v2`) names."""
    more = object_of(value.get("v2"))
    yield model_of(Role.BASE, value.get("model", more.get("model")))
    yield model_of(Role.BASE, more.get("refinerModel"))
    for each in [*dicts_of(value.get("lora")), *dicts_of(more.get("loras"))]:
        yield model_of(Role.ADAPTER, each.get("model", each.get("file")), each.get("weight"))
    for each in dicts_of(more.get("controls")):
        yield model_of(Role.OTHER, each.get("file"), each.get("weight"))
