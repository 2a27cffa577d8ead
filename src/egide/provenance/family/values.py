"""Values of metadata made safe: whatever a tool, or somebody else, wrote there, or None.

Nothing here raises: a wrong type, NaN, a number of a thousand digits are nothing said.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from egide.provenance.statements import NamedModel, Role

MOST_TEXT: Final = 65_536
"""Characters kept of a prompt."""
MOST_NAME: Final = 300
MOST_MODELS: Final = 500
"""Models kept of one statement."""
MOST_SEED: Final = 1 << 64

_ENDINGS: Final = (
    ".safetensors",
    ".sft",
    ".ckpt",
    ".gguf",
    ".pt",
    ".pth",
    ".bin",
    ".onnx",
)
_NO_NAME: Final = frozenset(
    {
        "",
        "none",
        "null",
        "undefined",
        "unknown",
        "automatic",
        "default",
        "@none",
        "@default",
        "baked vae",
        "default (model)",
        "default (vae)",
        "use same checkpoint",
        "use same vae",
    }
)
_HEX: Final = frozenset("0123456789abcdef")
_BY_LENGTH: Final = {8: "autov1", 10: "autov2", 12: "autov3", 64: "sha256"}
_NUMBER: Final = re.compile(r"[+-]?(?:\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:[eE][+-]?\d{1,3})?")
_UNPRINTABLE: Final = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ") | dict.fromkeys(
    range(0xD800, 0xE000), "\ufffd"
)
_IN_TEXT: Final = {code: held for code, held in _UNPRINTABLE.items() if code not in (0x09, 0x0A)}


def text_of(value: Any) -> str | None:
    """`value` as a text of at most `MOST_TEXT` characters, controls but line ends out of it."""
    if not isinstance(value, str):
        return None
    text = value[:MOST_TEXT].replace("\r\n", "\n").translate(_IN_TEXT).strip()
    return text or None


def word_of(value: Any) -> str | None:
    """`value`, a text or a number, as a short text on one line."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value) if abs(value) < MOST_SEED and math.isfinite(value) else None
    if not isinstance(value, str):
        return None
    word = " ".join(value[: 4 * MOST_NAME].translate(_UNPRINTABLE).split())[:MOST_NAME]
    return word or None


def number_of(value: Any) -> float | None:
    """`value` as a finite number, also where it is written as a text."""
    if isinstance(value, str):
        written = value.strip()[:99]
        value = float(written) if _NUMBER.fullmatch(written) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > MOST_SEED:
        return None
    return float(value) if math.isfinite(value) else None


def seed_of(value: Any) -> int | None:
    """`value` as a seed, a whole number from 0 to 2^64 - 1; -1 stands for any and so for none."""
    if isinstance(value, str):
        written = value.strip()
        value = int(written) if len(written) <= 20 and written.isdecimal() else None
    if isinstance(value, float):
        value = int(value) if value.is_integer() else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < MOST_SEED else None


def name_of(value: Any) -> str | None:
    """The base name of a model's file in `value`, without folders and ending."""
    word = word_of(value)
    if word is None:
        return None
    name = word.replace("\\", "/").rstrip("/").rpartition("/")[2].strip()
    for ending in _ENDINGS:
        if name.lower().endswith(ending):
            name = name[: -len(ending)]
            break
    return None if name.lower() in _NO_NAME else name


def hash_of(value: Any) -> dict[str, str]:
    """`value` as one hash by its algorithm; empty when it is none.

    A prefix tells (`blake3:`, `sha256:`), else the number of digits does: 8 AutoV1, 10 AutoV2,
    12 AutoV3, 64 SHA-256.
    """
    if not isinstance(value, str) or len(value) > 200:
        return {}
    before, colon, digits = value.strip().lower().rpartition(":")
    digits = digits.strip()
    if not digits or not set(digits) <= _HEX:
        return {}
    if not colon:
        return {_BY_LENGTH[len(digits)]: digits} if len(digits) in _BY_LENGTH else {}
    if before.startswith("blake3") and len(digits) == 64:
        return {"blake3": digits}
    return {"sha256": digits} if before == "sha256" and len(digits) == 64 else {}


def model_of(
    role: Role,
    name: Any,
    weight: Any = None,
    hashes: Mapping[str, str] | None = None,
    ids: Mapping[str, str] | None = None,
) -> NamedModel | None:
    """A model, made safe; None when nothing in it tells which."""
    known = name_of(name)
    if known is None and not hashes and not ids:
        return None
    return NamedModel(role, known, number_of(weight), dict(hashes or {}), dict(ids or {}))


def distinct(models: Iterable[NamedModel | None]) -> tuple[NamedModel, ...]:
    """The different models, by role and then in order; the first `MOST_MODELS` of them."""
    found: dict[tuple[object, ...], NamedModel] = {}
    for model in models:
        if model is None:
            continue
        key = (model.role, model.name, model.weight, *model.hashes.items(), *model.ids.items())
        found.setdefault(key, model)
        if len(found) >= MOST_MODELS:
            break
    order = list(Role)
    return tuple(sorted(found.values(), key=lambda model: order.index(model.role)))


def dicts_of(value: Any, most: int = MOST_MODELS) -> list[dict[str, Any]]:
    """The objects in the list `value`, the first `most` of them; empty when it is no list."""
    return (
        [each for each in value[:most] if isinstance(each, dict)] if isinstance(value, list) else []
    )


def object_of(value: Any) -> dict[str, Any]:
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}
