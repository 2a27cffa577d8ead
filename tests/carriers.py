"""Files with metadata, written the way tools write them: every carrier a trace reads.

Pictures are tiny and neutral. Each writer takes the metadata and returns the whole file, so that
a test can say `png(text_chunk("parameters", "a lake"))`.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

import av
import numpy as np

from tests.pictures import encode, png_chunk, smooth_noise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "xmpNote": "http://ns.adobe.com/xmp/note/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "TC260": "http://www.tc260.org.cn/ns/AIGC/1.0/",
}

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_APP1 = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_APP1 = b"http://ns.adobe.com/xmp/extension/\0"

_IFD0 = {
    "ImageDescription": 0x010E,
    "Make": 0x010F,
    "Model": 0x0110,
    "Software": 0x0131,
    "DateTime": 0x0132,
    "Artist": 0x013B,
    "Copyright": 0x8298,
    "XPTitle": 0x9C9B,
    "XPComment": 0x9C9C,
    "XPAuthor": 0x9C9D,
    "XPKeywords": 0x9C9E,
    "XPSubject": 0x9C9F,
}
_EXIF_IFD = {"DateTimeOriginal": 0x9003, "UserComment": 0x9286}
_BYTE, _ASCII, _LONG, _UNDEFINED = 1, 2, 4, 7


def picture(width: int = 64, height: int = 48, seed: int = 0) -> NDArray[np.uint8]:
    """Neutral RGB pixels, (height, width, 3)."""
    return smooth_noise(width, height, seed)


# PNG


def text_chunk(keyword: str, text: str) -> bytes:
    """A `tEXt` chunk: Latin-1, as Pillow writes it; where that fails, the UTF-8 tools put there."""
    try:
        body = text.encode("latin-1")
    except UnicodeEncodeError:
        body = text.encode()
    return png_chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + body)


def ztxt_chunk(keyword: str, text: str) -> bytes:
    """A `zTXt` chunk: Latin-1, deflated."""
    body = zlib.compress(text.encode("latin-1"))
    return png_chunk(b"zTXt", keyword.encode("latin-1") + b"\0\0" + body)


def itxt_chunk(keyword: str, text: str, *, compressed: bool = False, language: str = "") -> bytes:
    """An `iTXt` chunk: UTF-8, deflated when `compressed`."""
    body = zlib.compress(text.encode()) if compressed else text.encode()
    head = keyword.encode("latin-1") + (b"\0\1\0" if compressed else b"\0\0\0")
    return png_chunk(b"iTXt", head + language.encode() + b"\0\0" + body)


def exif_chunk(tiff: bytes) -> bytes:
    """An `eXIf` chunk around what `exif` writes."""
    return png_chunk(b"eXIf", tiff)


def xmp_chunk(packet: str) -> bytes:
    """The `iTXt` chunk that holds XMP in a PNG."""
    return itxt_chunk("XML:com.adobe.xmp", packet)


def raw_profile_chunk(name: str, payload: bytes) -> bytes:
    """ImageMagick's `Raw profile type NAME`: hexadecimal in lines of 72 in a `zTXt` chunk."""
    digits = payload.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    return ztxt_chunk(f"Raw profile type {name}", f"\n{name}\n{len(payload):8}\n{lines}\n")


def png(
    *chunks: bytes,
    pixels: NDArray[Any] | None = None,
    after_pixels: Sequence[bytes] = (),
    after_end: bytes = b"",
) -> bytes:
    """A PNG with `chunks` in front of its pixels, and others behind them or behind its end."""
    whole = encode(picture() if pixels is None else pixels, "PNG")
    first, last = whole.index(b"IDAT") - 4, len(whole) - 12
    return (
        whole[:first]
        + b"".join(chunks)
        + whole[first:last]
        + b"".join(after_pixels)
        + whole[last:]
        + after_end
    )


# EXIF


def user_comment(text: str, encoding: str = "unicode-be") -> bytes:
    """The bytes of an EXIF UserComment as met in the wild.

    `encoding`: `unicode-be`, `unicode-le`, `unicode-bom` (little-endian behind its mark),
    `unicode-utf8` (UTF-8 where UTF-16 is announced), `ascii`, `ascii-utf8`, `jis`, `undefined`
    (eight zero bytes, then UTF-8) or `bare` (UTF-8 without any prefix).
    """
    prefix, codec = {
        "unicode-be": (b"UNICODE\0", "utf-16-be"),
        "unicode-le": (b"UNICODE\0", "utf-16-le"),
        "unicode-bom": (b"UNICODE\0\xff\xfe", "utf-16-le"),
        "unicode-utf8": (b"UNICODE\0", "utf-8"),
        "ascii": (b"ASCII\0\0\0", "ascii"),
        "ascii-utf8": (b"ASCII\0\0\0", "utf-8"),
        "jis": (b"JIS\0\0\0\0\0", "iso2022_jp"),
        "undefined": (bytes(8), "utf-8"),
        "bare": (b"", "utf-8"),
    }[encoding]
    return prefix + text.encode(codec)


def exif(tags: Mapping[str, str | bytes], order: str = "big") -> bytes:
    """A TIFF block with EXIF `tags` by name, `order` `big` or `little`.

    Text becomes what the tag asks for: UTF-8 with a zero, UTF-16 for the `XP…` tags, a UserComment
    in `unicode-be`. Bytes are taken as they are.
    """
    mark = ">" if order == "big" else "<"
    first = {_IFD0[name]: _value(name, text) for name, text in tags.items() if name in _IFD0}
    second = {_EXIF_IFD[n]: _value(n, text) for n, text in tags.items() if n in _EXIF_IFD}
    head = (b"MM\0*" if order == "big" else b"II*\0") + struct.pack(mark + "I", 8)
    if second:
        first[0x8769] = (_LONG, bytes(4))
        behind = 8 + len(_directory(first, 8, mark))
        first[0x8769] = (_LONG, struct.pack(mark + "I", behind))
        return head + _directory(first, 8, mark) + _directory(second, behind, mark)
    return head + _directory(first, 8, mark)


def _value(name: str, text: str | bytes) -> tuple[int, bytes]:
    if name.startswith("XP"):
        return _BYTE, text if isinstance(text, bytes) else text.encode("utf-16-le") + b"\0\0"
    if name == "UserComment":
        return _UNDEFINED, text if isinstance(text, bytes) else user_comment(text)
    return _ASCII, text if isinstance(text, bytes) else text.encode() + b"\0"


def _directory(tags: Mapping[int, tuple[int, bytes]], at: int, mark: str) -> bytes:
    """One IFD that stands at `at`, its values behind it."""
    behind = at + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (kind, body) in sorted(tags.items()):
        count = len(body) // 4 if kind == _LONG else len(body)
        if len(body) > 4:
            place = struct.pack(mark + "I", behind + len(values))
            values += body + bytes(len(body) % 2)
        else:
            place = body.ljust(4, b"\0")
        entries += struct.pack(mark + "HHI", tag, kind, count) + place
    return struct.pack(mark + "H", len(tags)) + entries + bytes(4) + values


# XMP


def xmp(properties: Mapping[str, str], *, attributes: bool = False, more: str = "") -> str:
    """An XMP packet with `properties` by their names with prefix (`TC260:AIGC`).

    As elements, or as attributes of the description; `dc:description` and `dc:title` are language
    alternatives, `dc:creator` and `dc:subject` lists, as the standard asks. `more` is XML put
    beside the properties.
    """
    used = {name.partition(":")[0] for name in properties} | ({"dc"} if more else set())
    spaces = " ".join(f"xmlns:{prefix}={quoteattr(NAMESPACES[prefix])}" for prefix in sorted(used))
    said = "".join(f" {name}={quoteattr(text)}" for name, text in properties.items())
    inside = "".join(_element(name, text) for name, text in properties.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'<rdf:Description rdf:about="" {spaces}{said if attributes else ""}>'
        f"{'' if attributes else inside}{more}</rdf:Description>\n"
        '</rdf:RDF></x:xmpmeta>\n<?xpacket end="w"?>'
    )


def _element(name: str, text: str) -> str:
    if name in {"dc:description", "dc:title", "exif:UserComment"}:
        item = f'<rdf:li xml:lang="x-default">{escape(text)}</rdf:li>'
        return f"<{name}><rdf:Alt>{item}</rdf:Alt></{name}>"
    if name in {"dc:creator", "dc:subject"}:
        return f"<{name}><rdf:Seq><rdf:li>{escape(text)}</rdf:li></rdf:Seq></{name}>"
    return f"<{name}>{escape(text)}</{name}>"


# IPTC


def iim(datasets: Sequence[tuple[int, str]]) -> bytes:
    """An IPTC-IIM block: UTF-8 announced, then the datasets of record 2 by number."""
    head = b"\x1c\x01\x5a\0\x03\x1b%G" + b"\x1c\x02\0\0\x02\0\x04"
    return head + b"".join(
        b"\x1c\x02" + bytes([number]) + struct.pack(">H", len(text.encode())) + text.encode()
        for number, text in datasets
    )


def resources(block: bytes) -> bytes:
    """Photoshop's image resources: a resolution, then the IIM `block`."""
    parts = ((0x03ED, bytes(16)), (0x0404, block))
    return b"".join(
        b"8BIM" + struct.pack(">HHI", kind, 0, len(body)) + body + bytes(len(body) % 2)
        for kind, body in parts
    )


# JPEG


def segment(marker: int, body: bytes) -> bytes:
    """A JPEG segment with its length."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def extended_xmp(packet: str, whole: str, part: int = 60_000) -> list[bytes]:
    """`whole` as extended XMP: APP1 segments with the digest, the size and each part's place.

    `packet` is not looked at: it must name the digest, as `xmp({"xmpNote:HasExtendedXMP": …})`.
    """
    body = whole.encode()
    digest = extended_digest(whole).encode()
    return [
        segment(0xE1, EXTENDED_APP1 + digest + struct.pack(">II", len(body), at) + body[at:][:part])
        for at in range(0, len(body), part)
    ]


def extended_digest(whole: str) -> str:
    """What `xmpNote:HasExtendedXMP` says of `whole`: its MD5 in capitals."""
    return hashlib.md5(whole.encode()).hexdigest().upper()


def jpeg(
    exif: bytes | None = None,
    xmp: str | None = None,
    comment: bytes | None = None,
    *,
    segments: Iterable[bytes] = (),
    pixels: NDArray[Any] | None = None,
    after_end: bytes = b"",
) -> bytes:
    """A JPEG with an EXIF block, an XMP packet, a comment, and further `segments`."""
    whole = encode(picture() if pixels is None else pixels, "JPEG")
    head = []
    if exif is not None:
        head.append(segment(0xE1, b"Exif\0\0" + exif))
    if xmp is not None:
        head.append(segment(0xE1, XMP_APP1 + xmp.encode()))
    if comment is not None:
        head.append(segment(0xFE, comment))
    return whole[:2] + b"".join([*head, *segments]) + whole[2:] + after_end


# WebP, GIF, TIFF


def webp(
    exif: bytes | None = None,
    xmp: str | None = None,
    *,
    pixels: NDArray[Any] | None = None,
    lossless: bool = False,
    prefixed: bool = False,
) -> bytes:
    """A WebP with EXIF and XMP chunks; `prefixed` puts `Exif\\0\\0` first, as some tools do."""
    options: dict[str, Any] = {"lossless": lossless, "exact": lossless}
    if exif is not None:
        options["exif"] = (b"Exif\0\0" if prefixed else b"") + exif
    if xmp is not None:
        options["xmp"] = xmp.encode()
    return encode(picture() if pixels is None else pixels, "WEBP", **options)


def gif(comment: bytes | None = None, xmp: str | None = None) -> bytes:
    """A GIF with a comment extension, and XMP with the tail of 258 bytes the standard asks for."""
    whole = encode(picture(), "GIF")
    extensions = b""
    if comment is not None:
        parts = [comment[at : at + 255] for at in range(0, len(comment), 255)]
        extensions += b"!\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    if xmp is not None:
        tail = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
        extensions += b"!\xff\x0bXMP DataXMP" + xmp.encode() + tail
    return b"GIF89a" + whole[6:-1] + extensions + whole[-1:]


def tiff(tags: Mapping[str, str], xmp: str | None = None) -> bytes:
    """A TIFF with text `tags` by EXIF name (none of the Exif directory's), and XMP in tag 700."""
    from PIL import TiffImagePlugin

    info = TiffImagePlugin.ImageFileDirectory_v2()
    for name, text in tags.items():
        info[_IFD0[name]] = text
    if xmp is not None:
        info[700] = xmp.encode()
        info.tagtype[700] = 1
    return encode(picture(), "TIFF", tiffinfo=info)


# AVIF, HEIC, MP4, MOV, WebM


def avif(exif: bytes | None = None, xmp: str | None = None) -> bytes:
    """An AVIF with EXIF and XMP items, as libavif writes them."""
    options: dict[str, Any] = {}
    if exif is not None:
        options["exif"] = exif
    if xmp is not None:
        options["xmp"] = xmp.encode()
    return encode(picture(), "AVIF", **options)


def heic(exif: bytes | None = None, xmp: str | None = None) -> bytes:
    """A HEIC with EXIF and XMP items, as libheif writes them."""
    options: dict[str, Any] = {}
    if exif is not None:
        options["exif"] = b"Exif\0\0" + exif
    if xmp is not None:
        options["xmp"] = xmp.encode()
    return encode(picture(), "HEIF", **options)


def film(
    tags: Mapping[str, str], container: str = "mp4", *, keys: bool = False, faststart: bool = False
) -> bytes:
    """Two frames as `mp4`, `mov` or `webm` with `tags`, written by FFmpeg as the tools do.

    In MP4 and MOV, `keys` writes any key by name (`use_metadata_tags`, what ComfyUI asks for);
    without it only those that the format has a box for are kept (`comment`, `title`, …).
    """
    flags = [f for f, on in (("use_metadata_tags", keys), ("faststart", faststart)) if on]
    options = {"movflags": "+".join(flags)} if flags and container != "webm" else {}
    codec = {"webm": "libvpx-vp9"}.get(container, "libx264")
    with TemporaryDirectory() as folder:
        path = Path(folder, f"film.{container}")
        with av.open(path, "w", format=container, options=options) as file:
            file.metadata.update(tags)
            stream: Any = file.add_stream(codec, rate=5)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            for seed in (0, 1):
                file.mux(stream.encode(av.VideoFrame.from_ndarray(picture(seed=seed))))
            file.mux(stream.encode())
        return path.read_bytes()


def mp4(tags: Mapping[str, str], **options: bool) -> bytes:
    """`film` as MP4."""
    return film(tags, "mp4", **options)


def mov(tags: Mapping[str, str], **options: bool) -> bytes:
    """`film` as QuickTime."""
    return film(tags, "mov", **options)


def webm(tags: Mapping[str, str]) -> bytes:
    """`film` as WebM."""
    return film(tags, "webm")


def box(kind: bytes, *bodies: bytes) -> bytes:
    """A box of the ISO base media file format."""
    body = b"".join(bodies)
    return struct.pack(">I", len(body) + 8) + kind + body


def xmp_box(packet: str) -> bytes:
    """The `uuid` box that holds XMP in MP4 and MOV (XMP specification part 3, 1.2.7)."""
    return box(b"uuid", bytes.fromhex("be7acfcb97a942e89c71999491e3afac"), packet.encode())


# PDF


def pdf(info: Mapping[str, str], xmp: str | None = None, *, encrypted: bool = False) -> bytes:
    """A PDF of one empty page with an Info dictionary and an uncompressed XMP stream."""
    entries = "".join(f"/{key} {_pdf_text(text)} " for key, text in info.items())
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {'/Metadata 5 0 R ' if xmp else ''}>>".encode(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 72 72] >>",
        f"<< {entries}>>".encode("latin-1"),
    ]
    if xmp is not None:
        body = xmp.encode()
        head = f"<< /Type /Metadata /Subtype /XML /Length {len(body)} >>\nstream\n"
        objects.append(head.encode() + body + b"\nendstream")
    out, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    locked = b"/Encrypt << /Filter /Standard /V 1 /R 2 >> " if encrypted else b""
    trailer = b"<< /Size %d /Root 1 0 R /Info 4 0 R %b>>" % (len(objects) + 1, locked)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%btrailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
        trailer,
        len(out),
    )


def _pdf_text(text: str) -> str:
    """A literal string where ASCII is enough, else UTF-16 in hexadecimal."""
    if text.isascii():
        for mark in "\\()":
            text = text.replace(mark, "\\" + mark)
        return f"({text})"
    return f"<FEFF{text.encode('utf-16-be').hex().upper()}>"


# Stealth pixels


def stealth_pixels(
    text: str, mode: str = "alpha", *, compressed: bool = True, pixels: NDArray[Any] | None = None
) -> NDArray[np.uint8]:
    """Pixels with `text` in their least significant bits, column after column, from the top.

    `mode` `alpha` gives (h, w, 4) with nearly opaque alpha, as NovelAI writes it; `rgb` gives
    (h, w, 3), the bits of a pixel in the order red, green, blue. The magic word is followed by
    the length *in bits*, 32 of them, and the UTF-8 text, gzipped when `compressed`.
    """
    word = {
        ("alpha", False): b"stealth_pnginfo",
        ("alpha", True): b"stealth_pngcomp",
        ("rgb", False): b"stealth_rgbinfo",
        ("rgb", True): b"stealth_rgbcomp",
    }[mode, compressed]
    body = gzip.compress(text.encode(), mtime=0) if compressed else text.encode()
    message = word + struct.pack(">I", 8 * len(body)) + body
    bits = np.unpackbits(np.frombuffer(message, np.uint8))
    base = picture(256, 192) if pixels is None else pixels
    if mode == "alpha":
        opaque = np.full((*base.shape[:2], 1), 255, np.uint8)
        base = np.concatenate([base[..., :3], opaque], axis=2)
    turned = base.swapaxes(0, 1).copy()
    flat = turned[..., 3].reshape(-1) if mode == "alpha" else turned.reshape(-1)
    if len(bits) > len(flat):
        raise ValueError("the picture has too few pixels for the text")
    flat[: len(bits)] = (flat[: len(bits)] & 0xFE) | bits
    if mode == "alpha":
        turned[..., 3] = flat.reshape(turned.shape[:2])
    return np.ascontiguousarray(turned.swapaxes(0, 1))


def stealth_png(text: str, mode: str = "alpha", **options: Any) -> bytes:
    """`stealth_pixels` as a PNG without any text chunk."""
    return encode(stealth_pixels(text, mode, **options), "PNG")


def stealth_webp(text: str, mode: str = "alpha", **options: Any) -> bytes:
    """`stealth_pixels` as a lossless WebP that keeps the colours under transparent pixels."""
    return encode(stealth_pixels(text, mode, **options), "WEBP", lossless=True, exact=True)
