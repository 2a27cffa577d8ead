"""Draws `examples/` anew from the pictures that scikit-image ships.

    python scripts/draw_examples.py            # needs: pip install scikit-image

The pictures and their licences are listed in examples/README.md.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

EXAMPLES = Path(__file__).parent.parent / "examples"
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

    whole = (known / "astronaut.jpg").read_bytes()
    (uploads / "cut-off.jpg").write_bytes(whole[: len(whole) // 2])
    (uploads / "empty.jpg").write_bytes(b"")
    (uploads / "no-picture.jpg").write_bytes(b"This is no picture.\n" * 20)
    (uploads / "picture-and-archive.jpg").write_bytes(
        (uploads / "grass.jpg").read_bytes() + _archive()
    )


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
        archive.writestr("hello.txt", "A second file hides behind the picture.\n")
    return out.getvalue()


if __name__ == "__main__":
    main()
