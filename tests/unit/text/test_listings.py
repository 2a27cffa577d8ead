"""Listings of models: a hub's tools that undress are found, its nudes and dresses are not."""

from __future__ import annotations

import pytest

from egide.detectors.likeness_examples import listing
from egide.detectors.text_intent import LISTED, SURE, TextIntent
from egide.finding import Finding
from egide.item import Item
from egide.label import Label
from egide.policy_file import load_policy
from egide.scan import Scanner
from egide.sniff import Kind
from egide.verdict import Action


def found(data: bytes) -> list[Finding]:
    item = Item.from_bytes(data, "listing.json")
    assert item.kind is Kind.LISTING
    return [one for one in TextIntent().detect(item) if isinstance(one, Finding)]


@pytest.mark.parametrize(
    "title",
    [
        "Undress anyone: removes the clothes from photos of real people. Upload a photo of your ex",
        "Nudify LoRA, strip any girl from one photo",
        "Désape n'importe qui : déshabille la photo de ta collègue",
    ],
)
def test_a_tool_that_undresses_is_found(title: str) -> None:
    findings = found(listing(title, tags=["nsfw", "tool"]))
    assert findings
    assert {one.label for one in findings} <= LISTED
    assert all(one.score >= SURE for one in findings)


@pytest.mark.parametrize(
    ("title", "tags"),
    [
        ("Lingerie", ["nsfw", "clothing"]),
        ("Nude life drawing, charcoal", ["art", "nude"]),
        ("Realistic woman checkpoint", ["photorealistic", "nsfw", "woman"]),
        ("Anime character, undressed version included", ["anime", "nsfw"]),
        ("Clothing segmentation for shops", ["fashion"]),
        ("Watercolor", ["style"]),
    ],
)
def test_what_hubs_are_full_of_is_not(title: str, tags: list[str]) -> None:
    assert found(listing(title, tags=tags)) == []


def test_the_default_policy_blocks_it() -> None:
    data = listing("Undress app: remove the clothes of any girl, upload a photo", tags=["nsfw"])
    verdict = Scanner([TextIntent()], load_policy()).scan(Item.from_bytes(data, "listing.json"))
    assert verdict.action is Action.BLOCK


def test_a_listing_that_its_hub_calls_a_minors_is_not_read() -> None:
    (finding,) = found(listing("Undress anyone", minor=True))
    assert finding.label is Label.MINOR_ESCALATE
    assert finding.evidence == {}
