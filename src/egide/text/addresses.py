"""Finds the addresses in a folded text: hosts, channels, bots, accounts, contacts, referral codes.

A platform that everybody uses binds nothing; the name there does. So of `t.me/name` the name is
kept, and of `name.example/x` the host. Linear: every repetition is bounded or possessive.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOST_OF_A_KIND: Final = 64
"""So many different addresses of a kind are kept of one text."""
_LONGEST_NAME: Final = 64

_HOST: Final = re.compile(
    r"(?<![\w.@-])(h(?:tt|xx)ps?://)?((?:[a-z0-9][a-z0-9-]{0,40}\.){1,3}[a-z]{2,12})(?![\w@-])"
    r"(?::\d{2,5})?([/?][^\s<>\"')\]]{0,300}+)?"
)
_MAIL: Final = re.compile(
    r"(?<![\w.+-])([a-z0-9][\w.+-]{0,63}@(?:[a-z0-9][a-z0-9-]{0,40}\.){1,3}[a-z]{2,12})(?![\w@-])"
)
_HANDLE: Final = re.compile(r"(?<![\w@./])@([a-z][a-z0-9_.]{2,31}+)")
_WALLET: Final = re.compile(
    r"(?<![a-z0-9])(0x[0-9a-f]{40}|bc1[a-z0-9]{25,59}+|t[1-9a-z]{33}|[13][1-9a-z]{25,33}+)"
    r"(?![a-z0-9])"
)
_PARAMETER: Final = re.compile(
    r"[?&](?:ref|refer|referral|referrer|invite|inv|aff|affiliate|start|startapp|promo|code|via|r)="
    r"([\w-]{1,64}+)"
)
_PATH_CODE: Final = re.compile(r"/(?:ref|r|invite|i|aff)/([\w-]{2,64}+)")
_CODE: Final = re.compile(
    r"\b(?:code promo|codigo promo|code|codigo|gutscheincode)[ :]{1,3}([a-z0-9]{3,16}+)\b"
)
_HIDDEN_DOTS: Final = re.compile(r"[ ]?[(\[](?:\.|dot|punkt|point|punto)[)\]][ ]?")

_PREFIXES: Final = frozenset({"www", "m", "app", "go", "get", "try", "my", "web", "en", "fr", "de"})
_ENDINGS: Final = _words(
    "com net org io ai xyz co gg cc info biz dev onion example app bot online website cloud "
    "uk fr eu ch nl pl br ca au jp kr cn ru ua cz hu gr pt mx ar cl tk ml ga cf gq pw tw hk sg "
    "nz fi dk ro bg lt lv ee"
)
"""Endings of hosts that seldom are words: before others, as in "link.in bio" or "free.Try it",
stands a host only when the address says so itself."""

PLATFORMS: Final = _words(
    "t.me telegram.me telegram.org discord.gg discord.com wa.me whatsapp.com chat.whatsapp.com "
    "signal.me instagram.com facebook.com fb.com fb.me m.me tiktok.com twitter.com x.com "
    "threads.net reddit.com youtube.com youtu.be snapchat.com twitch.tv pinterest.com vk.com "
    "linkedin.com linktr.ee beacons.ai bio.link patreon.com ko-fi.com buymeacoffee.com "
    "paypal.com paypal.me cash.app venmo.com revolut.me stripe.com gumroad.com github.com "
    "gitlab.com huggingface.co civitai.com google.com play.google.com docs.google.com "
    "drive.google.com forms.gle goo.gl apple.com apps.apple.com itunes.apple.com "
    "chromewebstore.google.com microsoft.com amazon.com bit.ly tinyurl.com t.co is.gd cutt.ly "
    "rebrand.ly mega.nz dropbox.com wetransfer.com imgur.com fiverr.com etsy.com ebay.com "
    "medium.com substack.com wordpress.com blogspot.com tumblr.com gmail.com outlook.com "
    "hotmail.com proton.me protonmail.com yahoo.com icloud.com wikipedia.org openai.com "
    "midjourney.com"
)
"""Hosts that everybody uses. Two offers that name one have nothing in common by that."""
_STORES: Final = frozenset({"play.google.com", "apps.apple.com", "itunes.apple.com"})
_APP_ID: Final = re.compile(r"[?&]id=([\w.]{3,100}+)|/id(\d{5,12}+)")
_NO_NAMES: Final = _words(
    "joinchat invite join s c addlist share user users u r p reel reels watch channel channels "
    "app apps store details search explore home about help login signup status hashtag groups "
    "group pages page in www com message gmail everyone here all admin me you"
)
"""What stands where a name would, and for nobody."""
_ANYBODY: Final = _words(
    "start app web bot bio link home free new promo code ads site tiktok telegram twitter facebook "
    "instagram google reddit youtube discord save off sale spring summer autumn fall winter xmas "
    "christmas black friday welcome hello vip bonus first friend friends gift summersale test "
    "discount premium trial deal gratis bienvenue noel"
)
"""Codes that many services give out; alone or before a number they bind nothing."""
_LEAST_CODE: Final = 4
_LEAST_NUMBER: Final = 6


class Addresses(NamedTuple):
    """The addresses of a text; each is there once, lower case, in order."""

    hosts: tuple[str, ...] = ()
    """Hosts but platforms, without `www.`."""
    channels: tuple[str, ...] = ()
    """Bots, channels, accounts: names at messengers and platforms, and handles."""
    contacts: tuple[str, ...] = ()
    """Mail addresses and wallets."""
    codes: tuple[str, ...] = ()
    """Referral and promotion codes."""


def addresses_in(key: str) -> Addresses:
    """The addresses in the folded text `key`."""
    if "[" in key or "(" in key:
        key = _HIDDEN_DOTS.sub(".", key)
    hosts: list[str] = []
    channels: list[str] = []
    codes: list[str] = []
    for scheme, host, path in _HOST.findall(key) if "." in key else ():
        plain = _bare(host)
        if plain in PLATFORMS:
            channels += _name_at(plain, path)
        elif scheme or path or plain != host or plain.rpartition(".")[2] in _ENDINGS:
            hosts.append(plain)
            codes += _PATH_CODE.findall(path)
        else:
            continue
        codes += _PARAMETER.findall(path)
    channels += (name.rstrip(".") for name in _HANDLE.findall(key) if name not in _NO_NAMES)
    codes += (code for code in _CODE.findall(key) if not code.isalpha() or len(code) > 3)
    contacts = _MAIL.findall(key) if "@" in key else []
    contacts += _WALLET.findall(key)
    return Addresses(_few(hosts), _few(channels), _few(contacts), _few(codes))


def is_of_one(code: str) -> bool:
    """Whether a code seems to be given to one advertiser: "jay22", not "welcome10" or "free"."""
    stem = code.strip("0123456789_-")
    if not stem:
        return len(code) >= _LEAST_NUMBER
    return len(code) >= _LEAST_CODE and any(map(str.isdigit, code)) and stem not in _ANYBODY


def _bare(host: str) -> str:
    """`host` without the parts before it that say nothing of whose it is."""
    if host in PLATFORMS:
        return host
    first, _, rest = host.partition(".")
    return rest if first in _PREFIXES and "." in rest else host


def _name_at(platform: str, path: str) -> Iterator[str]:
    """The name at a platform that an address leads to, if it leads to one."""
    if platform in _STORES:
        yield from (name or number for name, number in _APP_ID.findall(path))
        return
    for part in path.partition("?")[0].split("/")[1:4]:
        name = part.lstrip("@+$~")[:_LONGEST_NAME].rstrip(".,;:!")
        if len(name) > 2 and name not in _NO_NAMES:
            yield name
            return


def _few(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:MOST_OF_A_KIND]
