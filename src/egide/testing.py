"""What egide's own tests are made of, for yours: neutral pictures, a bank in memory, examples.

from egide.testing import MemoryBank, neutral_picture
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from egide.detector import Detector, DetectorSettings
from egide.finding import Finding
from egide.fingerprint import Fingerprint, FingerprintType
from egide.label import Label
from egide.match import EntryState, Match, Purpose
from egide.media.fingerprint import fingerprints_of


def neutral_pixels(seed: int, height: int = 384, width: int = 512) -> NDArray[np.uint8]:
    """A picture of nothing, (height, width, 3) uint8: clouds and boxes, others for each `seed`."""
    random = np.random.default_rng(seed)
    clouds = np.zeros((height, width, 3))
    rows, columns = np.mgrid[0:height, 0:width]
    for _ in range(40):
        y, x = random.uniform(0, height), random.uniform(0, width)
        spread = random.uniform(0.03, 0.15) * max(height, width)
        blob = np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * spread**2))
        clouds += blob[..., None] * random.uniform(-1, 1, 3)
    for _ in range(60):
        top, left = random.integers(0, height), random.integers(0, width)
        bottom, right = top + random.integers(4, height // 3), left + random.integers(4, width // 3)
        clouds[top:bottom, left:right] += random.uniform(-0.6, 0.6, 3)
    low, high = clouds.min(), clouds.max()
    scaled = np.round((clouds - low) / (high - low) * 255)
    return np.asarray(scaled, np.uint8)


def neutral_picture(seed: int, height: int = 384, width: int = 512, format: str = "PNG") -> bytes:  # noqa: A002
    """`neutral_pixels` as the bytes of a file; `format` is a name that Pillow knows."""
    from PIL import Image  # noqa: PLC0415  pictures are written in tests alone

    out = io.BytesIO()
    Image.fromarray(neutral_pixels(seed, height, width)).save(out, format)
    return out.getvalue()


class MemoryBank:
    """A bank in memory that compares with every fingerprint it has: small, slow and plainly right.

    The twin of `egide.bank.Bank`: it answers the same to the same, and the tests hold it to that.
    """

    def __init__(self, name: str = "memory", purpose: Purpose | str = Purpose.BLOCK) -> None:
        self.name = name
        self.purpose = Purpose(purpose)
        self._entries: list[tuple[EntryState, str | None, str | None, tuple[Fingerprint, ...]]] = []

    def add(
        self, fingerprints: Iterable[Fingerprint], label: str | None = None, ref: str | None = None
    ) -> str:
        """Adds one entry and returns its id."""
        self._entries.append((EntryState.ACTIVE, label, ref, tuple(fingerprints)))
        return self._id(len(self._entries) - 1)

    def withdraw(self, entry: str) -> None:
        """Takes an entry out of every answer."""
        number = int(entry.rpartition("-")[2]) - 1
        self._entries[number] = (EntryState.WITHDRAWN, None, None, ())

    def dispute(self, entry: str) -> None:
        """Marks an entry as disputed."""
        number = int(entry.rpartition("-")[2]) - 1
        self._entries[number] = (EntryState.DISPUTED, *self._entries[number][1:])

    def holds(self, type: FingerprintType) -> bool:  # noqa: A002
        """Whether there is any fingerprint of `type`."""
        return any(f.type is type for *_, held in self._entries for f in held)

    def search(self, queries: Sequence[Fingerprint], threshold: int) -> list[Match]:
        """Every live entry within `threshold` bits of a query, by query, then distance."""
        matches = [
            Match(
                position,
                self.name,
                self.purpose,
                self._id(number),
                state,
                held.type,
                distance,
                held.edit,
                label,
                ref,
            )
            for position, query in enumerate(queries)
            for number, (state, label, ref, fingerprints) in enumerate(self._entries)
            for held in fingerprints
            if (distance := _distance(query, held)) is not None and distance <= threshold
        ]
        return sorted(matches, key=lambda m: (m.query, m.distance, m.entry))

    def _id(self, number: int) -> str:
        return f"00000000-{number + 1}"


def _distance(one: Fingerprint, other: Fingerprint) -> int | None:
    if one.type is not other.type:
        return None
    if one.type is FingerprintType.PDQ:
        return (int.from_bytes(one.value, "big") ^ int.from_bytes(other.value, "big")).bit_count()
    return 0 if one.value == other.value else None


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
