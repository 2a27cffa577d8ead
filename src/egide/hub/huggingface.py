"""Listings of the Hugging Face Hub: model info as its API gives it, and model cards.

The card is `README.md` with front matter in YAML (huggingface.co/docs/hub/model-cards);
`instance_prompt` and the texts of `widget` say most about what an adapter was trained for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import chain
from typing import Any, Final

from egide.hub.base_models import canonical_base
from egide.hub.civitai import clean_hashes, distinct_texts
from egide.hub.facts import ModelFacts, distinct
from egide.hub.fields import list_of, number_of, object_of, objects_in, text_of, truth_of, words_of
from egide.hub.html_text import html_to_text
from egide.hub.metadata import moment_of

SOURCE: Final = "huggingface"
MOST_FRONT_MATTER: Final = 1 << 16
MOST_CARD: Final = 1 << 20
MOST_FILES: Final = 40
_WEIGHTS: Final = (".safetensors", ".ckpt", ".pt", ".bin", ".gguf")
_ADAPTERS: Final = (
    ("textual_inversion", "textual-inversion"),
    ("textual-inversion", "textual-inversion"),
    ("controlnet", "controlnet"),
    ("dora", "dora"),
    ("lokr", "lokr"),
    ("loha", "loha"),
    ("lora", "lora"),
    ("template:sd-lora", "lora"),
    ("template:diffusion-lora", "lora"),
)
_TRAINERS: Final = (
    ("ai-toolkit", "ai-toolkit"),
    ("diffusers-training", "diffusers"),
    ("simpletuner", "simpletuner"),
    ("autotrain", "autotrain"),
    ("flux-trainer", "fluxgym"),
    ("fluxgym", "fluxgym"),
)
_ADULT: Final = "not-for-all-audiences"


def hub_listing(value: Mapping[str, Any]) -> ModelFacts:
    """What a model's info says, and its card when the record has it."""
    name = text_of(value.get("id") or value.get("modelId") or value.get("model_id"), 300) or ""
    card, text = _card_of(value)
    owner, _, short = name.rpartition("/")
    labelled = words_of(value.get("tags"))
    tags = distinct([*labelled, *words_of(card.get("tags"))])
    files = tuple(objects_in(value.get("siblings"), MOST_FILES))
    return ModelFacts(
        source=SOURCE,
        ref=name,
        title=text_of(card.get("title")) or text_of(card.get("model_name")) or short or None,
        creator=text_of(value.get("author"), 200) or owner or None,
        description=text,
        adapter=_adapter(tags, card, labelled),
        base_model=_base_model(card, labelled),
        trainer=next((trainer for tag, trainer in _TRAINERS if tag in tags), None),
        published_at=_moment(value),
        trigger_words=distinct([*words_of(_listed(card.get("instance_prompt"))), *_triggers(card)]),
        tags=distinct(tag for tag in tags if ":" not in tag or tag.startswith("template:")),
        texts=distinct_texts(chain(_texts(value, card), _files(files))),
        nsfw=True if _ADULT in tags else None,
        downloads=_downloads(value),
        likes=number_of(value.get("likes")),
        creator_followers=number_of(object_of(value.get("authorData")).get("followerCount")),
        available=_available(value, files),
        hashes=_hashes(files),
        thumbnails=sum(1 for _ in objects_in(card.get("widget"))),
    )


def model_card(data: str, ref: str = "") -> ModelFacts:
    """What a model card says: its front matter, and its text."""
    return hub_listing({"id": ref, "card": data})


def _card_of(value: Mapping[str, Any]) -> tuple[Mapping[str, Any], str | None]:
    """The card's front matter, and its text as plain text."""
    for key in ("card", "readme", "README", "modelCard"):
        if isinstance(value.get(key), str):
            written = value[key][:MOST_CARD]
            break
    else:
        written = ""
    data = object_of(value.get("cardData") or value.get("card_data"))
    front, text = _split(written)
    described = html_to_text(text) or text_of(value.get("description"))
    return data or _front_matter(front), described or None


def _split(card: str) -> tuple[str, str]:
    """(front matter, text) of a card."""
    card = card.removeprefix("\ufeff").replace("\r\n", "\n")
    if not card.startswith("---\n"):
        return "", card
    front, _, text = card[4:].partition("\n---")
    return front, text


def _front_matter(written: str) -> Mapping[str, Any]:
    if not written or len(written) > MOST_FRONT_MATTER:
        return {}
    import yaml  # noqa: PLC0415  dumps have it parsed

    class Loader(yaml.SafeLoader):
        """Without `<<`, by which a short text can grow without bound."""

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            pass

    try:
        return object_of(yaml.load(written, Loader))  # noqa: S506  a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, OverflowError):
        return {}


def _adapter(
    tags: tuple[str, ...], card: Mapping[str, Any], labelled: tuple[str, ...]
) -> str | None:
    known = {tag.lower() for tag in tags}
    for tag, adapter in _ADAPTERS:
        if tag in known:
            return adapter
    relation = text_of(card.get("base_model_relation"))
    if relation == "adapter" or any(tag.startswith("base_model:adapter:") for tag in labelled):
        return "lora"
    return "checkpoint" if known & {"text-to-image", "diffusers:stablediffusionpipeline"} else None


def _base_model(card: Mapping[str, Any], labelled: tuple[str, ...]) -> str | None:
    named = words_of(_listed(card.get("base_model")))
    from_tags = (tag.rpartition(":")[2] for tag in labelled if tag.startswith("base_model:"))
    return canonical_base(next(chain(named, from_tags), None))


def _listed(value: Any) -> list[Any]:
    """`value` as a list: a text may hold commas and is one all the same."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _triggers(card: Mapping[str, Any]) -> tuple[str, ...]:
    keys = ("trigger", "trigger_word", "trigger_words", "activation_text")
    return distinct(word for key in keys for word in words_of(_listed(card.get(key))))


def _texts(value: Mapping[str, Any], card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for widget in objects_in(card.get("widget"), MOST_FILES):
        if said := text_of(widget.get("text") or widget.get("prompt"), 2_000):
            yield "prompt", said
    for prompt in words_of(_listed(card.get("validation_prompt")), 2_000):
        yield "prompt", prompt
    if task := text_of(value.get("pipeline_tag") or card.get("pipeline_tag"), 100):
        yield "task", task


def _files(files: tuple[Mapping[str, Any], ...]) -> Iterator[tuple[str, str]]:
    for file in files:
        name = text_of(file.get("rfilename"), 300) or ""
        if name.lower().endswith(_WEIGHTS):
            yield "file", name


def _moment(value: Mapping[str, Any]) -> datetime | None:
    for key in ("createdAt", "created_at", "lastModified", "last_modified"):
        said = value.get(key)
        written = said.isoformat() if isinstance(said, date) else text_of(said)
        if moment := moment_of(written):
            return moment
    return None


def _downloads(value: Mapping[str, Any]) -> int | None:
    """All that are known: of all time when it is told, else of the last thirty days."""
    for key in ("downloadsAllTime", "downloads_all_time", "downloads"):
        if (count := number_of(value.get(key))) is not None:
            return count
    return None


def _available(value: Mapping[str, Any], files: tuple[Mapping[str, Any], ...]) -> bool | None:
    if truth_of(value.get("private")) or truth_of(value.get("disabled")):
        return False
    return any(_files(files)) if list_of(value.get("siblings")) else None


def _hashes(files: tuple[Mapping[str, Any], ...]) -> dict[str, str]:
    """SHA-256 of the first file of weights, as Git LFS has it."""
    for file in files:
        name = text_of(file.get("rfilename"), 300) or ""
        digest = object_of(file.get("lfs")).get("sha256")
        if digest and name.lower().endswith(_WEIGHTS):
            return clean_hashes({"SHA256": digest})
    return {}
