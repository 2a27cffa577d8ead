"""Which addresses may be asked: an address is checked as it is written, and where it leads.

    url ─► Address (scheme, host, port, path) ─► resolved, every answer checked ─► pinned

What was checked is what is connected to: a name is resolved once, so that it cannot lead elsewhere
the second time.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from egide.errors import AddressRefused

MOST_CHARACTERS: Final = 2_000
RESOLVE_SECONDS: Final = 20.0
MOST_RESOLVING: Final = 64
"""Names at once in one process: a resolver that hangs takes no more threads than these."""
_PORTS: Final = {"https": 443, "http": 80}
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRINTABLE: Final = re.compile(r"[!-~]+")
_TIMES_ENCODED: Final = 3
"""Some servers undo percent-encoding more than once: `..` is looked for beneath so many."""

IP = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""From a host and a port to numeric addresses; OSError."""

_RESOLVING: Final = threading.BoundedSemaphore(MOST_RESOLVING)
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Address:
    """What is asked and where; `host` is in lower case, `target` the path and query to ask for."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """The address that `url` writes; AddressRefused for what is written in an unusual way.

        No user, no fragment, no host that is a number in disguise (`2130706433`, `0x7f.1`) or has
        letters beyond ASCII, no path that climbs.
        """
        if len(url) > MOST_CHARACTERS or not _PRINTABLE.fullmatch(url) or "\\" in url:
            raise AddressRefused(
                f"over {MOST_CHARACTERS:,} characters, or some that stand in no address; "
                "percent-encode them, and write a host as xn--…"
            )
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise AddressRefused(f"it cannot be parsed ({error}); write it plainly") from None
        host = (parts.hostname or "").rstrip(".")
        bracketed = "[" in parts.netloc and ":" not in host
        if parts.scheme not in _PORTS or not _is_host(host) or bracketed or port == 0:
            raise AddressRefused(
                f"{_shown(parts.scheme, host)!r} is no address of a host under http or https"
            )
        if "@" in parts.netloc or "#" in url:
            raise AddressRefused("it has a user or a fragment; leave them out")
        if _climbs(parts.path):
            raise AddressRefused("its path has '..'; write where it leads")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        literal = _literal(host)
        host = host if literal is None else str(literal)
        return cls(parts.scheme, host, port or _PORTS[parts.scheme], target)

    @property
    def shown(self) -> str:
        """What lists and logs may show: never the path, in which there may be a secret."""
        return _shown(self.scheme, self.authority)

    @property
    def url(self) -> str:
        """The whole address."""
        return f"{self.scheme}://{self.authority}{self.target}"

    @property
    def authority(self) -> str:
        """Host and port as the header `Host` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def within(self, place: Address) -> bool:
        """Whether it has the scheme, host and port of `place`, and a path under its path."""
        same = (self.scheme, self.host, self.port) == (place.scheme, place.host, place.port)
        beneath = place.target if place.target.endswith("/") else f"{place.target}/"
        return same and (self.target == place.target or self.target.startswith(beneath))


def resolved(host: str, port: int) -> Sequence[str]:
    """The numeric addresses that the system's resolver gives for a name; OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolved_in_time(resolver: Resolver, host: str, port: int, seconds: float) -> list[str]:
    """What `resolver` gives within `seconds`; OSError, which TimeoutError is one of.

    No call of the system ends a resolver that hangs: it is waited for no longer, in its own thread.
    """
    if _literal(host) is not None:
        return list(resolver(host, port))
    places = _RESOLVING
    if not places.acquire(timeout=seconds):
        raise TimeoutError("too many names are being resolved")
    found: Future[list[str]] = Future()

    def resolve() -> None:
        try:
            found.set_result(list(resolver(host, port)))
        except Exception as error:  # noqa: BLE001  raised where it is waited for
            found.set_exception(error)
        finally:
            places.release()

    try:
        threading.Thread(target=resolve, name="resolve", daemon=True).start()
    except (RuntimeError, MemoryError) as error:
        places.release()
        raise OSError(f"no thread can be had to resolve a name: {error}") from error
    return found.result(timeout=seconds)


class AddressGuard:
    """Says which addresses may be used: those under https that are public, and those in `allowed`.

    An allowed place may be private, and without encryption: the administrator named it. With
    `elsewhere` off nothing else is allowed but the places in `public`, which must be public.
    `remedy` ends the messages: what the administrator can do.
    """

    def __init__(
        self,
        allowed: Sequence[Address] = (),
        *,
        public: Sequence[Address] = (),
        elsewhere: bool = True,
        remedy: str = "give https:// and a public name",
        resolver: Resolver = resolved,
    ) -> None:
        self._allowed = tuple(allowed)
        self._public = tuple(public)
        self._elsewhere = elsewhere
        self._remedy = remedy
        self._resolver = resolver

    def check(self, address: Address) -> None:
        """AddressRefused when it must not be used whatever it leads to."""
        if self._is_allowed(address):
            return
        if not (self._elsewhere or any(address.within(place) for place in self._public)):
            raise AddressRefused(f"{address.shown} is no place that was allowed; {self._remedy}")
        if address.scheme != "https":
            raise AddressRefused(f"{address.shown} is not encrypted; {self._remedy}")
        literal = _literal(address.host)
        if literal is not None:
            self._check_public(literal, address)

    def resolve(self, address: Address, seconds: float = RESOLVE_SECONDS) -> list[str]:
        """The numeric addresses to connect to, all of them checked; AddressRefused.

        OSError when the name cannot be resolved, TimeoutError when not within `seconds`.
        """
        self.check(address)
        numeric = resolved_in_time(self._resolver, address.host, address.port, seconds)
        if not self._is_allowed(address):
            for each in numeric:
                self._check_public(ipaddress.ip_address(each.partition("%")[0]), address)
        return numeric

    def _is_allowed(self, address: Address) -> bool:
        return any(address.within(place) for place in self._allowed)

    def _check_public(self, ip: IP, address: Address) -> None:
        if not all(_is_public(each) for each in (ip, *_inside(ip))):
            raise AddressRefused(
                f"{address.shown} leads to an address that is not public; {self._remedy}"
            )


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
    """Whether a server could take a part of `path` for `..`, also one followed by parameters."""
    for _ in range(_TIMES_ENCODED):
        path = unquote(path)
    parts = path.replace("\\", "/").split("/")
    return any(part.partition(";")[0].strip() == ".." for part in parts)


def _shown(scheme: str, host: str) -> str:
    return f"{scheme[:10]}://{host[:253]}"
