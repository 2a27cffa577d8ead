"""The table of tools whose metadata is read, and the way from blocks to accounts.

Every family is a module of `egide.provenance.family` with one function, `read`, that takes the
statements of a file and gives what its tool says in them. To add one, add a line here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple

from egide.errors import ItemError, TooManyBytes
from egide.provenance.family import (
    a1111,
    civitai,
    comfyui,
    diffusers,
    draw_things,
    easy_diffusion,
    fooocus,
    grok,
    invokeai,
    midjourney,
    novelai,
    software,
    stability_matrix,
    swarmui,
    tensorart,
)
from egide.provenance.family.joining import joined
from egide.provenance.family.stated import Stated
from egide.provenance.statements import Block, Generation

MOST_ACCOUNTS: Final = 64
"""Accounts read from one file; tools write up to five."""


class Family(NamedTuple):
    """Tools that write alike.

    `marks` are words that stand in their JSON and in no other: a damaged one is known by them.
    """

    name: str
    read: Callable[[Stated], Iterator[Generation]]
    marks: tuple[str, ...] = ()


FAMILIES: Final = (
    Family("swarmui", swarmui.read, ('"sui_image_params"',)),
    Family("stability-matrix", stability_matrix.read, ('"PositivePrompt"', '"SelectedModelName"')),
    Family("tensorart", tensorart.read, ('"modelFileName"', '"ksamplerName"')),
    Family("civitai", civitai.read, ('"extraMetadata"', '"resource-stack"')),
    Family("invokeai", invokeai.read, ('"app_version"', '"generation_mode"', '"model_weights"')),
    Family("novelai", novelai.read, ('"v4_prompt"', '"noise_schedule"', '"uncond_scale"')),
    Family("easy-diffusion", easy_diffusion.read, ('"use_stable_diffusion_model"',)),
    Family("comfyui", comfyui.read, ('"class_type"', '"last_link_id"', '"widgets_values"')),
    Family("fooocus", fooocus.read, ('"metadata_scheme"', '"base_model_hash"')),
    Family("draw-things", draw_things.read, ('"seed_mode"',)),
    Family("midjourney", midjourney.read),
    Family("grok", grok.read),
    Family("diffusers", diffusers.read, ('"num_inference_steps"',)),
    Family("a1111", a1111.read),
    Family("software", software.read),
)
"""In the order in which they are asked: who wraps another tool comes before it."""


def generations(blocks: Sequence[Block]) -> tuple[list[Generation], list[ItemError]]:
    """What the tools say that wrote `blocks`, and what could not be read of it.

    Places that agree are put together. Several accounts mean that they do not agree: all but one
    were pasted in. Nothing in a block raises: what is damaged is a fault, of the classes
    CorruptItem and TooManyBytes, and a known tool stays known by what is left.
    """
    stated = Stated(blocks)
    read = (each for family in FAMILIES for each in family.read(stated))
    found = list(islice(chain(read, _damaged(stated)), MOST_ACCOUNTS + 1))
    if len(found) > MOST_ACCOUNTS:
        said = f"more than {MOST_ACCOUNTS} accounts of its making; the rest is not read"
        stated.faults.append(TooManyBytes(said))
    return joined(found[:MOST_ACCOUNTS]), stated.faults


def _damaged(stated: Stated) -> Iterator[Generation]:
    """An empty account for each damaged text that is known by its marks."""
    for statement in stated.broken:
        for family in FAMILIES:
            if any(mark in statement.text for mark in family.marks):
                yield statement.generation(family.name)
                break
