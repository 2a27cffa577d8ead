"""`egide demo`, the examples, and what a newcomer types first."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from tests.acceptance.conftest import Egide

EXAMPLES = Path(__file__).parents[2] / "examples"
UPLOADS = sorted(path.name for path in (EXAMPLES / "uploads").iterdir())

EXPECTED = {
    "IMG_0001.jpg": ("block", "sha256", "none"),
    "thumbnail.jpg": ("block", "pdq", "none"),
    "avatar.webp": ("block", "pdq", "mirror"),
    "turned.jpg": ("block", "pdq", "rotate90"),
    "framed.jpg": ("block", "pdq", "border"),
    "wall.png": ("block", "pdq", "none"),
    "slideshow.gif": ("block", "pdq", "none"),
    "clip.mp4": ("block", "pdq", "border"),
    "cropped.jpg": ("block", "local", "none"),
    "screenshot.jpg": ("block", "local", "none"),
    "pasted.jpg": ("block", "local", "mirror"),
    "collage.jpg": ("block", "local", "none"),
    "cut-off.jpg": ("block", "local", "none"),
    "empty.jpg": ("review", "empty", None),
    "no-picture.jpg": ("review", "unknown-content", None),
    "picture-and-archive.jpg": ("review", "polyglot", None),
    "chelsea.jpg": ("allow", None, None),
    "grass.jpg": ("allow", None, None),
    "gravel.jpg": ("allow", None, None),
    "hubble_deep_field.jpg": ("allow", None, None),
}


def test_the_demo_ends_with_the_table_and_the_path_of_the_report(egide: Egide) -> None:
    done = egide("demo")
    assert done.code == 0
    *_, summary, report = done.out.splitlines()
    assert re.match(r"20 items in .*: 13 block, 3 review, 4 allow; 4 errors", summary)
    path = Path(report.removeprefix("Report: "))
    assert path == Path("egide-demo.html").resolve()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "banked 5 pictures" in done.err


def test_the_demo_leaves_the_banks_of_the_user_alone(egide: Egide, tmp_path: Path) -> None:
    assert egide("demo", EGIDE_HOME=str(tmp_path / "mine")).code == 0
    assert not (tmp_path / "mine").exists()


def test_the_demos_report_goes_where_it_is_told(egide: Egide) -> None:
    done = egide("demo", "--out", "r.html")
    assert done.out.splitlines()[-1] == f"Report: {Path('r.html').resolve()}"
    assert not Path("egide-demo.html").exists()


def test_the_demo_says_at_once_when_it_cannot_write_where_it_was_told(egide: Egide) -> None:
    done = egide("demo", "--out", "none/r.html")
    assert (done.code, done.out) == (2, "")
    assert "cannot write none/r.html: No such file or directory; give another --out" in done.err


def test_in_a_folder_that_is_read_only_the_report_goes_elsewhere_and_the_demo_says_so(
    egide: Egide, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def refusing(path: object, *args: object, **options: object) -> int:
        if Path(str(path)).parent == Path.cwd() and "egide-demo.html" in str(path):
            raise OSError(30, "Read-only file system", path)
        return opened(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refusing)
    done = egide("demo")
    assert done.code == 0
    assert "cannot write egide-demo.html: Read-only file system" in done.err
    report = Path(done.out.splitlines()[-1].removeprefix("Report: "))
    assert report.parent != Path.cwd()
    assert report.stat().st_size > 1000
    report.unlink()
    report.parent.rmdir()


def test_every_upload_is_in_the_table_of_the_readme() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for name in UPLOADS:
        assert f"`{name}`" in text or f"`{Path(name).stem}`" in text
    assert set(EXPECTED) == set(UPLOADS)


def test_every_upload_gives_what_the_readme_says(egide: Egide, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    assert egide("bank", "create", "known", "--home", home).code == 0
    assert egide("bank", "add", "known", EXAMPLES / "known", "--home", home).code == 0
    got = {}
    for line in egide("scan", EXAMPLES / "uploads", "--home", home).lines:
        name = Path(line["item"]["ref"]).name
        evidence: dict[str, object] = next(
            (finding["evidence"] for finding in line["findings"]), {}
        )
        error = next((fault["error"] for fault in line["errors"]), None)
        got[name] = (line["action"], evidence.get("method", error), evidence.get("edit"))
        if name == "slideshow.gif":
            assert evidence["frame"] == 1
        if name == "cut-off.jpg":
            assert error == "truncated"
        if name == "clip.mp4":
            assert 2000 <= evidence["at"] < 4500  # type: ignore[operator]
        if name == "collage.jpg":
            assert len(line["findings"]) == 2
    assert got == EXPECTED


def test_parts_of_pictures_are_what_pdq_alone_does_not_see(egide: Egide, tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    egide("bank", "create", "plain", "--home", home)
    egide("bank", "add", "plain", "--no-local", EXAMPLES / "known", "--home", home)
    parts = [name for name, (_, method, _) in EXPECTED.items() if method == "local"]
    assert len(parts) == 5
    done = egide("scan", *(EXAMPLES / "uploads" / name for name in parts), "--home", home)
    assert [line["findings"] for line in done.lines] == [[]] * 5


@pytest.mark.parametrize(
    "args", [["--help"], ["-h"], ["scan", "--help"], ["bank", "-h"], ["policy", "check", "-h"]]
)
def test_help_fits_into_eighty_columns_and_cuts_no_sentence(egide: Egide, args: list[str]) -> None:
    done = egide(*args, COLUMNS="80", TERMINAL_WIDTH="80")
    assert done.code == 0
    assert all(len(line) <= 80 for line in done.out.splitlines())
    assert not re.search(r"\w\.\.\.$", done.out, re.MULTILINE)


@pytest.mark.parametrize("args", [["--version"], ["-V"]])
def test_the_version(egide: Egide, args: list[str]) -> None:
    from importlib.metadata import version

    assert egide.spawn(*args).out == f"egide {version('egide')}\n"
    assert egide(*args).out == f"egide {version('egide')}\n"


@pytest.mark.parametrize("args", [["nonsense"], ["--nonsense"], ["bank", "nonsense"]])
def test_an_unknown_command_is_wrong_usage(egide: Egide, args: list[str]) -> None:
    done = egide(*args)
    assert (done.code, done.out) == (2, "")
