"""Laws as data: what a notice needs, how long there is, which copies count, why one decides.

One YAML file a jurisdiction in `law/`, each with its sources and the day they were checked, and
the words that all have in common in `reasons.yaml`. All of it is checked when it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from egide.errors import StorageError

if TYPE_CHECKING:
    from egide.desk.notices import Notice

Jurisdiction = Literal["US", "UK", "EU", "FR"]
JURISDICTIONS: Final[tuple[Jurisdiction, ...]] = ("US", "UK", "EU", "FR")
FIELDS: Final = ("signature", "locations", "statement", "good_faith", "contact")
Outcome = Literal["remove", "refuse", "uphold", "reverse", "withdraw", "confirm", "deny", "return"]
Short = Annotated[str, Field(min_length=1, max_length=1000)]

M = TypeVar("M", bound=BaseModel)


class _Data(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Data):
    """The same in both languages."""

    en: Short
    fr: Short

    def in_(self, language: str) -> str:
        """The words in `language`; English for others."""
        return self.fr if language == "fr" else self.en


class Element(_Data):
    """What a notice of this law has: `required`, or wanted and done without."""

    field: Literal["signature", "locations", "statement", "good_faith", "contact"]
    required: bool


class Declaration(Words):
    """What whoever sends a notice declares."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]


class Clock(_Data):
    """The time there is: `hours` from receipt, by `statute` or as the platform's own `target`.

    `pauses` are the states in which it stands.
    """

    hours: Annotated[int, Field(ge=1, le=24 * 31)]
    kind: Literal["statute", "target"]
    pauses: tuple[Literal["incomplete"], ...] = ()


class CopyRule(_Data):
    """Which copies are to be found: `identical` ones, or `similar` ones too.

    Two pictures are identical within `threshold` bits of their PDQ hashes, 0..63.
    """

    rule: Literal["identical", "similar"]
    threshold: Annotated[int, Field(ge=0, le=63)]


class Body(Words):
    """Who else helps."""

    name: Short
    for_: Annotated[Literal["adults", "minors", "everyone"], Field(alias="for")]
    url: Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+/[a-z0-9/_-]*$")]


class Source(_Data):
    """Where it stands, and when that was looked up."""

    title: Short
    checked: date


class Law(_Data):
    """The law of one jurisdiction, as far as the desk works by it."""

    jurisdiction: Jurisdiction
    name: Words
    elements: tuple[Element, ...]
    declarations: Annotated[tuple[Declaration, ...], Field(min_length=1)]
    clock: Clock
    copies: CopyRule
    appeal_days: Annotated[int, Field(ge=183, le=3660)]
    legal_ground: Short
    bodies: tuple[Body, ...]
    sources: Annotated[tuple[Source, ...], Field(min_length=1)]

    @property
    def required(self) -> tuple[str, ...]:
        """The fields without which a notice is incomplete."""
        return tuple(each.field for each in self.elements if each.required)

    def missing(self, notice: Notice) -> tuple[str, ...]:
        """Which required fields `notice` lacks; an authority's order lacks none.

        A fingerprint says where the content is as well as an address does: it is searched for.
        """
        if notice.order is not None:
            return ()
        needed = {each.id for each in self.declarations}
        has = {
            "signature": bool(notice.signature),
            "locations": bool(notice.locations or notice.fingerprints),
            "statement": bool(notice.statement),
            "good_faith": notice.good_faith and (not notice.declared or needed <= notice.declared),
            "contact": bool(notice.contact),
        }
        return tuple(field for field in self.required if not has[field])


class Reason(Words):
    """Why a decision is taken, in words that may be edited; `outcomes` are those it goes with."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,39}$")]
    outcomes: Annotated[tuple[Outcome, ...], Field(alias="for", min_length=1)]


class _Reasons(_Data):
    elements: dict[str, Words]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Laws:
    """All laws by jurisdiction, the reasons by id, and how missing elements are asked for."""

    by_jurisdiction: dict[str, Law]
    reasons: dict[str, Reason]
    elements: dict[str, Words]

    def __getitem__(self, jurisdiction: str) -> Law:
        return self.by_jurisdiction[jurisdiction]

    def reasons_for(self, outcome: str) -> tuple[Reason, ...]:
        """The reasons that go with `outcome`, in the order of the file."""
        return tuple(each for each in self.reasons.values() if outcome in each.outcomes)


@cache
def laws() -> Laws:
    """What comes with égide; StorageError when a file is not as it must be."""
    common = _read("reasons", _Reasons)
    reasons = {each.id: each for each in common.reasons}
    found: dict[str, Law] = {name: _read(name, Law) for name in JURISDICTIONS}
    wrong = [name for name, law in found.items() if law.jurisdiction != name]
    unknown = set(FIELDS) ^ set(common.elements)
    if wrong or unknown or len(reasons) != len(common.reasons):
        raise StorageError(f"the files in desk/law contradict each other: {wrong or unknown}")
    return Laws(found, reasons, common.elements)


def _read(name: str, kind: type[M]) -> M:
    import yaml  # noqa: PLC0415  once, and not where the desk is not used

    text = files("egide.desk").joinpath("law", f"{name}.yaml").read_text(encoding="utf-8")
    try:
        return kind.model_validate(yaml.safe_load(text))
    except (ValidationError, yaml.YAMLError) as error:
        raise StorageError(f"desk/law/{name}.yaml is not valid: {error}") from error
