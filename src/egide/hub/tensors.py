"""What the names and shapes of tensors tell: kind of adapter, rank, base model.

No tensor is read. The names of an adapter repeat themselves a thousand times with other numbers, so
that a part of them is looked at, with the numbers taken out, once each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Final

Shape = tuple[int, ...]

MOST_RANK: Final = 1 << 16
_FEW: Final = 12
_DIGITS: Final = b"0123456789"
_SAMPLES: Final = 5
_STRETCH: Final = 128

_ADAPTERS: Final = (
    # (what it is, any of these in a tensor's name); names without their digits, first one counts
    ("boft", ("boft_", ".boft")),
    ("oft", ("oft_blocks", "oft_diag", ".oft_")),
    ("loha", ("hada_w",)),
    ("lokr", ("lokr_w",)),
    ("dora", ("dora_scale", "lora_magnitude_vector")),
    ("locon", ("lora_mid.",)),
    ("lora", ("lora_down.", "lora_A.", "lora.down.", "lora_linear_layer.", "lora_up.")),
    ("ia3", (".on_input",)),
    ("controlnet", ("control_model.", "controlnet_", "input_hint_block", "lora_controlnet")),
    ("ip-adapter", ("ip_adapter.",)),
    ("t2i-adapter", ("adapter.body.",)),
    ("textual-inversion", ("emb_params", "string_to_param")),
)
_WHOLE_MODELS: Final = (
    ("checkpoint", (
        "diffusion_model.", "double_blocks.", "joint_blocks.", "transformer_blocks.",
        "blocks..cross_attn.", "double_layers.", "double_stream_blocks.", "noise_refiner.",
        "down_blocks..attentions",
    )),
    ("vae", ("decoder.up_blocks", "decoder.up.", "quant_conv.")),
    ("text-encoder", ("text_model.encoder", "encoder.block..layer", "text_model.embeddings")),
    ("upscaler", ("RRDB_trunk", "body..rdb", "params_ema")),
)  # fmt: skip
_TRANSFORMERS: Final = (
    # (base model, all of these in its tensors' names)
    ("Chroma", ("distilled_guidance_layer",)),
    ("Flux.2 D", ("double_stream_modulation",)),
    ("HiDream", ("double_stream_blocks",)),
    ("AuraFlow", ("double_layers",)),
    ("Wan Video", ("cross_attn", "self_attn", "blocks")),
    ("Qwen", ("add_k_proj", "txt_mlp")),
    ("Qwen", ("add_k_proj", "txt_mod")),
)
_DOWN: Final = ("lora_down.", "lora_A.", "lora.down.", "lora_linear_layer.down.", "hada_w1_b")
_FACTORS: Final = ("lora_up", "lora_B", "lora.up", "hada_w1_a", "hada_w2", "lokr_", "alpha")
_CLIP: Final = {768: "SD 1.5", 1024: "SD 2.1", 1280: "SDXL 1.0"}
_CONTEXT: Final = {768: "SD 1.5", 1024: "SD 2.1", 1280: "SDXL 1.0", 2048: "SDXL 1.0"}


class Tensors:
    """The tensors of one file: `names`, and `shape_of` to ask for the shape of one.

    `shape_of` returns an empty shape for what it cannot tell.
    """

    def __init__(self, names: Sequence[str], shape_of: Callable[[str], Shape]) -> None:
        self.names = names
        self.shape_of = shape_of

    @cached_property
    def _outlines(self) -> frozenset[bytes]:
        """The different names without their digits, of `_SAMPLES` stretches of the list.

        Names stand in the order of the layers: what an adapter has, it has in every stretch.
        """
        last = max(0, len(self.names) - _STRETCH)
        starts = sorted({last * n // (_SAMPLES - 1) for n in range(_SAMPLES)})
        some = [name for start in starts for name in self.names[start : start + _STRETCH]]
        joined = "\n".join(some).encode("utf-8", "replace")
        return frozenset(joined.translate(None, _DIGITS).split(b"\n"))

    @cached_property
    def _outline(self) -> str:
        return b"\n".join(sorted(self._outlines)).decode("utf-8", "replace")

    def speak_of(self, parts: Iterable[str]) -> bool:
        """Whether any of `parts`, written without digits, stands in a name."""
        return any(part in self._outline for part in parts)

    def first(self, *wanted: str, but: Sequence[str] = ()) -> str | None:
        """The first name that has all of `wanted` in it and none of `but`."""
        rarest = max(wanted, key=len, default="")
        return next((n for n in self.names if rarest in n and _has(n, wanted, but)), None)

    @property
    def adapter(self) -> str | None:
        """What was trained, in the words of `ModelFacts.adapter`."""
        for kind, parts in _ADAPTERS:
            if self.speak_of(parts):
                return "locon" if kind == "lora" and self._has_convolutions else kind
        if self._is_glora:
            return "glora"
        if self._is_inversion:
            return "textual-inversion"
        if any(name.endswith((b".diff", b".diff_b")) for name in self._outlines):
            return "full"
        if self.speak_of((".w_norm",)):
            return "norm"
        return next((kind for kind, parts in _WHOLE_MODELS if self.speak_of(parts)), None)

    @property
    def _has_convolutions(self) -> bool:
        return any(b"conv" in name and b"lora_down" in name for name in self._outlines)

    @property
    def _is_glora(self) -> bool:
        return all(self.speak_of((part,)) for part in (".a.weight", ".b.weight"))

    @property
    def _is_inversion(self) -> bool:
        """A few vectors as wide as a text encoder, under the token's name or the encoder's."""
        if not 0 < len(self.names) <= _FEW:
            return False
        widths = {shape[-1] if (shape := self.shape_of(name)) else 0 for name in self.names}
        plain = all("." not in name for name in self.names)
        return plain and widths <= {768, 1024, 1280, 2048, 4096}

    @property
    def rank(self) -> int | None:
        """The rank of the adapter, by the first of its matrices."""
        for part in _DOWN:
            if name := self.first(part):
                return _rank(self.shape_of(name)[:1])
        name = self.first("lokr_w2_a") or self.first("lokr_w1_a")
        return _rank(self.shape_of(name)[1:2]) if name else None

    @property
    def base_model(self) -> str | None:
        """The base model that the names and widths belong to; None when they tell nothing."""
        if self.adapter == "textual-inversion":
            return self._inversion_base
        return self._transformer_base or self._unet_base

    @property
    def _inversion_base(self) -> str | None:
        if any("clip_g" in name for name in self.names):
            return "SDXL 1.0"
        name = self.first("emb_params") or self.first("")
        return _CLIP.get(self.shape_of(name)[-1:][0]) if name and self.shape_of(name) else None

    @property
    def _transformer_base(self) -> str | None:
        for name, parts in _TRANSFORMERS:
            if all(self.speak_of((part,)) for part in parts):
                return name
        if self.speak_of(("double_blocks", "single_transformer_blocks")):
            return self._double_stream_base
        if self.speak_of(("noise_refiner", "context_refiner")):
            return "ZImageTurbo" if self._width("attention") == 3840 else "Lumina"
        return "SD 3" if self.speak_of(("joint_blocks", "add_k_proj")) else None

    @property
    def _double_stream_base(self) -> str:
        # Hunyuan Video has the blocks of Flux, as wide, but calls the layers in them otherwise.
        if self.speak_of(("mlp_fc", "mlp.fc", "mod_linear", "mod.linear", "modulation_linear")):
            return "Hunyuan Video"
        width = self._width("double_blocks") or self._width("single_transformer_blocks")
        return "Flux.2 D" if width == 6144 else "Flux.1 D"

    @property
    def _unet_base(self) -> str | None:
        width = self._width("attn2", "to_k")
        if width in _CONTEXT:
            return _CONTEXT[width]
        if any(self.first(part) for part in ("lora_te2_", "embedders.1.", "text_encoder_2.")):
            return "SDXL 1.0"
        if self.speak_of(("lora_te_text_model", "cond_stage_model.transformer.text_model")):
            return "SD 2.1" if self._width("self_attn") == 1024 else "SD 1.5"
        return None

    def _width(self, *parts: str) -> int | None:
        """How many inputs the first layer named so has: columns of its matrix, or of `A` in BA."""
        name = self.first(*parts, but=(*_FACTORS, "bias", "norm"))
        return (*self.shape_of(name), 0, 0)[1] if name else None


def _has(name: str, wanted: Sequence[str], but: Sequence[str]) -> bool:
    return all(part in name for part in wanted) and not any(part in name for part in but)


def _rank(dimension: Shape) -> int | None:
    return dimension[0] if dimension and 0 < dimension[0] <= MOST_RANK else None
