"""Text of unknown encoding: EXIF UserComment and its neighbours, as they are met in the wild.

CIPA DC-008, 4.6.5, announces the encoding of a UserComment in eight bytes, and hardly any writer
keeps to it: UTF-16 in either byte order, UTF-8 behind `UNICODE`, no announcement at all. So the
announcement settles only what the bytes themselves leave open.
"""

from __future__ import annotations

import codecs
from typing import Final, Literal

Order = Literal["little", "big"]

_PREFIX: Final = 8
_SAMPLE: Final = 4096
"""Bytes that the byte order of UTF-16 is told by."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS: Final = frozenset(range(32)) - {9, 10, 13}
_ESCAPE: Final = b"\x1b"


def decode_comment(value: bytes, order: Order = "big") -> str:
    """The text of a UserComment: eight bytes that announce its encoding, if any, and the text.

    `order` is the byte order of the EXIF block, which decides when nothing else does. Never
    raises: what cannot be decoded is replaced.
    """
    announced = value[:_PREFIX].rstrip(b"\0 ").upper()
    if announced not in {b"UNICODE", b"ASCII", b"JIS", b""}:
        return decode_text(value, order)
    body = value[_PREFIX:]
    if announced == b"JIS" and _ESCAPE in body:
        return body.rstrip(b"\0").decode("iso2022_jp", "replace")
    return decode_text(body, order, wide=announced == b"UNICODE")


def decode_text(value: bytes, order: Order = "big", *, wide: bool = False) -> str:
    """Text in UTF-8, UTF-16 or Latin-1, decided by its bytes.

    `wide` says that UTF-16 was announced; then Latin-1 is not considered, and a single zero byte
    is enough for UTF-16. Never raises.
    """
    for mark, codec in _MARKS:
        if value.startswith(mark):
            return value[len(mark) :].decode(codec, "replace").rstrip("\0")
    body = value.rstrip(b"\0")
    zeros = body.count(0)
    if zeros and (wide or 4 * zeros >= len(body)):
        return _utf16(value, order)
    text = _utf8(body)
    if text is not None and not (wide and _CONTROLS.intersection(body[:_SAMPLE])):
        return text.replace("\0", "\n")  # several strings in one value
    if wide:
        return _utf16(value, order)
    return body.decode("latin-1").replace("\0", "\n")


def _utf8(body: bytes) -> str | None:
    """The text when it is UTF-8, the last character of which may have been cut."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data" and error.start >= len(body) - 3
        return body[: error.start].decode("utf-8") if cut and error.start else None


def _utf16(value: bytes, order: Order) -> str:
    body = value[: len(value) // 2 * 2]
    codec = "utf-16-be" if _high_first(body[:_SAMPLE], order) else "utf-16-le"
    return body.decode(codec, "replace").rstrip("\0")


def _high_first(body: bytes, order: Order) -> bool:
    """Whether the first byte of each pair is the high one.

    The high bytes of a text are mostly zero or, within one script, mostly the same.
    """
    first, second = body[::2], body[1::2]
    if first.count(0) != second.count(0):
        return first.count(0) > second.count(0)
    if len(set(first)) != len(set(second)):
        return len(set(first)) < len(set(second))
    return order == "big"
