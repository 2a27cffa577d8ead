"""Where items come from: order, references, lists on standard input, odd things in folders."""

from __future__ import annotations

import io
import os
import subprocess
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from egide.errors import UnreadableItem
from egide.item import Item
from egide.source import SORTED_ENTRIES, count_files, expand


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _touch(*paths: str) -> None:
    for path in paths:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(path)


def _refs(*paths: str, stdin: bytes = b"") -> list[str]:
    return [item.ref for item in expand(paths, io.BytesIO(stdin))]


# ── references and order ────────────────────────────────────────────────────────────────────────


def test_a_folder_gives_its_files_by_name_and_then_its_folders() -> None:
    _touch("d/b", "d/a", "d/c/z", "d/c/a", "d/Z", "d/a.d/x")
    assert _refs("d") == ["d/Z", "d/a", "d/b", "d/a.d/x", "d/c/a", "d/c/z"]


@pytest.mark.parametrize(
    ("given", "ref"),
    [
        ("d", "d/f"),
        ("d/", "d/f"),
        ("./d", "./d/f"),
        (".//d//", ".//d//f"),
        ("d/../d", "d/../d/f"),
        (".", "./d/f"),
        ("./d/f", "./d/f"),
        ("d//f", "d//f"),
    ],
)
def test_references_are_the_paths_as_given(given: str, ref: str) -> None:
    _touch("d/f")
    assert _refs(given) == [ref]


def test_arguments_keep_their_order_and_may_repeat() -> None:
    _touch("b", "a", "d/x")
    assert _refs("b", "d", "a", "b") == ["b", "d/x", "a", "b"]


def test_an_empty_folder_gives_nothing() -> None:
    Path("d/e/f").mkdir(parents=True)
    assert _refs("d") == []


def test_a_path_that_is_not_there_is_an_item_with_a_problem() -> None:
    (item,) = expand(["none"])
    assert isinstance(item.problem, UnreadableItem)


# ── lists on standard input ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("stdin", "refs"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\nb", ["a", "b"]),
        (b"a\r\nb\r\n", ["a", "b"]),
        (b"a\n\n\nb\n", ["a", "b"]),
        (b"a\0b\0", ["a", "b"]),
        (b"a\0b", ["a", "b"]),
        (b"a\0\0b\0\n", ["a", "b"]),
        (b" a \n-rf\n-\n", [" a ", "-rf", "-"]),
        (b"line\nbreak\0b\0", ["line\nbreak", "b"]),
        (b"a\0line\nbreak\0", ["a", "line\nbreak"]),
        (b"\xff\xfe.jpg\n", ["\udcff\udcfe.jpg"]),
        ("ü\n".encode(), ["ü"]),
    ],
)
def test_a_list_of_paths_is_one_a_line_or_ended_by_zero_bytes(
    stdin: bytes, refs: list[str]
) -> None:
    assert _refs("-", stdin=stdin) == refs


def test_a_list_stands_where_the_dash_stands_and_may_name_folders() -> None:
    _touch("a", "d/x", "d/y", "z")
    assert _refs("a", "-", "z", stdin=b"d\n") == ["a", "d/x", "d/y", "z"]


@pytest.mark.parametrize("end", [b"\n", b"\0"])
def test_a_long_list_comes_whole_across_blocks(end: bytes) -> None:
    names = [f"{n:06}-{'x' * (n % 190)}" for n in range(5000)]
    assert _refs("-", stdin=end.join(os.fsencode(n) for n in names) + end) == names


@pytest.mark.parametrize("stdin", [b"x" * 70_000, b"a\n" + b"x" * 300_000 + b"\nb\n", b"\0" * 99])
def test_a_line_that_no_path_can_be_does_not_stop_the_list(stdin: bytes) -> None:
    items = list(expand(["-"], io.BytesIO(stdin)))
    assert all(isinstance(item.problem, UnreadableItem) for item in items)
    if b"\n" in stdin:
        assert (items[0].ref, items[-1].ref) == ("a", "b")


def test_each_path_of_a_list_is_given_as_soon_as_it_is_whole() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stdin, os.fdopen(writing, "wb", buffering=0) as out:
        items = expand(["-"], stdin)
        got: list[Item] = []
        out.write(b"first\nsec")
        thread = threading.Thread(target=lambda: got.append(next(items)))
        thread.start()
        thread.join(5)
        assert [item.ref for item in got] == ["first"]
        out.write(b"ond\n")
        out.close()
        assert [item.ref for item in items] == ["second"]


# ── odd names ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    [b"line\nbreak", b" ", b"-rf", b"--help", b"\xff\xfe", b"\x1b[31m", "日本".encode(), b"a'b\"c"],
)
def test_odd_names_come_through_unchanged(name: bytes) -> None:
    Path("d").mkdir()
    Path(os.fsdecode(b"d/" + name)).write_text("words")
    (item,) = expand(["d"])
    assert os.fsencode(item.ref) == b"d/" + name
    assert item.problem is None


# ── links ───────────────────────────────────────────────────────────────────────────────────────


def test_links_are_followed_when_named() -> None:
    _touch("d/f")
    Path("to-file").symlink_to("d/f")
    Path("to-folder").symlink_to("d")
    assert _refs("to-file", "to-folder") == ["to-file", "to-folder/f"]
    assert all(item.problem is None for item in expand(["to-file", "to-folder"]))


def test_links_are_not_followed_when_met() -> None:
    _touch("outside/f", "d/f")
    Path("d/to-file").symlink_to("f")
    Path("d/to-folder").symlink_to("../outside")
    Path("d/up").symlink_to("..")
    Path("d/loop").symlink_to("loop")
    items = list(expand(["d"]))
    assert [item.ref for item in items] == ["d/f", "d/loop", "d/to-file", "d/to-folder", "d/up"]
    assert [item.problem is None for item in items] == [True] + [False] * 4


# ── what cannot be read ─────────────────────────────────────────────────────────────────────────


def test_a_folder_that_cannot_be_listed_is_an_item_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _touch("d/a/x", "d/b/y", "d/c/z")
    listed = os.scandir

    def scandir(path: str) -> Any:
        if path == "d/b":
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    items = list(expand(["d"]))
    assert [item.ref for item in items] == ["d/a/x", "d/b", "d/c/z"]
    assert "Permission denied" in str(items[1].problem)


@pytest.mark.parametrize("path", ["x" * 5000, "d/" * 3000, "a\0b", ""])
def test_a_path_that_cannot_be_is_an_item_with_a_problem(path: str) -> None:
    (item,) = expand([path])
    assert isinstance(item.problem, UnreadableItem)


def test_pipes_and_devices_in_a_folder_are_items_that_cannot_be_opened() -> None:
    Path("d").mkdir()
    os.mkfifo("d/pipe")
    _touch("d/z")
    items = list(expand(["d", "/dev/zero"]))
    assert [item.problem is None for item in items] == [False, True, False]


def test_folders_three_thousand_deep_do_not_stop_the_walk() -> None:
    _touch("d/a-file")
    here = os.open("d", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("x", dir_fd=here)
        here, above = os.open("x", os.O_RDONLY, dir_fd=here), here
        os.close(above)
    os.close(here)
    _touch("d/y/z")
    items = list(expand(["d"]))
    subprocess.run(["rm", "-rf", "d/x"], check=True)  # pytest's own clearing up would recurse
    assert [item.ref for item in items if item.problem is None] == ["d/a-file", "d/y/z"]
    # Past the longest path that the system takes, the folder is named as unreadable.
    (deep,) = (item for item in items if item.problem is not None)
    assert "too long" in str(deep.problem)
    assert deep.ref.count("/x") > 1000


# ── many files ──────────────────────────────────────────────────────────────────────────────────


def test_a_folder_of_very_many_files_streams_in_bounded_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("egide.source.SORTED_ENTRIES", 1000)
    Path("d").mkdir()
    for number in range(20_000):
        os.close(os.open(f"d/{number}", os.O_CREAT))
    tracemalloc.start()
    try:
        seen = count_files(["d"])  # walks as expand() does, and is not slowed down by reading
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen == 20_000
    assert peak < 1_000_000  # all 20,000 entries together are over 4 MB


def test_the_first_of_seventy_thousand_files_comes_before_the_folder_was_read_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = []

    class Entry:
        def __init__(self, number: int) -> None:
            self.name = str(number)

        def is_dir(self, *, follow_symlinks: bool) -> bool:
            return False

    class Entries(list[Any]):
        def __enter__(self) -> Any:
            return (read.append(n) or Entry(n) for n in range(70_000))  # type: ignore[func-returns-value]

        def __exit__(self, *_: object) -> None:
            pass

    Path("d").mkdir()
    monkeypatch.setattr(os, "scandir", lambda _: Entries())
    items = expand(["d"])
    assert next(items).ref == "d/0"
    assert len(read) == SORTED_ENTRIES + 1


# ── counting ────────────────────────────────────────────────────────────────────────────────────


def test_the_count_is_that_of_the_items() -> None:
    _touch("d/a", "d/b/c", "e")
    Path("d/empty").mkdir()
    os.mkfifo("d/pipe")
    for paths in (["d"], ["e"], ["d", "e", "none"], ["x" * 5000], ["d/empty"]):
        assert count_files(paths) == len(_refs(*paths))


def test_a_list_is_not_counted() -> None:
    assert count_files(["-"]) is None
