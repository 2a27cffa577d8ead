"""A bank answers as its twin in memory does, whatever was done to it before."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle as Ids
from hypothesis.stateful import (
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from egide._kernel import LocalFeatures
from egide.bank import Draft, Home
from egide.errors import EntryNotFound
from egide.fingerprint import Fingerprint, FingerprintType
from egide.match import EntryState, Match
from egide.testing import MemoryBank
from tests.conftest import BruteForce, answers, drafts, local, local_plane, near, pdq, sha256

if TYPE_CHECKING:
    from tests.postgresql import Server

BANKS = ("one", "two", "three")

centres = st.integers(0, 2).map(pdq)
hashes = st.builds(near, centres, st.sampled_from([0, 0, 0, 1, 15, 31, 32, 63, 64]))
bordered = hashes.map(lambda f: pdq(f.value, "border"))
digests = st.one_of(
    st.integers(0, 5).map(sha256),
    st.sampled_from(["md5", "video_md5"]).map(lambda t: Fingerprint.from_hex(t, "ab" * 16)),
)
records = st.integers(0, 5).map(local)
held = st.lists(st.one_of(hashes, hashes, bordered, digests, records), min_size=1, max_size=4).map(
    lambda prints: tuple(dict.fromkeys(prints))
)
names = st.sampled_from(BANKS)


@dataclass
class Twin:
    """A MemoryBank, and which of its entries are which of the bank's."""

    memory: MemoryBank
    ids: dict[str, str] = field(default_factory=dict)
    keys: dict[str, set[tuple[FingerprintType, bytes]]] = field(default_factory=dict)

    def add(self, prints: tuple[Fingerprint, ...], label: str | None) -> str | None:
        """Adds what is not there yet; the entry of the bank that holds it already otherwise."""
        keys = {(f.type, f.value) for f in prints}
        for entry, present in self.keys.items():
            if keys <= present:
                return entry
        self._last = self.memory.add(prints, label)
        self._keys = keys
        return None

    def name(self, entry: str) -> None:
        """Tells what the bank calls the last entry."""
        self.ids[entry] = self._last
        self.keys[entry] = self._keys

    def set(self, entry: str, state: EntryState) -> None:
        number = int(self.ids[entry].rpartition("-")[2]) - 1
        if state is EntryState.WITHDRAWN:
            self.memory.withdraw(self.ids[entry])
            self.keys[entry] = set()
        else:
            self.memory._entries[number] = (state, *self.memory._entries[number][1:])


def comparable(matches: list[Match], ids: dict[str, str]) -> list[tuple[Any, ...]]:
    """Matches so that those at one distance may come in any order."""
    assert [(m.query, m.distance) for m in matches] == sorted(
        (m.query, m.distance) for m in matches
    )
    return sorted(
        (m.query, m.distance, ids.get(m.entry, m.entry), m.type, m.edit, m.state, str(m.label))
        for m in matches
    )


class Machine(RuleBasedStateMachine):
    """Does things to three banks of one home and to their twins, and compares their answers."""

    entries = Ids("entries")
    new_database: Callable[[], None] = staticmethod(lambda: None)

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp(prefix="egide-twin-"))

    @initialize()
    def create(self) -> None:
        self.new_database()
        self.home = Home(self.path)
        self.twins = {name: Twin(MemoryBank(name)) for name in BANKS}
        self.banks = {name: self.home.create(name) for name in BANKS}

    @rule(target=entries, name=names, prints=held, label=st.sampled_from([None, "a"]))
    def add(self, name: str, prints: tuple[Fingerprint, ...], label: str | None) -> Any:
        known = self.twins[name].add(prints, label)
        added = self.banks[name].add(prints, label)
        assert added.new == (known is None)
        if known is not None:
            assert added.entry == known
            return multiple()
        self.twins[name].name(added.entry)
        return name, added.entry

    @rule(target=entries, name=names, batch=st.lists(held, max_size=20))
    def add_all(self, name: str, batch: list[tuple[Fingerprint, ...]]) -> Any:
        results = self.banks[name].add_all([Draft(prints) for prints in batch])
        new = []
        for prints, added in zip(batch, results, strict=True):
            known = self.twins[name].add(prints, None)
            assert added.new == (known is None)
            assert known in (None, added.entry)
            if added.new:
                self.twins[name].name(added.entry)
                new.append((name, added.entry))
        return multiple(*new)

    @rule(
        target=entries, name=names, prints=hashes, count=st.sampled_from([1, 2, 4, 8, 16]),
        first=st.integers(0, 1 << 30),
    )  # fmt: skip
    def add_equal(self, name: str, prints: Fingerprint, count: int, first: int) -> Any:
        return self.add_all(name, [(sha256(first + n), prints) for n in range(count)])

    @rule(entry=consumes(entries))
    def withdraw(self, entry: tuple[str, str]) -> None:
        self.banks[entry[0]].withdraw([entry[1]])
        self.twins[entry[0]].set(entry[1], EntryState.WITHDRAWN)

    @rule(entry=entries)
    def dispute(self, entry: tuple[str, str]) -> None:
        self.banks[entry[0]].dispute([entry[1]])
        self.twins[entry[0]].set(entry[1], EntryState.DISPUTED)

    @rule(entry=entries)
    def restore(self, entry: tuple[str, str]) -> None:
        self.banks[entry[0]].restore([entry[1]])
        self.twins[entry[0]].set(entry[1], EntryState.ACTIVE)

    @rule(name=names)
    def store_index(self, name: str) -> None:
        self.banks[name].store_index()

    @rule()
    def reopen(self) -> None:
        self.home.close()
        self.home = Home(self.path)
        self.banks = {name: self.home.bank(name) for name in BANKS}

    @rule(queries=st.lists(st.one_of(hashes, digests), max_size=4), threshold=st.integers(0, 63))
    def search(self, queries: list[Fingerprint], threshold: int) -> None:
        for name, twin in self.twins.items():
            real = comparable(self.banks[name].search(queries, threshold), twin.ids)
            assert real == comparable(twin.memory.search(queries, threshold), {})

    @rule(number=st.integers(0, 5), crop=st.booleans())
    def align(self, number: int, crop: bool) -> None:
        plane = local_plane(number)
        features = LocalFeatures(plane[40:280, 60:420] if crop else plane)
        for name, twin in self.twins.items():
            real, wanted = (
                sorted(
                    (ids.get(m.entry, m.entry), m.state, m.alignment.score if m.alignment else 0)
                    for m in found
                )
                for found, ids in (
                    (self.banks[name].align([features]), twin.ids),
                    (twin.memory.align([features]), {}),
                )
                if all(m.alignment is not None for m in found)
            )
            assert [r[:2] for r in real] == [w[:2] for w in wanted]
            assert [r[2] for r in real] == pytest.approx([w[2] for w in wanted], rel=0.2)

    @invariant()
    def holds_the_same_types(self) -> None:
        for name, twin in self.twins.items():
            for type_ in FingerprintType:
                assert self.banks[name].holds(type_) == twin.memory.holds(type_)

    def teardown(self) -> None:
        self.search([pdq(0), sha256(1)], 63)
        self.home.close()
        shutil.rmtree(self.path)


def run(examples: int) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.usefixtures("short_tail")
def test_answers_as_its_twin_does() -> None:
    run(40)


@pytest.mark.usefixtures("short_tail")
def test_answers_as_its_twin_does_from_postgresql(
    postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def new_database() -> None:
        monkeypatch.setenv("EGIDE_DATABASE_URL", postgresql.database())

    monkeypatch.setattr(Machine, "new_database", staticmethod(new_database))
    run(15)


@pytest.mark.both_databases
def test_answers_as_brute_force_does_when_it_is_banded(home: Home) -> None:
    bank = home.create("large")
    batch = drafts(17_000)
    for centre in (3, 400, 16_000):
        prints = batch[centre].fingerprints[0]
        batch += [Draft((near(prints, n),)) for n in range(1, 64)]
        batch += [Draft((prints, sha256(centre + n))) for n in range(16)]
    added = bank.add_all(batch)
    bank.store_index()
    random = np.random.default_rng(1)
    for turn in range(3):
        brute_force = BruteForce(bank)
        for centre in (3, 400, 16_000):
            query = near(batch[centre].fingerprints[0], int(random.integers(0, 3)))
            for threshold in (0, 15, 31, 32, 63):
                assert answers(bank, query, threshold) == brute_force(query, threshold)
        bank.withdraw({added[n].entry for n in random.integers(0, len(added), 50)})
        bank.add_all(drafts(300, 100 + turn))
        bank.store_index()


@pytest.mark.both_databases
def test_finds_every_one_of_many_equal_entries(home: Home) -> None:
    bank = home.create("equal")
    bank.add_all([Draft((pdq(1), sha256(n))) for n in range(17_000)])
    for _ in range(2):
        assert len(bank.lookup(pdq(1), 0)) == 17_000
        assert len(bank.lookup(near(pdq(1), 63), 63)) == 17_000
        assert bank.lookup(near(pdq(1), 64), 63) == []
        bank.store_index()


@pytest.mark.parametrize("threshold", [-1, 64, 1000])
def test_refuses_a_threshold_out_of_range(home: Home, threshold: int) -> None:
    with pytest.raises(ValueError, match=r"0\.\.63"):
        home.create("a").lookup(pdq(1), threshold)


@pytest.mark.both_databases
def test_a_withdrawn_entry_cannot_be_disputed_or_restored(home: Home) -> None:
    bank = home.create("a")
    entry = bank.add([pdq(1)]).entry
    bank.withdraw([entry])
    for change in (bank.dispute, bank.restore):
        with pytest.raises(EntryNotFound, match="was withdrawn"):
            change([entry])
