"""Clients that mean harm, against `egide serve`: each is answered or cut off, and others go on.

The limits of time are shortened, so that they are waited for; all else is the server as it is.
"""

from __future__ import annotations

import gzip
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from typing import Any

import httpx2 as httpx
import pytest

from egide.bank import Home
from egide.identity import Identity
from egide.web.bodies import MOST_FORM
from egide.web.protocol import MOST_HEAD
from tests.integration.test_serve import Server

pytestmark = pytest.mark.slow

SHORTENED = """
import sys
from egide.identity import audit
from egide.web import bodies, protocol
audit.FLUSH_SECONDS = 0.05
protocol.HEAD_SECONDS = protocol.LINGER_SECONDS = protocol.CLOSE_SECONDS = 0.7
protocol.READ_SECONDS = bodies.CHUNK_SECONDS = bodies.FORM_SECONDS = 0.9
bodies.LINGER_SECONDS = 0.3
protocol.most_idle = lambda: 50
from egide.cli import main
sys.argv[0] = "egide"
main()
"""
SLOW = 0.7
"""Seconds within which nobody is cut off, by the limits above."""
IN_TIME = 15.0
"""Seconds in which everything here must be over."""
SOON = 6.0
"""Seconds that nothing here takes, on a machine that is busy with other things too."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = Home(tmp_path_factory.mktemp("hostile") / "home")
    with Identity(home.database, home.path) as identity:
        key = identity.keys.create("uploads", ["scan:write", "key:write", "audit:read"])
    serving = Server(home, key, command=[sys.executable, "-c", SHORTENED])
    serving.wait()
    yield serving
    serving.client.close()
    assert serving.end() == 0
    home.close()


@pytest.fixture(scope="module")
def asker(server: Server) -> Iterator[httpx.Client]:
    headers = dict(server.client.headers)
    with httpx.Client(base_url=server.client.base_url, headers=headers, trust_env=False) as client:
        yield client


@pytest.fixture(autouse=True)
def others(asker: httpx.Client) -> Iterator[None]:
    """Somebody else asks all the while, and is answered each time, soon.

    On a busy machine they may themselves be slower than the shortened limits. Cut off for that, and
    never sooner, they ask again, and their time goes on.
    """
    stop, answered = threading.Event(), set[int]()
    seconds: list[float] = []
    failed: list[Exception] = []

    def ask() -> int | None:
        """The status of an answer; None when they were too slow to get one."""
        began = time.monotonic()
        try:
            status = asker.post("/v1/scan", json={"kind": "text", "text": "a bridge"}).status_code
        except httpx.TransportError:
            if time.monotonic() - began < SLOW:
                raise
            return None
        return None if status == 408 and time.monotonic() - began >= SLOW else status

    def ask_on() -> None:
        try:
            while not seconds or not stop.wait(0.02):
                began = time.monotonic()
                while (status := ask()) is None:
                    assert time.monotonic() - began < SOON
                answered.add(status)
                seconds.append(time.monotonic() - began)
        except Exception as error:  # noqa: BLE001  told below: a thread's own is not
            failed.append(error)

    asking = threading.Thread(target=ask_on)
    asking.start()
    yield
    stop.set()
    asking.join()
    assert failed == []
    assert answered == {200}
    assert max(seconds) < SOON


def connect(server: Server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), IN_TIME)
    connection.settimeout(IN_TIME)
    return connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until it is closed; TimeoutError when it is not."""
    ends, got = time.monotonic() + IN_TIME, b""
    with suppress(ConnectionError):
        while piece := connection.recv(1 << 16):
            assert time.monotonic() < ends
            got += piece
    return got


def said(server: Server, *pieces: bytes, pause: float = 0.0) -> bytes:
    """What comes back until the connection is closed, for these bytes."""
    with closing(connect(server)) as connection:
        with suppress(ConnectionError):
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        return rest(connection)


def head(method: str, path: str, *headers: str, server: Server | None = None) -> bytes:
    """The head of a request, with the key when `server` is given."""
    lines = [f"{method} {path} HTTP/1.1", "Host: egide.example", *headers]
    if server is not None:
        lines.append(f"Authorization: {server.client.headers['Authorization']}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def status(answer: bytes) -> int:
    """That of the first answer; 0 when there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def statuses(answer: bytes) -> list[int]:
    """Those of all answers, of which none has such words in its body."""
    return [int(each.split(b" ", 1)[0]) for each in answer.split(b"HTTP/1.1 ")[1:]]


CLOSE = "Connection: close"
BOMB = gzip.compress(b'{"kind": "text", "text": "' + bytes(50_000_000), compresslevel=1)

# ── slow ────────────────────────────────────────────────────────────────────────────────────────


def dripped(server: Server, before: bytes, piece: bytes) -> tuple[bytes, float]:
    """What comes back for a piece now and then, and after how long; for as long as it may."""
    began = time.monotonic()
    with closing(connect(server)) as connection:
        connection.sendall(before)
        connection.settimeout(0.1)
        got = b""
        while time.monotonic() - began < IN_TIME:
            try:
                connection.sendall(piece)
                more = connection.recv(1 << 16)
                got += more
            except TimeoutError:
                continue
            except ConnectionError:
                break
            if not more:
                break
        return got, time.monotonic() - began


@pytest.mark.parametrize(
    ("before", "piece", "answered"),
    [
        pytest.param(b"", b"", 0, id="nothing at all"),
        pytest.param(b"", b"\r\n", 0, id="empty lines"),
        pytest.param(b"G", b"", 408, id="one byte"),
        pytest.param(b"GET /livez HTTP/1.1\r\nHost: a\r\n", b"A: b\r\n", 408, id="headers"),
        pytest.param(b"GET /livez HTTP/1.1\r\nHost: a\r\nA: ", b"b", 408, id="a header"),
        pytest.param(b"GET /", b"a", 408, id="an address"),
        pytest.param(head("GET", "/livez") + b"G", b"E", 200, id="the second head"),
        pytest.param(head("GET", "/livez"), b"\r\n", 200, id="empty lines after an answer"),
    ],
)
def test_a_slow_head_is_not_waited_for(
    server: Server, before: bytes, piece: bytes, answered: int
) -> None:
    answer, seconds = dripped(server, before, piece)
    assert status(answer) == answered
    assert seconds < SOON


@pytest.mark.parametrize(
    ("path", "type_", "piece"),
    [
        ("/v1/scan", "application/json", b""),
        ("/v1/scan", "multipart/form-data; boundary=x", b""),
        ("/v1/match", "application/json", b""),
        ("/signin", "application/x-www-form-urlencoded", b""),
        ("/signin", "application/x-www-form-urlencoded", b"a"),
        ("/v1/keys", "application/json", b" "),
    ],
)
def test_a_slow_body_is_not_waited_for(server: Server, path: str, type_: str, piece: bytes) -> None:
    """Of an upload each piece has its time, of a form all have it together."""
    before = head(
        "POST",
        path,
        "Content-Length: 5000",
        f"Content-Type: {type_}",
        "Origin: http://egide.example",
        server=server,
    )
    answer, seconds = dripped(server, before, piece)
    assert status(answer) == 408
    assert seconds < SOON


def test_a_body_that_nobody_asked_for_is_not_waited_for(server: Server) -> None:
    before = head("POST", "/v1/scan", "Content-Length: 100000000", "Content-Type: text/plain")
    answer, seconds = dripped(server, before, b"a" * 1000)
    assert (status(answer), seconds < SOON) == (401, True)


def test_after_a_refused_body_the_connection_is_not_used_again(server: Server) -> None:
    body = b"a" * 1000
    refused = head("POST", "/v1/scan", f"Content-Length: {len(body)}", "Content-Type: text/plain")
    answer = said(server, refused, body, head("GET", "/livez"), pause=0.2)
    assert statuses(answer) == [401]
    assert b"\r\nconnection: close\r\n" in answer


def test_after_a_refusal_of_all_that_was_sent_the_connection_is_used_again(server: Server) -> None:
    body = b"a" * 1000
    refused = head("POST", "/v1/scan", f"Content-Length: {len(body)}", "Content-Type: text/plain")
    answer = said(server, refused + body, head("GET", "/livez"), pause=0.2)
    assert statuses(answer) == [401, 200]
    assert b"connection: close" not in answer


# ── half closed, unread ─────────────────────────────────────────────────────────────────────────


def test_who_has_said_all_is_answered(server: Server) -> None:
    body = b'{"kind": "text", "text": "a bridge"}'
    asked = head(
        "POST",
        "/v1/scan",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        server=server,
    )
    with closing(connect(server)) as connection:
        connection.sendall(asked + body)
        connection.shutdown(socket.SHUT_WR)
        answer = rest(connection)
    assert status(answer) == 200
    assert answer.endswith(b"}")


@pytest.mark.parametrize("path", ["/v1/scan", "/signin"])
def test_who_stops_in_the_middle_is_closed(server: Server, path: str) -> None:
    asked = head("POST", path, "Content-Length: 99", "Content-Type: application/json")
    for sent in (b"", b"GET", head("GET", "/livez")[:-2], asked, asked + b"{"):
        with closing(connect(server)) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            assert status(rest(connection)) in (0, 401, 403)


def sends_on(connection: socket.socket, piece: bytes) -> None:
    """Goes on sending, and reads nothing, for as long as it may."""
    for _ in range(round(IN_TIME / 0.05)):
        connection.sendall(piece)
        time.sleep(0.05)


def test_who_reads_nothing_is_cut_off(server: Server) -> None:
    asked = head("GET", "/openapi.json") * 60
    with closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        connection.settimeout(IN_TIME)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(asked)
        with pytest.raises(ConnectionError):
            sends_on(connection, b"\r\n")


def test_who_asks_without_waiting_for_answers_is_cut_off(server: Server) -> None:
    asked = head("GET", "/openapi.json") * 1000
    with closing(connect(server)) as connection, pytest.raises(ConnectionError):
        sends_on(connection, asked)


# ── too much ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        pytest.param(b"GET /" + b"a" * (4 * MOST_HEAD), 431, id="an address"),
        pytest.param(b"GET / HTTP/1.1\r\nA: " + b"a" * (4 * MOST_HEAD), 431, id="a header"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a" * (4 * MOST_HEAD), 431, id="a header's name"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * MOST_HEAD, 431, id="headers"),
        pytest.param(b"\r\n" * 2 * MOST_HEAD, 400, id="empty lines"),
    ],
)
def test_a_head_has_an_end(server: Server, sent: bytes, answered: int) -> None:
    assert status(said(server, sent)) in (answered, 0)


def chunked(path: str, server: Server) -> bytes:
    return head(
        "POST",
        path,
        "Transfer-Encoding: chunked",
        "Content-Type: application/json",
        CLOSE,
        server=server,
    )


@pytest.mark.parametrize(
    ("piece", "answered"),
    [
        pytest.param(b"10000\r\n" + b"a" * 65536 + b"\r\n", 413, id="chunks without an end"),
        pytest.param(b"1;" + b"a" * 65536, 400, id="what a chunk says of itself"),
        pytest.param(b"f" * 100, 400, id="a length without an end"),
        pytest.param(b"ffffffffffffffff\r\n" + b"a" * 65536, 413, id="a length out of range"),
        pytest.param(b"-1\r\n" + b"a" * 65536, 400, id="a negative length"),
        pytest.param(b"0\r\nA: " + b"a" * 65536, 400, id="a trailer"),
        pytest.param(b"0\r\n" + b"A: b\r\n" * 12000, 400, id="trailers"),
    ],
)
def test_chunks_have_an_end(server: Server, piece: bytes, answered: int) -> None:
    answer = said(server, chunked("/v1/scan", server), *[piece] * 200)
    assert status(answer) in (answered, 0)


def test_chunks_of_one_byte_hold_up_nobody(server: Server) -> None:
    answer = said(server, chunked("/v1/scan", server), *[b"1\r\n1\r\n" * 10_000] * 20, b"0\r\n\r\n")
    assert status(answer) == 422


FIELD = b'--x\r\nContent-Disposition: form-data; name="content_id"\r\n\r\na\r\n'
PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'


@pytest.mark.parametrize(
    ("pieces", "answered"),
    [
        pytest.param([b"--x\r\nA: ", *[b"a" * 65536] * 200], 400, id="a header"),
        pytest.param([b"--x\r\n", *[b"A: b\r\n" * 10_000] * 100], 400, id="headers"),
        pytest.param([PART + b"\r\n\r\n"] * 2 + [b"--x--"], 422, id="two files"),
        pytest.param([FIELD * 400], 413, id="parts"),
        pytest.param([PART, b"\r\nabc"], 400, id="no end"),
        pytest.param([b"a" * 65536] * 100, 400, id="no beginning"),
        pytest.param([b"--x--"], 422, id="nothing"),
    ],
)
def test_forms_have_an_end(server: Server, pieces: list[bytes], answered: int) -> None:
    asked = head(
        "POST",
        "/v1/scan",
        "Transfer-Encoding: chunked",
        "Content-Type: multipart/form-data; boundary=x",
        CLOSE,
        server=server,
    )
    sent = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    assert status(said(server, asked, *sent, b"0\r\n\r\n")) in (answered, 0)


def test_trailers_are_no_headers(server: Server) -> None:
    key = str(server.client.headers["Authorization"]).encode()
    body = b'{"kind": "text", "text": "a"}'
    sent = head("POST", "/v1/scan", "Transfer-Encoding: chunked", "Content-Type: application/json")
    answer = said(
        server,
        sent + b"%x\r\n%s\r\n" % (len(body), body),
        b"0\r\nAuthorization: " + key + b"\r\n\r\n",
        pause=0.1,
    )
    assert status(answer) == 401


@pytest.mark.parametrize("path", ["/signin", "/v1/keys", "/v1/scan", "/v1/match"])
@pytest.mark.parametrize(
    "length", [f"Content-Length: {1 << 33}", "Transfer-Encoding: chunked"], ids=["long", "chunked"]
)
def test_a_body_without_an_end_is_not_taken(server: Server, path: str, length: str) -> None:
    """By strangers, too: forms are read by libraries that have no limit."""
    type_ = "application/x-www-form-urlencoded" if path == "/signin" else "application/json"
    asked = head(
        "POST", path, length, f"Content-Type: {type_}", "Origin: http://egide.example", CLOSE
    )
    piece = b"a" * 65536
    if "chunked" in length:
        piece = b"10000\r\n" + piece + b"\r\n"
    answer = said(server, asked, *[piece] * (4 * MOST_FORM // 65536))
    assert status(answer) in (401, 413)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity"])
@pytest.mark.parametrize("path", ["/v1/scan", "/v1/scan/batch", "/v1/match"])
def test_what_would_inflate_is_refused(server: Server, path: str, encoding: str) -> None:
    answer = server.client.post(
        path,
        content=BOMB,
        headers={"Content-Encoding": encoding, "Content-Type": "application/json"},
    )
    assert answer.status_code == 415
    assert "Content-Encoding" in answer.json()["detail"]


def test_many_who_ask_nothing_make_room(server: Server) -> None:
    with ExitStack() as held:
        idle = [held.enter_context(closing(connect(server))) for _ in range(300)]
        kept = held.enter_context(closing(connect(server)))
        kept.sendall(head("GET", "/livez", CLOSE))
        assert status(rest(kept)) == 200
        assert idle[0].recv(1) == b""  # it made room
        assert rest(idle[-1]) == b""  # it had its time


# ── smuggled, injected ──────────────────────────────────────────────────────────────────────────

NEXT = head("GET", "/v1/whoami", CLOSE)
BODY = b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        head("POST", "/signin", "Content-Length: 5", "Transfer-Encoding: chunked") + BODY,
        head("POST", "/signin", "Transfer-Encoding: chunked", "Content-Length: 5") + BODY,
        head("POST", "/signin", "Content-Length: 5", "Content-Length: 6") + b"hello",
        head("POST", "/signin", "Content-Length: 5, 6") + b"hello",
        head("POST", "/signin", "Content-Length: +5") + b"hello",
        head("POST", "/signin", "Content-Length: 0x5") + b"hello",
        head("POST", "/signin", "Content-Length: 5 5") + b"hello",
        head("POST", "/signin", "Content-Length: -1") + b"hello",
        head("POST", "/signin", "Content-Length: 99999999999999999999999") + b"hello",
        head("POST", "/signin", "Transfer-Encoding: xchunked") + BODY,
        head("POST", "/signin", "Transfer-Encoding: chunked, identity") + BODY,
        head("POST", "/signin", "Transfer-Encoding : chunked") + BODY,
        head("POST", "/signin", "Transfer-Encoding: chunked", "X: a\nContent-Length: 5") + BODY,
        head("POST", "/signin", "Transfer-Encoding:\x0bchunked") + BODY,
        head("POST", "/signin", "X: a\rb") + b"hello",
        head("POST", "/signin", "X: a\0b") + b"hello",
        head("POST", "/signin", "Content-Length: 5").replace(b"\r\n", b"\n") + b"hello",
        b"GET /livez\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        head("GET", "/livez", "Host: evil.example"),
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"GET /li vez HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET\t/livez HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: a\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(100),
        b"SSH-2.0-OpenSSH_9.0\r\n",
        bytes(1000),
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_refused(server: Server, sent: bytes) -> None:
    answer = said(server, sent + NEXT)
    assert statuses(answer)[:1] in ([400], [])
    assert b"whoami" not in answer
    assert len(statuses(answer)) <= 1
    if answer:
        told = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert (told["status"], b"application/problem+json" in answer) == (400, True)


@pytest.mark.parametrize("upgrade", ["websocket", "h2c", "TLS/1.0"])
def test_an_upgrade_is_not_made(server: Server, upgrade: str) -> None:
    asked = head("GET", "/livez", "Connection: Upgrade", f"Upgrade: {upgrade}")
    assert statuses(said(server, asked + NEXT)) == [200]
    asked = head(
        "POST", "/v1/scan", "Connection: Upgrade", f"Upgrade: {upgrade}", "Content-Length: 5"
    )
    assert statuses(said(server, asked + b"hello" + NEXT)) == [401]


def test_requests_in_a_row_are_answered_in_their_order(server: Server) -> None:
    asked = head("GET", "/livez") + head("GET", "/nowhere") + head("GET", "/livez", CLOSE)
    assert statuses(said(server, asked)) == [200, 404, 200]


@pytest.mark.parametrize(
    ("method", "path", "answered"),
    [
        ("GET", "/static/reference/../../../../../../etc/passwd", 404),
        ("GET", "/static/reference/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", 404),
        ("GET", "/static/reference/%2e%2e/%2e%2e/app.py", 404),
        ("GET", "/static/reference/..%5c..%5capp.py", 404),
        ("GET", "/static/reference//etc/passwd", 404),
        ("GET", "/static/reference/%00", 404),
        ("GET", "/static/reference/a%0d%0aX-Injected:%201", 404),
        ("GET", "/static/identity/../../app.py", 404),
        ("GET", "//evil.example/", 404),
        ("GET", "/v1/verdicts/%00", 401),
        ("GET", "/v1/banks/..%2f..%2fsecret.key", 404),
        ("GET", "/%0d%0aSet-Cookie:%20a=b", 404),
        ("GET", "/signin?next=%0d%0aX-Injected:%201", 200),
        ("GET", "/" + "%ff" * 1000, 404),
        ("GET", "/" + "a/" * 10_000, 404),
        ("GET", "http://evil.example/livez", 200),
        ("TRACE", "/livez", 403),
        ("CONNECT", "evil.example:443", 400),
        ("OPTIONS", "*", 404),
        ("PROPFIND", "/livez", 403),
    ],
)
def test_paths_lead_nowhere_else(server: Server, method: str, path: str, answered: int) -> None:
    answer = said(server, head(method, path, CLOSE))
    told, _, body = answer.partition(b"\r\n\r\n")
    assert status(answer) == answered
    assert b"x-injected" not in told.lower()
    assert b"root:" not in body
    assert b"import" not in body


@pytest.mark.parametrize(
    "header",
    [
        "X-Request-Id: a\tb injected=1",
        'X-Request-Id: {"event": "forged"}',
        "X-Request-Id: " + "a" * 60_000,
        "Authorization: Bearer " + "a" * 60_000,
        "Authorization: Bearer egide_\xff\xfe",
        "Cookie: egide=" + "a" * 60_000,
        "Cookie: __Host-egide=\xff; __Host-egide=a",
        "Idempotency-Key: \xff",
        "X-Forwarded-For: " + "1, " * 10_000,
        "X-Forwarded-Proto: javascript",
        "Content-Type: " + "a" * 60_000,
        "X-Forwarded-Host: evil.example",
        "Origin: null",
        "Range: bytes=0-1,1-2,2-3",
        "Range: bytes=" + "0-0," * 12_000 + "1-2",
        "If-Modified-Since: \xff",
        "Accept-Language: " + "a," * 20_000,
    ],
)
def test_headers_lead_to_no_fault(server: Server, header: str) -> None:
    for path in ("/livez", "/signin", "/v1/whoami", "/docs", "/static/reference/reference.css"):
        answer = said(server, head("GET", path, header, CLOSE))
        assert status(answer) in (200, 206, 401), path


# ── proxies ─────────────────────────────────────────────────────────────────────────────────────

PROXY, STRANGER = "127.0.0.1", "127.0.0.5"
"""Whom the server trusts by default, and somebody else."""


def asked_from(server: Server, source: str, path: str, *headers: str) -> bytes:
    with closing(socket.create_connection(("127.0.0.1", server.port), IN_TIME, (source, 0))) as one:
        one.sendall(head("GET", path, CLOSE, *headers))
        return rest(one)


def origin(server: Server, source: str, *headers: str) -> str:
    """What the audit log has as the origin of a request from `source`."""

    def newest() -> dict[str, Any]:
        rows = server.client.get("/v1/audit?actor=nobody&limit=1").json()["rows"]
        found: dict[str, Any] = rows[0] if rows else {"seq": 0}
        return found

    before, ends = newest()["seq"], time.monotonic() + IN_TIME
    asked_from(server, source, "/v1/whoami", *headers)
    while (row := newest())["seq"] == before:
        assert time.monotonic() < ends
        time.sleep(0.05)
    assert row["action"] == "GET /v1/whoami"
    told: str = row["origin"]
    return told


def test_whom_a_proxy_names_is_believed_of_proxies_alone(server: Server) -> None:
    proxy, stranger = origin(server, PROXY), origin(server, STRANGER)
    for forged in ("127.0.0.1", "203.0.113.9", "127.0.0.1, 127.0.0.1", "unknown", ""):
        assert origin(server, STRANGER, f"X-Forwarded-For: {forged}") == stranger
    client = origin(server, PROXY, "X-Forwarded-For: 203.0.113.9")
    assert len({proxy, stranger, client}) == 3
    # What the client made up stands before what the proxy added.
    assert origin(server, PROXY, "X-Forwarded-For: 127.0.0.1, 203.0.113.9") == client
    assert origin(server, PROXY, "X-Forwarded-For: 1.2.3.4, 5.6.7.8, 203.0.113.9") == client


def test_a_forged_proxy_opens_nothing(server: Server) -> None:
    for forged in (
        "X-Forwarded-For: 127.0.0.1",
        "Forwarded: for=127.0.0.1",
        "X-Real-IP: 127.0.0.1",
    ):
        for source in (STRANGER, PROXY):
            assert status(asked_from(server, source, "/metrics", forged)) == 401
    assert status(asked_from(server, PROXY, "/metrics")) == 200
    secure = b"strict-transport-security"
    proto = "X-Forwarded-Proto: https"
    assert secure not in asked_from(server, STRANGER, "/signin", proto).lower()
    assert secure in asked_from(server, PROXY, "/signin", proto).lower()


def test_nothing_that_was_sent_stands_in_the_log(server: Server) -> None:
    told = "forged-4f9c"
    said(server, head("GET", f"/{told}%0a{told}", f"X-Request-Id: {told}\x85", CLOSE))
    said(server, head(told.upper()[:6], "/livez", f"User-Agent: {told}", CLOSE))
    said(server, f"{told} / HTTP/1.1\r\n\r\n".encode())
    answer = said(
        server, head("POST", f"/v1/scan?{told}", f"Referer: {told}", "Content-Length: 0", CLOSE)
    )
    lines = server.log.read_text(encoding="utf-8").splitlines()

    assert status(answer) == 401
    assert told not in "\n".join(lines)
    assert all(json.loads(line)["level"] for line in lines if line.startswith("{"))
    assert not [line for line in lines if "Traceback" in line]
    assert not [line for line in lines if '"status": 500' in line or "request.failed" in line]
