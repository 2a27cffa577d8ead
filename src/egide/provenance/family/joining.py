"""What one tool says in several places put together, and what contradicts kept apart.

SwarmUI writes its own record beside the graph that ComfyUI ran for it; a converter leaves the same
text in two places. Such accounts become one. Accounts that do not agree on seed or prompt stay two:
one of them was pasted in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from egide.provenance.family.values import distinct
from egide.provenance.statements import Generation, NamedModel, Trust

_WITHIN: Final = {
    "civitai": {"a1111", "comfyui"},
    "comfyui": {"a1111"},
    "draw-things": {"a1111"},
    "fooocus": {"a1111"},
    "stability-matrix": {"a1111", "comfyui"},
    "swarmui": {"comfyui"},
    "tensorart": {"a1111", "comfyui"},
}
"""The tools whose own record stands beside those of the tools inside them."""


def joined(generations: Iterable[Generation]) -> list[Generation]:
    """`generations` in order, each once."""
    found: list[Generation] = []
    for each in generations:
        for at, held in enumerate(found):
            outer, inner = (each, held) if _holds(each, held) else (held, each)
            same = outer.generator == inner.generator
            if (same or _holds(outer, inner)) and _agree(outer, inner):
                found[at] = _put_together(outer, inner)
                break
        else:
            found.append(each)
    return found


def _holds(outer: Generation, inner: Generation) -> bool:
    return inner.generator in _WITHIN.get(outer.generator, ())


def _agree(one: Generation, other: Generation) -> bool:
    """Whether both can be of the same picture: nothing that both say is different."""
    if one.seed is not None and other.seed is not None:
        return one.seed == other.seed
    if one.prompt and other.prompt:
        words, others = _words(one.prompt), _words(other.prompt)
        return words in others or others in words
    names, theirs = _names(one.models), _names(other.models)
    return not names or not theirs or not names.isdisjoint(theirs)


def _words(text: str) -> str:
    return "".join(text.split()).casefold()


def _names(models: tuple[NamedModel, ...]) -> set[str]:
    return {model.name.casefold() for model in models if model.name}


def _put_together(outer: Generation, inner: Generation) -> Generation:
    """What `outer` says, and where it says nothing what `inner` does."""
    hidden = Trust.PIXELS in (outer.trust, inner.trust)
    return replace(
        outer,
        where=tuple(dict.fromkeys([*outer.where, *inner.where])),
        trust=Trust.PIXELS if hidden else outer.trust,
        version=outer.version or inner.version,
        models=_models(outer.models, inner.models),
        prompt=outer.prompt or inner.prompt,
        negative_prompt=outer.negative_prompt or inner.negative_prompt,
        seed=inner.seed if outer.seed is None else outer.seed,
        created=outer.created or inner.created,
        software=outer.software or inner.software,
        ids={**inner.ids, **outer.ids},
    )


def _models(outer: tuple[NamedModel, ...], inner: tuple[NamedModel, ...]) -> tuple[NamedModel, ...]:
    """The models of `outer`, completed by those of `inner`, and of these the roles it leaves out.

    Services run files under names of their own, so that other names in the same role are not
    other models.
    """
    known = {(model.role, (model.name or "").casefold()): model for model in reversed(inner)}
    said = {model.role for model in outer}
    completed = [
        _completed(model, known.get((model.role, (model.name or "").casefold()))) for model in outer
    ]
    return distinct([*completed, *(model for model in inner if model.role not in said)])


def _completed(model: NamedModel, other: NamedModel | None) -> NamedModel:
    if other is None or model.name is None:
        return model
    return replace(
        model,
        weight=other.weight if model.weight is None else model.weight,
        hashes={**other.hashes, **model.hashes},
        ids={**other.ids, **model.ids},
    )
