"""The kernel runs clean under the address and undefined-behaviour sanitisers."""

import os
import subprocess
from pathlib import Path

import pytest

KERNEL = Path(__file__).parents[2] / "src" / "kernel"
LOCAL = (
    "reduce", "scales", "detect", "describe", "code", "record", "match", "index", "features",
)  # fmt: skip
DRIVERS = {
    "driver.cpp": ("pdq.cpp", "hamming.cpp", "trim.cpp"),
    "local_driver.cpp": tuple(f"local_{name}.cpp" for name in LOCAL),
    "text_driver.cpp": ("text_features.cpp", "text_network.cpp"),
}
COMPILE = (
    os.environ.get("CXX", "g++"),
    "-std=c++17",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffp-contract=off",
    "-fsanitize=address,undefined,float-cast-overflow,float-divide-by-zero",
    "-fno-sanitize-recover=all",
    "-D_GLIBCXX_ASSERTIONS",
    "-DEGIDE_PLAIN",
)


@pytest.mark.parametrize("driver", DRIVERS)
def test_kernel_is_clean_under_sanitisers(driver: str, tmp_path: Path) -> None:
    program = tmp_path / "driver"
    sources = [Path(__file__).with_name(driver), *(KERNEL / name for name in DRIVERS[driver])]
    subprocess.run([*COMPILE, f"-I{KERNEL}", *map(str, sources), "-o", str(program)], check=True)
    ran = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok\n", "")


def test_every_source_of_the_kernel_is_run() -> None:
    run = {name for names in DRIVERS.values() for name in names}
    faces = {"module.cpp", "local_module.cpp", "reading_module.cpp", "text_module.cpp"}
    assert {path.name for path in KERNEL.glob("*.cpp")} - run == faces
