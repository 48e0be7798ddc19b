"""``/docs`` and ``/problems/{code}``: the API and its refusals, read by people, served by us."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import Response

from gateway.domain.errors import REFUSALS, Refusal
from gateway.entry.web.page import page
from gateway.entry.web.problems import STATUS
from gateway.entry.web.reading import PageRoute


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that a client can ask for."""

    method: str
    path: str
    says: str


def operations(app: FastAPI) -> list[Operation]:
    """List what the API offers, from the same source as ``/openapi.json``."""
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    return [
        Operation(method.upper(), path, said.get("description", ""))
        for path, methods in sorted(paths.items())
        if path.startswith("/v1/")
        for method, said in methods.items()
    ]


def routes(app: FastAPI) -> APIRouter:
    """Give the routes."""
    door = APIRouter(include_in_schema=False, route_class=PageRoute)

    @door.get("/docs")
    async def docs() -> Response:
        refusals = [(code, STATUS[code], said) for code, said in REFUSALS.items()]
        shown = {"operations": operations(app), "refusals": refusals}
        return page("docs.html", shown)

    @door.get("/problems/{code}")
    async def problem_page(code: str) -> Response:
        if code not in REFUSALS:
            raise Refusal("not-found", "There is no such problem type.")
        shown = {"code": code, "status": STATUS[code], "said": REFUSALS[code]}
        return page("problem.html", shown)

    return door
