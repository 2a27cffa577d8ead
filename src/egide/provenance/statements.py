"""What is read from a file about its making, before it is put together to one account.

Carriers give `Block`s, families of tools turn blocks into `Generation`s; declarations, Content
Credentials and watermarks have shapes of their own. All are frozen and picklable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Trust(StrEnum):
    """How far to believe a statement."""

    SIGNED_TRUSTED = "signed-trusted"
    """Signed, intact, and by somebody on the trust list."""
    SIGNED = "signed"
    """Signed and intact; who signed is not known."""
    TEXT = "text"
    """Plain text, which anyone can write."""
    PIXELS = "pixels"
    """In the pixels themselves: a watermark, or text hidden there."""
    CONTRADICTED = "contradicted"
    """Another statement in the same file says otherwise."""


class Role(StrEnum):
    """What a model does in the making of a picture."""

    BASE = "base"
    ADAPTER = "adapter"
    EMBEDDING = "embedding"
    VAE = "vae"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of metadata, as a carrier holds it.

    `where` names carrier and place in lower case up to the colon: `png:parameters`,
    `exif:UserComment`, `xmp`, `mp4:comment`, `stealth:alpha`. `text` is its text, decoded;
    `key` the name that the carrier gives it (`parameters`, `UserComment`).
    """

    where: str
    key: str
    text: str

    @property
    def trust(self) -> Trust:
        """Text hidden in pixels survives what plain text does not; anyone can write either."""
        return Trust.PIXELS if self.where.startswith("stealth:") else Trust.TEXT


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that a statement names.

    `hashes` by algorithm: `sha256`, `autov1`, `autov2`, `autov3`, `blake3`, in lower-case
    hexadecimal. `ids` by system: `air` (the whole URN), `civitai` (the model's number),
    `civitai-version`, `tensorart`, `huggingface` (owner/name).
    """

    role: Role
    name: str | None = None
    weight: float | None = None
    hashes: Mapping[str, str] = field(default_factory=dict, hash=False)
    ids: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Generation:
    """What the metadata of one tool says: `generator` is the tool's short name, `a1111`."""

    generator: str
    where: tuple[str, ...]
    trust: Trust
    version: str | None = None
    models: tuple[NamedModel, ...] = ()
    prompt: str | None = None
    negative_prompt: str | None = None
    seed: int | None = None
    created: str | None = None
    software: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Ids of the job, not of a model: `job`, `user`; personal data, masked in reports."""


class Certainty(StrEnum):
    """How sure a declaration itself is; only China's label tells degrees."""

    CERTAIN = "certain"
    LIKELY = "likely"
    SUSPECTED = "suspected"


@dataclass(frozen=True, slots=True)
class Declaration:
    """A statement in a standard's own words that the picture is, or is not, synthetic.

    `standard` is `iptc`, `tc260` (China's label) or `c2pa`; `source_type` the last part of IPTC's
    digital source type (`trainedAlgorithmicMedia`), also for the other standards, mapped.
    """

    standard: str
    where: str
    trust: Trust
    source_type: str | None
    producer: str | None = None
    tool: str | None = None
    certainty: Certainty = Certainty.CERTAIN


class CredentialState(StrEnum):
    """What Content Credentials are worth."""

    TRUSTED = "trusted"
    VALID = "valid"
    INVALID = "invalid"
    REMOTE = "remote"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The Content Credentials of a file, all its manifests walked.

    `reason` says why a state is not better: the first failed check, or the address (masked) of a
    manifest kept elsewhere. `tools` are the software agents named, `created` the signing time.
    """

    state: CredentialState
    signer: str | None = None
    reason: str | None = None
    declarations: tuple[Declaration, ...] = ()
    tools: tuple[str, ...] = ()
    created: str | None = None
    manifests: int = 0


NO_CREDENTIALS: Final = Credentials(CredentialState.NONE)


@dataclass(frozen=True, slots=True)
class Watermark:
    """A known message found in the pixels: whose it is, and how many of its bits were right."""

    name: str
    bits: int
    matching: int
