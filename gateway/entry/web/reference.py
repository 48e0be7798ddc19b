"""``/openapi.json``, ``/docs`` and ``/problems/{code}``: the API and its refusals, explained."""

import json
from importlib.metadata import version

from fastapi import APIRouter
from fastapi.responses import Response

from gateway.domain.errors import REFUSALS, Refusal
from gateway.entry.web.openapi import OPERATIONS, document
from gateway.entry.web.page import page
from gateway.entry.web.problems import STATUS
from gateway.entry.web.reading import PageRoute


def routes(public_url: str) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)
    described = json.dumps(document(public_url, version("thuphi")), ensure_ascii=False)

    @door.get("/openapi.json")
    async def openapi() -> Response:
        return Response(described, media_type="application/json")

    @door.get("/docs")
    async def docs() -> Response:
        refusals = [(code, STATUS[code], said) for code, said in REFUSALS.items()]
        shown = {"operations": OPERATIONS.items(), "refusals": refusals}
        return page("docs.html", shown)

    @door.get("/problems/{code}")
    async def problem_page(code: str) -> Response:
        if code not in REFUSALS:
            raise Refusal("not-found", "There is no such problem type.")
        shown = {"code": code, "status": STATUS[code], "said": REFUSALS[code]}
        return page("problem.html", shown)

    return door
