"""The invisible watermark that Stable Diffusion's and FLUX's own programs put into pictures.

The scheme is `dwtDct` of the package invisible-watermark (ShieldMnt, MIT): one level of the Haar
transform of the chroma U; in every 4 × 4 block of its low-pass band the largest entry is moved to
a quarter (a 0) or three quarters (a 1) of a bucket of 36. Blocks carry the message's bits in turn,
again and again.

Two things are done better than in that package, with the same bits as the outcome. A bit is 1 when
its blocks say so more often than *all* blocks do, not more often than half: what the picture itself
says is the same for all bits, and is taken out so. And the message is looked for in both domains in
which programs write it, since those that embed into floating point (diffusers, generative-models,
flux) shift every bucket by 255.
"""

from __future__ import annotations

import math
import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from egide.media.picture import Limits
from egide.media.quiet import quiet
from egide.media.reasons import explain
from egide.provenance.statements import Watermark
from egide.sniff import Format, sniff_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from egide.item import Item

LEAST_SIDE: Final = 256
"""Smaller pictures are not marked: the programs leave them out."""

MOST_PIXELS: Final = 4_500_000
"""Larger pictures are not looked at: no program makes them in one go, and enlarging unmarks."""

CHANCE: Final = 1e-9
"""The most that random bits may match a message as well as is asked for."""

_DEFAULT_LIMITS: Final = Limits()
_BUCKET: Final = 36.0
_CHROMA: Final = np.array([-0.299, -0.587, 0.886], np.float32) * np.float32(2 * 0.492)
_FORMATS: Final = frozenset(
    {Format.PNG, Format.JPEG, Format.WEBP, Format.AVIF, Format.TIFF, Format.BMP}
)
_MODES: Final = frozenset({"RGB", "RGBA", "RGBX"})
_MOST_CHROMA_STEP: Final = 3
"""The coarsest step of a JPEG's halved chroma that it outlives: that of IJG's quality 90."""
_ENOUGH_PIXELS: Final = 1 << 18
"""Of a PNG only the first rows are decoded, as many as give this many pixels."""


class Message(NamedTuple):
    """A message that a program embeds when it is not told another."""

    name: str
    bits: NDArray[np.bool_]

    @property
    def least(self) -> int:
        """How many bits must be right: eleven of twelve, and more where chance could do it."""
        return max(math.ceil(len(self.bits) * 11 / 12), _least_by_chance(len(self.bits)))


def _least_by_chance(bits: int) -> int:
    """The least k such that `bits` fair coins match in k or more with at most `CHANCE`."""
    tail = 0
    for right in range(bits, -1, -1):
        tail += math.comb(bits, right)
        if tail > CHANCE * 2**bits:
            return right + 1
    return bits


def _number(name: str, number: int) -> Message:
    """A message that is a number: its digits without leading zeros, as the programs take it."""
    return Message(name, np.array([digit == "1" for digit in f"{number:b}"]))


def _text(name: str, text: bytes) -> Message:
    return Message(name, np.unpackbits(np.frombuffer(text, np.uint8)).astype(bool))


MESSAGES: Final = (
    _number("Stable Diffusion XL", 0b101100111110110010010000011110111011000110011110),
    _number("FLUX", 0b001010101111111010000111100111001111010100101110),
    _text("Stable Diffusion 1", b"StableDiffusionV1"),
    _text("Stable Diffusion 1 inpainting", b"StableDiffusionV1-Inpainting"),
    _text("Stable Diffusion 2", b"SDV2"),
)
"""The defaults of diffusers and generative-models (48 bits), flux (46), and the scripts of Stable
Diffusion 1 (136 and 224) and 2 (32)."""


def watermark_of(item: Item, limits: Limits = _DEFAULT_LIMITS) -> Watermark | None:
    """The known watermark in a picture's pixels; None when there is none, which says nothing.

    It outlives PNG, TIFF, BMP and lossless WebP, most often JPEG and AVIF with full chroma and
    WebP of high quality, seldom other JPEG, never scaling or cropping on the left or at the top.
    Pictures that no program makes are not decoded: animations, greys, more than `MOST_PIXELS`,
    less than `LEAST_SIDE` a side, a width that is no multiple of eight, JPEG with halved chroma
    below quality 90. Raises the ItemError of a picture that cannot be decoded, TooManyBytes over
    `limits.bytes`.
    """
    with item.opened() as stream:
        format_ = sniff_picture(stream.read(64))
    if format_ not in _FORMATS:
        return None
    half = _half_size(item.read(limits.bytes), format_)
    return None if half is None else find_watermark(half)


def find_watermark(half: NDArray[np.uint8]) -> Watermark | None:
    """The known message in a picture of which `halved` made `half`; None when there is none."""
    matches = best_matches(half)
    found = [message for message in MESSAGES if matches[message.name] >= message.least]
    if not found:
        return None
    best = max(found, key=lambda message: matches[message.name] / len(message.bits))
    return Watermark(best.name, len(best.bits), matches[best.name])


def best_matches(half: NDArray[np.uint8]) -> dict[str, int]:
    """How many bits of each message are there at best, over all ways in which programs write it."""
    readings = _readings(half)
    return {
        message.name: max(_matching(said, message) for said in readings) for message in MESSAGES
    }


def halved(picture: PillowImage) -> NDArray[np.uint8]:
    """(h // 4 * 2, w // 4 * 2, 3) RGB: the means of every 2 × 2 pixels."""
    width, height = picture.size
    whole = picture.convert("RGB").crop((0, 0, width // 4 * 4, height // 4 * 4))
    return np.asarray(whole.reduce(2))


def _readings(half: NDArray[np.uint8]) -> list[NDArray[np.bool_]]:
    """What each block says, in order, for both orders of channels and both domains.

    The encoder takes BGR; older programs handed it RGB.
    """
    plane = half.astype(np.float32)
    readings = []
    for ordered in (plane, plane[..., ::-1]):
        # U without its constant, twice: the low-pass band of the Haar transform doubles the mean.
        chroma = (ordered @ _CHROMA).astype(np.float32)
        blocks = _blocks(chroma)
        for constant in (1.0, 256.0):  # twice that constant: of floating point, of bytes
            largest = np.abs(blocks + constant).max(axis=1)
            readings.append(largest % _BUCKET > _BUCKET / 2)
    return readings


def _blocks(band: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 15): the 4 × 4 blocks in reading order, without the entry that is never marked."""
    down, across = band.shape[0] // 4, band.shape[1] // 4
    cut = band[: down * 4, : across * 4].reshape(down, 4, across, 4)
    return cut.swapaxes(1, 2).reshape(-1, 16)[:, 1:]


def _matching(said: NDArray[np.bool_], message: Message) -> int:
    """How many bits of the message the blocks say."""
    size = len(message.bits)
    rounds = len(said) // size
    if rounds < 4:
        return 0
    votes = said[: rounds * size].reshape(rounds, size).sum(axis=0)
    return int(np.count_nonzero((votes * size > votes.sum()) == message.bits))


def _half_size(data: bytes, format_: Format) -> NDArray[np.uint8] | None:
    """(h, w, 3) RGB means of 2 × 2 pixels; None for a picture that cannot be marked.

    Raises ItemError when it cannot be decoded.
    """
    from PIL import Image  # noqa: PLC0415  start-up time

    try:
        with quiet(), Image.open(BytesIO(data), formats=[format_.name]) as picture:
            if not _can_be_marked(picture):
                return None
            if format_ is Format.PNG and not picture.info.get("interlace"):
                first = BytesIO(_first_rows(data, *picture.size))
                with Image.open(first, formats=["PNG"]) as rows:
                    return halved(rows)
            return halved(picture)
    except Exception as error:
        raise explain(error, format_.name, kept=False) from error


def _can_be_marked(picture: PillowImage) -> bool:
    width, height = picture.size
    return (
        picture.mode in _MODES
        and width % 8 == 0
        and min(width, height) >= LEAST_SIDE
        and width * height <= MOST_PIXELS
        and not getattr(picture, "is_animated", False)
        and not _has_coarse_chroma(picture)
    )


def _has_coarse_chroma(picture: PillowImage) -> bool:
    """Whether it is a JPEG that has lost the watermark if there was one: most of those that are
    shared are, and decoding them would cost more than everything else that is asked of them."""
    layers, tables = getattr(picture, "layer", []), getattr(picture, "quantization", {})
    if len(layers) != 3:
        return False
    (_, *luma, _), (_, *chroma, table) = layers[:2]
    is_coarse: bool = tables.get(table, [0])[0] > _MOST_CHROMA_STEP
    return is_coarse and luma != chroma


def _first_rows(data: bytes, width: int, height: int) -> bytes:
    """A PNG of this size that says it ends after its first rows: no more is then decoded."""
    rows = min(height, max(LEAST_SIDE // 2, _ENOUGH_PIXELS // width) // 4 * 4)
    header = data[12:20] + struct.pack(">I", rows) + data[24:29]
    return data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
