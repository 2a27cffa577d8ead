from __future__ import annotations

import io
import re
import tracemalloc
from html.parser import HTMLParser

import pytest

from egide.finding import Finding
from egide.label import Label
from egide.report.html import MOST_ROWS, HtmlPage
from egide.report.page import csp_hash
from tests.report_samples import (
    HOSTILE_REFS,
    blocked,
    broken,
    doubtful,
    escalated,
    match,
    one_of_each,
    plain,
    report,
    silenced,
    skipped,
    summary_of,
)


class _Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "wbr":  # stands after each slash of a name
            self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def rows(self) -> int:
        return sum("data-action" in attributes for _, attributes in self.tags)


def test_the_page_embeds_no_picture_and_loads_nothing() -> None:
    page = _Page(report("html", one_of_each()))
    assert not {"img", "picture", "link", "iframe", "object", "video"} & {t for t, _ in page.tags}
    for _, attributes in page.tags:
        assert not {"src", "srcset", "style", "onclick"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_the_policy_of_the_page_allows_its_own_style_and_script_alone() -> None:
    text = report("html", one_of_each())
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    (policy,) = (
        attributes["content"] or ""
        for _, attributes in _Page(text).tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == (
        f"default-src 'none'; style-src {csp_hash(style)}; script-src {csp_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


@pytest.mark.parametrize("ref", HOSTILE_REFS)
def test_hostile_names_and_messages_stay_text(ref: str) -> None:
    tame = _Page(report("html", [blocked("tame"), broken("tame", "tame")]))
    wild_text = report("html", [blocked(ref), broken(ref, ref)])
    wild = _Page(wild_text)
    assert [tag for tag, _ in wild.tags] == [tag for tag, _ in tame.tags]
    assert wild_text.encode("utf-8").isascii() or not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", wild_text
    )


def test_a_name_breaks_between_folders_and_copies_whole() -> None:
    text = report("html", [blocked("/srv/a b/c.jpg")])
    assert '<bdi class="ref">/<wbr>srv/<wbr>a b/<wbr>c.jpg</bdi>' in text


def test_hostile_evidence_banks_and_rules_stay_text() -> None:
    evil = "<img src=x onerror=alert(1)>"
    verdict = blocked("a", match(bank=evil, entry=evil, extra={evil: [evil]}, edit=evil))
    text = report("html", [verdict], policy=evil, banks=(evil,))
    assert "<img" not in text
    assert text.count("&lt;img") >= 6


def test_each_finding_is_explained() -> None:
    words = " ".join(" ".join(_Page(report("html", [doubtful()])).words).split())
    for said in (
        "Perhaps a copy of a picture that bank demo holds",
        "differ in 47 of 256 bits",
        "it was turned a quarter counter-clockwise",
        "Somebody disputes this entry",
        "shadow: strict-block",
        "entry ref masked",
    ):
        assert said in words


@pytest.mark.parametrize(
    ("reveal", "said"),
    [
        (False, "spans 0\u20137 masked (undress); 11\u201318 masked (garment)"),
        (
            True,
            "spans 0\u20137 \u201cstripme\u201d (undress); 11\u201318 \u201cskirt\u201d (garment)",
        ),
    ],
)
def test_lists_and_spans_are_put_into_words(reveal: bool, said: str) -> None:
    spans = [
        {"start": 0, "end": 7, "as": ["undress"], "prompt": "stripme"},
        {"start": 11, "end": 18, "as": ["garment"], "prompt": "skirt"},
    ]
    evidence = {"languages": ["en", "fr"], "spans": spans}
    found = Finding("text-intent.v1", Label.REQUEST_NUDIFY, 0.9, evidence)
    page = _Page(report("html", [blocked("texts.jsonl#1", found)], reveal=reveal))
    words = " ".join(" ".join(page.words).split())
    assert said in words
    assert "languages en, fr" in words
    assert "{" not in words.partition(said)[2].partition("Words on this page")[0]


def test_errors_say_what_to_do() -> None:
    words = "".join(_Page(report("html", [broken()])).words)
    assert "The item is truncated: jpeg" in words
    assert "Get a complete copy." in words


def test_an_escalation_shows_no_evidence() -> None:
    from dataclasses import replace

    bare = escalated()
    finding = replace(bare.findings[0], evidence={"entry": "not to be shown"})
    assert "not to be shown" not in report("html", [replace(bare, findings=(finding,))])


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([], "Nothing was scanned"),
        ([plain()] * 3, "Nothing found in 3 items"),
        ([skipped()], "Nothing found; 1 item not checked in full"),
        ([blocked(), doubtful(), plain()], "1 item to block, 1 to review"),
        ([escalated(), blocked(), blocked()], "1 item to escalate, 2 to block"),
    ],
)
def test_the_headline_says_what_the_scan_came_to(verdicts: list, said: str) -> None:  # type: ignore[type-arg]
    assert f'<h1 id="headline">{said}</h1>' in report("html", verdicts).replace("\u00a0", " ")


def test_interruption_and_baseline_are_told() -> None:
    text = report("html", [plain()], interrupted=True, suppressed=1)
    assert "Interrupted." in text
    assert "1 finding known from the baseline is left out" in text


def test_items_with_nothing_to_say_have_no_row() -> None:
    assert _Page(report("html", [plain()] * 5)).rows() == 0
    assert _Page(report("html", one_of_each())).rows() == 7


def test_rows_are_capped_the_most_urgent_kept_and_the_rest_counted() -> None:
    out = io.StringIO()
    page = HtmlPage(out, most_rows=3)
    verdicts = [*(skipped(f"s{n}") for n in range(5)), blocked("late"), broken("b"), silenced("q")]
    for verdict in verdicts:
        page.verdict(verdict)
    page.finish(summary_of(verdicts))
    refs = re.findall(r'<bdi class="ref">(.*?)</bdi>', out.getvalue())
    assert refs == ["late", "b", "s0"]
    assert "5 more items, the least urgent, are left out" in out.getvalue()


def test_rows_of_one_urgency_keep_the_order_of_the_scan() -> None:
    text = report("html", [blocked(f"{n}.jpg") for n in range(5)])
    assert re.findall(r'<bdi class="ref">(\d)', text) == list("01234")


def test_many_findings_of_one_item_are_cut_short() -> None:
    verdict = blocked("a", *(match(entry=f"e-{n}") for n in range(20)))
    assert "10 more findings of this item" in report("html", [verdict])


def test_memory_does_not_grow_with_the_number_of_verdicts() -> None:
    page = HtmlPage(io.StringIO(), most_rows=100)
    for number in range(200):
        page.verdict(blocked(f"{number}.jpg"))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(10_000):
            page.verdict(blocked(f"{number}.jpg") if number % 2 else plain(f"{number}.jpg"))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 200_000


def test_ten_thousand_verdicts_make_a_page_of_bounded_size() -> None:
    text = report("html", (blocked(f"{number}.jpg") for number in range(10_000)))
    assert _Page(text).rows() == MOST_ROWS
    assert "5,000 more items" in text
    assert len(text) < 12_000_000


def test_shares_of_the_bar_fill_it_and_none_vanishes() -> None:
    text = report("html", [plain()] * 5_000 + [blocked(), doubtful(), escalated()])
    rects = re.findall(r'<rect class="fill-\w+" x="([\d.]+)%" width="([\d.]+)%"', text)
    widths = [float(width) for _, width in rects]
    assert len(widths) == 4
    assert sum(widths) == pytest.approx(100, abs=0.01)
    assert min(widths) > 0.5
