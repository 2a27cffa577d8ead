"""Metadata as the tools write it, block by block: their shapes, with invented names and numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from egide.provenance.statements import Block
from tests import carriers

PROMPT = "a lighthouse at dawn, mist over the harbour"
NEGATIVE = "blurry, low quality"
SHA = "5d41402abc4b2a76b9719d911017c592ae2f61d1b7a0e5a8f3f6b0c1d2e3f405"
BLAKE = "c0ffee" + SHA[6:]
UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
SETTINGS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1234, Size: 512x768, "
HASHED = "Model hash: 31e35c80fc, Model: harbourMix_v3"


@dataclass(frozen=True)
class Sample:
    """What a tool writes, and what must be read: models as `(role, name, weight)`."""

    blocks: Sequence[Block]
    generator: str
    models: Sequence[tuple[str, str | None, float | None]] = ()
    seed: int | None = 1234
    prompt: str | None = PROMPT
    negative: str | None = NEGATIVE
    version: str | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    """Of the first model."""
    ids: Mapping[str, str] = field(default_factory=dict)
    """Of the first model that has any."""


def block(where: str, text: Any) -> Block:
    """A block of `text`, which is written as JSON when it is none."""
    written = text if isinstance(text, str) else json.dumps(text)
    return Block(where, where.rpartition(":")[2], written)


def infotext(settings: str = SETTINGS + HASHED, prompt: str = PROMPT) -> str:
    """Text as AUTOMATIC1111's web UI writes it."""
    return f"{prompt}\nNegative prompt: {NEGATIVE}\n{settings}"


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    """A node of a graph as it was run."""
    return {"class_type": kind, "inputs": inputs, "_meta": {"title": kind}}


def graph(**more: dict[str, Any]) -> dict[str, Any]:
    """A ComfyUI graph as it was run: a checkpoint, an adapter, two prompts, one picture saved.

    `more` replaces nodes or adds them: `n1` checkpoint, `n2` adapter, `n3` and `n4` prompts,
    `n5` sampler, `n6` decoder, `n7` saver, `n8` empty latent picture.
    """
    nodes = {
        "n1": node("CheckpointLoaderSimple", ckpt_name="sdxl\\harbourMix_v3.safetensors"),
        "n2": node(
            "LoraLoader",
            lora_name="misty_coast.safetensors",
            strength_model=0.7,
            strength_clip=1.0,
            model=["n1", 0],
            clip=["n1", 1],
        ),
        "n3": node("CLIPTextEncode", text=PROMPT, clip=["n2", 1]),
        "n4": node("CLIPTextEncode", text=NEGATIVE, clip=["n2", 1]),
        "n5": node(
            "KSampler",
            seed=1234,
            steps=20,
            model=["n2", 0],
            positive=["n3", 0],
            negative=["n4", 0],
            latent_image=["n8", 0],
        ),
        "n6": node("VAEDecode", samples=["n5", 0], vae=["n1", 2]),
        "n7": node("SaveImage", filename_prefix="ComfyUI", images=["n6", 0]),
        "n8": node("EmptyLatentImage", width=1024, height=1024, batch_size=1),
    }
    return nodes | more


def workflow(mode: int = 0) -> dict[str, Any]:
    """The same graph as it was drawn; `mode` is that of the adapter: 2 muted, 4 bypassed."""

    def drawn(
        number: int, kind: str, inputs: list[tuple[str, str, int]], outputs: list[str], *values: Any
    ) -> dict[str, Any]:
        return {
            "id": number,
            "type": kind,
            "mode": mode if kind == "LoraLoader" else 0,
            "inputs": [{"name": name, "type": type_, "link": link} for name, type_, link in inputs],
            "outputs": [{"name": type_, "type": type_} for type_ in outputs],
            "widgets_values": list(values),
        }

    return {
        "last_node_id": 8,
        "last_link_id": 10,
        "nodes": [
            drawn(1, "CheckpointLoaderSimple", [], ["MODEL", "CLIP", "VAE"], "harbourMix_v3.ckpt"),
            drawn(
                2,
                "LoraLoader",
                [("model", "MODEL", 1), ("clip", "CLIP", 2)],
                ["MODEL", "CLIP"],
                "misty_coast.safetensors",
                0.7,
                1,
            ),
            drawn(3, "CLIPTextEncode", [("clip", "CLIP", 3)], ["CONDITIONING"], PROMPT),
            drawn(4, "CLIPTextEncode", [("clip", "CLIP", 4)], ["CONDITIONING"], NEGATIVE),
            drawn(
                5,
                "KSampler",
                [
                    ("model", "MODEL", 5),
                    ("positive", "CONDITIONING", 6),
                    ("negative", "CONDITIONING", 7),
                ],
                ["LATENT"],
                1234,
                "fixed",
                20,
            ),
            drawn(6, "VAEDecode", [("samples", "LATENT", 8), ("vae", "VAE", 9)], ["IMAGE"]),
            drawn(7, "SaveImage", [("images", "IMAGE", 10)], [], "ComfyUI"),
        ],
        "links": [
            [1, 1, 0, 2, 0, "MODEL"],
            [2, 1, 1, 2, 1, "CLIP"],
            [3, 2, 1, 3, 0, "CLIP"],
            [4, 2, 1, 4, 0, "CLIP"],
            [5, 2, 0, 5, 0, "MODEL"],
            [6, 3, 0, 5, 1, "CONDITIONING"],
            [7, 4, 0, 5, 2, "CONDITIONING"],
            [8, 5, 0, 6, 0, "LATENT"],
            [9, 1, 2, 6, 1, "VAE"],
            [10, 6, 0, 7, 0, "IMAGE"],
        ],
        "extra": {"frontendVersion": "1.28.7"},
        "version": 0.4,
    }


def novelai_comment() -> dict[str, Any]:
    """What NovelAI puts into `Comment` since version 4."""
    return {
        "prompt": PROMPT,
        "steps": 28,
        "scale": 5.0,
        "uncond_scale": 0.0,
        "seed": 1234,
        "noise_schedule": "karras",
        "v4_prompt": {
            "caption": {
                "base_caption": PROMPT,
                "char_captions": [{"char_caption": "", "centers": [{"x": 0.5, "y": 0.5}]}],
            },
            "use_coords": False,
        },
        "v4_negative_prompt": {"caption": {"base_caption": NEGATIVE, "char_captions": []}},
        "sampler": "k_euler_ancestral",
        "version": 1,
        "uc": NEGATIVE,
        "signed_hash": "aGFyYm91cg==",
    }


def invokeai_metadata() -> dict[str, Any]:
    """InvokeAI since 4.0."""

    def model(name: str, type_: str) -> dict[str, str]:
        hash_ = f"blake3:{BLAKE}"
        return {"key": UUID, "hash": hash_, "name": name, "base": "sdxl", "type": type_}

    return {
        "generation_mode": "sdxl_txt2img",
        "positive_prompt": PROMPT,
        "negative_prompt": NEGATIVE,
        "width": 1024,
        "seed": 1234,
        "model": model("harbourMix_v3", "main"),
        "loras": [{"model": model("misty_coast", "lora"), "weight": 0.7}],
        "vae": model("pale-vae", "vae"),
        "controlnets": [{"control_model": model("canny-sdxl", "controlnet"), "control_weight": 1}],
        "app_version": "6.10.0",
    }


SWARM = {
    "sui_image_params": {
        "prompt": PROMPT,
        "negativeprompt": NEGATIVE,
        "model": "Official/harbourMix_v3",
        "seed": 1234,
        "loras": ["coast/misty_coast"],
        "loraweights": ["0.7"],
        "swarm_version": "0.9.7.4",
    },
    "sui_extra_data": {"date": "2026-01-03", "generation_time": "6.44 sec"},
    "sui_models": [
        {"name": "Official/harbourMix_v3.safetensors", "param": "model", "hash": f"0x{SHA}"},
        {"name": "coast/misty_coast.safetensors", "param": "loras", "hash": None},
    ],
}

CIVITAI_AIR = "urn:air:sdxl:checkpoint:civitai:100001@200002"
CIVITAI_LORA_AIR = "urn:air:sdxl:lora:civitai:100003@200004"
CIVITAI = {
    "resource-stack": node("CheckpointLoaderSimple", ckpt_name=CIVITAI_AIR),
    "resource-stack-1": node(
        "LoraLoader",
        lora_name=CIVITAI_LORA_AIR,
        strength_model=0.7,
        strength_clip=1,
        model=["resource-stack", 0],
        clip=["resource-stack", 1],
    ),
    "6": node("smZ CLIPTextEncode", text=PROMPT, parser="A1111", clip=["resource-stack-1", 1]),
    "7": node("smZ CLIPTextEncode", text=NEGATIVE, parser="A1111", clip=["resource-stack-1", 1]),
    "11": node(
        "KSampler",
        seed=1234,
        model=["resource-stack-1", 0],
        positive=["6", 0],
        negative=["7", 0],
        latent_image=["5", 0],
    ),
    "5": node("EmptyLatentImage", width=1024, height=1024),
    "13": node("VAEDecode", samples=["11", 0], vae=["resource-stack", 2]),
    "12": node("SaveImage", filename_prefix="ComfyUI", images=["13", 0]),
    "extra": {"airs": [CIVITAI_AIR, CIVITAI_LORA_AIR]},
    "extraMetadata": json.dumps(
        {
            "prompt": PROMPT,
            "negativePrompt": NEGATIVE,
            "seed": 1234,
            "resources": [
                {"modelVersionId": 200002, "strength": 1},
                {"modelVersionId": 200004, "strength": 0.7},
            ],
        }
    ),
}

_BASE = ("base", "harbourMix_v3", None)
_COAST = ("adapter", "misty_coast", 0.7)
_CALLED = f"{PROMPT} <lora:misty_coast:0.7>"
_LORA_HASH = 'Lora hashes: "misty_coast: 1f3aa2c0b9d1"'
_AUTOV2 = {"autov2": "31e35c80fc"}

_A1111 = {
    "a1111-png": Sample(
        [block("png:parameters", infotext(
            f"{SETTINGS}{HASHED}, {_LORA_HASH}, Version: v1.10.1", _CALLED
        ))],
        "a1111", [_BASE, _COAST], prompt=_CALLED, version="v1.10.1", hashes=_AUTOV2,
    ),
    "a1111-jpeg": Sample(
        [block("exif:UserComment", infotext(f"{SETTINGS}{HASHED}, Version: v1.10.1"))],
        "a1111", [_BASE], version="v1.10.1", hashes=_AUTOV2,
    ),
    "a1111-without-version": Sample([block("png:parameters", infotext())], "a1111", [_BASE]),
    "a1111-hashes": Sample(
        [block("png:parameters", infotext(
            SETTINGS + HASHED + ', VAE hash: 735e4c3a44, VAE: pale.vae.pt, TI hashes: '
            '"greyday: 66a7279a88dd", Refiner: deepsea [7440042bbd], '
            'Hashes: {"vae": "735e4c3a44", "lora:misty_coast": "1f3aa2c0b9", '
            '"model": "31e35c80fc"}',
        ))],
        "a1111",
        [_BASE, ("base", "deepsea", None), ("adapter", "misty_coast", None),
         ("embedding", "greyday", None), ("vae", "pale.vae", None)],
        hashes=_AUTOV2,
    ),
    "a1111-hypernetwork": Sample(
        [block("png:parameters", infotext(prompt=f"{PROMPT} <hypernet:waves:0.4>"))],
        "a1111", [_BASE, ("adapter", "waves", 0.4)], prompt=f"{PROMPT} <hypernet:waves:0.4>",
    ),
    "a1111-additional-networks": Sample(
        [block("png:parameters", infotext(
            SETTINGS + HASHED + ", AddNet Enabled: True, AddNet Module 1: LoRA, AddNet Model 1: "
            "misty_coast(1f3aa2c0b9d1), AddNet Weight A 1: 0.7, AddNet Weight B 1: 0.7",
        ))],
        "a1111", [_BASE, _COAST],
    ),
    "a1111-controlnet": Sample(
        [block("png:parameters", infotext(
            SETTINGS + HASHED
            + ', ControlNet 0: "Module: canny, Model: canny15 [d14c016b], Weight: 1"',
        ))],
        "a1111", [_BASE, ("other", "canny15", None)],
    ),
    "a1111-upscaled": Sample(
        [block("png:extras", "Postprocess upscale by: 4, Postprocess upscaler: pale4x, "
               "Model: none, Version: v1.6.0")],
        "a1111", seed=None, prompt=None, negative=None, version="v1.6.0",
    ),
    "a1111-hidden": Sample(
        [block("stealth:alpha", infotext(f"{SETTINGS}{HASHED}, Version: v1.9.4"))],
        "a1111", [_BASE], version="v1.9.4",
    ),
    "forge": Sample(
        [block("png:parameters", infotext(
            SETTINGS + HASHED + ", Module 1: pale-ae, Version: f2.0.1v1.10.1-previous-669-gdfdcbab6"
        ))],
        "forge", [_BASE, ("other", "pale-ae", None)],
        version="f2.0.1v1.10.1-previous-669-gdfdcbab6",
    ),
    "forge-classic": Sample(
        [block("exif:UserComment", infotext(f"{SETTINGS}{HASHED}, RNG: CPU, Version: classic"))],
        "forge-classic", [_BASE], version="classic",
    ),
    "forge-neo": Sample(
        [block("png:parameters", infotext(f"{SETTINGS}{HASHED}, RNG: CPU, Version: neo-2.28"))],
        "forge-neo", [_BASE], version="neo-2.28",
    ),
    "reforge": Sample(
        [block("png:parameters", infotext(
            f"{SETTINGS}{HASHED}, Version: f1.0.0v2-v1.10.1RC-latest-2498-g5120e679"
        ))],
        "reforge", [_BASE], version="f1.0.0v2-v1.10.1RC-latest-2498-g5120e679",
    ),
    "sd-next": Sample(
        [block("png:parameters", infotext(
            "Steps: 20, Size: 1024x1024, Sampler: Euler a, Seed: 1234, CFG scale: 6, App: SD.Next, "
            "Version: 56a8aea, Operations: txt2img; upscale, Model: harbourMix_v3, "
            "Model hash: 31e35c80fc"
        ))],
        "sd-next", [_BASE], version="56a8aea",
    ),
    "civitai-text": Sample(
        [
            block("exif:Software", UUID),
            block("exif:Artist", "ai"),
            block("exif:UserComment", infotext(
                "Steps: 25, Sampler: Euler a, CFG scale: 5, Seed: 1234, Size: 1024x1024, "
                "Clip skip: 2, Created Date: 2026-01-04T01:27:21.2717070Z, Civitai resources: "
                '[{"type":"checkpoint","modelVersionId":200002,"modelName":"Harbour Mix",'
                '"modelVersionName":"v3"},{"type":"lora","weight":0.7,"modelVersionId":200004,'
                '"modelName":"Misty Coast"}], Civitai metadata: {}'
            )),
        ],
        "civitai", [("base", "Harbour Mix", None), ("adapter", "Misty Coast", 0.7)],
        ids={"civitai-version": "200002"},
    ),
    "fooocus-a1111": Sample(
        [
            block("png:fooocus_scheme", "a1111"),
            block("png:parameters", infotext(
                "Steps: 30, Sampler: DPM++ 2M SDE Karras, Seed: 1234, CFG scale: 4, "
                'ADM Guidance: "(1.5, 0.8, 0.3)", Model: harbourMix_v3, Model hash: 31e35c80fc, '
                f'Raw prompt: "{PROMPT}", Lora hashes: "misty_coast: 1f3aa2c0b9", '
                'Lora weights: "misty_coast: 0.7", Version: Fooocus v2.5.5, User: Mirela'
            )),
        ],
        "fooocus", [_BASE, _COAST], version="Fooocus v2.5.5", hashes=_AUTOV2,
    ),
}  # fmt: skip

_COMFYUI = {
    "comfyui-png": Sample(
        [block("png:prompt", graph()), block("png:workflow", workflow())],
        "comfyui", [_BASE, _COAST],
    ),
    "comfyui-webp": Sample(
        [
            block("exif:Model", f"prompt:{json.dumps(graph())}"),
            block("exif:Make", f"workflow:{json.dumps(workflow())}"),
        ],
        "comfyui", [_BASE, _COAST],
    ),
    "comfyui-webp-description": Sample(
        [
            block("exif:Make", f"Prompt: {json.dumps(graph())}"),
            block("exif:ImageDescription", f"Workflow: {json.dumps(workflow())}"),
        ],
        "comfyui", [_BASE, _COAST],
    ),
    "comfyui-jpeg": Sample(
        [block("exif:UserComment", {"prompt": graph(), "workflow": workflow()})],
        "comfyui", [_BASE, _COAST],
    ),
    "comfyui-video": Sample(
        [block("mp4:comment", {"prompt": json.dumps(graph()), "workflow": workflow()})],
        "comfyui", [_BASE, _COAST],
    ),
    "comfyui-webm": Sample([block("webm:PROMPT", graph())], "comfyui", [_BASE, _COAST]),
    "comfyui-workflow-only": Sample(
        [block("png:workflow", workflow())], "comfyui", [_BASE, _COAST], version="1.28.7"
    ),
    "comfyui-bypassed": Sample(
        [block("png:workflow", workflow(mode=4))], "comfyui", [_BASE], version="1.28.7"
    ),
    "comfyui-text-saver": Sample(
        [
            block("png:prompt", graph()),
            block("png:parameters", infotext(f"{SETTINGS}{HASHED}, Version: ComfyUI")),
        ],
        "comfyui", [_BASE, _COAST], version="ComfyUI", hashes=_AUTOV2,
    ),
    "comfyui-hidden": Sample(
        [block("stealth:rgb", {"prompt": json.dumps(graph())})], "comfyui", [_BASE, _COAST]
    ),
    "civitai-graph": Sample(
        [block("exif:Software", UUID), block("exif:UserComment", CIVITAI)],
        "civitai", [("base", None, None), ("adapter", None, 0.7)], ids={"air": CIVITAI_AIR},
    ),
    "swarmui-png": Sample(
        [block("png:parameters", SWARM), block("png:prompt", graph())],
        "swarmui", [_BASE, _COAST], version="0.9.7.4", hashes={"autov3": SHA},
    ),
    "swarmui-jpeg": Sample(
        [block("exif:UserComment", SWARM)], "swarmui", [_BASE, _COAST], version="0.9.7.4"
    ),
    "stableswarm": Sample(
        [block("png:parameters", {"sui_image_params": {
            "prompt": PROMPT, "negativeprompt": NEGATIVE, "model": "harbourMix_v3.safetensors",
            "seed": "1234", "loras": "misty_coast", "loraweights": "0.7",
            "swarm_version": "0.6.1.0",
        }})],
        "swarmui", [_BASE, _COAST], version="0.6.1.0",
    ),
    "stability-matrix": Sample(
        [
            block("png:prompt", graph()),
            block("png:parameters", infotext(
                f"{SETTINGS}Model hash: {SHA.upper()}, Model: harbourMix_v3.safetensors", _CALLED
            )),
            block("png:parameters-json", {
                "PositivePrompt": _CALLED, "NegativePrompt": NEGATIVE, "Steps": 20, "Seed": 1234,
                "ModelHash": SHA.upper(), "ModelName": "harbourMix_v3.safetensors",
                "ModelVersionId": 200002, "ExtraNetworkModelVersionIds": [200004],
            }),
            block("png:smproj", {"Version": 2, "ProjectType": "TextToImage", "State": {
                "Model": {"SelectedModelName": "harbourMix_v3.safetensors",
                          "SelectedRefinerName": "@none", "SelectedVaeName": "@default"},
                "Seed": {"Seed": 1234}, "Prompt": {},
            }}),
        ],
        "stability-matrix", [_BASE, _COAST], prompt=_CALLED, hashes={"sha256": SHA},
        ids={"civitai-version": "200002"},
    ),
    "stability-matrix-project": Sample(
        [block("png:smproj", {"Version": 2, "ProjectType": "TextToImage", "State": {
            "Model": {"SelectedModelName": "harbourMix_v3.safetensors"}, "Seed": {"Seed": 1234},
        }})],
        "stability-matrix", [_BASE], prompt=None, negative=None,
    ),
    "tensorart": Sample(
        [
            block("png:generation_data", json.dumps({
                "prompt": PROMPT, "negativePrompt": NEGATIVE, "seed": "-1",
                "baseModel": {"label": "v3", "type": "BASE_MODEL", "modelId": "900000000000000001",
                              "modelFileName": "harbourMix_v3", "hash": SHA.upper()},
                "models": [{"type": "LORA", "modelId": "900000000000000002", "weight": 0.7,
                            "modelFileName": "misty_coast"}],
                "sdVae": "Automatic", "ksamplerName": "euler_ancestral",
            }) + "\0"),
            block("png:prompt", graph(
                n1=node("ECHOCheckpointLoaderSimple", ckpt_name="EMS-700001-EMS.safetensors"),
            )),
        ],
        "tensorart", [_BASE, _COAST], hashes={"sha256": SHA},
        ids={"tensorart": "900000000000000001"},
    ),
}  # fmt: skip

_OTHERS = {
    "tensorart-graph-only": Sample(
        [block("png:prompt", graph(
            n1=node("ECHOCheckpointLoaderSimple", ckpt_name="EMS-700001-EMS.safetensors"),
        ))],
        "tensorart", [("base", "EMS-700001-EMS", None), _COAST],
    ),
    "a1111-one-line": Sample(
        [block(
            "jpeg:comment", infotext(f"{SETTINGS}{HASHED}, Version: v1.10.1").replace("\n", " ")
        )],
        "a1111", [_BASE], version="v1.10.1", hashes=_AUTOV2,
    ),
    "invokeai": Sample(
        [block("png:invokeai_metadata", invokeai_metadata())], "invokeai",
        [_BASE, _COAST, ("vae", "pale-vae", None), ("other", "canny-sdxl", 1.0)],
        version="6.10.0", hashes={"blake3": BLAKE},
    ),
    "invokeai-3": Sample(
        [block("png:invokeai_metadata", {
            "app_version": "3.0.2", "positive_prompt": PROMPT, "negative_prompt": NEGATIVE,
            "seed": 1234, "model": {"model_name": "harbourMix_v3", "base_model": "sdxl"},
            "loras": [{"lora": {"model_name": "misty_coast", "base_model": "sdxl"}, "weight": 0.7}],
            "vae": None,
        })],
        "invokeai", [_BASE, _COAST], version="3.0.2",
    ),
    "invokeai-converted": Sample(
        [block("exif:UserComment", {"invokeai_metadata": json.dumps(invokeai_metadata())})],
        "invokeai",
        [_BASE, _COAST, ("vae", "pale-vae", None), ("other", "canny-sdxl", 1.0)], version="6.10.0",
    ),
    "invokeai-sd-metadata": Sample(
        [
            block("png:sd-metadata", {
                "model": "stable diffusion", "model_weights": "harbourMix_v3", "model_hash": SHA,
                "app_id": "invoke-ai/InvokeAI", "app_version": "2.3.5",
                "image": {"prompt": [{"prompt": f"{PROMPT} [{NEGATIVE}]", "weight": 1}],
                          "seed": 1234, "sampler": "k_lms"},
            }),
            block("png:Dream", f'"{PROMPT} [{NEGATIVE}]" -s 50 -S 1234 -W 512 -H 512 -A k_lms'),
        ],
        "invokeai", [_BASE], version="2.3.5", hashes={"sha256": SHA},
    ),
    "invokeai-dream": Sample(
        [block("png:Dream", f'"{PROMPT} [{NEGATIVE}]" -s 50 -S 1234 -W 512 -H 512 -A k_lms')],
        "invokeai",
    ),
    "novelai-png": Sample(
        [
            block("png:Title", "NovelAI generated image"), block("png:Description", PROMPT),
            block("png:Software", "NovelAI"),
            block("png:Source", "NovelAI Diffusion V4.5 C02D4F98"),
            block("png:Comment", novelai_comment()),
        ],
        "novelai", [("base", "NovelAI Diffusion V4.5 C02D4F98", None)], version="4.5",
    ),
    "novelai-webp": Sample(
        [block("exif:UserComment", {
            "Comment": json.dumps(novelai_comment()), "Software": "NovelAI",
            "Source": "NovelAI Diffusion V4.5 C02D4F98", "Title": "NovelAI generated image",
        })],
        "novelai", [("base", "NovelAI Diffusion V4.5 C02D4F98", None)], version="4.5",
    ),
    "novelai-hidden": Sample(
        [block("stealth:alpha", {
            "Comment": json.dumps(novelai_comment()), "Software": "NovelAI",
            "Source": "NovelAI Diffusion V4.5 C02D4F98", "Description": PROMPT,
        })],
        "novelai", [("base", "NovelAI Diffusion V4.5 C02D4F98", None)], version="4.5",
    ),
    "novelai-source-only": Sample(
        [block("exif:Software", "NovelAI Diffusion V3 7BCCAA2C")], "novelai",
        [("base", "NovelAI Diffusion V3 7BCCAA2C", None)], None, None, None, version="3",
    ),
    "fooocus": Sample(
        [
            block("png:fooocus_scheme", "fooocus"),
            block("png:parameters", {
                "prompt": PROMPT, "negative_prompt": NEGATIVE, "full_prompt": [PROMPT],
                "base_model": "harbourMix_v3", "base_model_hash": "31e35c80fc",
                "refiner_model": "None", "loras": [["misty_coast", 0.7, "1f3aa2c0b9"]],
                "lora_combined_1": "misty_coast : 0.7", "metadata_scheme": "fooocus",
                "seed": "1234", "vae": "Default (model)", "version": "Fooocus v2.5.5",
            }),
        ],
        "fooocus", [_BASE, _COAST], version="Fooocus v2.5.5", hashes=_AUTOV2,
    ),
    "ruined-fooocus": Sample(
        [block("png:parameters", {
            "Prompt": PROMPT, "Negative": NEGATIVE, "steps": 30, "seed": 1234,
            "base_model_name": "harbourMix_v3.safetensors", "base_model_hash": SHA.upper(),
            "loras": [{"name": "misty_coast.safetensors", "weight": 0.7}],
            "software": "RuinedFooocus",
        })],
        "ruined-fooocus", [_BASE, _COAST], hashes={"sha256": SHA},
    ),
    "fooocus-mre": Sample(
        [block("jpeg:comment", {
            "prompt": PROMPT, "negative_prompt": NEGATIVE, "seed": 1234, "steps": 30,
            "base_model": "harbourMix_v3.safetensors", "refiner_model": "None",
            "l1": "misty_coast.safetensors", "w1": 0.7, "l2": "None", "w2": 0.5,
            "software": "Fooocus 2.0.78.5 MRE",
        })],
        "fooocus-mre", [_BASE, _COAST],
    ),
    "draw-things": Sample(
        [
            block("xmp:xmp:CreatorTool", "Draw Things"),
            block("xmp:dc:description", f"{PROMPT}\n-{NEGATIVE}\nSteps: 20, Sampler: Euler A, "
                  "Guidance Scale: 7.0, Seed: 1234, Size: 512x768, Model: harbourmix_v3_f16.ckpt"),
            block("xmp:exif:UserComment", {
                "c": PROMPT, "uc": NEGATIVE, "model": "harbourmix_v3_f16.ckpt", "seed": 1234,
                "lora": [{"model": "misty_coast_f16.ckpt", "weight": 0.7}], "scale": 7,
                "seed_mode": "Scale Alike", "size": "512x768", "steps": 20, "strength": 1,
            }),
        ],
        "draw-things",
        [("base", "harbourmix_v3_f16", None), ("adapter", "misty_coast_f16", 0.7)],
    ),
    "midjourney": Sample(
        [
            block(
                "png:Description",
                f"{PROMPT} --ar 3:2 --no people --seed 1234 --v 6.1 Job ID: {UUID}",
            ),
            block("png:Author", "Mirela Vantongeren"),
            block("png:Creation Time", "Sun, 04 Jan 2026 10:00:00 GMT"),
        ],
        "midjourney", [("base", "midjourney 6.1", None)], negative="people", version="6.1",
    ),
    "grok": Sample(
        [
            block("exif:ImageDescription", f"Signature: {SHA}{BLAKE}=="),
            block("exif:Artist", UUID),
        ],
        "grok", (), None, None, None,
    ),
    "easy-diffusion-png": Sample(
        [
            block("png:prompt", PROMPT), block("png:negative_prompt", NEGATIVE),
            block("png:seed", "1234"),
            block("png:use_stable_diffusion_model", "C:\\models\\harbourMix_v3.safetensors"),
            block("png:use_vae_model", "None"), block("png:sampler_name", "euler_a"),
            block("png:use_lora_model", "['misty_coast']"), block("png:lora_alpha", "[0.7]"),
        ],
        "easy-diffusion", [_BASE, _COAST],
    ),
    "easy-diffusion-json": Sample(
        [block("exif:UserComment", {
            "prompt": PROMPT, "negative_prompt": NEGATIVE, "seed": 1234,
            "use_stable_diffusion_model": "harbourMix_v3", "use_vae_model": "pale-vae",
            "num_inference_steps": 25, "guidance_scale": 7.5,
            "use_lora_model": "misty_coast", "lora_alpha": 0.7,
            "use_embeddings_model": ["greyday.pt"],
        })],
        "easy-diffusion",
        [_BASE, _COAST, ("embedding", "greyday", None), ("vae", "pale-vae", None)],
    ),
    "easy-diffusion-labels": Sample(
        [block("exif:UserComment", {
            "Prompt": PROMPT, "Negative Prompt": NEGATIVE, "Seed": 1234, "Steps": 25,
            "Stable Diffusion model": "harbourMix_v3",
        })],
        "easy-diffusion", [_BASE],
    ),
    "diffusers": Sample(
        [block("png:parameters", {
            "prompt": PROMPT, "negative_prompt": NEGATIVE, "resolution": "1024 x 1024",
            "guidance_scale": 5.5, "num_inference_steps": 24, "seed": 1234,
            "Model": "harbour/harbourMix_v3", "Model hash": SHA.upper(),
        })],
        "diffusers", [_BASE], hashes={"sha256": SHA}, ids={"huggingface": "harbour/harbourMix_v3"},
    ),
    "dall-e": Sample(
        [block("png:Software", "DALL·E 3")], "dall-e", (), None, None, None, version="3"
    ),
    "firefly": Sample(
        [block("xmp:xmp:CreatorTool", "Adobe Firefly 3.0")], "adobe-firefly", (), None, None, None,
        version="3.0",
    ),
}  # fmt: skip

SAMPLES: dict[str, Sample] = _A1111 | _COMFYUI | _OTHERS


def file_of(blocks: Sequence[Block]) -> bytes:
    """A file that carries `blocks`, which are all of one carrier but for EXIF and XMP."""
    by_carrier: dict[str, dict[str, str]] = {}
    for each in blocks:
        carrier, _, key = each.where.partition(":")
        by_carrier.setdefault(carrier, {})[key] = each.text
    exif = carriers.exif(by_carrier["exif"]) if "exif" in by_carrier else None
    xmp = carriers.xmp(by_carrier["xmp"]) if "xmp" in by_carrier else None
    if "png" in by_carrier:
        texts = [carriers.itxt_chunk(key, text) for key, text in by_carrier["png"].items()]
        return carriers.png(*texts)
    if "stealth" in by_carrier:
        ((mode, text),) = by_carrier["stealth"].items()
        return carriers.stealth_png(text, mode)
    for container, write in (("mp4", carriers.mp4), ("webm", carriers.webm)):
        if container in by_carrier:
            return write(by_carrier[container])
    comment = by_carrier.get("jpeg", {}).get("comment")
    return carriers.jpeg(exif, xmp, comment.encode() if comment else None)
