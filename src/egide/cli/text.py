"""`egide text`: explain what was seen in a text, and check the lexicons."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from egide.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egide.text.screen import Found, Screened, Weighed

app = typer.Typer(
    help="Explain what was seen in a text; check the lexicons.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(short_help="Show view by view what a text was read as, and which rule decided.")
def explain(
    text: Annotated[
        str,
        typer.Argument(
            metavar="TEXT", help="The text; '-' reads it from standard input.", show_default=False
        ),
    ],
    context: Annotated[
        str,
        typer.Option(
            "--context",
            metavar="CONTEXT",
            help="What it is: prompt, ad, app_listing, post, chat, profile, bounty or search.",
        ),
    ] = "",
    with_photo: Annotated[bool, typer.Option("--with-photo", help="A photo came with it.")] = False,
    age_rating: Annotated[
        str,
        typer.Option("--age-rating", metavar="RATING", help="Its rating, such as 4+ or PEGI 12."),
    ] = "",
) -> None:
    """Show what was undone, which words were read as what, and what rules and model made of it.

    The text stands in the output as it is: this is for whoever tunes the rules.
    """
    from egide.text.intent import CONTEXTS
    from egide.text.joint import screen_jointly
    from egide.text.screen import MOST_CHARACTERS, Said

    if context and context not in CONTEXTS:
        raise UsageError(f"--context takes one of {', '.join(CONTEXTS)}, not {context!r}")
    if text == "-":
        text = sys.stdin.buffer.read(4 * MOST_CHARACTERS).decode("utf-8", "replace")
    screened = screen_jointly(text, Said(context, with_photo, {"age_rating": age_rating}))
    for line in _explained(screened):
        _say(line)


@app.command("lint-lexicon", short_help="Check the lexicons, and run the tests in them.")
def lint_lexicon(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER",
            help="Folder with lexicons of your own; those in use when absent.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Check every lexicon in FOLDER and run the tests that stand in it; exit code 1 on a failure.

    Words that belong to nothing, unknown classes and paradigms, and rules without a word in some
    language are named. A FOLDER without classes and rules is read beside those that ship, as the
    one that EGIDE_LEXICON names is. Lexicons in use are those that ship, and that one's.
    """
    from egide.text.lexicon import FOLDER, chosen_sources
    from egide.text.lexicon_folder import sources_in
    from egide.text.lint import lint, replaced

    if folder and not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; give one with lexicons, such as it.yaml")
    sources = sources_in(folder, FOLDER) if folder else chosen_sources()
    where = sources.own or sources.folder
    problems = lint(sources)
    for problem in problems or replaced(sources):
        _say(problem)
    _say(f"{where}: {'valid' if not problems else f'{len(problems)} problems'}")
    if problems:
        raise typer.Exit(1)


def _explained(screened: Screened) -> Iterator[str]:
    from egide.text.lexicon import load_lexicon
    from egide.text.screen import Places

    yield f"folded: {screened.folded.key}"
    if screened.normal != screened.folded.key:
        yield f"read as: {screened.normal}"
    for disguise in screened.disguises:
        shown = screened.folded.text[disguise.start : disguise.end]
        meant = f" → {disguise.word}" if disguise.word else ""
        yield f"  undone {disguise.kind}: {disguise.start}–{disguise.end} {shown!r}{meant}"
    lexicon, reading = load_lexicon(), screened.intent.reading
    if reading.languages:
        yield f"languages, sentence by sentence: {', '.join(reading.languages)}"
    places = Places(screened.tokens, screened.folded)
    for hit, mask in enumerate(reading.masks):
        first = reading.first[hit]
        start, end = places.span(first, first + reading.width[hit] - 1)
        names = ", ".join(lexicon.class_names(mask))
        yield f"  {start}–{end} {reading.words(hit)!r} is {names}"
    aside = screened.intent.asides
    for act in screened.intent.acts:
        words = " … ".join(repr(reading.words(hit)) for hit in sorted(act.hits))
        kept = "kept" if act in screened.intent.kept else "dropped"
        yield f"act {act.rule.rule} ({act.rule.label}): {words}; {act.why}; {kept}"
    if aside.weight:
        yield (
            f"against it: help {aside.support:.1f}, reporting {aside.news:.1f}, "
            f"consent {aside.consent:.1f}, told {aside.told:.1f}"
        )
    for number, weighed in enumerate(screened.weighed):
        yield ("looked closer at " if number else "") + _weighed(weighed, whole=not number)
    for found in screened.found:
        yield f"found {found.label}, score {found.score:.2f}, by {_by(found)}"
    if not screened.found:
        yield "found nothing"


def _weighed(weighed: Weighed, *, whole: bool) -> str:
    """What the model made of the text or a part of it, and what it needed."""
    where = "model" if whole else f"{weighed.start}–{weighed.end}, model"
    ruled = "a rule has found something" if weighed.ruled else "no rule has found anything"
    found = "found" if weighed.score >= weighed.least else "not found"
    return f"{where}: {weighed.score:.2f}, needs {weighed.least:.2f} where {ruled}; {found}"


def _by(found: Found) -> str:
    """Who found it, and why; of what was learned the words that weighed most."""
    if found.rule != "model":
        return f"rule {found.rule}: {found.why}"
    words = ", ".join(f"{span.start}–{span.end} {span.text!r}" for span in found.spans)
    return f"the model: {found.why}" + (f", from {words}" if words else "")


def _say(line: str) -> None:
    """Prints one line; the text that is explained cannot break it or move the cursor."""
    from egide.report.clean import visible

    print(visible(line))
