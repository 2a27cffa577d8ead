"""Puts an audit into a folder: `summary.json`, one CSV a table, one page."""

from __future__ import annotations

import csv
import getpass
import io
import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from egide.errors import UsageError
from egide.hub.audit.cells import safe_cell
from egide.hub.audit.hub_policy import Breaches, HubPolicy, breaches
from egide.hub.audit.page import audit_page
from egide.hub.audit.run import Audit
from egide.hub.audit.score import write_sheet
from egide.hub.audit.tables import (
    Entry,
    Table,
    of_groups,
    of_intents,
    of_subjects,
    of_tags,
    reuploads,
    share_women,
    shown,
    tables_of,
)
from egide.hub.audit.text_tables import (
    TextFindings,
    text_findings,
    text_summary,
    text_tables,
)
from egide.hub.pseudonyms import Pseudonyms

SCHEMA: Final = "egide.audit/1"
SUMMARY, PAGE, SHEET = "summary.json", "audit.html", "sample.csv"
REVEALS: Final = "reveals.jsonl"
MOST_LISTED: Final = 100


class Reveal(NamedTuple):
    """Why names are shown; kept in the summary and in the home."""

    reason: str
    by: str
    at: str

    @classmethod
    def now(cls, reason: str) -> Reveal:
        """By who runs this, now."""
        return cls(reason, getpass.getuser(), datetime.now(UTC).isoformat(timespec="seconds"))

    def record(self, home: Path, out: Path) -> None:
        """Adds a line to the home's record; UsageError when that cannot be written."""
        line = json.dumps(self._asdict() | {"out": str(out.resolve())}, ensure_ascii=False)
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW
            with open(os.open(home / REVEALS, flags, 0o600), "a", encoding="utf-8") as file:  # noqa: PTH123  Path takes no descriptor
                file.write(line + "\n")
        except OSError as error:
            raise UsageError(
                f"cannot record the reason in {home / REVEALS}: {error.strerror}; nothing is "
                "revealed"
            ) from error


def write_audit(
    found: Audit,
    out: Path,
    pseudonyms: Pseudonyms,
    *,
    policy: HubPolicy | None = None,
    reveal: Reveal | None = None,
    seconds: float = 0.0,
    partial: bool = False,
) -> dict[str, Any]:
    """Writes everything into the folder `out`, readable by its owner alone, and gives the summary.

    `partial` tells that the dump was not read to its end. UsageError when it cannot be written.
    """
    tally = found.tally
    broken = None if policy is None else breaches(tally.reach, policy)
    texts = text_findings(tally.texts)
    summary = summary_of(found, broken, reveal, texts) | {"interrupted": partial}
    tables = tables_of(tally, pseudonyms, reveal=reveal is not None)
    tables += text_tables(texts, pseudonyms, reveal=reveal is not None)
    if broken is not None:
        tables.append(_policy_table(broken))
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        for table in tables:
            _write(out / f"{table.name}.csv", _csv(table))
        if any(tally.sampled.values()):
            sheet = io.StringIO(newline="")
            summary["sampled"] = write_sheet(sheet, tally)
            _write(out / SHEET, sheet.getvalue())
        _write(out / PAGE, audit_page(summary, tables, broken, seconds))
        _write(out / SUMMARY, json.dumps(summary, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise UsageError(
            f"cannot write into {out}: {error.strerror}; give another --out"
        ) from error
    return summary


def summary_of(
    found: Audit, broken: Breaches | None, reveal: Reveal | None, texts: TextFindings
) -> dict[str, Any]:
    """The figures of `summary.json`; null is a count too small to be told, or nothing known."""
    tally = found.tally
    people = list(tally.subjects.values())
    copies = reuploads(tally.copies)
    return {
        "schema": SCHEMA,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "dumps": list(found.dumps),
        "gazetteer_people": found.gazetteer,
        "models_total": tally.models,
        "likeness_total": tally.likeness,
        "likeness_share": _share(tally.likeness, tally.models),
        "likeness_named": tally.named,
        "likeness_unnamed": tally.unnamed,
        "likeness_sexual": tally.sexual,
        "downloads_total": tally.downloads,
        "downloads_likeness": tally.downloads_likeness,
        "downloads_share": _share(tally.downloads_likeness, tally.downloads),
        "people": shown(len(people)),
        "accounts": shown(len(tally.creators)),
        "share_women": share_women(people),
        "by_base_model": _counts(of_groups(tally.base_models)),
        "by_adapter": _counts(of_groups(tally.adapters)),
        "by_tag": _counts(of_tags(tally)[:MOST_LISTED]),
        "by_intent": _counts(of_intents(tally)),
        "by_gender": _counts(of_subjects(people, "gender")),
        "by_country": _counts(of_subjects(people, "countries")),
        "by_occupation": _counts(of_subjects(people, "occupations")[:MOST_LISTED]),
        "by_hub": {name: group.models for name, group in sorted(tally.sources.items())},
        "reuploads": {
            "sets": shown(copies.sets),
            "models": shown(copies.models),
            "hidden": shown(copies.hidden),
        },
        "hub_policy": None if broken is None else _policy(broken),
        "texts": text_summary(texts),
        "repeated": tally.repeated,
        "escalated": tally.escalated,
        "unreadable": tally.unreadable,
        "revealed": None if reveal is None else reveal._asdict(),
    }


def _policy(broken: Breaches) -> dict[str, Any]:
    return {
        "name": broken.policy.name,
        "hub": broken.policy.hub,
        "since": broken.policy.since.isoformat(),
        "says": broken.policy.says,
        "forbidden": shown(broken.forbidden),
        "reachable": shown(broken.reachable),
        "gone": shown(broken.gone),
        "not_said": shown(broken.unknown),
        "put_up_since": shown(broken.after),
    }


def _policy_table(broken: Breaches) -> Table:
    rows = (
        ("forbidden by the policy", shown(broken.forbidden)),
        ("still reachable", shown(broken.reachable)),
        ("of these, put up since it is in force", shown(broken.after)),
        ("gone", shown(broken.gone)),
        ("not said", shown(broken.unknown)),
    )
    title = f"Forbidden by {broken.policy.name}"
    return Table("hub_policy", title, ("what", "models"), rows, broken.policy.says)


def _counts(entries: Iterable[Entry]) -> dict[str, int]:
    return {entry.name: entry.models for entry in entries}


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _csv(table: Table) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow(["" if cell is None else safe_cell(cell) for cell in row])
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    """Writes a file that takes its place when it is complete."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", errors="replace", newline="") as file:  # noqa: PTH123
            file.write(text)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
