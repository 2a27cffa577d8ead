"""Extracts from adverts, listings and posts what binds offers together.

Addresses, payment words, prices and claims. What names somebody or something is for
`egide.hub.pseudonyms` first: reports show pseudonyms, under which the same name is the same
in every text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
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
_UNITS: Final = {
    "us$": "USD", "$": "USD", "usd": "USD", "dollar": "USD", "bucks": "USD", "dolares": "USD",
    "a$": "AUD", "aud": "AUD", "c$": "CAD", "ca$": "CAD", "cad": "CAD", "mx$": "MXN", "mxn": "MXN",
    "r$": "BRL", "brl": "BRL", "€": "EUR", "eur": "EUR", "euro": "EUR", "balles": "EUR",
    "£": "GBP", "gbp": "GBP", "quid": "GBP", "₹": "INR", "inr": "INR", "¥": "JPY", "jpy": "JPY",
    "₽": "RUB", "rub": "RUB", "₴": "UAH", "₺": "TRY", "₩": "KRW", "₫": "VND", "₱": "PHP",
    "zl": "PLN", "pln": "PLN", "chf": "CHF", "usdt": "USDT", "usdc": "USDC", "eth": "ETH",
    "btc": "BTC", "ton": "TON", "trx": "TRX", "xmr": "XMR", "credit": "credits",
    "credito": "credits", "token": "tokens", "jeton": "tokens", "coin": "coins",
    "munzen": "coins", "star": "stars", "diamond": "diamonds", "gem": "gems",
}  # fmt: skip
_BEFORE: Final = re.compile(
    r"((?:\b(?:us|ca|mx|a|c|r))?\$|[€£₹¥₽₴₺₩₫₱]|\b(?:usd|eur|gbp|chf|inr|brl|usdt))[ ]?" + _AMOUNT
)
_AFTER: Final = re.compile(
    rf"(?<![\d.,$€£₹¥]){_AMOUNT}[ ]?(us\$|[$€£₹₽₴₺₩₫₱](?!\d)|(?:usdt|usdc|usd|euro|eur|gbp|chf|inr|"
    r"brl|rub|pln|zl|aud|cad|mxn|jpy|dollar|dolares|bucks|balles|quid|eth|btc|ton|trx|xmr|credito|"
    r"credit|token|jeton|coin|munzen|star|diamond|gem)s?\b)"
)
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


def _offers(key: str, mask: int, lexicon: Lexicon) -> Offers:
    known = set(WORDS.findall(key))
    return Offers(
        addresses_in(key),
        tuple(word for word in _PAYMENT if word in known),
        prices_in(key),
        tuple(claim for name, claim in _CLAIMS.items() if mask & lexicon.bits[name]),
    )


def _prices(key: str) -> Iterator[Price]:
    for unit, digits in _BEFORE.findall(key):
        yield Price(_amount(digits), _UNITS[unit])
    for digits, unit in _AFTER.findall(key):
        yield Price(_amount(digits), currency_of(unit) or unit)


def _amount(digits: str) -> Decimal:
    """The number that `digits` with a comma or a point are: 1,299.00 and 1.299,00 are one."""
    if digits[0] != "0":
        digits = _THOUSANDS.sub("", digits)
    return Decimal(digits.replace(",", "."))
