"""A circuit breaker on the wire: a provider that does not answer is left alone for a moment.

While it rests a call is refused at once, and surely was not sent. It lives in one process and
forgets at its end; what the whole installation knows of a provider is gateway/services/health.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.domain.errors import DeclinedError, InDoubtError
from gateway.ports.clock import Clock
from gateway.ports.wire import Reply, Wire

failures_max: Final = 5  # In a row; one answer of any kind begins the count again.
rest: Final = timedelta(seconds=30)  # Then one call is let through to see.
server_error_min: Final = 500


@dataclass(slots=True)
class Breaker:
    """One provider account's wire."""

    wire: Wire = field(repr=False)
    clock: Clock
    _failures: int = 0
    _rests_until: datetime | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout_s: float = 15.0,
    ) -> Reply:
        """Send, unless the provider rests; raises DeclinedError then, for nothing was sent."""
        now = self.clock.now()
        if self._rests_until and now < self._rests_until:
            raise DeclinedError("The provider does not answer; it rests.", is_unreachable=True)
        if self._rests_until:  # One call goes through to see; the others wait for its end.
            self._rests_until = now + rest
        try:
            reply = await self.wire.send(
                method, url, headers=headers, body=body, timeout_s=timeout_s
            )
        except (InDoubtError, DeclinedError):
            self._count()
            raise
        if reply.status >= server_error_min:
            self._count()
        else:
            self._failures, self._rests_until = 0, None
        return reply

    def _count(self) -> None:
        self._failures += 1
        if self._failures >= failures_max:
            self._rests_until = self.clock.now() + rest
