"""The embedding that a user brings: what it makes of pictures, how they are found, what fails."""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from egide.bank import Home
from egide.bank.lists import ListFormat, read_list, write_list
from egide.bank.memory import MemoryBank
from egide.cli import main
from egide.compare import compare
from egide.detectors.known_media import KnownMedia
from egide.errors import DetectorFailed, UsageError
from egide.finding import Fault, Finding
from egide.fingerprint import LEAST_SIMILARITY, Fingerprint, FingerprintType, cosine
from egide.item import Item
from egide.label import Label
from egide.match import Match, Purpose
from egide.media.embedding import MOST_FRAMES, VARIABLE, Embedding
from egide.media.fingerprint import fingerprints_of
from egide.media.picture import Limits
from egide.report.compared import print_comparison, write_comparison
from egide.report.words import brief, explain
from egide.scan import Scanner
from egide.verdict import Action
from tests.pictures import animation, encode, exif, gradient, smooth_noise
from tests.videos import footage, video

SIDE = 288
POOL = 36
FLOAT, INT64 = 1, 7


# ── ONNX written by hand: https://onnx.ai, onnx.proto; fields by their numbers ──────────────────


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def part(field: int, value: bytes | str) -> bytes:
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    if value < 128:
        return bytes([value])
    return bytes([value & 127 | 128]) + varint(value >> 7)


def value_info(name: str, shape: Sequence[int | str], type_: int = FLOAT) -> bytes:
    dims = b"".join(
        part(1, number(1, side) if isinstance(side, int) else part(2, side)) for side in shape
    )
    return part(1, name) + part(2, part(1, number(1, type_) + part(2, dims)))


def node(operator: str, inputs: Sequence[str], output: str, **attributes: list[int]) -> bytes:
    told = b"".join(part(1, name) for name in inputs) + part(2, output) + part(4, operator)
    for name, values in attributes.items():
        ints = b"".join(number(8, value) for value in values)
        told += part(5, part(1, name) + ints + number(20, 7))
    return told


def model(
    *nodes: bytes,
    shape: Sequence[int | str] = (1, 3, SIDE, SIDE),
    type_: int = FLOAT,
    inputs: int = 1,
    weights: bytes = b"",
    note: str = "",
) -> bytes:
    """A model from the input `x0` to the output `y`."""
    graph = b"".join(part(1, each) for each in nodes) + part(2, "g") + weights
    graph += b"".join(part(11, value_info(f"x{n}", shape, type_)) for n in range(inputs))
    graph += part(12, value_info("y", ("n", "d")))
    return number(1, 8) + part(6, note) + part(7, graph) + part(8, number(2, 13))


def pooled(after: Sequence[bytes] = (), last: str = "pooled", **options: Any) -> bytes:
    """The mean colour of each of 8 × 8 fields: 192 numbers."""
    pool = node("AveragePool", ["x0"], "pooled", kernel_shape=[POOL, POOL], strides=[POOL, POOL])
    return model(pool, *after, node("Flatten", [last], "y"), **options)


ROOTS = pooled([node("Sqrt", ["pooled"], "roots")], "roots")
"""Square roots of mean colours, which a picture darker than the average has none of."""


def tensor(name: str, shape: Sequence[int]) -> bytes:
    values = struct.pack(f"<{int(np.prod(shape))}f", *([0.5] * int(np.prod(shape))))
    return (
        b"".join(number(1, side) for side in shape)
        + number(2, FLOAT)
        + part(8, name)
        + part(9, values)
    )


# ── what the tests are made of ─────────────────────────────────────────────────────────────────


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(pooled())
    return path


@pytest.fixture
def embedding(path: Path) -> Embedding:
    return Embedding(path)


@pytest.fixture
def brought(path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(path))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def described(embedding: Embedding, data: bytes) -> list[Fingerprint]:
    return [d.fingerprint for d in embedding.fingerprints(Item.from_bytes(data), Limits())]


def only(embedding: Embedding, data: bytes) -> Fingerprint:
    (found,) = described(embedding, data)
    return found


def one(embedding: Embedding, pixels: NDArray[np.uint8], *args: Any, **options: Any) -> Fingerprint:
    return only(embedding, encode(pixels, *(args or ("PNG",)), **options))


def other_model(path: Path) -> Embedding:
    path.write_bytes(pooled(note="trained longer"))
    return Embedding(path)


def edited(pixels: NDArray[np.uint8]) -> bytes:
    """Looks alike on the whole, for PDQ of no importance: the bank holds descriptors only."""
    height, width = pixels.shape[:2]
    small = Image.fromarray(pixels).resize((width // 2, height // 2))
    return encode(np.asarray(small), "JPEG", quality=40)


def onnx(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "other.onnx"
    path.write_bytes(data)
    return path


# ── descriptors ────────────────────────────────────────────────────────────────────────────────


def test_the_model_is_fed_rgb_normalised_as_on_imagenet(embedding: Embedding) -> None:
    pixels = smooth_noise(SIDE, SIDE, seed=3)
    scaled = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    fields = scaled.reshape(8, POOL, 8, POOL, 3).mean(axis=(1, 3)).transpose(2, 0, 1).reshape(-1)

    value = one(embedding, pixels).value

    numbers = np.frombuffer(value, np.int8, offset=16)
    assert np.abs(numbers - fields * (127 / np.abs(fields).max())).max() <= 1


def test_the_header_names_the_model(embedding: Embedding, path: Path) -> None:
    value = one(embedding, smooth_noise()).value

    digest = hashlib.sha256(path.read_bytes()).digest()
    assert value[:16] == bytes([1, 0]) + (192).to_bytes(2, "little") + digest[:12]
    assert len(value) == 16 + 192


@pytest.mark.parametrize("open_", [("n", 3, "h", "w"), (1, "c", SIDE, SIDE), ("n", "c", "h", "w")])
def test_what_the_model_leaves_open_is_288_pixels(
    tmp_path: Path, open_: tuple[int | str, ...], embedding: Embedding
) -> None:
    free = Embedding(onnx(tmp_path, pooled(shape=open_)))

    assert one(free, smooth_noise()).value[16:] == one(embedding, smooth_noise()).value[16:]


def test_a_model_of_another_size_gets_that_size(tmp_path: Path) -> None:
    wide = Embedding(onnx(tmp_path, pooled(shape=(1, 3, 2 * POOL, 4 * POOL))))

    assert len(one(wide, smooth_noise()).value) == 16 + 3 * 2 * 4


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP"])
def test_colours_count_in_every_format(embedding: Embedding, format_: str) -> None:
    pixels = smooth_noise(seed=4)
    swapped = pixels[:, :, ::-1].copy()
    first, second = (one(embedding, p, format_, quality=95) for p in (pixels, swapped))

    assert cosine(first, one(embedding, pixels)) > 0.99
    assert cosine(first, second) < 0.9


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("size", [(400, 300), (1600, 1200)])
def test_a_jpeg_is_described_upright_and_reduced(
    embedding: Embedding, orientation: int, size: tuple[int, int]
) -> None:
    pixels = smooth_noise(*size, seed=5)
    turned = np.rot90(pixels, {3: 2, 6: 1, 8: 3}[orientation]).copy()
    lying = one(embedding, turned, "JPEG", quality=95, exif=exif(orientation))

    assert cosine(lying, one(embedding, pixels)) > 0.99


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_odd_jpegs_are_described_by_their_luma(embedding: Embedding, mode: str) -> None:
    out = io.BytesIO()
    Image.fromarray(smooth_noise()).convert(mode).save(out, "JPEG")
    grey = np.asarray(Image.fromarray(smooth_noise()).convert("L").convert("RGB"))

    (found,) = described(embedding, out.getvalue())

    assert cosine(found, one(embedding, grey)) > 0.95


def test_a_truncated_jpeg_is_described_as_far_as_it_goes(embedding: Embedding) -> None:
    data = encode(smooth_noise(1600, 1200), "JPEG")

    assert len(described(embedding, data[: len(data) // 2])) == 1


def test_what_says_nothing_is_not_described(embedding: Embedding) -> None:
    assert described(embedding, encode(np.full((300, 400, 3), 90, np.uint8), "PNG")) == []
    assert described(embedding, encode(gradient(), "PNG")) == []
    assert described(embedding, encode(smooth_noise(1, 1), "PNG")) == []


def test_of_an_animation_frames_all_over_it_are_described(embedding: Embedding) -> None:
    data = animation("GIF", [smooth_noise(seed=n) for n in range(20)])
    item = Item.from_bytes(data)

    frames = [each.frame for each in embedding.fingerprints(item, Limits())]

    assert len(frames) <= MOST_FRAMES
    assert frames == list(range(0, 20, 2))


def test_videos_are_not_described(embedding: Embedding) -> None:
    item = Item.from_bytes(video(footage(1)))

    assert list(embedding.fingerprints(item, Limits())) == []


# ── models that cannot be used ─────────────────────────────────────────────────────────────────


def test_it_is_off_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert Embedding.from_environment() is None
    monkeypatch.setenv(VARIABLE, " ")
    assert Embedding.from_environment() is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no ONNX model"),
        (b"not a model\n" * 100, "no ONNX model"),
        (pooled()[:100], "no ONNX model"),
        (pooled(shape=(1, 1, SIDE, SIDE)), "[1, 1, 288, 288], not one tensor(float) [1, 3,"),
        (pooled(shape=(4, 3, SIDE, SIDE)), "[4, 3, 288, 288], not one"),
        (pooled(shape=(1, SIDE, SIDE, 3)), "[1, 288, 288, 3], not one"),
        (pooled(shape=(1, 3, 8192, 8192)), "of 32 to 1024 pixels"),
        (pooled(inputs=2), "tensor(float) [1, 3, 288, 288]; tensor(float)"),
        (model(node("Flatten", ["x0"], "y"), shape=(1, 3)), "[1, 3], not one"),
        (
            model(node("Cast", ["x0"], "y"), type_=INT64, shape=(1, 3, SIDE, SIDE)),
            "no ONNX model",
        ),
        (
            model(node("Flatten", ["x0"], "y")),
            "its first output has 248832 numbers a picture; a descriptor has 8 to 2032",
        ),
        (
            model(node("GlobalAveragePool", ["x0"], "p"), node("Flatten", ["p"], "y")),
            "its first output has 3 numbers",
        ),
        (
            model(
                node("MatMul", ["x0", "w"], "y"),
                shape=(1, 3, "h", "w"),
                weights=part(5, tensor("w", (7, 7))),
            ),
            "it does not run",
        ),
    ],
)
def test_a_model_that_cannot_serve_is_told_in_one_line(
    tmp_path: Path, data: bytes, said: str
) -> None:
    path = onnx(tmp_path, data)

    with pytest.raises(UsageError) as caught:
        Embedding(path)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert f"{VARIABLE}={str(path)!r}" in str(caught.value)


def test_a_file_that_is_not_there_or_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file or directory; name an ONNX file, or unset"):
        Embedding(tmp_path / "none.onnx")
    with pytest.raises(UsageError, match="Is a directory"):
        Embedding(tmp_path)


def test_without_onnxruntime_it_says_how_to_get_it(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(
        UsageError, match=r"needs onnxruntime; run pip install 'egide\[embedding\]'"
    ):
        Embedding(path)


def test_a_model_cannot_name_other_files(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(bytes(7 * 7 * 4))
    where = part(13, part(1, "location") + part(2, "weights.bin")) + number(14, 1)
    outside = number(1, 7) + number(1, 7) + number(2, FLOAT) + part(8, "w") + where
    data = model(node("MatMul", ["x0", "w"], "y"), shape=(1, 3, "h", "w"), weights=part(5, outside))

    with pytest.raises(UsageError, match="no ONNX model"):
        Embedding(onnx(tmp_path, data))


def test_a_picture_that_the_model_fails_on_is_an_error_of_that_picture(tmp_path: Path) -> None:
    embedding = Embedding(onnx(tmp_path, ROOTS))
    bank = MemoryBank()
    bank.add([raw([1] * 8)])
    item = Item.from_bytes(encode(smooth_noise(), "PNG"))

    (seen,) = KnownMedia([bank], embedding=embedding).detect(item)

    assert isinstance(seen, Fault)
    assert seen.error == DetectorFailed.code
    assert "192 finite numbers" in seen.message


# ── values ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (b"", "over 16 bytes, not 0"),
        (bytes([2, 0, 8, 0]) + bytes(20), "version 2, this égide knows 1"),
        (bytes([1, 0, 7, 0]) + bytes(19), "8 to 2032 dimensions, not 7"),
        (bytes([1, 0, 0xF1, 7]) + bytes(12 + 2033), "not 2033"),
        (bytes([1, 0, 8, 0]) + bytes(19), "of 8 dimensions has 24 bytes, not 23"),
        (bytes([1, 0, 8, 0]) + bytes(20), "zeros"),
    ],
)
def test_bytes_that_are_no_descriptor(value: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Fingerprint(FingerprintType.SSCD, value)


def raw(numbers: Sequence[int], model: bytes = b"m") -> Fingerprint:
    header = bytes([1, 0]) + len(numbers).to_bytes(2, "little") + model.ljust(12)
    return Fingerprint(FingerprintType.SSCD, header + np.array(numbers, np.int8).tobytes())


def test_cosines() -> None:
    up = raw([1, 2, -3, 0, 0, 0, 0, 0])

    assert cosine(up, raw([40, 80, -120, 0, 0, 0, 0, 0])) == pytest.approx(1)
    assert cosine(up, raw([-1, -2, 3, 0, 0, 0, 0, 0])) == pytest.approx(-1)
    assert cosine(up, raw([0, 0, 0, 1, 0, 0, 0, -128])) == 0


# ── banks ──────────────────────────────────────────────────────────────────────────────────────


def told(matches: Sequence[Match]) -> dict[tuple[int, str | None], float]:
    return {(match.query, match.ref): match.similarity or 0 for match in matches}


def test_a_bank_answers_as_its_twin_does(home: Home) -> None:
    rng = np.random.default_rng(1)
    centres = rng.integers(-100, 100, (4, 32))
    bank, twin = home.create("b"), MemoryBank("b")
    for n in range(120):
        numbers = centres[n % 4] + rng.integers(-60, 60, 32)
        held = raw(np.clip(numbers, -128, 127).tolist(), b"one" if n % 3 else b"two")
        bank.add([held], ref=f"{n:03}")
        twin.add([held], ref=f"{n:03}")
        if n % 10 == 0:  # looked up while it grows
            bank.lookup(held)
    queries = [raw(c.tolist(), m) for c in centres for m in (b"one", b"two", b"six")]

    found = told(bank.search(queries, 31))

    assert found == pytest.approx(told(twin.search(queries, 31)), abs=1e-5)
    assert [(q, -s) for (q, _), s in found.items()] == sorted(
        (q, -s) for (q, _), s in found.items()
    )
    assert 20 < len(found) < 120 * 4
    assert all(LEAST_SIMILARITY <= similarity < 1 for similarity in found.values())
    assert not any(query % 3 == 2 for query, _ in found)


def test_what_another_process_adds_and_withdraws_is_seen(home: Home) -> None:
    here, there = home.create("b"), Home(home.path).bank("b")
    query = raw([1, 2, 3, 4, 5, 6, 7, 8])
    assert here.lookup(query) == []

    entry = there.add([query]).entry
    assert [m.entry for m in here.lookup(query)] == [entry]

    there.withdraw([entry])
    assert here.lookup(query) == []
    assert query.value[16:] not in (home.path / "egide.sqlite").read_bytes()


def test_descriptors_survive_our_own_lists_and_stay_out_of_others(home: Home) -> None:
    bank = home.create("b")
    bank.add([raw([1] * 8), Fingerprint.from_hex("md5", "ab" * 16)])
    lists = {}
    for format_ in ListFormat:
        out = io.StringIO()
        write_list(bank.entries(), out, format_)
        lists[format_] = out.getvalue()

    (draft,) = read_list(io.StringIO(lists[ListFormat.JSONL]), "list")

    assert raw([1] * 8) in getattr(draft, "fingerprints", ())
    assert "sscd" not in lists[ListFormat.CSV]
    assert "sscd" not in lists[ListFormat.TX]


# ── scanning ───────────────────────────────────────────────────────────────────────────────────


def bank_of(fingerprint: Fingerprint, purpose: Purpose = Purpose.BLOCK) -> MemoryBank:
    bank = MemoryBank(str(purpose), purpose)
    bank.add([fingerprint])
    return bank


def test_what_the_model_finds_alike_goes_to_a_person(embedding: Embedding, brought: Path) -> None:
    pixels = smooth_noise()
    scanner = Scanner.with_banks(bank_of(one(embedding, pixels)))

    verdict = scanner.scan(Item.from_bytes(edited(pixels)))

    (finding,) = verdict.findings
    assert verdict.action is Action.REVIEW
    assert 0.5 <= finding.score <= 0.7
    assert finding.evidence["method"] == "sscd"
    assert finding.evidence["similarity"] > 0.95
    assert "distance" not in finding.evidence


def test_the_same_picture_goes_to_a_person_too(embedding: Embedding) -> None:
    data = encode(smooth_noise(), "PNG")
    bank = bank_of(only(embedding, data))

    (finding,) = KnownMedia([bank], embedding=embedding).detect(Item.from_bytes(data))

    assert isinstance(finding, Finding)
    assert finding.evidence["similarity"] == 1
    assert finding.score == pytest.approx(0.7)


def test_other_pictures_and_other_models_are_not_found(embedding: Embedding, path: Path) -> None:
    pixels = smooth_noise()
    bank = bank_of(one(embedding, pixels))
    detector = KnownMedia([bank], embedding=embedding)

    assert list(detector.detect(Item.from_bytes(encode(smooth_noise(seed=9), "PNG")))) == []
    newer = KnownMedia([bank], embedding=other_model(path))
    assert list(newer.detect(Item.from_bytes(encode(pixels, "PNG")))) == []


def test_without_the_variable_descriptors_are_not_looked_at(
    embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    data = encode(smooth_noise(), "PNG")
    scanner = Scanner.with_banks(bank_of(only(embedding, data)))

    assert scanner.scan(Item.from_bytes(data)).action is Action.ALLOW


def test_a_match_by_pdq_is_told_rather_than_one_by_the_model(embedding: Embedding) -> None:
    item = Item.from_bytes(encode(smooth_noise(), "PNG"))
    bank = MemoryBank()
    bank.add(fingerprints_of(item, local=False, embedding=embedding))
    copy = Item.from_bytes(encode(smooth_noise(), "JPEG", quality=80))

    (finding,) = KnownMedia([bank], embedding=embedding).detect(copy)

    assert isinstance(finding, Finding)
    assert finding.evidence["method"] == "pdq"


@pytest.mark.parametrize("by", ["sscd", "pdq"])
def test_an_allow_bank_silences_what_the_model_finds(embedding: Embedding, by: str) -> None:
    data = encode(smooth_noise(), "PNG")
    near = encode(np.clip(smooth_noise().astype(int) + 12, 0, 255).astype(np.uint8), "PNG")
    held = fingerprints_of(Item.from_bytes(data), local=False, embedding=embedding)
    (harmless,) = (f for f in held if f.type == by)
    banks = [bank_of(only(embedding, near)), bank_of(harmless, Purpose.ALLOW)]

    (finding,) = KnownMedia(banks, embedding=embedding).detect(Item.from_bytes(data))

    assert isinstance(finding, Finding)
    assert finding.evidence["silenced"]
    assert finding.score == 0


def test_a_harmless_picture_that_is_less_alike_silences_nothing(embedding: Embedding) -> None:
    data = encode(smooth_noise(), "PNG")
    near = encode(np.clip(smooth_noise().astype(int) + 12, 0, 255).astype(np.uint8), "PNG")
    banks = [
        bank_of(only(embedding, data)),
        bank_of(only(embedding, near), Purpose.ALLOW),
    ]

    (finding,) = KnownMedia(banks, embedding=embedding).detect(Item.from_bytes(data))

    assert isinstance(finding, Finding)
    assert "silenced" not in finding.evidence


# ── commands ───────────────────────────────────────────────────────────────────────────────────


def test_compare_tells_how_alike_two_pictures_are(brought: Path) -> None:
    first, second, third = (
        Item.from_bytes(data, ref)
        for data, ref in (
            (edited(smooth_noise()), "a.jpg"),
            (encode(smooth_noise(), "PNG"), "b.png"),
            (encode(smooth_noise(seed=9), "PNG"), "c.png"),
        )
    )

    alike, unlike = compare(first, second).to_json(), compare(first, third).to_json()

    assert alike["similarity"] > 0.95
    assert "sscd" in [match["method"] for match in alike["matches"]]
    assert -1 <= unlike["similarity"] < LEAST_SIMILARITY
    assert unlike["matches"] == []


def test_a_page_tells_how_unlike_two_pictures_are(brought: Path) -> None:
    first, second = (
        Item.from_bytes(encode(smooth_noise(seed=n), "PNG"), f"{n}.png") for n in (0, 9)
    )
    shown, page = io.StringIO(), io.StringIO()

    found = compare(first, second)
    print_comparison(found, shown)
    write_comparison(found, page)

    told = f"{found.similarity:.2f} alike, where 1 is the same and 0.75 the least"
    assert f"By your model: {told}" in shown.getvalue()
    assert told in page.getvalue()


def test_a_video_has_no_similarity(brought: Path) -> None:
    moving = Item.from_bytes(video(footage(1)), "a.mp4")
    still = Item.from_bytes(encode(smooth_noise(seed=9), "PNG"), "b.png")

    assert "similarity" not in compare(moving, still).to_json()


def test_a_finding_in_words() -> None:
    evidence: dict[str, Any] = {
        "bank": "b",
        "entry": "00000000-1",
        "method": "sscd",
        "edit": "none",
    }
    evidence |= {"purpose": "block", "similarity": 0.913}
    finding = Finding("known-media.v1", Label.NCII_KNOWN, 0.63, evidence)

    assert brief(finding) == "known in bank b, 0.91 alike by your model"
    assert explain(finding) == (
        "Perhaps a copy of a picture that bank b holds as non-consensual intimate imagery. "
        "The model that EGIDE_SSCD_MODEL names finds this picture and the known one alike: 0.91, "
        "where 1 is the same and 0.75 the least."
    )


def test_the_commands_from_end_to_end(
    tmp_path: Path, brought: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    banked, copy, page = (tmp_path / name for name in ("banked.png", "copy.jpg", "page.html"))
    banked.write_bytes(encode(smooth_noise(), "PNG"))
    copy.write_bytes(edited(smooth_noise()))
    home = ["--home", str(tmp_path / "home")]

    assert run("bank", "create", "b", *home) == 0
    assert run("bank", "add", "b", str(banked), "--no-local", *home) == 0
    capsys.readouterr()
    assert run("bank", "stats", "b", *home) == 0
    assert json.loads(capsys.readouterr().out)["fingerprints"]["sscd"] == 1
    assert run("compare", str(copy), str(banked), "--format", "table", "--out", str(page)) == 0
    shown = capsys.readouterr().out
    assert "EGIDE_SSCD_MODEL" in shown
    assert "By your model" in page.read_text(encoding="utf-8")


def test_onnxruntime_is_loaded_only_for_a_model(brought: Path, tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(encode(smooth_noise(), "PNG"))
    code = (
        "import sys; from egide.item import Item; from egide.scan import Scanner;"
        "from egide.testing import MemoryBank;"
        f"Scanner.with_banks(MemoryBank()).scan(Item.from_path({str(picture)!r}));"
        "print('onnxruntime' in sys.modules)"
    )
    loaded = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            text=True,
            env=os.environ | {VARIABLE: path},
        ).stdout
        for path in ("", str(brought))
    ]

    assert loaded == ["False\n", "True\n"]


def test_a_wrong_model_is_wrong_usage(
    tmp_path: Path, brought: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(encode(smooth_noise(), "PNG"))
    home = ["--home", str(tmp_path / "home")]
    assert run("bank", "create", "b", *home) == 0
    brought.write_bytes(b"broken")
    capsys.readouterr()

    for command in (
        ["bank", "add", "b", str(picture), *home],
        ["scan", str(picture), "--bank", "b", *home],
        ["compare", str(picture), str(picture)],
    ):
        assert run(*command) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert "no ONNX model that onnxruntime runs" in shown.err.splitlines()[-1]
        assert "Traceback" not in shown.err


def run(*args: str) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["egide", *args])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
    return 0
