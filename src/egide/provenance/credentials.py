"""Content Credentials (C2PA): who signed what about a file, and what that is worth.

The C2PA library does the cryptography (`c2pa-python`, imported when a file holds a manifest); it
is told to ask nobody: no manifests kept elsewhere, no certificate status, no identities.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import urlsplit

from egide.errors import ItemError, MissingCodec, TooManyBytes, UsageError
from egide.media.picture import Limits
from egide.provenance.credentials_probe import holds, may_hold_manifest
from egide.provenance.manifests import Store
from egide.provenance.statements import Credentials, CredentialState
from egide.provenance.trust_list import USAGES, anchors
from egide.record import parse
from egide.sniff import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from egide.item import Item

NONE: Final = Credentials(CredentialState.NONE)

_DEFAULT_LIMITS: Final = Limits()
_DECOMPRESSED_MEGABYTES: Final = 32
_ELSEWHERE: Final = re.compile(r"\ARemote: must fetch remote manifests from url (\S+)")
_HOST: Final = re.compile(r"[a-z0-9._:-]{1,253}")


def credentials_of(
    item: Item, trust_list: Path | None = None, limits: Limits = _DEFAULT_LIMITS
) -> Credentials:
    """The Content Credentials of `item`, all its manifests walked; never the network.

    `trust_list` is a file of PEM certificates in place of those that ship (and of those that
    EGIDE_C2PA_TRUST names). The signature binds every byte, so that the whole file is read when it
    holds a manifest: TooManyBytes over `limits.bytes`, of a video over `limits.video_bytes`.
    MissingCodec when the C2PA library is not there, UnreadableItem when the bytes are not,
    UsageError for a trust list that is none. A manifest that cannot be read is a state, `invalid`,
    and no error.
    """
    with item.opened() as stream:
        if not may_hold_manifest(stream):
            return NONE
        most = limits.bytes if item.kind is Kind.IMAGE else limits.video_bytes
        if item.size > most:
            raise TooManyBytes(
                f"Content Credentials sign all of its {item.size:,} bytes, the limit is {most:,}; "
                "raise EGIDE_MAX_BYTES or EGIDE_MAX_VIDEO_BYTES to check them"
            )
        if item.kind is Kind.IMAGE:
            return _read(BytesIO(item.read(most)), trust_list)
        return _read(stream, trust_list)


def _read(stream: BinaryIO, trust_list: Path | None) -> Credentials:
    c2pa = _library()
    context = _context(anchors(trust_list), os.getpid())
    stream.seek(0)
    try:
        with c2pa.Reader(None, stream, context=context) as reader:
            said, state = reader.json(), reader.get_validation_state()
    except c2pa.C2paError as error:
        return _without_manifest(error, stream)
    try:
        return Store(parse(said.encode("utf-8", "replace")).value).credentials(state)
    except ItemError:
        return _unreadable("it says more than any tool writes")


def _without_manifest(error: Exception, stream: BinaryIO) -> Credentials:
    """What it means that the library gives no store: that there is none, or what is wrong."""
    said = str(error)
    if said.startswith("ManifestNotFound"):
        return NONE
    if elsewhere := _ELSEWHERE.match(said):
        return Credentials(CredentialState.REMOTE, reason=_kept_at(elsewhere[1]))
    if not holds(stream, b"jumb"):
        return NONE  # the file is broken, but holds no manifest
    if "prerelease" in said:
        return _unreadable("it is of a draft of the standard")
    return _unreadable("its boxes break the rules of their format")


def _unreadable(why: str) -> Credentials:
    return Credentials(CredentialState.INVALID, reason=f"the manifest cannot be read: {why}")


def _kept_at(address: str) -> str:
    """Where a manifest is kept, without the path, which may name a person or a picture."""
    try:
        host = urlsplit(address).hostname
    except ValueError:
        host = None
    host = host if host and _HOST.fullmatch(host) else "an address that is none"
    return f"the manifest is kept at {host}; it was not fetched"


def _library() -> Any:
    """The C2PA library; MissingCodec when it, or the system library in it, is not there."""
    try:
        import c2pa  # noqa: PLC0415  a tenth of a second
    except (ImportError, RuntimeError, OSError) as error:
        raise MissingCodec("Content Credentials: run pip install c2pa-python") from error
    return c2pa


@lru_cache(maxsize=4)
def _context(trusted: str, process: int) -> Any:  # noqa: ARG001  part of the key of the cache
    """The library's settings: these trust anchors, and nobody to ask. UsageError when it refuses.

    They are of one process: in a child made by forking they would refuse every file.
    Every way to the network is shut by its own setting, and once more by a list of admitted hosts
    that is empty. CAWG identities are not decoded: their issuers would be asked.
    """
    c2pa = _library()
    settings = {
        "version": 1,
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
        "core": {
            "allowed_network_hosts": [],
            "allow_redirects": False,
            "decode_identity_assertions": False,
            "max_decompressed_manifest_size_in_mb": _DECOMPRESSED_MEGABYTES,
        },
        "trust": {"trust_anchors": trusted, "trust_config": "\n".join((*USAGES, ""))},
    }
    try:
        return c2pa.Context.from_dict(settings)
    except c2pa.C2paError as error:
        raise UsageError(
            "the trust list: its certificates cannot be read; name a PEM file"
        ) from error
