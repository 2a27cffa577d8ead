"""Every detector says in a worker what it says here, with nothing but its item to read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL.PngImagePlugin import PngInfo

from egide.bank import Home
from egide.detector import DetectorSettings, Example, load_detectors
from egide.errors import LexiconError
from egide.hub.facts import ModelFacts
from egide.hub.likeness import Likeness
from egide.hub.registered import registered
from egide.item import Item
from egide.label import Label
from egide.media.fingerprint import fingerprints_of
from egide.policy_file import load_policy
from egide.registry import Registry
from egide.sandbox import Pool, SandboxLimits
from egide.scan import Scanner
from egide.testing import MemoryBank
from tests.credentials import authority, created, signed
from tests.pictures import encode, smooth_noise
from tests.walkthrough import blocks

ROOT = Path(__file__).parents[2]
UPLOADS = sorted(path for path in (ROOT / "examples").rglob("*") if path.is_file())
LEXICONS = ROOT / "docs" / "reference" / "lexicons.md"
LIMITS = SandboxLimits(workers=1, seconds=60)


def bank_of(examples: list[Example]) -> MemoryBank:
    bank = MemoryBank("example")
    for example in examples:
        for banked in example.banked:
            bank.add(fingerprints_of(banked))
    return bank


def by_options() -> dict[tuple[tuple[str, str], ...], list[Example]]:
    grouped = defaultdict(list)
    for detector in load_detectors(DetectorSettings()):
        for example in detector.examples:
            grouped[tuple(sorted(example.options.items()))].append(example)
    return grouped


GROUPS = by_options()


@pytest.mark.slow
@pytest.mark.parametrize("options", GROUPS, ids=lambda options: str(dict(options)))
def test_examples_are_judged_alike(options: tuple[tuple[str, str], ...]) -> None:
    examples = GROUPS[options]
    bank = bank_of(examples)
    here = Scanner(load_detectors(DetectorSettings((bank,), options=dict(options))), load_policy())
    with Pool(lambda: [bank], options=dict(options), limits=LIMITS) as pool:
        for example in examples:
            item = replace(example.item, ref="example")
            there = pool.scan(item).to_json(reveal=True)
            assert there == here.scan(item).to_json(reveal=True), example.why
        assert pool.state().lost == 0


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with Pool(list, readable=[ROOT / "examples"], limits=LIMITS) as pool:
        yield pool


@pytest.mark.parametrize("path", UPLOADS, ids=lambda path: path.name)
def test_files_are_judged_alike(pool: Pool, path: Path) -> None:
    here = Scanner.with_banks().scan(Item.from_path(path)).to_json(reveal=True)
    assert pool.scan(Item.from_path(path)).to_json(reveal=True) == here


@pytest.mark.parametrize("format_", ["JPEG", "PNG"])
def test_content_credentials_are_read(
    format_: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(authority().root)
    monkeypatch.setenv("EGIDE_C2PA_TRUST", str(trusted))
    data = signed(encode(smooth_noise(64, 48), format_), f"image/{format_.lower()}", created())
    item = Item.from_bytes(data, "signed")
    here = Scanner.with_banks().scan(item)
    (finding,) = [one for one in here.findings if one.label is Label.SYNTHETIC_DECLARED]
    assert finding.score == 1.0
    with Pool(list, limits=LIMITS) as asking:
        assert asking.scan(item).to_json(reveal=True) == here.to_json(reveal=True)
        assert asking.state().lost == 0


def test_the_registry_is_asked(home: Home) -> None:
    with Registry(home.path) as registry:
        facts = ModelFacts(
            source="civitai",
            ref="4711",
            title="Velora Quintane",
            versions=(ModelFacts(source="civitai", ref="900", hashes={"AutoV2": "0123456789"}),),
        )
        one = registered(facts, Likeness(0.97, 0.1, 0.6), registry.pseudonyms)
        assert one is not None
        registry.add(one)
    info = PngInfo()
    info.add_text(
        "parameters",
        'a meadow <lora:renamed:1>\nSteps: 20, Lora hashes: "renamed: 0123456789", Version: v1.9',
    )
    data = encode(smooth_noise(), "PNG", pnginfo=info)
    item = Item.from_bytes(data, "picture")
    detectors = load_detectors(DetectorSettings(home=home.path))
    here = Scanner(detectors, load_policy()).scan(item)
    assert Label.LIKENESS_NAMED in {finding.label for finding in here.findings}
    with Pool(list, home=home.path, limits=LIMITS) as asking:
        assert asking.scan(item).to_json(reveal=True) == here.to_json(reveal=True)


@pytest.mark.slow
def test_the_encoder_is_there_before_a_worker_is_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_SEMANTIC", "1")
    item = Item.from_bytes(b"undress the woman in this photo", "text")
    with Pool(lambda: (), limits=replace(LIMITS, seconds=5.0)) as pool:
        there = pool.scan(item)
    assert [finding.evidence["encoder"] for finding in there.findings]
    assert there == Scanner.with_banks().scan(item)


def test_languages_of_ones_own_are_there_before_a_worker_is_confined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shown,) = [block for block in blocks(LEXICONS) if block.title == "it.yaml"]
    (tmp_path / "it.yaml").write_text(shown.text, encoding="utf-8")
    monkeypatch.setenv("EGIDE_LEXICON", str(tmp_path))
    item = Item.from_bytes(b"togli la gonna alla mia collega in questa foto", "text")
    with Pool(lambda: (), limits=LIMITS) as pool:
        there = pool.scan(item)
    assert [finding.evidence["languages"] for finding in there.findings] == [["it"]]


def test_a_mistake_in_them_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "it.yaml").write_text("language: it", encoding="utf-8")
    monkeypatch.setenv("EGIDE_LEXICON", str(tmp_path))
    with (
        pytest.raises(LexiconError, match="`provenance` is missing"),
        Pool(lambda: (), limits=LIMITS),
    ):
        pass
