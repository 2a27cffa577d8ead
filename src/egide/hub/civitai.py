"""Listings as Civitai's REST API gives them, and as exports keep them.

`/api/v1/models` (github.com/civitai/civitai, its developer documentation): a model with its
versions, a version with its files and pictures. Fields drift; all known spellings are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar

from egide.hub.adapters import adapter_of
from egide.hub.base_models import canonical_base
from egide.hub.facts import MOST_WORDS, ModelFacts, distinct
from egide.hub.fields import (
    first_number,
    list_of,
    number_of,
    object_of,
    objects_in,
    text_of,
    truth_of,
    words_of,
)
from egide.hub.html_text import html_to_text
from egide.hub.metadata import moment_of

T = TypeVar("T")

SOURCE: Final = "civitai"
MOST_VERSIONS: Final = 100
MOST_PROMPTS: Final = 12
"""Pictures of a version whose prompts are read; they repeat each other."""

MOST_PROMPT: Final = 2_000
_GONE: Final = frozenset(
    {"archived", "takendown", "deleted", "unpublished", "unpublishedviolation"}
)
_LEVELS: Final = {"none": 1, "soft": 2, "mature": 4, "x": 8}
"""`nsfwLevel` was a word before it was a set of bits."""


def model_listing(value: Mapping[str, Any]) -> ModelFacts:
    """What a model's listing says, with its versions."""
    listed = [v for v in list_of(value.get("modelVersions"), MOST_VERSIONS) if isinstance(v, dict)]
    versions = tuple(_version(version) for version in listed)
    stats = object_of(value.get("stats"))
    creator = value.get("creator")
    described = value.get("description")
    return ModelFacts(
        source=SOURCE,
        ref=text_of(value.get("id")) or "",
        title=text_of(value.get("name") or value.get("title")),
        creator=_creator(creator),
        description=html_to_text(described) or None if isinstance(described, str) else None,
        adapter=adapter_of(text_of(value.get("type"))),
        base_model=_first(v.base_model for v in versions)
        or canonical_base(text_of(value.get("baseModel"))),
        trainer=_first(v.trainer for v in versions),
        published_at=min((v.published_at for v in versions if v.published_at), default=None)
        or _moment(value),
        trigger_words=distinct(word for v in versions for word in v.trigger_words),
        tags=words_of(value.get("tags") or value.get("tagsOnModels")),
        texts=distinct_texts(text for v in versions for text in v.texts),
        nsfw=truth_of(value.get("nsfw")),
        nsfw_level=_level(value.get("nsfwLevel")),
        poi=truth_of(value.get("poi")),
        downloads=_downloads(stats, value) or _sum(v.downloads for v in versions),
        likes=_likes(stats),
        creator_followers=_followers(object_of(creator)),
        available=_available(value, versions),
        hashes=dict(next((v.hashes for v in versions if v.hashes), {})),
        thumbnails=sum(v.thumbnails for v in versions),
        versions=versions,
    )


def version_listing(value: Mapping[str, Any]) -> ModelFacts:
    """What a version says that stands alone, with the little it says of its model."""
    version = _version(value)
    model = object_of(value.get("model"))
    stated = html_to_text(text_of(model.get("description"), 1 << 20) or "")
    return ModelFacts(
        source=SOURCE,
        ref=text_of(value.get("modelId")) or version.ref,
        title=text_of(model.get("name")) or version.title,
        creator=_creator(value.get("creator")),
        description="\n".join(filter(None, (stated, version.description))) or None,
        adapter=adapter_of(text_of(model.get("type"))),
        base_model=version.base_model,
        trainer=version.trainer,
        published_at=version.published_at,
        trigger_words=version.trigger_words,
        tags=words_of(model.get("tags") or value.get("tags")),
        texts=version.texts,
        nsfw=truth_of(model.get("nsfw")),
        nsfw_level=_level(value.get("nsfwLevel")),
        poi=truth_of(model.get("poi")),
        downloads=version.downloads,
        likes=version.likes,
        creator_followers=_followers(object_of(value.get("creator"))),
        available=_available({**value, "mode": model.get("mode")}, (version,)),
        hashes=version.hashes,
        thumbnails=version.thumbnails,
        versions=(version,),
    )


def says_minor(value: Mapping[str, Any]) -> bool:
    """Whether the hub says that a minor is depicted: such a listing is escalated, not read."""
    return bool(
        truth_of(value.get("minor")) or truth_of(object_of(value.get("model")).get("minor"))
    )


def distinct_texts(texts: Iterator[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """`texts`, each once, the first `MOST_WORDS` of them."""
    found: dict[tuple[str, str], None] = {}
    for text in texts:
        found[text] = None
        if len(found) == MOST_WORDS:
            break
    return tuple(found)


def _version(value: Mapping[str, Any]) -> ModelFacts:
    stats = object_of(value.get("stats"))
    described = value.get("description")
    images = list_of(value.get("images"))
    files = tuple(objects_in(value.get("files"), MOST_VERSIONS))
    name = text_of(value.get("name"))
    return ModelFacts(
        source=SOURCE,
        ref=text_of(value.get("id")) or "",
        title=name,
        description=html_to_text(described) or None if isinstance(described, str) else None,
        base_model=canonical_base(text_of(value.get("baseModel"))),
        trainer=SOURCE if text_of(value.get("uploadType")) == "Trained" else None,
        steps=number_of(value.get("steps")),
        epochs=number_of(value.get("epochs")),
        published_at=_moment(value),
        trigger_words=words_of(value.get("trainedWords")),
        texts=distinct_texts(_texts(name, files, images)),
        downloads=_downloads(stats, value),
        likes=_likes(stats),
        available=_has_file(files),
        hashes=_hashes(files),
        thumbnails=len(images),
    )


def _texts(
    name: str | None, files: tuple[Mapping[str, Any], ...], images: list[Any]
) -> Iterator[tuple[str, str]]:
    """What people wrote besides: the version's name, the files' names, prompts of the pictures."""
    if name:
        yield "version", name
    for file in files[:MOST_PROMPTS]:
        if said := text_of(file.get("name"), 300):
            yield "file", said
    for image in images[:MOST_PROMPTS]:
        meta = object_of(image.get("meta")) if isinstance(image, dict) else {}
        if said := text_of(meta.get("prompt"), MOST_PROMPT):
            yield "prompt", said


def _creator(creator: Any) -> str | None:
    if isinstance(creator, dict):
        return text_of(creator.get("username") or creator.get("name"), 200)
    return text_of(creator, 200)


def _moment(value: Mapping[str, Any]) -> datetime | None:
    for key in ("publishedAt", "createdAt", "published_at", "created_at"):
        said = value.get(key)
        if said is not None and (moment := moment_of(text_of(said))):
            return moment
    return None


def _downloads(stats: Mapping[str, Any], value: Mapping[str, Any]) -> int | None:
    return first_number(
        stats.get("downloadCount"),
        stats.get("downloadCountAllTime"),
        object_of(value.get("rank")).get("downloadCountAllTime"),
        value.get("downloadCount"),
    )


def _likes(stats: Mapping[str, Any]) -> int | None:
    return first_number(
        stats.get("thumbsUpCount"), stats.get("favoriteCount"), stats.get("ratingCount")
    )


def _followers(creator: Mapping[str, Any]) -> int | None:
    stats = object_of(creator.get("stats"))
    return first_number(
        creator.get("followerCount"),
        creator.get("followers"),
        stats.get("followerCountAllTime"),
        stats.get("followerCount"),
    )


def _level(value: Any) -> int | None:
    if isinstance(value, str) and (bits := _LEVELS.get(value.strip().lower())):
        return bits
    return number_of(value)


def _available(value: Mapping[str, Any], versions: tuple[ModelFacts, ...]) -> bool | None:
    """Whether it can be downloaded: unless it was taken down, when a version has a file."""
    for key in ("mode", "status", "availability"):
        said = value.get(key)
        if said is None:
            continue
        word = (text_of(said, 40) or "").replace(" ", "").lower()
        if word in _GONE or word == "private":
            return False
    if value.get("deletedAt"):
        return False
    known = [version.available for version in versions if version.available is not None]
    return any(known) if known else None


def _has_file(files: tuple[Mapping[str, Any], ...]) -> bool | None:
    return any(text_of(file.get("downloadUrl")) for file in files) or None


def _hashes(files: tuple[Mapping[str, Any], ...]) -> dict[str, str]:
    """The hashes of the version's main file, as the hub computed them."""
    described = [(file, object_of(file.get("hashes"))) for file in files]
    described = [(file, hashes) for file, hashes in described if hashes]
    described.sort(key=lambda one: truth_of(one[0].get("primary")) is not True)
    return clean_hashes(described[0][1]) if described else {}


def clean_hashes(hashes: Mapping[str, Any]) -> dict[str, str]:
    """Those of `hashes` that are hexadecimal, lower-case."""
    found = {}
    for name, value in list(hashes.items())[:16]:
        digest = value.lower() if isinstance(value, str) and len(value) <= 128 else ""
        if digest and not digest.strip("0123456789abcdef"):
            found[name[:20]] = digest
    return found


def _first(values: Iterator[T | None]) -> T | None:
    return next((value for value in values if value is not None), None)


def _sum(values: Iterator[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
