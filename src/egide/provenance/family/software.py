"""Tools that only leave their name: `Software`, `CreatorTool`, `Credit`.

A name counts when it is the whole text, but for a version behind it: an editor that mentions a
generator is not one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from egide.provenance.family.stated import Stated
from egide.provenance.family.values import word_of
from egide.provenance.statements import Generation

NAMES: Final = {
    "adobe firefly": "adobe-firefly",
    "bing image creator": "bing-image-creator",
    "chatgpt": "openai",
    "comfyui": "comfyui",
    "dall-e": "dall-e",
    "dall·e": "dall-e",
    "diffusers": "diffusers",
    "diffusionbee": "diffusionbee",
    "easy diffusion": "easy-diffusion",
    "fooocus": "fooocus",
    "gpt-image": "openai",
    "ideogram": "ideogram",
    "ideogram ai": "ideogram",
    "imagen": "google",
    "invokeai": "invokeai",
    "leonardo ai": "leonardo",
    "leonardo.ai": "leonardo",
    "made with google ai": "google",
    "midjourney": "midjourney",
    "mochi diffusion": "mochi-diffusion",
    "recraft": "recraft",
    "ruinedfooocus": "ruined-fooocus",
    "sd.next": "sd-next",
    "sora": "openai",
    "stability ai": "stability-ai",
    "stable diffusion": "stable-diffusion",
    "stable diffusion xl": "stable-diffusion",
    "stableswarmui": "swarmui",
    "swarmui": "swarmui",
}
"""Names in lower case, and the short names of the tools."""
_PARTS: Final = re.compile(r"(.{1,60}?)(?:[ \-]?v?(\d[\w.+\-]{0,40}))?")


def read(stated: Stated) -> Iterator[Generation]:
    """One account a name."""
    for statement in stated.texts("software", "creatortool", "generator", "credit"):
        word = word_of(statement.text)
        found = _PARTS.fullmatch(word) if word and len(word) <= 99 else None
        generator = NAMES.get(found[1].lower().strip()) if found else None
        if generator and found:
            yield replace(statement.generation(generator), version=found[2], software=word)
