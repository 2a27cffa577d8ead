"""A text of a dump with what its record tells of it: adverts, posts, app listings.

Beside records with a `text`, the audit reads those of the app stores (Apple's search API, and the
exports that follow Google's pages) and of advertisement libraries, by the names that these give
to their fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from egide.hub.fields import text_of
from egide.hub.metadata import moment_of
from egide.record import Shape, attributes_of
from egide.text.fold import Folded
from egide.text.intent import CONTEXTS
from egide.text.offers import Price, currency_of, prices_in
from egide.text.screen import Said, titled

MOST_FIELD: Final = 1 << 18
MOST_LINK: Final = 2_000
MOST_NAME: Final = 200
_TEXTS: Final = ("text", "description", "body", "summary", "ad_creative_bodies", "ad_text")
_TITLES: Final = ("title", "trackName", "app_name", "appName", "ad_creative_link_titles", "name")
_RATINGS: Final = (
    "age_rating",
    "ageRating",
    "content_rating",
    "contentRating",
    "trackContentRating",
    "contentAdvisoryRating",
)
_ACCOUNTS: Final = (
    "account",
    "author",
    "username",
    "channel",
    "advertiser",
    "page_name",
    "developer",
    "seller",
    "sellerName",
    "artistName",
    "publisher",
)
_DATES: Final = (
    "date",
    "published_at",
    "publishedAt",
    "created_at",
    "createdAt",
    "posted_at",
    "ad_delivery_start_time",
    "ad_creation_time",
    "first_seen",
    "released",
    "release_date",
    "releaseDate",
    "created_utc",
    "timestamp",
    "updated",
)
_LINKS: Final = ("link", "landing_page", "website", "sellerUrl", "developerWebsite")
_PRICES: Final = ("price", "prices", "formattedPrice", "in_app_prices", "inAppProductPrice")
_OF_A_STORE: Final = frozenset({*_RATINGS, "bundleId", "trackId", "appId", "app_id", "package"})
_OF_AN_ADVERT: Final = frozenset({"ad_creative_bodies", "ad_text"})
_NOBODY: Final = frozenset(
    {"", "-", "?", "admin", "anon", "anonymous", "deleted", "guest", "n/a", "none", "null"}
    | {"unknown", "user", "[deleted]", "[removed]"}
)


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One text: what it says, what is said of it, by whom, when, for how much."""

    text: str
    """With its title, as people see it."""
    said: Said
    account: str
    """Who put it up, folded; empty when not said."""
    moment: datetime | None
    link: str
    """Where it leads, beside the addresses in the text, folded."""
    prices: tuple[Price, ...]


def text_record(value: Any, shape: Shape | None) -> TextRecord | None:
    """The text that the record `value` is; None when it is another thing."""
    if not isinstance(value, dict) or shape not in (Shape.TEXT, None):
        return None
    context = _context(value)
    if shape is None and not context:
        return None
    text = _first(value, _TEXTS, MOST_FIELD)
    if not text and not context:
        return None
    titles = _TITLES if shape is None else _TITLES[:1]
    told = attributes_of(value) | {
        "context": context,
        "title": _first(value, titles, MOST_FIELD),
        "age_rating": _first(value, _RATINGS, MOST_NAME),
    }
    said = Said.of(told)
    dates = (moment_of(_dated(text_of(value.get(name)))) for name in _DATES)
    return TextRecord(
        titled(text, said),
        said,
        _account(value),
        next(filter(None, dates), None),
        Folded(_first(value, _LINKS, MOST_LINK)).key,
        _prices(value),
    )


def _context(value: Mapping[str, Any]) -> str:
    """What the text is; empty when its record does not tell."""
    said = value.get("context")
    if isinstance(said, str) and said.strip().lower() in CONTEXTS:
        return said.strip().lower()
    if value.keys() & _OF_AN_ADVERT:
        return "ad"
    of_a_store = value.keys() & _OF_A_STORE and value.keys() & {*_TEXTS, *_TITLES}
    return "app_listing" if of_a_store else ""


def _first(value: Mapping[str, Any], names: tuple[str, ...], most: int) -> str:
    """What the first of these fields says that says anything; lists one part a line."""
    for name in names:
        held = value.get(name)
        parts = held[:20] if isinstance(held, list) else [held]
        if said := "\n".join(said for part in parts if (said := text_of(part, most))):
            return said[:most]
    return ""


def _account(value: Mapping[str, Any]) -> str:
    for name in _ACCOUNTS:
        held = value.get(name)
        if isinstance(held, dict):
            held = held.get("username") or held.get("name")
        folded = " ".join(Folded(text_of(held, MOST_NAME) or "").key.split()).removeprefix("@")
        if folded not in _NOBODY:
            return folded
    return ""


def _dated(said: str | None) -> str | None:
    """`said`, a month of it as its first day."""
    return f"{said}-01" if said and len(said) == 7 and said[4] == "-" else said


def _prices(value: Mapping[str, Any]) -> tuple[Price, ...]:
    """The prices that fields tell: texts with a currency, or numbers beside one."""
    found: list[Price] = []
    beside = currency_of((text_of(value.get("currency")) or "").lower())
    for name in _PRICES:
        said = _first(value, (name,), MOST_NAME)
        if amount := _number(said):
            found += [Price(amount, beside)] if beside else []
        elif said:
            found += prices_in(Folded(said).key)
    return tuple(dict.fromkeys(found))


def _number(said: str) -> Decimal | None:
    try:
        amount = Decimal(said)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and amount.adjusted() < 9 else None
