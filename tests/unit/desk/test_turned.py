from __future__ import annotations

import numpy as np
import pytest

from egide import _kernel
from egide.desk.turned import turned
from egide.fingerprint import Fingerprint, FingerprintType
from egide.item import Item
from egide.media.fingerprint import fingerprints_of
from egide.testing import neutral_pixels
from tests.pictures import encode
from tests.unit.desk.office import ANN, Office, given, pdq_of, picture


def apart(one: bytes, other: bytes) -> int:
    """In how many bits two hashes differ."""
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@pytest.mark.parametrize("seed", range(4))
def test_hashes_are_turned_nearly_as_pictures_are(seed: int) -> None:
    hashes, quality = _kernel.pdq_rgb(neutral_pixels(seed))
    made = turned(Fingerprint(FingerprintType.PDQ, hashes[0].tobytes(), quality))
    assert len({each.value for each in made}) == 7
    for true in hashes[1:]:
        assert min(apart(true.tobytes(), each.value) for each in made) <= 31


def test_turning_twice_gives_the_hash_again() -> None:
    print_ = pdq_of(picture(1))
    for each in turned(print_):
        assert print_.value in {again.value for again in turned(each)}


def test_mirrored_copies_in_the_library_are_found_by_one_hash(office: Office) -> None:
    mirrored = np.ascontiguousarray(neutral_pixels(1)[:, ::-1])
    office.host("mirrored", fingerprints_of(Item.from_bytes(encode(mirrored, "PNG"))))
    receipt = office.notice(locations=None, fingerprints=[given(pdq_of(picture(1)))])
    (copy,) = office.desk.view(ANN, receipt.case).copies
    assert (copy.content_id, copy.how, copy.evidence["edit"]) == ("mirrored", "similar", "turned")
