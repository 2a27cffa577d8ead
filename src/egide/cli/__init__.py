"""The command line: one file per command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The entry point `egide`."""
    _open_missing_streams()
    if sys.argv[1:] in (["--version"], ["-V"]):
        # Answered before anything else is loaded: scripts ask for it often.
        from importlib.metadata import version

        print(f"egide {version('egide')}")
        return
    # numpy's linear algebra starts a thread for each core, which nothing here uses.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from egide.cli.app import run

        run()
    except KeyboardInterrupt:
        sys.exit(3)


def _open_missing_streams() -> None:
    """Opens what the caller had closed (`<&-`): else the next file would take its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: PTH123, SIM115
