"""The compiled kernel: PDQ and local fingerprints, border trimming, exact Hamming search.

Every function is pure, releases the interpreter lock and keeps no state, so several threads may
call any of them at once on the same arrays. Arrays are never converted: one of another type, rank
or layout raises ``TypeError``; one of the right type that cannot be used raises ``ValueError``
with a one-line message.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

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

LOCAL_MOST_POINTS: Final[int]
"""400, the points of a record at most."""

LOCAL_LEAST_POINTS: Final[int]
"""12: a picture with fewer points has no record, because nothing reliable could match it."""

LOCAL_RECORD_BYTES: Final[int]
"""8,016, the size of the largest record."""

_Polygon: TypeAlias = tuple[tuple[float, float], ...]
_Segment: TypeAlias = tuple[NDArray[np.uint32] | NDArray[np.uint64], NDArray[np.uint32]]
_Model: TypeAlias = tuple[float, float, float, float, float, float]
_Evidence: TypeAlias = tuple[float, int, _Model, _Polygon, _Polygon, int, int]
_Compared: TypeAlias = tuple[float, int, _Model, _Polygon, _Polygon, int, int, int]

class LocalFeatures:
    """The local features of one picture: points that survive editing, each with 128 bits.

    ``plane`` is its luma, of shape (height, width), 0 to 255, either side 1 or more, with any
    strides. It is reduced to a longer side of 640 here or, with ``enlarge``, enlarged to that, at
    most twice; what is banked should be enlarged, a query need not be when it was decoded at a
    reduced scale and has about 500 pixels. Points are extremes of differences of Gaussians, the
    bits are the signs of learnt projections of gradient histograms. They are the same in every run
    on one machine, and may differ in single bits and hundredths of a pixel between processors with
    other vector instructions; looking up allows for that.

    An object does not change and may be used by several threads at once.

    Sources: Lowe, "Distinctive Image Features from Scale-Invariant Keypoints", 2004; Strecha,
    Bronstein, Bronstein and Fua, "LDAHash", 2012.

    Raises ``ValueError`` for a plane without pixels.
    """

    def __init__(self, plane: NDArray[np.uint8], enlarge: bool = True) -> None: ...
    @property
    def count(self) -> int:
        """Points that were found, 0 to 600."""
    @property
    def width(self) -> float:
        """Of the picture, in units of 1/1023 of its longer side."""
    @property
    def height(self) -> float:
        """Of the picture, in units of 1/1023 of its longer side."""
    def pack(self) -> bytes:
        """All of it as bytes, at most 125 kB, for another process on this machine."""
    @staticmethod
    def unpack(packed: bytes) -> LocalFeatures:
        """The features that :meth:`pack` was called on.

        ``packed`` may come from a process that is not trusted: ``ValueError`` for what cannot be
        the features of a picture. Whatever passes can be matched safely.
        """
    def record(self) -> bytes:
        """What is banked: the first 400 points in 20 bytes each, after a header of 16.

        Empty with fewer than ``LOCAL_LEAST_POINTS`` points. The format is given in
        ``src/kernel/local_record.hpp``; its first byte is the version, 1.
        """
    def shortlist(
        self, segments: list[_Segment], most: int = 16, probes: int = 8, most_signature: int = 11
    ) -> list[tuple[int, int, int, float, bytes]]:
        """Find the banked pictures that share most with this one, at most ``most`` (1 to 1,024).

        ``segments`` are results of :func:`local_build`, and may be mapped from read-only files;
        all are looked through together. ``probes``, 1 to 256, is how many words are looked up for
        each point, and ``most_signature``, 0 to 43, how many bits of 43 may differ then.

        Returns ``(segment, slot, face, votes, seeds)``, most votes first: which of the segments,
        which of its records, 0 for this picture as it is or 1 for its mirror image, and what
        :meth:`verify` wants to be given. How pictures are divided among segments makes no
        difference, except that smaller segments, having fewer words, may find a little more. A
        word that more than 20,000 banked points have is passed over, and the first 4,096 banked
        points alike to one of the picture's are kept.

        Raises ``ValueError`` for numbers out of range and arrays that cannot be a segment, and
        when it meets a word whose postings lie outside. Damage that stays in range is not
        noticed: keep a checksum with the arrays, and check that a slot exists.
        """
    def verify(self, record: bytes, face: int, seeds: bytes) -> _Evidence | None:
        """Compare with one shortlisted record; None when nothing in the two corresponds.

        Returns ``(score, inliers, model, query_polygon, banked_polygon, cells_matched,
        cells_visible)``. ``score`` adds up how alike the corresponding points are, less where
        they are alike to others as well: pictures of different things stay under 1.7 where
        measured. ``inliers`` is how many there are. ``model`` is a, b, c, d, e, f of
        x' = a x + b y + e, y' = c x + d y + f from the banked picture to this one, both in units
        of 1/1023 of the longer side. The polygons are the convex hulls of the corresponding points,
        corners (x, y) in 0 to 1 of each picture's own width and height; they may have fewer
        than three corners. ``cells_matched`` of ``cells_visible`` parts of the banked picture
        (cells of 8 by 8 with points that should be visible here) correspond: few do when
        only a frame or a caption is shared. Model and polygon are those of this picture as it was
        handed in, also when its mirror image matches.

        Raises ``ValueError`` for a record or seeds that are damaged or do not belong together.
        """
    def compare(self, record: bytes) -> _Compared | None:
        """Compare with one record, as it is and mirrored; None when nothing corresponds.

        Returns what :meth:`verify` does for the better of both faces, and that face. Raises
        ``ValueError`` for a record that is damaged.
        """

def local_check(record: bytes) -> int:
    """Count the points of a record, 12 to 400.

    Raises ``ValueError`` saying what is wrong with a record that is not sound.
    """

def local_build(
    records: list[bytes], word_bits: int = -1
) -> tuple[NDArray[np.uint32] | NDArray[np.uint64], NDArray[np.uint32]]:
    """Build a segment over records; a slot is the number of a record in the list.

    An empty record takes a slot and is never found. ``word_bits``, 0 to 20, is how many leading
    bits of a point's code choose its list; -1 chooses by the number of points, about four to a
    list.

    Returns ``(starts, postings)``, to be stored as they are and given back to
    :meth:`LocalFeatures.shortlist`: ``starts`` (2**word_bits + 1,), 64 bits wide from 2**32 points
    on; ``postings`` (points, 3).

    Raises ``ValueError`` for a record that is not sound or ``word_bits`` out of range.
    """

class LocalBuilder:
    """Builds what :func:`local_build` does from records that are handed over bit by bit.

    Every record is handed over twice: to :meth:`count`, and when all have been, to :meth:`fill`
    in the same order, so that no more memory is used than the result takes. Calls from several
    threads wait for one another. After an error the builder is of no more use.
    """

    def __init__(self, word_bits: int = -1) -> None: ...
    def count(self, records: list[bytes]) -> None:
        """Count the points of the next records. ``ValueError`` as for :func:`local_build`."""
    def fill(self, records: list[bytes]) -> None:
        """Take the next records. ``ValueError`` when they are not those that were counted."""
    def finish(self) -> tuple[NDArray[np.uint32] | NDArray[np.uint64], NDArray[np.uint32]]:
        """Return ``(starts, postings)``. ``ValueError`` when records are missing."""

class SentenceReader:
    """Reads sentences of one language: its words and terms have bits of classes.

    ``words`` has the bits of each word. ``terms`` has, by the first word of a term, a dictionary by
    its second, which may be ``..`` for any. Of a word with a class in ``blocks`` it is told that
    ``blocked`` unknown words stand there, of one in ``transparent`` that none does. ``telling`` are
    the classes that are worth a hit; ``handle`` is that of ``@name``.
    """

    def __init__(
        self,
        words: dict[str, int],
        terms: dict[str, Any],
        handle: int,
        transparent: int,
        blocks: int,
        telling: int,
        blocked: int,
    ) -> None: ...
    def read(
        self,
        tokens: list[str],
        start: int,
        end: int,
        at: int,
        unknown: int,
        term: Callable[[list[str], int, int, Any], tuple[int, int]],
        ats: list[int],
        unknowns: list[int],
        masks: list[int],
        firsts: list[int],
        widths: list[int],
    ) -> tuple[int, int, int]:
        """Read ``tokens[start:end]``; hits are put at the end of the five lists.

        They are a hit's distance from the beginning of the text, the unknown words before it, its
        classes, its first token and how many tokens it has; ``at`` and ``unknown`` are what came
        before. ``term`` says of the tokens, a place, ``end`` and what ``terms`` holds which classes
        the term that begins there has and how many tokens, 1 or 0 for no more than the word.

        Returns distance and unknown words after the last token, and all classes seen. Raises
        ``ValueError`` for a part that is not in the tokens.
        """

TEXT_BUCKETS: Final[int]
"""How many buckets the features of texts are hashed to."""

def text_blocks(
    text: str,
    keys: NDArray[np.uint32] | memoryview,
    family: NDArray[np.uint16] | memoryview,
    facts: bytes,
    classes: bytes,
    hits: Sequence[bytes],
) -> list[tuple[NDArray[np.int64], float]]:
    """Hash what a learned model looks at: buckets that belong together, and what each counts.

    They are in the order of their places; one that is there several times counts once.
    ``text`` is words parted by one space, with a space at both ends. ``keys``, ascending, and
    ``family`` say which words (:func:`word_key`) stand for each other. Names of what else is known
    are given by their digests, eight bytes each: ``facts`` count by themselves, ``classes`` by
    themselves and in pairs, each of ``hits`` with the next and the one after that.

    Returns the block of the facts, those of classes and of hits where there are classes, and those
    of words (one, two, three in a row), characters (runs of three, four, five) and families (alone
    and with one of the next three words). Buckets are 0 to ``TEXT_BUCKETS`` - 1. Linear in the
    length of the text; with the square of the number of classes.

    Raises ``ValueError`` for arrays of unlike sizes or digests of another length.
    """

def word_key(word: str) -> int:
    """The key, 32 bits, by which families know a word."""

class TextWeights:
    """A network over the features of texts; its arrays are kept, not copied.

    ``weights``, (``TEXT_BUCKETS``, columns), are summed over a text's buckets; ``scales``,
    (columns,), say what one of their whole numbers stands for. The first columns are direct logits
    of the first labels. From the others, as many as ``hidden``, (units, inner), has columns, come
    rectified units, with ``hidden_biases``, (units,), and from these the logits by ``out``,
    (labels, units), and ``out_biases``, (labels,). ``keys`` and ``family`` are as in
    :func:`text_blocks`. Raises ``ValueError`` for arrays of unlike sizes.
    """

    def __init__(
        self,
        weights: NDArray[np.int8] | memoryview,
        scales: NDArray[np.float32] | memoryview[float],
        hidden: NDArray[np.float32] | memoryview[float],
        hidden_biases: NDArray[np.float32] | memoryview[float],
        out: NDArray[np.float32] | memoryview[float],
        out_biases: NDArray[np.float32] | memoryview[float],
        keys: NDArray[np.uint32] | memoryview,
        family: NDArray[np.uint16] | memoryview,
    ) -> None: ...
    def logits(
        self,
        text: str,
        bounds: Sequence[tuple[int, int]],
        facts: bytes,
        classes: bytes,
        hits: Sequence[bytes],
    ) -> list[list[float]]:
        """Weigh parts of a text: the logits of each part, the same on every machine.

        A part is from the first of ``bounds`` up to the second, in characters; the rest is as in
        :func:`text_blocks`. Raises ``ValueError`` for bounds outside the text.
        """

    def slopes(
        self, text: str, label: int, facts: bytes, classes: bytes, hits: Sequence[bytes]
    ) -> list[float]:
        """How much a label's logit grows, at this text, with each column's sum of weights.

        What a bucket adds to the logit is its row times these, times the share of its block,
        however often it is there.
        Raises ``ValueError`` for a label that there is not.
        """
