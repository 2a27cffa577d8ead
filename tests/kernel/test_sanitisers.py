"""The kernel runs clean under the address and undefined-behaviour sanitisers."""

import os
import subprocess
from pathlib import Path

KERNEL = Path(__file__).parents[2] / "src" / "kernel"
DRIVER = Path(__file__).with_name("driver.cpp")
SOURCES = ("pdq.cpp", "hamming.cpp", "trim.cpp")
COMPILE = (
    os.environ.get("CXX", "g++"),
    "-std=c++17",
    "-O1",
    "-g",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-ffp-contract=off",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-D_GLIBCXX_ASSERTIONS",
    "-DEGIDE_PLAIN",
)


def test_kernel_is_clean_under_sanitisers(tmp_path: Path) -> None:
    program = tmp_path / "driver"
    sources = [str(DRIVER), *(str(KERNEL / name) for name in SOURCES)]
    subprocess.run([*COMPILE, f"-I{KERNEL}", *sources, "-o", str(program)], check=True)
    ran = subprocess.run([str(program)], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok\n", "")
