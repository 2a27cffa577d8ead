"""Extracts from adverts, listings and posts what binds offers together.

Addresses, payment words, prices and claims. What names somebody or something is for
`egide.hub.pseudonyms` first: reports show pseudonyms, under which the same name is the same
in every text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from egide.text.addresses import MOST_OF_A_KIND, Addresses, addresses_in, is_of_one
from egide.text.fold import Folded
from egide.text.lexicon import Lexicon, load_lexicon
from egide.text.reading import MOST_TOKENS, read
from egide.text.screen import MOST_CHARACTERS, Screened
from egide.text.tokens import TOKEN, WORDS

MOST_JOINED: Final = 6
"""A text with more addresses than this lists what others offer: these have nothing in common."""

# Every repetition is bounded: linear on any text.
_AMOUNT: Final = (
    r"([1-9]\d{0,2}(?:[.,' ]\d{3}){1,3}(?:[.,]\d{1,2})?(?!\d)|\d{1,7}(?:[.,]\d{1,8})?(?!\d))"
)
_THOUSANDS: Final = re.compile(r"[.,' ](?=\d{3}(?!\d))")
_CODES: Final = (
    "usd eur gbp chf inr brl aud cad nzd hkd sgd twd mxn jpy cny rub uah krw vnd php pln czk sek "
    "nok dkk huf try ron bgn isk ils thb idr myr zar ars clp cop pen aed sar qar egp ngn kes pkr"
)
_UNITS: Final = {
    **{code: code.upper() for code in _CODES.split()},
    "us$": "USD", "$": "USD", "dollar": "USD", "bucks": "USD", "dolares": "USD", "a$": "AUD",
    "au$": "AUD", "c$": "CAD", "ca$": "CAD", "cdn$": "CAD", "mx$": "MXN", "nz$": "NZD",
    "hk$": "HKD", "s$": "SGD", "sg$": "SGD", "nt$": "TWD", "r$": "BRL", "€": "EUR", "euro": "EUR",
    "balles": "EUR", "£": "GBP", "quid": "GBP", "₹": "INR", "rs": "INR", "rupee": "INR",
    "¥": "JPY", "jp¥": "JPY", "yen": "JPY", "円": "JPY", "cn¥": "CNY", "rmb": "CNY", "yuan": "CNY",
    "renminbi": "CNY", "元": "CNY", "₽": "RUB", "₴": "UAH", "₺": "TRY", "₩": "KRW", "₫": "VND",
    "₱": "PHP", "zl": "PLN", "kc": "CZK", "kr": "kr", "usdt": "USDT", "usdc": "USDC",
    "eth": "ETH", "btc": "BTC", "ton": "TON", "trx": "TRX", "xmr": "XMR", "credit": "credits",
    "credito": "credits", "token": "tokens", "jeton": "tokens", "coin": "coins",
    "munzen": "coins", "star": "stars", "diamond": "diamonds", "gem": "gems",
}  # fmt: skip
"""`kr` is of three countries, and stays what it is."""
_TIMES: Final = {"": 1, "k": 1_000, "m": 1_000_000}
_THOUSANDFOLD: Final = r"(?:([km])(?![a-z0-9]))?"
_WHOSE: Final = r"(?:[ ]?\(?(usd|cad|aud|nzd|hkd|sgd|twd|mxn|jpy|cny|rmb|yuan)\b)?"
"""What tells whose dollars, or which of yen and yuan, after a sign that does not."""
# Of the codes, those that are no words there: "php 8", "5 sek" and "cad 2024" are no prices.
_BEFORE: Final = re.compile(
    r"((?:(?<![a-z])(?:us|au|ca|cdn|mx|nz|hk|sg|nt|[acrs]))?\$|(?:(?<![a-z])(?:cn|jp))?¥|"
    r"[€£₹₽₴₺₩₫₱]|\b(?:usdt|usd|eur|gbp|chf|inr|brl|aud|nzd|hkd|sgd|jpy|cny|rmb|sek|nok|dkk|czk|"
    rf"pln|rs\.?|kr\.?))[ ]?(?:{_AMOUNT}|(\.\d{{1,2}})(?!\d)){_THOUSANDFOLD}{_WHOSE}"
)
_AFTER: Final = re.compile(
    rf"(?<![\d.,$€£₹¥]){_AMOUNT}{_THOUSANDFOLD}[ ]?(us\$|\$(?!\d)|[€£₹₽₴₺₩₫₱円元](?!\d)|"
    r"(?:usdt|usdc|usd|eur|gbp|chf|inr|brl|rub|pln|zl|aud|cad|nzd|hkd|sgd|mxn|jpy|cny|rmb|czk|kc|"
    r"nok|dkk|huf|kr|rs|ton|dolares|bucks|balles|yen|yuan|renminbi|(?:euro|dollar|rupee|quid|eth|"
    rf"btc|trx|xmr|credito|credit|token|jeton|coin|munzen|star|diamond|gem)s?)\b){_WHOSE}"
)
_WHOLE: Final = re.compile(_AMOUNT)
_MOST_DIGITS: Final = 9
_LAKHS: Final = re.compile(r"(?:₹|\b(?:rs\.?|inr))[ ]?([1-9]\d?(?:,\d\d){1,3},\d{3})(?!,?\d)")
_MOST_RATED: Final = 5
"""So many stars, or a part of one, are what people give and not what they pay."""
_PAYMENT: Final = (
    "paypal", "usdt", "usdc", "bitcoin", "btc", "eth", "ethereum", "monero", "xmr", "ton", "tron",
    "crypto", "krypto", "cripto", "cashapp", "venmo", "zelle", "lydia", "bizum", "paysafecard",
    "revolut", "wise", "skrill", "payoneer", "alipay", "visa", "mastercard", "sepa", "pix", "upi",
    "giftcard", "credits", "tokens", "stars", "subscription", "abonnement", "suscripcion", "abo",
)  # fmt: skip
_CLAIMS: Final = {
    "anyone": "anyone",
    "free": "free",
    "private": "anonymous",
    "proof": "realistic",
    "upload": "one photo",
    "superb": "best",
    "growth": "reward",
}
"""What classes of the lexicon claim."""
_NOWHERE: Final = Addresses()


@dataclass(frozen=True, slots=True)
class Price:
    """A sum that a text names; `currency` an ISO 4217 code or a service's own unit."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What one text says of an offer; everything is there once, lower case, in order."""

    addresses: Addresses = _NOWHERE
    payments: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def ties(self) -> tuple[str, ...]:
        """What ties this offer to others of the same provider: `kind:name`.

        Empty for a list of many addresses.
        """
        hosts, channels, contacts, codes = self.addresses
        if len(hosts) + len(channels) + len(contacts) > MOST_JOINED:
            return ()
        return (
            *(f"host:{host}" for host in hosts),
            *(f"channel:{channel}" for channel in channels),
            *(f"contact:{contact}" for contact in contacts),
            *(f"code:{code}" for code in codes if is_of_one(code)),
        )


def offers_in(text: str, lexicon: Lexicon | None = None) -> Offers:
    """What `text` says of an offer. Linear; of a long text the beginning is read."""
    lexicon = lexicon or load_lexicon()
    key = Folded(text[:MOST_CHARACTERS]).key
    return _offers(key, read(TOKEN.findall(key)[:MOST_TOKENS], lexicon).mask, lexicon)


def offers_of(screened: Screened, lexicon: Lexicon | None = None) -> Offers:
    """What a text says of an offer that was screened already, by the same lexicon."""
    lexicon = lexicon or load_lexicon()
    return _offers(screened.folded.key, screened.intent.reading.mask, lexicon)


def prices_in(key: str) -> tuple[Price, ...]:
    """The sums of money, and of a service's own units, that the folded text `key` names."""
    found = [] if key.isalpha() else list(_prices(key))
    return tuple(dict.fromkeys(found))[:MOST_OF_A_KIND]


def currency_of(word: str) -> str | None:
    """The currency that `word` names: a sign, a code, a word; None when none that is known."""
    return _UNITS.get(word) or _UNITS.get(word.removesuffix("s"))


def amount_of(said: str) -> Decimal | None:
    """The number that `said` is and nothing more, as JSON or people write it; else None."""
    try:
        amount = Decimal(said)
    except InvalidOperation:
        digits = _WHOLE.fullmatch(said.strip())
        return _amount(digits[0]) if digits else None
    return amount if amount.is_finite() and amount.adjusted() < _MOST_DIGITS else None


def _offers(key: str, mask: int, lexicon: Lexicon) -> Offers:
    known = set(WORDS.findall(key))
    return Offers(
        addresses_in(key),
        tuple(word for word in _PAYMENT if word in known),
        prices_in(key),
        tuple(claim for name, claim in _CLAIMS.items() if mask & lexicon.bits[name]),
    )


def _prices(key: str) -> Iterator[Price]:
    key = _LAKHS.sub(_by_thousands, key)
    for unit, digits, part, times, whose in _BEFORE.findall(key):
        currency = _UNITS[unit.rstrip(".")]
        yield Price(_amount(digits or part) * _TIMES[times], _told(currency, unit, whose))
    for digits, times, unit, whose in _AFTER.findall(key):
        amount = _amount(digits) * _TIMES[times]
        currency = currency_of(unit) or unit
        if currency != "stars" or (amount > _MOST_RATED and amount % 1 == 0):
            yield Price(amount, _told(currency, unit, whose))


def _told(currency: str, unit: str, whose: str) -> str:
    """The currency of the sign `unit` when what follows it may tell: "$5 CAD", "¥30 (RMB)"."""
    return _UNITS[whose] if whose and unit in ("$", "¥") else currency


def _by_thousands(found: re.Match[str]) -> str:
    """A sum that India writes, ₹1,23,456, as ₹123,456."""
    sign = found[0].removesuffix(found[1])
    return f"{sign}{int(found[1].replace(',', '')):,}"


def _amount(digits: str) -> Decimal:
    """The number that `digits` with a comma or a point are: 1,299.00 and 1.299,00 are one."""
    if digits[0] not in "0.":
        digits = _THOUSANDS.sub("", digits)
    return Decimal(digits.replace(",", "."))
