"""A model file's metadata, as questions put to it, and the texts in it that people wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from egide.hub.facts import MOST_WORDS, plain
from egide.hub.fields import first_number, text_of

_MOST_LEAVES: Final = 400
_MOST_DEPTH: Final = 12
_TOLD: Final = (str, dict, list)
_SAYS_NOTHING: Final = frozenset({"", "none", "null", "[]", "{}", '""'})

# What is measured, counted or set, and never written by a person.
_TECHNICAL: Final = frozenset((
    "format", "version", "step", "epoch", "training_info", "sshs_model_hash", "sshs_legacy_hash",
    "ot_branch", "ot_revision", "ssmd_cover_images", "ssmd_rating", "modelspec.sai_model_spec",
    "modelspec.architecture", "modelspec.implementation", "modelspec.implementation_version",
    "modelspec.resolution", "modelspec.date", "modelspec.hash_sha256", "modelspec.prediction_type",
    "modelspec.timestep_range", "modelspec.encoder_layer", "modelspec.license",
    "modelspec.thumbnail", "modelspec.unet_dtype", "modelspec.vae_dtype", "ss_session_id",
    "ss_seed", "ss_v2", "ss_lowram", "ss_epoch", "ss_steps", "ss_network_module", "ss_network_args",
    "ss_base_model_version", "ss_bucket_info", "ss_tag_frequency", "ss_dataset_dirs",
    "ss_reg_dataset_dirs",
))  # fmt: skip
_TOLD_ELSEWHERE: Final = frozenset((
    "modelspec.title", "modelspec.author", "modelspec.description", "modelspec.tags", "ssmd_author",
    "ssmd_display_name", "ssmd_description", "ssmd_tags", "author", "description", "tags", "name",
    "ss_output_name",
))  # fmt: skip
"""Keys that have a field of their own: an author's name must not be read as somebody depicted."""
_SETTING_BEGINS: Final = (
    "ss_adaptive", "ss_apply", "ss_blocks_to_swap", "ss_cache", "ss_color_aug", "ss_debiased",
    "ss_discrete", "ss_enable", "ss_fp8", "ss_full_", "ss_gradient", "ss_guidance", "ss_huber",
    "ss_ip_noise", "ss_keep_", "ss_logit", "ss_lr_", "ss_max_", "ss_min_", "ss_mode_scale",
    "ss_model_prediction", "ss_multires", "ss_noise_", "ss_num_", "ss_optimizer", "ss_random_crop",
    "ss_sd_scripts_", "ss_shuffle", "ss_sigmoid", "ss_split", "ss_t5xxl", "ss_text_encoder_",
    "ss_unet_", "ss_validat", "ss_weighting", "ss_zero_",
)  # fmt: skip
_SETTING_ENDS: Final = (
    "_hash", "_lr", "_steps", "_epochs", "_images", "_at", "_count", "_dim", "_alpha", "_size",
    "_rate", "_scale", "_norm", "_accumulation", "_checkpointing", "_dropout", "_latents",
    "_offset", "_fp16", "_bf16", "_precision", "_length", "_skip", "_weight", "_loss", "_timestep",
    "_timesteps", "_strategy", "_ratio", "_flip", "_items",
)  # fmt: skip
MODELS_SINCE: Final = 2015
"""Before that year there were no such models."""
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTH_FIRST: Final = re.compile(r"([a-z]{3,9})\.? (\d{1,2}),? (\d{4})\b", re.IGNORECASE)
_DAY_FIRST: Final = re.compile(
    r"(?:[a-z]{3,9}, )?(\d{1,2}) ([a-z]{3,9})\.?,? (\d{4})\b( \d\d:\d\d.{0,20})?",
    re.IGNORECASE,
)
_DOTTED: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})\b")
_SLASHED: Final = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})\b")
_HAS_WORD: Final = re.compile(r"[^\W\d_]{2}")
_PICTURE: Final = re.compile(r"\A(?:data:|/9j/|iVBOR|UklGR)")


class Metadata:
    """A file's metadata, as questions put to it: every answer is of the type asked for, or None."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self._parsed: dict[str, Any] = {}

    def text(self, *keys: str) -> str | None:
        """The first of `keys` that says something, as text."""
        for key in keys:
            value = self.values.get(key)
            said = None if value is None else text_of(value)
            if said and said.lower() not in _SAYS_NOTHING:
                return said
        return None

    def number(self, *keys: str) -> int | None:
        """The first of `keys` that is a whole number from 0 to 2^53."""
        return first_number(*map(self.values.get, keys))

    def parsed(self, key: str) -> Any:
        """The JSON at `key`, be it in a string or not; None when it is none."""
        value = self.values.get(key)
        if not isinstance(value, str):
            return value
        if key not in self._parsed:
            self._parsed[key] = _parse(value)
        return self._parsed[key]

    def objects(self, key: str) -> Mapping[str, Any]:
        """The JSON object at `key`; an empty one when it is none."""
        value = self.parsed(key)
        return value if isinstance(value, dict) else {}


def _parse(text: str) -> Any:
    """The JSON that `text` is; None when it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return json.loads(text)  # Python writes NaN, which is no JSON but for Python
    except (ValueError, RecursionError):
        return None


def moment_of(text: str | None, since: int = MODELS_SINCE) -> datetime | None:
    """The UTC time that `text` names.

    In seconds or milliseconds since 1970, by ISO 8601, or as `Jan 5, 2024`, `5 January 2024`,
    `05.01.2024`, `2024/01/05`, or by RFC 2822. `05/01/2024` may be two days, and is none. None when
    it names none, or one before the year `since` or after 2100.
    """
    if not text:
        return None
    try:
        try:
            seconds = float(text)
        except ValueError:
            moment = _written(text[:60])
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            moment = datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if since <= moment.year <= 2100 else None


def _written(text: str) -> datetime:
    """The time that `text` writes, in one of the ways of `moment_of`; ValueError when in none."""
    if found := _MONTH_FIRST.match(text):
        return _day(found[3], _number_of(found[1]), found[2])
    if found := _DAY_FIRST.match(text):
        if found[4]:
            return parsedate_to_datetime(text)
        return _day(found[3], _number_of(found[2]), found[1])
    if found := _DOTTED.match(text):
        return _day(found[3], found[2], found[1])
    if found := _SLASHED.match(text):
        return _day(*found.groups())
    return datetime.fromisoformat(text[:40].replace("Z", "+00:00"))


def _number_of(month: str) -> int:
    """Which month `month` is, written out or cut short; ValueError when it is none."""
    return 1 + [name.startswith(month.lower()) for name in _MONTHS].index(True)


def _day(year: int | str, month: int | str, day: int | str) -> datetime:
    return datetime(int(year), int(month), int(day), tzinfo=UTC)


def texts_of(metadata: Metadata, title: str | None) -> Iterator[tuple[str, str]]:
    """Every other text that a person may have written, by the key it stands under."""
    left = MOST_WORDS
    for key, value in metadata.values.items():
        if _has_no_text(key):
            continue
        whole = metadata.parsed(key) if _like_json(value) else value
        for text in leaf_texts(value if whole is None else whole):
            said = plain(text)
            if (
                said == title
                or said.lower() in _SAYS_NOTHING
                or not _HAS_WORD.search(said)
                or _PICTURE.match(said)
            ):
                continue
            if not left:
                return
            left -= 1
            yield plain(key, 100), said


def _has_no_text(key: str) -> bool:
    return (
        key in _TECHNICAL
        or key in _TOLD_ELSEWHERE
        or (
            key.startswith("ss_")
            and (key.startswith(_SETTING_BEGINS) or key.endswith(_SETTING_ENDS))
        )
    )


def _like_json(value: Any) -> bool:
    return isinstance(value, str) and value[:1] in ("{", "[")


def leaf_texts(value: Any) -> Iterator[str]:
    """The strings within a JSON value, keys of objects left out; bounded in number and depth."""
    pending: list[tuple[Any, int]] = [(value, 0)]
    seen = 0
    while pending and seen < _MOST_LEAVES:
        inner, depth = pending.pop()
        if isinstance(inner, str):
            seen += 1
            yield inner
        elif depth < _MOST_DEPTH and isinstance(inner, dict | list):
            values = list(inner.values()) if isinstance(inner, dict) else inner
            pending.extend(
                (each, depth + 1)
                for each in reversed(values[:MOST_WORDS])
                if isinstance(each, _TOLD)
            )
