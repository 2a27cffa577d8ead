"""The text that AUTOMATIC1111's web UI and its forks write: prompts, then a line of settings.

    a lake at dawn <lora:mist:0.6>
    Negative prompt: blurry
    Steps: 20, Sampler: Euler a, Seed: 7, Model hash: 31e35c80fc, Lora hashes: "mist: 1f3aa2c0b9d1"

Read in one pass: a value is up to the next comma, a quoted text, or a JSON value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

MOST_SETTINGS: Final = 400
MOST_TAGS: Final = 500
_NEGATIVE: Final = "Negative prompt:"
_KNOWN: Final = frozenset(
    {
        "App",
        "CFG scale",
        "CFG Scale",
        "Clip skip",
        "Guidance Scale",
        "Model",
        "Model hash",
        "Postprocess upscale by",
        "Postprocess upscale to",
        "Postprocess upscaler",
        "Sampler",
        "Schedule type",
        "Seed",
        "Size",
        "Steps",
        "Version",
    }
)
_STEPS: Final = re.compile(r"^[ \t]{0,9}Steps:[ \t]?\d", re.MULTILINE)
_KEY: Final = re.compile(r"(\w[\w \-/.&]{0,99}):[ \t]{0,9}")
_BETWEEN: Final = re.compile(r"[,\n][ \t\n,]*+")
_AROUND: Final = ' \t\r\n,"'
_DECODER: Final = json.JSONDecoder(strict=False)
_TAG: Final = re.compile(r"<(lora|lyco|hypernet):([^:<>\n]{1,300})((?::[^:<>\n]{0,100}){0,8})>")
_NUMBER: Final = re.compile(r"[+-]?\d{0,9}\.?\d{0,30}")


@dataclass(frozen=True, slots=True)
class Tag:
    """An extra network called in a prompt; its weight is 1 when none is said."""

    kind: str
    name: str
    weight: float


@dataclass(frozen=True, slots=True)
class Infotext:
    """The text taken apart. `settings` values are texts, or what JSON among them holds."""

    prompt: str
    negative: str
    settings: dict[str, Any] = field(hash=False)


def parse_infotext(text: str) -> Infotext | None:
    """`text` taken apart; None when it has neither settings nor a negative prompt."""
    begins = list(_STEPS.finditer(text))
    inline = text.rfind(" Steps: ")  # where a converter made one line of all
    last = inline if inline >= 0 else text.rstrip().rfind("\n") + 1
    start = begins[-1].start() if begins else last
    settings = settings_of(text[start:])
    if len(settings.keys() & _KNOWN) < (2 if begins else 3):
        if f"\n{_NEGATIVE}" not in text:
            return None
        start, settings = len(text), {}  # cut off before the settings
    prompt, _, negative = text[:start].partition(_NEGATIVE)
    return Infotext(prompt.strip(), negative.strip(), settings)


def settings_of(text: str) -> dict[str, Any]:
    """The `key: value` pairs in `text`; of equal keys the first. Linear, whatever is in it."""
    settings: dict[str, Any] = {}
    at, may_be_json = len(text) - len(text.lstrip()), True
    while len(settings) < MOST_SETTINGS and (key := _KEY.match(text, at)):
        start, value = key.end(), None
        if may_be_json and text[start : start + 1] in ('"', "{", "["):
            try:
                value, start = _DECODER.raw_decode(text, start)
            except (ValueError, RecursionError):
                may_be_json = False  # to try again at each bracket would be quadratic
        at = _after(text, start)
        if value is None:
            value = text[start:at].strip(_AROUND)
        settings.setdefault(key[1].strip(), value)
    return settings


def _after(text: str, at: int) -> int:
    """Where the next pair begins: behind the next comma or line end that a key follows."""
    while between := _BETWEEN.search(text, at):
        at = between.end()
        if _KEY.match(text, at):
            return at
    return len(text)


def pairs_of(value: Any) -> dict[str, str]:
    """`name: value` pairs in one text, as in `Lora hashes`; names may hold colons."""
    if isinstance(value, dict):
        return {key: held for key, held in value.items() if isinstance(held, str)}
    pairs: dict[str, str] = {}
    for piece in value.split(",")[:MOST_TAGS] if isinstance(value, str) else ():
        name, colon, held = piece.rpartition(":")
        if colon and name.strip():
            pairs.setdefault(name.strip(), held.strip())
    return pairs


def tags_of(text: str) -> Iterator[Tag]:
    """The extra networks that `text` calls, in order; at most `MOST_TAGS`."""
    for number, found in enumerate(_TAG.finditer(text)):
        if number == MOST_TAGS:
            return
        yield Tag(found[1], found[2].strip(), _weight_of(found[3]))


def _weight_of(arguments: str) -> float:
    """The first number among `:0.8:0.5` or `:te=0.5:unet=0.3`, that of the U-Net before others."""
    weights: dict[str, float] = {}
    for argument in arguments.split(":")[1:]:
        name, equals, held = argument.rpartition("=")
        number = held.strip()
        if _NUMBER.fullmatch(number) and any(sign.isdigit() for sign in number):
            weights.setdefault(name.strip() if equals else "", float(number))
    for name in ("unet", "", "te"):
        if name in weights:
            return weights[name]
    return 1.0
