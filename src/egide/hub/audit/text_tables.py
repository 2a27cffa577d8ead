"""The tables of the texts of an audit, and their part of the summary; no small counts, no names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from egide.hub.audit.providers import Providers, providers_of
from egide.hub.audit.tables import (
    BY_MONTH,
    MOST_ROWS,
    Cell,
    Entry,
    Table,
    carried,
    concentration,
    shown,
    suppressed,
)
from egide.hub.audit.tally import ENOUGH
from egide.hub.audit.text_tally import TextTally
from egide.hub.pseudonyms import Pseudonyms

NOT_SAID: Final = "not said"
_KINDS: Final = ("host", "channel", "contact", "code")


class Prices(NamedTuple):
    """What offers ask for in one currency: how many name a price, and the quartiles of all."""

    currency: str
    offers: int
    lower: float
    median: float
    upper: float


class TextFindings(NamedTuple):
    """What is worked out once, when all texts are counted."""

    tally: TextTally
    providers: Providers


def text_findings(tally: TextTally) -> TextFindings:
    """What `tally` comes to."""
    return TextFindings(tally, providers_of(tally.marks))


def text_summary(found: TextFindings) -> dict[str, Any]:
    """The figures of texts for `summary.json`; null is a count too small to be told."""
    tally, providers = found
    return {
        "total": tally.total,
        "offers": tally.offers,
        "offers_share": round(tally.offers / tally.total, 6) if tally.total else None,
        "sought": shown(tally.sought),
        "requests": shown(tally.requests),
        "providers": shown(len(providers.listed)),
        "alone": shown(providers.alone),
        "share_of_largest": concentration(
            [one.offers for one in providers.listed], 0.1, tally.offers
        ),
        "rated": shown(tally.rated),
        "rating_mismatch": shown(tally.mismatched),
        "by_label": _counts(tally.labels),
        "by_context": _counts(tally.offers_in),
        "by_payment": _counts(tally.payments),
        "by_claim": _counts(tally.claims),
        "prices": {
            one.currency: {
                "offers": one.offers,
                "lower_quartile": one.lower,
                "median": one.median,
                "upper_quartile": one.upper,
            }
            for one in prices_of(tally)
        },
        "undated": shown(tally.undated),
        "offers_undated": shown(tally.offers - tally.offers_of.total()),
        "repeated": tally.repeated,
        "escalated": tally.escalated,
    }


def text_tables(found: TextFindings, pseudonyms: Pseudonyms, *, reveal: bool) -> list[Table]:
    """Every table of the texts; none when there were none. Names when `reveal` is on."""
    tally, providers = found
    if not tally.total:
        return []
    return [
        _offers_by_month(tally, providers),
        _mismatch_by_month(tally),
        _providers(providers, pseudonyms, reveal=reveal),
        _marks(providers, pseudonyms, reveal=reveal),
        _prices(tally),
        _prices_by_month(tally),
        _broken_down("texts_by_label", "Texts by what they are", "label", tally.labels),
        _broken_down("offers_by_context", "Offers by where they stand", "context", tally.offers_in),
        _broken_down("offers_by_payment", "By words of payment", "payment", tally.payments),
        _broken_down("offers_by_claim", "By what they claim", "claim", tally.claims),
    ]


def prices_of(tally: TextTally) -> list[Prices]:
    """The prices in each currency that at least `ENOUGH` offers name one in, most offers first."""
    offers: Counter[str] = Counter()
    amounts: dict[str, Counter[Decimal]] = {}
    for (_, currency), number in tally.priced.items():
        offers[currency] += number
    for (_, currency, amount), number in tally.prices.items():
        amounts.setdefault(currency, Counter())[amount] += number
    found = [
        Prices(currency, number, *quartiles(amounts[currency]))
        for currency, number in offers.items()
        if number >= ENOUGH and currency in amounts
    ]
    return sorted(found, key=lambda one: (-one.offers, one.currency))


def quartiles(amounts: Mapping[Decimal, int]) -> tuple[float, float, float]:
    """The lower quartile, the median and the upper one of numbers told by how often each is there.

    Each is one of the numbers: the first that as many parts of all do not exceed.
    """
    total = sum(amounts.values())
    wanted = [-(-total * part // 4) for part in (1, 2, 3)]
    found: list[float] = []
    seen = 0
    for amount in sorted(amounts):
        seen += amounts[amount]
        while len(found) < len(wanted) and seen >= wanted[len(found)]:
            found.append(float(amount))
    return found[0], found[1], found[2]


def _offers_by_month(tally: TextTally, providers: Providers) -> Table:
    rows = tuple(
        (month, count, total, shown(providers.by_month[month]))
        for month, count, total in carried(tally.offers_of)
    )
    columns = ("month", "offers", "cumulative", "providers")
    return Table("offers_by_month", "Offers by month", columns, rows, BY_MONTH)


def _mismatch_by_month(tally: TextTally) -> Table:
    rows = tuple(
        (month, count, total, shown(tally.rated_of[month]))
        for month, count, total in carried(tally.mismatched_of)
    )
    note = f"Sexual wording rated for under 13. {BY_MONTH}"
    columns = ("month", "mismatches", "cumulative", "rated")
    title = "Age ratings that do not go with the words"
    return Table("rating_mismatch_by_month", title, columns, rows, note)


def _providers(providers: Providers, pseudonyms: Pseudonyms, *, reveal: bool) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            one.name if reveal else pseudonyms.of_provider(one.name),
            one.offers,
            *(one.marks[kind] if reveal else shown(one.marks[kind]) for kind in _KINDS),
            one.first,
            one.last,
        )
        for one in providers.listed[:MOST_ROWS]
        if reveal or one.offers >= ENOUGH
    ]
    columns = ("provider", "offers", *(f"{kind}s" for kind in _KINDS), "first", "last")
    note = "Offers that share an address, an account, a contact or a code hang together."
    note += "" if reveal else f" Pseudonyms of those with at least {ENOUGH} offers."
    return Table("providers", "Providers with most offers", columns, tuple(rows), note)


def _marks(providers: Providers, pseudonyms: Pseudonyms, *, reveal: bool) -> Table:
    ordered = sorted(providers.marks.items(), key=lambda one: (-one[1], one[0]))
    rows = tuple(
        (mark if reveal else pseudonyms.of_mark(mark), number, mark.partition(":")[0])
        for mark, number in ordered[:MOST_ROWS]
        if reveal or number >= ENOUGH
    )
    note = "" if reveal else f"Pseudonyms of what at least {ENOUGH} offers name."
    columns = ("mark", "offers", "kind")
    return Table("provider_marks", "What ties offers together", columns, rows, note)


def _prices(tally: TextTally) -> Table:
    rows = tuple(
        (one.currency, one.offers, _money(one.lower), _money(one.median), _money(one.upper))
        for one in prices_of(tally)
    )
    columns = ("currency", "offers", "lower_quartile", "median", "upper_quartile")
    note = f"Currencies in which at least {ENOUGH} offers name a price; credits and tokens are "
    note += "the services' own."
    return Table("prices", "Prices by currency", columns, rows, note)


def _prices_by_month(tally: TextTally) -> Table:
    """One line a month and currency with enough offers."""
    amounts: dict[tuple[str, str], Counter[Decimal]] = {}
    for (month, currency, amount), number in tally.prices.items():
        amounts.setdefault((month, currency), Counter())[amount] += number
    rows = tuple(
        (month, tally.priced[month, currency], currency, _money(quartiles(held)[1]))
        for (month, currency), held in sorted(amounts.items())
        if month and tally.priced[month, currency] >= ENOUGH
    )
    columns = ("month", "offers", "currency", "median")
    return Table("prices_by_month", "Prices by month", columns, rows)


def _broken_down(name: str, title: str, column: str, counts: Counter[str]) -> Table:
    rows = tuple((entry.name, entry.models) for entry in _entries(counts))
    other = "texts" if name == "texts_by_label" else "offers"
    return Table(name, title, (column, other), rows)


def _entries(counts: Counter[str]) -> Iterable[Entry]:
    return suppressed(Entry(name or NOT_SAID, number, 0) for name, number in counts.items())


def _counts(counts: Counter[str]) -> dict[str, int]:
    return {entry.name: entry.models for entry in _entries(counts)}


def _money(amount: float) -> Decimal:
    """An amount without what floating point adds to it: `4.99`, `20`."""
    return Decimal(f"{amount:.8f}".rstrip("0").rstrip("."))
