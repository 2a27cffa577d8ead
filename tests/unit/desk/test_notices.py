from __future__ import annotations

import string
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egide.desk.notices import Location, More, Notice, Sender
from egide.desk.numbers import SIGNS, new_number, new_pin, number_of, pin_of, shown_pin
from egide.errors import WrongField
from tests.unit.desk.office import document

PDQ = "f8" * 32

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from([*document(), "language", "declared", "order", "words"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"jurisdiction": "XX"}, "jurisdiction"),
        ({"jurisdiction": 1}, "jurisdiction"),
        ({"role": "friend"}, "role"),
        ({"role": "authority"}, "role"),
        ({"statement": 7}, "statement"),
        ({"statement": "x" * 10_001}, "statement"),
        ({"statement": "a\0b"}, "statement"),
        ({"good_faith": "yes"}, "good_faith"),
        ({"signature": "a\nb"}, "signature"),
        ({"signature": "x" * 201}, "signature"),
        ({"locations": "https://x.example/"}, "locations"),
        ({"locations": ["https://x.example/", 5]}, "locations.1"),
        ({"locations": ["https://user@x.example/"]}, "locations.0"),
        ({"locations": ["https://"]}, "locations.0"),
        ({"locations": [{"url": "javascript:alert(1)"}]}, "locations.0.url"),
        ({"locations": ["x" * 201]}, "locations.0"),
        ({"locations": ["a"] * 101}, "locations"),
        ({"fingerprints": [{"type": "pdq", "value": "zz"}]}, "fingerprints.0.value"),
        ({"fingerprints": [{"type": "pdq", "value": "f8" * 31}]}, "fingerprints.0.value"),
        ({"fingerprints": [{"type": "local", "value": PDQ}]}, "fingerprints.0.type"),
        ({"fingerprints": [{"type": [], "value": PDQ}]}, "fingerprints.0.type"),
        ({"fingerprints": [{"type": "pdq"}]}, "fingerprints.0.value"),
        ({"contact": "me@x.example"}, "contact"),
        ({"contact": {"email": "nobody"}}, "contact.email"),
        ({"contact": {"E-mail": "a@b.example"}}, "contact"),
        ({"contact": {"note": "x" * 301}}, "contact.note"),
        ({"language": "tlh"}, "language"),
        ({"declared": ["Good faith"]}, "declared.0"),
        ({"order": {"authority": "T"}}, "order.reference"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_malformed_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(WrongField) as wrong:
        Notice.from_json({**document(), **changes})
    assert wrong.value.field == field


def test_locations_are_addresses_and_ids() -> None:
    notice = Notice.from_json(
        document(
            locations=[
                "HTTPS://x.example/a",
                "post-1",
                {"content_id": "post-1"},
                {"url": "http://y.example/"},
            ]
        )
    )
    assert notice.locations == (
        Location(url="HTTPS://x.example/a"),
        Location(content_id="post-1"),
        Location(url="http://y.example/"),
    )


def test_what_is_left_out_is_no_error() -> None:
    notice = Notice.from_json({}, "FR")
    assert (notice.jurisdiction, notice.sender, notice.locations) == ("FR", Sender.SELF, ())
    assert Notice.from_json({"jurisdiction": "GB", "contact": None}).jurisdiction == "UK"


def test_markup_stays_text() -> None:
    words = "<script>alert(1)</script> =cmd|' /C calc'!A0 {{7*7}} %0d%0a"
    assert Notice.from_json(document(statement=words)).statement == words


def test_an_addition_adds_something() -> None:
    empties: list[dict[str, object]] = [{}, {"words": " "}, {"locations": []}]
    for empty in empties:
        with pytest.raises(WrongField):
            More.from_json(empty)
    with pytest.raises(WrongField):
        More.from_json({"jurisdiction": "US"})


@settings(max_examples=50, deadline=None)
@given(JSON | st.dictionaries(FIELDS, JSON, max_size=6))
def test_any_json_is_a_notice_or_a_wrong_field(body: Any) -> None:
    for kind in (Notice, More):
        with suppress(WrongField):
            kind.from_json(body)


def test_numbers_and_pins_look_as_they_should() -> None:
    numbers = {new_number() for _ in range(2000)}
    assert len(numbers) == 2000
    assert not set(SIGNS) & set("AEIOU01L")
    assert all(number_of(number) == number for number in numbers)
    pins = {new_pin() for _ in range(200)}
    assert all(len(pin) == 10 and pin_of(shown_pin(pin)) == pin for pin in pins)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80) | st.text(string.ascii_letters + string.digits + "- ", max_size=20))
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = number_of(text)
    assert number in ("", number_of(number))
    assert pin_of(text) in ("", pin_of(pin_of(text)))
