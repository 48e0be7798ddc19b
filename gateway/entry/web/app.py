"""The web process: every door in one application, with one way to say that something is wrong."""

import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from gateway.domain.errors import Refusal
from gateway.entry.bootstrap import Parts
from gateway.entry.web import api, console_door, display, front, notices, pay, receipts, reference
from gateway.entry.web.console import Console
from gateway.entry.web.console_counter import CounterPages
from gateway.entry.web.console_refunds import RefundPages
from gateway.entry.web.metrics import Metrics
from gateway.services.bills import Bills
from gateway.services.desk import Desk
from gateway.services.displays import Displays
from gateway.services.refund_list import RefundList
from reconciliation.intake import Intake

log: Final = logging.getLogger("thuphi.web")
# What follows these in a path opens something to whoever holds it, so it is cut from the log.
_TOKEN: Final = re.compile(r"^/(pay|receipts|verify)/[^/]+")


def path_for_log(path: str) -> str:
    """Give a path without its token; the query string is never logged at all."""
    return _TOKEN.sub(r"/\1/…", path)


def _nowhere(request: Request) -> Response | None:
    """Refuse a NUL before it reaches the database, which cannot even look for one."""
    path, query = request.scope["path"], request.scope["query_string"]
    if "\x00" in path or (path.startswith(("/v1/", "/console")) and b"%00" in query):
        return front.refused(request, Refusal("not-found", "There is nothing at this address."))
    return None


def build_app(parts: Parts) -> FastAPI:
    """Give the application."""
    app = FastAPI(title="Thu Phí", version="0.1.0", docs_url=None, redoc_url=None)
    app.include_router(
        api.routes(
            api.ApiParts(
                parts.store,
                parts.access,
                parts.payments,
                parts.attempts,
                parts.refunds,
                parts.outbox,
            )
        )
    )
    app.include_router(notices.routes(parts.notices))
    bills = Bills(parts.store, parts.attempts)
    app.include_router(pay.routes(pay.PayPages(parts.store, parts.attempts, bills)))
    app.include_router(receipts.routes(receipts.ReceiptPages(parts.receipts)))
    console = Console(
        parts.store, parts.access, Desk(parts.store, parts.vault),
        Intake(parts.engine, parts.clock, parts.vault), parts.settings.public_url,
    )  # fmt: skip
    refunds = RefundPages(console, parts.refunds, parts.sender, RefundList(parts.store))
    displays = Displays(parts.store)
    counter = CounterPages(console, parts.counters, displays)
    app.include_router(console_door.routes(console, refunds, counter))
    shown = display.DisplayPage(displays, parts.attempts, parts.settings.public_url)
    app.include_router(display.routes(shown))
    app.include_router(reference.routes(app))
    app.include_router(front.routes())
    metrics = Metrics()
    _say_how_it_goes(app, parts, metrics)

    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        return front.refused(request, refusal)

    @app.exception_handler(HTTPException)
    async def not_here(request: Request, error: HTTPException) -> Response:
        if error.status_code == 405:  # noqa: PLR2004 - the status says what it is.
            return Response(status_code=405, headers=error.headers)
        return front.refused(request, Refusal("not-found", "There is nothing at this address."))

    @app.middleware("http")
    async def tell(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
        request_id = secrets.token_hex(8)
        began = monotonic()
        try:
            answer = _nowhere(request) or await go_on(request)
        except Exception:
            # The text of an error may quote what somebody sent: its kind and place are enough.
            log.exception("failed", extra={"request_id": request_id})
            refusal = Refusal("unavailable", "Our side is at fault; try again soon.")
            answer = front.refused(request, refusal)
        answer.headers["x-request-id"] = request_id
        answer.headers["x-content-type-options"] = "nosniff"
        took = monotonic() - began
        metrics.count(request.url.path, request.method, answer.status_code, took)
        log.info(
            "request",
            extra={
                "request_id": request_id, "method": request.method,
                "path": path_for_log(request.url.path), "status": answer.status_code,
                "took_ms": round(took * 1000, 1),
            },
        )  # fmt: skip
        return answer

    return app


def _say_how_it_goes(app: FastAPI, parts: Parts, metrics: Metrics) -> None:
    """Open the doors of those who watch: lives, is ready, and the numbers."""

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def readyz() -> Response:
        """Say whether the database answers."""
        try:
            async with parts.store.begin() as tx:
                await tx.run(text("SELECT 1"))
        except (OSError, DBAPIError):
            return Response(b'{"status":"no database"}', 503, media_type="application/json")
        return Response(b'{"status":"ok"}', media_type="application/json")

    @app.get("/metrics")
    async def show_metrics() -> Response:
        """Give the numbers an operator watches."""
        return Response(
            await metrics.text(parts.store), media_type="text/plain; version=0.0.4; charset=utf-8"
        )
