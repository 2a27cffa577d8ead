"""What egide's own tests are made of, for yours: neutral pictures, a bank in memory, examples.

from egide.testing import MemoryBank, neutral_picture
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from egide.bank.memory import MemoryBank
from egide.detector import Detector, DetectorSettings
from egide.finding import Finding
from egide.label import Label
from egide.media.fingerprint import fingerprints_of

__all__ = ["MemoryBank", "failing_examples", "neutral_picture", "neutral_pixels"]


def neutral_pixels(seed: int, height: int = 384, width: int = 512) -> NDArray[np.uint8]:
    """A picture of nothing, (height, width, 3) uint8: clouds and boxes, others for each `seed`."""
    random = np.random.default_rng(seed)
    clouds = np.zeros((3, height, width))
    rows, columns = np.ogrid[0:height, 0:width]
    for _ in range(40):
        y, x = random.uniform(0, height), random.uniform(0, width)
        spread = random.uniform(0.03, 0.15) * max(height, width)
        blob = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * spread**2))
        for channel, weight in enumerate(random.uniform(-1, 1, 3)):
            clouds[channel] += blob * weight
    for _ in range(60):
        top, left = random.integers(0, height), random.integers(0, width)
        bottom, right = top + random.integers(4, height // 3), left + random.integers(4, width // 3)
        clouds[:, top:bottom, left:right] += random.uniform(-0.6, 0.6, (3, 1, 1))
    low, high = clouds.min(), clouds.max()
    scaled = np.round((clouds - low) / (high - low) * 255)
    return np.ascontiguousarray(np.moveaxis(scaled, 0, -1), np.uint8)


def neutral_picture(seed: int, height: int = 384, width: int = 512, format: str = "PNG") -> bytes:  # noqa: A002
    """`neutral_pixels` as the bytes of a file; `format` is a name that Pillow knows."""
    from PIL import Image  # noqa: PLC0415  pictures are written in tests alone

    out = io.BytesIO()
    Image.fromarray(neutral_pixels(seed, height, width)).save(out, format)
    return out.getvalue()


def failing_examples(factory: Callable[[DetectorSettings], Detector]) -> list[str]:
    """Runs the examples of the detector that `factory` makes; what failed, one line each."""
    failures = []
    for example in factory(DetectorSettings()).examples:
        bank = MemoryBank("example")
        for banked in example.banked:
            bank.add(fingerprints_of(banked))
        detector = factory(DetectorSettings(banks=(bank,), options=dict(example.options)))
        seen = {o.label for o in detector.detect(example.item) if isinstance(o, Finding)}
        if seen != example.labels:
            failures.append(f"{example.why}: expected {_text(example.labels)}, saw {_text(seen)}")
    return failures


def _text(labels: Iterable[Label]) -> str:
    return ", ".join(sorted(labels)) or "nothing"
