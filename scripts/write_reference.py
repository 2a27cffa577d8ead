"""Writes the generated pages of docs/reference from the code they describe.

`python scripts/write_reference.py` writes them, `--check` names the stale ones and exits with 1.
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import typer.main

import egide
from egide import errors
from egide.cli.app import app
from egide.client import Client
from egide.client import errors as client_errors
from egide.client.asking import Listing, Operation, Streaming
from egide.client.clients import Settings
from egide.client.operations import Operations
from egide.detector import ENTRY_POINT_GROUP, Detector, DetectorSettings
from egide.errors import EgideError, ItemError
from egide.label import DSA_KEYWORD, OZONE_REASON, Label
from egide.report.words import LABELS, cure_of
from egide.variables import GROUPS, Variable
from egide.web.app import create_app
from egide.web.settings import ServeSettings

REFERENCE: Final = Path(__file__).parent.parent / "docs" / "reference"
NOTICE: Final = (
    "<!-- Written by scripts/write_reference.py: edit the code, then run `make docs`. -->"
)
STARS: Final[dict[object, str]] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}
HELP_FLAGS: Final = frozenset({"--help", "--install-completion", "--show-completion"})


def commands() -> str:
    """Every command with its arguments, options, environment variables and defaults."""
    lines = [
        "# Commands",
        "",
        (
            "Data goes to standard output, everything else to standard error. What the exit "
            "codes say: [Read the exit code](../how-to/read-the-exit-code.md). Variables: "
            "[Environment](environment.md)."
        ),
    ]
    for path, command in _walk(("egide",), typer.main.get_command(app)):
        lines += _command(path, command)
    return _page(lines)


def _walk(path: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from _walk((*path, name), child)


def _command(path: tuple[str, ...], command: Any) -> list[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [
        p for p in command.params if p.param_type_name == "option" and not HELP_FLAGS & set(p.opts)
    ]
    usage = [*path, *(["[OPTIONS]"] if options else []), *map(_metavar, arguments)]
    lines = ["", f"## {' '.join(path)}", "", "```sh", " ".join(usage), "```", ""]
    lines += inspect.cleandoc(command.help or "").splitlines()
    if arguments:
        lines += ["", "| argument | |", "|---|---|"]
        lines += [f"| `{_metavar(a)}` | {_cell(a.help or '')} |" for a in arguments]
    if options:
        lines += ["", "| option | variable | default | |", "|---|---|---|---|"]
        lines += [_option(option) for option in options]
    return lines


def _metavar(argument: Any) -> str:
    word = argument.name.upper().rstrip("_")
    return f"{word}…" if argument.nargs == -1 else word


def _option(option: Any) -> str:
    flags = ", ".join(f"`{flag}`" for flag in option.opts)
    variable = f"`{option.envvar}`" if option.envvar else ""
    default = "" if option.default in (None, False, ()) else f"`{option.default}`"
    low, high = getattr(option, "min", None), getattr(option, "max", None)
    span = f" From {low} to {high}." if high is not None else ""
    return f"| {flags} | {variable} | {default} | {_cell(option.help or '')}{span} |"


def labels() -> str:
    """The taxonomy with its counterparts in the DSA Transparency Database and in Ozone."""
    given = {label for detector in _shipped() for label in detector.labels}
    lines = [
        "# Labels",
        "",
        (
            "The words a finding may carry. *Given today* says whether a detector that ships "
            "gives it; the others are kept for detectors to come and for yours."
        ),
        "",
        "| label | says | given today | DSA keyword | Ozone reason |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{label}` | {_cell(LABELS[label].meaning)} | {'yes' if label in given else ''} "
        f"| {_code(DSA_KEYWORD.get(label))} | {_code(OZONE_REASON.get(label))} |"
        for label in Label
    ]
    lines += [
        "",
        (
            "DSA keywords are those of the Transparency Database of the Digital Services Act "
            "(schema of 1 July 2025). Ozone reasons are the report reasons of the AT Protocol's"
            " labelling service. A label without a counterpart has an empty cell."
        ),
        "",
        (
            "`minor.escalate` wins over every policy: the verdict is `escalate`, and keeps "
            "nothing of the item but its reference."
        ),
    ]
    return _page(lines)


def error_codes() -> str:
    """Every error: its place in the tree, its code, its message, its cure."""
    tree = inspect.cleandoc(errors.__doc__ or "").split("\n\n")[1]
    lines = [
        "# Errors",
        "",
        "## In a verdict",
        "",
        (
            "What kept an item from being read stands in its verdict's `errors`, each with a "
            "stable code. It never stops a scan, and an item with an error is never `allow`."
        ),
        "",
        "| code | says | do |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{error.code}` | {_headline(error)} | {_cell(cure_of(error.code).cure)} |"
        for error in _classes()
        if issubclass(error, ItemError) and error not in (ItemError, errors.LimitExceeded)
    ]
    lines += [
        "",
        (
            "`truncated`, `corrupt`, `polyglot` and the limits may stand beside findings: what "
            "could be read was looked at all the same."
        ),
        "",
        "## On the command line",
        "",
        (
            "These end a command with exit code 2 and one line on standard error. In the "
            "library they are exceptions of `egide.errors`."
        ),
        "",
        "| exception | message |",
        "|---|---|",
    ]
    lines += [
        f"| `{error.__name__}` | {_headline(error)} |"
        for error in _classes()
        if not issubclass(error, ItemError)
    ]
    lines += ["", "## The tree", "", "```text", *inspect.cleandoc(tree).splitlines(), "```"]
    return _page(lines)


def _classes() -> list[type[EgideError]]:
    return [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, EgideError)
    ]


def _headline(error: type[EgideError]) -> str:
    return _cell((error.__doc__ or "").strip().splitlines()[0])


def detectors() -> str:
    """The detectors that ship, with the examples that run as their tests."""
    lines = [
        "# Detectors",
        "",
        (
            "What ships. How to add one: [Write a detector](../how-to/write-a-detector.md). The"
            " examples below run as tests."
        ),
    ]
    for detector in _shipped():
        module = inspect.getmodule(type(detector))
        text = inspect.cleandoc((module.__doc__ if module else "") or "")
        lines += ["", f"## {detector.name}", "", *text.splitlines(), ""]
        lines += [f"Reads: {_codes(detector.kinds)}. Gives: {_codes(detector.labels)}.", ""]
        lines += ["| example | expected |", "|---|---|"]
        lines += [
            f"| {_cell(example.why)} | {_codes(example.labels) or 'nothing'} |"
            for example in detector.examples
        ]
    return _page(lines)


def _shipped() -> list[Detector]:
    """The detectors of this package, whatever else is installed here."""
    entries = [e for e in entry_points(group=ENTRY_POINT_GROUP) if e.value.startswith("egide.")]
    settings = DetectorSettings()
    return [e.load()(settings) for e in sorted(entries, key=lambda entry: entry.name)]


def verdict() -> str:
    """The fields of `egide.verdict/1`, from its JSON Schema."""
    source = files("egide.report").joinpath("verdict.schema.json")
    schema = json.loads(source.read_text(encoding="utf-8"))
    lines = [
        "# Verdict",
        "",
        (
            f"{schema['description']} The JSON Schema itself is "
            "[`verdict.schema.json`](../../src/egide/report/verdict.schema.json); in the library, "
            "`Verdict.to_json` and `Verdict.from_json`."
        ),
    ]
    lines += _fields("The verdict", schema)
    lines += _fields("`item`", schema["properties"]["item"])
    for name in ("finding", "evidence", "skip", "fault"):
        lines += _fields(
            {
                "fault": "Each of `errors`",
                "skip": "Each of `skipped`",
                "finding": "Each of `findings`",
            }.get(name, f"`{name}`"),
            schema["$defs"][name],
        )
    lines += ["", "## Always true", ""]
    lines += [f"- {rule['description']}" for rule in schema["allOf"]]
    return _page(lines)


def trace() -> str:
    """The fields of `egide.trace/1`, from its JSON Schema."""
    source = files("egide.report").joinpath("trace.schema.json")
    schema = json.loads(source.read_text(encoding="utf-8"))
    lines = [
        "# Trace",
        "",
        (
            f"{schema['description']} How to read it: [Trace a picture](../how-to/trace.md). The "
            "JSON Schema itself is "
            "[`trace.schema.json`](../../src/egide/report/trace.schema.json)."
        ),
    ]
    lines += _fields("The trace", schema)
    lines += _fields("`item`", schema["properties"]["item"])
    titles = {
        "model": "Each of `models`",
        "statement": "Each of `found`",
        "label": "Each of `labels`",
        "link": "Each of `links`",
        "fault": "Each of `errors`",
    }
    for name, part in schema["$defs"].items():
        lines += _fields(titles.get(name, f"`{name}`"), part)
    return _page(lines)


def _fields(title: str, part: dict[str, Any]) -> list[str]:
    lines = ["", f"## {title}", "", "| field | type | |", "|---|---|---|"]
    required = set(part.get("required", ()))
    for name, field in part["properties"].items():
        optional = "" if not required or name in required else " (optional)"
        lines.append(
            f"| `{name}` | {_type(field)}{optional} | {_cell(field.get('description', ''))} |"
        )
    return lines


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return {"detector": "string"}.get(field["$ref"].rsplit("/", 1)[-1], "object")
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return "label" if len(field["enum"]) > 10 else ", ".join(f"`{v}`" for v in field["enum"])
    if field["type"] == "array":
        return (
            f"list of {_type(field['items']).replace('list of ', 'lists of ').removesuffix('s')}s"
        )
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    span = f" {field['minimum']}..{field['maximum']}" if "maximum" in field else ""
    return " or ".join(kinds) + span


def library() -> str:
    """The public names of the package."""
    lines = [
        "# Library",
        "",
        (
            "The public names of `egide`, loaded when first used. Everything else may change "
            "without notice; `egide.testing` and `egide.errors` keep still too. Worked "
            "examples: [Use it as a library](../how-to/use-as-library.md)."
        ),
    ]
    for name in egide.__all__:
        value = getattr(egide, name)
        lines += ["", f"## {name}", "", *_documented(value)]
        if isinstance(value, type):
            lines += _members(value)
    return _page(lines)


def _documented(value: object) -> list[str]:
    text = inspect.getdoc(value) or ""
    if inspect.isfunction(value):
        return [*_signature(value.__name__, value), "", *text.splitlines()]
    return text.splitlines()


def _members(cls: type) -> list[str]:
    """Members of an enumeration; else the methods and properties that the class itself defines."""
    if hasattr(cls, "__members__"):
        return ["", "Values: " + ", ".join(f"`{member.value}`" for member in cls)]  # type: ignore[attr-defined]
    lines: list[str] = []
    for name, member in vars(cls).items():
        call = member.__func__ if isinstance(member, classmethod) else member
        is_property = isinstance(member, property)
        if name.startswith("_") or not (is_property or inspect.isfunction(call)):
            continue
        shown = name if is_property else f"{name}({', '.join(_parameters(call))})"
        lines.append(f"- `{shown}`: {_first_sentence(member)}")
    return ["", *lines] if lines else []


def _signature(name: str, call: Callable[..., object]) -> list[str]:
    return ["```text", f"{name}({', '.join(_parameters(call))})", "```"]


def _parameters(call: Callable[..., object]) -> Iterator[str]:
    for name, parameter in inspect.signature(call).parameters.items():
        if name in ("self", "cls"):
            continue
        star = STARS.get(parameter.kind, "")
        default = parameter.default
        shown = repr(str(default)) if isinstance(default, str) else default
        yield f"{star}{name}" + ("" if default is parameter.empty else f"={shown}")


def client() -> str:
    """The methods of the client of the service, and its errors."""
    lines = [
        "# Client",
        "",
        (
            "What `egide.client` can ask a service. `Client` answers as shown; `AsyncClient` has "
            "the same methods, to be awaited, and `async for` where an iterator is given. How to "
            "use it: [Ask from Python](../how-to/clients.md)."
        ),
        "",
        "## Client, AsyncClient",
        "",
        *_documented(Client),
        "",
        "| setting | |",
        "|---|---|",
        *_attributes(Settings),
    ]
    for name, method in vars(Operations).items():
        if not isinstance(method, Operation | Listing | Streaming):
            continue
        kind = {Listing: "an iterator", Streaming: "an iterator of bytes"}.get(type(method))
        lines += ["", f"## {name}", "", *_signature(name, method.build), ""]
        lines += [*(inspect.getdoc(method) or "").splitlines()]
        lines += ["", f"Gives {kind}."] if kind else []
    tree = inspect.cleandoc(client_errors.__doc__ or "").split("\n\n")[1]
    lines += ["", "## Errors", "", "```text", *inspect.cleandoc(tree).splitlines(), "```"]
    return _page(lines)


def _attributes(cls: type) -> Iterator[str]:
    """The rows of the `Attributes:` of a docstring."""
    _, _, text = (inspect.getdoc(cls) or "").partition("Attributes:\n")
    for name, told in re.findall(r"^    (\w+): (.*(?:\n        .*)*)", text, re.MULTILINE):
        yield f"| `{name}` | {_cell(told)} |"


def http() -> str:
    """Every operation of the service, as its OpenAPI description has it."""
    document = create_app(ServeSettings()).openapi()
    lines = [
        "# HTTP interface",
        "",
        (
            "What `egide serve` answers; the whole description, with schemas and examples, is at "
            "`/openapi.json`, and as a page to try it at `/docs`. How to use it: "
            "[Run the service](../how-to/run-the-service.md)."
        ),
    ]
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = next(iter(operation.get("tags", ())), "other")
            groups.setdefault(tag, []).extend(_operation(path, method, operation))
    for tag, described in groups.items():
        lines += ["", f"## {tag.capitalize()}", *described]
    return _page(lines)


def _operation(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    lines = ["", f"### `{method.upper()} {path}`", "", operation.get("description", "")]
    rows = [
        f"| `{each['name']}` | {each['in']} | {_cell(each.get('description', ''))} |"
        for each in operation.get("parameters", ())
    ]
    body = operation.get("requestBody", {}).get("content", {})
    if body:
        rows.append(f"| body | {_codes(body)} | |")
    if rows:
        lines += ["", "| takes | in | |", "|---|---|---|", *rows]
    return [*lines, "", f"Answers {', '.join(sorted(operation['responses']))}."]


def environment() -> str:
    """Every variable, as `egide.variables` declares it."""
    lines = [
        "# Environment",
        "",
        (
            "Flags win over variables. Nothing is ever read from the folder that is scanned. "
            "[`egide doctor`](../how-to/doctor.md) names variables that are misspelt or out of "
            "range."
        ),
    ]
    for group in GROUPS:
        lines += ["", f"## {group.title}", ""]
        lines += [group.before, ""] if group.before else []
        flags = any(each.flag for each in group.variables)
        lines += ["| variable |" + (" flag |" if flags else "") + " value | default | |"]
        lines += ["|---|" + ("---|" if flags else "") + "---|---|---|"]
        lines += [_variable(each, flags=flags) for each in group.variables]
    lines += [
        "",
        "## The terminal",
        "",
        (
            "`NO_COLOR` takes colours away, `FORCE_COLOR` brings them to a pipe, `COLUMNS` sets the"
            " width of the table (60 to 160 are used)."
        ),
    ]
    return _page(lines)


def _variable(variable: Variable, *, flags: bool) -> str:
    span = f", {variable.span}" if variable.span else ""
    flag = f" {_code(variable.flag)} |" if flags else ""
    return (
        f"| `{variable.name}` |{flag} {_cell(variable.type)}{span} | {_cell(variable.default)} "
        f"| {_cell(variable.meaning)} |"
    )


def _first_sentence(member: object) -> str:
    paragraph = (inspect.getdoc(member) or "").split("\n\n", maxsplit=1)[0]
    return _cell(" ".join(paragraph.split()))


def _codes(words: Iterable[object]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(map(str, words)))


def _code(word: str | None) -> str:
    return f"`{word}`" if word else ""


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _page(lines: list[str]) -> str:
    text = "\n".join([lines[0], "", NOTICE, *lines[1:]])
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


PAGES: Final[dict[str, Callable[[], str]]] = {
    "client.md": client,
    "commands.md": commands,
    "detectors.md": detectors,
    "environment.md": environment,
    "errors.md": error_codes,
    "http.md": http,
    "labels.md": labels,
    "library.md": library,
    "trace.md": trace,
    "verdict.md": verdict,
}


def main() -> int:
    """Writes the pages, or with `--check` only says which are stale."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if stale")
    check = parser.parse_args().check
    stale = []
    for name, write in PAGES.items():
        path, text = REFERENCE / name, write()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"docs/reference/{name}: {'stale, run `make docs`' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
