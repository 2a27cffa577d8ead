"""Everything that is read through Pillow: PNG, WebP, AVIF, GIF, BMP, TIFF and odd JPEG."""

from __future__ import annotations

from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any

from egide.errors import MissingCodec, TooManyPixels
from egide.media.exif import orientation_of
from egide.media.flatten import flatten
from egide.media.quiet import quiet
from egide.media.reasons import explain
from egide.media.repair import bare_png
from egide.sniff import Format

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image as PillowImage

    from egide.media.picture import Gathering

_TILE_SIDES = (322, 323)  # TileWidth, TileLength


def read_raster(data: bytes, format_: Format, found: Gathering) -> None:
    """Decode all frames or pages of a picture into `found`.

    Raises ItemError, or whatever Pillow raises, at the first thing that cannot be read; frames
    read before stay in `found`, and so does the readable part of a first frame that breaks off.
    """
    from PIL import Image, features  # noqa: PLC0415 - start-up time

    if format_ is Format.AVIF and not features.check("avif"):
        raise MissingCodec("AVIF: this Pillow was built without it; install Pillow 11.3 or later")
    with quiet():
        try:
            picture = Image.open(BytesIO(data), formats=[format_.name])
        except Exception as error:
            if format_ is not Format.PNG or isinstance(error, Image.DecompressionBombError):
                raise
            # A chunk beside the pixels may be the broken one.
            picture = Image.open(BytesIO(bare_png(data)), formats=["PNG"])
            found.problems.append(explain(error, "PNG", kept=True))
        with picture:
            _read_frames(picture, found)


def _read_frames(picture: PillowImage, found: Gathering) -> None:
    from PIL.Image import MAX_IMAGE_PIXELS  # noqa: PLC0415 - start-up time

    for index in count():
        if index and not _seek(picture, index, found):
            return
        found.claim(*picture.size, MAX_IMAGE_PIXELS)
        _check_tiles(picture, found)
        _load(picture, index, found)


def _seek(picture: PillowImage, index: int, found: Gathering) -> bool:
    found.check_time()
    try:
        picture.seek(index)
    except EOFError:
        return False
    return True


def _check_tiles(picture: PillowImage, found: Gathering) -> None:
    """A TIFF of ten pixels may announce one tile of 2³² pixels, which libtiff would fill."""
    tags: Any = getattr(picture, "tag_v2", {})
    width, height = (tags.get(tag, 0) for tag in _TILE_SIDES)
    if isinstance(width, int) and isinstance(height, int) and width * height > found.limits.pixels:
        raise TooManyPixels(f"TIFF tiles of {width}×{height}; EGIDE_MAX_PIXELS allows more")


def _load(picture: PillowImage, index: int, found: Gathering) -> None:
    broken: Exception | None = None
    try:
        picture.load()
    except Exception as error:
        if index or not _keep_partial(picture):
            raise
        broken = error
    alone = not getattr(picture, "is_animated", False) if picture.format != "GIF" else False
    colour = found.colour_fits(*picture.size) or not alone
    pixels = flatten(picture, colour=colour)
    if broken and pixels.min() == pixels.max():
        raise broken
    found.add(pixels, index, _orientation(picture), alone=alone)
    if broken:
        found.problems.append(explain(broken, str(picture.format), kept=True))


def _keep_partial(picture: Any) -> bool:
    """Make Pillow hand over the pixels it had when it gave up; tells whether there are any.

    An image without tiles left to read counts as loaded. This does for one image what
    LOAD_TRUNCATED_IMAGES does for the whole process.
    """
    if getattr(picture, "_im", None) is None:
        return False
    picture.tile = []
    return True


def _orientation(picture: PillowImage) -> int:
    """The orientation that Pillow has not applied; TIFF pages are turned when they are loaded.

    For AVIF, Pillow puts the file's own `irot` and `imir` into the EXIF block that it shows.
    """
    tags: Any = getattr(picture, "tag_v2", None)
    if tags is not None:
        value = tags.get(0x0112, 1)
        return value if value in range(1, 9) else 1
    exif = picture.info.get("exif", b"")
    return orientation_of(exif) if isinstance(exif, bytes) else 1


def read_pixels(data: bytes, found: Gathering, scale: int) -> NDArray[np.uint8]:
    """Decode a JPEG that simplejpeg does not take, e.g. CMYK, reduced by `scale`.

    To (h, w) luma, or to RGB if `found` asks for colour. Raises whatever Pillow raises when nothing
    could be read.
    """
    with quiet():
        try:
            return _draft(data, scale, colour=found.colour)
        except Exception as error:
            # With an end put to it, libjpeg gives what there is.
            luma = _draft(data + b"\xff\xd9", scale, colour=found.colour)
            if luma.min() == luma.max():
                raise
            found.problems.append(explain(error, "JPEG", kept=True))
            return luma


def _draft(data: bytes, scale: int, *, colour: bool) -> NDArray[np.uint8]:
    from PIL import Image  # noqa: PLC0415 - start-up time

    with Image.open(BytesIO(data), formats=["JPEG"]) as picture:
        if scale > 1:
            mode = "L" if picture.mode == "RGB" and not colour else picture.mode
            picture.draft(mode, (picture.width // scale, picture.height // scale))
        picture.load()
        return flatten(picture, colour=colour)
