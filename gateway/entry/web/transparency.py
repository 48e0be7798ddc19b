"""``/log/{agency}``: what the transparency log has signed, and proofs of it, for anybody.

Nothing here is about a person: a leaf is the hash of a sealed file. What is of a given size never
changes, so caches may keep it.
"""

import re
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from gateway.domain.calendar import rfc3339
from gateway.domain.errors import Refusal
from gateway.entry.web.page import send
from gateway.entry.web.reading import PageRoute
from receipts.log.journal import Journal, listed_max
from receipts.log.note import base64_of

_FOR_EVER: Final = {"cache-control": "public, max-age=31536000, immutable"}
_A_MINUTE: Final = {"cache-control": "public, max-age=60"}  # The newest is soon another.
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_AGENCY: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")  # As the settings take it.


def _number(text: str | None, what: str) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise Refusal("invalid-request", f"{what} is a whole number.")
    return int(text)


def _needed(request: Request, name: str) -> int:
    found = _number(request.query_params.get(name), name)
    if found is None:
        raise Refusal("invalid-request", f"Say {name}=N in the query.")
    return found


def _known(request: Request) -> str:
    """Take the agency out of the path; what is no agency's name has no log."""
    agency = str(request.path_params["agency"])
    if not _AGENCY.fullmatch(agency):
        raise Refusal("not-found", "There is no such log.")
    return agency


def _text(text: str, caching: dict[str, str], name: str = "") -> Response:
    more = {"content-disposition": f'attachment; filename="{name}"'} if name else {}
    return send(text, "text/plain; charset=utf-8", more={**caching, **more})


@dataclass(frozen=True, slots=True)
class LogPages:
    """What anybody may ask a log."""

    journal: Journal

    async def key(self, request: Request) -> Response:
        """Give the key that checks its checkpoints; trust it only from a second source."""
        return _text((await self.journal.key(_known(request))).text(), _A_MINUTE)

    async def newest(self, request: Request) -> Response:
        """Give the newest checkpoint."""
        return _text(await self.journal.checkpoint(_known(request)), _A_MINUTE)

    async def one(self, request: Request, size: str) -> Response:
        """Give the checkpoint of a size."""
        return _text(
            await self.journal.checkpoint(_known(request), _number(size, "size")), _FOR_EVER
        )

    async def hourly(self, request: Request) -> Response:
        """List the last checkpoint of each hour."""
        before = _number(request.query_params.get("before"), "before")
        rows = await self.journal.hourly(_known(request), before)
        shown = [
            {"size": r["size"], "root": base64_of(bytes(r["root"])),
             "signed_at": rfc3339(r["signed_at"])}
            for r in rows
        ]  # fmt: skip
        more = len(rows) == listed_max
        body = {"data": shown, "next_before": rows[-1]["size"] if more else None}
        return JSONResponse(body, headers=_A_MINUTE)

    async def proof(self, request: Request) -> Response:
        """Prove one leaf, in the checkpoint that was signed with it or in the one of a size."""
        agency, leaf = _known(request), _needed(request, "leaf")
        size = _number(request.query_params.get("size"), "size")
        proof = await self.journal.proof(agency, leaf, size)
        return _text(proof.text(), _FOR_EVER, f"bien-lai-{agency}-{leaf}.tlog-proof")

    async def consistency(self, request: Request) -> Response:
        """Prove that a checkpoint grew out of an older one."""
        old, size = _needed(request, "from"), _number(request.query_params.get("to"), "to")
        link = await self.journal.link(_known(request), old, size)
        return _text(link.text(), _A_MINUTE if size is None else _FOR_EVER)


def routes(pages: LogPages) -> APIRouter:
    """Give the routes."""
    door = APIRouter(prefix="/log/{agency}", include_in_schema=False, route_class=PageRoute)
    for path, answer in (
        ("/key", pages.key), ("/checkpoint", pages.newest), ("/checkpoints", pages.hourly),
        ("/checkpoints/{size}", pages.one), ("/proof", pages.proof),
        ("/consistency", pages.consistency),
    ):  # fmt: skip
        door.add_api_route(path, answer)
    return door
