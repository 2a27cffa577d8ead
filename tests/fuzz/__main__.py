"""`python -m tests.fuzz SECONDS`: every target for its share of the time, each in a process."""

from __future__ import annotations

import subprocess
import sys

from tests.fuzz.targets import TARGETS
from tests.fuzz.video_targets import VIDEO_TARGETS


def main() -> int:
    """Runs all targets; the exit code is that of the first that failed."""
    names = (*TARGETS, *VIDEO_TARGETS)
    share = float(sys.argv[1] if len(sys.argv) > 1 else "600") / len(names)
    for name in names:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.targets", name, str(share)], check=False
        )
        if done.returncode:
            print(f"{name} failed; its last input is in fuzz-{name}.bin", file=sys.stderr)
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
