"""The watermark of Stable Diffusion and FLUX: how often it is seen in clean photographs, and what
it outlives when it is there."""

from __future__ import annotations

import io
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from PIL import Image
from tests.watermarks import marked

from benchmarks.pictures import pictures
from benchmarks.results import Goal, Part, Table, milliseconds
from benchmarks.timing import processor_seconds
from egide.item import Item
from egide.provenance.watermark import MESSAGES, best_matches, halved, watermark_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from benchmarks.results import Settings

SIZES: Final = ((512, 512), (768, 768), (1024, 1024), (832, 1216), (1152, 896), (1536, 1024))
"""Those that the programs make; of some widths every bit of a message is a column of its own."""

MOST_SECONDS: Final = 0.030
_MARKED: Final = (1024, 1024)


class Written(NamedTuple):
    """How a picture is saved."""

    name: str
    format: str
    options: dict[str, Any]


WRITINGS: Final = (
    Written("PNG", "PNG", {}),
    Written("JPEG 90, full chroma", "JPEG", {"quality": 90, "subsampling": 0}),
    Written("JPEG 95, half chroma", "JPEG", {"quality": 95, "subsampling": 2}),
    Written("JPEG 75, half chroma", "JPEG", {"quality": 75, "subsampling": 2}),
    Written("WebP 90", "WEBP", {"quality": 90}),
    Written("AVIF 80", "AVIF", {"quality": 80}),
)


def run(settings: Settings) -> Part:
    """Counts hits in clean photographs and in marked ones, and times one picture."""
    clean = _clean(settings)
    tries = sum(row.tries for row in clean)
    hits = sum(row.hits for row in clean)
    taken, rows = _marked(settings)
    goals = [
        Goal("watermark seen in clean photographs", "0", f"{hits} of {tries:,}", met=hits == 0),
        Goal(
            "watermark looked for in a PNG of 1024 × 1024, median",
            f"≤ {milliseconds(MOST_SECONDS)}",
            milliseconds(taken),
            met=taken <= MOST_SECONDS,
        ),
    ]
    columns = ("size", "photographs", "seen", *(f"{m.name}: most bits" for m in MESSAGES))
    tables = [
        Table("Clean photographs", columns, [row.cells() for row in clean]),
        Table("Marked photographs, found", ("written as", "as diffusers", "as SD 1"), rows),
    ]
    how = (
        "Photographs cut and scaled to the sizes that the programs make. *Most bits* is the best "
        "match of any photograph, any order of colours, either domain. Marked by an encoder "
        "written anew after the public scheme (`tests/watermarks.py`)."
    )
    return Part("Watermark", how, goals, tables)


class Clean(NamedTuple):
    """What was seen in clean photographs of one size."""

    size: str
    tries: int
    hits: int
    most: Counter[str]

    def cells(self) -> tuple[str, ...]:
        """The row of the table."""
        best = (f"{self.most[m.name]} of {len(m.bits)}, asked {m.least}" for m in MESSAGES)
        return self.size, f"{self.tries:,}", str(self.hits), *best


def _clean(settings: Settings) -> list[Clean]:
    rows = []
    for width, height in SIZES:
        tries, hits, most = 0, 0, Counter[str]()
        for pixels in pictures(settings, settings.few(20, 200), width, height):
            for matches in _read(pixels):
                tries += 1
                hits += any(matches[message.name] >= message.least for message in MESSAGES)
                most |= matches
        rows.append(Clean(f"{width} × {height}", tries, hits, most))
    return rows


def _read(pixels: NDArray[np.uint8]) -> Iterator[Counter[str]]:
    """The best match of each message in the picture as it is, and as a JPEG of quality 90."""
    picture = Image.fromarray(pixels)
    yield Counter(best_matches(halved(picture)))
    with Image.open(io.BytesIO(_saved(pixels, WRITINGS[1]))) as jpeg:
        yield Counter(best_matches(halved(jpeg)))


def _marked(settings: Settings) -> tuple[float, list[tuple[str, ...]]]:
    """Median seconds of a marked PNG, and how many are found however they were written."""
    found: Counter[tuple[str, bool]] = Counter()
    seconds = []
    count = settings.few(8, 60)
    for pixels in pictures(settings, count, *_MARKED):
        for floating in (True, False):
            carrier = marked(pixels, MESSAGES[0].bits, floating=floating)
            for writing in WRITINGS:
                data = _saved(carrier, writing)
                item = Item.from_bytes(data, writing.name)
                if writing.format == "PNG":
                    seconds.append(processor_seconds(partial(watermark_of, item)))
                found[writing.name, floating] += watermark_of(item) is not None
    rows: list[tuple[str, ...]] = [
        (name, f"{found[name, True]} of {count}", f"{found[name, False]} of {count}")
        for name, *_ in WRITINGS
    ]
    return float(np.median(seconds)), rows


def _saved(pixels: NDArray[np.uint8], writing: Written) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, writing.format, **writing.options)
    return out.getvalue()
