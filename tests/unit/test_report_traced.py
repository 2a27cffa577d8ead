"""Traces as a table: nothing hostile reaches the terminal, whatever its encoding."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from egide.errors import CorruptItem
from egide.provenance.account import Found, Link, Trace, fault_of
from egide.provenance.statements import (
    Credentials,
    CredentialState,
    Generation,
    NamedModel,
    Role,
    Trust,
)
from egide.report.traced import make_reporter
from egide.sniff import Kind

HOSTILE = "a\x1b[2Jb\u202ec\nd\udcff"
MADE = Generation(HOSTILE, ("png:parameters",), Trust.TEXT, HOSTILE, prompt=HOSTILE, seed=1)
TRACE = Trace(
    HOSTILE,
    Kind.IMAGE,
    None,
    generations=(MADE,),
    models=tuple(NamedModel(Role.ADAPTER, f"{HOSTILE}{n}", 0.5) for n in range(30)),
    credentials=Credentials(CredentialState.INVALID, HOSTILE, HOSTILE),
    software=HOSTILE,
    found=(Found("png:parameters", Trust.TEXT, HOSTILE),),
    contradictions=(HOSTILE,),
    links=(Link(0, "huggingface", "somebody/a", None, "weak", ("file",), named=0.9, library=2),),
    errors=(fault_of(CorruptItem(HOSTILE)),),
)


def printed(trace: Trace, *, reveal: bool = False, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    reporter = make_reporter("table", out, reveal=reveal)
    reporter.trace(trace)
    reporter.finish(1.5)
    return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("reveal", [True, False])
def test_nothing_hostile_is_printed(encoding: str, reveal: bool) -> None:
    text = printed(TRACE, encoding=encoding, reveal=reveal)
    assert not {"\x1b", "\u202e", "\udcff"} & set(text)


def test_the_prompt_is_counted_and_not_shown() -> None:
    plain = replace(TRACE, generations=(replace(MADE, prompt="a quiet lake"),))
    assert "*** (12 characters; --reveal shows it)" in printed(plain)
    assert "a quiet lake" not in printed(plain)
    assert "a quiet lake" in printed(plain, reveal=True)


def test_a_link_says_how_sure_what_it_is_and_what_came_from_it() -> None:
    text = " ".join(printed(TRACE).split())
    assert "perhaps huggingface ***, by name of its file, the likeness of a named person" in text
    assert "2 items of the library made with it" in text
    assert "somebody/a" in " ".join(printed(TRACE, reveal=True).split())
    assert "and 10 more models" in text


def test_the_summary_counts() -> None:
    out = io.StringIO()
    reporter = make_reporter("table", out, reveal=False)
    empty = Trace("b.png", Kind.IMAGE, None)
    for trace in (TRACE, empty, replace(empty, skipped=("it is text",), is_traced=False)):
        reporter.trace(trace)
    reporter.finish(2.0)
    assert out.getvalue().splitlines()[-1] == (
        "2 files in 2.0 s (1.0/s): 1 trace of a generator; of 1 nothing found, which proves "
        "nothing; 1 not read in full; 1 file of other kinds passed by"
    )


def test_a_line_reads_back_as_it_was() -> None:
    out = io.StringIO()
    reporter = make_reporter("jsonl", out, reveal=True)
    reporter.trace(TRACE)
    reporter.finish(1.0)
    assert json.loads(out.getvalue()) == json.loads(json.dumps(TRACE.to_json(reveal=True)))
