"""Leaves out what an earlier report has told already."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

from egide.errors import UsageError
from egide.finding import Finding
from egide.label import Label
from egide.policy import BASELINE_RULE, DEFAULT_RULE, Policy
from egide.verdict import Verdict

DIGEST_BYTES: Final = 16
MAX_LINE_BYTES: Final = 16 << 20


def finding_digest(item: str, finding: Finding) -> bytes:
    """The 16 bytes that tell whether a finding is the same as an earlier one.

    Made of the item (its SHA-256, or its reference when it has none), the detector, the label, and
    the bank and entry that the evidence names. A moved file keeps it, an edited file does not.
    """
    evidence = finding.evidence
    parts = (
        item,
        finding.detector,
        str(finding.label),
        str(evidence.get("bank", "")),
        str(evidence.get("entry", "")),
    )
    digest = blake2b(digest_size=DIGEST_BYTES, person=b"egide.finding/1")
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.digest()


def item_key(verdict: Verdict) -> str:
    """What a finding's identity takes for the item: its SHA-256, or its reference without one."""
    return verdict.sha256 or verdict.ref


class Baseline:
    """The findings of an earlier report, 16 bytes each.

    Never known, so never left out: a suspicion about a minor, and a finding that was silenced when
    the baseline was written (should the silence end, it is news).
    """

    def __init__(self, digests: frozenset[bytes] = frozenset()) -> None:
        self._digests = digests

    def __len__(self) -> int:
        return len(self._digests)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Baseline:
        """The findings in the file that `egide scan --format jsonl` wrote at `path`.

        UsageError, with the number of the line, when it holds anything else.
        """
        digests: set[bytes] = set()
        try:
            for verdict in _verdicts(Path(path)):
                item = item_key(verdict)
                digests.update(
                    finding_digest(item, finding)
                    for finding in verdict.findings
                    if _can_be_known(finding)
                )
        except OSError as error:
            raise UsageError(f"cannot read the baseline {path}: {error.strerror}") from error
        return cls(frozenset(digests))

    def known(self, item: str, finding: Finding) -> bool:
        """Whether the earlier report has `finding` of `item` (its SHA-256, else its reference)."""
        return _can_be_known(finding) and finding_digest(item, finding) in self._digests

    def strip(
        self, verdict: Verdict, policy: Policy, attributes: Mapping[str, str]
    ) -> tuple[Verdict, int]:
        """`verdict` without the findings known, decided anew by `policy`, and how many went.

        `attributes` are the item's. Errors and skips stay; nothing known leaves it as it is.
        """
        item = item_key(verdict)
        fresh = tuple(f for f in verdict.findings if not self.known(item, f))
        suppressed = len(verdict.findings) - len(fresh)
        if not suppressed:
            return verdict, 0
        ruling = policy.decide(verdict.kind, attributes, fresh, verdict.errors)
        if ruling.rule == DEFAULT_RULE:
            # Nothing new is not the same as nothing: whoever reads the line shall see it.
            ruling = ruling._replace(rule=BASELINE_RULE)
        stripped = replace(
            verdict,
            action=ruling.action,
            rule=ruling.rule,
            policy=policy.id,
            findings=fresh,
            shadow=ruling.shadow,
        )
        return stripped, suppressed


def _can_be_known(finding: Finding) -> bool:
    return finding.score > 0 and finding.label is not Label.MINOR_ESCALATE


def _verdicts(path: Path) -> Iterator[Verdict]:
    """The verdicts of a JSON Lines report, one in memory at a time."""
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES):
            number += 1
            if line.isspace():
                continue
            try:
                verdict = Verdict.from_json(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                _check(verdict)
            except (UnicodeDecodeError, UsageError) as error:
                if number > 1 and not line.endswith(b"\n"):
                    return  # the run that wrote it was killed in the middle of its last line
                detail = error.detail if isinstance(error, UsageError) else "it is no UTF-8"
                raise UsageError(f"baseline {path}, line {number}: {detail}") from error
            yield verdict


def _check(verdict: Verdict) -> None:
    texts = (verdict.ref, verdict.sha256 or "", *(f.detector for f in verdict.findings))
    if not all(isinstance(text, str) for text in texts):
        raise UsageError("a reference, digest or detector is no text")
    if not all(isinstance(finding.evidence, Mapping) for finding in verdict.findings):
        raise UsageError("a finding's evidence is no object")
