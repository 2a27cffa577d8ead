"""Undoes disguises that take more than one character to see, and says which it undid.

Letters spaced or dotted out, digits and signs for letters, repeats, words split, joined, turned
round or upside down. What comes out are tokens with their spans in the folded key. Every pass is
linear: patterns have no choice to try again, and what is looked up is short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import add
from typing import Final, NamedTuple

from egide.text.characters import Disguise
from egide.text.halves import LEAST_PARTED, PREFIXES, all_known, rejoined
from egide.text.spelling import (
    LONGEST_CHUNK,
    REPEATED,
    SPELT,
    Spaced,
    decoded,
    spelled,
    words_in,
)
from egide.text.tokens import TOKEN, WORDS, Token
from egide.text.vocabulary import KEPT, LONGEST_KEPT, Cut, Vocabulary

_SIGNS: Final = re.compile(r"[0-9@$!|+*€]")
_LEET: Final = re.compile(
    r"[a-z][0-9@$!|+*€][a-z0-9@$!|+*€]{0,2}[a-z]"  # n4ked, n*de, cl0th3s
    r"|(?<![a-z0-9])[013457@$][a-z]{2}"  # 3rase
    r"|[a-z]{2}[013457@$](?![0-9a-z])"  # nud3
)
_PARTED: Final = re.compile(
    r"[a-z][*|~][a-z]"  # cl*thes
    r"|(?<![a-z0-9])[a-z0-9@$][._*~|/\-][a-z0-9@$](?![a-z0-9@$])"  # n.u.d.e
    r"|(?<![a-z0-9])[a-z]([^a-z0-9\s])[a-z]\1[a-z]\1"  # n:u:d:e
)
_HALVES: Final = re.compile(r"(?<![a-z0-9])([a-z]{2,9})[.*|~_\-]([a-z]{2,9})(?![a-z0-9])")
_SIGN_INSIDE: Final = re.compile(r"[a-z0-9@$][^a-z0-9\s][a-z0-9@$]")
"""Where there is none, nothing is parted and nothing halved."""
_SPELLED: Final = re.compile(r"(?<![a-z0-9])[a-z0-9@$](?: {1,3}[a-z0-9@$](?![a-z0-9@$])){2}")
_LEAST_SPELLED: Final = 3
_CHUNK: Final = re.compile(r"\S++")
_DOTTED: Final = re.compile(rf"{SPELT}(?:[._*|/~,'\-]{{1,3}}{SPELT})++[.,!?:;)\"]{{0,3}}")
_AROUND: Final = "¿¡\"'(),;:!?."
_SEPARATOR: Final = re.compile(r"[._*|/~]")
_MOST_PARTS: Final = 6
_PIECE: Final = re.compile(r"[a-z0-9@$!|+*€£¢§]++")
_EDGES: Final = "!|+*"
_JOINED_LEAST: Final = 8


class Undone(NamedTuple):
    """Tokens as they were meant, what was undone (spans in the key), and whether to read back."""

    tokens: list[Token]
    disguises: list[Disguise]
    backwards: bool


def looks_disguised(key: str, words: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether it is worth trying to undo anything: cheap, and right to say yes too often."""
    return (
        (_SIGNS.search(key) is not None and _LEET.search(key) is not None)
        or REPEATED.search(key) is not None
        or (_SIGN_INSIDE.search(key) is not None and _is_parted(key, vocabulary))
        or (list(map(len, words)).count(1) >= _LEAST_SPELLED and _SPELLED.search(key) is not None)
        or not vocabulary.images.isdisjoint(words)
        or _is_split(words, vocabulary)
        or any(map(_is_joined, vocabulary.inside(key), repeat(vocabulary)))
    )


def _is_parted(key: str, vocabulary: Vocabulary) -> bool:
    """Whether signs seem to part the letters or the halves of a word."""
    return _PARTED.search(key) is not None or any(
        map(_is_halved, _HALVES.findall(key), repeat(vocabulary))
    )


def _is_split(words: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether two words that follow each other are one that matters, and are none alone."""
    joined = list(map(add, words, words[1:]))
    if vocabulary.wholes.isdisjoint(joined):
        return False
    return any(
        whole in vocabulary.wholes and not all_known(words[number : number + 2], vocabulary)
        for number, whole in enumerate(joined)
    )


def _is_halved(halves: tuple[str, str], vocabulary: Vocabulary) -> bool:
    whole = "".join(halves)
    if whole in vocabulary.escalating:
        return halves not in vocabulary.apart
    return whole in vocabulary.telling and not all_known(halves, vocabulary)


def _is_joined(word: str, vocabulary: Vocabulary) -> bool:
    return len(word) >= _JOINED_LEAST and word not in vocabulary.known


def undo(key: str, vocabulary: Vocabulary) -> Undone:
    """The tokens of `key` with every disguise undone that hides a known word."""
    disguises: list[Disguise] = []
    tokens: list[Token] = []
    chunks = [(found[0], found.start()) for found in _CHUNK.finditer(key)]
    position = 0
    spaced = Spaced(0, 0, [])
    while position < len(chunks):
        if position >= spaced.end:
            spaced = spelled(chunks, position, vocabulary)
        if spaced.words and position == spaced.begin:
            words = spaced.words
            opening, first = chunks[position]
            closing, last = chunks[spaced.end - 1]
            tokens += _signs(opening, 0, words[0].start - first, first)
            tokens += words
            tokens += _signs(closing, words[-1].end - last, len(closing), last)
            disguises += (Disguise("spaced", t.start, t.end, t.text) for t in words)
            position = spaced.end
            continue
        chunk, start = chunks[position]
        parts, undone = vocabulary.cuts.get(chunk) or _cut(chunk, vocabulary)
        tokens += [Token(text, start + first, start + last) for text, first, last in parts]
        if undone:
            disguises += (Disguise(k, start + b, start + e, word) for k, b, e, word in undone)
        if position + 1 < len(chunks) and "\n" in key[start + len(chunk) : chunks[position + 1][1]]:
            tokens.append(Token("\n", start + len(chunk), start + len(chunk)))
        position += 1
    tokens = rejoined(key, tokens, vocabulary, disguises)
    backwards = _mirror(tokens, vocabulary, disguises)
    return Undone(tokens, disguises, backwards)


def _cut(chunk: str, vocabulary: Vocabulary) -> Cut:
    """What `chunk`, which stands between two spaces, is cut into; remembered."""
    disguises: list[Disguise] = []
    cut = tuple(_chunk(chunk, 0, vocabulary, disguises)), tuple(disguises)
    if len(chunk) < LONGEST_KEPT and len(vocabulary.cuts) < KEPT:
        vocabulary.cuts[chunk] = cut
    return cut


def _chunk(
    chunk: str, start: int, vocabulary: Vocabulary, disguises: list[Disguise]
) -> Iterator[Token]:
    """The tokens of what stands between two spaces."""
    letters = _between_signs(chunk) if len(chunk) > 4 else ""
    if letters:
        words = words_in(letters, vocabulary) if len(letters) > 2 else None
        if words:
            for word, _ in words:
                yield Token(word, start, start + len(chunk))
            disguises.append(Disguise("dotted", start, start + len(chunk), words[0][0]))
            if chunk[-1] in ".!?" and len(letters) * 2 <= len(chunk):
                yield Token(". ", start + len(chunk) - 1, start + len(chunk))
            return
    if (whole := _parted(chunk, vocabulary)) is not None:
        yield Token(whole, start, start + len(chunk))
        disguises.append(Disguise("split", start, start + len(chunk), whole))
        return
    end = 0
    for found in _PIECE.finditer(chunk):
        yield from _signs(chunk, end, found.start(), start)
        yield from _piece(found[0], start + found.start(), vocabulary, disguises)
        end = found.end()
    yield from _signs(chunk, end, len(chunk), start)


def _between_signs(chunk: str) -> str:
    """The letters of `chunk` when signs stand between all of them; else an empty text."""
    bare = chunk.strip(_AROUND)
    sign = bare[1:2]
    if len(bare) > 4 and not sign.isalnum() and bare[1::2] == sign * (len(bare) // 2):
        return bare[::2]  # one sign throughout, whichever it is: "n|u|d|e", "n:u:d:e"
    return "".join(re.findall(SPELT, bare)) if _DOTTED.fullmatch(bare) is not None else ""


def _parted(chunk: str, vocabulary: Vocabulary) -> str | None:
    """The known word that signs have been put into: "un.dress", "clo|thes"."""
    parts = [part for part in _SEPARATOR.split(chunk.strip('.,;:!?"()')) if part]
    if not 2 <= len(parts) <= _MOST_PARTS or "-" in chunk:
        return None
    letters = "".join(parts)
    if letters in vocabulary.escalating and tuple(parts) not in vocabulary.apart:
        return letters
    if parts[0] not in PREFIXES and all(part in vocabulary.known for part in parts):
        return None
    return decoded(letters, vocabulary) if len(letters) >= LEAST_PARTED else None


def _signs(chunk: str, begin: int, end: int, start: int) -> Iterator[Token]:
    for found in TOKEN.finditer(chunk, begin, end):
        ends = found.end() == len(chunk) and found[0][0] in ".!?"
        text = ". " if ends else found[0]
        yield Token(text, start + found.start(), start + found.end())


def _piece(
    piece: str, start: int, vocabulary: Vocabulary, disguises: list[Disguise]
) -> Iterator[Token]:
    """The tokens of a run of letters, digits and the signs that stand for letters."""
    end = start + len(piece)
    bare = piece.strip(_EDGES)
    if piece in vocabulary.known or not bare:
        yield Token(piece, start, end)
        return
    if bare in vocabulary.known:
        yield Token(bare, start, end)
        return
    handle = piece[0] == "@" and piece[1:].isalnum()
    word = decoded(piece, vocabulary) or (decoded(bare, vocabulary) if bare != piece else None)
    if handle and word not in vocabulary.sensitive:
        yield Token(piece, start, end)
        return
    if word is not None:
        kind = "leet" if not piece.isalpha() else "repeats"
        disguises.append(Disguise(kind, start, end, word))
        yield Token(word, start, end)
        return
    joined = _joined(bare, vocabulary) if len(bare) >= _JOINED_LEAST else None
    if joined:
        at = start + piece.index(bare)
        for part in joined:
            yield Token(part, at, at + len(part))
            at += len(part)
        disguises.append(Disguise("joined", start, end, max(joined, key=len)))
        return
    for found in WORDS.finditer(bare):
        yield Token(found[0], start + found.start(), start + found.end())


def _joined(letters: str, vocabulary: Vocabulary) -> list[str] | None:
    """The words of a run of letters with no spaces, when one that matters is among them."""
    at = vocabulary.stem_in(letters)
    if at < 0:
        return None
    if len(letters) > LONGEST_CHUNK:
        begin = max(0, at - LONGEST_CHUNK // 2)
        letters = letters[begin : begin + LONGEST_CHUNK]
    cut = vocabulary.segment(letters, spare=0)
    return cut if cut and not vocabulary.sensitive.isdisjoint(cut) else None


def _mirror(tokens: list[Token], vocabulary: Vocabulary, disguises: list[Disguise]) -> bool:
    """Turns mirrored words round in place; whether most were, so that the order may be too."""
    turned = [
        number
        for number, token in enumerate(tokens)
        if token.text in vocabulary.mirrored and token.text not in vocabulary.known
    ]
    hidden = [vocabulary.mirrored[tokens[number].text] for number in turned]
    alone = len(turned) == 1 and not disguises
    if not turned or (alone and hidden[0] not in vocabulary.sought):
        return False
    several = len(turned) > 1 or len(disguises) > 1
    for number, token in enumerate(tokens):
        word = vocabulary.mirrored.get(token.text)
        if word is None and several and len(token.text) > 1:
            back = token.text[::-1]
            word = back if back in vocabulary.known and token.text not in vocabulary.known else None
        if word is not None and token.text not in vocabulary.known:
            tokens[number] = Token(word, token.start, token.end)
            disguises.append(Disguise("mirrored", token.start, token.end, word))
    words = sum(token.text.isalpha() for token in tokens)
    return 2 * len(turned) >= words
