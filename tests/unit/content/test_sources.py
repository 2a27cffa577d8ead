"""Nothing is fetched but from the sources, and what they send is never too much or too late."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from egide.content import Fetched, Sources
from egide.content.sources import MOST_REDIRECTS, VARIABLE, Source
from egide.errors import AddressRefused, ContentUnavailable, TooManyBytes, UsageError
from egide.outgoing import connection as outgoing
from tests.certificates import self_signed
from tests.growth import within
from tests.origins import Origin, Serves, Speak, answer

HERE = ["127.0.0.1"]
OK = answer(b"picture", "Content-Type: Image/JPEG; a=b")


def sources(*words: str, seconds: float = 5.0, **names: list[str]) -> Sources:
    """Sources whose names lead where `names` says, with `_` for a dot; others to this machine."""
    known = {name.replace("_", "."): numeric for name, numeric in names.items()}
    return Sources(
        [Source.parse(word) for word in words],
        resolver=lambda host, _: known.get(host, [host if ":" in host else "127.0.0.1"]),
        seconds=seconds,
    )


def inside(origin: Origin, path: str = "/up/", **given: float) -> Sources:
    """The source that `origin` is, under a name."""
    return sources(f"private+http://cdn.example:{origin.port}{path}", **given)  # type: ignore[arg-type]


# ── what is allowed ─────────────────────────────────────────────────────────────────────────────


def test_content_is_fetched_under_its_name(serves: Serves) -> None:
    origin = serves(OK)
    found = inside(origin).fetch(f"http://cdn.example:{origin.port}/up/a%20b.jpg?v=1")

    assert found == Fetched(b"picture", "image/jpeg")
    (head,) = origin.heads
    assert head.splitlines()[:2] == [
        "GET /up/a%20b.jpg?v=1 HTTP/1.1",
        f"Host: cdn.example:{origin.port}",
    ]
    assert "Accept-Encoding: identity" in head
    assert "Cookie" not in head
    assert "Authorization" not in head


def test_sources_are_told_who_asks(serves: Serves, monkeypatch: pytest.MonkeyPatch) -> None:
    origin = serves(OK)
    place = f"http://127.0.0.1:{origin.port}/up/"
    monkeypatch.setenv(VARIABLE, f"private+{place}")
    monkeypatch.setenv("EGIDE_CONTENT_TOKEN", "a-token")
    Sources.from_environment().fetch(f"{place}a.jpg")
    assert "Authorization: Bearer a-token" in origin.heads[0]


def test_a_token_that_no_header_may_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_CONTENT_TOKEN", "a\r\nCookie: b")
    with pytest.raises(UsageError, match="EGIDE_CONTENT_TOKEN"):
        Sources.from_environment()


def test_sources_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, " https://cdn.example/up/  private+http://10.0.0.7:9000/ ")
    found = Sources.from_environment()

    assert [(each.place.url, each.private) for each in found.sources] == [
        ("https://cdn.example/up/", False),
        ("http://10.0.0.7:9000/", True),
    ]
    assert found.check("https://cdn.example/up/a").host == "cdn.example"
    assert found.check("http://10.0.0.7:9000/a").port == 9000


def test_without_sources_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    found = Sources.from_environment()

    assert not found
    with pytest.raises(AddressRefused, match="no content source is set up"):
        found.fetch("https://cdn.example/a")


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("cdn.example", "no address"),
        ("ftp://cdn.example/", "no address"),
        ("http://cdn.example/", "not encrypted"),
        ("private+cdn.example/", "no address"),
        ("https://user@cdn.example/", "user"),
        ("https://cdn.example/?a", "query"),
        ("https://cdn.example/#a", "fragment"),
        ("https://cdn.example/a/../", r"'\.\.'"),
        ("https://2130706433/", "no address"),
        ("https://münchen.example/", "xn--"),
    ],
)
def test_what_is_no_source_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, word: str, why: str
) -> None:
    monkeypatch.setenv(VARIABLE, f"https://cdn.example/ {word}")
    with pytest.raises(UsageError, match=f"{VARIABLE}, source 2: .*{why}") as error:
        Sources.from_environment()
    assert "\n" not in str(error.value)


# ── what is not ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example:{port}/up/a",
        "http://cdn.example/up/a",
        "http://cdn2.example:{port}/up/a",
        "http://cdn.example.evil.example:{port}/up/a",
        "http://evil.example:{port}/up/a",
        "http://127.0.0.1:{port}/up/a",
        "http://2130706433:{port}/up/a",
        "http://0x7f.1:{port}/up/a",
        "http://0177.0.0.1:{port}/up/a",
        "http://[::ffff:127.0.0.1]:{port}/up/a",
        "http://cdn.example@127.0.0.1:{port}/up/a",
        "http://127.0.0.1\\@cdn.example:{port}/up/a",
        "http://cdn.example:{port}\\@127.0.0.1/up/a",
        "http://cdn.example:{port}/",
        "http://cdn.example:{port}/up",
        "http://cdn.example:{port}/upper/a",
        "http://cdn.example:{port}/UP/a",
        "http://cdn.example:{port}/up/../a",
        "http://cdn.example:{port}/up/%2e%2E/a",
        "http://cdn.example:{port}/up/%252e%252e/a",
        "http://cdn.example:{port}/up/..%2fa",
        "http://cdn.example:{port}/up/..%5ca",
        "http://cdn.example:{port}/up/..;/a",
        "http://cdn.example:{port}/up/..\\a",
        "http://cdn.example:{port}/up/a#b",
        "http://cdn.example:{port}/up/a b",
        "http://cdn.example:{port}/up/a\r\nX-Injected: 1",
        "http://cdn.examplе:{port}/up/a",
        "//cdn.example:{port}/up/a",
        "file:///etc/passwd",
        "gopher://cdn.example:{port}/up/a",
        "",
    ],
)
def test_what_is_in_no_source_is_not_asked(serves: Serves, url: str) -> None:
    origin = serves(OK)
    with pytest.raises(AddressRefused):
        inside(origin).fetch(url.format(port=origin.port))
    assert origin.heads == []


@pytest.mark.parametrize(
    "numeric",
    ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "::ffff:10.0.0.1"],
)
def test_a_public_source_leads_to_no_private_address(serves: Serves, numeric: str) -> None:
    origin = serves(OK)
    found = sources(f"https://cdn.example:{origin.port}/", cdn_example=["93.184.215.14", numeric])
    with pytest.raises(AddressRefused, match="not public"):
        found.fetch(f"https://cdn.example:{origin.port}/a")
    assert origin.heads == []


def test_a_name_is_resolved_once_and_connected_to_where_it_led(serves: Serves) -> None:
    """A name that leads elsewhere the second time: what was checked is what is asked."""
    origin, other = serves(OK), serves(answer(b"secret"), "127.0.0.2")
    leads = iter([HERE, ["127.0.0.2"]])
    found = Sources(
        [Source.parse(f"private+http://cdn.example:{origin.port}/")],
        resolver=lambda *_: next(leads),
    )

    assert found.fetch(f"http://cdn.example:{origin.port}/a").data == b"picture"
    assert other.heads == []
    assert next(leads) == ["127.0.0.2"]


def test_a_name_that_rebinds_between_redirects_is_checked_again(serves: Serves) -> None:
    origin = serves(answer(b"", "Location: https://cdn.example/b", status="302 Found"))
    found = sources(f"private+http://in.example:{origin.port}/", "https://cdn.example/")

    with pytest.raises(AddressRefused, match="not public"):
        found.fetch(f"http://in.example:{origin.port}/a")


# ── redirects ───────────────────────────────────────────────────────────────────────────────────


def redirecting(*places: str) -> Speak:
    """Redirects to the next of `places` each time, and answers then."""
    left = list(places)

    def speak(connection: socket.socket) -> None:
        if left:
            connection.sendall(answer(b"", f"Location: {left.pop(0)}", status="307 Temporary"))
        else:
            connection.sendall(OK)

    return speak


def test_redirects_within_the_sources_are_followed(serves: Serves) -> None:
    origin = serves(redirecting("b", "/up/c", "/up/d"))
    assert inside(origin).fetch(f"http://cdn.example:{origin.port}/up/a").data == b"picture"
    assert [head.split(" ")[1] for head in origin.heads] == ["/up/a", "/up/b", "/up/c", "/up/d"]


def test_redirects_come_to_an_end(serves: Serves) -> None:
    origin = serves(redirecting(*["/up/a"] * 9))
    with pytest.raises(ContentUnavailable, match=f"over {MOST_REDIRECTS} redirects"):
        inside(origin).fetch(f"http://cdn.example:{origin.port}/up/a")
    assert len(origin.heads) == MOST_REDIRECTS + 1


@pytest.mark.parametrize(
    "place",
    [
        "/",
        "/up/../a",
        "../a",
        "//evil.example/up/a",
        "https://evil.example/",
        "http://169.254.169.254/latest/meta-data/",
        "http://cdn.example/up/a",
        "file:///etc/passwd",
        "http://[::1",
    ],
)
def test_redirects_out_of_the_sources_are_not_followed(serves: Serves, place: str) -> None:
    origin = serves(redirecting(place))
    with pytest.raises((AddressRefused, ContentUnavailable)):
        inside(origin).fetch(f"http://cdn.example:{origin.port}/up/a")
    assert len(origin.heads) == 1


def test_a_redirect_to_nowhere_is_told(serves: Serves) -> None:
    origin = serves(answer(b"", status="302 Found"))
    with pytest.raises(ContentUnavailable, match="nowhere"):
        inside(origin).fetch(f"http://cdn.example:{origin.port}/up/a")


# ── what is sent ────────────────────────────────────────────────────────────────────────────────


def test_version_6_of_the_protocol_in_any_spelling(serves: Serves) -> None:
    try:
        origin = serves(OK, "::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    found = sources(f"private+http://[0:0::1]:{origin.port}/")

    assert found.fetch(f"http://[::1]:{origin.port}/a").data == b"picture"
    assert f"Host: [::1]:{origin.port}" in origin.heads[0]


def drip(before: bytes, piece: bytes, seconds: float = 0.05) -> Speak:
    """Sends a piece now and then, for ten seconds, unless the other side has enough."""

    def speak(connection: socket.socket) -> None:
        connection.sendall(before)
        for _ in range(200):
            connection.sendall(piece)
            time.sleep(seconds)

    return speak


@pytest.mark.parametrize(
    "speak",
    [
        pytest.param(drip(b"", b"H"), id="a status line that does not end"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"), id="headers that do not end"),
        pytest.param(drip(b"HTTP/1.1 200 OK\r\n\r\n", b"a"), id="a body without a length"),
        pytest.param(
            drip(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", b"a"), id="a slow body"
        ),
        pytest.param(
            drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
            id="slow chunks",
        ),
        pytest.param(lambda connection: time.sleep(1.2), id="silence"),
    ],
)
def test_who_is_slow_is_left(serves: Serves, speak: Speak) -> None:
    origin = serves(speak)

    def fetch() -> None:
        with pytest.raises(ContentUnavailable):
            inside(origin, seconds=0.4).fetch(f"http://cdn.example:{origin.port}/up/a")

    within(2.5, fetch, time.monotonic)


def test_a_resolver_that_hangs_is_left(serves: Serves) -> None:
    origin, ended = serves(OK), threading.Event()

    def hang(_: str, __: int) -> list[str]:
        ended.wait(30)
        return HERE

    place = f"http://cdn.example:{origin.port}/up/"
    hanging = Sources([Source.parse(f"private+{place}")], resolver=hang, seconds=0.3)

    def fetch() -> None:
        with pytest.raises(ContentUnavailable, match="in time"):
            hanging.fetch(f"{place}a")

    try:
        within(2.5, fetch, time.monotonic)
    finally:
        ended.set()
    assert origin.heads == []


def test_resolving_is_part_of_the_time(serves: Serves) -> None:
    origin = serves(lambda _: time.sleep(1.2))

    def slow(_: str, __: int) -> list[str]:
        time.sleep(0.5)
        return HERE

    place = f"http://cdn.example:{origin.port}/up/"
    sources_ = Sources([Source.parse(f"private+{place}")], resolver=slow, seconds=0.6)

    def fetch() -> None:
        with pytest.raises(ContentUnavailable, match="in time"):
            sources_.fetch(f"{place}a")

    within(1.0, fetch, time.monotonic)


def endless(before: bytes, piece: bytes) -> Speak:
    def speak(connection: socket.socket) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(piece)

    return speak


@pytest.mark.parametrize(
    "speak",
    [
        endless(b"HTTP/1.1 200 OK\r\n\r\n", b"a" * 65536),
        endless(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n" + b"a" * 65536 + b"\r\n",
        ),
        endless(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffff\r\n", b"a" * 65536
        ),
        endless(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", b"a" * 65536),
    ],
)
def test_a_body_without_an_end_is_cut_off(serves: Serves, speak: Speak) -> None:
    origin = serves(speak)
    taken = 0

    def sink(piece: bytes) -> None:
        nonlocal taken
        taken += len(piece)

    with pytest.raises(TooManyBytes, match="100,000"):
        inside(origin).stream(f"http://cdn.example:{origin.port}/up/a", sink, most=100_000)
    assert taken <= 100_000


def test_what_just_fits_is_taken(serves: Serves) -> None:
    origin = serves(answer(b"a" * 100_000))
    found = inside(origin).fetch(f"http://cdn.example:{origin.port}/up/a", most=100_000)
    assert len(found.data) == 100_000


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "deflate, gzip", "zstd"])
def test_what_would_inflate_is_refused(serves: Serves, encoding: str) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    origin = serves(answer(bomb, f"Content-Encoding: {encoding}"))
    with pytest.raises(ContentUnavailable, match="encoded"):
        inside(origin).fetch(f"http://cdn.example:{origin.port}/up/a", most=20_000_000)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\r\n\r\n",
        b"\0" * 100_000,
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        answer(b"cut", "Content-Length: 99"),
        answer(b"3\r\nabc\r\nzz\r\n", "Transfer-Encoding: chunked"),
        answer(b"3\r\nabc\r\n", "Transfer-Encoding: chunked"),
        answer(b"-5\r\nabc\r\n", "Transfer-Encoding: chunked"),
        answer(b"", status="404 Not Found"),
        answer(b"part", status="206 Partial Content"),
        answer(b"", status="500 Broken"),
        answer(b"", status="304 Not Modified"),
    ],
)
def test_what_did_not_come_whole_is_not_taken(serves: Serves, said: bytes) -> None:
    origin = serves(said)
    with pytest.raises(ContentUnavailable) as error:
        inside(origin).fetch(f"http://cdn.example:{origin.port}/up/secret-path")
    assert "secret" not in str(error.value)


def test_a_source_that_is_away_is_told(serves: Serves) -> None:
    origin = serves(OK)
    origin.close()
    with pytest.raises(ContentUnavailable, match="ConnectionRefused"):
        inside(origin).fetch(f"http://cdn.example:{origin.port}/up/a")


def test_what_the_sink_raises_goes_through(serves: Serves) -> None:
    origin = serves(OK)

    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        inside(origin).stream(f"http://cdn.example:{origin.port}/up/a", full)


# ── encryption ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Origin:
    """A server of `cdn.example` under TLS, whose certificate the system trusts."""
    chain = tmp_path / "certificate.pem"
    self_signed(chain, "cdn.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    outgoing._trust.cache_clear()

    class Encrypted(Origin):
        def _answer(self, connection: socket.socket) -> None:
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as within:
                super()._answer(within)

    return Encrypted(lambda connection: connection.sendall(OK))


def test_certificates_are_of_the_name_that_was_asked(encrypted: Origin) -> None:
    port = encrypted.port
    found = sources(
        f"private+https://cdn.example:{port}/", f"private+https://other.example:{port}/"
    )
    try:
        assert found.fetch(f"https://cdn.example:{port}/a").data == b"picture"
        with pytest.raises(ContentUnavailable, match="SSLCertVerificationError"):
            found.fetch(f"https://other.example:{port}/a")
    finally:
        encrypted.close()
        outgoing._trust.cache_clear()
    assert len(encrypted.heads) == 1
