"""`likeness-adapter.v1`: its examples, what it tells, what it masks, and what the policy does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from egide.detector import DetectorSettings
from egide.detectors.likeness_adapter import LikenessAdapter, from_settings
from egide.detectors.likeness_examples import adapter_file, likeness_examples, listing
from egide.errors import GazetteerError, UsageError
from egide.finding import MASK, Fault, Finding
from egide.hub.gazetteer_sample import sample_gazetteer
from egide.item import Item
from egide.label import Label
from egide.policy_file import load_policy
from egide.scan import Scanner
from egide.sniff import Kind
from egide.testing import failing_examples
from egide.verdict import Action, Verdict
from tests import models


def scanned(data: bytes, detector: LikenessAdapter | None = None) -> Verdict:
    known = detector or LikenessAdapter(sample_gazetteer())
    return Scanner([known], load_policy()).scan(Item.from_bytes(data, "item"))


def test_every_example_holds() -> None:
    assert failing_examples(from_settings) == []


def test_there_is_an_example_of_everything_that_can_be_found() -> None:
    found = {label for example in likeness_examples() for label in example.labels}

    assert found == LikenessAdapter.labels - {Label.MINOR_ESCALATE}
    assert {example.item.kind for example in likeness_examples()} == {Kind.LISTING, Kind.MODEL}


@pytest.mark.parametrize(
    ("data", "action", "rule"),
    [
        (listing("Velora Quintane", tags=["nude"]), Action.BLOCK, "sexual-likeness"),
        (listing("My ex girlfriend nude"), Action.BLOCK, "sexual-likeness"),
        (listing("Velora Quintane"), Action.REVIEW, "named-likeness"),
        (listing("My ex girlfriend"), Action.REVIEW, "unnamed-likeness"),
        (listing("Lingerie", tags=["nsfw", "clothing"]), Action.ALLOW, "default"),
        (listing("Watercolor", tags=["style"]), Action.ALLOW, "default"),
    ],
)
def test_the_default_policy_acts_on_it(data: bytes, action: Action, rule: str) -> None:
    verdict = scanned(data)

    assert (verdict.action, verdict.rule) == (action, rule)


def test_names_are_masked_and_the_rest_is_told() -> None:
    [finding, *_] = scanned(listing("v3l0ra qu1ntane lora", tags=["velora quintane"])).findings

    assert finding.evidence["name"] == "Velora Quintane (Q900000101)"
    assert finding.to_json()["evidence"] == {
        "name": MASK,
        "where": ["tag", "title"],
        "written": ["digits"],
    }


def test_the_signals_of_a_structure_are_told() -> None:
    [finding] = scanned(listing("My ex girlfriend")).findings

    assert finding.label is Label.LIKENESS_UNNAMED
    assert finding.evidence["signals"][0] == {
        "signal": "relation",
        "weight": 3.6,
        "where": "title",
    }


def test_what_makes_it_sexual_is_told() -> None:
    findings = scanned(listing("Velora Quintane", tags=["nude"], nsfw=True)).findings

    assert findings[-1].label is Label.LIKENESS_SEXUAL
    assert findings[-1].evidence == {"because": ["explicit", "flagged"]}


def test_without_a_gazetteer_nothing_is_left_out() -> None:
    verdict = scanned(listing("My ex girlfriend", tags=["velora quintane"]), LikenessAdapter())

    assert [finding.label for finding in verdict.findings] == [Label.LIKENESS_UNNAMED]
    assert verdict.skipped == ()


def test_what_a_hub_says_of_minors_escalates_and_stops_there() -> None:
    verdict = scanned(listing("Portrait", minor=True))

    assert verdict.action is Action.ESCALATE
    assert [finding.evidence for finding in verdict.findings] == [{}]


def test_a_file_that_cannot_be_read_whole_is_not_allowed() -> None:
    data = adapter_file({"ss_output_name": "inkwash"})
    verdict = scanned(data[:40])

    assert verdict.action is not Action.ALLOW
    assert verdict.errors


def test_a_file_that_would_run_code_is_not_allowed() -> None:
    verdict = scanned(models.torch_zip(b"\x80\x02cos\nsystem\n(X\x04\x00\x00\x00truetR."))

    assert (verdict.action, verdict.rule) == (Action.REVIEW, "incomplete")
    assert [fault.error for fault in verdict.errors] == ["unsafe"]
    assert "os.system; do not load it" in verdict.errors[0].message


def test_a_name_in_a_file_is_found_though_the_rest_is_broken(tmp_path: Path) -> None:
    path = tmp_path / "velora_quintane.safetensors"
    path.write_bytes(adapter_file({"ss_output_name": "x"})[:40])
    seen = list(LikenessAdapter(sample_gazetteer()).detect(Item.from_path(path)))

    assert any(isinstance(one, Finding) and one.label is Label.LIKENESS_NAMED for one in seen)
    assert any(isinstance(one, Fault) for one in seen)


def test_options_make_the_detector(tmp_path: Path) -> None:
    def made(**options: Any) -> LikenessAdapter:
        return from_settings(DetectorSettings(options=options))

    assert made().gazetteer is None
    assert made(gazetteer="sample").gazetteer is sample_gazetteer()
    assert made(**{"historical-years": "70"}).historical_years == 70
    with pytest.raises(GazetteerError):
        made(gazetteer=str(tmp_path / "none"))
    for wrong in ("x", "-1", "1e3", "99999"):
        with pytest.raises(UsageError, match="years"):
            made(**{"historical-years": wrong})
