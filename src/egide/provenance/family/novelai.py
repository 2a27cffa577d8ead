"""NovelAI: PNG chunks `Software`, `Source`, `Comment`; in EXIF and pixels one object of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from egide.provenance.family.stated import Stated, Statement
from egide.provenance.family.values import (
    dicts_of,
    distinct,
    model_of,
    object_of,
    seed_of,
    text_of,
)
from egide.provenance.statements import Generation, Role

_NAME: Final = "NovelAI"
_KEYS: Final = frozenset({"uc", "v4_prompt", "noise_schedule", "uncond_scale", "signed_hash"})
_VERSION: Final = re.compile(r"\bV(\d[\d.]{0,9})")


def read(stated: Stated) -> Iterator[Generation]:
    """What its comments say; the source names the model."""
    sources = [each for each in stated.texts("source", "software", "title") if _is_name(each)]
    source = next((each for each in sources if _VERSION.search(each.text)), None)
    told = False
    for statement, value in stated.objects("comment", "usercomment", "stealth"):
        if "prompt" in value and len(value.keys() & _KEYS) >= (1 if sources else 2):
            told = True
            yield _generation(statement, value, source)
    for each in sources if not told else ():
        yield _generation(each, {}, source)


def _is_name(statement: Statement) -> bool:
    return statement.text.startswith(_NAME)


def _generation(
    statement: Statement, value: dict[str, Any], source: Statement | None
) -> Generation:
    """The account; the model is what `Source` names, a mark of its weights behind."""
    version = _VERSION.search(source.text) if source else None
    wheres = [statement.where] + ([source.where] if source else [])
    return replace(
        statement.generation("novelai"),
        where=tuple(dict.fromkeys(wheres)),
        version=version[1] if version else None,
        models=distinct([model_of(Role.BASE, source.text if source else None)]),
        prompt=_caption(value.get("v4_prompt")) or text_of(value.get("prompt")),
        negative_prompt=_caption(value.get("v4_negative_prompt")) or text_of(value.get("uc")),
        seed=seed_of(value.get("seed")),
        software=_NAME,
    )


def _caption(held: Any) -> str | None:
    """The caption since version 4: of the picture, then of each character in it."""
    caption = object_of(object_of(held).get("caption"))
    others = (each.get("char_caption") for each in dicts_of(caption.get("char_captions"), 50))
    texts = (text_of(each) for each in (caption.get("base_caption"), *others))
    return text_of("\n".join(text for text in texts if text))
