"""What the registry keeps of a listing: which model, of whom, and the digests of its aliases."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, NamedTuple

from egide.hub.aliases import aliases_of
from egide.hub.facts import ModelFacts
from egide.hub.likeness import Likeness
from egide.hub.pseudonyms import Pseudonyms

FILE_HUB: Final = "file"
"""Stands for the hub where a model file was read and no listing."""


class Registered(NamedTuple):
    """One listing. `aliases` are (digest, version), the first `firm` of them more than names."""

    key: int
    """Of hub and model, 64 bits, signed."""
    hub: str
    model: str
    base: str | None
    adapter: str | None
    creator: str | None
    """A pseudonym."""
    named: float
    unnamed: float
    sexual: float
    firm: int
    aliases: tuple[tuple[int, int], ...]


def registered(
    facts: ModelFacts, judged: Likeness, pseudonyms: Pseudonyms, model: str | None = None
) -> Registered | None:
    """What is kept of the listing that `facts` tell of; None when it has no alias.

    `model` is its id where it is not that of `facts`.
    """
    aliases = aliases_of(facts)
    if not aliases:
        return None
    firm = [alias for alias in aliases if alias.is_firm]
    ordered = firm + [alias for alias in aliases if not alias.is_firm]
    model = facts.ref[:200] if model is None else model
    creator = facts.creator and pseudonyms.of_creator(facts.source, facts.creator)
    return Registered(
        key=_key(facts.source, model),
        hub=facts.source,
        model=model,
        base=facts.base_model and facts.base_model[:60],
        adapter=facts.adapter,
        creator=creator or None,
        named=round(judged.named, 3),
        unnamed=round(judged.unnamed, 3),
        sexual=round(judged.sexual, 3),
        firm=len(firm),
        aliases=tuple(
            (pseudonyms.of_alias(kind, value), version) for kind, value, version in ordered
        ),
    )


def _key(hub: str, model: str) -> int:
    text = f"{hub}\0{model}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
