"""From a file back to what made it: readers joined, damage told, nothing invented."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from egide.errors import UsageError
from egide.item import Item
from egide.provenance import trace as tracing
from egide.provenance.statements import CredentialState, Role, Trust
from egide.provenance.trace import is_traced, models_named, trace
from egide.sniff import Kind
from tests.carriers import (
    exif,
    exif_chunk,
    jpeg,
    mp4,
    pdf,
    png,
    stealth_png,
    text_chunk,
    user_comment,
    xmp,
)
from tests.credentials import created, signed
from tests.provenance_samples import UUID

LAKE = (
    "a lake at dawn, soft light <lora:soft-light:0.8>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 64x48, "
    "Model hash: 31e35c80fc, Model: lakes_xl, Version: v1.10.1"
)
BARN = json.dumps({"prompt": "a red barn in winter", "steps": 28, "seed": 7, "uc": "lowres"})
NOVEL = (text_chunk("Software", "NovelAI"), text_chunk("Comment", BARN))
SOURCE = "Iptc4xmpExt:DigitalSourceType"
MADE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
TAKEN = "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"


def of(data: bytes) -> Item:
    return Item.from_bytes(data, "x")


def test_a_picture_says_what_made_it() -> None:
    found = trace(of(png(text_chunk("parameters", LAKE))))
    assert found.errors == ()
    assert found.first is not None
    assert (found.first.generator, found.first.version, found.first.seed) == (
        "a1111",
        "v1.10.1",
        42,
    )
    assert [(m.role, m.name, m.weight) for m in found.models] == [
        (Role.BASE, "lakes_xl", None), (Role.ADAPTER, "soft-light", 0.8),
    ]  # fmt: skip
    assert [(one.where, one.trust) for one in found.found] == [("png:parameters", Trust.TEXT)]


def test_every_carrier_is_asked() -> None:
    camera = exif({"UserComment": user_comment(LAKE)})
    for data in (jpeg(exif=camera), mp4({"comment": LAKE}), stealth_png(LAKE)):
        found = trace(of(data))
        assert found.first is not None, data[:12]
        assert found.first.seed == 42


def test_a_pdf_is_traced_though_no_scan_reads_it() -> None:
    item = of(pdf({"Producer": "Lake Writer 1"}))
    assert item.kind is Kind.OTHER
    assert is_traced(item)
    assert trace(item).software == "Lake Writer 1"


def test_a_declaration_is_told_with_its_place() -> None:
    found = trace(of(jpeg(xmp=xmp({SOURCE: MADE}))))
    assert found.source_type == "trainedAlgorithmicMedia"
    assert [one.where for one in found.found] == ["xmp:Iptc4xmpExt:DigitalSourceType"]


def test_nothing_found_is_nothing_found() -> None:
    found = trace(of(jpeg()))
    assert found.says_nothing
    assert found.credentials.state is CredentialState.NONE
    assert (found.first, found.models, found.found, found.labels) == (None, (), (), ())


def test_two_tools_that_tell_of_two_pictures_contradict_each_other() -> None:
    found = trace(of(png(text_chunk("parameters", LAKE), *NOVEL)))
    assert {one.where: one.trust for one in found.found if "Software" not in one.where} == {
        "png:parameters": Trust.CONTRADICTED, "png:Comment": Trust.CONTRADICTED,
    }  # fmt: skip
    assert len(found.contradictions) == 1


def test_metadata_pasted_into_a_photograph_is_contradicted() -> None:
    taken = exif({"Make": "Acme", "Model": "One", "DateTimeOriginal": "2024:05:01 10:00:00"})
    found = trace(of(png(exif_chunk(taken), text_chunk("parameters", LAKE))))
    assert [one.trust for one in found.found if one.where == "png:parameters"] == [
        Trust.CONTRADICTED
    ]


def test_a_declared_capture_contradicts_a_generator() -> None:
    comment = exif({"UserComment": user_comment(LAKE)})
    found = trace(of(jpeg(exif=comment, xmp=xmp({SOURCE: TAKEN}))))
    assert {one.trust for one in found.found} == {Trust.CONTRADICTED}


def test_what_is_hidden_in_the_pixels_is_told_beside_what_is_not() -> None:
    hidden = stealth_png(LAKE)
    pasted = hidden[:33] + b"".join(NOVEL) + hidden[33:]
    found = trace(of(pasted))
    assert found.first is not None
    assert (found.first.trust, found.first.seed) == (Trust.PIXELS, 42)
    assert found.contradictions


def test_the_same_in_text_and_in_pixels_is_believed_place_by_place() -> None:
    hidden = stealth_png(LAKE)
    data = hidden[:33] + text_chunk("parameters", LAKE) + hidden[33:]
    found = trace(of(data))
    assert found.first is not None
    assert found.first.trust is Trust.PIXELS
    assert {one.where: one.trust for one in found.found} == {
        "png:parameters": Trust.TEXT, "stealth:alpha": Trust.PIXELS,
    }  # fmt: skip


def test_the_id_of_a_job_is_no_software() -> None:
    tags = {"Software": UUID, "Artist": "ai"}
    assert trace(of(jpeg(exif(tags)))).software is None
    both = jpeg(exif(tags), xmp({"tiff:Software": "Paintbox 2"}))
    assert trace(of(both)).software == "Paintbox 2"


def test_the_program_is_named_before_its_library() -> None:
    found = trace(of(mp4({"encoder": "Library 9"})))
    assert found.software is not None
    both = jpeg(exif({"Software": "Library 9"}), xmp({"xmp:CreatorTool": "Paintbox 2"}))
    assert trace(of(both)).software == "Paintbox 2"


def test_limits_are_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    data = signed(jpeg(), "image/jpeg", created())
    assert trace(of(data)).credentials.state is CredentialState.VALID
    monkeypatch.setenv("EGIDE_MAX_BYTES", "1000")
    found = trace(of(data))
    assert found.credentials.state is CredentialState.NONE
    assert {fault.error for fault in found.errors} == {"too-many-bytes"}
    assert any("EGIDE_MAX_BYTES" in fault.message for fault in found.errors)


def test_pictures_inside_a_pdf_are_left_out_and_no_error() -> None:
    found = trace(of(pdf({}) + b"\n% /Subtype /Image"))
    assert found.is_traced
    assert found.skipped == ("PDF: the pictures inside",)
    assert found.errors == ()


def test_damage_costs_only_what_is_damaged() -> None:
    whole = png(text_chunk("parameters", LAKE))
    broken = whole[:33] + b"\0\0\0\x10zTXtAuthor\0\0nonsense\0\0\0\0" + whole[33:]
    found = trace(of(broken))
    assert found.first is not None
    assert found.first.seed == 42
    assert found.errors


@pytest.mark.parametrize("end", [8, 33, 60, 120])
def test_a_file_that_ends_anywhere_is_told_of(end: int) -> None:
    found = trace(of(png(text_chunk("parameters", LAKE))[:end]))
    assert found.errors
    assert not any(fault.error == "detector-failed" for fault in found.errors)


def test_files_of_other_kinds_are_passed_by() -> None:
    found = trace(of(b"a text"))
    assert found.skipped == ("it is text: pictures, videos and PDF are traced",)
    assert not found.says_nothing


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    found = trace(Item.from_path(tmp_path / "gone.png"))
    assert [fault.error for fault in found.errors] == ["unreadable"]


def test_a_reader_that_fails_costs_its_own_statements_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr("egide.provenance.families.generations", fail)
    found = trace(of(jpeg(xmp=xmp({SOURCE: MADE}))))
    assert found.source_type == "trainedAlgorithmicMedia"
    assert [fault.error for fault in found.errors] == ["detector-failed"]


def test_a_trust_list_that_is_none_is_a_fault_of_its_owner(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise UsageError("it is no list")

    monkeypatch.setattr("egide.provenance.credentials.credentials_of", refuse)
    with pytest.raises(UsageError):
        trace(of(jpeg()))


def test_the_models_named_are_each_told_once() -> None:
    twice = png(
        text_chunk("parameters", LAKE), exif_chunk(exif({"UserComment": user_comment(LAKE)}))
    )
    assert [model.name for model in models_named(of(twice))] == ["lakes_xl", "soft-light"]
    assert models_named(of(b"no picture")) == ()


def test_who_names_thousands_of_models_names_nothing() -> None:
    many = "a lake " + " ".join(f"<lora:soft{n}:1>" for n in range(3_000))
    found = trace(of(png(text_chunk("parameters", f"{many}\nSteps: 20, Seed: 1"))))
    assert len(found.models) <= tracing.MOST_MODELS
