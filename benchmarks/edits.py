"""The edits that people make before they upload again, as deterministic functions of a picture.

Each takes an RGB picture, a random generator seeded by the picture's name and the edit's, and a
function that gives a *host*: a neutral picture of the other split, which is in no bank.
"""

from __future__ import annotations

import hashlib
import io
import random
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image as Picture
    from PIL.ImageFont import FreeTypeFont

    Host = Callable[[random.Random], Picture]
    Edit = Callable[[Picture, random.Random, Host], Picture]

WORDS: Final = (
    "look at this every day of the week a quiet morning in the hills share if you agree only here "
    "top ten"
)
_SMOOTH: Final = Image.Resampling.LANCZOS
_BICUBIC: Final = Image.Resampling.BICUBIC
_DARK: Final = (30, 30, 34)


def edited(picture: Picture, name: str, edit: str, host: Host) -> Picture:
    """`picture`, called `name`, after the edit called `edit`; the same each time."""
    digest = hashlib.sha256(f"{edit}\0{name}".encode()).digest()
    return EDITS[edit](picture, random.Random(int.from_bytes(digest[:8], "big")), host)


def jpeg(picture: Picture, quality: int) -> bytes:
    """`picture` as the bytes of a JPEG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _compressed(picture: Picture, quality: int) -> Picture:
    return Image.open(io.BytesIO(jpeg(picture, quality))).convert("RGB")


def _scaled(picture: Picture, factor: float) -> Picture:
    width, height = (max(16, round(side * factor)) for side in picture.size)
    return picture.resize((width, height), _SMOOTH)


def _crop(picture: Picture, dice: random.Random, area: float) -> Picture:
    width, height = (round(side * area**0.5) for side in picture.size)
    left, top = dice.randint(0, picture.width - width), dice.randint(0, picture.height - height)
    return picture.crop((left, top, left + width, top + height))


def _border(picture: Picture, dice: random.Random, factor: float) -> Picture:
    size = (round(picture.width * factor), round(picture.height * factor))
    sheet = Image.new("RGB", size, dice.choice(["white", "black", "#888", "#d8c8f0"]))
    sheet.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    return sheet


def _inside(picture: Picture, dice: random.Random, host: Host, share: float) -> Picture:
    """Within another picture, at `share` of its width."""
    back = host(dice)
    back = back.resize((1200, max(300, round(1200 * back.height / back.width))), _SMOOTH)
    width = round(back.width * share)
    small = picture.resize((width, max(1, round(width * picture.height / picture.width))), _SMOOTH)
    if small.height > back.height:
        back = back.resize((back.width, round(small.height * 1.15)), _SMOOTH)
    place = dice.randint(0, back.width - small.width), dice.randint(0, back.height - small.height)
    back.paste(small, place)
    return back


def _text(dice: random.Random, count: int) -> str:
    words = WORDS.split()
    lines = (" ".join(dice.choices(words, k=dice.randint(3, 5))) for _ in range(count))
    return "\n".join(lines).capitalize()


def font(size: float) -> FreeTypeFont:
    """Pillow's own typeface, which is on every machine."""
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType, which the captions need")
    return found


def _captions(picture: Picture, dice: random.Random) -> Picture:
    """Over a quarter of the picture: a filled band at the bottom, outlined letters at the top."""
    picture = picture.copy()
    draw = ImageDraw.Draw(picture)
    middle, size = picture.width // 2, max(10, picture.height // 16)
    band = round(picture.height * 0.14)
    ground, ink = dice.choice([("black", "white"), ("white", "black")])
    draw.rectangle((0, picture.height - band, picture.width, picture.height), fill=ground)
    draw.multiline_text(
        (middle, picture.height - band // 2), _text(dice, 2), font=font(max(8, band // 3)),
        fill=ink, anchor="mm", align="center",
    )  # fmt: skip
    draw.multiline_text(
        (middle, round(picture.height * 0.07)), _text(dice, 2), font=font(size), fill="white",
        stroke_fill="black", stroke_width=max(1, size // 10), anchor="mm", align="center",
    )  # fmt: skip
    return picture


def screenshot(picture: Picture, dice: random.Random) -> Picture:
    """A phone's screen of 1080 × 2220: status bar, an account, the picture, buttons, comments."""
    ground, ink = dice.choice([("#101012", "#f0f0f0"), ("#fafafa", "#18181a")])
    screen = Image.new("RGB", (1080, 2220), ground)
    draw = ImageDraw.Draw(screen)
    letters = font(38)
    clock = f"{dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}"
    draw.text((40, 20), clock, font=letters, fill=ink)
    draw.rectangle((960, 30, 1030, 56), outline=ink, width=3)
    draw.ellipse((30, 110, 120, 200), fill="#7aa2d8")
    draw.text((150, 130), _text(dice, 1), font=letters, fill=ink)
    shown = picture.resize((1080, round(1080 * picture.height / picture.width)), _SMOOTH)
    if shown.height > 1500:
        shown = shown.crop((0, (shown.height - 1500) // 2, 1080, (shown.height + 1500) // 2))
    screen.paste(shown, (0, 230))
    y = 230 + shown.height + 30
    for button in range(4):
        draw.ellipse((40 + 110 * button, y, 110 + 110 * button, y + 70), outline=ink, width=5)
    draw.multiline_text((40, y + 110), _text(dice, 7), font=letters, fill=ink, spacing=14)
    return _compressed(screen, 70)


def _combination(picture: Picture, dice: random.Random) -> Picture:
    part = _crop(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT), dice, 0.6)
    return _compressed(_captions(_scaled(part, 480 / max(part.size)), dice), 40)


def _off_screen(picture: Picture, dice: random.Random) -> Picture:
    """Photographed from a screen: seen from 20° aside, with moiré, glare and noise."""
    shown = _lit(_scaled(picture, 1000 / max(picture.size)), dice)
    width, height = shown.size
    # A camera at 1.6 widths, the screen turned by 20° about its upright axis.
    angle, distance = np.radians(20) * dice.choice([-1, 1]), 1.6 * width
    corners = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        across = x * width / 2
        nearness = distance / (distance + across * np.sin(angle))
        corners.append((across * np.cos(angle) * nearness, y * height / 2 * nearness))
    low = np.min(corners, 0) - 0.06 * width
    wide, high = (int(side) for side in np.max(corners, 0) - low + 0.06 * width)
    seen = shown.transform(
        (wide, high), Image.Transform.PERSPECTIVE,
        _homography(np.array(corners) - low, width, height), _BICUBIC, fillcolor=_DARK,
    )  # fmt: skip
    seen = seen.filter(ImageFilter.GaussianBlur(0.7))
    return _compressed(seen.rotate(dice.uniform(-3, 3), _BICUBIC, fillcolor=_DARK), 75)


def _lit(picture: Picture, dice: random.Random) -> Picture:
    """As it shines on a screen: its pixel grid beats with the camera's, and a lamp is mirrored."""
    width, height = picture.size
    pixels = np.asarray(picture, np.float32)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    pitch, lean = dice.uniform(0.30, 0.42), dice.uniform(-0.25, 0.25)
    grid = np.sin(2 * np.pi * pitch * (x * np.cos(lean) + y * np.sin(lean)))
    beat = 1 + 0.10 * grid * np.sin(2 * np.pi * (pitch + 0.013) * y)
    beat += 0.05 * np.sin(2 * np.pi * (x * 0.021 + y * 0.013))
    lamp_x, lamp_y = dice.uniform(0.2, 0.8) * width, dice.uniform(0.2, 0.8) * height
    spread = dice.uniform(0.12, 0.22) * max(width, height)
    glare = 150 * np.exp(-((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / (2 * spread**2))
    noise = np.random.default_rng(dice.getrandbits(32)).normal(0, 5, pixels.shape)
    lit = pixels * beat[..., None] * 0.88 + glare[..., None] + 8 + noise
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def _homography(corners: np.ndarray, width: int, height: int) -> list[float]:
    """Pillow's eight coefficients that take the `corners` seen back to those of the picture."""
    rows, values = [], []
    whole = ((0, 0), (width, 0), (width, height), (0, height))
    for (x, y), (u, v) in zip(corners, whole, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(each) for each in np.linalg.solve(np.array(rows, float), np.array(values))]


def _stickers(picture: Picture, dice: random.Random) -> Picture:
    """Coloured discs, boxes and stars until half of the picture is covered."""
    picture = picture.copy()
    mask = Image.new("1", picture.size)
    draw, cover = ImageDraw.Draw(picture), ImageDraw.Draw(mask)
    while np.asarray(mask).mean() < 0.5:
        x, y = dice.randint(0, picture.width), dice.randint(0, picture.height)
        size = dice.uniform(0.10, 0.22) * min(picture.size)
        colour = (dice.randint(0, 255), dice.randint(0, 255), dice.randint(0, 255))
        box = (x - size, y - size, x + size, y + size)
        match dice.randrange(3):
            case 0:
                cover.ellipse(box, fill=1)
                draw.ellipse(box, fill=colour, outline="white", width=max(2, int(size / 14)))
                half = (x - size / 2, y - size / 2, x + size / 2, y + size / 2)
                draw.arc(half, 20, 160, fill="black", width=max(2, int(size / 10)))
            case 1:
                cover.rectangle(box, fill=1)
                draw.rectangle(box, fill=colour)
                letters = font(max(8, int(size / 2)))
                draw.text(
                    (x, y), dice.choice(WORDS.split()), font=letters, fill="white", anchor="mm"
                )
            case _:
                cover.polygon(_star(x, y, size), fill=1)
                draw.polygon(_star(x, y, size), fill=colour)
    return picture


def _star(x: float, y: float, size: float) -> list[tuple[float, float]]:
    arms = ((size * (1 if k % 2 == 0 else 0.5), k * np.pi / 5) for k in range(10))
    return [(x + r * float(np.sin(turn)), y - r * float(np.cos(turn))) for r, turn in arms]


def _filter(picture: Picture, dice: random.Random) -> Picture:
    """A strong tone curve on each channel, a colour cast, then five levels a channel."""
    pixels = np.asarray(picture, np.float32) / 255
    gamma = np.array([dice.uniform(0.5, 1.8) for _ in range(3)], np.float32)
    cast = np.array([dice.uniform(0.55, 1.15) for _ in range(3)], np.float32)
    toned = np.clip(pixels**gamma * cast, 0, 1)
    return Image.fromarray((np.round(toned * 4) / 4 * 255).astype(np.uint8))


def _collage(picture: Picture, dice: random.Random, host: Host) -> Picture:
    """One of four in a sheet; each cell is filled, and what hangs over is cut."""
    sheet = Image.new("RGB", (1200, 900), "white")
    place = dice.randrange(4)
    for cell in range(4):
        shown = picture if cell == place else host(dice)
        scale = max(592 / shown.width, 442 / shown.height)
        size = (max(592, round(shown.width * scale)), max(442, round(shown.height * scale)))
        shown = shown.resize(size, _SMOOTH)
        left, top = (size[0] - 592) // 2, (size[1] - 442) // 2
        part = shown.crop((left, top, left + 592, top + 442))
        sheet.paste(part, (4 + 600 * (cell % 2), 4 + 450 * (cell // 2)))
    return _compressed(sheet, 80)


def _three(picture: Picture, dice: random.Random, host: Host) -> Picture:
    for name in dice.sample(THREE_OF, 3):
        picture = EDITS[name](picture, dice, host)
    return picture


def _plain(edit: Callable[[Picture], Picture]) -> Edit:
    return lambda picture, *_: edit(picture)


def _chance(edit: Callable[..., Picture], *more: float) -> Edit:
    return lambda picture, dice, _: edit(picture, dice, *more)


def _hosted(share: float) -> Edit:
    return lambda picture, dice, host: _inside(picture, dice, host, share)


USUAL: Final[dict[str, Edit]] = {
    "jpeg20": _plain(lambda picture: _compressed(picture, 20)),
    "quarter": _plain(lambda picture: _scaled(picture, 0.25)),
    "blur": _plain(lambda picture: picture.filter(ImageFilter.GaussianBlur(2))),
    "bright": _plain(lambda picture: ImageEnhance.Brightness(picture).enhance(1.5)),
    "grey": _plain(lambda picture: picture.convert("L").convert("RGB")),
    "crop95": _chance(_crop, 0.95),
    "crop80": _chance(_crop, 0.80),
    "crop50": _chance(_crop, 0.50),
    "crop25": _chance(_crop, 0.25),
    "border1.2": _chance(_border, 1.2),
    "border2": _chance(_border, 2.0),
    "mirror": _plain(lambda picture: picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
    "quarterturn": _plain(lambda picture: picture.transpose(Image.Transpose.ROTATE_90)),
    "rotate5": _plain(lambda picture: picture.rotate(5, _BICUBIC, expand=True)),
    "rotate20": _plain(lambda picture: picture.rotate(20, _BICUBIC, expand=True)),
    "inside60": _hosted(0.60),
    "inside35": _hosted(0.35),
    "captions": _chance(_captions),
    "screenshot": _chance(screenshot),
    "combination": _chance(_combination),
}
HARD: Final[dict[str, Edit]] = {
    "crop10": _chance(_crop, 0.10),
    "inside20": _hosted(0.20),
    "offscreen": _chance(_off_screen),
    "stickers": _chance(_stickers),
    "filter": _chance(_filter),
    "aspect": _plain(
        lambda picture: picture.resize((round(picture.width * 1.5), picture.height), _SMOOTH)
    ),
    "collage": _collage,
    "three": _three,
}
THREE_OF: Final = (
    "crop80", "crop50", "jpeg20", "mirror", "rotate5", "rotate20", "captions", "border1.2",
    "bright", "blur", "grey", "inside60", "screenshot", "aspect", "filter", "half",
)  # fmt: skip
EDITS: Final[dict[str, Edit]] = {
    **USUAL,
    **HARD,
    "half": _plain(lambda picture: _scaled(picture, 0.5)),
}
MEANING: Final = {
    "jpeg20": "JPEG at quality 20", "quarter": "a quarter of its size", "blur": "blur, σ 2 pixels",
    "bright": "brightness ×1.5", "grey": "grey", "crop95": "crop to 95 % of the area",
    "crop80": "crop to 80 %", "crop50": "crop to 50 %", "crop25": "crop to 25 %",
    "border1.2": "border, 1.2×", "border2": "border, 2×", "mirror": "mirror",
    "quarterturn": "quarter turn", "rotate5": "rotation by 5°", "rotate20": "rotation by 20°",
    "inside60": "inside another, 60 % of its width", "inside35": "inside another, 35 %",
    "captions": "captions over a quarter", "screenshot": "phone screenshot",
    "combination": "mirror, crop 60 %, 480 px, captions, JPEG 40",
    "crop10": "crop to 10 %", "inside20": "inside another, 20 %",
    "offscreen": "photographed from a screen", "stickers": "half under stickers",
    "filter": "colour filter, five levels", "aspect": "aspect ratio ×1.5",
    "collage": "collage of four", "three": "three random edits in a row",
}  # fmt: skip
