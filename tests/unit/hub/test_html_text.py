"""Descriptions in HTML, as plain text: what is seen stays, what is not goes, in linear time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.hub.html_text import MOST_HTML, html_to_text
from tests.growth import within


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain words", "plain words"),
        ("a < b and c > d", "a < b and c > d"),
        ("5 <3 hearts", "5 <3 hearts"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("<b>Mea</b><i>dow</i>", "Meadow"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        ("caf&eacute; &amp; &lt;b&gt;", "café & <b>"),
        ("a<script>alert('x < y')</script>b", "ab"),
        ("a<SCRIPT src=x>alert(1)</ScRiPt >b", "ab"),
        ("a<style>p{}</style><!-- no <b>seen</b> -->b", "ab"),
        ("a<script>never ends", "a"),
        ("a<!-- never ends", "a"),
        ("<p onclick='x()'>a</p>", "a"),
        ("<!doctype html><?xml?><p>a", "a"),
        (
            'see <a href="https://x.invalid/ada?b=1&amp;c">this</a>.',
            "see this ⟨https://x.invalid/ada?b=1&c⟩ .",
        ),
        ("<a href='javascript:x()'>this</a>", "this"),
        ("a   b\t\tc\n\n\n d", "a b c\nd"),
        ("unclosed <b", "unclosed"),
        ("nul\x00\x1b[31m \ud800", "nul  [31m \ufffd"),
    ],
)
def test_what_is_seen_stays(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_length_is_capped() -> None:
    assert html_to_text("x" * 100, 10) == "x" * 10
    assert len(html_to_text("<p>a b</p>" * 1_000_000)) <= 20_000


@pytest.mark.parametrize(
    "part",
    [
        "<",
        "<a",
        "<a href=",
        "<script>",
        "</script>",
        "<!--",
        "&",
        "&lt",
        "<a href='https:x",
        "<p>",
        " \n",
        "<b <",
    ],
)
def test_time_is_linear(part: str) -> None:
    html = part * (MOST_HTML // len(part))
    within(2, lambda: html_to_text(html))


@given(st.text(alphabet="<>/!-ab \n&;'\"=scrip", max_size=200))
def test_nothing_comes_out_that_could_run(html: str) -> None:
    text = html_to_text(html.replace("&", "").replace(";", ""))
    assert "<script>" not in text


TAGS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<br/>",
        "<img src=x>",
        "<h1 id='a'>",
        "<",
        ">",
        "<1",
        "<b",
        "<pp>",
        " ",
        "\n",
        "word",
        "é",
        "</",
        "<P >",
    ]
)


@given(st.lists(TAGS, max_size=20))
def test_the_fast_way_and_the_thorough_way_agree(parts: list[str]) -> None:
    html = "".join(parts)
    assert html_to_text(html) == html_to_text(html + "<!-- -->")


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a &amp;lt; b &amp; c", "a &lt; b & c"),  # resolved once, whichever entities there are
        ("a &amp;lt; b &gt; c", "a &lt; b > c"),
        ("one<P>two<p_x>three<B>four", "one\ntwothreefour"),
    ],
)
def test_entities_are_resolved_once_and_tags_told_by_their_whole_name(html: str, text: str) -> None:
    assert html_to_text(html) == text
