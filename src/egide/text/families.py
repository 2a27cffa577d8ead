"""Words by their meaning: which of `FAMILIES` a word belongs to, in whatever language.

`data/word-families.bin` is what `scripts/group_words.py` made of a sentence encoder's vocabulary:
a header, the words' keys in ascending order (`word_key` of the kernel, 32 bits each), and as many
families (16 bits each). Words of one family stand for each other in what the model has learnt, so
that it knows texts whose own words it has never seen.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from egide.errors import LexiconError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FAMILIES: Final = 512
FILE: Final = Path(__file__).parent / "data" / "word-families.bin"
MAGIC: Final = b"egide-word-families 1 "
_LONGEST_HEADER: Final = 64


class Families(NamedTuple):
    """`keys` in ascending order, and the family, 0..FAMILIES-1, of each."""

    keys: NDArray[np.uint32] | memoryview
    family: NDArray[np.uint16] | memoryview


@lru_cache(maxsize=1)
def load_families(path: Path = FILE) -> Families:
    """The families in `path`, as plain buffers; LexiconError when the file is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LexiconError(f"{path.name}: {error}; reinstall égide") from error
    header, _, rest = data[:_LONGEST_HEADER].partition(b"\n")
    count = header.removeprefix(MAGIC)
    start = len(header) + 1
    if not header.startswith(MAGIC) or not rest or not count.isdigit():
        raise LexiconError(f"{path.name}: no word families; reinstall égide")
    if len(data) != start + 6 * int(count):
        raise LexiconError(f"{path.name}: cut off; reinstall égide")
    middle = start + 4 * int(count)
    numbers = memoryview(data)
    return Families(numbers[start:middle].cast("I"), numbers[middle:].cast("H"))


def save_families(families: Families, path: Path = FILE) -> None:
    """Writes `families` so that `load_families` reads them back."""
    head = MAGIC + str(len(families.keys)).encode() + b"\n"
    path.write_bytes(head + families.keys.tobytes() + families.family.tobytes())
