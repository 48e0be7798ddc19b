"""``/``, and what a person sees where a program gets a problem document: what to do next."""

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal
from gateway.entry.web.checking_words import FORM
from gateway.entry.web.citizen_words import FRONT, spoken
from gateway.entry.web.page import HERE, language, page, wants_page
from gateway.entry.web.problems import STATUS, problem
from gateway.entry.web.reading import PageRoute

# What programs call keeps its form whatever they say they accept: a bank's notice is no person.
_PROGRAMS: Final = ("/v1/", "/notices/", "/metrics", "/healthz", "/readyz", "/openapi.json")
_STATIC: Final = {
    "citizen.css": "text/css", "console.css": "text/css", "display.css": "text/css",
    "pay_now.js": "text/javascript", "breaks.js": "text/javascript", "icon.svg": "image/svg+xml",
}  # fmt: skip


def refused(request: Request, refusal: Refusal) -> Response:
    """Answer a refusal: a page for a person, a problem document for a program."""
    path, status = request.scope["path"], STATUS[refusal.code]
    if path.startswith(_PROGRAMS) or not wants_page(request):
        return problem(refusal)
    lang = language(request)
    shown = spoken(lang, FRONT)
    door = path.split("/")[1]
    key = "busy"
    if refusal.code in ("not-found", "method-not-allowed"):
        key = door if door in ("pay", "receipts") else "nothing"
    shown |= {
        "headline": shown["t"][key], "advice": shown["t"][f"{key}_advice"],
        "may_retry": key == "busy", "home": "/console" if door == "console" else f"/?lang={lang}",
    }  # fmt: skip
    return page("lost.html", shown, status)


def routes() -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get("/")
    async def home(request: Request) -> Response:
        return page("home.html", spoken(language(request), FRONT, FORM))

    @door.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in _STATIC:
            raise Refusal("not-found", "There is no such file.")
        text = (HERE / "static" / name).read_text("utf-8")
        return Response(text, 200, {"cache-control": "public, max-age=300"}, _STATIC[name])

    return door
