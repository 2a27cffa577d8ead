"""`egide policy`: check a policy, and explain what it decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from egide.cli.options import PolicyOption
from egide.errors import UsageError

if TYPE_CHECKING:
    from egide.policy import Policy, Rule
    from egide.verdict import Verdict

app = typer.Typer(
    help="Check a policy, and explain what it decided.", no_args_is_help=True, rich_markup_mode=None
)


@app.command(short_help="Say whether a policy is valid.")
def check(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Policy file (YAML).", show_default=False)
    ],
) -> None:
    """Say whether FILE is a valid policy; every mistake is named with its line."""
    from egide.policy_file import load_policy

    policy = load_policy(file)
    _say(f"{file}: valid, {policy.id}, {len(policy.rules)} rules")
    for rule in policy.rules:
        _say(f"  line {rule.line}: {rule.name} ({rule.mode}) → {rule.action} when {rule.when}")


@app.command(short_help="Tell rule by rule why a verdict came out so.")
def explain(
    verdicts: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="What `egide scan --format jsonl` wrote; '-' for standard input.",
            show_default=False,
        ),
    ],
    policy: PolicyOption = None,
) -> None:
    """Tell rule by rule why each verdict came out as it did, or would under another policy."""
    from egide.policy_file import load_policy

    rules = load_policy(policy)
    try:
        source: int | str = 0 if verdicts == "-" else verdicts
        with open(source, "rb", closefd=source != 0) as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    _explain(_read(line, f"{verdicts}, line {number}"), rules)
    except OSError as error:
        if error.filename is None:
            raise  # it is standard output that failed
        raise UsageError(f"{verdicts}: {error.strerror}; give a jsonl report") from error


def _read(line: bytes, place: str) -> Verdict:
    from egide.verdict import Verdict

    try:
        return Verdict.from_json(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{place}: this is not UTF-8; give a jsonl report") from error
    except UsageError as error:
        raise UsageError(f"{place}: {error.detail}") from error


def _explain(verdict: Verdict, policy: Policy) -> None:
    from egide.policy import Facts

    _say(f"{verdict.ref}: {verdict.action} by {verdict.rule} of {verdict.policy}")
    # A verdict does not carry the item's attributes: rules about them are tried without any.
    facts = Facts(verdict.kind, {}, verdict.findings)
    for rule in policy.rules:
        holds = rule.when.holds(facts)
        because = _because(rule, verdict) if holds else ""
        _say(
            f"  {'holds' if holds else 'no   '}  {rule.name} ({rule.mode}) → {rule.action}: "
            f"{rule.when}{because}"
        )
    ruling = policy.decide(verdict.kind, {}, verdict.findings, verdict.errors)
    _say(f"  {policy.id} decides: {ruling.action} by {ruling.rule}")
    for fault in verdict.errors:
        _say(f"  not read: {fault.detector}: {fault.message}")


def _say(line: str) -> None:
    """Prints one line; references and messages cannot break it or move the cursor."""
    from egide.report.clean import visible

    print(visible(line), flush=True)


def _because(rule: Rule, verdict: Verdict) -> str:
    from egide.policy import Exists

    if not isinstance(rule.when, Exists) or not rule.when.finding_tests:
        return ""
    held = [finding for finding in verdict.findings if rule.when.of(finding)]
    return "; ".join(f" — {f.label}, score {f.score:g}, {f.detector}" for f in held)
