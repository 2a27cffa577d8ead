"""A store of C2PA manifests, as the library tells of it in JSON, put into our own words.

Names and codes are those of the C2PA Technical Specification 2.2: validation codes in chapter 15,
actions in chapter 18. Everything in here was written by whoever signed, or by whoever forged.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from egide.provenance.source_types import source_type
from egide.provenance.statements import Credentials, CredentialState, Declaration, Trust
from egide.record import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_MANIFESTS: Final = 256
MAX_STATEMENTS: Final = 64
"""Declarations and tools told of one file; the rest is left out."""

_MAX_TEXT: Final = 200
_REASONS: Final = {
    "signingCredential.untrusted": "its signer is not on the trust list",
    "signingCredential.invalid": "the signer's certificate is not fit for signing",
    "signingCredential.revoked": "the signer's certificate was revoked",
    "signingCredential.ocsp.revoked": "the signer's certificate was revoked",
    "signingCredential.expired": "the signer's certificate had expired",
    "claimSignature.mismatch": "the signature does not fit what it signs",
    "claimSignature.missing": "the signature is missing",
    "claimSignature.outsideValidity": "it was signed outside the certificate's validity",
    "claim.missing": "the claim is missing",
    "assertion.dataHash.mismatch": "the file was changed after it was signed",
    "assertion.bmffHash.mismatch": "the file was changed after it was signed",
    "assertion.boxesHash.mismatch": "the file was changed after it was signed",
    "assertion.hashedURI.mismatch": "a statement was changed after it was signed",
    "assertion.missing": "a statement is missing",
    "assertion.undeclared": "a statement was added after it was signed",
    "ingredient.manifest.mismatch": "what is said of an ingredient was changed",
    "ingredient.manifest.missing": "what is said of an ingredient is missing",
    "timeStamp.mismatch": "the time stamp is of something else",
    "algorithm.unsupported": "it uses an algorithm that is not admitted",
}
_UNTRUSTED: Final = frozenset({"signingCredential.untrusted"})
_TRUSTED: Final = "signingCredential.trusted"
_NO_FAILURES: Final = frozenset(
    {
        "accessible", "additionalExclusionsPresent", "deprecated", "inaccessible", "insideValidity",
        "match", "notRevoked", "skipped", "trusted", "unknownProvenance", "validated",
    }
)  # fmt: skip
"""How the codes end that say nothing against a manifest."""

_CODE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}")
_LABEL: Final = re.compile(r"\Aself#jumbf=/c2pa/([^/]{1,200})")
_ACTIONS: Final = re.compile(r"c2pa\.actions(?:\.v\d+)?(?:__\d+)?")
_METADATA: Final = re.compile(r"(?:c2pa|cawg)\.metadata(?:__\d+)?|stds\.iptc(?:\.photo-metadata)?")
_IPTC_KEYS: Final = ("Iptc4xmpExt:DigitalSourceType", "iptcExt:DigitalSourceType")
_STATES: Final = {"Trusted": CredentialState.TRUSTED, "Valid": CredentialState.VALID}
_WEAKER: Final = (Trust.TEXT, Trust.SIGNED, Trust.SIGNED_TRUSTED)


class Store:
    """The manifests of one file: the active one, and those of the ingredients it was made from.

    `said` is the JSON value of the library's reader. Nothing in it is taken for granted.
    """

    def __init__(self, said: object) -> None:
        self._said = _mapping(said)
        manifests = _mapping(self._said.get("manifests"))
        self._active = _text(self._said.get("active_manifest")) or ""
        self._manifests = {
            label: _mapping(manifests[label]) for label in list(manifests)[:MAX_MANIFESTS]
        }
        if self._active in manifests:
            self._manifests[self._active] = _mapping(manifests[self._active])
        found = list(self._found())
        outcomes = found + list(self._recorded())
        self._found_trusted = {label for label, code in found if code == _TRUSTED}
        self._trusted = {label for label, code in outcomes if code == _TRUSTED}
        self._failures: dict[str, set[str]] = {}
        for label, code in outcomes:
            if not _harmless(code):
                self._failures.setdefault(label, set()).add(code)

    def credentials(self, state: str | None) -> Credentials:
        """What the store says, given the library's own judgement of all of it.

        `state` is `Trusted`, `Valid` or anything else, which is taken for invalid.
        """
        judged = _STATES.get(state or "", CredentialState.INVALID)
        active = self._manifests.get(self._active, {})
        signature = _mapping(active.get("signature_info"))
        trust = self._trust(judged)
        declared: list[Declaration] = []
        tools: list[str] = []
        for label in sorted(self._manifests, key=lambda each: each != self._active):
            declared += self._declarations(label, trust.get(label, Trust.TEXT))
            tools += _tools(self._manifests[label])
        return Credentials(
            judged,
            signer=_signer(signature),
            reason=self._reason(judged),
            declarations=tuple(dict.fromkeys(declared))[:MAX_STATEMENTS],
            tools=tuple(dict.fromkeys(tools))[:MAX_STATEMENTS],
            created=_text(signature.get("time")),
            manifests=len(self._manifests),
        )

    def _found(self) -> Iterator[tuple[str, str]]:
        """(label of a manifest, code) of every check that the library made."""
        yield from _codes(self._said.get("validation_results"), self._active)
        yield from _codes({"failure": self._said.get("validation_status")}, self._active)

    def _recorded(self) -> Iterator[tuple[str, str]]:
        """(label of a manifest, code) of every check of an ingredient that a signer recorded.

        They count as well: the library leaves out of its results what is recorded already.
        """
        for manifest in self._manifests.values():
            for ingredient in _list(manifest.get("ingredients")):
                label = _text(_mapping(ingredient).get("active_manifest"))
                if label:
                    yield from _codes(_mapping(ingredient).get("validation_results"), label)
                    status = _mapping(ingredient).get("validation_status")
                    yield from _codes({"failure": status}, label)

    def _trust(self, state: CredentialState) -> dict[str, Trust]:
        """How far to believe each manifest: as far as the weakest on the way from the active one.

        An ingredient's manifest may be sound and still have been taken from another picture: only
        the word of who signed above it ties it to this one.
        """
        if state is CredentialState.INVALID:
            return {}
        trust = {self._active: self._own_trust(self._active)}
        waiting = deque([self._active])
        while waiting:
            label = waiting.popleft()
            for ingredient in _list(self._manifests.get(label, {}).get("ingredients")):
                below = _text(_mapping(ingredient).get("active_manifest"))
                if below in self._manifests and below not in trust:
                    trust[below] = min(trust[label], self._own_trust(below), key=_WEAKER.index)
                    waiting.append(below)
        return trust

    def _own_trust(self, label: str) -> Trust:
        failures = self._failures.get(label, set())
        if failures - _UNTRUSTED:
            return Trust.TEXT
        # Whoever recorded that a signer is unknown may have had an older list than we.
        trusted = label in self._found_trusted or (label in self._trusted and not failures)
        return Trust.SIGNED_TRUSTED if trusted else Trust.SIGNED

    def _reason(self, state: CredentialState) -> str | None:
        """Why the state is not better; None when there is no better one."""
        if state is CredentialState.TRUSTED:
            return None
        failures = [(label, code) for label, code in self._found() if not _harmless(code)]
        grave = [each for each in failures if each[1] not in _UNTRUSTED]
        if state is CredentialState.INVALID:
            failures = grave or failures
        failures.sort(key=lambda each: each[1].startswith("timeStamp."))  # seldom the cause
        if not failures:
            return "its signature was not found good"
        label, code = failures[0]
        of = "" if label == self._active else "; it is an ingredient's"
        return f"{_REASONS.get(code, 'a check failed')} ({code}){of}"

    def _declarations(self, label: str, trust: Trust) -> Iterator[Declaration]:
        manifest = self._manifests[label]
        place = "c2pa" if label == self._active else "c2pa:ingredient"
        producer = _signer(_mapping(manifest.get("signature_info")))
        agents = _agents(manifest)
        for name, told, agent in _sources(manifest, agents):
            if known := source_type(told):
                yield Declaration("c2pa", f"{place}:{name}", trust, known, producer, agent)


def _sources(
    manifest: dict[str, Any], agents: list[Any]
) -> Iterator[tuple[str, object, str | None]]:
    """(where it stands, digital source type, software agent) of all that a manifest declares."""
    for label, data in _assertions(manifest):
        if _ACTIONS.fullmatch(label):
            for action in _list(data.get("actions")) + _list(data.get("templates")):
                done = _mapping(action)
                name = _text(done.get("action")) or "action"
                if "digitalSourceType" in done:
                    yield name, done["digitalSourceType"], _agent_of(done, agents)
        elif _METADATA.fullmatch(label):
            for key in _IPTC_KEYS:
                if key in data:
                    yield label, data[key], None


def _tools(manifest: dict[str, Any]) -> list[str]:
    """The software agents of all actions, then the generators of the claim itself."""
    agents = _agents(manifest)
    found = [_agent(agent) for agent in agents]
    for label, data in _assertions(manifest):
        if _ACTIONS.fullmatch(label):
            found += [_agent_of(_mapping(action), agents) for action in _list(data.get("actions"))]
    generators = _list(manifest.get("claim_generator_info")) or [manifest.get("claim_generator")]
    found += [_agent(each) for each in generators]
    return [tool for tool in found if tool]


def _agents(manifest: dict[str, Any]) -> list[Any]:
    """The list that actions refer to by number (`softwareAgents` of c2pa.actions.v2)."""
    found: list[Any] = []
    for label, data in _assertions(manifest):
        if _ACTIONS.fullmatch(label):
            found += _list(data.get("softwareAgents"))
    return found


def _agent_of(action: dict[str, Any], agents: list[Any]) -> str | None:
    number = action.get("softwareAgentIndex")
    if isinstance(number, int) and 0 <= number < len(agents):
        return _agent(agents[number])
    return _agent(action.get("softwareAgent"))


def _agent(said: object) -> str | None:
    """A tool's name and version, which stand as text or as an object."""
    if isinstance(said, str):
        return _text(said)
    told = _mapping(said)
    parts = [_text(told.get("name")), _text(told.get("version"))]
    return " ".join(part for part in parts if part) or None


def _assertions(manifest: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for assertion in _list(manifest.get("assertions")):
        told = _mapping(assertion)
        yield _text(told.get("label")) or "", _mapping(told.get("data"))


def _signer(signature: dict[str, Any]) -> str | None:
    """Organisation and common name of the signing certificate, whichever there are."""
    parts = [_text(signature.get("issuer")), _text(signature.get("common_name"))]
    return ", ".join(dict.fromkeys(part for part in parts if part)) or None


def _codes(results: object, active: str) -> Iterator[tuple[str, str]]:
    """(label of the manifest, code) of every status in `results`, however deep the old shapes.

    An address without a label is of the manifest `active`.
    """
    told = _mapping(results)
    groups = [told, _mapping(told.get("activeManifest"))]
    groups += [
        _mapping(_mapping(delta).get("validationDeltas"))
        for delta in _list(told.get("ingredientDeltas"))
    ]
    for group in groups:
        for kind in ("success", "informational", "failure"):
            for status in _list(group.get(kind)):
                code = _text(_mapping(status).get("code")) or ""
                named = _LABEL.match(_text(_mapping(status).get("url")) or "")
                if _CODE.fullmatch(code):
                    yield named[1] if named else active, code


def _harmless(code: str) -> bool:
    return code.rpartition(".")[2] in _NO_FAILURES


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str | None:
    """One short line of `value`; None when it is no text or nothing is left."""
    if not isinstance(value, str):
        return None
    return " ".join(clean(value[:_MAX_TEXT]).split()) or None
