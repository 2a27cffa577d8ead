"""The declared variables are those that the code reads, with its flags, defaults and ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer.main

from egide.cli.app import app
from egide.db.postgresql_pool import DEFAULT_CONNECTIONS, MOST_CONNECTIONS
from egide.identity.audit import KEEP_DAYS
from egide.media.picture import Limits
from egide.sandbox.pool import _VARIABLES, SandboxLimits
from egide.variables import Type, Variable, find, strangers, variables

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"EGIDE_[A-Z0-9]+(?:_[A-Z0-9]+)*")
NOT_VARIABLES = {"EGIDE_MAX"}  # the beginning of several
SOURCES = [
    path
    for pattern in ("src/egide/**/*.py", "deploy/*", "examples/recipes/**/*.py")
    for path in sorted(ROOT.glob(pattern))
    if path.parent.name != "variables"
]
DECLARED = {each.name: each for each in variables()}


def parameters(command: Any) -> Iterator[Any]:
    """The parameters of all commands that have a variable."""
    yield from (each for each in command.params if each.envvar)
    for child in getattr(command, "commands", {}).values():
        yield from parameters(child)


FLAGS = list(parameters(typer.main.get_command(app)))


def test_what_the_sources_name_is_what_is_declared() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCES)
    named = set(NAME.findall(text)) - NOT_VARIABLES
    named |= {f"EGIDE_MAX_{field.name.upper()}" for field in fields(Limits)}

    assert named == set(DECLARED)


def test_each_is_declared_once() -> None:
    names = [each.name for each in variables()]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("flag", FLAGS, ids=[f"{each.envvar}-{each.name}" for each in FLAGS])
def test_flags_are_as_declared(flag: Any) -> None:
    declared = DECLARED[flag.envvar]

    if flag.param_type_name == "option":
        assert declared.flag in flag.opts
    if isinstance(flag.default, int | float) and not isinstance(flag.default, bool):
        assert float(declared.default) == flag.default
        low, high = getattr(flag.type, "min", None), getattr(flag.type, "max", None)
        assert (low, high) == (declared.least, declared.most)
    elif isinstance(flag.default, str):
        assert declared.default.strip("`") == flag.default


def test_flags_that_are_declared_are_there() -> None:
    assert {each.name for each in variables() if each.flag} == {each.envvar for each in FLAGS}


def number(variable: Variable) -> float:
    """The default, which may be followed by itself in words."""
    return float(variable.default.partition(" ")[0].replace(",", ""))


@pytest.mark.parametrize("field", fields(Limits), ids=lambda field: field.name)
def test_limits_are_as_declared(field: Any) -> None:
    declared = DECLARED[f"EGIDE_MAX_{field.name.upper()}"]
    whole = isinstance(field.default, int)

    assert number(declared) == field.default
    assert declared.type is (Type.WHOLE if whole else Type.POSITIVE)


@pytest.mark.parametrize("name", ["memory", "seconds", "wait"])
def test_limits_of_workers_are_as_declared(name: str) -> None:
    assert number(DECLARED[_VARIABLES[name][0]]) == getattr(SandboxLimits(), name)


def test_other_defaults_are_as_declared() -> None:
    connections = DECLARED["EGIDE_DATABASE_CONNECTIONS"]

    assert (number(connections), connections.most) == (DEFAULT_CONNECTIONS, MOST_CONNECTIONS)
    assert number(DECLARED["EGIDE_AUDIT_DAYS"]) == KEEP_DAYS


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("EGIDE_PORT", "8080", None),
        ("EGIDE_PORT", "70000", "it is not 0 to 65,535"),
        ("EGIDE_PORT", "http", "it is no whole number"),
        ("EGIDE_MAX_SECONDS", "0", "it is no number above 0"),
        ("EGIDE_MAX_SECONDS", "nan", "it is no number above 0"),
        ("EGIDE_RATE", "0.5", None),
        ("EGIDE_SEMANTIC", "maybe", "it is neither 1 nor 0"),
        ("EGIDE_SEMANTIC", "True", None),
        ("EGIDE_HOST", "anything", None),
    ],
)
def test_what_is_wrong_with_a_value_is_said(name: str, text: str, said: str | None) -> None:
    assert DECLARED[name].wrong(text) == said


def test_misspelt_names_are_found_with_what_may_be_meant() -> None:
    environment = {"EGIDE_DATABSE_URL": "x", "EGIDE_HOME": "y", "HOME": "z", "EGIDE_QQQQQQQQQQ": ""}

    found = dict(strangers(environment))

    assert found == {"EGIDE_DATABSE_URL": "EGIDE_DATABASE_URL", "EGIDE_QQQQQQQQQQ": None}
    assert find("EGIDE_NONE") is None
