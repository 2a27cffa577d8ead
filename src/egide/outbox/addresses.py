"""Which addresses may be sent to: an address is checked as it is written, and where it leads.

    url ─► Address (scheme, host, port, path) ─► resolved, every answer checked ─► pinned

What was checked is what is connected to: a name is resolved once, so that it cannot lead elsewhere
the second time.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from egide.errors import AddressRefused, UsageError

MOST_CHARACTERS: Final = 2_000
_PORTS: Final = {"https": 443, "http": 80}
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRINTABLE: Final = re.compile(r"[!-~]+")
_HOW: Final = "give https:// and a public name, or allow it in EGIDE_WEBHOOK_ALLOW"

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes; `host` is in lower case, `target` the path and query to ask for."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address that `url` writes; AddressRefused for what is written in an unusual way.

        No user, no fragment, no host that is a number in disguise (`2130706433`, `0x7f.1`), no
        path that climbs.
        """
        if len(url) > MOST_CHARACTERS or not _PRINTABLE.fullmatch(url) or "\\" in url:
            raise AddressRefused(
                f"over {MOST_CHARACTERS:,} characters, or some that stand in no address; "
                "percent-encode them"
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise AddressRefused(f"it cannot be parsed ({error}); {_HOW}") from None
        host = (parts.hostname or "").rstrip(".")
        bracketed = "[" in parts.netloc and ":" not in host
        if parts.scheme not in _PORTS or not _is_host(host) or bracketed or port == 0:
            raise AddressRefused(f"{_shown(parts.scheme, host)!r} is no such address; {_HOW}")
        if "@" in parts.netloc or "#" in url:
            raise AddressRefused("it has a user or a fragment; leave them out")
        if _climbs(parts.path):
            raise AddressRefused("its path has '..'; write where it leads")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], target)

    @property
    def shown(self) -> str:
        """What lists and logs may show: never the path, in which there may be a secret."""
        return _shown(self.scheme, self._authority)

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self._authority}{self.target}"

    @property
    def authority(self) -> str:
        """Host and port as the header `Host` has them."""
        return self._authority

    @property
    def _authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def within(self, place: Address) -> bool:
        """Whether it has the scheme, host and port of `place`, and a path under its path."""
        same = (self.scheme, self.host, self.port) == (place.scheme, place.host, place.port)
        beneath = place.target if place.target.endswith("/") else f"{place.target}/"
        return same and (self.target == place.target or self.target.startswith(beneath))


class AddressGuard:
    """Says which addresses may be used: those under https that are public, and those in `allowed`.

    An allowed place may be private, and without encryption: the administrator named it.
    """

    def __init__(self, allowed: tuple[Address, ...] = ()) -> None:
        self._allowed = allowed

    @classmethod
    def from_environment(cls) -> AddressGuard:
        """With the places in EGIDE_WEBHOOK_ALLOW, addresses separated by spaces; UsageError."""
        text = os.environ.get("EGIDE_WEBHOOK_ALLOW", "")
        try:
            return cls(tuple(Address.parse(word) for word in text.split()))
        except AddressRefused as error:
            raise UsageError(f"EGIDE_WEBHOOK_ALLOW: {error.detail}") from None

    def check(self, address: Address) -> None:
        """AddressRefused when it must not be used whatever it leads to."""
        if self._is_allowed(address):
            return
        if address.scheme != "https":
            raise AddressRefused(f"{address.shown} is not encrypted; {_HOW}")
        literal = _literal(address.host)
        if literal is not None:
            _check_public(literal, address)

    def resolve(self, address: Address) -> list[str]:
        """The numeric addresses to connect to, all of them checked; AddressRefused.

        OSError when the name cannot be resolved.
        """
        self.check(address)
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        numeric = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._is_allowed(address):
            for each in numeric:
                _check_public(ipaddress.ip_address(each.partition("%")[0]), address)
        return numeric

    def _is_allowed(self, address: Address) -> bool:
        return any(address.within(place) for place in self._allowed)


def _check_public(ip: IP, address: Address) -> None:
    if not all(_is_public(each) for each in (ip, *_inside(ip))):
        raise AddressRefused(f"{address.shown} leads to an address that is not public; {_HOW}")


def _is_public(ip: IP) -> bool:
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _inside(ip: IP) -> list[IP]:
    """The addresses of version 4 that one of version 6 stands for."""
    if isinstance(ip, ipaddress.IPv4Address):
        return []
    found: list[IP | None] = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        found.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    return [each for each in found if each is not None]


def _literal(host: str) -> IP | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_host(host: str) -> bool:
    """Whether `host` is a name or a plain numeric address."""
    if not host.isascii() or len(host) > 253 or "%" in host:
        return False
    if _literal(host) is not None:
        return True
    labels = host.split(".")
    return all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1])


def _climbs(path: str) -> bool:
    plain = path.lower().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/")
    return ".." in plain.split("/")


def _shown(scheme: str, host: str) -> str:
    return f"{scheme[:10]}://{host[:253]}"
