"""The examples of `provenance.v1`: neutral pictures with metadata as generators write it."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Final

from egide.detector import Example
from egide.detectors.likeness_adapter import GAZETTEER_OPTION
from egide.hub.gazetteer_sample import SAMPLE, sample_gazetteer
from egide.item import Item
from egide.label import Label

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_SIDE: Final = 16
_TRACED: Final = frozenset({Label.SYNTHETIC_TRACED})
_LAKE: Final = (
    "a lake at dawn, soft light <lora:soft-light:0.8>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x512, "
    "Model hash: 31e35c80fc, Model: lakes_xl, Version: v1.10.1"
)
_DECLARED: Final = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/'
    'trainedAlgorithmicMedia"/></rdf:RDF></x:xmpmeta>'
)


@cache
def provenance_examples() -> tuple[Example, ...]:
    """Metadata of generators, declarations, likenesses of invented people, and nothing at all."""
    person = sample_gazetteer().person(0).name
    adapter = person.lower().replace(" ", "_")
    named = f"portrait, soft light <lora:{adapter}:1>\nSteps: 20, Seed: 5, Model: lakes_xl"
    asked = f"portrait of {person}, nude\nSteps: 20, Seed: 5, Model: lakes_xl"
    unnamed = "ohwx woman, portrait <lora:ohwx_woman:1>\nSteps: 20, Seed: 5, Model: lakes_xl"
    return (
        _example("made by a1111, with an adapter for soft light", _TRACED, text=_LAKE),
        _example(
            "says in IPTC's words that a trained model made it",
            frozenset({Label.SYNTHETIC_DECLARED}),
            xmp=_DECLARED,
        ),
        _example(
            "made with an adapter that has the name of an invented person",
            _TRACED | {Label.LIKENESS_NAMED},
            text=named,
            gazetteer=True,
        ),
        _example(
            "an invented person asked for by name, undressed",
            _TRACED | {Label.LIKENESS_NAMED, Label.LIKENESS_SEXUAL},
            text=asked,
            gazetteer=True,
        ),
        _example(
            "made with an adapter that was trained on somebody without a name",
            _TRACED | {Label.LIKENESS_UNNAMED},
            text=unnamed,
        ),
        _example(
            "a landscape looks for nobody, whatever the gazetteer",
            _TRACED,
            text=_LAKE,
            gazetteer=True,
        ),
        _example("says nothing, which proves nothing", frozenset()),
    )


def _example(
    why: str,
    labels: frozenset[Label],
    *,
    text: str | None = None,
    xmp: str | None = None,
    gazetteer: bool = False,
) -> Example:
    chunks = [] if text is None else [(b"tEXt", b"parameters\0" + text.encode("latin-1"))]
    if xmp is not None:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode()))
    options = {GAZETTEER_OPTION: SAMPLE} if gazetteer else {}
    return Example(Item.from_bytes(_png(chunks), "example.png"), labels, why, options=options)


def _png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    """A plain grey PNG of 16×16 pixels with `chunks` before its pixels."""
    header = _SIDE.to_bytes(4, "big") * 2 + b"\x08\x00\x00\x00\x00"
    rows = (b"\0" + b"\x80" * _SIDE) * _SIDE
    every = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in every)


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return len(body).to_bytes(4, "big") + kind + body + check.to_bytes(4, "big")
