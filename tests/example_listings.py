"""Writes `examples/hub`: listings of models that do not exist, of people that do not exist.

`python -m tests.example_listings`. The same every time.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from egide.hub.gazetteer_sample import sample_gazetteer
from tests.listings import civitai_models

ROOT: Final = Path(__file__).parent.parent
HUB: Final = ROOT / "examples" / "hub"
COUNT: Final = 240
CARD: Final = """---
license: other
tags:
- lora
- text-to-image
base_model: stabilityai/stable-diffusion-xl-base-1.0
instance_prompt: a photo of ohwx woman
widget:
- text: a photo of ohwx woman at a harbour, golden hour
---
# ohwx

Trained on 24 photos of a colleague.
"""


def main() -> None:
    """Writes all files."""
    gazetteer = sample_gazetteer()
    known = map(gazetteer.person, range(len(gazetteer)))
    names = [one.name for one in known if not one.fictional and not one.dead and " " in one.name]
    chosen = [name for number, name in enumerate(names[:8]) for _ in range(9 - number // 2)]
    models = list(civitai_models(COUNT, people=chosen, share=0.4, seed=7))
    _copy(models)
    lines = [*models, *_hub_models(names)]
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in lines)
    HUB.mkdir(parents=True, exist_ok=True)
    (HUB / "listings.jsonl.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    items = list(civitai_models(3, people=names[:1], share=0.5, seed=12))
    page = {"items": [item | {"id": item["id"] + 1_000} for item in items], "metadata": {}}
    (HUB / "page.json").write_text(json.dumps(page, indent=1, ensure_ascii=False) + "\n")
    card = HUB / "ohwx-lora" / "README.md"
    card.parent.mkdir(exist_ok=True)
    card.write_text(CARD)


def _copy(models: list[dict[str, Any]]) -> None:
    """Gives some models without a name the tensors of models with one: re-uploads."""
    named = [model for model in models if "celebrity" in model["tags"]]
    plain = [model for model in models if "celebrity" not in model["tags"]]
    for original, copy in zip(named[:6], plain[:6], strict=True):
        hashes = original["modelVersions"][0]["files"][0]["hashes"]
        copy["modelVersions"][0]["files"][0]["hashes"] = hashes


def _hub_models(names: list[str]) -> Iterator[dict[str, Any]]:
    """Model info of the other hub."""
    choose = random.Random(7)
    for number in range(30):
        name = choose.choice(names[:4])
        of_person = number % 3 == 0
        slug = name.lower().replace(" ", "-") if of_person else f"meadow-style-{number}"
        yield {
            "id": f"pinecone{number}/{slug}-lora",
            "author": f"pinecone{number}",
            "tags": ["diffusers", "lora", "template:sd-lora", "license:other"],
            "downloads": choose.randrange(400),
            "likes": 1,
            "createdAt": f"2025-{1 + number % 12:02}-10T00:00:00.000Z",
            "cardData": {
                "base_model": "black-forest-labs/FLUX.1-dev",
                "instance_prompt": f"a photo of {name}" if of_person else "meadow style",
            },
            "siblings": [{"rfilename": f"{slug}.safetensors"}, {"rfilename": "README.md"}],
        }


if __name__ == "__main__":
    main()
