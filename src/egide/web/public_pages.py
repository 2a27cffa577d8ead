"""The public pages: in whose language, from which templates, and how errors are told kindly."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from egide.desk.laws import laws
from egide.errors import EgideError, StorageError, TooManyAttempts, UsageError
from egide.language import available, catalogue, choose, duration, marked
from egide.language.pages import environment
from egide.web.bodies import chunks
from egide.web.identity_access import is_secure
from egide.web.logs import log
from egide.web.problems import Problem
from egide.web.public_form import MOST_BODY, Form
from egide.web.state import service_of

if TYPE_CHECKING:
    from egide.desk.desk import Desk

STATIC: Final = Path(__file__).parent / "static" / "public"
DOMAIN: Final = "public"
COOKIE: Final = "language"
EXITS: Final = {"en": "https://www.bbc.co.uk/weather", "fr": "https://meteofrance.com/"}
"""Where the button that leaves leads: pages that anybody may have open."""
SECURITY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
WITH_VIDEOS: Final = f"{SECURITY}; media-src blob:"
"""Where a video of the device is looked at: it is opened under an address within the page."""
STATUS_WORDS: Final = {
    413: marked("What you sent is too long. Please shorten it, or leave a part for later."),
    429: marked("That was tried too often. Please wait a little: %(wait)s."),
    503: marked("Something is not working here right now. Please try again in a few minutes."),
}
UNKNOWN: Final = marked("This did not work. Please go back and try again.")
ASKS: Final = frozenset({"adults", "everyone"})
FOR_MINORS: Final = frozenset({"minors", "everyone"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: in which language pages are shown, and the words of it."""

    request: Request
    language: str
    chosen: bool = False

    @classmethod
    def of(cls, request: Request, form: Form | None = None) -> Visitor:
        """By the form's own field, the query, the cookie, and what the browser prefers."""
        asked = _switched(form)
        wished = (
            asked,
            form["language"] if form else None,
            request.query_params.get("language"),
            request.cookies.get(COOKIE),
        )
        language = choose(request.headers.get("accept-language"), *wished)
        chosen = asked or request.query_params.get("language")
        return cls(request, language, chosen=chosen == language)

    def say(self, text: str) -> str:
        """`text` in the language."""
        return catalogue(self.language, DOMAIN).gettext(text)

    def page(
        self, template: str, status: int = 200, /, *, security: str = SECURITY, **values: Any
    ) -> HTMLResponse:
        """The page `template`, with what all of them need."""
        found = environment(self.language, DOMAIN, "egide.web", "templates").get_template(
            f"public/{template}.html.j2"
        )
        # Where the links of the languages lead: what a form is sent to cannot be asked for.
        here = f"/{self.request.url.path.split('/')[1]}"
        text = found.render(platform=platform_of(self.request), here=here, **values)
        response = HTMLResponse(text, status, {"Content-Security-Policy": security})
        response.headers["Content-Language"] = self.language
        if self.chosen:
            response.set_cookie(
                COOKIE,
                self.language,
                path="/",
                secure=is_secure(self.request),
                httponly=True,
                samesite="lax",
            )
        return response

    def explained(self, error: EgideError) -> tuple[int, str]:
        """The status of `error` over HTTP, and what is said of it on a page."""
        problem = Problem.of(error)
        said = self.say(STATUS_WORDS.get(problem.status, UNKNOWN))
        if isinstance(error, TooManyAttempts):
            said = said % {"wait": duration(error.seconds, self.language)}
        return problem.status, said

    def failed(self, error: EgideError) -> HTMLResponse:
        """A page that says kindly what went wrong, and where to go on."""
        status, said = self.explained(error)
        page = self.page("failed", status, said=said)
        for name, value in Problem.of(error).headers.items():
            page.headers[name] = value
        return page


class PublicRoute(APIRoute):
    """A route whose errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with errors turned into pages."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except EgideError as error:
                if isinstance(error, StorageError):
                    log.error("storage.failed", error=type(error).__name__)
                return Visitor.of(request).failed(error)

        return answer


async def form_of(request: Request) -> Form:
    """The fields of the form that was sent; Problem when it is too long or too slow."""
    return Form(b"".join([chunk async for chunk in chunks(request, MOST_BODY)]))


def desk_of(request: Request) -> Desk:
    """The desk of the service that answers `request`."""
    return service_of(request).desk


def platform_of(request: Request) -> str:
    """What the platform is called."""
    return desk_of(request).settings.platform


def when(milliseconds: int) -> datetime:
    """A time of the desk."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def bodies(language: str, whom: Iterable[str], *jurisdictions: str) -> list[dict[str, str]]:
    """Who else helps, by the laws of `jurisdictions`, each once: name, url, says."""
    known = laws()
    found = [
        body
        for name in jurisdictions
        for body in known[name].bodies
        if body.for_ in frozenset(whom)
    ]
    return [
        {"name": body.name, "url": body.url, "says": body.in_(language)}
        for body in {body.url: body for body in found}.values()
    ]


def exit_address(language: str) -> str:
    """EGIDE_DESK_EXIT, or a weather page in the language; UsageError when it is no address."""
    given = os.environ.get("EGIDE_DESK_EXIT")
    if not given:
        return EXITS.get(language, EXITS["en"])
    try:
        parts = urlsplit(given)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname
    except ValueError:
        wrong = True
    if wrong or not given.isascii() or not given.isprintable() or " " in given:
        raise UsageError(
            f"EGIDE_DESK_EXIT {given[:200]!r} is no address; give one such as https://example.org/"
        )
    return given


def leaving(language: str) -> Response:
    """Leads to a neutral page, and has the browser forget the pages that it kept of ours."""
    return Response(
        status_code=HTTPStatus.SEE_OTHER.value,
        headers={
            "Location": exit_address(language),
            "Clear-Site-Data": '"cache"',
            "Referrer-Policy": "no-referrer",
        },
    )


def _switched(form: Form | None) -> str | None:
    """The language that a form's button asks for."""
    asked, _, tag = (form["go"] if form else "").partition(":")
    return tag if asked == "language" and tag in available() else None
