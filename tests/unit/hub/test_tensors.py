"""Kind of adapter, rank and base model, by names and shapes of tensors alone."""

from __future__ import annotations

import pytest

from egide.hub.tensors import Shape, Tensors
from tests.models import down_up, kohya_lora

UNET = "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k"
DIFFUSERS = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"


def tensors(shapes: dict[str, Shape]) -> Tensors:
    return Tensors(tuple(shapes), lambda name: shapes[name])


@pytest.mark.parametrize(
    ("shapes", "adapter", "rank", "base"),
    [
        (kohya_lora(768, 8), "lora", 8, "SD 1.5"),
        (kohya_lora(1024, 4), "lora", 4, "SD 2.1"),
        (kohya_lora(2048, 32), "lora", 32, "SDXL 1.0"),
        (
            kohya_lora() | {"lora_unet_in_resnets_0_conv1.lora_down.weight": (4, 320, 3, 3)},
            "locon",
            4,
            "SD 1.5",
        ),
        (kohya_lora() | {f"{UNET}.dora_scale": (1, 768)}, "dora", 4, "SD 1.5"),
        (
            {f"{DIFFUSERS}.lora_A.weight": (16, 2048), f"{DIFFUSERS}.lora_B.weight": (640, 16)},
            "lora",
            16,
            "SDXL 1.0",
        ),
        (
            {f"{DIFFUSERS}.lora.down.weight": (6, 768), f"{DIFFUSERS}.lora.up.weight": (320, 6)},
            "lora",
            6,
            "SD 1.5",
        ),
        (
            {f"{UNET}.hada_w1_a": (320, 8), f"{UNET}.hada_w1_b": (8, 768),
             f"{UNET}.hada_w2_a": (320, 8), f"{UNET}.hada_w2_b": (8, 768)},
            "loha", 8, "SD 1.5",
        ),
        (
            {f"{UNET}.lokr_w1": (4, 4), f"{UNET}.lokr_w2_a": (80, 12),
             f"{UNET}.lokr_w2_b": (12, 9)},
            "lokr", 12, None,
        ),
        ({f"{UNET}.oft_blocks": (4, 8, 8)}, "oft", None, None),
        ({f"{UNET}.a1.weight": (8, 8), f"{UNET}.b1.weight": (8, 8)}, "glora", None, None),
        ({f"{UNET}.diff": (320, 768)}, "full", None, "SD 1.5"),
        (
            down_up("lora_unet_double_blocks_0_img_attn_qkv", 16, 3072, 9216)
            | down_up("lora_unet_single_blocks_0_linear1", 16, 3072, 21504),
            "lora", 16, "Flux.1 D",
        ),
        (
            down_up("lora_unet_double_blocks_0_img_mod_linear", 16, 3072, 18432)
            | down_up("lora_unet_single_blocks_0_modulation_linear", 16, 3072, 9216),
            "lora", 16, "Hunyuan Video",
        ),
        (
            {"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (16, 3072)},
            "lora", 16, "Flux.1 D",
        ),
        (
            down_up("lora_unet_blocks_0_cross_attn_k", 32, 5120, 5120)
            | down_up("lora_unet_blocks_0_self_attn_k", 32, 5120, 5120),
            "lora", 32, "Wan Video",
        ),
        (
            down_up("lora_unet_transformer_blocks_0_attn_add_k_proj", 16, 3072, 3072)
            | down_up("lora_unet_transformer_blocks_0_txt_mlp_net_0_proj", 16, 3072, 12288),
            "lora", 16, "Qwen",
        ),
        (down_up("lora_unet_joint_blocks_0_x_block_attn_qkv", 8, 1536, 4608), "lora", 8, "SD 3"),
        ({"emb_params": (4, 768)}, "textual-inversion", None, "SD 1.5"),
        ({"clip_l": (4, 768), "clip_g": (4, 1280)}, "textual-inversion", None, "SDXL 1.0"),
        ({"<neutral>": (1024,)}, "textual-inversion", None, "SD 2.1"),
        (
            {"model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight":
             (320, 768)},
            "checkpoint", None, "SD 1.5",
        ),
        ({"decoder.up_blocks.0.resnets.0.conv1.weight": (3, 3)}, "vae", None, None),
        ({"text_model.encoder.layers.0.mlp.fc1.weight": (3, 3)}, "text-encoder", None, None),
        ({"control_model.input_blocks.0.0.weight": (3, 3)}, "controlnet", None, None),
        ({"ip_adapter.1.to_k_ip.weight": (3, 3)}, "ip-adapter", None, None),
        ({"layer.weight": (3, 3), "layer.bias": (3,)}, None, None, None),
        ({}, None, None, None),
    ],
)  # fmt: skip
def test_names_and_shapes_tell(
    shapes: dict[str, Shape], adapter: str | None, rank: int | None, base: str | None
) -> None:
    found = tensors(shapes)
    assert (found.adapter, found.rank, found.base_model) == (adapter, rank, base)


def test_a_rank_that_cannot_be_is_none() -> None:
    assert tensors(down_up(UNET, 1 << 40, 768, 320)).rank is None
    assert tensors({f"{UNET}.lora_down.weight": ()}).rank is None


def test_names_may_hold_anything() -> None:
    odd = {"\ud800\n.lora_down.weight": (4, 4), "": (), "\0": (1,), "x" * 100_000: ()}
    assert tensors(odd).adapter == "lora"
