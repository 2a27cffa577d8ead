"""Letters say what they must, in each language, and nothing that they must not."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from html.parser import HTMLParser

import pytest

from egide.desk import letters
from egide.desk.letters import CaseFacts, LetterKind
from egide.desk.letters.letter import MOST_PASSAGE, clean
from egide.desk.statement import Restriction
from egide.errors import UsageError
from egide.language import available
from tests.unit.desk.letter_samples import CASE, DECIDED, FACTS, NOW, RESTRICTION, every_letter

TELLING = re.compile(
    r"intim|nud|sex|fake|truqu|consent|porn|image|picture|photo|vid[eé]o|removed|retir", re.I
)
HOSTILE = "<script>alert(1)</script> {{ 7*7 }} \u202egnp\u202c %(case)s %s \x1b[31m\x00 =1+1"


class Parsed(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.language = ""
        self.said = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "html":
            self.language = dict(attrs)["lang"] or ""

    def handle_data(self, data: str) -> None:
        self.said += data


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("language", available())
def test_there_is_one_of_each_kind(language: str) -> None:
    made = every_letter(language)

    assert {each.kind for each in made} == set(LetterKind)
    assert {each.language for each in made} == {language}
    assert all(each.title and each.blocks and each.sender == "Lumen" for each in made)


def test_every_language_has_words_of_its_own() -> None:
    source = [{*each.text.split("\n\n")} for each in every_letter("en")]
    for language in available()[1:]:
        for said, other in zip(source, every_letter(language), strict=True):
            same = said & {*other.text.split("\n\n")}
            # What stands in the samples stays as it is; the rest is translated.
            assert all("Lumen" not in part for part in same)
            assert len(same) <= 3, same


@pytest.mark.parametrize("language", available())
def test_subjects_tell_nothing_to_whoever_looks_over_a_shoulder(language: str) -> None:
    for each in every_letter(language):
        assert not TELLING.search(each.subject), each.subject


@pytest.mark.parametrize("language", available())
def test_letters_to_the_person_have_the_number_and_never_a_pin(language: str) -> None:
    for each in every_letter(language):
        if each.kind not in (LetterKind.STATEMENT, LetterKind.OBJECTION):
            assert CASE in each.text
            assert CASE in each.subject
        assert not re.search(r"PIN\W{0,3}\d", each.text)


def test_a_refusal_is_kind_and_says_how_to_appeal() -> None:
    said = flat(letters.refusal(DECIDED, "en").text)

    assert "We are sorry" in said
    assert "You can appeal, free of charge, until 2 September 2026" in said
    assert "https://lumen.example/case" in said
    assert "Somebody who has not worked on your case decides" in said
    assert "Article 21" in said
    assert "3018" in said


def test_a_refusal_that_cannot_be_appealed_says_nothing_of_it() -> None:
    said = letters.refusal(replace(DECIDED, appeal_until=None, out_of_court=False), "en").text

    assert "appeal" not in said
    assert "Article 21" not in said


def test_the_time_left_is_told_as_the_law_or_the_platform_sets_it() -> None:
    by = "Thursday 5 March 2026, 09:05 UTC"
    assert f"You will have our answer by {by}." in letters.receipt(FACTS, "en").text
    statute = letters.receipt(replace(FACTS, statute=True), "en").text
    assert f"The law gives us until {by} to act." in flat(statute)
    paused = letters.asked(replace(FACTS, missing=("a word",), paused=True), "en").text
    assert by not in paused
    assert "begins when your request is complete" in paused


def test_copies_that_are_still_there_are_told_of() -> None:
    assert "still being removed" in letters.decision(DECIDED, "en").text
    gone = letters.decision(replace(DECIDED, removed=4), "en")
    assert "still being removed" not in gone.text
    assert gone.title == "We have removed the content"


def test_an_appeal_that_was_not_decided_is_no_letter() -> None:
    with pytest.raises(ValueError, match="no appeal"):
        letters.appeal(FACTS, "en")


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no language"):
        letters.receipt(FACTS, "tlh")


def test_the_statement_says_what_article_17_asks_for() -> None:
    said = flat(letters.statement(RESTRICTION, "en").text)

    assert "The content is removed." in said  # (a) the restriction,
    assert "Everywhere that the service is offered" in said  # its territory
    assert "Without an end" in said  # and its duration
    assert "A notice under Article 16" in said  # (b) the facts
    assert "A program found your content" in said  # (c) automated means
    assert "A person made the decision" in said
    assert "Code pénal, article 226-8-1" in said  # (d) the legal ground
    assert "An intimate picture without consent." in said
    assert "until 2 September 2026, at https://desk.lumen.example/appeal#a-code" in said  # (f)
    assert "out-of-court" in said
    assert "court." in said


def test_terms_are_named_as_terms() -> None:
    ground = replace(RESTRICTION.ground, illegal=False, reference="Clause 4")
    said = letters.statement(replace(RESTRICTION, ground=ground), "en").text

    assert "terms and conditions" in said  # (e)
    assert "illegal" not in said


def test_there_is_no_field_for_anything_personal() -> None:
    personal = re.compile(r"name|mail|phone|contact|signature|statement|notifier|person|sender")

    for record in (CaseFacts, Restriction):
        assert [f.name for f in fields(record) if personal.search(f.name)] == []


@pytest.mark.parametrize("language", available())
def test_hostile_text_is_shown_and_does_nothing(language: str) -> None:
    facts = replace(DECIDED, words=HOSTILE, reasons=(HOSTILE,), platform=HOSTILE, case=HOSTILE)
    made = letters.refusal(facts, language)
    page = made.html()
    parsed = Parsed(page)

    assert parsed.language == language
    assert "script" not in parsed.tags
    assert "<script>alert(1)</script> {{ 7*7 }} gnp %(case)s %s" in flat(parsed.said)
    for form in (made.text, page, made.subject):
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", form)
    assert "\n" not in made.subject


def test_a_page_loads_nothing_and_runs_nothing() -> None:
    page = letters.receipt(FACTS, "en").html()

    assert "default-src 'none'" in page
    assert not re.search(r"<(script|img|link|iframe|form)|src=|@import|url\(", page)
    assert re.search(r"style-src 'sha256-[\w+/=]+'", page)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("\ud800", "\ufffd"),
        ("e\u0301\u200d\u200bx", "e\u0301\u200dx"),
        ("\t a\tb ", "a b"),
        ("a" + "\u0301" * 9 + "b", "a\u0301\u0301\u0301\u0301b"),
        ("x" * (MOST_PASSAGE + 1), "x" * MOST_PASSAGE + " […]"),
    ],
)
def test_text_is_cleaned_once(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_text_lines_are_short_and_addresses_whole() -> None:
    long = "https://lumen.example/" + "a" * 200
    said = letters.receipt(replace(FACTS, status_url=long), "en").text

    assert all(len(line) <= 78 or long in line for line in said.splitlines())
    assert long in said


def test_a_letter_is_the_same_each_time() -> None:
    for language in available():
        assert every_letter(language) == every_letter(language)
    assert letters.receipt(FACTS, "fr").dated == "3 mars 2026"
    assert (
        letters.receipt(replace(FACTS, written=NOW.replace(year=2027)), "fr").dated != "3 mars 2026"
    )
