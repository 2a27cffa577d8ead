"""What the base models are called: one name for each, whoever writes it and however.

The names are those of Civitai's `baseModel`, since most listings have them already.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_KNOWN: Final = (
    "AuraFlow", "Anima", "Chroma", "CogVideoX", "Flux.1 S", "Flux.1 D", "Flux.1 Krea",
    "Flux.1 Kontext", "Flux.2 D", "Flux.2 Klein 9B", "Flux.2 Klein 9B-base", "Flux.2 Klein 4B",
    "Flux.2 Klein 4B-base", "HiDream", "Hunyuan 1", "Hunyuan Video", "Illustrious", "Kolors",
    "LTXV", "LTXV2", "Lumina", "Mochi", "NoobAI", "PixArt a", "PixArt E", "Playground v2", "Pony",
    "Pony V7", "Qwen", "Stable Cascade", "SD 1.4", "SD 1.5", "SD 1.5 LCM", "SD 1.5 Hyper",
    "SD 2.0", "SD 2.0 768", "SD 2.1", "SD 2.1 768", "SD 2.1 Unclip", "SD 3", "SD 3.5",
    "SD 3.5 Large", "SD 3.5 Large Turbo", "SD 3.5 Medium", "SDXL 0.9", "SDXL 1.0", "SDXL 1.0 LCM",
    "SDXL Lightning", "SDXL Hyper", "SDXL Turbo", "SDXL Distilled", "SVD", "SVD XT", "Wan Video",
    "Wan Video 1.3B t2v", "Wan Video 14B t2v", "Wan Video 14B i2v 480p", "Wan Video 14B i2v 720p",
    "Wan Video 2.2 TI2V-5B", "Wan Video 2.2 I2V-A14B", "Wan Video 2.2 T2V-A14B",
    "Wan Video 2.5 T2V", "Wan Video 2.5 I2V", "ZImageTurbo", "ZImageBase",
)  # fmt: skip

_PARTS: Final = (
    # What is trained on another base comes before that base: the first part found decides.
    ("ponyv7", "Pony V7"), ("pony", "Pony"), ("illustrious", "Illustrious"), ("noobai", "NoobAI"),
    ("kontext", "Flux.1 Kontext"), ("fluxkrea", "Flux.1 Krea"), ("flux1krea", "Flux.1 Krea"),
    ("flux2klein9bbase", "Flux.2 Klein 9B-base"), ("flux2klein9b", "Flux.2 Klein 9B"),
    ("flux2klein4bbase", "Flux.2 Klein 4B-base"), ("flux2klein4b", "Flux.2 Klein 4B"),
    ("flux2", "Flux.2 D"), ("schnell", "Flux.1 S"), ("chroma1", "Chroma"),
    ("chromahd", "Chroma"), ("chromaunlocked", "Chroma"), ("flux", "Flux.1 D"),
    ("sd35largeturbo", "SD 3.5 Large Turbo"), ("sd35large", "SD 3.5 Large"),
    ("sd35medium", "SD 3.5 Medium"), ("sd35", "SD 3.5"), ("sd3", "SD 3"),
    ("sdxlturbo", "SDXL Turbo"), ("sdxllightning", "SDXL Lightning"),
    ("sdxlhyper", "SDXL Hyper"), ("sdxl09", "SDXL 0.9"), ("sdxlbasev09", "SDXL 0.9"),
    ("sdxl", "SDXL 1.0"), ("animagine", "SDXL 1.0"), ("sd14", "SD 1.4"), ("sd15lcm", "SD 1.5 LCM"),
    ("sd15", "SD 1.5"), ("v15pruned", "SD 1.5"), ("sd1", "SD 1.5"), ("sd21", "SD 2.1"),
    ("sd20", "SD 2.0"), ("v21768", "SD 2.1 768"), ("sd2", "SD 2.1"),
    ("hunyuanvideo", "Hunyuan Video"), ("framepack", "Hunyuan Video"), ("hunyuandit", "Hunyuan 1"),
    ("wan22ti2v", "Wan Video 2.2 TI2V-5B"), ("wan22i2v", "Wan Video 2.2 I2V-A14B"),
    ("wan22t2v", "Wan Video 2.2 T2V-A14B"), ("wan21t2v13b", "Wan Video 1.3B t2v"),
    ("wan21t2v14b", "Wan Video 14B t2v"), ("wanvideo", "Wan Video"), ("wanai", "Wan Video"),
    ("wan21", "Wan Video"), ("wan22", "Wan Video"), ("qwenimage", "Qwen"),
    ("zimageturbo", "ZImageTurbo"), ("zimage", "ZImageBase"), ("auraflow", "AuraFlow"),
    ("hidream", "HiDream"), ("kolors", "Kolors"), ("lumina", "Lumina"),
    ("pixartsigma", "PixArt E"), ("pixart", "PixArt a"), ("cogvideo", "CogVideoX"),
    ("ltxv2", "LTXV2"), ("ltx2", "LTXV2"), ("ltxv", "LTXV"), ("ltxvideo", "LTXV"),
    ("mochi1", "Mochi"), ("stablevideo", "SVD"), ("stablecascade", "Stable Cascade"),
    ("playgroundv2", "Playground v2"),
)  # fmt: skip

_WHOLE: Final = {"wan": "Wan Video", "qwen": "Qwen", "flux1s": "Flux.1 S"}

_NOT_SAID: Final = frozenset({"", "none", "null", "other", "unknown", "undefined", "custom"})

_SYNONYMS: Final = (
    ("stablediffusion", "sd"),
    ("sdxlv1base", "sdxl"),
    ("sdv1", "sd1"),
    ("sdv2", "sd2"),
    ("sdv3", "sd3"),
)
_NOT_WORD: Final = re.compile(r"[^a-z0-9]+")


def _squeezed(text: str) -> str:
    squeezed = _NOT_WORD.sub("", text.lower())
    for longer, shorter in _SYNONYMS:
        squeezed = squeezed.replace(longer, shorter)
    return squeezed


_BY_NAME: Final = {_squeezed(name): name for name in _KNOWN} | _WHOLE


@lru_cache(maxsize=4096)
def canonical_base(written: str | None) -> str | None:
    """The base model that `written` means, by Civitai's name for it.

    `written` is what a listing, a trainer or a repository says: `SD 1.5`, `sdxl_base_v1-0`,
    `stabilityai/stable-diffusion-xl-base-1.0`, `ponyDiffusionV6XL.safetensors`. A name that is not
    known comes back as it is, at most 100 characters of it; None when nothing is said.
    """
    text = (written or "")[:300].strip()
    squeezed = _squeezed(text)
    if squeezed in _NOT_SAID:
        return None
    return known_base(text) or text[:100]


def known_base(written: str) -> str | None:
    """The base model that `written` means or speaks of; None when it is none that we know."""
    squeezed = _squeezed(written[:300])
    if squeezed in _BY_NAME:
        return _BY_NAME[squeezed]
    return next((name for part, name in _PARTS if part in squeezed), None)


_FAMILIES: Final = (
    ("SDXL", "SDXL"), ("SD 1", "SD 1"), ("SD 2", "SD 2"), ("SD 3", "SD 3"), ("Flux.1", "Flux.1"),
    ("Flux.2", "Flux.2"), ("Wan Video", "Wan Video"), ("PixArt", "PixArt"), ("SVD", "SVD"),
    ("LTXV", "LTXV"), ("ZImage", "ZImage"),
)  # fmt: skip


def base_family(canonical: str) -> str:
    """The family of a canonical name, for tables: `SD 1` of `SD 1.5 LCM`, `Pony` of `Pony`."""
    return next((name for start, name in _FAMILIES if canonical.startswith(start)), canonical)
