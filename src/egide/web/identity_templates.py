"""The pages for people: templates, and routes that answer errors with a page."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, PackageLoader, StrictUndefined

from egide.errors import EgideError, UsageError
from egide.web.identity_access import SignInFirst, Visit
from egide.web.problems import Problem


class PageRoute(APIRoute):
    """A route whose errors are pages: who is not signed in is led to the page for it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with errors turned into pages."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except SignInFirst as error:
                return sign_in_first(request, error)
            except RequestValidationError:
                return error_page(UsageError("the form is not complete, or too long; go back"))
            except EgideError as error:
                return error_page(error)

        return answer


def page(
    template: str,
    visit: Visit | None = None,
    /,
    *,
    error: EgideError | None = None,
    **values: Any,
) -> HTMLResponse:
    """The page `template` for whoever is signed in, with an error's message when there is one."""
    problem = None if error is None else Problem.of(error)
    message = None if problem is None else _sentence(problem.detail)
    found = _environment().get_template(f"{template}.html.j2")
    text = found.render(visit=visit, error=message, **values)
    if problem is None:
        return HTMLResponse(text)
    return HTMLResponse(text, problem.status, problem.headers)


def error_page(error: EgideError) -> HTMLResponse:
    """A page that says what went wrong, and nothing else."""
    return page("error", error=error)


def to(path: str) -> RedirectResponse:
    """Leads the browser on to one of our pages after a form."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


def own_path(path: str) -> str:
    """`path` when it is one of our own pages, else the account's: nobody is led elsewhere."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isprintable() and "\\" not in path else "/account"


def sign_in_first(request: Request, error: EgideError) -> Response:
    """Leads to the page for signing in, and from there back; a form is only told to."""
    if request.method != "GET":
        return page("error", error=error)
    return to(f"/signin?next={quote(own_path(request.url.path), safe='/')}")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("egide.web", "templates/identity"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["when"] = _when
    return environment


def _sentence(detail: str) -> str:
    return f"{detail[:1].upper()}{detail[1:]}."


def _when(seconds: int | None) -> str:
    if seconds is None:
        return "never"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
