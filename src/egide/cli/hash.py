"""`egide hash`: fingerprints of pictures as JSON lines."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from egide.cli.options import EXIT_INCOMPLETE, EXIT_NOTHING, JobsOption

if TYPE_CHECKING:
    from egide.item import Item


def hash_(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files and folders; '-' reads paths from standard input.",
            show_default=False,
        ),
    ],
    jobs: JobsOption = None,
    all_: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Of model files, print every hash that hubs know them by: AutoV1, AutoV2, AutoV3, "
            "SHA256, BLAKE3; in one reading of the file.",
        ),
    ] = False,
) -> None:
    """Print the PDQ hash, its quality and the SHA-256 of every picture, one JSON line each.

    PDQ is written as python-threatexchange writes it, in 64 hexadecimal digits; of an animation it
    is the first frame's. A file that is no picture has null there and the reason in "error". With
    --all, a model file's hashes stand in "hashes"; AutoV3 is over its tensors alone and finds
    re-uploads whose header was changed.
    """
    from egide.cli.progress import ProgressBar
    from egide.media.picture import Limits
    from egide.parallel import ordered_map
    from egide.source import expand

    limits = Limits.from_environment()
    failed, count = False, 0
    items = expand(paths, sys.stdin.buffer)
    with ProgressBar(paths, listing=True) as bar:
        for line in bar.track(ordered_map(lambda item: _line(item, limits, all_), items, jobs)):
            print(json.dumps(line))
            failed |= "error" in line
            count += 1
    if failed or not count:
        raise typer.Exit(EXIT_INCOMPLETE if count else EXIT_NOTHING)


def _line(item: Item, limits: Any, all_: bool) -> dict[str, Any]:
    from egide.errors import ItemError
    from egide.item import HELD_BYTES
    from egide.media.fingerprint import picture_prints
    from egide.sniff import Kind

    if all_ and item.kind is Kind.MODEL:
        return _model_line(item)
    line: dict[str, Any] = {"ref": item.ref, "pdq": None, "quality": None, "sha256": None}
    try:
        if item.problem is not None:
            raise item.problem
        prints = picture_prints(item, limits)
        whole = prints.frames[0].whole
        line["pdq"] = whole.fingerprint().hex
        line["quality"] = whole.quality
        if prints.problems:
            line["error"] = str(prints.problems[0])
    except ItemError as error:
        line["error"] = str(error)
    is_large = item.kind is Kind.MODEL and item.size > HELD_BYTES
    line["sha256"] = _model_line(item)["sha256"] if is_large else item.sha256
    return line


def _model_line(item: Item) -> dict[str, Any]:
    from egide.errors import ItemError
    from egide.hub.model_hashes import model_hashes

    line: dict[str, Any] = {"ref": item.ref, "pdq": None, "quality": None, "sha256": None}
    try:
        hashes = model_hashes(item)
    except ItemError as error:
        return line | {"error": str(error)}
    return line | {"sha256": hashes["SHA256"], "hashes": dict(sorted(hashes.items()))}
