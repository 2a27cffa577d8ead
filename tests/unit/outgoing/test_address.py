"""Nothing is sent to where it should not go, however the address is written or resolved."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.errors import AddressRefused, UsageError
from egide.outbox import webhook_guard
from egide.outgoing import Address, AddressGuard, address

PRIVATE = [
    "127.0.0.1",
    "127.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "2001:db8::1",
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
]
PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Has names resolve to the next of `answers` each time; the names that were asked for."""
    asked: list[str] = []
    left = list(answers)

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(0, socket.SOCK_STREAM, 6, "", (each, port)) for each in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/x",
        "//hooks.example/x",
        "ftp://hooks.example/x",
        "file:///etc/passwd",
        "gopher://hooks.example/",
        "https://",
        "https:///x",
        "https://user@hooks.example/",
        "https://user:word@hooks.example/",
        "https://hooks.example@127.0.0.1/",
        "https://hooks.example/#part",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://hooks.example:x/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1.1/",
        "https://1.2.3.0x4/",
        "https://hooks.example\\@127.0.0.1/",
        "https://hooks.example/\r\nX-Injected: 1",
        "https://hooks.example/\tx",
        "https://hooks.example /",
        "https://exam ple/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://[v1.x]/",
        "https://münchen.example/",
        "https://ⓛocalhost/",
        "https://-hooks.example/",
        "https://hooks..example/",
        "https://hooks.example/a/../b",
        "https://hooks.example/a/%2e%2E/b",
        "https://hooks.example/a%2f..%2fb",
        "https://hooks.example/a%5c..%5cb",
        "https://hooks.example/a/%252e%252e/b",
        "https://hooks.example/a/..;x=1/b",
        "https://hooks.example/a/..%20/b",
        "https://hooks.example/" + "a" * 2000,
    ],
)
def test_what_is_written_in_an_unusual_way_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        Address.parse(url)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://hooks.example", Address("https", "hooks.example", 443, "/")),
        ("HTTPS://Hooks.Example./a?b=c", Address("https", "hooks.example", 443, "/a?b=c")),
        ("http://hooks.example:8080/a/", Address("http", "hooks.example", 8080, "/a/")),
        ("https://[2606:2800::1]:8443/", Address("https", "2606:2800::1", 8443, "/")),
        ("https://[0:0:0:0:0:0:0:1]/", Address("https", "::1", 443, "/")),
        ("https://xn--mnchen-3ya.example/", Address("https", "xn--mnchen-3ya.example", 443, "/")),
    ],
)
def test_what_is_written_as_usual_is_taken(url: str, address: Address) -> None:
    assert Address.parse(url) == address
    assert Address.parse(address.url) == address


def test_the_path_is_not_shown() -> None:
    address = Address.parse("https://hooks.example:8443/services/T0/secret?key=secret")
    assert address.shown == "https://hooks.example:8443"


@pytest.mark.parametrize("numeric", PRIVATE)
def test_names_that_lead_inside_are_refused(numeric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, [PUBLIC[0], numeric])
    with pytest.raises(AddressRefused, match="not public"):
        AddressGuard().resolve(Address.parse("https://hooks.example/"))


@pytest.mark.parametrize("numeric", [each for each in PRIVATE if "%" not in each])
def test_numbers_that_lead_inside_are_refused_before_anything_is_asked(
    numeric: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolving(monkeypatch)
    host = f"[{numeric}]" if ":" in numeric else numeric
    with pytest.raises(AddressRefused, match="not public"):
        AddressGuard().check(Address.parse(f"https://{host}/"))
    assert not asked


def test_what_is_public_is_resolved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, PUBLIC, ["127.0.0.1"])
    assert AddressGuard().resolve(Address.parse("https://hooks.example/")) == PUBLIC
    assert asked == ["hooks.example"]


def test_without_encryption_nothing_is_sent() -> None:
    with pytest.raises(AddressRefused, match="not encrypted"):
        AddressGuard().check(Address.parse("http://hooks.example/"))


def test_places_that_are_allowed_may_be_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_WEBHOOK_ALLOW", "http://127.0.0.1:9000/hooks https://inside.example/")
    guard = webhook_guard()
    resolving(monkeypatch, ["127.0.0.1"], ["10.0.0.7"])
    assert guard.resolve(Address.parse("http://127.0.0.1:9000/hooks/a")) == ["127.0.0.1"]
    assert guard.resolve(Address.parse("https://inside.example/")) == ["10.0.0.7"]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9001/hooks/a",
        "https://127.0.0.1:9000/hooks/a",
        "http://127.0.0.1:9000/",
        "http://127.0.0.1:9000/hooks-too/a",
        "http://127.0.0.2:9000/hooks/a",
    ],
)
def test_what_is_beside_an_allowed_place_is_not_allowed(url: str) -> None:
    guard = AddressGuard((Address.parse("http://127.0.0.1:9000/hooks"),))
    with pytest.raises(AddressRefused):
        guard.check(Address.parse(url))


def test_a_place_that_is_none_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_WEBHOOK_ALLOW", "inside.example")
    with pytest.raises(UsageError, match="EGIDE_WEBHOOK_ALLOW"):
        webhook_guard()


@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_is_written_is_taken_or_refused(host: str, path: str) -> None:
    try:
        address = Address.parse(f"https://{host}/{path}")
    except AddressRefused:
        return
    assert Address.parse(address.url) == address
    assert not set(address.url) & set("\r\n\t @#\\")


def test_resolvers_that_hang_take_no_more_than_so_many_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(address, "_RESOLVING", threading.BoundedSemaphore(2))
    ended = threading.Event()
    asked: list[str] = []

    def hang(host: str, _: int) -> list[str]:
        asked.append(host)
        ended.wait(30)
        return PUBLIC

    guard = AddressGuard(resolver=hang)
    for _ in range(4):
        with pytest.raises(TimeoutError):
            guard.resolve(Address.parse("https://hooks.example/"), seconds=0.02)
    assert len(asked) == 2
    ended.set()
    assert guard.resolve(Address.parse("https://hooks.example/"), seconds=5) == PUBLIC


def test_a_thread_that_cannot_be_had_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_RESOLVING", threading.BoundedSemaphore(1))
    guard, place = AddressGuard(resolver=lambda *_: PUBLIC), Address.parse("https://hooks.example/")

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        for _ in range(2):
            with pytest.raises(OSError, match="can't start new thread"):
                guard.resolve(place, seconds=0.02)
    assert guard.resolve(place, seconds=5) == PUBLIC
