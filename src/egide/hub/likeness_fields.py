"""Lays the facts of a model out as fields of text, and finds names and terms in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from egide.hub.facts import ModelFacts
from egide.hub.gazetteer import Gazetteer, Sighting, longest
from egide.hub.intent_terms import Found, TermBook
from egide.hub.names import MOST_CHARACTERS, Span, readings

MOST_FIELDS: Final = 600
MOST_CAPTIONS: Final = 60
"""Tags of the training pictures that are read, the most frequent first."""
BATCH_CHARACTERS: Final = 1 << 15
"""Read at once: as much as the processor's cache takes."""

_PLACE_OF_TEXT: Final = (
    ("base_model", "text"),
    ("prompt", "prompt"),
    ("widget", "prompt"),
    ("version", "version"),
    ("file", "file"),
    ("rfilename", "file"),
    ("path", "file"),
    ("dir", "concept"),
    ("class", "concept"),
    ("output_name", "file"),
    ("title", "title"),
    ("caption", "caption"),
)


class Field(NamedTuple):
    """One text of a model, and which of `intent_terms.PLACES` it is."""

    place: str
    text: str


class Findings(NamedTuple):
    """What was found in one model: its fields, names, terms.

    Spans count fields and characters over all models that were read together: `begin` is the
    number of this one's first field, `text` all their text, folded.
    """

    fields: list[Field]
    names: list[Sighting]
    terms: list[Found]
    begin: int
    text: str

    def place(self, span: Span) -> str:
        """Which of `intent_terms.PLACES` a span stands in."""
        return self.fields[span.field - self.begin].place


def fields_of(facts: ModelFacts) -> list[Field]:
    """The texts of `facts` and of its versions, each once; at most MOST_FIELDS."""
    fields = dict.fromkeys(_fields(facts))
    return [Field(place, text) for place, text in fields if text][:MOST_FIELDS]


def _fields(facts: ModelFacts) -> list[tuple[str, str]]:
    """(place, text) of all: plain tuples, since there are dozens and most are dropped."""
    found = _own_fields(facts, "title")
    for version in facts.versions:
        found += _own_fields(version, "version")
    return found


def _own_fields(facts: ModelFacts, title: str) -> list[tuple[str, str]]:
    name = facts.ref.rpartition("/")[2]
    found = [(title, facts.title or ""), ("file", "" if name.isdigit() else name)]
    for place, texts in (
        ("concept", facts.concepts),
        ("trigger", facts.trigger_words),
        ("tag", facts.tags),
        ("caption", [tag for tag, _ in facts.tag_frequency[:MOST_CAPTIONS]]),
    ):
        found += [(place, text) for text in texts]
    for name, text in facts.texts:
        where = place_of(name)
        if where is not None:
            found.append((where, text))
    found.append(("description", facts.description or ""))
    return found


@lru_cache(1024)
def place_of(name: str) -> str | None:
    """Which place a text called `name` by its source is: a prompt, a version's name, a file's, …;
    None for what is not wanted in pictures (negative prompts)."""
    lower = name.lower()
    if "negative" in lower:
        return None
    return next((place for part, place in _PLACE_OF_TEXT if part in lower), "text")


def find_all(
    models: Sequence[list[Field]], book: TermBook, gazetteer: Gazetteer | None
) -> Iterator[Findings]:
    """What is found in each of `models`, in order; many at once cost less than one by one."""
    group: list[list[Field]] = []
    size = 0
    for fields in models:
        length = sum(min(len(field.text), MOST_CHARACTERS) + 1 for field in fields)
        if group and size + length > BATCH_CHARACTERS:
            yield from _find(group, book, gazetteer)
            group, size = [], 0
        group.append(fields)
        size += length
    yield from _find(group, book, gazetteer)


def _find(
    models: list[list[Field]], book: TermBook, gazetteer: Gazetteer | None
) -> Iterator[Findings]:
    begins = [0, *accumulate(len(fields) for fields in models)]
    names: list[list[Sighting]] = [[] for _ in models]
    terms: list[list[Found]] = [[] for _ in models]
    text = ""
    if begins[-1]:
        read = list(readings([field.text for fields in models for field in fields]))
        text = read[0].text
        seen = [s for reading in read for s in gazetteer.search(reading)] if gazetteer else []
        for sighting in seen:
            names[bisect_right(begins, sighting.span.field) - 1].append(sighting)
        named = {sighting.span.field for sighting in seen}
        for reading in read:
            for found in book.search(reading, named):
                terms[bisect_right(begins, found.span.field) - 1].append(found)
    for fields, own_names, own_terms, begin in zip(models, names, terms, begins, strict=False):
        yield Findings(fields, longest(own_names), own_terms, begin, text)
