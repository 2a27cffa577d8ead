from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from egide.report import make_reporter
from egide.report.table import shorten, summary_line
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


@pytest.fixture(autouse=True)
def _a_terminal_of_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_finding_takes_one_line_of_80_columns() -> None:
    assert report("table", [blocked("uploads/copy.jpg")]).splitlines()[0] == (
        "block     uploads/copy.jpg           known in bank demo, mirrored, 12 bits apart"
    )


def test_items_with_nothing_to_say_are_left_out_unless_verbose() -> None:
    assert report("table", [plain()]).splitlines() == ["1 item in 2.0 s (0.5/s): 1 allow"]
    assert report("table", [plain()], verbose=True).splitlines()[0] == "allow     plain.jpg"


def test_a_silenced_match_says_so() -> None:
    said = " ".join(report("table", [silenced()]).split())
    assert said.startswith("allow fake.jpg known in bank demo, 27 bits apart, silenced by allow")


def test_errors_stand_on_a_line_of_their_own() -> None:
    first, second, *_ = report("table", [broken()]).splitlines()
    assert first.split(maxsplit=2)[2] == "not fully checked: cut off"
    assert second == "          The item is truncated: jpeg"


def test_an_error_beside_a_finding_hides_neither() -> None:
    both = blocked()
    both = type(both).from_json(_with_error(both.to_json()))
    said = report("table", [both])
    assert "12 bits apart" in said
    assert "the end is missing" in said


def _with_error(document: dict[str, object]) -> str:
    import json

    error = {"detector": "scan", "error": "truncated", "message": "the end is missing"}
    return json.dumps(document | {"errors": [error]})


def test_what_was_skipped_everywhere_is_listed_a_few_times_only() -> None:
    verdicts = [skipped(f"{number}.mp4") for number in range(10)]
    lines = report("table", verdicts).splitlines()
    assert len([line for line in lines if line.startswith("skipped")]) == 3
    assert "7 more items skipped for the same reasons" in lines
    assert len(report("table", verdicts, verbose=True).splitlines()) == 11


def test_skips_that_all_differ_are_listed_a_bounded_number_of_times() -> None:
    verdicts = [skipped(f"{number}.mp4", f"reason {number}") for number in range(1_000)]
    assert len(report("table", verdicts).splitlines()) < 120


def test_an_escalation_says_what_to_do_and_nothing_else() -> None:
    assert "frozen: follow your escalation procedure" in report("table", [escalated()])


def test_more_findings_of_one_item_are_counted() -> None:
    verdict = blocked("a.jpg", match(distance=0), match(), match())
    assert "same fingerprint, and 2 more" in " ".join(report("table", [verdict]).split())


def test_the_summary_reads_as_one_line() -> None:
    verdicts = [plain()] * 1_200 + [blocked()] * 3 + [doubtful()]
    summary = summary_of(verdicts, seconds=12.3)
    summary.errors, summary.skipped = 2, 1
    assert summary_line(summary) == (
        "1,204 items in 12.3 s (98/s): 3 block, 1 review, 1,200 allow; 2 errors, 1 skipped"
    )


def test_the_summary_tells_of_interruption_and_baseline() -> None:
    said = report("table", [plain()], interrupted=True, suppressed=4)
    assert "interrupted: this is what was found so far" in said
    assert "4 known from the baseline" in said


def test_lines_come_at_once() -> None:
    out = io.StringIO()
    reporter = make_reporter("table", out)
    reporter.verdict(blocked("first.jpg"))
    assert "first.jpg" in out.getvalue()


def test_a_pipe_gets_no_colour_and_a_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in report("table", one_of_each())
    terminal = _Terminal()
    make_reporter("table", terminal).verdict(blocked())
    assert "\x1b[1;31mblock" in terminal.getvalue()


def test_no_color_takes_colour_away_and_force_color_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = _Terminal()
    make_reporter("table", terminal).verdict(blocked())
    assert "31m" not in terminal.getvalue()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1;31mblock" in report("table", [blocked()])


@pytest.mark.parametrize("ref", HOSTILE_REFS)
def test_nothing_hostile_reaches_the_terminal(ref: str) -> None:
    verdicts = [blocked(ref), broken("b.jpg", ref), skipped("s.mp4", ref or "-"), plain(ref)]
    said = report("table", verdicts, verbose=True)
    _assert_harmless(said)
    assert all(cell_len(line) <= 80 for line in said.splitlines())


def test_markup_and_emoji_codes_are_shown_as_they_are() -> None:
    assert "[bold]a[/] :smile:" in report("table", [blocked("[bold]a[/] :smile:")])


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_name_and_message_is_harmless(text: str) -> None:
    said = report("table", [blocked(text), broken("b.jpg", text)])
    _assert_harmless(said)
    assert all(cell_len(line) <= 80 for line in said.split("\n"))


@given(st.text(st.characters(codec=None), max_size=200), st.integers(10, 60))
def test_shortening_keeps_within_the_width_and_both_ends(text: str, width: int) -> None:
    short = shorten(text, width)
    assert cell_len(short) <= width
    assert short == text or "…" in short


def test_shortening_takes_the_middle() -> None:
    assert shorten("uploads/2024/07/picture.jpg", 20) == "uploads…/picture.jpg"


def _assert_harmless(said: str) -> None:
    bad = {c for c in said if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}} - {"\n"}
    assert not bad
