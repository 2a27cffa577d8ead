"""The pipeline: one item in, one verdict out.

    bytes ─► Item ─► detectors ─► findings ─► policy ─► Verdict

A scan is a pure function of (item, detectors, policy, banks). A detector that fails costs its own
findings only; its failure goes into the verdict, which is then never `allow`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from traceback import format_exception_only

from egide.detector import Detector, DetectorSettings, load_detectors
from egide.errors import DetectorFailed, EgideError, ItemError, TooMuchMemory
from egide.finding import Fault, Finding, Skip
from egide.fingerprint import DEFAULT_THRESHOLD
from egide.item import Item
from egide.label import Label
from egide.match import Lookup
from egide.parallel import ordered_map
from egide.policy import Policy
from egide.policy_file import load_policy
from egide.verdict import Verdict

SCANNER_NAME = "scan"
"""Who reports a fault that is no detector's: the item could not be opened."""


class Scanner:
    """Applies detectors and a policy to items. Holds no state between items; thread-safe."""

    def __init__(self, detectors: Iterable[Detector], policy: Policy) -> None:
        self.detectors = tuple(detectors)
        self.policy = policy

    @classmethod
    def with_banks(
        cls,
        *banks: Lookup,
        policy: Policy | None = None,
        threshold: int = DEFAULT_THRESHOLD,
    ) -> Scanner:
        """A scanner with every installed detector, looking in `banks` at `threshold` bits."""
        detectors = load_detectors(DetectorSettings(banks=banks, threshold=threshold))
        return cls(detectors, policy or load_policy())

    def scan(self, item: Item) -> Verdict:
        """The verdict on `item`. Never raises for what is in the item."""
        findings: list[Finding] = []
        skipped: list[Skip] = []
        errors: list[Fault] = []
        if item.problem is not None:
            errors.append(Fault.of(SCANNER_NAME, item.problem))
        else:
            readers = [detector for detector in self.detectors if item.kind in detector.kinds]
            if not readers:
                skipped.append(Skip(SCANNER_NAME, f"no detector reads this content ({item.kind})"))
            for detector in readers:
                _run(detector, item, findings, skipped, errors)
                if any(finding.label is Label.MINOR_ESCALATE for finding in findings):
                    return self._escalated(item, findings)
        ruling = self.policy.decide(item.kind, item.attributes, findings, errors)
        return Verdict(
            ref=item.ref,
            kind=item.kind,
            sha256=item.sha256,
            action=ruling.action,
            rule=ruling.rule,
            policy=self.policy.id,
            findings=tuple(findings),
            skipped=tuple(skipped),
            errors=tuple(errors),
            shadow=ruling.shadow,
        )

    def scan_all(self, items: Iterable[Item], jobs: int | None = None) -> Iterator[Verdict]:
        """The verdicts on `items`, in their order, streaming, on `jobs` threads (all cores).

        Items are taken only as fast as verdicts are: memory does not grow with their number.
        """
        return ordered_map(self.scan, items, jobs)

    def _escalated(self, item: Item, findings: list[Finding]) -> Verdict:
        """The frozen record of the escalation lane: the item's reference and the route alone."""
        bare = tuple(
            Finding(finding.detector, finding.label, 1.0)
            for finding in findings
            if finding.label is Label.MINOR_ESCALATE
        )
        ruling = self.policy.decide(item.kind, {}, bare, ())
        return Verdict(
            item.ref, item.kind, None, ruling.action, ruling.rule, self.policy.id, bare[:1]
        )


def _run(
    detector: Detector,
    item: Item,
    findings: list[Finding],
    skipped: list[Skip],
    errors: list[Fault],
) -> None:
    """Sort what `detector` sees in `item` into the three lists."""
    try:
        for observation in detector.detect(item):
            match observation:
                case Finding():
                    findings.append(_printable(observation))
                    if observation.label not in detector.labels:
                        raise ValueError(
                            f"it gave {observation.label}, which is not among its labels"
                        )
                case Skip():
                    skipped.append(observation)
                case Fault():
                    errors.append(observation)
                case _:
                    raise TypeError(
                        f"it gave a {type(observation).__name__}, which is nothing seen"
                    )
    except ItemError as error:
        errors.append(Fault.of(detector.name, error))
    except EgideError as error:  # a bank that cannot be used, and no bug
        errors.append(Fault.of(detector.name, DetectorFailed(str(error))))
    except MemoryError:
        errors.append(Fault.of(detector.name, TooMuchMemory("see docs/reference/errors.md")))
    except (Exception, SystemExit) as error:  # noqa: BLE001  a detector's bug must not cost the other findings
        # Not str(error), which may fail in its turn.
        said = format_exception_only(error)[-1].strip()
        errors.append(Fault.of(detector.name, DetectorFailed(f"{said}; please report it")))


def _printable(finding: Finding) -> Finding:
    """`finding`, less evidence that no JSON line can hold: the finding itself must not be lost."""
    try:
        json.dumps(finding.evidence, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return replace(finding, evidence={"unprintable": True})
    return finding
