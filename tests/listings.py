"""Invented listings of an invented hub: what a dump of a million looks like, and its extremes.

Deterministic: the same seed gives the same dump. Names are put together from invented parts.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

PEOPLE: Final = ("Alba Vandermeer", "Ilse Okonjo-Laird", "Teresia Valkonen", "Mirelle Castavon")
BASES: Final = ("SD 1.5", "SDXL 1.0", "Pony", "Illustrious", "Flux.1 D")
PLACES: Final = ("alpine lake", "brick street", "old harbour", "desert road", "pine forest")
STYLES: Final = ("watercolour", "charcoal", "linocut", "gouache", "isometric", "low poly")
HANDLES: Final = ("pinecone", "quartzite", "bluefern", "oatmilk", "saltmarsh", "copperkite")
PROSE: Final = (
    "Trained with care over several evenings; the defaults of the trainer were kept.",
    "Works best at a strength of 0.7 to 0.9. Lower it when colours burn.",
    "Use the trigger words, keep the prompt short, and raise the steps for detail.",
    "Version two was trained again from scratch with better captions and fewer repeats.",
    "Please post what you make with it below. Feedback is welcome.",
)


def civitai_models(
    count: int, *, people: Sequence[str] = PEOPLE, share: float = 0.25, seed: int = 1
) -> Iterator[dict[str, Any]]:
    """`count` models as Civitai's API gives them, a `share` of them of `people`."""
    choose = random.Random(seed)
    for number in range(1, count + 1):
        if choose.random() < share:
            yield person_model(number, choose.choice(people), choose)
        else:
            yield style_model(number, choose)


def person_model(number: int, name: str, choose: random.Random) -> dict[str, Any]:
    """A model of a person, with the tags and words that such models have."""
    sexual = choose.random() < 0.4
    tags = ["woman", "celebrity", "actress", "photorealistic"] + ["sexy", "nude"] * sexual
    trigger = name.lower().replace(" ", "_")
    about = f"<p>{name}, trained on {choose.randrange(15, 40)} photos.</p>{_about(choose)}"
    return _model(
        number, f"{name} {choose.choice(('LoRA', 'SDXL', 'v2'))}", tags, trigger, about, choose
    )


def style_model(number: int, choose: random.Random) -> dict[str, Any]:
    """A model of a style or a place."""
    style, place = choose.choice(STYLES), choose.choice(PLACES)
    tags = ["style", style, "landscape", place.split()[0]]
    return _model(
        number, f"{style.capitalize()} {place}", tags, f"{style} style", _about(choose), choose
    )


def _about(choose: random.Random) -> str:
    """A description of the usual length, in HTML."""
    lines = choose.choices(PROSE, k=choose.randrange(3, 9))
    return "".join(f"<p>{line} <strong>&amp;</strong></p>" for line in lines)


def _model(
    number: int, name: str, tags: list[str], trigger: str, about: str, choose: random.Random
) -> dict[str, Any]:
    published = (
        f"20{choose.randrange(23, 26)}-{choose.randrange(1, 13):02}-{choose.randrange(1, 28):02}"
    )
    versions = [
        _version(number, version, trigger, f"{published}T10:00:00.000Z", choose)
        for version in range(1, choose.choice((2, 2, 2, 3)))
    ]
    return {
        "id": number,
        "name": name,
        "description": about,
        "type": choose.choice(("LORA", "LORA", "LORA", "LoCon", "TextualInversion", "Checkpoint")),
        "nsfw": "nude" in tags,
        "nsfwLevel": 31 if "nude" in tags else 1,
        "poi": False,
        "mode": None,
        "allowCommercialUse": choose.choice(("Rent", ["Image"], "{Image,RentCivit}")),
        "stats": {"downloadCount": int(choose.paretovariate(1.2) * 40), "thumbsUpCount": 3},
        "creator": {"username": f"{choose.choice(HANDLES)}{choose.randrange(400)}", "image": None},
        "tags": tags,
        "modelVersions": versions,
    }


def _version(
    model: int, version: int, trigger: str, published: str, choose: random.Random
) -> dict[str, Any]:
    digest = f"{choose.getrandbits(256):064x}"
    return {
        "id": model * 10 + version,
        "modelId": model,
        "name": f"v{version}",
        "baseModel": choose.choice(BASES),
        "publishedAt": published,
        "trainedWords": [trigger],
        "stats": {"downloadCount": 5},
        "files": [
            {
                "id": model * 10,
                "name": f"{trigger}.safetensors".replace(" ", "_"),
                "type": "Model",
                "sizeKB": 223_099.5,
                "metadata": {"format": "SafeTensor", "size": None, "fp": None},
                "hashes": {
                    "AutoV1": digest[:8].upper(),
                    "AutoV2": digest[:10].upper(),
                    "AutoV3": digest[20:32].upper(),
                    "SHA256": digest.upper(),
                    "CRC32": digest[40:48].upper(),
                    "BLAKE3": digest[::-1].upper(),
                },
                "primary": True,
                "downloadUrl": f"https://hub.invalid/api/download/models/{model}",
            }
        ],
        "images": [
            {
                "url": f"https://hub.invalid/{model}-{shot}.jpeg",
                "nsfw": "None",
                "width": 832,
                "height": 1216,
                "meta": {
                    "prompt": f"{trigger}, {choose.choice(PLACES)}, soft light, 35mm",
                    "negativePrompt": "blurry, text",
                    "seed": choose.getrandbits(32),
                    "steps": 28,
                },
            }
            for shot in range(2)
        ],
    }
