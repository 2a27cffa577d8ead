"""Content sources: the places that content may be fetched from. No other address is ever asked."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Final, NamedTuple, Self
from urllib.parse import urljoin

from egide.errors import AddressRefused, ContentUnavailable, TooManyBytes, UsageError
from egide.outgoing import Address, AddressGuard, Pinned, Resolver, connected
from egide.outgoing.address import resolved

VARIABLE: Final = "EGIDE_CONTENT_SOURCES"
TOKEN_VARIABLE: Final = "EGIDE_CONTENT_TOKEN"  # noqa: S105  a name
PRIVATE: Final = "private+"
"""Before a source that may be inside the network, and without encryption."""
MOST_SOURCES: Final = 100
MOST_BYTES: Final = 1 << 28
MOST_REDIRECTS: Final = 3
SECONDS: Final = 30.0
"""For all of a content, however slowly it comes, redirects included."""

_PIECE: Final = 1 << 16
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200
_HEADERS: Final = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "egide"}
_REMEDY: Final = f"name its place in {VARIABLE}"

Sink = Callable[[bytes], object]


class Fetched(NamedTuple):
    """A content: its bytes, and the media type that its source says it is; it may say anything."""

    data: bytes
    type: str


@dataclass(frozen=True, slots=True)
class Source:
    """A place: its scheme, host and port, and all paths under its path. `private` ones may be
    inside the network, and under plain http.
    """

    place: Address
    private: bool = False

    @classmethod
    def parse(cls, text: str) -> Source:
        """The source that a word of EGIDE_CONTENT_SOURCES writes; AddressRefused."""
        private = text.startswith(PRIVATE)
        place = Address.parse(text.removeprefix(PRIVATE))
        if "?" in place.target:
            raise AddressRefused("a source has a path, and no query; leave it out")
        if place.scheme != "https" and not private:
            raise AddressRefused(
                f"{place.shown} is not encrypted; give https://, or {PRIVATE}http:// for a place "
                "inside your network"
            )
        return cls(place, private)


class Sources:
    """The sources that content may be fetched from. Thread-safe.

    Names are resolved once, by `resolver`; every answer is checked, and what was checked is what is
    connected to. A fetch takes `seconds` at most, resolving included. With a `token` it says who
    asks, so that a platform can show what it shows to nobody else; no other place is ever told it.
    """

    def __init__(
        self,
        sources: Sequence[Source] = (),
        *,
        resolver: Resolver = resolved,
        seconds: float = SECONDS,
        token: str | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self._seconds = seconds
        self._headers = _HEADERS | ({} if token is None else {"Authorization": f"Bearer {token}"})
        self._guard = AddressGuard(
            [each.place for each in sources if each.private],
            public=[each.place for each in sources if not each.private],
            elsewhere=False,
            remedy=_REMEDY,
            resolver=resolver,
        )

    @classmethod
    def from_environment(cls) -> Self:
        """Those in EGIDE_CONTENT_SOURCES, separated by spaces; UsageError for what is none."""
        words = os.environ.get(VARIABLE, "").split()
        if len(words) > MOST_SOURCES:
            raise UsageError(f"{VARIABLE} has {len(words)} sources; {MOST_SOURCES} are the most")
        found = []
        for number, word in enumerate(words, 1):
            try:
                found.append(Source.parse(word))
            except AddressRefused as error:
                raise UsageError(f"{VARIABLE}, source {number}: {error.detail}") from None
        token = os.environ.get(TOKEN_VARIABLE) or None
        if token is not None and not (token.isascii() and token.isprintable() and " " not in token):
            raise UsageError(f"{TOKEN_VARIABLE} has characters that no header may have")
        return cls(found, token=token)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.sources)

    def check(self, url: str) -> Address:
        """The address that `url` writes, when it is one of a source; AddressRefused."""
        if not self.sources:
            raise AddressRefused(f"no content source is set up; {_REMEDY}")
        address = Address.parse(url)
        self._guard.check(address)
        return address

    def fetch(self, url: str, *, most: int = MOST_BYTES) -> Fetched:
        """The content at `url`, of up to `most` bytes; raises as `stream` does."""
        held = bytearray()
        type_ = self.stream(url, held.extend, most=most)
        return Fetched(bytes(held), type_)

    def stream(self, url: str, sink: Sink, *, most: int = MOST_BYTES) -> str:
        """Hands the content at `url` to `sink`, piece by piece; its media type as it is told.

        AddressRefused for what is not in a source, or leads out of them; TooManyBytes for more than
        `most` bytes; ContentUnavailable when it does not come, or not in time. What `sink` raises
        goes through.
        """
        until = time.monotonic() + self._seconds
        address = self.check(url)
        for _ in range(MOST_REDIRECTS + 1):
            with ExitStack() as held:
                with _telling(address, until):
                    left = max(0.0, until - time.monotonic())
                    numeric = self._guard.resolve(address, left)
                    left = max(0.0, until - time.monotonic())
                    connection = held.enter_context(connected(address, numeric, left))
                    answer = held.enter_context(closing(_answer(connection, self._headers)))
                if answer.status not in _REDIRECTS:
                    _check(address, answer, most)
                    for piece in _pieces(address, answer, most, until):
                        sink(piece)
                    return _media_type(answer)
                address = self._redirected(address, answer.getheader("Location"))
        raise ContentUnavailable(f"{address.shown}: over {MOST_REDIRECTS} redirects")

    def _redirected(self, address: Address, location: str | None) -> Address:
        """Where an answer sends us, which must be in a source too."""
        if location is None:
            raise ContentUnavailable(f"{address.shown} redirected to nowhere")
        try:
            joined = urljoin(address.url, location)
        except ValueError:
            raise ContentUnavailable(f"{address.shown} redirected to no address") from None
        return self.check(joined)


def _answer(connection: Pinned, headers: Mapping[str, str]) -> http.client.HTTPResponse:
    connection.ask("GET")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection.getresponse()


def _check(address: Address, answer: http.client.HTTPResponse, most: int) -> None:
    """ContentUnavailable or TooManyBytes for an answer that is not to be read."""
    if answer.status != _OK:
        raise ContentUnavailable(f"{address.shown} answered {answer.status}")
    encoding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity":
        # What a few bytes inflate to, nobody knows before it is done.
        raise ContentUnavailable(
            f"{address.shown} sent it encoded, unasked; have it sent as it is, without "
            "Content-Encoding"
        )
    if answer.length is not None and answer.length > most:
        raise _too_large(most)


def _pieces(
    address: Address, answer: http.client.HTTPResponse, most: int, until: float
) -> Iterator[bytes]:
    """The body of an answer, piece by piece."""
    piece = bytearray(_PIECE)
    expected, count, got = answer.length, 0, 1
    while got:
        with _telling(address, until):
            # `readinto` never takes more than there is room for, whatever a chunk says of itself.
            got = answer.readinto(piece)
            if time.monotonic() >= until:
                raise TimeoutError
        count += got
        if count > most:
            raise _too_large(most)
        if got:
            yield bytes(memoryview(piece)[:got])
    if expected is not None and count < expected:
        raise ContentUnavailable(f"{address.shown}: it ended before its end; ask again")


@contextmanager
def _telling(address: Address, until: float) -> Iterator[None]:
    """What goes wrong within, as ContentUnavailable, in words that name no path."""
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError) as error:
        late = isinstance(error, TimeoutError) or time.monotonic() >= until
        told = "it did not come in time; ask again" if late else _reason(error)
        raise ContentUnavailable(f"{address.shown}: {told}") from error


def _too_large(most: int) -> TooManyBytes:
    return TooManyBytes(f"the content has more than {most:,} bytes, which is the limit")


def _media_type(answer: http.client.HTTPResponse) -> str:
    told = (answer.getheader("Content-Type") or "").partition(";")[0].strip().lower()[:100]
    return told if told.isascii() and told.isprintable() else ""


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return type(error).__name__
