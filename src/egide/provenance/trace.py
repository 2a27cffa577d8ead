"""From a file back to what made it: every reader asked, and their statements joined.

bytes ─► blocks ─► generations, declarations ─┐
      ─► Content Credentials ─────────────────┼─► contradictions marked ─► Trace
      ─► watermark, where nothing else tells ─┘
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeVar

from egide.errors import DetectorFailed, EgideError, ItemError
from egide.item import Item
from egide.provenance.account import Found, Trace, fault_of
from egide.provenance.contradictions import Statements, by_trust, mark_contradicted
from egide.provenance.statements import (
    NO_CREDENTIALS,
    Block,
    Credentials,
    CredentialState,
    Declaration,
    Generation,
    NamedModel,
    Trust,
    Watermark,
)
from egide.sniff import Kind

T = TypeVar("T")

MOST_MODELS: Final = 200
"""Models told of; who names more of them names nothing."""
MOST_SOFTWARE: Final = 200

_NO_BLOCKS: Final[tuple[Block, ...]] = ()
_PDF: Final = b"%PDF-"
_PDF_WITHIN: Final = 1024
_SOFTWARE: Final = (
    "xmp:xmp:CreatorTool", "exif:Software", "xmp:tiff:Software", "png:Software",
    "iptc:OriginatingProgram", "pdf:Creator", "pdf:Producer", "webm:software", "mov:software",
    "mp4:software", "webm:encoder", "mov:encoder", "mp4:encoder",
)  # fmt: skip
"""Where files name the software that wrote them: whoever names the program before the library."""
_JOB: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What Civitai puts there is the id of a job."""


def is_traced(item: Item) -> bool:
    """Whether `item` is of a kind that says where it comes from: a picture, a video or a PDF."""
    if item.problem is not None or item.kind in (Kind.IMAGE, Kind.VIDEO):
        return item.problem is None
    if item.kind not in (Kind.OTHER, Kind.TEXT):
        return False
    try:
        with item.opened() as stream:
            return _PDF in stream.read(_PDF_WITHIN)
    except ItemError:
        return False


def trace(item: Item, trust_list: Path | None = None) -> Trace:
    """The account of `item`. Never raises for what is in it, and never asks the network.

    `trust_list` is a file of certificates (PEM) to be trusted in the place of the shipped ones.
    What could not be read is among its errors; the rest was read all the same.
    """
    return _Tracing(item, trust_list).run()


def models_named(item: Item) -> tuple[NamedModel, ...]:
    """The models that the metadata of `item` names, and nothing else; never raises."""
    tracing = _Tracing(item, None)
    blocks = tracing.asked(tracing.blocks, _NO_BLOCKS)
    return _models(tracing.asked(lambda: tracing.generations(blocks), []))


@dataclass(slots=True)
class _Tracing:
    """One file on its way to its account."""

    item: Item
    trust_list: Path | None
    errors: list[ItemError] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def run(self) -> Trace:
        if self.item.problem is not None:
            return self._bare(self.item.problem)
        if not is_traced(self.item):
            reason = f"it is {self.item.kind}: pictures, videos and PDF are traced"
            return replace(self._bare(), skipped=(reason,), is_traced=False)
        blocks = self.asked(self.blocks, _NO_BLOCKS)
        said = Statements(
            generations=self.asked(lambda: self.generations(blocks), []),
            declarations=self.asked(lambda: _declarations(blocks), []),
            credentials=self.asked(self.credentials, NO_CREDENTIALS),
            camera=_camera(blocks),
        )
        said.declarations += said.credentials.declarations
        told = said.generations or said.declarations
        watermark = None if told else self.asked(self.watermark, None)
        return self._joined(blocks, said, watermark)

    def _joined(
        self, blocks: Sequence[Block], said: Statements, watermark: Watermark | None
    ) -> Trace:
        contradictions = mark_contradicted(said)
        generations = sorted(said.generations, key=_importance)
        declarations = sorted(said.declarations, key=lambda one: by_trust(one.trust))
        stated = _software(blocks)
        software = next((one.software for one in generations if one.software), None)
        return replace(
            self._bare(),
            generations=tuple(generations),
            models=_models(generations),
            declarations=tuple(declarations),
            credentials=said.credentials,
            watermark=watermark,
            software=software or (stated.text[:MOST_SOFTWARE] if stated else None),
            found=tuple(dict.fromkeys(_found(said, watermark, stated))),
            contradictions=contradictions,
            skipped=tuple(self.skipped),
        )

    def _bare(self, *problems: ItemError) -> Trace:
        errors = tuple(fault_of(error) for error in (*problems, *self.errors))
        return Trace(self.item.ref, self.item.kind, self.item.sha256, errors=errors)

    def asked(self, reader: Callable[[], T], otherwise: T) -> T:
        """What `reader` gives; a fault, and `otherwise`, when it cannot read."""
        try:
            return reader()
        except ItemError as error:
            self.errors.append(error)
        except EgideError:  # of the user's trust list, not of the file
            raise
        except Exception as error:  # noqa: BLE001  a fault of one reader must not cost the others
            said = f"{type(error).__name__}: {error}"[:MOST_SOFTWARE]
            self.errors.append(DetectorFailed(f"{said}; please report it"))
        return otherwise

    def blocks(self) -> tuple[Block, ...]:
        from egide.provenance.carriers import read_blocks  # noqa: PLC0415  paid when it is wanted

        carried = read_blocks(self.item)
        self.errors += carried.faults
        self.skipped += carried.left_out
        return carried.blocks

    def generations(self, blocks: Sequence[Block]) -> list[Generation]:
        from egide.provenance.families import generations  # noqa: PLC0415

        found, faults = generations(blocks)
        self.errors += faults
        return found

    def credentials(self) -> Credentials:
        from egide.media.picture import Limits  # noqa: PLC0415
        from egide.provenance.credentials import credentials_of  # noqa: PLC0415

        return credentials_of(self.item, self.trust_list, Limits.from_environment())

    def watermark(self) -> Watermark | None:
        from egide.media.picture import Limits  # noqa: PLC0415
        from egide.provenance.watermark import watermark_of  # noqa: PLC0415

        return watermark_of(self.item, Limits.from_environment())


def _declarations(blocks: Sequence[Block]) -> list[Declaration]:
    from egide.provenance.declared import declarations  # noqa: PLC0415

    return declarations(blocks)


def _importance(one: Generation) -> tuple[int, bool, bool]:
    """For sorting: the most trusted first, then those that say most."""
    return by_trust(one.trust), one.prompt is None, not one.models


def _models(generations: Sequence[Generation]) -> tuple[NamedModel, ...]:
    """The models of all, each once: what two generations say of one is put together."""
    found: list[NamedModel] = []
    for generation in generations:
        for model in generation.models[:MOST_MODELS]:
            same = next((n for n, other in enumerate(found) if _is_same(model, other)), None)
            if same is not None:
                found[same] = _together(found[same], model)
            elif len(found) < MOST_MODELS:
                found.append(model)
    return tuple(found)


def _is_same(one: NamedModel, other: NamedModel) -> bool:
    if one.role is not other.role:
        return False
    for mine, theirs in ((one.ids, other.ids), (one.hashes, other.hashes)):
        shared = mine.keys() & theirs.keys()
        if shared:
            return any(mine[key] == theirs[key] for key in shared)
    return one.name is not None and one.name == other.name


def _together(one: NamedModel, other: NamedModel) -> NamedModel:
    return replace(
        one,
        name=one.name or other.name,
        weight=other.weight if one.weight is None else one.weight,
        hashes={**other.hashes, **one.hashes},
        ids={**other.ids, **one.ids},
    )


def _found(
    said: Statements, watermark: Watermark | None, software: Block | None
) -> Iterator[Found]:
    for one in said.generations:
        for where in one.where:
            yield Found(where, _trust_at(where, one.trust), f"made by {one.generator}")
    for claim in said.declarations:
        yield Found(
            claim.where, claim.trust, f"{claim.standard}: {claim.source_type or 'declared'}"
        )
    if said.credentials.state is not CredentialState.NONE:
        yield Found("c2pa", _trust_of(said.credentials), f"credentials {said.credentials.state}")
    if watermark is not None:
        yield Found("watermark", Trust.PIXELS, f"watermark {watermark.name}")
    if software is not None:
        yield Found(software.where, software.trust, "software")


def _trust_at(where: str, trust: Trust) -> Trust:
    """How far to believe one of several places that say the same, of which the best counts."""
    return trust if trust is Trust.CONTRADICTED else Block(where, "", "").trust


def _trust_of(credentials: Credentials) -> Trust:
    """How far to believe what the credentials say: broken ones contradict the picture itself."""
    return {
        CredentialState.TRUSTED: Trust.SIGNED_TRUSTED,
        CredentialState.VALID: Trust.SIGNED,
        CredentialState.INVALID: Trust.CONTRADICTED,
    }.get(credentials.state, Trust.TEXT)


def _software(blocks: Sequence[Block]) -> Block | None:
    named = [b for b in blocks if b.where in _SOFTWARE and not _JOB.fullmatch(b.text.strip())]
    return min(named, key=lambda block: _SOFTWARE.index(block.where), default=None)


def _camera(blocks: Sequence[Block]) -> str | None:
    """Where a camera says that it took the picture: maker, model and moment, as cameras write."""
    said = {block.where: block.text for block in blocks}
    names = [said.get(f"exif:{tag}", "") for tag in ("Make", "Model")]
    # Some generators put their graphs into these two.
    plain = all(0 < len(name) < 64 and not {":", "{"} & set(name) for name in names)
    return "exif:Make" if plain and "exif:DateTimeOriginal" in said else None
