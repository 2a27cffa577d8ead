"""Which models ComfyUI's nodes load, told by the names of their inputs.

There are thousands of loaders by as many authors; nearly all name an input after what it loads
(`ckpt_name`, `lora_name_2`, `vae_name`), and most number its weight alike (`lora_wt_2`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from egide.provenance.family.air import model_of_air
from egide.provenance.family.comfy_graph import Graph, Node, literal
from egide.provenance.family.infotext import tags_of
from egide.provenance.family.values import dicts_of, distinct, model_of, number_of
from egide.provenance.statements import NamedModel, Role

_FILE: Final = re.compile(
    r"[^\n]{1,280}\.(?:safetensors|sft|ckpt|gguf|pt|pth|bin|onnx)|urn:air:[^\s]{1,380}",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(r"\D{0,80}?_?0?(\d{1,3})(?:_\D{0,80})?")
_ROLES: Final = (
    ("lora", Role.ADAPTER),
    ("lycoris", Role.ADAPTER),
    ("hypernetwork", Role.ADAPTER),
    ("vae", Role.VAE),
    ("embedding", Role.EMBEDDING),
    ("clip", Role.OTHER),
    ("text_encoder", Role.OTHER),
    ("control", Role.OTHER),
    ("upscale", Role.OTHER),
    ("style", Role.OTHER),
    ("ipadapter", Role.OTHER),
    ("instantid", Role.OTHER),
    ("photomaker", Role.OTHER),
    ("pulid", Role.OTHER),
    ("face", Role.OTHER),
    ("swap", Role.OTHER),
    ("detector", Role.OTHER),
    ("bbox", Role.OTHER),
    ("segm", Role.OTHER),
    ("sam_", Role.OTHER),
    ("ckpt", Role.BASE),
    ("checkpoint", Role.BASE),
    ("unet", Role.BASE),
    ("base_model", Role.BASE),
    ("diffusion", Role.BASE),
)
"""What an input's name, else the node's, says of what is loaded; the first that fits."""
_CALLING: Final = ("lora", "wildcard", "power prompt", "promptcontrol")
"""Nodes that read `<lora:name:1>` in a text; others leave it standing and load nothing."""
_EMBEDDING: Final = re.compile(r"\bembedding:([^\s,:;()<>\[\]{}\"|]{1,200})")
_ALWAYS: Final = frozenset({"ckpt_name", "unet_name", "vae_name", "control_net_name"})
"""Inputs that hold the name of a model whatever it looks like."""
_PROMPTS: Final = frozenset({"clip_g", "clip_l", "t5xxl", "text"})
_LOADS: Final = ("name", "model", "file", "widget_")
"""Inputs that may hold a file without saying of what."""
_WEIGHTS: Final = ("strength", "weight", "_str_", "_wt")
MOST_VALUES: Final = 400
MOST_STRING: Final = 65_536


def models_of(graph: Graph, nodes: Iterable[Node]) -> tuple[NamedModel, ...]:
    """The models that `nodes` load, adapters at weight 0 left out: they are not applied."""
    return distinct(model for node in nodes for model in _models(graph, node))


def embeddings_of(text: str | None) -> Iterator[NamedModel | None]:
    """The embeddings that a prompt calls: `embedding:name`."""
    for found in _EMBEDDING.finditer(text or ""):
        yield model_of(Role.EMBEDDING, found[1].rstrip("."))


def _models(graph: Graph, node: Node) -> Iterator[NamedModel | None]:
    kind = node.kind.lower()
    if "save" in kind:
        return  # it states names, and loads nothing
    inputs = {key.lower(): _held(graph, key, held) for key, held in _first_inputs(node)}
    weights = _weights(graph, inputs)
    for key, held in inputs.items():
        if isinstance(held, str):
            yield _named(key, kind, held, weights)
            if any(word in kind for word in _CALLING):
                yield from _called(held)
        elif isinstance(held, dict) and ("lora" in held or "lora" in key):
            yield from _stacked(held)
        elif isinstance(held, list) and "lora" in key:
            yield from _stacked({"__value__": held})


def _first_inputs(node: Node) -> Iterator[tuple[str, Any]]:
    return islice(node.inputs.items(), MOST_VALUES)


def _held(graph: Graph, key: str, value: Any) -> Any:
    """The value of an input; a name may come from another node, or be wrapped with its picture."""
    held = literal(graph, value) if key.lower().endswith("_name") else value
    return held["content"] if isinstance(held, dict) and "content" in held else held


def _named(
    key: str, kind: str, held: str, weights: dict[int, tuple[float | None, bool]]
) -> NamedModel | None:
    """The model of one input that holds a file's name, if it does."""
    role = _role(key, kind)
    certain = key in _ALWAYS or (role is Role.ADAPTER and "name" in key)
    if role is None or not (certain or _FILE.fullmatch(held)):
        return None
    weight = None
    if role is Role.ADAPTER:
        weight, applied = weights.get(_number(key), (None, True))
        if not applied:
            return None
    return model_of_air(held, weight, role=role) or model_of(role, held, weight)


def _role(key: str, kind: str) -> Role | None:
    """What an input loads, by its name; by its node's where that says only that it loads."""
    if key in _PROMPTS:
        return None
    texts = (key, kind) if any(part in key for part in _LOADS) else (key,)
    for text in texts:
        for part, role in _ROLES:
            if part in text:
                return role
    if "model" not in key:
        return None
    return Role.BASE if "load" in kind else Role.OTHER


def _number(key: str) -> int:
    """The number in an input's name, which names and weights of one adapter share; -1 if none."""
    found = _NUMBERED.fullmatch(key)
    return int(found[1]) if found else -1


def _weights(graph: Graph, inputs: dict[str, Any]) -> dict[int, tuple[float | None, bool]]:
    """The weight of every numbered adapter, and whether it is applied at all."""
    if not any("lora" in key for key in inputs):
        return {}
    count = number_of(inputs.get("lora_count", inputs.get("num_loras")))
    advanced = inputs.get("input_mode", inputs.get("mode")) == "advanced"
    found: dict[int, list[float]] = {}
    off: set[int] = set()
    for key in sorted(inputs, key=lambda key: "clip" in key):  # the U-Net's weight comes first
        number = _number(key)
        if number >= 0 and count is not None and number > count:
            off.add(number)
        if ("switch" in key or "enable" in key) and inputs[key] in ("Off", "off", False):
            off.add(number)
        if any(part in key for part in _WEIGHTS) and not (advanced and "_wt" in key):
            said = number_of(literal(graph, inputs[key]))
            if said is not None:
                found.setdefault(number, []).append(said)
    weights = {number: (held[0], any(held)) for number, held in found.items()}
    return weights | dict.fromkeys(off, (None, False))


def _stacked(held: dict[str, Any]) -> Iterator[NamedModel | None]:
    """Adapters held as objects: rgthree's Power Lora Loader, and lists of name and strength."""
    for each in [held, *dicts_of(held.get("__value__"))]:
        name = each.get("lora", each.get("name", each.get("lora_name")))
        weight = each.get("strength", each.get("strength_model", each.get("weight")))
        on = each.get("on", each.get("active", True))
        if isinstance(name, str) and on is not False and number_of(weight) != 0:
            yield model_of(Role.ADAPTER, name, weight)


def _called(text: str) -> Iterator[NamedModel | None]:
    for tag in tags_of(text[:MOST_STRING]):
        if tag.weight:
            yield model_of(Role.ADAPTER, tag.name, tag.weight)
