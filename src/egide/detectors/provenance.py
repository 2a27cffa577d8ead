"""`provenance.v1`: what does this picture or video say of its own making?

`synthetic.declared`: a declaration in a standard's words (Content Credentials, IPTC, China's
label) that it was generated. `synthetic.traced`: the metadata of a generator, or a watermark.
Scores say how far to believe it: 1.0 signed by somebody on the trust list, 0.8 signed by others,
0.9 in the pixels, 0.6 plain text, 0.3 contradicted by another statement. Neither is an offence, and
the default policy does nothing about them. `likeness.*`: the prompt or the adapters named there are
of a real person, by their words or by what the registry knows of their listing. What is not found
proves nothing: one re-encoding removes everything. Metadata that cannot be read is a skip and no
error: it costs no other finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from egide.detector import DetectorSettings, Example
from egide.detectors.likeness_adapter import GAZETTEER_OPTION
from egide.finding import Observation, Skip
from egide.item import Item
from egide.label import Label
from egide.provenance.labels import NAME, labelled
from egide.provenance.trace import trace
from egide.sniff import Kind

if TYPE_CHECKING:
    from egide.hub.gazetteer import Gazetteer
    from egide.provenance.account import Asked, Trace


class Provenance:
    """Traces pictures and videos, with the names in `gazetteer` and the registry of `home`.

    `trust_list` is a file of certificates (PEM) to be trusted in the place of the shipped ones,
    `registry` what is asked in the place of the home's.
    """

    name = NAME
    kinds = frozenset({Kind.IMAGE, Kind.VIDEO})
    labels = frozenset(
        {
            Label.SYNTHETIC_DECLARED,
            Label.SYNTHETIC_TRACED,
            Label.LIKENESS_NAMED,
            Label.LIKENESS_UNNAMED,
            Label.LIKENESS_SEXUAL,
        }
    )

    def __init__(
        self,
        gazetteer: Gazetteer | None = None,
        home: Path | None = None,
        trust_list: Path | None = None,
        registry: Asked | None = None,
    ) -> None:
        self.gazetteer = gazetteer
        self._home = home
        self._trust_list = trust_list
        self._given = registry

    @property
    def examples(self) -> tuple[Example, ...]:
        """Neutral pictures with metadata written as generators write it."""
        from egide.detectors.provenance_examples import provenance_examples  # noqa: PLC0415  seldom

        return provenance_examples()

    def detect(self, item: Item) -> Iterator[Observation]:
        """What `item` says of its making, in labels."""
        found = self.account(item)
        yield from found.labels
        for fault in found.errors:
            yield Skip(NAME, f"metadata: {fault.message}")

    def account(self, item: Item) -> Trace:
        """The whole account of `item`: its statements, the listings of its models, its labels."""
        found = trace(item, self._trust_list)
        if found.models and self._registry is not None:
            found = replace(found, links=self._registry.links(found.models))
        return labelled(found, self.gazetteer)

    @cached_property
    def _registry(self) -> Asked | None:
        if self._given is not None or self._home is None:
            return self._given
        from egide.registry import Registry  # noqa: PLC0415  where a model is named

        return Registry.existing(self._home)


def from_settings(settings: DetectorSettings) -> Provenance:
    """The detector as a scan's options want it; UsageError for a gazetteer that is none."""
    name = settings.options.get(GAZETTEER_OPTION)
    if not name:
        return Provenance(None, settings.home, registry=settings.registry)
    from egide.hub.gazetteer_sample import open_gazetteer  # noqa: PLC0415  where one is wanted

    return Provenance(open_gazetteer(name), settings.home, registry=settings.registry)
