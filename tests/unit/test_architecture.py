"""The shape of the house: imports point downwards, everything is documented, start-up is lean."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "src" / "egide").rglob("*.py"))
RUN = """
import sys; sys.argv[1:] = {args!r}; from egide.cli import main
try: main()
except SystemExit: pass
"""
SHOW = "print('MODULES', *sorted({m.partition('.')[0] for m in sys.modules}), *sys.modules)"


def test_imports_point_downwards() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_every_module_says_what_it_is_for(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", "?", ":"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_module_fits_into_the_head(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def _loaded(tmp_path: Path, *args: str) -> set[str]:
    """The modules that are loaded once `egide args` is done."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(args=list(args)) + SHOW],
        env={"EGIDE_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    return set(done.stdout.rpartition("MODULES ")[2].split())


def test_the_version_costs_nothing(tmp_path: Path) -> None:
    assert not _loaded(tmp_path, "--version") & {"numpy", "typer", "PIL", "yaml", "rich"}


@pytest.mark.parametrize("command", ["scan", "hash", "bank", "policy", "demo", "trace"])
def test_help_loads_no_library_for_pictures_or_reports(tmp_path: Path, command: str) -> None:
    loaded = _loaded(tmp_path, command, "--help")
    assert not loaded & {"PIL", "numpy", "simplejpeg", "jinja2", "rich", "yaml", "sqlite3"}


def test_a_scan_of_a_jpeg_into_a_pipe_loads_only_what_it_needs(tmp_path: Path) -> None:
    picture = ROOT / "examples" / "uploads" / "chelsea.jpg"
    loaded = _loaded(tmp_path, "scan", str(picture))
    assert "egide.detectors.known_media" in loaded
    assert not loaded & {"rich", "jinja2", "pillow_heif", "egide.testing", "egide.report.html"}
