"""`egide.client` asks a real `egide serve`: everything it can be asked, and what it does when the
service is killed under it, refuses it, or has too much to do.
"""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_hex

import pytest

from egide.bank import Home
from egide.client import (
    AsyncClient,
    Client,
    Conflict,
    Invalid,
    ModelListing,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Retries,
    Text,
    TooLarge,
    TooManyRequests,
    picture_hashes,
)
from egide.identity import Identity
from egide.operations.backup import back_up
from egide.operations.restore import restore
from egide.web.asked import MOST_TEXT
from tests import pictures
from tests.integration.conftest import Running
from tests.integration.test_serve import COPY, KNOWN
from tests.unit.client.conftest import Clients, clients

__all__ = ["clients"]  # a fixture

OTHER = pictures.encode(pictures.smooth_noise(seed=2), "JPEG")


@pytest.fixture
def url(running: Running) -> str:
    """The address of a server."""
    return str(running.servers[0].client.base_url)


@pytest.mark.slow
def test_everything_can_be_asked(running: Running, url: str, clients: Clients) -> None:
    client = clients(url, running.key)
    mark = token_hex(4)

    blocked = client.scan_file(COPY, content_id=f"{mark}-1")
    kept = client.scan_file(
        OTHER, content_id=f"{mark}-2", content_url="https://p.example/2", remember=True
    )
    again = client.scan_text("A picture of a bridge", context="post", idempotency_key=f"{mark}-k")
    replayed = client.scan_text(
        "A picture of a bridge", context="post", idempotency_key=f"{mark}-k"
    )
    batch = client.scan_batch(
        [
            Text("A bridge"),
            ModelListing({"id": 1, "name": "Bridges", "type": "LORA", "modelVersions": []}),
        ]
    )
    listing = client.scan_listing({"id": 1, "name": "B", "type": "LORA", "modelVersions": []})

    assert (blocked.action, kept.action, again.action) == ("block", "allow", "allow")
    assert kept.entry is not None
    assert (again.replayed, replayed.replayed, replayed.id) == (False, True, again.id)
    assert [each.action for each in batch] == ["allow", "allow"]
    assert listing.verdict.kind == "listing"
    (record,) = client.verdicts(content_id=f"{mark}-1")
    assert (record.id, record.verdict["action"]) == (blocked.id, "block")
    assert client.verdict(blocked.id).at == record.at
    copies = client.copies(content_id=f"{mark}-2")
    assert f"{mark}-2" in [copy.content_id for copy in copies]
    assert client.copies(fingerprints=picture_hashes(OTHER), threshold=0)
    assert client.forget(f"{mark}-2").withdrawn == (kept.entry,)
    with pytest.raises(NotFound):
        client.copies(content_id=f"{mark}-2")
    assert client.whoami()["scopes"]


@pytest.mark.slow
def test_banks_can_be_kept(running: Running, url: str, clients: Clients, tmp_path: Path) -> None:
    client = clients(url, running.key)
    name = f"mine-{token_hex(4)}"

    assert client.make_bank(name, "allow").purpose == "allow"
    with pytest.raises(Conflict):
        client.make_bank(name, "block")
    added = client.add_file(name, OTHER, ref="r-1")
    again = client.add_file(name, OTHER, ref="r-1")
    hashed = client.add_fingerprints(name, picture_hashes(KNOWN)[:1], label="x")
    exported = b"".join(client.export_list(name))
    (tmp_path / "list.jsonl").write_bytes(exported)
    client.make_bank(f"{name}-2")
    imported = client.import_list(f"{name}-2", tmp_path / "list.jsonl")

    assert (added.new, again.new, hashed.new) == (True, False, True)
    assert (imported.new, imported.unreadable) == (2, 0)
    assert client.count_bank(name).entries["active"] == 2
    assert [each.label for each in client.entries(name)] == ["x", None]
    assert client.set_state(name, added.entry, "withdrawn").state == "withdrawn"
    assert {name, f"{name}-2", "known"} <= {each.bank for each in client.banks()}
    for each in (name, f"{name}-2"):
        client.remove_bank(each)
    with pytest.raises(NotFound):
        client.count_bank(name)


@pytest.mark.slow
def test_hashes_made_here_find_turned_copies(running: Running, url: str, clients: Clients) -> None:
    client = clients(url, running.key)
    turned = pictures.encode(pictures.smooth_noise(seed=1).swapaxes(0, 1)[::-1], "PNG")

    found = client.match(picture_hashes(turned), banks=["known"])

    assert {(each.bank, each.method) for each in found} == {("known", "pdq")}
    assert min(each.distance for each in found) <= 4
    assert client.match(picture_hashes(OTHER)) == ()


@pytest.mark.slow
def test_refusals_say_what_to_do(running: Running, url: str, clients: Clients) -> None:
    everything = clients(url, running.key)
    with pytest.raises(NotAuthenticated):
        clients(url, "egide_no").scan_text("x")
    with pytest.raises(NotAllowed) as refused:
        clients(url, running.reader).scan_text("x")
    with pytest.raises(Invalid) as invalid:
        everything.scan_batch([Text("fine"), Text("x" * (MOST_TEXT + 1))])
    with pytest.raises(TooLarge):
        everything.scan_file(bytes(3 << 20))

    assert "scan:write" in refused.value.detail
    assert invalid.value.fields[0].field == "items.1.text"
    assert invalid.value.request_id


@pytest.fixture(scope="module")
def limited(running: Running) -> str:
    """The address of a server that lets a key ask twice a second."""
    return str(running.start("--rate", "2").client.base_url)


@pytest.mark.slow
def test_over_the_rate_it_waits_as_it_is_told(
    running: Running, limited: str, clients: Clients
) -> None:
    url = limited
    hasty = clients(url, running.key, retries=Retries(attempts=1))
    patient = clients(url, running.key, retries=Retries(first=0.05, patience=30))
    with pytest.raises(TooManyRequests) as refused:  # noqa: PT012  the first that is too many
        for _ in range(50):
            hasty.scan_text("x")

    began = time.monotonic()
    assert patient.scan_text("x").action == "allow"

    assert refused.value.retry_after is not None
    assert refused.value.retry_after >= 1
    assert time.monotonic() - began > 0.5


@pytest.mark.slow
def test_what_a_kill_interrupts_is_done_once(running: Running) -> None:
    """Scans go on while the server is killed and started again; nobody sees an error."""
    server = running.start()
    numbers = [f"kill-{n}" for n in range(40)]

    def scan(number: str) -> str:
        retries = Retries(attempts=600, first=0.1, longest=0.5, patience=300)
        with Client(str(server.client.base_url), running.key, retries=retries) as client:
            return client.scan_text(f"A bridge, {number}", content_id=number).id

    with ThreadPoolExecutor(4) as threads:
        tasks = [threads.submit(scan, number) for number in numbers]
        while sum(task.done() for task in tasks) < 4:
            time.sleep(0.002)
        server.end(signal.SIGKILL)
        replacement = running.start(port=server.port)
        ids = [task.result(300) for task in tasks]

    with Client(str(server.client.base_url), running.key) as client:
        kept = {number: list(client.verdicts(content_id=number)) for number in numbers}
    assert [[record.id for record in kept[number]] for number in numbers] == [[i] for i in ids]
    replacement.end()


@pytest.mark.slow
def test_a_backup_has_what_was_acknowledged_before_it(
    running: Running, url: str, tmp_path: Path
) -> None:
    """Scans go on while it is made; what it holds is of one moment, and restores."""
    acknowledged: list[str] = []
    stop = threading.Event()

    def scan() -> None:
        with Client(url, running.key) as client:
            while not stop.is_set():
                content = f"backup-{threading.get_ident()}-{len(acknowledged)}"
                acknowledged.append(client.scan_text("A bridge", content_id=content).id)

    with ThreadPoolExecutor(2) as threads:
        tasks = [threads.submit(scan) for _ in range(2)]
        while len(acknowledged) < 20:
            time.sleep(0.01)
        before = list(acknowledged)
        back_up(running.home.path, tmp_path / "one.egide")
        stop.set()
        for task in tasks:
            task.result(60)
    restore(tmp_path / "one.egide", tmp_path / "restored")

    restored = Home(tmp_path / "restored")
    kept = {row[0] for row in restored.database.fetch("SELECT id FROM verdict_record")}
    assert kept.issuperset(before)
    with Identity(restored.database, restored.path) as identity:
        assert identity.keys.authenticate(f"Bearer {running.key}").name == "all"
    restored.close()


@pytest.mark.slow
def test_many_at_once_share_one_client(running: Running, url: str) -> None:
    with Client(url, running.key, connections=4) as client, ThreadPoolExecutor(8) as threads:
        actions = list(threads.map(lambda n: client.scan_text(f"bridge {n}").action, range(40)))

    assert set(actions) == {"allow"}


@pytest.mark.slow
def test_the_event_loop_goes_on(running: Running, url: str) -> None:
    import asyncio

    async def scan_all() -> tuple[list[str], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0.001)

        ticking = asyncio.create_task(tick())
        async with AsyncClient(url, running.key) as client:
            found = await asyncio.gather(*(client.scan_file(COPY) for _ in range(6)))
        ticking.cancel()
        return [each.action for each in found], ticks

    actions, ticks = asyncio.run(scan_all())

    assert actions == ["block"] * 6
    assert ticks > 5


@pytest.mark.slow
def test_notices_can_be_handed_in(running: Running, url: str, clients: Clients) -> None:
    client = clients(url, running.key)
    hashes = [{"type": "pdq", "value": each.hex} for each in picture_hashes(OTHER)[:1]]
    notice = {
        "jurisdiction": "EU",
        "role": "self",
        "statement": "The picture shows me, and I did not agree to it.",
        "good_faith": True,
        "signature": "Camille Example",
        "locations": ["https://platform.example/p/4711"],
        "fingerprints": hashes,
    }
    name = f"notice-{token_hex(4)}"

    receipt = client.send_notice(notice, idempotency_key=name)
    again = client.send_notice(notice, idempotency_key=name)
    status = client.case_status(receipt.case, receipt.pin)

    assert (again.case, again.pin) == (receipt.case, receipt.pin)
    assert (status.case, status.jurisdiction) == (receipt.case, "EU")
    assert receipt.pin not in repr(receipt)
    with pytest.raises(NotFound):
        client.case_status(receipt.case, "00000000")
    assert client.withdraw_notice(receipt.case, receipt.pin).state == "withdrawn"
