from __future__ import annotations

from datetime import date
from importlib.resources import files

import pytest
import yaml
from pydantic import ValidationError

from egide.desk.laws import FIELDS, JURISDICTIONS, Law, laws
from egide.desk.notices import Notice
from tests.unit.desk.office import document


def test_there_is_a_law_for_every_jurisdiction_with_its_sources() -> None:
    for name in JURISDICTIONS:
        law = laws()[name]
        assert law.jurisdiction == name
        for source in law.sources:
            assert source.title
            assert date(2026, 1, 1) <= source.checked


def test_statutes_give_48_hours_and_do_not_pause() -> None:
    for name in ("US", "UK"):
        clock = laws()[name].clock
        assert (clock.hours, clock.kind, clock.pauses) == (48, "statute", ())
    assert laws()["US"].copies.rule == "identical"
    assert laws()["UK"].copies.rule == "similar"


def test_half_a_year_to_appeal_at_least() -> None:
    assert all(laws()[name].appeal_days >= 183 for name in JURISDICTIONS)


def test_minors_are_led_to_somebody_everywhere() -> None:
    for name in JURISDICTIONS:
        assert {"minors", "everyone"} & {body.for_ for body in laws()[name].bodies}
    assert "3018" in {body.name for body in laws()["FR"].bodies}


def test_every_outcome_has_reasons_in_both_languages() -> None:
    for outcome in ("remove", "refuse", "uphold", "reverse", "withdraw", "confirm", "deny"):
        reasons = laws().reasons_for(outcome)
        assert reasons
        for reason in reasons:
            assert reason.in_("fr") != reason.in_("en")
            assert reason.in_("de") == reason.en
    assert set(laws().elements) == set(FIELDS)


@pytest.mark.parametrize("name", JURISDICTIONS)
def test_a_complete_notice_lacks_nothing(name: str) -> None:
    notice = Notice.from_json(document(jurisdiction=name))
    assert laws()[name].missing(notice) == ()


@pytest.mark.parametrize("name", JURISDICTIONS)
def test_contact_is_never_required(name: str) -> None:
    notice = Notice.from_json(document(jurisdiction=name, contact=None))
    assert laws()[name].missing(notice) == ()


def test_what_is_required_is_missing_when_it_is_left_out() -> None:
    empty = Notice.from_json({"jurisdiction": "US"})
    assert laws()["US"].missing(empty) == ("signature", "locations", "statement", "good_faith")


def test_all_declarations_are_to_be_made() -> None:
    partly = Notice.from_json(document(declared=["intimate"]))
    assert laws()["UK"].missing(partly) == ("good_faith",)
    ids = [each.id for each in laws()["UK"].declarations]
    assert laws()["UK"].missing(Notice.from_json(document(declared=ids))) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"clock": {"hours": 0, "kind": "statute"}},
        {"clock": {"hours": 48, "kind": "wish"}},
        {"copies": {"rule": "similar", "threshold": 64}},
        {"appeal_days": 30},
        {"sources": []},
        {"unknown": 1},
        {
            "bodies": [
                {"name": "x", "for": "adults", "url": "http://x.example/", "en": "a", "fr": "b"}
            ]
        },
    ],
)
def test_a_law_that_is_written_wrong_is_refused(change: dict[str, object]) -> None:
    text = files("egide.desk").joinpath("law", "UK.yaml").read_text(encoding="utf-8")
    with pytest.raises(ValidationError):
        Law.model_validate({**yaml.safe_load(text), **change})
