"""Model files: a header read and judged, folders of adapters, pickles, hashes on request."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import venv
import zipfile
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import machine
from benchmarks.model_files import (
    SD1,
    SDXL,
    folder_of_adapters,
    large_checkpoint,
    lora_header,
    state_dictionary,
)
from benchmarks.results import Goal, Part, Settings, Table, milliseconds, times
from benchmarks.timing import clock_seconds, in_turns
from egide.detector import DetectorSettings
from egide.detectors.likeness_adapter import from_settings
from egide.hub.model_file import read_model
from egide.hub.model_hashes import model_hashes
from egide.item import Item
from egide.parallel import ordered_map
from egide.source import expand

if TYPE_CHECKING:
    from collections.abc import Callable

    from egide.finding import Observation

MOST_HEADER_MS: Final = 3.0
MOST_FOLDER_S: Final = 30.0
MODELSCAN: Final = "modelscan==0.8.8"
_DETECTOR: Final = from_settings(DetectorSettings())
CHECKPOINT: Final = 7_000_000_000
_MODELSCAN_LOOP: Final = """
import json, sys, time
from modelscan.modelscan import ModelScan
from modelscan.settings import DEFAULT_SETTINGS
spent = []
for path in sys.argv[2:]:
    taken = []
    for _ in range(int(sys.argv[1])):
        scanner = ModelScan(settings=DEFAULT_SETTINGS)
        started = time.process_time()
        scanner.scan(path)
        taken.append(time.process_time() - started)
    spent.append(sorted(taken)[len(taken) // 2])
print(json.dumps(spent))
"""


def run(settings: Settings) -> Part:
    """Times everything on files made for it."""
    folder = settings.cache / "models"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True)
        with machine.cores(1):
            single = _single(settings, folder)
        return Part(
            "Model files",
            "Headers alone are read. The adapters have the tensors and metadata that kohya's "
            "sd-scripts write (150 different tags, counted twice as there; SD 1.5: 792 tensors, "
            "SDXL: 2,166). égide: the file opened, its header read, sidecars looked for, and "
            "judged by `likeness-adapter.v1` without a gazetteer. The peers look for code in "
            "pickles and read nothing else; that they open the same file is all that is "
            "compared. modelscan runs in an environment of its own, since its requirements "
            "contradict ours. One core and processor time, but for folder and hashes: two, and "
            "the clock.",
            [*single.goals, *_folder(settings, folder), *_hashes(settings, folder)],
            single.tables,
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _single(settings: Settings, folder: Path) -> Part:
    files = _files(folder)
    rounds = settings.few(5, 31)
    modelscan = _modelscan(settings, list(files.values()), rounds)
    goals: list[Goal] = []
    rows: list[tuple[str, ...]] = []
    for (name, path), other in zip(files.items(), modelscan, strict=True):
        spent = in_turns(_calls(path), rounds)
        ours, peer = spent["égide"], spent["picklescan"]
        if path.suffix == ".safetensors":
            goals.append(
                Goal(
                    f"header of {name}, read and judged",
                    f"< {MOST_HEADER_MS:g} ms",
                    milliseconds(ours),
                    met=ours * 1000 < MOST_HEADER_MS,
                )
            )
        rows.append(
            (
                name,
                milliseconds(ours),
                milliseconds(spent["of it, reading"]),
                milliseconds(peer),
                "not installed" if other is None else milliseconds(other),
                milliseconds(spent["json"]) if "json" in spent else "",
            )
        )
    columns = (
        "file",
        "égide",
        "of it, reading",
        "picklescan",
        "modelscan",
        "the header through json.loads",
    )
    return Part("", "", goals, [Table("One file each:", columns, rows)])


def _files(folder: Path) -> dict[str, Path]:
    files = {
        "an SD 1.5 adapter": folder / "sd1.safetensors",
        "an SDXL adapter": folder / "sdxl.safetensors",
        "a checkpoint of 7 GB": folder / "large.safetensors",
        "an adapter in a PyTorch zip": folder / "zip.pt",
        "an adapter in a bare pickle": folder / "bare.bin",
    }
    paths = list(files.values())
    for path, layers in zip(paths, (SD1, SDXL), strict=False):
        path.write_bytes(lora_header(layers))
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size + 200_000_000)
    large_checkpoint(paths[2], CHECKPOINT)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", state_dictionary())
        archive.writestr("archive/version", "3\n")
    paths[3].write_bytes(out.getvalue())
    paths[4].write_bytes(state_dictionary())
    return files


def _calls(path: Path) -> dict[str, Callable[[], object]]:
    picklescan: Any = import_module("picklescan.scanner")
    calls: dict[str, Callable[[], object]] = {
        "égide": lambda: _judged(Item.from_path(path)),
        "of it, reading": lambda: read_model(Item.from_path(path)),
        "picklescan": partial(picklescan.scan_file_path, str(path)),
    }
    if path.suffix == ".safetensors":
        calls["json"] = partial(_plain_json, path)
    return calls


def _plain_json(path: Path) -> object:
    with path.open("rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))


def _modelscan(settings: Settings, paths: list[Path], rounds: int) -> list[float | None]:
    """Seconds of processor time that modelscan takes for each file; None where it is not there."""
    home = settings.cache / "modelscan"
    python = str(home / "bin" / "python")
    if not Path(python).exists():
        venv.create(home, with_pip=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", MODELSCAN]
    if subprocess.run(install, check=False, capture_output=True).returncode:
        return [None] * len(paths)
    command = [python, "-c", _MODELSCAN_LOOP, str(rounds), *map(str, paths)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def _folder(settings: Settings, folder: Path) -> list[Goal]:
    number = settings.few(500, 10_000)
    adapters = folder / "adapters"
    megabytes = folder_of_adapters(adapters, number) / 1e6
    picklescan: Any = import_module("picklescan.scanner")
    ours = clock_seconds(lambda: _all_judged(adapters))
    peer = clock_seconds(lambda: picklescan.scan_directory_path(str(adapters)))
    shutil.rmtree(adapters)
    allowed = MOST_FOLDER_S * number / 10_000
    return [
        Goal(
            f"a folder of {number:,} adapters ({megabytes:,.0f} MB of headers), hashing apart",
            f"< {allowed:g} s",
            f"{ours:.1f} s",
            f"picklescan {peer:.1f} s",
            met=ours < allowed,
        )
    ]


def _judged(item: Item) -> list[Observation]:
    """What the detector sees in one file, without a gazetteer: everything but the SHA-256."""
    return list(_DETECTOR.detect(item))


def _all_judged(folder: Path) -> int:
    return sum(1 for _ in ordered_map(_judged, expand([str(folder)]), None))


def _hashes(settings: Settings, folder: Path) -> list[Goal]:
    size = settings.few(100_000_000, 1_000_000_000)
    path = folder / "hashed.safetensors"
    block = hashlib.sha256(b"neutral").digest() * 32_768
    with path.open("wb") as file:
        file.write(lora_header())
        for _ in range(size // len(block)):
            file.write(block)
    sha256 = clock_seconds(lambda: hashlib.file_digest(path.open("rb"), "sha256"))
    ours = clock_seconds(lambda: model_hashes(Item.from_path(path)))
    path.unlink()
    return [
        Goal(
            "AutoV1, AutoV2, AutoV3, SHA-256 and BLAKE3 in one pass",
            "as fast as SHA-256",
            f"{size / ours / 1e6:,.0f} MB/s",
            f"SHA-256 alone {size / sha256 / 1e6:,.0f} MB/s",
            times(ours / sha256),
            ours <= 1.25 * sha256,
        )
    ]
