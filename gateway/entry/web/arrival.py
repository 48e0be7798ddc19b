"""What every request meets before its door: who sent it, and how long its body may take."""

import asyncio
import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.domain.errors import Refusal
from gateway.infra.wire import Address, Network

body_wait_s: Final = 10.0  # As long as for the headers; a client that needs more is no client.
body_bytes_s_min: Final = 8_192  # A file may take longer, at the pace of a poor mobile line.
# A form, or a small file, whose answer is clear before it is read; for more the line is cut.
unread_bytes_max: Final = 1_048_576
_BODILESS: Final = frozenset({"GET", "HEAD"})


quota_notices_max: Final = 6_000  # 100 a second from one source: twice a national peak.
quota_checks_max: Final = 60  # A minute: an inspector with a pile of receipts is not slower.


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is let in; a test needs less of it to see what happens beyond."""

    body_wait_s: float = body_wait_s
    quota_notices_max: int = quota_notices_max
    quota_checks_max: int = quota_checks_max


@dataclass(frozen=True, slots=True)
class Arrival:
    """Sits before the application. ``proxies`` are ours: what they say of the sender is true."""

    app: ASGIApp
    proxies: Sequence[Network]
    wait_s: float

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["client"] = (source_of(scope, self.proxies), 0)
        patience = _Patience(receive, self.wait_s)

        async def hear_out(message: Message) -> None:
            """Answer once the body is there: who is cut off in the middle never reads an answer."""
            if message["type"] == "http.response.start" and scope["method"] not in _BODILESS:
                await patience.hear_out()
            await send(message)

        await self.app(scope, patience, hear_out)


def source_of(scope: Scope, proxies: Sequence[Network]) -> str:
    """Give the last hop that is not a proxy of ours; what stands before it is hearsay."""
    source = str(scope["client"][0]) if scope.get("client") else ""
    said = b",".join(v for k, v in scope["headers"] if k.lower() == b"x-forwarded-for")
    hops = said.decode("latin-1").split(",") if said else []
    at = _address(source)
    while hops and at is not None and any(at in network for network in proxies):
        at = _address(hops.pop())
        if at is not None:
            source = str(at)
    return source


def _address(text: str) -> Address | None:
    """Read an address, without the port and the brackets that some proxies write."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@dataclass(slots=True)
class _Patience:
    """Waits for a body for a while, and longer only while it keeps coming."""

    receive: Receive
    wait_s: float
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())
    size: int = 0
    is_whole: bool = False

    async def __call__(self) -> Message:
        """Give the next piece. Raises Refusal when it is late."""
        if self.is_whole:
            return await self.receive()
        try:
            async with asyncio.timeout_at(self.began + self.wait_s + self.size / body_bytes_s_min):
                message = await self.receive()
        except TimeoutError:
            raise Refusal("too-slow", "The body did not come in time.") from None
        self.size += len(message.get("body", b""))
        self.is_whole = not message.get("more_body", False)
        return message

    async def hear_out(self) -> None:
        """Let the rest of a body pass that nobody wanted to read, as far as that makes sense."""
        with suppress(Refusal):
            while not self.is_whole and self.size <= unread_bytes_max:
                await self()
