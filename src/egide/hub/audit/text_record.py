"""A text of a dump with what its record tells of it: adverts, posts, app listings.

Beside records with a `text`, the audit reads those of the app stores (Apple's search API, and the
exports that follow Google's pages) and of advertisement libraries, by the names that these give
to their fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from egide.hub.fields import text_of
from egide.hub.metadata import MODELS_SINCE, moment_of
from egide.record import Shape, attributes_of
from egide.text.fold import Folded
from egide.text.intent import CONTEXTS
from egide.text.offers import Price, amount_of, currency_of, prices_in
from egide.text.screen import Said, titled

MOST_FIELD: Final = 1 << 18
MOST_LINK: Final = 2_000
MOST_NAME: Final = 200
MOST_LISTED: Final = 20
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
)
_CHANGED: Final = ("updated",)
"""When a record was changed last, which says when it was put up only where nothing else does."""
_FIRST_YEAR: Final = {"app_listing": 2008}
"""The first year of what is there longer than models are."""
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
    return TextRecord(
        titled(text, said),
        said,
        _account(value),
        _moment(value, context),
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
        parts = held[:MOST_LISTED] if isinstance(held, list) else [held]
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


def _moment(value: Mapping[str, Any], context: str) -> datetime | None:
    """When the text was put up; None when it is not said, or not so that it can be read."""
    since = _FIRST_YEAR.get(context, MODELS_SINCE)
    for names in (_DATES, _CHANGED):
        told = [said for name in names if (said := text_of(value.get(name)))]
        moments = (moment_of(_dated(said), since) for said in told)
        if told:
            return next(filter(None, moments), None)
    return None


def _dated(said: str) -> str:
    """`said`, a month of it as its first day."""
    return f"{said}-01" if len(said) == 7 and said[4] == "-" else said


def _prices(value: Mapping[str, Any]) -> tuple[Price, ...]:
    """The prices that fields tell: texts with a currency, or numbers beside one; lists of these."""
    found: list[Price] = []
    beside = _currency(value)
    for name in _PRICES:
        held = value.get(name)
        for part in held[:MOST_LISTED] if isinstance(held, list) else [held]:
            if isinstance(part, dict):
                own = _currency(part) or beside
                found += (price for key in _PRICES for price in _sums(part.get(key), own))
            else:
                found += _sums(part, beside)
    return tuple(dict.fromkeys(found))


def _currency(value: Mapping[str, Any]) -> str | None:
    return currency_of((text_of(value.get("currency")) or "").lower())


def _sums(said: Any, currency: str | None) -> Iterable[Price]:
    """The sums that one value tells, in `currency` when it is a mere number."""
    said = text_of(said, MOST_NAME) or ""
    amount = amount_of(said)
    if amount is None:
        return prices_in(Folded(said).key)
    return (Price(amount, currency),) if currency else ()
