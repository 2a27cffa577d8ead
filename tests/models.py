"""Neutral models: real files in every format, with invented names in them, and broken ones."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors.numpy import save

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Shapes = dict[str, tuple[int, ...]]

SD1, SDXL = 768, 2048


def kohya_lora(context: int = SD1, rank: int = 4, blocks: int = 2) -> Shapes:
    """The tensors of a LoRA as kohya's sd-scripts write them, for a U-Net of `context` inputs."""
    shapes: Shapes = {}
    for block in range(blocks):
        for layer, inputs, outputs in (("attn1_to_q", 320, 320), ("attn2_to_k", context, 320)):
            name = f"lora_unet_down_blocks_{block}_attentions_0_transformer_blocks_0_{layer}"
            shapes |= down_up(name, rank, inputs, outputs)
    return shapes


def down_up(name: str, rank: int, inputs: int, outputs: int) -> Shapes:
    """One layer of a LoRA in kohya's names."""
    return {
        f"{name}.alpha": (),
        f"{name}.lora_down.weight": (rank, inputs),
        f"{name}.lora_up.weight": (outputs, rank),
    }


def kohya_metadata(concept: str = "mirela tovanescu woman", **more: Any) -> dict[str, str]:
    """What kohya's sd-scripts write about a training on 24 pictures of one concept."""
    folder = f"10_{concept}"
    subset = {"img_count": 24, "num_repeats": 10, "image_dir": folder, "class_tokens": concept}
    metadata = {
        "ss_output_name": "mirela_v1",
        "ss_network_module": "networks.lora",
        "ss_network_dim": "4",
        "ss_network_alpha": "4.0",
        "ss_network_args": "None",
        "ss_base_model_version": "sd_v1",
        "ss_sd_model_name": "v1-5-pruned-emaonly.safetensors",
        "ss_num_train_images": "240",
        "ss_num_reg_images": "0",
        "ss_steps": "1500",
        "ss_epoch": "8",
        "ss_num_epochs": "10",
        "ss_training_started_at": "1700000000.25",
        "ss_training_comment": "None",
        "ss_optimizer": "torch.optim.adamw.AdamW",
        "ss_dataset_dirs": json.dumps({folder: {"n_repeats": 10, "img_count": 24}}),
        "ss_tag_frequency": json.dumps({folder: {"smile": 20, "mirela": 24, "outdoors": 3}}),
        "ss_datasets": json.dumps([{"num_train_images": 240, "subsets": [subset]}]),
        "sshs_model_hash": "ab" * 32,
        "sshs_legacy_hash": "01234567",
    }
    return metadata | {key: value if isinstance(value, str) else json.dumps(value)
                       for key, value in more.items()}  # fmt: skip


def safetensors(
    shapes: Mapping[str, tuple[int, ...]], metadata: dict[str, str] | None = None
) -> bytes:
    """A safetensors file as the reference library writes it."""
    tensors = {name: np.zeros(shape, np.float16) for name, shape in shapes.items()}
    return save(tensors, metadata)


def header(content: Any, *, length: int | None = None, body: bytes = b"") -> bytes:
    """A safetensors file with any header: a JSON value, text or bytes."""
    if not isinstance(content, bytes | str):
        content = json.dumps(content)
    raw = content.encode() if isinstance(content, str) else content
    return struct.pack("<Q", len(raw) if length is None else length) + raw + body


def gguf(
    path: Path, architecture: str, shapes: Mapping[str, tuple[int, ...]], **general: str
) -> Path:
    """A GGUF file as the reference library writes it."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, architecture)
    for key, value in general.items():
        writer.add_string(f"general.{key}", value)
    writer.add_array("general.tags", ["neutral", "test"])
    for name, shape in shapes.items():
        writer.add_tensor(name, np.zeros(shape, np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


# ── pickles, put together by hand: PyTorch is not needed to write what it writes ────────────────


def torch_pickle(
    shapes: Mapping[str, tuple[int, ...]], settings: Mapping[str, Any] | None = None
) -> bytes:
    """The `data.pkl` of a state dictionary as PyTorch writes it."""
    pairs = b"".join(_text(name) + _tensor(shape) for name, shape in shapes.items())
    pairs += b"".join(_text(key) + _value(value) for key, value in (settings or {}).items())
    return b"\x80\x02ccollections\nOrderedDict\n)R(" + pairs + b"u."


def inversion_pickle(token: str, name: str, width: int = SD1) -> bytes:
    """The `data.pkl` of a textual inversion as A1111 writes it."""
    params = b"}" + _text(token) + _tensor((2, width)) + b"s"
    tokens = b"}" + _text(token) + b"K\x01s"
    fields = _text("string_to_token") + tokens + _text("string_to_param") + params
    fields += _text("name") + _text(name) + _text("step") + b"M\xf4\x01"
    return b"\x80\x02}(" + fields + _text("sd_checkpoint_name") + _text("v1-5-pruned") + b"u."


def torch_zip(pickled: bytes, *, name: str = "archive/data.pkl", compressed: bool = False) -> bytes:
    """A file as `torch.save` writes it since version 1.6."""
    out = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr(name, pickled)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/data/0", bytes(64))
    return out.getvalue()


def legacy_torch(pickled: bytes) -> bytes:
    """A file as `torch.save` wrote it before: five pickles, then the tensors' bytes."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    system = pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2)
    return magic + pickle.dumps(1001, 2) + system + pickled + pickle.dumps(["0"], 2) + bytes(256)


def _text(text: str) -> bytes:
    raw = text.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def _value(value: Any) -> bytes:
    return pickle.dumps(value, 2)[2:-1]


def _tensor(shape: Sequence[int]) -> bytes:
    sizes = b"(" + b"".join(b"J" + struct.pack("<i", size) for size in shape) + b"t"
    storage = (
        b"(" + _text("storage") + b"ctorch\nHalfStorage\n" + _text("0") + _text("cpu") + b"K@tQ"
    )
    empty = b"ccollections\nOrderedDict\n)R"
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\x00" + sizes + sizes + b"\x89"
        + empty + b"tR"
    )  # fmt: skip
