"""What a trace comes to in words of the taxonomy.

That a file was generated is a label and no offence. That it was made with a likeness of a real
person is for the same judge as models and listings: the names of its adapters and its prompt are
read as theirs would be, and a listing found in the registry brings its own scores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from egide.finding import Finding
from egide.label import Label
from egide.provenance.account import Trace
from egide.provenance.source_types import SYNTHETIC
from egide.provenance.statements import Certainty, Declaration, NamedModel, Role, Trust

if TYPE_CHECKING:
    from egide.hub.facts import ModelFacts
    from egide.hub.gazetteer import Gazetteer
    from egide.hub.likeness import Likeness

NAME: Final = "provenance.v1"
MOST_ADAPTERS: Final = 16
"""Adapters that are judged; more than a handful leave nothing of any of them."""
MOST_PARTS: Final = 300
MOST_PROMPT: Final = 20_000

_BELIEF: Final = {
    Trust.SIGNED_TRUSTED: 1.0,
    Trust.SIGNED: 0.8,
    Trust.PIXELS: 0.9,
    Trust.TEXT: 0.6,
    Trust.CONTRADICTED: 0.3,
}
_CERTAINTY: Final = {Certainty.CERTAIN: 1.0, Certainty.LIKELY: 0.8, Certainty.SUSPECTED: 0.6}
"""What is left where whoever declares is not sure."""
_SURENESS: Final = {"sure": 1.0, "strong": 0.95, "weak": 0.6}
"""What is left of a listing's score: many files have one name, few one digest."""
_AMBIGUOUS: Final = 0.4
"""What is left where a name alone leads to several listings, and not all are of people."""
_MAYBE: Final = 0.25
"""From this score on a name is masked, though it proves nothing."""
_ADAPTERS: Final = frozenset({Role.ADAPTER, Role.EMBEDDING})
_NAME_SIGNALS: Final = frozenset({"given_name", "name_shape", "named_class"})
_SEPARATOR: Final = re.compile(r"[,;\n|]|\bBREAK\b|\bAND\b")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|[\W\d_]+")


def labelled(trace: Trace, gazetteer: Gazetteer | None = None) -> Trace:
    """`trace` with its labels, and with the models marked whose names may be those of people.

    Without a gazetteer nobody is found by name. Links come first: their listings' scores count.
    """
    labels = [*_synthetic(trace)]
    private: frozenset[int] = frozenset()
    if trace.models or any(one.prompt for one in trace.generations):
        judged = _judge(trace, gazetteer)
        labels += _likeness(trace, judged)
        private = frozenset(_private(trace, judged))
    return replace(trace, labels=tuple(labels), private=private)


# ── synthetic ───────────────────────────────────────────────────────────────────────────────────


def _synthetic(trace: Trace) -> Iterator[Finding]:
    declared = [claim for claim in trace.declarations if claim.source_type in SYNTHETIC]
    if declared:
        best = max(declared, key=_declared_score)
        evidence: dict[str, Any] = {
            "where": best.where,
            "trust": str(best.trust),
            "standard": best.standard,
            "source_type": best.source_type,
            "certainty": str(best.certainty),
        }
        yield Finding(NAME, Label.SYNTHETIC_DECLARED, _declared_score(best), evidence)
    traced = {"contradictions": list(trace.contradictions)} if trace.contradictions else {}
    if (first := trace.first) is not None:
        evidence = {"where": list(first.where), "trust": str(first.trust),
                    "generator": first.generator, **traced}  # fmt: skip
        yield Finding(NAME, Label.SYNTHETIC_TRACED, _BELIEF[first.trust], evidence)
    elif trace.watermark is not None:
        evidence = {"where": "watermark", "trust": str(Trust.PIXELS),
                    "watermark": trace.watermark.name}  # fmt: skip
        yield Finding(NAME, Label.SYNTHETIC_TRACED, _BELIEF[Trust.PIXELS], evidence)


def _declared_score(claim: Declaration) -> float:
    return round(_BELIEF[claim.trust] * _CERTAINTY[claim.certainty], 4)


# ── likeness ────────────────────────────────────────────────────────────────────────────────────


class _Judged(NamedTuple):
    """What the likeness detector makes of the prompt with all names, and of each adapter alone."""

    whole: Likeness
    adapters: dict[int, Likeness]


def _judge(trace: Trace, gazetteer: Gazetteer | None) -> _Judged:
    from egide.hub.likeness import likeness_all  # noqa: PLC0415  where there is something to judge

    adapters = list(islice(_adapters(trace.models), MOST_ADAPTERS))
    facts = [_whole(trace, adapters), *(_alone(model) for _, model in adapters)]
    whole, *each = likeness_all(facts, gazetteer)
    return _Judged(whole, {n: judged for (n, _), judged in zip(adapters, each, strict=True)})


def _adapters(models: Sequence[NamedModel]) -> Iterator[tuple[int, NamedModel]]:
    return ((n, model) for n, model in enumerate(models) if model.role in _ADAPTERS and model.name)


def _whole(trace: Trace, adapters: list[tuple[int, NamedModel]]) -> ModelFacts:
    """The prompts, each part between commas by itself, and the names of all adapters."""
    from egide.hub.facts import ModelFacts  # noqa: PLC0415

    prompts = dict.fromkeys(one.prompt[:MOST_PROMPT] for one in trace.generations if one.prompt)
    parts = (part.strip() for prompt in prompts for part in _SEPARATOR.split(prompt))
    texts = [("prompt", part) for part in dict.fromkeys(parts) if part]
    names = [("output_name", model.name or "") for _, model in adapters]
    return ModelFacts(source="other", texts=(*names, *texts[:MOST_PARTS]))


def _alone(model: NamedModel) -> ModelFacts:
    from egide.hub.facts import ModelFacts  # noqa: PLC0415

    name = (model.name or "").replace("_", " ")
    kind = "lora" if model.role is Role.ADAPTER else "textual-inversion"
    return ModelFacts(
        source="other",
        adapter=kind,
        title=name,
        concepts=(name,),
        texts=(("output_name", model.name or ""),),
    )


def _likeness(trace: Trace, judged: _Judged) -> Iterator[Finding]:
    from egide.hub.likeness import SURE  # noqa: PLC0415

    told = [*_by_words(trace, judged), *_by_listing(trace)]
    best: dict[Label, Finding] = {}
    for finding in told:
        if finding.label not in best or finding.score > best[finding.label].score:
            best[finding.label] = finding
    found = [finding for finding in best.values() if finding.score >= SURE]
    if any(finding.label is Label.LIKENESS_NAMED for finding in found):
        found = [finding for finding in found if finding.label is not Label.LIKENESS_UNNAMED]
    yield from found
    sexual = max([judged.whole.sexual, *(link.sexual for link in trace.links if link.is_likeness)])
    if found and sexual >= SURE:
        because = list(judged.whole.intents) or ["listing"]
        yield Finding(NAME, Label.LIKENESS_SEXUAL, sexual, {"because": because})


def _by_words(trace: Trace, judged: _Judged) -> Iterator[Finding]:
    """What the names of adapters and the words of the prompt say."""
    person = judged.whole.person
    if person is not None:
        own = [mention for mention in judged.whole.mentions if mention.person.id == person.id]
        evidence = {
            "name": f"{person.name} ({person.id})",
            "where": sorted({mention.place for mention in own}),
            "adapters": [_shown(trace, n) for n in judged.adapters],
        }
        yield Finding(NAME, Label.LIKENESS_NAMED, judged.whole.named, evidence)
    for n, alone in judged.adapters.items():
        signals = [{"signal": reason.signal, "weight": reason.weight} for reason in alone.reasons]
        evidence = {"adapters": [_shown(trace, n)], "signals": signals}
        yield Finding(NAME, Label.LIKENESS_UNNAMED, alone.unnamed, evidence)


def _by_listing(trace: Trace) -> Iterator[Finding]:
    """What the registry knows of the models' listings."""
    for link in trace.links:
        if not link.is_likeness:
            continue
        rivals = [other for other in trace.links if other.model == link.model]
        unsure = link.sureness == "weak" and not all(other.is_likeness for other in rivals)
        left = _AMBIGUOUS if unsure else _SURENESS[link.sureness]
        named = link.named >= link.unnamed
        evidence = {
            "adapters": [_shown(trace, link.model)],
            "hub": link.hub,
            "listing": link.shown_listing(reveal=False),
            "sureness": link.sureness,
            "by": list(link.by),
        }
        yield Finding(
            NAME,
            Label.LIKENESS_NAMED if named else Label.LIKENESS_UNNAMED,
            round(left * max(link.named, link.unnamed), 4),
            evidence,
        )


def _shown(trace: Trace, number: int) -> dict[str, Any]:
    """A model as evidence: its name stands under a key that reports mask."""
    model = trace.models[number]
    return {"name": model.name, "role": str(model.role), "weight": model.weight}


# ── names ───────────────────────────────────────────────────────────────────────────────────────


def _private(trace: Trace, judged: _Judged) -> Iterator[int]:
    """The numbers of the models whose names may be those of people."""
    from egide.hub.likeness import SURE  # noqa: PLC0415

    listed = {link.model for link in trace.links if link.is_likeness}
    for n, model in enumerate(trace.models):
        alone = judged.adapters.get(n)
        told = alone is not None and (
            alone.named >= _MAYBE
            or alone.unnamed >= SURE
            or any(reason.signal in _NAME_SIGNALS for reason in alone.reasons)
        )
        if n in listed or told or (model.role in _ADAPTERS and _is_shaped(model.name or "")):
            yield n


def _is_shaped(name: str) -> bool:
    """Whether `name` is two or three words, none of them an ordinary one: it may be a person's."""
    from egide.hub.gazetteer_people import ordinary_words  # noqa: PLC0415

    words = [word.lower() for word in _HUMP.split(name[:200]) if len(word) > 2]
    if not 2 <= len(words) <= 3:
        return False
    ordinary = ordinary_words()
    return all(word not in ordinary and word.isalpha() for word in words)
