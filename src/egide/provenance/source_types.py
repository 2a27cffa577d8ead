"""The words of IPTC and C2PA for how a picture came to be.

IPTC NewsCodes, digital source type: http://cv.iptc.org/newscodes/digitalsourcetype/; C2PA adds
those for blank canvases and for media made of data.
"""

from __future__ import annotations

import re
from typing import Final

SYNTHETIC: Final = frozenset(
    {
        "algorithmicMedia",
        "compositeSynthetic",
        "compositeWithTrainedAlgorithmicMedia",
        "trainedAlgorithmicData",
        "trainedAlgorithmicMedia",
        "virtualRecording",
    }
)
"""Made, wholly or in part, by a machine that was told to make it."""

CAPTURED: Final = frozenset(
    {
        "computationalCapture",
        "compositeCapture",
        "digitalCapture",
        "multiFrameComputationalCapture",
        "negativeFilm",
        "positiveFilm",
        "print",
    }
)
"""Taken of something there was."""

OTHERS: Final = frozenset(
    {
        "algorithmicallyEnhanced",
        "composite",
        "dataDrivenMedia",
        "digitalArt",
        "digitalCreation",
        "empty",
        "humanEdits",
        "minorHumanEdits",
        "screenCapture",
        "softwareImage",
        "undefined",
    }
)
"""Neither says it is real nor that a model made it."""

_KNOWN: Final = {word.lower(): word for word in SYNTHETIC | CAPTURED | OTHERS}
_OWN: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{2,59}")
_VOCABULARY: Final = re.compile(
    r"(?:https?://)?(?:cv\.iptc\.org/newscodes/digitalsourcetype|c2pa\.org/digitalsourcetype)/"
    r"|digsrctype:|digitalsourcetype/",
    re.IGNORECASE,
)


def source_type(said: object) -> str | None:
    """The last part of a digital source type: `trainedAlgorithmicMedia`.

    `said` may be the whole address in either vocabulary, the short form of IPTC's metadata
    (`digsrctype:…`), or the bare word, in any case and with space around. A word that neither
    vocabulary has is given as it stands when it is one of theirs by its address, else None.
    """
    if not isinstance(said, str):
        return None
    text = said[:400].strip()
    begins = _VOCABULARY.match(text)
    word = text[begins.end() :].rstrip("/# ") if begins else text
    known = _KNOWN.get(word.lower())
    if known or begins is None:
        return known
    return word if _OWN.fullmatch(word) else None
