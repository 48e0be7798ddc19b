"""The banks' post: what is due is sent when someone pumps, and sent again by each bank's rule."""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import httpx

from gateway.ports.clock import Clock

notice_timeout_s: Final = 30.0  # SePay's published time-out; VNPAY publishes none.
at_once_max: Final = 32


@dataclass(frozen=True, slots=True)
class Request:
    """One notice on the wire."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice to send: made freshly at each try, repeated after each gap until understood."""

    make: Callable[[datetime], Request]
    understood: Callable[[int, bytes], bool]
    gaps: tuple[timedelta, ...] = ()


@dataclass(slots=True)
class Post:
    """Letters and actions that wait for their time. Nothing here sleeps."""

    clock: Clock
    sent: int = 0
    _due: list[tuple[datetime, int, Letter | Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _http: httpx.AsyncClient | None = None
    _pumping: asyncio.Lock = field(default_factory=asyncio.Lock)

    def later(self, at: datetime, what: Letter | Callable[[], None]) -> None:
        """Keep a letter or an action until its time."""
        self._number += 1
        heapq.heappush(self._due, (at, self._number, what))

    @property
    def next_due(self) -> datetime | None:
        """Say when something is due next."""
        return self._due[0][0] if self._due else None

    async def pump(self) -> int:
        """Send all that is due by now, earliest first; what is due together goes together."""
        before = self.sent
        async with self._pumping:
            while self._due and self._due[0][0] <= self.clock.now():
                at = self._due[0][0]
                letters: list[Letter] = []
                while self._due and self._due[0][0] == at and len(letters) < at_once_max:
                    what = heapq.heappop(self._due)[2]
                    if isinstance(what, Letter):
                        letters.append(what)
                    else:
                        what()
                await asyncio.gather(*(self._send(letter, at) for letter in letters))
        return self.sent - before

    async def _send(self, letter: Letter, at: datetime) -> None:
        self._http = self._http or httpx.AsyncClient(timeout=notice_timeout_s, trust_env=False)
        request = letter.make(self.clock.now())
        self.sent += 1
        try:
            reply = await self._http.request(
                request.method, request.url, headers=request.headers, content=request.body
            )
            done = letter.understood(reply.status_code, reply.content)
        except httpx.HTTPError:
            done = False  # Nobody answered: the bank tries again.
        if not done and letter.gaps:
            self.later(at + letter.gaps[0], Letter(letter.make, letter.understood, letter.gaps[1:]))

    async def close(self) -> None:
        """Close the connections."""
        if self._http:
            await self._http.aclose()
            self._http = None
