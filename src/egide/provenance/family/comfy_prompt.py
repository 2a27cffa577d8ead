"""What was asked of ComfyUI: the prompts and the seed, from the samplers backwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from egide.provenance.family.comfy_graph import Graph, Link, Node, literal
from egide.provenance.family.values import seed_of, text_of

MOST_STEPS: Final = 1000
"""Nodes visited for one prompt."""
MOST_SAMPLERS: Final = 8

_TEXT_KEYS: Final = (
    "text", "text_g", "text_l", "prompt", "t5xxl", "clip_l", "clip_g", "value", "string", "Text",
    "prompt_text", "string_a", "string_b", "text_a", "text_b", "text1", "text2", "text_0",
    "wildcard_text", "populated_text",
)  # fmt: skip
_CONDITIONING: Final = (
    "conditioning", "conditioning_1", "conditioning_2", "conditioning_to", "conditioning_from",
    "cond", "cond1", "cond2", "base_cond", "on_true", "on_false", "input", "any_01", "any_02",
    "source", "guider",
)  # fmt: skip
_SIDES: Final = {
    "positive": ("guider", "positive", "text_embeds", "hyvid_embeds", "conditioning"),
    "negative": ("guider", "negative", "neg_conditioning", "text_embeds"),
}
"""The inputs by which a sampler takes each side."""
_SEEDS: Final = ("seed", "noise_seed", "noise", "seed_num")
_OPAQUE: Final = frozenset({"ConditioningZeroOut", "TextGenerate"})
"""Nodes whose text is nowhere in the graph, or is not used."""


class Asked(NamedTuple):
    """The prompts and the seed of one sampler."""

    prompt: str | None
    negative_prompt: str | None
    seed: int | None


def asked_of(graph: Graph, nodes: Sequence[Node]) -> Asked:
    """What was asked for the picture that `nodes` made, nearest first.

    The sampler farthest from the picture counts: later ones refine what the first has made.
    """
    samplers = [node for node in nodes if _samples(node)][-MOST_SAMPLERS:]
    for node in reversed(samplers):
        prompt = _prompt(graph, node, "positive")
        if prompt:
            return Asked(prompt, _prompt(graph, node, "negative"), _seed(graph, node))
    seeds = (_seed(graph, node) for node in reversed(samplers))
    seed = next((each for each in seeds if each is not None), None)
    return Asked(_written(nodes), None, seed)


def _samples(node: Node) -> bool:
    keys = node.inputs.keys()
    return not keys.isdisjoint(_SIDES["positive"]) and not keys.isdisjoint(_SEEDS)


def _seed(graph: Graph, node: Node) -> int | None:
    for key in _SEEDS:
        found = seed_of(literal(graph, node.inputs.get(key), ("seed", "noise_seed")))
        if found is not None:
            return found
    return None


def _written(nodes: Sequence[Node]) -> str | None:
    """The prompt of a node that asks a service, where nothing samples."""
    prompts = (text_of(node.inputs.get("prompt")) for node in nodes)
    return next((prompt for prompt in prompts if prompt), None)


def _prompt(graph: Graph, sampler: Node, side: str) -> str | None:
    """The texts that condition the sampler on one side, in the order in which they go in.

    A switch may have let through what a language model wrote, which is nowhere in the file: then
    what it was asked counts, which is in the switch's other branch.
    """
    start = next((sampler.inputs[key] for key in _SIDES[side] if key in sampler.inputs), None)
    return _gathered(graph, start, side, False) or _gathered(graph, start, side, True)


def _gathered(graph: Graph, start: Any, side: str, both: bool) -> str | None:
    texts: dict[str, None] = {}
    pending = [start]
    seen: set[str] = set()
    while pending and len(seen) < MOST_STEPS:
        held = pending.pop()
        if isinstance(held, str):
            texts[held.strip()] = None
        node = graph.get(held.node) if isinstance(held, Link) else None
        if node is None or node.id in seen or node.kind in _OPAQUE:
            continue
        seen.add(node.id)
        pending.extend(reversed(_behind(graph, node, side, both)))
    return text_of("\n".join(text for text in texts if text))


def _behind(graph: Graph, node: Node, side: str, both: bool) -> list[Any]:
    """What a node's text or condition is made of: texts, and links to go on with."""
    inputs = node.inputs
    for key in (side, f"text_{side}", f"prompt_{side}", f"{side}_prompt"):
        if key in inputs:
            return [inputs[key]]
    if "on_true" in inputs or "on_false" in inputs:
        branches = [inputs.get("on_true"), inputs.get("on_false")]
        off = literal(graph, inputs.get("switch")) is False
        return branches if both else branches[off : off + 1]
    kind = node.kind.lower()
    if side == "negative" and "guider" in kind:
        return []  # a guider without a negative side
    found = [inputs[key] for key in _CONDITIONING if isinstance(inputs.get(key), Link)]
    found += [inputs[key] for key in _TEXT_KEYS if isinstance(inputs.get(key), Link | str)]
    if "text" in kind:  # drawn nodes whose fields have no names
        found += [held for key, held in inputs.items() if key.startswith("widget_")]
    return found
