"""What a browser shows when a form was refused because it came from another site."""

from __future__ import annotations

from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from egide.language import choose
from egide.language.pages import environment
from egide.web.problems import Problem
from egide.web.public_pages import COOKIE, DOMAIN

PAGES: Final = frozenset(
    {"account", "accounts", "appeal", "case", "desk", "keys", "notice", "signin", "welcome"}
)
"""The parts of our addresses behind which there is a page to begin anew on."""
API: Final = "/v1/"


def wants_page(request: Request) -> bool:
    """Whether the answer is for a person: a browser asks for HTML, and not of the interface."""
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(API)


def forged_page(request: Request, problem: Problem) -> HTMLResponse:
    """A plain page in the person's language, with the way to where the form can be sent from."""
    language = choose(request.headers.get("accept-language"), request.cookies.get(COOKIE))
    part = request.url.path.split("/")[1]
    found = environment(language, DOMAIN, "egide.web", "templates")
    text = found.get_template("public/forged.html.j2").render(
        here=f"/{part}" if part in PAGES else "/"
    )
    headers = {**problem.headers, "Content-Language": language}
    return HTMLResponse(text, problem.status, headers)
