"""Twelve ways in which people hide words from filters, each seeded by the text it hides.

They are applied to a whole text at the strength at which a reader still reads it: styled alphabets
to every letter, the others to words of four letters and more, since those carry the meaning.
Links, handles and commands stay as they are; disguised, they would lead nowhere.
"""

from __future__ import annotations

import unicodedata
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LEAST: Final = 4
"""Letters that a word must have to be disguised one by one."""

_CYRILLIC: Final = dict(zip("aceopxyisjhkm", "асеорхуіѕјһкм", strict=True))
_GREEK: Final = dict(zip("oavunipkt", "οανυηιρκτ", strict=True))
_ZERO_WIDTH: Final = "\u200b\u200c\u200d\u2060\ufeff"
_LEET: Final = {
    "a": "4@",
    "e": "3",
    "i": "1!",
    "o": "0",
    "s": "5$",
    "t": "7",
    "b": "8",
    "g": "9",
}
_MARKS: Final = [chr(code) for code in range(0x300, 0x32E)]
_SOFT_HYPHEN: Final = "\u00ad"


def disguise(name: str, text: str) -> str:
    """`text` in the disguise `name` of `DISGUISES`: the same each time."""
    return DISGUISES[name](text, Random(f"{name}:{text}"))


def _each_word(change: Callable[[str, Random], str]) -> Callable[[str, Random], str]:
    """`change` on every longer word of a text, punctuation around it left in place."""

    def changed(text: str, random: Random) -> str:
        return " ".join(_on_core(word, change, random) for word in text.split(" "))

    return changed


def _each_token(change: Callable[[str, Random], str]) -> Callable[[str, Random], str]:
    """`change` on everything but links, handles and commands."""

    def changed(text: str, random: Random) -> str:
        return " ".join(
            word if _leads_somewhere(word) else change(word, random) for word in text.split(" ")
        )

    return changed


def _leads_somewhere(word: str) -> bool:
    return any(sign in word for sign in "/@_") or ".example" in word


def _on_core(word: str, change: Callable[[str, Random], str], random: Random) -> str:
    letters = [place for place, sign in enumerate(word) if sign.isalpha()]
    if len(letters) < LEAST or _leads_somewhere(word):
        return word
    first, end = letters[0], letters[-1] + 1
    return word[:first] + change(word[first:end], random) + word[end:]


def _plain(sign: str) -> str:
    """The letter without its accent: styled alphabets have none."""
    return unicodedata.normalize("NFD", sign)[0]


def _look_alikes(word: str, random: Random) -> str:
    table = random.choice((_CYRILLIC, _CYRILLIC, _GREEK))
    places = [place for place, sign in enumerate(word) if sign in table]
    chosen = set(random.sample(places, -(-len(places) * 2 // 3)))
    return "".join(table[sign] if n in chosen else sign for n, sign in enumerate(word))


def _between(word: str, random: Random, signs: str, most: int) -> str:
    gaps = set(random.sample(range(1, len(word)), min(len(word) - 1, random.randint(1, most))))
    return "".join((random.choice(signs) if n in gaps else "") + s for n, s in enumerate(word))


def _zero_width(word: str, random: Random) -> str:
    return _between(word, random, _ZERO_WIDTH, 3)


def _soft_hyphens(word: str, random: Random) -> str:
    return _between(word, random, _SOFT_HYPHEN, 3)


def _full_width(word: str, random: Random) -> str:  # noqa: ARG001  one signature for all
    return "".join(chr(ord(s) + 0xFEE0) if "!" <= s <= "~" else s for s in word)


def _styled(word: str, random: Random) -> str:
    small, capital = random.choice(((0x1D41A, 0x1D400), (0x1D4EA, 0x1D4D0)))  # bold, bold script
    styled = []
    for sign in map(_plain, word):
        if "a" <= sign <= "z":
            styled.append(chr(small + ord(sign) - ord("a")))
        elif "A" <= sign <= "Z":
            styled.append(chr(capital + ord(sign) - ord("A")))
        else:
            styled.append(sign)
    return "".join(styled)


def _zalgo(word: str, random: Random) -> str:
    return "".join(
        s + "".join(random.choices(_MARKS, k=random.randint(1, 3))) if s.isalpha() else s
        for s in word
    )


def _regional(word: str, random: Random) -> str:  # noqa: ARG001
    plain = "".join(map(_plain, word)).lower()
    return " ".join(chr(0x1F1E6 + ord(s) - ord("a")) if "a" <= s <= "z" else s for s in plain) + " "


def _leet(word: str, random: Random) -> str:
    return "".join(
        random.choice(_LEET[s.lower()]) if s.lower() in _LEET and random.random() < 0.7 else s
        for s in word
    )


def _spaced(word: str, random: Random) -> str:  # noqa: ARG001
    return " ".join(word) + " "


def _dotted(word: str, random: Random) -> str:
    return random.choice(".·-_*").join(word)


def _repeats(word: str, random: Random) -> str:
    chosen = set(random.sample(range(len(word)), min(len(word), random.randint(1, 2))))
    return "".join(s * random.randint(3, 5) if n in chosen else s for n, s in enumerate(word))


def _split(word: str, random: Random) -> str:
    cut = random.randint(2, len(word) - 2)
    return word[:cut] + random.choice(("-", ".", "|", "*", " ")) + word[cut:]


def _inverted(word: str, random: Random) -> str:  # noqa: ARG001
    return word[::-1]


def _mixed(word: str, random: Random) -> str:
    kinds = (_split, _split, _inverted, _look_alikes, _zero_width, _leet, _dotted, _repeats)
    return random.choice(kinds)(word, random)


DISGUISES: Final[dict[str, Callable[[str, Random], str]]] = {
    "look-alikes": _each_word(_look_alikes),
    "zero-width": _each_word(_zero_width),
    "full-width": _each_token(_full_width),
    "maths letters": _each_word(_styled),
    "zalgo": _each_token(_zalgo),
    "regional indicators": _each_word(_regional),
    "soft hyphens": _each_word(_soft_hyphens),
    "leet": _each_word(_leet),
    "spaced letters": _each_word(_spaced),
    "dotted letters": _each_word(_dotted),
    "repeats": _each_word(_repeats),
    "split, inverted and mixed": _each_word(_mixed),
}
"""By name: what makes of a text and a source of chance the disguised text."""
