"""The registry: from a model that a picture names to its listing, and to what came from it."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from egide.bank import Draft, Home
from egide.finding import Finding
from egide.hub.facts import ModelFacts
from egide.hub.likeness import Likeness
from egide.hub.pseudonyms import Pseudonyms
from egide.hub.registered import Registered, registered
from egide.item import Item
from egide.label import Label
from egide.provenance.statements import NamedModel, Role
from egide.registry import Registry
from egide.registry.model_files import Registering, registered_file
from egide.sniff import Kind
from egide.verdict import Action, Verdict
from tests.conftest import pdq
from tests.models import safetensors

SHA = "ab" * 32
FACTS = ModelFacts(
    source="civitai",
    ref="4711",
    title="Velora Quintane",
    creator="somebody",
    base_model="SDXL 1.0",
    adapter="lora",
    versions=(
        ModelFacts(
            source="civitai",
            ref="900",
            hashes={"SHA256": SHA, "AutoV3": "0123456789ab"},
            texts=(("file", "velora_v1.safetensors"),),
        ),
    ),
)
OTHER = replace(
    FACTS,
    ref="12",
    versions=(ModelFacts(source="civitai", ref="13", texts=(("file", "velora_v1.pt"),)),),
)
BY_HASH = NamedModel(Role.ADAPTER, "renamed", hashes={"autov3": "0123456789ab"})
BY_SHORT_HASH = NamedModel(Role.ADAPTER, "renamed", hashes={"autov2": SHA[:10]})
BY_NAME = NamedModel(Role.ADAPTER, "velora_v1")
UNKNOWN = NamedModel(Role.ADAPTER, "meadow", hashes={"autov2": "0" * 10})


def kept(facts: ModelFacts, named: float = 0.0, key: bytes = b"k" * 32) -> Registered:
    one = registered(facts, Likeness(named, 0.1, 0.6), Pseudonyms(key))
    assert one is not None
    return one


@pytest.fixture
def registry(home: Home) -> Registry:
    opened = Registry(home.path)
    with opened:
        for facts in (FACTS, OTHER):
            one = registered(facts, Likeness(0.97, 0.1, 0.6), opened.pseudonyms)
            assert one is not None
            opened.add(one)
    return opened


def test_a_digest_leads_to_the_listing_and_its_version(registry: Registry) -> None:
    (link,) = registry.links([UNKNOWN, BY_HASH])
    assert (link.model, link.hub, link.listing, link.version) == (1, "civitai", "4711", "900")
    assert (link.sureness, link.by, link.base_model) == ("sure", ("autov3",), "SDXL 1.0")
    assert (link.named, link.unnamed, link.sexual) == (0.97, 0.1, 0.6)
    assert link.is_likeness
    assert (link.creator or "").startswith("account-")


def test_ten_digits_are_strong_and_a_name_is_weak(registry: Registry) -> None:
    assert [link.sureness for link in registry.links([BY_SHORT_HASH])] == ["strong"]
    links = registry.links([BY_NAME])
    assert sorted((link.listing, link.sureness) for link in links) == [
        ("12", "weak"), ("4711", "weak"),
    ]  # fmt: skip


def test_what_a_name_leads_to_is_left_out_beside_a_digest(registry: Registry) -> None:
    both = replace(BY_HASH, name="velora_v1")
    assert [link.listing for link in registry.links([both])] == ["4711"]


def test_a_model_of_no_listing_has_no_link(registry: Registry) -> None:
    assert registry.links([UNKNOWN]) == ()
    assert registry.links([]) == ()


def test_a_listing_that_comes_again_takes_its_own_place(registry: Registry) -> None:
    with registry:
        one = registered(FACTS, Likeness(0.2, 0.0, 0.0), registry.pseudonyms)
        assert one is not None
        registry.add(one)
    assert [link.named for link in registry.links([BY_HASH])] == [0.2]


def test_no_title_no_account_and_no_file_name_is_kept(registry: Registry, home: Home) -> None:
    registry.close()
    content = b"".join(path.read_bytes() for path in home.path.iterdir() if path.is_file())
    for word in (b"Velora", b"velora", b"somebody", SHA.encode(), bytes.fromhex(SHA)):
        assert word not in content


def test_its_files_are_readable_by_their_owner_alone(registry: Registry, home: Home) -> None:
    for path in home.path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_another_home_has_other_digests() -> None:
    assert {d for d, _ in kept(FACTS).aliases}.isdisjoint(
        d for d, _ in kept(FACTS, key=b"j" * 32).aliases
    )


def test_a_home_where_nothing_was_registered_has_none(tmp_path: Path) -> None:
    assert Registry.existing(tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


# ── libraries ───────────────────────────────────────────────────────────────────────────────────


def counts(registry: Registry, model: NamedModel = BY_HASH) -> tuple[int, int]:
    (link,) = registry.links([model])
    return link.library, link.library_by_name


def test_entries_of_libraries_are_counted_by_any_of_the_listing_s_names(
    registry: Registry, home: Home
) -> None:
    bank = home.create("hosted", "library")
    for n, model in enumerate([BY_HASH, BY_SHORT_HASH, BY_NAME, UNKNOWN]):
        bank.add_all([Draft((pdq(n),), models=registry.digests([model]))])

    assert counts(registry) == (2, 1)


def test_other_banks_do_not_count(registry: Registry, home: Home) -> None:
    home.create("known").add_all([Draft((pdq(1),), models=registry.digests([BY_HASH]))])
    assert counts(registry) == (0, 0)


def test_a_withdrawn_entry_is_forgotten(registry: Registry, home: Home) -> None:
    bank = home.create("hosted", "library")
    drafts = [Draft((pdq(n),), models=registry.digests([BY_HASH])) for n in range(3)]
    first, *_ = bank.add_all(drafts)
    bank.withdraw([first.entry])
    assert counts(registry) == (2, 0)

    home.remove("hosted")
    assert counts(registry) == (0, 0)


# ── model files ─────────────────────────────────────────────────────────────────────────────────


def model_file(path: Path) -> Item:
    path.write_bytes(safetensors({}))
    return Item.from_path(path)


def verdict(item: Item, *findings: Finding) -> Verdict:
    return Verdict(item.ref, Kind.MODEL, None, Action.ALLOW, "none", "p@1", findings)


def test_a_scanned_file_is_found_by_its_digest(home: Home, tmp_path: Path) -> None:
    item = model_file(tmp_path / "meadow.safetensors")
    finding = Finding("likeness-adapter.v1", Label.LIKENESS_UNNAMED, 0.8)
    with Registering(home.path) as registering:
        registering.expect(item)
        registering.take(verdict(item, finding))

    registry = Registry(home.path)
    digest = item.sha256 or ""
    (link,) = registry.links([NamedModel(Role.ADAPTER, hashes={"sha256": digest})])
    assert (link.hub, link.listing, link.sureness) == ("file", digest[:16], "sure")
    assert link.unnamed == 0.8


def test_what_is_escalated_is_not_registered(home: Home, tmp_path: Path) -> None:
    item = model_file(tmp_path / "meadow.safetensors")
    with Registering(home.path) as registering:
        registering.expect(item)
        registering.take(verdict(item, Finding("x.v1", Label.MINOR_ESCALATE, 1.0)))

    model = NamedModel(Role.ADAPTER, "meadow")
    assert Registry(home.path).links([model]) == ()


def test_a_file_is_called_by_its_digest_and_not_by_its_name(tmp_path: Path) -> None:
    item = model_file(tmp_path / "velora.safetensors")
    one = registered_file(item, [], Pseudonyms(b"k" * 32))
    assert one is not None
    assert one.model == (item.sha256 or "")[:16]
