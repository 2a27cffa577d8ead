"""`egide scan` on model files and listings: what is said, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests import models
from tests.acceptance.conftest import Egide

Write = Callable[[dict[str, bytes]], None]

ADAPTER = models.safetensors(models.kohya_lora(), models.kohya_metadata())
HARMLESS = models.safetensors(
    models.kohya_lora(), models.kohya_metadata("inkwash style", ss_output_name="inkwash")
)
RUNS_CODE = models.torch_zip(b"\x80\x02cos\nsystem\n(X\x04\x00\x00\x00truetR.")
LISTINGS = b"".join(
    json.dumps({"id": number, "name": name, "type": "LORA", "modelVersions": []}).encode() + b"\n"
    for number, name in ((12, "Velora Quintane"), (7, "Meadow"), (9, "Velora Quintane nude"))
)


def test_an_adapter_of_somebody_unnamed_is_for_review(egide: Egide, write: Write) -> None:
    write({"a.safetensors": ADAPTER, "b.safetensors": HARMLESS})
    done = egide("scan", "a.safetensors", "b.safetensors")

    assert done.code == 1
    assert [line["rule"] for line in done.lines] == ["unnamed-likeness", "default"]


def test_a_model_that_would_run_code_is_never_allowed(egide: Egide, write: Write) -> None:
    write({"a.pt": RUNS_CODE})
    done = egide("scan", "a.pt")
    (line,) = done.lines

    assert (done.code, line["action"]) == (3, "review")
    assert [error["error"] for error in line["errors"]] == ["unsafe"]


def test_a_scan_without_a_gazetteer_says_so_once_and_is_whole(egide: Egide, write: Write) -> None:
    write({"a.safetensors": HARMLESS, "b.safetensors": HARMLESS, "c.txt": b"words"})
    done = egide("scan", "a.safetensors", "b.safetensors")

    assert (done.code, [line["skipped"] for line in done.lines]) == (0, [[], []])
    assert done.err.count("no gazetteer") == 1
    assert "no gazetteer" not in egide("scan", "a.safetensors", "--gazetteer", "sample").err
    assert "no gazetteer" not in egide("scan", "c.txt").err


def test_listings_get_a_verdict_each_in_order(egide: Egide, write: Write) -> None:
    write({"dump.jsonl": LISTINGS})
    done = egide("scan", "dump.jsonl", "--gazetteer", "sample")

    assert done.code == 1
    assert [(line["item"]["ref"], line["action"]) for line in done.lines] == [
        ("dump.jsonl#12", "review"),
        ("dump.jsonl#7", "allow"),
        ("dump.jsonl#9", "block"),
    ]
