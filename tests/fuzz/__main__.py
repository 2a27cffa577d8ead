"""`python -m tests.fuzz SECONDS`: every target for its share of the time, each in a process."""

from __future__ import annotations

import subprocess
import sys

from tests.fuzz.carrier_targets import CARRIERS
from tests.fuzz.family_targets import FAMILIES
from tests.fuzz.model_targets import MODELS
from tests.fuzz.record_targets import RECORDS
from tests.fuzz.targets import TARGETS
from tests.fuzz.text_targets import TEXTS
from tests.fuzz.video_targets import VIDEO_TARGETS

NAMES = [*TARGETS, *VIDEO_TARGETS, *MODELS, *RECORDS, *TEXTS, *CARRIERS, *FAMILIES]


def main() -> int:
    """Runs all targets; the exit code is that of the first that failed."""
    share = float(sys.argv[1] if len(sys.argv) > 1 else "600") / len(NAMES)
    for name in NAMES:
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.targets", name, str(share)], check=False
        )
        if done.returncode:
            print(f"{name} failed; its last input is in fuzz-{name}.bin", file=sys.stderr)
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
