"""Writes `examples/traced`: neutral pictures with metadata as generators write it.

`python -m tests.example_traces`. The same every time. `portrait.png` names a model by the digest of
a listing in `examples/hub`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from tests.carriers import jpeg, picture, png, text_chunk, xmp

ROOT: Final = Path(__file__).parent.parent
TRACED: Final = ROOT / "examples" / "traced"
LAKE: Final = (
    "a lake at dawn, soft light, mist <lora:soft-light:0.8>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 64x48, "
    'Model hash: 31e35c80fc, Model: lakes_xl, Lora hashes: "soft-light: 0123456789ab", '
    "Version: v1.10.1"
)
PORTRAIT: Final = (
    "portrait, studio, grey backdrop <lora:zx81-b:1>\nSteps: 28, Seed: 5, Size: 64x48, "
    'Model: lakes_xl, Lora hashes: "zx81-b: 891ff7b103df", Version: v1.10.1'
)
BARN: Final = json.dumps({"prompt": "a red barn in winter", "steps": 28, "seed": 7, "uc": "lowres"})
MADE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def main() -> None:
    """Writes all files."""
    TRACED.mkdir(exist_ok=True)
    for name, data in files().items():
        (TRACED / name).write_bytes(data)


def files() -> dict[str, bytes]:
    """The files by name."""
    pasted = text_chunk("Software", "NovelAI"), text_chunk("Comment", BARN)
    declared = xmp({"Iptc4xmpExt:DigitalSourceType": MADE})
    return {
        "declared.jpg": jpeg(xmp=declared),
        "lake.png": png(text_chunk("parameters", LAKE), pixels=picture(seed=1)),
        "nothing.jpg": jpeg(),
        "portrait.png": png(text_chunk("parameters", PORTRAIT), pixels=picture(seed=2)),
        "two-stories.png": png(text_chunk("parameters", LAKE), *pasted, pixels=picture(seed=3)),
    }


if __name__ == "__main__":
    main()
