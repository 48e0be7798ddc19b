"""What is said of every request: a line in the log, a figure in the metrics, a name in the answer.

It also is where an error of ours ends, so that nothing a person sent is quoted by a server.
"""

import logging
import secrets
from dataclasses import dataclass
from time import monotonic
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.domain.errors import Refusal
from gateway.entry.web import front
from gateway.entry.web.metrics import Metrics

METHODS: Final = ("GET", "HEAD", "POST")  # All that any of our routes takes.
log: Final = logging.getLogger("thuphi.web")
_KNOWN_METHODS: Final = frozenset({*METHODS, "PUT", "PATCH", "DELETE", "OPTIONS"})
_NOTHING: Final = "There is nothing at this address."


@dataclass(frozen=True, slots=True)
class Telling:
    """Sits before everything; hands the request on as it came, without a task of its own."""

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, and say how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id, began, status = secrets.token_hex(8), monotonic(), 0
        named = [(b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff")]

        async def say(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *named]
            await send(message)

        request = Request(scope, receive)
        try:
            await (_nowhere(request) or self.app)(scope, receive, say)
        except Exception:
            # The text of an error may quote what somebody sent: its kind and place are enough.
            log.exception("failed", extra={"request_id": request_id})
            if status:
                raise  # Half an answer cannot become another one.
            refusal = Refusal("unavailable", "Our side is at fault; try again soon.")
            await front.refused(request, refusal)(scope, receive, say)
        took = monotonic() - began
        self.metrics.count(request.url.path, request.method, status, took)
        log.info(
            "request",
            extra={
                **_named(request), "request_id": request_id, "status": status,
                "took_ms": round(took * 1000, 1),
            },
        )  # fmt: skip


def _named(request: Request) -> dict[str, str]:
    """Name what was asked for in our own words: the route's, never the sender's.

    A path may hold what opens a page to whoever reads it, and so may one that is only almost right.
    """
    route = request.scope.get("route")
    method = request.method if request.method in _KNOWN_METHODS else "…"
    return {"method": method, "path": getattr(route, "path", "…")}


def _nowhere(request: Request) -> Response | None:
    """Refuse a NUL before it reaches the database, which cannot even look for one."""
    path, query = request.scope["path"], request.scope["query_string"]
    if "\x00" in path or (path.startswith(("/v1/", "/console")) and b"%00" in query):
        return front.refused(request, Refusal("not-found", _NOTHING))
    return None
