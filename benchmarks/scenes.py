"""Which photographs show the same scene, by SIFT and a homography.

By no fingerprint that is measured here, so that what they miss or mix up does not sort itself out
of the figures.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

POINTS: Final = 320
LEAST_POINTS: Final = 12
LEAST_CLOSE: Final = 9
LEAST_INLIERS: Final = 10
COPY_INLIERS: Final = 60
"""As many inliers as a resized copy has: the same photograph. Fewer: the same scene."""

Plane = NDArray[np.uint8]


class Features(NamedTuple):
    """Points (n, 2) in pixels and their RootSIFT descriptors (n, 128)."""

    points: NDArray[np.float32]
    descriptors: NDArray[np.float32]


class Groups(NamedTuple):
    """`first`: of each picture the number of the first of its scene; `copies`: those to drop."""

    first: list[int]
    copies: set[int]


def group(planes: Sequence[Plane]) -> Groups:
    """Groups luma planes of at most 640 pixels a side; pairs are those that geometry confirms."""
    first = list(range(len(planes)))
    copies = set()

    def root(number: int) -> int:
        while first[number] != number:
            number = first[number]
        return number

    for inliers, one, other in sorted(_pairs(planes), reverse=True):
        if inliers >= COPY_INLIERS:
            copies.add(max(one, other))
        low, high = sorted((root(one), root(other)))
        first[high] = low
    return Groups([root(number) for number in range(len(planes))], copies)


def _pairs(planes: Sequence[Plane]) -> Iterator[tuple[int, int, int]]:
    """(inliers, later, earlier) of the pairs that share a piece of scene."""
    features = [_features(plane) for plane in planes]
    starts = np.cumsum([0, *(len(one.descriptors) for one in features)])
    every = np.concatenate([*(one.descriptors for one in features), np.zeros((1, 128), np.float32)])
    for later in range(1, len(features)):
        one = features[later]
        if len(one.descriptors) < LEAST_POINTS:
            continue
        # A cheap count of close descriptors picks the pairs that are worth a homography.
        similar = one.descriptors @ every[: starts[later] + 1].T
        close = np.maximum.reduceat(similar, starts[:later], axis=1) > 0.92
        for earlier in np.flatnonzero(close.sum(0) >= LEAST_CLOSE).tolist():
            if len(features[earlier].descriptors) >= LEAST_POINTS:
                inliers = _inliers(one, features[earlier])
                if inliers >= LEAST_INLIERS:
                    yield inliers, later, earlier


def _features(plane: Plane) -> Features:
    cv2 = import_module("cv2")
    points, descriptors = cv2.SIFT_create(nfeatures=300).detectAndCompute(plane, None)
    if descriptors is None:
        descriptors = np.zeros((0, 128), np.float32)
    rooted = np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-6))
    places = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
    return Features(places[:POINTS], rooted[:POINTS].astype(np.float32))


def _inliers(one: Features, other: Features) -> int:
    """How many points of `one` a homography takes to their mutually nearest ones of `other`."""
    similar = one.descriptors @ other.descriptors.T
    nearest = similar.argmax(1)
    second, best = np.partition(similar, -2, axis=1)[:, -2:].T
    clear = (2 - 2 * best) < 0.64 * (2 - 2 * second)
    mutual = similar.argmax(0)[nearest] == np.arange(len(nearest))
    good = clear & mutual
    if good.sum() < LEAST_INLIERS:
        return 0
    cv2 = import_module("cv2")
    homography, mask = cv2.findHomography(
        one.points[good], other.points[nearest[good]], cv2.RANSAC, 4.0
    )
    return 0 if homography is None else int(mask.sum())
