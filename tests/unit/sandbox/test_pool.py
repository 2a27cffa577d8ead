"""Verdicts come from processes that may die, hang or lie, and cost one item when they do."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from egide.errors import Busy, DetectorFailed, StorageError, TruncatedItem, UsageError
from egide.finding import Fault
from egide.fingerprint import FingerprintType
from egide.item import Item
from egide.label import Label
from egide.match import Match
from egide.media.fingerprint import fingerprints_of
from egide.policy_file import load_policy
from egide.sandbox import Pool, SandboxLimits
from egide.sandbox.messages import Settings
from egide.sandbox.workers import Nursery, environment_of_workers
from egide.scan import SCANNER_NAME, Scanner
from egide.testing import MemoryBank, neutral_picture
from egide.verdict import Action, Verdict
from tests.unit.sandbox.conftest import MakePool
from tests.videos import footage, video


def clip() -> bytes:
    return video(footage(2.0))


def text(words: str) -> Item:
    return Item.from_bytes(words.encode(), "words")


def said(verdict: Verdict) -> str:
    """What the obedient detector answered."""
    (reason,) = [skip.reason for skip in verdict.skipped if skip.detector == "obedient.v1"]
    return reason


def ends(process: int) -> bool:
    until = time.monotonic() + 10
    while Path(f"/proc/{process}").exists():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def parent_of(process: int) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    (parent,) = [line.split()[1] for line in status.splitlines() if line.startswith("PPid")]
    return int(parent)


def codes(verdict: Verdict) -> list[str]:
    return [fault.error for fault in verdict.errors]


@pytest.fixture(scope="module")
def bank() -> MemoryBank:
    bank = MemoryBank("known")
    bank.add(fingerprints_of(Item.from_bytes(neutral_picture(1), "one")), label="landscape")
    bank.add(fingerprints_of(Item.from_bytes(clip(), "clip")), ref="a video")
    return bank


@pytest.fixture(scope="module")
def knowing(pools: MakePool, bank: MemoryBank) -> Pool:
    return pools(bank)


def edited() -> bytes:
    """The banked picture, turned and cut: only its local features tell it."""
    from io import BytesIO

    from PIL import Image

    out = BytesIO()
    picture = Image.open(BytesIO(neutral_picture(1))).rotate(17, expand=True)
    picture.crop((60, 60, 400, 300)).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(lambda: Item.from_bytes(neutral_picture(1), "copy"), id="copy"),
        pytest.param(lambda: Item.from_bytes(edited(), "edited"), id="edited"),
        pytest.param(lambda: Item.from_bytes(neutral_picture(2), "another"), id="another"),
        pytest.param(lambda: Item.from_bytes(neutral_picture(1)[:999], "cut"), id="cut"),
        pytest.param(lambda: Item.from_bytes(clip(), "video"), id="video"),
        pytest.param(lambda: Item.from_bytes(b"undress the woman in this photo", "t"), id="text"),
        pytest.param(lambda: Item.from_bytes(b"", "nothing"), id="nothing"),
        pytest.param(lambda: Item.from_path("/nowhere"), id="unreadable"),
    ],
)
def test_the_verdict_is_that_of_a_scanner(knowing: Pool, bank: MemoryBank, item: object) -> None:
    assert callable(item)
    here = Scanner.with_banks(bank).scan(item()).to_json(reveal=True)
    there = knowing.scan(item()).to_json(reveal=True)
    there["skipped"] = [skip for skip in there["skipped"] if skip["detector"] != "obedient.v1"]
    there["errors"] = [fault for fault in there["errors"] if fault["detector"] != "obedient.v1"]
    assert there == here


def test_banks_are_asked_anew_for_each_item(pools: MakePool) -> None:
    banks: list[MemoryBank] = [MemoryBank("first")]
    with Pool(lambda: banks, limits=SandboxLimits(workers=1)) as pool:
        item = Item.from_bytes(neutral_picture(1), "picture")
        assert pool.scan(item).action is Action.ALLOW
        second = MemoryBank("second")
        second.add(fingerprints_of(item))
        banks.append(second)
        (finding,) = pool.scan(item).findings
        assert finding.label is Label.NCII_KNOWN
        assert finding.evidence["bank"] == "second"


def test_an_item_in_the_spool_is_read_there(pools: MakePool, tmp_path: Path) -> None:
    pool = pools(readable=(tmp_path,))
    upload = tmp_path / "upload"
    upload.write_bytes(neutral_picture(3))
    prints = pool.fingerprints(Item.from_path(upload))
    assert prints == fingerprints_of(Item.from_path(upload))


def test_fingerprints_are_those_that_a_bank_keeps(pool: Pool) -> None:
    item = Item.from_bytes(neutral_picture(1), "picture")
    assert pool.fingerprints(item) == fingerprints_of(item)
    without = pool.fingerprints(item, local=False)
    assert {each.type for each in without} == {FingerprintType.SHA256, FingerprintType.PDQ}


def test_what_cannot_be_fingerprinted_raises_what_it_would_here(pool: Pool) -> None:
    broken = Item.from_bytes(b"\xff\xd8\xff\xe0" + b"broken" * 99, "broken.jpg")
    with pytest.raises(TruncatedItem) as here:
        fingerprints_of(broken)
    with pytest.raises(TruncatedItem) as there:
        pool.fingerprints(broken)
    assert str(there.value) == str(here.value)


@pytest.mark.parametrize(
    ("order", "ending"), [("crash", "SIGSEGV"), ("abort", "SIGABRT"), ("quit", "exit 3")]
)
def test_a_worker_that_dies_costs_one_item(pool: Pool, order: str, ending: str) -> None:
    before = pool.state()
    verdict = pool.scan(text(f"{order} now"))
    assert verdict.action is Action.REVIEW
    assert verdict.sha256 == text(f"{order} now").sha256
    (fault,) = verdict.errors
    assert (fault.detector, fault.error) == (SCANNER_NAME, "decoder-died")
    assert ending in fault.message
    assert said(pool.scan(text("sleep 0"))) == "slept"
    assert pool.state().lost == before.lost + 2  # it was tried twice


def test_another_worker_reads_it_when_the_first_was_killed(pools: MakePool, tmp_path: Path) -> None:
    pool = pools(workers=1, readable=(tmp_path,))
    seen = tmp_path / "seen"
    answers: list[Verdict] = []
    thread = threading.Thread(target=lambda: answers.append(pool.scan(text("sleep 1"))))
    first = int(said(pool.scan(text("process"))))
    thread.start()
    time.sleep(0.3)
    os.kill(first, signal.SIGKILL)
    thread.join()
    assert said(answers[0]) == "slept"
    assert not seen.exists()
    assert int(said(pool.scan(text("process")))) != first


def test_a_worker_that_was_killed_while_idle_costs_nothing(pools: MakePool) -> None:
    pool = pools(workers=1)
    for _ in range(3):
        os.kill(int(said(pool.scan(text("process")))), signal.SIGKILL)
        assert said(pool.scan(text("sleep 0"))) == "slept"


def test_an_item_that_takes_too_long_ends_its_worker(pools: MakePool) -> None:
    pool = pools(seconds=4, workers=1)  # which what follows must not need on a busy machine
    began = time.monotonic()
    verdict = pool.scan(text("sleep 30"))
    assert time.monotonic() - began < 10
    assert codes(verdict) == ["too-much-time"]
    assert verdict.action is Action.REVIEW
    assert "EGIDE_SANDBOX_SECONDS" in verdict.errors[0].message
    assert said(pool.scan(text("sleep 0"))) == "slept"
    assert pool.state().overdue == 1


def test_memory_is_limited(pools: MakePool) -> None:
    pool = pools(memory=256 << 20)
    assert said(pool.scan(text(f"allocate {16 << 20}"))) == str(16 << 20)
    verdict = pool.scan(text(f"allocate {1 << 30}"))
    assert codes(verdict) == ["too-much-memory"]
    assert said(pool.scan(text("sleep 0"))) == "slept"


def test_what_no_worker_says_is_not_believed(pool: Pool) -> None:
    channel = said(pool.scan(text("sockets")))
    began = time.monotonic()
    verdict = pool.scan(text(f"lie {channel}"))
    assert codes(verdict) == ["decoder-died"]
    assert time.monotonic() - began < 15


def test_when_all_are_busy_it_says_so(pools: MakePool) -> None:
    pool = pools(workers=1, wait=0.2)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(pool.scan, text("sleep 5"))
        until = time.monotonic() + 10
        while not pool.state().busy and time.monotonic() < until:
            time.sleep(0.01)
        with pytest.raises(Busy, match="try again later"):
            pool.scan(text("sleep 0"))
        assert said(first.result()) == "slept"
    assert said(pool.scan(text("sleep 0"))) == "slept"


def test_as_many_items_are_read_at_once_as_there_are_workers(pools: MakePool) -> None:
    pool = pools(workers=2)
    with ThreadPoolExecutor(6) as threads:
        orders = [text("sleep 0.3") for _ in range(6)]
        assert {said(verdict) for verdict in threads.map(pool.scan, orders)} == {"slept"}
    assert pool.state().workers == 2
    assert pool.state().busy == 0


def test_workers_are_replaced_after_many_items(
    pools: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.sandbox.pool.ITEMS_EACH", 2)
    pool = pools(workers=1)
    processes = [said(pool.scan(text("process"))) for _ in range(4)]
    assert processes[0] == processes[1]
    assert processes[1] != processes[2]


def test_the_nursery_is_replaced_when_it_dies(pools: MakePool) -> None:
    pool = pools(workers=1)
    worker = int(said(pool.scan(text("process"))))
    os.kill(parent_of(worker), signal.SIGKILL)
    assert said(pool.scan(text("sleep 0"))) == "slept"
    assert ends(worker)  # the kernel ends it with its parent


def test_an_answer_that_comes_late_is_not_taken_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = Settings(load_policy(), 31, {}, (), 1 << 30)
    nursery = Nursery(settings, environment_of_workers(20))
    try:
        first = nursery.start()
        stopped = parent_of(first.process)
        os.kill(stopped, signal.SIGSTOP)
        with monkeypatch.context() as patch:
            patch.setattr("egide.sandbox.workers._ORDER_SECONDS", 0.1)
            assert not nursery.end(first)  # how it ended is not known
        os.kill(stopped, signal.SIGCONT)
        second = nursery.start()
        assert parent_of(parent_of(second.process)) == os.getpid()
        nursery.end(second)
    finally:
        nursery.close()


class Failing(MemoryBank):
    """A bank whose database has gone away."""

    def held(self) -> frozenset[FingerprintType]:
        raise StorageError("the disk is gone")

    def search(self, queries: object, threshold: int) -> list[Match]:
        raise StorageError("the disk is gone")


def test_a_bank_that_fails_is_an_error_in_the_verdict(pools: MakePool) -> None:
    verdict = pools(Failing("known")).scan(Item.from_bytes(neutral_picture(1), "picture"))
    assert Fault.of("known-media.v1", DetectorFailed("x")).error in codes(verdict)
    assert "the disk is gone" in verdict.errors[0].message


class Breaking(MemoryBank):
    """A bank with a bug."""

    def search(self, queries: object, threshold: int) -> list[Match]:
        raise ZeroDivisionError


def test_a_bug_in_a_bank_is_ours_to_hear_of(pools: MakePool) -> None:
    pool = pools(Breaking("known"), workers=1)
    with pytest.raises(ZeroDivisionError):
        pool.scan(Item.from_bytes(neutral_picture(1), "picture"))
    assert said(pool.scan(text("sleep 0"))) == "slept"


def test_a_pool_that_was_closed_says_so(pools: MakePool) -> None:
    pool = pools()
    worker = int(said(pool.scan(text("process"))))
    pool.close()
    with pytest.raises(Busy, match="stopping"):
        pool.scan(text("sleep 0"))
    assert ends(worker)


def test_a_detector_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="gazetteer"):
        Pool(lambda: (), options={"gazetteer": str(tmp_path / "none")})


@pytest.mark.parametrize("text", ["0", "-1", "many", "inf", "nan"])
def test_limits_that_are_none_are_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_SANDBOX_SECONDS", text)
    with pytest.raises(UsageError, match="EGIDE_SANDBOX_SECONDS"):
        SandboxLimits.from_environment()


def test_limits_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("MEMORY", "1000"), ("SECONDS", "2.5"), ("WAIT", "3"), ("WORKERS", "4")):
        monkeypatch.setenv(f"EGIDE_SANDBOX_{name}", value)
    assert SandboxLimits.from_environment() == SandboxLimits(1000, 2.5, 3.0, 4)


def test_the_policy_is_that_of_the_pool(pools: MakePool) -> None:
    assert pools().scan(text("sleep 0")).policy == load_policy().id
