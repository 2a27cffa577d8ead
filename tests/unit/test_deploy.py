"""What ships to run the service: as far as it can be checked without an installation."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "egide.service"
UNITS = ("egide.service", "egide-backup.service", "egide-backup.timer")
CONTAINER = ROOT / "deploy" / "Containerfile"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    egide = Path(sys.executable).with_name("egide")
    for name in UNITS:
        text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/egide/bin/egide", str(egide)))

    done = subprocess.run(
        ["systemd-analyze", "verify", *(tmp_path / name for name in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "")
    assert "egide" not in done.stderr


def test_the_unit_lets_readers_of_uploads_be_confined() -> None:
    text = UNIT.read_text(encoding="utf-8")

    allowed = re.search(r"^SystemCallFilter=(.*)$", text, re.MULTILINE)
    assert allowed is not None
    assert {"@system-service", "landlock_restrict_self"} <= set(allowed[1].split())


def test_the_container_gives_up_its_privileges_before_it_runs() -> None:
    lines = CONTAINER.read_text(encoding="utf-8").splitlines()
    final = lines[max(n for n, line in enumerate(lines) if line.startswith("FROM ")) :]

    assert "USER egide" in final
    assert final.index("USER egide") < next(
        n for n, line in enumerate(final) if line.startswith("ENTRYPOINT")
    )
    assert not any(re.match(r"(USER root|ADD )", line) for line in final)
