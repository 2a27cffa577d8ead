"""What a hub forbids by its own rules, and which of its models break them all the same."""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from egide.errors import UsageError
from egide.hub.audit.tally import Reach

LABELS = ("named", "unnamed", "sexual")


@dataclass(frozen=True, slots=True)
class HubPolicy:
    """A hub's own rule: `forbids` are labels of `LABELS`, one of which is enough."""

    name: str
    hub: str
    since: date
    forbids: frozenset[str]
    says: str
    at: str


@dataclass(frozen=True, slots=True)
class Breaches:
    """Models that a policy forbids, by whether they can still be downloaded.

    `after` counts those reachable that were put up since it is in force.
    """

    policy: HubPolicy
    forbidden: int
    reachable: int
    gone: int
    unknown: int
    after: int


@cache
def hub_policies() -> dict[str, HubPolicy]:
    """All policies known, by name."""
    text = files("egide.hub").joinpath("data", "hub-policies.toml").read_text(encoding="utf-8")
    return {
        name: HubPolicy(
            name, rule["hub"], rule["since"], frozenset(rule["forbids"]), rule["says"], rule["at"]
        )
        for name, rule in tomllib.loads(text).items()
    }


def hub_policy(name: str) -> HubPolicy:
    """The policy called `name`; UsageError."""
    known = hub_policies()
    if name not in known:
        raise UsageError(f"no hub policy is called {name!r}; there are: {', '.join(known)}")
    return known[name]


def breaches(reach: Reach, policy: HubPolicy) -> Breaches:
    """The models counted in `reach` that `policy` forbids."""
    found: Counter[str] = Counter()
    after = 0
    for (source, *has, reachable, day), number in reach.counts.items():
        held = {label for label, holds in zip(LABELS, has, strict=True) if holds}
        if source == policy.hub and held & policy.forbids:
            found[reachable] += number
            after += number * (reachable == "reachable" and day >= policy.since.toordinal())
    return Breaches(
        policy, found.total(), found["reachable"], found["gone"], found["not said"], after
    )
