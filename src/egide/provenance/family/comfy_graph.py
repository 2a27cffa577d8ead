"""ComfyUI's graphs: nodes, the links between them, and which of them made the picture.

A file holds the graph as it was run (`prompt`) and as it was drawn (`workflow`). What was run is
walked backwards from the nodes that save a picture, so that a loader nothing depends on is not
taken for one that was used. All walks are linear and end in graphs with cycles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MOST_NODES: Final = 200_000
MOST_HOPS: Final = 8
"""Primitive or bypassed nodes followed for one value."""

_IMAGE_INPUTS: Final = ("images", "image", "video", "frames", "samples", "filenames", "pixels")


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One node: its class, and its inputs, which are values or `Link`s."""

    id: str
    kind: str
    inputs: Mapping[str, Any] = field(repr=False)

    @property
    def links(self) -> Iterator[tuple[str, Link]]:
        """The inputs that come from other nodes."""
        return ((key, held) for key, held in self.inputs.items() if isinstance(held, Link))


@dataclass(frozen=True, slots=True)
class Link:
    """Where an input comes from: a node's id and the number of its output."""

    node: str
    output: int


Graph = Mapping[str, Node]


def graph_of(value: Any) -> Graph:
    """The graph as it was run that `value` is; empty when it is none."""
    nodes: dict[str, Node] = {}
    for id_, held in value.items() if isinstance(value, dict) else ():
        kind = held.get("class_type") if isinstance(held, dict) else None
        if isinstance(kind, str) and len(nodes) < MOST_NODES:
            inputs = held.get("inputs")
            linked = (
                {key: _linked(each) for key, each in inputs.items()}
                if (isinstance(inputs, dict))
                else {}
            )
            nodes[id_] = Node(id_, kind, linked)
    return nodes


def _linked(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2:
        node, output = value
        if isinstance(node, str | int) and isinstance(output, int):
            return Link(str(node), output)
    return value


def used_nodes(graph: Graph) -> list[Node]:
    """The nodes that the picture depends on, those nearest to it first.

    Nodes that save come before nodes that only show; a graph with neither is read from the nodes
    that nothing depends on.
    """
    return walk(graph, _outputs(graph))


def walk(graph: Graph, starts: Iterable[Node]) -> list[Node]:
    """`starts` and all that they depend on, breadth first."""
    pending = deque(starts)
    seen: dict[str, Node] = {node.id: node for node in pending}
    while pending:
        for link in sources(graph, pending.popleft()):
            if link.node not in seen and (node := graph.get(link.node)):
                seen[node.id] = node
                pending.append(node)
    return list(seen.values())


def _outputs(graph: Graph) -> list[Node]:
    saving, showing = [], []
    for node in graph.values():
        kind = node.kind.lower()
        if not any(isinstance(node.inputs.get(key), Link) for key in _IMAGE_INPUTS):
            continue
        if "save" in kind or ("combine" in kind and "video" in kind) or "websocket" in kind:
            saving.append(node)
        elif "preview" in kind or "output" in kind or "display" in kind:
            showing.append(node)
    if saving or showing:
        return saving or showing
    inner = {link.node for node in graph.values() for _, link in node.links}
    return [node for node in graph.values() if node.id not in inner and any(node.links)] or list(
        graph.values()
    )


def sources(graph: Graph, node: Node) -> Iterator[Link]:
    """Where a node's result comes from; of a switch only the branch that it let through."""
    kind = node.kind.lower()
    if "switch" in kind:
        chosen = _chosen(graph, node, kind)
        if chosen is not None:
            yield from chosen
            return
    for _, link in node.links:
        yield link


def _chosen(graph: Graph, node: Node, kind: str) -> list[Link] | None:
    """The links that a switch lets through; None when that cannot be told."""
    inputs = node.inputs
    if "on_true" in inputs or "on_false" in inputs:
        on = literal(graph, inputs.get("switch", inputs.get("boolean")))
        if not isinstance(on, bool):
            return None
        branch = inputs.get("on_true" if on else "on_false")
        return [branch] if isinstance(branch, Link) else []
    if kind.startswith("any switch"):  # rgthree: the first that is there
        present = [link for _, link in sorted(node.links) if link.node in graph]
        return present[:1]
    number = literal(graph, inputs.get("select", inputs.get("Input", inputs.get("index"))))
    if isinstance(number, int) and not isinstance(number, bool):
        branch = inputs.get(f"input{number}", inputs.get(f"input_{number}"))
        return [branch] if isinstance(branch, Link) else None
    return None


def literal(graph: Graph, value: Any, keys: tuple[str, ...] = ()) -> Any:
    """The value behind a link through primitive nodes; `value` itself when it is no link."""
    for _ in range(MOST_HOPS):
        node = graph.get(value.node) if isinstance(value, Link) else None
        if node is None:
            break
        held = (node.inputs.get(key) for key in (*keys, "value", "Value", "int", "number"))
        value = next((each for each in held if each is not None), None)
    return None if isinstance(value, Link) else value
