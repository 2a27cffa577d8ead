"""`egide trace` as its users run it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from egide.hub.gazetteer_sample import sample_gazetteer
from tests.acceptance.conftest import Egide
from tests.carriers import jpeg, pdf, png, text_chunk
from tests.models import safetensors

PERSON = sample_gazetteer().person(0).name
ADAPTER = PERSON.lower().replace(" ", "_")
LAKE = (
    "a lake at dawn, soft light <lora:soft-light:0.8>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, Seed: 42, Model hash: 31e35c80fc, Model: lakes_xl"
)
PORTRAIT = (
    f'portrait <lora:{ADAPTER}:1>\nSteps: 20, Seed: 5, Lora hashes: "{ADAPTER}: 0f0f0f0f0f0f"'
)
LISTING = {
    "id": 4711,
    "name": PERSON,
    "type": "LORA",
    "creator": {"username": "somebody"},
    "tags": ["celebrity", "woman", "photorealistic"],
    "description": f"likeness of {PERSON}",
    "modelVersions": [
        {
            "id": 900,
            "name": "v1",
            "baseModel": "SDXL 1.0",
            "files": [
                {"name": "v1.safetensors", "primary": True, "hashes": {"AutoV3": "0F0F0F0F0F0F"}}
            ],
        }
    ],
}
SCHEMA = json.loads(files("egide.report").joinpath("trace.schema.json").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pictures with metadata, one without, a PDF and a text."""
    made = tmp_path / "made"
    made.mkdir()
    (made / "lake.png").write_bytes(png(text_chunk("parameters", LAKE)))
    (made / "portrait.png").write_bytes(png(text_chunk("parameters", PORTRAIT)))
    (made / "plain.jpg").write_bytes(jpeg())
    (made / "paper.pdf").write_bytes(pdf({"Producer": "Lake Writer"}))
    (made / "notes.txt").write_text("notes")
    return made


def by_name(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {Path(line["item"]["ref"]).name: line for line in lines}


def test_one_line_a_file_in_the_schema(egide: Egide, folder: Path) -> None:
    done = egide("trace", folder)
    assert (done.code, done.err) == (0, "")
    for line in done.lines:
        jsonschema.validate(line, SCHEMA)
    lines = by_name(done.lines)
    assert sorted(lines) == ["lake.png", "notes.txt", "paper.pdf", "plain.jpg", "portrait.png"]
    assert lines["lake.png"]["generator"] == "a1111"
    assert lines["lake.png"]["seed"] == 42
    assert lines["lake.png"]["prompt"] == "***"
    assert lines["plain.jpg"]["note"] == "nothing found, which proves nothing"
    assert lines["paper.pdf"]["software"] == "Lake Writer"
    assert lines["notes.txt"]["skipped"]


def test_names_and_prompts_are_shown_only_when_asked_for(egide: Egide, folder: Path) -> None:
    done = egide("trace", folder, "--gazetteer", "sample")
    assert PERSON not in done.out
    assert ADAPTER not in done.out
    assert "a lake at dawn" not in done.out
    shown = egide("trace", folder, "--gazetteer", "sample", "--reveal")
    assert PERSON in shown.out
    assert ADAPTER in shown.out
    assert "a lake at dawn" in shown.out


def test_a_table_says_it_in_words(egide: Egide, folder: Path) -> None:
    done = egide("trace", folder, "--format", "table")
    assert "nothing found, which proves nothing" in done.out
    assert "plain text, which anyone can write" in done.out
    assert "1 file of other kinds passed by" in done.out
    assert "4 files" in done.out


def test_exit_codes(egide: Egide, folder: Path, tmp_path: Path) -> None:
    assert egide("trace", folder / "plain.jpg").code == 0
    assert egide("trace", folder / "gone.jpg").code == 2
    assert egide("trace", folder, "--format", "sarif").code == 2
    (folder / "cut.png").write_bytes(png(text_chunk("parameters", LAKE))[:60])
    assert egide("trace", folder).code == 3
    assert egide("trace", folder / "notes.txt").code == 4
    (tmp_path / "empty").mkdir()
    assert egide("trace", tmp_path / "empty").code == 4


def test_paths_come_on_standard_input(egide: Egide, folder: Path) -> None:
    done = egide("trace", "-", stdin=f"{folder / 'lake.png'}\n".encode())
    assert [line["generator"] for line in done.lines] == ["a1111"]


def test_an_audit_fills_the_registry_and_a_library_counts(
    egide: Egide, folder: Path, tmp_path: Path
) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_text(json.dumps(LISTING))
    audited = egide("audit", dump, "--out", tmp_path / "audit", "--gazetteer", "sample")
    assert audited.code == 0, audited.err
    egide("bank", "create", "hosted", "--purpose", "library")
    (added,) = egide("bank", "add", "hosted", folder / "portrait.png").lines

    (line,) = egide("trace", folder / "portrait.png").lines
    (link,) = line["links"]
    assert (link["hub"], link["listing"], link["version"]) == ("civitai", "4711", "900")
    assert (link["sureness"], link["library"]) == ("sure", 1)
    assert link["likeness"]["named"] > 0.9
    assert {label["label"] for label in line["labels"]} == {"synthetic.traced", "likeness.named"}
    assert ADAPTER not in json.dumps(line)

    egide("bank", "withdraw", added["entry"])
    (line,) = egide("trace", folder / "portrait.png").lines
    assert line["links"][0]["library"] == 0


def test_an_audit_can_leave_the_registry_alone(egide: Egide, folder: Path, tmp_path: Path) -> None:
    dump = tmp_path / "dump.jsonl"
    dump.write_text(json.dumps(LISTING))
    home = ("--home", tmp_path / "home")
    egide("audit", dump, "--out", tmp_path / "audit", "--no-register", *home)
    (line,) = egide("trace", folder / "portrait.png", *home).lines
    assert line["links"] == []


def test_a_scan_of_model_files_fills_the_registry_when_asked_to(
    egide: Egide, folder: Path, tmp_path: Path
) -> None:
    model = tmp_path / "soft-light.safetensors"
    model.write_bytes(safetensors({}))
    home = ("--home", tmp_path / "home")
    egide("scan", model, *home)
    assert egide("trace", folder / "lake.png", *home).lines[0]["links"] == []
    egide("scan", model, "--register", *home)
    (link,) = egide("trace", folder / "lake.png", *home).lines[0]["links"]
    assert (link["hub"], link["sureness"], link["by"]) == ("file", "weak", ["file"])


def test_a_scan_gives_the_labels_and_allows_what_is_only_synthetic(
    egide: Egide, folder: Path
) -> None:
    done = egide("scan", folder / "lake.png", folder / "plain.jpg")
    first, second = done.lines
    assert first["action"] == "allow"
    assert [f["label"] for f in first["findings"]] == ["synthetic.traced"]
    assert second["findings"] == []
    assert done.code == 0


def test_a_scan_sends_a_likeness_to_review(egide: Egide, folder: Path) -> None:
    done = egide("scan", folder / "portrait.png", "--gazetteer", "sample")
    (line,) = done.lines
    assert (line["action"], line["rule"]) == ("review", "named-likeness")
    assert ADAPTER not in done.out
    (finding,) = [f for f in line["findings"] if f["label"] == "likeness.named"]
    assert finding["evidence"]["adapters"] == [{"name": "***", "role": "adapter", "weight": 1.0}]


def test_a_graph_is_written(egide: Egide, folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "graph.html"
    done = egide("trace", folder, "--graph", page)
    assert done.code == 0
    assert f"wrote {page}" in done.err
    text = page.read_text()
    assert "lake.png" in text
    assert "soft-light" in text
    assert ADAPTER not in text
    assert page.stat().st_mode & 0o077 == 0
    assert egide("trace", folder / "lake.png", "--graph", folder / "lake.png").code == 2
