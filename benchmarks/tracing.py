"""What is read of pictures' making, and how fast, beside sd-parsers and exiftool."""

from __future__ import annotations

import shutil
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from tests import carriers, credentials
from tests.pictures import encode
from tests.provenance_samples import SAMPLES

from benchmarks import machine, trace_tools
from benchmarks.pictures import pictures
from benchmarks.results import Goal, Part, Settings, Table, milliseconds, times
from benchmarks.timing import Ran, processor_seconds
from benchmarks.timing import run as run_command
from benchmarks.trace_files import Case, Facts, generated, real, signed
from egide.item import Item
from egide.provenance.carriers_gathering import Gathering, Limits
from egide.provenance.carriers_png import read_png
from egide.provenance.trace import trace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

MOST_METADATA: Final = 0.002
MOST_SIGNED: Final = 0.030
MOST_STEALTH: Final = 0.010
MOST_FOLDER: Final = 30.0
FILES: Final = 10_000
PARSES: Final = 200
SIDE: Final = 1024
KINDS: Final = ("tool", "models", "hashes", "prompt", "seeds")


def run(settings: Settings) -> Part:
    """Compares what is found, and times each tool on one core."""
    rounds = settings.few(2, 7)
    with machine.cores(1), tempfile.TemporaryDirectory(dir=settings.cache) as name:
        folder = Path(name)
        (folder / "made").mkdir()
        sets = {
            "real pictures": real(settings),
            "files as tools write them": generated(folder / "made"),
        }
        compared = {name: _compared(settings, cases, rounds) for name, cases in sets.items()}
        parses = PARSES
        files = [case.file for case in sets["real pictures"]]
        mixed = trace_tools.sd_parsers_mixed_up(settings, files, parses)
        goals, rows = _costs(settings, folder, compared["real pictures"], rounds)
        goals += _folders(settings, folder)
    how = (
        "égide's `trace`, `sd-parsers` as its manual says, and `exiftool -json -a -u` over all "
        "files in one call without what it takes to start. Real pictures are those of the "
        "repository enslo/sd-metadata, its own tests are the truth; the other files are those of "
        "`tests/provenance_samples.py`. To name the tool whose format another one writes counts as "
        "right. exiftool interprets nothing: what stands anywhere in what it prints counts as "
        "shown. Processor time, one core, the least of the rounds, files in the page cache."
    )
    tables = [
        Table(f"{name[0].upper()}{name[1:]}: told right, of all that there is to tell, and what "
              "is told wrong:", ("tool", "files", *KINDS, "wrong", "a file"), each.rows)
        for name, each in compared.items()
    ]  # fmt: skip
    tables += [
        Table(f"By the tool that made it, {name}: told right of what there is:",
              ("made by", "files", "égide", "sd-parsers", "exiftool shows"), each.groups)
        for name, each in compared.items()
    ]  # fmt: skip
    said = f"{mixed} of {parses}"
    tables += [
        Table(
            "One after another, as a service would parse them:",
            ("", "parses that give another picture's metadata"),
            [("égide", f"0 of {parses}: it keeps nothing"), ("sd-parsers", said)],
        ),
        Table("What a picture takes:", ("picture", "égide", "most"), rows),
    ]
    return Part("Tracing", how, goals, tables)


# ── what is found ───────────────────────────────────────────────────────────────────────────────


class Compared(NamedTuple):
    """The rows of both tables, the files, and the seconds that each takes égide."""

    rows: list[tuple[str, ...]]
    groups: list[tuple[str, ...]]
    files: list[Path]
    seconds: list[float]


class Score(NamedTuple):
    """What is told right of what there is, by kind, and what is told wrong."""

    right: dict[str, int]
    wrong: int


def _compared(settings: Settings, cases: Sequence[Case], rounds: int) -> Compared:
    files = [case.file for case in cases]
    own = trace_tools.egide(files, rounds)
    peer = trace_tools.sd_parsers(settings, files, rounds)
    printed, exiftool_seconds = trace_tools.exiftool(settings, files)
    scores = {
        "égide": [_score(c.facts, told) for c, told in zip(cases, own.facts, strict=True)],
        "sd-parsers": [_score(c.facts, told) for c, told in zip(cases, peer.facts, strict=True)],
        "exiftool shows": [_shown(c.facts, text) for c, text in zip(cases, printed, strict=True)],
    }
    seconds = {
        "égide": median(own.seconds),
        "sd-parsers": median(peer.seconds),
        "exiftool shows": exiftool_seconds,
    }
    wanted = [_wanted(case.facts) for case in cases]
    rows = []
    for name, each in scores.items():
        told = (_share(each, wanted, kind) for kind in KINDS)
        wrong = "" if name.startswith("exiftool") else str(sum(score.wrong for score in each))
        rows.append((name, str(len(cases)), *told, wrong, milliseconds(seconds[name])))
    groups = []
    for group in sorted({case.group for case in cases} - {"none"}):
        within = [n for n, case in enumerate(cases) if case.group == group]
        total = sum(sum(wanted[n].values()) for n in within)
        shares = (sum(sum(each[n].right.values()) for n in within) for each in scores.values())
        groups.append((group, str(len(within)), *(f"{share} of {total}" for share in shares)))
    return Compared(rows, groups, files, own.seconds)


def _share(scores: Sequence[Score], wanted: Sequence[dict[str, int]], kind: str) -> str:
    right, all_ = sum(one.right[kind] for one in scores), sum(one[kind] for one in wanted)
    return f"{right} of {all_}"


def _wanted(truth: Facts) -> dict[str, int]:
    """How many things of each kind there are to tell; one tool, whatever names it may go by."""
    return {
        "tool": int(bool(truth.tools)),
        "models": len(truth.models),
        "hashes": len(truth.hashes),
        "prompt": int(bool(truth.prompt)),
        "seeds": len(truth.seeds),
    }


def _score(truth: Facts, told: Facts) -> Score:
    """Wrong is what excludes the truth: another tool, prompt, seed, or base models only of others;
    and whatever is told of a picture that says nothing."""
    hashes = sum(
        any(one.startswith(own) or own.startswith(one) for own in told.hashes if own)
        for one in truth.hashes
    )
    prompt = bool(truth.prompt and told.prompt) and (
        truth.prompt in told.prompt or told.prompt in truth.prompt
    )
    right = {
        "tool": int(bool(truth.tools & told.tools)),
        "models": len(truth.models & told.models),
        "hashes": hashes,
        "prompt": int(prompt),
        "seeds": len(truth.seeds & told.seeds),
    }
    if not truth.tools:
        return Score(right, int(bool(told.tools)))
    wrong = (
        bool(told.tools) and not right["tool"],
        bool(told.models and truth.models) and not right["models"],
        bool(told.prompt and truth.prompt) and not right["prompt"],
        bool(told.seeds and truth.seeds) and not right["seeds"],
    )
    return Score(right, sum(wrong))


def _shown(truth: Facts, text: str) -> Score:
    """What stands anywhere in `text`: a person could read it there."""
    right = {
        "tool": int(any(tool.replace("-", "") in text for tool in truth.tools)),
        "models": sum(name in text for name in truth.models),
        "hashes": sum(digest in text for digest in truth.hashes),
        "prompt": int(bool(truth.prompt) and truth.prompt in text),
        "seeds": sum(str(seed) in text for seed in truth.seeds),
    }
    return Score(right, 0)


# ── what it takes ───────────────────────────────────────────────────────────────────────────────


def _costs(
    settings: Settings, folder: Path, compared: Compared, rounds: int
) -> tuple[list[Goal], list[tuple[str, ...]]]:
    """The goals for single pictures, and a row for each kind of picture."""
    hidden = [_hides(file) for file in compared.files]
    plain = [
        trace_tools.metadata_seconds(file, rounds)
        for file, hides in zip(compared.files, hidden, strict=True)
        if not hides and not _says_nothing(file)
    ]
    whole = [
        seconds
        for seconds, hides, file in zip(compared.seconds, hidden, compared.files, strict=True)
        if not hides and not _says_nothing(file)
    ]
    pixels = next(pictures(settings, 1, SIDE, SIDE))
    made = [trace_tools.metadata_seconds(file, rounds) for file in _small(folder)]
    jpeg = encode(pixels, "JPEG", quality=90)
    ours = _trace_bytes(credentials.signed(jpeg, "image/jpeg", credentials.created()), rounds)
    services = [_least(partial(_trace_file, file), rounds) for file in signed(settings)]
    stealth = {name: _stealth(data, rounds) for name, data in _hiding(pixels).items()}
    nothing = _trace_bytes(encode(pixels, "PNG"), rounds)
    goals = [
        _below("metadata of a real picture, without C2PA, median", MOST_METADATA, median(plain)),
        _below("metadata of a picture with Content Credentials", MOST_SIGNED, ours),
        *(_below(f"hidden text looked for, {SIDE} × {SIDE}, {name}", MOST_STEALTH, taken)
          for name, taken in stealth.items()),
    ]  # fmt: skip
    rows: list[tuple[str, ...]] = [
        ("real, metadata alone", milliseconds(median(plain)), milliseconds(max(plain))),
        ("real, the digest of the whole file too", milliseconds(median(whole)),
         milliseconds(max(whole))),
        ("files as tools write them, metadata alone", milliseconds(median(made)),
         milliseconds(max(made))),
        (f"JPEG of {SIDE} × {SIDE}, signed", milliseconds(ours), ""),
        ("real, signed by two services", milliseconds(median(services)),
         milliseconds(max(services))),
        (f"PNG of {SIDE} × {SIDE} that says nothing: the watermark is looked for too",
         milliseconds(nothing), ""),
    ]  # fmt: skip
    return goals, rows


def _below(what: str, most: float, taken: float) -> Goal:
    return Goal(what, f"< {milliseconds(most)}", milliseconds(taken), met=taken < most)


def _least(call: Callable[[], object], rounds: int) -> float:
    call()
    return min(processor_seconds(call) for _ in range(rounds))


def _trace_bytes(data: bytes, rounds: int) -> float:
    return _least(lambda: trace(Item.from_bytes(data, "picture")), rounds)


def _trace_file(file: Path) -> None:
    trace(Item.from_path(file))


def _hides(file: Path) -> bool:
    return any(found.where.startswith("stealth:") for found in trace(Item.from_path(file)).found)


def _says_nothing(file: Path) -> bool:
    return trace(Item.from_path(file)).is_empty


def _small(folder: Path) -> list[Path]:
    files = sorted((folder / "made").iterdir())
    return [file for file in files if "hidden" not in file.name]


def _hiding(pixels: NDArray[np.uint8]) -> dict[str, bytes]:
    """PNG files that hide nothing, and that hide metadata in their pixels."""
    text = SAMPLES["a1111-hidden"].blocks[0].text
    opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    return {
        "nothing there, RGB": encode(pixels, "PNG"),
        "nothing there, RGBA": encode(np.concatenate([pixels, opaque], axis=2), "PNG"),
        "in alpha": carriers.stealth_png(text, "alpha", pixels=pixels),
        "in the colours": carriers.stealth_png(text, "rgb", pixels=pixels),
    }


def _stealth(data: bytes, rounds: int) -> float:
    item = Item.from_bytes(data, "picture.png")

    def read() -> None:
        with item.opened() as stream:
            read_png(stream, len(data), Gathering(Limits()))

    return _least(read, rounds)


# ── folders ─────────────────────────────────────────────────────────────────────────────────────


def _folders(settings: Settings, folder: Path) -> list[Goal]:
    """The whole command over folders of PNG files, and the peers over the first."""
    goals = []
    # What says nothing is looked at for a watermark: a tenth of such files is enough to wait for.
    folders = (("with metadata", _texts(), settings.few(500, FILES)),
               ("that say nothing", None, settings.few(100, FILES // 10)))  # fmt: skip
    for name, texts, count in folders:
        where = folder / "many"
        where.mkdir()
        _write(settings, where, count, texts)
        command = [str(Path(sys.executable).with_name("egide")), "trace", str(where), "--jobs", "1",
                   "--format", "jsonl", "--home", str(folder / "home")]  # fmt: skip
        ran = run_command(command)
        if ran.code != 0:
            raise RuntimeError(f"egide trace ended with {ran.code}")
        peer = _exiftool_folder(settings, where) if texts else None
        goals.append(
            Goal(
                f"`egide trace` of a folder of {count:,} PNG files of 512 × 512 {name}",
                f"< {MOST_FOLDER * count / FILES:g} s",
                f"{ran.processor:.1f} s, {ran.memory / 1e6:.0f} MB",
                f"exiftool {peer.processor:.1f} s" if peer else "",
                times(peer.processor / ran.processor) if peer else "",
                ran.processor < MOST_FOLDER * count / FILES,
            )
        )
        shutil.rmtree(where)
    return goals


def _exiftool_folder(settings: Settings, where: Path) -> Ran:
    return run_command([*trace_tools.exiftool_command(settings), str(where)])


def _texts() -> list[dict[str, Any]]:
    names = ("a1111-png", "comfyui-png", "invokeai", "novelai-png", "swarmui-png")
    return [{block.key: block.text for block in SAMPLES[name].blocks} for name in names]


def _write(
    settings: Settings, where: Path, count: int, texts: Sequence[dict[str, Any]] | None
) -> None:
    """`count` PNG files of a few photographs, no two of them the same."""
    bodies = [encode(pixels, "PNG") for pixels in pictures(settings, 20, 512, 512)]
    for number in range(count):
        body = bodies[number % len(bodies)]
        (where / f"{number:05}.png").write_bytes(
            body[:33] + b"".join(_chunks(number, texts)) + body[33:]
        )


def _chunks(number: int, texts: Sequence[dict[str, Any]] | None) -> Iterator[bytes]:
    if texts is None:
        yield carriers.text_chunk("Catalogue", str(number))
        return
    for key, text in texts[number % len(texts)].items():
        yield carriers.itxt_chunk(key, text.replace("1234", str(10_000 + number)))
