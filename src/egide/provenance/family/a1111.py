"""AUTOMATIC1111's web UI and what writes as it does: Forge, reForge, SD.Next, Fooocus, Civitai.

They are told apart by `Version` and `App`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from egide.errors import TooManyBytes
from egide.provenance.family.air import resource_of
from egide.provenance.family.civitai import job_of
from egide.provenance.family.infotext import (
    Infotext,
    pairs_of,
    parse_infotext,
    settings_of,
    tags_of,
)
from egide.provenance.family.stated import MAIN, Stated
from egide.provenance.family.values import (
    dicts_of,
    distinct,
    hash_of,
    model_of,
    seed_of,
    text_of,
    word_of,
)
from egide.provenance.statements import Generation, NamedModel, Role

MOST_TEXT: Final = 1 << 20
"""Characters of a text that is read; the longest prompts in the wild have some ten thousand."""

_TEXTS: Final = (*MAIN, "extras", "xptitle")
_TOOLS: Final = (
    (re.compile(r"Fooocus", re.IGNORECASE), "fooocus"),
    (re.compile(r"ComfyUI", re.IGNORECASE), "comfyui"),
    (re.compile(r"classic"), "forge-classic"),
    (re.compile(r"neo"), "forge-neo"),
    (re.compile(r"f\d{1,3}\.\d{1,3}(?:\.\d{1,3})?-v"), "easy-reforge"),
    (re.compile(r"f\d{1,3}\.\d{1,3}(?:\.\d{1,3})?v\d{1,3}-v"), "reforge"),
    (re.compile(r"f\d"), "forge"),
)
"""By how `Version` begins."""
_WITH_HASH: Final = re.compile(r"(.{1,300}?) ?[\[(]([0-9a-fA-F]{8,64})[\])]")
_PROMPTED_TOO: Final = ("Hires prompt", "ADetailer prompt", "ADetailer prompt 2nd")
_KINDS: Final = {
    "lora": Role.ADAPTER,
    "lyco": Role.ADAPTER,
    "hypernet": Role.ADAPTER,
    "embed": Role.EMBEDDING,
    "vae": Role.VAE,
    "model": Role.BASE,
}


def read(stated: Stated) -> Iterator[Generation]:
    """What stands in any text that is built so."""
    for statement in stated.texts(*_TEXTS):
        if len(statement.text) > MOST_TEXT:
            said = f"{statement.where}: a text of more than {MOST_TEXT >> 20} MiB is not read"
            stated.faults.append(TooManyBytes(said))
        elif found := parse_infotext(statement.text):
            tool = _tool(found.settings)
            account = generation_of(found, statement.generation(tool))
            yield replace(account, ids=job_of(stated)) if tool == "civitai" else account


def generation_of(infotext: Infotext, empty: Generation) -> Generation:
    """The account that `infotext` gives, put into `empty`."""
    settings = infotext.settings
    raw = settings.get("Raw prompt"), settings.get("Raw negative prompt")
    user = word_of(settings.get("User"))
    return replace(
        empty,
        version=word_of(settings.get("Version")),
        models=models_of(infotext),
        prompt=text_of(infotext.prompt) or text_of(raw[0]),
        negative_prompt=text_of(infotext.negative) or text_of(raw[1]),
        seed=seed_of(settings.get("Seed")),
        created=word_of(settings.get("Created Date")),
        ids={"user": user} if user else {},
    )


def _tool(settings: dict[str, Any]) -> str:
    version, app = word_of(settings.get("Version")) or "", word_of(settings.get("App")) or ""
    if app.startswith("SD.Next"):
        return "sd-next"
    for begins, tool in _TOOLS:
        if begins.match(version):
            return tool
    if not version and ("Civitai resources" in settings or "Civitai metadata" in settings):
        return "civitai"
    return "a1111"


def models_of(infotext: Infotext) -> tuple[NamedModel, ...]:
    """All models that the text names: settings, hashes and what the prompt calls."""
    settings = infotext.settings
    hashes = _hashes(settings)
    found = [*_base_models(settings, hashes), *_called(infotext, hashes)]
    named = {(model.role, model.name) for model in found if model}
    for (role, name), held in hashes.items():  # named by their hashes alone
        model = model_of(role, name, hashes=held)
        if role in (Role.ADAPTER, Role.EMBEDDING) and model and (role, model.name) not in named:
            found.append(model)
    listed = dicts_of(settings.get("Civitai resources"))
    resources = [resource_of(each, Role.ADAPTER) for each in listed]
    return distinct([*found, *resources, *_additional(settings), *_controls(settings)])


def _base_models(
    settings: dict[str, Any], hashes: dict[tuple[Role, str], dict[str, str]]
) -> Iterator[NamedModel | None]:
    for role, name, key in (
        (Role.BASE, "Model", "Model hash"),
        (Role.BASE, "Refiner", "Refiner hash"),
        (Role.BASE, "Hires checkpoint", ""),
        (Role.VAE, "VAE", "VAE hash"),
        (Role.ADAPTER, "Hypernet", "Hypernet hash"),
    ):
        said, held = _apart(word_of(settings.get(name)))
        held |= hash_of(settings.get(key))
        if name in ("Model", "VAE"):
            held |= hashes.get((role, ""), {})
        weight = settings.get("Hypernet strength") if name == "Hypernet" else None
        yield model_of(role, said, weight, held)
    for number in range(1, 10):  # Forge: text encoders and VAE, each by itself
        yield model_of(Role.OTHER, settings.get(f"Module {number}"))


def _apart(value: str | None) -> tuple[str | None, dict[str, str]]:
    """`name [hash]` in two."""
    if value and (found := _WITH_HASH.fullmatch(value)):
        return found[1], hash_of(found[2])
    return value, {}


def _hashes(settings: dict[str, Any]) -> dict[tuple[Role, str], dict[str, str]]:
    """Every hash by role and name; a base model's and a VAE's have no name here."""
    found: dict[tuple[Role, str], dict[str, str]] = {}
    for key, role in (("Lora hashes", Role.ADAPTER), ("TI hashes", Role.EMBEDDING)):
        for name, written in pairs_of(settings.get(key)).items():
            found.setdefault((role, name), {}).update(_digest(role, written))
    for key, written in pairs_of(settings.get("Hashes")).items():
        kind, _, name = key.partition(":")
        if kind in _KINDS:
            role = _KINDS[kind]
            found.setdefault((role, name), {}).update(_digest(role, written))
    return {key: held for key, held in found.items() if held}


def _digest(role: Role, written: str) -> dict[str, str]:
    """A hash by algorithm. Twelve digits are of an adapter's tensors or an embedding's file."""
    held = hash_of(written)
    if role is not Role.ADAPTER and "autov3" in held:
        return {"autov2": held["autov3"][:10]}
    return held


def _called(
    infotext: Infotext, hashes: dict[tuple[Role, str], dict[str, str]]
) -> Iterator[NamedModel | None]:
    """Adapters that the prompts call, and embeddings listed as used."""
    texts = [infotext.prompt, *(infotext.settings.get(key) for key in _PROMPTED_TOO)]
    weights = pairs_of(infotext.settings.get("Lora weights"))
    for text in texts:
        for tag in tags_of(text) if isinstance(text, str) else ():
            held = hashes.get((Role.ADAPTER, tag.name), {})
            yield model_of(Role.ADAPTER, tag.name, tag.weight, held)
            weights.pop(tag.name, None)
    for name, weight in weights.items():
        yield model_of(Role.ADAPTER, name, weight, hashes.get((Role.ADAPTER, name), {}))
    used = infotext.settings.get("Used embeddings")
    for piece in used.split(",") if isinstance(used, str) else ():
        said, digest = _apart(word_of(piece))
        yield model_of(Role.EMBEDDING, said, hashes=digest)


def _additional(settings: dict[str, Any]) -> Iterator[NamedModel | None]:
    """The Additional Networks extension: `AddNet Model 1: name(hash)`."""
    for number in range(1, 6):
        name, held = _apart(word_of(settings.get(f"AddNet Model {number}")))
        weight = settings.get(f"AddNet Weight A {number}", settings.get(f"AddNet Weight {number}"))
        yield model_of(Role.ADAPTER, name, weight, held)


def _controls(settings: dict[str, Any]) -> Iterator[NamedModel | None]:
    """ControlNet units: `ControlNet 0: "Module: canny, Model: name [hash], …"`."""
    for number in range(4):
        unit = settings.get(f"ControlNet {number}")
        if isinstance(unit, str):
            name, held = _apart(word_of(settings_of(unit).get("Model")))
            yield model_of(Role.OTHER, name, hashes=held)
