"""Neutral test pictures, drawn with numpy, and files broken on purpose."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


def smooth_noise(width: int = 400, height: int = 300, seed: int = 0) -> NDArray[np.uint8]:
    """Blurred colour noise, (height, width, 3): every seed another picture, PDQ quality 100."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def noise(width: int = 400, height: int = 300, seed: int = 0) -> NDArray[np.uint8]:
    """Smooth noise with grain on it, (height, width, 3): compresses as badly as a photograph."""
    grain = np.random.default_rng(seed).normal(0, 12, (height, width, 1))
    return np.clip(smooth_noise(width, height, seed) + grain, 0, 255).astype(np.uint8)


def gradient(width: int = 400, height: int = 300) -> NDArray[np.uint8]:
    """Black on the left to white on the right, (height, width, 3)."""
    row = np.linspace(0, 255, width).round().astype(np.uint8)
    return np.repeat(np.broadcast_to(row, (height, width))[:, :, None], 3, axis=2).copy()


def shapes(width: int = 400, height: int = 300, seed: int = 0) -> NDArray[np.uint8]:
    """Discs and bars of one colour each on white, (height, width, 3)."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 255, np.uint8)
    y, x = np.mgrid[:height, :width]
    for _ in range(6):
        across, down = rng.integers(0, width), rng.integers(0, height)
        radius = rng.integers(min(width, height) // 10 + 1, min(width, height) // 4 + 2)
        pixels[(x - across) ** 2 + (y - down) ** 2 < radius**2] = rng.integers(0, 256, 3)
        left = rng.integers(0, width)
        pixels[:, left : left + width // 30 + 1] = rng.integers(0, 256, 3)
    return pixels


def corners(width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """White with a dark top left and a grey top right: tells all 8 orientations apart."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 2, : width // 2] = 0
    pixels[: height // 2, width // 2 :] = 128
    return pixels


def luma(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What Pillow makes of RGB as mode L."""
    return np.asarray(Image.fromarray(pixels).convert("L"))


def encode(
    pixels: NDArray[Any] | Image.Image, format_: str = "JPEG", mode: str = "", **options: Any
) -> bytes:
    """Encode with Pillow (HEIF: with pillow-heif), after conversion to `mode` when given."""
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture = picture.convert(mode) if mode else picture
    out = io.BytesIO()
    if format_ == "HEIF":
        import pillow_heif

        # Not from_pillow(): it turns the pixels and then writes the rotation as well.
        pillow_heif.encode(picture.mode, picture.size, picture.tobytes(), out, **options)
    else:
        picture.save(out, format_, **options)
    return out.getvalue()


def animation(format_: str, frames: Sequence[NDArray[np.uint8]], **options: Any) -> bytes:
    """Encode frames as an animated GIF, PNG, WebP or AVIF or a multi-page TIFF."""
    first, *rest = [Image.fromarray(frame) for frame in frames]
    if format_ != "TIFF":
        options = {"duration": 40, **options}
    return encode(first, format_, save_all=True, append_images=rest, **options)


def exif(orientation: int) -> bytes:
    """An EXIF block with this orientation and nothing else."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, bits: int, colour: int, *chunks: bytes) -> bytes:
    """A PNG with this header and these chunks, however wrong they are."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + b"".join(chunks)


def png_bomb(side: int = 50_000) -> bytes:
    """A PNG of side × side one-bit pixels in a few hundred kilobytes."""
    rows = zlib.compress(bytes(side // 8 + 1) * side, 9)
    return png_of(side, side, 1, 0, png_chunk(b"IDAT", rows), png_chunk(b"IEND", b""))


def png_text_bomb(megabytes: int = 50) -> bytes:
    """A sound small PNG with a compressed text chunk that inflates to `megabytes`."""
    text = b"Comment\0\0" + zlib.compress(bytes(megabytes << 20), 9)
    sound = encode(smooth_noise(64, 48), "PNG")
    return sound[:33] + png_chunk(b"zTXt", text) + sound[33:]


def gif_bomb(frames: int = 100_000, side: int = 1) -> bytes:
    """A GIF of many equal tiny frames."""
    one = encode(np.zeros((side, side), np.uint8), "GIF")
    start = one.index(b",", 13 + 3 * 2)
    return one[:start] + one[start:-1] * frames + b";"


def jpeg_of_scans(scans: int, side: int = 64) -> bytes:
    """A progressive JPEG whose last scan is there `scans` times."""
    sound = encode(smooth_noise(side, side), "JPEG", progressive=True)
    last = sound.rindex(b"\xff\xda")
    return sound[:-2] + sound[last:-2] * scans + b"\xff\xd9"


def tiff_of(tags: Iterable[tuple[int, int, int, int]], body: bytes = b"", after: int = 0) -> bytes:
    """A little-endian TIFF of one directory of (tag, type, count, value), then `body`.

    `after` is where the next directory is said to be.
    """
    entries = [struct.pack("<HHII", *tag) for tag in tags]
    head = b"II*\0" + struct.pack("<IH", 8, len(entries))
    return head + b"".join(entries) + struct.pack("<I", after) + body


def tiff_loop() -> bytes:
    """A TIFF of one pixel whose directory names itself as the next one."""
    at = 8 + 2 + 12 * 8 + 4
    short, long = 3, 4
    tags = [
        (256, short, 1, 1), (257, short, 1, 1), (258, short, 1, 8), (259, short, 1, 1),
        (262, short, 1, 1), (273, long, 1, at), (278, short, 1, 1), (279, long, 1, 1),
    ]  # fmt: skip
    return tiff_of(tags, b"\x7f", after=8)


def mutations(sound: bytes, count: int, seed: int = 0) -> Iterable[bytes]:
    """`count` damaged copies of a file: bytes changed, cut, removed, doubled; the same each run."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        broken = bytearray(sound)
        for _ in range(int(rng.integers(1, 5))):
            # Half of the damage goes into the head, where the structure is.
            reach = min(len(broken), 256) if rng.random() < 0.5 else len(broken)
            at, size = int(rng.integers(0, max(1, reach))), int(rng.integers(1, 9))
            match int(rng.integers(0, 6)):
                case 0:
                    broken[at : at + size] = rng.bytes(size)
                case 1:
                    broken[at : at + size] = bytes([int(rng.choice([0, 0x7F, 0x80, 0xFF]))]) * size
                case 2:
                    del broken[at : at + size]
                case 3:
                    broken[at:at] = broken[at : at + 16 * size]
                case 4 if at > 8:
                    del broken[at:]
                case _:
                    if broken:
                        broken[min(at, len(broken) - 1)] ^= 1 << int(rng.integers(0, 8))
        yield bytes(broken)


def mpf_index(sizes: Sequence[int], offsets: Sequence[int]) -> bytes:
    """The APP2 segment that announces these pictures (CIPA DC-007); offsets as stored."""
    entries = b"".join(
        struct.pack("<IIIHH", 0x030000 if n == 0 else 0, size, offset, 0, 0)
        for n, (size, offset) in enumerate(zip(sizes, offsets, strict=True))
    )
    tags = struct.pack("<HHI4s", 0xB000, 7, 4, b"0100")
    tags += struct.pack("<HHII", 0xB001, 4, 1, len(sizes))
    tags += struct.pack("<HHII", 0xB002, 7, len(entries), 8 + 2 + 36 + 4)
    body = b"MPF\0" + b"II*\0" + struct.pack("<IH", 8, 3) + tags + bytes(4) + entries
    return b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body


def jpeg_with_second(seed: int = 1) -> bytes:
    """A JPEG and a second one behind it that its index announces, as phones write them."""
    first = encode(smooth_noise(64, 48))
    second = encode(smooth_noise(32, 24, seed))
    size = len(first) + len(mpf_index([0, 0], [0, 0]))
    # Offsets count from the byte after "MPF\0", which stands 8 bytes into the segment at byte 2.
    index = mpf_index([size, len(second)], [0, size - 10])
    return first[:2] + index + first[2:] + second


def with_bytes(format_: str, at: int, replacement: bytes) -> bytes:
    """A sound small file of this format with some bytes overwritten."""
    data = encode(smooth_noise(64, 48), format_)
    return data[:at] + replacement + data[at + len(replacement) :]


def gif_of_huge_frame() -> bytes:
    """A small GIF whose second frame is far larger than its screen."""
    data = animation("GIF", [smooth_noise(32, 32), smooth_noise(32, 32, 1)])
    at = data.index(b"\x2c\0\0\0\0\x20\0\x20\0", data.index(b"\x2c\0\0\0\0\x20\0\x20\0") + 1)
    return data[: at + 5] + b"\xff\xff\xff\xff" + data[at + 9 :]


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG that says it is this large."""
    data = encode(smooth_noise(64, 64))
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def webp_of_canvas(width: int, height: int) -> bytes:
    """An extended WebP of 64 × 48 pixels whose canvas says it is this large."""
    data = encode(smooth_noise(64, 48), "WEBP", exif=exif(1))
    at = data.index(b"VP8X") + 12
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return data[:at] + size + data[at + 6 :]


def avif_of_size(width: int, height: int) -> bytes:
    """An AVIF of 64 × 48 pixels whose properties say it is this large."""
    data = encode(smooth_noise(64, 48), "AVIF")
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def tiff_of_size(width: int, height: int) -> bytes:
    """A TIFF of one strip of a few bytes that says it is this large."""
    at = 8 + 2 + 12 * 8 + 4
    short, long = 3, 4
    tags = [
        (256, long, 1, width), (257, long, 1, height), (258, short, 1, 8), (259, short, 1, 5),
        (262, short, 1, 1), (273, long, 1, at), (278, long, 1, height), (279, long, 1, 4),
    ]  # fmt: skip
    return tiff_of(tags, b"\x80\x0b\x60\x50")
