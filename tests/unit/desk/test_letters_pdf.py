"""The PDF of a letter, read back: tagged, in its language, the same bytes, whatever is in it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from egide.desk import letters
from egide.desk.letters import Letter
from egide.language import available
from tests.unit.desk.letter_samples import DECIDED, FACTS, every_letter

ACTIVE = {"/JavaScript", "/JS", "/OpenAction", "/AA", "/Launch", "/EmbeddedFiles", "/AcroForm"}
SCRIPTS = "Zoë Żółć œuvre Ελλάδα Україна עברית العربية"
HOSTILE = (
    ") Tj ET endstream endobj 1 0 obj << /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>"
    ' #panic("x") #read("/etc/passwd") $x$ *b* _i_ `c` @ref <label> \\ // /* #import "@preview/a:1"'
)


def read(letter: Letter) -> PdfReader:
    return PdfReader(io.BytesIO(letter.pdf()))


def words(reader: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def squeezed(text: str) -> str:
    """Letters and digits alone: what a line break or a list's dash cannot change."""
    return re.sub(r"\W", "", text).lower()


def names(reader: PdfReader) -> set[str]:
    """The keys of all dictionaries in the file."""
    size: Any = reader.trailer["/Size"]
    objects = (reader.get_object(number) for number in range(1, size))
    return {key for each in objects if isinstance(each, DictionaryObject) for key in each}


@pytest.mark.parametrize("language", available())
def test_it_is_tagged_and_names_its_language_and_title(language: str) -> None:
    for letter in every_letter(language):
        pdf = letter.pdf()
        reader = PdfReader(io.BytesIO(pdf))
        root: Any = reader.trailer["/Root"]

        assert root["/Lang"] == language
        assert root["/MarkInfo"]["/Marked"]
        assert "/StructTreeRoot" in root
        assert b"pdfuaid" in pdf
        assert reader.metadata is not None
        assert reader.metadata.title == letter.subject
        assert reader.metadata.author == "Lumen"
        assert reader.metadata.creation_date is None
        assert len(reader.pages) == 1


@pytest.mark.parametrize("language", available())
def test_it_says_what_the_text_says(language: str) -> None:
    for letter in every_letter(language):
        said = squeezed(words(read(letter)))
        for paragraph in letter.text.split("\n\n")[2:]:
            assert squeezed(paragraph)[:40] in said, letter.kind


def test_it_is_the_same_bytes_each_time() -> None:
    for each in every_letter("fr"):
        assert each.pdf() == each.pdf()


def test_names_of_many_scripts_are_shown() -> None:
    said = words(read(letters.refusal(replace(DECIDED, words=SCRIPTS), "fr")))

    for word in SCRIPTS.split()[:5]:
        assert word in said
    # What reads right to left comes back in one order or the other.
    assert "עברית" in said or "תירבע" in said


def test_signs_that_no_font_has_cost_nothing_but_themselves() -> None:
    letter = letters.refusal(replace(DECIDED, words="before 漢字 🦔 after"), "en")
    pdf = letter.pdf()
    said = words(PdfReader(io.BytesIO(pdf)))

    assert "before" in said
    assert "after" in said
    assert b"pdfuaid" not in pdf
    root: Any = PdfReader(io.BytesIO(pdf)).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]


def test_hostile_text_is_text() -> None:
    facts = replace(DECIDED, words=HOSTILE, reasons=(HOSTILE,), platform=HOSTILE, case=HOSTILE)
    reader = read(letters.refusal(facts, "en"))

    assert names(reader) & ACTIVE == set()
    said = squeezed(words(reader))
    assert squeezed('#panic("x") #read("/etc/passwd") $x$ *b* _i_ `c` @ref <label>') in said
    assert "root:" not in said


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(), max_size=300), st.sampled_from(available()))
def test_any_text_makes_a_letter(text: str, language: str) -> None:
    letter = letters.refusal(replace(DECIDED, words=text, reasons=(text,), case=text), language)

    assert read(letter).pages
    assert letter.text.encode()
    assert letter.html().encode()


def test_directions_cannot_be_turned() -> None:
    said = words(
        read(letters.refusal(replace(DECIDED, words="ab\u202edc\u202c \u2066x\u2069"), "en"))
    )

    assert "abdc x" in said


@pytest.mark.parametrize(
    "text",
    ["x" * 100_000, "mot " * 25_000, "\n" * 100_000 + "end", "(\\" * 50_000, "\u0301" * 100_000],
    ids=["a long word", "many words", "many lines", "many brackets", "many accents"],
)
def test_a_hundred_kilobytes_are_cut_and_fit_on_pages(text: str) -> None:
    reader = read(letters.refusal(replace(DECIDED, words=text), "en"))

    assert 1 <= len(reader.pages) <= 12
    assert "How we decided" in words(reader)


def test_a_long_address_stays_on_the_page() -> None:
    long = "https://lumen.example/" + "a1" * 150
    letter = letters.receipt(replace(FACTS, status_url=long), "en")
    reader = read(letter)
    right = float(reader.pages[0].mediabox.right)
    rightmost = 0.0

    def visit(text: str, cm: list[float], tm: list[float], _font: object, _size: float) -> None:
        nonlocal rightmost
        if text.strip():
            rightmost = max(rightmost, (tm[4] * cm[0]) + cm[4])

    reader.pages[0].extract_text(visitor_text=visit)
    assert 0 < rightmost < right
    assert squeezed(long) in squeezed(words(reader))
