"""``/notices/{provider}/{account}``: raw bytes in, the provider's own acknowledgement out."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from gateway.domain.errors import Refusal
from gateway.entry.web.api import read_body
from gateway.ports.provider import RawNotice
from gateway.services.notices import Notices

quota_window: Final = timedelta(minutes=1)
sources_max: Final = 10_000
query_bytes_max: Final = 16_384


class Quota:
    """How much one source may send; what is beyond is refused before it is stored."""

    def __init__(self, most: int) -> None:
        """Start with nobody."""
        self.most = most
        self._seen: dict[str, deque[datetime]] = {}

    def admit(self, source: str, now: datetime) -> bool:
        """Count one notice, and say whether it is within the quota."""
        if source not in self._seen and len(self._seen) >= sources_max:
            self._seen.pop(next(iter(self._seen)))
        times = self._seen.setdefault(source, deque())
        while times and now - times[0] > quota_window:
            times.popleft()
        if len(times) >= self.most:
            return False
        times.append(now)
        return True


def routes(notices: Notices, quota_max: int) -> APIRouter:
    """Give the door that providers knock on."""
    door = APIRouter(include_in_schema=False)
    quota = Quota(quota_max)

    @door.api_route("/notices/{provider}/{account}", methods=["GET", "POST"])
    async def take_notice(request: Request, provider: str, account: str) -> Response:
        """Take one notice."""
        source = request.client.host if request.client else ""
        now = notices.store.clock.now()
        if not quota.admit(source, now):
            raise Refusal("too-many-requests", "Too many notices from this source.")
        query = request.scope["query_string"].decode("latin-1")
        if len(query) > query_bytes_max:
            raise Refusal("too-large", f"A query has at most {query_bytes_max} bytes.")
        raw = RawNotice(request.method, query, dict(request.headers), await read_body(request), now)
        ack = await notices.take(provider, account, raw, source)
        return Response(ack.body, ack.status, media_type=ack.media_type)

    return door
