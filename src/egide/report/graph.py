"""The page of `egide trace --graph`: pictures, the models they name, their listings, the accounts.

Self-contained, without a picture and without a script; the drawing is SVG, computed here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, TextIO

from markupsafe import Markup

from egide.finding import MASK
from egide.provenance.account import NOTHING_FOUND, Link, Trace
from egide.provenance.statements import NamedModel, Role
from egide.report.clean import visible
from egide.report.graph_layout import Key, Net, Node, lay_out
from egide.report.page import asset, csp_hash, write_page
from egide.report.sarif import installed_version
from egide.report.traced import ALIASES, SURENESS, TRUST
from egide.report.words import count

MOST_PICTURES: Final = 2_000
MOST_BOXES: Final = 60
"""Of one column; the rest is counted."""
MOST_GROUPS: Final = 30
"""Boxes of pictures that name the very same models; of more, those share a box that have their
most widespread adapter in common."""
MOST_ROWS: Final = 500
MOST_NAMES: Final = 20
"""Pictures named when a box of several is pointed at."""

COLUMNS: Final = ("Pictures", "Models they name", "Listings", "Accounts")
_PICTURE, _MODEL, _LISTING, _ACCOUNT = range(4)
_BLANK: Final = " "
_ADAPTERS: Final = frozenset({str(Role.ADAPTER), str(Role.EMBEDDING)})


class _Picture(NamedTuple):
    """What the graph keeps of one trace."""

    ref: str
    generator: str
    trust: str
    models: tuple[Key, ...]


class Graph:
    """Takes traces and draws them. Pictures that name the same models share a box.

    Names that may be those of people are masked unless `reveal`. At most `MOST_PICTURES` are kept.
    """

    def __init__(self, *, reveal: bool = False) -> None:
        self._reveal = reveal
        self._pictures: list[_Picture] = []
        self._silent = 0
        self._left_out = 0
        self._models: dict[Key, Node] = {}
        self._links: dict[tuple[Key, Key], Link] = {}
        self._masked: dict[Key, int] = {}

    def add(self, trace: Trace) -> None:
        """Takes one trace."""
        if not trace.models:
            self._silent += trace.is_traced
            return
        if len(self._pictures) >= MOST_PICTURES:
            self._left_out += 1
            return
        keys = [self._model(trace, n) for n in range(len(trace.models))]
        for link in trace.links:
            self._links[keys[link.model], (_LISTING, (link.hub, link.listing))] = link
        first = trace.first
        self._pictures.append(
            _Picture(
                trace.ref,
                first.generator if first else "",
                TRUST[first.trust] if first else "",
                tuple(dict.fromkeys(keys)),
            )
        )

    def write(self, out: TextIO) -> None:
        """Writes the page."""
        groups = self._groups()
        net = self._net(groups)
        style = asset("report.css") + asset("graph.css")
        values: dict[str, Any] = {
            "style": Markup(style),  # noqa: S704  our own files, no text from outside
            "style_hash": csp_hash(style),
            "version": installed_version(),
            "made": datetime.now(UTC).strftime("%-d %B %Y, %H:%M UTC"),
            "headline": self._headline(),
            "drawing": lay_out(net, COLUMNS) if net.nodes else None,
            "notes": list(self._notes(groups)),
            "nothing": NOTHING_FOUND,
            "pictures": [
                (
                    visible(one.ref),
                    one.generator,
                    one.trust,
                    [self._name(key) for key in one.models],
                )
                for one in self._pictures[:MOST_ROWS]
            ],
            "more": max(0, len(self._pictures) - MOST_ROWS),
            "listings": list(self._listings()),
        }
        write_page("graph.html.j2", values, out)

    # ── what the boxes are ──────────────────────────────────────────────────────────────────────

    def _model(self, trace: Trace, number: int) -> Key:
        """The box of a model; what names it surest tells it from others."""
        model = trace.models[number]
        sure = [*model.hashes.values(), *model.ids.values()]
        known = (model.name or "").casefold() or (sure[0] if sure else "")
        key: Key = (_MODEL, (str(model.role), known))
        if key not in self._models:
            shown = trace.model_name(number, reveal=self._reveal)
            if shown == MASK:
                shown = f"{MASK} {self._masked.setdefault(key, len(self._masked) + 1)}"
            text = visible(shown or (sure[0] if sure else "without a name"))
            self._models[key] = Node(text, _role(model), text, str(model.role))
        return key

    def _groups(self) -> dict[tuple[Key, ...], list[_Picture]]:
        """The pictures by the models that they name."""
        groups = _grouped(self._pictures, lambda picture: tuple(sorted(picture.models, key=str)))
        if len(groups) <= MOST_GROUPS:
            return groups
        uses = Counter(model for picture in self._pictures for model in picture.models)
        return _grouped(self._pictures, lambda picture: (self._widest(picture, uses),))

    def _widest(self, picture: _Picture, uses: Counter[Key]) -> Key:
        """The adapter of `picture` that most others name too; its base model when it has none."""

        def weight(model: Key) -> tuple[bool, int, str]:
            return self._models[model].style in _ADAPTERS, uses[model], str(model)

        return max(picture.models, key=weight)

    def _net(self, groups: dict[tuple[Key, ...], list[_Picture]]) -> Net:
        net = Net()
        ranked = sorted(groups.items(), key=lambda group: -len(group[1]))[:MOST_BOXES]
        for shared, pictures in ranked:
            node: Key = (_PICTURE, shared)
            net.nodes[node] = _group(pictures)
            named = Counter(model for picture in pictures for model in picture.models)
            for model, times in named.most_common():
                if self._place(net, model, self._models[model]):
                    net.join(node, model, times)
        for (model, listing), link in self._links.items():
            if model in net.nodes and self._place(net, listing, self._listing(link)):
                net.join(model, listing, 1, unsure=link.sureness == "weak")
                account: Key = (_ACCOUNT, link.creator)
                if link.creator and self._place(net, account, _account(link.creator)):
                    net.join(listing, account, 1)
        return net

    def _place(self, net: Net, key: Key, node: Node) -> bool:
        """Puts a box into the net; False when its column is full."""
        if key in net.nodes:
            return True
        if sum(other[0] == key[0] for other in net.nodes) >= MOST_BOXES:
            return False
        net.nodes[key] = node
        return True

    def _listing(self, link: Link) -> Node:
        shown = visible(link.shown_listing(reveal=self._reveal))
        text = f"model file {shown}" if link.hub == "file" else f"{link.hub} {shown}"
        notes = [_likeness(link)] if link.is_likeness else []
        if link.library:
            notes.append(f"{link.library:,} in the library")
        note = ", ".join(notes) or link.base_model or _BLANK
        style = "likeness" if link.is_likeness else ""
        return Node(text, note, f"{text}: {_told(link)}", style)

    def _name(self, key: Key) -> str:
        return self._models[key].text

    # ── what is said beside ─────────────────────────────────────────────────────────────────────

    def _headline(self) -> str:
        if not self._pictures:
            return "No file names a model"
        told = count(len(self._pictures) + self._left_out, "file names", "files name")
        return f"{told} {count(len(self._models), 'model')}"

    def _notes(self, groups: dict[tuple[Key, ...], list[_Picture]]) -> Iterator[str]:
        if self._silent:
            yield f"{count(self._silent, 'more file names', 'more files name')} no model."
        if self._left_out:
            yield f"{self._left_out:,} files past the first {MOST_PICTURES:,} are not drawn."
        if any(len(shared) == 1 for shared in groups) and len(self._pictures) > MOST_GROUPS:
            yield "Files that have their most widespread adapter in common share a box."
        if len(groups) > MOST_BOXES or len(self._models) > MOST_BOXES:
            yield f"Of each column {MOST_BOXES} boxes are drawn, those of most files first."

    def _listings(self) -> Iterator[tuple[str, str, str, str, str]]:
        for (model, _), link in list(self._links.items())[:MOST_ROWS]:
            listing = self._listing(link).text
            by = ", ".join(ALIASES.get(kind, kind) for kind in link.by)
            sure = f"{SURENESS[link.sureness]}, by {by}"
            made = f"{link.library:,}" if link.library else "none"
            yield self._name(model), listing, sure, _told(link), made


def _grouped(
    pictures: Iterable[_Picture], shared: Callable[[_Picture], tuple[Key, ...]]
) -> dict[tuple[Key, ...], list[_Picture]]:
    groups: dict[tuple[Key, ...], list[_Picture]] = {}
    for picture in pictures:
        groups.setdefault(shared(picture), []).append(picture)
    return groups


def _group(pictures: list[_Picture]) -> Node:
    names = [visible(picture.ref.replace("\\", "/").rpartition("/")[2]) for picture in pictures]
    generators = ", ".join(dict.fromkeys(picture.generator for picture in pictures))
    title = "\n".join(visible(picture.ref) for picture in pictures[:MOST_NAMES])
    if len(names) == 1:
        return Node(names[0], generators, title)
    return Node(f"{len(names):,} files", f"{generators}: {names[0]} …", title)


def _account(creator: str) -> Node:
    return Node(creator, "a pseudonym", creator)


def _role(model: NamedModel) -> str:
    said = {Role.BASE: "base model", Role.OTHER: "model", Role.VAE: "VAE"}.get(model.role)
    digests = [f"{kind} {digest[:12]}" for kind, digest in model.hashes.items()]
    return ", ".join([said or str(model.role), *digests[:1]])


def _likeness(link: Link) -> str:
    return "likeness, named" if link.named >= link.unnamed else "likeness, unnamed"


def _told(link: Link) -> str:
    parts = [_likeness(link) if link.is_likeness else "no likeness known", link.base_model]
    return ", ".join(part for part in (*parts, link.creator) if part)
