"""Runs what the documentation shows at a prompt, and tells where it prints something else.

A page is played from top to bottom in an empty folder that has `examples/`:

- a block with `title="NAME"` is written to the file NAME; a `pyproject.toml` with entry points is
  installed, as far as entry points are concerned;
- the `python` blocks run as one script, in the place of the first;
- a `console` block holds commands after `$ ` and what they print. `…` in it stands for anything, a
  line of `…` alone for any lines; times, rates and dates are not compared; entry ids may differ,
  and are put in the place of the shown ones in the commands that follow.

Blocks in other languages are not run. `python -m tests.walkthrough README.md docs/tutorial.md …`
writes what is printed now into the pages, where it differs from what they show.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

FENCE: Final = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WIDTH: Final = 100
_ANY_LINES: Final = "…"
_ERASED: Final = re.compile(r"[^\n]*\x1b\[2K")
"""A line that was taken back, such as a bar's: what stands behind it is all that is seen."""
_CONTROL: Final = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\r")
_BAR: Final = "━"
_MARK: Final = b"\0"
"""Written to the terminal behind all that a program wrote: what comes before it is everything."""

_ID: Final = re.compile(r"\b([0-9a-f]{8})-(\d+)\b")
_VARYING: Final = (
    (re.compile(r"\bin \d+\.\d s \([\d,.]+/s\)"), "in T"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r'"created": \d+'), '"created": TIME'),
    # Processors differ in the last bits of local features, and so in how well they agree.
    (re.compile(r'"(alignment|inliers)":[\d.]+'), r'"\1":MANY'),
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: language, file to write it to, text, number of its first line."""

    language: str
    title: str | None
    text: str
    line: int


@dataclass
class Step:
    """A command, the number of its line, the lines shown below it, and what it printed instead."""

    command: str
    line: int
    shown: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)
    differs: bool = False


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of `page`, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(m[1], title_of(m[2]), m[3], text[: m.start()].count("\n") + 2)
        for m in FENCE.finditer(text)
    ]


def title_of(info: str) -> str | None:
    """The file named in what follows a block's language."""
    found = re.search(r'title="([^"]+)"', info)
    return found and found[1]


def played(page: Path, folder: Path, examples: Path) -> Iterator[str]:
    """Plays `page` in `folder`; yields what printed something else than is shown, or failed."""
    for event in _play(page, folder, examples):
        if isinstance(event, str):
            yield f"{page.name}{event}"
        elif event.differs:
            printed = "\n".join([f"$ {event.command}", *event.printed])
            yield f"{page.name}, block at line {event.line}:\n{printed}"


def refreshed(page: Path, folder: Path, examples: Path) -> str:
    """The text of `page` with what its commands print now where they print something else."""
    kept = {step.line: step for step in _play(page, folder, examples) if isinstance(step, Step)}
    lines: list[str] = []
    skip = 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if skip:
            skip -= 1
            continue
        lines.append(line)
        step = kept.get(number)
        if step is not None and step.differs:
            lines += step.printed
            skip = len(step.shown)
    return "\n".join(lines) + "\n"


def _play(page: Path, folder: Path, examples: Path) -> Iterator[Step | str]:
    """Every command of `page`, run; and what went wrong in its scripts."""
    shutil.copytree(examples, folder / "examples")
    prompt = Prompt(folder)
    found = blocks(page)
    scripts = [block for block in found if block.language == "python" and block.title is None]
    for block in found:
        if block.title is not None:
            (folder / block.title).write_text(block.text, encoding="utf-8")
            if block.title == "pyproject.toml":
                install(folder)
        elif block.language == "console":
            for step in steps(block):
                prompt.take(step)
                yield step
        elif scripts and block is scripts[0]:
            yield from _run(scripts, prompt)


def _run(scripts: list[Block], prompt: Prompt) -> Iterator[str]:
    """Runs `scripts` as one, each on its own lines, so that a traceback names those of the page."""
    source = ""
    for script in scripts:
        source += "\n" * (script.line - 1 - source.count("\n")) + script.text
    run = prompt.folder / "page.py"
    run.write_text(source, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", run],
        cwd=prompt.folder,
        env=prompt.variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        yield f", as {run.name}:\n{done.stderr}"


def install(folder: Path) -> None:
    """Makes the entry points of the `pyproject.toml` in `folder` known to whoever imports there."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    information = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (information / "entry_points.txt").write_text("\n".join(lines) + "\n")


def steps(block: Block) -> list[Step]:
    """The commands of a `console` block."""
    found: list[Step] = []
    for number, line in enumerate(block.text.splitlines(), block.line):
        if line.startswith("$ "):
            found.append(Step(line[2:], number))
        elif found:
            found[-1].shown.append(line)
    return found


class Prompt:
    """A terminal in `folder`: remembers exit code, variables, and what entry ids have become."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = 0
        self.keys: dict[str, str] = {}
        kept = {k: v for k, v in os.environ.items() if not k.startswith("EGIDE_")}
        self.variables = kept | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "EGIDE_HOME": str(folder / "egide-home"),
            "PYTHONPATH": str(folder),
            "COLUMNS": str(WIDTH),
            "TERM": "xterm",
            "NO_COLOR": "1",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }

    def run(self, command: str) -> list[str]:
        """What `command` prints on a terminal, standard error included."""
        command = _ID.sub(lambda m: f"{self.keys.get(m[1], m[1])}-{m[2]}", command)
        if export := re.fullmatch(r"export (\w+)=(\S+)", command):
            self.variables[export[1]] = export[2].replace("$PWD", str(self.folder))
            return []
        master, slave = pty.openpty()
        process = subprocess.Popen(
            ["bash", "-c", f"(exit {self.code})\n{command}"],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=slave,
            stderr=slave,
        )
        # The slave stays open: what was not read yet may be lost when nobody holds it any more.
        output = _until_end(process, master) + _until_mark(master, os.ttyname(slave))
        os.close(slave)
        os.close(master)
        self.code = process.wait()
        lines = _CONTROL.sub("", _ERASED.sub("", output.decode())).splitlines()
        return [line for line in lines if _BAR not in line]

    def take(self, step: Step) -> None:
        """Runs `step` and notes what it printed, with ids and folder as the page has them."""
        printed = self.run(step.command)
        step.differs = not self._same(
            [line for line in step.shown if line], [line for line in printed if line]
        )
        text = "\n".join(printed).replace(str(self.folder), _ANY_LINES)
        for shown, real in self.keys.items():
            text = text.replace(real, shown)
        step.printed = text.splitlines()

    def _same(self, shown: list[str], printed: list[str]) -> bool:
        if not shown:
            return not printed
        if shown[0] == _ANY_LINES:
            return any(self._same(shown[1:], printed[n:]) for n in range(len(printed) + 1))
        if not printed or not self._line(shown[0], printed[0]):
            return False
        return self._same(shown[1:], printed[1:])

    def _line(self, shown: str, printed: str) -> bool:
        pattern, keys = "", []
        rest = _steady(shown)
        while found := _ID.search(rest):
            pattern += _escaped(rest[: found.start()]) + rf"([0-9a-f]{{8}})-{found[2]}"
            keys.append(found[1])
            rest = rest[found.end() :]
        match = re.fullmatch(pattern + _escaped(rest), _steady(printed))
        if match is None:
            return False
        self.keys |= dict(zip(keys, match.groups(), strict=True))
        return True


def _until_end(process: subprocess.Popen[bytes], master: int) -> bytes:
    """What was read from the terminal when `process` ended."""
    output = b""
    ending = os.pidfd_open(process.pid)
    try:
        while ending not in (ready := select.select([master, ending], [], [])[0]):
            output += os.read(master, 65536)
        while master in ready:
            output += os.read(master, 65536)
            ready = select.select([master], [], [], 0)[0]
    finally:
        os.close(ending)
    return output


def _until_mark(master: int, terminal: str) -> bytes:
    """What was written to the terminal and is still on its way, however slow the machine is."""
    output, marked = b"", False
    behind = os.open(terminal, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        while not output.endswith(_MARK):
            if not marked:
                with suppress(BlockingIOError):  # it is full: first what is in it is read
                    marked = bool(os.write(behind, _MARK))
            output += os.read(master, 65536)
    finally:
        os.close(behind)
    return output.removesuffix(_MARK)


def _steady(line: str) -> str:
    for varying, word in _VARYING:
        line = varying.sub(word, line)
    return line.rstrip()


def _escaped(text: str) -> str:
    return ".*".join(re.escape(part) for part in text.split(_ANY_LINES))


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as temporary:
            fresh = refreshed(Path(name), Path(temporary), Path("examples"))
        Path(name).write_text(fresh, encoding="utf-8")
