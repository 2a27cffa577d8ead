"""`egide serve` under load, beside HMA on the same machine, the same hashes and the same uploads.

HMA is no package: put a checkout of its repository, facebook/threatexchange, into `hma/src` of the
cache, and an environment with what its `pyproject.toml` wants and gunicorn into `hma` itself.
Without them égide is measured alone.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TYPE_CHECKING, Final

from benchmarks import servers
from benchmarks.load import Load, drive, form, post
from benchmarks.peers import to_jpeg
from benchmarks.pictures import pictures
from benchmarks.results import Goal, Part, Settings, Table, times
from benchmarks.text.records import ordinary
from egide.fingerprint import FingerprintType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egide.bank import Bank, Home

WIDTH, HEIGHT, QUALITY = 1536, 1152, 80
CONNECTIONS: Final = 8
BATCH: Final = 50
"""Texts in a request, where several are sent at once."""
JPEG: Final = "image/jpeg"
JSON: Final = "application/json"


@dataclass(frozen=True)
class Measured:
    """What one server came to: loads by name, and its memory in bytes after so many requests."""

    loads: dict[str, Load]
    memory: list[tuple[int, int]]


def run(settings: Settings) -> Part:
    """Starts both, one after the other, and puts them under the same load."""
    entries = settings.few(50_000, 1_000_000)
    files = [
        to_jpeg(image, QUALITY)
        for image in pictures(settings, settings.few(20, 100), WIDTH, HEIGHT)
    ]
    own = _egide(settings, entries, files)
    peer = _hma(settings, entries, files)
    size = sum(map(len, files)) / len(files) / 1e3
    return Part(
        "The service under load",
        f"{len(files)} photographs of {WIDTH}×{HEIGHT} pixels ({size:.0f} kB in the mean) and "
        f"ordinary short texts, over {CONNECTIONS} connections of which each sends the next "
        f"request when the last was answered; {entries:,} realistic PDQ hashes; PostgreSQL with "
        "fsync on the same machine; the load comes from the same cores, all of them. égide: `egide "
        "serve --processes 2`, every verdict recorded on the disk before it is said, uploads read "
        "in confined processes. HMA: `POST /m/lookup` under gunicorn with two processes, its index "
        "built before; it keeps no record and confines nothing.",
        _goals(own, peer),
        _tables(own, peer),
    )


def _egide(settings: Settings, entries: int, files: Sequence[bytes]) -> Measured:
    seconds = settings.few(5, 20)
    with servers.postgresql() as server, servers.folder(settings) as folder:
        home, bank = servers.filled(settings, entries, server, folder)
        key = _key(home)
        flags = ("--processes", "2")
        screen = [_upload("/v1/scan", "file", data, key) for data in files]
        texts = [_text(record.text) for record in ordinary("en", 2_000)]
        words = [post("/v1/scan", "localhost", JSON, _encoded(text), key) for text in texts]
        batches = [
            post("/v1/scan/batch", "localhost", JSON, _encoded({"items": some}), key)
            for some in (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))
        ]
        loads: dict[str, Load] = {}
        memory: list[tuple[int, int]] = []
        with servers.egide(folder, flags, EGIDE_SANDBOX_WORKERS="1") as running:
            drive(running.port, screen + words, connections=CONNECTIONS, seconds=3)
            loads["pictures"] = drive(
                running.port, screen, connections=CONNECTIONS, seconds=seconds
            )
            loads["texts"] = drive(running.port, words, connections=CONNECTIONS, seconds=seconds)
            loads[f"{BATCH} texts each"] = drive(
                running.port, batches, connections=CONNECTIONS, seconds=seconds
            )
            memory = _memory(settings, running, screen, words)
        _add_local(bank, files)
        with servers.egide(folder, flags, EGIDE_SANDBOX_WORKERS="1") as running:
            drive(running.port, screen, connections=CONNECTIONS, seconds=3)
            loads["pictures, local features too"] = drive(
                running.port, screen[1::2], connections=CONNECTIONS, seconds=seconds
            )
        home.close()
    return Measured(loads, memory)


def _memory(
    settings: Settings, running: servers.Running, screen: Sequence[bytes], words: Sequence[bytes]
) -> list[tuple[int, int]]:
    """Its memory while 50,000 requests go through it, one in ten a picture."""
    requests = [*words[:900], *islice(cycle(screen), 100)]
    every = settings.few(500, 10_000)
    found = [(0, running.memory())]
    for step in range(1, 6):
        load = drive(running.port, requests, connections=CONNECTIONS, count=every)
        assert load.statuses.get(200) == every, load.statuses
        found.append((step * every, running.memory()))
    return found


def _hma(settings: Settings, entries: int, files: Sequence[bytes]) -> Measured | None:
    source = servers.hma_source(settings)
    if source is None:
        return None
    requests = [_upload("/m/lookup", "photo", data, None) for data in files]
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(servers.postgresql())
        running = stack.enter_context(servers.hma(settings, source, entries, server))
        drive(running.port, requests, connections=CONNECTIONS, seconds=3)
        before = running.memory()
        load = drive(running.port, requests, connections=CONNECTIONS, seconds=settings.few(5, 20))
        after = running.memory()
    return Measured({"pictures": load}, [(0, before), (len(load.latencies), after)])


def _goals(own: Measured, peer: Measured | None) -> list[Goal]:
    pictures, local, words = (
        own.loads["pictures"], own.loads["pictures, local features too"], own.loads["texts"],
    )  # fmt: skip
    many = own.loads[f"{BATCH} texts each"].rate * BATCH
    theirs = peer.loads["pictures"] if peer is not None else None
    slowest = pictures.percentile(99)
    start, end = own.memory[1][1], own.memory[-1][1]
    return [
        Goal("pictures a second, PDQ", "≥ 150", f"{pictures.rate:.0f}",
             f"{theirs.rate:.1f}" if theirs else "",
             times(pictures.rate / theirs.rate) if theirs else "", pictures.rate >= 150),
        Goal("p99 of these", "< 150 ms", _ms(slowest),
             _ms(theirs.percentile(99)) if theirs else "", "", slowest < 0.150),
        Goal("pictures a second, local features too", "≥ 40", f"{local.rate:.0f}", "", "",
             local.rate >= 40),
        Goal("texts a second", "≥ 1,500", f"{words.rate:,.0f}", "", "", words.rate >= 1_500),
        Goal(f"texts a second, {BATCH} in each request", "≥ 1,500", f"{many:,.0f}", "", "",
             many >= 1_500),
        Goal(f"memory, from {own.memory[1][0]:,} to {own.memory[-1][0]:,} requests", "flat",
             f"{(end - start) / 1e6:+.0f} MB", "", "", end - start < 0.02 * start),
    ]  # fmt: skip


def _tables(own: Measured, peer: Measured | None) -> list[Table]:
    rows = [_row("égide", name, load) for name, load in own.loads.items()]
    if peer is not None:
        rows += [_row("HMA", name, load) for name, load in peer.loads.items()]
    memory: list[tuple[str, ...]] = [
        ("égide", f"{count:,}", f"{held / 1e6:.0f} MB") for count, held in own.memory
    ]
    if peer is not None:
        memory += [("HMA", f"{count:,}", f"{held / 1e6:.0f} MB") for count, held in peer.memory]
    return [
        Table(
            "Each load:",
            ("", "load", "a second", "median", "p99", "worst", "not answered with 200"),
            rows,
        ),
        Table("Memory of all processes, shared pages counted once:",
              ("", "requests", "memory"), memory),
    ]  # fmt: skip


def _row(who: str, name: str, load: Load) -> tuple[str, ...]:
    failed = sum(count for status, count in load.statuses.items() if status != 200)
    return (
        who, name, f"{load.rate:,.1f}", _ms(load.percentile(50)), _ms(load.percentile(99)),
        _ms(load.percentile(100)), f"{failed:,}",
    )  # fmt: skip


def _key(home: Home) -> str:
    from egide.identity import Identity
    from egide.identity.scopes import Scope

    with Identity(home.database, home.path) as identity:
        return identity.keys.create("load", [Scope.SCAN_WRITE])


def _add_local(bank: Bank, files: Sequence[bytes]) -> None:
    """Banks every other photograph with its local features."""
    from egide.item import Item
    from egide.media.fingerprint import fingerprints_of

    for data in files[::2]:
        bank.add(fingerprints_of(Item.from_bytes(data)))
    assert bank.holds(FingerprintType.LOCAL)


def _upload(path: str, field: str, data: bytes, key: str | None) -> bytes:
    kind, body = form(field, data, JPEG)
    return post(path, "localhost", kind, body, key)


def _text(text: str) -> dict[str, str]:
    return {"kind": "text", "text": text, "context": "post"}


def _encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.01 else f"{seconds * 1e3:.1f} ms"
