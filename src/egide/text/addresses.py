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
    r"\b(?:code promo|codigo promo|coupon code|(?:promo|coupon|rabatt|gutschein|aktions)?code|"
    r"codigo|codice|coupon|cupon|voucher|gutschein)[ :\"']{1,4}([a-z0-9]{3,16}+)\b"
)
_BOT: Final = re.compile(r"(?<![\w@/.-])([a-z][a-z0-9_]{2,28}bot)(?![\w@/-]|\.\w)")
_CHAT: Final = re.compile(r"\b(?:telegram|tg|discord|messenger)\b")
_BESIDE: Final = 24
"""So many characters before or after the name of a bot may a word for a chat stand."""
_IN_A_CHAT: Final = re.compile(r"\btg://[a-z]{1,20}+\?([^\s<>\"')\]]{1,300}+)")
_DOMAIN: Final = re.compile(r"(?:\A|&)domain=([a-z][a-z0-9_]{2,31}+)")
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
    "midjourney.com telegram.dog telegra.ph vk.me vk.cc bsky.app kick.com rumble.com weibo.com "
    "line.me viber.com kik.me onlyfans.com fansly.com fanvue.com boosty.to subscribestar.adult "
    "subscribestar.com stan.store lnk.bio lnk.to taplink.cc taplink.at linkr.bio linkin.bio "
    "tap.bio campsite.bio solo.to hoo.be msha.ke allmylinks.com link.me direct.me snipfeed.co "
    "many.link tiny.cc shorturl.at ow.ly buff.ly rb.gy s.id clck.ru deviantart.com pixiv.net "
    "itch.io sites.google.com chrome.google.com addons.mozilla.org apps.microsoft.com"
)
"""Hosts that everybody uses. Two offers that name one have nothing in common by that."""
_STORES: Final = frozenset({"play.google.com", "apps.apple.com", "itunes.apple.com"})
_APP_ID: Final = re.compile(r"[?&]id=([\w.]{3,100}+)|/id(\d{5,12}+)")
_NO_NAMES: Final = _words(
    "joinchat invite join s c addlist share user users u r p reel reels watch channel channels "
    "app apps store details search explore home about help login signup status hashtag groups "
    "group pages page in www com message gmail everyone here all admin me you detail webstore view "
    "firefox addon addons en-us en-gb forms document spreadsheets drive folders file shorts embed "
    "live playlist profile profile.php permalink.php story.php photo.php posts post stories intent "
    "oauth2 authorize api donate paypalme payment checkout spaces datasets models images product "
    "products collections company events pin"
)
"""What stands where a name would, and for nobody."""
_ANYBODY: Final = _words(
    "start app web bot bio link home free new promo code ads site tiktok telegram twitter facebook "
    "instagram google reddit youtube discord save off sale spring summer autumn fall winter xmas "
    "christmas black friday welcome hello vip bonus first friend friends gift test discount "
    "premium trial deal deals gratis bienvenue noel cyber monday halloween easter thanksgiving "
    "valentine valentines newyear year eve holiday holidays hanukkah diwali ramadan eid singles "
    "season weekend week day month flash launch early bird student birthday january "
    "february march april may june july august september october november december "
    "pay less extra plus pro gold super mega best hot lucky now today only percent get take use "
    "try my your me you us the for all half price reduction remise rabatt descuento oferta promos "
    "soldes ostern sommer herbst ete hiver printemps paques weihnachten navidad verano invierno "
    "coupon voucher credit credits token tokens coin coins photo photos pic pics picture pictures "
    "image images foto fotos video videos ai art magic studio edit editor face swap faceswap nude "
    "nudes nudify undress deepfake porn sex sexy girl girls adult nsfw cam chat ro help spam shop "
    "store click mod"
)
"""Words of the season and the trade. Codes and names of bots that are made of these alone, with or
without a number, bind nothing: many services give them out."""
_MOST_WORDS: Final = 3
_COMMON: Final = re.compile(
    rf"(?:(?:{'|'.join(sorted(_ANYBODY, key=len, reverse=True))})[_-]?){{1,{_MOST_WORDS}}}"
)
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
    for query in _IN_A_CHAT.findall(key) if "tg://" in key else ():
        channels += _DOMAIN.findall(query)
        codes += _PARAMETER.findall("?" + query)
    channels += (name.rstrip(".") for name in _HANDLE.findall(key) if name not in _NO_NAMES)
    channels += _bots_in(key) if "bot" in key else ()
    codes += (code for code in _CODE.findall(key) if not code.isalpha() or len(code) > 3)
    contacts = _MAIL.findall(key) if "@" in key else []
    contacts += _WALLET.findall(key)
    return Addresses(_few(hosts), _few(channels), _few(contacts), _few(codes))


def is_of_one(code: str) -> bool:
    """Whether a code seems to be given to one advertiser: "jay22", not "welcome10" or "free"."""
    stem = code.strip("0123456789_-")
    if not stem:
        return len(code) >= _LEAST_NUMBER
    return len(code) >= _LEAST_CODE and any(map(str.isdigit, code)) and not _is_common(stem)


def _is_common(stem: str) -> bool:
    """Whether `stem` is made of words that everybody uses: "summersale", "halloween"."""
    return _COMMON.fullmatch(stem) is not None


def _bots_in(key: str) -> Iterator[str]:
    """The names of bots without an @, beside a word for a chat; not what is a bot of any kind."""
    for found in _BOT.finditer(key):
        beside = key[max(0, found.start() - _BESIDE) : found.end() + _BESIDE]
        stem = found[1].removesuffix("bot").rstrip("_")
        if _CHAT.search(beside) and ("_" in stem or not _is_common(stem)):
            yield found[1]


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
    for part in path.partition("?")[0].split("/")[1:6]:
        name = part.lstrip("@+$~")[:_LONGEST_NAME].rstrip(".,;:!")
        if len(name) > 2 and name not in _NO_NAMES:
            yield name
            return


def _few(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[:MOST_OF_A_KIND]
