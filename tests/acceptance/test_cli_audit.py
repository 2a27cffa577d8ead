"""`egide audit`, and `egide scan` on records: what they print, write and end with."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from egide.hub.gazetteer_sample import sample_gazetteer
from tests import adverts
from tests.acceptance.conftest import COPY, Egide
from tests.listings import civitai_models

Write = Callable[[dict[str, bytes]], None]
PERSON = sample_gazetteer().person(0).name
TEXT = {"id": "p1", "text": "a lake at dawn", "context": "prompt"}


def dump(records: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def models(count: int = 30) -> list[dict[str, Any]]:
    return list(civitai_models(count, people=[PERSON], share=0.5))


# ── egide audit ─────────────────────────────────────────────────────────────────────────────────


def test_an_audit_writes_a_summary_the_tables_and_a_page(egide: Egide, write: Write) -> None:
    write({"dump.jsonl.gz": gzip.compress(dump(models()))})
    done = egide("audit", "dump.jsonl.gz", "--out", "out", "--gazetteer", "sample", "-j", "1")
    assert (done.code, done.out) == (0, "")
    assert "among 30" in done.err
    summary = json.loads(Path("out/summary.json").read_text())
    imitating = sum(PERSON in model["name"] for model in models())
    assert (summary["models_total"], summary["likeness_total"]) == (30, imitating)
    assert {"by_tag.csv", "by_country.csv", "audit.html"} <= {p.name for p in Path("out").iterdir()}
    assert not Path("out/sample.csv").exists()


def test_the_name_of_the_command_may_be_given_and_options_may_come_first(
    egide: Egide, write: Write
) -> None:
    write({"d.jsonl": dump(models(3))})
    for arguments in (["run", "d.jsonl", "--out", "a"], ["--out", "b", "-j", "1", "d.jsonl"]):
        assert egide("audit", *arguments).code == 0
    a, b = (json.loads(Path(out, "summary.json").read_text()) for out in "ab")
    assert a | {"made": ""} == b | {"made": ""}


def test_without_a_gazetteer_structure_alone_tells(egide: Egide, write: Write) -> None:
    write({"d.jsonl": dump(models())})
    assert egide("audit", "d.jsonl", "--out", "out", "-j", "1").code == 0
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary["likeness_named"] == 0
    assert summary["likeness_unnamed"] > 0
    assert summary["gazetteer_people"] is None


def test_adverts_are_audited_beside_listings_or_alone(egide: Egide, write: Write) -> None:
    write({"a.jsonl": dump(adverts.records()), "m.jsonl": dump(models())})
    done = egide("audit", "a.jsonl", "--out", "alone", "-j", "2")
    assert (done.code, done.out) == (0, "")
    texts = json.loads(Path("alone/summary.json").read_text())["texts"]
    assert f"{texts['offers']} offers among 220 texts; see alone/audit.html" in done.err
    assert "model" not in done.err
    assert {"providers.csv", "prices.csv"} <= {p.name for p in Path("alone").iterdir()}
    done = egide("audit", "a.jsonl", "m.jsonl", "--out", "both", "-j", "1")
    assert "among 30" in done.err
    assert "among 220 texts" in done.err
    assert json.loads(Path("both/summary.json").read_text())["texts"] == texts


def test_names_of_channels_are_shown_with_a_reason(egide: Egide, write: Write) -> None:
    write({"a.jsonl": dump(adverts.records())})
    channel = adverts.PROVIDERS[0].channel
    assert egide("audit", "a.jsonl", "--out", "a", "-j", "1").code == 0
    assert channel not in Path("a/providers.csv").read_text()
    shown = ("--reveal", "--reason", "a study", "--home", "elsewhere")
    assert egide("audit", "a.jsonl", "--out", "b", "-j", "1", *shown).code == 0
    assert channel in Path("b/providers.csv").read_text()


def test_unreadable_records_end_it_with_three_but_do_not_stop_it(
    egide: Egide, write: Write
) -> None:
    write({"d.jsonl": dump(models(3)) + b'{"id"\n' + dump(models(6)[3:])})
    done = egide("audit", "d.jsonl", "--out", "out", "-j", "1")
    assert done.code == 3
    assert "1 record could not be read" in done.err
    summary = json.loads(Path("out/summary.json").read_text())
    assert (summary["models_total"], summary["unreadable"]) == (6, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["none.jsonl", "--out", "out"], "no such file"),
        (["d.jsonl", "--out", "d.jsonl"], "no folder"),
        (["d.jsonl", "--out", "out", "--reveal"], "--reason"),
        (["d.jsonl", "--out", "out", "--reveal", "--reason", "  "], "--reason"),
        (["d.jsonl", "--out", "out", "--policy-name", "x"], "civitai-2025-05"),
        (["d.jsonl", "--out", "out", "--gazetteer", "d.jsonl"], "gazetteer"),
    ],
)
def test_wrong_usage_is_one_line_and_writes_nothing(
    egide: Egide, write: Write, arguments: list[str], says: str
) -> None:
    write({"d.jsonl": dump(models(3))})
    done = egide("audit", *arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err
    assert done.err.count("\n") == 1
    assert not Path("out").exists()


def test_names_are_shown_with_a_reason_that_is_recorded(egide: Egide, write: Write) -> None:
    write({"d.jsonl": dump(models())})
    arguments = ["audit", "d.jsonl", "--gazetteer", "sample", "-j", "1"]
    assert egide(*arguments, "--out", "masked").code == 0
    assert egide(*arguments, "--out", "shown", "--reveal", "--reason", "a study").code == 0
    assert PERSON not in Path("masked/people.csv").read_text()
    assert PERSON in Path("shown/people.csv").read_text()
    (line,) = (egide.home / "reveals.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"] == "a study"


def test_a_sample_labelled_by_hand_gives_precision_and_recall(egide: Egide, write: Write) -> None:
    write({"d.jsonl": dump(models(60))})
    arguments = ["--gazetteer", "sample", "-j", "1", "--sample", "10"]
    assert egide("audit", "d.jsonl", "--out", "out", *arguments).code == 0
    with Path("out/sample.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["is_named"], row["is_unnamed"] = row["named"], row["unnamed"]
        row["is_sexual"] = row["sexual"]
    with Path("labelled.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    done = egide("audit", "score", "labelled.csv")
    assert done.code == 0
    assert [line["label"] for line in done.lines] == [
        "likeness",
        "likeness.named",
        "likeness.unnamed",
        "likeness.sexual",
    ]
    assert done.lines[1]["precision"]["value"] == 1
    assert egide("audit", "score", "d.jsonl").code == 2


# ── egide scan on records ───────────────────────────────────────────────────────────────────────


def test_a_scan_gives_a_verdict_a_record_in_the_order_of_the_file(
    egide: Egide, write: Write
) -> None:
    sexual = next(m for m in models() if "nude" in m["tags"])
    plain = next(m for m in models() if PERSON not in m["name"])
    write({"d.jsonl": dump([plain, sexual, TEXT, {"a": 1}]), "a.jpg": COPY})
    done = egide("scan", "d.jsonl", "a.jpg", "--gazetteer", "sample")
    assert done.code == 1
    ids = [str(plain["id"]), str(sexual["id"]), "p1", "4"]
    assert done.refs == [*(f"d.jsonl#{id_}" for id_ in ids), "a.jpg"]
    assert [line["item"]["kind"] for line in done.lines][:3] == ["listing", "listing", "text"]
    assert done.lines[0]["action"] == "allow"
    assert (done.lines[1]["action"], done.lines[1]["rule"]) == ("block", "sexual-likeness")
    assert done.lines[3]["errors"][0]["error"] == "unknown-record"
    assert PERSON not in done.out
    assert PERSON in egide("scan", "d.jsonl", "--gazetteer", "sample", "--reveal").out


def test_records_may_come_on_standard_input(egide: Egide) -> None:
    done = egide("scan", "-", "--gazetteer", "sample", stdin=dump(models(4)))
    assert done.refs == [f"-#{n}" for n in range(1, 5)]


@pytest.mark.parametrize("format_", ["html", "sarif", "jsonl"])
def test_reports_take_references_of_records(egide: Egide, write: Write, format_: str) -> None:
    write({"a b#c.jsonl": dump(models(9))})
    egide("scan", "a b#c.jsonl", "--gazetteer", "sample", "--out", f"r.{format_}")
    report = Path(f"r.{format_}").read_text()
    number = next(m["id"] for m in models(9) if PERSON in m["name"])
    written = f"a%20b%23c.jsonl%23{number}" if format_ == "sarif" else f"a b#c.jsonl#{number}"
    assert written in report


def test_a_baseline_knows_records_by_their_bytes(egide: Egide, write: Write) -> None:
    write({"d.jsonl": dump(models(9))})
    first = egide("scan", "d.jsonl", "--gazetteer", "sample")
    assert first.code == 1
    Path("base.jsonl").write_text(first.out)
    again = egide("scan", "d.jsonl", "--gazetteer", "sample", "--baseline", "base.jsonl")
    assert again.code == 0
    write({"d.jsonl": dump([models(12)[-1], *models(9)])})
    moved = egide("scan", "d.jsonl", "--gazetteer", "sample", "--baseline", "base.jsonl")
    assert [line["action"] for line in moved.lines[1:]] == ["allow"] * 9
