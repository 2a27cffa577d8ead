"""What is around: variables, versions, the clock, and what confines the reading of uploads."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final

from egide.operations.lines import Line, fail, ok, warn
from egide.variables import Type, strangers, variables

JUMP: Final = 0.05
"""Seconds by which the clock may differ from the monotonic one while it is looked at."""
LOOKED: Final = 0.1
RELEASED: Final = 1_704_067_200
"""1 January 2024: a clock before that was never set."""
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?([^;]*)(?:;(.*))?")
_LEAST: Final = re.compile(r">=\s*([0-9.]+)")
_EXTRA: Final = re.compile(r"extra\s*==\s*['\"]([\w-]+)['\"]")
NEEDED: Final = {
    "EGIDE_DATABASE_URL": "postgresql",
    "EGIDE_SSCD_MODEL": "embedding",
    "EGIDE_SEMANTIC": "semantic",
}
"""Which extra a variable needs."""
EXTRAS: Final = ("postgresql", "heic", "embedding", "semantic")
_CONFINE: Final = (
    "from egide.sandbox import landlock, seccomp\n"
    "print('landlock' if landlock.restrict([]) else '', 'seccomp' if seccomp.restrict() else '')"
)


def look_at_settings(environment: Mapping[str, str]) -> Iterator[Line]:
    """The variables that are set: whether there are such, and what they may be."""
    mine = [each for each in variables() if environment.get(each.name)]
    yield ok("settings", f"set: {', '.join(each.name for each in mine) or 'none'}")
    for name, meant in strangers(environment):
        yield warn(
            "settings.unknown",
            f"{name} is no variable of égide",
            f"did you mean {meant}?" if meant else "see docs/reference/environment.md",
        )
    for each in mine:
        value = environment[each.name]
        wrong = each.wrong(value)
        if wrong:
            shown = "***" if each.secret else repr(value[:40])
            yield fail(
                "settings.value",
                f"{each.name} is {shown}: {wrong}",
                "see docs/reference/environment.md",
            )
        made = each.name in ("EGIDE_SECRET_FILE", "EGIDE_LOG_KEY_FILE")  # when they are not there
        named = each.name == "EGIDE_GAZETTEER" and value == "sample"
        if each.type is Type.FILE and not (made or named or os.access(value, os.R_OK)):
            yield fail(
                "settings.file",
                f"{each.name} names a file that cannot be read",
                "see path and rights",
            )


def look_at_policy(environment: Mapping[str, str]) -> Iterator[Line]:
    """Whether the policy, the content sources and the lexicons that are named can be used."""
    from egide.content import Sources  # noqa: PLC0415  what is not asked for is not loaded
    from egide.errors import EgideError  # noqa: PLC0415
    from egide.policy_file import load_policy  # noqa: PLC0415

    try:
        path = environment.get("EGIDE_POLICY")
        policy = load_policy(Path(path)) if path else load_policy()
        yield ok("policy", f"{policy.name}@{policy.version}")
    except EgideError as error:
        yield fail("policy.invalid", str(error), "`egide policy check` says more")
    try:
        sources = Sources.from_environment()
        yield ok("content", f"{len(sources.sources)} content sources")
    except EgideError as error:
        yield fail("content.sources", str(error), "see docs/reference/environment.md")
    own = environment.get("EGIDE_LEXICON")
    if own:
        from egide.text.lexicon import FOLDER, load_lexicon  # noqa: PLC0415  where there is one

        try:
            lexicon = load_lexicon(FOLDER, Path(own))
            yield ok("lexicon", f"languages: {', '.join(lexicon.names)}")
        except EgideError as error:
            yield fail("lexicon.invalid", str(error), "`egide text lint-lexicon` says more")


def look_at_versions(environment: Mapping[str, str]) -> Iterator[Line]:
    """Python, the system, and every library that égide or a variable needs."""
    yield ok(
        "versions",
        f"égide {version('egide')}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.release()} {platform.machine()}",
    )
    wanted = [
        extra
        for name, extra in NEEDED.items()
        if environment.get(name, "").strip().lower() not in ("", "0", "false")
    ]
    there = [extra for extra in EXTRAS if not any(_missing(extra))]
    yield ok("extras", f"installed: {', '.join(there) or 'none'}")
    for extra in wanted:
        for problem in _missing(extra):
            yield fail("versions.extra", problem, f"pip install 'egide[{extra}]'")
    for problem in _missing(None):
        yield fail("versions.library", problem, "install égide anew")


def _missing(extra: str | None) -> Iterator[str]:
    """What of an extra, or of égide itself, is not there or too old."""
    for text in requires("egide") or ():
        matched = _REQUIREMENT.match(text)
        if matched is None:
            continue
        name, range_, condition = matched.groups()
        of = _EXTRA.search(condition or "")
        if (of[1] if of else None) != extra or name == "egide":
            continue
        try:
            found = version(name)
        except PackageNotFoundError:
            yield f"{name} is not installed"
            continue
        least = _LEAST.search(range_)
        if least and _numbers(found) < _numbers(least[1]):
            yield f"{name} is {found}, {least[1]} is the least"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def look_at_clock(
    wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
) -> Iterator[Line]:
    """Whether the clock was ever set, and goes evenly, while one looks for a tenth of a second."""
    before = wall() - steady()
    time.sleep(LOOKED)
    moved = (wall() - steady()) - before
    if wall() < RELEASED:
        yield fail(
            "clocks.unset",
            f"it is {time.strftime('%Y-%m-%d', time.gmtime(wall()))} on this machine",
            "set the clock, and let it follow a time server (NTP)",
        )
    elif abs(moved) > JUMP:
        yield warn(
            "clocks.jump",
            f"the clock jumped by {moved:+.2f} s while it was looked at",
            "let one service alone set it, by and by (chrony, systemd-timesyncd)",
        )
    else:
        yield ok("clocks", "the clock goes evenly")


def look_at_sandbox(python: str = sys.executable) -> Iterator[Line]:
    """Whether this kernel confines a process that reads uploads: one is made and confined."""
    if sys.platform != "linux":
        yield warn(
            "sandbox.system",
            f"on {platform.system()} uploads are read under limits alone",
            "run the service on Linux",
        )
        return
    done = subprocess.run(  # noqa: S603  ourselves
        [python, "-c", _CONFINE], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it ended"])[-1]
        yield fail(
            "sandbox.failed",
            f"a process cannot be confined: {said}",
            "see docs/how-to/confine-decoders.md",
        )
        return
    means = done.stdout.split()
    yield ok("sandbox", f"{', '.join(['limits', *means])}")
    if "landlock" not in means:
        yield warn(
            "sandbox.landlock",
            "the kernel has no Landlock: a broken decoder could read files",
            "use Linux 5.13 or later with landlock in lsm=",
        )
    if "seccomp" not in means:
        yield warn(
            "sandbox.seccomp",
            "there is no filter on system calls: a broken decoder could open sockets",
            "use a kernel with seccomp, on x86-64 or AArch64",
        )
