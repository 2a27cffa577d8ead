"""Traces written down: for a person at a terminal, and as JSON Lines, schema `egide.trace/1`."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator
from typing import Final, Protocol, TextIO

from egide.finding import MASK
from egide.provenance.account import NOTHING_FOUND, Link, Trace
from egide.provenance.statements import CredentialState, Generation, NamedModel, Trust
from egide.report.clean import json_text, visible, writes_utf8
from egide.report.words import LABELS, count, duration

TRUST: Final = {
    Trust.SIGNED_TRUSTED: "signed, by somebody on the trust list",
    Trust.SIGNED: "signed, by somebody unknown",
    Trust.TEXT: "plain text, which anyone can write",
    Trust.PIXELS: "in the pixels",
    Trust.CONTRADICTED: "contradicted",
}
"""How far to believe a statement, in words."""
CREDENTIALS: Final = {
    CredentialState.TRUSTED: "trusted: intact, and signed by somebody on the trust list",
    CredentialState.VALID: "valid: intact, but who signed is not known",
    CredentialState.INVALID: "invalid: do not believe them",
    CredentialState.REMOTE: "kept elsewhere: not fetched",
}
SURENESS: Final = {"sure": "surely", "strong": "very likely", "weak": "perhaps"}

ALIASES: Final = {
    "civitai-version": "id of the version",
    "civitai": "id",
    "huggingface": "id",
    "file": "name of its file",
}
"""What leads to a listing, where the word itself is none."""

_NAME_WIDTH: Final = 14
_MOST_PROMPT: Final = 400
_MOST_MODELS: Final = 20
_MOST_CELLS: Final = 2_000


class TraceReporter(Protocol):
    """Takes the traces of one run in order, and writes them as they come."""

    def trace(self, trace: Trace) -> None:
        """Takes one trace."""

    def finish(self, seconds: float) -> None:
        """Ends the report; called once, after an interruption too."""


def make_reporter(format: str, out: TextIO, *, reveal: bool) -> TraceReporter:  # noqa: A002
    """The reporter that writes `format`, `table` or `jsonl`, to `out`; `reveal` unmasks."""
    return (TraceTable if format == "table" else TraceLines)(out, reveal=reveal)


class TraceLines:
    """One JSON object a line, and at once, so that a pipe never waits."""

    def __init__(self, out: TextIO, *, reveal: bool) -> None:
        self._out = out
        self._reveal = reveal

    def trace(self, trace: Trace) -> None:
        """Writes one line."""
        self._out.write(json_text(trace.to_json(reveal=self._reveal), self._out) + "\n")
        self._out.flush()

    def finish(self, seconds: float) -> None:
        """Writes nothing more."""


class TraceTable:
    """A paragraph a file: what it says, where, and how far to believe it."""

    def __init__(self, out: TextIO, *, reveal: bool) -> None:
        self._out = out
        self._reveal = reveal
        self._width = min(max(shutil.get_terminal_size().columns, 60), 160)
        self._traced = self._telling = self._empty = self._unread = self._skipped = 0

    def trace(self, trace: Trace) -> None:
        """Writes the file's paragraph."""
        if not trace.is_traced:
            self._skipped += 1
            return
        self._traced += 1
        self._telling += bool(trace.generations or trace.declarations or trace.watermark)
        self._empty += trace.says_nothing
        self._unread += bool(trace.errors)
        self._print(visible(trace.ref))
        for name, text in told(trace, reveal=self._reveal):
            self._row(name, text)
        self._out.flush()

    def finish(self, seconds: float) -> None:
        """Writes the summary."""
        parts = [count(self._telling, "trace of a generator", "traces of generators")]
        if self._empty:
            parts.append(f"of {self._empty:,} {NOTHING_FOUND}")
        if self._unread:
            parts.append(f"{self._unread:,} not read in full")
        if self._skipped:
            parts.append(f"{count(self._skipped, 'file')} of other kinds passed by")
        pace = f"{count(self._traced, 'file')} in {duration(seconds)}"
        if seconds > 0 and self._traced:
            rate = self._traced / seconds
            pace += f" ({rate:,.{0 if rate >= 10 else 1}f}/s)"
        self._print(f"{pace}: {'; '.join(parts)}")
        self._out.flush()

    def _row(self, name: str, text: str) -> None:
        indent = " " * (_NAME_WIDTH + 2)
        wrapped = textwrap.fill(
            visible(" ".join(text[:_MOST_CELLS].split())),
            self._width,
            initial_indent=f"  {name:{_NAME_WIDTH}}",
            subsequent_indent=indent,
            break_on_hyphens=False,
        )
        self._print(wrapped)

    def _print(self, text: str) -> None:
        if not writes_utf8(self._out):
            text = text.encode(self._out.encoding, "replace").decode(self._out.encoding)
        self._out.write(text + "\n")


def told(trace: Trace, *, reveal: bool) -> Iterator[tuple[str, str]]:
    """What `trace` says, name and text, for a person."""
    if trace.says_nothing:
        yield "", NOTHING_FOUND
    if trace.first is not None:
        yield from _making(trace.first)
    if trace.software:
        yield "software", trace.software
    yield from _models(trace, reveal=reveal)
    if trace.first is not None:
        yield from _prompts(trace.first, reveal=reveal)
    yield from _declared(trace, reveal=reveal)
    yield from (("found", f"{one.where}: {one.says} ({TRUST[one.trust]})") for one in trace.found)
    yield from (("contradiction", sentence) for sentence in trace.contradictions)
    for finding in trace.labels:
        yield "label", f"{finding.label} {finding.score:.2f}: {LABELS[finding.label].meaning}"
    yield from (("left out", reason) for reason in trace.skipped)
    yield from (("not read", fault.message) for fault in trace.errors)


def _making(first: Generation) -> Iterator[tuple[str, str]]:
    seed = None if first.seed is None else f"seed {first.seed}"
    yield "made by", ", ".join(part for part in (first.generator, first.version, seed) if part)
    if first.created:
        yield "created", first.created


def _models(trace: Trace, *, reveal: bool) -> Iterator[tuple[str, str]]:
    for number, model in enumerate(trace.models[:_MOST_MODELS]):
        yield str(model.role), _model(model, trace.model_name(number, reveal=reveal))
        for link in trace.links:
            if link.model == number:
                yield "", said_of_link(link, reveal=reveal)
    if len(trace.models) > _MOST_MODELS:
        yield "", f"and {count(len(trace.models) - _MOST_MODELS, 'more model')}"


def _declared(trace: Trace, *, reveal: bool) -> Iterator[tuple[str, str]]:
    if trace.source_type:
        yield "declared", trace.source_type
    if trace.credentials.state is not CredentialState.NONE:
        yield "credentials", _credentials(trace, trace.signer(reveal=reveal))
    if (mark := trace.watermark) is not None:
        yield "watermark", f"{mark.name}, {mark.matching} of {mark.bits} bits"


def said_of_link(link: Link, *, reveal: bool) -> str:
    """Which listing, how sure, what it is of, what came from it."""
    where = "a model file scanned here" if link.hub == "file" else link.hub
    version = f" version {link.version}" if link.version else ""
    parts = [f"{SURENESS[link.sureness]} {where} {link.shown_listing(reveal=reveal)}{version}"]
    parts.append(f"by {', '.join(ALIASES.get(kind, kind) for kind in link.by)}")
    if link.base_model:
        parts.append(f"for {link.base_model}")
    if link.is_likeness:
        word = "a named" if link.named >= link.unnamed else "an unnamed"
        parts.append(f"the likeness of {word} person")
    if link.creator:
        parts.append(f"put up by {link.creator}")
    if link.library:
        parts.append(f"{count(link.library, 'item')} of the library made with it")
    if link.library_by_name:
        parts.append(f"{link.library_by_name:,} more by name alone")
    return ", ".join(parts)


def _model(model: NamedModel, name: str | None) -> str:
    parts = [name or "without a name"]
    if model.weight is not None:
        parts.append(f"at {model.weight:g}")
    parts += [f"{kind} {digest}" for kind, digest in model.hashes.items()]
    parts += [f"{kind} {id_}" for kind, id_ in model.ids.items() if kind != "air"]
    return ", ".join(parts)


def _prompts(first: Generation, *, reveal: bool) -> Iterator[tuple[str, str]]:
    for name, text in (("prompt", first.prompt), ("negative", first.negative_prompt)):
        if text:
            shown = textwrap.shorten(text, _MOST_PROMPT, placeholder=" …")
            yield name, shown if reveal else f"{MASK} ({len(text):,} characters; --reveal shows it)"


def _credentials(trace: Trace, signer: str | None) -> str:
    said = trace.credentials
    parts = [CREDENTIALS[said.state]]
    if signer:
        parts.append(f"signed by {signer}")
    parts += [part for part in (said.created, said.reason) if part]
    return "; ".join(parts)
