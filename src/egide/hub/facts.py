"""What is known of one model, wherever it was said: one record for files, sidecars and listings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What a model file, a sidecar or a listing says of one model, or of one version of it.

    Everything is as it was written there, with control characters and HTML removed and every list
    and text capped; None and empty mean that nothing was said. Nothing here is verified.
    """

    source: str
    """Where it was said: `safetensors`, `gguf`, `pickle`, `sidecar`, `civitai`, `huggingface`;
    `other` when the file is none of these."""
    ref: str = ""
    """The id at the hub, or the file's name."""
    title: str | None = None
    creator: str | None = None
    description: str | None = None
    """Plain text."""
    adapter: str | None = None
    """What is trained: `lora`, `locon`, `loha`, `lokr`, `dora`, `oft`, `boft`, `glora`, `ia3`,
    `full`, `norm`, `textual-inversion`, `hypernetwork`, `controlnet`, `vae`, `text-encoder`,
    `upscaler`, `checkpoint`."""
    base_model: str | None = None
    """Canonical: `SD 1.5`, `SDXL 1.0`, `Pony`, `Flux.1 D`; a name we do not know, as written."""
    trainer: str | None = None
    """`kohya-ss`, `musubi-tuner`, `civitai`, `onetrainer`, `ai-toolkit`, `diffusers`, …"""
    rank: int | None = None
    images: int | None = None
    """Different pictures trained on, their repeats not counted."""
    steps: int | None = None
    epochs: int | None = None
    trained_at: datetime | None = None
    """UTC."""
    published_at: datetime | None = None
    """UTC."""
    concepts: tuple[str, ...] = ()
    """Names of the concepts trained, mostly those of folders, the number of repeats cut off."""
    trigger_words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """The listing's."""
    tag_frequency: tuple[tuple[str, int], ...] = ()
    """(tag, captions that have it) of the training pictures, most frequent first."""
    tag_frequency_trusted: bool = True
    """False where the trainer makes the counts up."""
    texts: tuple[tuple[str, str], ...] = ()
    """(field, text) of everything else that a person may have written: prompts, notes, paths."""
    nsfw: bool | None = None
    nsfw_level: int | None = None
    poi: bool | None = None
    """Whether the hub says that it shows a real person."""
    downloads: int | None = None
    likes: int | None = None
    creator_followers: int | None = None
    available: bool | None = None
    """Whether it can still be downloaded."""
    hashes: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Lower-case hexadecimal, by name: `AutoV1`, `AutoV2`, `AutoV3`, `SHA256`, `BLAKE3`, `CRC32`.
    `AutoV3` is SHA-256 over the tensors alone: it tells a re-upload, whatever the header says."""
    thumbnails: int = 0
    """How many pictures are embedded or shown; they are not kept."""
    versions: tuple[ModelFacts, ...] = ()
    """Of a listing with several versions."""
    problems: tuple[str, ...] = ()
    """What could not be read and what is dangerous, a line each."""


MOST_TEXT: Final = 20_000
"""Characters kept of one text; what is longer is cut."""
MOST_WORDS: Final = 500
"""Entries kept of one list: tags, concepts, texts."""

_CONTROLS: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ") | dict.fromkeys(
    range(0xD800, 0xE000), "\ufffd"
)
del _CONTROLS[0x09], _CONTROLS[0x0A]


def plain(text: str, most: int = MOST_TEXT) -> str:
    """`text` as it may be kept and printed: at most `most` characters, none of them a control.

    Halves of surrogate pairs, which no output could encode, become U+FFFD. Everything else stays
    as it was written: what hides a name is evidence.
    """
    text = text[:most]
    if text.isascii() and (text.isprintable() or text.replace("\n", "").isprintable()):
        return text.strip()
    return text.translate(_CONTROLS).strip()


def printable(text: str, most: int = 200) -> str:
    """`text` for a line that somebody reads: on one line, and nothing in it that cannot be seen."""
    text = text[:most]
    if text.isprintable():
        return text.strip()
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text).strip()


def distinct(words: Iterable[str], most: int = MOST_WORDS) -> tuple[str, ...]:
    """The different `words` that say something, in order, the first `most` of them."""
    found: dict[str, None] = {}
    for word in words:
        if word:
            found[word] = None
            if len(found) >= most:
                break
    return tuple(found)


def merged(facts: ModelFacts, *others: ModelFacts) -> ModelFacts:
    """`facts`, and where they say nothing what `others` say; lists are put together."""
    values: dict[str, Any] = {}
    for name in ModelFacts.__slots__:
        said = [getattr(each, name) for each in (facts, *others)]
        if name in _TOGETHER:
            values[name] = tuple(dict.fromkeys(chain.from_iterable(said)))[:MOST_WORDS]
        elif name == "hashes":
            values[name] = {key: value for each in reversed(said) for key, value in each.items()}
        elif name == "thumbnails":
            values[name] = sum(said)
        elif name == "tag_frequency":
            values[name] = next(filter(None, said), ())
        elif name != "tag_frequency_trusted":
            values[name] = next((value for value in said if value is not None), None)
    counted = next((each for each in (facts, *others) if each.tag_frequency), facts)
    return ModelFacts(**values, tag_frequency_trusted=counted.tag_frequency_trusted)


_TOGETHER: Final = frozenset({"concepts", "trigger_words", "tags", "texts", "versions", "problems"})
