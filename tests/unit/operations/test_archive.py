"""Archives: what is written is read back, and nothing else is believed."""

from __future__ import annotations

import io
import json
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egide.errors import ArchiveError, UsageError
from egide.operations import archive, sealed
from egide.operations.archive import Manifest, Member, open_archive, write_archive
from egide.operations.sealed import PIECE, OpeningReader, SealingWriter

PASSPHRASE = b"correct horse battery"
SECRET = b"personal " * 30_000


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase that costs little."""
    monkeypatch.setattr(sealed, "TIME", 1)
    monkeypatch.setattr(sealed, "MEMORY", 64)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Three files, one of them empty."""
    contents = {"database/egide.sqlite": SECRET, "home/a/b.key": b"", "home/secret.key": b"0" * 512}
    found = {}
    for number, (name, content) in enumerate(contents.items()):
        found[name] = tmp_path / f"file-{number}"
        found[name].write_bytes(content)
    return found


def manifest_of(files: dict[str, Path]) -> Manifest:
    members = tuple(Member.of(name, path) for name, path in files.items())
    return Manifest("2026-01-01T00:00:00Z", "1", {"kind": "sqlite", "schema": 6}, members)


def written(files: dict[str, Path], target: Path, passphrase: bytes | None = None) -> Path:
    write_archive(target, manifest_of(files), lambda member: files[member.name], passphrase)
    return target


def contents(path: Path, passphrase: bytes | None = None) -> dict[str, bytes]:
    with open_archive(path, passphrase) as opened:
        return {member.name: b"".join(chunks) for member, chunks in opened.members()}


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
def test_what_is_written_is_read_back(
    files: dict[str, Path], tmp_path: Path, passphrase: bytes | None
) -> None:
    path = written(files, tmp_path / "out.egide", passphrase)

    found = contents(path, passphrase)

    assert found == {name: file.read_bytes() for name, file in files.items()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (b"personal" in path.read_bytes()) is (passphrase is None)
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_without_a_passphrase_any_tar_can_read_it(files: dict[str, Path], tmp_path: Path) -> None:
    path = written(files, tmp_path / "out.egide")

    done = subprocess.run(["tar", "tf", path], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["manifest.json", *files]
    with tarfile.open(path) as tar:
        read = tar.extractfile("database/egide.sqlite")
        assert read is not None
        assert read.read() == SECRET


def test_it_never_takes_the_place_of_another_file(files: dict[str, Path], tmp_path: Path) -> None:
    target = tmp_path / "out.egide"
    target.write_bytes(b"mine")

    with pytest.raises(UsageError, match="is there already"):
        written(files, target)

    assert target.read_bytes() == b"mine"


def test_a_file_that_changes_meanwhile_is_noticed(files: dict[str, Path], tmp_path: Path) -> None:
    manifest = manifest_of(files)
    files["database/egide.sqlite"].write_bytes(SECRET[:-1] + b"!")

    with pytest.raises(ArchiveError, match="changed while"):
        write_archive(tmp_path / "out", manifest, lambda member: files[member.name], None)

    assert not (tmp_path / "out").exists()


def test_a_passphrase_must_be_the_right_one(files: dict[str, Path], tmp_path: Path) -> None:
    path = written(files, tmp_path / "out.egide", PASSPHRASE)

    with pytest.raises(UsageError, match="give --passphrase-file"):
        contents(path)
    with pytest.raises(ArchiveError, match="passphrase is wrong"):
        contents(path, PASSPHRASE + b"!")


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_changed_byte_and_no_cut_goes_unnoticed(
    files: dict[str, Path], tmp_path: Path, passphrase: bytes | None, data: st.DataObject
) -> None:
    path = tmp_path / "out.egide"
    if not path.exists():
        written(files, path, passphrase)
    raw = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del raw[data.draw(st.integers(0, len(raw) - 1)) :]
    else:
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(raw)

    with pytest.raises((ArchiveError, UsageError)):
        contents(damaged, passphrase)


def test_pieces_cannot_be_exchanged_or_left_out() -> None:
    out = io.BytesIO()
    writer = SealingWriter(out, PASSPHRASE)
    writer.write(bytes(5 * PIECE))
    writer.finish()
    raw = out.getvalue()
    start = len(raw) - 5 * (PIECE + 16)
    pieces = [raw[start + n * (PIECE + 16) :][: PIECE + 16] for n in range(5)]

    for order in ([1, 0, 2, 3, 4], [0, 1, 2, 4], [0, 1, 2, 3], [0, 0, 1, 2, 3, 4]):
        changed = raw[len(sealed.MAGIC) : start] + b"".join(pieces[n] for n in order)
        with pytest.raises(ArchiveError):
            OpeningReader(io.BytesIO(changed), PASSPHRASE).read()
    whole = OpeningReader(io.BytesIO(raw[len(sealed.MAGIC) :]), PASSPHRASE)
    assert whole.read(PIECE + 3) == bytes(PIECE + 3)
    assert whole.read() == bytes(4 * PIECE - 3)


@pytest.mark.parametrize("length", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE])
def test_any_length_is_sealed(length: int) -> None:
    out = io.BytesIO()
    writer = SealingWriter(out, PASSPHRASE)
    writer.write(bytes(length))
    writer.finish()

    reader = OpeningReader(io.BytesIO(out.getvalue()[len(sealed.MAGIC) :]), PASSPHRASE)

    assert reader.read() == bytes(length)


@pytest.mark.parametrize(
    ("time", "memory", "lanes"), [(17, 64, 4), (1, 2 << 20, 4), (1, 64, 17), (0, 64, 4), (1, 8, 4)]
)
def test_no_archive_may_ask_for_too_much_work(time: int, memory: int, lanes: int) -> None:
    header = sealed._HEADER.pack(time, memory, lanes, bytes(16), bytes(7))

    with pytest.raises(ArchiveError, match="too much work"):
        OpeningReader(io.BytesIO(header), PASSPHRASE)


def hostile(change: Callable[[dict[str, Any]], None], path: Path) -> Path:
    """An archive with a correct tar around a manifest that was changed."""
    document = json.loads(
        Manifest(
            "2026", "1", {"kind": "sqlite", "schema": 6}, (Member("home/a", 1, "0" * 64),)
        ).encoded()
    )
    del document["sha256"]
    change(document)
    encoded = archive._encoded(document)
    path.write_bytes(
        archive._header(archive.MANIFEST, len(encoded))
        + encoded
        + archive._padding(len(encoded))
        + archive._header("home/a", 1)
        + b"x".ljust(512, b"\0")
        + bytes(1024)
    )
    return path


def member(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["members"][0].update(changes)


@pytest.mark.parametrize(
    "change",
    [
        member(name="../a"),
        member(name="home/../a"),
        member(name="/etc/passwd"),
        member(name="home//a"),
        member(name="home/.ssh"),
        member(name="home/a\n"),
        member(name="home/a/"),
        member(name="elsewhere/a"),
        member(name="home/" + "a/" * 9 + "a"),
        member(name="home/" + "a" * 200),
        member(name=["home/a"]),
        member(name="home/\uff0e\uff0e"),
        member(size=-1),
        member(size=1 << 60),
        member(size=True),
        member(size="1"),
        member(size=1.0),
        member(sha256="0"),
        member(sha256=None),
        lambda document: document.update(schema="egide.backup/2"),
        lambda document: document.update(members=[]),
        lambda document: document.update(members=document["members"] * 2),
        lambda document: document.update(members=document["members"] * 20_000),
        lambda document: document.update(members={"home/a": 1}),
        lambda document: document["members"].append(document["members"][0] | {"name": "home/a/b"}),
        lambda document: document.update(database=None),
        lambda document: document.update(database={"kind": "sqlite", "schema": "6"}),
        lambda document: document.update(made=[]),
        lambda document: document.pop("members"),
    ],
)
def test_a_manifest_that_we_would_not_write_is_refused(
    change: Callable[[dict[str, Any]], None], tmp_path: Path
) -> None:
    path = hostile(change, tmp_path / "hostile")

    with pytest.raises(ArchiveError) as raised:
        contents(path)
    assert "\n" not in str(raised.value)


def test_an_unchanged_manifest_is_read(tmp_path: Path) -> None:
    path = hostile(lambda _: None, tmp_path / "plain")

    with pytest.raises(ArchiveError, match="home/a is not as it was backed up"):
        contents(path)


def tar_of(*infos: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info in infos:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    return out.getvalue()


def info(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size, made.linkname, made.mode = kind, size, "/etc/passwd", 0o600
    return made


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x" * 100,
        bytes(4096),
        b"\x1f\x8b" + bytes(600),
        tar_of(info("other.json")),
        tar_of(info("manifest.json", tarfile.SYMTYPE)),
        tar_of(info("manifest.json", tarfile.LNKTYPE)),
        tar_of(info("manifest.json", size=archive.MOST_MANIFEST + 512)),
        tar_of(info("manifest.json", size=0)),
    ],
)
def test_what_is_no_backup_is_refused(raw: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(raw)

    with pytest.raises(ArchiveError):
        contents(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, b"x"])
def test_a_member_that_is_no_plain_file_is_refused(
    files: dict[str, Path], tmp_path: Path, kind: bytes
) -> None:
    path = written(files, tmp_path / "out")
    raw = path.read_bytes()
    there = archive._header("home/a/b.key", 0)
    link = info("home/a/b.key", kind)
    (tmp_path / "changed").write_bytes(raw.replace(there, link.tobuf(tarfile.GNU_FORMAT)))

    with pytest.raises(ArchiveError, match=r"home/a/b\.key is not where"):
        contents(tmp_path / "changed")


def test_more_than_the_manifest_says_is_refused(files: dict[str, Path], tmp_path: Path) -> None:
    path = written(files, tmp_path / "out")
    (tmp_path / "more").write_bytes(path.read_bytes() + b"x")

    with pytest.raises(ArchiveError, match="more in it"):
        contents(tmp_path / "more")


def test_names_that_no_archive_can_hold_are_said(tmp_path: Path) -> None:
    path = tmp_path / "my notes.txt"
    path.write_bytes(b"")

    with pytest.raises(UsageError, match="move it out"):
        Member.of("home/my notes.txt", path)


def test_a_place_that_cannot_be_written_is_said(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        written(files, tmp_path / "none" / "out")
    with pytest.raises(UsageError, match="cannot read"):
        contents(tmp_path / "none")
