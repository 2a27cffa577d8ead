"""Turns whatever a decoder raises into one of égide's own errors, in one clean line."""

from __future__ import annotations

import re

from egide.errors import CorruptItem, ItemError, TooManyPixels, TruncatedItem

_OBJECT = re.compile(r"<[^<>]*?(?:object|file|BytesIO)[^<>]*>")
_ADDRESS = re.compile(r"(?: at)? 0x[0-9a-fA-F]+")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\uffff]+")
_ENDS_EARLY = re.compile(r"truncat|premature end|unexpected end|end of (file|data)|too short", re.I)
_LONGEST = 120


def reason(error: BaseException) -> str:
    """Say in a few words, on one line, without object addresses, why a decoder gave up."""
    text = _UNPRINTABLE.sub(" ", _ADDRESS.sub("", _OBJECT.sub("data", str(error))))
    text = re.sub(r"\s+", " ", text).strip(" .:") or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def explain(error: BaseException, name: str, *, kept: bool, cut: bool | None = None) -> ItemError:
    """Make the ItemError for a file of format `name` on which a decoder raised `error`.

    `kept` says that part of the picture was read all the same; `cut`, whether the file ends before
    its declared end, where that is known: else the decoder's words tell. An ItemError comes back
    as it is.
    """
    if isinstance(error, ItemError):
        return error
    if isinstance(error, MemoryError):
        return TooManyPixels(f"{name}: not enough memory to decode it; send a smaller version")
    if type(error).__name__ == "DecompressionBombError":
        count = next(iter(re.findall(r"\d+", str(error))), "its")
        return TooManyPixels(f"{name}: {count} pixels, more than is read; send a smaller version")
    advice = "what could be read was used" if kept else "nothing could be read"
    detail = f"{name}: {reason(error)}; {advice}, get an intact copy to be sure"
    if cut is None:
        cut = isinstance(error, EOFError) or bool(_ENDS_EARLY.search(str(error)))
    if cut:
        return TruncatedItem(detail)
    return CorruptItem(detail)
