"""Different pictures under one template: how often sharing it is taken for a copy."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import corpus
from benchmarks.corpus import Split
from benchmarks.edits import font, screenshot
from benchmarks.results import Table
from egide import _kernel
from egide.detectors.known_media import LEAST_COVERAGE, SURE_ALIGNMENT
from egide.match import ALIGNED_SCORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image as Picture

    from benchmarks.results import Settings

COVERAGES: Final = (0.3, 0.4, 0.5)
_SIZE: Final = (800, 600)


def measure(settings: Settings) -> Table:
    """Every picture of one half of DEV against every one of the other half, under each template."""
    wholes = [picture for picture in corpus.pictures(settings, Split.DEV) if picture.whole]
    random.Random(1).shuffle(wholes)
    half = settings.few(6, 40)
    loaded = [corpus.load(settings, picture).resize(_SIZE) for picture in wholes[: 2 * half]]
    room = next(p for p in corpus.queried(settings, Split.TEST) if "monuments" in p.parent)
    templates = _templates(corpus.load(settings, room, 1200).resize((1000, 750)))
    rows = []
    for name, lay in templates.items():
        records = [_features(lay(picture)).record() for picture in loaded[:half]]
        found = [
            compared
            for picture in loaded[half:]
            for compared in map(_features(lay(picture)).compare, records)
        ]
        scores = np.array([one[0] if one else 0.0 for one in found])
        coverage = np.array([one[5] / max(1, one[6]) if one else 0.0 for one in found])
        shares = [((scores >= SURE_ALIGNMENT) & (coverage >= least)).mean() for least in COVERAGES]
        rows.append(
            (name, f"{(scores >= ALIGNED_SCORE).mean():.2f}", *(f"{one:.2f}" for one in shares))
        )
    return Table(
        f"Different pictures under the same template, {half * half:,} pairs each; the share of "
        "the pairs that are taken for copies. Coverage is how much of the banked picture's detail "
        f"was found, of what should be visible; `block` asks for {LEAST_COVERAGE}:",
        ("template", f"score ≥ {ALIGNED_SCORE} (a person looks)",
         *(f"score ≥ {SURE_ALIGNMENT}, coverage ≥ {least}" for least in COVERAGES)),
        rows,
    )  # fmt: skip


def _features(picture: Picture) -> _kernel.LocalFeatures:
    return _kernel.LocalFeatures(np.asarray(picture.convert("L")))


def _templates(room: Picture) -> dict[str, Callable[[Picture], Picture]]:
    return {
        "none": lambda picture: picture,
        "meme, two caption bars": _meme,
        "the same outlined caption": _caption,
        "screenshot of one app": lambda picture: screenshot(picture, random.Random(5)),
        "watermark, five times and a logo": _watermark,
        "patterned frame": _frame,
        "the same room, 15 % of it new": lambda picture: _in_room(room, picture, 0.15),
        "the same room, 45 % of it new": lambda picture: _in_room(room, picture, 0.45),
        "the same room, 80 % of it new": lambda picture: _in_room(room, picture, 0.80),
    }


def _meme(picture: Picture) -> Picture:
    sheet = Image.new("RGB", (800, 800), "white")
    sheet.paste(picture, (0, 100))
    draw = ImageDraw.Draw(sheet)
    for y, line in ((50, "WHEN THE TRAIN IS LATE AGAIN"), (750, "and nobody says a word")):
        draw.text((400, y), line, font=font(44), fill="black", anchor="mm")
    return sheet


def _caption(picture: Picture) -> Picture:
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    for y, line in ((40, "EVERY MORNING"), (110, "OF THE WEEK"), (550, "THE SAME AGAIN")):
        draw.text((400, y), line, font=font(60), fill="white", stroke_fill="black",
                  stroke_width=4, anchor="mm")  # fmt: skip
    return picture


def _watermark(picture: Picture) -> Picture:
    mark = Image.new("RGBA", picture.size)
    draw = ImageDraw.Draw(mark)
    for k in range(5):
        place = (90 + k * 150, 80 + k * 110)
        draw.text(place, "picture-site", font=font(46), fill=(255, 255, 255, 110), anchor="mm")
    draw.ellipse((640, 20, 780, 160), outline=(255, 255, 255, 160), width=10)
    draw.text((710, 90), "PS", font=font(64), fill=(255, 255, 255, 190), anchor="mm")
    return Image.alpha_composite(picture.convert("RGBA"), mark).convert("RGB")


def _frame(picture: Picture) -> Picture:
    sheet = Image.new("RGB", (800, 800), "#402010")
    draw = ImageDraw.Draw(sheet)
    dice = random.Random(9)
    for _ in range(420):
        x, y, size = dice.randint(0, 800), dice.randint(0, 800), dice.randint(4, 22)
        colour = (dice.randint(60, 255), dice.randint(60, 255), dice.randint(60, 255))
        draw.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    sheet.paste(picture.resize((600, 600)), (100, 100))
    return sheet


def _in_room(room: Picture, picture: Picture, share: float) -> Picture:
    sheet = room.copy()
    width, height = int(1000 * share**0.5), int(750 * share**0.5)
    sheet.paste(picture.resize((width, height)), ((1000 - width) // 2, 750 - height))
    return sheet
