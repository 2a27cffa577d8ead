"""The names that one model goes by: hashes, ids at hubs, names of files.

A picture names its models one way, the hub another: what both have in common finds the listing.
Each alias is brought to one spelling, so that equal ones are equal text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

from egide.hub.facts import ModelFacts

MOST_ALIASES: Final = 400
"""Kept of one listing."""

SHA256: Final = "sha256"
BLAKE3: Final = "blake3"
AUTOV1: Final = "autov1"
AUTOV2: Final = "autov2"
AUTOV3: Final = "autov3"
VERSION: Final = "civitai-version"
CIVITAI: Final = "civitai"
HUGGINGFACE: Final = "huggingface"
FILE: Final = "file"


class Sureness(StrEnum):
    """How sure it is that two models with an alias in common are one."""

    SURE = "sure"
    """A digest of 48 bits or more, or the hub's own id."""
    STRONG = "strong"
    """Forty bits of a digest."""
    WEAK = "weak"
    """Thirty-two bits over a part of the file, or a name that anyone can give to a file."""


class Alias(NamedTuple):
    """One name of a model: what it is, `sha256` to `file`, and the name itself.

    `version` is the hub's number of the version that has it, or 0.
    """

    kind: str
    value: str
    version: int = 0

    @property
    def sureness(self) -> Sureness:
        """How much it proves."""
        return _SURENESS.get(self.kind, Sureness.SURE)

    @property
    def is_firm(self) -> bool:
        """Whether it is more than a name or a short digest."""
        return self.kind not in _WEAK


_SURENESS: Final = {
    AUTOV2: Sureness.STRONG,
    AUTOV1: Sureness.WEAK,
    FILE: Sureness.WEAK,
}
_WEAK: Final = frozenset(kind for kind, each in _SURENESS.items() if each is Sureness.WEAK)
RANK: Final = {each: rank for rank, each in enumerate(Sureness)}
"""0 for the surest."""
_DIGITS: Final = {
    SHA256: 64,
    BLAKE3: 64,
    AUTOV1: 8,
    AUTOV2: 10,
    AUTOV3: 12,
}
"""How many digits of each are compared: as many as all that write it down give."""

_HEXADECIMAL: Final = "0123456789abcdef"
_EMPTY: Final = "e3b0c442"
"""SHA-256 of nothing begins so: what stands for a hash where there was nothing to hash."""
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
_REPOSITORY: Final = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_SUFFIX: Final = re.compile(r"\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$")
_ANY_FILE: Final = frozenset(
    ("adapter_model", "adapter", "checkpoint", "diffusion_pytorch_model", "embedding",
     "last", "latest", "learned_embeds", "lora", "model", "none", "output", "pytorch_lora_weights",
     "pytorch_model", "sdxl_vae", "test", "unknown", "untitled", "vae")
)  # fmt: skip
"""Names of files that say nothing of the model: trainers give them to all."""


def aliases_of(facts: ModelFacts) -> tuple[Alias, ...]:
    """The aliases of the model that a listing or a file tells of, each once."""
    return tuple(islice(dict.fromkeys(_aliases(facts)), MOST_ALIASES))


def named_aliases(
    hashes: Mapping[str, str], ids: Mapping[str, str], name: str | None
) -> tuple[Alias, ...]:
    """The aliases by which a picture's metadata names a model: the surest first.

    `hashes` by `sha256`, `autov2`, …; `ids` by `civitai`, `civitai-version`, `huggingface`;
    `name` is that of its file.
    """
    found = [*_of_ids(ids), *_of_hashes(hashes, 0), *_of_file(name, 0)]
    return tuple(sorted(dict.fromkeys(found), key=lambda alias: RANK[alias.sureness]))


def _aliases(facts: ModelFacts) -> Iterator[Alias]:
    if facts.source == "civitai":
        yield from _of_ids({"civitai": facts.ref} if facts.versions else {})
    elif facts.source == "huggingface":
        yield from _of_ids({"huggingface": facts.ref})
    # What a listing says of itself is put together from its versions.
    for one in facts.versions or (facts,):
        version = _version(one.ref) if one is not facts and facts.source == "civitai" else 0
        if version:
            yield Alias(VERSION, str(version), version)
        yield from _of_hashes(one.hashes, version)
        for place, text in one.texts:
            if place in ("file", "rfilename"):
                yield from _of_file(text, version)


def _version(ref: str) -> int:
    return int(ref) if _NUMBER.fullmatch(ref) else 0


def _of_hashes(hashes: Mapping[str, str], version: int) -> Iterator[Alias]:
    for name, value in hashes.items():
        kind = _KINDS.get(name) or _KINDS.get(name.lower())
        if kind is None:
            continue
        digest, digits = value.strip().lower().removeprefix("0x"), _DIGITS[kind]
        if len(digest) < digits or digest.startswith(_EMPTY) or digest.strip(_HEXADECIMAL):
            continue
        yield Alias(kind, digest[:digits], version)
        if kind is SHA256:
            yield Alias(AUTOV2, digest[: _DIGITS[AUTOV2]], version)


_KINDS: Final = {kind: kind for kind in _DIGITS} | {
    "SHA256": SHA256,
    "BLAKE3": BLAKE3,
    "AutoV1": AUTOV1,
    "AutoV2": AUTOV2,
    "AutoV3": AUTOV3,
}
"""By the names that hubs write, and those in lower case."""


def _of_ids(ids: Mapping[str, str]) -> Iterator[Alias]:
    if _NUMBER.fullmatch(version := ids.get("civitai-version", "")):
        yield Alias(VERSION, version, int(version))
    if _NUMBER.fullmatch(number := ids.get("civitai", "")):
        yield Alias(CIVITAI, number)
    if _REPOSITORY.fullmatch(name := ids.get("huggingface", "")):
        yield Alias(HUGGINGFACE, name.lower())


def _of_file(name: str | None, version: int) -> Iterator[Alias]:
    stem = file_stem(name or "")
    if len(stem) > 2 and stem not in _ANY_FILE:
        yield Alias(FILE, stem, version)


def file_stem(name: str) -> str:
    """The name of a model's file without folders and suffix, in lower case."""
    last = name[:300].replace("\\", "/").rpartition("/")[2].strip().casefold()
    return _SUFFIX.sub("", last)
