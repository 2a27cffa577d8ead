"""What an audit keeps of one text, worked out where it was read."""

from __future__ import annotations

from typing import Final, NamedTuple

from egide.hub.audit.text_record import TextRecord
from egide.label import Label
from egide.text.addresses import addresses_in
from egide.text.joint import screen_jointly
from egide.text.offers import Price, offers_of
from egide.text.rating import youngest

MOST_TIES: Final = 16
MOST_PLACES: Final = 4
OFFERING: Final = frozenset(
    {Label.SERVICE_PROMOTION, Label.SERVICE_REFERRAL, Label.COMMISSION_OFFER}
)
_TOLD_OF: Final = frozenset({Label.CONTEXT_SUPPORT, Label.CONTEXT_NEWS})
_SHOP_WINDOWS: Final = frozenset({"ad", "app_listing"})
"""What is asked for in these is what they offer."""


class EscalatedText(NamedTuple):
    """A text that was escalated: only that there is one is kept."""

    key: int


class TextRow(NamedTuple):
    """What is kept of one text. Labels are counted; names leave as pseudonyms."""

    key: int
    """Of the id and the text, 64 bits: the same text under the same id is counted once."""
    context: str
    month: str
    """`2025-05`; empty when not said."""
    labels: tuple[str, ...]
    offers: bool
    """Whether it offers synthetic NCII, or the means to make it."""
    rated: bool
    """Whether its age rating is told, and says an age."""
    ties: tuple[str, ...]
    """What ties an offer to others of the same provider, `kind:name`."""
    places: tuple[str, ...]
    """The addresses in an ordinary text: whoever is named there is named by everybody."""
    payments: tuple[str, ...]
    claims: tuple[str, ...]
    prices: tuple[Price, ...]

    def has(self, label: Label) -> bool:
        """Whether the text was given `label`."""
        return str(label) in self.labels


def text_row(told: TextRecord, key: int) -> TextRow | EscalatedText:
    """What is kept of the text `told`."""
    screened = screen_jointly(told.text, told.said)
    labels = {one.label for one in screened.found} - {Label.EVASION_TEXT}
    if Label.MINOR_ESCALATE in labels:
        return EscalatedText(key)
    offers = is_offer(labels, told.said.context)
    found = offers_of(screened) if offers else None
    ties = () if found is None else _ties(found.ties, told)
    return TextRow(
        key,
        told.said.context,
        f"{told.moment:%Y-%m}" if told.moment else "",
        tuple(sorted(labels)),
        offers,
        youngest(told.said.attributes.get("age_rating", "")) is not None,
        ties,
        () if labels else _places(screened.folded.key, told),
        () if found is None else found.payments,
        () if found is None else found.claims,
        () if found is None else _priced((*found.prices, *told.prices)),
    )


def is_offer(labels: set[Label], context: str) -> bool:
    """Whether a text with these labels offers something; not when it only tells of offers."""
    if labels & _TOLD_OF:
        return False
    asked = any(label.startswith("ncii.") for label in labels)
    return bool(labels & OFFERING) or (asked and context in _SHOP_WINDOWS)


def _ties(found: tuple[str, ...], told: TextRecord) -> tuple[str, ...]:
    hosts, channels, *_ = addresses_in(told.link)
    ties = (*_named(told), *found, *_tied("host", hosts), *_tied("channel", channels))
    return tuple(dict.fromkeys(ties))[:MOST_TIES]


def _places(key: str, told: TextRecord) -> tuple[str, ...]:
    hosts, channels, *_ = addresses_in(key)
    found = (*_named(told), *_tied("host", hosts), *_tied("channel", channels))
    return found[:MOST_PLACES]


def _named(told: TextRecord) -> tuple[str, ...]:
    return (f"channel:{told.account}",) if told.account else ()


def _tied(kind: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{kind}:{name}" for name in names)


def _priced(prices: tuple[Price, ...]) -> tuple[Price, ...]:
    """The different prices but those that cost nothing."""
    return tuple(dict.fromkeys(price for price in prices if price.amount > 0))
