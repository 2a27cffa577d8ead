"""`egide audit`: a hub's dump audited, and an audit scored by hand-labelled samples."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from egide.cli.options import (
    EXIT_CLEAN,
    EXIT_INCOMPLETE,
    GazetteerOption,
    HomeOption,
    JobsOption,
    warn,
)
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.hub.audit import Reveal, Score
    from egide.hub.audit.score import Rate


class _RunByDefault(TyperGroup):
    """Lets the name of `egide audit run` be left out."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, "-h", "--help"}:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunByDefault,
    no_args_is_help=True,
    short_help="Audit a hub: how many of its models imitate real people.",
    help="Audit a hub's dump: how many of its models imitate real people, and whom. "
    "`egide audit DUMP…` is short for `egide audit run DUMP…`.",
)


@app.command("run", short_help="Audit dumps of listings.")
def run(
    dumps: Annotated[
        list[str],
        typer.Argument(
            metavar="DUMP",
            help="Files of listings, adverts, posts and app listings (JSON, JSON Lines, CSV, also "
            "compressed by gzip or Zstandard) and folders of them.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="DIR",
            envvar="EGIDE_AUDIT_OUT",
            help="Folder to write into: summary.json, one CSV a table, audit.html.",
            show_default=False,
        ),
    ],
    gazetteer: GazetteerOption = None,
    policy_name: Annotated[
        str | None,
        typer.Option(
            "--policy-name",
            metavar="NAME",
            envvar="EGIDE_POLICY_NAME",
            help="Rules of a hub to hold its models against: civitai-2025-05 or "
            "huggingface-content.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        int,
        typer.Option(
            "--sample",
            metavar="N",
            envvar="EGIDE_SAMPLE",
            min=0,
            max=100_000,
            help="Draw N listings of each stratum (named, unnamed, none) to label by hand: "
            "sample.csv.",
        ),
    ] = 0,
    reveal: Annotated[
        bool,
        typer.Option(
            "--reveal",
            envvar="EGIDE_REVEAL",
            help="Show names and accounts, and in the sample what the listings say; "
            "needs --reason.",
        ),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason",
            metavar="TEXT",
            envvar="EGIDE_REASON",
            help="Why names are to be shown; recorded in the summary and in the home.",
            show_default=False,
        ),
    ] = None,
    register: Annotated[
        bool,
        typer.Option(
            "--register/--no-register",
            envvar="EGIDE_REGISTER",
            help="Put the listings into the home's registry, by which `egide trace` finds the "
            "listing of a model that a picture names.",
        ),
    ] = True,
    jobs: JobsOption = None,
    home: HomeOption = None,
) -> None:
    """Count the models of real people in dumps of listings, and the offers of synthetic NCII in
    dumps of adverts, posts and app listings, and write down what was found.

    Exit code: 0 everything was read, 2 wrong usage, 3 records could not be read or the run was
    interrupted. Unreadable records are counted and named in unreadable.csv.
    """
    from egide.bank.home import default_home
    from egide.cli.progress import ProgressBar
    from egide.hub.audit import write_audit
    from egide.hub.audit.hub_policy import hub_policy
    from egide.hub.audit.row import Row
    from egide.hub.audit.run import Audit, kept_of
    from egide.hub.audit.tally import Tally
    from egide.hub.gazetteer_sample import open_gazetteer
    from egide.hub.pseudonyms import open_pseudonyms
    from egide.registry import Registry

    _check(dumps, out)
    policy = hub_policy(policy_name) if policy_name else None
    folder = home or default_home()
    shown = _reveal(reveal, reason, folder, out)
    people = None if gazetteer is None else len(open_gazetteer(gazetteer))
    pseudonyms = open_pseudonyms(folder)
    tally = Tally(sample, pseudonyms.seed)
    began, interrupted = time.monotonic(), False
    excerpts = bool(sample) and reveal
    rows = kept_of(
        dumps,
        gazetteer,
        jobs=jobs,
        excerpts=excerpts,
        register=pseudonyms if register else None,
    )
    try:
        with (
            ProgressBar(dumps, listing=False) as bar,
            Registry(folder) if register else nullcontext() as registry,
        ):
            for kept in bar.track(rows):
                tally.add(kept)
                if registry is not None and isinstance(kept, Row) and kept.registered is not None:
                    registry.add(kept.registered)
    except KeyboardInterrupt:
        interrupted = True
    found = Audit(tally, tuple(Path(dump).name for dump in dumps), people)
    seconds = time.monotonic() - began
    summary = write_audit(
        found, out, pseudonyms, policy=policy, reveal=shown, seconds=seconds, partial=interrupted
    )
    _say(summary, out)
    raise typer.Exit(EXIT_INCOMPLETE if interrupted or tally.unreadable else EXIT_CLEAN)


@app.command("score", short_help="Tell how right an audit is, from a labelled sample.")
def score(
    sheet: Annotated[
        Path,
        typer.Argument(
            metavar="SHEET",
            help="The sample.csv of `egide audit --sample`, its last columns filled in.",
            show_default=False,
        ),
    ],
) -> None:
    """Print precision and recall of each label with 95 % intervals, for the dump it was drawn of.

    A table on a terminal, JSON Lines in a pipe. Rows that are not labelled do not count.
    """
    from egide.hub.audit import score_sheet

    scores = score_sheet(sheet)
    if sys.stdout.isatty():
        print(f"{'label':18} {'precision':>24} {'recall':>24}")
    for one in scores:
        print(_row(one) if sys.stdout.isatty() else json.dumps(_document(one)))


def _check(dumps: list[str], out: Path) -> None:
    """Refuses what is most likely a slip before anything is read or written."""
    from egide.text.lexicon_folder import check_own
    from egide.text.semantic import switched_on

    switched_on()  # in a worker its error would count as an unreadable record
    check_own()
    for dump in dumps:
        if not os.path.lexists(dump):
            raise UsageError(f"{dump!r}: no such file or folder; nothing was audited")
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is no folder; give another")


def _reveal(wanted: bool, reason: str | None, home: Path, out: Path) -> Reveal | None:
    from egide.hub.audit import Reveal

    if not wanted:
        return None
    if not (reason or "").strip():
        raise UsageError("--reveal needs --reason TEXT: why names are to be shown is recorded")
    shown = Reveal.now((reason or "").strip())
    shown.record(home, out)
    return shown


def _say(summary: dict[str, Any], out: Path) -> None:
    from egide.hub.audit.write import PAGE
    from egide.report.words import count

    texts = summary["texts"]
    if summary["models_total"] or not texts["total"]:
        number = count(summary["likeness_total"], "model of a real person", "models of real people")
        warn(f"{number} among {summary['models_total']:,}; see {out / PAGE}")
    if texts["total"]:
        number = count(texts["offers"], "offer")
        warn(f"{number} among {count(texts['total'], 'text')}; see {out / PAGE}")
    if summary["unreadable"]:
        warn(f"{count(summary['unreadable'], 'record')} could not be read; see unreadable.csv")


def _document(one: Score) -> dict[str, Any]:
    return {"label": one.label, **{
        name: {"value": _round(rate.value), "low": _round(rate.low), "high": _round(rate.high),
               "rows": rate.rows}
        for name, rate in (("precision", one.precision), ("recall", one.recall))
    }}  # fmt: skip


def _row(one: Score) -> str:
    return f"{one.label:18} {_said(one.precision):>24} {_said(one.recall):>24}"


def _said(rate: Rate) -> str:
    if rate.value is None:
        return "no rows"
    return f"{rate.value:.1%} ({rate.low:.1%} to {rate.high:.1%})"


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
