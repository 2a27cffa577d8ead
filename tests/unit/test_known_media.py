"""`known-media.v1`: what it finds, what it leaves out, and what it says of both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from egide.detector import DetectorSettings
from egide.detectors.known_media import MOST_FINDINGS, KnownMedia, from_settings
from egide.errors import UsageError
from egide.finding import Fault, Finding, Skip
from egide.fingerprint import Fingerprint, FingerprintType
from egide.item import Item
from egide.label import Label
from egide.match import Match, Purpose
from egide.media.fingerprint import fingerprints_of
from egide.media.picture import Limits
from egide.testing import MemoryBank, failing_examples, neutral_pixels
from tests.conftest import near, pdq, sha256
from tests.pictures import animation, encode, gradient, smooth_noise

PIXELS = neutral_pixels(1)
ITEM = Item.from_bytes(encode(PIXELS, "PNG"), "banked.png")
COPY = encode(PIXELS, "JPEG", quality=85)


class Asked(MemoryBank):
    """Remembers what it was asked for."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.searches = 0
        self.asked: list[FingerprintType] = []

    def search(self, queries: Sequence[Fingerprint], threshold: int) -> list[Match]:
        self.searches += 1
        return super().search(queries, threshold)

    def holds(self, type: FingerprintType) -> bool:  # noqa: A002
        self.asked.append(type)
        return super().holds(type)


def bank_of(
    *prints: Sequence[Fingerprint], purpose: str = "block", name: str = "bank"
) -> MemoryBank:
    bank = MemoryBank(name, purpose)
    for held in prints:
        bank.add(held)
    return bank


def observed(
    data: bytes | Item, *banks: MemoryBank, **settings: Any
) -> tuple[list[Finding], list[Skip], list[Fault]]:
    item = data if isinstance(data, Item) else Item.from_bytes(data, "query")
    seen = list(KnownMedia(banks, **settings).detect(item))
    return (
        [o for o in seen if isinstance(o, Finding)],
        [o for o in seen if isinstance(o, Skip)],
        [o for o in seen if isinstance(o, Fault)],
    )


def finding(data: bytes | Item, *banks: MemoryBank, **settings: Any) -> Finding:
    (one,) = observed(data, *banks, **settings)[0]
    return one


def framed(pixels: NDArray[np.uint8], width: int = 60, shade: int = 255) -> NDArray[np.uint8]:
    return np.pad(pixels, ((width, width), (width, width), (0, 0)), constant_values=shade)


def whole(data: bytes) -> Fingerprint:
    """The PDQ of a picture as it is."""
    prints = fingerprints_of(Item.from_bytes(data))
    return next(f for f in prints if f.type is FingerprintType.PDQ)


# ── copies ──────────────────────────────────────────────────────────────────────────────────────


def test_its_own_examples_run() -> None:
    assert failing_examples(from_settings) == []
    assert len(KnownMedia(()).examples) >= 4


def test_an_identical_file_is_found_by_its_digest() -> None:
    one = finding(ITEM, bank_of(fingerprints_of(ITEM)))
    assert (one.label, one.score, one.detector) == (Label.NCII_KNOWN, 1.0, "known-media.v1")
    assert dict(one.evidence) == {
        "bank": "bank",
        "entry": "00000000-1",
        "method": "sha256",
        "distance": 0,
        "edit": "none",
        "purpose": "block",
    }


def test_a_digest_alone_is_enough_and_one_other_byte_is_too_much() -> None:
    assert ITEM.sha256 is not None
    bank = bank_of([Fingerprint.from_hex("sha256", ITEM.sha256)])
    data = ITEM.read(1 << 30)
    assert finding(data, bank).evidence["method"] == "sha256"
    assert observed(data + b"\0", bank)[0] == []


@pytest.mark.parametrize("type_", ["md5", "video_md5"])
def test_md5_lists_find_identical_files(type_: str) -> None:
    digest = hashlib.md5(COPY, usedforsecurity=False).hexdigest()
    one = finding(COPY, bank_of([Fingerprint.from_hex(type_, digest)]))
    assert (one.score, one.evidence["method"]) == (1.0, type_)


def test_an_encoded_copy_is_found_by_pdq() -> None:
    one = finding(COPY, bank_of(fingerprints_of(ITEM)))
    assert one.evidence["method"] == "pdq"
    assert one.evidence["edit"] == "none"
    assert one.evidence["distance"] <= 10


EDITS: dict[str, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    "none": lambda p: p,
    "rotate90": lambda p: np.rot90(p, 1),
    "rotate180": lambda p: np.rot90(p, 2),
    "rotate270": lambda p: np.rot90(p, 3),
    "mirror": lambda p: p[:, ::-1],
    "flip": lambda p: p[::-1],
    "transpose": lambda p: p.transpose(1, 0, 2),
    "transverse": lambda p: np.rot90(p.transpose(1, 0, 2), 2),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("edit", EDITS)
def test_the_edit_is_what_was_done_to_the_banked_picture(edit: str, seed: int) -> None:
    original = neutral_pixels(seed)
    bank = bank_of(fingerprints_of(Item.from_bytes(encode(original, "PNG"))))
    edited = np.ascontiguousarray(EDITS[edit](original))
    assert finding(encode(edited, "JPEG", quality=85), bank).evidence["edit"] == edit


@pytest.mark.parametrize("shade", [0, 255, 90])
def test_a_border_that_was_put_round_it_is_named(shade: int) -> None:
    bank = bank_of([whole(encode(PIXELS, "PNG"))])
    assert finding(encode(framed(PIXELS, 60, shade), "JPEG"), bank).evidence["edit"] == "border"
    turned = np.ascontiguousarray(framed(PIXELS, 60, shade)[:, ::-1])
    assert finding(encode(turned, "JPEG"), bank).evidence["edit"] == "border+mirror"


def test_a_border_that_was_cut_off_is_named() -> None:
    banked = fingerprints_of(Item.from_bytes(encode(framed(PIXELS), "PNG")))
    assert finding(COPY, bank_of(banked)).evidence["edit"] == "border"


def test_another_picture_is_not_found() -> None:
    bank = bank_of(fingerprints_of(ITEM))
    for seed in range(2, 8):
        assert observed(encode(neutral_pixels(seed), "JPEG"), bank) == ([], [], [])


# ── scores ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("distance", "score"),
    [(0, 1.0), (1, 1.0), (31, 1.0), (32, 0.8), (48, 0.8 - 0.3 * 16 / 31), (63, 0.5)],
)
def test_the_score_falls_past_the_fields_threshold(distance: int, score: float) -> None:
    bank = bank_of([near(whole(COPY), distance)])
    one = finding(COPY, bank, threshold=63)
    assert one.evidence["distance"] == distance
    assert one.score == pytest.approx(score)


def test_nothing_is_found_past_the_threshold_asked_for() -> None:
    for threshold in (0, 5, 31, 62):
        bank = bank_of([near(whole(COPY), threshold + 1)])
        assert observed(COPY, bank, threshold=threshold)[0] == []


def test_a_disputed_entry_counts_half_and_says_so() -> None:
    bank = bank_of(fingerprints_of(ITEM))
    bank.dispute("00000000-1")
    for data in (ITEM, COPY):
        one = finding(data, bank)
        assert (one.score, one.evidence["disputed"]) == (0.5, True)


def test_a_withdrawn_entry_is_not_found() -> None:
    bank = bank_of(fingerprints_of(ITEM))
    bank.withdraw("00000000-1")
    assert observed(ITEM, bank)[0] == []


def test_label_and_reference_of_the_entry_are_told_the_reference_masked() -> None:
    bank = MemoryBank()
    bank.add(fingerprints_of(ITEM), "word", "case 17")
    one = finding(COPY, bank)
    assert one.evidence["entry_label"] == "word"
    assert one.to_json(reveal=True)["evidence"]["entry_ref"] == "case 17"
    assert "case 17" not in str(one.to_json())


# ── purposes ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("blocked", "allowed", "silenced"),
    [(10, 10, True), (10, 9, True), (10, 11, False), (0, 0, True), (31, 0, True), (31, 32, False)],
)
def test_a_known_false_match_is_silenced_when_it_is_at_least_as_near(
    blocked: int, allowed: int, silenced: bool
) -> None:
    block = bank_of([near(whole(COPY), blocked)])
    allow = bank_of([near(whole(COPY), allowed)], purpose="allow", name="fine")
    one = finding(COPY, block, allow)
    if silenced:
        assert one.score == 0.0
        assert one.evidence["silenced"] is True
        assert one.evidence["silenced_by"] == {
            "bank": "fine",
            "entry": "00000000-1",
            "distance": allowed,
        }
    else:
        assert one.score == 1.0
        assert "silenced" not in one.evidence


def test_an_allowed_entry_that_is_disputed_silences_nothing() -> None:
    allow = bank_of([whole(COPY)], purpose="allow")
    allow.dispute("00000000-1")
    assert finding(COPY, bank_of([whole(COPY)]), allow).score == 1.0


def test_what_is_disputed_never_pushes_out_what_is_not() -> None:
    bank = bank_of(*([near(whole(COPY), n)] for n in range(25)))
    for n in range(24):
        bank.dispute(f"00000000-{n + 1}")
    assert [f.score for f in observed(COPY, bank)[0]] == [1.0] + [0.5] * 19


def test_an_identical_file_is_silenced_by_its_digest_alone() -> None:
    block = bank_of(fingerprints_of(ITEM))
    by_pdq = bank_of([whole(ITEM.read(1 << 30))], purpose="allow")
    by_digest = bank_of(fingerprints_of(ITEM), purpose="allow")
    assert finding(ITEM, block, by_pdq).score == 1.0
    assert finding(ITEM, block, by_digest).score == 0.0


def test_an_allowed_frame_does_not_silence_a_blocked_one_beside_it() -> None:
    good, bad = neutral_pixels(5, 96, 128), neutral_pixels(6, 96, 128)
    both = animation("PNG", [good, bad])
    allow = bank_of([whole(encode(good, "PNG"))], purpose="allow")
    one = finding(both, bank_of([whole(encode(bad, "PNG"))]), allow)
    assert one.score == 1.0
    assert one.evidence["frame"] == 1
    assert finding(both, bank_of([whole(encode(good, "PNG"))]), allow).score == 0.0


def test_an_entry_seen_in_two_frames_counts_by_the_one_that_is_not_silenced() -> None:
    good, bad = neutral_pixels(5, 96, 128), neutral_pixels(6, 96, 128)
    block = bank_of([whole(encode(good, "PNG")), whole(encode(bad, "PNG"))])
    allow = bank_of([whole(encode(good, "PNG"))], purpose="allow")
    one = finding(animation("PNG", [good, bad]), block, allow)
    assert one.score == 1.0
    assert one.evidence["frame"] == 1


def test_an_allow_bank_alone_finds_nothing_and_library_banks_are_not_asked() -> None:
    library = Asked("hosted", "library")
    library.add(fingerprints_of(ITEM))
    allow = Asked("fine", "allow")
    findings, (skip,), faults = observed(ITEM, library, allow)
    assert (findings, faults) == ([], [])
    assert "no block bank" in skip.reason
    assert observed(ITEM, library, bank_of([pdq(1)]))[0] == []
    assert (library.searches, library.asked, allow.searches) == (0, [], 0)


def test_without_any_bank_it_says_that_nothing_was_compared() -> None:
    findings, (skip,), faults = observed(ITEM)
    assert (findings, faults) == ([], [])
    assert "egide bank create" in skip.reason


def test_every_block_bank_is_asked() -> None:
    banks = [bank_of(fingerprints_of(ITEM), name=name) for name in ("a", "b")]
    assert [f.evidence["bank"] for f in observed(COPY, *banks)[0]] == ["a", "b"]


# ── what is left out ────────────────────────────────────────────────────────────────────────────


def test_a_picture_with_too_little_detail_is_skipped_but_its_digest_still_matches() -> None:
    flat = encode(gradient(), "PNG")
    item = Item.from_bytes(flat)
    assert [f.type for f in fingerprints_of(item)] == [FingerprintType.SHA256]
    findings, (skip,), faults = observed(flat, bank_of(fingerprints_of(item)))
    assert [f.evidence["method"] for f in findings] == ["sha256"]
    assert faults == []
    assert "too little detail" in skip.reason
    assert "50" in skip.reason
    assert observed(flat, bank_of([pdq(bytes(32))]))[0] == []


def test_poor_frames_among_good_ones_are_counted() -> None:
    frames = [gradient(128, 96), neutral_pixels(1, 96, 128), np.full((96, 128, 3), 9, np.uint8)]
    data = animation("PNG", frames)
    bank = bank_of([whole(encode(frames[1], "PNG"))])
    findings, (skip,), _ = observed(data, bank)
    assert [f.evidence.get("frame") for f in findings] == [1]
    assert skip.reason.startswith("2 of 3 frames")


@pytest.mark.parametrize("format_", ["GIF", "PNG", "WEBP", "TIFF"])
def test_every_frame_is_looked_up(format_: str) -> None:
    frames = [neutral_pixels(seed, 192, 256) for seed in (1, 2, 3)]
    data = animation(format_, frames)
    for index, frame in enumerate(frames):
        bank = bank_of([whole(encode(frame, "PNG"))])
        assert finding(data, bank).evidence.get("frame", 0) == index


def test_at_most_twenty_findings_are_listed_the_nearest_first() -> None:
    bank = bank_of(*([near(whole(COPY), 30 - n)] for n in range(25)))
    findings, (skip,), _ = observed(COPY, bank)
    assert [f.evidence["distance"] for f in findings] == list(range(6, 6 + MOST_FINDINGS))
    assert MOST_FINDINGS == 20
    assert skip.reason.startswith("5 more")


def test_silenced_findings_come_last_and_never_push_out_a_real_one() -> None:
    print_ = whole(COPY)
    block = bank_of(*([near(print_, n)] for n in range(1, 30)), [near(print_, 31)])
    allow = bank_of([near(print_, 1)], purpose="allow")
    exact = bank_of([sha256(0)], [Fingerprint.from_hex("sha256", hashlib.sha256(COPY).hexdigest())])
    findings, _, _ = observed(COPY, block, allow, exact)
    assert [f.score for f in findings] == [1.0] + [0.0] * 19
    assert findings[0].evidence["method"] == "sha256"


def test_a_damaged_picture_is_a_fault_and_its_digest_is_looked_up_all_the_same() -> None:
    broken = COPY[: len(COPY) // 2]
    bank = bank_of([Fingerprint.from_hex("sha256", hashlib.sha256(broken).hexdigest())])
    findings, _, faults = observed(broken, bank)
    assert [f.evidence["method"] for f in findings] == ["sha256"]
    assert len(faults) == 1


def test_a_file_over_the_limit_is_one_fault_and_its_sha256_is_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(ITEM.read(1 << 30))
    bank = bank_of(fingerprints_of(ITEM), [Fingerprint.from_hex("md5", "ab" * 16)])
    findings, _, faults = observed(Item.from_path(path), bank, limits=Limits(bytes=100))
    assert [f.evidence["method"] for f in findings] == ["sha256"]
    assert [fault.error for fault in faults] == ["too-many-bytes"]


def test_md5_is_not_computed_when_no_bank_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashlib, "md5", None)
    assert len(observed(COPY, bank_of(fingerprints_of(ITEM)))[0]) == 1


def test_no_evidence_holds_a_fingerprint() -> None:
    bank = bank_of(fingerprints_of(ITEM))
    held = fingerprints_of(ITEM)
    said = str([f.to_json(reveal=True) for f in observed(ITEM, bank)[0]])
    assert not any(f.hex[:8] in said for f in held)


def test_settings_make_the_detector() -> None:
    bank = MemoryBank(purpose=Purpose.BLOCK)
    made = from_settings(DetectorSettings(banks=(bank,), threshold=7))
    assert (made.banks, made.threshold, made.name) == ((bank,), 7, "known-media.v1")


def test_a_limit_that_is_no_number_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EGIDE_MAX_BYTES", "many")
    with pytest.raises(UsageError, match="EGIDE_MAX_BYTES"):
        from_settings(DetectorSettings())


def test_smooth_pictures_of_other_seeds_stay_apart() -> None:
    bank = bank_of(
        *(fingerprints_of(Item.from_bytes(encode(smooth_noise(seed=n), "PNG"))) for n in range(5))
    )
    for n in range(5):
        found = observed(encode(smooth_noise(seed=n), "JPEG"), bank)[0]
        assert [f.evidence["entry"] for f in found] == [f"00000000-{n + 1}"]
