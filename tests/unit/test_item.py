"""Items: kind, problem, bytes, views."""

from __future__ import annotations

import hashlib
import os
import pickle
import socket
import threading
from pathlib import Path

import pytest

from egide.errors import (
    CorruptItem,
    EmptyItem,
    ItemError,
    TooManyBytes,
    UnknownContent,
    UnreadableItem,
)
from egide.item import PICTURE_SUFFIXES, Item
from egide.sniff import Kind
from tests import models, pictures

PNG = pictures.encode(pictures.smooth_noise(64, 48), "PNG")
MANY = 1 << 20


@pytest.fixture
def png(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(PNG)
    return path


# ── what it is ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["a.txt", "a", "a.mp4", "a.JPG", "a.png.exe"])
def test_a_picture_is_a_picture_whatever_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(PNG)
    item = Item.from_path(tmp_path / name)
    assert (item.kind, item.problem, item.size) == (Kind.IMAGE, None, len(PNG))


@pytest.mark.parametrize("suffix", [*sorted(PICTURE_SUFFIXES), ".JPG", ".HeIc"])
def test_a_text_under_a_pictures_name_is_an_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_text("This is no picture.\n")
    assert isinstance(Item.from_path(path).problem, UnknownContent)


def test_a_text_under_another_name_is_none(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("words\n")
    item = Item.from_path(tmp_path / "notes")
    assert (item.kind, item.problem) == (Kind.TEXT, None)


def test_bytes_and_file_make_the_same_item(png: Path) -> None:
    one, other = Item.from_path(png), Item.from_bytes(PNG)
    assert (one.kind, one.size, one.sha256) == (other.kind, other.size, other.sha256)
    assert one.read(MANY) == other.read(MANY) == PNG


def test_the_reference_is_the_path_as_given(png: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(png.parent)
    for ref in ("picture.png", "./picture.png", ".//picture.png", str(png)):
        assert Item.from_path(ref).ref == ref
    assert Item.from_path("picture.png", "other").ref == "other"


def test_zero_bytes_are_an_error_that_has_a_digest(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for item in (Item.from_path(tmp_path / "empty"), Item.from_bytes(b"")):
        assert isinstance(item.problem, EmptyItem)
        assert item.sha256 == hashlib.sha256(b"").hexdigest()


# ── what cannot be opened ───────────────────────────────────────────────────────────────────────


def _unreadable(path: str | Path, follow: bool = True) -> str:
    item = Item.from_path(path, follow=follow)
    assert isinstance(item.problem, UnreadableItem)
    assert (item.kind, item.size, item.sha256) == (Kind.OTHER, 0, None)
    return str(item.problem)


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    assert "No such file" in _unreadable(tmp_path / "none")


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/dev/tty", "/"])
def test_devices_and_folders_are_not_opened(path: str) -> None:
    if Path(path).exists():
        assert "not a regular file" in _unreadable(path)


def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "not a regular file" in _unreadable(tmp_path / "pipe.jpg")


def test_a_socket_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s.jpg")
        assert "not a regular file" in _unreadable("s.jpg")


def test_a_pipe_that_takes_the_files_place_does_not_hang(
    png: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = png.stat()
    png.unlink()
    os.mkfifo(png)
    monkeypatch.setattr(Path, "stat", lambda *_args, **_options: before)
    assert "replaced" in _unreadable(png)


def test_a_pipe_that_takes_the_files_place_before_it_is_read_does_not_hang(png: Path) -> None:
    item = Item.from_path(png)
    png.unlink()
    os.mkfifo(png)
    with pytest.raises(UnreadableItem, match="not a regular file"):
        item.read(MANY)
    assert item.sha256 is None


@pytest.mark.parametrize("path", ["a\0b", "x" * 300, "x/" * 3000 + "x"])
def test_impossible_paths_are_items_that_cannot_be_opened(path: str) -> None:
    assert _unreadable(path)


def test_a_loop_of_links_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert _unreadable(tmp_path / "a")


def test_a_link_counts_as_no_file_when_it_is_not_followed(png: Path) -> None:
    link = png.with_name("link.png")
    link.symlink_to(png)
    assert Item.from_path(link).kind is Kind.IMAGE
    assert "not a regular file" in _unreadable(link, follow=False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_says_so(png: Path) -> None:
    png.chmod(0)
    assert "Permission denied" in _unreadable(png)


# ── its bytes ───────────────────────────────────────────────────────────────────────────────────


def test_over_the_limit_is_an_error_before_a_byte_is_read_but_the_digest_is_there(
    png: Path,
) -> None:
    item = Item.from_path(png)
    with pytest.raises(TooManyBytes, match="EGIDE_MAX_BYTES"):
        item.read(len(PNG) - 1)
    assert item.sha256 == hashlib.sha256(PNG).hexdigest()
    assert item.read(len(PNG)) == PNG


def test_a_file_that_vanishes_is_an_error_when_it_is_read(png: Path) -> None:
    item = Item.from_path(png)
    png.unlink()
    assert item.sha256 is None
    with pytest.raises(UnreadableItem, match="No such file"):
        item.read(MANY)


def test_a_file_that_grows_is_an_error_when_it_is_read(png: Path) -> None:
    item = Item.from_path(png)
    with png.open("ab") as file:
        file.write(b"more")
    with pytest.raises(UnreadableItem, match="grew"):
        item.read(MANY)


def test_a_file_that_shrinks_gives_what_is_left(png: Path) -> None:
    item = Item.from_path(png)
    os.truncate(png, 100)
    assert item.read(MANY) == PNG[:100]


def test_a_file_is_read_once(png: Path) -> None:
    item = Item.from_path(png)
    first = item.read(MANY)
    png.unlink()
    assert item.read(MANY) is first
    assert item.sha256 == hashlib.sha256(PNG).hexdigest()


def test_the_digest_is_of_the_bytes_that_were_read(png: Path) -> None:
    item = Item.from_path(png)
    item.read(MANY)
    png.write_bytes(b"changed")
    assert item.sha256 == hashlib.sha256(PNG).hexdigest()


# ── views ───────────────────────────────────────────────────────────────────────────────────────


def test_a_view_is_computed_once_and_shared() -> None:
    calls = []

    def view(item: Item) -> object:
        calls.append(item)
        return object()

    item = Item.from_bytes(PNG)
    assert item.view(view) is item.view(view)
    assert len(calls) == 1


def test_a_view_that_is_none_is_computed_once_too() -> None:
    calls: list[Item] = []
    item = Item.from_bytes(PNG)
    for _ in range(2):
        assert item.view(calls.append) is None
    assert len(calls) == 1


def test_an_error_of_a_view_is_kept_and_raised_again() -> None:
    calls = []

    def view(item: Item) -> None:
        calls.append(item)
        raise CorruptItem("broken")

    item = Item.from_bytes(PNG)
    raised: list[ItemError] = []
    for _ in range(3):
        with pytest.raises(CorruptItem, match="broken") as caught:
            item.view(view)
        raised.append(caught.value)
    assert len(calls) == 1
    assert raised[0] is raised[2]


def test_a_bug_in_a_view_is_not_taken_for_a_view() -> None:
    item = Item.from_bytes(PNG)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            item.view(lambda _: 1 / 0)


# ── as a value ──────────────────────────────────────────────────────────────────────────────────


def test_an_item_pickles_without_its_views(png: Path) -> None:
    item = Item.from_path(png)
    item.view(lambda _: threading.Lock())  # what a view holds need not pickle
    copy = pickle.loads(pickle.dumps(item))
    assert copy == item
    assert copy.read(MANY) == PNG


@pytest.mark.parametrize("data", [PNG, b"", b"words"])
def test_items_of_bytes_pickle(data: bytes) -> None:
    item = Item.from_bytes(data, "ref", {"room": "avatars"})
    copy = pickle.loads(pickle.dumps(item))
    assert (copy, copy.sha256, str(copy.problem)) == (item, item.sha256, str(item.problem))
    assert copy.attributes == {"room": "avatars"}


def test_items_are_equal_by_value_and_can_be_in_a_set() -> None:
    assert len({Item.from_bytes(PNG), Item.from_bytes(PNG), Item.from_bytes(PNG, "b")}) == 2


def test_an_item_cannot_be_changed_and_does_not_print_its_bytes() -> None:
    item = Item.from_bytes(b"words that stay here")
    with pytest.raises(AttributeError):
        item.ref = "other"  # type: ignore[misc]
    assert "words" not in repr(item)


def test_a_large_model_is_not_read_for_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(models.safetensors(models.kohya_lora()))
    whole = Item.from_path(path).sha256
    monkeypatch.setattr("egide.item.HELD_BYTES", path.stat().st_size - 1)

    assert whole == hashlib.sha256(path.read_bytes()).hexdigest()
    assert Item.from_path(path).sha256 is None
