"""What kinds of adapters are called: one word for each, whoever writes it and however."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "aestheticgradient": "aesthetic-gradient",
    "embedding": "textual-inversion",
    "lycoris": "locon",
    "textencoder": "text-encoder",
    "textualinversion": "textual-inversion",
}


def adapter_of(written: str | None) -> str | None:
    """The kind that a hub or a library means, in the words of `ModelFacts.adapter`.

    A kind that is not known comes back as its letters and digits, lower-case, at most 40.
    """
    word = "".join(filter(str.isalnum, (written or "")[:200].lower()))[:40]
    return _WORDS.get(word, word) or None
