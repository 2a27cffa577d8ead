"""The taxonomy is that of the design, and maps only its own words."""

from __future__ import annotations

import json
import re
from pathlib import Path

from egide.label import DSA_KEYWORD, OZONE_REASON, Label

DESIGN = """
ncii.known ncii.request.nudify ncii.request.sexualize ncii.request.faceswap ncii.request.intimate
ncii.service.promotion ncii.service.referral ncii.commission.solicit ncii.commission.offer
likeness.named likeness.unnamed likeness.sexual synthetic.declared synthetic.traced consent.missing
consent.withdrawn rating.mismatch evasion.text context.support context.news minor.escalate
"""
DESIGN_LABELS = DESIGN.split()


def test_labels_are_those_of_the_design_and_no_others() -> None:
    assert [str(label) for label in Label] == DESIGN_LABELS


def test_labels_are_dotted_lower_case_words() -> None:
    assert all(re.fullmatch(r"[a-z]+(\.[a-z]+)+", label) for label in Label)


def test_every_mapping_is_a_keyword_of_the_other_side() -> None:
    assert all(re.fullmatch(r"KEYWORD_[A-Z_]+", keyword) for keyword in DSA_KEYWORD.values())
    assert all(re.fullmatch(r"reason[A-Z][A-Za-z]+", reason) for reason in OZONE_REASON.values())


def test_a_context_has_no_counterpart() -> None:
    for label in (Label.CONTEXT_NEWS, Label.CONTEXT_SUPPORT, Label.EVASION_TEXT):
        assert label not in DSA_KEYWORD
        assert label not in OZONE_REASON


def test_the_schema_knows_the_same_labels() -> None:
    schema = Path(__file__).parents[2] / "src/egide/report/verdict.schema.json"
    labels = json.loads(schema.read_text())["$defs"]["finding"]["properties"]["label"]["enum"]
    assert labels == DESIGN_LABELS
