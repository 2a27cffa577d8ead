"""The compiled kernel: PDQ fingerprints, border trimming and exact Hamming search.

Every function is pure, releases the interpreter lock and keeps no state, so several threads may
call any of them at once on the same arrays. Arrays are never converted: one of another type, rank
or layout raises ``TypeError``; one of the right type that cannot be used raises ``ValueError``
with a one-line message.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

PDQ_ORIENTATIONS: Final[tuple[str, ...]]
"""What the eight rows of PDQ hashes stand for: ``none``, ``rotate90`` (a quarter turn
counter-clockwise, as ``numpy.rot90``), ``rotate180``, ``rotate270``, ``mirror`` (left and right
exchanged), ``flip`` (top and bottom exchanged), ``transpose`` (rows become columns) and
``transverse`` (the transpose turned by 180 degrees)."""

def pdq(
    plane: NDArray[np.uint8], full_height: int = 0, full_width: int = 0
) -> tuple[NDArray[np.uint8], int]:
    """Hash a luma plane in all eight orientations.

    ``plane`` has shape (height, width), 0 to 255, either side 1 or more, with any strides. Without
    a full size, row 0 of the result has the same bits as ``pdqhash.compute`` gives a grey picture
    of these pixels. With ``full_height`` and ``full_width``, 1 to 64 times the plane's, the plane
    is taken for a reduced decode (a mean over equal blocks, as JPEG's scaled decoding gives) of a
    picture of that size, and the filter windows and sampling positions are those of the full
    picture.

    Returns ``(hashes, quality)``. ``hashes`` has shape (8, 32), in the order of
    ``PDQ_ORIENTATIONS``; ``hashes[k].tobytes().hex()`` is the hash of the plane with that edit
    applied, in the form of python-threatexchange. Rows other than ``none`` and ``transpose`` are
    within 2 bits of it: the reference's filter windows lean to one side, so that the signs of its
    cosine transform alone, as in its own dihedral hashes, would be up to 60 bits away in small
    pictures; the mirrored windows are sampled here as well. ``quality`` is 0 to 100.

    A picture with a side of less than 5 pixels has the hash 0 and the quality 0, as in the
    reference; a uniform one has the quality 0 and a hash without meaning.

    Source: https://github.com/facebook/ThreatExchange/tree/main/pdq.

    Raises ``ValueError`` for a plane without pixels or a full size out of range.
    """

def pdq_rgb(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """Hash a colour picture of shape (height, width, 3), red first, in all eight orientations.

    Luma is computed in floating point as the reference does, so that row 0 has the same bits as
    ``pdqhash.compute(image)``. The three samples of a pixel must be adjacent; rows and pixels may
    have any strides. Otherwise like :func:`pdq`.
    """

def trim(plane: NDArray[np.uint8], tolerance: int = 4) -> tuple[int, int, int, int]:
    """Find the box that is left when uniform borders are cut off a luma plane.

    ``plane`` has shape (height, width), with any strides. Each side is judged by itself and may
    have its own shade. ``tolerance``, 0 to 255, is how far a border pixel may lie from that shade.

    Returns ``(top, bottom, left, right)``, half-open rows and columns, so that
    ``plane[top:bottom, left:right]`` is the picture. The whole plane is returned when no side has
    a uniform border, or when nothing else is there.

    Raises ``ValueError`` for a plane without pixels or a tolerance out of range.
    """

def index_build(
    hashes: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], NDArray[np.uint32], NDArray[np.uint32]]:
    """Build an exact index over hashes of shape (n, 32), C-contiguous.

    Returns ``(codes, offsets, postings)``, to be stored as they are and given back to
    :func:`index_lookup`: ``codes`` (n, 32) are the hashes in input order with their bits permuted;
    ``postings`` (bands, n) lists the slots, that is row numbers, by bucket of each band;
    ``offsets`` says where each bucket begins. The number and width of the bands depend on n alone;
    below 16,384 hashes there are none.
    """

def index_lookup(
    codes: NDArray[np.uint8],
    offsets: NDArray[np.uint32],
    postings: NDArray[np.uint32],
    queries: NDArray[np.uint8],
    radius: int,
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]:
    """Find every hash within ``radius`` bits, 0 to 63, of each query.

    The first three arrays are those of :func:`index_build`, C-contiguous, and may be mapped from a
    read-only file. ``queries`` has shape (q, 32) and holds hashes, not codes.

    Returns ``(query, slot, distance)``, three arrays of equal length, sorted by query, then
    distance, then slot, without duplicates: exactly what comparing with every hash would give. A
    query whose buckets hold too many hashes is answered by such a scan.

    Source: Norouzi, Punjani and Fleet, "Fast Exact Search in Hamming Space with Multi-Index
    Hashing", 2014.

    Raises ``ValueError`` for a radius out of range and for arrays that cannot belong together; an
    offset or slot out of range is never followed, and raises when a query meets it. Damage that
    stays in range is not noticed: keep a checksum with the arrays.
    """

def scan(
    hashes: NDArray[np.uint8], queries: NDArray[np.uint8], radius: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint16]]:
    """Compare each query with every hash; arguments and result as for :func:`index_lookup`.

    ``hashes`` has shape (n, 32), C-contiguous, and is not permuted. Quick for some ten thousand
    hashes that are in no index yet.
    """

def unpermute(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give back the hashes, shape (n, 32), that :func:`index_build` turned into ``codes``."""
