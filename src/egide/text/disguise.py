"""Undoes disguises that take more than one character to see, and says which it undid.

Letters spaced or dotted out, digits and signs for letters, repeats, words split, joined, turned
round or upside down. What comes out are tokens with their spans in the folded key. Every pass is
linear: patterns have no choice to try again, and what is looked up is short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise, repeat
from operator import add
from typing import Final, NamedTuple

from egide.text.characters import Disguise
from egide.text.fold import LEET
from egide.text.tokens import TOKEN, WORDS
from egide.text.vocabulary import (
    KEPT,
    LONGEST_KEPT,
    Cut,
    Vocabulary,
    squeeze,
)

_L: Final = r"[a-z0-9@$!|+€]"
_SIGNS: Final = re.compile(r"[0-9@$!|+*€]")
_LEET: Final = re.compile(
    r"[a-z][0-9@$!|+*€][a-z0-9@$!|+*€]{0,2}[a-z]"  # n4ked, n*de, cl0th3s
    r"|(?<![a-z0-9])[013457@$][a-z]{2}"  # 3rase
    r"|[a-z]{2}[013457@$](?![0-9a-z])"  # nud3
)
_REPEATED: Final = re.compile(r"([a-z])\1(?:\1|([a-z])\2)")  # nuuude, nnuuddee
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
_DOTTED: Final = re.compile(rf"{_L}(?:[._*|/~,'\-]{{1,3}}{_L})++[.,!?:;)\"]{{0,3}}")
_AROUND: Final = "¿¡\"'(),;:!?."
_SEPARATOR: Final = re.compile(r"[._*|/~]")
_MOST_PARTS: Final = 6
_LEAST_PARTED: Final = 4
_PIECE: Final = re.compile(r"[a-z0-9@$!|+*€£¢§]++")
_EDGES: Final = "!|+*"
_LONGEST_PREFIX: Final = 3
_PREFIXES: Final = frozenset({"un", "re"})
"""Words by themselves in some language, and halves of words that matter: "un dress"."""
_VOWELS: Final = "aeiouy"
_LONGEST_CHUNK: Final = 64
_JOINED_LEAST: Final = 8
_LONGEST_SPLIT: Final = 24
"""Characters, from the beginning of the first part to the end of the last."""


class Token(NamedTuple):
    """A token and its span in the key."""

    text: str
    start: int
    end: int


class Undone(NamedTuple):
    """Tokens as they were meant, what was undone (spans in the key), and whether to read back."""

    tokens: list[Token]
    disguises: list[Disguise]
    backwards: bool


def looks_disguised(key: str, words: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether it is worth trying to undo anything: cheap, and right to say yes too often."""
    return (
        (_SIGNS.search(key) is not None and _LEET.search(key) is not None)
        or _REPEATED.search(key) is not None
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
    if vocabulary.long.isdisjoint(joined):
        return False
    return any(
        whole in vocabulary.long and not _all_known(words[number : number + 2], vocabulary)
        for number, whole in enumerate(joined)
    )


def _is_halved(halves: tuple[str, str], vocabulary: Vocabulary) -> bool:
    return "".join(halves) in vocabulary.telling and not _all_known(halves, vocabulary)


def _all_known(parts: Sequence[str], vocabulary: Vocabulary) -> bool:
    """Whether every part is a word by itself, so that nothing says that they were one."""
    return parts[0] not in _PREFIXES and vocabulary.known.issuperset(parts)


def _is_joined(word: str, vocabulary: Vocabulary) -> bool:
    return len(word) >= _JOINED_LEAST and word not in vocabulary.known


def undo(key: str, vocabulary: Vocabulary) -> Undone:
    """The tokens of `key` with every disguise undone that hides a known word."""
    disguises: list[Disguise] = []
    tokens: list[Token] = []
    chunks = [(found[0], found.start()) for found in _CHUNK.finditer(key)]
    position = 0
    while position < len(chunks):
        run = _spaced_run(chunks, position) if len(chunks[position][0]) == 1 else 0
        if run >= 3:
            spelled = _spelled(chunks[position : position + run], vocabulary)
            if spelled:
                tokens += spelled
                disguises += (Disguise("spaced", t.start, t.end, t.text) for t in spelled)
                position += run
                continue
        chunk, start = chunks[position]
        words, undone = vocabulary.cuts.get(chunk) or _cut(chunk, vocabulary)
        tokens += [Token(text, start + begin, start + end) for text, begin, end in words]
        if undone:
            disguises += (Disguise(k, start + b, start + e, word) for k, b, e, word in undone)
        if position + 1 < len(chunks) and "\n" in key[start + len(chunk) : chunks[position + 1][1]]:
            tokens.append(Token("\n", start + len(chunk), start + len(chunk)))
        position += 1
    tokens = _rejoined(key, tokens, vocabulary, disguises)
    backwards = _mirror(tokens, vocabulary, disguises)
    return Undone(tokens, disguises, backwards)


def _spaced_run(chunks: Sequence[tuple[str, int]], position: int) -> int:
    """How many chunks from `position` on are single letters."""
    end = position
    while end < len(chunks) and len(chunks[end][0]) == 1 and re.match(_L, chunks[end][0]):
        end += 1
    return end - position


def _spelled(chunks: Sequence[tuple[str, int]], vocabulary: Vocabulary) -> list[Token]:
    """The words that these single letters spell; wider gaps part words. Empty when none."""
    pieces: list[list[tuple[str, int]]] = [[chunks[0]]]
    for before, chunk in pairwise(chunks):
        if chunk[1] - before[1] > 2:
            pieces.append([])
        pieces[-1].append(chunk)
    tokens = []
    for piece in pieces:
        letters = "".join(letter for letter, _ in piece)
        words = _words_in(letters, vocabulary)
        if words is None and len(letters) >= 3:
            return []
        at = 0
        for word, width in words or [(letters, len(letters))]:
            tokens.append(Token(word, piece[at][1], piece[at + width - 1][1] + 1))
            at += width
    return tokens


def _words_in(letters: str, vocabulary: Vocabulary) -> list[tuple[str, int]] | None:
    """The known words that `letters` are, each with how many of the letters it takes."""
    word = _decoded(letters, vocabulary)
    if word is not None:
        return [(word, len(letters))]
    read = re.sub(r"[^a-z]", lambda sign: _letter(sign[0]), letters)
    if len(read) != len(letters) or len(letters) < 4:
        return None
    found: list[tuple[str, int]] = []
    for begin in range(0, len(read), 4096):
        cut = vocabulary.segment(read[begin : begin + 4096])
        if cut is None:
            return None
        found += ((part, len(part)) for part in cut)
    return found


def _letter(sign: str) -> str:
    return LEET.get(sign, sign)


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
        words = _words_in(letters, vocabulary) if len(letters) > 2 else None
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
    return "".join(re.findall(_L, bare)) if _DOTTED.fullmatch(bare) is not None else ""


def _parted(chunk: str, vocabulary: Vocabulary) -> str | None:
    """The known word that signs have been put into: "un.dress", "clo|thes"."""
    parts = [part for part in _SEPARATOR.split(chunk.strip('.,;:!?"()')) if part]
    if not 2 <= len(parts) <= _MOST_PARTS or "-" in chunk:
        return None
    if parts[0] not in _PREFIXES and all(part in vocabulary.known for part in parts):
        return None
    letters = "".join(parts)
    return _decoded(letters, vocabulary) if len(letters) >= _LEAST_PARTED else None


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
    word = _decoded(piece, vocabulary) or (_decoded(bare, vocabulary) if bare != piece else None)
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
    if len(letters) > _LONGEST_CHUNK:
        begin = max(0, at - _LONGEST_CHUNK // 2)
        letters = letters[begin : begin + _LONGEST_CHUNK]
    cut = vocabulary.segment(letters, spare=0)
    return cut if cut and not vocabulary.sensitive.isdisjoint(cut) else None


def _decoded(word: str, vocabulary: Vocabulary) -> str | None:
    """The known word that `word` stands for; None when there is none."""
    if word in vocabulary.known:
        return word
    if word.isdigit() or not 3 <= len(word) <= _LONGEST_CHUNK or word in vocabulary.images:
        return None  # mirrored words are turned round together, later
    if "*" in word:
        filled = (word.replace("*", vowel) for vowel in _VOWELS)
        found = next((w for w in filled if w in vocabulary.sensitive), None)
        return found or _decoded(word.replace("*", ""), vocabulary)
    if word.isalpha() and _REPEATED.search(word) is None:
        return None  # nothing in it stands for anything else
    squeezed = squeeze(word)
    return vocabulary.squeezed.get(squeezed)


def _rejoined(
    key: str, tokens: list[Token], vocabulary: Vocabulary, disguises: list[Disguise]
) -> list[Token]:
    """`tokens` with the halves and thirds of words that were split put together."""
    joined: list[Token] = []
    position = 0
    while position < len(tokens):
        text = tokens[position].text
        whole_word = len(text) > _LONGEST_PREFIX and text in vocabulary.known
        most = 0 if whole_word else _most_parts(tokens, position, vocabulary)
        for count in range(most, 1, -1):
            parts = tokens[position : position + count]
            if _all_known([part.text for part in parts], vocabulary):
                continue
            word = "".join(part.text for part in parts)
            whole = word if word in vocabulary.long else vocabulary.squeezed.get(squeeze(word), "")
            between = key[parts[0].end : parts[1].start]
            enough = whole in vocabulary.long or (
                count == 2 and len(word) >= _LEAST_PARTED and word in vocabulary.telling
            )
            if enough and word.isalnum() and between != "'":
                joined.append(Token(whole, parts[0].start, parts[-1].end))
                if between != "-":  # a hyphen is no disguise
                    disguises.append(Disguise("split", parts[0].start, parts[-1].end, whole))
                position += count
                break
        else:
            joined.append(tokens[position])
            position += 1
    return joined


def _most_parts(tokens: Sequence[Token], position: int, vocabulary: Vocabulary) -> int:
    """How many tokens from `position` on a word may have been split into: up to 4."""
    letters = tokens[position].text
    count = 1
    if not letters.isalnum() or not vocabulary.begins(letters):
        return 0
    for token in tokens[position + 1 : position + 4]:
        if token.end - tokens[position].start > _LONGEST_SPLIT or not token.text.isalnum():
            break
        letters += token.text
        if not vocabulary.begins(letters):
            break
        count += 1
    return count


def _mirror(tokens: list[Token], vocabulary: Vocabulary, disguises: list[Disguise]) -> bool:
    """Turns mirrored words round in place; whether most were, so that the order may be too."""
    turned = [
        number
        for number, token in enumerate(tokens)
        if token.text in vocabulary.mirrored and token.text not in vocabulary.known
    ]
    hidden = [vocabulary.mirrored[tokens[number].text] for number in turned]
    alone = len(turned) == 1 and not disguises
    if not turned or (alone and hidden[0] not in vocabulary.sensitive):
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
