"""What traces come to in words of the taxonomy, and which names are masked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from egide.hub.gazetteer_sample import sample_gazetteer
from egide.label import Label
from egide.provenance.account import Link, Trace
from egide.provenance.labels import labelled
from egide.provenance.statements import (
    Certainty,
    Declaration,
    Generation,
    NamedModel,
    Role,
    Trust,
    Watermark,
)
from egide.sniff import Kind

PERSON = sample_gazetteer().person(0).name
SYNTHETIC = {Label.SYNTHETIC_TRACED}


def traced(prompt: str | None, *adapters: str, trust: Trust = Trust.TEXT, **more: Any) -> Trace:
    models = tuple(NamedModel(Role.ADAPTER, name, 0.8) for name in adapters)
    made = Generation("a1111", ("png:parameters",), trust, prompt=prompt, models=models)
    return Trace("a.png", Kind.IMAGE, None, generations=(made,), models=models, **more)


def labels(trace: Trace, *, gazetteer: bool = True) -> dict[Label, float]:
    people = sample_gazetteer() if gazetteer else None
    return {finding.label: finding.score for finding in labelled(trace, people).labels}


def link(**scores: Any) -> Link:
    return Link(**{
        "model": 0, "hub": "civitai", "listing": "4711", "version": "900", "sureness": "sure",
        "by": ("autov3",), **scores,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("trust", "score"),
    [
        (Trust.SIGNED_TRUSTED, 1.0), (Trust.SIGNED, 0.8), (Trust.TEXT, 0.6),
        (Trust.CONTRADICTED, 0.3),
    ],
)  # fmt: skip
def test_a_declaration_counts_as_far_as_it_can_be_believed(trust: Trust, score: float) -> None:
    claim = Declaration("iptc", "xmp:x", trust, "trainedAlgorithmicMedia")
    trace = Trace("a.png", Kind.IMAGE, None, declarations=(claim,))
    assert labels(trace) == {Label.SYNTHETIC_DECLARED: score}


@pytest.mark.parametrize(
    ("certainty", "score"),
    [(Certainty.CERTAIN, 0.6), (Certainty.LIKELY, 0.48), (Certainty.SUSPECTED, 0.36)],
)
def test_whoever_declares_may_not_be_sure(certainty: Certainty, score: float) -> None:
    source = "trainedAlgorithmicMedia"
    claim = Declaration("tc260", "xmp:x", Trust.TEXT, source, certainty=certainty)
    trace = Trace("a.png", Kind.IMAGE, None, declarations=(claim,))
    assert labels(trace) == {Label.SYNTHETIC_DECLARED: score}
    surer = replace(claim, certainty=Certainty.CERTAIN)
    assert labels(replace(trace, declarations=(claim, surer))) == {Label.SYNTHETIC_DECLARED: 0.6}


def test_a_capture_is_no_declaration_of_synthesis() -> None:
    claim = Declaration("c2pa", "c2pa", Trust.SIGNED_TRUSTED, "digitalCapture")
    assert labels(Trace("a.png", Kind.IMAGE, None, declarations=(claim,))) == {}


def test_a_watermark_traces() -> None:
    trace = Trace("a.png", Kind.IMAGE, None, watermark=Watermark("sdxl", 48, 48))
    assert labels(trace) == {Label.SYNTHETIC_TRACED: 0.9}


def test_a_file_that_says_nothing_has_no_label() -> None:
    assert labels(Trace("a.png", Kind.IMAGE, None)) == {}


@pytest.mark.parametrize(
    "prompt",
    [
        "a lake at dawn, soft light, mountains, 35mm photo",
        "photo of a woman, 35mm, realistic skin, portrait",
        "nude study, charcoal, classical sculpture",
        "a street in the style of an old painter, oil on canvas",
        "",
    ],
)
@pytest.mark.parametrize("adapter", ["soft-light", "watercolor_landscape_v2", "add_detail"])
def test_a_prompt_without_a_person_is_only_traced(prompt: str, adapter: str) -> None:
    assert labels(traced(prompt, adapter)).keys() == SYNTHETIC


def test_an_adapter_with_a_person_s_name_is_a_named_likeness() -> None:
    found = labels(traced("portrait, soft light", PERSON.lower().replace(" ", "_")))
    assert found.keys() == SYNTHETIC | {Label.LIKENESS_NAMED}


def test_a_person_in_the_prompt_is_a_named_likeness_and_a_sexual_one() -> None:
    found = labels(traced(f"photo of {PERSON}, street, nude"))
    assert found.keys() == SYNTHETIC | {Label.LIKENESS_NAMED, Label.LIKENESS_SEXUAL}


def test_nobody_is_named_without_a_gazetteer() -> None:
    assert labels(traced(f"photo of {PERSON}"), gazetteer=False).keys() == SYNTHETIC


@pytest.mark.parametrize("adapter", ["ohwx woman", "my_girlfriend_v3", "real_person_anna"])
def test_an_adapter_of_somebody_unnamed_is_an_unnamed_likeness(adapter: str) -> None:
    assert labels(traced("portrait", adapter)).keys() == SYNTHETIC | {Label.LIKENESS_UNNAMED}


def test_an_adapter_that_says_nothing_is_known_by_its_listing() -> None:
    trace = traced("portrait", "zx81", links=(link(unnamed=0.9, sexual=0.8),))
    found = labelled(trace).labels
    assert {finding.label for finding in found} == SYNTHETIC | {
        Label.LIKENESS_UNNAMED, Label.LIKENESS_SEXUAL,
    }  # fmt: skip
    (evidence,) = [f.evidence for f in found if f.label is Label.LIKENESS_UNNAMED]
    assert evidence["listing"] == "4711"
    assert evidence["adapters"] == [{"name": "zx81", "role": "adapter", "weight": 0.8}]


def test_a_name_alone_that_leads_to_several_listings_proves_nothing() -> None:
    likeness = link(named=0.97, sureness="weak", by=("file",))
    assert labels(traced("portrait", "zx81", links=(likeness,)))[Label.LIKENESS_NAMED] < 0.6
    other = replace(likeness, named=0.0, listing="12")
    assert labels(traced("portrait", "zx81", links=(likeness, other))).keys() == SYNTHETIC


def test_a_listing_that_is_no_likeness_changes_nothing() -> None:
    trace = traced("a lake", "zx81", links=(link(unnamed=0.2, sexual=0.9),))
    assert labels(trace).keys() == SYNTHETIC


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("velora_quintane", True), ("VeloraQuintane_v2", True), ("ohwx woman", True),
        ("soft-light", False), ("watercolor_landscape", False), ("add_detail", False),
        ("xl_more_art-full_v1", False),
    ],
)  # fmt: skip
def test_names_that_may_be_those_of_people_are_masked(name: str, masked: bool) -> None:
    trace = labelled(traced("portrait", name))
    assert (trace.to_json()["models"][0]["name"] == "***") is masked
    assert trace.to_json(reveal=True)["models"][0]["name"] == name


def test_the_name_of_a_likeness_is_masked_whatever_it_looks_like() -> None:
    trace = labelled(traced("portrait", "soft-light", links=(link(named=0.9),)))
    assert trace.to_json()["models"][0]["name"] == "***"
    assert "soft-light" not in str(trace.to_json())


def test_a_hostile_prompt_is_read_in_linear_time() -> None:
    trace = traced("a," * 1_000_000, *(f"lora{n}" for n in range(300)))
    assert labels(trace).keys() == SYNTHETIC
