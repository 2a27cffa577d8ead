"""What a bank does with its entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from egide.bank import Bank, Draft, Home
from egide.errors import BankExists, BankNotFound, EntryNotFound, UsageError
from egide.fingerprint import Fingerprint, FingerprintType
from egide.match import EntryState, Purpose
from tests.conftest import answers, index_files, near, pdq, sha256, traces

pytestmark = pytest.mark.both_databases


def states(bank: Bank) -> list[str]:
    return [entry.state for entry in bank.entries()]


# ── adding ──────────────────────────────────────────────────────────────────────────────────────


def test_the_same_fingerprints_are_added_once(home: Home) -> None:
    bank = home.create("a")
    first = bank.add([sha256(1), pdq(1)])
    assert first.new
    assert bank.add([sha256(1), pdq(1)]) == (first.entry, False)
    assert bank.add([pdq(1)]) == (first.entry, False)
    assert bank.add([pdq(1, "border"), sha256(1)]) == (first.entry, False)


def test_a_picture_whose_digest_was_listed_before_is_added_with_its_pdq(home: Home) -> None:
    bank = home.create("a")
    bank.add([sha256(1)])
    added = bank.add([sha256(1), pdq(1)])
    assert added.new
    assert answers(bank, pdq(1)) == [(0, added.entry)]


def test_entries_that_share_one_frame_are_all_kept(home: Home) -> None:
    bank = home.create("a")
    both = bank.add_all([Draft((pdq(1), pdq(2))), Draft((pdq(1), pdq(3)))])
    assert [added.new for added in both] == [True, True]
    assert answers(bank, pdq(2)) == [(0, both[0].entry)]
    assert answers(bank, pdq(3)) == [(0, both[1].entry)]


def test_banks_of_one_home_do_not_know_each_others_entries(home: Home) -> None:
    one, two = home.create("one"), home.create("two")
    one.add([pdq(1)])
    assert two.lookup(pdq(1)) == []
    assert two.add([pdq(1)]).new
    assert len(one.lookup(pdq(1))) == 1


def test_every_bank_of_a_home_sees_what_another_handle_added(home: Home) -> None:
    names = ("one", "two", "three")
    opened = [home.create(name) for name in names]
    assert [bank.lookup(pdq(1)) for bank in opened] == [[], [], []]
    other = Home(home.path)
    for name in names:
        other.bank(name).add([pdq(1)])
    assert [len(bank.lookup(pdq(1))) for bank in opened] == [1, 1, 1]
    other.close()


def test_text_that_is_no_unicode_is_kept_as_far_as_it_goes(home: Home) -> None:
    bank = home.create("a")
    entry = bank.add([pdq(1)], "a\udcff", "b\ud800c").entry
    assert bank.entry(entry).label == "a?"
    assert bank.entry(entry).ref == "b?c"


def test_adding_to_a_bank_that_was_removed_meanwhile_says_so(home: Home) -> None:
    bank = home.create("a")
    home.remove("a")
    with pytest.raises(BankNotFound, match="was removed"):
        bank.add([pdq(1)])
    with pytest.raises(BankNotFound, match="was removed"):
        bank.lookup(pdq(1))


# ── withdrawing ─────────────────────────────────────────────────────────────────────────────────


def test_what_was_withdrawn_stands_in_no_file_of_the_home(home: Home) -> None:
    bank, other = home.create("a"), home.create("b")
    held = [(sha256(n), pdq(n)) for n in range(600)]
    entries = []
    for start in range(0, 600, 40):  # many pages, filled in turns
        part = held[start : start + 40]
        added = bank.add_all([Draft(prints, "word", f"case {start}") for prints in part])
        entries += [result.entry for result in added]
        other.add([pdq(10_000 + start)])
    bank.store_index()
    assert traces(home.path, held[7][1]) != []
    gone = [n for n in range(600) if n % 7 == 0]
    bank.withdraw([entries[gone[0]]])
    bank.withdraw([entries[n] for n in gone])
    left = {n for n in gone for f in held[n] if traces(home.path, f)}
    assert left == set()
    assert len(bank.lookup(held[1][1])) == 1
    tombstone = bank.entry(entries[0])
    assert tombstone.state is EntryState.WITHDRAWN
    assert (tombstone.fingerprints, tombstone.label, tombstone.ref) == ((), None, None)
    # What is left can still be withdrawn without a trace, after all that moving about.
    bank.withdraw([entry for n, entry in enumerate(entries) if n not in gone])
    assert [n for n in range(600) for f in held[n] if traces(home.path, f)] == []
    assert index_files(home.path) == []


@pytest.mark.parametrize("beside", [0, 1, 20])
def test_an_open_bank_does_not_write_back_what_another_withdrew(home: Home, beside: int) -> None:
    bank = home.create("a")
    entry = bank.add([pdq(1)]).entry
    bank.add_all([Draft((pdq(100 + n),)) for n in range(beside)])
    assert len(bank.lookup(pdq(1))) == 1  # in its memory from now on
    other = Home(home.path)
    other.bank("a").withdraw([entry])
    other.close()
    bank.add([pdq(3)])
    bank.store_index()
    assert traces(home.path, pdq(1)) == []


def test_removing_a_bank_leaves_nothing_of_it_and_all_of_the_others(home: Home) -> None:
    bank, other = home.create("a"), home.create("b")
    for start in range(0, 200, 20):
        bank.add_all([Draft((pdq(n), sha256(n))) for n in range(start, start + 20)])
        other.add_all([Draft((pdq(n), sha256(n))) for n in range(1000 + start, 1020 + start)])
    bank.store_index()
    home.remove("a")
    assert [n for n in range(200) for f in (pdq(n), sha256(n)) if traces(home.path, f)] == []
    assert all(len(other.lookup(pdq(1000 + n))) == 1 for n in range(200))
    assert home.banks()[0].name == "b"
    assert len(list((home.path / "index").glob("*"))) <= 1


def test_withdrawing_an_entry_that_is_not_there_changes_nothing(home: Home) -> None:
    bank, other = home.create("a"), home.create("b")
    entry = bank.add([pdq(1)]).entry
    foreign = other.add([pdq(2)]).entry
    for missing in (f"{bank.key}-999", foreign, "nonsense", f"{bank.key}-", f"{bank.key}-1 "):
        with pytest.raises(EntryNotFound):
            bank.withdraw([entry, missing])
    assert states(bank) == ["active"]
    assert len(bank.lookup(pdq(1))) == 1


def test_withdrawing_twice_keeps_the_first_tombstone(home: Home) -> None:
    bank = home.create("a")
    entry = bank.add([pdq(1)]).entry
    bank.withdraw([entry])
    before = bank.entry(entry)
    bank.withdraw([entry, entry])
    assert bank.entry(entry) == before
    assert bank.stats()["entries"] == {"active": 0, "disputed": 0, "withdrawn": 1}
    assert bank.stats()["fingerprints"] == {}
    assert not bank.holds(FingerprintType.PDQ)


def test_what_has_not_changed_is_not_asked_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = home.create("a")
    bank.add([pdq(1), sha256(1)])
    asked: list[str] = []
    fetch = home.database.fetch

    def counted(sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        asked.append(sql)
        return fetch(sql, parameters)

    def asks() -> int:
        asked.clear()
        assert bank.held() == {FingerprintType.PDQ, FingerprintType.SHA256}
        assert bank.search([pdq(3), pdq(4)], 31) == []
        return sum("moment" not in sql for sql in asked)

    bank.search([pdq(3)], 31)
    monkeypatch.setattr(home.database, "fetch", counted)
    assert asks() == 0
    other = Home(home.path)
    other.bank("a").add([pdq(2)])
    assert asks() > 0
    assert asks() == 0
    other.close()


def test_a_withdrawn_picture_can_be_added_anew_as_another_entry(home: Home) -> None:
    bank = home.create("a")
    first = bank.add([pdq(1), sha256(1)])
    bank.withdraw([first.entry])
    again = bank.add([pdq(1), sha256(1)])
    assert again.new
    assert again.entry != first.entry
    assert answers(bank, pdq(1)) == [(0, again.entry)]


def test_numbers_of_a_removed_bank_are_never_given_again(home: Home) -> None:
    first = home.create("a").add([pdq(1)]).entry
    home.remove("a")
    again = home.create("a").add([pdq(1)]).entry
    assert first.split("-")[1] != again.split("-")[1]
    with pytest.raises(EntryNotFound):
        home.bank_of(first)


# ── disputes ────────────────────────────────────────────────────────────────────────────────────


def test_a_disputed_entry_still_answers_and_says_so(home: Home) -> None:
    bank = home.create("a")
    entry = bank.add([pdq(1)]).entry
    bank.dispute([entry])
    assert bank.lookup(pdq(1))[0].state is EntryState.DISPUTED
    bank.restore([entry])
    assert bank.lookup(pdq(1))[0].state is EntryState.ACTIVE


# ── looking up ──────────────────────────────────────────────────────────────────────────────────


def test_answers_come_by_query_then_distance(home: Home) -> None:
    bank = home.create("a")
    for bits in (9, 0, 31, 4, 32):
        bank.add([near(pdq(1), bits)])
    found = bank.search([pdq(5), pdq(1), near(pdq(1), 4)], 31)
    assert [(m.query, m.distance) for m in found] == [
        *[(1, d) for d in (0, 4, 9, 31)],
        *[(2, d) for d in (0, 4, 5, 27, 28)],
    ]


def test_digests_match_when_equal_and_of_one_type_only(home: Home) -> None:
    bank = home.create("a")
    bank.add([Fingerprint.from_hex("md5", "ab" * 16)])
    assert len(bank.lookup(Fingerprint.from_hex("md5", "ab" * 16))) == 1
    assert bank.lookup(Fingerprint.from_hex("video_md5", "ab" * 16)) == []
    assert bank.lookup(Fingerprint.from_hex("md5", "ab" * 15 + "aa")) == []


def test_an_empty_bank_and_an_empty_question_have_no_answer(home: Home) -> None:
    bank = home.create("a")
    assert bank.search([], 31) == []
    assert bank.search([pdq(1), sha256(1)], 63) == []
    bank.store_index()
    assert bank.search([pdq(1)], 63) == []


@pytest.mark.usefixtures("short_tail")
def test_adding_one_by_one_does_not_rewrite_the_large_files(home: Home) -> None:
    bank = home.create("a")
    bank.add_all([Draft((pdq(n),)) for n in range(400)])
    bank.lookup(pdq(0))
    (large,) = index_files(home.path)
    for n in range(400, 440):
        bank.add([pdq(n)])
        bank.lookup(pdq(0))
    assert large in index_files(home.path)
    assert len(index_files(home.path)) <= 5
    assert all(len(bank.lookup(pdq(n))) == 1 for n in range(0, 440, 13))


@pytest.mark.usefixtures("short_tail")
def test_withdrawing_all_of_one_file_leaves_the_others_as_they_are(home: Home) -> None:
    bank = home.create("a")
    small = [bank.add([pdq(n)]).entry for n in range(8)]
    bank.lookup(pdq(0))
    (first,) = index_files(home.path)
    # Merging is by size: a file much larger than what follows it stands.
    bank.add_all([Draft((pdq(n),)) for n in range(100, 102)])
    bank.store_index()
    before = set(index_files(home.path))
    bank.withdraw(small)
    assert first not in index_files(home.path)
    bank.add([pdq(500)])
    bank.store_index()
    assert len(before) >= 1
    assert len(bank.lookup(pdq(100))) == 1
    assert len(bank.lookup(pdq(500))) == 1
    assert bank.lookup(pdq(3)) == []


@pytest.mark.usefixtures("short_tail")
def test_a_lost_file_before_a_larger_one_is_made_up_for(home: Home) -> None:
    bank = home.create("a")
    entries = [added.entry for added in bank.add_all([Draft((pdq(n),)) for n in range(900)])]
    bank.store_index()
    bank.add_all([Draft((pdq(n),)) for n in range(900, 1100)])
    bank.store_index()
    bank.withdraw(entries[5:])  # now the first file is the small one
    assert len(index_files(home.path)) == 2
    min(index_files(home.path), key=lambda file: file.stat().st_size).unlink()
    other = Home(home.path)
    for opened in (other.bank("a"), bank):
        assert [n for n in range(0, 1100, 3) if len(opened.lookup(pdq(n), 0)) != 1] == [
            *range(6, 900, 3)
        ]
    other.close()
    bank.withdraw(entries[:1])
    assert traces(home.path, pdq(0)) == []


def test_bands_are_made_only_where_the_kernel_has_some(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("egide.bank.pdq_index.BANDED_FROM", 1)
    bank = home.create("a")
    bank.add_all([Draft((pdq(n),)) for n in range(50)])
    bank.store_index()
    assert all(len(bank.lookup(near(pdq(n), 31))) == 1 for n in range(50))


# ── homes ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["", "A", "-a", ".a", "a b", "a/b", "é", "a" * 65, "a\n"])
def test_refuses_a_name_that_cannot_be(home: Home, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a bank's name"):
        home.create(name)


def test_refuses_a_second_bank_of_one_name_and_an_unknown_purpose(home: Home) -> None:
    home.create("a", "allow")
    with pytest.raises(BankExists):
        home.create("a")
    with pytest.raises(UsageError, match="no purpose"):
        home.create("b", "blocklist")
    with pytest.raises(BankNotFound):
        home.bank("b")
    assert [(bank.name, bank.purpose) for bank in home.banks()] == [("a", Purpose.ALLOW)]


def test_a_bank_is_made_and_opened_in_one_line(home: Home) -> None:
    entry = Bank.create("a", home=home.path).add([pdq(1)]).entry
    assert answers(Bank.open("a", home.path), pdq(1)) == [(0, entry)]


def test_entries_of_several_banks_are_sorted_before_any_is_changed(home: Home) -> None:
    one, two = home.create("one"), home.create("two")
    first, second = one.add([pdq(1)]).entry, two.add([pdq(1)]).entry
    assert [(b.name, ids) for b, ids in home.by_bank([second, first])] == [
        ("two", [second]),
        ("one", [first]),
    ]
    with pytest.raises(EntryNotFound):
        home.by_bank([first, f"{two.key}-99"])


def test_no_repr_shows_a_fingerprint(home: Home) -> None:
    bank = home.create("a")
    print_ = pdq(1)
    entry = bank.add([print_]).entry
    said = repr([print_, Draft((print_,)), bank.entry(entry), bank.lookup(print_), bank, home])
    assert print_.hex[:8] not in said
    assert repr(print_.value)[2:10] not in said
