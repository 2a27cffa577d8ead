"""What standards let a file declare of itself."""

from __future__ import annotations

import json

import pytest

from egide.provenance.declared import MAX_DECLARATIONS, declarations
from egide.provenance.source_types import CAPTURED, OTHERS, SYNTHETIC, source_type
from egide.provenance.statements import Block, Certainty, Declaration, Trust

IPTC = "xmp:Iptc4xmpExt:DigitalSourceType"
LABEL = {"Label": "1", "ContentProducer": "Example Cloud", "ProduceID": "a1"}


def block(where: str, text: str) -> Block:
    return Block(where, where.rpartition(":")[2], text)


def declared(where: str, text: str) -> list[Declaration]:
    return declarations([block(where, text)])


@pytest.mark.parametrize("word", sorted(SYNTHETIC | CAPTURED | OTHERS))
@pytest.mark.parametrize(
    "begins",
    [
        "http://cv.iptc.org/newscodes/digitalsourcetype/",
        "https://cv.iptc.org/newscodes/digitalsourcetype/",
        " http://cv.iptc.org/newscodes/digitalsourcetype/",
        "http://c2pa.org/digitalsourcetype/",
        "digsrctype:",
        "",
    ],
)
def test_every_digital_source_type_is_read_however_it_is_written(word: str, begins: str) -> None:
    assert source_type(begins + word) == word
    assert source_type(begins + word.upper() + "/") in (word, None)


@pytest.mark.parametrize("said", ["", " ", "cat", "http://example.org/trained", None, 7, "a" * 999])
def test_what_is_no_source_type_is_none(said: object) -> None:
    assert source_type(said) is None


def test_a_newer_word_of_the_vocabulary_is_given_as_it_stands() -> None:
    address = "http://cv.iptc.org/newscodes/digitalsourcetype/"
    assert source_type(address + "dreamtMedia") == "dreamtMedia"
    assert source_type(address + "<script>") is None
    assert source_type(address) is None


def test_iptc_declares_its_source_type() -> None:
    assert declared(IPTC, "trainedAlgorithmicMedia") == [
        Declaration("iptc", IPTC, Trust.TEXT, "trainedAlgorithmicMedia")
    ]


def test_iptc_names_the_system() -> None:
    blocks = [
        block("xmp:Iptc4xmpExt:AISystemUsed", "Brush"),
        block("xmp:Iptc4xmpExt:AISystemVersionUsed", "3"),
    ]
    assert [each.tool for each in declarations(blocks)] == ["Brush 3"]
    found = declarations([*blocks, block(IPTC, "trainedAlgorithmicMedia")])
    assert [(each.source_type, each.tool) for each in found] == [
        ("trainedAlgorithmicMedia", "Brush 3")
    ]


@pytest.mark.parametrize(
    ("credit", "expected"),
    [
        ("Made with Google AI", "trainedAlgorithmicMedia"),
        (" made with google ai ", "trainedAlgorithmicMedia"),
        ("Edited with Google AI", "compositeWithTrainedAlgorithmicMedia"),
        ("Made with Google AI Studio", None),
        ("A photographer", None),
    ],
)
def test_only_exact_credit_lines_declare(credit: str, expected: str | None) -> None:
    found = declared("xmp:photoshop:Credit", credit)
    assert [each.source_type for each in found] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("xmp:TC260:AIGC", json.dumps(LABEL)),
        ("png:AIGC", json.dumps(LABEL)),
        ("mp4:AIGC", json.dumps({"AIGC": LABEL})),
        ("exif:UserComment", json.dumps({"AIGC": LABEL})),
        ("exif:UserComment", json.dumps({"AIGC": json.dumps(LABEL)})),
        ("jpeg:comment", "AIGC" + json.dumps(LABEL)),
        ("exif:ImageDescription", "\ufeff  AIGC: " + json.dumps(LABEL)),
    ],
)
def test_chinas_label_is_read_wherever_it_stands(where: str, text: str) -> None:
    assert declared(where, text) == [
        Declaration("tc260", where, Trust.TEXT, "trainedAlgorithmicMedia", producer="Example Cloud")
    ]


@pytest.mark.parametrize(
    ("label", "certainty"),
    [
        ("1", Certainty.CERTAIN),
        (1, Certainty.CERTAIN),
        ("2", Certainty.LIKELY),
        ("3", Certainty.SUSPECTED),
    ],
)
def test_chinas_label_tells_how_sure_it_is(label: object, certainty: Certainty) -> None:
    found = declared("png:AIGC", json.dumps(LABEL | {"Label": label}))
    assert [(each.certainty, each.source_type) for each in found] == [
        (certainty, "trainedAlgorithmicMedia")
    ]


@pytest.mark.parametrize("label", ["0", "9", "", None, [], {}, True])
def test_another_value_of_the_label_says_nothing_of_the_source(label: object) -> None:
    found = declared("png:AIGC", json.dumps(LABEL | {"Label": label}))
    assert [each.source_type for each in found] == [None]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"AIGC"',
        '{"AIGC": 1}',
        '{"AIGC": null}',
        '{"AIGC": "{"}',
        '{"other": {"Label": "1"}}',
        '{"prompt": "a meadow with the letters \\"AIGC\\""}',
        "[" * 100_000,
        '{"AIGC":' * 10_000,
        '{"AIGC": {"Label": ' + "9" * 100_000,
        "AIGC" + "{" * 60_000,
    ],
)
def test_what_is_no_label_declares_nothing(text: str) -> None:
    for where in ("png:AIGC", "exif:UserComment"):
        assert declared(where, text) == []


def test_strange_values_are_left_out() -> None:
    text = json.dumps({"AIGC": LABEL | {"ContentProducer": ["x"], "ServiceProvider": "\ud800 y"}})
    assert [each.producer for each in declared("exif:UserComment", text)] == ["? y"]


def test_long_values_are_cut() -> None:
    found = declared("png:AIGC", json.dumps(LABEL | {"ContentProducer": "x" * 9999}))
    assert len(found[0].producer or "") == 200


def test_the_same_is_told_once_and_never_too_much() -> None:
    same = [block(IPTC, "digitalArt")] * 3
    assert len(declarations(same)) == 1
    many = [block(f"png{n}:DigitalSourceType", "digitalArt") for n in range(500)]
    assert len(declarations(many)) == MAX_DECLARATIONS


def test_plain_prompts_declare_nothing() -> None:
    assert declared("png:parameters", "a meadow\nSteps: 20, Sampler: Euler") == []
