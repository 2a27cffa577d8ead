"""Programs on the diffusers library: JSON by the names of its pipeline's arguments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from egide.provenance.family.stated import MAIN, Stated
from egide.provenance.family.values import distinct, hash_of, model_of, seed_of, text_of
from egide.provenance.statements import Generation, NamedModel, Role

_ARGUMENTS: Final = frozenset({"prompt", "num_inference_steps", "guidance_scale"})
_REPOSITORY: Final = re.compile(r"[\w.\-]{1,96}/[\w.\-]{1,96}")
_MODEL_KEYS: Final = ("Model", "model", "model_id", "pretrained_model_name_or_path")


def read(stated: Stated) -> Iterator[Generation]:
    """What stands in an object with a pipeline's arguments; many Spaces write one."""
    for statement, value in stated.objects(*MAIN):
        asked = value.keys() >= _ARGUMENTS
        if asked and "use_stable_diffusion_model" not in value:  # Easy Diffusion has them as well
            yield replace(
                statement.generation("diffusers"),
                models=distinct([_base(value)]),
                prompt=text_of(value.get("prompt")),
                negative_prompt=text_of(value.get("negative_prompt")),
                seed=seed_of(value.get("seed")),
            )


def _base(value: dict[str, Any]) -> NamedModel | None:
    named = next((value[key] for key in _MODEL_KEYS if isinstance(value.get(key), str)), "")
    ids = {"huggingface": named} if _REPOSITORY.fullmatch(named) else None
    return model_of(Role.BASE, named, None, hash_of(value.get("Model hash")), ids)
