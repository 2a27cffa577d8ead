"""Graphs: only what the picture depends on is read, in linear time, whatever the graph is like."""

from __future__ import annotations

import json
from typing import Any

import pytest

from egide.provenance.families import generations
from egide.provenance.statements import Generation, Role
from tests.growth import within
from tests.provenance_samples import NEGATIVE, PROMPT, UUID, block, graph, node, workflow

Model = tuple[Role, str | None, float | None]


def read(value: dict[str, Any], where: str = "png:prompt") -> Generation:
    found, faults = generations([block(where, value)])
    assert faults == []
    assert [each.generator for each in found] == ["comfyui"]
    return found[0]


def models(value: dict[str, Any], where: str = "png:prompt") -> list[Model]:
    return [(each.role, each.name, each.weight) for each in read(value, where).models]


def adapters(value: dict[str, Any]) -> list[tuple[str | None, float | None]]:
    return [(name, weight) for role, name, weight in models(value) if role is Role.ADAPTER]


def with_loader(kind: str, **inputs: Any) -> dict[str, Any]:
    return graph(n2=node(kind, model=["n1", 0], clip=["n1", 1], **inputs))


BASE: Model = (Role.BASE, "harbourMix_v3", None)
COAST: Model = (Role.ADAPTER, "misty_coast", 0.7)


def test_a_loader_that_nothing_depends_on_is_not_reported() -> None:
    spare = node("LoraLoader", lora_name="spare.safetensors", strength_model=1, model=["n1", 0])
    other = node("CheckpointLoaderSimple", ckpt_name="otherMix.safetensors")
    assert models(graph(x1=spare, x2=other)) == [BASE, COAST]


def test_a_preview_beside_a_saved_picture_is_not_what_is_in_the_file() -> None:
    more = {
        "x1": node("CheckpointLoaderSimple", ckpt_name="otherMix.safetensors"),
        "x2": node("CLIPTextEncode", text="a snowy field", clip=["x1", 1]),
        "x3": node("KSampler", seed=9, model=["x1", 0], positive=["x2", 0], negative=["x2", 0]),
        "x4": node("VAEDecode", samples=["x3", 0], vae=["x1", 2]),
        "x5": node("PreviewImage", images=["x4", 0]),
    }
    assert models(graph(**more)) == [BASE, COAST]
    shown = graph(**more)
    del shown["n7"]
    found = read(shown)
    assert (found.prompt, found.seed) == ("a snowy field", 9)


def test_a_graph_without_an_output_is_read_from_its_ends() -> None:
    value = graph()
    del value["n7"]
    assert models(value) == [BASE, COAST]


@pytest.mark.parametrize(
    ("kind", "key"),
    [("SaveAnimatedWEBP", "images"), ("VHS_VideoCombine", "images"), ("SaveVideo", "video"),
     ("Image Save", "images"), ("SaveImageWebsocket", "images")],
)  # fmt: skip
def test_many_nodes_save(kind: str, key: str) -> None:
    assert models(graph(n7=node(kind, **{key: ["n6", 0]}))) == [BASE, COAST]


@pytest.mark.parametrize(
    ("kind", "inputs", "expected"),
    [
        ("LoraLoaderModelOnly", {"lora_name": "mist.safetensors", "strength_model": 0.5},
         [("mist", 0.5)]),
        ("LoraLoader", {"lora_name": "mist.safetensors", "strength_model": 0, "strength_clip": 0},
         []),
        ("LoraLoader", {"lora_name": "None", "strength_model": 1}, []),
        ("LoraLoader", {"strength_clip": 1, "lora_name": "a/mist.pt", "strength_model": -0.25},
         [("mist", -0.25)]),
        ("LoraLoader|pysssss", {"lora_name": {"content": "mist.safetensors", "image": None},
                                "strength_model": 0.5}, [("mist", 0.5)]),
        ("Power Lora Loader (rgthree)", {
            "PowerLoraLoaderHeaderWidget": {"type": "PowerLoraLoaderHeaderWidget"},
            "lora_1": {"on": True, "lora": "coast\\mist.safetensors", "strength": 0.5},
            "lora_2": {"on": False, "lora": "rain.safetensors", "strength": 1},
            "lora_3": {"on": True, "lora": "None", "strength": 1},
        }, [("mist", 0.5)]),
        ("Lora Loader Stack (rgthree)", {
            "lora_01": "mist.safetensors", "strength_01": 0.5,
            "lora_02": "None", "strength_02": 1, "lora_03": "rain.safetensors", "strength_03": 0,
        }, [("mist", 0.5)]),
        ("CR LoRA Stack", {
            "switch_1": "On", "lora_name_1": "mist.safetensors", "model_weight_1": 0.5,
            "clip_weight_1": 1, "switch_2": "Off", "lora_name_2": "rain.safetensors",
            "model_weight_2": 1, "clip_weight_2": 1,
        }, [("mist", 0.5)]),
        ("LoRA Stacker", {
            "input_mode": "simple", "lora_count": 1, "lora_name_1": "mist.safetensors",
            "lora_wt_1": 0.5, "model_str_1": 1, "clip_str_1": 1,
            "lora_name_2": "rain.safetensors", "lora_wt_2": 1,
        }, [("mist", 0.5)]),
        ("LoRA Stacker", {
            "input_mode": "advanced", "lora_count": 1, "lora_name_1": "mist.safetensors",
            "lora_wt_1": 1, "model_str_1": 0.5, "clip_str_1": 0.9,
        }, [("mist", 0.5)]),
        ("easy loraStack", {
            "toggle": True, "mode": "simple", "num_loras": 1, "lora_1_name": "mist.safetensors",
            "lora_1_strength": 0.5, "lora_2_name": "rain.safetensors", "lora_2_strength": 1,
        }, [("mist", 0.5)]),
        ("Lora Loader (LoraManager)", {
            "text": "<lora:mist:0.5>",
            "loras": {"__value__": [{"name": "mist", "strength": 0.5, "active": True},
                                    {"name": "rain", "strength": 1, "active": False}]},
        }, [("mist", 0.5)]),
        ("ImpactWildcardEncode", {"wildcard_text": "a lake <lora:mist:0.5>"}, [("mist", 0.5)]),
        ("WanVideoLoraSelect", {"lora": "mist.safetensors", "strength": 0.5}, [("mist", 0.5)]),
    ],
)  # fmt: skip
def test_adapters_of_many_loaders(
    kind: str, inputs: dict[str, Any], expected: list[tuple[str, float]]
) -> None:
    assert adapters(with_loader(kind, **inputs)) == expected


def test_a_call_in_a_plain_prompt_loads_nothing() -> None:
    value = graph(n3=node("CLIPTextEncode", text="a lake <lora:mist:0.5>", clip=["n2", 1]))
    assert models(value) == [BASE, COAST]


def test_parts_loaded_one_by_one() -> None:
    value = graph(
        n1=node("UNETLoader", unet_name="flux\\deepsea.safetensors", weight_dtype="default"),
        x1=node("DualCLIPLoader", clip_name1="t5.safetensors", clip_name2="clip_l.safetensors"),
        x2=node("VAELoader", vae_name="ae.sft"),
        n2=node(
            "LoraLoader",
            lora_name="misty_coast.safetensors",
            strength_model=0.7,
            model=["n1", 0],
            clip=["x1", 0],
        ),
        n6=node("VAEDecode", samples=["n5", 0], vae=["x2", 0]),
    )
    assert models(value) == [
        (Role.BASE, "deepsea", None),
        COAST,
        (Role.VAE, "ae", None),
        (Role.OTHER, "t5", None),
        (Role.OTHER, "clip_l", None),
    ]


def test_embeddings_in_prompts() -> None:
    value = graph(
        n3=node("CLIPTextEncode", text="a lake, (embedding:greyday.pt:1.2)", clip=["n2", 1]),
        n4=node("CLIPTextEncode", text="embedding:badsea", clip=["n2", 1]),
    )
    assert models(value)[2:] == [
        (Role.EMBEDDING, "greyday", None),
        (Role.EMBEDDING, "badsea", None),
    ]


def test_names_and_seeds_come_through_links() -> None:
    value = graph(
        x1=node("PrimitiveString", value="misty_coast.safetensors"),
        x2=node("PrimitiveInt", value=77),
        x3=node("PrimitiveStringMultiline", value="a quay"),
        n2=node("LoraLoader", lora_name=["x1", 0], strength_model=0.7, model=["n1", 0]),
        n3=node("CLIPTextEncode", text=["x3", 0], clip=["n2", 1]),
    )
    value["n5"]["inputs"]["seed"] = ["x2", 0]
    found = read(value)
    assert (found.prompt, found.seed, found.models[1].name) == ("a quay", 77, "misty_coast")


def test_prompts_through_conditions_controls_and_guiders() -> None:
    value = graph(
        x1=node("CLIPTextEncode", text="gulls", clip=["n2", 1]),
        x2=node("ConditioningCombine", conditioning_1=["n3", 0], conditioning_2=["x1", 0]),
        x3=node("ControlNetLoader", control_net_name="canny.safetensors"),
        x4=node(
            "ControlNetApplyAdvanced", positive=["x2", 0], negative=["n4", 0], control_net=["x3", 0]
        ),
        x5=node("CFGGuider", model=["n2", 0], positive=["x4", 0], negative=["x4", 1], cfg=4),
        x6=node("RandomNoise", noise_seed=31),
        n5=node("SamplerCustomAdvanced", noise=["x6", 0], guider=["x5", 0], latent_image=["n8", 0]),
    )
    found = read(value)
    assert found.prompt == f"{PROMPT}\ngulls"
    assert found.negative_prompt == NEGATIVE
    assert found.seed == 31
    assert (Role.OTHER, "canny", None) in models(value)


def test_a_guider_without_a_negative_side_has_none() -> None:
    value = graph(
        x5=node("BasicGuider", model=["n2", 0], conditioning=["n3", 0]),
        x6=node("RandomNoise", noise_seed=31),
        n5=node("SamplerCustomAdvanced", noise=["x6", 0], guider=["x5", 0], latent_image=["n8", 0]),
    )
    assert (read(value).prompt, read(value).negative_prompt) == (PROMPT, None)


def test_a_video_sampler_takes_both_sides_in_one() -> None:
    value = {
        "1": node("WanVideoModelLoader", model="wan\\deepsea.safetensors", lora=["2", 0]),
        "2": node("WanVideoLoraSelect", lora="misty_coast.safetensors", strength=0.7),
        "3": node("WanVideoTextEncode", positive_prompt=PROMPT, negative_prompt=NEGATIVE),
        "4": node("WanVideoSampler", model=["1", 0], text_embeds=["3", 0], seed=1234),
        "5": node("WanVideoDecode", samples=["4", 0]),
        "6": node("VHS_VideoCombine", images=["5", 0], format="video/h264-mp4"),
    }
    found = read(value)
    assert (found.prompt, found.negative_prompt, found.seed) == (PROMPT, NEGATIVE, 1234)
    assert models(value) == [(Role.BASE, "deepsea", None), COAST]


def test_what_lays_one_face_over_another_is_named() -> None:
    swap = node(
        "FaceSwapNode",
        input_image=["n6", 0],
        swap_model="swapper_128.onnx",
        face_restore_model="restore.pth",
    )
    value = graph(x1=swap, n7=node("SaveImage", images=["x1", 0]))
    assert models(value)[2:] == [
        (Role.OTHER, "swapper_128", None),
        (Role.OTHER, "restore", None),
    ]


def test_the_first_of_two_samplers_is_asked() -> None:
    value = graph(
        x1=node("CLIPTextEncode", text="sharper", clip=["n1", 1]),
        x2=node(
            "KSampler",
            seed=9,
            model=["n1", 0],
            positive=["x1", 0],
            negative=["n4", 0],
            latent_image=["n5", 0],
        ),
        n6=node("VAEDecode", samples=["x2", 0], vae=["n1", 2]),
    )
    assert (read(value).prompt, read(value).seed) == (PROMPT, 1234)


@pytest.mark.parametrize(("on", "expected"), [(True, [("misty_coast", 0.7)]), (False, [])])
def test_a_switch_lets_one_branch_through(on: bool, expected: list[tuple[str, float]]) -> None:
    value = graph(
        x1=node("PrimitiveBoolean", value=on),
        x2=node("ComfySwitchNode", switch=["x1", 0], on_true=["n2", 0], on_false=["n1", 0]),
        n3=node("CLIPTextEncode", text=PROMPT, clip=["n1", 1]),
        n4=node("CLIPTextEncode", text=NEGATIVE, clip=["n1", 1]),
    )
    value["n5"]["inputs"]["model"] = ["x2", 0]
    assert adapters(value) == expected


def test_what_a_language_model_wrote_is_replaced_by_what_it_was_asked() -> None:
    value = graph(
        x1=node("PrimitiveStringMultiline", value="a quay"),
        x2=node("TextGenerate", prompt=["x1", 0]),
        x3=node("ComfySwitchNode", switch=True, on_true=["x2", 0], on_false=["x1", 0]),
        n3=node("CLIPTextEncode", text=["x3", 0], clip=["n2", 1]),
    )
    assert read(value).prompt == "a quay"


def test_a_service_asked_by_a_node() -> None:
    value = {
        "1": node("PictureServiceNode", prompt="a quay", seed=5),
        "2": node("SaveImage", images=["1", 0]),
    }
    assert read(value).prompt == "a quay"


@pytest.mark.parametrize(("mode", "expected"), [(0, [BASE, COAST]), (2, []), (4, [BASE])])
def test_muted_and_bypassed_nodes_of_a_drawing(mode: int, expected: list[Model]) -> None:
    found = models(workflow(mode), "png:workflow")
    if mode == 2:  # what hangs on a muted node does not run; the decoder's VAE is still there
        assert COAST not in found
    else:
        assert found == expected


def test_a_linked_field_wins_over_the_value_that_stood_there() -> None:
    value = workflow()
    value["nodes"][4]["inputs"].append({"name": "seed", "type": "INT", "link": 11})
    value["nodes"].append({"id": 9, "type": "Seed", "widgets_values": {"seed": 77}})
    value["links"].append([11, 9, 0, 5, 3, "INT"])
    assert read(value, "png:workflow").seed == 77


def test_a_stack_of_adapters_as_it_was_drawn() -> None:
    value = workflow()
    value["nodes"][1]["type"] = "Power Lora Loader (rgthree)"
    value["nodes"][1]["widgets_values"] = [
        {},
        {"type": "PowerLoraLoaderHeaderWidget"},
        {"on": True, "lora": "misty_coast.safetensors", "strength": 0.7},
        {"on": False, "lora": "rain.safetensors", "strength": 1},
    ]
    assert models(value, "png:workflow") == [BASE, COAST]
    value["nodes"][1]["type"] = "CR LoRA Stack"
    value["nodes"][1]["widgets_values"] = ["On", "misty_coast.safetensors", 0.7, 1, "Off", "x.pt"]
    assert models(value, "png:workflow") == [BASE, COAST]
    value["nodes"][1]["type"] = "Some LoRA Loader"
    assert models(value, "png:workflow")[:2] == [BASE, (Role.ADAPTER, "misty_coast", None)]


def in_a_subgraph() -> dict[str, Any]:
    """The drawing with all but loader and saver in a subgraph, its prompt handed in."""
    sheet = workflow()
    whole = {held["id"]: held for held in sheet["nodes"]}
    names = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
    lines = [dict(zip(names, line, strict=True)) for line in sheet["links"]]
    for line in lines:
        if line["origin_id"] == 1:  # the loader stays outside: its three outputs come in
            line["origin_id"] = -10
        if line["target_id"] == 7:
            line["target_id"] = -20
    whole[3]["inputs"].append({"name": "text", "type": "STRING", "link": 12})
    text = {"id": 12, "origin_id": -10, "origin_slot": 3, "target_id": 3, "target_slot": 1}
    inner = {
        "id": UUID,
        "nodes": [whole[number] for number in (2, 3, 4, 5, 6)],
        "links": [*lines, text],
    }
    use = {
        "id": 20,
        "type": UUID,
        "inputs": [
            {"name": "model", "type": "MODEL", "link": 1},
            {"name": "clip", "type": "CLIP", "link": 2},
            {"name": "vae", "type": "VAE", "link": 3},
            {"name": "text", "type": "STRING", "link": 4},
        ],
        "outputs": [{"type": "IMAGE"}],
    }
    words = {"id": 21, "type": "PrimitiveStringMultiline", "widgets_values": ["a quay"]}
    spare = {"id": 22, "type": "LoraLoader", "widgets_values": ["spare.safetensors", 1, 1]}
    whole[7]["inputs"] = [{"name": "images", "type": "IMAGE", "link": 5}]
    return {
        "nodes": [whole[1], use, words, spare, whole[7]],
        "links": [[1, 1, 0, 20, 0], [2, 1, 1, 20, 1], [3, 1, 2, 20, 2], [4, 21, 0, 20, 3],
                  [5, 20, 0, 7, 0]],
        "definitions": {"subgraphs": [inner]},
    }  # fmt: skip


def test_subgraphs_of_a_drawing() -> None:
    found = read(in_a_subgraph(), "png:workflow")
    assert [model.name for model in found.models] == ["harbourMix_v3", "misty_coast"]
    assert (found.prompt, found.negative_prompt, found.seed) == ("a quay", NEGATIVE, 1234)


def test_a_field_of_a_subgraph_counts_where_nothing_comes_in() -> None:
    value = in_a_subgraph()
    value["nodes"][1]["inputs"][3]["link"] = None
    assert read(value, "png:workflow").prompt == PROMPT


@pytest.mark.parametrize(("values", "expected"), [(["dusk"], "dusk"), (["dusk", 1], None)])
def test_a_field_of_the_use_counts_more(values: list[Any], expected: str | None) -> None:
    value = in_a_subgraph()
    use = value["nodes"][1]
    use["inputs"][3] |= {"link": None, "widget": {"name": "text"}}
    use["widgets_values"] = values
    assert read(value, "png:workflow").prompt == expected


def test_subgraphs_within_themselves_end() -> None:
    value = in_a_subgraph()
    inner = value["definitions"]["subgraphs"][0]
    inner["nodes"] += [{"id": 30 + n, "type": UUID, "inputs": []} for n in range(3000)]
    inner["links"] += [
        {"id": 100 + n, "origin_id": 30 + n, "origin_slot": 0, "target_id": -20, "target_slot": 0}
        for n in range(3000)
    ]
    assert within(5, lambda: read(value, "png:workflow")).prompt == "a quay"


def test_lines_of_a_drawing_may_be_objects() -> None:
    value = workflow()
    value["links"] = [
        {"id": line[0], "origin_id": line[1], "origin_slot": line[2], "target_id": line[3]}
        for line in value["links"]
    ]
    assert models(value, "png:workflow") == [BASE, COAST]


def test_cycles_end() -> None:
    value = graph()
    value["n1"]["inputs"]["model"] = ["n2", 0]
    value["n3"]["inputs"]["text"] = ["n3", 0]
    value["n4"]["inputs"]["conditioning"] = ["n4", 0]
    value["n5"]["inputs"]["seed"] = ["n5", 0]
    value["n8"]["inputs"]["latent_image"] = ["n5", 0]
    found = read(value)
    assert [model.name for model in found.models] == ["harbourMix_v3", "misty_coast"]
    assert found.prompt is None


def test_a_hundred_thousand_nodes_take_linear_time() -> None:
    chain = {
        f"c{number}": node(
            "LoraLoaderModelOnly",
            lora_name=f"l{number}.safetensors",
            strength_model=1,
            model=[f"c{number + 1}", 0],
        )
        for number in range(100_000)
    }
    value = graph(**chain)
    value["n5"]["inputs"]["model"] = ["c0", 0]
    text = json.dumps(value)
    found, faults = within(6, lambda: generations([block("png:prompt", text)]))
    assert not faults or "MiB" in str(faults[0])
    assert [each.generator for each in found] == ["comfyui"]


def _chained_primitives() -> dict[str, Any]:
    value = {f"p{n}": node("Primitive", value=[f"p{n + 1}", 0]) for n in range(6000)}
    for number in range(6000):
        value[f"l{number}"] = node(
            "LoraLoader", lora_name=["p0", 0], strength_model=["p0", 0], model=[f"l{number + 1}", 0]
        )
    return graph(**value, n7=node("SaveImage", images=["l0", 0]))


def _wide_loaders() -> dict[str, Any]:
    wide = {f"lora_name_{n}": f"x{n}.pt" for n in range(400)}
    value = {
        f"w{n}": node("LoRA Stacker", model=[f"w{n + 1}", 0], **wide, strength_1=0)
        for n in range(100)
    }
    return graph(**value, n7=node("SaveImage", images=["w0", 0]))


def _many_samplers() -> dict[str, Any]:
    value: dict[str, Any] = {
        f"s{n}": node(
            "KSampler", seed=n, positive=["e0", 0], negative=["e0", 0], samples=[f"s{n + 1}", 0]
        )
        for n in range(6000)
    }
    for number in range(6000):
        value[f"e{number}"] = node("ConditioningCombine", conditioning_1=[f"e{number + 1}", 0])
    return graph(**value, n7=node("SaveImage", images=["s0", 0]))


@pytest.mark.parametrize("build", [_chained_primitives, _wide_loaders, _many_samplers])
def test_graphs_made_to_be_slow_are_not(build: Any) -> None:
    text = json.dumps(build())
    within(5, lambda: generations([block("png:prompt", text)]))


def _bypassed_fan() -> dict[str, Any]:
    wide = {
        "id": 0,
        "type": "Reroute",
        "mode": 4,
        "inputs": [{"name": "a", "type": "X", "link": 1}] * 6000,
        "outputs": [{"type": "MODEL"}],
    }
    loaders = [
        {"id": n, "type": "Loader", "inputs": [{"name": "m", "type": "MODEL", "link": n}]}
        for n in range(1, 6000)
    ]
    lines = [[n, 0, 0, n, 0, "MODEL"] for n in range(1, 6000)]
    return {"nodes": [wide, *loaders], "links": lines}


def test_drawings_made_to_be_slow_are_not() -> None:
    text = json.dumps(_bypassed_fan())
    within(5, lambda: generations([block("png:workflow", text)]))
