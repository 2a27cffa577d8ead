"""Languages: which is chosen, what their catalogues hold, how times are said."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.errors import UsageError
from egide.language import (
    DOMAINS,
    available,
    catalogue,
    catalogues,
    choose,
    day,
    duration,
    marked,
    moment,
    name,
)
from egide.language.pages import environment

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)


def test_english_and_french_are_there() -> None:
    assert available()[0] == "en"
    assert "fr" in available()
    assert [name(tag) for tag in ("en", "fr")] == ["English", "Français"]


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA, en;q=0.5", "fr"),
        ("de, fr;q=0.9, en;q=0.8", "fr"),
        ("en;q=0.2, fr;q=0.9", "fr"),
        ("FR", "fr"),
        ("fr;q=0, en", "en"),
        ("fr;q=nan, en;q=0.1", "en"),
        ("xx,*", "en"),
        ("../../etc/passwd", "en"),
        ("de," * 10_000 + "fr", "en"),
    ],
)
def test_the_browsers_preference_is_followed(accept: str | None, language: str) -> None:
    assert choose(accept) == language


def test_what_was_asked_for_wins_over_the_browser() -> None:
    assert choose("en", "fr") == "fr"
    assert choose("en", None, "", "xx", "fr", "en") == "fr"


@given(st.text(max_size=200), st.text(max_size=20))
def test_no_header_and_no_wish_gives_anything_else(accept: str, wish: str) -> None:
    assert choose(accept, wish) in available()


@pytest.mark.parametrize("domain", DOMAINS)
def test_catalogues_are_complete_and_have_the_same_places(domain: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "catalogues.py", "--check", "--domain", domain],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_domain_without_a_text_takes_the_shared_one() -> None:
    assert catalogue("fr", "letters").gettext("Leave this page") == "Quitter cette page"
    assert catalogue("fr", "console").gettext("no such text") == "no such text"
    assert catalogue("en", "public").gettext("Back") == "Back"


def test_unknown_languages_and_domains_are_told() -> None:
    with pytest.raises(UsageError, match="no language 'xx'; there are en, fr"):
        catalogue("xx", "public")
    with pytest.raises(UsageError, match="no domain 'posters'"):
        catalogue("fr", "posters")


def test_a_language_is_added_by_adding_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "de").mkdir()
    (tmp_path / "de" / "public.po").write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Back"\nmsgstr "Zurück"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    caches = (available, catalogue)
    for cached in caches:
        cached.cache_clear()
    try:
        assert available() == ("en", "de")
        assert choose("de-AT") == "de"
        assert catalogue("de", "public").gettext("Back") == "Zurück"
        (tmp_path / "de" / "public.po").write_text("no catalogue", encoding="utf-8")
        catalogue.cache_clear()
        with pytest.raises(UsageError, match=r"de/public\.po is no catalogue"):
            catalogue("de", "public")
    finally:
        monkeypatch.undo()
        for cached in caches:
            cached.cache_clear()


def test_marked_is_the_text_itself() -> None:
    assert marked("Back") == "Back"


def test_times_are_said_in_the_language() -> None:
    assert moment(AT, "en") == "Tuesday 3 March 2026, 14:05 UTC"
    assert moment(AT, "fr") == "mardi 3 mars 2026, 14:05 UTC"
    assert (day(AT, "en"), day(AT, "fr")) == ("3 March 2026", "3 mars 2026")
    assert (duration(47 * 3600, "en"), duration(2 * 3600, "fr")) == ("47 hours", "2\u00a0heures")
    assert (duration(600, "en"), duration(0, "fr")) == ("10 minutes", "1 minute")
    with pytest.raises(ValueError, match="zone"):
        moment(AT.replace(tzinfo=None), "en")


def test_values_are_escaped_and_nothing_undefined_is_passed_over() -> None:
    page = environment("fr", "public", "egide.web", "templates").from_string(
        "{% trans %}The fingerprint of {{ who }}{% endtrans %}"
    )
    assert page.render(who="<b>") == "The fingerprint of &lt;b&gt;"
    with pytest.raises(Exception, match="undefined"):
        page.render()


def test_the_public_pages_are_in_plain_words() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "readability.py", "--least", "80"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert [line.partition(":")[0] for line in done.stdout.splitlines() if "ease" in line] == [
        "en (source)",
        "fr",
    ]
