"""HEIC and HEIF through pillow-heif, which égide needs only for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from egide.errors import MissingCodec
from egide.media.flatten import flatten
from egide.media.quiet import quiet

if TYPE_CHECKING:
    from egide.media.picture import Gathering

_SEQUENCES = frozenset({b"hevc", b"hevx", b"msf1"})
_SEQUENCE = "image sequence: pillow-heif reads its still picture, not its track"


def read_heic(data: bytes, found: Gathering) -> None:
    """Decode every top-level image of a HEIC file into `found`.

    libheif applies the file's rotation and mirror boxes itself, and the standard says to ignore
    EXIF orientation (ISO/IEC 23008-12, annex A.2.1): nothing is turned here. Raises MissingCodec
    without pillow-heif, and whatever libheif raises.
    """
    try:
        import pillow_heif  # noqa: PLC0415 - optional
    except ImportError:
        raise MissingCodec("HEIC: run pip install 'egide[heic]'") from None
    from PIL.Image import MAX_IMAGE_PIXELS  # noqa: PLC0415 - start-up time

    with quiet():
        file: Any = pillow_heif.open_heif(data, convert_hdr_to_8bit=True)
        if data[8:12] in _SEQUENCES:
            if not len(file):
                raise MissingCodec(f"HEIC: {_SEQUENCE}; send it as a video")
            found.notes.append(_SEQUENCE)
        for index in range(len(file)):
            image = file[index]
            width, height = image.size
            found.claim(width, height, MAX_IMAGE_PIXELS)
            picture = image.to_pillow()
            alone = len(file) == 1
            colour = found.colour_fits(*picture.size) or not alone
            pixels = flatten(picture, colour=colour)
            found.add(np.ascontiguousarray(pixels), index, alone=alone)
