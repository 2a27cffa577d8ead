"""Civitai's generator: a ComfyUI graph whose files are AIRs, and a record beside the nodes.

Its other way of writing, the text of AUTOMATIC1111 with `Civitai resources`, is read in `a1111`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from egide.provenance.family.air import model_of_air, resource_of
from egide.provenance.family.comfy_graph import graph_of
from egide.provenance.family.comfyui import generation_of
from egide.provenance.family.stated import MAIN, Stated
from egide.provenance.family.values import (
    dicts_of,
    distinct,
    object_of,
    seed_of,
    text_of,
)
from egide.provenance.statements import Generation, NamedModel, Role

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def read(stated: Stated) -> Iterator[Generation]:
    """What stands in a graph that has `extraMetadata`."""
    job = job_of(stated)
    for statement, value in stated.objects("prompt", *MAIN):
        if "extraMetadata" not in value:
            continue
        said = object_of(stated.parsed(value["extraMetadata"], statement.where))
        graph = generation_of(graph_of(value), statement)
        airs = object_of(value.get("extra")).get("airs")
        named = [model_of_air(each) for each in airs[:100]] if isinstance(airs, list) else []
        seed = seed_of(said.get("seed"))
        yield replace(
            graph,
            generator="civitai",
            models=_models(graph.models, named, said),
            prompt=text_of(said.get("prompt")) or graph.prompt,
            negative_prompt=text_of(said.get("negativePrompt")) or graph.negative_prompt,
            seed=graph.seed if seed is None else seed,
            ids=job,
        )


def job_of(stated: Stated) -> dict[str, str]:
    """The id of the job, which Civitai puts where others name their software."""
    jobs = (each.text for each in stated.texts("software") if _UUID.fullmatch(each.text))
    job = next(jobs, None)
    return {"job": job} if job else {}


def _models(
    loaded: tuple[NamedModel, ...], named: list[NamedModel | None], said: dict[str, Any]
) -> tuple[NamedModel, ...]:
    """What the graph loads, what is listed, and the resources; each version once."""
    found: list[NamedModel] = list(loaded)
    resources = [resource_of(each, Role.OTHER) for each in dicts_of(said.get("resources"))]
    for model in [*named, *resources]:
        if model and not any(_is_same(model, held) for held in found):
            found.append(model)
    return distinct(found)


def _is_same(model: NamedModel, held: NamedModel) -> bool:
    version = model.ids.get("civitai-version")
    return version is not None and version == held.ids.get("civitai-version")
