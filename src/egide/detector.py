"""The seam for everything that reads an item: the protocol and the registry.

A detector is a small object with a name, the kinds it reads, the labels it can give, examples that
run as tests, and one method. Packages add theirs under the entry point group `egide.detectors`:
each entry names a callable `(DetectorSettings) -> Detector`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from inspect import getattr_static
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from egide.errors import EgideError, UsageError
from egide.finding import Observation
from egide.fingerprint import DEFAULT_THRESHOLD
from egide.item import Item
from egide.label import Label
from egide.match import Lookup
from egide.sniff import Kind

ENTRY_POINT_GROUP: Final = "egide.detectors"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\.v[1-9][0-9]*")
_MEMBERS: Final = ("name", "kinds", "labels", "examples", "detect")


@dataclass(frozen=True, slots=True)
class Example:
    """An item with the labels that a detector must give it: run as a test, printed in the docs.

    `banked` are the pictures that a block bank holds in this example, `options` those of the scan.
    """

    item: Item
    labels: frozenset[Label]
    why: str
    banked: tuple[Item, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict, hash=False)


@runtime_checkable
class Detector(Protocol):
    """Reads an item, reports what it saw.

    `detect` yields `Finding`s, and where it left something out or could not read it, `Skip`s and
    `Fault`s. It may raise ItemError: what it yielded before counts all the same. It is called from
    several threads at once and keeps no state between items.
    """

    @property
    def name(self) -> str:
        """Name and version, `known-media.v1`."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """Which items it reads."""

    @property
    def labels(self) -> frozenset[Label]:
        """Which labels it can give."""

    @property
    def examples(self) -> tuple[Example, ...]:
        """Items with the labels expected."""

    def detect(self, item: Item) -> Iterator[Observation]:
        """What it sees in `item`."""


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """What a scan's options say to the detectors it is made of.

    `banks` are open banks; `threshold` is a Hamming distance in bits, 0..63. `registry` is asked
    for the listings of models in the place of the one in `home`: `egide.provenance.account.Asked`.
    """

    banks: tuple[Lookup, ...] = ()
    threshold: int = DEFAULT_THRESHOLD
    home: Path | None = None
    options: dict[str, str] = field(default_factory=dict)
    registry: Any = None


def load_detectors(settings: DetectorSettings) -> tuple[Detector, ...]:
    """Every installed detector, in the order of their names; UsageError when one cannot load."""
    from importlib.metadata import entry_points  # noqa: PLC0415  start-up time

    loaded: list[Detector] = []
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        try:
            factory: Callable[[DetectorSettings], Detector] = entry.load()
            detector = factory(settings)
        except EgideError:
            raise
        except Exception as error:
            raise UsageError(
                f"the detector {entry.name!r} ({entry.value}) cannot be loaded: "
                f"{type(error).__name__}: {error}; reinstall or remove the package that brings it"
            ) from error
        if not _is_detector(detector) or not _NAME.fullmatch(detector.name):
            raise UsageError(
                f"{entry.value} gives no detector with a name like 'known-media.v1'; "
                "see docs/reference/detectors.md"
            )
        if any(detector.name == other.name for other in loaded):
            raise UsageError(
                f"{entry.value} is a second detector named {detector.name!r}; remove one of them"
            )
        loaded.append(detector)
    return tuple(loaded)


def _is_detector(candidate: object) -> bool:
    """Whether `candidate` has all that a detector has, found out without computing any of it."""
    # isinstance() would: Python 3.11 reads every property of a protocol, `examples` among them.
    return all(getattr_static(candidate, member, None) is not None for member in _MEMBERS)
