"""Content Credentials: what is trusted, what is not, and that nobody is asked."""

from __future__ import annotations

import io
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from egide.errors import MissingCodec, TooManyBytes, UsageError
from egide.item import Item
from egide.media.picture import Limits
from egide.provenance.credentials import credentials_of
from egide.provenance.credentials_probe import may_hold_manifest
from egide.provenance.statements import Credentials, CredentialState, Trust
from tests.conftest import forked
from tests.credentials import IPTC, authority, created, signed
from tests.growth import within
from tests.pictures import encode, mutations, smooth_noise
from tests.videos import footage, video

PICTURES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "WEBP": "image/webp",
    "AVIF": "image/avif",
    "HEIF": "image/heic",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
}
JPEG = "image/jpeg"


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    """A trust list that holds the authority of `signed`."""
    path = tmp_path / "ours.pem"
    path.write_text(authority().root)
    return path


def plain(format_: str = "JPEG", seed: int = 0) -> bytes:
    return encode(smooth_noise(64, 48, seed), format_)


def read(data: bytes, trust_list: Path | None = None) -> Credentials:
    return credentials_of(Item.from_bytes(data, "a"), trust_list)


@contextmanager
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An address on this machine, and what anybody who asked there said."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(1)
                    heard.append(connection.recv(1000) or b"connected")

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/m", heard
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.parametrize("format_", PICTURES)
def test_signed_pictures_of_every_format_are_trusted_by_who_trusts_the_signer(
    format_: str, ours: Path
) -> None:
    data = signed(plain(format_), PICTURES[format_], created())
    found = read(data, ours)
    assert (found.state, found.reason) == (CredentialState.TRUSTED, None)
    assert found.signer == "Meadow, Press of Meadow"
    assert [(each.source_type, each.trust) for each in found.declarations] == [
        ("trainedAlgorithmicMedia", Trust.SIGNED_TRUSTED)
    ]
    unknown = read(data)
    assert unknown.state is CredentialState.VALID
    assert unknown.reason == "its signer is not on the trust list (signingCredential.untrusted)"
    assert unknown.declarations[0].trust is Trust.SIGNED


@pytest.mark.parametrize("container", ["mp4", "mov", "avi"])
def test_signed_videos_are_read_from_the_file(container: str, ours: Path, tmp_path: Path) -> None:
    mime = {"mp4": "video/mp4", "mov": "video/quicktime", "avi": "video/avi"}[container]
    path = tmp_path / "clip"
    path.write_bytes(signed(video(footage(6), container), mime, created("digitalCapture")))
    found = credentials_of(Item.from_path(path), ours)
    assert found.state is CredentialState.TRUSTED
    assert found.declarations[0].source_type == "digitalCapture"


@pytest.mark.parametrize("format_", [*PICTURES, "BMP"])
def test_pictures_without_a_manifest_have_no_credentials(format_: str) -> None:
    assert read(plain(format_)) == Credentials(CredentialState.NONE)


def test_the_library_is_not_loaded_for_a_picture_without_a_manifest(tmp_path: Path) -> None:
    for format_ in ("JPEG", "PNG", "WEBP", "AVIF", "GIF"):
        (tmp_path / format_).write_bytes(plain(format_))
    code = (
        "import sys, pathlib\n"
        "from egide.item import Item\n"
        "from egide.provenance.credentials import credentials_of\n"
        "for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "    assert credentials_of(Item.from_path(path)).state == 'none'\n"
        "assert 'c2pa' not in sys.modules and 'PIL' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


def test_changed_pixels_are_invalid_and_their_declarations_mere_text(ours: Path) -> None:
    data = bytearray(signed(plain(), JPEG, created()))
    data[-20] ^= 1
    found = read(bytes(data), ours)
    assert found.state is CredentialState.INVALID
    assert found.reason == "the file was changed after it was signed (assertion.dataHash.mismatch)"
    assert {each.trust for each in found.declarations} == {Trust.TEXT}


def test_a_changed_statement_is_invalid(ours: Path) -> None:
    data = signed(plain(), JPEG, created("digitalCapture"))
    at = data.index(b"digitalCapture")
    found = read(data[:at] + b"digitalCapturf" + data[at + 14 :], ours)
    assert found.state is CredentialState.INVALID
    assert "assertion.hashedURI.mismatch" in str(found.reason)


def test_a_manifest_of_another_picture_is_invalid(ours: Path) -> None:
    one, other = signed(plain(), JPEG, created()), plain(seed=1)
    head, scan = one.index(b"\xff\xdb"), other.index(b"\xff\xdb")
    found = read(one[:head] + other[scan:], ours)
    assert found.state is CredentialState.INVALID


def test_ingredients_are_walked(ours: Path) -> None:
    painted = signed(plain(), JPEG, created(softwareAgent={"name": "Brush", "version": "3"}))
    edited = signed(plain(seed=1), JPEG, parent=painted)
    found = read(edited, ours)
    assert (found.state, found.manifests) == (CredentialState.TRUSTED, 2)
    declared = {(each.where, each.source_type, each.tool) for each in found.declarations}
    assert ("c2pa:ingredient:c2pa.created", "trainedAlgorithmicMedia", "Brush 3") in declared
    assert {"Brush 3", "Paintbox 1.2"} <= set(found.tools)


def test_what_an_ingredient_declares_is_worth_no_more_than_who_passes_it_on(tmp_path: Path) -> None:
    stranger, known = authority("Stranger"), authority()
    ours = tmp_path / "ours.pem"
    ours.write_text(known.root)
    by_known = signed(plain(), JPEG, created(), by=known)
    passed_on = read(signed(plain(seed=1), JPEG, by=stranger, parent=by_known), ours)
    assert passed_on.state is CredentialState.VALID
    assert [each.trust for each in passed_on.declarations] == [Trust.SIGNED]

    by_stranger = signed(plain(), JPEG, created(), by=stranger)
    edited = created("composite", action="c2pa.edited")
    taken_in = read(signed(plain(seed=1), JPEG, edited, parent=by_stranger), ours)
    trusts = {each.source_type: each.trust for each in taken_in.declarations}
    assert trusts["trainedAlgorithmicMedia"] is Trust.SIGNED
    assert trusts["composite"] is Trust.SIGNED_TRUSTED
    assert str(taken_in.reason).endswith("it is an ingredient's")


@pytest.mark.parametrize(
    ("said", "agent"),
    [("Brush 3", "Brush 3"), ({"name": "Brush"}, "Brush"), ({"name": ""}, None), (" \n", None)],
)
def test_a_software_agent_is_text_or_an_object(said: object, agent: str | None, ours: Path) -> None:
    found = read(signed(plain(), JPEG, created(softwareAgent=said)), ours)
    assert found.declarations[0].tool == agent


def test_a_source_type_with_space_before_it_is_read(ours: Path) -> None:
    spaced = created()
    spaced["data"]["actions"][0]["digitalSourceType"] = f" {IPTC}trainedAlgorithmicMedia"
    found = read(signed(plain(), JPEG, spaced), ours)
    assert [each.source_type for each in found.declarations] == ["trainedAlgorithmicMedia"]


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_a_manifest_kept_elsewhere_is_reported_and_not_fetched(format_: str) -> None:
    with listener() as (address, heard):
        data = signed(plain(format_), PICTURES[format_], created(), remote=address, embed=False)
        found = read(data)
    assert found.state is CredentialState.REMOTE
    assert found.reason == "the manifest is kept at 127.0.0.1; it was not fetched"
    assert heard == []


def test_nobody_is_asked_whether_a_certificate_still_holds(tmp_path: Path) -> None:
    with listener() as (address, heard):
        asking = authority("Asking", status_at=address)
        ours = tmp_path / "ours.pem"
        ours.write_text(asking.root)
        found = read(signed(plain(), JPEG, created(), by=asking, remote=address), ours)
    assert found.state is CredentialState.TRUSTED
    assert heard == []


def test_the_listener_hears_who_asks() -> None:
    with listener() as (address, heard):
        host, port = address.removeprefix("http://").removesuffix("/m").split(":")
        with socket.create_connection((host, int(port))) as asking:
            asking.sendall(b"hello")
            asking.recv(1)
    assert heard == [b"hello"]


def test_the_variable_replaces_the_trust_list(monkeypatch: pytest.MonkeyPatch, ours: Path) -> None:
    monkeypatch.setenv("EGIDE_C2PA_TRUST", str(ours))
    assert read(signed(plain(), JPEG, created())).state is CredentialState.TRUSTED


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_a_trust_list_that_is_none_is_wrong_usage(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "list.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"list\.pem"):
        read(signed(plain(), JPEG, created()), path)


def test_a_trust_list_of_broken_certificates_trusts_nobody_or_is_wrong_usage(
    tmp_path: Path,
) -> None:
    path = tmp_path / "list.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    try:
        found = read(signed(plain(), JPEG, created()), path)
    except UsageError:
        return
    assert found.state is CredentialState.VALID


def test_a_child_process_reads_what_its_parent_does(ours: Path) -> None:
    data = signed(plain(), JPEG, created())
    assert read(data, ours).state is CredentialState.TRUSTED
    assert forked(lambda: read(data, ours).state.value) == "trusted"


def test_a_file_over_the_limit_is_not_hashed() -> None:
    data = signed(plain(), JPEG, created())
    item = Item.from_bytes(data, "a")
    with pytest.raises(TooManyBytes, match="EGIDE_MAX_BYTES"):
        credentials_of(item, limits=Limits(bytes=len(data) - 1))


def test_without_the_library_a_manifest_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    data = signed(plain(), JPEG, created())
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(MissingCodec, match="c2pa-python"):
        read(data)
    assert read(plain()).state is CredentialState.NONE


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 2**31, 2**32 - 1])
def test_a_box_that_lies_about_its_length_forges_nothing(length: int, ours: Path) -> None:
    data = signed(plain("PNG"), "image/png", created())
    honest = read(data, ours)
    assert honest.state is CredentialState.TRUSTED
    boxes = [at.start() - 4 for at in re.finditer(b"jum[bd]|cbor|json", data)]
    outcomes = []
    for at in boxes:
        found = read(data[:at] + length.to_bytes(4, "big") + data[at + 4 :], ours)
        assert found == honest or (found.state is CredentialState.INVALID and found.reason)
        outcomes.append(found.state)
    assert outcomes.count(CredentialState.INVALID) > len(boxes) / 2


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_damaged_credentials_never_are_trusted_to_declare_something_else(
    format_: str, ours: Path
) -> None:
    data = signed(plain(format_), PICTURES[format_], created())
    for broken in mutations(data, 60):
        found = read(broken, ours)
        if found.state is CredentialState.TRUSTED:
            assert [each.source_type for each in found.declarations] == ["trainedAlgorithmicMedia"]


@pytest.mark.parametrize("format_", PICTURES)
def test_what_is_cut_off_anywhere_has_an_outcome(format_: str, ours: Path) -> None:
    data = signed(plain(format_), PICTURES[format_], created())
    for end in range(16, len(data), 131):
        assert read(data[:end], ours).state is not CredentialState.TRUSTED


def test_the_probe_ends_on_a_box_that_contains_itself() -> None:
    endless = b"\0\0\0\x08ftyp" * 4
    for size in (0, 1, 7, 8):
        data = endless + size.to_bytes(4, "big") + b"free" + bytes(64)
        assert not may_hold_manifest(io.BytesIO(data))


def test_the_probe_ends_in_a_file_of_fill_bytes() -> None:
    data = b"\xff\xd8" + b"\xff" * 20_000_000
    found = within(2, lambda: credentials_of(Item.from_bytes(data, "x")))
    assert found.state is CredentialState.NONE
