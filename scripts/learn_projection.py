"""Learns the directions that turn a local descriptor into bits: src/kernel/local_projection.hpp.

`python scripts/learn_projection.py PAIRS.npz` writes that header anew. PAIRS.npz holds three
arrays of descriptors, (n, 128) float32: `A` and `B`, row for row the same place in a picture and
in an edited copy of it (paired by the known geometry of the edit, not by the descriptors), and
`N`, points of many pictures, from which the spread of all descriptors and the medians come.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

HEADER: Final = Path(__file__).parent.parent / "src" / "kernel" / "local_projection.hpp"
WORD_BITS: Final = 20
LARGEST: Final = 2047  # 12 bits turn 0.06 % of the bits of photographs, 8 bits 1 %
TOP: Final = """\
// The projection of local descriptors, written by scripts/learn_projection.py.
//
// Directions of discriminant analysis (Strecha, Bronstein, Bronstein and Fua, "LDAHash: Improved
// Matching with Smaller Descriptors", 2012): those along which descriptors of different places
// differ most, measured by what edits change at one place; the first separate best. They were
// learnt from photographs, drawings and textures under free licences that Debian and Python
// packages carry, and from edited copies of them; no picture that recall is reported on was among
// them.
#pragma once

#include <cstdint>

namespace egide::local::projection {

// kDirections[b][k] * kScales[b] is the weight of number k of a descriptor in bit b.
"""


def learn(
    one: NDArray[np.floating[Any]],
    other: NDArray[np.floating[Any]],
    all_: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Directions (128, 128), a row for a bit, medians (128,) and sureness (20,)."""
    change = (one - other).astype(np.float64)
    within = change.T @ change / len(change) / 2
    # Directions that edits happen to leave alone in these pairs must not outweigh all others.
    within += 0.05 * np.trace(within) / len(within) * np.eye(len(within))
    whiten = np.linalg.inv(np.linalg.cholesky(within))
    ratios, axes = np.linalg.eigh(whiten @ np.cov(all_.T) @ whiten.T)
    order = np.argsort(-ratios)
    directions = (axes[:, order] / np.sqrt(ratios[order])).T @ whiten
    sureness = 1 / (change @ directions.T).std(axis=0)
    return directions, np.median(all_ @ directions.T, axis=0), sureness[:WORD_BITS]


def header(
    directions: NDArray[np.floating[Any]],
    medians: NDArray[np.floating[Any]],
    sureness: NDArray[np.floating[Any]],
) -> str:
    """The C++ header of these directions, rounded to 12 bits."""
    scales = np.abs(directions).max(axis=1) / LARGEST
    rounded = np.round(directions / scales[:, None]).astype(int)
    rows = ["    {" + _wrapped([str(n) for n in row]) + "}," for row in rounded]
    lines = ["constexpr std::int16_t kDirections[128][128] = {", *rows, "};", ""]
    for name, size, numbers, why in (
        ("kScales", len(scales), scales, ""),
        ("kMedians", len(medians), medians, "// Bit b is set where the weighted sum is above."),
        ("kSureness", WORD_BITS, sureness, "// One over the deviation that edits make."),
    ):
        values = _wrapped([f"{n:.7g}F" if "." in f"{n:.7g}" else f"{n:.7g}.0F" for n in numbers])
        lines += [line for line in (why,) if line]
        lines += [f"constexpr float {name}[{size}] = {{{values}}};", ""]
    return TOP + "\n".join([*lines, "}  // namespace egide::local::projection", ""])


def _wrapped(words: list[str]) -> str:
    lines, line = [], " " * 5
    for word in words:
        if len(line) + len(word) + 2 > 98:
            lines.append(line.rstrip())
            line = " " * 5
        line += word + ", "
    return "\n".join([*lines, line.rstrip(", ")]).strip()


def main() -> None:
    """Writes the header."""
    with np.load(sys.argv[1]) as pairs:
        HEADER.write_text(header(*learn(pairs["A"], pairs["B"], pairs["N"])))


if __name__ == "__main__":
    main()
