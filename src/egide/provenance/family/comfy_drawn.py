"""ComfyUI's graphs as they were drawn, made into graphs as they would be run.

Muted nodes are left out, bypassed ones replaced by what goes into them. A subgraph's nodes are
taken once, whatever the number of its uses, so that subgraphs in subgraphs cannot multiply.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from egide.provenance.family.comfy_graph import MOST_HOPS, MOST_NODES, Graph, Link, Node
from egide.provenance.family.values import dicts_of, object_of

MOST_SUBGRAPHS: Final = 500
MOST_SLOTS: Final = 64

_MUTED, _BYPASSED = 2, 4
_ENTRY, _EXIT = "-10", "-20"
"""The nodes that stand in a subgraph for what goes in and what comes out."""

_STACK: Final = tuple(
    f"{name}_{number}"
    for number in (1, 2, 3)
    for name in ("switch", "lora_name", "model_weight", "clip_weight")
)
_FIELDS: Final = {
    "CheckpointLoaderSimple": ("ckpt_name",),
    "CLIPLoader": ("clip_name", "type"),
    "CLIPTextEncode": ("text",),
    "ComfySwitchNode": ("switch",),
    "CR LoRA Stack": _STACK,
    "CR Load LoRA": ("switch", "lora_name", "strength_model", "strength_clip"),
    "CR Seed": ("seed",),
    "DualCLIPLoader": ("clip_name1", "clip_name2", "type"),
    "KSampler": ("seed",),
    "KSamplerAdvanced": ("add_noise", "noise_seed"),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "Power Prompt (rgthree)": ("prompt",),
    "PrimitiveBoolean": ("value",),
    "PrimitiveInt": ("value",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
    "RandomNoise": ("noise_seed",),
    "UNETLoader": ("unet_name", "weight_dtype"),
    "UnetLoaderGGUF": ("unet_name",),
    "UpscaleModelLoader": ("model_name",),
    "VAELoader": ("vae_name",),
}
"""The names of the first fields; a drawn node has their values without."""

_Drawn = dict[str, dict[str, Any]]


def graph_of_workflow(value: Any) -> Graph:
    """The graph as it was drawn that `value` is; empty when it is none.

    A node's inputs are those that are linked, and the values of its fields: by name where the
    fields are known, else as `widget_0`, `widget_1`, …
    """
    sheet = object_of(value)
    definitions = object_of(sheet.get("definitions")).get("subgraphs")
    inner = {
        held["id"]: held
        for held in dicts_of(definitions, MOST_SUBGRAPHS)
        if isinstance(held.get("id"), str)
    }
    graph: dict[str, Node] = {}
    _place(sheet, "", inner, graph)
    for kind, held in inner.items() if graph else ():
        _place(held, f"{kind}/", inner, graph)
        graph[f"{kind}/{_EXIT}"] = Node(f"{kind}/{_EXIT}", "SubgraphOutput", _leaving(held, kind))
    return graph


def _place(
    sheet: dict[str, Any], scope: str, inner: dict[str, dict[str, Any]], graph: dict[str, Node]
) -> None:
    """Puts the nodes of one sheet into `graph`, their ids behind `scope`."""
    drawn = {
        f"{scope}{held.get('id')}": held
        for held in dicts_of(sheet.get("nodes"), MOST_NODES)
        if isinstance(held.get("type"), str)
    }
    lines = _lines(sheet.get("links"), scope) if drawn else {}
    for id_, held in drawn.items():
        if held.get("mode") in (_MUTED, _BYPASSED) or len(graph) >= MOST_NODES:
            continue
        links = dict(_linked(held, drawn, lines))
        inputs = _widgets(held) | {key: link for key, link in links.items() if _is_fed(link, graph)}
        if (kind := held["type"]) in inner:
            _enter(kind, held, inputs, graph)
            inputs["output"] = Link(f"{kind}/{_EXIT}", 0)
        graph[id_] = Node(id_, kind, inputs)


def _is_fed(link: Link, graph: dict[str, Node]) -> bool:
    """Whether something comes in by `link`; else the field of the node in the subgraph counts."""
    return f"/{_ENTRY}:" not in link.node or link.node in graph


def _enter(kind: str, held: dict[str, Any], inputs: dict[str, Any], graph: dict[str, Node]) -> None:
    """A node for each input of a subgraph, which holds what the first use of it puts in.

    It holds nothing where a field of the use should say, and which one cannot be told: the field
    inside is then only what the subgraph was made with.
    """
    for number, each in enumerate(dicts_of(held.get("inputs"), MOST_SLOTS)):
        name = each.get("name")
        value = inputs.get(name) if isinstance(name, str) else None
        id_ = f"{kind}/{_ENTRY}:{number}"
        unknown = value is None and "widget" in each and bool(held.get("widgets_values"))
        if value is not None or unknown:
            graph.setdefault(id_, Node(id_, "SubgraphInput", {} if unknown else {"value": value}))


def _leaving(sheet: dict[str, Any], kind: str) -> dict[str, Link]:
    """Where the outputs of a subgraph come from."""
    found: dict[str, Link] = {}
    for held in dicts_of(sheet.get("links"), MOST_NODES):
        origin, slot = str(held.get("origin_id")), held.get("origin_slot")
        if str(held.get("target_id")) == _EXIT and origin != _ENTRY and isinstance(slot, int):
            found[f"output_{len(found)}"] = Link(f"{kind}/{origin}", slot)
    return found


def _lines(links: Any, scope: str) -> dict[int, Link]:
    """Where every line begins, by its number; lines are lists, in newer files objects."""
    lines: dict[int, Link] = {}
    for held in links if isinstance(links, list) else ():
        line = held
        if isinstance(held, dict):
            line = [held.get(key) for key in ("id", "origin_id", "origin_slot")]
        if isinstance(line, list) and len(line) >= 3:
            number, node, output = line[:3]
            if isinstance(number, int) and isinstance(output, int):
                entry = f"{_ENTRY}:{output}" if str(node) == _ENTRY and scope else node
                lines[number] = Link(f"{scope}{entry}", output)
    return lines


def _linked(
    held: dict[str, Any], drawn: _Drawn, lines: dict[int, Link]
) -> Iterator[tuple[str, Link]]:
    for each in dicts_of(held.get("inputs"), MOST_NODES):
        name, number = each.get("name"), each.get("link")
        link = _through(lines.get(number), drawn, lines) if isinstance(number, int) else None
        if link and isinstance(name, str):
            yield name, link


def _through(link: Link | None, drawn: _Drawn, lines: dict[int, Link]) -> Link | None:
    """`link` past bypassed nodes; None where it comes from a muted one."""
    for _ in range(MOST_HOPS):
        if link is None:
            return None
        mode = drawn.get(link.node, {}).get("mode")
        if mode == _MUTED:
            return None
        if mode != _BYPASSED:
            return link
        link = _handed_on(drawn[link.node], link.output, lines)
    return None


def _handed_on(node: dict[str, Any], output: int, lines: dict[int, Link]) -> Link | None:
    """What a bypassed node hands on at `output`: its first input of the same type."""
    outputs = node.get("outputs")
    known = isinstance(outputs, list) and 0 <= output < len(outputs)
    type_ = object_of(outputs[output]).get("type") if known and outputs else None
    for each in dicts_of(node.get("inputs"), MOST_SLOTS):
        number = each.get("link")
        if each.get("type") == type_ and isinstance(number, int):
            return lines.get(number)
    return None


def _widgets(held: dict[str, Any]) -> dict[str, Any]:
    values = held.get("widgets_values")
    if isinstance(values, dict):
        return values
    if not isinstance(values, list):
        return {}
    names = _FIELDS.get(held["type"]) or _field_names(held, len(values))
    named = dict(zip(names, values, strict=False))
    return named | {f"widget_{number}": each for number, each in enumerate(values[len(names) :])}


def _field_names(held: dict[str, Any], count: int) -> tuple[str, ...]:
    """The names of a node's fields by its inputs, where there are as many as values."""
    inputs = dicts_of(held.get("inputs"), MOST_SLOTS)
    names = tuple(str(each.get("name")) for each in inputs if "widget" in each)
    return names if len(names) == count else ()
