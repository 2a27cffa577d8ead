"""`likeness-adapter.v1`: is this model, or the model of this listing, of a real person?

Three labels. `likeness.named`: the model's texts name somebody whom the gazetteer holds, and
neither the place of the name nor the words around it speak against. `likeness.unnamed`: nobody is
named, but the way it was trained and described says that a real person is meant; this needs no
gazetteer. `likeness.sexual`: one of the two, and its tags, words or rating say what for. Of model
files headers and sidecars are read, never the tensors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from egide.detector import DetectorSettings, Example
from egide.errors import UsageError
from egide.finding import Fault, Finding, Observation
from egide.hub.facts import ModelFacts
from egide.hub.gazetteer import Gazetteer
from egide.hub.likeness import HISTORICAL_YEARS, SURE, Likeness, likeness
from egide.item import Item
from egide.label import Label
from egide.sniff import Kind

NAME: Final = "likeness-adapter.v1"
MOST_MENTIONS: Final = 10
GAZETTEER_OPTION: Final = "gazetteer"
HISTORICAL_OPTION: Final = "historical-years"


class LikenessAdapter:
    """Looks for likenesses of the people in `gazetteer`, and of people without a name.

    Without a gazetteer nobody is found by name. Somebody dead for `historical_years` counts as a
    figure of history.
    """

    name = NAME
    kinds = frozenset({Kind.MODEL, Kind.LISTING})
    labels = frozenset(
        {
            Label.LIKENESS_NAMED,
            Label.LIKENESS_UNNAMED,
            Label.LIKENESS_SEXUAL,
            Label.MINOR_ESCALATE,
        }
    )

    def __init__(
        self, gazetteer: Gazetteer | None = None, historical_years: int = HISTORICAL_YEARS
    ) -> None:
        self.gazetteer = gazetteer
        self.historical_years = historical_years

    @property
    def examples(self) -> tuple[Example, ...]:
        """Invented people, in every disguise, and what must not be taken for people."""
        from egide.detectors.likeness_examples import likeness_examples  # noqa: PLC0415  seldom

        return likeness_examples()

    def detect(self, item: Item) -> Iterator[Observation]:
        """What the model in `item`, or the one that it lists, is of."""
        facts, says_minor, faults = _facts(item)
        if says_minor:
            yield Finding(NAME, Label.MINOR_ESCALATE, 1.0)
            return
        found = likeness(facts, self.gazetteer, historical_years=self.historical_years)
        yield from _findings(found)
        yield from faults


def from_settings(settings: DetectorSettings) -> LikenessAdapter:
    """The detector as a scan's options want it; UsageError for a gazetteer that is none."""
    name = settings.options.get(GAZETTEER_OPTION)
    years = settings.options.get(HISTORICAL_OPTION, str(HISTORICAL_YEARS))
    if not years.isascii() or not years.isdigit() or len(years) > 4:
        raise UsageError(f"{HISTORICAL_OPTION} takes a number of years, not {years!r}")
    if not name:
        return LikenessAdapter(None, int(years))
    from egide.hub.gazetteer_sample import open_gazetteer  # noqa: PLC0415  where one is wanted

    return LikenessAdapter(open_gazetteer(name), int(years))


def _facts(item: Item) -> tuple[ModelFacts, bool, list[Observation]]:
    """What is known of the model, whether a hub says that a minor is depicted, what was wrong."""
    if item.kind is Kind.LISTING:
        from egide.hub.listing import read_listing  # noqa: PLC0415  where there are listings

        listing = read_listing(item)
        return listing.facts, listing.says_minor, []
    from egide.hub.model_file import read_model  # noqa: PLC0415  where there are models

    reading = read_model(item)
    return reading.facts, reading.says_minor, [Fault.of(NAME, fault) for fault in reading.faults]


def _findings(found: Likeness) -> Iterator[Finding]:
    if found.person is not None and found.named >= SURE:
        yield Finding(NAME, Label.LIKENESS_NAMED, found.named, _named(found))
    if found.unnamed >= SURE and found.named < SURE:
        yield Finding(NAME, Label.LIKENESS_UNNAMED, found.unnamed, _unnamed(found))
    if found.is_person and found.sexual >= SURE:
        yield Finding(NAME, Label.LIKENESS_SEXUAL, found.sexual, {"because": list(found.intents)})


def _named(found: Likeness) -> dict[str, Any]:
    """The evidence for a name: the name itself, which reports mask, and where and how it stands."""
    person = found.person
    if person is None:
        return {}
    own = [mention for mention in found.mentions if mention.person.id == person.id]
    evidence: dict[str, Any] = {
        "name": f"{person.name} ({person.id})",
        "where": sorted({mention.place for mention in own}),
    }
    if written := sorted({how for mention in own for how in mention.how}):
        evidence["written"] = written
    if context := sorted({word for mention in own for word in mention.context}):
        evidence["context"] = context
    if found.traps:
        evidence["lowered_by"] = list(found.traps)
    if person.added:
        evidence["protected_on_request"] = True
    return evidence


def _unnamed(found: Likeness) -> dict[str, Any]:
    reasons = sorted(found.reasons, key=lambda reason: -abs(reason.weight))[:MOST_MENTIONS]
    return {
        "signals": [
            {"signal": reason.signal, "weight": reason.weight, "where": reason.place}
            for reason in reasons
        ]
    }
