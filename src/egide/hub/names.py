"""Reads text for names: every run of words that could be one, as a hash, in one linear pass.

A name's key is its letters without accents, case, spaces and punctuation: `Jane-Doe`, `JaneDoe`,
`jane_doe` and `J a n e  D o e` have the same. Text is cut into tokens (words, numbers, the humps
of camel case; each sign of Chinese and Korean), and every run of up to `MOST_TOKENS` of them is
hashed at once: the hash is a polynomial over 2⁶⁴, so that any run's value follows from two prefix
sums. Surname-first order and digits for letters are read as well. Who is looked for is the
business of whoever holds the keys. No regular expression sees the text.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import IntFlag
from itertools import accumulate
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from egide.hub.names_codes import (
    HARD,
    SIGN,
    UPPER,
    Classes,
    Codes,
    Hashes,
    Places,
    classes_of,
    codes_of,
    disguised,
    finished,
    long_runs,
    mixed,
    powers,
    tokens_of,
    undisguised,
)
from egide.hub.names_fold import fold_letters

MOST_TOKENS: Final = 6
SHORTEST, LONGEST = 2, 40
"""Letters of the shortest and longest key."""
MOST_CHARACTERS: Final = 20_000
"""Read of each field: a title, a tag or a prompt is shorter, of a description the beginning."""
MOST_IN_ALL: Final = 1 << 18
"""Read at once: more fields are read in several goes, so that memory stays bounded."""
_MOST_LETTERS: Final = MOST_IN_ALL + 2 * MOST_CHARACTERS + 1
MOST_NAME: Final = 200
LEAST_JOINED: Final = 7
"""Letters from which on two words may be written as one: `lina` is not `Li Na`."""
LEAST_REVERSED: Final = 5
LEAST_GLUED: Final = 9
LEAST_SPACED: Final = 4

GLUED_BEFORE: Final = (
    "embedding", "flux", "lora", "model", "naked", "nsfw", "nude", "ohwx", "pony", "sdxl", "sexy",
    "sks", "style", "ti", "the", "xl",
)  # fmt: skip
GLUED_AFTER: Final = (
    "actress", "embedding", "face", "flux", "likeness", "locon", "lora", "lycoris", "model",
    "naked", "nsfw", "nude", "person", "pony", "sdxl", "sd", "style", "ti", "woman", "xl",
)  # fmt: skip
"""Words that are written onto names: `janedoelora`."""


class How(IntFlag):
    """How the text writes what was found in it; none of these is plainly."""

    JOINED = 1
    REVERSED = 2
    DIGITS = 4
    GLUED = 8
    SPACED = 16


_JOINED, _REVERSED, _DIGITS, _GLUED, _SPACED = map(int, How)


def ways(how: int) -> tuple[str, ...]:
    """The flags of `How` in words: `("joined", "digits")`."""
    return tuple(str(one.name).lower() for one in How if one & how)


class NameKey(NamedTuple):
    """What stands in an index for a name.

    `hash` (64 bits) is looked up, `check` (16 bits of another hash) verifies. `words` counts the
    words, `first` the letters of the first one, `length` all of them; `signs` tells names in
    Chinese, Japanese or Korean signs, which are short and need no spaces.
    """

    hash: int
    check: int
    words: int
    first: int
    length: int
    signs: bool


class Span(NamedTuple):
    """One run of tokens of a text: its letters, and where they stand in the folded text."""

    letters: str
    start: int
    end: int
    field: int
    how: int
    """Flags of `How`."""
    begins: bytes
    """For each letter 1 where a token begins, else 0."""
    unbroken: bool
    """Whether it stands there without a space or sign between."""
    whole: bool
    """Whether the field has no other letters."""

    @property
    def is_one_token(self) -> bool:
        """Whether nothing divides it, not even a change of case."""
        return 1 not in self.begins[1:]

    def is_written_as(self, words: int, first: int) -> bool:
        """Whether a name of `words` words, the first of `first` letters, may be written so."""
        if words == 1:
            return self.unbroken or bool(self.how & _SPACED)
        is_joined = self.unbroken or self.how & (_SPACED | _GLUED)
        if is_joined and len(self.letters) >= LEAST_JOINED:
            return True
        return first < len(self.begins) and self.begins[first] == 1


class _Leet(NamedTuple):
    """Which characters were digits, which fields these are of all, and where they began there."""

    changed: NDArray[np.bool_]
    numbers: Sequence[int]
    shifts: Sequence[int]


class Reading:
    """One way to read several fields of text: their tokens, and the hashes of all their runs."""

    def __init__(
        self,
        text: str,
        codes: Codes,
        classes: Classes,
        fields: Sequence[int],
        leet: _Leet | None = None,
    ) -> None:
        self.text = text
        """All fields, folded: what the offsets of spans are of."""
        self._fields = np.array(fields, np.int64)
        self._leet = leet
        kept = np.flatnonzero(classes > HARD)
        self._bounds: Places = np.searchsorted(kept, [*fields, len(codes)])
        self._kind: Classes = classes[kept]
        self._source: Places = kept
        letters = codes[kept] + np.uint32(32) * (self._kind == UPPER)
        self._letters: Codes = letters.astype("<u4")
        self._compact = self._letters.tobytes().decode("utf-32-le")
        self._starts, self._ends = tokens_of(self._kind, kept)
        begins = np.zeros(len(kept), np.uint8)
        begins[self._starts] = 1
        self._begins = begins.tobytes()
        hard = classes == HARD
        first = kept[self._starts]
        self._group: Places = np.cumsum(hard)[first]
        self._list: Places = np.cumsum(hard & (codes != ord(",")))[first]
        self._first_kind: Classes = self._kind[self._starts]
        self._hash()

    def __len__(self) -> int:
        return len(self.hashes)

    def _hash(self) -> None:
        power, inverse = powers(_MOST_LETTERS)
        count = len(self._letters)
        terms = mixed(self._letters) * power[:count]
        sums = np.zeros(count + 1, np.uint64)
        np.cumsum(terms, out=sums[1:])
        # Runs of tokens: (first token, last token).
        one, last = self._runs()
        start, end = self._starts[one], self._ends[last]
        value = (sums[end] - sums[start]) * inverse[start]
        parts = [(start, end, np.zeros(len(one), np.int64), value)]
        two, three = self._turned(2), self._turned(3)
        for turned, surname, whole in ((two, 1, 2), (three, 1, 3), (three, 2, 3)):
            if len(turned):
                begin, cut = self._starts[turned], self._ends[turned + surname - 1]
                end = self._ends[turned + whole - 1]
                head = (sums[cut] - sums[begin]) * inverse[begin]
                tail = (sums[end] - sums[cut]) * inverse[cut]
                parts.append((begin, end, cut - begin, tail + head * power[end - cut]))
        if glued := self._glued():
            begin, end = np.array(glued, np.int64).T
            parts.append(
                (begin, end, np.full(len(glued), -1), (sums[end] - sums[begin]) * inverse[begin])
            )
        self._start, self._end, self._turn, value = (
            np.concatenate([part[n] for part in parts]) for n in range(4)
        )
        if self._leet is not None:  # runs that no digit was turned in were read before
            changed = np.zeros(count + 1, np.int64)
            np.cumsum(self._leet.changed[self._source], out=changed[1:])
            new = np.flatnonzero(changed[self._end] > changed[self._start])
            self._start, self._end = self._start[new], self._end[new]
            self._turn, value = self._turn[new], value[new]
        self.hashes: Hashes = finished(value, (self._end - self._start).astype(np.uint64))

    def _runs(self) -> tuple[Places, Places]:
        """Every run of up to MOST_TOKENS tokens in one group: its first and its last token."""
        length = _windows(self._ends, 2 * _MOST_LETTERS) - self._starts[:, None]
        fits = (length >= SHORTEST) & (length <= LONGEST)
        fits &= _windows(self._group, -1) == self._group[:, None]
        rows, columns = np.nonzero(fits)
        return rows, rows + columns

    def _turned(self, tokens: int) -> Places:
        """The first tokens of runs that may be a surname before one or two given names."""
        count = len(self._starts) - tokens + 1
        if count <= 0:
            return np.zeros(0, np.int64)
        length = self._ends[tokens - 1 :] - self._starts[:count]
        fits = (length >= LEAST_REVERSED) & (length <= LONGEST)
        fits &= self._first_kind[:count] != SIGN
        # `Doe, Jane`: across a comma only where both are capitalised.
        capitals = self._first_kind == UPPER
        listed = self._list[:count] == self._list[tokens - 1 :]
        listed &= capitals[:count] & capitals[tokens - 1 :]
        fits &= listed | (self._group[:count] == self._group[tokens - 1 :])
        return np.flatnonzero(fits)

    def _glued(self) -> list[tuple[int, int]]:
        """Runs that are no runs of tokens: `janedoe` in `janedoelora`, and spaced-out letters."""
        starts, ends = self._starts, self._ends
        lengths = ends - starts
        found: list[tuple[int, int]] = []
        for token in np.flatnonzero((lengths >= LEAST_GLUED) & (lengths <= LONGEST)).tolist():
            start, end = int(starts[token]), int(ends[token])
            word = self._compact[start:end]
            head = tail = 0
            if word.startswith(GLUED_BEFORE):
                head = next(len(one) for one in GLUED_BEFORE if word.startswith(one))
            if word.endswith(GLUED_AFTER):
                tail = next(len(one) for one in GLUED_AFTER if word.endswith(one))
            if not head and not tail:
                continue
            pieces = {(start + head, end), (start, end - tail), (start + head, end - tail)}
            found += sorted((s, e) for s, e in pieces - {(start, end)} if e - s >= LEAST_JOINED)
        found += self._ragged()
        single = (lengths == 1) & (self._first_kind != SIGN)
        for token, last in long_runs(single, self._group, MOST_TOKENS + 1, LONGEST):
            found.append((int(starts[token]), int(ends[last])))
        return found

    def _ragged(self) -> Iterator[tuple[int, int]]:
        """Runs of two or three words of which one has capitals at random, `jAnE`: many tokens."""
        starts = self._starts
        begins = np.ones(len(starts), bool)
        begins[1:] = self._source[starts[1:]] > self._source[starts[1:] - 1] + 1
        words = np.flatnonzero(begins)
        tokens = np.empty_like(words)
        tokens[:-1], tokens[-1:] = words[1:] - words[:-1], len(starts) - words[-1:]
        for word in np.flatnonzero((tokens > 2) & (self._first_kind[words] != SIGN)).tolist():
            for first, last in ((word - 1, word), (word, word + 1), (word - 1, word + 1)):
                if first < 0 or last >= len(words):
                    continue
                end = int(words[last + 1]) if last + 1 < len(words) else len(self._starts)
                run = int(words[first]), end - 1
                start, stop = int(self._starts[run[0]]), int(self._ends[run[1]])
                if self._group[run[0]] == self._group[run[1]] and stop - start <= LONGEST:
                    yield start, stop

    def fields_at(self, numbers: Places) -> list[int]:
        """The numbers of the fields in which the runs `numbers` of `hashes` stand."""
        places = self._source[self._start[numbers]]
        fields: list[int] = (np.searchsorted(self._fields, places, "right") - 1).tolist()
        return fields if self._leet is None else [self._leet.numbers[field] for field in fields]

    def spans(self, numbers: Places) -> Iterator[Span]:
        """The runs whose hashes have these `numbers` in `hashes`, in order."""
        start, end, turn = (a[numbers] for a in (self._start, self._end, self._turn))
        place, stop = self._source[start], self._source[end - 1] + 1
        field = np.searchsorted(self._fields, place, "right") - 1
        whole = (self._bounds[field] == start) & (self._bounds[field + 1] == end)
        columns = (start, end, turn, place, stop, field, whole)
        ways_read = 0 if self._leet is None else _DIGITS
        for one, last, cut, first, after, own, is_whole in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            letters, begins = self._compact[one:last], self._begins[one:last]
            unbroken = after - first == last - one
            how = ways_read
            if cut > 0:
                letters = letters[cut:] + letters[:cut]
                begins = begins[cut:] + begins[:cut]
                unbroken = False
                how |= _REVERSED
            elif not unbroken and len(begins) >= LEAST_SPACED and 0 not in begins:
                how |= _SPACED
            elif cut < 0:
                how |= _GLUED if last < len(self._begins) and not self._begins[last] else 0
                how |= _GLUED if not begins[0] else 0
            elif 1 not in begins[1:]:
                how |= _JOINED
            if self._leet is None:
                yield Span(letters, first, after, own, how, begins, unbroken, is_whole)
            else:
                shift, number = self._leet.shifts[own], self._leet.numbers[own]
                yield Span(
                    letters, first + shift, after + shift, number, how, begins, unbroken, is_whole
                )  # fmt: skip


def _windows(values: Places, beyond: int) -> Places:
    """(tokens, MOST_TOKENS): each of `values` and those that follow it, `beyond` after the last."""
    padded = np.full(len(values) + MOST_TOKENS - 1, beyond, np.int64)
    padded[: len(values)] = values
    return np.ndarray((len(values), MOST_TOKENS), np.int64, padded, 0, padded.strides * 2)


def readings(fields: Sequence[str]) -> Iterator[Reading]:
    """Every way to read `fields`: as written, and with digits for letters where there seem to be.

    Of each field the first MOST_CHARACTERS are read, of all together MOST_IN_ALL. The offsets of
    spans are those of the folded fields, joined by line breaks.
    """
    folded = [fold_letters(field[:MOST_CHARACTERS])[:MOST_CHARACTERS] for field in fields]
    places = [0, *accumulate(len(field) + 1 for field in folded)][:-1]
    folded = folded[: bisect_right(places, MOST_IN_ALL)]
    text = "\n".join(folded)
    codes = codes_of(text)
    classes = classes_of(codes)
    yield Reading(text, codes, classes, places)
    hidden = disguised(codes, classes)
    if not len(hidden):
        return
    numbers = sorted({bisect_right(places, place) - 1 for place in hidden.tolist()})
    codes = codes_of("\n".join(folded[number] for number in numbers))
    moved = [0, *accumulate(len(folded[number]) + 1 for number in numbers)][:-1]
    shifts = [places[number] - begin for number, begin in zip(numbers, moved, strict=True)]
    for one in "il" if "1" in text or "!" in text else "i":
        decoded, changed = undisguised(codes, one)
        yield Reading(text, decoded, classes_of(decoded), moved, _Leet(changed, numbers, shifts))


def name_keys(names: Sequence[str]) -> list[NameKey | None]:
    """The key of each of `names`, None for what makes none: no letters, too short or too long."""
    folded = [fold_letters(name[:MOST_NAME]).replace("\n", " ")[:MOST_NAME] for name in names]
    step = MOST_IN_ALL // (MOST_NAME + 1)
    return [key for at in range(0, len(folded), step) for key in _keys(folded[at : at + step])]


def _keys(folded: list[str]) -> list[NameKey | None]:
    found: list[NameKey | None] = [None] * len(folded)
    power, inverse = powers(_MOST_LETTERS)
    text = "\n".join(folded)
    codes = codes_of(text)
    classes = classes_of(codes)
    kept = np.flatnonzero(classes > HARD)
    kind = classes[kept]
    letters = (codes[kept] + np.uint32(32) * (kind == UPPER)).astype("<u4")
    compact = letters.tobytes().decode("utf-32-le")
    sums = np.zeros(len(letters) + 1, np.uint64)
    np.cumsum(mixed(letters) * power[: len(letters)], out=sums[1:])
    places = np.array([0, *accumulate(len(name) + 1 for name in folded)])
    bounds = np.searchsorted(kept, places)
    start, end = bounds[:-1], bounds[1:]
    length = (end - start).astype(np.uint64)
    hashes = finished((sums[end] - sums[start]) * inverse[start], length)
    gaps = np.append(np.flatnonzero(np.diff(kept) > 1) + 1, len(kept))
    low, high = np.searchsorted(gaps, start + 1), np.searchsorted(gaps, end)
    first = np.minimum(gaps[np.minimum(low, len(gaps) - 1)], end) - start
    signs = np.append(0, np.cumsum(kind == SIGN))
    rows = zip(
        *(array.tolist() for array in (hashes, start, end, high - low + 1, first)),
        (signs[end] > signs[start]).tolist(),
        strict=True,
    )
    for number, (value, begin, stop, words, letters_of_first, has_signs) in enumerate(rows):
        if SHORTEST <= stop - begin <= LONGEST:
            check = check_of(compact[begin:stop])
            length = stop - begin
            found[number] = NameKey(value, check, words, letters_of_first, length, has_signs)
    return found


def check_of(letters: str) -> int:
    """16 bits of a hash of `letters` that has nothing to do with the one looked up."""
    return zlib.crc32(letters.encode("utf-8", "replace")) & 0xFFFF
