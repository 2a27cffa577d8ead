"""AIR, the resource names of Civitai and its like: `urn:air:sdxl:lora:civitai:101@202`.

After Civitai's wiki, "AIR - Uniform Resource Names for AI": ecosystem, type, source, id, then
optionally `@version`, `:layer` and `.format`. Parts in front are left out in the wild, so the order
counts from the end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from egide.provenance.family.values import model_of, word_of
from egide.provenance.statements import NamedModel, Role

_AIR: Final = re.compile(
    r"(?:urn:)?air:"
    r"(?:(?P<ecosystem>[a-z0-9_\-/]{1,40}):)?"
    r"(?:(?P<type>[a-z0-9_\-/]{1,40}):)?"
    r"(?P<source>[a-z0-9_\-/]{1,40}):"
    r"(?P<id>[a-z0-9_\-/.]{1,200})"
    r"(?:@(?P<version>[a-z0-9_\-]{1,100}))?",
    re.IGNORECASE,
)
MOST_AIR: Final = 400

_ROLES: Final = {
    "checkpoint": Role.BASE,
    "model": Role.BASE,
    "unet": Role.BASE,
    "diffusion": Role.BASE,
    "lora": Role.ADAPTER,
    "lycoris": Role.ADAPTER,
    "locon": Role.ADAPTER,
    "dora": Role.ADAPTER,
    "hypernet": Role.ADAPTER,
    "hypernetwork": Role.ADAPTER,
    "embedding": Role.EMBEDDING,
    "textualinversion": Role.EMBEDDING,
    "vae": Role.VAE,
}


@dataclass(frozen=True, slots=True)
class Air:
    """A resource name taken apart; `type` is lower-case, as is `source`."""

    urn: str
    ecosystem: str | None
    type: str | None
    source: str
    id: str
    version: str | None

    @property
    def role(self) -> Role | None:
        """What its type says that it does; None when it has none."""
        return role_of_type(self.type) if self.type else None

    @property
    def ids(self) -> dict[str, str]:
        """As the ids of a model: the whole name, and the source's own numbers."""
        ids = {"air": self.urn}
        if self.source == "civitai" and self.id.isdecimal():
            ids["civitai"] = self.id
            if self.version and self.version.isdecimal():
                ids["civitai-version"] = self.version
        elif self.source in ("tensorart", "huggingface"):
            ids[self.source] = self.id
        return ids


def parse_air(value: Any) -> Air | None:
    """`value` taken apart; None when it is no AIR."""
    if not isinstance(value, str) or len(value) > MOST_AIR:
        return None
    text = value.strip()
    if not (found := _AIR.match(text)):
        return None
    ecosystem, type_ = found["ecosystem"], found["type"]
    return Air(
        urn=text if text.lower().startswith("urn:") else f"urn:{text}",
        ecosystem=ecosystem.lower() if ecosystem else None,
        type=type_.lower() if type_ else None,
        source=found["source"].lower(),
        id=found["id"],
        version=found["version"],
    )


def role_of_type(type_: Any, otherwise: Role = Role.OTHER) -> Role:
    """What a model of the type that a hub gives it does."""
    if not isinstance(type_, str):
        return otherwise
    return _ROLES.get(type_.lower().replace(" ", "").replace("_", ""), otherwise)


def model_of_air(
    value: Any, weight: Any = None, name: Any = None, role: Role = Role.OTHER
) -> NamedModel | None:
    """The model that an AIR names; `role` counts where its type says nothing."""
    air = parse_air(value)
    return model_of(air.role or role, name, weight, ids=air.ids) if air else None


def resource_of(held: dict[str, Any], otherwise: Role) -> NamedModel | None:
    """One of Civitai's resources: by AIR, else by version; `otherwise` where no type is said."""
    role = role_of_type(held.get("type"), otherwise)
    name, weight = held.get("modelName"), held.get("weight", held.get("strength"))
    if known := model_of_air(held.get("air"), weight, name, role):
        return known
    return model_of(role, name, weight, ids=version_ids(held.get("modelVersionId")))


def version_ids(value: Any) -> dict[str, str]:
    """The number of a version at Civitai, as the ids of a model; empty when it is none."""
    version = word_of(value)
    return {"civitai-version": version} if version and version.isdecimal() else {}
