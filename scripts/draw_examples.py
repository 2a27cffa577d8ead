"""Draws `examples/` anew from the pictures that scikit-image ships.

    python scripts/draw_examples.py            # needs: pip install scikit-image

The pictures and their licences are listed in examples/README.md. The same libraries draw the same
bytes; other versions of an encoder may write others.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageOps

EXAMPLES = Path(__file__).parent.parent / "examples"
CLIP_SIZE = (320, 240)
CLIP_RATE = 12
KNOWN = ("astronaut", "coffee", "rocket", "camera", "brick")
STRANGERS = ("chelsea", "hubble_deep_field", "gravel", "grass")


def main() -> None:
    """Writes every picture of `examples/known` and `examples/uploads`."""
    from skimage import data  # type: ignore[import-not-found]  # noqa: PLC0415  needed here alone

    pictures = {name: _picture(getattr(data, name)()) for name in (*KNOWN, *STRANGERS)}
    known, uploads = EXAMPLES / "known", EXAMPLES / "uploads"
    for folder in (known, uploads):
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    for name in KNOWN:
        pictures[name].save(known / f"{name}.jpg", quality=88)
    for name in STRANGERS:
        pictures[name].save(uploads / f"{name}.jpg", quality=80)

    coffee, rocket = pictures["coffee"], pictures["rocket"]
    astronaut, camera, brick = pictures["astronaut"], pictures["camera"], pictures["brick"]
    (uploads / "IMG_0001.jpg").write_bytes((known / "coffee.jpg").read_bytes())
    coffee.resize((300, 200)).save(uploads / "thumbnail.jpg", quality=30)
    ImageOps.mirror(astronaut).save(uploads / "avatar.webp", quality=75)
    rocket.transpose(Image.Transpose.ROTATE_90).save(uploads / "turned.jpg", quality=80)
    ImageOps.expand(rocket, 80, "white").save(uploads / "framed.jpg", quality=80)
    # Not smaller: half as large, bricks and pixels beat against each other, and PDQ sees the moiré.
    ImageOps.grayscale(brick).resize((448, 448)).save(uploads / "wall.png")
    _title_card(pictures["gravel"]).save(
        uploads / "slideshow.gif", save_all=True, append_images=[camera.resize((256, 256))]
    )

    _draw_parts(pictures, uploads)
    _encode(_clip(pictures), uploads / "clip.mp4")

    whole = (known / "astronaut.jpg").read_bytes()
    (uploads / "cut-off.jpg").write_bytes(whole[: len(whole) // 2])
    (uploads / "empty.jpg").write_bytes(b"")
    (uploads / "no-picture.jpg").write_bytes(b"This is no picture.\n" * 20)
    (uploads / "picture-and-archive.jpg").write_bytes(
        (uploads / "grass.jpg").read_bytes() + _archive()
    )


def _draw_parts(pictures: dict[str, Image.Image], uploads: Path) -> None:
    """Uploads that share but a part with a known picture: a hash of the whole misses them."""
    coffee, camera = pictures["coffee"], pictures["camera"]
    width, height = coffee.size
    coffee.crop((width * 3 // 10, height // 4, width, height)).save(
        uploads / "cropped.jpg", quality=80
    )
    _screenshot(pictures["astronaut"]).save(uploads / "screenshot.jpg", quality=80)
    galaxies = pictures["hubble_deep_field"].copy()
    galaxies.paste(ImageOps.mirror(camera).resize((288, 288)), (60, 180))
    galaxies.save(uploads / "pasted.jpg", quality=80)
    four = [pictures[name] for name in ("chelsea", "rocket", "coffee", "gravel")]
    _collage(four).save(uploads / "collage.jpg", quality=80)


def _screenshot(picture: Image.Image) -> Image.Image:
    """`picture` in the middle of a telephone's screen, as an app for pictures shows it."""
    screen = Image.new("RGB", (360, 720), "#f4f4f6")
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, 360, 28), fill="#202124")
    draw.text((12, 8), "12:34", fill="white")
    draw.rectangle((318, 9, 342, 19), outline="white")
    draw.rectangle((320, 11, 336, 17), fill="white")
    draw.ellipse((12, 44, 52, 84), fill="#8ab4c8")
    draw.text((64, 50), "a.nickname", fill="#202124")
    draw.text((64, 66), "2 hours ago", fill="#6b6f76")
    screen.paste(picture.resize((360, 360)), (0, 100))
    for left, colour in ((16, "#d1495b"), (64, "#6b6f76"), (112, "#6b6f76")):
        draw.rounded_rectangle((left, 476, left + 28, 504), 8, outline=colour, width=3)
    for top, end in ((524, 300), (544, 332), (564, 180)):
        draw.rounded_rectangle((16, top, end, top + 8), 4, fill="#c9ccd1")
    draw.rounded_rectangle((110, 704, 250, 709), 2, fill="#202124")
    return screen


def _collage(pictures: list[Image.Image]) -> Image.Image:
    """Four pictures, two by two."""
    sheet = Image.new("RGB", (640, 480))
    for number, picture in enumerate(pictures):
        place = 320 * (number % 2), 240 * (number // 2)
        sheet.paste(ImageOps.fit(picture, (320, 240)), place)
    return sheet


def _clip(pictures: dict[str, Image.Image]) -> Iterator[Image.Image]:
    """Seven seconds: a walk over grass, the `rocket` for 2.5 seconds, a walk over galaxies."""
    yield from _walk(pictures["grass"], 2.0)
    rocket = ImageOps.pad(pictures["rocket"], CLIP_SIZE)
    yield from [rocket] * round(2.5 * CLIP_RATE)
    yield from _walk(pictures["hubble_deep_field"], 2.5)


def _walk(picture: Image.Image, seconds: float) -> Iterator[Image.Image]:
    """A view that moves over `picture` from its left to its right."""
    scene = ImageOps.fit(picture, (CLIP_SIZE[0] * 3 // 2, CLIP_SIZE[1]))
    count = round(seconds * CLIP_RATE)
    for number in range(count):
        left = number * (scene.width - CLIP_SIZE[0]) // count
        yield scene.crop((left, 0, left + CLIP_SIZE[0], CLIP_SIZE[1]))


def _encode(frames: Iterable[Image.Image], path: Path) -> None:
    """Writes `frames` as H.264 in an MP4, without anything that changes from day to day."""
    with av.open(path, "w", format="mp4", container_options={"fflags": "+bitexact"}) as file:
        stream = file.add_stream("libx264", rate=CLIP_RATE)
        stream.width, stream.height = CLIP_SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "30", "preset": "slow", "threads": "1"}
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame), "rgb24")))
        file.mux(stream.encode())


def _picture(pixels: object) -> Image.Image:
    picture = Image.fromarray(pixels).convert("RGB")  # type: ignore[arg-type]
    picture.thumbnail((640, 640))
    return picture


def _title_card(picture: Image.Image) -> Image.Image:
    """The first frame of an animation: `picture` with a white bar, as if for a title."""
    frame = picture.resize((256, 256))
    ImageDraw.Draw(frame).rectangle((20, 100, 236, 156), fill="white")
    return frame


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        # Not by its name alone, which would write down the time of day.
        archive.writestr(zipfile.ZipInfo("hello.txt"), "A second file hides behind the picture.\n")
    return out.getvalue()


if __name__ == "__main__":
    main()
