"""`text-intent.v1`: does this text ask for, offer or advertise synthetic intimate pictures?

Acts, targets and contexts are found by the lexicons and rules of `egide.text`, after disguises
are undone. Somebody who asks for help, or reports on the matter, is told apart from who does it.
Of a model's listing the title, the tags and the beginning of the description are read: hubs list
tools that undress, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from egide.detector import DetectorSettings, Example
from egide.finding import Finding, Observation, Skip
from egide.item import Item
from egide.label import Label
from egide.sniff import Kind
from egide.text.joint import MODEL, screen_jointly
from egide.text.lexicon_folder import check_own
from egide.text.screen import MOST_CHARACTERS, Found, Said, Screened, screen, titled
from egide.text.semantic import switched_on

NAME: Final = "text-intent.v1"
MOST_BYTES: Final = 1 << 28
MOST_SPANS: Final = 12

LABELS: Final = frozenset(
    {
        Label.REQUEST_NUDIFY,
        Label.REQUEST_SEXUALIZE,
        Label.REQUEST_FACESWAP,
        Label.REQUEST_INTIMATE,
        Label.SERVICE_PROMOTION,
        Label.SERVICE_REFERRAL,
        Label.COMMISSION_SOLICIT,
        Label.COMMISSION_OFFER,
        Label.RATING_MISMATCH,
        Label.EVASION_TEXT,
        Label.CONTEXT_SUPPORT,
        Label.CONTEXT_NEWS,
        Label.MINOR_ESCALATE,
    }
)


LISTED: Final = frozenset(
    label for label in LABELS if label.startswith("ncii.") or label is Label.MINOR_ESCALATE
)
"""What a listing may be found to be."""
MOST_LISTED: Final = 2_000
"""Characters read of a listing."""
SURE: Final = 0.7
"""What a finding in a listing must reach: hubs are full of sexual words that harm nobody."""


class TextIntent:
    """Screens texts of at most `limit` bytes; of each the first `MOST_CHARACTERS` are read.

    Of a model's listing `MOST_LISTED` are, and only what the rules and the model are both sure of
    is found.
    """

    name = NAME
    kinds = frozenset({Kind.TEXT, Kind.LISTING})
    labels = LABELS

    def __init__(self, limit: int = MOST_BYTES) -> None:
        self.limit = limit

    @property
    def examples(self) -> tuple[Example, ...]:
        """Requests, adverts and offers, disguised and not, and what must not be taken for them."""
        from egide.detectors.text_examples import text_examples  # noqa: PLC0415  seldom

        return text_examples()

    def detect(self, item: Item) -> Iterator[Observation]:
        """Findings with the spans of the original text that they rest on."""
        if item.kind is Kind.LISTING:
            yield from _listed(item)
            return
        said = Said.of(item.attributes)
        text = titled(item.text(self.limit), said)
        screened = screen_jointly(text, said)
        yield from findings_of(screened, said)
        if "\ufffd" in text and not item.decodes(self.limit):
            yield Skip(NAME, "bytes that are no UTF-8 could not be read; export it as UTF-8")
        if screened.cut:
            yield Skip(NAME, f"only the beginning was read, {MOST_CHARACTERS:,} characters at most")


def from_settings(settings: DetectorSettings) -> TextIntent:  # noqa: ARG001  the registry's form
    """The detector as a scan's options want it.

    UsageError when EGIDE_SEMANTIC cannot be had, or what EGIDE_LEXICON names cannot be used.
    """
    switched_on()
    check_own()
    return TextIntent()


def screen_text(
    text: str, context: str = "", *, with_photo: bool = False, **attributes: object
) -> tuple[Finding, ...]:
    """What is in `text`: findings with labels of the taxonomy, none for ordinary text.

    `context` is one of `prompt`, `ad`, `app_listing`, `post`, `chat`, `profile`, `bounty`,
    `search`, or empty; `with_photo` whether a photo came with it; `attributes` what else is known,
    such as `age_rating`. Spans are in characters of `text`, with a `title` and a line break before
    it when one is given. Never raises for what is in the text; UsageError when EGIDE_SEMANTIC is
    switched on and its package is missing.
    """
    said = Said(context, with_photo, {name: str(value) for name, value in attributes.items()})
    return tuple(findings_of(screen_jointly(titled(text, said), said), said))


def findings_of(screened: Screened, said: Said) -> Iterator[Finding]:
    """What was seen, as findings; an escalation carries nothing but its label."""
    acts = [found.label for found in screened.found if found.label.startswith("ncii.request.")]
    for found in screened.found:
        if found.label is Label.MINOR_ESCALATE:
            yield Finding(NAME, found.label, 1.0)
        else:
            yield Finding(NAME, found.label, found.score, _evidence(found, screened, said, acts))


def _listed(item: Item) -> Iterator[Finding]:
    """What a model's listing offers: a tool, a service, a commission."""
    from egide.hub.listing import read_listing  # noqa: PLC0415  where there are listings

    listing = read_listing(item)
    if listing.says_minor:
        yield Finding(NAME, Label.MINOR_ESCALATE, 1.0)
        return
    facts, said = listing.facts, Said("app_listing")
    parts = (facts.title, ", ".join(facts.tags), facts.description)
    text = "\n".join(filter(None, parts))[:MOST_LISTED]
    if not any(found.label in LISTED for found in screen(text, said).found):
        return  # most listings: a fraction of what the model costs
    for finding in findings_of(screen_jointly(text, said), said):
        if finding.label in LISTED and finding.score >= SURE:
            yield finding


def _evidence(found: Found, screened: Screened, said: Said, acts: list[Label]) -> dict[str, Any]:
    evidence: dict[str, Any] = (
        {"by": MODEL}
        if found.rule == MODEL
        else {"rule": found.rule, "because": found.why.partition(":")[0]}
    )
    if said.context:
        evidence["context"] = said.context
    if said.with_photo:
        evidence["with_photo"] = True
    if screened.languages:
        evidence["languages"] = list(screened.languages)
    if found.label.startswith(("ncii.service.", "ncii.commission.")) and acts:
        evidence["act"] = str(acts[0])
    undone = sorted({disguise.kind for disguise in screened.disguises})
    if undone:
        evidence["undone"] = undone
    if screened.encoder and found.label.startswith("ncii."):
        evidence["encoder"] = screened.encoder
    evidence["spans"] = [
        {"start": span.start, "end": span.end, "as": list(span.classes), "prompt": span.text}
        for span in found.spans[:MOST_SPANS]
    ]
    return evidence
