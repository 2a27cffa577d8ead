"""What the HTML pages share: their templates, their security policy, and what is drawn.

A page is self-contained and allows itself nothing but its own style sheet and script, each named by
its hash in the content security policy; text from outside is escaped by the template engine.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final, NamedTuple, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from egide.report.clean import writes_utf8
from egide.report.words import clock, count

_SHEET: Final = 120
"""The longer side of an outline, in units of its drawing."""


class Outline(NamedTuple):
    """A picture's outline with the part that matches: sizes and corners in units of the drawing."""

    title: str
    width: float
    height: float
    corners: str


class Bar(NamedTuple):
    """A video's length with the stretches that match, each start and width in percent."""

    title: str
    length: str
    stretches: Sequence[tuple[float, float]]


class Drawing(NamedTuple):
    """What of a finding is better seen than read."""

    outlines: Sequence[Outline] = ()
    bars: Sequence[Bar] = ()


def drawing(
    evidence: Mapping[str, Any], this: str = "this", known: str = "the known"
) -> Drawing | None:
    """The regions or stretches in `evidence`, to be drawn; None when there is neither.

    `this` and `known` are what the two pictures or videos are called.
    """
    outlines = [
        _outline(f"{title} picture", evidence[key], evidence.get(aspect, 4 / 3))
        for title, key, aspect in (
            (this, "region", "aspect"),
            (known, "banked_region", "banked_aspect"),
        )
        if evidence.get(key)
    ]
    bars = []
    for title, key, length in (
        (this, "at", "length"),
        (known, "banked_at", "banked_length"),
    ):
        if evidence.get("stretches") and evidence.get(length):
            spans = [s[key] for s in evidence["stretches"]]
            whole = max(evidence[length], *(end for _, end in spans))
            stretches = [
                (100 * start / whole, max(0.5, 100 * (end - start) / whole)) for start, end in spans
            ]
            bars.append(Bar(f"{title} video", clock(whole), stretches))
    return Drawing(outlines, bars) if outlines or bars else None


def _outline(title: str, region: Sequence[Sequence[float]], aspect: float) -> Outline:
    aspect = min(max(aspect, 0.1), 10)
    width, height = _SHEET * min(1, aspect), _SHEET * min(1, 1 / aspect)
    corners = " ".join(f"{x * width:.1f},{y * height:.1f}" for x, y in region)
    return Outline(title, round(width, 1), round(height, 1), corners)


def write_page(template: str, values: Mapping[str, Any], out: TextIO) -> None:
    """Writes the page that `template` makes of `values`, whatever the encoding of `out`."""
    errors = "strict" if writes_utf8(out) else "xmlcharrefreplace"
    encoding = out.encoding if errors == "xmlcharrefreplace" else "utf-8"
    for chunk in _environment().get_template(template).generate(**values):
        out.write(chunk.encode(encoding, errors).decode(encoding))
    out.flush()


def csp_hash(text: str) -> str:
    """How a content security policy names an inline style sheet or script: `'sha256-…'`."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def asset(name: str) -> str:
    """The text of a file among the templates."""
    return files("egide.report").joinpath("templates", name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("egide.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["count"] = count
    environment.filters["number"] = lambda number: f"{number:,}"
    return environment
