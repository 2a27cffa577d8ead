"""What trainers write about a model into the metadata of its file.

kohya's sd-scripts (`ss_…`) set the example, the others use its keys and add their own; ModelSpec
(`modelspec.…`) is the attempt at a standard. Values are strings, often with JSON in them, and
"None" where there was nothing to say; in the wild they are also numbers, null and objects.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from egide.hub.base_models import canonical_base, known_base
from egide.hub.facts import MOST_WORDS, ModelFacts, distinct, plain
from egide.hub.fields import words_of
from egide.hub.metadata import Metadata, leaf_texts, moment_of, texts_of

MOST_TAGS: Final = 300
"""Different tags of the training captions that are kept, the most frequent ones."""
_MOST_COUNT: Final = 1 << 40
_LONG: Final = 2_000
_FOLDER: Final = re.compile(r"\A\d{1,6}_+(?=.)")


def facts_of_metadata(values: Mapping[str, Any], source: str = "safetensors") -> ModelFacts:
    """What the metadata of a file say of the model; never raises."""
    metadata = Metadata(values)
    subsets = tuple(_subsets(metadata))
    trainer = _trainer(metadata)
    frequency, trusted = _tag_frequency(metadata, trainer)
    title = metadata.text("modelspec.title", "ssmd_display_name", "ss_output_name", "name")
    return ModelFacts(
        source=source,
        title=title,
        creator=metadata.text("modelspec.author", "ssmd_author", "author"),
        description=metadata.text("modelspec.description", "ssmd_description", "description"),
        adapter=_adapter(metadata),
        base_model=_base_model(metadata),
        trainer=trainer,
        rank=metadata.number("ss_network_dim", "rank", "lora_rank"),
        images=_images(metadata, subsets),
        steps=metadata.number("ss_steps", "step", "global_step") or _training_info(metadata, "step")
        or metadata.number("ss_max_train_steps"),
        epochs=metadata.number("ss_epoch", "epoch") or _training_info(metadata, "epoch")
        or metadata.number("ss_num_epochs"),
        trained_at=_moment(metadata),
        concepts=_concepts(metadata, subsets),
        trigger_words=_triggers(metadata, subsets),
        tags=words_of(metadata.text("modelspec.tags", "ssmd_tags") or metadata.values.get("tags")),
        tag_frequency=frequency,
        tag_frequency_trusted=trusted,
        texts=tuple(texts_of(metadata, title)),
        hashes=_hashes(metadata),
        thumbnails=_thumbnails(metadata),
    )  # fmt: skip


# ── who trained what, on which base ─────────────────────────────────────────────────────────────


def _trainer(metadata: Metadata) -> str | None:
    software = " ".join(
        str(value)[:200].lower()
        for key in ("software", "trainer", "generator", "ss_training_tool")
        for value in leaf_texts(metadata.parsed(key) or metadata.text(key))
    )
    for name in ("ai-toolkit", "onetrainer", "musubi-tuner", "civitai", "simpletuner", "diffusers"):
        if name in software:
            return name
    return next((name for name, wrote in _TRAINERS if wrote(metadata)), None)


def _wrote_any(*beginnings: str) -> Callable[[Metadata], bool]:
    return lambda metadata: any(key.startswith(beginnings) for key in metadata.values)


def _is_musubi(metadata: Metadata) -> bool:
    module = (metadata.text("ss_network_module") or "").lower()
    return "ss_num_train_items" in metadata.values or (
        module.startswith("networks.lora_") and any(name in module for name in _MUSUBI)
    )


def _is_sd_scripts(metadata: Metadata) -> bool:
    return "sd-scripts" in (metadata.text("modelspec.implementation_version") or "")


_MUSUBI: Final = ("wan", "hunyuan", "hv_", "framepack", "qwen", "kontext", "zimage", "_fpack")
_TRAINERS: Final[tuple[tuple[str, Callable[[Metadata], bool]], ...]] = (
    ("onetrainer", _wrote_any("ot_")),
    ("ai-toolkit", _wrote_any("training_info")),
    ("musubi-tuner", _is_musubi),
    ("kohya-ss", _wrote_any("ss_", "sshs_")),
    ("kohya-ss", _is_sd_scripts),
    ("merge", _wrote_any("sd_merge_")),
    ("diffusers", _wrote_any("lora_adapter_metadata")),
)
_ALGORITHMS: Final = {
    "locon": "locon", "lora": "lora", "loha": "loha", "lokr": "lokr", "dylora": "lora",
    "full": "full", "ia3": "ia3", "diag-oft": "oft", "oft": "oft", "boft": "boft",
    "glora": "glora", "norms": "norm",
}  # fmt: skip


def _adapter(metadata: Metadata) -> str | None:
    """The kind of adapter by what the trainer was told; the tensors know better."""
    arguments = metadata.objects("ss_network_args")
    if str(arguments.get("dora_wd", "")).lower() == "true":
        return "dora"
    algorithm = _ALGORITHMS.get(str(arguments.get("algo", "")).lower())
    module = (metadata.text("ss_network_module") or "").lower()
    if algorithm is None and module:
        algorithm = "oft" if "oft" in module else "locon" if "lycoris" in module else "lora"
        if algorithm == "lora" and arguments.get("conv_dim"):
            algorithm = "locon"
    architecture = (metadata.text("modelspec.architecture") or "").lower()
    _, _, kind = architecture.partition("/")
    return algorithm or (kind if kind in ("lora", "textual-inversion", "controlnet") else None)


def _base_model(metadata: Metadata) -> str | None:
    """The base model: a finetune named as such first, then what the architecture says."""
    model = metadata.text("ss_sd_model_name")
    finetune = known_base(_last_part(model)) if model else None
    said = metadata.text("ss_base_model_version", "modelspec.architecture", "base_model")
    architecture = canonical_base((said or "").partition("/")[0]) if said else None
    ours = _FINETUNES.get(finetune or "")
    if finetune and (architecture is None or ours == architecture):
        return finetune
    return architecture or canonical_base(metadata.text("ss_sd_model_name", "ss_base_model"))


_FINETUNES: Final = {
    "Pony": "SDXL 1.0", "Illustrious": "SDXL 1.0", "NoobAI": "SDXL 1.0", "Pony V7": "AuraFlow",
    "SDXL Turbo": "SDXL 1.0", "SDXL Lightning": "SDXL 1.0", "SDXL Hyper": "SDXL 1.0",
    "Flux.1 S": "Flux.1 D", "Flux.1 Krea": "Flux.1 D", "Flux.1 Kontext": "Flux.1 D",
    "SD 1.4": "SD 1.5",
}  # fmt: skip
"""Which base a finetune's own architecture is called by."""


def _training_info(metadata: Metadata, key: str) -> int | None:
    return Metadata(metadata.objects("training_info")).number(key)


def _moment(metadata: Metadata) -> datetime | None:
    for key in ("ss_training_started_at", "ss_training_finished_at"):
        if moment := moment_of(metadata.text(key)):
            return moment
    return moment_of(metadata.text("modelspec.date", "date", "created_at"))


# ── what was it trained on ──────────────────────────────────────────────────────────────────────


def _subsets(metadata: Metadata) -> Iterator[Mapping[str, Any]]:
    """Every folder of training pictures in `ss_datasets`."""
    datasets = metadata.parsed("ss_datasets")
    for dataset in datasets[:MOST_WORDS] if isinstance(datasets, list) else ():
        if not isinstance(dataset, dict):
            continue
        subsets = dataset.get("subsets")
        found = subsets[:MOST_WORDS] if isinstance(subsets, list) and subsets else [dataset]
        yield from (subset for subset in found if isinstance(subset, dict))


def _folder_of(subset: Mapping[str, Any]) -> str | None:
    return Metadata(subset).text(
        "image_dir", "image_directory", "video_directory", "metadata_file", "image_jsonl_file"
    )


def _images(metadata: Metadata, subsets: tuple[Mapping[str, Any], ...]) -> int | None:
    """How many pictures it was trained on, without repeats and without regularisation pictures."""
    folders = list(metadata.objects("ss_dataset_dirs").values())
    counted = [
        Metadata(info).number("img_count") or 0
        for info in folders or [s for s in subsets if not s.get("is_reg")]
        if isinstance(info, dict)
    ]
    if total := sum(counted):
        return total
    with_repeats = metadata.number("ss_num_train_images", "ss_num_train_items")
    # One folder, of which the name tells how often each of its pictures was taken.
    repeats = [_repeats(name) for name in metadata.objects("ss_tag_frequency")]
    if with_repeats and len(repeats) == 1 and repeats[0]:
        return with_repeats // repeats[0]
    return metadata.number("num_images", "dataset_size", "training_images")


def _repeats(folder: str) -> int:
    number, _, name = folder.partition("_")
    return int(number) if name and number.isascii() and number.isdigit() else 0


def concept_of(folder: str) -> str:
    """The concept that a folder of training pictures is named after: `10_a name` is `a name`."""
    return plain(_FOLDER.sub("", _last_part(folder)), 300)


def _last_part(path: str) -> str:
    """The last part of a path of Linux or of Windows."""
    return path[:_LONG].replace("\\", "/").rstrip("/").rpartition("/")[2]


def _concepts(metadata: Metadata, subsets: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    regular = set(metadata.objects("ss_reg_dataset_dirs"))
    folders = [*metadata.objects("ss_dataset_dirs"), *_folders_of_frequency(metadata)]
    folders += [f for s in subsets if not s.get("is_reg") and (f := _folder_of(s))]
    named = [concept_of(folder) for folder in folders if folder not in regular]
    return distinct([*named, *_onetrainer_concepts(metadata)])


def _folders_of_frequency(metadata: Metadata) -> list[str]:
    frequency = metadata.objects("ss_tag_frequency")
    return [folder for folder, tags in frequency.items() if isinstance(tags, dict)]


def _onetrainer_concepts(metadata: Metadata) -> Iterator[str]:
    config = metadata.objects("ot_config")
    concepts = config.get("concepts")
    for concept in concepts[:MOST_WORDS] if isinstance(concepts, list) else ():
        if isinstance(concept, dict):
            told = Metadata(concept)
            yield told.text("name") or ""
            yield concept_of(told.text("path") or "")


def _triggers(metadata: Metadata, subsets: tuple[Mapping[str, Any], ...]) -> tuple[str, ...]:
    words = [
        *words_of(
            metadata.text("modelspec.trigger_phrase", "trigger_word", "trigger_words", "trigger")
        ),
        *words_of(metadata.text("ssmd_keywords", "activation text", "instance_prompt")),
        *(Metadata(subset).text("class_tokens") or "" for subset in subsets),
    ]
    return distinct(words)


def _tag_frequency(
    metadata: Metadata, trainer: str | None
) -> tuple[tuple[tuple[str, int], ...], bool]:
    """(tag, count) over all folders, most frequent first, and whether the counts mean anything.

    Some tools write the trigger word there, counted once, so that other programs show it: a table
    in which nothing was counted twice is such a one, as is ai-toolkit's.
    """
    table = metadata.objects("ss_tag_frequency")
    nested: list[Mapping[str, Any]] = [t for t in table.values() if isinstance(t, dict)]
    counts: dict[str, int] = {}
    for tags in nested or [table]:
        for tag, count in tags.items():
            if type(count) is int and 0 < count <= _MOST_COUNT:
                counts[tag] = counts.get(tag, 0) + count
    counts.pop("", None)
    kept = sorted(counts.items(), key=itemgetter(1), reverse=True)[:MOST_TAGS]
    ranked = tuple(kept)
    if not _are_plain(tag for tag, _ in kept):
        ranked = tuple((said, count) for tag, count in kept if (said := plain(tag, 300)))
    trusted = not ranked or (ranked[0][1] > 1 and trainer != "ai-toolkit")
    return ranked, trusted


def _are_plain(tags: Iterable[str]) -> bool:
    """Whether no tag need be cleaned: found out for all at once, since there are hundreds."""
    joined = "".join(tags)
    return joined.isascii() and joined.isprintable() and len(joined) < 20_000


# ── the rest ────────────────────────────────────────────────────────────────────────────────────


def _hashes(metadata: Metadata) -> dict[str, str]:
    """The tensors' SHA-256, as the trainer computed it: nothing is read to check it."""
    for key in ("sshs_model_hash", "modelspec.hash_sha256"):
        said = (metadata.text(key) or "").lower().removeprefix("0x")
        if re.fullmatch(r"[0-9a-f]{64}", said):
            return {"AutoV3": said}
    return {}


def _thumbnails(metadata: Metadata) -> int:
    covers = metadata.parsed("ssmd_cover_images")
    embedded = len(covers) if isinstance(covers, list) else 0
    return embedded + (metadata.text("modelspec.thumbnail") is not None)
