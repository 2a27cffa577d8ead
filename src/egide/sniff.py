"""What a file is, by its first bytes. The name is never asked."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What an item is; `other` is content that no detector of ours could read."""

    IMAGE = "image"
    VIDEO = "video"
    MODEL = "model"
    LISTING = "listing"
    TEXT = "text"
    OTHER = "other"


class Format(StrEnum):
    """The picture formats égide reads; each value is the format's lower-case name."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    AVIF = "avif"
    HEIC = "heic"
    GIF = "gif"
    BMP = "bmp"
    TIFF = "tiff"


class ModelFormat(StrEnum):
    """The files of models égide reads."""

    SAFETENSORS = "safetensors"
    INDEX = "safetensors-index"
    GGUF = "gguf"
    PICKLE = "pickle"


LEAST_VIDEO: Final = 16
"""Shorter than this, an ISO file does not even say whether it is a picture or a video."""

HEAD_BYTES: Final = 4096
"""How many first bytes `sniff_kind` wants to see."""

_DIB_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIC_BRANDS = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
)
_FRONT_MATTER = (b"---\n", b"---\r\n", b"\xef\xbb\xbf---\n", b"\xef\xbb\xbf---\r\n")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_CARD_FIELD = re.compile(
    rb"^(?:base_model|base_model_relation|instance_prompt|pipeline_tag|library_name|widget"
    rb"|model-index|license_name)[ \t]*:",
    re.MULTILINE,
)
_HEADER_BEGINS = re.compile(rb"\{\s*[\"}]|\{\s*\Z")
_INDEX_BEGINS = re.compile(rb'\A(?:\xef\xbb\xbf)?\s*\{[^\0]{0,1000}?"weight_map"\s*:\s*\{')
_PICKLE_BEGINS = re.compile(
    rb"\x80[\x02-\x05][\x95\x8a\x8cc}\](\x8fXUKJMGN)]"  # protocols 2 to 5
    # Protocol 0 is text: a dictionary, a list, or the import of something, as pickles write it.
    rb"|\((?:dp|lp)[01]\n|c[A-Za-z_][\w.]{0,99}\n[A-Za-z_]\w{0,99}\n"
    rb"(?:p[01]\n|\)R|\((?:S['\"]|V[^\n]{0,999}\n[tp]|I\d+\n|[dl]p[01]\n))"
)
_SIGNATURES = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
    (b"II*\0", Format.TIFF),
    (b"MM\0*", Format.TIFF),
    (b"II+\0", Format.TIFF),  # BigTIFF
    (b"MM\0+", Format.TIFF),
)

_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_OGG_VIDEOS = (b"\x80theora", b"\x01video", b"OVP80", b"BBCD")
"""How the first pages of the video streams in an Ogg file begin; sound is no kind of ours."""


def sniff_picture(head: bytes) -> Format | None:
    """Name the picture format that `head`, the first 64 bytes or more of a file, begins.

    Returns None when it begins none of them. Never raises.
    """
    for signature, format_ in _SIGNATURES:
        if head.startswith(signature):
            return format_
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Format.WEBP
    if head[4:8] == b"ftyp":
        return _sniff_brands(head)
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _DIB_HEADERS:
        return Format.BMP
    return None


def _sniff_brands(head: bytes) -> Format | None:
    """Tell AVIF from HEIC by the brands of the `ftyp` box (ISO/IEC 14496-12, 4.3)."""
    end = min(max(int.from_bytes(head[:4], "big"), 16), len(head), 256)
    major = head[8:12]
    compatible = {head[at : at + 4] for at in range(16, end - 3, 4)}
    if major in _AVIF_BRANDS:
        return Format.AVIF
    if major in _HEIC_BRANDS:
        # "mif1" and "msf1" say only "a HEIF file"; a compatible brand names the codec.
        generic = major in {b"mif1", b"msf1"}
        return Format.AVIF if generic and compatible & _AVIF_BRANDS else Format.HEIC
    return None


def sniff_kind(head: bytes) -> Kind:
    """The kind of the file that begins with `head` (its first `HEAD_BYTES`, or all of it)."""
    if sniff_picture(head) is not None:
        return Kind.IMAGE
    if sniff_model(head) is not None:
        return Kind.MODEL
    if _is_video(head):
        return Kind.VIDEO
    if _is_text(head):
        return Kind.LISTING if _is_model_card(head) else Kind.TEXT
    return Kind.VIDEO if _is_transport(head) else Kind.OTHER


def sniff_model(head: bytes) -> ModelFormat | None:
    """Name the model format that `head`, the first `HEAD_BYTES` of a file, begins.

    A zip is a model when PyTorch's pickle stands at its beginning. Returns None for anything else.
    """
    if head.startswith(b"GGUF") and b"\0\0" in head[4:8]:
        return ModelFormat.GGUF
    if _is_safetensors(head):
        return ModelFormat.SAFETENSORS
    if head.startswith(b"PK\x03\x04"):
        return ModelFormat.PICKLE if b"data.pkl" in head or b"/data/0" in head else None
    if _PICKLE_BEGINS.match(head):
        return ModelFormat.PICKLE
    return ModelFormat.INDEX if _INDEX_BEGINS.match(head) else None


def _is_safetensors(head: bytes) -> bool:
    """Whether a header's length and then JSON begin, whether the length can be true or not."""
    if not _HEADER_BEGINS.match(head, 8):
        return False
    # Eight characters of text are a number of which every byte could be printed.
    return head[7] == 0 or not _is_text(head[:8])


def _is_video(head: bytes) -> bool:
    return (
        (head[4:8] in (b"ftyp", b"moov") and len(head) >= LEAST_VIDEO)
        or head[:4] == b"\x1a\x45\xdf\xa3"  # Matroska, WebM
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
        or head[:4] in (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3")  # MPEG, with sound or without
        or head[:16] == _ASF  # WMV
        or (head[:4] == b"OggS" and any(mark in head for mark in _OGG_VIDEOS))
        or (head[:3] == b"FLV" and head[3:4] == b"\x01")
    )


def _is_transport(head: bytes) -> bool:
    """Whether packets of an MPEG transport stream begin here, bare or with a time before each."""
    return any(
        len(head) > at + 2 * size and head[at] == head[at + size] == head[at + 2 * size] == 0x47
        for at, size in ((0, 188), (4, 192))
    )


def _is_model_card(head: bytes) -> bool:
    """Whether a Hugging Face model card begins: front matter with a field that models have."""
    if not head.startswith(_FRONT_MATTER):
        return False
    # A lone \r counts as any other character: no tool writes one.
    _, _, rest = head.replace(b"\r\n", b"\n").partition(b"---")
    return _CARD_FIELD.search(rest.partition(b"\n---")[0]) is not None


def _is_text(head: bytes) -> bool:
    if not head or b"\0" in head:
        return False
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        # The head may have been cut in the middle of one character, nowhere else.
        if len(head) < HEAD_BYTES or error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8")
    return _CONTROL.search(text) is None
