"""Model files to measure with: adapters as trainers write them, made anew each time."""

from __future__ import annotations

import json
import math
import struct
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

RANK: Final = 16
BODY: Final = 4096
"""Bytes of tensors in a small adapter: headers are measured, not disks."""

SD1: Final = (264, 320, 768)
SDXL: Final = (722, 640, 2048)
"""Layers, outputs and inputs of the adapters that kohya's sd-scripts train."""


def lora_header(
    layers: tuple[int, int, int] = SD1, tags: int = 150, seed: int = 0, shrink: bool = False
) -> bytes:
    """The length and the header of a LoRA with kohya's metadata, and `tags` different tags.

    With `shrink` the tensors are said to be as small as `BODY` lets them be.
    """
    number, outputs, inputs = layers
    entries: dict[str, object] = {"__metadata__": _metadata(tags, seed, layers)}
    offset = 0
    for block in range(number):
        kind = "attn2_to_k" if block % 2 else "attn1_to_q"
        name = f"lora_unet_down_blocks_{block % 4}_attentions_{block}_transformer_blocks_0_{kind}"
        for part, shape in (
            ("alpha", []),
            ("lora_down.weight", [RANK, inputs]),
            ("lora_up.weight", [outputs, RANK]),
        ):
            size = 0 if shrink else 2 * math.prod(shape)
            entries[f"{name}.{part}"] = {
                "dtype": "F16", "shape": shape, "data_offsets": [offset, offset + size],
            }  # fmt: skip
            offset += size
    raw = json.dumps(entries, separators=(",", ":")).encode()
    return struct.pack("<Q", len(raw)) + raw


def _metadata(tags: int, seed: int, layers: tuple[int, int, int]) -> dict[str, str]:
    folder = f"10_neutral {seed} landscape"
    frequency = {f"tag number {n}": 1 + (n * 7919 + seed) % 60 for n in range(tags)}
    subset = {"img_count": 30, "num_repeats": 10, "image_dir": folder, "class_tokens": folder[3:]}
    return {
        "ss_output_name": f"neutral_{seed}",
        "ss_network_module": "networks.lora",
        "ss_network_dim": str(RANK),
        "ss_base_model_version": "sdxl_base_v1-0" if layers == SDXL else "sd_v1",
        "ss_num_train_images": "300",
        "ss_steps": "1500",
        "ss_training_started_at": "1700000000.0",
        "ss_dataset_dirs": json.dumps({folder: {"n_repeats": 10, "img_count": 30}}),
        "ss_tag_frequency": json.dumps({folder: frequency}),
        "ss_datasets": json.dumps([{"subsets": [subset], "tag_frequency": {folder: frequency}}]),
        "ss_bucket_info": json.dumps(
            {"buckets": {str(n): {"resolution": [n, n]} for n in range(9)}}
        ),
        "sshs_model_hash": "ab" * 32,
    }


def folder_of_adapters(folder: Path, number: int) -> int:
    """Writes `number` small adapters; returns their bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for seed in range(number):
        data = lora_header(SDXL if seed % 4 == 0 else SD1, 150, seed, shrink=True) + bytes(BODY)
        (folder / f"neutral_{seed:05}.safetensors").write_bytes(data)
        total += len(data)
    return total


def large_checkpoint(path: Path, size: int) -> None:
    """Writes a checkpoint that says it has `size` bytes of tensors, all of them a hole."""
    header = {
        "__metadata__": {"format": "pt", "modelspec.title": "neutral"},
        **{
            name: {"dtype": "F16", "shape": [320, 768], "data_offsets": [0, 0]}
            for name in _checkpoint_names()
        },
        "last": {"dtype": "F16", "shape": [size // 2], "data_offsets": [0, size]},
    }
    raw = json.dumps(header, separators=(",", ":")).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(raw)) + raw)
        file.truncate(8 + len(raw) + size)


def _checkpoint_names() -> list[str]:
    number = count()
    return [
        f"model.diffusion_model.input_blocks.{next(number)}.1.transformer_blocks.0.attn2.to_k.weight"
        for _ in range(1131)
    ]


def state_dictionary(layers: tuple[int, int, int] = SD1) -> bytes:
    """The pickle of a LoRA as PyTorch writes it, without its storages."""
    number, outputs, inputs = layers
    parts = [b"\x80\x02ccollections\nOrderedDict\n)R("]
    for block in range(number):
        name = f"lora_unet_down_blocks_0_attentions_{block}_transformer_blocks_0_attn2_to_k"
        for part, shape in (("lora_down", (RANK, inputs)), ("lora_up", (outputs, RANK))):
            key = f"{name}.{part}.weight".encode()
            parts.append(b"X" + struct.pack("<I", len(key)) + key + _tensor(shape))
    return b"".join([*parts, b"u."])


def _tensor(shape: tuple[int, int]) -> bytes:
    sizes = b"".join(b"M" + struct.pack("<H", size) for size in shape) + b"\x86"
    storage = b"(X\x07\x00\x00\x00storagectorch\nHalfStorage\nX\x01\x00\x00\x000"
    storage += b"X\x03\x00\x00\x00cpuK\x01tQ"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + sizes + sizes
        + b"\x89ccollections\nOrderedDict\n)RtR"
    )  # fmt: skip
