"""The documentation says what the program does: nothing is missing, stale, dead or invented."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

import egide
from egide import errors, policy_file
from egide.cli.app import app
from egide.db import sqlite
from egide.errors import EgideError, ItemError
from egide.label import Label
from tests.walkthrough import blocks, played

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "examples" / "README.md"])
PLAYED = [
    page for page in PAGES if {"console", "python"} & {block.language for block in blocks(page)}
]
GENERATED = {".git", ".venv", "build", "dist", "__pycache__", "node_modules"}
TEXT = {
    ".c",
    ".cpp",
    ".css",
    ".html",
    ".hpp",
    ".j2",
    ".js",
    ".json",
    ".md",
    ".py",
    ".pyi",
    ".sh",
    ".sql",
    ".toml",
    ".txt",
    ".yaml",
    ".yml",
    "",
}


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def everything() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in PAGES)


def leaves(command: Any, path: str = "egide") -> list[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        return [(path, command)]
    return [leaf for name, child in children.items() for leaf in leaves(child, f"{path} {name}")]


COMMANDS = leaves(typer.main.get_command(app))


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write_reference.py", "--check"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "80"},
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("path", "command"), COMMANDS, ids=[path for path, _ in COMMANDS])
def test_every_command_and_flag_is_documented(path: str, command: Any) -> None:
    _, _, rest = page("reference/commands.md").partition(f"\n## {path}\n")
    section = rest.partition("\n## ")[0]

    assert section, f"{path} has no section"
    for parameter in command.params:
        if parameter.param_type_name == "option" and "--help" not in parameter.opts:
            missing = [flag for flag in parameter.opts if f"`{flag}`" not in section]
            assert not missing, f"{path}: {missing}"


@pytest.mark.parametrize("path", [path for path, _ in COMMANDS])
def test_every_command_is_told_of_outside_the_reference(path: str) -> None:
    told = [page for page in PAGES if "reference" not in page.parts]

    assert any(path.removeprefix("egide ") in page.read_text(encoding="utf-8") for page in told)


def test_every_label_is_documented() -> None:
    assert [label for label in Label if f"| `{label}` |" not in page("reference/labels.md")] == []


def test_every_error_is_documented() -> None:
    text = page("reference/errors.md")
    classes = [
        v for v in vars(errors).values() if isinstance(v, type) and issubclass(v, EgideError)
    ]

    assert [c.__name__ for c in classes if c.__name__ not in text] == []
    final = [c for c in classes if issubclass(c, ItemError) and c.code not in ("item", "limit")]
    assert [c.code for c in final if f"| `{c.code}` |" not in text] == []


def test_every_public_name_is_documented_and_used_in_an_example() -> None:
    missing = [n for n in egide.__all__ if f"\n## {n}\n" not in page("reference/library.md")]

    assert missing == []


def test_every_policy_key_is_documented() -> None:
    keys = {"policy", "version", "rules", "all", "any", "not", "at_least", "below"}
    keys |= {*policy_file._RULE_KEYS, *policy_file._LEAF_KEYS}
    text = page("reference/policy.md")

    assert [key for key in sorted(keys) if not re.search(rf"[`{{ ]{key}[`:]", text)] == []


def test_every_table_of_the_database_is_documented() -> None:
    scripts = "".join(
        path.read_text(encoding="utf-8")
        for path in (Path(sqlite.__file__).parent / "schema").glob("*.sql")
    )
    tables = re.findall(r"^CREATE TABLE (\w+)", scripts, re.MULTILINE)

    assert tables
    assert [t for t in tables if f"| `{t}` |" not in page("reference/file-formats.md")] == []


def test_every_module_is_on_the_map() -> None:
    text = page("architecture.md")
    modules = [
        path.stem if path.is_file() else f"{path.name}/"
        for path in (ROOT / "src" / "egide").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    ]

    assert [m for m in sorted(modules) if m != "__init__" and f"`{m}`" not in text] == []


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    assert listed is not None

    for name in re.findall(r'"([\w-]+)', listed[1]):
        assert f"| {name} |" in page("architecture.md"), name


@pytest.mark.parametrize("path", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_links_lead_somewhere(path: Path) -> None:
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        leads_to = path if not file else (path.parent / file)
        if not leads_to.exists() or (anchor and anchor not in anchors(leads_to)):
            dead.append(target)

    assert dead == []


def anchors(path: Path) -> set[str]:
    """The anchors that a forge makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def test_every_page_is_in_the_index() -> None:
    index = page("README.md")
    pages = [path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")]

    assert [name for name in pages if name != "README.md" and f"({name})" not in index] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", PLAYED, ids=[str(path.relative_to(ROOT)) for path in PLAYED])
def test_what_the_documentation_shows_happens(path: Path, tmp_path: Path) -> None:
    different = "\n\n".join(played(path, tmp_path, ROOT / "examples"))

    assert not different, different


def test_the_readme_keeps_a_place_for_the_figures() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert re.search(r"<!-- figures -->\n(.*\n)*<!-- /figures -->", text)


def test_no_machine_path_and_no_registry_address_is_written_down() -> None:
    # Put together here, so that this file may be searched too.
    machine = r"(?<![\w.])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+)/"
    registries = r"|".join(
        f"{name}\\.{end}"
        for name, end in (
            ("py" + "pi", "org"),
            ("python" + "hosted", "org"),
            ("npm" + "js", "(?:com|org)"),
            ("deb\\.deb" + "ian", "org"),
            ("crates", "io"),
            ("proxy\\.gol" + "ang", "org"),
        )
    )
    forbidden = re.compile(f"{machine}|{registries}")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in committed()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if forbidden.search(line)
    ]

    assert found == []


def committed() -> list[Path]:
    """The text files that are, or would be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:  # an unpacked archive
        paths = [p for p in ROOT.rglob("*") if not GENERATED & set(p.relative_to(ROOT).parts)]
    return [path for path in paths if path.is_file() and path.suffix in TEXT]


def test_words_are_the_fields_own() -> None:
    avoided = re.compile(r"revenge porn|deepfake porn|victim", re.IGNORECASE)

    assert avoided.findall(everything()) == []
