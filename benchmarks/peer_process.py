"""The peers that live in an environment of their own: run there as a script, by `benchmarks.peers`.

Reads one request as JSON from standard input and writes the answer as JSON to standard output:

    {"do": "hash", "files": [...]}              hashes of pictures by each of Thorn's hashers
    {"do": "sift", "banked": [...], "queries": [...]}   Thorn's deduplication by local descriptors
    {"do": "vpdq", "banked": [...], "queries": [...]}   vPDQ of videos, and how far they match
    {"do": "sd-parsers", "files": [...], "rounds": 3}   what generators wrote into pictures
    {"do": "sd-parsers-again", "files": [...], "parses": 200}   how often it is another picture's
    {"do": "versions"}                          what is installed

Imports nothing of égide's.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "Perception", "vpdq", "threatexchange", "opencv-contrib-python-headless", "sd-parsers",
)  # fmt: skip


def hash_pictures(request: dict[str, Any]) -> dict[str, Any]:
    """Every file by every hasher, as lists of numbers, and the seconds that each hasher took.

    The files are read once, by the package's own reader; that is `read` among the seconds.
    """
    hashers = import_module("perception.hashers")
    makers = {
        "PHash": hashers.PHash(),
        "PHash, 256 bits": hashers.PHash(hash_size=16),
        "PHashU8": hashers.PHashU8(),
        "BlockMean": hashers.BlockMean(),
    }
    hashes: dict[str, list[Any]] = {name: [] for name in makers}
    seconds = dict.fromkeys(("read", *makers), 0.0)
    read = import_module("perception.hashers.tools").read
    for file in request["files"]:
        started = time.process_time()
        pixels = read(file)
        seconds["read"] += time.process_time() - started
        for name, hasher in makers.items():
            started = time.process_time()
            found = hasher.compute(pixels, hash_format="vector")
            seconds[name] += time.process_time() - started
            hashes[name].append(None if found is None else [float(each) for each in found])
    metrics = {name: hasher.distance_metric for name, hasher in makers.items()}
    return {"hashes": hashes, "seconds": seconds, "metrics": metrics}


def deduplicate(request: dict[str, Any]) -> dict[str, Any]:
    """Pairs (query, banked), by number, that Thorn's deduplication by SIFT takes for copies.

    With the defaults of the package, on one thread, without a graphics processor.
    """
    module = import_module("perception.local_descriptor_deduplication")
    started = time.process_time()
    banked = module.build_reference_df(request["banked"])
    queries = module.build_reference_df(request["queries"])
    described = time.process_time() - started
    started = time.process_time()
    pairs = module.deduplicate_dfs(banked, queries, max_workers=1, use_gpu=False)
    matched = time.process_time() - started
    place = {file: number for number, file in enumerate(request["banked"])}
    asked = {file: number for number, file in enumerate(request["queries"])}
    return {
        "pairs": [(asked[query], place[file]) for query, file in pairs],
        "seconds": {"describe": described, "match": matched},
        "without": [int(frame["descriptors"].isna().sum()) for frame in (banked, queries)],
    }


def match_videos(request: dict[str, Any]) -> dict[str, Any]:
    """For each query the banked videos that share a frame with it: [number, query %, banked %].

    One hash a second, quality and distance as threatexchange's vPDQ extension has them.
    """
    module = import_module("threatexchange.extensions.vpdq.vpdq")
    pathlib = import_module("pathlib")
    seconds = []

    def hashed(file: str) -> str:
        started = time.process_time()
        found: str = module.VPDQSignal.hash_from_file(pathlib.Path(file))
        seconds.append(time.process_time() - started)
        return found

    # Thresholds of 0 % give every pair with its shares; the caller applies them.
    index = module.VPDQIndex(query_match_threshold_pct=0, index_match_threshold_pct=0)
    for number, file in enumerate(request["banked"]):
        index.add(hashed(file), number)
    found = []
    for file in request["queries"]:
        matches = index.query(hashed(file))
        found.append(
            [
                (
                    match.metadata,
                    match.similarity_info.query_match_percent,
                    match.similarity_info.compared_match_percent,
                )
                for match in matches
            ]
        )
    return {
        "matches": found,
        "seconds": seconds,
        "least_query": module.VPDQ_QUERY_MATCH_THRESHOLD_PERCENT,
        "least_banked": module.VPDQ_INDEX_MATCH_THRESHOLD_PERCENT,
    }


def parse_pictures(request: dict[str, Any]) -> dict[str, Any]:
    """What each file says of its making, None for nothing, and the least seconds of `rounds`."""
    manager = import_module("sd_parsers").ParserManager()
    found, seconds = [], []
    # Pictures that are alive have ids of their own, by which the package remembers them.
    kept: list[Any] = []
    for file in request["files"]:
        found.append(_parsed(manager, file, kept))
        took = []
        for _ in range(request["rounds"]):
            started = time.process_time()
            with suppress(Exception):
                manager.parse(file)
            took.append(time.process_time() - started)
        seconds.append(min(took))
    return {"found": found, "seconds": seconds}


def parse_again(request: dict[str, Any]) -> dict[str, Any]:
    """How many of `parses`, file after file, give something else than the first time."""
    manager = import_module("sd_parsers").ParserManager()
    kept: list[Any] = []
    right = [_parsed(manager, file, kept) for file in request["files"]]
    wrong = 0
    for number in range(request["parses"]):
        at = number % len(right)
        wrong += _parsed(manager, request["files"][at], None) != right[at]
    return {"wrong": wrong}


def _parsed(manager: Any, file: str, kept: list[Any] | None) -> dict[str, Any] | None:
    try:
        picture: Any = file
        if kept is not None:
            picture = import_module("PIL.Image").open(file)
            kept.append(picture)
        found = manager.parse(picture)
    except Exception:  # noqa: BLE001  whatever it trips over is nothing found
        return None
    if found is None:
        return None
    models = [each.model for each in found.samplers if each.model]
    return {
        "tool": found.generator.value,
        "models": sorted(str(model.name or "") for model in models),
        "hashes": sorted(str(model.hash or "") for model in models),
        "prompt": found.full_prompt,
        "seeds": sorted(str(each.parameters.get("seed", "")) for each in found.samplers),
    }


def versions(_: dict[str, Any]) -> dict[str, Any]:
    """The versions of the packages, those that are there."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def main() -> None:
    """Answers the request on standard input."""
    request = json.load(sys.stdin)
    # The packages print bars and warnings: standard output is the answer's alone.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    actions = {
        "hash": hash_pictures,
        "sift": deduplicate,
        "vpdq": match_videos,
        "sd-parsers": parse_pictures,
        "sd-parsers-again": parse_again,
        "versions": versions,
    }
    answer = actions[request["do"]](request)
    with os.fdopen(answer_to, "w") as out:
        json.dump(answer, out)


if __name__ == "__main__":
    main()
