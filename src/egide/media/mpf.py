"""The index of further pictures that phones write into a JPEG (CIPA DC-007, "MPF")."""

from __future__ import annotations

_MOST_PICTURES = 64
_NUMBER_OF_IMAGES, _ENTRIES = 0xB001, 0xB002


def announced_pictures(data: bytes, scan: int) -> list[tuple[int, int]]:
    """List (offset, size), in bytes, of the pictures that the index in data[:scan] announces.

    The first is the picture itself, at offset 0. Only entries that lie in the file, begin as
    JPEG and end as JPEG are given; an absent or broken index gives an empty list.
    """
    mark = data.find(b"MPF\0", 0, scan)
    if mark < 0:
        return []
    base = mark + 4
    order = {b"II*\0": "little", b"MM\0*": "big"}.get(data[base : base + 4])
    if order is None:
        return []

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], "little" if order == "little" else "big")

    directory = base + number(base + 4, 4)
    count = entries = 0
    for at in range(directory + 2, directory + 2 + 12 * min(number(directory, 2), 32), 12):
        if number(at, 2) == _NUMBER_OF_IMAGES:
            count = number(at + 8, 4)
        elif number(at, 2) == _ENTRIES:
            entries = base + number(at + 8, 4)
    found = []
    for at in range(entries, entries + 16 * min(count, _MOST_PICTURES), 16):
        size, offset = number(at + 4, 4), number(at + 8, 4)
        start = base + offset if offset else 0
        if data[start : start + 2] == b"\xff\xd8" and 4 < size <= len(data) - start:
            found.append((start, size))
    return found
