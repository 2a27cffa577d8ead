"""The console's pages: who sits before them, in which language, and errors that are pages too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from egide.errors import CaseNotFound, EgideError, UsageError
from egide.language import available, catalogue, choose, name
from egide.language.pages import environment
from egide.web.console_time import SOON_MS, URGENT_MS, amount, left, pressure
from egide.web.console_words import NO_SUCH_CASE, WARNING_MARKS, word
from egide.web.identity_access import NeedsPerson, SignInFirst, Visit
from egide.web.identity_templates import sign_in_first
from egide.web.problems import Problem
from egide.web.state import Service, service_of

if TYPE_CHECKING:
    from egide.desk.desk import Desk

STATIC: Final = Path(__file__).parent / "static" / "console"
DOMAIN: Final = "console"
LANGUAGE_COOKIE: Final = "language"


@dataclass(frozen=True, slots=True)
class Seat(Visit):
    """A reviewer's request: the visit, what routes work with, and the language of the answer."""

    service: Service
    language: str
    path: str

    @property
    def desk(self) -> Desk:
        """The desk that the reviewer sits at."""
        return self.service.desk

    @property
    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return int(self.identity.clock() * 1000)

    def say(self, text: str) -> str:
        """`text` in the reviewer's language."""
        return catalogue(self.language, DOMAIN).gettext(text)


class At(NeedsPerson):
    """A dependency of a page of the console: somebody signed in who holds `scope`."""

    def __call__(self, request: Request) -> Seat:
        """SignInFirst, NotAllowed."""
        visit = super().__call__(request)
        return Seat(
            visit.identity,
            visit.session,
            visit.token,
            visit.site,
            service_of(request),
            language_of(request),
            request.url.path,
        )


class ConsoleRoute(APIRoute):
    """A route whose errors are pages of the console."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with errors turned into pages."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except SignInFirst as error:
                return sign_in_first(request, error)
            except RequestValidationError:
                wrong = UsageError("the form is not complete, or too long; go back")
                return _error_page(request, wrong)
            except EgideError as error:
                return _error_page(request, error)

        return answer


def language_of(request: Request) -> str:
    """The language that the browser is answered in."""
    return choose(request.headers.get("accept-language"), request.cookies.get(LANGUAGE_COOKIE))


def console_page(
    template: str, seat: Seat, /, *, here: str = "", at: str | None = None, **values: Any
) -> HTMLResponse:
    """The page `template` for whoever sits there; `here` is the place that the navigation marks.

    `at` is where to go on from a page that a form was answered with, which has no address itself.
    """
    now = seat.now
    text = _rendered(
        template,
        seat.language,
        visit=seat,
        path=at or seat.path,
        error=None,
        here=here,
        now=now,
        sentence=lambda text: _sentence(seat.say(text)),
        seated=amount(now - seat.session.created * 1000, seat.say),
        pressure=lambda due, paused=False: pressure(due, now, paused=paused),
        left=lambda due: left(due, now, seat.say),
        word=partial(_word, say=seat.say),
        **values,
    )
    return HTMLResponse(text)


def _rendered(template: str, language: str, **values: Any) -> str:
    found = environment(language, DOMAIN, "egide.web", "templates/console")
    other = next((tag for tag in available() if tag != language), language)
    return found.get_template(f"{template}.html.j2").render(
        other=other,
        other_name=name(other),
        urgent=URGENT_MS,
        soon=SOON_MS,
        warning_marks=WARNING_MARKS,
        time=_time,
        **values,
    )


def _error_page(request: Request, error: EgideError) -> HTMLResponse:
    """A page that says what went wrong, and nothing else."""
    problem = Problem.of(error)
    language = language_of(request)
    detail = NO_SUCH_CASE if isinstance(error, CaseNotFound) else problem.detail
    told = _sentence(catalogue(language, DOMAIN).gettext(detail))
    text = _rendered("error", language, error=told, visit=None, path="/desk", here="", now=0)
    return HTMLResponse(text, problem.status, problem.headers)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _word(table: str, key: str, say: Callable[[str], str]) -> str:
    return word(table, key, say)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
