"""The examples that the shipped detectors carry: run as tests, printed in the documentation."""

from __future__ import annotations

import io
from functools import cache

import numpy as np

from egide.detector import Example
from egide.item import Item
from egide.label import Label
from egide.testing import neutral_picture, neutral_pixels


@cache
def known_media_examples() -> tuple[Example, ...]:
    """A banked picture as it is, re-encoded, mirrored, turned and framed; and another picture."""
    pixels = neutral_pixels(1)
    banked = Item.from_bytes(neutral_picture(1), "banked.png")
    framed = np.pad(pixels, ((60, 60), (60, 60), (0, 0)), constant_values=255)
    copies = {
        "the banked file itself": neutral_picture(1),
        "a copy encoded as JPEG": _encoded(pixels, "JPEG"),
        "a copy that was mirrored": _encoded(pixels[:, ::-1], "JPEG"),
        "a copy that was turned by 90 degrees": _encoded(np.rot90(pixels), "JPEG"),
        "a copy with a white border": _encoded(framed, "JPEG"),
    }
    known = frozenset({Label.NCII_KNOWN})
    return (
        *(
            Example(Item.from_bytes(data, f"{why}"), known, why, (banked,))
            for why, data in copies.items()
        ),
        Example(
            Item.from_bytes(neutral_picture(2), "other.png"),
            frozenset(),
            "another picture",
            (banked,),
        ),
    )


def _encoded(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], format_: str) -> bytes:
    from PIL import Image  # noqa: PLC0415  start-up time

    out = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(out, format_, quality=80)
    return out.getvalue()
