"""Values of evidence as people read them: lists, spans and masks in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from egide.finding import MASK


def flat(evidence: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Each value with its name; of one that stands in a mapping, the names on the way to it."""
    for name, value in evidence.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", value


def said(value: object) -> str:
    """`yes`, `masked`, `leet, spaced`, `0–7 masked (undress); 11–14 masked (pronoun)`."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            several = any(isinstance(inner, Mapping) for inner in value)
            return ("; " if several else ", ").join(map(said, value))
        case {"start": int(start), "end": int(end), **more}:
            return _span(start, end, more)
        case Mapping():
            return ", ".join(f"{name} {said(inner)}" for name, inner in flat(value))
        case _:
            return "masked" if value == MASK else str(value)


def _span(start: int, end: int, more: dict[Any, Any]) -> str:
    """A part of a text, in characters: what stands there, and what it was read as."""
    words, classes = more.pop("prompt", None), more.pop("as", None)
    parts = [f"{start}\u2013{end}"]
    if words is not None:
        parts.append(said(words) if words == MASK else f"\u201c{words}\u201d")
    if classes:
        parts.append(f"({said(classes)})")
    parts += [f"{name} {said(inner)}" for name, inner in flat(more)]
    return " ".join(parts)
