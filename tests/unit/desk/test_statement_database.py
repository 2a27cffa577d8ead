"""Statements for the DSA Transparency Database: as its schema has them, nobody in them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.bank import Home
from egide.desk.laws import JURISDICTIONS, laws
from egide.desk.statement import Automation, Ground, Medium, Restricted, Restriction, Source
from egide.desk.statement_cases import RemovedCopy, letters_told
from egide.desk.statement_database import batches, document_of, faults, new_puid
from egide.desk.statement_store import Statements, record
from egide.errors import UsageError
from egide.label import DSA_KEYWORD, Label
from tests.unit.desk.letter_samples import RESTRICTION

NOW = 1_772_546_700_000
PLANTED = (
    "EG-7K3M-2QXV",
    "Aurélie Dumarçay",
    "aurelie@mail.example",
    "+33 6 12 34 56 78",
    "pic-4711",
    "lumen.example",
    "one-use-code",
)
REMOVED = RemovedCopy(
    jurisdiction="FR",
    reasons=("intimate_without_consent", "synthetic"),
    content_id=f"pic-4711 of {PLANTED[1]}",
    content_url=f"https://lumen.example/{PLANTED[2]}/{PLANTED[3]}?{PLANTED[0]}",
    how="similar",
    at=NOW,
    appeal_url=f"https://desk.example/appeal#{PLANTED[6]}",
    appeal_until=NOW + 1,
)


def document(**changes: Any) -> dict[str, Any]:
    return document_of(replace(RESTRICTION, **changes), "a-puid")


def test_every_combination_is_as_the_schema_asks() -> None:
    for restricted, source, automation, medium in product(Restricted, Source, Automation, Medium):
        made = document(restricted=restricted, source=source, automation=automation, medium=medium)
        assert faults(made) == []


@pytest.mark.parametrize("jurisdiction", JURISDICTIONS)
def test_every_law_and_reason_makes_a_valid_statement(jurisdiction: str) -> None:
    for reason in laws().reasons_for("remove"):
        copy = replace(REMOVED, jurisdiction=jurisdiction, reasons=(reason.id,))
        made = document_of(copy.restriction("Lumen", "en"), new_puid())
        assert faults(made) == []
        terms = made["decision_ground"] == "DECISION_GROUND_INCOMPATIBLE_CONTENT"
        assert terms == (reason.id == "terms")


def test_it_says_what_was_done() -> None:
    created, until = datetime(2026, 2, 1, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC)
    made = document(synthetic=True, created=created, until=until, territory=("FR", "BE"))

    assert made == {
        "decision_visibility": ["DECISION_VISIBILITY_CONTENT_REMOVED"],
        "decision_ground": "DECISION_GROUND_ILLEGAL_CONTENT",
        "illegal_content_legal_ground": "Code pénal, article 226-8-1",
        "illegal_content_explanation": "An intimate picture without consent.",
        "content_type": ["CONTENT_TYPE_IMAGE", "CONTENT_TYPE_SYNTHETIC_MEDIA"],
        "category": "STATEMENT_CATEGORY_CYBER_VIOLENCE",
        "category_specification": ["KEYWORD_NON_CONSENSUAL_MATERIAL_DEEPFAKE"],
        "content_date": "2026-02-01",
        "application_date": "2026-03-03",
        "decision_facts": made["decision_facts"],
        "source_type": "SOURCE_ARTICLE_16",
        "automated_detection": "Yes",
        "automated_decision": "AUTOMATED_DECISION_NOT_AUTOMATED",
        "puid": "a-puid",
        "territorial_scope": ["BE", "FR"],
        "end_date_visibility_restriction": "2027-02-01",
    }
    assert made["category_specification"] == [DSA_KEYWORD[Label.LIKENESS_SEXUAL]]
    assert document()["category_specification"] == [DSA_KEYWORD[Label.NCII_KNOWN]]


WRONG: list[tuple[str, Any]] = [
    ("decision_ground", "DECISION_GROUND_ELSE"),
    ("decision_ground", "DECISION_GROUND_INCOMPATIBLE_CONTENT"),
    ("illegal_content_legal_ground", "x" * 501),
    ("illegal_content_legal_ground", " "),
    ("illegal_content_explanation", "x" * 2001),
    ("illegal_content_explanation", None),
    ("incompatible_content_ground", "both"),
    ("decision_facts", "x" * 5001),
    ("decision_facts", ""),
    ("content_type", []),
    ("content_type", "CONTENT_TYPE_IMAGE"),
    ("content_type", ["CONTENT_TYPE_IMAGE", "CONTENT_TYPE_IMAGE"]),
    ("content_type", ["CONTENT_TYPE_OTHER"]),
    ("category", "STATEMENT_CATEGORY_NON_CONSENSUAL_BEHAVIOUR"),
    ("category_specification", ["KEYWORD_IMAGE_BASED_SEXUAL_ABUSE"]),
    ("content_date", "2026-02-30"),
    ("content_date", "1999-12-31"),
    ("content_date", "2026-2-3"),
    ("application_date", "2019-12-31"),
    ("application_date", "2026-03-03T00:00:00"),
    ("source_type", "SOURCE_OTHER"),
    ("source_identity", "somebody"),
    ("automated_detection", True),
    ("automated_decision", "No"),
    ("puid", "with a space"),
    ("puid", "line\n"),
    ("puid", "é"),
    ("puid", "x" * 501),
    ("puid", ""),
    ("territorial_scope", ["UK"]),
    ("decision_visibility", ["DECISION_VISIBILITY_OTHER"]),
    ("decision_visibility", None),
    ("url", "https://lumen.example/p/4711"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_the_database_would_refuse_is_seen_here(name: str, value: object) -> None:
    wrong = faults(document() | {name: value})

    assert wrong
    assert all("x" * 100 not in line and "somebody" not in line for line in wrong)


@pytest.mark.parametrize("name", ["decision_visibility", "puid", "category", "content_date"])
def test_what_is_missing_is_seen(name: str) -> None:
    made = document()
    del made[name]

    assert faults(made)


@settings(max_examples=40, deadline=None)
@given(reference=st.text(min_size=1), explanation=st.text(min_size=1))
def test_long_grounds_are_cut_to_what_is_taken(reference: str, explanation: str) -> None:
    long, longer = f"a{reference * 300}", f"b{explanation * 1500}"
    made = document(ground=Ground(True, long, longer))

    assert faults(made) == []
    assert len(made["illegal_content_legal_ground"]) <= 500
    assert len(made["illegal_content_explanation"]) <= 2000


def test_a_ground_without_words_is_refused() -> None:
    with pytest.raises(UsageError, match="explains"):
        Ground(True, "an article", " ")


def test_nothing_of_a_person_a_case_or_a_content_is_published() -> None:
    made = json.dumps(document_of(REMOVED.restriction(PLANTED[1], "en"), new_puid()))

    assert [each for each in PLANTED if each in made] == []
    assert not re.search(r"https?://|@|EG-", made)


def test_what_is_kept_is_what_is_published(home: Home) -> None:
    with home.database.write() as connection:
        puid = record(connection, REMOVED, NOW)
    (kept,) = Statements(home.database).made_between(NOW, NOW + 1)
    dump = json.dumps(
        [[str(cell) for cell in row] for row in home.database.fetch("SELECT * FROM desk_statement")]
    )

    assert kept.puid == puid == kept.document["puid"]
    assert faults(kept.document) == []
    assert [each for each in PLANTED if each in dump] == []


def test_outside_the_union_nothing_is_kept(home: Home) -> None:
    for jurisdiction in ("US", "UK"):
        with home.database.write() as connection:
            assert record(connection, replace(REMOVED, jurisdiction=jurisdiction), NOW) is None
    assert Statements(home.database).made_between(0, NOW + 1) == []


def test_a_write_that_fails_keeps_nothing(home: Home) -> None:
    def failing() -> None:
        with home.database.write() as connection:
            record(connection, REMOVED, NOW)
            raise RuntimeError("what came after")

    with pytest.raises(RuntimeError):
        failing()
    assert Statements(home.database).made_between(0, NOW + 1) == []


def test_identifiers_are_by_chance() -> None:
    made = {new_puid() for _ in range(1000)}

    assert len(made) == 1000
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{24}", each) for each in made)


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (100, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_batches_have_a_hundred_at_most(count: int, sizes: list[int]) -> None:
    made = list(batches([{"puid": str(number)} for number in range(count)]))

    assert [len(each["statements"]) for each in made] == sizes
    puids = [each["puid"] for batch in made for each in batch["statements"]]
    assert puids == [str(number) for number in range(count)]


def test_the_letter_to_the_uploader_has_nothing_of_the_notifier() -> None:
    """Only ids of reasons go in: edited words, in which a reviewer may quote, have no way in."""
    said = json.dumps(letters_told(REMOVED, "Lumen"), ensure_ascii=False)

    assert PLANTED[0] not in said.replace(REMOVED.content_url or "", "")
    assert set(RemovedCopy.__dataclass_fields__) == {
        "jurisdiction", "reasons", "content_id", "content_url", "how", "at", "sender", "flagger",
        "appeal_url", "appeal_until", "medium", "created",
    }  # fmt: skip
    for sender in ("self", "agent"):
        assert letters_told(replace(REMOVED, sender=sender), "Lumen") == letters_told(
            REMOVED, "Lumen"
        )


def test_reasons_that_nobody_knows_fall_back_to_what_all_removals_have_in_common() -> None:
    restriction = replace(REMOVED, reasons=("nonsense", "not_intimate")).restriction("Lumen", "fr")

    assert "image intime" in restriction.ground.explanation
    assert isinstance(restriction, Restriction)
    assert restriction.ground.illegal


@pytest.mark.parametrize(
    ("sender", "flagger", "jurisdiction", "source"),
    [
        ("self", False, "EU", Source.NOTICE),
        ("agent", True, "FR", Source.TRUSTED_FLAGGER),
        ("authority", False, "EU", Source.OTHER_NOTICE),
        ("self", False, "US", Source.OTHER_NOTICE),
        (None, False, "EU", Source.OWN),
    ],
)
def test_the_source_is_told(
    sender: str | None, flagger: bool, jurisdiction: str, source: Source
) -> None:
    copy = replace(REMOVED, sender=sender, flagger=flagger, jurisdiction=jurisdiction)

    assert copy.restriction("Lumen", "en").source is source


def test_a_located_copy_was_found_by_no_program() -> None:
    assert not replace(REMOVED, how="located").restriction("Lumen", "en").detected
    assert REMOVED.restriction("Lumen", "en").detected
