"""The account of one file: everything it says of its making, joined, as `egide trace` prints it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from egide.errors import ItemError
from egide.finding import MASK, Fault, Finding
from egide.provenance.statements import (
    NO_CREDENTIALS,
    Credentials,
    Declaration,
    Generation,
    NamedModel,
    Trust,
    Watermark,
)
from egide.sniff import Kind

TRACE_SCHEMA: Final = "egide.trace/1"
TRACER_NAME: Final = "trace"
"""Who reports what could not be read."""
NOTHING_FOUND: Final = "nothing found, which proves nothing"

_MASKED_HUBS: Final = frozenset({"huggingface"})
"""Hubs whose ids hold the name of an account, and mostly the title."""


@dataclass(frozen=True, slots=True)
class Found:
    """One statement: where it stands, how far to believe it, what it is about."""

    where: str
    trust: Trust
    says: str

    def to_json(self) -> dict[str, Any]:
        """The statement as traces print it."""
        return {"where": self.where, "trust": str(self.trust), "says": self.says}


@dataclass(frozen=True, slots=True)
class Link:
    """A listing that a model named in the file is of.

    `model` is the number of the model among those of the trace; `sureness` is `sure`, `strong` or
    `weak`, `by` the kinds of aliases that they have in common. `named`, `unnamed` and `sexual` are
    the listing's scores of likeness, 0..1; `creator` is a pseudonym. `library` counts the entries
    of library banks that were made with it, `library_by_name` those that share no more than a name.
    """

    model: int
    hub: str
    listing: str
    version: str | None
    sureness: str
    by: tuple[str, ...]
    base_model: str | None = None
    adapter: str | None = None
    creator: str | None = None
    named: float = 0.0
    unnamed: float = 0.0
    sexual: float = 0.0
    library: int = 0
    library_by_name: int = 0

    @property
    def is_likeness(self) -> bool:
        """Whether the listing is held to be of a real person, as audits count it."""
        return max(self.named, self.unnamed) >= 0.5

    def shown_listing(self, *, reveal: bool) -> str:
        """The listing's id; masked unless `reveal` where it names an account."""
        return self.listing if reveal or self.hub not in _MASKED_HUBS else MASK

    def to_json(self, *, reveal: bool = False) -> dict[str, Any]:
        """The link as traces print it."""
        return {
            "model": self.model,
            "hub": self.hub,
            "listing": self.shown_listing(reveal=reveal),
            "version": self.version,
            "sureness": self.sureness,
            "by": list(self.by),
            "base_model": self.base_model,
            "adapter": self.adapter,
            "creator": self.creator,
            "likeness": {"named": self.named, "unnamed": self.unnamed, "sexual": self.sexual},
            "library": self.library,
            "library_by_name": self.library_by_name,
        }


class Asked(Protocol):
    """What knows the listings of models: a registry, or what asks one elsewhere."""

    def links(self, models: Sequence[NamedModel]) -> tuple[Link, ...]:
        """The listings of `models`, each with the number of its model among them."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that one file says of its making. Frozen and picklable.

    `generations`, `declarations` and `watermark` are the statements, the most trusted first;
    `models` are those of all generations, each once; `contradictions` say in a sentence each which
    statements cannot both be true. `private` holds the numbers of the models whose names may be
    those of people: they are masked in reports.
    """

    ref: str
    kind: Kind
    sha256: str | None
    generations: tuple[Generation, ...] = ()
    models: tuple[NamedModel, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    credentials: Credentials = NO_CREDENTIALS
    watermark: Watermark | None = None
    software: str | None = None
    found: tuple[Found, ...] = ()
    contradictions: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    labels: tuple[Finding, ...] = ()
    private: frozenset[int] = frozenset()
    skipped: tuple[str, ...] = ()
    errors: tuple[Fault, ...] = ()
    is_traced: bool = True
    """Whether it is of a kind that says where it comes from; others are passed by."""

    @property
    def first(self) -> Generation | None:
        """The generation that is told of where there is room for one."""
        return self.generations[0] if self.generations else None

    @property
    def source_type(self) -> str | None:
        """The most trusted declared digital source type."""
        return next((said.source_type for said in self.declarations if said.source_type), None)

    @property
    def is_empty(self) -> bool:
        """Whether the file says nothing of its making."""
        return not self.found

    @property
    def says_nothing(self) -> bool:
        """Whether all of it was read and nothing was found."""
        return not (self.found or self.errors or self.skipped)

    def model_name(self, number: int, *, reveal: bool) -> str | None:
        """The name of the model with this number; masked unless `reveal` where it may be a
        person's."""
        name = self.models[number].name
        return MASK if name and number in self.private and not reveal else name

    def signer(self, *, reveal: bool) -> str | None:
        """Who signed the Content Credentials; masked unless `reveal` where it is an address."""
        name = self.credentials.signer
        return MASK if name and "@" in name and not reveal else name

    def to_json(self, *, reveal: bool = False) -> dict[str, Any]:
        """The account as one JSON object of schema `egide.trace/1`."""
        first = self.first
        document: dict[str, Any] = {
            "schema": TRACE_SCHEMA,
            "item": {"ref": self.ref, "kind": str(self.kind), "sha256": self.sha256},
            "generator": first and first.generator,
            "version": first and first.version,
            "models": [
                _model(model, self.model_name(number, reveal=reveal))
                for number, model in enumerate(self.models)
            ],
            "prompt": _masked(first.prompt if first else None, reveal=reveal),
            "negative_prompt": _masked(first.negative_prompt if first else None, reveal=reveal),
            "seed": first and first.seed,
            "source_type": self.source_type,
            "credentials": _credentials(self.credentials, self.signer(reveal=reveal)),
            "watermark": self.watermark and _watermark(self.watermark),
            "software": self.software,
            "created": (first and first.created) or self.credentials.created,
            "job": _ids(first.ids if first else {}, reveal=reveal),
            "found": [one.to_json() for one in self.found],
            "contradictions": list(self.contradictions),
            "labels": [finding.to_json(reveal=reveal) for finding in self.labels],
            "links": [link.to_json(reveal=reveal) for link in self.links],
            "skipped": list(self.skipped),
            "errors": [fault.to_json() for fault in self.errors],
        }
        if self.says_nothing:
            document["note"] = NOTHING_FOUND
        return document


def fault_of(error: ItemError) -> Fault:
    """What kept part of a file from being read, as traces print it."""
    return Fault.of(TRACER_NAME, error)


def _model(model: NamedModel, name: str | None) -> dict[str, Any]:
    return {
        "role": str(model.role),
        "name": name,
        "weight": None if model.weight is None else round(model.weight, 4),
        "hashes": dict(model.hashes),
        "ids": dict(model.ids),
    }


def _credentials(credentials: Credentials, signer: str | None) -> dict[str, Any]:
    return {
        "state": str(credentials.state),
        "signer": signer,
        "reason": credentials.reason,
        "tools": list(credentials.tools),
        "created": credentials.created,
        "manifests": credentials.manifests,
    }


def _watermark(watermark: Watermark) -> dict[str, Any]:
    return {"name": watermark.name, "bits": watermark.bits, "matching": watermark.matching}


def _ids(ids: Mapping[str, str], *, reveal: bool) -> dict[str, str]:
    return {name: value if reveal else MASK for name, value in ids.items()}


def _masked(text: str | None, *, reveal: bool) -> str | None:
    return MASK if text and not reveal else text
