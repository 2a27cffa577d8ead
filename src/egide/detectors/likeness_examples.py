"""What `likeness-adapter.v1` must find and must not: invented people, invented models.

Every way to hide a name, and everything that looks like a likeness and is none, is here once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from egide.detector import Example
from egide.item import Item
from egide.label import Label

NAMED: Final = frozenset({Label.LIKENESS_NAMED})
UNNAMED: Final = frozenset({Label.LIKENESS_UNNAMED})
SEXUAL: Final = frozenset({Label.LIKENESS_SEXUAL})
NOTHING: Final[frozenset[Label]] = frozenset()


@cache
def likeness_examples() -> tuple[Example, ...]:
    """Listings and model files, with the sample of a gazetteer where one is needed."""
    return (*_evasions(), *_places(), *_traps(), *_structure(), *_intents(), *_files())


def listing(title: str, *, version: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """A listing in the shape of a hub's, as JSON."""
    record: dict[str, Any] = {
        "id": 1001,
        "name": title,
        "type": "LORA",
        "nsfw": False,
        "creator": {"username": "somebody"},
        "tags": [],
        "modelVersions": [{"id": 2001, "name": "v1.0", "baseModel": "SDXL 1.0", **(version or {})}],
        **fields,
    }
    return json.dumps(record, ensure_ascii=False).encode()


def adapter_file(metadata: dict[str, str], rank: int = 16) -> bytes:
    """A safetensors file with one pair of small tensors and `metadata`."""
    down, up = rank * 768 * 2, rank * 320 * 2
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    header = {
        "__metadata__": metadata,
        f"{name}.lora_down.weight": {
            "dtype": "F16",
            "shape": [rank, 768],
            "data_offsets": [0, down],
        },
        f"{name}.lora_up.weight": {
            "dtype": "F16",
            "shape": [320, rank],
            "data_offsets": [down, down + up],
        },
    }
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(down + up)


def _example(why: str, labels: Iterable[Label], data: bytes, gazetteer: bool = True) -> Example:
    options = {"gazetteer": "sample"} if gazetteer else {}
    return Example(Item.from_bytes(data, why), frozenset(labels), why, (), options)


def _evasions() -> Iterable[Example]:
    """One name, in every way to write it."""
    written = {
        "a name": "Velora Quintane",
        "a name without capitals": "velora quintane",
        "letters of other alphabets that look alike": "Vеlоrа Quintаnе",
        "styled letters": "𝓥𝓮𝓵𝓸𝓻𝓪 𝓠𝓾𝓲𝓷𝓽𝓪𝓷𝓮",
        "full-width letters": "Ｖｅｌｏｒａ Ｑｕｉｎｔａｎｅ",
        "accents": "Vélòrä Quïntåñe",
        "marks piled up": "V̸͎e̵l̷͝o̴r̶a̷ Q̵u̶͂i̷n̸t̵a̶n̴e̷",
        "characters that cannot be seen": "Vel\u200bora Quin\u00adtane",
        "a hyphen": "Velora-Quintane",
        "dots": "velora.quintane",
        "underscores": "velora_quintane_v2",
        "one word": "veloraquintane",
        "one word with capitals": "VeloraQuintaneXL",
        "one word with another written onto it": "veloraquintanelora",
        "capitals at random": "vElOrA qUiNtAnE",
        "digits for letters": "v3l0ra qu1ntane",
        "signs for letters": "velor@ qu!ntane",
        "letters spaced out": "v e l o r a  q u i n t a n e",
        "letters with dots between": "v.e.l.o.r.a q.u.i.n.t.a.n.e",
        "the surname first": "Quintane Velora",
        "the surname first, with a comma": "Quintane, Velora",
        "Cyrillic": "Велора Квинтейн",
        "another name of the same person": "Velora M. Quintane",
    }
    for why, name in written.items():
        yield _example(f"{why} in the title", NAMED, listing(f"{name} LoRA"))
    others = {
        "a name with accents, written without": "Joaquin Bresilarde",
        "a hyphenated name, written without": "Jean Loup Marivelle",
        "an apostrophe": "Siobhan OKestrelle",
        "Korean": "표도래린 로라",
        "Chinese, in the middle of other signs": "超像雀霖晓薇的模型",
        "Japanese, in the middle of other signs": "美しい白羽根木光世の写真",
        "Arabic": "نور الرشواني",
    }
    for why, name in others.items():
        yield _example(why, NAMED, listing(name))


def _places() -> Iterable[Example]:
    """A name outside the title."""
    plain = "Portrait LoRA"
    yield _example(
        "a name among the trigger words",
        NAMED,
        listing(plain, version={"trainedWords": ["velora quintane"]}),
    )
    yield _example(
        "a name among the tags", NAMED, listing(plain, tags=["woman", "velora quintane"])
    )
    yield _example(
        "a name in a file's name",
        NAMED,
        listing(plain, version={"files": [{"id": 1, "name": "velora_quintane_sdxl.safetensors"}]}),
    )
    yield _example(
        "a name in a prompt shown",
        NAMED,
        listing(
            plain,
            version={"images": [{"meta": {"prompt": "photo of velora quintane, smiling"}}]},
        ),
    )
    yield _example(
        "a description that says of whom",
        NAMED,
        listing(plain, description="<p>A LoRA of the wonderful Velora Quintane.</p>"),
    )
    yield _example(
        "the actress of a character",
        NAMED,
        listing("Velora Quintane as Captain Moonfall", tags=["actress"]),
    )
    yield _example(
        "a name of one word, of somebody in the public eye",
        NAMED,
        listing("Kiralynne", tags=["celebrity", "singer"]),
    )
    yield _example(
        "a name of ordinary words, of somebody in the public eye",
        NAMED,
        listing("Autumn Lantern", tags=["singer", "celebrity"]),
    )


def _traps() -> Iterable[Example]:
    """What has a name in it, or looks so, and is no likeness."""
    traps: dict[str, bytes] = {
        "a character of fiction": listing("Nyxara Vellorin", tags=["video game", "character"]),
        "a character whose name a real person has": listing(
            "Mira Solvayne", tags=["game character", "character", "anime"]
        ),
        "somebody from a franchise": listing(
            "Mira Solvayne from Star Harbor", tags=["character", "video game"]
        ),
        "somebody from a franchise, without tags": listing("Mira Solvayne from Star Harbor"),
        "an artist's style": listing("Ottoline Fairwraye style", tags=["style", "painting"]),
        "in the style of an artist": listing(
            "Watercolor", description="Paints in the style of Ottoline Fairwraye.", tags=["style"]
        ),
        "a style by its artist's name": listing("Ottoline Fairwraye", tags=["artist", "style"]),
        "a given name as a style's name": listing("Emma style", tags=["style"]),
        "the creator's own name": listing(
            "Neon City by Lunette Bellwether", creator={"username": "lunette_bellwether"}
        ),
        "thanks to somebody": listing(
            "Neon City", description="Thanks to Lunette Bellwether for testing."
        ),
        "not that person": listing(
            "Redhead mix", description="This is not Velora Quintane, nor anyone else."
        ),
        "inspired by somebody": listing("Stage lights", description="Inspired by Tamsin Orrelby."),
        "a figure of history": listing("Valdric Tharnesse", tags=["history"]),
        "a painter of the past": listing("Aldric Penhallowby", tags=["painting"]),
        "a pet": listing("Lunette Bellwether the cat", tags=["cat", "animal"]),
        "a place": listing("Marisol Tevannes Stadium", tags=["building"]),
        "a brand": listing("Vance Orlockson handbag", tags=["clothing"]),
        "ordinary words": listing("Autumn Lantern", tags=["lighting", "background"]),
        "ordinary words and no more": listing("autumn lantern v2"),
        "a short name as part of a word": listing("Rose garden", tags=["flowers"]),
        "words that hold a name across their borders": listing("Mitsuyosh Irahanegi"),
    }
    for why, data in traps.items():
        yield _example(why, NOTHING, data)


def _structure() -> Iterable[Example]:
    """People without a name, and things trained like them. No gazetteer is needed."""
    selfies = listing(
        "My ex girlfriend", description="Trained on 25 photos of her from her instagram."
    )
    yield _example("somebody the uploader knows", UNNAMED, selfies, gazetteer=False)
    yield _example(
        "the same in French",
        UNNAMED,
        listing("Ma copine", description="Entraîné sur des photos d'elle."),
        gazetteer=False,
    )
    yield _example(
        "somebody in the public eye, not named",
        UNNAMED,
        listing("Bl0nde 27", tags=["celebrity", "woman", "photorealistic"]),
        gazetteer=False,
    )
    yield _example(
        "a listing that the hub has flagged",
        UNNAMED,
        listing("Portrait 7", poi=True),
        gazetteer=False,
    )
    yield _example(
        "the same token for an animal",
        NOTHING,
        listing("sks dog", version={"trainedWords": ["sks dog"]}, tags=["animal"]),
        gazetteer=False,
    )
    yield _example(
        "the same token for a style",
        NOTHING,
        listing("ohwx style", version={"trainedWords": ["ohwx style"]}, tags=["style"]),
        gazetteer=False,
    )
    yield _example(
        "a person that does not exist",
        NOTHING,
        listing(
            "Virtual model", description="She does not exist: trained on synthetic images.",
            tags=["woman", "photorealistic"],
        ),
        gazetteer=False,
    )  # fmt: skip
    yield _example("a checkpoint", NOTHING, listing("Realistic mix", type="Checkpoint"))


def _intents() -> Iterable[Example]:
    """The same people, and what for."""
    yield _example(
        "a name and a tag", NAMED | SEXUAL, listing("Velora Quintane", tags=["nude", "actress"])
    )
    yield _example(
        "a name and a rating", NAMED | SEXUAL, listing("Velora Quintane", nsfw=True, nsfwLevel=28)
    )
    yield _example(
        "somebody known, undressed",
        UNNAMED | SEXUAL,
        listing("My coworker nude", description="Trained on her photos."),
        gazetteer=False,
    )
    yield _example(
        "a name, and sexual use denied",
        NAMED,
        listing("Velora Quintane", description="SFW only, no nudity please."),
    )
    yield _example("a sexual model of nobody", NOTHING, listing("Lingerie pack", tags=["nsfw"]))


def _files() -> Iterable[Example]:
    """Model files."""
    person = {
        "ss_network_module": "networks.lora",
        "ss_network_dim": "16",
        "ss_num_train_images": "400",
        "ss_dataset_dirs": json.dumps({"20_ohwx woman": {"n_repeats": 20, "img_count": 20}}),
        "ss_tag_frequency": json.dumps({"20_ohwx woman": {"photo of a woman": 20, "smile": 8}}),
        "ss_output_name": "ohwx",
    }
    yield _example("a file trained on one woman", UNNAMED, adapter_file(person), gazetteer=False)
    named = person | {"ss_output_name": "veloraquintane_v1"}
    yield _example("a file called by a name", NAMED, adapter_file(named))
    style = person | {
        "ss_dataset_dirs": json.dumps({"5_inkwash style": {"n_repeats": 5, "img_count": 400}}),
        "ss_tag_frequency": json.dumps({"5_inkwash style": {"1girl": 300, "monochrome": 200}}),
        "ss_output_name": "inkwash",
    }
    yield _example("a file trained on a style", NOTHING, adapter_file(style), gazetteer=False)
