"""ComfyUI: PNG chunks `prompt` and `workflow`, the same in EXIF tags, in JSON and in videos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from egide.provenance.family.comfy_drawn import graph_of_workflow
from egide.provenance.family.comfy_graph import Graph, graph_of, used_nodes
from egide.provenance.family.comfy_models import embeddings_of, models_of
from egide.provenance.family.comfy_prompt import asked_of
from egide.provenance.family.stated import MAIN, Stated, Statement
from egide.provenance.family.values import distinct, word_of
from egide.provenance.statements import Generation


def read(stated: Stated) -> Iterator[Generation]:
    """What the graphs in a file say; the drawn one only where none was run."""
    ran = [
        generation_of(graph, statement)
        for statement, value in stated.objects("prompt", *MAIN)
        if "extraMetadata" not in value and (graph := graph_of(value))
    ]
    drawn = [
        (statement, value)
        for statement, value in stated.objects("workflow", *MAIN)
        if isinstance(value.get("nodes"), list)
    ]
    yield from ran
    for statement, value in drawn:
        if ran:
            yield statement.generation("comfyui")
        elif graph := graph_of_workflow(value):
            yield replace(generation_of(graph, statement), version=_version(value))


def generation_of(graph: Graph, statement: Statement) -> Generation:
    """What `graph`, which stands in `statement`, says."""
    nodes = used_nodes(graph)
    asked = asked_of(graph, nodes)
    called = [*embeddings_of(asked.prompt), *embeddings_of(asked.negative_prompt)]
    return replace(
        statement.generation("comfyui"),
        models=distinct([*models_of(graph, nodes), *called]),
        prompt=asked.prompt,
        negative_prompt=asked.negative_prompt,
        seed=asked.seed,
    )


def _version(workflow: dict[str, Any]) -> str | None:
    extra = workflow.get("extra")
    return word_of(extra.get("frontendVersion")) if isinstance(extra, dict) else None
