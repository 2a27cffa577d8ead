from __future__ import annotations

import io
import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.finding import Finding
from egide.fingerprint import FingerprintType
from egide.label import Label
from egide.match import Purpose
from egide.report import make_reporter
from egide.sniff import Kind
from egide.verdict import VERDICT_SCHEMA, Action, Verdict
from tests.report_samples import HOSTILE_REFS, blocked, match, one_of_each, plain, report

SCHEMA: dict[str, Any] = json.loads(
    files("egide.report").joinpath("verdict.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_each_verdict_is_one_line_and_reads_back() -> None:
    verdicts = one_of_each()
    lines = report("jsonl", verdicts, reveal=True).split("\n")
    assert lines.pop() == ""
    assert [Verdict.from_json(line) for line in lines] == verdicts


@pytest.mark.parametrize("ref", HOSTILE_REFS)
def test_hostile_names_read_back_and_do_no_harm_raw(ref: str) -> None:
    line = report("jsonl", [blocked(ref)])
    assert line.encode("utf-8").decode("utf-8").splitlines() == [line.rstrip("\n")]
    assert not set(line) & set("\x1b\x9b\x85\u2028\u202e\u2066\udcff")
    assert json.loads(line)["item"]["ref"] == ref


@given(st.text(st.characters(codec=None)))
def test_any_name_is_valid_utf8_on_one_line(ref: str) -> None:
    line = report("jsonl", [plain(ref)])
    assert line.encode("utf-8").count(b"\n") == 1
    # Two lone halves of a pair read back as the character they make: the file system has none.
    expected = ref.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert json.loads(line)["item"]["ref"] in (ref, expected)


def test_names_stay_readable() -> None:
    assert "été/日本.jpg" in report("jsonl", [plain("été/日本.jpg")])


def test_a_line_is_flushed_as_soon_as_it_is_written() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8")
    make_reporter("jsonl", out).verdict(plain())
    assert raw.getvalue().endswith(b"}\n")


def test_evidence_that_is_no_json_does_not_cost_the_report() -> None:
    odd = Finding("odd.v1", Label.NCII_KNOWN, 1.0, {"when": {1, 2}.__class__})
    assert (
        "set" in json.loads(report("jsonl", [blocked("a", odd)]))["findings"][0]["evidence"]["when"]
    )


def test_the_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("reveal", [False, True])
def test_the_schema_takes_every_verdict(reveal: bool) -> None:
    for verdict in one_of_each():
        VALIDATOR.validate(verdict.to_json(reveal=reveal))


def test_the_schema_and_the_code_know_the_same_words() -> None:
    properties, definitions = SCHEMA["properties"], SCHEMA["$defs"]
    evidence = definitions["evidence"]["properties"]
    assert properties["schema"]["const"] == VERDICT_SCHEMA
    assert properties["action"]["enum"] == list(Action)
    assert properties["item"]["properties"]["kind"]["enum"] == list(Kind)
    assert definitions["finding"]["properties"]["label"]["enum"] == list(Label)
    assert evidence["method"]["enum"] == list(FingerprintType)
    assert evidence["purpose"]["enum"] == list(Purpose)
    for definition in (SCHEMA, *definitions.values()):
        assert definition["description"]


def _changed(*path: str | int, to: Any) -> dict[str, Any]:
    document: Any = blocked("a.jpg", match()).to_json()
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return dict(document)


@pytest.mark.parametrize(
    "document",
    [
        _changed("schema", to="egide.verdict/2"),
        _changed("action", to="delete"),
        _changed("action", to=None),
        _changed("item", "kind", to="picture"),
        _changed("item", "sha256", to="AB" * 32),
        _changed("item", "size", to=3),
        _changed("rule", to=""),
        _changed("policy", to="default"),
        _changed("verdict", to="block"),
        _changed("shadow", to=[]),
        _changed("findings", to=None),
        _changed("findings", 0, "label", to="ncii.unknown"),
        _changed("findings", 0, "score", to=1.01),
        _changed("findings", 0, "score", to="1"),
        _changed("findings", 0, "detector", to="Known Media"),
        _changed("findings", 0, "evidence", to=[]),
        _changed("findings", 0, "evidence", "distance", to=64),
        _changed("findings", 0, "evidence", "method", to="phash"),
        _changed("findings", 0, "label", to="minor.escalate"),
        _changed("skipped", to=[{"detector": "scan"}]),
        _changed("errors", to=[{"detector": "scan", "error": "Bad Code", "message": "x"}]),
        _changed("action", to="allow")
        | {"errors": [{"detector": "scan", "error": "empty", "message": "it is empty"}]},
    ],
)
def test_the_schema_refuses_what_is_no_verdict(document: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


@pytest.mark.parametrize("key", SCHEMA["required"])
def test_the_schema_wants_every_key_but_shadow(key: str) -> None:
    document = plain().to_json()
    VALIDATOR.validate(document)
    del document[key]
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)
