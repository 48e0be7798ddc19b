"""The doors of those who watch: it lives, it is ready, and the numbers."""

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.entry.web.metrics import Metrics
from gateway.entry.web.reading import PageRoute
from gateway.store.tx import Store


def routes(store: Store, metrics: Metrics) -> APIRouter:
    """Give the routes."""
    door = APIRouter(route_class=PageRoute, include_in_schema=False)

    @door.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "ok"}

    @door.get("/readyz")
    async def readyz() -> Response:
        """Say whether the database answers."""
        try:
            async with store.begin() as tx:
                await tx.run(text("SELECT 1"))
        except (OSError, DBAPIError):
            return Response(b'{"status":"no database"}', 503, media_type="application/json")
        return Response(b'{"status":"ok"}', media_type="application/json")

    @door.get("/metrics")
    async def show_metrics() -> Response:
        """Give the numbers an operator watches."""
        return Response(
            await metrics.text(store), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    return door
