"""What an audit keeps of one listing, worked out where the listing was read."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from egide.errors import ItemError, UnknownRecord
from egide.hub.audit.text_record import text_record
from egide.hub.audit.text_row import EscalatedText, TextRow, text_row
from egide.hub.civitai import says_minor
from egide.hub.facts import ModelFacts
from egide.hub.gazetteer import Gazetteer, Person
from egide.hub.huggingface import model_card
from egide.hub.likeness import SURE, Likeness, likeness_all
from egide.hub.listing import facts_of_record
from egide.hub.pseudonyms import Pseudonyms
from egide.hub.registered import Registered, registered
from egide.record import Shape, id_of
from egide.record_file import Raw, Record, parsed

MOST_TAGS: Final = 50
MOST_TAG: Final = 60
EXCERPT: Final = 300
_OTHER_IDS: Final = ("ad_archive_id", "appId", "trackId", "bundleId", "app_id", "package")
"""What stores and advertisement libraries call their ids."""
_CARDS: Final = (b"---", b"\xef\xbb\xbf---")
_EMPTY_FILE: Final = 0xE3B0C44298FC
"""SHA-256 of nothing: what stands for AutoV3 where a file has no tensors to hash."""


class Unread(NamedTuple):
    """A record that could not be read, and why."""

    ref: str
    error: str
    message: str


class Escalated(NamedTuple):
    """A listing of which the hub says that it shows a minor: only that there is one is kept."""

    key: int


class Row(NamedTuple):
    """What is kept of one listing. `named` and `unnamed` exclude each other."""

    key: int
    """Of the hub and the id there, 64 bits: a listing that comes twice is counted once."""
    ref: str
    source: str
    named: bool
    unnamed: bool
    sexual: bool
    person: Person | None
    creator: str
    followers: int | None
    base_model: str
    adapter: str
    month: str
    """`2024-05`; empty when not said."""
    published: int
    """The day, as `date.toordinal`; 0 when not said."""
    downloads: int | None
    tags: tuple[str, ...]
    intents: tuple[str, ...]
    available: bool | None
    tensors: tuple[int, ...]
    """AutoV3 of every version, its first 48 bits: the same tensors have the same."""
    title: int
    """Of the title, 64 bits."""
    excerpt: tuple[str, ...]
    """For a person to label: the beginning of title, tags, triggers, description."""
    registered: Registered | None = None
    """What the registry keeps of it, when it is to be filled."""

    @property
    def is_likeness(self) -> bool:
        """Whether it imitates a real person, named or not."""
        return self.named or self.unnamed

    @property
    def has_labels(self) -> tuple[bool, bool, bool]:
        """(named, unnamed, sexual)."""
        return self.named, self.unnamed, self.sexual


Kept = Row | Unread | Escalated | TextRow | EscalatedText


class Source(NamedTuple):
    """A record and the file it is from."""

    file: str
    raw: Raw


def rows_of(
    records: Sequence[Source],
    gazetteer: Gazetteer | None,
    *,
    excerpts: bool,
    register: Pseudonyms | None = None,
) -> list[Kept]:
    """What is kept of `records`, in order; a page gives several.

    `register` are the pseudonyms under which the registry is to keep them, if it is.
    """
    kept: list[Kept | ModelFacts] = []
    refs: list[str] = []
    for file, raw in records:
        for record in _records(raw):
            name = id_of(record.value)
            refs.append(f"{file}#{record.number if name is None else name}")
            kept.append(_facts(record, refs[-1]))
    models = [each for each in kept if isinstance(each, ModelFacts)]
    judged = iter(_judged(models, gazetteer))
    return [
        _row(each, next(judged), ref, excerpts=excerpts, register=register)
        if isinstance(each, ModelFacts)
        else each
        for each, ref in zip(kept, refs, strict=True)
    ]


def key_of(*parts: str) -> int:
    """64 bits that tell `parts` from others."""
    text = "\0".join(parts).encode("utf-8", "replace")
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big")


def _records(raw: Raw) -> list[Record]:
    if raw.data.startswith(_CARDS):
        card = {"id": "", "card": raw.data.decode("utf-8-sig", "replace")}
        return [Record(raw.data, raw.number, card, None)]
    return list(parsed(raw))


def _facts(record: Record, ref: str) -> Kept | ModelFacts:
    problem: ItemError | None = record.problem
    if problem is None:
        try:
            if record.shape is None and isinstance(record.value, dict) and "card" in record.value:
                return model_card(record.value["card"], ref.rpartition("#")[0])
            if record.shape is not None:
                if says_minor(record.value):
                    key = key_of(ref)
                    return EscalatedText(key) if record.shape is Shape.TEXT else Escalated(key)
                facts = facts_of_record(record.value, record.shape)
                if facts is not None:
                    return facts
            told = text_record(record.value, record.shape)
            if told is not None:
                return text_row(told, key_of("text", _name(record, ref), told.text))
            problem = UnknownRecord(
                "it is no listing and no text; see docs/reference/file-formats.md"
            )
        except Exception as error:  # noqa: BLE001  a fault of ours must not cost the other listings
            return Unread(ref, "detector-failed", f"{type(error).__name__}; please report it")
    return Unread(ref, problem.code, " ".join(str(problem).split()))


def _name(record: Record, ref: str) -> str:
    """What tells a text from the same text put up again: its id, else its place."""
    names: list[str | None] = [id_of(record.value)]
    if isinstance(record.value, dict):
        names += (id_of({"id": record.value.get(field)}) for field in _OTHER_IDS)
    return next((name for name in names if name is not None), ref)


def _judged(models: list[ModelFacts], gazetteer: Gazetteer | None) -> list[Likeness | None]:
    try:
        return list(likeness_all(models, gazetteer))
    except Exception:  # noqa: BLE001  one listing's fault; found by judging each alone
        if len(models) <= 1:
            return [None] * len(models)
        return [judged for facts in models for judged in _judged([facts], gazetteer)]


def _row(
    facts: ModelFacts,
    judged: Likeness | None,
    ref: str,
    *,
    excerpts: bool,
    register: Pseudonyms | None,
) -> Kept:
    if judged is None:
        return Unread(ref, "detector-failed", "it could not be judged; please report it")
    named = judged.named >= SURE
    unnamed = not named and judged.unnamed >= SURE
    of_person = named or unnamed
    published = facts.published_at
    return Row(
        key=key_of(facts.source, facts.ref or ref),
        ref=ref,
        source=facts.source,
        named=named,
        unnamed=unnamed,
        sexual=of_person and judged.sexual >= SURE,
        person=judged.person if named else None,
        creator=facts.creator or "" if of_person else "",
        followers=facts.creator_followers,
        base_model=facts.base_model or "not said",
        adapter=facts.adapter or "not said",
        month=f"{published:%Y-%m}" if published else "",
        published=published.toordinal() if published else 0,
        downloads=facts.downloads,
        tags=_tags(facts) if of_person else (),
        intents=judged.intents if of_person else (),
        available=facts.available,
        tensors=tuple(_tensors(facts)),
        title=key_of((facts.title or "").casefold()),
        excerpt=_excerpt(facts) if excerpts else (),
        registered=None if register is None else registered(facts, judged, register),
    )


def _tags(facts: ModelFacts) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag[:MOST_TAG].strip().lower() for tag in facts.tags[:MOST_TAGS]))


def _tensors(facts: ModelFacts) -> set[int]:
    digests = (version.hashes.get("AutoV3", "") for version in (facts, *facts.versions))
    found = {int(digest[:12], 16) for digest in digests if len(digest) >= 12}
    return found - {_EMPTY_FILE}


def _excerpt(facts: ModelFacts) -> tuple[str, ...]:
    said = (
        facts.title or "",
        ", ".join(facts.tags[:20]),
        ", ".join(facts.trigger_words[:10]),
        " ".join((facts.description or "").split()),
    )
    return tuple(text[:EXCERPT] for text in said)
