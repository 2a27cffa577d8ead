from __future__ import annotations

import io
import subprocess
import sys
from typing import Any

import pytest

from egide.errors import UsageError
from egide.label import Label
from egide.report import FORMATS, Summary, make_reporter
from egide.report.words import ACTIONS, ERRORS, LABELS, brief, count, duration, explain
from egide.verdict import Action
from tests.report_samples import HOSTILE_REFS, match, one_of_each, report, silenced, summary_of


def test_summary_counts_items() -> None:
    summary = summary_of(one_of_each())
    assert summary.items == 8
    assert summary.actions == {"allow": 3, "review": 2, "block": 2, "escalate": 1}
    assert (summary.errors, summary.skipped) == (1, 1)
    assert summary.rate == 4.0


def test_summary_counts_an_item_once_for_each_label_and_no_silenced_finding() -> None:
    assert summary_of(one_of_each()).labels == {Label.NCII_KNOWN: 3, Label.MINOR_ESCALATE: 1}
    assert not summary_of([silenced()]).labels


def test_summary_has_every_action_from_the_start() -> None:
    assert list(Summary().actions) == list(Action)
    assert Summary().rate == 0.0


def test_an_unknown_format_is_wrong_usage_and_names_the_formats() -> None:
    with pytest.raises(UsageError, match="table, jsonl, html, sarif"):
        make_reporter("pdf", io.StringIO())


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_ends_well_without_a_single_verdict(format_: str) -> None:
    assert report(format_, [], interrupted=True, seconds=0.0) or format_ == "jsonl"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_format_survives_any_stream_and_any_name(format_: str, encoding: str) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding, newline="")
    reporter = make_reporter(format_, out)
    for ref in (*HOSTILE_REFS, "日本語/é.jpg"):
        for verdict in one_of_each():
            reporter.verdict(verdict.__class__.from_json(_renamed(verdict.to_json(), ref)))
    reporter.finish(summary_of(one_of_each()))
    out.flush()
    assert raw.getvalue().decode(encoding)


def _renamed(document: dict[str, object], ref: str) -> str:
    import json

    return json.dumps(document | {"item": {"ref": ref, "kind": "image", "sha256": None}})


@pytest.mark.parametrize("format_", FORMATS)
def test_private_evidence_is_masked_unless_revealed(format_: str) -> None:
    verdicts = one_of_each()
    assert "Jane Roe" not in report(format_, verdicts)
    if format_ != "table":  # the table has no room for it
        assert "Jane Roe" in report(format_, verdicts, reveal=True)


def test_every_action_label_and_error_has_words() -> None:
    from egide import errors

    codes = {
        error.code
        for error in vars(errors).values()
        if isinstance(error, type) and issubclass(error, errors.ItemError)
    }
    assert set(ACTIONS) == set(Action)
    assert set(LABELS) == set(Label)
    assert codes - {"item", "limit"} <= set(ERRORS) <= codes


@pytest.mark.parametrize(
    ("evidence", "said"),
    [
        ({"edit": "mirror"}, "known in bank demo, mirrored, 12 bits apart"),
        ({"distance": 1}, "known in bank demo, 1 bit apart"),
        ({"distance": 0}, "known in bank demo, same fingerprint"),
        ({"method": "md5", "distance": 0}, "known in bank demo, same file"),
        (
            {"edit": "border+rotate90"},
            "known in bank demo, border differs, turned left, 12 bits apart",
        ),
        ({"disputed": True}, "known in bank demo, 12 bits apart, disputed"),
    ],
)
def test_a_match_is_told_in_brief(evidence: dict[str, Any], said: str) -> None:
    assert brief(match(**evidence)) == said


def test_a_match_is_explained_in_sentences() -> None:
    assert explain(match(edit="mirror")) == (
        "A copy of a picture that bank demo holds as non-consensual intimate imagery. "
        "Their PDQ fingerprints differ in 12 of 256 bits. "
        "Compared with the known picture, left and right were exchanged."
    )
    assert explain(match(0.6, distance=47)).startswith("Perhaps a copy")
    assert "allow bank false-matches" in explain(silenced().findings[0])


def test_counts_and_times_read_well() -> None:
    assert (count(1, "item"), count(1204, "item")) == ("1 item", "1,204 items")
    assert (duration(12.34), duration(245), duration(7620)) == (
        "12.3 s",
        "4 min 05 s",
        "2 h 07 min",
    )


def test_json_lines_cost_no_start_up() -> None:
    code = (
        "import io, sys; from egide.report import make_reporter;"
        "make_reporter('jsonl', io.StringIO());"
        "print([m for m in ('rich', 'jinja2', 'yaml', 'numpy', 'PIL') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "[]\n"
