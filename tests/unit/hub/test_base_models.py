"""Base models have one name each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egide.hub.base_models import base_family, canonical_base, known_base


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("SD 1.5", "SD 1.5"),
        ("sd1.5", "SD 1.5"),
        ("sd_v1", "SD 1.5"),
        ("stable-diffusion-v1", "SD 1.5"),
        ("v1-5-pruned-emaonly.safetensors", "SD 1.5"),
        ("runwayml/stable-diffusion-v1-5", "SD 1.5"),
        ("CompVis/stable-diffusion-v1-4", "SD 1.4"),
        ("stabilityai/stable-diffusion-2-1", "SD 2.1"),
        ("stable-diffusion-v2-768-v", "SD 2.1"),
        ("sdxl_base_v1-0", "SDXL 1.0"),
        ("sdxl_base_v0-9", "SDXL 0.9"),
        ("stable-diffusion-xl-v1-base", "SDXL 1.0"),
        ("stabilityai/stable-diffusion-xl-base-1.0", "SDXL 1.0"),
        ("SDXL Lightning", "SDXL Lightning"),
        ("ponyDiffusionV6XL.safetensors", "Pony"),
        ("OnomaAIResearch/Illustrious-xl-early-release-v0", "Illustrious"),
        ("sd3m", "SD 3"),
        ("stabilityai/stable-diffusion-3.5-large", "SD 3.5 Large"),
        ("black-forest-labs/FLUX.1-dev", "Flux.1 D"),
        ("black-forest-labs/FLUX.1-schnell", "Flux.1 S"),
        ("black-forest-labs/FLUX.1-Kontext-dev", "Flux.1 Kontext"),
        ("flux1", "Flux.1 D"),
        ("Flux.1 S", "Flux.1 S"),
        ("Wan-AI/Wan2.1-T2V-14B", "Wan Video 14B t2v"),
        ("wan", "Wan Video"),
        ("hunyuan_video", "Hunyuan Video"),
        ("Qwen/Qwen-Image", "Qwen"),
        ("Tongyi-MAI/Z-Image-Turbo", "ZImageTurbo"),
        ("Chroma", "Chroma"),
    ],
)
def test_one_name_for_all_spellings(written: str, canonical: str) -> None:
    assert canonical_base(written) == canonical


@pytest.mark.parametrize("written", [None, "", "  ", "None", "null", "Other", "unknown"])
def test_what_says_nothing_is_none(written: str | None) -> None:
    assert canonical_base(written) is None


@pytest.mark.parametrize("written", ["Neutral Model 7", "black swan", "wander", "x" * 100])
def test_an_unknown_name_stays_as_it_is(written: str) -> None:
    assert known_base(written) is None
    assert canonical_base(written) == written


def test_a_name_of_any_length_costs_little_and_is_cut() -> None:
    assert canonical_base("z" * 10_000_000) == "z" * 100


def test_families_gather_what_tables_put_together() -> None:
    assert [base_family(name) for name in ("SD 1.5 LCM", "SDXL Turbo", "Flux.1 S", "Pony")] == [
        "SD 1", "SDXL", "Flux.1", "Pony",
    ]  # fmt: skip


@given(st.text())
def test_any_text_has_an_answer_and_answering_again_changes_nothing(written: str) -> None:
    canonical = canonical_base(written)
    assert canonical is None or canonical_base(canonical) == canonical
