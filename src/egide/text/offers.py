"""Extracts from adverts, listings and posts what binds offers together.

Referral parameters, bots and channels, addresses, payment words, prices and claims. What names
somebody or something is for `keyed` only: reports show the key, under which the same name is the
same in every text.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from egide.text.fold import Folded
from egide.text.lexicon import Lexicon, load_lexicon
from egide.text.reading import MOST_TOKENS, read
from egide.text.tokens import TOKEN

MOST_CHARACTERS: Final = 1 << 18
MOST_OF_A_KIND: Final = 64
KEY_DIGITS: Final = 16

# Every repetition is bounded or possessive: linear on any text.
_HOST: Final = re.compile(
    r"(?<![\w.@-])((?:[a-z0-9][a-z0-9-]{0,40}\.){1,3}[a-z]{2,12})(/[^\s<>\"')]{0,300}+)?"
)
_HANDLE: Final = re.compile(r"(?<![\w@.])@([a-z][a-z0-9_.]{2,31}+)")
_PARAMETER: Final = re.compile(
    r"[?&](ref|refer|referral|referrer|invite|inv|aff|affiliate|start|startapp|promo|code|via|r)="
    r"([\w-]{1,64}+)"
)
_PATH_CODE: Final = re.compile(r"/(?:ref|r|invite|i|aff|join)/([\w-]{2,64}+)")
_CODE: Final = re.compile(
    r"\b(?:code|codigo|gutscheincode|promo code|code promo)[ :]{1,3}([a-z0-9]{3,16}+)\b"
)
_AMOUNT: Final = r"(\d{1,6}(?:[.,]\d{1,2})?)"
_SIGNS: Final = {"$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "JPY"}
_BEFORE: Final = re.compile(rf"([$€£₹¥])[ ]?{_AMOUNT}")
_AFTER: Final = re.compile(
    rf"(?<![\d.,]){_AMOUNT}[ ]?([$€£₹]|usd\b|eur\b|gbp\b|euros?\b|dollars?\b|dolares\b|bucks\b|"
    r"usdt\b|eth\b|btc\b|credits?\b|creditos\b|tokens?\b|coins?\b|jetons?\b|stars\b)"
)
_CURRENCY: Final = {
    "euro": "EUR",
    "euros": "EUR",
    "dollar": "USD",
    "dollars": "USD",
    "dolares": "USD",
    "bucks": "USD",
    "credit": "credits",
    "credito": "credits",
    "creditos": "credits",
    "token": "tokens",
    "jeton": "tokens",
    "jetons": "tokens",
    "coin": "coins",
}
_MESSENGER_HOSTS: Final = frozenset({"t.me", "telegram.me", "discord.gg", "discord.com", "wa.me"})
_PAYMENT: Final = (
    "paypal", "usdt", "bitcoin", "btc", "eth", "monero", "crypto", "cashapp", "venmo", "lydia",
    "bizum", "paysafecard", "revolut", "credits", "tokens", "stars", "subscription", "abonnement",
    "krypto", "cripto",
)  # fmt: skip
_CLAIMS: Final = ("anyone", "free", "private", "proof", "upload", "superb", "growth")


@dataclass(frozen=True, slots=True)
class Price:
    """A sum that a text names; `currency` an ISO 4217 code or a service's own unit."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What one text says of an offer; each name is there once, lower case, in order."""

    hosts: tuple[str, ...] = ()
    bots: tuple[str, ...] = ()
    referrals: tuple[str, ...] = ()
    payments: tuple[str, ...] = ()
    prices: tuple[Price, ...] = ()
    claims: tuple[str, ...] = ()

    @property
    def ties(self) -> tuple[str, ...]:
        """What ties this offer to others of the same provider, told apart by kind."""
        return (
            *(f"host:{host}" for host in self.hosts if host not in _MESSENGER_HOSTS),
            *(f"bot:{bot}" for bot in self.bots),
            *(f"ref:{referral}" for referral in self.referrals),
        )

    def keyed(self, key: bytes) -> tuple[str, ...]:
        """`ties` as reports may show them: kind and a keyed digest (HMAC-SHA256, 64 bits)."""
        return tuple(f"{tie.partition(':')[0]}:{_digest(key, tie)}" for tie in self.ties)


def offers_in(text: str, lexicon: Lexicon | None = None) -> Offers:
    """What `text` says of an offer. Linear; of a long text the beginning is read."""
    lexicon = lexicon or load_lexicon()
    key = Folded(text[:MOST_CHARACTERS]).key
    tokens = TOKEN.findall(key)[:MOST_TOKENS]
    hosts, bots, referrals = _addresses(key)
    known = set(tokens)
    mask = read(tokens, lexicon).mask
    return Offers(
        hosts=hosts,
        bots=bots,
        referrals=referrals,
        payments=tuple(word for word in _PAYMENT if word in known),
        prices=tuple(dict.fromkeys(_prices(key)))[:MOST_OF_A_KIND],
        claims=tuple(name for name in _CLAIMS if mask & lexicon.bits[name]),
    )


def _addresses(key: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    hosts: list[str] = []
    bots: list[str] = []
    referrals: list[str] = []
    for found in _HOST.finditer(key):
        host, path = found[1].removeprefix("www."), found[2] or ""
        hosts.append(host)
        name = path[1:].partition("/")[0].partition("?")[0]
        if host in _MESSENGER_HOSTS and len(name) > 2:
            bots.append(name)
        referrals += (value for _, value in _PARAMETER.findall(path))
        referrals += _PATH_CODE.findall(path)
    bots += _HANDLE.findall(key)
    referrals += _CODE.findall(key)
    return _few(hosts), _few(name.rstrip(".") for name in bots), _few(referrals)


def _few(names: Sequence[str] | Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:MOST_OF_A_KIND]


def _prices(key: str) -> Iterator[Price]:
    for found in _BEFORE.finditer(key):
        if (amount := _amount(found[2])) is not None:
            yield Price(amount, _SIGNS[found[1]])
    for found in _AFTER.finditer(key):
        unit = found[2]
        if (amount := _amount(found[1])) is not None:
            yield Price(amount, _SIGNS.get(unit) or _CURRENCY.get(unit) or _unit(unit))


def _unit(unit: str) -> str:
    return unit if unit.endswith("s") else unit.upper()


def _amount(digits: str) -> Decimal | None:
    try:
        return Decimal(digits.replace(",", "."))
    except InvalidOperation:
        return None


def _digest(key: bytes, name: str) -> str:
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:KEY_DIGITS]
