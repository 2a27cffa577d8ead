"""Bytes of a JPEG file to its fingerprint."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, Final

from benchmarks import machine, peers
from benchmarks.pictures import QUALITIES, SIZES, jpegs
from benchmarks.results import Goal, Part, Settings, Table, faster, milliseconds, times
from benchmarks.timing import in_turns
from egide.media.decode import Least, decode
from egide.media.fingerprint import frame_prints
from egide.media.jpeg import scale_for

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST: Final = {4000: 25.0, 1600: 15.0, 512: 10.0}
MOST_OVER_DECODE: Final = 1.3
PEER, REFERENCE, OURS, BARE, DECODE, DIGEST = (
    "threatexchange",
    "pdqhash on Pillow's decode",
    "égide",
    "bare decode",
    "égide's decode alone",
    "SHA-256",
)


def run(settings: Settings) -> Part:
    """Times every step on the same files, one core."""
    goals: list[Goal] = []
    rows: list[tuple[str, ...]] = []
    count = settings.few(4, 16)
    for width, height in SIZES:
        for quality in QUALITIES:
            files = jpegs(settings, count, width, height, quality)
            with machine.cores(1):
                spent = _spent(files, settings.few(3, 5))
            name = f"{width}×{height}, quality {quality}"
            kilobytes = f"{sum(map(len, files)) / count / 1000:.0f} kB"
            goals.append(faster(f"JPEG {name}", LEAST[width], spent[OURS], spent[PEER]))
            if width == SIZES[0][0]:
                goals.append(_beside_decode(name, spent))
            rows.append(
                (
                    name,
                    kilobytes,
                    *map(milliseconds, spent.values()),
                    times(spent[PEER] / spent[BARE]),
                )
            )
    columns = ("JPEG", "mean file", *spent, "threatexchange beside the bare decode")
    return Part(
        "From the bytes of a JPEG file to its fingerprint",
        f"{count} photographs at each size, in memory. égide: `decode` and `frame_prints`, that is "
        "decoding with all checks, the PDQ in 8 orientations and the search for borders; "
        "threatexchange: `PdqSignal.hash_from_bytes`; the bare decode: simplejpeg to grey at the "
        "scale that égide takes. SHA-256 is not in égide's time. One core; the mean over the files "
        "of the median processor time.",
        goals,
        [Table("All steps (the last column is the most that any hash after this decode can reach):",
               columns, rows)],
    )  # fmt: skip


def _beside_decode(name: str, spent: dict[str, float]) -> Goal:
    over = spent[OURS] / spent[BARE]
    return Goal(
        f"the same beside the bare scaled decode, {name}",
        f"≤ {MOST_OVER_DECODE}×",
        milliseconds(spent[OURS]),
        milliseconds(spent[BARE]),
        times(over),
        over <= MOST_OVER_DECODE,
    )


def _spent(files: list[bytes], rounds: int) -> dict[str, float]:
    total: dict[str, float] = {}
    for data in files:
        for name, seconds in in_turns(_steps(data), rounds).items():
            total[name] = total.get(name, 0.0) + seconds / len(files)
    return total


def _steps(data: bytes) -> dict[str, Callable[[], object]]:
    frame = decode(data).frames[0]
    scale = scale_for(frame.width, frame.height, Least())
    least = {"min_height": -(-frame.height // scale), "min_width": -(-frame.width // scale)}
    return {
        PEER: partial(peers.pdq_signal().hash_from_bytes, data),
        REFERENCE: lambda: peers.reference_pdq(peers.pillow_rgb(data)),
        OURS: partial(fingerprint, data),
        BARE: partial(peers.grey_jpeg, data, **least),
        DECODE: partial(decode, data),
        DIGEST: lambda: hashlib.sha256(data).digest(),
    }


def fingerprint(data: bytes) -> object:
    """What `egide hash` computes of a picture, but for the SHA-256."""
    return [frame_prints(frame) for frame in decode(data).frames]
