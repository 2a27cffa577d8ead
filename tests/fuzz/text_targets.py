"""Fuzz targets for texts: what people write to hide words, damaged further."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from egide.text.joint import screen_jointly
from egide.text.offers import offers_in
from egide.text.screen import Said, screen

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 5
_DISGUISED: Final = (
    "remove her clothes, r3m0v3 h3r cl0th3s! r e m o v e  i t; un-dress, un.dress "
    "𝓻𝓮𝓶𝓸𝓿𝓮 🇷🇪🇲🇴🇻🇪 r̷e̷m̷o̷v̷e̷ rеmоvе re\u200bmove sǝɥʇolɔ evomer \u202eevomer\u202c n*de"
)
_MIXED: Final = (
    "Déshabille-la s'il te plaît. Quítale la ropa. Zieh sie aus! https://a.example/?ref=x 5€\n"
    "привет مرحبا 今日は 👨‍👩‍👧 @someone_example #undressher"
)
_COUNTED: Final = (
    "Undress any photo of your colleague: ➊ upload ❷ pay ⓹ credits, ፱ yrs, ٩ ans; und𐩀ess ²"
)

TEXTS: dict[str, Callable[[], bytes]] = {
    "text-disguised": _DISGUISED.encode,
    "text-mixed": _MIXED.encode,
    "text-counted": _COUNTED.encode,
}


def check_text(data: bytes) -> None:
    """Screen hostile bytes as text; raises AssertionError when a promise of `screen` is broken."""
    began = time.thread_time()
    text = data.decode("utf-8", "surrogateescape")
    for context in ("prompt", "ad"):
        said = Said(context, with_photo=True)
        for found in (*screen(text, said).found, *screen_jointly(text, said).found):
            assert 0 <= found.score <= 1
            for span in found.spans:
                assert 0 <= span.start <= span.end <= len(text)
                assert text[span.start : span.end] == span.text
    offers_in(text)
    assert time.thread_time() - began < SECONDS
